"""Running and storing notebooks: whole or not at all, without widget state, never with stderr."""

import json

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from authoring import store

TAGS = ("your-turn", "course-version", "export")
SLIDER = "import ipywidgets\nipywidgets.IntSlider()"


def write_notebook(folder, *sources, name="07_demo.ipynb"):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
    nbformat.write(notebook, folder / name)
    return folder / name


def test_stored_outputs_come_from_one_fresh_run_and_hold_no_widget_state(tmp_path):
    path = write_notebook(tmp_path, "x = 1", "x + 1", SLIDER)
    assert store.store(path) > 0
    notebook = nbformat.read(path, 4)
    assert [cell.execution_count for cell in notebook.cells] == [1, 2, 3]
    assert notebook.cells[1].outputs[0].data == {"text/plain": "2"}
    assert "widgets" not in notebook.metadata
    assert store.WIDGET_VIEW not in notebook.cells[2].outputs[0].data
    assert notebook.metadata.kernelspec.name == "python3"


def test_a_stored_notebook_is_python_for_other_tools_and_names_no_version(tmp_path):
    from nbconvert.exporters import ScriptExporter

    path = write_notebook(tmp_path, "x = 1")
    store.store(path)
    notebook = nbformat.read(path, 4)
    assert notebook.metadata == store.METADATA
    source, resources = ScriptExporter().from_notebook_node(notebook)
    assert resources["output_extension"] == ".py" and "x = 1" in source


def test_what_one_cell_prints_is_one_output(tmp_path):
    slow = "import time; print('one', flush=True); time.sleep(0.5); print('two', flush=True)"
    path = write_notebook(tmp_path, slow)
    store.store(path)
    (output,) = nbformat.read(path, 4).cells[0].outputs
    assert output.text == "one\ntwo\n"


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("1 / 0", CellExecutionError),
        ("import sys; print('careful', file=sys.stderr)", ValueError),
        ("import warnings; warnings.warn('old')", ValueError),
    ],
)
def test_a_notebook_that_fails_or_warns_is_left_as_it_was(tmp_path, source, error):
    path = write_notebook(tmp_path, "1 + 1", source)
    before = path.read_bytes()
    with pytest.raises(error):
        store.store(path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_chapters_are_found_by_number_and_in_order(tmp_path):
    for name in ("02_b.ipynb", "00_a.ipynb", "notes.ipynb"):
        write_notebook(tmp_path, "1", name=name)
    names = [path.name for path in store.find_notebooks([], tmp_path)]
    assert names == ["00_a.ipynb", "02_b.ipynb"]
    assert [path.name for path in store.find_notebooks(["02"], tmp_path)] == ["02_b.ipynb"]
    with pytest.raises(ValueError, match="no chapter '05': there are 00, 02"):
        store.find_notebooks(["05"], tmp_path)


def test_the_kernel_prints_nothing_to_the_terminal(tmp_path, capfd):
    store.store(write_notebook(tmp_path, "1 + 1"))
    assert capfd.readouterr() == ("", "")


def test_the_command_reports_seconds_and_failures(tmp_path, monkeypatch, capsys):
    write_notebook(tmp_path, "print('hello')")
    monkeypatch.setattr(store, "find_notebooks", lambda numbers: sorted(tmp_path.glob("*.ipynb")))
    seconds = tmp_path / "seconds.json"
    seconds.write_text('{"08": 35}')
    monkeypatch.setattr(store, "SECONDS", seconds)
    assert store.main([]) == 0
    assert "07_demo.ipynb" in capsys.readouterr().out
    assert set(json.loads(seconds.read_text())) == {"07", "08"}
    write_notebook(tmp_path, "1 / 0")
    assert store.main([]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_the_answer_to_a_prediction_is_stored_covered(tmp_path):
    text, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    slider = "class Slider:\n    def __repr__(self):\n        return '[slider] p 0.5'\nSlider()"
    picture = "class Lab:\n    def figure(self):\n        return 1\nLab().figure()"
    cells = [
        *(text("Look."), code("1")),
        *(text("**Predict, then run.** Which?"), code("x = 2"), code("x"), code("x + 1")),
        *(text("**Predict, then run.** How many?"), code(slider), text("Move it."), code(picture)),
    ]
    path = tmp_path / "07_demo.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    store.store(path)
    hidden = [
        c.metadata.get("jupyter", {}).get("outputs_hidden", False) for c in nbformat.read(path, 4).cells
    ]
    assert hidden == [*[False] * 4, True, *[False] * 4, True]


def test_the_courses_version_of_what_a_learner_writes_is_stored_folded(tmp_path):
    cells = [nbformat.v4.new_code_cell("x = 1", metadata={"tags": [tag]}) for tag in TAGS]
    path = tmp_path / "07_demo.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    store.store(path)
    folded = ["source_hidden" in cell.metadata.get("jupyter", {}) for cell in nbformat.read(path, 4).cells]
    assert folded == [False, True, False]
