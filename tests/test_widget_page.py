"""What a reader does with a widget, on a page without a kernel: guess, draw, keys, full screen, Reset."""

import re

import pytest
from browser import open_page, wait_for
from playwright.sync_api import sync_playwright
from widget_page import write_page

from teaching.html import NEEDS_KERNEL
from utils import plotting, widgets

STATES = {"OverfitRace": {"trained": [[0.5, 0.01, 40]]}}


# Keeps the media queries by which widgets learn of another resolution.
NOTE_RESOLUTIONS = """
const resolutions = [], asked = window.matchMedia.bind(window);
window.matchMedia = (query) => {
  const answer = asked(query);
  if (query.startsWith("(resolution")) resolutions.push(answer);
  return answer;
};
"""


@pytest.fixture(scope="module")
def all_widgets():
    return {name: getattr(widgets, name)(**STATES.get(name, {})) for name in widgets.__all__}


@pytest.fixture(scope="module")
def shared_page(tmp_path_factory, chromium, all_widgets):
    path = tmp_path_factory.mktemp("page") / "all.html"
    write_page(path, all_widgets.values(), before=NOTE_RESOLUTIONS)
    with sync_playwright() as playwright, open_page(playwright, chromium, "nowhere://") as page:
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(path.as_uri())
        yield page
        assert errors == [] and page.elsewhere == []


@pytest.fixture
def page(shared_page):
    """The page with every widget as it opens."""
    shared_page.set_viewport_size({"width": 1280, "height": 900})
    for button in shared_page.get_by_role("button", name="Reset").all():
        button.click()
    return shared_page


def place(page, name):
    widget = page.locator(f".dw[data-widget={name}]")
    widget.scroll_into_view_if_needed()
    return widget


def press(widget, name):
    widget.get_by_role("button", name=name, exact=True).click()


def state(page, name, *keys):
    """What the model of a widget holds now."""
    index = widgets.__all__.index(name)
    got = page.evaluate(
        "([i, keys]) => keys.map((key) => dropoutCourse.alive[i].model.get(key))", [index, keys]
    )
    return got[0] if len(keys) == 1 else got


# --- the guess ---


@pytest.mark.parametrize("name", widgets.__all__)
def test_picture_and_numbers_are_covered_until_the_learner_wants_to_see_them(page, all_widgets, name):
    widget = place(page, name)
    assert widget.locator(".dw-question").inner_text() == all_widgets[name].question
    for part in (".dw-pictures", ".dw-numbers", ".dw-code", ".dw-answer", ".dw-controls"):
        assert not widget.locator(part).first.is_visible(), part
    press(widget, "Just show me")
    assert (
        widget.locator(".dw-pictures canvas").first.is_visible()
        and not widget.locator(".dw-cover").is_visible()
    )
    assert widget.locator(".dw-numbers").inner_text() != ""
    assert all_widgets[name].because in widget.locator(".dw-answer").inner_text()
    press(widget, "Reset")
    assert not widget.locator(".dw-pictures").is_visible() and widget.locator(".dw-cover").is_visible()


def test_a_choice_is_made_by_one_press_and_stands_beside_the_truth(page):
    widget = place(page, "ScalingBalance")
    press(widget, "it shrinks")
    assert widget.locator(".dw-answer").inner_text().startswith("Your guess: “it shrinks”. Here: “it grows”.")
    assert state(page, "ScalingBalance", "guess", "covered") == ["it shrinks", False]
    press(widget, "Reset")
    assert state(page, "ScalingBalance", "guess", "covered") == [None, True]


def test_a_number_is_typed_and_one_out_of_range_is_not_taken(page):
    widget = place(page, "MaskLab")
    field = widget.get_by_label("your guess")
    field.fill("500")
    field.press("Enter")
    assert state(page, "MaskLab", "guess", "covered") == [None, True]
    field.fill("20")
    field.press("Enter")
    said = widget.locator(".dw-answer").inner_text()
    assert said.startswith(f"Your guess: 20 batches. Here: {state(page, 'MaskLab', 'truth')} batches.")
    press(widget, "Reset")
    assert field.input_value() == "", "Reset forgets the guess"


def draw(page, widget, heights):
    """Drag over the axes from left to right through these shares of the canvas's height."""
    box = widget.locator(".dw-cover canvas").bounding_box()
    for k, share in enumerate(heights):
        x = box["x"] + box["width"] * (0.01 + 0.98 * k / (len(heights) - 1))
        page.mouse.move(x, box["y"] + box["height"] * share, steps=4)
        if k == 0:
            page.mouse.down()
    page.mouse.up()


