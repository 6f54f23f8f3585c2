"""The course as a site: pages with sliders that move, formulas, search and a glossary; nothing to install.

`python3 course.py site [FOLDER]` runs this. Sphinx and MyST-NB make the pages from the stored notebooks, and
run nothing. They work from a server and from a stick. What only a site has, lies in teaching/pages.

Two settings, empty by default, name addresses; without them the buttons that need them are absent:
COURSE_REPOSITORY   https://github.com/OWNER/NAME, for Colab and Binder
COURSE_LIVE         where `course.py live` put the chapters that run in the browser, such as live
"""

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from authoring.contents import MAP, describe, filled, paths, table
from authoring.store import NOTEBOOKS_DIR, find_notebooks
from teaching import html
from teaching.live import NOTEBOOKS as LIVE
from utils.widgets import OverfitRace

PAGES = Path(__file__).resolve().parent / "pages"
TEACHING = PAGES.parent / "README.md"
STATIC = (*html.WIDGET_FILES, PAGES / "site.js", PAGES / "site.css")
THEME = {"use_download_button": False, "home_page_in_toc": True}
SETTINGS = {
    "project": "Dropout, from scratch and in four frameworks",
    "html_title": "Dropout",
    "author": "The dropout course authors",
    "copyright": "",
    "extensions": ["myst_nb", "teaching.site"],
    "exclude_patterns": ["site.*"],
    "html_theme": "sphinx_book_theme",
    "html_static_path": [str(path) for path in STATIC],
    "html_css_files": [html.WIDGET_FILES[1].name, "site.css"],
    "html_js_files": ["site.js"],
    "html_math_renderer": "mathml",
    "html_copy_source": False,
    "html_show_sphinx": False,
    "nb_execution_mode": "off",
    "nb_custom_formats": {".ipynb": ["teaching.site.read", {}, False]},
    "nb_render_markdown_format": "myst",
    "myst_enable_extensions": ["amsmath", "dollarmath", "tasklist"],
    "myst_dmath_double_inline": True,
    "myst_heading_anchors": 4,
    "myst_heading_slug_func": "teaching.site.anchor",
}


def read(text):
    """What MyST-NB makes a page of: a stored notebook with its widgets, figures in words, covered answers."""
    notebook = html.without_kernel(nbformat.reads(text, as_version=4))
    for cell in notebook.cells:
        tags = cell.metadata.setdefault("tags", [])
        shown = cell.metadata.setdefault("mystnb", {})
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                shown["image"] = {"alt": html.alt(output)}
        folded = cell.metadata.get("jupyter", {})
        if folded.get("outputs_hidden"):
            tags.append("hide-output")
            shown["code_prompt_show"] = "Show what happens"
        elif folded.get("source_hidden"):
            tags.append("hide-input")
            shown["code_prompt_show"] = html.VERSION if html.COURSE_VERSION in tags else html.CODE
    return notebook


def anchor(title):
    """A heading's anchor, as JupyterLab makes it."""
    return title.replace(" ", "-")


def draw_math(display):
    """A node's formula as MathML."""

    def draw(translator, node):
        formula = html.mathml(node.astext(), display)
        translator.body.append(formula if display == "inline" else f'<div class="math-block">{formula}</div>')
        raise nodes.SkipNode

    return draw, None


def lead_to_teacher(app, name, text):
    """The teacher's page was moved beside the chapters."""
    text[0] = text[0].replace("](../teaching/README.md)", "](teaching.md)").replace("](../notebooks/", "](")


# --- the glossary: its words, where a chapter first uses one, link to it, and it links back ---


def glossary():
    """{term: pattern} of the glossary's words; a pattern finds the word, or its plural, in a text."""
    text = (PAGES / "glossary.md").read_text(encoding="utf-8")
    terms = re.findall(r"^\w.*", text.split("```{glossary}")[1], re.M)
    return {term: re.compile(rf"(?<![\w-]){re.escape(term)}s?(?![\w-])") for term in terms}


def link_first_uses(app, document):
    """In a chapter link each word of the glossary where a sentence first uses it."""
    name = app.env.docname
    if not re.match(r"\d\d_", name):
        return
    for term, pattern in app.glossary.items():
        text, use = next(uses(document, pattern), (None, None))
        if use:
            link = pending_xref("", refdomain="std", reftype="term", reftarget=term, refexplicit=True)
            link += nodes.inline("", use[0], classes=["term"])
            mark = nodes.inline("", "", link, ids=[use_id(term)])
            around = [nodes.Text(text[: use.start()]), mark, nodes.Text(text[use.end() :])]
            text.parent.replace(text, [node for node in around if node.astext()])
            app.used.setdefault(term, []).append(name)


