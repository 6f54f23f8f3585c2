"""What all widgets share: bundles, the guess, styles, what a stored notebook keeps, what an import costs."""

import ast
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from node import JS_DIR, run_js
from test_widget_core import browser_says

from authoring import bundle
from utils import plotting, widgets
from utils.widgets import CoadaptationLens, MaskLab, OverfitRace, PSweep, guess
from utils.widgets.base import STATIC_STATE
from utils.widgets.core import histogram, round_ticks
from utils.widgets.overfit_race import SERIES

NAMES = widgets.__all__
VALUES = {"choice": lambda takes: takes["options"][0], "number": lambda takes: takes["high"],
          "curve": lambda takes: [takes["low"]] * len(takes["x"]),
          "answers": lambda takes: [[takes["options"][0], takes["high"]]] * takes["count"]}  # fmt: skip


@pytest.fixture(scope="module")
def opened(require):
    """{name: a widget of each class, as it opens}."""
    return {name: getattr(widgets, name)() for name in NAMES}


# --- bundles ---


def test_the_bundles_are_made_from_the_sources_as_they_are():
    stored = json.loads(bundle.MANIFEST.read_text(encoding="utf-8"))
    assert stored == bundle.manifest(), "run `python3 course.py bundle`"


def test_every_view_has_a_bundle_and_is_known_to_pages():
    modules = {getattr(widgets, name).__module__.rsplit(".", 1)[-1] for name in NAMES}
    assert set(bundle.views()) == modules
    assert {path.stem for path in bundle.BUNDLES.glob("*.js")} == modules | {"page"}
    page = (JS_DIR / "page.js").read_text(encoding="utf-8")
    assert set(re.findall(r"^import \w+ from \"\./(\w+)\.js\"", page, re.M)) == modules


def test_a_changed_source_makes_the_bundles_stale(monkeypatch, tmp_path):
    (tmp_path / "core.js").write_text("export const changed = 1;\n", encoding="utf-8")
    monkeypatch.setattr(bundle, "JS_DIR", tmp_path)
    assert bundle.manifest()["sources"] != json.loads(bundle.MANIFEST.read_text(encoding="utf-8"))["sources"]


