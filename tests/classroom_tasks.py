"""What the tests of the classroom hand in: the tasks of chapter 02, whatever these are called by now."""

import ast
from pathlib import Path
from typing import NamedTuple

import nbformat

SOLUTION = Path(__file__).resolve().parent.parent / "notebooks/solutions/02_dropout_from_scratch.ipynb"


class Task(NamedTuple):
    """A task of the solution: the source of its answer, its points, the names that its check is given."""

    name: str
    source: str
    points: int
    names: tuple = ()

    @property
    def is_text(self):
        return not self.names


def grading(cell):
    return cell.metadata.get("nbgrader", {})


def task_of(cell):
    """The name of the task that this cell, an answer or a check, belongs to; "" for other cells."""
    return grading(cell).get("grade_id", "").removesuffix("-check")


def is_answer(cell):
    return grading(cell).get("solution", False)


def tasks():
    """All tasks of the solution, in order."""
    cells = nbformat.read(SOLUTION, 4).cells
    checks = {task_of(cell): cell for cell in cells if grading(cell) and not is_answer(cell)}
    return [task_from(cell, checks.get(task_of(cell), cell)) for cell in cells if is_answer(cell)]


def task_from(answer, check):
    names = ()
    if answer.cell_type == "code":
        called = next(node for node in ast.walk(ast.parse(check.source)) if isinstance(node, ast.Call))
        given = [node for argument in called.args for node in ast.walk(argument)]
        names = tuple(node.id for node in given if isinstance(node, ast.Name))
    return Task(task_of(answer), answer.source, grading(check).points, names)


def function_task():
    """The first task whose answer is a function."""
    return next(task for task in tasks() if task.source.startswith("def "))
