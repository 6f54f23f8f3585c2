"""The cells that a learner writes inside a chapter: a stub, its check, and the course's version below.

The right answer is the chapter's own cell, executed; wrong ones are in answers/turnsNN.py, and
tests/test_answers.py feeds them to the checks. `-k ch02` chooses a chapter.
"""

import ast
import re
from collections import Counter
from pathlib import Path

import nbformat
import pytest
from test_answers import module_of

from conftest import skip_or_fail
from utils.exercises.engine import chapters, exercises

ROOT = Path(__file__).resolve().parent.parent
TURNS = chapters("turns")
CHECK = re.compile(r'^result = turn\("(\w+)", (\w+(?:, \w+)*)\)$')
NOT_YET = "no answer yet. Write it in the cell above, run that cell, then this one."
each_chapter = pytest.mark.parametrize("number", TURNS, ids=lambda number: f"ch{number}")


def code_cells(number):
    (path,) = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
    return [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]


def tags(cell):
    return set(cell.metadata.get("tags", []))


def names(source):
    """The names that a cell's functions and classes have, with their arguments."""
    nodes = [node for node in ast.parse(source).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    return {node.name: ast.unparse(getattr(node, "args", ast.Pass())) for node in nodes}


def definitions(source):
    """A cell's imports, functions and classes, without what it computes."""
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    body = [node for node in ast.parse(source).body if isinstance(node, kinds)]
    return ast.unparse(ast.Module(body, type_ignores=[]))


@each_chapter
def test_stub_check_and_version_follow_each_other_and_define_the_same_names(number):
    cells, found = code_cells(number), []
    for place, cell in enumerate(cells):
        if "your-turn" in tags(cell):
            check, version = cells[place + 1 : place + 3]
            name, given = CHECK.match(check.source).groups()
            assert "course-version" in tags(version) and names(version.source) == names(cell.source)
            assert list(names(cell.source)) == given.split(", ")
            assert "".join(output.text for output in check.outputs) == f"{name}: {NOT_YET}\n"
            found.append(name)
    assert found == list(exercises(number, "turns"))
    assert len(found) == sum("course-version" in tags(cell) for cell in cells)


@each_chapter
def test_the_stub_is_no_answer_and_the_courses_version_is_right(number, capsys):
    namespace, found = {}, []
    for cell in code_cells(number):
        whole = {"setup", "imports", "your-turn", "course-version"} & tags(cell)
        try:
            exec(cell.source if whole else definitions(cell.source), namespace)
        except ImportError as error:
            skip_or_fail(f"chapter {number}: {error}")
        if CHECK.match(cell.source):
            check = cell.source
        if "course-version" in tags(cell):
            exec(check, namespace)
            found.append(capsys.readouterr().out)
        elif CHECK.match(cell.source):
            exec(check, namespace)
            assert capsys.readouterr().out.endswith(f": {NOT_YET}\n")
    assert found == [f"{name}: right.\n" for name in exercises(number, "turns")]


@each_chapter
def test_at_least_two_wrong_answers_to_each_are_told_why(number):
    wrong = Counter(exercise for exercise, *_ in module_of(number, "turns").WRONG)
    assert wrong.keys() == exercises(number, "turns").keys() and min(wrong.values()) >= 2
