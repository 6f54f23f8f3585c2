"""Slides of the stored chapters, for a projector without network.

`python3 course.py slides [FOLDER]` runs this. A `## ` heading starts a slide to the right, every later
paragraph with the code and the outputs that follow it a slide below. The imports, the exercises and the
sources are left out. A cell whose metadata has slideshow.slide_type decides for itself. reveal.js lies
beside the slides, so that they need no network.
"""

import re
import shutil
import sys
from importlib import resources
from pathlib import Path

import nbformat
from nbconvert import SlidesExporter

from authoring.store import NOTEBOOKS_DIR, find_notebooks
from teaching.html import WithMathML, fill_places, finish, mark_covered, or_one_sentence

REVEAL = Path(resources.files("sphinx_revealjs") / "_static/revealjs")  # it ships reveal.js
LEFT_OUT = ("## Exercises", "## Sources")
HEADING = re.compile(r"^(?=#{2,3} )", re.M)
STYLE = """
.reveal .slides section.stack { height: 100%; }
.reveal .slides section:not(.stack) { max-height: 700px; overflow-y: auto; text-align: left; }
.reveal { font-size: 26px; }
.reveal h1, .reveal h2, .reveal h3 { text-transform: none; }
.reveal .jp-InputPrompt, .reveal .jp-OutputPrompt { display: none; }
.reveal .jp-OutputArea-output img { max-height: 480px; margin: 0; }
"""
START = "Reveal.initialize({hash: true, center: false, width: 1280, height: 720, plugins: [RevealNotes]});"


def as_slides(notebook):
    """The notebook with its text split at headings, and a slide_type in every cell."""
    cells, left_out = [], False
    for cell in notebook.cells:
        own = cell.metadata.get("slideshow", {}).get("slide_type")
        parts = [cell.source]
        if cell.cell_type == "markdown" and not own:
            parts = [part for part in HEADING.split(outside_code(cell.source)) if part.strip()]
        for number, part in enumerate(parts):
            if part.startswith("## "):
                left_out = part.startswith(LEFT_OUT)
            copy = nbformat.from_dict({**cell, "source": part.replace("\0", "#")})
            copy.id = f"{cell.id}-{number}"
            copy.metadata.slideshow = {"slide_type": own or ("skip" if left_out else slide_type(copy, cells))}
            cells.append(copy)
    return nbformat.from_dict({**notebook, "cells": cells})


def outside_code(text):
    """`text` with every # inside a fenced block replaced, so that a comment is no heading."""
    return re.sub(r"^```.*?^```", lambda found: found[0].replace("#", "\0"), text, flags=re.M | re.S)


def slide_type(cell, before):
    """The rule for a cell that does not decide for itself; `before` holds the cells above it."""
    if cell.cell_type == "markdown":
        return "slide" if cell.source.startswith(("# ", "## ")) else "subslide"
    first = all(other.cell_type == "markdown" for other in before)
    return "skip" if first and not cell.outputs else "-"


class MathSlidesExporter(WithMathML, SlidesExporter):
    """A stored notebook as slides."""


def make_slides(path, folder):
    """Write the slides of the stored notebook at `path` into `folder`; return their path."""
    notebook = as_slides(nbformat.read(path, as_version=4))
    has_widgets = fill_places(notebook)
    mark_covered(notebook)
    exported, _ = MathSlidesExporter(reveal_url_prefix="reveal", reveal_theme="white").from_notebook_node(
        notebook, resources={"metadata": {"name": path.stem, "path": str(path.parent)}}
    )
    page = finish(exported, has_widgets)
    for link in page.select("a[href^='exercises/']"):
        link.unwrap()  # exercises have no slides
    style = page.new_tag("style")
    style.string = STYLE
    page.head.append(style)
    for source in ("reveal/dist/reveal.js", "reveal/plugin/notes/notes.js"):
        page.body.append(page.new_tag("script", src=source))
    start = page.new_tag("script")
    start.string = START
    page.body.append(start)
    target = folder / f"{path.stem}.html"
    target.write_text(str(page), encoding="utf-8")
    return target


def copy_reveal(folder):
    """Put reveal.js into `folder`/reveal."""
    for part in ("dist", "plugin/notes"):
        shutil.copytree(REVEAL / part, folder / "reveal" / part, dirs_exist_ok=True)
    shutil.copy(REVEAL / "LICENSE", folder / "reveal")


def main(arguments):
    folder = Path(arguments[0] if arguments else "slides").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    copy_reveal(folder)
    for path in [*find_notebooks([]), *sorted(NOTEBOOKS_DIR.glob("[a-z]*.ipynb"))]:
        print(make_slides(path, folder).name)
    print(f"open one of them in {folder} with a browser; nothing else is needed")
    return 0


if __name__ == "__main__":
    sys.exit(or_one_sentence(main, sys.argv[1:]))
