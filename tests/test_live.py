"""Notebooks that run in a browser: what is cut, what is served; `course.py test --live` runs all of them."""

import ast
import contextlib
import functools
import gzip
import http.server
import json
import os
import re
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import nbformat
import pytest
from browser import CHROMIUM_FLAGS, NOTHING_RUNS, ROOT, wait_for
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from playwright.sync_api import sync_playwright
from pyodide_copy import fetch

from authoring.store import NOTEBOOKS_DIR
from conftest import without_digits
from teaching import live
from utils import environment

# --- the cut ---


def cut(*sources, slow=()):
    """{source: "run" or the text that is shown instead} of cells with an output each."""
    cells = [new_code_cell(source, outputs=[new_output("stream", text="out")]) for source in sources]
    for number in slow:
        cells[number].metadata.tags = ["slow-in-browser"]
    notebook = live.browser_cut(new_notebook(cells=cells), ("matplotlib",))
    return ["run" if cell.cell_type == "code" else cell.source for cell in notebook.cells]


def test_what_needs_a_framework_is_shown_and_the_rest_runs():
    shown = cut(
        "import numpy as np\nimport torch", "x = torch.ones(3)", "y = x + 1", "z = np.ones(3)", "z + y"
    )
    assert [text == "run" for text in shown] == [True, False, False, True, False]
    assert all("needs torch" in text and "```\nout\n```" in text for text in shown if text != "run")
    assert "y = x + 1" in shown[2]


def test_an_import_of_a_framework_goes_and_its_neighbours_stay():
    source = "import copy\nfrom torch.nn import (\n    Linear,\n)\nfrom utils.torch_training import seeded\n"
    source += "import math"
    modules = live.NEED_FRAMEWORKS | live.FRAMEWORKS
    assert live.without(modules, source) == ("import copy\nimport math", {"Linear", "seeded"})


def test_a_name_that_is_given_anew_is_there_again():
    shown = cut("import torch", "net = torch.nn.ReLU()", "net = 3", "print(net)")
    assert [text == "run" for text in shown] == [True, False, True, True]


def test_names_inside_functions_loops_and_comprehensions_are_told_apart():
    given, filled, needed = live.names(
        "total = sum(k * a for k in b)\ndef f(x):\n    return x + c\nfor i in d:\n    e[0] = i"
    )
    assert given == {"total", "f", "i"} and filled == {"e"} and needed - {"sum"} == {"a", "b", "c", "d"}


def test_a_table_that_lacks_a_row_stops_its_readers_alone():
    shown = cut("import torch\nfound = {}", "found['a'] = torch.ones(1)", "found['b'] = 2", "print(found)")
    assert [text == "run" for text in shown] == [True, False, True, False]


def test_a_slow_cell_and_what_needs_it_are_shown():
    first, second, third = cut("a = train()", "b = 1", "print(a)", slow=[0])
    assert "would take minutes" in first and second == "run" and "would take minutes" in third


def test_what_draws_figures_can_come_after_the_first_widget():
    shown = new_output("display_data", {"text/plain": "[slider] MaskLab"})
    sources = "from utils.plotting import curve\nimport math", "curve(1)", "MaskLab()", "curve(2)", "math.pi"
    cells = [new_code_cell(text, outputs=[shown] if "Mask" in text else []) for text in sources]
    made = live.browser_cut(new_notebook(cells=cells)).cells
    assert [cell.cell_type for cell in made] == ["code", "markdown", "code", "code", "code", "code"]
    assert made[0].source == "import math" and "after the first widget" in made[1].source
    assert made[3].source == "%pip install -q matplotlib\nfrom utils.plotting import curve"


@pytest.mark.parametrize("before", ["experiment = 1", "import torch\nexperiment = torch.ones(1)"])
def test_stored_results_are_taken_and_the_run_beside_them_is_shown(before):
    source = "results = measured.stored('02', experiment)\nrun = train()\nprint(run)"
    cells = [new_code_cell(text) for text in (*before.split("\n"), source, "print(results)", "print(run)")]
    made = live.browser_cut(new_notebook(cells=cells)).cells[-4:]
    assert [cell.cell_type for cell in made] == ["markdown", "code", "code", "markdown"]
    assert made[1].source.endswith("\nresults = load_results('02')")
    assert cut("experiment = 1", "results = stored('02', experiment)") == ["run", "run"]


def linked(text, name):
    """The text of the notebook `name` as a live one has it."""
    notebook = new_notebook(cells=[new_markdown_cell(text)])
    live.relink(notebook, name, live.address, live.NOT_HERE)
    return notebook.cells[0].source


