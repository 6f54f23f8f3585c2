"""Make the exercise notebooks, and the teacher's table of misconceptions, from the solutions.

`python3 course.py exercises [NN ...]` runs this: it runs the solutions from the top and stores them, then
makes notebooks/exercises/ from them. nbgrader's own preprocessors take the answers out, so an exercise is
what nbgrader releases to a class.
"""

import re
import sys

import nbformat
from nbclient.exceptions import CellExecutionError
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)

from authoring.store import NOTEBOOKS_DIR, find_notebooks, store, write
from utils.data import written_whole
from utils.exercises.beliefs import MET_IN, MET_IN_TURNS
from utils.tables import Table

SOLUTIONS_DIR = NOTEBOOKS_DIR / "solutions"
EXERCISES_DIR = NOTEBOOKS_DIR / "exercises"
TEACHING = NOTEBOOKS_DIR.parent / "teaching/README.md"
# `pass` runs anywhere, so that an untouched exercise runs from top to bottom.
CODE_STUB = "pass  # your code here"
TEXT_STUB = "*Your answer here.*"
MARKERS = ("<!-- misconceptions: made by `course.py exercises` -->", "<!-- end of misconceptions -->")


def make_exercise(solution):
    """The exercise notebook made from a solution notebook, which stays as it is.

    The same solution always gives the same exercise: no outputs, no counts.
    """
    exercise = nbformat.from_dict(solution)
    resources = {}
    for preprocessor in (
        LockCells(),
        ClearSolutions(code_stub={"python": CODE_STUB}, text_stub=TEXT_STUB),
        ClearOutput(),
        ClearHiddenTests(),
        ComputeChecksums(),
        CheckCellMetadata(),
    ):
        exercise, resources = preprocessor.preprocess(exercise, resources)
    return exercise


def misconception_table():
    """The Table of all misconceptions that a check answers by name: exercises, then cells of one's own."""
    tasks = {}
    for where, lists in (("", MET_IN), (", your turn", MET_IN_TURNS)):
        for number, exercises in lists.items():
            for exercise, beliefs in exercises.items():
                for belief in beliefs:
                    tasks.setdefault((number + where, belief), []).append(exercise)
    rows = [
        (f'"{belief.clause}"', f"{place}: {', '.join(names)}", belief.why)
        for (place, belief), names in tasks.items()
    ]
    return Table(("Somebody believes", "Exercise", "The check answers"), rows)


def with_table(text):
    """The text of the teacher's page with the table between its two markers brought up to date."""
    pattern = re.compile(f"({re.escape(MARKERS[0])}\n).*?({re.escape(MARKERS[1])})", re.S)
    table = misconception_table()._repr_markdown_()
    new, count = pattern.subn(lambda found: f"{found[1]}\n{table}\n\n{found[2]}", text)
    if count != 1:
        raise ValueError(f"the page needs the line {MARKERS[0]} once, and {MARKERS[1]} after it")
    return new


def main(numbers):
    try:
        for path in find_notebooks(numbers, SOLUTIONS_DIR):
            seconds = store(path)
            write(make_exercise(nbformat.read(path, as_version=4)), EXERCISES_DIR / path.name)
            print(f"{path.name:<36}{seconds:6.1f} s", flush=True)
        page = with_table(TEACHING.read_text(encoding="utf-8"))
        with written_whole(TEACHING) as temporary:
            temporary.write_text(page, encoding="utf-8")
    except (CellExecutionError, ValueError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
