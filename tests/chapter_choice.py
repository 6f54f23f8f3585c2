"""`course.py test 08`: a pytest plugin that keeps the tests of what chapter 08 touches.

These are the chapter, its solution and exercise, its rows of the tests that look at every notebook, the
checks of its exercise, and the tests of the modules of utils that all these import, by name: `from
utils.metrics import nll` stands for tests/test_metrics.py.
"""

import ast
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
# Their tests have the chapter in their names.
EVERY_NOTEBOOK = (
    *("test_notebooks", "test_exercises", "test_answers", "test_turns", "test_widgets_in_the_browser"),
)


def pytest_addoption(parser):
    parser.addoption(
        "--chapter", action="append", default=[], metavar="NN", help="only what chapter NN touches"
    )


def pytest_configure(config):
    config.chapters = {number: chapter_name(number) for number in config.getoption("chapter")}
    config.modules = set().union(*map(imported_modules, config.chapters.values()))


def pytest_ignore_collect(collection_path, config):
    """Do not even import the other files: that takes longer than the tests of a small chapter."""
    if not config.chapters or collection_path.is_dir():
        return None
    wanted = (*EVERY_NOTEBOOK, *config.chapters.values(), *config.modules)
    return None if collection_path.stem in wanted else True


def pytest_collection_modifyitems(config, items):
    if config.chapters:
        kept = [item for item in items if not is_another_row(item, config.chapters)]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
        items[:] = kept


def is_another_row(item, chapters):
    """True for a test that looks at every notebook, if this one is of another chapter, or of all."""
    name = item.name[len(getattr(item, "originalname", item.name)) :]
    here = any(re.search(rf"\b(ch)?{number}\b|{stem}", name) for number, stem in chapters.items())
    return item.path.stem in EVERY_NOTEBOOK and not here


def chapter_name(number):
    """The file name of chapter `number` ("08"), without its ending."""
    for path in (ROOT / "notebooks").glob(f"{number}_*.ipynb"):
        return path.stem
    raise pytest.UsageError(f"there is no chapter {number!r}")


def imported_modules(name):
    """The test files, without ending, of what a chapter, its solution and its checks import from utils."""
    sources = ["\n".join(code_cells(path)) for path in (ROOT / "notebooks").rglob(f"{name}.ipynb")]
    checks = ROOT / f"utils/exercises/ch{name[:2]}.py"
    if checks.exists():
        sources.append(checks.read_text(encoding="utf-8"))
    found = set().union(*map(imports, sources))
    return {f"test_{module}" for module in found} | {f"test_widget_{module}" for module in found}


def code_cells(path):
    return [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]


def imports(source):
    """Last parts of all modules and names that a source imports from utils, in snake case."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("utils"):
            names |= {node.module.rsplit(".", 1)[-1], *(alias.name for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name.rsplit(".", 1)[-1] for alias in node.names if alias.name.startswith("utils")}
    return {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower() for name in names}
