"""Chapter 02 builds the functions of utils/scratch.py, definition by definition."""

import ast
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NAMES = (
    "dropout_factor",
    "dropout_with_factor",
    "dropout",
    "init_normal",
    "init_he",
    "forward_eval",
    "forward_train",
    "softmax_cross_entropy",
    "backward",
    "sgd_step",
    "train_step",
    "train_epoch",
)


def definitions(source):
    """{name: list of canonical texts} of the top-level functions, without docstrings and annotations."""
    found = {}
    for node in ast.parse(source).body:
        if not isinstance(node, ast.FunctionDef):
            continue
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        for part in ast.walk(node):
            if isinstance(part, ast.arg):
                part.annotation = None
        node.returns = None
        found.setdefault(node.name, []).append(ast.dump(node))
    return found


def notebook_source():
    cells = json.loads((ROOT / "notebooks" / "02_dropout_from_scratch.ipynb").read_text(encoding="utf-8"))
    return "\n".join("".join(c["source"]) for c in cells["cells"] if c["cell_type"] == "code")


def module_source():
    return (ROOT / "utils" / "scratch.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_the_chapter_builds_what_utils_holds(name):
    assert definitions(notebook_source())[name] == definitions(module_source())[name]


def test_utils_scratch_holds_nothing_that_the_chapter_does_not_build():
    assert sorted(definitions(module_source())) == sorted(NAMES)


def test_the_chapter_imports_none_of_these_functions_from_utils():
    for node in ast.walk(ast.parse(notebook_source())):
        if isinstance(node, ast.ImportFrom):
            assert node.module != "utils.scratch"
            assert not {alias.name for alias in node.names} & set(NAMES)


def test_the_comparison_ignores_docstrings_and_sees_any_change_of_code():
    source = 'def f(x: int) -> int:\n    """Doc."""\n    return x + 1\n'
    assert definitions(source) == definitions("def f(x):\n    # why\n    return x + 1\n")
    assert definitions(source) != definitions("def f(x):\n    return x + 2\n")
    assert definitions(source) != definitions("def f(x, y=0):\n    return x + 1\n")


def test_utils_scratch_stays_short():
    tree = ast.parse(module_source())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    assert len([line for line in ast.unparse(tree).splitlines() if line.strip()]) <= 85
