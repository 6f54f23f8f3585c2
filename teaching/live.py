"""Chapters that run in the page, with nothing to install: JupyterLite and Pyodide.

`python3 course.py live FOLDER` runs this. Any web server can serve the folder. Python comes to the browser
from Pyodide's public address; with `--pyodide COPY` from a copy of a release, for a class without network.

A cell that needs a framework is shown as it is stored, and so is every cell that needs it. So is one that
would take the browser longer than half a minute: it is tagged `slow-in-browser`, or runs a part of a long
experiment to compare it with the stored results. These results are then taken.

One setting, empty by default, names an address: COURSE_SITE is where the pages of `course.py site` will be.
Links to notebooks that do not run in a browser lead there; without it they are words.
"""

import argparse
import ast
import json
import os
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
from teaching.html import alt, or_one_sentence, relink
from utils.data import DATA_DIR, IDX_SHA256

ROOT = NOTEBOOKS_DIR.parent
# What runs there, and which of Pyodide's packages it needs besides those of the course's wheel. What draws
# figures is a third of all that a first visit fetches: 00 does without it up to its first widget.
CHAPTERS = ("01_overfitting", "02_dropout_from_scratch", "07_why_it_works")
TASKS = (*CHAPTERS, "12_is_it_calibrated", "13_relatives")
ROOMS = [f"{room}/{name}" for room in ("exercises", "solutions") for name in TASKS]
NOTEBOOKS = {
    "00_start_here": (),
    **dict.fromkeys([*CHAPTERS, *ROOMS], ("matplotlib", "scikit-learn")),
    "widgets_gallery": ("matplotlib", "scipy"),
}
FRAMEWORKS = {"torch", "keras", "tensorflow", "mxnet"}
# What of the course's own needs one of them.
NEED_FRAMEWORKS = {"load_keras", "load_mxnet", "EvalDetective"} | {
    f"utils.{name}" for name in ("monte_carlo", "runs", "sweep", "torch_training")
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
NOT_HERE = " (not in the browser)"
NOT_RUN = "*The browser shows the next cell as it is stored: {why}.*"


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
    notebook.metadata.kernelspec = {"display_name": "Pyodide", "language": "python", "name": "python"}
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
    given = {name.get_name() for name in whole.get_symbols() if name.is_assigned() or name.is_imported()}
    nodes = ast.walk(ast.parse(source))
    filled = re.findall(r"^ *(\w+)\[.*\] = ", source, re.M)
    read = [node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    needed = {name for name in global_names(whole) if read.count(name) > filled.count(name)} - given
    return given, set(filled), needed


def global_names(table):
    """The names of the notebook that a cell's symbol table and the scopes inside it read."""
    top = table.get_type() == "module"
    read = [name for name in table.get_symbols() if name.is_referenced() and (top or name.is_global())]
    return {name.get_name() for name in read}.union(*map(global_names, table.get_children()))


def as_text(cell, why):
    """A Markdown cell that shows a code cell and its stored outputs."""
    shown = [NOT_RUN.format(why=why), f"```python\n{cell.source}\n```"]
    for output in cell.outputs:
        data = output.get("data", {})
        if "image/png" in data:
            shown.append(f"![{alt(output)}](data:image/png;base64,{data['image/png'].strip()})")
        elif "text/markdown" in data:
            shown.append(data["text/markdown"])
        else:
            shown.append(f"```\n{output.get('text') or data.get('text/plain', '')}\n```")
    return new_markdown_cell("\n\n".join(shown), id=cell.id)


# --- what is served ---


def address(path, page):
    """Where a link to this page leads: to the notebook, if it runs here, or to the site, if there is one."""
    site = os.environ.get("COURSE_SITE", "").rstrip("/")
    return path if page in NOTEBOOKS else site and f"{site}/{page}.html"


def write_contents(folder):
    """The notebooks that run, and the data sets, which a notebook fetches when it first reads them."""
    for name, packages in NOTEBOOKS.items():
        notebook = browser_cut(nbformat.read(NOTEBOOKS_DIR / f"{name}.ipynb", 4), packages)
        relink(notebook, name, address, NOT_HERE)
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
    pure = ("--no-deps", "--platform=any", "--only-binary=:all:", "--python-version=3.12")
    pip("download", *pure, "--constraint", ROOT / "constraints.txt", "--dest", folder, *WHEELS)


def pip(*words):
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *words, "--quiet"]
    if subprocess.run(command, check=False).returncode:
        raise OSError(5, f"{words[0]} failed, for the reason above", "pip")


def settings(pyodide):
    """What JupyterLite reads; without a copy of Pyodide, with its public address."""
    kernel = {"disablePyPIFallback": True, "loadPyodideOptions": {"packages": AT_START}}
    kernel |= {} if pyodide else {"pyodideUrl": PYODIDE}
    plugins = {f"{KERNEL}:kernel": kernel}
    data = {"appName": "Dropout", "enableServiceWorkerCache": True, "litePluginSettings": plugins}
    return {"jupyter-lite-schema-version": 0, "jupyter-config-data": data}


def lab_extension(name):
    """The folder of an installed extension of JupyterLab."""
    found = [path for path in jupyter_path("labextensions", *name.split("/")) if os.path.isdir(path)]
    if not found:
        raise FileNotFoundError(2, "JupyterLab's extension is not installed", name)
    return found[0]


def main(arguments):
    parser = argparse.ArgumentParser("course.py live", usage=argparse.SUPPRESS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pyodide", type=Path)
    given = parser.parse_args(arguments)
    folder, pyodide = given.folder.resolve(), given.pyodide
    if pyodide:
        pyodide = Path(os.environ.get("COURSE_CALLER", "."), pyodide).resolve()
        if not (pyodide / "pyodide.js").exists():
            raise FileNotFoundError(2, "there is no pyodide.js", str(pyodide))
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        lite = Path(work, "lite")
        (lite / "pypi").mkdir(parents=True)
        write_contents(lite / "files")
        write_wheel(lite / "pypi", Path(work, "wheel"))
        fetch_wheels(lite / "pypi")
        if pyodide:
            shutil.copytree(pyodide, lite / "static/pyodide")
        (lite / "jupyter-lite.json").write_text(json.dumps(settings(pyodide)))
        build = {
            "output_dir": str(folder),
            "apps": ["lab"],
            "ignore_sys_prefix": ["federated_extensions"],
            "federated_extensions": [lab_extension(name) for name in EXTENSIONS],
            "no_sourcemaps": True,
            "no_unused_shared_packages": True,
        }
        (lite / "jupyter_lite_config.json").write_text(json.dumps({"LiteBuildConfig": build}))
        command = [sys.executable, "-m", "jupyterlite_core", "build"]
        result = subprocess.run(command, cwd=lite, capture_output=True, text=True, check=False)
    if result.returncode:
        print(f"course.py: JupyterLite says: {result.stderr.strip()}", file=sys.stderr)
        return 1
    page = folder / "lab" / "index.html"
    style = (ROOT / "config/custom/custom.css").read_text("utf-8")  # a folded output covers its answer
    page.write_text(page.read_text("utf-8").replace("</head>", f"<style>{style}</style></head>", 1), "utf-8")
    print(f"serve {folder} by any web server, such as `python3 -m http.server -d {folder}`")
    return 0


if __name__ == "__main__":
    sys.exit(or_one_sentence(main, sys.argv[1:]))
