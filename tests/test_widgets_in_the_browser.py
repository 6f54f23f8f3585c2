"""Every widget of every notebook in a real JupyterLab: keys, mouse, themes, pictures, pages."""

import re

import nbformat
import numpy as np
import pytest
from browser import (
    KERNEL_IS_IDLE,
    ROOT,
    differ,
    jupyter_lab,
    only_widgets,
    open_notebook,
    open_page,
    pixels,
    run_all,
    save,
    shut_down_kernel,
    wait_for,
)
from playwright.sync_api import sync_playwright
from widget_page import write_page

from authoring.store import cover_predictions
from teaching.html import NEEDS_KERNEL
from utils import widgets

GALLERY = ROOT / "notebooks" / "widgets_gallery.ipynb"
NAMES = widgets.__all__
KERNEL_WIDGETS = [name for name in NAMES if getattr(widgets, name).needs_kernel]
# Found by what they import, so that a new chapter is tested from its first day on.
CHAPTERS = [
    path
    for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
    if path != GALLERY and "from utils.widgets import" in path.read_text(encoding="utf-8")
]


@pytest.fixture(scope="module")
def playwright(chromium):
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def counts(tmp_path_factory):
    """{path of a copy with the widget cells alone: number of widgets}, for each chapter that has widgets."""
    folder = tmp_path_factory.mktemp("chapters")
    counts = {folder / path.name: only_widgets(path, folder) for path in CHAPTERS}
    assert all(counts.values()), f"run and store these notebooks first: {counts}"
    return counts


@pytest.fixture(scope="module")
def covered(tmp_path_factory):
    """A notebook whose one cell has printed an answer and is stored with its output folded."""
    answer = nbformat.v4.new_output("stream", text="13 of 17\n")
    cell = nbformat.v4.new_code_cell("print('13 of', 17)", outputs=[answer])
    cover_predictions(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("**Predict**"), cell]))
    notebook = nbformat.v4.new_notebook(cells=[cell])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    path = tmp_path_factory.mktemp("covered") / "covered.ipynb"
    nbformat.write(notebook, path)
    return path


@pytest.fixture(scope="module")
def lab(tmp_path_factory, chromium, counts, covered):
    with jupyter_lab(tmp_path_factory.mktemp("lab"), [GALLERY, covered, *counts]) as address_and_token:
        yield address_and_token


@pytest.fixture(scope="module", params=CHAPTERS, ids=lambda path: path.stem)
def chapter(request, lab, playwright, chromium, counts):
    """(page, name, number of widgets) of a chapter's copy, open and run."""
    address, token = lab
    name = request.param.name
    count = next(count for path, count in counts.items() if path.name == name)
    with open_page(playwright, chromium, address) as page:
        open_notebook(page, address, token, name)
        run_all(page)
        wait_for(lambda: page.locator(".dw").count() == count)
        yield page, name, count


@pytest.fixture(scope="module")
def gallery(lab, playwright, chromium):
    """The page with the gallery open and all cells run."""
    address, token = lab
    with open_page(playwright, chromium, address) as page:
        open_notebook(page, address, token, GALLERY.name)
        run_all(page)
        wait_for(lambda: page.locator(".dw").count() == len(NAMES))
        yield page


def complaints(page):
    # JupyterLab shows tracebacks and stderr under the same type.
    return page.locator("[data-mime-type='application/vnd.jupyter.stderr']").all_inner_texts()


def uncover(widget):
    """Decline to guess, where the widget still asks; scrolled into view."""
    widget.scroll_into_view_if_needed()
    if "dw-covered" in widget.get_attribute("class"):
        widget.get_by_role("button", name="Just show me").click()
    widget.page.wait_for_timeout(150)
    return widget


def place(page, name):
    """The widget of this class, uncovered and scrolled into view."""
    widget = page.locator(f".dw[data-widget={name}]")
    assert widget.count() == 1
    return uncover(widget)


def picture_of(widget):
    return widget.locator(".dw-pictures")


def slider_of(widget):
    return widget.locator(".dw-controls input[type=range]").first


def thumb(slider):
    """Where the slider's thumb is on the page."""
    box = slider.bounding_box()
    share = slider.evaluate("e => (e.value - e.min) / (e.max - e.min)")
    return box["x"] + 8 + (box["width"] - 16) * share, box["y"] + box["height"] / 2


def test_no_cell_fails(gallery):
    assert complaints(gallery) == []


