"""Is a stored result what today's code would give? A hash of the code that made it says so.

Cells tagged `experiment` define what `course.py full NN` runs. The hash is over these cells and over every
function and constant of utils that they reach, without comments and docstrings: a better word in a docstring
changes nothing, another learning rate does.
"""

import ast
import hashlib
import json
import platform
from datetime import date
from functools import cache
from importlib import metadata
from pathlib import Path

from utils.data import written_whole
from utils.measured import RESULTS_DIR

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("numpy", "scipy", "scikit-learn", "torch", "keras", "tensorflow-cpu", "tensorflow", "mxnet")


def stamp(notebook, name, directory=RESULTS_DIR):
    """Write into the stored result `name` when, with which versions and by which code it was made."""
    note(name, directory, lambda results: results.update(made=today(notebook)))


def confirm(notebook, name, directory=RESULTS_DIR):
    """Write into the stored result `name` that today's code gave the part of it that the chapter runs."""
    note(name, directory, lambda results: results["made"].update(confirmed=today(notebook)))


def note(name, directory, change):
    path = directory / f"{name}.json"
    results = json.loads(path.read_text(encoding="utf-8"))
    change(results)
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def today(notebook):
    return {"date": str(date.today()), "by": versions(), "code": code_hash(notebook)}


def versions():
    """{package: version} of what is installed here, and Python's."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def code_hash(notebook):
    """The hash of a notebook's experiment: hexadecimal, 16 digits. Raises ValueError if no cell is tagged."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    tagged = [ast.parse(cell.source) for cell in cells if "experiment" in cell.metadata.get("tags", [])]
    if not tagged:
        raise ValueError("a notebook with stored results needs cells tagged `experiment`")
    bound = {}
    for cell in cells:
        bound.update(bound_to_utils(ast.parse(cell.source)))
    parts = [canonical(tree) for tree in tagged]
    parts += sorted(reach(names_in(tagged, bound)))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def canonical(tree):
    """A syntax tree as text without comments and docstrings, the same from every Python.

    `ast.unparse` quotes otherwise from version to version, and `ast.dump` shows other empty fields; Python
    3.12.1 puts an empty text behind the braces of a format.
    """
    if isinstance(tree, list):
        return f"[{', '.join(map(canonical, tree))}]"
    if not isinstance(tree, ast.AST):
        return repr(tree)
    fields = {name: value for name, value in ast.iter_fields(tree) if value is not None and value != []}
    if isinstance(tree, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(tree) is not None:
        fields["body"] = tree.body[1:]
    if isinstance(tree, ast.JoinedStr):
        fields["values"] = [part for part in tree.values if getattr(part, "value", None) != ""]
    return (
        f"{type(tree).__name__}({', '.join(f'{name}={canonical(fields[name])}' for name in sorted(fields))})"
    )


def bound_to_utils(tree):
    """{name: (module, name in it, or None for the module itself)} of a tree's imports from utils."""
    bound = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "utils":
            bound.update({alias.asname or alias.name: (alias.name, None) for alias in node.names})
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("utils."):
            module = node.module.removeprefix("utils.")
            bound.update({alias.asname or alias.name: (module, alias.name) for alias in node.names})
    return bound


def names_in(trees, bound):
    """The (module, name) pairs of utils that the trees use."""
    found = set()
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                module, name = bound.get(node.value.id, (None, ""))
                if module and name is None:
                    found.add((module, node.attr))
            elif isinstance(node, ast.Name) and bound.get(node.id, (None, None))[1]:
                found.add(bound[node.id])
    return found


def reach(wanted):
    """The canonical sources of definitions of utils, and of all that they use in turn."""
    done, todo = set(), list(wanted)
    while todo:
        module, name = todo.pop()
        definitions, bound = read_module(module)
        if (module, name) not in done and name in definitions:
            done.add((module, name))
            tree = definitions[name]
            todo += names_in([tree], bound)
            todo += [
                (module, node.id)
                for node in ast.walk(tree)
                if isinstance(node, ast.Name) and node.id in definitions
            ]
    return {f"{module}: {canonical(read_module(module)[0][name])}" for module, name in done}


@cache
def read_module(module):
    """(definitions, imports) of a module of utils: {name: syntax tree}, {name: (module, name)}."""
    path = ROOT / "utils" / f"{module.replace('.', '/')}.py"
    if not path.exists():
        return {}, {}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    definitions = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            definitions[node.name] = node
        elif isinstance(node, ast.Assign):
            definitions.update({t.id: node for t in node.targets if isinstance(t, ast.Name)})
    return definitions, bound_to_utils(tree)