def test_a_curve_is_drawn_by_hand_and_stays_in_the_picture(page):
    widget = place(page, "PSweep")
    done = widget.get_by_role("button", name="That is my guess")
    assert done.is_disabled() and "Drag across the axes" in widget.locator(".dw-cover").inner_text()
    draw(page, widget, [0.1, 0.5])
    assert not done.is_disabled()
    press(widget, "Draw again")
    assert done.is_disabled()
    draw(page, widget, [0.2, 0.8, 0.2])
    done.click()
    guess, takes = state(page, "PSweep", "guess", "takes")
    assert len(guess) == len(takes["x"]) and guess[0] > guess[3] and guess[-1] > guess[3]
    assert widget.locator(".dw-legend").inner_text().count("your guess") == 1
    assert "Your curve is the one with diamonds." in widget.locator(".dw-answer").inner_text()
    # It was drawn for this width: with another one it would mislead.
    widget.get_by_label("width", exact=True).select_option("16")
    wait_for(lambda: "your guess" not in widget.locator(".dw-legend").inner_text())


def test_a_curve_is_drawn_by_keys_as_well(page):
    widget = place(page, "PSweep")
    widget.locator(".dw-cover canvas").focus()
    for _ in state(page, "PSweep", "takes")["x"]:
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowRight")
    wait_for(lambda: "6 of 6 points" in widget.locator(".dw-cover canvas").get_attribute("aria-label"))
    widget.get_by_role("button", name="That is my guess").press("Enter")
    assert state(page, "PSweep", "guess") == [1.26] * 6


@pytest.mark.parametrize("name", [n for n in widgets.__all__ if getattr(widgets, n).needs_kernel])
def test_a_widget_that_needs_a_kernel_takes_the_guess_and_says_what_it_lacks(page, name):
    widget = place(page, name)
    assert not widget.get_by_text(NEEDS_KERNEL).is_visible()
    press(widget, "Just show me")
    assert widget.get_by_text(NEEDS_KERNEL).is_visible()
    assert widget.locator("input[type=range]").is_disabled()
    assert not widget.get_by_role("button", name="Fill screen").is_disabled()


# --- keys ---


def test_the_units_of_the_mask_are_reached_by_keys(page):
    widget = place(page, "MaskLab")
    press(widget, "Just show me")
    widget.locator(".dw-pictures canvas").first.focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowRight", "Space"):
        page.keyboard.press(key)
    # The first arrow enters at the first unit; then example 2, unit 2: cell 21.
    assert list(state(page, "MaskLab", "forced")) == ["21"]
    kept = state(page, "MaskLab", "forced")["21"]
    spoken = widget.locator(".dw-spoken")
    assert spoken.inner_text() == f"example 2, unit 2: {'kept' if kept else 'dropped'}, forced"
    page.keyboard.press("Enter")
    assert state(page, "MaskLab", "forced") == {"21": 1 - kept}
    page.keyboard.press("End")
    assert spoken.inner_text().startswith("example 2, unit 20")


def test_units_of_both_nets_go_by_a_click_or_by_keys_and_all_come_back(page, all_widgets):
    widget = place(page, "CoadaptationLens")
    press(widget, "Just show me")
    gone = int((~all_widgets["CoadaptationLens"].kept()).sum())
    first, second = (widget.locator(".dw-pictures canvas").nth(k) for k in (0, 1))
    box = second.bounding_box()
    second.click(position={"x": 2.5 / 16 * box["width"], "y": 1.5 / 8 * box["height"]})  # unit 18
    kept = 1 - int(all_widgets["CoadaptationLens"].kept()[18])
    assert state(page, "CoadaptationLens", "forced") == {"18": kept}
    first.focus()
    for key in ("ArrowRight", "End", "ArrowDown", "Space"):
        page.keyboard.press(key)
    assert list(state(page, "CoadaptationLens", "forced")) == ["18", "31"]
    how = "alive" if state(page, "CoadaptationLens", "forced")["31"] else "knocked out"
    assert widget.locator(".dw-spoken").first.inner_text() == f"unit 32 of 128: {how} in both nets"
    change = sum(1 if keep else -1 for keep in state(page, "CoadaptationLens", "forced").values())
    numbers = widget.locator(".dw-numbers")
    wait_for(lambda: numbers.inner_text().startswith(f"{gone - change} of 128 units gone"))
    press(widget, "Revive all")
    wait_for(lambda: numbers.inner_text().startswith("0 of 128 units gone"))
    assert state(page, "CoadaptationLens", "forced") == {}
    press(widget, "Other units")
    assert state(page, "CoadaptationLens", "seed") == 1


def test_paths_are_traced_by_keys(page):
    widget = place(page, "ThinnedNetwork")
    press(widget, "Just show me")
    widget.locator(".dw-pictures canvas").first.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Space"):
        page.keyboard.press(key)
    assert state(page, "ThinnedNetwork", "trace") == "hidden 1.2"


