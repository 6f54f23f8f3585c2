"""Stored notebooks as web pages: nothing is loaded, formulas and links work."""

import nbformat
import pytest
from bs4 import BeautifulSoup

from teaching import html, slides
from teaching.html import export, main, or_one_sentence

TAGS = ("your-turn", "course-version")


def page_of(tmp_path, *cells):
    path = tmp_path / "07_demo.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=list(cells)), path)
    return BeautifulSoup(export(path, tmp_path).read_text(encoding="utf-8"), "html.parser")


def test_formulas_become_mathml_but_code_and_prices_do_not(tmp_path):
    text = "A $p$, then\n\n$$h' = \\frac{h}{1-p}$$\n\nand `$code$`; it costs \\$5 or \\$6."
    page = page_of(tmp_path, nbformat.v4.new_markdown_cell(text))
    assert [math["display"] for math in page.find_all("math")] == ["inline", "block"]
    assert "$code$" in page.get_text() and "$5 or $6" in page.get_text()
    assert "$$" not in page.get_text()


def test_a_page_loads_nothing_and_links_to_pages(tmp_path):
    page = page_of(tmp_path, nbformat.v4.new_markdown_cell("[next](01_x.ipynb#part)"))
    assert not page.find_all("script") and not page.select("link[href^=http]")
    assert page.select_one("a[href='01_x.html#part']")


def test_every_stored_chapter_becomes_a_page(tmp_path, capsys):
    assert main([str(tmp_path / "pages")]) == 0
    pages = sorted(path.name for path in (tmp_path / "pages").iterdir())
    assert "index.html" in pages and "02_dropout_from_scratch.html" in pages
    assert "index.html in a browser" in capsys.readouterr().out
    for path in (tmp_path / "pages").rglob("*.html"):
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        assert not page.select("script[src]") and not page.select("img[src^=http]")
        for link in page.select("a[href$='.html']"):
            if not link["href"].startswith("http"):
                assert (path.parent / link["href"]).exists(), link["href"]


@pytest.mark.parametrize("word", [html, slides], ids=["html", "slides"])
def test_a_folder_that_cannot_be_made_gets_one_sentence(tmp_path, capsys, word):
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "file", tmp_path / "file/pages"):
        assert or_one_sentence(word.main, [str(place)]) == 1
        said = capsys.readouterr().err
        assert said.startswith(f"course.py: {place}") and said.count("\n") == 1, said
    assert (tmp_path / "file").read_text() == "mine"


def test_the_answer_to_a_prediction_is_covered_until_it_is_asked_for(tmp_path):
    output = nbformat.v4.new_output("stream", name="stdout", text="107 of 192\n")
    shown, covered = (nbformat.v4.new_code_cell(f"draw({i})", outputs=[output]) for i in range(2))
    covered.metadata.jupyter = {"outputs_hidden": True}
    page = page_of(tmp_path, shown, covered)
    assert ["107 of 192" in details.get_text() for details in page.find_all("details")] == [True]
    assert page.details.summary.get_text() == "Show what happens"
    assert "draw(1)" not in page.details.get_text() and page.get_text().count("107 of 192") == 2


def test_the_courses_version_of_what_a_learner_writes_is_folded(tmp_path):
    cells = [nbformat.v4.new_code_cell(f"mask_{tag[0]} = 1", metadata={"tags": [tag]}) for tag in TAGS]
    page = page_of(tmp_path, *cells)
    (details,) = page.find_all("details")
    assert "mask_c" in details.get_text() and "mask_y" not in details.get_text()
    assert details.summary.get_text() == "The course's version"
