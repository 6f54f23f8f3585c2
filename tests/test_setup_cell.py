"""The first cell of every notebook: it finds the course from where the kernel runs, or says what to do."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").rglob("[!.]*.ipynb"))


def setup_cell(path):
    return next(cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code")


@pytest.fixture(scope="module")
def source():
    return setup_cell(ROOT / "notebooks/00_start_here.ipynb").source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_notebook_starts_with_the_same_cell(path, source):
    cell = setup_cell(path)
    assert cell.source == source and "setup" in cell.metadata.tags


def run(source, folder):
    return subprocess.run([sys.executable, "-c", source], cwd=folder, capture_output=True, text=True)


# A chapter in JupyterLab, a copy for a student, papermill and nbconvert of an exercise from another folder.
@pytest.mark.parametrize("place", [".", "notebooks", "notebooks/exercises", "notebooks/exercises/anna/02"])
def test_the_course_is_found_in_this_folder_and_above(tmp_path, place, source):
    for name in ("course.py", "utils", "data"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    result = run(f"{source}\nfrom utils.tables import Table\nprint(course[0])", tmp_path / place)
    assert result.stdout.strip() == str(tmp_path), result.stderr


def test_a_notebook_alone_in_a_folder_says_in_one_sentence_what_to_do(tmp_path, source):
    result = run(source, tmp_path)
    assert result.returncode == 1 and "ModuleNotFoundError" not in result.stderr
    said = result.stderr.strip().split("\n")[-1]
    assert said == "FileNotFoundError: open this notebook inside the course: see its README.md"
