"""Results that are wrong on purpose: for each, a chapter's claims must say something else, or fail.

A chapter's cell tagged `claims` defines `claims(results)`: it asserts what the text says of the
stored results and returns the rows of the verdict table. Each function of tests/sabotage/chNN.py is
a way to spoil these results: arms swapped, dropout taken out, one seed repeated. A claim that no such
result can break is worse than none.

    python3 -m tests.test_sabotage      prints the table: chapter, sabotages, caught
"""

import copy
import importlib
import inspect
import sys
from pathlib import Path

import nbformat
import pytest

from utils.measured import load_results

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = sorted(path.stem[2:] for path in (ROOT / "tests/sabotage").glob("ch[0-9][0-9].py"))


def load(number):
    """(claims, results, sabotages) of a chapter. Its cells tagged setup, imports and claims are run."""
    (path,) = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
    namespace = {}
    for cell in nbformat.read(path, 4).cells:
        if {"setup", "imports", "claims"} & set(cell.metadata.get("tags", [])):
            exec(compile(cell.source, path.name, "exec"), namespace)
    ways = vars(importlib.import_module(f"tests.sabotage.ch{number}")).items()
    sabotages = {name: way for name, way in ways if inspect.isfunction(way) and not name.startswith("_")}
    return namespace["claims"], load_results(path.stem), sabotages


def verdicts(claims, results):
    """{claim: verdict}, or the assertion that failed."""
    try:
        return {name: verdict for name, verdict, _ in claims(results)}
    except AssertionError as error:
        return f"assertion failed: {error}"


def spoilt(results, sabotage):
    """A copy of the results that the sabotage has changed."""
    results = copy.deepcopy(results)
    changed = sabotage(results)
    return results if changed is None else changed


def caught(number):
    """{sabotage: what went red, or ""} of a chapter."""
    claims, results, sabotages = load(number)
    right = verdicts(claims, results)
    assert isinstance(right, dict), right
    found = {}
    for name, sabotage in sabotages.items():
        now = verdicts(claims, spoilt(results, sabotage))
        different = now if isinstance(now, str) else [claim for claim in right if now[claim] != right[claim]]
        found[name] = different if isinstance(different, str) else ", ".join(different)
    return found


@pytest.mark.parametrize("number", CHAPTERS)
def test_every_sabotage_is_caught(number):
    found = caught(number)
    assert len(found) >= 4 and all(found.values()), [name for name, red in found.items() if not red]


if __name__ == "__main__":
    for number in CHAPTERS:
        for name, red in caught(number).items():
            print(f"{number}  {name:<48}{red or 'NOT CAUGHT'}")
    sys.exit(any(not red for number in CHAPTERS for red in caught(number).values()))
