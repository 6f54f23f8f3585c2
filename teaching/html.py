"""What slides, site and live notebooks do alike: widgets without a kernel, figures in words, formulas, links.

Browser-drawn sliders work; widgets for which the kernel computes take a guess, show the picture that was
stored and say what they lack. Formulas become MathML, which browsers draw themselves.
"""

import html
import json
import posixpath
import re
import sys

from latex2mathml.converter import convert

from authoring.bundle import BUNDLES
from utils.widgets.base import CSS, STATIC_STATE

WIDGET_FILES = (
    BUNDLES / "page.js",
    CSS,
)  # the script that brings the widgets of a page to life, and their style
NEEDS_KERNEL = "This needs a running kernel: open the notebook in JupyterLab and run its cell."
COURSE_VERSION, VERSION, CODE = "course-version", "The course's version", "The code"


def mathml(formula, display):
    """A TeX formula as an element of HTML, which needs no namespace."""
    formula = re.sub(r"\\\\\[[\d.]+\w+\]", r"\\\\", formula.strip())  # else a height is shown
    return re.sub(' xmlns="[^"]*"', "", convert(formula, display=display))


def alt(output):
    """A stored figure in words."""
    return output["metadata"].get("image/png", {}).get("alt", output["data"]["text/plain"])


def without_kernel(notebook):
    """The stored notebook with a place for each widget, and its state, in its output.

    A slider that has no state of its own keeps its picture, and says what it lacks. Words that only name the
    fold below them go: it bears its name.
    """
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = cell.source.removesuffix(f"{VERSION}:")
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if STATIC_STATE in output.get("metadata", {}):
                instead = data.get("text/html") or _picture(output)
                output["data"] = {"text/html": place(output["metadata"][STATIC_STATE], instead)}
            elif data.get("text/plain", "").startswith("[slider]"):
                output["data"] = {"text/html": f'{_picture(output)}<p class="dw-still">{NEEDS_KERNEL}</p>'}
    return notebook


def _picture(output):
    """The stored picture of an output as HTML."""
    return f'<img alt="{html.escape(alt(output))}" src="data:image/png;base64,{output["data"]["image/png"]}">'


def place(state, instead=""):
    """HTML in which the script of the widgets brings the widget of this state to life."""
    state = json.dumps(state).replace("</", "<\\/")
    return (
        f'<div class="dw-place"><script type="application/json">{state}</script>'
        f"<noscript>{instead}</noscript></div>"
    )


def relink(notebook, name, address, lost=""):
    """Lead the links of the notebook `name` to address(path, page); where that is "", words stay, and `lost`.

    A page is named by its path below notebooks, without suffix; `name`, too.
    """

    def link(found):
        words, path, place = found.groups()
        page = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
        page = "teaching" if page == "../teaching/README.md" else posixpath.splitext(page)[0]
        there = address(path, page)
        return f"[{words}]({there}{place or ''})" if there else words + lost

    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text = cell.source.replace("](../images/", "](images/")  # which lie above the notebooks elsewhere
            cell.source = re.sub(
                r"(?<!!)\[([^\[\]]*)\]\((?!\w+:)([^)#]+\.(?:ipynb|md))(#[^)]*)?\)", link, text
            )


def or_one_sentence(main, arguments):
    """The exit status of main(arguments); what the system refuses, such as a full disk, is one sentence."""
    try:
        return main(arguments)
    except OSError as error:
        print(f"course.py: {error.filename or arguments}: {error.strerror}.", file=sys.stderr)
        return 1
