"""`python3 course.py bench [widgets]`: seconds per epoch, or a slider's milliseconds."""

import sys

from authoring.bench import epochs, widgets

if __name__ == "__main__":
    words = sys.argv[1:]
    sys.exit(widgets.main() if words[:1] == ["widgets"] else epochs.main(words))
