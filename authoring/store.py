"""Run chapters from the top in a fresh kernel and store them with their outputs.

`python3 course.py notebooks [NN ...]` runs this. A notebook that fails is left as it was.
"""

import json
import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets.config import Config

from authoring.freshness import stamp
from utils.data import written_whole

NOTEBOOKS_DIR = Path(__file__).resolve().parent.parent / "notebooks"
SECONDS = Path(__file__).resolve().parent / "seconds.json"  # of Run All, by chapter, as last stored
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
# What other tools read of a notebook: its kernel and, for nbconvert, jupytext and coloured diffs, its
# language. The kernel adds its version, which would differ from machine to machine.
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}


def find_notebooks(numbers, directory=NOTEBOOKS_DIR):
    """Paths of the chapters whose names start with the given numbers ("03"), or of all. In order."""
    paths = sorted(directory.glob("[0-9][0-9]_*.ipynb"))
    for number in numbers:
        if not any(path.name.startswith(f"{number}_") for path in paths):
            raise ValueError(f"no chapter {number!r}: there are {', '.join(p.name[:2] for p in paths)}")
    return [path for path in paths if not numbers or path.name[:2] in numbers]


def store(path, timeout=3600):
    """Execute the notebook at `path` and write it back, outputs included. Returns the seconds it took.

    Widget state and views are removed (PNG and text stay): they are large, and stale without a kernel.
    Raises CellExecutionError, and leaves the file alone, if a cell fails or writes to stderr.
    """
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata = nbformat.from_dict(METADATA)
    # nbval's own setting: libraries behave here as they do when the stored outputs are compared.
    os.environ["PYTEST_CURRENT_TEST"] = "store"
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    start = time.perf_counter()
    NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        # Encrypted, or the kernel warns in the terminal that it speaks plain text.
        config=Config(KernelManager={"transport_encryption": "auto"}),
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
        coalesce_streams=True,  # else it is chance whether two prints are one output or two
        store_widget_state=False,
    ).execute()
    seconds = time.perf_counter() - start
    clean(notebook, path.name)
    cover_predictions(notebook)
    fold_course_versions(notebook)
    write(notebook, path)
    return seconds


def write(notebook, path):
    """Write `notebook` to `path`, all of it or nothing."""
    with written_whole(path) as temporary:
        nbformat.write(notebook, temporary)


def cover_predictions(notebook):
    """Store what would give an answer away with its output collapsed.

    That is the answer to each "Predict", and the picture of a slider below it. The slider itself asks, and
    covers its picture until it has a guess.
    """
    asked = below_slider = False
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            asked = "**Predict" in cell.source
        elif cell.outputs:
            slider = is_slider(cell)
            if (asked and not slider) or (below_slider and ".figure()" in cell.source):
                cell.metadata.setdefault("jupyter", {})["outputs_hidden"] = True
            asked, below_slider = False, slider


def fold_course_versions(notebook):
    """Store the course's version of what a learner writes with its source collapsed."""
    for cell in notebook.cells:
        if "course-version" in cell.metadata.get("tags", []):
            cell.metadata.setdefault("jupyter", {})["source_hidden"] = True


def is_slider(cell):
    return any(o.get("data", {}).get("text/plain", "").startswith("[slider]") for o in cell.outputs)


def clean(notebook, name):
    """Remove what a stored notebook must not hold; refuse one that printed to stderr."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for index, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                raise ValueError(f"{name}, cell {index} writes to stderr: {output.text}")
            output.get("data", {}).pop(WIDGET_VIEW, None)


def note_seconds(path, seconds):
    """Keep how long Run All of a chapter took, for the chapter table."""
    known = json.loads(SECONDS.read_text(encoding="utf-8"))
    known[path.name[:2]] = round(seconds)
    with written_whole(SECONDS) as temporary:
        temporary.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n", encoding="utf-8")


def main(numbers):
    total = 0.0
    try:
        for path in find_notebooks(numbers):
            print(f"{path.name:<36}", end="", flush=True)
            seconds = store(path)
            if os.environ.get("COURSE_FULL") == "1":
                stamp(nbformat.read(path, 4), path.stem)
            else:
                note_seconds(path, seconds)
            total += seconds
            print(f"{seconds:6.1f} s  {path.stat().st_size / 1e6:.2f} MB", flush=True)
    except (CellExecutionError, ValueError, OSError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    print(f"{'all':<36}{total:6.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
