"""A stored result is what today's code would give, or a test says that it is not."""

import ast
import json

import nbformat
import pytest

from authoring import freshness
from authoring.store import find_notebooks
from utils.measured import RESULTS_DIR

RESULTS = sorted(RESULTS_DIR.glob("*.json"))


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_a_stored_result_was_made_by_todays_code(path):
    (notebook,) = find_notebooks([path.stem[:2]])
    made = json.loads(path.read_text(encoding="utf-8")).get("made")
    if made is None:
        pytest.skip("made before results carried their code")
    now = freshness.code_hash(nbformat.read(notebook, 4))
    known = [made["code"], made.get("confirmed", {}).get("code")]
    number = path.stem[:2]
    assert now in known, (
        f"run `course.py full {number}`, or `course.py confirm {number}` if nothing should change"
    )
    assert made["date"] and made["by"]["numpy"]


@pytest.fixture
def utils(tmp_path, monkeypatch):
    """A utils of two modules; write(module, source) changes one of them."""
    (tmp_path / "utils").mkdir()
    monkeypatch.setattr(freshness, "ROOT", tmp_path)

    def write(module, source):
        (tmp_path / "utils" / f"{module}.py").write_text(source)
        freshness.read_module.cache_clear()

    write("data", "RATE = 0.1\n\ndef load(n):\n    return n * RATE\n\ndef other():\n    return 1\n")
    write("training", "from utils.data import load\n\ndef fit(n):\n    return load(n)\n")
    yield write
    freshness.read_module.cache_clear()


def notebook(experiment="def run(n):\n    return training.fit(n)", other="shown = 1"):
    cells = [
        nbformat.v4.new_code_cell("from utils import training"),
        nbformat.v4.new_code_cell(experiment, metadata={"tags": ["experiment"]}),
        nbformat.v4.new_code_cell(other),
    ]
    return nbformat.v4.new_notebook(cells=cells)


def test_the_hash_follows_the_experiment_and_all_that_it_reaches(utils):
    before = freshness.code_hash(notebook())
    assert freshness.code_hash(notebook("def run(n):\n    return training.fit(n + 1)")) != before
    utils("data", "RATE = 0.2\n\ndef load(n):\n    return n * RATE\n")
    assert freshness.code_hash(notebook()) != before


def test_the_hash_does_not_follow_words_or_what_the_experiment_does_not_use(utils):
    before = freshness.code_hash(notebook())
    assert freshness.code_hash(notebook(other="shown = 2")) == before
    words = 'def run(n):\n    """Train."""\n    return training.fit(n)  # once'
    assert freshness.code_hash(notebook(words)) == before
    utils(
        "data",
        "RATE = 0.1\n\ndef load(n):\n    '''Load.'''\n    return n * RATE\n\ndef other():\n    return 2\n",
    )
    assert freshness.code_hash(notebook()) == before


def test_every_python_writes_the_same_code_in_the_same_way():
    tree = ast.parse("def f(n):\n    'Words.'\n    return f\"{n!r:>{n}}'s\"  # once")
    n = "Name(ctx=Load(), id='n')"
    width = f"[Constant(value='>'), FormattedValue(conversion=-1, value={n})]"
    parts = [
        f"FormattedValue(conversion=114, format_spec=JoinedStr(values={width}), value={n})",
        'Constant(value="\'s")',
    ]
    body = f"[Return(value=JoinedStr(values=[{', '.join(parts)}]))]"
    assert (
        freshness.canonical(tree.body[0])
        == f"FunctionDef(args=arguments(args=[arg(arg='n')]), body={body}, name='f')"
    )


def test_an_empty_part_of_a_format_is_no_other_code():
    as_one, as_other = (ast.parse("f'{n:>{n}}'") for _ in range(2))
    as_other.body[0].value.values[0].format_spec.values.append(ast.Constant(""))  # what Python 3.12.1 does
    assert freshness.canonical(as_one) == freshness.canonical(as_other)


def test_results_without_tagged_cells_are_refused():
    with pytest.raises(ValueError, match="tagged `experiment`"):
        freshness.code_hash(nbformat.v4.new_notebook())


def test_a_stamp_says_when_with_what_and_by_which_code(utils, tmp_path):
    (tmp_path / "demo.json").write_text('{"nll": [1.0]}')
    freshness.stamp(notebook(), "demo", tmp_path)
    stored = json.loads((tmp_path / "demo.json").read_text())
    assert stored["nll"] == [1.0] and stored["made"]["code"] == freshness.code_hash(notebook())
    assert stored["made"]["by"]["numpy"] and stored["made"]["date"]


def test_a_confirmation_keeps_by_what_the_result_was_made(utils, tmp_path):
    (tmp_path / "demo.json").write_text('{"nll": [1.0]}')
    freshness.stamp(notebook(), "demo", tmp_path)
    made = json.loads((tmp_path / "demo.json").read_text())["made"]
    utils("data", "RATE = 0.2\n\ndef load(n):\n    return n * RATE\n")
    freshness.confirm(notebook(), "demo", tmp_path)
    stored = json.loads((tmp_path / "demo.json").read_text())["made"]
    assert stored.pop("confirmed")["code"] == freshness.code_hash(notebook()) != made["code"]
    assert stored == made


def test_a_chapter_whose_cells_refuse_the_stored_result_is_not_confirmed(tmp_path, monkeypatch, capsys):
    from authoring import confirm

    done = []
    monkeypatch.setattr(confirm, "find_notebooks", lambda numbers: [tmp_path / "04_demo.ipynb"])
    monkeypatch.setattr(confirm, "confirm", lambda *words: done.append(words))
    cell = nbformat.v4.new_code_cell("assert 1 == 2")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "04_demo.ipynb")
    assert confirm.main(["04"]) == 1 and "AssertionError" in capsys.readouterr().err and not done
    assert confirm.main([]) == 1 and "number of a chapter" in capsys.readouterr().err