@pytest.mark.parametrize("opens", ["a click", "running the cell"])
def test_a_covered_answer_is_read_only_when_the_reader_opens_it(lab, playwright, chromium, covered, opens):
    with open_page(playwright, chromium, lab[0]) as page:
        open_notebook(page, *lab, covered.name)
        answer = page.locator(".jp-CodeCell .jp-Cell-outputWrapper")
        fold = answer.locator(".jp-Placeholder-contentContainer")
        fold.wait_for()
        assert "13" not in answer.inner_text()
        assert "covered" in fold.evaluate("fold => getComputedStyle(fold, '::before').content")
        fold.click() if opens == "a click" else run_all(page)
        wait_for(lambda: "13 of 17" in answer.inner_text())
        shut_down_kernel(page)


@pytest.mark.parametrize("name", NAMES)
def test_arrow_keys_change_value_and_pixels(gallery, name):
    widget = place(gallery, name)
    slider = slider_of(widget)
    canvas = picture_of(widget)
    slider.evaluate("e => { e.value = e.min; e.dispatchEvent(new Event('input')); }")
    gallery.wait_for_timeout(300)
    before, start = pixels(gallery, canvas), float(slider.input_value())
    slider.focus()
    for _ in range(4):
        gallery.keyboard.press("ArrowRight")
    step, end = (float(slider.get_attribute(name)) for name in ("step", "max"))
    assert float(slider.input_value()) == pytest.approx(min(start + 4 * step, end))
    wait_for(lambda: differ(before, pixels(gallery, canvas)))


@pytest.mark.parametrize("name", NAMES)
def test_a_fast_drag_ends_on_the_right_value_without_late_frames(gallery, name):
    widget = place(gallery, name)
    slider, canvas = slider_of(widget), picture_of(widget)
    slider.scroll_into_view_if_needed()  # a widget can be higher than the window
    x, y = thumb(slider)
    box = slider.bounding_box()
    left, right = box["x"] + 10, box["x"] + box["width"] - 10
    gallery.mouse.move(x, y)
    gallery.mouse.down()
    for target in np.tile([right, left], 4):  # about two seconds, there and back
        gallery.mouse.move(float(target), y, steps=12)
    gallery.mouse.move(left + 0.7 * (right - left), y, steps=6)
    gallery.mouse.up()
    gallery.wait_for_timeout(250)
    settled = pixels(gallery, canvas)
    position = float(slider.input_value())
    low, high = (float(slider.get_attribute(end)) for end in ("min", "max"))
    assert 0.5 < (position - low) / (high - low) < 0.9
    shown = float(widget.locator(".dw-controls .dw-readout").first.inner_text())
    line = widget.locator(".dw-code").inner_text()
    value = float(re.search(rf"\b{slider.get_attribute('data-key')}=([\d.]+)", line)[1])
    assert shown == pytest.approx(value, abs=0.006)
    gallery.wait_for_timeout(500)
    assert not differ(settled, pixels(gallery, canvas)), "a frame came later than 250 ms after release"


@pytest.mark.parametrize("name", ["PSweep", "CoadaptationLens"])
def test_every_step_over_a_bank_changes_the_picture(gallery, name):
    widget = place(gallery, name)
    slider, canvas = slider_of(widget), picture_of(widget)
    slider.focus()
    gallery.keyboard.press("Home")
    gallery.wait_for_timeout(200)
    for _ in range(int(slider.get_attribute("max"))):
        before = pixels(gallery, canvas)
        gallery.keyboard.press("ArrowRight")
        wait_for(lambda: differ(before, pixels(gallery, canvas)))  # noqa: B023 (waits at once)


def test_a_value_that_python_refuses_is_said_in_the_widget_and_the_picture_stays(gallery):
    widget = place(gallery, "MaskLab")
    slider, canvas, error = slider_of(widget), picture_of(widget), widget.locator(".dw-error")
    before, line = pixels(gallery, canvas), widget.locator(".dw-code").inner_text()
    slider.evaluate("e => { e.max = 5; e.value = 3; e.dispatchEvent(new Event('input')); }")
    wait_for(lambda: error.inner_text() == "p must be in [0, 1], got 3")
    wait_for(lambda: not differ(before, pixels(gallery, canvas)))
    assert widget.locator(".dw-code").inner_text() == line
    slider.evaluate("e => { e.max = 1; e.value = 0.25; e.dispatchEvent(new Event('input')); }")
    wait_for(lambda: error.inner_text() == "")


