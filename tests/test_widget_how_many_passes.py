"""How Many Passes?: curves and copies against chapter 15's stored results, the browser's twin."""

import itertools
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from node import run_js
from scipy import stats as scipy_stats
from test_widget_core import browser_says

from utils.data import ALPHABET, load_text
from utils.measured import Difference, load_results
from utils.plotting import STYLES
from utils.widgets import HowManyPasses
from utils.widgets import how_many_passes as module
from utils.widgets.base import load_bank
from utils.widgets.how_many_passes import ALIKE, DIFFERENCES, NATS, NUM_SEEDS, PASSES, PLACES, told
from utils.widgets.how_many_passes_bank import LENGTHS, LONG, PS, READ, apart, copies, sample, spell

CHAPTER = Path(__file__).resolve().parents[1] / "notebooks" / "15_language_models.ipynb"
SETTINGS = list(itertools.product(PS, PASSES))
each_setting = pytest.mark.parametrize(("p", "passes"), SETTINGS)


@pytest.fixture(scope="module")
def arms():
    return load_results("15_language_models")["arms"]


@pytest.fixture(scope="module")
def chapter():
    """The settings, and the function that draws a sample, of chapter 15 itself."""
    import torch

    names = {"np": np, "torch": torch}
    cells = nbformat.read(CHAPTER, 4).cells
    for cell in cells:
        if cell.cell_type == "code" and ("LENGTHS = " in cell.source or "def sample(" in cell.source):
            exec(cell.source, names)
    return names


def rows_of(arms, p, passes):
    return arms[f"{LENGTHS[PASSES.index(passes)]}, p = {p}"]


def score(rows, when):
    if when == "end":
        return np.array([np.mean(row["test"][-3:]) for row in rows])
    return np.array([row["test"][int(np.argmin(row["val"]))] for row in rows])


def test_the_settings_are_those_of_the_chapter(chapter, arms):
    assert chapter["LENGTHS"] == LENGTHS
    assert chapter["STEPS"] * chapter["BATCH"] * chapter["CONTEXT"] == READ
    assert len(chapter["DRAWS"]) == NUM_SEEDS
    assert {f"{length}, p = {p}" for length in LENGTHS for p in PS} <= set(arms)
    assert np.allclose(10 ** np.array(PLACES) * LENGTHS, READ, rtol=0.002)


@each_setting
@pytest.mark.parametrize("when", ["end", "stopped"])
def test_nats_and_differences_are_those_of_the_stored_runs(arms, p, passes, when):
    stats = HowManyPasses(p=p, passes=passes).stats()
    alone = score(rows_of(arms, p, passes), when)
    gaps = score(rows_of(arms, 0.2, passes), when) - score(rows_of(arms, 0.0, passes), when)
    for name, values in (("nats", alone), ("difference", gaps)):
        test = scipy_stats.ttest_1samp(values, 0).confidence_interval(0.95)
        got = [stats[f"{name}_{when}{end}"] for end in ("", "_low", "_high")]
        assert got == pytest.approx([values.mean(), test.low, test.high])
    assert round(READ / stats["characters"]) == passes


@each_setting
def test_the_texts_and_their_longest_copies_are_those_that_the_chapter_stored(arms, p, passes):
    rows = rows_of(arms, p, passes)
    widget = HowManyPasses(p=p, passes=passes)
    for seed, row in enumerate(rows):
        widget.seed = seed
        assert widget.written()["text"] == row["text"]
        assert widget.stats()["longest"] == row["copied"]  # counted there by other code
    assert widget.stats()["longest_mean"] == pytest.approx(np.mean([row["copied"] for row in rows]))


@pytest.mark.parametrize("seed", range(NUM_SEEDS))
def test_what_is_marked_stands_in_the_training_text_and_nothing_is_left_out(seed):
    widget, whole = HowManyPasses(seed=seed), spell(sample(load_text("shakespeare"), LENGTHS[-1], seed))
    assert len(whole) == LENGTHS[-1]
    written, marked = widget.written()["text"], widget.written()["spans"]
    assert marked and max(stop - start for start, stop in marked) == widget.written()["longest"]
    for start, stop in marked:
        assert stop - start >= LONG and written[start:stop] in whole
    # What is left between them holds no piece of this length.
    starts, stops = [0, *(stop for _, stop in marked)], [*(start for start, _ in marked), len(written)]
    for start, stop in zip(starts, stops, strict=True):
        assert all(written[k : k + LONG] not in whole for k in range(start, stop - LONG + 1))


def test_the_sample_is_that_of_the_chapter(chapter):
    import torch

    text = load_text("shakespeare")
    training = torch.from_numpy(text[: len(text) * 9 // 10])
    for length, draw in ((5_000, 0), (25_000, 4)):
        assert chapter["sample"](training, length, draw).tolist() == sample(text, length, draw).tolist()


def test_memorising_begins_between_31_and_154_passes_and_dropout_prevents_it():
    # The gallery and the chapter say so.
    longest, copied = load_bank("passes")["longest"], load_bank("passes")["copied"]
    assert copied[0, -1].any(axis=1).all()  # in each of the five texts
    assert not copied[0, :-1].any() and not copied[1].any()
    assert longest[0, -1].min() > longest[1].max() and longest[0, -1].min() > longest[0, :-1].max()


def test_copies_by_hand():
    lengths = copies("abcxabyzab", "zzabcdyzab")
    assert lengths.tolist() == [3, 2, 1, 0, 2, 1, 4, 3, 2, 1]
    assert apart(lengths, 3) == [(0, 3), (6, 10)]
    assert apart(lengths, 2) == [(0, 3), (4, 6), (6, 10)]  # neighbours stay apart
    assert apart(np.array([4, 3, 5, 4, 3, 2, 1]), 2) == [
        (0, 2),
        (2, 7),
    ]  # the longest is taken first
    assert apart(lengths, 5) == [] == apart(lengths[:0], 1)


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.02, 0.03, "costs"),
        (-0.03, -0.02, "helps"),
        (-0.005, 0.005, "does not matter"),
        (-0.02, 0.03, "cannot be told"),
    ],
)
def test_the_word_follows_from_the_interval(low, high, word, monkeypatch):
    found = Difference((low + high) / 2, low, high, 5)
    assert told(found) == word
    monkeypatch.setattr(module, "differences", lambda: [[found] * 4] * 2)
    widget = HowManyPasses()
    assert widget.truth == [round(found.mean, 3)] * 4
    assert widget.because.count(f"({word})") == 4 and widget.stats()["dropout_end"] == word


