"""Without its framework a chapter still reads from top to bottom: cells show their stored outputs."""

import json
from types import SimpleNamespace

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from utils import replay
from utils.replay import NOTEBOOKS_DIR, replay_without, show, stored_outputs

SETUP = f"import sys\n\nsys.path.insert(0, {str(NOTEBOOKS_DIR.parent)!r})"
FIRST = (
    SETUP
    + """
from pathlib import Path
from utils.replay import replay_without

replay_without("mxnet", "tiny.ipynb", Path("."))"""
)
STREAMS = """%precision 3
print("one")
print("two", 'and "three"')"""
FIGURE = """# A comment first.

from utils.plotting import new_figure

new_figure("An empty frame.")[0]"""
TABLE = """from utils.tables import Table

Table(("p", "zeros"), [(0.5, 7)])"""
CELL_MAGIC = """%%capture hidden
print("never seen")"""
SILENT = "\nvalue = 1\n"
FAILING = "1 / 0"
TINY = [STREAMS, FIGURE, TABLE, CELL_MAGIC, SILENT, FAILING]


def run_all(cells, folder, without=""):
    """Code cells as they are after one Run All in a fresh kernel that lacks the packages `without`."""
    notebook = new_notebook(cells=cells)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_WITHOUT", without)
        patch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
        NotebookClient(
            notebook,
            timeout=180,
            kernel_name="python3",
            resources={"metadata": {"path": str(folder)}},
        ).execute()
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(cell):
    """What a reader sees under a cell: the printed text, then each display's text, table and picture."""
    printed = "".join(output.text for output in cell.outputs if output.output_type == "stream")
    displays = [
        (output.data["text/plain"], output.data.get("text/markdown"), output.data.get("image/png"))
        for output in cell.outputs
        if "data" in output
    ]
    return printed, displays


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A small chapter and its folder, stored with outputs: (folder, code cells)."""
    folder = tmp_path_factory.mktemp("tiny")
    cells = [new_code_cell(SETUP), new_markdown_cell("# Tiny"), *map(new_code_cell, TINY)]
    cells[-1].metadata["tags"] = ["raises-exception"]
    code = run_all(cells, folder)
    code[0].source = FIRST
    nbformat.write(new_notebook(cells=code), folder / "tiny.ipynb")
    return folder, code


@pytest.fixture(scope="module")
def replayed(stored):
    """The same chapter on a machine without MXNet, with a reader's own cell at the end."""
    folder, _ = stored
    return run_all([new_code_cell(s) for s in (FIRST, *TINY, "print(1 + 1)")], folder, "mxnet")


def test_one_sentence_says_what_is_missing_and_what_happens_instead(replayed):
    printed, _ = shown(replayed[0])
    assert printed.startswith("mxnet is not installed here. ")
    assert printed.endswith("every cell shows its stored output instead of running.\n")


def test_printed_text_is_shown_again_also_under_line_magics_and_quotes(stored, replayed):
    assert shown(replayed[1])[0] == shown(stored[1][1])[0]
    assert shown(replayed[1])[0].endswith('one\ntwo and "three"\n')


def test_a_picture_is_shown_again_with_its_sentence_and_its_alternative_text(stored, replayed):
    assert shown(replayed[2]) == shown(stored[1][2])
    ((sentence, _, png),) = shown(replayed[2])[1]
    assert sentence == "[figure] An empty frame." and len(png) > 1000
    assert replayed[2].outputs[0].metadata["image/png"]["alt"] == "An empty frame."


def test_a_markdown_table_is_shown_again(stored, replayed):
    assert shown(replayed[3]) == shown(stored[1][3])
    assert shown(replayed[3])[1][0][1].startswith("| p | zeros |")


def test_cell_magics_and_cells_without_output_stay_silent(replayed):
    assert shown(replayed[4]) == shown(replayed[5]) == ("", [])


def test_a_stored_error_becomes_a_line_of_text_and_stops_nothing(replayed):
    assert shown(replayed[6])[0] == "ZeroDivisionError: division by zero\n"


def test_a_cell_that_the_chapter_does_not_have_is_not_run_and_says_so(replayed):
    assert shown(replayed[7]) == (
        "This cell is not part of the stored chapter, so there is nothing to show.\n",
        [],
    )


def test_cleared_outputs_are_reported_with_the_command_that_restores_them(tmp_path):
    nbformat.write(new_notebook(cells=[new_code_cell("print(1)")]), tmp_path / "tiny.ipynb")
    (first,) = run_all([new_code_cell(FIRST)], tmp_path, "mxnet")
    assert "restore them with `git checkout -- notebooks/tiny.ipynb`" in shown(first)[0]


def test_where_the_package_is_there_nothing_happens_and_no_file_is_read(capsys, tmp_path):
    assert replay_without("nbformat", "no_such.ipynb", tmp_path) is None
    assert capsys.readouterr() == ("", "")


def test_a_cell_becomes_one_call_that_shows_what_is_stored_for_it(stored, monkeypatch, capsys):
    shell = SimpleNamespace(user_ns={}, input_transformers_cleanup=[])
    monkeypatch.setattr(replay, "get_ipython", lambda: shell)
    monkeypatch.setenv("COURSE_WITHOUT", "mxnet")
    replay_without("mxnet", "tiny.ipynb", stored[0])
    (transform,) = shell.input_transformers_cleanup
    (line,) = transform(["\n", "1 / 0\n", "\n"])
    capsys.readouterr()
    exec(line, shell.user_ns)
    assert capsys.readouterr().out == "ZeroDivisionError: division by zero\n"


def test_stored_sources_and_texts_may_be_lists_of_lines(tmp_path, capsys):
    output = {"output_type": "stream", "name": "stdout", "text": ["a\n", "b\n"]}
    cells = [
        {"cell_type": "code", "source": ["x = 1\n", "x"], "outputs": [output]},
        {"cell_type": "markdown", "source": "# no code"},
    ]
    (tmp_path / "tiny.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")
    assert stored_outputs(tmp_path / "tiny.ipynb") == {"x = 1\nx": [output]}
    show([output])
    show([{"output_type": "error", "ename": "ValueError", "evalue": "no"}])
    show(None)
    assert capsys.readouterr().out.startswith("a\nb\nValueError: no\nThis cell is not part")


def test_the_gluon_chapter_reads_the_same_without_mxnet():
    path = NOTEBOOKS_DIR / "05_gluon.ipynb"
    stored = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    sources = [cell.source for cell in stored]
    assert len(set(sources)) == len(sources), "two equal cells could not be told apart"
    replayed = run_all([new_code_cell(source) for source in sources], NOTEBOOKS_DIR, "mxnet")
    setup, first, *rest = replayed
    assert shown(setup) == ("", []) and shown(first)[0].startswith("mxnet is not installed here. ")
    for before, after in zip(stored[2:], rest, strict=True):
        assert shown(after) == shown(before), before.source
    assert sum(bool(cell.outputs) for cell in replayed) > 15