@pytest.mark.parametrize("name", NAMES)
def test_reset_brings_the_first_state_back(gallery, name):
    widget = place(gallery, name)
    widget.get_by_role("button", name="Reset").click()
    uncover(widget)
    code = widget.locator(".dw-code")
    wait_for(lambda: code.inner_text().startswith(f"{name}("))
    first = code.inner_text()
    slider_of(widget).focus()
    gallery.keyboard.press("End")
    gallery.keyboard.press("Home")
    wait_for(lambda: code.inner_text() != first)
    widget.get_by_role("button", name="Reset").click()
    assert not picture_of(widget).is_visible(), "Reset covers again"
    uncover(widget)
    wait_for(lambda: code.inner_text() == first)


@pytest.mark.parametrize("name", NAMES)
def test_words_on_a_canvas_are_as_large_as_those_around_it(gallery, name):
    widget = place(gallery, name)
    for canvas in picture_of(widget).locator("canvas:visible").all():
        assert canvas.evaluate("c => c.getContext('2d').font.replace(/px.*/, 'px')") == widget.evaluate(
            "w => getComputedStyle(w).fontSize"
        )


@pytest.mark.parametrize("name", NAMES)
def test_a_screen_reader_finds_words_for_everything(gallery, name):
    widget = place(gallery, name)
    for index, canvas in enumerate(picture_of(widget).locator("canvas:visible").all()):
        # One that the keyboard reaches is more than an image.
        role = "application" if canvas.get_attribute("tabindex") == "0" else "img"
        assert canvas.get_attribute("role") == role
        assert len(canvas.get_attribute("aria-label")) > (20 if index == 0 else 3)
    for control in widget.locator("input, select").all():
        assert control.get_attribute("aria-label")
    assert widget.locator(".dw-question").inner_text().startswith("Predict first:")
    assert widget.locator(".dw-error").inner_text() == ""


def luminance(colour):
    channels = np.array(colour) / 255
    linear = np.where(channels <= 0.03928, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(first, second):
    """Contrast ratio of two RGB colours (WCAG 2.1, section 1.4.3)."""
    low, high = sorted([luminance(first), luminance(second)])
    return (high + 0.05) / (low + 0.05)


TEXT_COLOURS = """root => {
    const paper = document.createElement('canvas').getContext('2d');
    const rgb = colour => { paper.fillStyle = colour; paper.fillRect(0, 0, 1, 1);
        return [...paper.getImageData(0, 0, 1, 1).data].slice(0, 3); };
    const page = getComputedStyle(document.querySelector('.jp-Notebook')).backgroundColor;
    return [...root.querySelectorAll('.dw-question, .dw-slider span, .dw-numbers, .dw-code')].map(
        node => [rgb(getComputedStyle(node).color), rgb(page)]);
}"""


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_both_themes_are_readable(gallery, theme):
    gallery.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)
    gallery.wait_for_timeout(1500)
    for name in NAMES:
        widget = place(gallery, name)
        for text, paper in widget.evaluate(TEXT_COLOURS):
            assert contrast(text, paper) >= 4.5, (name, theme)
        plot = widget.locator("canvas:visible").last  # where there are images, they come first
        drawn = np.asarray(pixels(gallery, plot)).reshape(-1, 3)
        colours, counts = np.unique(drawn, axis=0, return_counts=True)
        paper = colours[counts.argmax()]
        dark = theme.endswith("Dark")
        assert max(contrast(colour, paper) for colour in colours) >= 7, (name, theme)
        assert (luminance(paper) < 0.2) is dark, (name, theme)


def test_nothing_is_asked_of_another_host(gallery):
    assert gallery.elsewhere == []


def reopen(page, lab, name):
    """Open a saved notebook afresh; no kernel runs that has its widgets."""
    address, token = lab
    page.goto(f"{address}/lab/tree/notebooks/{name}?token={token}&reset")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=90_000)


def live_without_a_kernel(page, count):
    """Assert that widgets came out of the file: those that the browser draws move, others say why not."""
    wait_for(lambda: page.locator(".dw").count() == count)
    assert page.get_by_text("Error displaying widget").count() == 0
    for widget in page.locator(".dw").all():
        slider, canvas = slider_of(uncover(widget)), picture_of(widget)
        if widget.get_attribute("data-widget") in KERNEL_WIDGETS:
            wait_for(lambda w=widget: w.get_by_text(NEEDS_KERNEL).is_visible())
            assert slider.is_disabled()
            continue
        before = pixels(page, canvas)
        slider.press("Home" if float(slider.input_value()) > 0 else "End")
        wait_for(lambda c=canvas, b=before: differ(b, pixels(page, c)))


