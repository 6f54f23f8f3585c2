"""No word of a widget leaves its place, touches another or is too small: widths, fonts, themes, all choices.

All widgets stand on one page, as an exported page has them, so this needs neither JupyterLab nor a kernel.
"""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from browser import open_page
from playwright.sync_api import sync_playwright
from widget_page import write_page

from conftest import skip_or_fail
from utils import widgets

WIDTHS = (360, 600, 1280, 1920)
FONTS = ("DejaVu Sans", "Liberation Sans")
SMALLEST, SMALLEST_ON_A_FULL_SCREEN = 12, 24
# What may be long: remembered things, many points, a long history.
STATES = {
    "ThinnedNetwork": {"saved": [1, 2, 3, 40, 500, 2**31 - 1]},
    "OverfitRace": {"trained": [[0.5, 0.01, 20], [0.75, 0.1, 20], [0.25, 0.1, 20], [0.9, 0.01, 20]]},
    "VarianceShiftMachine": {"did": [["train", 0.5, 200], ["sneakers", 0.5, 100], ["masks", 0.5, 5]]},
    "MaskLab": {"forced": {"0": 1, "239": 0}, "batches": 300},
}
WATCH = (Path(__file__).resolve().parent / "detector.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def all_widgets():
    return [getattr(widgets, name)(**STATES.get(name, {})) for name in widgets.__all__]


def font_families():
    """The names of the fonts that this machine has."""
    command = shutil.which("fc-list")
    if not command:
        return ""
    return subprocess.run([command, ":", "family"], capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module", params=FONTS)
def page(request, tmp_path_factory, chromium, all_widgets):
    """The page with all widgets in one font."""
    if request.param not in font_families():
        skip_or_fail(f"the font {request.param} is not installed")
    style = f'.dw {{ font-family: "{request.param}" !important }}'
    path = write_page(tmp_path_factory.mktemp("page") / "all.html", all_widgets, style, before=WATCH)
    with sync_playwright() as playwright, open_page(playwright, chromium, "nowhere://") as page:
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(path.as_uri())
        yield page
        assert errors == [] and page.elsewhere == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_word_is_readable_and_in_its_place(page, width, theme):
    page.evaluate("theme => { document.body.className = theme; }", theme)
    page.set_viewport_size({"width": width, "height": 900})
    # Words lie in the dark where they lie in the light: there the sliders stay as they were.
    found = page.evaluate("([least, all]) => everywhere(least, all)", [SMALLEST, theme == "light"])
    assert found == {}, json.dumps(found, indent=1, ensure_ascii=False)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_learner_s_own_answers_find_room_as_well(page, all_widgets, width):
    page.set_viewport_size({"width": width, "height": 900})
    index = widgets.__all__.index("AreYouCalibrated")
    answers = [["T-shirt/top", confidence] for _, confidence in all_widgets[index].truth]
    found = page.evaluate("([i, guess, least]) => withGuess(i, guess, least)", [index, answers, SMALLEST])
    assert found == []


@pytest.mark.parametrize("covered", [True, False])
def test_on_a_full_screen_type_is_large_and_everything_is_on_the_screen(page, covered):
    page.set_viewport_size({"width": 1920, "height": 1080})
    found = page.evaluate(
        "([least, covered]) => onFullScreen(least, covered)", [SMALLEST_ON_A_FULL_SCREEN, covered]
    )
    assert found == []


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ("root.querySelector('.dw-numbers').style.fontSize = '11px'", "11.0 px"),
        ("root.querySelector('.dw-numbers').style.marginTop = '-2em'", "overlaps"),
        ("root.querySelector('.dw-numbers').style.marginLeft = '-2em'", "leaves the widget"),
        ("g.fillText('word', g.canvas.clientWidth - 5, 40)", '"word" leaves its canvas'),
        ("g.fillText('word', 100, 40); g.fillText('word', 110, 44)", '"word" overlaps "word"'),
        ("g.font = '9px sans-serif'; g.fillText('word', 100, 2)", '"word" is 9.0 px'),
    ],
)
def test_the_detector_sees_planted_faults(page, fault, complaint):
    page.set_viewport_size({"width": 1280, "height": 900})
    found = page.evaluate(f"least => withFault((root, g) => {{ {fault}; }}, least)", SMALLEST)
    assert any(complaint in problem for problem in found), found
