"""Chapters that run in the page, with nothing to install: JupyterLite and Pyodide.

`python3 course.py live FOLDER` runs this. Any web server can serve the folder. Python comes to the browser
from Pyodide's public address; with `--pyodide COPY` from a copy of a release, for a class without network.

A cell that needs a framework is shown as it is stored, and so is every cell that needs it. So is one that
would take the browser longer than half a minute: it is tagged `slow-in-browser`, or runs a part of a long
experiment to compare it with the stored results. These results are then taken.

One setting, empty by default, names an address: COURSE_SITE is where the pages of `course.py site` will be.
Links to notebooks that do not run in a browser lead there; without it they are words.
"""

import ast
import json
import os
import posixpath
import re
import shutil
import subprocess
import symtable
import sys
import tempfile
from pathlib import Path

import nbformat
from jupyter_core.paths import jupyter_path
from nbformat.v4 import new_code_cell, new_markdown_cell

from authoring.contents import MAP
from authoring.store import NOTEBOOKS_DIR
from teaching.html import or_one_sentence
from utils.data import DATA_DIR, IDX_SHA256

ROOT = NOTEBOOKS_DIR.parent
# What runs there, and which of Pyodide's packages it needs besides those of the course's wheel. What draws
# figures is a third of all that a first visit fetches: 00 does without it up to its first widget.
NOTEBOOKS = {
    "00_start_here": (),
    "01_overfitting": ("matplotlib", "scikit-learn"),
    "02_dropout_from_scratch": ("matplotlib", "scikit-learn"),
    "07_why_it_works": ("matplotlib", "scikit-learn", "joblib"),
    "widgets_gallery": ("matplotlib", "scipy"),
    **{
        f"{room}/{name}": ("matplotlib", "scikit-learn", "joblib")
        for room in ("exercises", "solutions")
        for name in (
            "01_overfitting",
            "02_dropout_from_scratch",
            "07_why_it_works",
            "12_is_it_calibrated",
            "13_relatives",
        )
    },
}
FRAMEWORKS = {"torch", "keras", "tensorflow", "mxnet"}
# What of the course's own needs one of them.
NEED_FRAMEWORKS = {
    "utils.monte_carlo",
    "utils.runs",
    "utils.sweep",
    "utils.torch_training",
    "load_keras",
    "load_mxnet",
    "EvalDetective",
}
FIGURES = "utils.plotting"
# Pyodide fetches these side by side while it starts; JupyterLite's kernel would ask for one after the other.
AT_START = ("micropip", "packaging", "ssl", "sqlite3", "jedi", "ipython", "numpy")
PYODIDE = "https://cdn.jsdelivr.net/pyodide/v0.27.7/full/pyodide.js"
KERNEL = "@jupyterlite/pyodide-kernel-extension"
EXTENSIONS = (KERNEL, "@jupyter-widgets/jupyterlab-manager", "anywidget")
# What Pyodide does not bring, and what it brings too old for anywidget: the versions of constraints.txt.
WHEELS = ("anywidget", "comm", "ipywidgets", "jupyterlab-widgets", "psygnal", "typing-extensions")
PROJECT = """
[project]
name = "dropout-course"
version = "0.1.0"
dependencies = ["anywidget", "numpy", "packaging", "typing-extensions>=4.12"]
[tool.setuptools.packages.find]
[tool.setuptools.package-data]
"*" = ["*", "results/*"]
"""
SETUP = """%pip install -q {packages}
import logging

import utils.data

logging.getLogger("matplotlib.font_manager").setLevel("ERROR")  # it would say that it makes a list of fonts
for name in utils.data.IDX_SHA256:  # fetched when they are first read
    (utils.data.DATA_DIR / f"{{name}}.npz").symlink_to(f"/drive/data/{{name}}.npz")"""
FETCH_FIGURES = "%pip install -q matplotlib\nfrom utils.plotting import {names}"
NOT_RUN = "*The browser shows the next cell as it is stored: {why}.*"


def runs_in_the_browser(name):
    """Is there a live version of this notebook, named by its path below notebooks, without suffix?"""
    return name in NOTEBOOKS


def linked(text, name):
    """The text of the notebook `name`; its links lead to notebooks that run here, or to pages of the site."""
    site = os.environ.get("COURSE_SITE", "").rstrip("/")

    def link(found):
        words, path, place = found.groups()
        page = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
        page = "teaching" if page == "../teaching/README.md" else posixpath.splitext(page)[0]
        if runs_in_the_browser(page):
            return found[0]
        return f"[{words}]({site}/{page}.html{place or ''})" if site else f"{words} (not in the browser)"

    text = text.replace("](../images/", "](images/")  # which lie above the notebooks elsewhere
    return re.sub(r"(?<!!)\[([^\[\]]*)\]\((?!\w+:)([^)#]+\.(?:ipynb|md))(#[^)]*)?\)", link, text)


