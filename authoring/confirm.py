"""Confirm a stored result by today's code, where a run of its whole experiment would take an hour.

`python3 course.py confirm NN` runs the chapter from the top and stores it. Its cells do a part of the
experiment again and stop where that part differs from what is stored. If they do not stop, today's code is
noted beside the code that made the result. Where an experiment was meant to change: `course.py full NN`.
"""

import sys

import nbformat
from nbclient.exceptions import CellExecutionError

from authoring.freshness import confirm
from authoring.store import find_notebooks, store


def main(numbers):
    if not numbers:
        print("confirm needs the number of a chapter, such as 04.", file=sys.stderr)
        return 1
    try:
        for path in find_notebooks(numbers):
            store(path)
            confirm(nbformat.read(path, 4), path.stem)
            print(f"{path.stem}: today's code gives the part that the chapter runs", flush=True)
    except (CellExecutionError, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
