"""Slides: cut at headings, without network, with reveal.js beside them."""

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from teaching import slides
from teaching.html import or_one_sentence
from teaching.slides import as_slides, copy_reveal, main, make_slides


def types(*cells):
    return [
        (cell.source.split("\n")[0], cell.metadata.slideshow.slide_type)
        for cell in as_slides(new_notebook(cells=list(cells))).cells
    ]


def test_a_heading_starts_a_slide_and_a_paragraph_goes_below_it():
    assert types(
        new_markdown_cell("# Title"),
        new_code_cell("import sys"),
        new_markdown_cell("## One\n\ntext"),
        new_code_cell("1"),
        new_markdown_cell("more"),
        new_code_cell("2"),
    ) == [
        ("# Title", "slide"),
        ("import sys", "skip"),
        ("## One", "slide"),
        ("1", "-"),
        ("more", "subslide"),
        ("2", "-"),
    ]


def test_a_heading_inside_a_cell_cuts_it_but_a_comment_in_code_does_not():
    cell = new_markdown_cell("end\n\n## Two\n\n```\n## no heading\n```\n\n### Three")
    assert types(cell) == [("end", "subslide"), ("## Two", "slide"), ("### Three", "subslide")]
    slide = as_slides(new_notebook(cells=[cell])).cells[1]
    assert "\n## no heading\n" in slide.source


def test_exercises_and_sources_are_left_out_and_what_follows_is_not():
    found = types(
        new_markdown_cell("text\n\n## Exercises"),
        new_markdown_cell("answer"),
        new_markdown_cell("## Sources"),
        new_markdown_cell("## Recap"),
    )
    assert [kind for _, kind in found] == ["subslide", "skip", "skip", "skip", "slide"]


def test_a_cell_can_decide_for_itself():
    cell = new_markdown_cell("## A\n\n## B", metadata={"slideshow": {"slide_type": "notes"}})
    assert types(cell) == [("## A", "notes")]


@pytest.fixture
def page_of(tmp_path):
    def make(*cells):
        path = tmp_path / "07_demo.ipynb"
        nbformat.write(new_notebook(cells=list(cells)), path)
        return BeautifulSoup(make_slides(path, tmp_path).read_text(encoding="utf-8"), "html.parser")

    return make


@pytest.fixture
def shown():
    return new_output("stream", name="stdout", text="107 of 192\n")


@pytest.fixture
def page(page_of, shown):
    return page_of(
        new_markdown_cell("# $p$\n\n[next](08_x.ipynb#part) [task](exercises/07_x.ipynb) `$code$` for \\$5"),
        new_code_cell("draw()", outputs=[shown]),
    )


def test_slides_load_nothing_from_the_network(page):
    sources = [tag["src"] for tag in page.select("script[src]")]
    styles = [tag["href"] for tag in page.select("link[href]")]
    assert sources == ["reveal/dist/reveal.js", "reveal/plugin/notes/notes.js"]
    assert styles and all(href.startswith("reveal/") for href in styles)
    assert "Reveal.initialize" in page.find_all("script")[-1].string


def test_slides_show_formulas_outputs_and_links_to_slides(page):
    assert len(page.find_all("math")) == 1 and "$code$ for $5" in page.get_text()
    assert page.select_one("a[href='08_x.html#part']")
    assert len(page.select(".slides a[href*='.html']")) == 1 and "task" in page.select_one(".slides").text
    assert "107 of 192" in page.select_one(".slides section section").get_text()


def test_the_answer_to_a_prediction_is_covered_until_it_is_asked_for(page_of, shown):
    plain, covered = (new_code_cell(f"draw({i})", outputs=[shown]) for i in range(2))
    covered.metadata.jupyter = {"outputs_hidden": True}
    page = page_of(plain, covered)
    assert ["107 of 192" in details.get_text() for details in page.find_all("details")] == [True]
    assert page.details.summary.get_text() == "Show what happens"
    assert "draw(1)" not in page.details.get_text() and page.get_text().count("107 of 192") == 2


def test_the_courses_version_of_what_a_learner_writes_is_folded(page_of):
    tags = ("your-turn", "course-version")
    page = page_of(*(new_code_cell(f"mask_{tag[0]} = 1", metadata={"tags": [tag]}) for tag in tags))
    (details,) = page.find_all("details")
    assert "mask_c" in details.get_text() and "mask_y" not in details.get_text()
    assert details.summary.get_text() == "The course's version"


def test_a_folder_that_cannot_be_made_gets_one_sentence(tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "file", tmp_path / "file/pages"):
        assert or_one_sentence(main, [str(place)]) == 1
        said = capsys.readouterr().err
        assert said.startswith(f"course.py: {place}") and said.count("\n") == 1, said
    assert (tmp_path / "file").read_text() == "mine"


def test_reveal_lies_beside_the_slides(tmp_path):
    for _ in "again":
        copy_reveal(tmp_path)
    for name in ("LICENSE", "dist/reveal.js", "dist/reveal.css", "plugin/notes/notes.js"):
        assert (tmp_path / "reveal" / name).stat().st_size > 0


def test_the_command_makes_slides_of_every_chapter(tmp_path, monkeypatch, capsys):
    made = []
    monkeypatch.setattr(slides, "copy_reveal", lambda folder: None)
    monkeypatch.setattr(
        slides, "make_slides", lambda path, folder: made.append(path.name) or folder / path.name
    )
    assert main([str(tmp_path)]) == 0
    assert made[0] == "00_start_here.ipynb" and "widgets_gallery.ipynb" in made
    assert "nothing else is needed" in capsys.readouterr().out
