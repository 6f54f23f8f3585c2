"""The site: every stored page with its widgets, words and links, looked at in a browser without network."""

import functools
import gzip
import json
import re
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from browser import differ, open_page, pixels, wait_for
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from playwright.sync_api import sync_playwright

from authoring.store import METADATA, NOTEBOOKS_DIR
from teaching import site
from teaching.html import or_one_sentence
from utils.widgets.base import STATIC_STATE

# The theme and MyST use what Sphinx will take away in two versions.
pytestmark = pytest.mark.filterwarnings("ignore:.*Check CHANGES for Sphinx API")
WIDTHS = (390, 1280, 1920)
LOOKED_AT = (
    "index",
    "00_start_here",
    "02_dropout_from_scratch",
    "07_why_it_works",
    "claims",
    "glossary",
    "widgets_gallery",
)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """(folder, {address below it: parsed page}) of the whole site, of which Sphinx has warned nothing."""
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_LIVE", "live")
        assert site.main([str(folder / "pages")]) == 0
    assert [path.name for path in folder.iterdir()] == ["pages"], "nothing is written beside it"
    folder /= "pages"
    found = [path for path in folder.rglob("*.html") if parse(path).article]  # not the search page
    return folder, {path.relative_to(folder).as_posix(): parse(path) for path in found}


def parse(path):
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def outputs(name):
    notebook = nbformat.read(NOTEBOOKS_DIR / name.replace(".html", ".ipynb"), 4)
    found = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [(output.get("data", {}), output.get("metadata", {})) for output in found]


def test_every_notebook_and_page_is_there(pages):
    notebooks = {
        path.relative_to(NOTEBOOKS_DIR).with_suffix(".html") for path in NOTEBOOKS_DIR.rglob("*.ipynb")
    }
    others = {"index", "glossary", "claims", "teaching", "dropout_on_one_page", "is_it_off"}
    others = {f"{name}.html" for name in others}
    assert {path.as_posix() for path in notebooks if ".ipynb" not in str(path.parent)} | others <= set(
        pages[1]
    )


def test_every_stored_widget_has_its_place_and_its_state(pages):
    total = 0
    for name, page in pages[1].items():
        if not (NOTEBOOKS_DIR / name.replace(".html", ".ipynb")).exists():
            continue
        stored = [metadata[STATIC_STATE] for _, metadata in outputs(name) if STATIC_STATE in metadata]
        shown = [json.loads(script.string) for script in page.select(".dw-place script")]
        assert shown == stored, name
        assert len(page.select("script[src*='page.js']")) == bool(stored), name
        total += len(stored)
    assert total > 15


def test_every_stored_figure_has_its_words(pages):
    total = 0
    for name, page in pages[1].items():
        if (NOTEBOOKS_DIR / name.replace(".html", ".ipynb")).exists():
            stored = [
                metadata.get("image/png", {}).get("alt") or data["text/plain"]
                for data, metadata in outputs(name)
                if "image/png" in data and STATIC_STATE not in metadata
            ]
            shown = [image["alt"] for image in page.article.select('img:not([src$=".svg"])')]
            assert shown == stored, name
            total += len(stored)
    assert total > 50


def test_every_formula_is_mathml(pages):
    for name, page in pages[1].items():
        text = re.sub(r"\s+", " ", " ".join(p.get_text() for p in page.article.select("p, li, td")))
        assert not re.search(r"\$\$|\\(frac|sum|mathbb|sqrt|text)\b", text), name
    assert sum(len(page.find_all("math")) for page in pages[1].values()) > 500


def test_every_link_leads_to_a_place_that_is_there(pages):
    folder, found = pages
    ids = {name: {tag["id"] for tag in page.select("[id]")} for name, page in found.items()}
    checked = 0
    for name, page in found.items():
        for link in page.article.select("a[href]"):
            url = urlsplit(link["href"])
            if url.scheme:
                continue
            target = (folder / name).parent / unquote(url.path) if url.path else folder / name
            target = target.resolve()
            assert target.exists(), (name, link["href"])
            if url.fragment and target.suffix == ".html":
                at = ids[target.relative_to(folder.resolve()).as_posix()]
                assert unquote(url.fragment) in at, (name, link["href"])
            checked += 1
    assert checked > 300


def test_nothing_is_loaded_from_elsewhere(pages):
    for name, page in pages[1].items():
        assert not page.select("script[src^=http], link[rel=stylesheet][href^=http], img[src^=http]"), name


def test_words_of_the_glossary_are_linked_in_chapters_and_back(pages):
    glossary = pages[1]["glossary.html"].article
    for term in ("p", "mask", "NLL", "ECE", "keep probability", "batch norm"):
        names = [tag.get_text(strip=True).rstrip("#") for tag in glossary.select("dt")]
        assert term in names
    back = [link["href"] for link in glossary.select(".uses a")]
    assert "02_dropout_from_scratch.html#use-mask" in back and len(back) > 100
    there = pages[1]["02_dropout_from_scratch.html"].select_one("#use-mask a")
    assert there["href"] == "glossary.html#term-mask" and there.get_text() in ("mask", "masks")
    assert all(entry.select(".uses a") for entry in glossary.select("dd")), "a word that no chapter uses"


