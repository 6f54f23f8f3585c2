"""The style of code and text: ruff, spelling, and words that do not belong."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent


def tracked(*suffixes):
    """The project's files with these endings: those that git knows, or all if it was unpacked from a ZIP."""
    command = ["git", "ls-files", "-co", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        names = [ROOT / name for name in listed.splitlines()]
    except (OSError, subprocess.CalledProcessError):
        names = [
            path
            for path in ROOT.rglob("*")
            if not re.search(r"/(\.|__pycache__)", str(path)[len(str(ROOT)) :])
        ]
    return [path for path in names if path.name.endswith(suffixes) and path.is_file()]


@pytest.mark.parametrize("command", [("check",), ("format", "--check")])
def test_ruff_finds_nothing(command):
    result = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "."], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout


def test_the_prose_is_spelled_right(tmp_path):
    for path in tracked(".ipynb"):
        cells = nbformat.read(path, 4).cells
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        (tmp_path / f"{path.parent.name}-{path.stem}.md").write_text(text, encoding="utf-8")
    made = ROOT / "utils/widgets/bundles"  # by esbuild, from sources that are looked at
    files = [
        *tmp_path.glob("*.md"),
        *(path for path in tracked(".md", ".py", ".js") if made not in path.parents),
    ]
    result = subprocess.run(
        [sys.executable, "-m", "codespell_lib", "-L", "nd", *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout


def test_utils_that_need_no_framework_import_none():
    code = (
        "import sys, utils.data, utils.scratch, utils.metrics, utils.plotting, utils.widgets, utils.tables\n"
        "import utils.exercises.beliefs, utils.exercises.ch02\n"
        "print([name for name in ('torch', 'tensorflow', 'keras', 'mxnet') if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_text_speaks_of_the_course_alone():
    for path in tracked(".py", ".md", ".ipynb", ".yml", ".toml", ".txt", ".cff"):
        if path != Path(__file__):
            assert not re.search(r"/(work|root)/|\.\./shared", path.read_text(encoding="utf-8")), path
