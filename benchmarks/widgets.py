"""From input to changed pixels: how long a reader waits, for every widget, in one run.

`python3 course.py bench widgets` runs this: a real JupyterLab, a real Chromium, 40 moves for each widget
of the gallery and for `interact` with a matplotlib figure of the mask. Median and 95th percentile in
milliseconds, measured in the browser: from the slider's input event to the first animation frame in
which the canvas (or the image) has other pixels.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
import numpy as np
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from browser import jupyter_lab, open_notebook, open_page, run_all, shut_down_kernel  # noqa: E402

from utils import widgets  # noqa: E402

MOVES = 40
BASELINE = """
%matplotlib inline
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
numbers = np.random.default_rng(0).random((12, 20))
def show(p):
    keep = numbers >= p
    fig, ax = plt.subplots(figsize=(8, 4.5))
    ax.scatter(*np.nonzero(keep)[::-1], marker="s", s=150)
    ax.scatter(*np.nonzero(~keep)[::-1], marker="x", s=70)
    ax.set_title(f"p = {p:.2f}: kept {keep.sum()} of {keep.size}")
    plt.show()
ipywidgets.interact(show, p=ipywidgets.FloatSlider(value=0.5, min=0, max=1, step=0.01))
"""
# In the page: move a range input, then watch the canvas's pixels frame by frame.
MEASURE = """async ([root, moves]) => {
    const slider = root.querySelector('input[type=range]');
    const canvas = root.querySelector('canvas');
    const print = () => {
        const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        let hash = 0;
        for (let i = 0; i < data.length; i += 16) hash = (hash * 31 + data[i] + data[i + 1] * 7) | 0;
        return hash;
    };
    const frame = () => new Promise(resolve => requestAnimationFrame(resolve));
    const [low, high, step] = [slider.min, slider.max, slider.step].map(Number);
    const steps = Math.round((high - low) / step);
    const waits = [];
    for (let k = 0; k < moves; k++) {
        const before = print();
        slider.value = low + step * ((k * 7 + 3) % steps);
        const start = performance.now();
        slider.dispatchEvent(new Event('input', {bubbles: true}));
        while (print() === before && performance.now() - start < 3000) await frame();
        waits.push(performance.now() - start);
        await new Promise(resolve => setTimeout(resolve, 60));
    }
    return waits;
}"""
# The baseline replaces its <img>: wait until its source differs.
MEASURE_INTERACT = """async ([root, moves]) => {
    const handle = root.querySelector('.noUi-handle');
    const source = () => root.querySelector('img')?.src;
    const waits = [];
    for (let k = 0; k < moves; k++) {
        const before = source();
        handle.focus();
        const start = performance.now();
        const key = {key: k % 8 < 4 ? 'ArrowRight' : 'ArrowLeft', bubbles: true, cancelable: true};
        handle.dispatchEvent(new KeyboardEvent('keydown', key));
        while ((source() === before || !source()) && performance.now() - start < 3000)
            await new Promise(resolve => requestAnimationFrame(resolve));
        waits.push(performance.now() - start);
        await new Promise(resolve => setTimeout(resolve, 60));
    }
    return waits;
}"""


def measure(chromium):
    """{name: waits in ms} for every widget of the gallery, and for the baseline "interact"."""
    gallery = ROOT / "notebooks" / "widgets_gallery.ipynb"
    names = widgets.__all__
    waits = {}
    with tempfile.TemporaryDirectory() as home:
        baseline = Path(home) / "baseline.ipynb"
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(BASELINE)])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(notebook, baseline)
        with (
            jupyter_lab(Path(home) / "lab", [gallery, baseline]) as (address, token),
            sync_playwright() as playwright,
            open_page(playwright, chromium, address) as page,
        ):
            open_notebook(page, address, token, baseline.name)
            run_all(page)
            page.wait_for_selector(".noUi-handle")
            page.wait_for_selector(".jp-OutputArea img")
            root = page.locator(".jp-CodeCell").first.element_handle()
            waits["interact"] = page.evaluate(MEASURE_INTERACT, [root, MOVES])
            shut_down_kernel(page)
            open_notebook(page, address, token, gallery.name)
            run_all(page)
            page.wait_for_selector(".dw canvas")
            page.wait_for_timeout(1000)
            for name in names:
                widget = page.locator(".dw", has=page.locator(f".dw-code:text-matches('^{name}\\\\(')"))
                widget.scroll_into_view_if_needed()
                waits[name] = page.evaluate(MEASURE, [widget.element_handle(), MOVES])
            shut_down_kernel(page)
    return waits


def main():
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        print("no Chromium found: install it to measure the widgets")
        return 1
    waits = measure(chromium)
    base = float(np.median(waits["interact"]))
    print(f"{'':<20}{'median ms':>10}{'p95 ms':>9}{'of interact':>13}   target")
    for name, values in waits.items():
        median, p95 = np.percentile(values, [50, 95])
        kernel = name != "interact" and getattr(widgets, name).needs_kernel
        target = {True: "<= 50 and <= 0.25", False: "<= 16, p95 <= 33 and <= 0.10"}[kernel]
        target = "baseline" if name == "interact" else target
        print(f"{name:<20}{median:>10.1f}{p95:>9.1f}{median / base:>13.2f}   {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
