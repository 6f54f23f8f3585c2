"""A class with nbgrader: make the course folder that it works in, and run its commands there.

`python3 course.py classroom FOLDER` makes FOLDER with source/, release/, nbgrader_config.py and
gradebook.db from the solutions. `python3 course.py classroom FOLDER WORD ...` runs `nbgrader WORD ...`
in it.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from authoring.exercises import CODE_STUB, SOLUTIONS_DIR, TEXT_STUB
from authoring.store import find_notebooks

ROOT = Path(__file__).resolve().parent.parent
CONFIG = '''"""nbgrader's settings for this class; made by `course.py classroom`, yours to change."""

import os
from pathlib import Path

c = get_config()  # noqa: F821
HERE = Path(__file__).resolve().parent
COURSE = {course!r}  # the folder with course.py: the notebooks import its utils

os.environ["PYTHONPATH"] = COURSE
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

c.CourseDirectory.root = str(HERE)
c.CourseDirectory.course_id = "dropout"
c.Exchange.root = str(HERE / "exchange")  # where students fetch and submit: a folder that all can reach
c.ClearSolutions.code_stub = {{"python": {code_stub!r}}}
c.ClearSolutions.text_stub = {text_stub!r}
c.Execute.timeout = 300  # seconds for one cell
'''


def make_classroom(folder, numbers=()):
    """Make an nbgrader course in `folder` from the solutions of the given chapters, or of all.

    Raises
    ------
    ValueError
        `folder` exists and is not an empty folder.
    subprocess.CalledProcessError
        nbgrader refused a notebook; what it said has been printed.
    """
    folder = Path(folder).resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} is not empty: name a folder that does not exist yet.")
    for path in find_notebooks(numbers, SOLUTIONS_DIR):
        assignment = folder / "source" / path.stem
        assignment.mkdir(parents=True)
        shutil.copy(path, assignment)
    (folder / "exchange").mkdir()
    config = CONFIG.format(course=str(ROOT), code_stub=CODE_STUB, text_stub=TEXT_STUB)
    (folder / "nbgrader_config.py").write_text(config, encoding="utf-8")
    nbgrader(folder, "generate_assignment", "--assignment=*", "--log-level=WARN").check_returncode()
    return folder


def nbgrader(folder, *words):
    """Run `nbgrader WORD ...` in `folder`; return the CompletedProcess."""
    # nbgrader finds Jupyter's programs on PATH.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    command = [sys.executable, "-m", "nbgrader", *words]
    return subprocess.run(command, cwd=folder, env={**os.environ, "PATH": path}, check=False)


def main(arguments):
    if not arguments:
        print("classroom needs a folder, such as `python3 course.py classroom ../class`.", file=sys.stderr)
        return 1
    folder, words = arguments[0], arguments[1:]
    try:
        if words:
            if not (Path(folder) / "nbgrader_config.py").exists():
                raise ValueError(f"{folder} is no classroom yet: `python3 course.py classroom {folder}`.")
            return nbgrader(folder, *words).returncode
        folder = make_classroom(folder)
    except (ValueError, subprocess.CalledProcessError) as error:
        print(f"classroom: {error}", file=sys.stderr)
        return 1
    print(f"{folder}: {len(list((folder / 'release').iterdir()))} assignments in release/")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
