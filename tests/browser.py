"""A real JupyterLab on 127.0.0.1 and a real Chromium, for the tests of what a reader sees."""

import ast
import contextlib
import io
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
from PIL import Image, ImageChops

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM_FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
LAB_SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},  # else cells off screen are not in the page
}
KERNEL_IS_IDLE = """async () => {
    const panel = window.jupyterapp?.shell.currentWidget;
    if (!panel?.sessionContext) return false;
    await panel.context.ready;
    await panel.sessionContext.ready;
    return panel.sessionContext.session?.kernel?.status === 'idle';
}"""
NOTHING_RUNS = """() => {
    const panel = window.jupyterapp.shell.currentWidget;
    const prompts = [...panel.node.querySelectorAll('.jp-InputPrompt')];
    return panel.sessionContext.session.kernel.status === 'idle'
        && !prompts.some(prompt => prompt.textContent.includes('*'));
}"""


@contextlib.contextmanager
def jupyter_lab(home, notebooks):
    """(address, token) of a JupyterLab that serves copies of these notebooks, with settings of its own."""
    (home / "course" / "notebooks").mkdir(parents=True)
    for path in notebooks:
        shutil.copy(path, home / "course" / "notebooks")
    for name in ("course.py", "utils", "data"):  # a notebook finds its course by course.py
        (home / "course" / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "config", home / "config")
    for name, settings in LAB_SETTINGS.items():
        path = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    environment = dict(
        os.environ,
        JUPYTER_CONFIG_DIR=str(home / "of the reader"),
        JUPYTER_CONFIG_PATH=str(home / "config"),  # as `course.py lab` has it
        JUPYTER_DATA_DIR=str(home / "jupyter"),
        JUPYTER_RUNTIME_DIR=str(home / "runtime"),
        JUPYTERLAB_SETTINGS_DIR=str(home / "settings"),
        JUPYTERLAB_WORKSPACES_DIR=str(home / "workspaces"),
        IPYTHONDIR=str(home / "ipython"),
        PATH=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    )
    command = [
        *(sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--expose-app-in-browser"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        *(f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={home / 'course'}"),
    ]
    log = home / "server.log"
    with log.open("w") as stream:
        server = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: server.poll() is not None or answers(f"{address}/api/status?token={token}"))
        assert server.poll() is None, log.read_text()
        yield address, token
    finally:
        server.terminate()
        server.wait(30)


@contextlib.contextmanager
def open_page(playwright, chromium, address, width=1400, height=1000):
    """A browser page; page.elsewhere lists requests to any other host than `address`."""
    browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
    page = browser.new_page(viewport={"width": width, "height": height})
    page.set_default_timeout(120_000)  # many seconds, since the machine may do other work
    page.elsewhere = []
    page.on("request", lambda request: _note_other_hosts(page.elsewhere, request.url, address))
    yield page
    browser.close()


def open_notebook(page, address, token, name):
    """Show a notebook and wait until its kernel is ready."""
    page.goto(f"{address}/lab/tree/notebooks/{name}?token={token}&reset")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=90_000)
    page.wait_for_function(KERNEL_IS_IDLE, timeout=90_000)


def displays_widget(cell):
    """Does this stored cell show one of the course's widgets?"""
    outputs = cell.get("outputs", [])
    return any(output.get("data", {}).get("text/plain", "").startswith("[slider]") for output in outputs)


def only_widgets(path, folder):
    """Write a copy of a notebook into `folder`: the cells that show a widget, and those that they need.

    A cell needs the set-up, every earlier cell that defines a name which it uses, and what that cell
    needs. Returns the number of widgets.
    """
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    names = [_names(cell.source) for cell in cells]
    needed, wanted = set(), set()
    for index in reversed(range(len(cells))):
        defined, used = names[index]
        sets_up = "setup" in cells[index].metadata.get("tags", [])
        if sets_up or displays_widget(cells[index]) or defined & wanted:
            needed.add(index)
            wanted |= used
    notebook.cells = [cells[index] for index in sorted(needed)]
    nbformat.write(notebook, folder / path.name)
    return sum(map(displays_widget, cells))


def _names(source):
    """(defined, used) names of a cell, at any depth."""
    defined, used = set(), set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else defined).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            defined.add(node.name)
        elif isinstance(node, ast.alias):
            defined.add((node.asname or node.name).split(".")[0])
    return defined, used


def save(page):
    """Save the notebook on show and wait until it is saved."""
    page.evaluate("() => window.jupyterapp.shell.currentWidget.context.save()")


def run_all(page, timeout=180_000):
    """Run all cells and wait until the last one is done."""
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function(NOTHING_RUNS, timeout=timeout)


def shut_down_kernel(page):
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")


def _note_other_hosts(elsewhere, url, address):
    if url.startswith(("http", "ws")) and not url.split("://")[1].startswith(address.split("://")[1]):
        elsewhere.append(url)


def answers(url):
    try:
        return urllib.request.urlopen(url, timeout=2).status == 200
    except OSError:
        return False


def wait_for(condition, seconds=120):
    """Poll until `condition()` is true; fail after `seconds`: many, since the machine may do other work."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s in vain"
        time.sleep(0.05)


def pixels(page, locator):
    """What the reader sees of an element, as an image."""
    locator.scroll_into_view_if_needed()
    box = locator.bounding_box()
    return Image.open(io.BytesIO(page.screenshot(clip=box, animations="disabled"))).convert("RGB")


def differ(first, second):
    return first.size != second.size or ImageChops.difference(first, second).getbbox() is not None
