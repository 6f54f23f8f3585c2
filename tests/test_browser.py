"""Chapter 00 in a real JupyterLab and a real browser: the slider moves, and the picture changes."""

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

CHAPTER = ROOT / "notebooks" / "00_start_here.ipynb"


@pytest.fixture(scope="module")
def lab(tmp_path_factory, chromium):
    """(address, token) of a JupyterLab that serves a copy of chapter 00."""
    with jupyter_lab(tmp_path_factory.mktemp("lab"), [CHAPTER]) as address_and_token:
        yield address_and_token


@pytest.fixture(scope="module")
def chapter(lab, chromium):
    """The page with chapter 00 open and all cells run; page.elsewhere lists requests to other hosts."""
    address, token = lab
    with sync_playwright() as playwright, open_page(playwright, chromium, address) as page:
        open_notebook(page, address, token, CHAPTER.name)
        run_all(page)
        page.locator(".widget-image").first.scroll_into_view_if_needed()
        page.locator(".widget-slider").first.scroll_into_view_if_needed()
        page.wait_for_timeout(500)
        yield page
        shut_down_kernel(page)


def picture(page):
    """The pixels of the slider's picture, as the reader sees them."""
    return pixels(page, page.locator(".widget-image").first)


def wait_for_other_picture(page, before):
    wait_for(lambda: differ(before, picture(page)), 30)


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
