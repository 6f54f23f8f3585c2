"""Slides of the stored chapters, for a projector without network.

`python3 course.py slides [FOLDER]` runs this. A `## ` heading starts a slide to the right; what follows it
goes below, slide after slide: text with at most twelve lines of code, or with one figure; a widget alone;
the answer one slide after the question of a prediction. A longer function is folded, and so is the
course's version of what a learner writes. Set-up, imports, exercises and sources are left out. A cell
whose metadata has slideshow.slide_type decides for itself. reveal.js lies beside the slides, so that they
need no network; slides.js makes what still does not fit a little smaller.
"""

import argparse
import ast
import re
import shutil
import sys
from importlib import resources
from pathlib import Path

import nbformat
from nbconvert import SlidesExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from authoring.contents import MAP
from authoring.store import NOTEBOOKS_DIR, find_notebooks
from teaching import html

HERE = Path(__file__).resolve().parent
REVEAL = Path(resources.files("sphinx_revealjs") / "_static/revealjs")  # it ships reveal.js
LEFT_OUT, TAGS_LEFT_OUT = ("## Exercises", "## Sources"), {"setup", "imports"}
MOST_LINES, MOST_CODE, LINE = 18, 12, 85  # lines on a slide, of them code, and characters on a line
SHOWN = {path.stem: path for path in (*find_notebooks([]), *sorted(NOTEBOOKS_DIR.glob("[a-z]*.ipynb")))}


def as_slides(notebook):
    """The notebook cut into pieces, with a slide_type in each: what stands on which slide."""
    cells, lines, code, left_out = [], 0, 0, False
    for cell in notebook.cells:
        own = cell.metadata.get("slideshow", {}).get("slide_type")
        for number, piece in enumerate([cell] if own else pieces(cell)):
            piece.id = f"{cell.id}-{number}"
            heading = piece.cell_type == "markdown" and re.match("#+ ", piece.source)
            if heading and len(heading[0]) < 4:
                left_out = piece.source.startswith(LEFT_OUT)
            tall, long = size(piece)
            answer = piece.get("outputs") and cell.metadata.get("jupyter", {}).get("outputs_hidden")
            if own or left_out or TAGS_LEFT_OUT & set(cell.metadata.get("tags", [])):
                kind = own or "skip"
            elif heading:
                kind = "slide" if len(heading[0]) < 4 else "subslide"
            else:
                full = lines + tall > MOST_LINES or code + long > MOST_CODE
                kind = "subslide" if full or (answer and not cells[-1].get("outputs")) else "-"
            if kind != "skip":
                lines, code = (lines + tall, code + long) if kind == "-" else (tall, long)
            piece.metadata.slideshow = {"slide_type": kind}
            cells.append(piece)
    return nbformat.from_dict({**notebook, "cells": cells})


def pieces(cell):
    """The cell cut where a slide may end: its headings and paragraphs, or its code and each output."""
    if cell.cell_type == "markdown":
        return [part(cell, source=block) for block in blocks(cell.source)]
    version = html.COURSE_VERSION in cell.metadata.get("tags", [])
    sources = [cell.source] if version else code_parts(cell.source)
    code = [part(cell, source=source, outputs=[]) for source in sources]
    for piece in code:
        too_long = len(piece.source.splitlines()) > MOST_CODE
        piece.metadata.fold = html.VERSION if version else html.CODE if too_long else ""
    outputs = [part(cell, source="", outputs=[output]) for whole in cell.outputs for output in shorter(whole)]
    for piece in outputs:
        piece.metadata.transient = {"remove_source": True}  # nbconvert shows the output alone
    return code + outputs


def part(cell, **changes):
    """A copy of the cell with other contents."""
    return nbformat.from_dict({**cell, "metadata": {**cell.metadata}, **changes})


def blocks(text):
    """The paragraphs, lists, tables, fenced blocks and headings of a text."""
    unbroken = r"^```.*?^```|<details.*?</details>|\$\$.*?\$\$"
    text = re.sub(unbroken, lambda found: found[0].replace("\n", "\0"), text, flags=re.M | re.S)
    parts = re.split(r"\n{2,}(?=\S)|\n(?=#{2,3} )", text)
    return [table for block in parts if block.strip() for table in tables(block.replace("\0", "\n"))]


def shorter(output):
    """[the output], or where it is a long table several that fit."""
    data = output.get("data", {})
    texts = tables(data.get("text/markdown", ""))
    return [{**output, "data": {**data, "text/markdown": text}} for text in texts] if texts[1:] else [output]


