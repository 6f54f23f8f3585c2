"""Write the modules of utils that chapters build, from the cells of those chapters.

    python3 course.py library

A cell tagged `export` goes into the module that its chapter builds, word for word, under the section of its
birth. Imports are those of the chapter that the code uses. So what later chapters import is what a reader has
seen being built.
"""

import ast
import re
import subprocess
import sys

import nbformat

from authoring.store import NOTEBOOKS_DIR, find_notebooks
from utils.data import written_whole

UTILS_DIR = NOTEBOOKS_DIR.parent / "utils"
# chapter: the module that it builds, and the module's first words.
MODULES = {
    "02": (
        "scratch",
        "Dropout and a multilayer perceptron in NumPy.\n\n"
        "p is the DROP probability everywhere. Arrays keep the dtype they come in (float32 or float64).",
    ),
    "04": (
        "torch_training",
        "Train and measure plain networks in PyTorch: tensors in memory, index batches, seeds.\n\n"
        "A run is a function of its arguments alone.",
    ),
    "06": (
        "parity",
        "The same net in NumPy, Keras, PyTorch and Gluon.\n\n"
        "The ..._pass functions take weights and dropout factors from outside, and return logits and\n"
        "gradients; the ..._net functions have the framework's own dropout. Weights travel as NumPy arrays\n"
        "in the layout of utils.scratch. A framework is imported when one of its functions is called.",
    ),
    "11": (
        "monte_carlo",
        "Monte Carlo dropout: every dropout of a net on, all else in eval mode, in three frameworks.\n\n"
        "Nets and inputs in, NumPy arrays of passes (T, n, ...) out.",
    ),
}


def read_chapter(chapter):
    """A chapter's notebook, with the cells of its appendices behind its own."""
    (path,) = find_notebooks([chapter])
    notebook = nbformat.read(path, 4)
    for appendix in sorted((NOTEBOOKS_DIR / "appendix").glob(f"{chapter}_*.ipynb")):
        notebook.cells += nbformat.read(appendix, 4).cells
    return notebook


def make_module(notebook, chapter):
    """The source of the module that a chapter builds. Raises ValueError if its code does not stand alone."""
    name, words = MODULES[chapter]
    parts, imports, section, told = [], {}, "", None
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            section = (re.findall(r"^#{2,3} (.+)$", cell.source, re.M) or [section])[-1]
        else:
            tree = ast.parse(cell.source)
            imports.update(bound_by_imports(tree))
            if "export" in cell.metadata.get("tags", []):
                if section != told:
                    parts.append(f"# --- built in chapter {chapter}, section {section} ---")
                parts.append(cell.source)
                told = section
    code = "\n\n\n".join(parts)
    lines = used_imports(ast.parse(code), imports, chapter)
    origin = f"Written by chapter {chapter}: change it there, then run `python3 course.py library`."
    head = f'"""{words}\n\n{origin}\n"""'
    return tidy("\n".join([head, *lines, code]) + "\n", name)


def bound_by_imports(tree):
    """{name: the import statement that binds it} of a cell."""
    bound = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                one = ast.unparse(type(node)(**{**vars(node), "names": [alias]}))
                bound[alias.asname or alias.name.split(".")[0]] = one
    return bound


def used_imports(tree, imports, chapter):
    """The import statements that the code needs, but not of what it defines or imports in its functions."""
    own = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    own |= {name.id for node in tree.body if isinstance(node, ast.Assign) for name in node.targets}
    own |= bound_by_imports(tree).keys()
    defined = set(dir(__builtins__) if not isinstance(__builtins__, dict) else __builtins__)
    used = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else defined).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            defined.add(node.name)
        elif isinstance(node, ast.arg):
            defined.add(node.arg)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            defined.add(node.name)
    missing = sorted(used - defined - own - imports.keys())
    if missing:
        raise ValueError(
            f"chapter {chapter} exports code that uses {', '.join(missing)}, which no exported cell defines"
        )
    return sorted({imports[name] for name in (used - own) & imports.keys()})


def tidy(source, name):
    """The source with its imports sorted and its lines as ruff breaks them."""
    for command in (("check", "--select", "I,F401", "--fix", "-q"), ("format", "-q")):
        result = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--stdin-filename", UTILS_DIR / f"{name}.py", "-"],
            input=source, capture_output=True, text=True, check=True, cwd=UTILS_DIR.parent,
        )  # fmt: skip
        source = result.stdout
    return source


def main(words):
    if words:
        print("library takes no words.", file=sys.stderr)
        return 1
    for chapter, (name, _) in MODULES.items():
        source = make_module(read_chapter(chapter), chapter)
        with written_whole(UTILS_DIR / f"{name}.py") as temporary:
            temporary.write_text(source, encoding="utf-8")
        print(f"utils/{name}.py from chapter {chapter}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
