"""Read a chapter where its framework is absent: cells show their stored outputs instead of running."""

import json
from pathlib import Path

from IPython import get_ipython
from IPython.display import display

from utils.frameworks import absence, available

NOTEBOOKS_DIR = Path(__file__).resolve().parent.parent / "notebooks"


def replay_without(package, notebook, directory=NOTEBOOKS_DIR):
    """Call this in the first cell of a chapter that needs `package`.

    Where the package is installed nothing happens. Where it is absent, one sentence says so, and every
    later cell shows the outputs that the file `notebook` stores for it, so that the chapter can still
    be read from top to bottom. Cells that the reader adds or changes do nothing, and say so.
    """
    if available(package):
        return
    stored = stored_outputs(directory / notebook)
    if any(stored.values()):
        print(absence(package) + " Below, every cell shows its stored output instead of running.")
    else:
        print(
            absence(package) + f" The stored outputs of {notebook} were cleared, so there is nothing to "
            f"show: restore them with `git checkout -- notebooks/{notebook}`."
        )
    shell = get_ipython()
    shell.user_ns["show_stored_outputs"] = lambda source: show(stored.get(source))

    def transform(lines):
        return [f"show_stored_outputs({''.join(lines).strip()!r})\n"]

    # Cleanup transformers see a cell as it was typed, before %magics become Python.
    shell.input_transformers_cleanup.append(transform)


def stored_outputs(path):
    """{source: outputs} of the code cells of the notebook at `path`."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return {"".join(cell["source"]).strip(): cell["outputs"] for cell in cells if cell["cell_type"] == "code"}


def show(outputs):
    """Print or display stored outputs; None stands for a cell that the stored chapter does not have."""
    if outputs is None:
        print("This cell is not part of the stored chapter, so there is nothing to show.")
        return
    for output in outputs:
        if output["output_type"] == "stream":
            print("".join(output["text"]), end="")
        elif output["output_type"] == "error":
            print(f"{output['ename']}: {output['evalue']}")
        else:
            data = {
                mime: "".join(text) if isinstance(text, list) else text
                for mime, text in output["data"].items()
            }
            display(data, raw=True, metadata=output["metadata"])
