"""What a student handed in: found, read, and laid beside what was handed out.

Whatever can be understood in one way only is repaired, and the repair said; all else raises Unmarkable.
"""

import ast
import codecs
import itertools
import json
import os
import re
import shutil
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell
from nbgrader.utils import is_grade, is_solution, parse_utc

LARGEST = 100_000_000  # bytes of a notebook, and of all files beside it; nbgrader's own limit
CHECK = re.compile(r"""\bcheck\(\s*["'](\w+)["']""")
BYTE_ORDER_MARKS = {  # the longer ones first
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
NO_NOTEBOOK = ((rb"PK\x03\x04", "a ZIP archive"), (rb"%PDF", "a PDF"), (rb"<(!doctype|html)", "a web page"))


class Unmarkable(Exception):
    """Why a submission cannot be marked, in a few words."""


class Submission(NamedTuple):
    """The notebook to mark, made from the one at `path`; how many of its tasks are answered; what was
    repaired."""

    path: Path
    notebook: nbformat.NotebookNode
    answered: int
    tasks: int
    repairs: list


class Cell(NamedTuple):
    """A cell as handed in. `name` is its nbgrader name, `id` its notebook id; both may be missing ("")."""

    kind: str
    source: str
    name: str
    id: str
    attachments: dict

    @property
    def check(self):
        """The name of the check that it calls, or ""."""
        found = CHECK.search(self.source) if self.kind == "code" else None
        return found[1] if found else ""


# --- finding ---


def students_of(submitted, assignment, assignments):
    """Names of all who handed in something, in order; and files that lie in no student's folder."""
    folders = [path for path in _visible(submitted) if path.is_dir()]
    students = {path.name for path in folders if path.name not in assignments}
    swapped = _visible(submitted / assignment)  # assignment/student instead of student/assignment
    students |= {path.name for path in swapped if path.is_dir()}
    stray = [path for path in (*_visible(submitted), *swapped) if path.suffix == ".ipynb" and path.is_file()]
    return sorted(students), stray


def find_notebooks(submitted, student, assignment, assignments):
    """The files that may be the student's notebook, from the first place that has some, or [].

    The place is student/assignment; else below it; else with the two swapped; else the student's folder.

    Raises
    ------
    Unmarkable
        There is a folder for the assignment, and no notebook in it or elsewhere.
    """
    folder, swapped, own = (
        submitted / student / assignment,
        submitted / assignment / student,
        submitted / student,
    )
    for place, deep in ((folder, False), (folder, True), (swapped, True), (own, False), (own, True)):
        files = list(_files(place, deep, set() if place == folder else assignments))
        for suffix in (".ipynb", (".ipynb.txt", ".ipynb.json", ".json")):
            found = [path for path in files if path.name.lower().endswith(suffix)]
            if found:
                return found
    for place in (folder, swapped):
        if place.is_dir():
            names = ", ".join(sorted(path.name for path in _files(place, True, set())))
            raise Unmarkable(f"no notebook in its folder{': ' + names if names else ', which is empty'}")
    return []


def _visible(folder):
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not path.name.startswith((".", "__MACOSX")))


def _files(folder, deep, leave_out):
    """The files in `folder`, no links; if `deep` also those below it, outside the folders to leave out."""
    for path in _visible(folder):
        if path.is_symlink():
            continue
        if path.is_file():
            yield path
        elif deep and path.is_dir() and path.name not in leave_out:
            yield from _files(path, deep, leave_out)


# --- reading ---


