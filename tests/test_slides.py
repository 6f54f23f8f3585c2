"""Slides: what stands on which; all of it on the screen, in a browser without network."""

import nbformat
import pytest
from browser import open_page
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from playwright.sync_api import sync_playwright

from teaching import slides
from teaching.html import or_one_sentence
from teaching.slides import MOST_CODE, SHOWN, as_slides, code_parts, copy_reveal, main, make_slides


def types(*cells):
    return [
        (cell.source.split("\n")[0], cell.metadata.slideshow.slide_type)
        for cell in as_slides(new_notebook(cells=list(cells))).cells
    ]


TEXT, FIGURE = new_output("stream", text="107 of 192\n"), {"image/png": "", "text/plain": "two bars"}


def test_a_heading_starts_a_slide_and_what_is_short_stands_below_it():
    assert types(
        new_markdown_cell("# Title"),
        new_code_cell("import sys", metadata={"tags": ["imports"]}),
        new_markdown_cell("## One\n\ntext"),
        new_code_cell("1"),
        new_markdown_cell("### Part\n\nmore"),
        new_code_cell("2", outputs=[TEXT]),
    ) == [
        ("# Title", "slide"),
        ("import sys", "skip"),
        ("## One", "slide"),
        ("text", "-"),
        ("1", "-"),
        ("### Part", "subslide"),
        ("more", "-"),
        ("2", "-"),
        ("", "-"),
    ]


def test_a_slide_that_is_full_goes_on_below():
    found = types(*(new_markdown_cell(f"{number} " + "word " * 100) for number in range(3)))
    assert [kind for _, kind in found] == ["-", "-", "subslide"]
    code = "\n".join(["a = 1"] * 7)
    assert [kind for _, kind in types(new_code_cell(code), new_code_cell(code))] == ["-", "subslide"]


def test_a_figure_leaves_room_for_words_and_not_for_another():
    figures = [new_code_cell("", outputs=[new_output("display_data", FIGURE)]) for _ in range(2)]
    found = types(new_markdown_cell("words"), *figures, new_markdown_cell("word " * 150))
    assert [kind for _, kind in found if _ != ""] == ["-", "subslide"]
    assert types(*figures)[-1] == ("", "subslide")


def test_a_heading_inside_a_cell_cuts_it_but_a_comment_in_code_does_not():
    cell = new_markdown_cell("end\n\n## Two\n\n```\n## no heading\n\nx\n```\n\n### Three")
    assert types(cell) == [("end", "-"), ("## Two", "slide"), ("```", "-"), ("### Three", "subslide")]
    fenced = as_slides(new_notebook(cells=[cell])).cells[2]
    assert fenced.source == "```\n## no heading\n\nx\n```"


def test_long_code_is_cut_between_statements_with_the_comment_that_belongs_to_one():
    source = "a = 1\n" * 6 + "\n\n# why\n@cache\ndef f():\n" + "    b = 2\n" * 6 + "f()"
    first, second = code_parts(source)
    assert first == "\n".join(["a = 1"] * 6) and second.startswith("# why\n@cache\ndef") and "f()" in second
    assert code_parts("def f():\n" + "    b = 2\n" * 20) == ["def f():\n" + "    b = 2\n" * 20]


def test_exercises_and_sources_are_left_out_and_what_follows_is_not():
    found = types(
        new_markdown_cell("text\n\n## Exercises"),
        new_markdown_cell("answer"),
        new_markdown_cell("## Sources"),
        new_markdown_cell("## Recap"),
    )
    assert [kind for _, kind in found] == ["-", "skip", "skip", "skip", "slide"]


def test_a_cell_can_decide_for_itself():
    cell = new_markdown_cell("## A\n\n## B", metadata={"slideshow": {"slide_type": "notes"}})
    assert types(cell) == [("## A", "notes")]


@pytest.fixture
def page_of(tmp_path):
    def make(*cells):
        path = tmp_path / "07_demo.ipynb"
        nbformat.write(new_notebook(cells=list(cells)), path)
        return BeautifulSoup(make_slides(path, tmp_path).read_text(encoding="utf-8"), "html.parser")

    return make


@pytest.fixture
def shown():
    return new_output("stream", name="stdout", text="107 of 192\n")