def fake_esbuild(monkeypatch, tmp_path, returncode=0):
    """An esbuild that writes bundles of one word into `tmp_path`, or fails. Returns its commands."""
    commands = []

    def run(command, **_):
        commands.append(command)
        words = dict(word.split("=", 1) for word in command if "=" in word)
        entries = [word for word in command if word.endswith(".js") and "=" not in word]
        for entry in entries if not returncode else []:
            name = entry.replace("\\", "/").rsplit("/", 1)[-1]
            target = words.get("--outfile") or f"{words['--outdir']}/{name}"
            Path(target).write_text("made", encoding="utf-8")
        return subprocess.CompletedProcess(command, returncode, "", "core.js:1: error\n")

    monkeypatch.setattr(bundle, "BUNDLES", tmp_path)
    monkeypatch.setattr(bundle, "MANIFEST", tmp_path / "made_from.json")
    monkeypatch.setattr(bundle.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(bundle.subprocess, "run", run)
    return commands


def test_the_command_makes_a_module_of_each_view_and_one_script_for_pages(monkeypatch, tmp_path, capsys):
    (tmp_path / "gone.js").write_text("of a widget that is gone", encoding="utf-8")
    commands = fake_esbuild(monkeypatch, tmp_path)
    assert bundle.main() == 0
    views, page = commands
    assert "--format=esm" in views and "--format=iife" in page and "--global-name=dropoutCourse" in page
    assert {path.stem for path in tmp_path.glob("*.js")} == {*bundle.views(), "page"}
    assert json.loads(bundle.MANIFEST.read_text(encoding="utf-8")) == bundle.manifest()
    assert "mask_lab.js" in capsys.readouterr().out


def test_what_esbuild_does_not_like_is_passed_on(monkeypatch, tmp_path, capsys):
    fake_esbuild(monkeypatch, tmp_path, returncode=1)
    assert bundle.main() == 1
    assert capsys.readouterr().err == "bundle: esbuild says: core.js:1: error\n"


def test_without_npm_the_command_says_so_in_one_sentence(monkeypatch, capsys):
    monkeypatch.setattr(bundle.shutil, "which", lambda name: None)
    assert bundle.main() == 1
    assert capsys.readouterr().err == (
        "bundle: bundling needs npm to fetch esbuild: install Node.js, which brings it\n"
    )


# --- what an import costs ---


def loaded_by(code, *packages):
    """Those of `packages` that a fresh Python has loaded after `code`."""
    code += f"\nimport sys\nprint([name for name in {packages!r} if name in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=bundle.WIDGETS.parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return ast.literal_eval(result.stdout)


def test_importing_the_widgets_loads_neither_scikit_learn_nor_matplotlib():
    assert loaded_by("import utils.widgets", "sklearn", "scipy", "matplotlib", "torch") == []


def test_opening_and_showing_covered_widgets_loads_neither_of_them():
    code = "from utils import widgets\nfor name in widgets.__all__:\n"
    code += "    if name != 'EvalDetective': getattr(widgets, name)()._repr_mimebundle_()"
    assert loaded_by(code, "sklearn", "scipy", "matplotlib") == []


# --- the guess ---


@pytest.mark.parametrize("name", NAMES)
def test_a_widget_asks_and_knows_the_answer(opened, name):
    widget = opened[name]
    assert widget.covered and widget.guess is None
    assert widget.question.startswith("Predict first:") and widget.question.endswith(("?", "."))
    assert guess.check(widget.takes, widget.truth) == widget.truth
    assert widget.truth is not None
    assert widget.because.endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_what_is_stored_of_a_covered_widget_does_not_give_the_answer_away(opened, name):
    widget = opened[name]
    data, metadata = widget._repr_mimebundle_()
    assert data["text/plain"] == f"[slider] {name}, covered until you guess: {widget.question}"
    assert "image/png" not in data and "image/png" not in metadata
    for number in re.findall(r"\d\.\d{2,}|\d{3,}", widget.because):
        assert number in widget.question or number not in data["text/html"]
    assert json.loads(json.dumps(metadata[STATIC_STATE]))["state"]["covered"] is True


@pytest.mark.parametrize("name", NAMES)
def test_a_guess_in_the_browser_reaches_stats_beside_the_truth_and_the_picture(opened, name):
    widget = opened[name]
    value = VALUES[widget.takes["kind"]](widget.takes)
    browser_says(widget, guess=value, covered=False)
    assert widget.stats()["guess"] == value and widget.stats()["truth"] == widget.truth
    data, _ = widget._repr_mimebundle_()
    assert len(data["image/png"]) > 1000 and data["text/plain"].startswith(f"[slider] {name}: ")
    assert eval(widget.code(), vars(widgets)).covered is False
    browser_says(widget, guess=None, covered=True)
    assert widget.stats()["guess"] is None and "covered=" not in widget.code()


def test_a_teacher_opens_a_widget_uncovered_and_reset_goes_back_to_that():
    widget = MaskLab(p=0.3, covered=False)
    assert not widget.covered
    browser_says(widget, p=0.9, seed=5)
    assert widget.opening == {"p": 0.3, "seed": 0, "batches": 1, "forced": {}, "covered": False}


def test_what_reset_goes_back_to_travels_with_the_model():
    widget = MaskLab(p=0.3)
    browser_says(widget, p=0.9, forced={"3": 1})
    state = widget.get_state()
    assert state["opening"] == {"p": 0.3, "seed": 0, "batches": 1, "forced": {}, "covered": True}
    assert state["_own_id"] == widget.model_id


CHOICE, NUMBER = guess.choice("yes", "no"), guess.number(0, 10, unit="draws")
CURVE = guess.curve([0, 0.5, 1], 0, 2, yticks=(0, 1, 2), xlabel="p", ylabel="NLL")
ANSWERS = guess.answers(("coat", "bag"), 2, 0.1, 0.9)
PAIRS = "guess must be 2 pairs of one of coat, bag and a number in [0.1, 0.9], got "


@pytest.mark.parametrize(
    ("takes", "value"),
    [
        (CHOICE, "no"),
        (NUMBER, 3),
        (NUMBER, 2.5),
        (CURVE, [0, 2, 1.5]),
        (CHOICE, None),
        (ANSWERS, [["bag", 0.5], ["bag", 0.1]]),
    ],
)
def test_a_guess_that_fits_is_taken(takes, value):
    assert guess.check(takes, value) == value


@pytest.mark.parametrize(
    ("takes", "value", "sentence"),
    [
        (CHOICE, "perhaps", "guess must be one of yes, no, got 'perhaps'"),
        (NUMBER, 11, "guess must be a number in [0, 10], got 11"),
        (NUMBER, True, "guess must be a number in [0, 10], got True"),
        (NUMBER, float("nan"), "guess must be a number in [0, 10], got nan"),
        (CURVE, [0, 1], "guess must be 3 numbers in [0, 2], got [0, 1]"),
        (CURVE, [0, 1, 3], "guess must be 3 numbers in [0, 2], got [0, 1, 3]"),
        (ANSWERS, [["bag", 0.5]], f"{PAIRS}[['bag', 0.5]]"),
        (ANSWERS, [["bag", 0.5], ["hat", 0.5]], f"{PAIRS}[['bag', 0.5], ['hat', 0.5]]"),
        (ANSWERS, [["bag", 0.5], ["bag", 0.95]], f"{PAIRS}[['bag', 0.5], ['bag', 0.95]]"),
        (ANSWERS, [["bag", 0.5], ["bag"]], f"{PAIRS}[['bag', 0.5], ['bag']]"),
        ({}, 1, "guess must be None, for nothing is asked, got 1"),
    ],
)
def test_a_guess_that_does_not_fit_gets_one_sentence(takes, value, sentence):
    with pytest.raises(ValueError, match="^" + re.escape(sentence) + "$"):
        guess.check(takes, value)


def test_a_guess_that_is_refused_is_said_in_the_widget():
    widget = MaskLab()
    browser_says(widget, guess=500)
    assert widget.error == "guess must be a number in [0, 100], got 500" and widget.guess is None


def test_guess_and_truth_stand_together_in_words():
    words = run_js(
        "guess", "cases.map(([takes, guess, truth]) => m.together(takes, guess, truth, 'So.'))",
        cases=[[NUMBER, 3, 7], [NUMBER, None, 7], [CHOICE, "no", "yes"], [CHOICE, "no", None],
               [CURVE, [1, 1, 1], [1, 2, 1]], [CURVE, None, [1, 2, 1]],
               [ANSWERS, [["bag", 0.5]] * 2, [["coat", 0.9]] * 2]],
    )  # fmt: skip
    assert words == [
        "Your guess: 3 draws. Here: 7 draws. So.",
        "Here: 7 draws. So.",
        "Your guess: “no”. Here: “yes”. So.",
        "Your guess: “no”. So.",
        "Your curve is the one with diamonds. So.",
        "So.",
        "So.",
    ]


# --- one style and one binning ---


def test_every_series_has_the_same_style_in_python_and_in_the_browser():
    names = list(plotting.STYLES["series"])
    styles = run_js("plot", "names.map(m.style)", names=names)
    for name, style in zip(names, styles, strict=True):
        look = plotting.series_style(name)
        assert look["label"] == style["name"]
        assert look["color"] == plotting.STYLES["colours"][style["colour"]]["light"]
        dash = {"-": [], "none": None}.get(look["linestyle"]) if isinstance(look["linestyle"], str) else None
        assert (list(look["linestyle"][1]) if isinstance(look["linestyle"], tuple) else dash) == style["dash"]
        assert plotting.MARKER_LETTERS[style["marker"]] == look["marker"]


def test_a_series_that_nobody_knows_is_refused():
    with pytest.raises(KeyError, match="tset"):
        plotting.series_style("tset")
    assert "no series tset" in run_js(
        "plot", "(() => { try { m.style('tset') } catch (e) { return e.message } })()"
    )


def test_the_palette_of_the_figures_is_the_one_of_the_widgets():
    assert plotting.COLOURS == ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#222222")


def test_python_and_javascript_bin_alike():
    rng = np.random.default_rng(0)
    values, weights = rng.normal(size=400), rng.random(400)
    # Also exactly on the edges, and outside.
    values[:5] = [-2, -1, 0, 2, 2.5]
    for low, high, bins in ((-1, 1, 4), (-2, 2, 40), (0, 12, 48)):
        got = run_js("core", "[m.histogram(v, low, high, bins), m.histogram(v, low, high, bins, w)]",
                     v=values.tolist(), w=weights.tolist(), low=low, high=high, bins=bins)  # fmt: skip
        assert got[0] == histogram(values, low, high, bins).tolist()
        assert got[1] == pytest.approx(histogram(values, low, high, bins, weights).tolist())
        assert sum(got[0]) == len(values)


def test_python_and_javascript_choose_the_same_round_ticks():
    lists = [[0.2, 0.3], [-0.7, 2.9], [5, 31], [-100, 3], [0, 0], [-4.0, -1.0], [0.5, 1.0]]
    assert run_js("core", "lists.map(m.roundTicks)", lists=lists) == [round_ticks(v) for v in lists]
    for values in lists:
        ticks = round_ticks(values)
        assert ticks[0] <= min(values) and ticks[-1] >= max(values) and len(ticks) >= 3


def test_labels_of_an_axis_that_would_touch_are_left_out_and_none_leaves_the_canvas():
    # A canvas on which every letter is half an em wide.
    words = run_js(
        "plot",
        """widths.map((width) => {
          const written = [];
          const g = { measureText: (words) => ({ width: 8 * words.length }), setLineDash() {}, beginPath() {},
            moveTo() {}, lineTo() {}, stroke() {}, fillText(words, x, y) { written.push([words, x, y]); } };
          const pen = m.makePen(g, { ink: "", faint: "", family: "" }, { width, height: 100, em: 16 });
          const ticks = Array.from({ length: 12 }, (_, k) => 100 * k);
          m.axes(pen, { xlim: [0, 1100], ylim: [0, 1100], xticks: ticks, yticks: ticks });
          return written;
        })""",
        widths=[120, 400, 1000],
    )
    for width, written in zip([120, 400, 1000], words, strict=True):
        below = [(x, x + 8 * len(label)) for label, x, y in written if y > 80]
        assert len(below) >= 2 and all(left >= 0 and right <= width for left, right in below)
        assert all(a[1] < b[0] for a, b in itertools.pairwise(below))
        beside = [y for _, _, y in written if y <= 80]
        assert len(beside) < 6 and all(a - b >= 16 for a, b in itertools.pairwise(beside))
    assert sum(y > 80 for _, _, y in words[2]) == 12


def lines_of(figure):
    return {line.get_label(): line for line in figure.axes[-1].lines}


@pytest.mark.parametrize(
    ("widget", "series"),
    [
        (lambda: PSweep(), {"training images": "training", "test images, at the end": "test",
                            "test images, early-stopped": "early-stopped"}),
        (lambda: CoadaptationLens(p=0.5), {"trained with p = 0": "without", "trained with p = 0.5": "with"}),
        (lambda: OverfitRace(trained=[[0.5, 0.01, 40]]), {
            plotting.series_style(name)["label"]: name
            for name in SERIES
        }),
    ],
)  # fmt: skip
def test_a_poster_draws_its_series_in_their_style(widget, series):
    lines = lines_of(widget().figure())
    for label, name in series.items():
        look = plotting.series_style(name)
        assert lines[label].get_color() == look["color"] and lines[label].get_marker() == look["marker"]
        assert lines[label].is_dashed() is (look["linestyle"] != "-")