def test_the_guess_is_a_curve_over_all_passes_and_the_truth_fits_its_axes():
    widget = HowManyPasses()
    assert widget.takes["names"] == [str(n) for n in PASSES] and widget.takes["x"] == list(PLACES)
    assert all(DIFFERENCES[0] < value < DIFFERENCES[1] for value in widget.truth)
    assert [widget.differences[0][k][0] for k in range(4)] == pytest.approx(widget.truth, abs=5e-4)
    bank = load_bank("passes")["nats"][..., :3]
    assert NATS[0] < bank.min() and bank.max() < NATS[1] and NATS[0] < ALIKE < NATS[1]
    assert pytest.approx(np.log(len(ALPHABET))) == ALIKE
    browser_says(widget, guess=[0.0, 0.0, -0.5, -1.0], covered=False)
    assert widget.stats()["guess"] == [0, 0, -0.5, -1] and widget.stats()["truth"] == widget.truth


def test_the_legend_names_the_p_and_the_length_of_the_bank():
    series = STYLES["series"]
    for k, arm in enumerate(("without", "with")):
        assert series[f"{arm} end"]["name"].startswith(f"p = {PS[k]:g},")
    assert series["minus end"]["name"].startswith(f"p = {PS[1]:g} minus p = {PS[0]:g},")
    assert series["copied"]["name"].startswith(f"{LONG} or more characters")


@each_setting
def test_python_and_javascript_cut_a_text_into_the_same_pieces_and_say_the_same(p, passes):
    widget, k, at = HowManyPasses(p=p, passes=passes, seed=2), PS.index(p), PASSES.index(passes)
    pieces, words = run_js(
        "how_many_passes", "[m.pieces(one.text, one.spans), m.inWords(state)]",
        one=widget.written(),
        state={**widget.layout_numbers, "p": p, "passes": passes, "at": at, "k": k, "seed": 2,
               "differences": widget.differences, "nats": widget.nats, "texts": widget.texts},
    )  # fmt: skip
    assert [(piece, copied) for piece, copied in pieces] == widget.pieces()
    assert "".join(piece for piece, _ in pieces) == widget.written()["text"]
    stats = widget.stats()
    for name, sign in (("nats", ""), ("difference", "+")):
        for when in ("end", "stopped"):
            mean, low, high = (stats[f"{name}_{when}{part}"] for part in ("", "_low", "_high"))
            assert f"{mean:{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}]" in words
    assert f"Dropout {stats['dropout_end']} at the end" in words
    assert f"{stats['longest']} characters here, {stats['longest_mean']:.1f} on average of 5" in words
    assert words.endswith(f"in pieces of {LONG} or more: {stats['copied']} characters.")


def test_the_poster_and_the_text_say_what_is_on_show():
    widget = HowManyPasses(covered=False, seed=1)
    data, metadata = widget._repr_mimebundle_()
    assert data["text/plain"].startswith("[slider] HowManyPasses: p 0, passes 154, seed 1, ")
    alt = metadata["image/png"]["alt"]
    assert f"has {widget.written()['longest']} characters" in alt
    assert f"{widget.stats()['difference_end']:+.2f} at 154 passes" in alt
    shown = [text.get_text() for text in widget.figure().axes[2].texts]
    assert shown[0].replace("\n", " ").count("«") == len(widget.written()["spans"])
    assert eval(widget.code(), {"HowManyPasses": HowManyPasses}).state() == widget.state()


def test_a_move_in_the_browser_changes_the_python_side():
    widget = HowManyPasses()
    before = widget.stats()
    browser_says(widget, p=0.2, passes=1, seed=3)
    after = widget.stats()
    assert before["copied"] >= LONG > after["copied"] == 0
    assert after["nats_end"] < before["nats_end"] and after["difference_end"] > 0 > before["difference_end"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"p": -0.1}, r"p must be in \[0, 1\], got -0.1"),
        ({"p": 0.5}, r"p must be one of \[0.0, 0.2\], got 0.5"),
        ({"passes": 30}, r"passes must be one of \[1, 8, 31, 154\], got 30"),
        ({"passes": 1.5}, "passes must be a whole number"),
        ({"seed": 5}, r"seed must be a whole number in \[0, 4\], got 5"),
    ],
)
def test_bad_values_get_one_sentence_and_change_nothing(arguments, message):
    with pytest.raises(ValueError, match=message):
        HowManyPasses(**arguments)
    widget = HowManyPasses()
    before = widget.state()
    browser_says(widget, **arguments)
    assert re.search(message, widget.error)
    assert widget.state() == before
