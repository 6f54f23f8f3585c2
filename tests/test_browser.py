"""Chapter 00 in a real JupyterLab and a real browser: the slider moves, and the picture changes."""

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

import pytest
from PIL import Image, ImageChops
from playwright.sync_api import sync_playwright

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


@pytest.fixture(scope="module")
def lab(tmp_path_factory, chromium):
    """(address, token) of a JupyterLab that serves a copy of chapter 00, with settings of its own."""
    home = tmp_path_factory.mktemp("lab")
    (home / "course" / "notebooks").mkdir(parents=True)
    shutil.copy(ROOT / "notebooks" / "00_start_here.ipynb", home / "course" / "notebooks")
    for folder in ("utils", "data"):
        (home / "course" / folder).symlink_to(ROOT / folder)
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
        JUPYTER_CONFIG_DIR=str(home / "config"),
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
        wait_for(lambda: server.poll() is not None or answers(f"{address}/api/status?token={token}"), 90)
        assert server.poll() is None, log.read_text()
        yield address, token
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture(scope="module")
def chapter(lab, chromium):
    """The page with chapter 00 open and all cells run; page.elsewhere lists requests to other hosts."""
    address, token = lab
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.elsewhere = []
        page.on("request", lambda request: note_other_hosts(page.elsewhere, request.url, address))
        page.goto(f"{address}/lab/tree/notebooks/00_start_here.ipynb?token={token}&reset")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=90_000)
        page.wait_for_function(KERNEL_IS_IDLE, timeout=90_000)
        page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
        page.wait_for_function(NOTHING_RUNS, timeout=180_000)
        page.locator(".widget-image").first.scroll_into_view_if_needed()
        page.locator(".widget-slider").first.scroll_into_view_if_needed()
        page.wait_for_timeout(500)
        yield page
        page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        browser.close()


def note_other_hosts(elsewhere, url, address):
    if url.startswith(("http", "ws")) and not url.split("://")[1].startswith(address.split("://")[1]):
        elsewhere.append(url)


def answers(url):
    try:
        return urllib.request.urlopen(url, timeout=2).status == 200
    except OSError:
        return False


def wait_for(condition, seconds):
    """Poll until `condition()` is true; fail after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s in vain"
        time.sleep(0.1)


def picture(page):
    """The pixels of the slider's picture, as the reader sees them."""
    box = page.locator(".widget-image").first.bounding_box()
    return Image.open(io.BytesIO(page.screenshot(clip=box, animations="disabled"))).convert("RGB")


def wait_for_other_picture(page, before):
    wait_for(lambda: ImageChops.difference(before, picture(page)).getbbox() is not None, 30)


def readout(page):
    return float(page.locator(".widget-slider .widget-readout").first.inner_text())


def words(page):
    """The sentence below the picture."""
    return page.locator(".widget-label", has_text="units kept").first.inner_text()


def test_no_cell_fails(chapter):
    # JupyterLab shows tracebacks and stderr under the same type.
    complaints = chapter.locator("[data-mime-type='application/vnd.jupyter.stderr']")
    assert complaints.all_inner_texts() == []
    assert chapter.locator(".jp-CodeCell .jp-InputPrompt", has_text="[10]").count() == 1, "all cells ran"


def test_arrow_keys_move_the_slider_by_a_hundredth_and_the_picture_follows(chapter):
    before, start = picture(chapter), readout(chapter)
    chapter.locator(".widget-slider .noUi-handle").first.focus()
    for _ in range(5):
        chapter.keyboard.press("ArrowRight")
    wait_for(lambda: readout(chapter) == round(start + 0.05, 2), 30)
    wait_for_other_picture(chapter, before)
    wait_for(lambda: f"p = {start + 0.05:.2f}: " in words(chapter), 30)


def test_dragging_with_the_mouse_moves_it_too_and_the_last_value_wins(chapter):
    before, start = picture(chapter), readout(chapter)
    box = chapter.locator(".widget-slider .noUi-handle").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    chapter.mouse.move(x, y)
    chapter.mouse.down()
    chapter.mouse.move(x + 60, y, steps=30)
    chapter.mouse.up()
    assert readout(chapter) > start
    wait_for_other_picture(chapter, before)
    wait_for(lambda: f"p = {readout(chapter):.2f}: " in words(chapter), 30)


def test_new_draw_changes_the_picture_and_not_p(chapter):
    before, start = picture(chapter), readout(chapter)
    chapter.get_by_role("button", name="New draw").first.click()
    chapter.mouse.move(5, 5)
    wait_for_other_picture(chapter, before)
    assert readout(chapter) == start


def test_a_screen_reader_finds_what_the_slider_is_and_what_it_shows(chapter):
    slider = chapter.locator(".widget-slider").first
    assert "drop probability p" in slider.inner_text()
    assert slider.locator("[role=slider]").get_attribute("aria-valuenow") is not None
    assert words(chapter).startswith("p = ")


def test_nothing_is_asked_of_another_host(chapter):
    assert chapter.elsewhere == []