def read(path):
    """(cells, repairs) of the notebook at `path`.

    Raises
    ------
    Unmarkable
        It is no notebook.
    """
    size = path.stat().st_size
    if size > LARGEST:
        raise Unmarkable(
            f"the file has {size / 1e6:.0f} MB, allowed are {LARGEST / 1e6:.0f}: save it without outputs"
        )
    raw = path.read_bytes()
    if not raw.strip(b"\0 \t\r\n"):
        raise Unmarkable("the file is empty")
    for start, kind in NO_NOTEBOOK:
        if re.match(start, raw.lstrip(), re.IGNORECASE):
            raise Unmarkable(f"the file is {kind}, not a notebook")
    text, repairs = decode(raw)
    try:
        data = json.loads(text, strict=False)
    except json.JSONDecodeError as error:
        if "<<<<<<<" in text and ">>>>>>>" in text:
            raise Unmarkable("the file holds both sides of a git merge") from None
        raise Unmarkable(f"the file is no JSON: {error.msg} in line {error.lineno}") from None
    except RecursionError:
        raise Unmarkable("the file is no notebook: its brackets are nested too deeply") from None
    sheets = _dict(data).get("worksheets")  # of notebook formats before 4
    if isinstance(sheets, list):
        data["cells"] = [cell for sheet in sheets for cell in _dict(sheet).get("cells", [])]
        repairs.append("an old notebook format")
    if not isinstance(_dict(data).get("cells"), list):
        raise Unmarkable("the file is JSON, but no notebook: it has no cells")
    language = _dict(_dict(data.get("metadata")).get("kernelspec")).get("language", "python")
    if str(language).lower() not in ("python", "ipython"):
        repairs.append(f"kernel for {language}: run with Python")
    return [_cell(item) for item in data["cells"] if isinstance(item, dict)], repairs


def decode(raw):
    """(text, repairs) of the bytes of a file that should be UTF-8."""
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if raw.startswith(mark):
            repairs = [] if encoding == "utf-8-sig" else [f"encoding {encoding}"]
            return raw.decode(encoding, "replace"), [*repairs, "a byte order mark"]
    try:
        return raw.decode("utf-8"), []
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace"), ["encoding Windows-1252"]


def _dict(value):
    return value if isinstance(value, dict) else {}


def _cell(item):
    source = item.get("source", item.get("input", ""))
    source = "".join(map(str, source)) if isinstance(source, list) else str(source or "")
    # Lone surrogates, which JSON can hold and UTF-8 cannot, would stop nbgrader when it writes.
    source = source.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode("utf-8")
    kind = item.get("cell_type")
    if kind == "heading":  # of notebook formats before 4
        kind, source = "markdown", "#" * int(item.get("level", 1)) + " " + source
    name = _dict(_dict(item.get("metadata")).get("nbgrader")).get("grade_id")
    return Cell(
        kind if kind in ("code", "markdown") else "raw",
        source,
        name if isinstance(name, str) else "",
        item["id"] if isinstance(item.get("id"), str) else "",
        _dict(item.get("attachments")),
    )


# --- choosing ---


def choose(paths, release, name):
    """The Submission that `paths` hold, of the assignment with notebook `release` called `name`.

    Raises
    ------
    Unmarkable
        No file is this assignment's notebook, or several are and nothing tells which one counts.
    """
    found, reasons = [], {}
    for path in sorted(paths):
        try:
            cells, repairs = read(path)
            if not belongs(cells, release):
                raise Unmarkable(f"none of the tasks of {name} is in it: another notebook?")
            notebook, answered, more = align(cells, release)
            found.append(Submission(path, notebook, answered, count_tasks(release), [*repairs, *more]))
        except Unmarkable as reason:
            reasons[path.name] = str(reason)
    if not found:
        alone = len(reasons) == 1
        raise Unmarkable("; ".join(text if alone else f"{file}: {text}" for file, text in reasons.items()))
    answered = [one for one in found if one.answered] or found[:1]
    named = [one for one in answered if one.path.name == f"{name}.ipynb"]
    if len({str(answers(one.notebook)) for one in answered}) == 1:
        chosen = (named or answered)[0]
    elif named:
        chosen = named[0]
    else:
        raise Unmarkable(
            "several notebooks with different answers: " + ", ".join(one.path.name for one in answered)
        )
    aside = sorted({one.path.name for one in found} - {chosen.path.name} | set(reasons))
    repairs = [f"the file is called {chosen.path.name}"] if chosen.path.name != f"{name}.ipynb" else []
    repairs += [f"left aside: {', '.join(aside)}"] if aside else []
    return chosen._replace(repairs=[*repairs, *chosen.repairs])