# --- a notebook as the browser runs it ---


def browser_cut(notebook, packages=()):
    """The stored notebook with another set-up, and with cells that cannot run there as text."""
    absent = dict.fromkeys(NEED_FRAMEWORKS, "it needs a framework that a browser does not have")
    fetched, drawing = "matplotlib" in packages, set()
    cells = []
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "setup" in tags:
            cell.source = SETUP.format(packages=" ".join(("dropout-course", *packages)))
        elif cell.cell_type == "code" and cell.source.strip():
            cell.source, lost = without(set() if fetched else {FIGURES}, cell.source)
            absent |= dict.fromkeys(lost, "what draws it is fetched after the first widget")
            drawing |= lost
            cell.source, lost = without(NEED_FRAMEWORKS | FRAMEWORKS, cell.source)
            absent |= {name: f"it needs {name}, which a browser does not have" for name in lost}
            given, filled, needed = names(cell.source)
            why = next((absent[name] for name in sorted(needed) if name in absent), None)
            results, alone = stored_results(cell.source)
            if "slow-in-browser" in tags or (results and not alone and not why):
                why = "it would take minutes here"
            if why:
                absent |= dict.fromkeys(given | filled, why)
                cells.append(as_text(cell, why))
                if not results:
                    continue
                cell = new_code_cell(results, id=f"{cell.id}-results")
                given = names(results)[0]
            given -= NEED_FRAMEWORKS  # to import such a name is no harm
            absent = {name: reason for name, reason in absent.items() if name not in given}
        cells.append(cell)
        if drawing and not fetched and shows_widget(cell):
            cells.append(new_code_cell(FETCH_FIGURES.format(names=", ".join(sorted(drawing))), id="figures"))
            absent = {name: reason for name, reason in absent.items() if name not in drawing}
            fetched = True
    notebook.cells = cells
    notebook.metadata.kernelspec = {
        "display_name": "Python (Pyodide)",
        "language": "python",
        "name": "python",
    }
    return notebook


def shows_widget(cell):
    """Does this stored cell show one of the course's widgets?"""
    outputs = cell.get("outputs", [])
    return any(output.get("data", {}).get("text/plain", "").startswith("[slider]") for output in outputs)


def stored_results(source):
    """(code that loads a long experiment's results where a cell does, or "", whether it does that alone)."""
    taken = re.findall(r"^(\w+) = (?:measured\.)?stored\((\S+), \w+\)$", source, re.M)
    lines = [f"{name} = load_results({title})" for name, title in taken]
    code = "\n".join(["from utils.measured import load_results", "", *lines]) if taken else ""
    return code, len(taken) == len(ast.parse(source).body)


def without(modules, source):
    """(the source without imports from these modules and names, the names that these would have given)."""
    lines, lost = source.splitlines(), set()
    for node in ast.parse(source).body:
        asked = {alias.name for alias in node.names} if isinstance(node, ast.Import) else set()
        if isinstance(node, ast.ImportFrom):
            asked = {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        if modules & (asked | {name.split(".")[0] for name in asked}):
            lost |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
            lines[node.lineno - 1 : node.end_lineno] = [None] * (node.end_lineno - node.lineno + 1)
    return "\n".join(line for line in lines if line is not None), lost


def names(source):
    """(names that a cell gives, names of tables that it fills, names that it needs from cells above).

    `table[key] = value` changes the table and does not need it whole: what lacks a row is only its readers.
    """
    whole = symtable.symtable(source, "cell", "exec")
    given = {
        symbol.get_name() for symbol in whole.get_symbols() if symbol.is_assigned() or symbol.is_imported()
    }
    nodes = list(ast.walk(ast.parse(source)))
    filled = [
        node.value.id
        for node in nodes
        if isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
    ]
    read = [node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    needed = {name for name in global_names(whole) if read.count(name) > filled.count(name)} - given
    return given, set(filled), needed


def global_names(table):
    """The names of the notebook that a cell's symbol table and the scopes inside it read."""
    top = table.get_type() == "module"
    own = {
        symbol.get_name()
        for symbol in table.get_symbols()
        if symbol.is_referenced() and (top or symbol.is_global())
    }
    return own.union(*map(global_names, table.get_children()))


def as_text(cell, why):
    """A Markdown cell that shows a code cell and its stored outputs."""
    shown = [NOT_RUN.format(why=why), f"```python\n{cell.source}\n```"]
    for output in cell.outputs:
        data = output.get("data", {})
        if "image/png" in data:
            alt = output.metadata.get("image/png", {}).get("alt", data["text/plain"])
            shown.append(f"![{alt}](data:image/png;base64,{data['image/png'].strip()})")
        elif "text/markdown" in data:
            shown.append(data["text/markdown"])
        else:
            shown.append(f"```\n{output.get('text') or data.get('text/plain', '')}\n```")
    return new_markdown_cell("\n\n".join(shown), id=cell.id)


# --- what is served ---


def write_contents(folder):
    """The notebooks that run, and the data sets, which a notebook fetches when it first reads them."""
    for name, packages in NOTEBOOKS.items():
        notebook = browser_cut(nbformat.read(NOTEBOOKS_DIR / f"{name}.ipynb", 4), packages)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = linked(cell.source, name)
        path = folder / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        # As Jupyter's servers give it to JupyterLab: texts are not cut into lines, as nbformat.write would.
        path.write_text(json.dumps(notebook), encoding="utf-8")
    shutil.copytree(MAP.parent, folder / MAP.parent.name)
    (folder / "data").mkdir()
    for name in IDX_SHA256:
        shutil.copy(DATA_DIR / f"{name}.npz", folder / "data")


def write_wheel(folder, work):
    """utils with its small data as one wheel."""
    hidden = shutil.ignore_patterns("__pycache__", *(f"{name}.npz" for name in IDX_SHA256), "*.txt.xz")
    for part in ("utils", "data"):
        shutil.copytree(ROOT / part, work / part, ignore=hidden)
    (work / "pyproject.toml").write_text(PROJECT)
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, work)


def fetch_wheels(folder):
    """The wheels that Pyodide does not bring."""
    pure = ("--no-deps", "--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none")
    pip(
        "download",
        *pure,
        "--python-version=3.12",
        "--constraint",
        ROOT / "constraints.txt",
        "--dest",
        folder,
        *WHEELS,
    )


def pip(*words):
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *words, "--quiet"]
    if subprocess.run(command, check=False).returncode:
        raise OSError(5, f"{words[0]} failed, for the reason above", "pip")


