"""The chapter table, once: for the README, for chapter 00 and for the teacher; and ways through the course.

    python3 course.py contents

Everything in it comes from the chapters themselves: the title, the promise (the paragraph after the title),
what the cell tagged `finding` prints, and minutes by one formula. Run All is timed by the last
`course.py notebooks` on two cores.
"""

import json
import re
import sys
import textwrap

import nbformat

from authoring.store import NOTEBOOKS_DIR, SECONDS, find_notebooks
from utils.data import written_whole
from utils.tables import Table

ROOT = NOTEBOOKS_DIR.parent
START, END = "<!-- {}: made by `course.py contents` -->", "<!-- end of {} -->"
TIME = re.compile(r"\*\*Time\*\* about \d+ minutes")
PREDICT = re.compile(r"\*\*Predict")
COLUMNS = {
    "promise": "what you do in it",
    "finding": "one finding",
    "minutes": "minutes",
    "seconds": "Run All, s",
}
# Ways through the course, and what stands behind their links.
PATHS = {
    "90 minutes": (("00", "02"), ""),
    "an evening": (("00", "01", "02", "08"), ""),
    "a weekend": (("00", "01", "02", "04", "07", "08", "09", "11", "12"), ""),
    "everything": (tuple(f"{number:02}" for number in range(17)), ""),
    "I have a bug": (("02", "04", "06"), "or 03, 05: *Traps*, and in 02 seventeen wrong dropouts"),
    "which p, and where": (("02", "08", "09"), "and 10 if there is batch norm"),
    "how sure is my net?": (("02", "11", "12"), ""),
    "DropPath, DropConnect and the like": (("02", "13"), ""),
    "checkpointing, `torch.compile`": (("02", "14"), ""),
    "transformers, fine-tuning": (("02", "04", "15"), ""),
    "is it off in what I deployed?": (("02", "04", "16"), "and its [page to paste](is_it_off.md)"),
}
TEACHER = ["I teach", "the [teacher's page](../teaching/README.md): 90 minutes, half a day, two days", ""]
# The map: where each chapter stands (column, row), and what leads to what.
PLACES = {
    "00": (0, 3), "01": (1, 3), "02": (2, 3), "03": (3, 0), "04": (3, 1), "05": (3, 2), "06": (4, 1),
    "07": (3, 3), "08": (3, 4), "09": (4, 4), "10": (5, 4), "11": (3, 5), "12": (4, 5), "13": (3, 6),
    "14": (3, 7), "15": (4, 2), "16": (4, 3),
}  # fmt: skip
ARROWS = {
    "00": ["01"], "01": ["02"], "02": ["03", "04", "05", "07", "08", "11", "13", "14"], "03": ["06"],
    "04": ["06", "15", "16"], "05": ["06"], "08": ["09"], "09": ["10"], "11": ["12"],
}  # fmt: skip
MAP = ROOT / "images/map.svg"
PAGES = ("notebooks/00_start_here.ipynb", "README.md", "teaching/README.md")


def describe(path):
    """What the table says about the chapter at `path`: a dict of strings and minutes."""
    notebook = nbformat.read(path, 4)
    head = notebook.cells[0].source
    title, promise = re.match(r"# (.+)\n\n(?:\[.*\n\n)?(.+)", head).groups()
    seconds = json.loads(SECONDS.read_text(encoding="utf-8")).get(path.name[:2], 0)
    return {
        "file": path.name,
        "title": title,
        "promise": promise,
        "finding": finding(notebook),
        "minutes": minutes(notebook, seconds),
        "seconds": seconds,
    }


def finding(notebook):
    """What the cell tagged `finding` prints, as one line; "" if there is none."""
    for cell in notebook.cells:
        if "finding" in cell.metadata.get("tags", []):
            return " ".join("".join(output.text for output in cell.outputs).split())
    return ""


def minutes(notebook, seconds):
    """Minutes for a chapter, to the next five: 200 words or 15 lines of code a minute, one minute for each
    prediction, four for each cell of your own, and Run All. Its notebook of exercises comes on top.
    """
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    own = [cell for cell in notebook.cells if "your-turn" in cell.metadata.get("tags", [])]
    lines = sum(len(cell.source.splitlines()) for cell in notebook.cells if cell.cell_type == "code")
    total = words(text) / 200 + lines / 15 + len(PREDICT.findall(text)) + 4 * len(own) + seconds / 60
    return max(5, 5 * round(total / 5))


def words(markdown):
    """Words that are read: without folded answers, code and link targets."""
    text = re.sub(r"<details>.*?</details>|```.*?```|\]\([^)]*\)", " ", markdown, flags=re.S)
    return len(re.findall(r"[^\W_]+(?:['’.-][^\W_]+)*", text))