# --- a site of one small notebook ---


@pytest.fixture
def small(tmp_path):
    """A function of cells: the parsed page 07_demo.html of a site with one notebook."""

    def make(*cells):
        source, folder = tmp_path / "source", tmp_path / "out"
        source.mkdir()
        notebook = new_notebook(metadata=METADATA, cells=[new_markdown_cell("# Demo"), *cells])
        nbformat.write(notebook, source / "07_demo.ipynb")
        shutil.copy(site.PAGES / "glossary.md", source)
        (source / "index.md").write_text("# Home\n\n```{toctree}\n07_demo\nglossary\n```\n")
        assert site.build(folder, source, tmp_path / "work") == 0
        return parse(folder / "07_demo.html")

    return make


def test_formulas_are_mathml_but_code_and_prices_are_not(small):
    text = "A $p$, then\n\n$$h' = \\begin{cases} 0 \\\\[2pt] \\frac{h}{1-p} \\end{cases}$$\n\n"
    text += "and `$code$`; it costs \\$5 or \\$6."
    page = small(new_markdown_cell(text)).article
    assert [math["display"] for math in page.find_all("math")] == ["inline", "block"]
    assert "$code$" in page.get_text() and "$5 or $6" in page.get_text()
    assert "$$" not in page.get_text() and "2pt" not in page.get_text()


def test_a_heading_with_quotes_and_signs_can_be_linked_as_in_jupyterlab(small):
    page = small(new_markdown_cell('[there](#2.-What-"p"-isn\'t)\n\n## 2. What "p" isn\'t'))
    link = page.article.select_one("p a")
    assert page.find(id=unquote(link["href"][1:])).h2.get_text().startswith("2. What")


def test_covered_answers_and_the_courses_versions_are_folded(small):
    shown = [
        new_code_cell(f"draw({i})", outputs=[new_output("stream", text="107 of 192\n")]) for i in range(2)
    ]
    shown[1].metadata.jupyter = {"outputs_hidden": True}
    version = new_code_cell(
        "mask = 1", metadata={"tags": ["course-version"], "jupyter": {"source_hidden": True}}
    )
    page = small(*shown, version).article
    answer, code = page.find_all("details")
    assert (
        "107 of 192" in answer.get_text()
        and "draw(1)" not in answer.get_text()
        and "mask = 1" in code.get_text()
    )
    assert not answer.has_attr("open") and page.get_text().count("107 of 192") == 2
    assert (
        "Show what happens" in answer.summary.get_text() and "The course's version" in code.summary.get_text()
    )


def buttons(page):
    return {link.get_text(strip=True): link["href"] for link in page.select(".article-header-buttons a")}


def test_a_notebook_that_runs_in_the_browser_says_so(pages):
    name = "exercises/02_dropout_from_scratch"
    address = f"../live/lab/index.html?path={name}.ipynb"
    assert buttons(pages[1][f"{name}.html"]) == {"Run in your browser": address}
    assert buttons(pages[1]["03_keras.html"]) == buttons(pages[1]["glossary.html"]) == {}


def test_without_addresses_there_are_no_buttons(small):
    assert buttons(small()) == {}


def test_with_the_repositorys_address_a_notebook_opens_in_colab_and_binder(small, monkeypatch):
    monkeypatch.setenv("COURSE_REPOSITORY", "https://github.com/someone/course/")
    assert buttons(small()) == {
        "Colab": "https://colab.research.google.com/github/someone/course/blob/HEAD/notebooks/07_demo.ipynb",
        "Binder": "https://mybinder.org/v2/gh/someone/course/HEAD?urlpath=lab/tree/notebooks/07_demo.ipynb",
    }


@pytest.mark.parametrize("place", ["file", "file/pages"])
def test_a_folder_that_cannot_be_made_gets_one_sentence(tmp_path, capsys, place):
    (tmp_path / "file").write_text("mine")
    assert or_one_sentence(site.main, [str(tmp_path / place)]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"course.py: {tmp_path / place}") and said.count("\n") == 1, said


# --- in the browser, from files ---


@pytest.fixture(scope="module")
def browser_page(pages, chromium):
    with sync_playwright() as playwright, open_page(playwright, chromium, "nowhere://") as page:
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.at = lambda name: page.goto(f"{pages[0].as_uri()}/{name}")
        yield page
        assert page.elsewhere == []