def test_saved_and_reloaded_the_gallery_stays_alive(gallery):
    save(gallery)
    gallery.reload()
    wait_for(lambda: gallery.locator(".dw").count() == len(NAMES))
    gallery.wait_for_function(KERNEL_IS_IDLE, timeout=60_000)
    # Its kernel still answers.
    detective = place(gallery, "EvalDetective")
    before = pixels(gallery, picture_of(detective))
    detective.get_by_role("button", name="Again, other seed").click()
    wait_for(lambda: differ(before, pixels(gallery, picture_of(detective))))


def test_reset_after_a_reload_goes_back_to_the_opening_state(gallery):
    widget = place(gallery, "MaskLab")
    widget.get_by_role("button", name="Reset").click()
    uncover(widget)
    wait_for(lambda: "batches=1" in widget.locator(".dw-code").inner_text())
    first = widget.locator(".dw-code").inner_text()
    slider_of(widget).focus()
    gallery.keyboard.press("End")
    widget.get_by_role("button", name="Next batch").click()
    wait_for(lambda: "p=1, seed=0, batches=2" in widget.locator(".dw-code").inner_text())
    save(gallery)
    gallery.reload()
    wait_for(lambda: gallery.locator(".dw").count() == len(NAMES))
    widget = gallery.locator(".dw[data-widget=MaskLab]")
    wait_for(lambda: "p=1, seed=0, batches=2" in widget.locator(".dw-code").text_content())
    widget.get_by_role("button", name="Reset").click()
    uncover(widget)
    wait_for(lambda: widget.locator(".dw-code").inner_text() == first)


@pytest.mark.parametrize("where", ["a button", "the numbers", "the picture"])
def test_keys_after_a_click_into_a_widget_do_nothing_to_the_notebook(gallery, where):
    widget = place(gallery, "MaskLab")
    cells = gallery.locator(".jp-Notebook .jp-Cell").count()
    if where == "a button":
        widget.get_by_role("button", name="Next batch").click()
    else:
        widget.locator(".dw-numbers" if where == "the numbers" else ".dw-pictures canvas").first.click()
    for key in ("d", "d", "x", "a", "b"):  # delete, cut, insert
        gallery.keyboard.press(key)
    gallery.wait_for_timeout(300)
    assert gallery.locator(".jp-Notebook .jp-Cell").count() == cells
    gallery.keyboard.press("Escape")


@pytest.mark.parametrize("name", ["MaskLab", "CoadaptationLens"])
def test_units_are_reached_by_keys_in_jupyterlab_too(gallery, name):
    widget = place(gallery, name)
    cells = gallery.locator(".jp-Notebook .jp-Cell").count()
    widget.get_by_role("button", name="Reset").click()
    uncover(widget)
    code = widget.locator(".dw-code")
    wait_for(lambda: "forced={}" in code.inner_text())
    picture_of(widget).locator("canvas").first.focus()
    for key in ("ArrowRight", "ArrowRight", "Space"):
        gallery.keyboard.press(key)
    wait_for(lambda: "forced={1: " in code.inner_text())
    assert gallery.locator(".jp-Notebook .jp-Cell").count() == cells


def test_space_on_a_button_presses_it(gallery):
    widget = place(gallery, "MaskLab")
    before = widget.locator(".dw-code").inner_text()
    widget.get_by_role("button", name="Next batch").focus()
    gallery.keyboard.press("Space")
    wait_for(lambda: widget.locator(".dw-code").inner_text() != before)


def test_a_widget_fills_the_screen_and_escape_leaves_it(gallery):
    widget = place(gallery, "PSweep")
    widget.get_by_role("button", name="Fill screen").click()
    size = {"width": gallery.evaluate("innerWidth"), "height": gallery.evaluate("innerHeight")}
    wait_for(lambda: widget.bounding_box() == {"x": 0, "y": 0, **size})
    gallery.keyboard.press("Escape")
    wait_for(lambda: widget.bounding_box()["width"] < size["width"])


IN_THE_KERNEL = """async (code) => {
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const run = kernel.requestExecute({code});
    let said = '';
    run.onIOPub = (message) => { if (message.header.msg_type === 'stream') said += message.content.text; };
    await run.done;
    return said.trim();
}"""


