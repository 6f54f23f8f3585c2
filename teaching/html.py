"""Turn the stored chapters into web pages that need no kernel, no server and no network.

`python3 course.py html [FOLDER]` runs this. Browser-drawn sliders work on the pages; widgets for which
the kernel computes take a guess, show the picture that was stored and say what they lack. Formulas become
MathML, which browsers draw themselves.
"""

import html
import json
import re
import shutil
import sys
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup
from jinja2 import pass_context
from latex2mathml.converter import convert
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from authoring.store import NOTEBOOKS_DIR, find_notebooks
from utils.widgets.base import CSS, STATIC_STATE, bundle

COVERED, COURSE_VERSION = "covered", "course-version"
NEEDS_KERNEL = "This needs a running kernel: open the notebook in JupyterLab and run its cell."


MATHML = "http://www.w3.org/1998/Math/MathML"


class MathMLRenderer(IPythonRenderer):
    """nbconvert's Markdown, with formulas as MathML."""

    def block_math(self, body):
        return mathml(body, "block")

    def inline_math(self, body):
        return mathml(body, "inline")


def mathml(formula, display):
    """A TeX formula as an element of HTML, which needs no namespace."""
    return convert(formula.strip(), display=display).replace(f' xmlns="{MATHML}"', "")


class WithMathML:
    """Mixed into one of nbconvert's HTML exporters: formulas that need no script and no network."""

    @pass_context
    def markdown2html(self, context, source):
        renderer = MathMLRenderer(
            escape=False,
            anchor_link_text=self.anchor_link_text,
            exclude_anchor_links=self.exclude_anchor_links,
        )
        return MarkdownWithMath(renderer=renderer).render(source)


class PageExporter(WithMathML, HTMLExporter):
    """A stored notebook as one page."""


def export(path, folder):
    """Write the page of the stored notebook at `path` into `folder`; return the page's path."""
    notebook = nbformat.read(path, as_version=4)
    widgets = take_out_widgets(notebook)
    mark_covered(notebook)
    exported, _ = PageExporter(template_name="lab").from_notebook_node(
        notebook, resources={"metadata": {"name": path.stem, "path": str(path.parent)}}
    )
    target = folder / f"{path.stem}.html"
    target.write_text(str(finish(exported, widgets)), encoding="utf-8")
    return target


def finish(exported, widgets):
    """nbconvert's page as a BeautifulSoup that loads no script, with the widgets in place."""
    page = BeautifulSoup(exported, "html.parser")
    for script in page.find_all("script"):
        script.decompose()  # all of them load something from the network
    for link in page.select("a[href]"):
        link["href"] = re.sub(r"\.ipynb(?=$|#)", ".html", link["href"])
    for output in page.select(f".celltag_{COVERED} .jp-Cell-outputWrapper"):
        output.wrap(page.new_tag("details")).insert(0, page.new_tag("summary"))
        output.parent.summary.string = "Show what happens"
    for code in page.select(f".celltag_{COURSE_VERSION} .jp-Cell-inputWrapper"):
        code.wrap(page.new_tag("details")).insert(0, page.new_tag("summary"))
        code.parent.summary.string = "The course's version"
    if widgets:
        add_widgets(page, widgets)
    return page


def mark_covered(notebook):
    """Tag the cells whose output a reader opens after a prediction, for `finish`."""
    for cell in notebook.cells:
        if cell.metadata.get("jupyter", {}).get("outputs_hidden"):
            cell.metadata.setdefault("tags", []).append(COVERED)


def take_out_widgets(notebook):
    """Replace each widget's output by a place for it; return the widgets' states, in order.

    A slider that has no state of its own keeps its picture, and says what it lacks.
    """
    widgets = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if STATIC_STATE in output.get("metadata", {}):
                instead = data.get("text/html") or _picture(output)
                output["data"] = {"text/html": f'<div class="dw-place"><noscript>{instead}</noscript></div>'}
                widgets.append(output["metadata"][STATIC_STATE])
            elif data.get("text/plain", "").startswith("[slider]"):
                output["data"] = {"text/html": f'{_picture(output)}<p class="dw-still">{NEEDS_KERNEL}</p>'}
    return widgets


def _picture(output):
    """The stored picture of an output as HTML."""
    alt = html.escape(output["metadata"].get("image/png", {}).get("alt", output["data"]["text/plain"]))
    return f'<img alt="{alt}" src="data:image/png;base64,{output["data"]["image/png"]}">'


def add_widgets(page, widgets):
    """Each widget's state into its place, and one script that brings them to life."""
    for place, widget in zip(page.select(".dw-place"), widgets, strict=True):
        state = page.new_tag("script", type="application/json")
        state.string = json.dumps(widget).replace("</", "<\\/")
        place.append(state)
    style = page.new_tag("style")
    style.string = CSS.read_text(encoding="utf-8")
    page.head.append(style)
    script = page.new_tag("script")
    script.string = bundle("page").replace("</", "<\\/")
    page.body.append(script)


def or_one_sentence(main, arguments):
    """The exit status of main(arguments); what the system refuses, such as a full disk, is one sentence."""
    try:
        return main(arguments)
    except OSError as error:
        print(f"course.py: {error.filename or arguments}: {error.strerror}.", file=sys.stderr)
        return 1


def main(arguments):
    folder = Path(arguments[0] if arguments else "html").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    notebooks = [*find_notebooks([]), *sorted(NOTEBOOKS_DIR.glob("[a-z]*.ipynb"))]
    others = [
        path
        for room in ("appendix", "exercises", "solutions")
        for path in find_notebooks([], NOTEBOOKS_DIR / room)
    ]
    for path in [*notebooks, *others]:
        target = folder / path.relative_to(NOTEBOOKS_DIR).parent
        target.mkdir(exist_ok=True)
        print(export(path, target).relative_to(folder))
    shutil.copy(folder / f"{notebooks[0].stem}.html", folder / "index.html")
    print(f"open {folder / 'index.html'} in a browser; nothing else is needed")
    return 0


if __name__ == "__main__":
    sys.exit(or_one_sentence(main, sys.argv[1:]))