def test_keys_in_a_widget_are_no_shortcuts_of_the_page_and_space_presses_the_button(page):
    page.evaluate(
        """() => {
          window.heard = [];
          window.shortcuts = []; // Notebook 7 listens before the widget, and asks the focused element
          document.addEventListener("keydown", (event) => {
            if (!event.target.hasAttribute("data-lm-suppress-shortcuts")) shortcuts.push(event.key);
          }, true);
          document.addEventListener("keydown", (event) => {
            heard.push(event.key);
            if (event.key === " ") event.preventDefault(); // as reveal.js does, to turn the page
          });
        }"""
    )
    widget = place(page, "MaskLab")
    press(widget, "Just show me")
    before = state(page, "MaskLab", "batches")
    widget.get_by_role("button", name="Next batch").focus()
    for key in ("Space", "d", "d", "Shift+Enter"):
        page.keyboard.press(key)
    # Space and Shift+Enter press the button; nobody else hears them.
    assert state(page, "MaskLab", "batches") == before + 2 and page.evaluate("heard") == []
    page.keyboard.press("Control+s")
    page.keyboard.press("Escape")
    assert page.evaluate("heard") == page.evaluate("shortcuts") == ["Control", "s", "Escape"]


def test_a_click_anywhere_in_a_widget_gives_it_the_keys(page):
    widget = place(page, "MaskLab")
    press(widget, "Just show me")
    widget.locator(".dw-numbers").click()
    assert page.evaluate("document.activeElement.closest('.dw') !== null")


# --- Reset ---


def test_reset_leaves_nothing_frozen(page):
    widget = place(page, "MaskLab")
    press(widget, "Just show me")
    press(widget, "Freeze")
    press(widget, "Next batch")
    assert state(page, "MaskLab", "batches") == 1
    press(widget, "Reset")
    press(widget, "Just show me")
    freeze = widget.get_by_role("button", name="Freeze", exact=True)
    assert freeze.get_attribute("aria-pressed") == "false"
    press(widget, "Next batch")
    assert state(page, "MaskLab", "batches") == 2


@pytest.mark.parametrize("name", widgets.__all__)
def test_reset_goes_back_to_the_opening_state_not_to_the_one_that_was_found(page, all_widgets, name):
    """As after a reload, where the model comes back as the reader left it."""
    index = widgets.__all__.index(name)
    opening = state(page, name, "opening")
    moved = {key: value for key, value in opening.items() if key not in ("covered", "trained", "situation")}
    page.evaluate(
        """([i, keys]) => {
          const { model, el, name } = dropoutCourse.alive[i];
          for (const key of keys) if (typeof model.get(key) === "number") model.set(key, 0.9);
          model.set("covered", false);
        }""",
        [index, [key for key in moved if key.startswith("p")]],
    )
    press(place(page, name), "Reset")
    assert state(page, name, *opening) == list(opening.values())


# --- size ---


def sizes(widget):
    return widget.locator(".dw-pictures canvas").first.evaluate(
        "c => [c.width, c.height, c.clientWidth, c.clientHeight, devicePixelRatio]"
    )


def test_a_canvas_follows_its_container_and_the_resolution_of_the_screen(page):
    widget = place(page, "EnsembleVote")
    press(widget, "Just show me")
    container = widget.locator("xpath=..")
    for width in (700, 420, 900):
        container.evaluate("(place, width) => { place.style.width = `${width}px`; }", width)
        wait_for(lambda w=width: sizes(widget)[2] == pytest.approx(w, abs=6))
        wait_for(lambda: sizes(widget)[0] == sizes(widget)[2])
    # Emulated screens of another resolution tell the page nothing: say it as a real one does.
    for ratio in (2, 1.5, 1):
        page.evaluate(
            """ratio => {
              const before = resolutions.splice(0);
              Object.defineProperty(window, "devicePixelRatio", { value: ratio, configurable: true });
              for (const query of before) query.dispatchEvent(new Event("change"));
            }""",
            ratio,
        )
        wait_for(lambda r=ratio: sizes(widget)[0] == pytest.approx(r * sizes(widget)[2], abs=1))
    container.evaluate("place => place.removeAttribute('style')")


@pytest.mark.parametrize("allowed", [True, False])
def test_fill_screen_fills_it_and_escape_leaves_it(page, allowed):
    """`allowed`: the browser's own full screen; else, as in some frames, the whole window."""
    widget = place(page, "MCRegression")
    press(widget, "Just show me")
    page.evaluate(
        """allowed => {
          if (!allowed) Element.prototype.requestFullscreen = () => Promise.reject(new TypeError("not here"));
        }""",
        allowed,
    )
    before = sizes(widget)[2]
    press(widget, "Fill screen")
    wait_for(lambda: widget.bounding_box()["width"] == page.evaluate("innerWidth"))
    wait_for(
        lambda: widget.bounding_box()["y"] == 0 and sizes(widget)[0] == sizes(widget)[2] > before - 300, 5
    )
    assert page.evaluate("document.fullscreenElement !== null") is allowed
    page.keyboard.press("Escape")
    wait_for(lambda: "dw-fill" not in widget.get_attribute("class"))
    assert widget.get_by_role("button", name="Fill screen").is_visible()
    assert page.evaluate(
        "document.querySelector('[popover]') === null && document.fullscreenElement === null"
    )


