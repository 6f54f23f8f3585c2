"""The page of claims is what the chapters have stored, row by row, and each claim is judged once."""

import nbformat
import pytest

from authoring import claims
from authoring.store import find_notebooks
from utils.claims import CLAIMS, PAGES, verdict_table

FIRST, SECOND = list(CLAIMS)[:2]


def write_chapter(folder, name, *tables):
    cells = []
    for table in tables:
        data = {"text/plain": repr(table), "text/markdown": table._repr_markdown_()}
        output = nbformat.v4.new_output("execute_result", data, execution_count=1)
        cells.append(nbformat.v4.new_code_cell("verdict_table(rows)", outputs=[output]))
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / name)
    return folder / name


def test_the_stored_page_is_what_the_chapters_give():
    assert claims.CLAIMS.read_text(encoding="utf-8") == claims.claims_page(find_notebooks([]))


def test_a_row_keeps_its_words_and_its_chapter(tmp_path):
    path = write_chapter(tmp_path, "04_demo.ipynb", verdict_table([(FIRST, "depends", "0.81 |h|")]))
    words = "; ".join(map(str, CLAIMS[FIRST]))
    assert claims.read_claims(path) == [(FIRST, words, "depends", "0.81 \\|h\\|")]
    page = claims.claims_page([path])
    assert f"| {FIRST} | {words} | depends | 0.81 \\|h\\| | [04](04_demo.ipynb) |" in page
    assert "Of 1 claims: *holds* 0, *does not hold* 0, *depends* 1, *cannot tell* 0, *not tested* 0." in page


def test_every_claim_is_judged_once_and_nothing_else_is():
    rows = [row for path in find_notebooks([]) for row in claims.read_claims(path)]
    assert sorted(claim for claim, *_ in rows) == sorted(CLAIMS)
    words = " ".join(words for _, words, *_ in rows)
    assert all(page in words for page in PAGES)


def test_other_tables_are_not_claims(tmp_path):
    table = verdict_table([(FIRST, "holds", "0.81")])
    table.header[1] = "Seeds"
    assert claims.read_claims(write_chapter(tmp_path, "04_demo.ipynb", table)) == []


def test_a_claim_that_is_judged_twice_is_an_error(tmp_path):
    rows = [(FIRST, "holds", "0.81"), (SECOND, "holds", "0.9")]
    paths = [write_chapter(tmp_path, f"0{i}_demo.ipynb", verdict_table(rows[: i + 1])) for i in (0, 1)]
    with pytest.raises(ValueError, match=f"got more than one row for {FIRST}$"):
        claims.claims_page(paths)


def test_the_page_is_written_whole_or_not_at_all(tmp_path, monkeypatch, capsys):
    target = tmp_path / "claims.md"
    path = write_chapter(tmp_path, "01_demo.ipynb", verdict_table([(FIRST, "holds", "0.81")]))
    monkeypatch.setattr(claims, "CLAIMS", target)
    monkeypatch.setattr(claims, "find_notebooks", lambda numbers: [path])
    claims.main()
    before = target.read_text()
    assert FIRST in before and "wrote" in capsys.readouterr().out
    monkeypatch.setattr(claims, "find_notebooks", lambda numbers: [path, path])
    with pytest.raises(ValueError, match="more than one row"):
        claims.main()
    assert target.read_text() == before and len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("verdict", ["true", "Holds", ""])
def test_any_other_verdict_is_refused(verdict):
    with pytest.raises(ValueError, match="verdict must be one of holds, does not hold, depends, cannot tell"):
        verdict_table([(FIRST, verdict, "0.81")])