def belongs(cells, release):
    """True if most names of tasks in these cells are the release's."""
    ours = _names(_cell(cell) for cell in release.cells)
    names = _names(cells)
    return 2 * len(names & ours) > len(names)


def _names(cells):
    return {name for cell in cells for name in (cell.name.removesuffix("-check"), cell.check) if name}


def answers(notebook):
    """Source of each answer cell, by name."""
    return {c.metadata.nbgrader.grade_id: tidy(c.source) for c in notebook.cells if is_solution(c)}


def count_tasks(release):
    """How many cells are to be answered."""
    return sum(map(is_solution, release.cells))


# --- laying it beside what was handed out ---


def align(cells, release):
    """(notebook, answered, repairs): the release's cells with the student's answers in them, in the release's
    order, and the student's own cells where they stood.

    What is not an answer is put back as it was handed out. A code cell that was changed (an import more) runs
    after its original.
    """
    matches = match(cells, release)
    places = range(len(release.cells))
    copies = {place: [] for place in places}
    own = {place: [] for place in (-1, *places)}
    last = -1
    for cell, place in zip(cells, matches, strict=True):
        if place is None:
            own[last].append(cell)
        else:
            copies[place].append(cell)
            last = place
    known = [place for place in matches if place is not None]
    repairs = [] if known == sorted(known) else ["cells in order again"]
    made, filled, adopted = [], {}, []
    for place in (-1, *places):
        if place in copies and place not in filled:
            filled[place] = fill(release.cells[place], copies[place])
            made += filled[place].cells
        # After a cell that the student has, some may be missing: the student's own cells may stand for them.
        gap = missing_from(place + 1, copies) if place == -1 or copies[place] else []
        adopted += adopt(own[place], gap, release, copies)
        for missing in gap:  # before the student's own cells; a check comes after them
            if release.cells[missing].cell_type == "code" and not is_check(release.cells[missing]):
                filled[missing] = fill(release.cells[missing], copies[missing])
                made += filled[missing].cells
        made += map(own_cell, own[place])
    for place in places:
        if place in adopted:
            repairs.append(f"{label(release.cells[place])} known by its place")
        else:
            repairs += filled[place].repairs
    restored = [label(release.cells[place]) for place in places if filled[place].restored]
    if restored:
        repairs.append(f"put back: {', '.join(restored)}")
    for number, cell in enumerate(made):
        cell.id = f"cell{number}"
    answered = sum(one.answered for one in filled.values())
    return new_notebook(cells=made, metadata=release.metadata), answered, repairs


def match(cells, release):
    """For each cell the place of its original in the release, or None: by its nbgrader name, else by its id,
    else by the check that it calls, else by its text."""
    originals = [_cell(cell) for cell in release.cells]

    def place_by(key):
        return {key(cell): place for place, cell in enumerate(originals) if key(cell)}

    keys = (
        lambda cell: cell.name,
        lambda cell: cell.id,
        lambda cell: cell.check,
        lambda cell: (cell.kind, tidy(cell.source)) if cell.source.strip() else None,
    )
    places = [(key, place_by(key)) for key in keys]
    return [next((found[key(c)] for key, found in places if key(c) in found), None) for c in cells]


class Filled(NamedTuple):
    """The cells that stand for one of the release."""

    cells: list
    answered: bool = False
    restored: bool = False
    repairs: tuple = ()


