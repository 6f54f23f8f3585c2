"""The chapter tables say what the chapters say; text looks on the page as it was meant."""

import re
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbconvert.filters.markdown_mistune import markdown2html_mistune

from authoring import contents

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").rglob("*.ipynb"))
PAGES = [*ROOT.glob("[!.]*/*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.M | re.S)


def test_the_tables_of_chapters_and_the_minutes_in_them_are_up_to_date():
    for path, text in contents.pages().items():
        assert path.read_text(encoding="utf-8") == text, "run `python3 course.py contents`"


def test_run_all_was_timed_in_every_chapter():
    rows = [contents.describe(path) for path in (ROOT / "notebooks").glob("[0-9]*.ipynb")]
    assert [row["title"] for row in rows if row["seconds"] <= 0] == []


def test_every_chapter_has_its_row_in_every_table():
    for name in contents.PAGES:
        text = (ROOT / name).read_text(encoding="utf-8")
        table = text[text.index("| chapter |") :]
        for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"):
            assert len(re.findall(rf"\| \[[^\]]+\]\([^)]*{path.name}\) \|", table)) == 1


def test_minutes_follow_from_the_content():
    cells = [
        nbformat.v4.new_markdown_cell("word " * 1000 + "**Predict, then run.**"),
        nbformat.v4.new_markdown_cell("<details>" + "folded " * 5000 + "</details>"),
        nbformat.v4.new_code_cell("x = 1\n" * 75, metadata={"tags": ["your-turn"]}),
    ]
    # 5 minutes of words, 1 of prediction, 4 of one's own cell, 5 of code, 1 of Run All
    assert contents.minutes(nbformat.v4.new_notebook(cells=cells), seconds=60) == 15
    assert contents.minutes(nbformat.v4.new_notebook(cells=cells[1:2]), seconds=0) == 5


def test_a_finding_is_what_its_cell_prints():
    output = nbformat.v4.new_output("stream", name="stdout", text="p = 0.5 saves\n+0.01\n")
    cell = nbformat.v4.new_code_cell("", metadata={"tags": ["finding"]}, outputs=[output])
    assert contents.finding(nbformat.v4.new_notebook(cells=[cell])) == "p = 0.5 saves +0.01"
    assert contents.finding(nbformat.v4.new_notebook()) == ""


def test_a_page_without_the_markers_is_refused():
    with pytest.raises(ValueError, match="needs the line"):
        contents.filled("# Course\n", "chapters", "| |")


def texts():
    """(name, Markdown) of every text cell and page."""
    for path in NOTEBOOKS:
        for number, cell in enumerate(nbformat.read(path, 4).cells):
            if cell.cell_type == "markdown":
                yield f"{path.relative_to(ROOT)}, cell {number}", cell.source
    for path in PAGES:
        yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def test_tables_links_and_headings_are_rendered_as_what_they_are():
    """A row that stands apart from its table, say, reaches the reader as raw pipes."""
    for name, source in texts():
        page = BeautifulSoup(markdown2html_mistune(source), "html.parser")
        plain = CODE.sub("", source)
        written = {
            "tr": len(re.findall(r"^\|.*\|$", plain, re.M)) - len(re.findall(r"^\|[ :|-]+\|$", plain, re.M)),
            "table": len(re.findall(r"^\|[ :|-]+\|$", plain, re.M)),
            "a": len(re.findall(r"(?<!!)\[[^\]]*\]\([^)\s]+\)|(?<!\()https?:", plain)),
            "headings": len(re.findall(r"^#{1,4} ", plain, re.M)),
        }
        for link in page.select(".anchor-link"):
            link.decompose()
        shown = {tag: len(page.find_all(tag)) for tag in ("tr", "table", "a")}
        shown["headings"] = len(page.find_all(re.compile("^h[1-4]$")))
        assert shown == written, name


def test_every_link_of_a_page_leads_somewhere():
    for path in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
            if not target.startswith(("http", "#")):
                assert (path.parent / target.split("#")[0]).exists(), f"{path.name}: {target}"


def test_the_readme_picture_has_words():
    assert re.search(r"!\[[^\]]{20,}\]\(images/", (ROOT / "README.md").read_text(encoding="utf-8"))