def table(chapters, link, columns):
    """The Markdown table of the chapters; `link` is the way from its page to the notebooks."""
    rows = [[f"[{row['title']}]({link}{row['file']})", *(row[c] for c in columns)] for row in chapters]
    return Table(["chapter", *(COLUMNS[c] for c in columns)], rows)._repr_markdown_()


def paths(chapters):
    """The Markdown table of the ways through the course, for chapter 00."""
    found = {row["file"][:2]: row for row in chapters}
    rows = []
    for name, (numbers, note) in PATHS.items():
        links = " ".join(f"[{number}]({found[number]['file']})" for number in numbers)
        hours = sum(found[number]["minutes"] for number in numbers) / 60
        takes = f"{60 * hours:.0f} minutes" if hours < 2 else f"{hours:.0f} hours"
        rows.append([name, f"{links}, {note}" if note else links, takes])
    return Table(["you have, or want", "read", "takes"], [*rows, TEACHER])._repr_markdown_()


def draw_map(chapters):
    """The chapters as an SVG: a line leads from each to those on its right that build on it."""
    titles = {row["file"][:2]: row["title"] for row in chapters}
    wide, high, across, down = 148, 42, 176, 52
    corner = {number: (14 + across * x, 14 + down * y) for number, (x, y) in PLACES.items()}
    shapes = []
    for first, second in ((one, other) for one, later in ARROWS.items() for other in later):
        (x1, y1), (x2, y2) = corner[first], corner[second]
        x1, y1, y2 = x1 + wide, y1 + high / 2, y2 + high / 2
        turn = f"C{x1 + 14} {y1:g} {x2 - 14} {y2:g} {x2} {y2:g}"
        shapes.append(f'<path d="M{x1} {y1:g} {turn}" fill="none" stroke="#555" stroke-width="1.5"/>')
    for number, (x, y) in corner.items():
        lines = textwrap.wrap(titles[number], 19)
        shapes.append(
            f'<rect x="{x}" y="{y}" width="{wide}" height="{high}" rx="6" fill="#e8f1fa" stroke="#0072b2"/>'
        )
        for k, line in enumerate(lines):
            middle = y + high / 2 + 5 + 16 * (k - (len(lines) - 1) / 2)
            shapes.append(f'<text x="{x + wide / 2:g}" y="{middle:g}" text-anchor="middle">{line}</text>')
    width = max(x for x, _ in corner.values()) + wide + 14
    height = max(y for _, y in corner.values()) + high + 14
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
    style = 'font-family="DejaVu Sans, Liberation Sans, sans-serif" font-size="13" fill="#111"'
    ground = f'<rect width="{width}" height="{height}" fill="#fff"/>'
    return "\n".join([f"{head} {style}>", ground, *shapes, "</svg>", ""])


def filled(text, name, markdown):
    """The text with what stands between the markers of `name` replaced. ValueError unless both stand once."""
    start, end = START.format(name), END.format(name)
    pattern = re.compile(f"({re.escape(start)}\n).*?({re.escape(end)})", re.S)
    new, count = pattern.subn(lambda found: f"{found[1]}\n{markdown}\n\n{found[2]}", text)
    if count != 1:
        raise ValueError(f"the page needs the line {start} once, and {end} after it")
    return new


def pages():
    """{path: text}: the pages with their tables, each chapter with its minutes, and the map."""
    chapters = [describe(path) for path in find_notebooks([])]
    start, readme, teaching = (ROOT / name for name in PAGES)
    notebooks = {}
    for row in chapters:
        path = NOTEBOOKS_DIR / row["file"]
        notebooks[path] = notebook = nbformat.read(path, 4)
        head, count = TIME.subn(f"**Time** about {row['minutes']} minutes", notebook.cells[0].source)
        if count != 1:
            raise ValueError(f"{path.name} needs the words **Time** about NN minutes in its first cell, once")
        notebook.cells[0].source = head
    tables = {"chapters": table(chapters, "", ("promise", "minutes")), "paths": paths(chapters)}
    for name, markdown in tables.items():
        (cell,) = (cell for cell in notebooks[start].cells if START.format(name) in cell.source)
        cell.source = filled(cell.source, name, markdown)
    return {
        **{path: nbformat.writes(notebook) + "\n" for path, notebook in notebooks.items()},
        readme: filled(readme.read_text("utf-8"), "chapters", table(chapters, "notebooks/", list(COLUMNS))),
        teaching: filled(
            teaching.read_text("utf-8"), "chapters", table(chapters, "../notebooks/", ("minutes", "seconds"))
        ),
        MAP: draw_map(chapters),
    }


def main(words):
    if words:
        print("contents takes no words.", file=sys.stderr)
        return 1
    for path, text in pages().items():
        with written_whole(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