def test_pages_are_light(browser_page, pages, capsys):
    """Bytes, gzipped, of a chapter and all that the browser loads with it on a first visit."""
    loaded, weights = set(), {}
    browser_page.on("request", lambda request: loaded.add(request.url))
    for name in (name for name in pages[1] if re.match(r"\d\d_|index|widgets_", name)):
        loaded.clear()
        browser_page.at(name)
        paths = {unquote(urlsplit(url).path) for url in loaded if url.startswith("file:")}
        weights[name] = sum(len(gzipped(path)) for path in paths)
    with capsys.disabled():
        print("\nMB gzipped:", *(f"{name[:2]} {size / 1e6:.2f}" for name, size in sorted(weights.items())))
    assert weights["02_dropout_from_scratch.html"] < 1.2e6 and max(weights.values()) < 2e6


@functools.cache
def gzipped(path):
    return gzip.compress(Path(path).read_bytes(), 6)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", LOOKED_AT)
def test_a_page_fits_every_width_and_its_widgets_live(browser_page, pages, name, theme):
    browser_page.emulate_media(color_scheme=theme)
    browser_page.at(f"{name}.html")
    places = len(pages[1][f"{name}.html"].select(".dw-place"))
    assert browser_page.evaluate("window.dropoutCourse?.alive.length ?? 0") == places
    for width in WIDTHS:
        browser_page.set_viewport_size({"width": width, "height": 900})
        assert browser_page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, width
        assert browser_page.evaluate(BUTTONS_ABOVE) >= 0, width
    assert browser_page.errors == []


BUTTONS_ABOVE = """() => Math.min(0, ...[...document.querySelectorAll(".article-header-buttons .btn")]
    .filter((button) => button.clientHeight).map((button) => button.getBoundingClientRect().top))"""


def test_lines_have_70_to_80_characters(browser_page):
    browser_page.at("02_dropout_from_scratch.html")
    for width in (1280, 1920):
        browser_page.set_viewport_size({"width": width, "height": 900})
        longest = browser_page.evaluate(LONGEST_LINES)
        assert 65 <= longest <= 82, f"the median of full lines at {width}: {longest}"


LONGEST_LINES = """() => {
    const lengths = [];
    for (const p of document.querySelectorAll("article section > p")) {
        const range = document.createRange();
        range.selectNodeContents(p);
        const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.bottom / 12)));
        const lineHeight = parseFloat(getComputedStyle(p).lineHeight);
        const count = Math.round(p.getBoundingClientRect().height / lineHeight);
        if (count > 3) lengths.push(p.textContent.length / (count - 0.5));
    }
    lengths.sort((a, b) => a - b);
    return lengths[Math.floor(lengths.length / 2)];
}"""


def test_a_slider_moves_and_follows_the_theme(browser_page):
    browser_page.set_viewport_size({"width": 1280, "height": 900})
    browser_page.emulate_media(color_scheme="light")
    browser_page.at("00_start_here.html")
    widget = browser_page.locator(".dw[data-widget=MaskLab]")
    widget.get_by_role("button", name="Just show me").click()
    canvas = widget.locator(".dw-pictures canvas").first
    before = pixels(browser_page, canvas)
    widget.locator("input[type=range]").first.press("ArrowRight")
    wait_for(lambda: differ(before, pixels(browser_page, canvas)))
    light = pixels(browser_page, canvas)
    browser_page.locator("button.theme-switch-button:visible").click()  # auto, then light or dark
    browser_page.evaluate("document.documentElement.dataset.theme = 'dark'")
    wait_for(lambda: sum(pixels(browser_page, canvas).getpixel((2, 2))) < 200 < sum(light.getpixel((2, 2))))


def test_outputs_are_dark_where_the_page_is(browser_page):
    browser_page.emulate_media(color_scheme="dark")
    browser_page.at("02_dropout_from_scratch.html")
    colours = browser_page.evaluate(
        "[...document.querySelectorAll('.cell_output .text_html, .cell_output pre')]"
        ".map((e) => getComputedStyle(e).backgroundColor)"
    )
    assert colours
    for colour in set(colours):
        red, green, blue, *alpha = map(float, re.findall(r"[\d.]+", colour))
        assert alpha == [0] or max(red, green, blue) < 90, colour


def test_the_search_finds_a_word_without_a_server(browser_page):
    browser_page.at("search.html?q=calibrated")
    browser_page.wait_for_selector("#search-results li a")
    found = [link.get_attribute("href") for link in browser_page.locator("#search-results li a").all()]
    assert any("12_is_it_calibrated.html" in address for address in found)


def test_claims_are_sorted_by_their_heads(browser_page):
    browser_page.at("claims.html")
    head = browser_page.get_by_role("button", name="Verdict")
    column = "[...document.querySelectorAll('table tbody tr')].map((row) => row.cells[2].textContent.trim())"
    stored = browser_page.evaluate(column)
    head.click()
    assert browser_page.evaluate(column) == sorted(stored) != stored
    head.click()
    assert browser_page.evaluate(column) == sorted(stored, reverse=True)
