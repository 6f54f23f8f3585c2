"""The claim table: what the five source pages say, and what the chapters measured, on one page.

    python3 course.py claims

reads the verdict tables that the chapters have stored and writes notebooks/claims.md.
"""

import re
import sys

import nbformat

from authoring.store import NOTEBOOKS_DIR, find_notebooks
from utils.data import written_whole
from utils.tables import PAGES, VERDICTS

CLAIMS = NOTEBOOKS_DIR / "claims.md"
HEADER = re.compile(r"\| What (.+) says \| Verdict \| What we measured \|")
CELL = re.compile(r"(?<!\\)\|")
NAMED = re.compile(r"(.+) \((" + "|".join(PAGES) + r")\)")
OTHERS = "other sources"
INTRO = """# What was claimed, what was measured

The course answers five public pages on dropout. Here is every claim of theirs that a chapter has put to
the test, with its verdict and the number behind it. The chapters' own cells print these rows; this page
only collects them (`python3 course.py claims`).
"""


def read_claims(path):
    """The rows (page, claim, verdict, measured) of the verdict tables stored in a notebook, as Markdown."""
    rows = []
    for cell in nbformat.read(path, 4).cells:
        for output in cell.get("outputs", []):
            lines = output.get("data", {}).get("text/markdown", "").splitlines()
            header = HEADER.fullmatch(lines[0]) if lines else None
            if header:
                cells = [[part.strip() for part in CELL.split(line)[1:-1]] for line in lines[2:]]
                rows += [(*_page_and_claim(header[1], claim), *rest) for claim, *rest in cells]
    return rows


def _page_and_claim(header, claim):
    """A table that answers several pages names each claim's page in brackets behind it."""
    named = NAMED.fullmatch(claim)
    return (named[2], named[1]) if named else (header, claim)


def claims_page(paths):
    """The page as Markdown, from the notebooks at `paths`. A page of claims without a row is an error."""
    claims = [(path, *row) for path in paths for row in read_claims(path)]
    parts = [INTRO, _summary(claims)]
    for page in (*PAGES, OTHERS):
        chosen = [claim for claim in claims if claim[1] == page or (page == OTHERS and claim[1] not in PAGES)]
        if not chosen and page in PAGES:
            raise ValueError(f"no chapter holds a claim of {page}")
        if chosen:
            parts.append(f"## {page[0].upper()}{page[1:]}\n\n{_table(chosen)}")
    return "\n".join(parts)


def _summary(claims):
    counts = ", ".join(f"{sum(claim[3] == verdict for claim in claims)} {verdict}" for verdict in VERDICTS)
    return f"Of {len(claims)} claims: {counts}.\n"


def _table(claims):
    lines = ["| claim | verdict | what we measured | chapter |", "| --- | --- | --- | --- |"]
    for path, _, claim, verdict, measured in claims:
        lines.append(f"| {claim} | {verdict} | {measured} | [{path.name[:2]}]({path.name}) |")
    return "\n".join(lines) + "\n"


def main():
    with written_whole(CLAIMS) as temporary:
        temporary.write_text(claims_page(find_notebooks([])), encoding="utf-8")
    print(f"wrote {CLAIMS}")


if __name__ == "__main__":
    sys.exit(main())
