"""Turn the stored chapters into web pages that need no kernel, no server and no network.

`python3 course.py html [FOLDER]` runs this. Browser-drawn sliders work on the pages; widgets for which
the kernel computes show their picture and say so. Formulas become MathML, which browsers draw themselves.
"""

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
from utils.widgets.base import JS_DIR, STATIC_MIME, view

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
    html, _ = PageExporter(template_name="lab").from_notebook_node(
        notebook, resources={"metadata": {"name": path.stem, "path": str(path.parent)}}
    )
    target = folder / f"{path.stem}.html"
    target.write_text(str(finish(html, widgets)), encoding="utf-8")
    return target


def finish(html, widgets):
    """nbconvert's page as a BeautifulSoup that loads no script, with the widgets in place."""
    page = BeautifulSoup(html, "html.parser")
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
    """Replace each browser-drawn widget's output by a place for it; return their states, in order.

    A widget for which the kernel computes keeps its picture, and says what it lacks.
    """
    widgets = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if STATIC_MIME in data:
                words = data["text/plain"]
                output["data"] = {
                    "text/html": f'<div class="dw-place" id="widget-{len(widgets)}"><noscript>'
                    f'<img alt="{words}" src="data:image/png;base64,{data["image/png"]}"></noscript></div>'
                }
                widgets.append(data[STATIC_MIME])
            elif data.get("text/plain", "").startswith("[slider]"):
                alt = output["metadata"].get("image/png", {}).get("alt", data["text/plain"])
                output["data"] = {
                    "text/html": f'<img alt="{alt}" src="data:image/png;base64,{data["image/png"]}">'
                    f'<p class="dw-still">{NEEDS_KERNEL}</p>'
                }
    return widgets


def add_widgets(page, widgets):
    """One script for the page: the views, the states, and a model that needs no kernel."""
    static = (JS_DIR / "static.js").read_text(encoding="utf-8")
    calls = "\n".join(
        f"views[{json.dumps(widget['view'])}].render({{model: staticModel(states[{index}]), "
        f"el: document.getElementById('widget-{index}')}});"
        for index, widget in enumerate(widgets)
    )
    # Each view is a module of its own: wrapped in a function, so that their names do not meet.
    views = ",\n".join(
        f"{json.dumps(name)}: (() => {{ {_as_function(view(name))} }})()"
        for name in sorted({widget["view"] for widget in widgets})
    )
    states = json.dumps([widget["state"] for widget in widgets]).replace("</", "<\\/")
    script = page.new_tag("script", type="module")
    script.string = (
        f"{static.replace('export function', 'function')}\n"
        f"const states = {states};\nconst views = {{{views}}};\n{calls}\n"
    )
    page.body.append(script)
    style = page.new_tag("style")
    style.string = (JS_DIR / "widgets.css").read_text(encoding="utf-8")
    page.head.append(style)


def _as_function(module):
    """The source of a view's module as the body of a function that returns its default export."""
    body = re.sub(r"^export (function|const)", r"\1", module, flags=re.M)
    return body.replace("export default", "return")


def main(arguments):
    folder = Path(arguments[0] if arguments else "html").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    notebooks = [*find_notebooks([]), *sorted(NOTEBOOKS_DIR.glob("[a-z]*.ipynb"))]
    tasks = [
        *find_notebooks([], NOTEBOOKS_DIR / "exercises"),
        *find_notebooks([], NOTEBOOKS_DIR / "solutions"),
    ]
    for path in [*notebooks, *tasks]:
        target = folder / path.relative_to(NOTEBOOKS_DIR).parent
        target.mkdir(exist_ok=True)
        print(export(path, target).relative_to(folder))
    shutil.copy(folder / f"{notebooks[0].stem}.html", folder / "index.html")
    print(f"open {folder / 'index.html'} in a browser; nothing else is needed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