@pytest.fixture
def page(page_of, shown):
    return page_of(
        new_markdown_cell("# $p$\n\n[next](08_how_much.ipynb#part) `$code$` for \\$5"),
        new_markdown_cell(
            "[task](exercises/07_x.ipynb), [proof](appendix/07_x.ipynb#a), [page](is_it_off.md)"
        ),
        new_code_cell("draw()", outputs=[shown]),
        new_code_cell("plot()", outputs=[new_output("display_data", FIGURE)]),
    )


def test_slides_load_nothing_from_the_network(page):
    sources = [tag["src"] for tag in page.select("script[src]")]
    styles = [tag["href"] for tag in page.select("link[href]")]
    assert sources == [
        f"reveal/{name}" for name in ("page.js", "dist/reveal.js", "plugin/notes/notes.js", "slides.js")
    ]
    assert styles == ["reveal/dist/reveal.css", "reveal/dist/theme/slides.css"]


def test_slides_show_formulas_outputs_and_links_to_slides(page):
    assert len(page.find_all("math")) == 1 and "$code$ for $5" in page.get_text()
    assert page.select_one("a[href='08_how_much.html#part']")
    assert len(page.select(".slides a[href]:not(.anchor-link)")) == 1
    assert "task, proof, page" in page.get_text(), "what has no slides is a word"
    assert page.img["alt"] == "two bars"
    assert "107 of 192" in page.select_one(".slides section section").get_text()


def test_the_answer_to_a_prediction_comes_one_slide_after_the_question(page_of, shown):
    plain, covered = (new_code_cell(f"draw({i})", outputs=[shown]) for i in range(2))
    covered.metadata.jupyter = {"outputs_hidden": True}
    page = page_of(new_markdown_cell("# Title"), plain, new_markdown_cell("Predict"), covered)
    first, second = page.select(".slides section section")
    assert "Predict" in first.get_text() and "draw(1)" in first.get_text()
    assert first.get_text().count("107 of 192") == second.get_text().count("107 of 192") == 1
    assert "draw" not in second.get_text()


def test_the_courses_version_and_long_functions_are_folded(page_of):
    tags = ("your-turn", "course-version")
    long = new_code_cell("def f():\n" + "    mask_l = 1\n" * MOST_CODE)
    said = new_markdown_cell("Your turn.\n\nThe course's version:")
    page = page_of(said, *(new_code_cell(f"mask_{tag[0]}", metadata={"tags": [tag]}) for tag in tags), long)
    version, code = page.find_all("details")
    assert "mask_c" in version.get_text() and "mask_l" in code.get_text() and "mask_y" in page.get_text()
    assert (version.summary.get_text(), code.summary.get_text()) == ("The course's version", "The code")
    assert page.get_text().count("The course's version") == 1


def test_a_folder_that_cannot_be_made_gets_one_sentence(tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "file", tmp_path / "file/pages"):
        assert or_one_sentence(main, [str(place)]) == 1
        said = capsys.readouterr().err
        assert said.startswith(f"course.py: {place}") and said.count("\n") == 1, said
    assert (tmp_path / "file").read_text() == "mine"


BESIDE = (
    "images/map.svg",
    *(f"reveal/{name}" for name in ("LICENSE", "page.js", "dist/reveal.js", "dist/reveal.css", "slides.js")),
    *(f"reveal/dist/theme/{name}.css" for name in ("slides", "white", "widgets")),
    "reveal/plugin/notes/notes.js",
)


def test_reveal_lies_beside_the_slides(tmp_path):
    for _ in "again":
        copy_reveal(tmp_path)
    for name in BESIDE:
        assert (tmp_path / name).stat().st_size > 0


def test_the_command_makes_slides_of_every_chapter(tmp_path, monkeypatch, capsys):
    made = []
    monkeypatch.setattr(slides, "copy_reveal", lambda folder: None)
    monkeypatch.setattr(
        slides, "make_slides", lambda path, folder: made.append(path.name) or folder / path.name
    )
    assert main([str(tmp_path)]) == 0
    assert made[0] == "00_start_here.ipynb" and "widgets_gallery.ipynb" in made
    assert "nothing else is needed" in capsys.readouterr().out


# --- every slide of every chapter, in the browser, from files ---


