"""Slides: cut at headings, without network, with reveal.js beside them."""

import io
import subprocess
import tarfile

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from utils import slides
from utils.slides import as_slides, fetch_reveal, main, make_slides


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
def page(tmp_path):
    path = tmp_path / "07_demo.ipynb"
    shown = new_output("stream", name="stdout", text="107 of 192\n")
    cells = [
        new_markdown_cell("# $p$\n\n[next](08_x.ipynb) [task](exercises/07_x.ipynb)"),
        new_code_cell("draw()", outputs=[shown]),
    ]
    nbformat.write(new_notebook(cells=cells), path)
    return BeautifulSoup(make_slides(path, tmp_path).read_text(encoding="utf-8"), "html.parser")


def test_slides_load_nothing_from_the_network(page):
    sources = [tag["src"] for tag in page.select("script[src]")]
    styles = [tag["href"] for tag in page.select("link[href]")]
    assert sources == ["reveal/dist/reveal.js", "reveal/plugin/notes/notes.js"]
    assert styles and all(href.startswith("reveal/") for href in styles)
    assert "Reveal.initialize" in page.find_all("script")[-1].string


def test_slides_show_formulas_outputs_and_links_to_slides(page):
    assert page.find("math") and page.select_one("a[href='08_x.html']")
    assert len(page.select(".slides a[href$='.html']")) == 1 and "task" in page.select_one(".slides").text
    assert "107 of 192" in page.select_one(".slides section section").get_text()


def fake_npm(monkeypatch, returncode=0):
    """An npm whose `pack` leaves a small archive, or fails."""

    def run(command, cwd, **_):
        assert command[1:3] == ["pack", slides.REVEAL]
        if not returncode:
            with tarfile.open(f"{cwd}/reveal.js.tgz", "w:gz") as archive:
                for name in ("dist/reveal.js", "plugin/notes/notes.js", "LICENSE", "test/large.html"):
                    member = tarfile.TarInfo(f"package/{name}")
                    archive.addfile(member, io.BytesIO())
        return subprocess.CompletedProcess(command, returncode)

    monkeypatch.setattr(slides.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(slides.subprocess, "run", run)


def test_reveal_is_fetched_once_and_only_what_slides_need(tmp_path, monkeypatch):
    fake_npm(monkeypatch)
    fetch_reveal(tmp_path)
    files = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert files == ["reveal/LICENSE", "reveal/dist/reveal.js", "reveal/plugin/notes/notes.js"]
    fake_npm(monkeypatch, returncode=1)
    fetch_reveal(tmp_path)  # needs no npm any more


@pytest.mark.parametrize(("npm", "sentence"), [(True, "could not fetch"), (False, "install Node.js")])
def test_without_npm_or_network_there_is_one_sentence_and_no_litter(
    tmp_path, monkeypatch, capsys, npm, sentence
):
    fake_npm(monkeypatch, returncode=1)
    if not npm:
        monkeypatch.setattr(slides.shutil, "which", lambda name: None)
    assert main([str(tmp_path / "slides")]) == 1
    said = capsys.readouterr().err
    assert sentence in said and said.startswith("slides: ") and said.count("\n") == 1
    assert not list((tmp_path / "slides").iterdir())


def test_the_command_makes_slides_of_every_chapter(tmp_path, monkeypatch, capsys):
    made = []
    monkeypatch.setattr(slides, "fetch_reveal", lambda folder: None)
    monkeypatch.setattr(
        slides, "make_slides", lambda path, folder: made.append(path.name) or folder / path.name
    )
    assert main([str(tmp_path)]) == 0
    assert made[0] == "00_start_here.ipynb" and "widgets_gallery.ipynb" in made
    assert "nothing else is needed" in capsys.readouterr().out
