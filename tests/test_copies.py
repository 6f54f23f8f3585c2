"""A function that stands in three places belongs into one: utils for notebooks, a shared file for tests."""

import ast
from collections import defaultdict
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
SHORTEST = 3  # statements; a shorter function may be the plain way to say it


def sources():
    """(file, source) of every code cell of chapters, appendices and solutions, and of every Python file."""
    for path in sorted((ROOT / "notebooks").rglob("*.ipynb")):
        if path.parent.name != "exercises":  # made from the solutions
            for cell in nbformat.read(path, 4).cells:
                if cell.cell_type == "code":
                    yield path, cell.source
    for folder in ("authoring", "teaching", "tests", "utils"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path, path.read_text(encoding="utf-8")


def functions(tree):
    """(name, canonical text) of each function that is long enough; docstrings do not count."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            inner = sum(isinstance(part, ast.stmt) for statement in body for part in ast.walk(statement))
            if inner >= SHORTEST:
                yield node.name, ast.dump(node.args) + "".join(map(ast.dump, body))


def test_no_function_stands_in_three_files():
    places = defaultdict(set)
    for path, source in sources():
        for name, text in functions(ast.parse(source)):
            places[name, text].add(str(path.relative_to(ROOT)))
    thrice = {name: sorted(files) for (name, _), files in places.items() if len(files) >= 3}
    assert not thrice, thrice