# --- poster and live picture ---


@pytest.mark.parametrize(
    "name",
    ["MaskLab", "CoadaptationLens", "EnsembleVote", "ImageDropout", "MCRegression", "OverfitRace", "PSweep"],
)
def test_the_legend_of_the_poster_is_the_one_on_the_page(page, all_widgets, name):
    widget = place(page, name)
    press(widget, "Just show me")
    rows = dict(
        widget.evaluate(
            """root => [...root.querySelectorAll(".dw-key")].map((row) => {
              const shape = row.querySelector("line, rect, circle, path");
              const { stroke, fill } = getComputedStyle(shape);
              const line = shape.tagName === "line" || fill === "none";
              return [row.querySelector("span").textContent, line ? stroke : fill];
            })"""
        )
    )
    figure = all_widgets[name].figure()
    handles = [pair for ax in figure.axes for pair in zip(*ax.get_legend_handles_labels(), strict=True)]
    assert handles
    for handle, label in handles:
        colour = handle.get_facecolor()[0] if hasattr(handle, "get_offsets") else handle.get_color()
        assert rows[label.split(":")[0]] == as_css(colour), label


def as_css(colour):
    """A colour of matplotlib's as the browser writes it."""
    from matplotlib.colors import to_rgb

    return "rgb({}, {}, {})".format(*(round(255 * part) for part in to_rgb(colour)))


def test_every_colour_of_the_map_is_on_the_page_in_the_theme_s_shade(page):
    root = place(page, "PSweep")
    for name, shades in plotting.STYLES["colours"].items():
        assert (
            root.evaluate("(root, name) => root.style.getPropertyValue(`--dw-${name}`)", name)
            == shades["light"]
        )


# --- what runs by itself ---


def test_batches_come_by_themselves_until_they_are_stopped(page):
    widget = place(page, "MaskLab")
    press(widget, "Just show me")
    press(widget, "Play: batch by batch")
    wait_for(lambda: state(page, "MaskLab", "batches") > 4)
    press(widget, "Stop")
    now = state(page, "MaskLab", "batches")
    page.wait_for_timeout(400)
    assert state(page, "MaskLab", "batches") == now
    title = widget.locator(".dw-title").last.inner_text()
    assert title.startswith(f"{now} batches: exactly 120 kept in ")


def test_the_race_trains_on_a_page_and_its_curves_keep_the_p_that_they_had(page):
    widget = place(page, "OverfitRace")
    press(widget, "Just show me")
    wait_for(lambda: "epoch 40 " in widget.locator(".dw-numbers").inner_text())  # as it was stored
    press(widget, "Start again")
    press(widget, "Play")
    wait_for(lambda: sum(epochs for *_, epochs in state(page, "OverfitRace", "trained")) >= 100)
    widget.get_by_label("drop probability p").press("ArrowRight")
    wait_for(lambda: len(state(page, "OverfitRace", "trained")) == 2)
    press(widget, "Stop")
    trained, seed = state(page, "OverfitRace", "trained", "seed")
    assert [segment[:2] for segment in trained] == [[0.5, 0.01], [0.55, 0.01]]
    assert sum(epochs for *_, epochs in trained) % 20 == 0
    assert "dropout, p = 0.50, then 0.55" in widget.locator(".dw-pictures").inner_text()
    # The same nets as Python trains from the line below.
    stats = widgets.OverfitRace(p=0.55, seed=seed, trained=trained).stats()
    read = "(row) => [row.querySelector('span').textContent, Number(row.querySelector('b').textContent)]"
    shown = dict(widget.locator(".dw-key").evaluate_all(f"rows => rows.map({read})"))
    for net, label in (("p0", "without either"), ("p", "with dropout"), ("l2", "with L2")):
        assert shown[f"{label}, training points"] == pytest.approx(stats[f"train_{net}"], abs=0.0051)
        assert shown[f"{label}, fresh points"] == pytest.approx(stats[f"fresh_{net}"], abs=0.0051)
    press(widget, "20 epochs")
    assert sum(epochs for *_, epochs in state(page, "OverfitRace", "trained")) == stats["epoch"] + 20


def test_reset_stops_the_race_and_takes_it_back_to_its_opening(page):
    widget = place(page, "OverfitRace")
    press(widget, "Just show me")
    press(widget, "New points")
    press(widget, "Play")
    wait_for(lambda: len(state(page, "OverfitRace", "trained")) > 0)
    press(widget, "Reset")
    assert state(page, "OverfitRace", "seed", "trained") == [0, [[0.5, 0.01, 40]]]
    press(widget, "Just show me")
    wait_for(lambda: "epoch 40 " in widget.locator(".dw-numbers").inner_text())
    page.wait_for_timeout(300)
    assert "epoch 40 " in widget.locator(".dw-numbers").inner_text()


