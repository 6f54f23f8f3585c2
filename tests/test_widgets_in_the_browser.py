"""Every widget of the gallery in a real JupyterLab: keys, mouse, fast drags, themes, posters, pages."""

import shutil

import numpy as np
import pytest
from browser import (
    ROOT,
    differ,
    jupyter_lab,
    open_notebook,
    open_page,
    pixels,
    run_all,
    shut_down_kernel,
    wait_for,
)
from playwright.sync_api import sync_playwright

from utils import widgets
from utils.export import export

GALLERY = ROOT / "notebooks" / "widgets_gallery.ipynb"
UNTOUCHED = "untouched.ipynb"
NAMES = widgets.__all__
KERNEL_WIDGETS = [name for name in NAMES if getattr(widgets, name).needs_kernel]


@pytest.fixture(scope="module")
def playwright(chromium):
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def lab(tmp_path_factory, chromium):
    # A second copy, which no test runs: JupyterLab saves the first one with its live outputs.
    untouched = tmp_path_factory.mktemp("copy") / UNTOUCHED
    shutil.copy(GALLERY, untouched)
    with jupyter_lab(tmp_path_factory.mktemp("lab"), [GALLERY, untouched]) as address_and_token:
        yield address_and_token


@pytest.fixture(scope="module")
def gallery(lab, playwright, chromium):
    """The page with the gallery open and all cells run."""
    address, token = lab
    with open_page(playwright, chromium, address) as page:
        open_notebook(page, address, token, GALLERY.name)
        run_all(page)
        page.wait_for_selector(".dw canvas", timeout=30_000)
        wait_for(lambda: page.locator(".dw").count() == len(NAMES), 30)
        yield page
        shut_down_kernel(page)


def place(page, name):
    """The widget of this class, scrolled into view."""
    widget = page.locator(".dw", has=page.locator(f".dw-code:text-matches('^{name}\\\\(')"))
    assert widget.count() == 1
    widget.scroll_into_view_if_needed()
    page.wait_for_timeout(150)
    return widget


def slider_of(widget):
    return widget.locator("input[type=range]").first


def thumb(slider):
    """Where the slider's thumb is on the page."""
    box = slider.bounding_box()
    share = slider.evaluate("e => (e.value - e.min) / (e.max - e.min)")
    return box["x"] + 8 + (box["width"] - 16) * share, box["y"] + box["height"] / 2


def test_no_cell_fails(gallery):
    # JupyterLab shows tracebacks and stderr under the same type.
    complaints = gallery.locator("[data-mime-type='application/vnd.jupyter.stderr']")
    assert complaints.all_inner_texts() == []


@pytest.mark.parametrize("name", NAMES)
def test_arrow_keys_change_value_and_pixels(gallery, name):
    widget = place(gallery, name)
    slider = slider_of(widget)
    canvas = widget.locator("canvas")
    slider.evaluate("e => { e.value = e.min; e.dispatchEvent(new Event('input')); }")
    gallery.wait_for_timeout(300)
    before, start = pixels(gallery, canvas), float(slider.input_value())
    slider.focus()
    for _ in range(4):
        gallery.keyboard.press("ArrowRight")
    step = float(slider.get_attribute("step"))
    assert float(slider.input_value()) == pytest.approx(start + 4 * step)
    wait_for(lambda: differ(before, pixels(gallery, canvas)), 10)


@pytest.mark.parametrize("name", NAMES)
def test_a_fast_drag_ends_on_the_right_value_without_late_frames(gallery, name):
    widget = place(gallery, name)
    slider, canvas = slider_of(widget), widget.locator("canvas")
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
    value = float(slider.input_value())
    low, high = (float(slider.get_attribute(end)) for end in ("min", "max"))
    assert 0.5 < (value - low) / (high - low) < 0.9
    shown = float(widget.locator(".dw-readout").first.inner_text())
    assert shown == pytest.approx(value, abs=0.006)
    gallery.wait_for_timeout(500)
    assert not differ(settled, pixels(gallery, canvas)), "a frame came later than 250 ms after release"


@pytest.mark.parametrize("name", NAMES)
def test_reset_brings_the_first_state_back(gallery, name):
    widget = place(gallery, name)
    widget.get_by_role("button", name="Reset").click()
    code = widget.locator(".dw-code")
    wait_for(lambda: code.inner_text().startswith(f"{name}("), 5)
    first = code.inner_text()
    slider_of(widget).focus()
    gallery.keyboard.press("End")
    gallery.keyboard.press("Home")
    wait_for(lambda: code.inner_text() != first, 5)
    widget.get_by_role("button", name="Reset").click()
    wait_for(lambda: code.inner_text() == first, 5)


@pytest.mark.parametrize("name", NAMES)
def test_a_screen_reader_finds_words_for_everything(gallery, name):
    widget = place(gallery, name)
    canvas = widget.locator("canvas")
    assert canvas.get_attribute("role") == "img" and len(canvas.get_attribute("aria-label")) > 20
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
        drawn = np.asarray(pixels(gallery, widget.locator("canvas"))).reshape(-1, 3)
        colours, counts = np.unique(drawn, axis=0, return_counts=True)
        paper = colours[counts.argmax()]
        dark = theme.endswith("Dark")
        assert max(contrast(colour, paper) for colour in colours) >= 7, (name, theme)
        if name not in ("ImageDropout", "OverfitRace"):  # their pictures fill the canvas
            assert (luminance(paper) < 0.2) is dark, (name, theme)


def test_nothing_is_asked_of_another_host(gallery):
    assert gallery.elsewhere == []


def test_reopened_without_a_kernel_the_notebook_shows_posters(lab, playwright, chromium):
    address, token = lab
    with open_page(playwright, chromium, address) as page:
        page.goto(f"{address}/lab/tree/notebooks/{UNTOUCHED}?token={token}&reset")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=90_000)
        wait_for(lambda: page.locator(".jp-RenderedImage img").count() >= len(NAMES), 30)
        for image in page.locator(".jp-RenderedImage img").all():
            assert image.evaluate("e => e.naturalWidth") > 300
        assert page.get_by_text("model not found").count() == 0


def test_the_exported_page_works_from_a_file_without_kernel_or_network(tmp_path, playwright, chromium):
    page_path = export(GALLERY, tmp_path)
    with open_page(playwright, chromium, "nowhere://") as page:
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(page_path.as_uri())
        alive = [name for name in NAMES if name not in KERNEL_WIDGETS]
        wait_for(lambda: page.locator(".dw canvas").count() == len(alive), 10)
        for name in alive:
            widget = place(page, name)
            canvas, slider = widget.locator("canvas"), slider_of(widget)
            before = pixels(page, canvas)
            slider.focus()
            page.keyboard.press("Home" if float(slider.input_value()) > 0 else "End")
            wait_for(lambda: differ(before, pixels(page, canvas)), 5)  # noqa: B023 (waits at once)
        assert errors == [] and page.elsewhere == []
        assert page.locator("math").count() > 0 and not page.locator("script[src]").count()
