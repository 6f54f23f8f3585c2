"""The claim table: what the source pages say, and what the chapters measured, on one page.

    python3 course.py claims

reads the verdict tables that the chapters have stored and writes notebooks/claims.md.
"""

import re
import sys
from collections import Counter

import nbformat

from authoring.store import NOTEBOOKS_DIR, find_notebooks
from utils.claims import CLAIMS as QUOTED
from utils.claims import HEADER, VERDICTS
from utils.data import written_whole

CLAIMS = NOTEBOOKS_DIR / "claims.md"
FIRST_LINE = f"| {' | '.join(HEADER)} |"
CELL = re.compile(r"(?<!\\)\|")
INTRO = """# What was claimed, what was measured

The course answers five public pages on dropout: a Keras notebook, the dropout chapter of a textbook (Dive
into Deep Learning), notes on batch norm, a PyTorch script, and a post on Monte Carlo dropout. Besides, one
sentence of PyTorch's documentation, and on language models a comment in nanoGPT and two abstracts. Here is
every claim of theirs that a chapter has put to the test. Each verdict follows by code from an interval, a
count or a proof; what its numbers measure, the chapter says. A claim with several intervals *holds* if it
does at each, *depends* if two of them lie on opposite sides of 0, and *does not hold* if it fails at one. The
chapters' own cells print these rows; this page only collects them (`python3 course.py claims`).
"""


def read_claims(path):
    """The rows (claim, in their words, verdict, measured) of the verdict tables stored in a notebook."""
    rows = []
    for cell in nbformat.read(path, 4).cells:
        for output in cell.get("outputs", []):
            lines = output.get("data", {}).get("text/markdown", "").splitlines()
            cells = [[part.strip() for part in CELL.split(line)[1:-1]] for line in lines[2:]]
            if lines and lines[0] == FIRST_LINE:
                rows += map(tuple, cells)
    return rows


def claims_page(paths):
    """The page as Markdown, from the notebooks at `paths`. A claim that is judged twice is an error."""
    claims = [(path, *row) for path in paths for row in read_claims(path)]
    count = Counter(claim[1] for claim in claims)
    twice = [name for name in QUOTED if count[name] > 1]
    if twice:
        raise ValueError(f"a claim is judged in one place, got more than one row for {', '.join(twice)}")
    counts = Counter(claim[3] for claim in claims)
    summary = ", ".join(f"*{verdict}* {counts[verdict]}" for verdict in VERDICTS)
    lines = [
        f"Of {len(claims)} claims: {summary}.\n",
        f"{FIRST_LINE} Chapter |",
        "| --- " * (len(HEADER) + 1) + "|",
        *(f"| {' | '.join(row)} | [{path.name[:2]}]({path.name}) |" for path, *row in claims),
    ]
    return INTRO + "\n" + "\n".join(lines) + "\n"


def main():
    with written_whole(CLAIMS) as temporary:
        temporary.write_text(claims_page(find_notebooks([])), encoding="utf-8")
    print(f"wrote {CLAIMS}")


if __name__ == "__main__":
    sys.exit(main())
