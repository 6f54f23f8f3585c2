"""The page of claims is what the chapters have stored, row by row."""

import nbformat
import pytest

from authoring import claims
from authoring.store import find_notebooks
from utils.tables import PAGES, verdict_table


def write_chapter(folder, name, *tables):
    cells = []
    for table in tables:
        data = {"text/plain": repr(table), "text/markdown": table._repr_markdown_()}
        output = nbformat.v4.new_output("execute_result", data, execution_count=1)
        cells.append(nbformat.v4.new_code_cell("verdict_table(rows)", outputs=[output]))
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / name)
    return folder / name


def all_pages(folder):
    tables = [verdict_table([(f"claim {i}", "holds", "1.0")], page) for i, page in enumerate(PAGES)]
    return write_chapter(folder, "01_all.ipynb", *tables)


def test_the_stored_page_is_what_the_chapters_give():
    assert claims.CLAIMS.read_text(encoding="utf-8") == claims.claims_page(find_notebooks([]))


def test_a_row_keeps_its_page_its_words_and_its_chapter(tmp_path):
    table = verdict_table([("It | helps", "depends", "0.81 |h|")], page="the PyTorch script")
    path = write_chapter(tmp_path, "04_demo.ipynb", table)
    assert claims.read_claims(path) == [("the PyTorch script", "It \\| helps", "depends", "0.81 \\|h\\|")]
    page = claims.claims_page([all_pages(tmp_path), path])
    assert "| It \\| helps | depends | 0.81 \\|h\\| | [04](04_demo.ipynb) |" in page
    assert f"Of {len(PAGES) + 1} claims: {len(PAGES)} holds, 0 does not hold, 1 depends." in page


def test_a_claim_that_names_its_page_in_brackets_goes_to_that_page(tmp_path):
    table = verdict_table([("It helps (the Keras notebook)", "holds", "0.81"), ("So (it) is", "holds", "1")])
    rows = claims.read_claims(write_chapter(tmp_path, "06_demo.ipynb", table))
    assert [row[:2] for row in rows] == [("the Keras notebook", "It helps"), ("the page", "So (it) is")]


def test_other_tables_are_not_claims(tmp_path):
    table = verdict_table([("It helps", "holds", "0.81")])
    table.header[1] = "Seeds"
    assert claims.read_claims(write_chapter(tmp_path, "04_demo.ipynb", table)) == []


def test_a_page_whose_claims_no_chapter_answers_is_an_error(tmp_path):
    table = verdict_table([("It helps", "holds", "0.81")], page=PAGES[0])
    with pytest.raises(ValueError, match=f"no chapter holds a claim of {PAGES[1]}"):
        claims.claims_page([write_chapter(tmp_path, "03_demo.ipynb", table)])


def test_the_page_is_written_whole_or_not_at_all(tmp_path, monkeypatch, capsys):
    target = tmp_path / "claims.md"
    monkeypatch.setattr(claims, "CLAIMS", target)
    monkeypatch.setattr(claims, "find_notebooks", lambda numbers: [all_pages(tmp_path)])
    claims.main()
    before = target.read_text()
    assert "claim 0" in before and "wrote" in capsys.readouterr().out
    monkeypatch.setattr(claims, "find_notebooks", lambda numbers: [])
    with pytest.raises(ValueError, match="no chapter"):
        claims.main()
    assert target.read_text() == before and len(list(tmp_path.iterdir())) == 2