def test_passes_arrive_one_by_one(page):
    widget = place(page, "MCRegression")
    press(widget, "Just show me")
    press(widget, "Play: pass by pass")
    assert state(page, "MCRegression", "passes") < 5
    wait_for(lambda: "the newest pass" in widget.locator(".dw-legend").inner_text())
    wait_for(lambda: state(page, "MCRegression", "passes") > 5)
    press(widget, "Stop")
    wait_for(lambda: "the newest pass" not in widget.locator(".dw-legend").inner_text())


@pytest.mark.parametrize(
    ("button", "name"), [("Gap", "gap"), ("Lift y", "lifted"), ("First points", "first")]
)
def test_other_points_have_their_net_and_their_exact_band_without_a_kernel(page, button, name):
    widget = place(page, "MCRegression")
    press(widget, "Just show me")
    press(widget, button)
    points = state(page, "MCRegression", "presets")[name]
    assert state(page, "MCRegression", "points") == points
    stats = widgets.MCRegression(points=points).stats()
    for end, x in (("inside", "0"), ("outside", "3.5")):
        mean, std, exact = (stats[f"{name}_{end}"] for name in ("mean", "std", "exact_std"))
        said = f"at x = {x}: {mean:.3f} (std {std:.3f}, exact {exact:.3f})"
        wait_for(lambda said=said: said in widget.locator(".dw-numbers").inner_text())
    assert NEEDS_KERNEL not in widget.locator(".dw-numbers").inner_text()


def test_every_draw_leaves_a_tick_and_the_one_on_show_is_the_one_that_is_kept(page):
    widget = place(page, "ThinnedNetwork")
    press(widget, "Just show me")
    for _ in range(3):
        press(widget, "New draw")
    press(widget, "Keep this subnetwork")
    assert state(page, "ThinnedNetwork", "draws", "saved") == [4, [4]]  # the first has seed 1
    stats = widgets.ThinnedNetwork(draws=4).stats()
    wait_for(lambda: f"mean {stats['mean_virginica']:.3f}" in widget.locator(".dw-pictures").inner_text())
    assert f"P(virginica): {stats['virginica']:.3f}" in widget.locator(".dw-numbers").inner_text()


def test_the_shoe_develops_and_stops_at_the_most_draws(page):
    widget = place(page, "ImageDropout")
    press(widget, "Just show me")
    press(widget, "Play: more and more draws")
    wait_for(lambda: state(page, "ImageDropout", "draws") == 200)
    wait_for(lambda: widget.get_by_role("button", name="Play: more and more draws").is_visible())


def test_a_slider_of_numbers_far_apart_reads_out_what_lies_between(page):
    widget = place(page, "ImageDropout")
    press(widget, "Just show me")
    index = widgets.__all__.index("ImageDropout")
    page.evaluate("i => dropoutCourse.alive[i].model.set('draws', 7)", index)
    assert widget.locator(".dw-readout").nth(1).inner_text() == "7"
    widget.get_by_role("slider", name="draws in the mean").press("ArrowRight")
    assert state(page, "ImageDropout", "draws") == 8


def test_up_to_three_units_every_subnetwork_is_drawn(page):
    widget = place(page, "EnsembleVote")
    press(widget, "Just show me")
    assert state(page, "EnsembleVote", "n") == 3
    small = widget.locator(".dw-panel").first
    assert small.inner_text().startswith("The 8 subnetworks") and small.is_visible()
    widget.get_by_label("hidden units n").press("ArrowRight")
    wait_for(lambda: not small.is_visible())


def test_each_of_the_nine_nets_is_chosen_by_a_click_or_by_keys(page):
    widget = place(page, "PSweep")
    press(widget, "Just show me")
    nine = widget.locator(".dw-pictures canvas").nth(1)
    box = nine.bounding_box()
    nine.click(position={"x": 0.9 * box["width"], "y": 0.9 * box["height"]})
    assert state(page, "PSweep", "num_train", "width") == [5000, 256]
    nine.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    assert state(page, "PSweep", "num_train", "width") == [1000, 64]
    assert widget.locator(".dw-spoken").inner_text() == "1,000 training images, width 64"
    assert widget.get_by_label("width", exact=True).input_value() == "64"