def test_links_lead_to_what_runs_here_or_to_the_site(monkeypatch):
    text = "[02](02_dropout_from_scratch.ipynb#1.-The-rule), [`p`](08_how_much.ipynb#a), "
    text += "[you](../teaching/README.md)"
    here, *others = linked(text, "00_start_here").split(", ")
    assert here == "[02](02_dropout_from_scratch.ipynb#1.-The-rule)"
    assert others == ["`p` (not in the browser)", "you (not in the browser)"]
    monkeypatch.setenv("COURSE_SITE", "https://example.org/course/")
    here, chapter, teaching = linked(text, "00_start_here").split(", ")
    assert chapter == "[`p`](https://example.org/course/08_how_much.html#a)"
    assert teaching == "[you](https://example.org/course/teaching.html)"
    up = "[back](../01_overfitting.ipynb) [on](../03_keras.ipynb)"
    assert linked(up, "exercises/01_overfitting") == (
        "[back](../01_overfitting.ipynb) [on](https://example.org/course/03_keras.html)"
    )
    same = "![map](images/map.svg) [x](#here) [y](https://example.org) `a[0](1)`"
    assert linked(same.replace("images", "../images"), "00_start_here") == same


def test_no_link_of_a_live_notebook_leads_nowhere(tmp_path):
    live.write_contents(tmp_path)
    for path in tmp_path.rglob("*.ipynb"):
        for cell in nbformat.read(path, 4).cells:
            links = re.findall(r"\]\((?!\w+:|#)([^)#]+)", cell.source) if cell.cell_type == "markdown" else ()
            assert all((path.parent / link).exists() for link in links), (path.name, links)


@pytest.mark.parametrize("name", live.NOTEBOOKS)
def test_each_notebook_is_made_and_most_of_it_runs(name):
    stored = nbformat.read(NOTEBOOKS_DIR / f"{name}.ipynb", 4)
    code = sum(cell.cell_type == "code" for cell in stored.cells)
    made = live.browser_cut(stored, live.NOTEBOOKS[name])
    nbformat.validate(made)
    runs = [cell.source for cell in made.cells if cell.cell_type == "code"]
    assert len(runs) >= 0.6 * code
    assert sum(source.startswith("%pip install -q dropout-course") for source in runs) == 1
    assert not any(re.search(r"^\s*(import|from) (torch|keras|mxnet)", source, re.M) for source in runs)


# --- what the course does for a browser ---


def test_every_module_that_imports_a_framework_is_named():
    for path in (ROOT / "utils").glob("*.py"):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        code = "\n".join(ast.unparse(node) for node in body if isinstance(node, ast.Import | ast.ImportFrom))
        if live.without(live.NEED_FRAMEWORKS | live.FRAMEWORKS, code)[1]:
            assert f"utils.{path.stem}" in live.NEED_FRAMEWORKS


def test_importing_widgets_and_data_loads_no_scikit_learn():
    code = "import sys, utils.widgets, utils.data; assert 'sklearn' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_no_array_has_the_platforms_int():
    """In WebAssembly it has 32 bits, where labels and counts have 64 on every machine of the course."""
    for path in (ROOT / "utils").rglob("*.py"):
        assert not re.search(r"astype\(int\)|dtype=int\b", path.read_text(encoding="utf-8")), path


def test_the_check_in_a_browser_names_what_is_there_and_fails_at_nothing(monkeypatch):
    monkeypatch.setattr(environment.sys, "platform", "emscripten")
    rows = environment.check_environment()
    assert {"Python", "numpy", "anywidget"} <= {row.thing for row in rows}
    assert rows[-1].status == "ABSENT" and "browser" in rows[-1].detail
    assert not [row for row in rows if row.status == "FAIL"]


def test_the_wheel_holds_the_course_and_not_the_large_data(tmp_path, monkeypatch):
    live.write_wheel(tmp_path, tmp_path / "work")
    (path,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(path).namelist())
    assert {"utils/widgets/bundles/mask_lab.js", "utils/series.json", "data/bank_lens.npz"} <= names
    assert "data/results/02_dropout_from_scratch.json" in names and "data/mnist.npz" not in names
    assert path.stat().st_size < 2e6


@pytest.mark.parametrize("words", [["--pyodide"], ["--other", "x"], ["--pyodide", "x", "y"]])
def test_other_words_get_one_sentence(tmp_path, capsys, words):
    with pytest.raises(SystemExit):
        live.main([str(tmp_path / "live"), *words])
    assert capsys.readouterr().err.count("\n") == 1 and not (tmp_path / "live").exists()