@pytest.fixture(scope="module")
def show(tmp_path_factory, screen):
    """A function of a notebook's name: its slides are on the screen."""
    folder = tmp_path_factory.mktemp("slides")
    copy_reveal(folder)

    def open_slides(name):
        path = folder / f"{name}.html"
        if not path.exists():
            make_slides(SHOWN[name], folder)
        screen.goto(path.as_uri())
        screen.wait_for_function("window.Reveal?.isReady()")
        return path

    return open_slides


@pytest.fixture(scope="module")
def screen(chromium):
    """A page as large as a small projector's."""
    with sync_playwright() as playwright, open_page(playwright, chromium, "nowhere://", 1280, 720) as page:
        page.set_default_timeout(600_000)  # a busy machine takes many times what a quiet one does
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        yield page
        assert page.elsewhere == page.errors == []


EVERY_SLIDE = """async (opened) => {
    Reveal.configure({ transition: "none" });
    const frame = () => new Promise(requestAnimationFrame);
    const found = [];
    for (const slide of Reveal.getSlides()) {
        const { h, v } = Reveal.getIndices(slide);
        Reveal.slide(h, v);
        if (opened) for (const part of slide.querySelectorAll("details")) part.open = true;
        await frame(); await frame();
        const code = [...slide.querySelectorAll(".jp-InputArea pre")].filter((e) => !e.closest("details"));
        found.push({
            at: `${h}/${v} ${slide.innerText.slice(0, 40)}`,
            over: Math.max(slide.scrollHeight - slide.clientHeight, slide.scrollWidth - slide.clientWidth),
            zoom: Number(slide.style.getPropertyValue("--zoom")),
            pictures: slide.querySelectorAll(".jp-RenderedImage img, .dw").length,
            code: code.reduce((sum, pre) => sum + pre.textContent.trim().split("\\n").length, 0),
        });
    }
    return found;
}"""


@pytest.mark.parametrize("name", SHOWN)
def test_every_slide_shows_all_of_it_in_type_that_can_be_read(show, screen, name, capsys):
    """Type of at least 15 pixels on 720 lines, of 22 on 1080. A fold is all there, too."""
    path = show(name)
    found = screen.evaluate(EVERY_SLIDE, False)
    assert [slide for slide in found if slide["over"] > 0 or slide["zoom"] < 0.7] == []
    assert [slide for slide in found if slide["pictures"] > 1 or slide["code"] > MOST_CODE] == []
    assert [slide for slide in screen.evaluate(EVERY_SLIDE, True) if slide["over"] > 0] == []
    places = path.read_text(encoding="utf-8").count('class="dw-place"')
    assert screen.evaluate("window.dropoutCourse?.alive.length ?? 0") == places
    with capsys.disabled():
        print(f"\n{name}: {len(found)} slides, {sum(slide['zoom'] < 1 for slide in found)} of them smaller")


def turn_to(part):
    part.evaluate("(e) => { const { h, v } = Reveal.getIndices(e.closest('section')); Reveal.slide(h, v); }")


def test_a_widget_fits_before_and_after_the_guess_and_its_keys_turn_no_slide(show, screen):
    show("widgets_gallery")
    fits = "(slide => slide.scrollHeight - slide.clientHeight)(Reveal.getCurrentSlide()) <= 0"
    widgets = screen.locator(".dw")
    assert widgets.count() >= 9
    for number in range(widgets.count()):
        widget = widgets.nth(number)
        turn_to(widget)
        at = screen.evaluate("Reveal.getIndices()")
        screen.wait_for_function(fits)
        widget.get_by_role("button", name="Just show me").focus()
        screen.keyboard.press("Space")
        widget.locator(".dw-body").wait_for()
        screen.wait_for_function(fits)
        assert screen.evaluate("Reveal.getIndices()") == at, "Space turned the slide"
        screen.keyboard.press("PageUp")
        assert screen.evaluate("Reveal.getIndices()") != at


def test_space_on_a_fold_opens_it(show, screen):
    show("02_dropout_from_scratch")
    fold = screen.locator("details").first
    turn_to(fold)
    at = screen.evaluate("Reveal.getIndices()")
    fold.locator("summary").focus()
    screen.keyboard.press("Space")
    assert fold.get_attribute("open") == "" and screen.evaluate("Reveal.getIndices()") == at