def test_twenty_answers_go_from_the_kernel_to_the_page_and_from_the_page_to_the_kernel(gallery):
    widget = gallery.locator(".dw[data-widget=AreYouCalibrated]")
    widget.scroll_into_view_if_needed()
    widget.get_by_role("button", name="Reset").click()
    wait_for(lambda: gallery.evaluate(IN_THE_KERNEL, "print(calibrated.covered)") == "True")
    gallery.evaluate(IN_THE_KERNEL, "calibrated.guess, calibrated.covered = calibrated.truth, False")
    wait_for(lambda: "right 20 of 20, says 99 %" in picture_of(widget).inner_text())
    slider_of(widget).press("End")
    asked = "print(calibrated.stats()['right_you'], calibrated.stats()['temperature'])"
    wait_for(lambda: gallery.evaluate(IN_THE_KERNEL, asked) == "20 5.0")
    widget.get_by_role("button", name="Reset").click()
    asked = "print(calibrated.stats()['guess'], calibrated.covered)"
    wait_for(lambda: gallery.evaluate(IN_THE_KERNEL, asked) == "None True")
    for _ in range(20):
        widget.get_by_role("button", name="Coat", exact=True).click()
        widget.locator(".dw-cover input[type=range]").press("ArrowRight")
        widget.locator(".dw-cover button", has_text=re.compile("Next image|That is my guess")).click()
    asked = "print(calibrated.guess == [['Coat', 0.15]] * 20, calibrated.covered)"
    wait_for(lambda: gallery.evaluate(IN_THE_KERNEL, asked) == "True False")


def test_after_a_restart_a_save_and_a_reload_no_model_is_missing(gallery, lab):
    """What is stored is good by itself: this server has no settings that would mend it."""
    gallery.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    wait_for(lambda: gallery.get_by_text(NEEDS_KERNEL).count() == len(KERNEL_WIDGETS))
    save(gallery)
    reopen(gallery, lab, GALLERY.name)
    live_without_a_kernel(gallery, len(NAMES))
    save(gallery)
    shut_down_kernel(gallery)
    reopen(gallery, lab, GALLERY.name)
    live_without_a_kernel(gallery, len(NAMES))


def choose_a_call_that_drops(widget):
    """Else another p changes nothing in the picture, as it should."""
    calls = widget.locator("select").last
    [call] = set(calls.locator("option").all_inner_texts()) & {"train()", "training=True"}
    calls.select_option(call)
    wait_for(lambda: call in widget.locator(".dw-code").text_content())
    widget.page.wait_for_timeout(500)


def test_in_a_chapter_keys_and_mouse_change_every_widget(chapter):
    page, _, count = chapter
    for index in range(count):
        widget = uncover(page.locator(".dw").nth(index))
        slider, canvas = slider_of(widget), picture_of(widget)
        if widget.get_attribute("data-widget") == "EvalDetective":
            choose_a_call_that_drops(widget)
        start = pixels(page, canvas)
        slider.focus()
        page.keyboard.press("End" if float(slider.input_value()) < 0.5 else "Home")
        wait_for(lambda: differ(start, pixels(page, canvas)))  # noqa: B023 (waits at once)
        page.wait_for_timeout(150)
        moved, (x, y), box = pixels(page, canvas), thumb(slider), slider.bounding_box()
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 2, y, steps=5)
        page.mouse.up()
        page.mouse.move(5, 5)
        wait_for(lambda: differ(moved, pixels(page, canvas)))  # noqa: B023
    assert complaints(page) == [] and set(page.locator(".dw-error").all_inner_texts()) == {""}
    assert page.elsewhere == []


def test_a_saved_chapter_keeps_its_widgets_when_it_is_reopened_without_its_kernel(chapter, lab):
    page, name, count = chapter
    save(page)
    shut_down_kernel(page)
    reopen(page, lab, name)
    live_without_a_kernel(page, count)


def test_a_page_works_from_a_file_without_kernel_or_network(tmp_path, playwright, chromium):
    page_path = write_page(tmp_path / "page.html", [getattr(widgets, name)() for name in NAMES])
    with open_page(playwright, chromium, "nowhere://") as page:
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(page_path.as_uri())
        live_without_a_kernel(page, len(NAMES))
        regression = place(page, "MCRegression")
        line = regression.locator(".dw-code").inner_text()
        regression.locator(".dw-pictures canvas").first.click()
        wait_for(lambda: NEEDS_KERNEL in regression.locator(".dw-numbers").inner_text())
        assert regression.locator(".dw-code").inner_text() == line, "the click is not taken"
        assert errors == [] and page.elsewhere == []
