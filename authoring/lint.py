"""Check the style of code, notebooks and prose: `python3 course.py lint`."""

import subprocess
import sys

COMMANDS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("pytest", "-q", "tests/test_style.py"),
)

if __name__ == "__main__":
    sys.exit(max([subprocess.run([sys.executable, "-m", *command]).returncode for command in COMMANDS]))