def test_five_rounds_hide_the_call_take_an_answer_each_and_keep_the_score(page):
    widget = place(page, "EvalDetective")
    press(widget, "Just show me")
    on, off = ["new layer", "train()"], ["eval()", "eval() and no_grad"]
    rounds = [{"call": call, "alike": alike, "outputs": [float(call in on)] * 240}
              for call, alike in (("train()", on), ("eval()", off))]  # fmt: skip
    index = widgets.__all__.index("EvalDetective")
    page.evaluate("([i, rounds]) => dropoutCourse.alive[i].model.set('rounds', rounds)", [index, rounds])
    wait_for(lambda: "an unknown call" in widget.locator(".dw-pictures").inner_text())
    game = widget.locator(".dw-extra")
    press(game, "new layer")  # not the call, but it does the same
    assert game.inner_text().startswith("Right: it was train() (so would new layer). 1 of 1 right.")
    press(game, "Next round")
    press(game, "train()")
    assert "No, not train(): it was eval() (so would eval() and no_grad). 1 of 2 right." in game.inner_text()
    assert state(page, "EvalDetective", "said") == ["new layer", "train()"]
    press(game, "Done")
    wait_for(lambda: "an unknown call" not in widget.locator(".dw-pictures").inner_text())
    assert not game.is_visible()


def test_while_the_kernel_works_the_detective_speaks_of_the_outputs_on_show(page):
    widget = place(page, "EvalDetective")
    press(widget, "Just show me")
    index, words = widgets.__all__.index("EvalDetective"), widget.locator(".dw-pictures")
    set_traits = """([i, traits]) => {
        for (const [key, value] of Object.entries(traits)) dropoutCourse.alive[i].model.set(key, value);
    }"""
    page.evaluate(set_traits, [index, {"situation": "eval()"}])
    wait_for(lambda: "Waiting for PyTorch in the kernel" in widget.inner_text())
    assert "until it answers you see PyTorch, new layer, p = 0.50" in widget.inner_text()
    assert "PyTorch, new layer" in words.inner_text() and "eval()" not in words.inner_text()
    page.evaluate(set_traits, [index, {"outputs_of": ["PyTorch", "eval()", 0.5, 0]}])
    wait_for(lambda: "Waiting" not in widget.inner_text())
    assert "PyTorch, eval()" in words.inner_text()
    opening = {"situation": "new layer", "outputs_of": ["PyTorch", "new layer", 0.5, 0]}
    page.evaluate(set_traits, [index, opening])  # the page is shared


@pytest.mark.parametrize("dark", [False, True])
def test_the_frame_of_the_chosen_image_is_seen_on_a_light_page_and_on_a_dark_one(page, dark):
    widget = place(page, "AreYouCalibrated")
    page.evaluate("dark => document.body.classList.toggle('dark', dark)", dark)
    press(widget, "Just show me")
    # Blue pixels in the upper fifth of the strip, which is grey: images, no marks.
    blue = """canvas => {
        const { width, height } = canvas;
        const { data } = canvas.getContext('2d').getImageData(0, 0, width, Math.floor(height / 5));
        let found = 0;
        for (let i = 0; i < data.length; i += 4) found += data[i + 2] - data[i] > 60;
        return found;
    }"""
    strip = widget.locator(".dw-pictures canvas:visible").first
    try:
        wait_for(lambda: strip.evaluate(blue) > 100, seconds=10)
    finally:
        page.evaluate("document.body.classList.remove('dark')")


def test_the_boxes_are_swapped_by_a_click_or_by_keys(page):
    widget = place(page, "VarianceShiftMachine")
    press(widget, "Just show me")
    numbers = widget.locator(".dw-numbers")
    stats = widgets.VarianceShiftMachine().stats()
    wait_for(lambda: f"receives {100 * stats['share']:.1f} %" in numbers.inner_text())
    boxes = widget.locator(".dw-pictures canvas").first
    boxes.click()
    assert state(page, "VarianceShiftMachine", "order") == "batch norm first"
    assert widget.get_by_label("order").input_value() == "batch norm first"
    other = widgets.VarianceShiftMachine(order="batch norm first").stats()
    wait_for(lambda: f"receives {100 * other['share']:.1f} %" in numbers.inner_text())
    boxes.focus()
    for key in ("ArrowRight", "Space"):
        page.keyboard.press(key)
    assert state(page, "VarianceShiftMachine", "order") == "dropout first"
    assert widget.locator(".dw-spoken").inner_text().startswith("dropout first; Space or Enter swaps")


def test_passes_in_train_mode_ruin_the_net_and_new_statistics_heal_it(page):
    widget = place(page, "VarianceShiftMachine")
    press(widget, "Just show me")
    python = widgets.VarianceShiftMachine()
    for button, action, count in (
        ("100 passes in train(), sneakers", "sneakers", 100),
        ("Recalibrate, masks on", "masks", 1),
        ("Recalibrate, masks off", "clean", 1),
        ("100 passes in train(), all images", "all", 100),
        ("Train: 100 steps", "train", 100),
        ("Train: 1 step", "train", 1),
    ):
        press(widget, button)
        python.act(action, count)
        assert state(page, "VarianceShiftMachine", "did") == python.did
        stats = python.stats()
        said = f"{400 * stats['accuracy']:.0f} of 400 right, NLL {stats['nll']:.2f}"
        wait_for(lambda said=said: said in widget.locator(".dw-numbers").inner_text())
    press(widget, "Start again")
    assert state(page, "VarianceShiftMachine", "did") == []


