"""Guards that comparing outputs cannot give: every stored notebook is one clean, readable run.

Chapters and solutions are stored with outputs. Exercises are made from the solutions and hold none.
"""

import re
from pathlib import Path

import nbformat
import pytest

from authoring import contents
from authoring.store import METADATA, cover_predictions, fold_course_versions

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SOLUTIONS = sorted((ROOT / "notebooks/solutions").glob("*.ipynb"))
EXERCISES = sorted((ROOT / "notebooks/exercises").glob("*.ipynb"))
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
MAX_BYTES = 1_500_000
# Of a chapter, its set-up cell apart.
MAX_CELLS, MAX_LINES, MAX_WORDS, MAX_WITHOUT_PICTURE = 45, 15, 3_000, 10


def read(path):
    return nbformat.read(path, 4)


def code_cells(path):
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def markdown(path):
    return "\n\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")


def outputs(path):
    return [output for cell in code_cells(path) for output in cell.outputs]


def each(paths):
    return pytest.mark.parametrize("path", paths, ids=lambda path: f"{path.parent.name}/{path.stem}")


every_chapter = each(CHAPTERS)
every_stored_notebook = each([*CHAPTERS, *SOLUTIONS])
every_notebook = each([*CHAPTERS, *SOLUTIONS, *EXERCISES])


def test_there_are_chapters_and_they_are_numbered_without_gaps():
    numbers = [int(path.name[:2]) for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))]
    assert len(numbers) >= 7 and numbers == list(range(len(numbers)))


@every_stored_notebook
def test_every_code_cell_was_run_in_order_in_one_kernel(path):
    counts = [cell.execution_count for cell in code_cells(path)]
    assert counts == list(range(1, len(counts) + 1))


@every_stored_notebook
def test_no_cell_stores_an_error_or_stderr(path):
    for output in outputs(path):
        assert output.output_type != "error"
        assert output.get("name") != "stderr"


@every_stored_notebook
def test_what_one_cell_prints_is_one_output(path):
    for cell in code_cells(path):
        assert [output.output_type for output in cell.outputs].count("stream") <= 1, cell.source


@every_stored_notebook
def test_no_widget_state_is_stored_and_the_file_is_small(path):
    assert read(path).metadata == METADATA
    assert not any("widget-view" in mime for o in outputs(path) for mime in o.get("data", {}))
    assert path.stat().st_size < MAX_BYTES


@every_stored_notebook
def test_every_picture_has_words(path):
    for output in outputs(path):
        if "image/png" in output.get("data", {}):
            assert re.match(r"\[(figure|slider)\] \S", output.data["text/plain"])
    assert not re.search(r"!\[\]\(|<img(?![^>]*alt=)", markdown(path))


@every_notebook
def test_cells_are_short_enough_for_a_projector(path):
    for cell in code_cells(path):
        lines = cell.source.splitlines()
        assert len(lines) <= 30 and max(map(len, lines)) <= 100


def has_picture(cell):
    return any(
        o.get("data", {}).get("text/plain", "").startswith(("[figure]", "[slider]")) for o in cell.outputs
    )


@each([path for path in CHAPTERS if path.name[0].isdigit()])
def test_a_chapter_is_short_and_has_pictures_all_along(path):
    cells = [cell for cell in code_cells(path) if "setup" not in cell.metadata.get("tags", [])]
    assert len(cells) <= MAX_CELLS
    assert max(len(cell.source.splitlines()) for cell in cells) <= MAX_LINES
    assert sum(contents.words(c.source) for c in read(path).cells if c.cell_type == "markdown") <= MAX_WORDS
    without = "".join("x" if has_picture(cell) else "." for cell in cells).split("x")
    assert max(map(len, without)) <= MAX_WITHOUT_PICTURE


@every_notebook
def test_no_two_code_cells_follow_each_other_without_a_word(path):
    folded = {"setup", "course-version"}
    kinds = [cell.cell_type for cell in read(path).cells if not folded & set(cell.metadata.get("tags", []))]
    runs = re.findall(r"c{3,}", "".join(kind[0] for kind in kinds))
    assert not runs, "three code cells in a row without a sentence between them"


@every_chapter
def test_a_chapter_opens_with_promise_needs_and_time(path):
    first = "\n".join(cell.source for cell in read(path).cells[:3])
    assert first.startswith("# ")
    for words in ("You will learn", "You need", "Time"):
        assert f"**{words}" in first


@every_notebook
def test_links_to_files_lead_somewhere(path):
    for target in LINK.findall(markdown(path)):
        if not target.startswith(("http://", "https://", "#")):
            assert (path.parent / target.split("#")[0]).exists(), target


@every_stored_notebook
def test_outputs_that_are_not_compared_are_followed_by_an_assert(path):
    cells = code_cells(path)
    for index, cell in enumerate(cells):
        if {"nbval-ignore-output", "nbval-any-text"} & set(cell.metadata.get("tags", [])):
            later = "\n".join(c.source for c in cells[index : index + 8])
            assert "assert " in later or "check(" in later, cell.source


@every_stored_notebook
def test_what_a_reader_is_not_to_see_at_once_is_stored_folded(path):
    """The set-up, the course's version of what a learner writes, and the answers to predictions.

    A chapter that was stored before answers were covered covers none.
    """
    notebook = read(path)
    fold_course_versions(notebook)
    if any(cell.metadata.get("jupyter", {}).get("outputs_hidden") for cell in notebook.cells):
        cover_predictions(notebook)
    assert notebook == read(path)
    setup = [cell for cell in notebook.cells if "setup" in cell.metadata.get("tags", [])]
    assert all(cell.metadata.jupyter.source_hidden for cell in setup)


@every_stored_notebook
def test_no_output_shows_an_object_address_or_a_path(path):
    for output in outputs(path):
        text = output.get("text", "") + str(output.get("data", {}).get("text/plain", ""))
        assert not re.search(r"0x[0-9a-f]{6,}|/tmp/|/home/|site-packages", text)
