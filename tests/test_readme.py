"""The README, chapter 00's map and the chapters agree."""

import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHAPTERS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))


def markdown(path):
    return "\n".join(cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "markdown")


def minutes(path):
    """What the chapter's own first cells say."""
    return int(re.search(r"\*\*Time\*\* about (\d+) minutes", markdown(path))[1])


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_readme_and_map_give_each_chapter_its_own_minutes(path):
    row = re.search(rf"^\| \[{path.name[:2]} .*\]\(notebooks/{path.name}\) \|.*$", README, re.M)[0]
    assert f"| {minutes(path)} min |" in row
    number = path.name[:2]
    chapter_map = markdown(CHAPTERS[0])
    own = re.search(rf"^\| (\[{number}|{number}) .*?\| (\d+) \|", chapter_map, re.M)
    assert int(own[2]) == minutes(path)


def test_every_link_of_the_readme_leads_somewhere():
    for target in re.findall(r"\]\(([^)\s]+)\)", README):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


def test_the_readme_picture_has_words():
    assert re.search(r"!\[[^\]]{20,}\]\(images/", README)
