"""From input to changed pixels: how long a reader waits, for every widget, in one run.

`python3 course.py bench widgets` runs this: a real JupyterLab, a real Chromium, 40 moves for each widget
of the gallery, and 10 for the same picture as an `interact` with matplotlib. Median and 95th percentile in
milliseconds, measured in the browser: from the slider's input event to the first animation frame in
which the canvases (or the image) have other pixels, or the words around them are others. These grow when
the machine is busy with other things; beside them stands how long the page's own thread computes for a
move, in milliseconds of its CPU time.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
import numpy as np
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from browser import jupyter_lab, open_notebook, open_page, run_all, shut_down_kernel  # noqa: E402

from utils import widgets  # noqa: E402
from utils.widgets.are_you_calibrated import TEMPERATURES  # noqa: E402
from utils.widgets.how_many_passes import PASSES  # noqa: E402

MOVES, MOVES_INTERACT, FRAMES = 40, 10, 200
# The same picture as an `interact` with matplotlib: the widget's own static figure, drawn at each value.
SETUP = """
import sys
sys.path.insert(0, {root!r})
import ipywidgets
from IPython.display import display
from utils import widgets

def interact_with(widget, parameter, values):
    def show(value):
        setattr(widget, parameter, value)
        display(widget.figure())
    middle = values[len(values) // 2]
    ipywidgets.interact(show, value=ipywidgets.SelectionSlider(options=values, value=middle))
"""


def bank_values(name, axis):
    return [round(float(value), 2) for value in np.load(ROOT / "data" / f"bank_{name}.npz")[axis]]


# What `interact` moves: p, from 0 to 1 in steps of 0.01, but for these. PSweep's figure shows all p at once.
PARAMETERS = {
    "AreYouCalibrated": "temperature",
    "CoadaptationLens": "knocked_out",
    "HowManyPasses": "passes",
    "PSweep": "width",
    "ThinnedNetwork": "p1",
}
VALUES = {
    "AreYouCalibrated": TEMPERATURES,
    "CoadaptationLens": [int(count) for count in bank_values("lens", "knocked_out")],
    "EvalDetective": [k / 20 for k in range(21)],
    "HowManyPasses": PASSES,
    "OverfitRace": [k / 20 for k in range(19)],
    "PSweep": [int(width) for width in bank_values("sweep", "width")],
}
# In the page: move a range input, then watch the canvases' pixels frame by frame.
MEASURE = """async ([root, moves]) => {
    const slider = root.querySelector('.dw-controls input[type=range]');
    const pens = [...root.querySelectorAll('.dw-pictures canvas')].filter(canvas => canvas.clientWidth)
        .map(canvas => canvas.getContext('2d'));
    const print = () => {
        let hash = 0;
        for (const pen of pens) {
            const data = pen.getImageData(0, 0, pen.canvas.width, pen.canvas.height).data;
            for (let i = 0; i < data.length; i += 16)
                hash = (hash * 31 + data[i] + data[i + 1] * 7 + data[i + 3]) | 0;
        }
        const words = [...root.querySelectorAll('.dw-pictures, .dw-numbers')];
        return hash + words.map(node => node.textContent).join();
    };
    const frame = () => new Promise(resolve => requestAnimationFrame(resolve));
    const [low, high, step] = [slider.min, slider.max, slider.step].map(Number);
    const steps = Math.round((high - low) / step);
    const waits = [];
    for (let k = 0; k < moves; k++) {
        const before = print(), at = Math.round((slider.value - low) / step), to = (k * 7 + 3) % (steps + 1);
        slider.value = low + step * (to === at ? (to + 1) % (steps + 1) : to);
        const start = performance.now();
        slider.dispatchEvent(new Event('input', {bubbles: true}));
        let now;
        do {
            await frame();
            for (const pen of pens) pen.getImageData(0, 0, 1, 1); // so that what was drawn is on the canvas
            now = performance.now();
        } while (print() === before && now - start < 3000);
        waits.push(now - start); // without the time that comparing all pixels takes
        await new Promise(resolve => setTimeout(resolve, 60));
    }
    return waits;
}"""
# The same moves, and nothing else.
MOVE = """async ([root, moves]) => {
    const slider = root.querySelector('input[type=range]');
    const [low, high, step] = [slider.min, slider.max, slider.step].map(Number);
    const steps = Math.round((high - low) / step);
    const frame = () => new Promise(resolve => requestAnimationFrame(resolve));
    for (let k = 0; k < moves; k++) {
        slider.value = low + step * ((k * 7 + 3) % (steps + 1));
        slider.dispatchEvent(new Event('input', {bubbles: true}));
        await frame();
        await frame();
    }
}"""
# In the page: while the race trains, how long a frame keeps the browser busy.
MEASURE_RACE = """async ([root, frames]) => {
    const press = words => [...root.querySelectorAll('button')].find(b => b.textContent === words).click();
    const free = new MessageChannel();
    const busy = [];
    press('Play');
    for (let k = 0; k < frames; k++) {
        const start = await new Promise(resolve => requestAnimationFrame(resolve));
        await new Promise(resolve => { free.port1.onmessage = resolve; free.port2.postMessage(0); });
        busy.push(performance.now() - start);
    }
    press('Stop');
    return busy;
}"""
# `interact` replaces its <img>: wait until its source differs.
MEASURE_INTERACT = """async ([root, moves]) => {
    const handle = root.querySelector('.noUi-handle');
    const source = () => root.querySelector('img')?.src;
    const waits = [];
    for (let k = 0; k < moves; k++) {
        const before = source();
        handle.focus();
        const start = performance.now();
        const key = {key: k % 2 ? 'ArrowLeft' : 'ArrowRight', bubbles: true, cancelable: true};
        handle.dispatchEvent(new KeyboardEvent('keydown', key));
        while ((source() === before || !source()) && performance.now() - start < 3000)
            await new Promise(resolve => requestAnimationFrame(resolve));
        waits.push(performance.now() - start);
        await new Promise(resolve => setTimeout(resolve, 60));
    }
    return waits;
}"""


def with_slider():
    """The names of the widgets that a slider moves."""
    made = ((name, getattr(widgets, name)()) for name in widgets.__all__)
    return [name for name, widget in made if widget.has_trait(PARAMETERS.get(name, "p"))]


def baseline():
    """A notebook with one cell per widget: its picture behind an `interact`."""
    cells = [SETUP.format(root=str(ROOT))]
    for name in with_slider():
        values = VALUES.get(name, [k / 100 for k in range(101)])
        cells.append(f"interact_with(widgets.{name}(), {PARAMETERS.get(name, 'p')!r}, {values})")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    return notebook


def cpu_ms(page, session, script, widget, times):
    """Run `script` on a widget: (its answer, CPU milliseconds of the page for each of `times`)."""

    def spent():
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")

    before = spent()
    answer = page.evaluate(script, [widget.element_handle(), times])
    return answer, 1000 * (spent() - before) / times


def measure(chromium):
    """(moves, waits_interact, race): of each widget with a slider its waits in ms and the CPU time of a move;
    the waits of its picture by `interact`; the frames of the race while it trains, and their CPU time.
    """
    gallery = ROOT / "notebooks" / "widgets_gallery.ipynb"
    moves, waits_interact = {}, {}
    with tempfile.TemporaryDirectory() as home:
        plain = Path(home) / "interact.ipynb"
        nbformat.write(baseline(), plain)
        with (
            jupyter_lab(Path(home) / "lab", [gallery, plain]) as (address, token),
            sync_playwright() as playwright,
            open_page(playwright, chromium, address) as page,
        ):
            open_notebook(page, address, token, plain.name)
            run_all(page)
            for cell, name in enumerate(with_slider(), start=1):
                root = page.locator(".jp-CodeCell").nth(cell)
                root.scroll_into_view_if_needed()
                root.locator(".noUi-handle").wait_for()
                root.locator(".jp-OutputArea img").wait_for()
                waits_interact[name] = page.evaluate(
                    MEASURE_INTERACT, [root.element_handle(), MOVES_INTERACT]
                )
            shut_down_kernel(page)
            open_notebook(page, address, token, gallery.name)
            run_all(page)
            page.wait_for_selector(".dw")
            page.wait_for_timeout(1000)
            session = page.context.new_cdp_session(page)
            session.send("Performance.enable", {"timeDomain": "threadTicks"})
            for name in with_slider():
                widget = page.locator(f".dw[data-widget={name}]")
                widget.scroll_into_view_if_needed()
                widget.get_by_role("button", name="Just show me").click()
                page.wait_for_timeout(200)
                waits = page.evaluate(MEASURE, [widget.element_handle(), MOVES])
                moves[name] = waits, cpu_ms(page, session, MOVE, widget, MOVES)[1]
            race = page.locator(".dw[data-widget=OverfitRace]")
            race.scroll_into_view_if_needed()
            frames = cpu_ms(page, session, MEASURE_RACE, race, FRAMES)
            shut_down_kernel(page)
    return moves, waits_interact, frames


def main():
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        print("no Chromium found: install it to measure the widgets")
        return 1
    moves, waits_interact, (frames, frame_cpu) = measure(chromium)
    print(f"{'':<18}{'median ms':>10}{'p95 ms':>8}{'CPU ms':>8}{'interact ms':>13}{'ratio':>7}   target")
    for name, (values, cpu) in moves.items():
        median, p95 = np.percentile(values, [50, 95])
        base = np.median(waits_interact[name])
        kernel = getattr(widgets, name).needs_kernel
        target = "<= 50, ratio <= 0.25" if kernel else "<= 16, p95 <= 33, ratio <= 0.10"
        print(f"{name:<18}{median:>10.1f}{p95:>8.1f}{cpu:>8.1f}{base:>13.1f}{median / base:>7.2f}   {target}")
    median, p95 = np.percentile(frames, [50, 95])
    print(f"{'a frame of the race':<18}{median:>9.1f}{p95:>8.1f}{frame_cpu:>8.1f}{'':>20}   target <= 16")
    return 0


if __name__ == "__main__":
    sys.exit(main())