def uses(document, pattern):
    """(text node, match) of each use in a sentence: not in a heading, a link, code or a formula."""
    for text in document.findall(nodes.Text):
        prose = isinstance(text.parent, nodes.paragraph | nodes.emphasis | nodes.strong)
        if prose and not isinstance(text.parent.parent, nodes.reference | nodes.entry):
            found = pattern.search(text)
            if found:
                yield text, found


def use_id(term):
    return f"use-{nodes.make_id(term)}"


def link_back(app, document, name):
    """In the glossary add to each word the chapters that use it."""
    for entry in document.findall(nodes.definition_list_item) if name == "glossary" else ():
        terms = [term.astext() for term in entry.findall(nodes.term)]
        used = sorted({(chapter, use_id(term)) for term in terms for chapter in app.used.get(term, [])})
        line = nodes.paragraph("", "In ", classes=["uses"])
        for chapter, use in used:
            address = f"{chapter}.html#{use}"
            line += [nodes.reference("", chapter[:2], refuri=address, internal=True), nodes.Text(" ")]
        if used:
            entry.next_node(nodes.definition).append(line)


# --- what stands in the head of a page ---


def add_scripts_and_button(app, name, template, context, document):
    """The widgets' script where there are widgets, and the way to run the notebook in the browser."""
    if "dw-place" in context.get("body", ""):
        app.add_js_file("page.js", loading_method="defer")
    live = os.environ.get("COURSE_LIVE", "").rstrip("/")
    if live and name in LIVE:
        start = live if "://" in live else context["pathto"](live, resource=True)
        url, text = f"{start}/lab/index.html?path={name}.ipynb", "Run in your browser"
        button = {"type": "link", "text": text, "icon": "fas fa-play", "url": url, "tooltip": text}
        context["header_buttons"].append(button)


def launch():
    """The theme's settings for Colab and Binder, where the address of the repository is known."""
    repository = os.environ.get("COURSE_REPOSITORY", "").rstrip("/")
    if not repository.startswith("https://github.com/"):
        return {}
    return {
        "repository_url": repository,
        "repository_branch": "HEAD",
        "path_to_docs": "notebooks",
        "launch_buttons": {
            "notebook_interface": "jupyterlab",
            "binderhub_url": "https://mybinder.org",
            "colab_url": "https://colab.research.google.com",
        },
    }


def setup(app):
    """Sphinx's entry into this file as an extension."""
    app.glossary, app.used = glossary(), {}
    app.add_html_math_renderer("mathml", draw_math("inline"), draw_math("block"))
    app.connect("source-read", lead_to_teacher)
    app.connect("doctree-read", link_first_uses)
    app.connect("doctree-resolved", link_back)
    app.connect("html-page-context", add_scripts_and_button, priority=600)


def gather(source):
    """Put what becomes a page into the folder `source`: the notebooks, and the site's own pages."""
    for folder in (NOTEBOOKS_DIR, PAGES):
        shutil.copytree(folder, source, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*", "*.toml"))
    shutil.copy(TEACHING, source / "teaching.md")
    shutil.copytree(MAP.parent, source.parent / MAP.parent.name)
    home, race, rows = source / "index.md", OverfitRace(), [describe(path) for path in find_notebooks([])]
    text = filled(home.read_text("utf-8"), "race", html.place(race.static_state(), race.question))
    text = filled(text, "chapters", table(rows, "", ("promise", "minutes")))
    home.write_text(filled(text, "paths", paths(rows)), "utf-8")


def build(folder, source, work):
    """Make the site of the folder `source` in `folder`. Returns 0, or 1 where Sphinx warned of something."""
    settings = SETTINGS | {"html_theme_options": THEME | launch()}
    made = work / "made/html"  # MyST-NB writes beside it, too
    with docutils_namespace():
        app = Sphinx(source, None, made, work, "html", settings, status=None, warningiserror=True)
        app.build()
    lighten(made / "_static")
    shutil.copytree(made, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("objects.inv", ".*"))
    return app.statuscode


def lighten(static):
    """Half a megabyte less to load: the theme's icons come from a font, too, so their script goes."""
    (static / "scripts/fontawesome.js").write_text("")
    for path in static.rglob("*.map"):
        path.unlink()


def main(arguments):
    folder = Path(arguments[0] if arguments else "site").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        source = Path(work, "source")
        gather(source)
        status = build(folder, source, Path(work, "build"))
    print(f"open {folder / 'index.html'} in a browser; nothing else is needed")
    return status


if __name__ == "__main__":
    sys.exit(html.or_one_sentence(main, sys.argv[1:]))