def write_settings(lite, folder, pyodide):
    """The three files that JupyterLite reads."""
    kernel = {"disablePyPIFallback": True, "loadPyodideOptions": {"packages": AT_START}}
    kernel |= {} if pyodide else {"pyodideUrl": PYODIDE}
    settings = {
        "jupyter-lite.json": {
            "jupyter-lite-schema-version": 0,
            "jupyter-config-data": {
                "appName": "Dropout",
                "enableServiceWorkerCache": True,
                "litePluginSettings": {f"{KERNEL}:kernel": kernel},
            },
        },
        "overrides.json": {
            "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}
        },
        "jupyter_lite_config.json": {
            "LiteBuildConfig": {
                "output_dir": str(folder),
                "apps": ["lab"],
                "ignore_sys_prefix": ["federated_extensions"],
                "federated_extensions": [lab_extension(name) for name in EXTENSIONS],
                "no_sourcemaps": True,
                "no_unused_shared_packages": True,
            }
        },
    }
    for name, content in settings.items():
        (lite / name).write_text(json.dumps(content, indent=1))


def lab_extension(name):
    """The folder of an installed extension of JupyterLab."""
    found = [path for path in jupyter_path("labextensions", *name.split("/")) if os.path.isdir(path)]
    if not found:
        raise FileNotFoundError(2, "JupyterLab's extension is not installed", name)
    return found[0]


def main(arguments):
    if len(arguments) not in (1, 3) or arguments[1:2] not in ([], ["--pyodide"]):
        print(
            "course.py: live takes a folder, and after it --pyodide and the folder of Pyodide.",
            file=sys.stderr,
        )
        return 1
    folder, pyodide = Path(arguments[0]).resolve(), None
    if len(arguments) == 3:
        pyodide = Path(os.environ.get("COURSE_CALLER", "."), arguments[2]).resolve()
        if not (pyodide / "pyodide.js").exists():
            raise FileNotFoundError(2, "there is no pyodide.js", str(pyodide))
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        lite, wheel = Path(work, "lite"), Path(work, "wheel")
        (lite / "pypi").mkdir(parents=True)
        write_contents(lite / "files")
        write_wheel(lite / "pypi", wheel)
        fetch_wheels(lite / "pypi")
        if pyodide:
            shutil.copytree(pyodide, lite / "static/pyodide")
        write_settings(lite, folder, pyodide)
        command = [sys.executable, "-m", "jupyterlite_core", "build"]
        result = subprocess.run(command, cwd=lite, capture_output=True, text=True, check=False)
    if result.returncode:
        print(f"course.py: JupyterLite says: {result.stderr.strip()}", file=sys.stderr)
        return 1
    print(f"serve {folder} by any web server, such as `python3 -m http.server -d {folder}`")
    return 0


if __name__ == "__main__":
    sys.exit(or_one_sentence(main, sys.argv[1:]))