def test_a_folder_without_pyodide_gets_one_sentence(tmp_path, capsys):
    assert live.or_one_sentence(live.main, [str(tmp_path / "live"), "--pyodide", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"course.py: {tmp_path}: there is no pyodide.js.\n"


def test_a_package_that_cannot_be_fetched_gets_one_sentence(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(live, "WHEELS", ("surely-not-a-package",))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(live, "write_wheel", lambda folder, work: None)
    assert live.or_one_sentence(live.main, [str(tmp_path)]) == 1
    assert capsys.readouterr().err == "course.py: pip: download failed, for the reason above.\n"


# --- all of it, in Chromium ---

DOCUMENT = "window.jupyterapp.shell.currentWidget"
READY = "() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
PYTHON = """async (code) => {
    let said = "";
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const asked = kernel.requestExecute({ code });
    asked.onIOPub = ({ content }) => { said += content.text ?? content.evalue ?? ""; };
    await asked.done;
    return said;
}"""
MINUTES = 40 * 60_000  # a busy machine may take many times what a quiet one does


@pytest.fixture(scope="session")
def pyodide(tmp_path_factory):
    """A folder with Pyodide; skipped, visibly, unless this is `course.py test --live`."""
    if os.environ.get("COURSE_TEST_LIVE") != "1":
        pytest.skip("minutes of work: python3 course.py test --live")
    if given := os.environ.get("COURSE_PYODIDE"):
        return Path(given)
    folder = tmp_path_factory.mktemp("pyodide")
    try:
        fetch(folder, tmp_path_factory.mktemp("fetched"))
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"Pyodide cannot be had here: {error}")
    return folder


GIVEN = set()  # paths of the files that were served


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and notes which files it gave."""

    def log_message(self, *words):
        pass

    def send_response(self, code, message=None):
        super().send_response(code, message)
        path = self.translate_path(self.path)
        if code == 200 and os.path.isfile(path):
            GIVEN.add(path)


@functools.cache
def gzipped(path):
    return len(gzip.compress(Path(path).read_bytes(), 6))


class Elsewhere(Handler):
    """Serves to pages of any address, as a public one does."""

    def end_headers(self):
        self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()


@contextlib.contextmanager
def serving(folder, handler=Handler):
    """The address on 127.0.0.1 where the folder is served."""
    handler = functools.partial(handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def make_live(folder, *words):
    """The live notebooks, with settings that let this test reach the kernel and see cells off the screen."""
    assert live.main([str(folder), *words]) == 0
    settings = folder / "jupyter-lite.json"
    content = json.loads(settings.read_text())
    data = content["jupyter-config-data"]
    data["exposeAppInBrowser"] = True
    data.setdefault("settingsOverrides", {})["@jupyterlab/notebook-extension:tracker"] = {
        "windowingMode": "none"
    }
    settings.write_text(json.dumps(content))


@pytest.fixture(scope="module")
def served(pyodide, tmp_path_factory):
    """The address of the live notebooks, with Pyodide beside them."""
    folder = tmp_path_factory.mktemp("live")
    make_live(folder, "--pyodide", str(pyodide))
    with serving(folder) as address:
        yield address


@pytest.fixture(scope="module")
def browser(pyodide, chromium):
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield running
        running.close()


@contextlib.contextmanager
def first_visit(browser, *addresses):
    """A page of a browser that has never been here, and asks nobody but these addresses."""
    elsewhere, own = [], (*addresses, "data:", "blob:")
    with browser.new_context(viewport={"width": 1280, "height": 1000}) as context:
        context.on("request", lambda asked: asked.url.startswith(own) or elsewhere.append(asked.url))
        yield context.new_page()
        assert elsewhere == []


@pytest.fixture
def page(browser, served):
    with first_visit(browser, served) as page:
        yield page


def open_live(page, served, name):
    page.goto(f"{served}/lab/index.html?path={name}.ipynb")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=MINUTES)
    page.wait_for_function(READY, timeout=MINUTES)


def run_cells(page):
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
    page.wait_for_timeout(1000)
    page.wait_for_function(NOTHING_RUNS, timeout=MINUTES)


def code_cells(page):
    """{id: code cell} of the notebook on show."""
    cells = page.evaluate(f"() => {DOCUMENT}.content.model.sharedModel.toJSON().cells")
    return {cell["id"]: cell for cell in cells if cell["cell_type"] == "code"}


def failures(cells):
    return [out for cell in cells.values() for out in cell["outputs"] if out["output_type"] == "error"]


def texts(outputs):
    """What a cell has printed and shown, as text; a stream in one piece."""
    said = []
    for output in outputs:
        text = output.get("text") or output.get("data", {}).get("text/plain") or output.get("evalue", "")
        kind = output["output_type"]
        if said and kind == "stream" == said[-1][0]:
            said[-1] = (kind, said[-1][1] + "".join(text))
        else:
            said.append((kind, "".join(text)))
    return said


@pytest.mark.parametrize("name", live.NOTEBOOKS)
def test_a_notebook_runs_whole_and_says_what_is_stored(page, served, name, capsys):
    started = time.monotonic()
    GIVEN.clear()
    open_live(page, served, name)
    answers = page.locator(".jp-OutputPlaceholder .jp-PlaceholderText:visible")  # first lines of covered ones
    assert answers.count() == 0
    run_cells(page)
    seconds = time.monotonic() - started
    code = code_cells(page)
    stored = {cell.id: cell for cell in nbformat.read(NOTEBOOKS_DIR / f"{name}.ipynb", 4).cells}
    differ, equal = [], 0
    for key, cell in code.items():
        tags = cell["metadata"].get("tags", [])
        if key not in stored or "setup" in tags or name.startswith("exercises/"):
            continue
        new, old = texts(cell["outputs"]), texts(stored[key].outputs)
        if "nbval-ignore-output" in tags:
            new, old = ([(kind, without_digits(text)) for kind, text in each] for each in (new, old))
        equal += bool(new == old and old)
        if new != old and not (name == "00_start_here" and "check_environment" in cell["source"]):
            differ.append((key, old, new))
    size = sum(map(gzipped, GIVEN.copy())) / 1e6
    with capsys.disabled():
        print(f"\n{name}: {len(code)} cells run, {equal} outputs as stored, {seconds:.0f} s, {size:.1f} MB")
    assert failures(code) == [] and differ == []


def test_python_may_come_from_another_address(pyodide, browser, tmp_path, monkeypatch):
    """The way without --pyodide: another server, which like the public one lets every page read its files."""
    with serving(pyodide, Elsewhere) as public:
        monkeypatch.setattr(live, "PYODIDE", f"{public}/pyodide.js")
        make_live(tmp_path)
        assert not (tmp_path / "static/pyodide").exists()
        with serving(tmp_path) as served, first_visit(browser, served, public) as page:
            GIVEN.clear()
            open_live(page, served, "00_start_here")
            run_cells(page)
            ran = code_cells(page)
    assert failures(ran) == [] and all(cell["execution_count"] for cell in ran.values())
    assert {"pyodide.asm.wasm", "pyodide-lock.json"} <= {os.path.relpath(path, pyodide) for path in GIVEN}


FIRST_WIDGET = """() => window.jupyterapp.shell.currentWidget.content.widgets.findIndex(
    (cell) => /^race = OverfitRace/.test(cell.model.sharedModel.getSource()))"""


def test_the_first_slider_comes_after_few_megabytes(page, served, capsys):
    """What bounds it is processor time: the second visit, which has the files, takes hardly less."""
    for visit in ("first", "second"):
        started, said = time.monotonic(), []
        GIVEN.clear()

        def note(what, started=started, said=said):
            size = sum(map(gzipped, GIVEN.copy())) / 1e6
            said.append(f"{what} {time.monotonic() - started:.0f} s, {size:.1f} MB")

        page.goto(f"{served}/lab/index.html?path=00_start_here.ipynb")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=MINUTES)
        note("notebook")
        page.wait_for_function(READY, timeout=MINUTES)
        note("Python")
        for name in ("text", "packages", "imports", *[""] * (page.evaluate(FIRST_WIDGET) - 2)):
            page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-cell-and-select-next')")
            if name:
                note(name)
        page.wait_for_selector(".dw .dw-cover", timeout=MINUTES)
        note("slider")
        size = sum(map(gzipped, GIVEN.copy())) / 1e6
        with capsys.disabled():
            print(f"\nfirst slider, {visit} visit:", *said, sep="\n  ")
        assert size < 20


def test_every_widget_moves_both_ways(page, served):
    open_live(page, served, "widgets_gallery")
    run_cells(page)
    # The last of a kind stays in a dict: the first that the gallery made, which it shows.
    found = "{type(w).__name__: w for w in [*globals().values()][::-1] if hasattr(type(w), 'static_state')}"
    names = page.evaluate(PYTHON, f"alive = {found}\nprint(*alive)").split()
    assert len(names) >= 9
    for name in names:
        widget = page.locator(f".dw[data-widget={name}]")
        widget.scroll_into_view_if_needed()
        widget.get_by_role("button", name="Just show me").click()
        slider = widget.locator(".dw-controls input[type=range]").first
        key = slider.get_attribute("data-key")
        before = page.evaluate(PYTHON, f"print(alive[{name!r}].{key})")
        at_home = slider.input_value() == slider.get_attribute("min")
        slider.press("End" if at_home else "Home")
        wait_for(lambda: page.evaluate(PYTHON, f"print(alive[{name!r}].{key})") != before)  # noqa: B023
        shown = widget.locator(".dw-code").inner_text()
        page.evaluate(PYTHON, f"alive[{name!r}].{key} = type(alive[{name!r}].{key})({before.strip()})")
        wait_for(lambda: widget.locator(".dw-code").inner_text() != shown)  # noqa: B023
