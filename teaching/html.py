"""What slides and site do alike: widgets that live without a kernel, formulas.

Browser-drawn sliders work; widgets for which the kernel computes take a guess, show the picture that was
stored and say what they lack. Formulas become MathML, which browsers draw themselves.
"""

import html
import json
import re
import sys

from latex2mathml.converter import convert

from utils.widgets.base import CSS, STATIC_STATE, bundle

COURSE_VERSION = "course-version"
NEEDS_KERNEL = "This needs a running kernel: open the notebook in JupyterLab and run its cell."
MATHML = "http://www.w3.org/1998/Math/MathML"


def mathml(formula, display):
    """A TeX formula as an element of HTML, which needs no namespace."""
    formula = re.sub(r"\\\\\[[\d.]+\w+\]", r"\\\\", formula.strip())  # else a height is shown
    return convert(formula, display=display).replace(f' xmlns="{MATHML}"', "")


def fill_places(notebook):
    """Put into each widget's output a place for it, with its state; return whether there is one.

    A slider that has no state of its own keeps its picture, and says what it lacks.
    """
    filled = False
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if STATIC_STATE in output.get("metadata", {}):
                instead = data.get("text/html") or _picture(output)
                output["data"] = {"text/html": place(output["metadata"][STATIC_STATE], instead)}
                filled = True
            elif data.get("text/plain", "").startswith("[slider]"):
                output["data"] = {"text/html": f'{_picture(output)}<p class="dw-still">{NEEDS_KERNEL}</p>'}
    return filled


def _picture(output):
    """The stored picture of an output as HTML."""
    alt = html.escape(output["metadata"].get("image/png", {}).get("alt", output["data"]["text/plain"]))
    return f'<img alt="{alt}" src="data:image/png;base64,{output["data"]["image/png"]}">'


def place(state, instead=""):
    """HTML in which the script of `add_widgets` brings the widget of this state to life."""
    state = json.dumps(state).replace("</", "<\\/")
    return (
        f'<div class="dw-place"><script type="application/json">{state}</script>'
        f"<noscript>{instead}</noscript></div>"
    )


def add_widgets(page):
    """The style of widgets, and one script that brings those of the page to life."""
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
