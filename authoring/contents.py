"""The chapter table, once: for the README, for chapter 00 and for the teacher.

    python3 course.py contents

Everything in it comes from the chapters themselves: the title, the promise (the paragraph after the title),
what the cell tagged `finding` prints, and minutes by one formula. Run All is timed by the last
`course.py notebooks` on two cores.
"""

import json
import re
import sys

import nbformat

from authoring.store import NOTEBOOKS_DIR, SECONDS, find_notebooks
from utils.data import written_whole
from utils.tables import Table

ROOT = NOTEBOOKS_DIR.parent
START, END = "<!-- chapters: made by `course.py contents` -->", "<!-- end of chapters -->"
TIME = re.compile(r"\*\*Time\*\* about \d+ minutes")
PREDICT = re.compile(r"\*\*Predict")
COLUMNS = {
    "promise": "what you do in it",
    "finding": "one finding",
    "minutes": "minutes",
    "seconds": "Run All, s",
}
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


def with_table(text, markdown):
    """The text with what stands between its two markers replaced. ValueError if it has not both, once."""
    pattern = re.compile(f"({re.escape(START)}\n).*?({re.escape(END)})", re.S)
    new, count = pattern.subn(lambda found: f"{found[1]}\n{markdown}\n\n{found[2]}", text)
    if count != 1:
        raise ValueError(f"the page needs the line {START} once, and {END} after it")
    return new


def pages():
    """{path: text}: the three pages with the table, and each chapter with its minutes, as they should be."""
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
    (cell,) = (cell for cell in notebooks[start].cells if START in cell.source)
    cell.source = with_table(cell.source, table(chapters, "", ("promise", "minutes")))
    return {
        **{path: nbformat.writes(notebook) + "\n" for path, notebook in notebooks.items()},
        readme: with_table(readme.read_text("utf-8"), table(chapters, "notebooks/", list(COLUMNS))),
        teaching: with_table(
            teaching.read_text("utf-8"), table(chapters, "../notebooks/", ("minutes", "seconds"))
        ),
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