def test_the_store_fills_while_it_plays_and_there_is_an_end(page):
    widget = place(page, "VarianceShiftMachine")
    press(widget, "Just show me")
    press(widget, "Start again")
    press(widget, "Play: train")
    wait_for(lambda: sum(passes for *_, passes in state(page, "VarianceShiftMachine", "did")) > 3)
    press(widget, "Stop")
    index = widgets.__all__.index("VarianceShiftMachine")
    page.evaluate("i => dropoutCourse.alive[i].model.set('did', [['sneakers', 0.5, 1950]])", index)
    press(widget, "100 passes in train(), sneakers")
    assert state(page, "VarianceShiftMachine", "did") == [["sneakers", 0.5, 2000]]
    wait_for(lambda: "no more: start again" in widget.locator(".dw-numbers").inner_text())
    press(widget, "Recalibrate, masks on")
    assert state(page, "VarianceShiftMachine", "did") == [["sneakers", 0.5, 2000]]


def test_the_clouds_and_what_the_nets_felt_are_those_of_python(page):
    widget = place(page, "NoiseYouCannotFeel")
    press(widget, "DropConnect")
    truth = state(page, "NoiseYouCannotFeel", "truth")
    assert (
        widget.locator(".dw-answer").inner_text().startswith(f"Your guess: “DropConnect”. Here: “{truth}”.")
    )
    widget.get_by_label("trained nets").select_option("stopped early")
    press(widget, "New draws")
    stats = widgets.NoiseYouCannotFeel(when="stopped early", seed=1).stats()
    for noise in ("binary", "Gaussian", "three-level", "DropConnect"):
        said = f"{noise}\ncorrelation {stats[f'{noise}_correlation']:.2f}"
        wait_for(lambda said=said: said in widget.locator(".dw-pictures").inner_text())
    for noise in ("Gaussian", "three-level", "DropConnect"):
        mean, low, high = (stats[f"{noise}_nll{end}"] for end in ("", "_low", "_high"))
        said = f"{noise} {mean:+.3f} [{low:+.3f}, {high:+.3f}], {stats[f'{noise}_the_same']}"
        wait_for(lambda said=said: said in widget.locator(".dw-numbers").inner_text())


def test_a_curve_over_named_places_is_drawn_by_keys_and_the_texts_follow_the_passes(page):
    widget, python = place(page, "HowManyPasses"), widgets.HowManyPasses()
    board = widget.locator(".dw-cover canvas")
    board.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowUp", "ArrowRight", "ArrowDown", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    wait_for(lambda: "passes over the text 154: -0.10" in board.get_attribute("aria-label"))
    press(widget, "That is my guess")
    assert state(page, "HowManyPasses", "guess", "covered") == [[-0.1, 0.1, -0.1, -0.1], False]
    assert "Your curve is the one with diamonds. Measured" in widget.locator(".dw-answer").inner_text()
    prose, numbers = widget.locator(".dw-prose"), widget.locator(".dw-numbers")
    wait_for(lambda: prose.text_content() == python.written()["text"])
    assert prose.locator("mark").all_text_contents() == [piece for piece, copied in python.pieces() if copied]
    press(widget, "Another text")
    python.seed = 1
    wait_for(lambda: prose.text_content() == python.written()["text"])
    widget.get_by_label("drop probability p").select_option("0.2")
    widget.get_by_role("slider", name="passes over the text").focus()
    for passes in (31, 8, 1):
        page.keyboard.press("ArrowLeft")
        python.passes, python.p = passes, 0.2
        wait_for(lambda: prose.text_content() == python.written()["text"])
        stats = python.stats()
        assert prose.locator("mark").count() == 0 == stats["copied"]
        assert f"at p = 0.2: {stats['nats_end']:.3f} [" in numbers.inner_text()
        said = f"Dropout {stats['dropout_end']} at the end: {stats['difference_end']:+.3f} ["
        assert said in numbers.inner_text()
    press(widget, "Reset")
    assert state(page, "HowManyPasses", "guess", "covered", "passes", "seed") == [None, True, 154, 0]
    assert not prose.is_visible()


def answer(page, widget, name, steps):
    """Name the image on show, and say how sure by so many steps to the right."""
    press(widget, name)
    slider = widget.locator(".dw-cover input[type=range]")
    slider.focus()
    for _ in range(steps):
        page.keyboard.press("ArrowRight")


def next_image(widget):
    return widget.locator(".dw-cover button", has_text=re.compile("Next image|That is my guess"))