def fill(original, copies):
    """What stands in the place of `original`, of which the student has these `copies`."""
    stub, name = tidy(original.source), label(original)
    changed = [copy for copy in copies if tidy(copy.source) != stub]
    if not is_solution(original):
        if original.cell_type != "code":
            return Filled([own_cell(copy._replace(kind="markdown")) for copy in copies] or [keep(original)])
        if not is_check(original):
            return Filled([keep(original), *map(own_cell, changed)], restored=bool(changed) or not copies)
        changed = [copy for copy in changed if more_than_check(copy)]  # an answer was written into it
        return Filled([*map(own_cell, changed), keep(original)], restored=bool(changed) or not copies)
    if not changed:
        return Filled([keep(original)], restored=not copies)
    answer = keep(original)
    repairs = [f"{len(copies)} cells {name} made one"] if len(copies) > 1 else []
    if original.cell_type == "markdown":
        answer.source = "\n\n".join(dict.fromkeys(copy.source for copy in changed))
        attachments = {key: value for copy in changed for key, value in copy.attachments.items()}
        if attachments:
            answer.attachments = nbformat.from_dict(attachments)
        return Filled([answer], True, repairs=repairs)
    answer.source = changed[-1].source  # the last one counts, as it did for the student
    if changed[-1].kind != "code":
        repairs.append(f"{name} is code again")
    return Filled([*map(own_cell, changed[:-1]), answer], True, repairs=repairs)


def adopt(own, gap, release, copies):
    """Where one answer cell is missing, the student's own cells in its place are it: move them to `copies`.

    Returns the places of such answers.
    """
    adopted = []
    for kind in ("code", "markdown"):
        missing = [p for p in gap if is_solution(release.cells[p]) and release.cells[p].cell_type == kind]
        found = [cell for cell in own if cell.kind == kind and cell.source.strip()]
        if len(missing) == 1 and found:
            copies[missing[0]] += found
            own[:] = [cell for cell in own if cell.kind != kind]
            adopted += missing
    return adopted


def missing_from(start, copies):
    """The places from `start` on of which the student has no cell, up to the first that they have."""
    return list(itertools.takewhile(lambda place: not copies[place], range(start, len(copies))))


def tidy(source):
    """`source` without what nobody sees: spaces at the ends of lines, empty lines around."""
    return "\n".join(line.rstrip() for line in source.strip().splitlines())


def is_check(cell):
    return is_grade(cell) and not is_solution(cell)


def label(cell):
    """What to call a cell of the release in a sentence."""
    tags = cell.metadata.get("tags", [])
    named = cell.metadata.get("nbgrader", {}).get("grade_id") or (tags[0] if tags else "")
    return named or cell.source.strip().split("\n")[0][:30]


def more_than_check(copy):
    """True if a changed check cell holds code besides calls of check."""
    try:
        statements = ast.parse(copy.source).body
    except (SyntaxError, ValueError, RecursionError):
        return True
    return not all(CHECK.search(ast.unparse(one)) for one in statements)


def keep(original):
    return nbformat.from_dict(original)


def own_cell(cell):
    """A cell of the student's own, without any metadata."""
    make = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}[cell.kind]
    made = make(cell.source)
    if cell.kind == "markdown" and cell.attachments:
        made.attachments = nbformat.from_dict(cell.attachments)
    return made


# --- the folder to mark ---


def prepare(submission, name, folder, assignments):
    """Write the Submission into the empty `folder`, with the files beside it; return further repairs."""
    repairs, total = [], 0
    folder.mkdir(parents=True)
    source = submission.path.parent
    for path in _files(source, True, assignments):
        if path.suffix.lower() == ".ipynb":
            continue
        total += path.stat().st_size
        if total > LARGEST:
            repairs.append(f"files of more than {LARGEST / 1e6:.0f} MB left aside")
            break
        target = folder / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
        os.chmod(target, 0o644)
    timestamp = folder / "timestamp.txt"
    if timestamp.exists():
        try:
            parse_utc(timestamp.read_text(encoding="utf-8").strip())
        except (ValueError, OverflowError):
            timestamp.unlink()
            repairs.append("timestamp.txt cannot be read")
    nbformat.write(submission.notebook, folder / f"{name}.ipynb")
    return repairs