def tables(text):
    """[the text], or where it is a long table several with the same head."""
    head, rows = text.splitlines()[:2], text.splitlines()[2:]
    if not text.startswith("|") or height(rows) <= MOST_LINES - 4:
        return [text]
    parts = [[]]
    for row in rows:
        if height([*parts[-1], row]) > MOST_LINES - 4:
            parts.append([])
        parts[-1].append(row)
    return ["\n".join([*head, *part]) for part in parts]


def height(lines):
    """How many lines of a slide these take; a table's row is as tall as its fullest cell."""
    return sum(1 + len(line) // LINE * (2 if line.startswith("|") else 1) for line in lines)


def code_parts(source):
    """Code cut between its statements, near the middle, until no part is longer than MOST_CODE."""
    lines = source.splitlines()
    starts = []
    for node in ast.parse(source).body[1:] if len(lines) > MOST_CODE else ():
        start = min([node.lineno, *(mark.lineno for mark in getattr(node, "decorator_list", []))]) - 1
        while lines[start - 1].startswith("#"):
            start -= 1  # a comment belongs to what follows it
        starts.append(start)
    if not starts:
        return [source]
    cut = min(starts, key=lambda start: abs(2 * start - len(lines)))
    return [part for half in (lines[:cut], lines[cut:]) for part in code_parts("\n".join(half).strip("\n"))]


def size(piece):
    """(lines of text that a piece takes on a slide, lines of code in it that are not folded)."""
    lines = piece.source.splitlines()
    if piece.cell_type == "markdown":
        fenced = sum(block.count("\n") - 1 for block in re.findall(r"```.*?```", piece.source, re.S))
        return height(lines) + 0.7, fenced
    if not piece.outputs:
        return (2, 0) if piece.metadata.get("fold") else (0.8 * len(lines) + 0.7, len(lines))
    data = piece.outputs[0].get("data", {})
    if "dw-place" in data.get("text/html", ""):
        return MOST_LINES + 1, 0  # a widget stands alone
    if "image/png" in data or "<img" in data.get("text/html", ""):
        return MOST_LINES - 5, 0  # a figure leaves room for some words
    if "text/markdown" in data:
        return height(data["text/markdown"].splitlines()) + 0.7, 0
    text = piece.outputs[0].get("text") or data.get("text/html") or data.get("text/plain", "")
    return max(0.8 * text.count("\n"), text.count("<tr")) + 1, 0


class Renderer(IPythonRenderer):
    """nbconvert's Markdown, with formulas as MathML."""

    def block_math(self, body):
        return html.mathml(body, "block")

    def inline_math(self, body):
        return html.mathml(body, "inline")


def markdown(text):
    """HTML whose formulas need no script and no network."""
    return MarkdownWithMath(renderer=Renderer(escape=False)).render(text)


def make_slides(path, folder):
    """Write the slides of the stored notebook at `path` into `folder`; return their path."""
    notebook = html.without_kernel(nbformat.read(path, as_version=4))
    html.relink(notebook, path.stem, lambda _, page: f"{page}.html" if page in SHOWN else "")
    exporter = SlidesExporter(
        template_file=str(HERE / "slides.html.j2"),
        filters={"markdown2html": markdown, "alt": html.alt},
        reveal_url_prefix="reveal",
        reveal_theme="slides",
    )
    page, _ = exporter.from_notebook_node(as_slides(notebook), {"metadata": {"name": path.stem}})
    target = folder / f"{path.stem}.html"
    target.write_text(page, encoding="utf-8")
    return target


def copy_reveal(folder):
    """Put what all slides load into `folder`: reveal.js with our style as a theme, and the map."""
    reveal = folder / "reveal"
    for part in ("dist", "plugin/notes"):
        shutil.copytree(REVEAL / part, reveal / part, dirs_exist_ok=True)
    script, style = html.WIDGET_FILES
    for source in (REVEAL / "LICENSE", HERE / "slides.js", script):
        shutil.copy(source, reveal)
    for source in (HERE / "slides.css", style):
        shutil.copy(source, reveal / "dist/theme")
    shutil.copytree(MAP.parent, folder / MAP.parent.name, dirs_exist_ok=True)


def main(arguments):
    parser = argparse.ArgumentParser(prog="course.py slides", description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", default="slides", type=Path, help="where they go (%(default)s)")
    folder = parser.parse_args(arguments).folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    copy_reveal(folder)
    for path in SHOWN.values():
        print(make_slides(path, folder).name)
    print(f"open one of them in {folder} with a browser; nothing else is needed")
    return 0


if __name__ == "__main__":
    sys.exit(html.or_one_sentence(main, sys.argv[1:]))