def test_twenty_images_take_a_class_and_a_confidence_each_before_anything_is_shown(page, all_widgets):
    widget, python = place(page, "AreYouCalibrated"), widgets.AreYouCalibrated()
    names = [name for name, _ in python.truth]
    assert next_image(widget).is_disabled()
    press(widget, names[0])
    assert next_image(widget).is_disabled(), "how sure is not said yet"
    answer(page, widget, names[0], 10)
    assert widget.locator(".dw-cover .dw-readout").inner_text() == "60 %"
    next_image(widget).press("Enter")
    assert next_image(widget).is_disabled(), "the next image starts empty"
    press(widget, "Back")
    assert widget.get_by_role("button", name=names[0], exact=True).get_attribute("aria-pressed") == "true"
    for k, name in enumerate(names):
        assert f"Image {k + 1} of 20" in widget.locator(".dw-cover").inner_text()
        assert not widget.locator(".dw-pictures").is_visible()
        if k:
            answer(page, widget, name if k % 2 == 0 else "Sneaker", 18 if k == 1 else 8)
        next_image(widget).click()
    guess, covered = state(page, "AreYouCalibrated", "guess", "covered")
    assert not covered and guess[:3] == [[names[0], 0.6], ["Sneaker", 0.99], [names[2], 0.5]]
    python.guess = guess
    stats = python.stats()
    you = widget.locator(".dw-panel:visible").nth(1)
    assert you.inner_text().startswith(f"you\nright {stats['right_you']} of 20, says ")
    assert f"NLL {stats['nll_you'][0]:.2f} [" in you.inner_text()
    for other in ("no_dropout", "monte_carlo", "tempered"):
        mean, low, high = stats[f"you_less_{other}"]
        said = f" {mean:+.2f} [{low:+.2f}, {high:+.2f}]".replace("-", "−")
        assert said in widget.locator(".dw-numbers").inner_text(), other
    assert python.because in widget.locator(".dw-answer").inner_text()
    press(widget, "Reset")
    assert state(page, "AreYouCalibrated", "guess", "covered") == [None, True]
    assert "Image 1 of 20" in widget.locator(".dw-cover").inner_text() and next_image(widget).is_disabled()


def test_who_only_wants_to_see_gets_the_net_alone_and_python_s_guess_reaches_the_page(page):
    widget, python = place(page, "AreYouCalibrated"), widgets.AreYouCalibrated()
    press(widget, "Just show me")
    assert widget.locator(".dw-panel:visible .dw-title").all_inner_texts()[1] == "no dropout"
    assert "you" not in widget.locator(".dw-legend").inner_text()
    index = widgets.__all__.index("AreYouCalibrated")
    page.evaluate("([i, g]) => dropoutCourse.alive[i].model.set('guess', g)", [index, python.truth])
    wait_for(lambda: "right 20 of 20, says 99 %" in widget.locator(".dw-pictures").inner_text())
    assert "you minus no dropout" in widget.locator(".dw-numbers").inner_text()


def test_each_image_is_chosen_by_a_click_or_by_keys_and_its_answers_are_written_out(page):
    widget, python = place(page, "AreYouCalibrated"), widgets.AreYouCalibrated(temperature=1.0)
    press(widget, "Just show me")
    strip = widget.locator(".dw-pictures canvas").first
    box = strip.bounding_box()
    strip.click(position={"x": 0.98 * box["width"], "y": 0.75 * box["height"]})
    assert state(page, "AreYouCalibrated", "image") == 19
    strip.focus()
    strip.focus()
    for key in ("ArrowRight", "ArrowUp", "ArrowLeft", "Enter"):  # the first shows where one is
        page.keyboard.press(key)
    assert state(page, "AreYouCalibrated", "image") == 8
    assert widget.locator(".dw-spoken").inner_text() == "image 9"
    judged = python.judged("no_dropout")
    name = python.takes["options"][judged["top"][8]]
    said = f"Image 9: {python.truth[8][0]}. no dropout: {name}, {100 * judged['said'][8]:.0f} %"
    wait_for(lambda: said in widget.locator(".dw-pictures .dw-panel").first.inner_text())


def test_the_bars_over_all_images_follow_the_temperature(page):
    widget = place(page, "AreYouCalibrated")
    press(widget, "Just show me")
    slider = widget.get_by_role("slider", name="temperature T")
    slider.press("Home")
    for steps, temperature in ((0, 0.5), (5, 1.0)):
        for _ in range(steps):
            slider.press("ArrowRight")
        stats = widgets.AreYouCalibrated(temperature=temperature).stats()
        said = f"NLL {stats['nll_all']:.2f}, ECE {stats['ece_all']:.2f}"
        wait_for(lambda said=said: said in widget.locator(".dw-panel").last.inner_text())
        assert f"T = {temperature}" in widget.locator(".dw-panel").last.inner_text()
