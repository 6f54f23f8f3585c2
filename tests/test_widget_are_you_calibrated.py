"""Are you calibrated?: the learner's answers and a net's are judged alike, in Python and in the browser."""

import re

import numpy as np
import pytest
from node import run_js
from scipy import stats
from test_widget_core import browser_says, check_refused

from utils import metrics
from utils.data import FASHION_CLASSES, load_fashion_mnist
from utils.measured import difference, load_results
from utils.widgets import AreYouCalibrated
from utils.widgets import are_you_calibrated as module
from utils.widgets import are_you_calibrated_bank as bank_code
from utils.widgets.base import load_bank

NETS = ("no_dropout", "monte_carlo")


def some_answers(seed=0):
    """Twenty answers of all kinds: about half are right, confidences from the least to the most."""
    rng = np.random.default_rng(seed)
    right = [name for name, _ in AreYouCalibrated().truth]
    said = [module.LEAST, module.MOST, *rng.uniform(module.LEAST, module.MOST, 18)]
    return [
        [right[k] if rng.random() < 0.5 else str(rng.choice(FASHION_CLASSES)), float(said[k])]
        for k in range(20)
    ]


def played(**state):
    widget = AreYouCalibrated(**state)
    widget.guess = some_answers()
    widget.covered = False
    return widget


# --- the bank ---


def test_the_images_are_those_of_the_test_set():
    bank, images = load_bank("calibration"), load_fashion_mnist()
    assert len(np.unique(bank["index"])) == 20
    shown = images.x_test[bank["index"]].reshape(20, -1)
    assert np.array_equal(bank["images"], np.round(255 * shown))
    assert np.array_equal(bank["truth"], images.y_test[bank["index"]])


def chapter(score):
    """(what chapter 12 stored of its corner, five standard deviations of a difference) for each net."""
    found = load_results("12_is_it_calibrated")
    names = {"no_dropout": "no dropout", "monte_carlo": "Monte Carlo"}
    stored = found["runs"][0]["end"]["half"]["scores"]
    again = {
        name: [stored[label][score], *(run[label][score] for run in found["nudged"])]
        for name, label in names.items()
    }
    return {name: (values[0], 5 * np.sqrt(2) * np.std(values, ddof=1)) for name, values in again.items()}


def test_the_net_without_dropout_is_that_of_chapter_12():
    bank, at = load_bank("calibration"), module.TEMPERATURES.index(1.0)
    for score in ("nll", "ece"):
        stored, room = chapter(score)["no_dropout"]
        assert abs(bank[score][at] - stored) < room


def test_the_nets_trained_again_are_those_of_the_bank():
    images, net = bank_code.train(0.5, bank_code.DRAW)
    probs = np.exp(bank_code.many_passes(net, images["x_test"]))
    y = images["y_test"].numpy()
    stored, room = chapter("nll")["monte_carlo"]
    assert abs(metrics.nll(probs, y) - stored) < room
    bank = load_bank("calibration")
    now, then = probs[bank["index"]], np.exp(bank["monte_carlo"])
    # Runs of other rounding differ; they agree far better than two images do.
    apart = abs(now - then).sum(axis=1).mean()
    other = abs(now - np.roll(then, 1, axis=0)).sum(axis=1).mean()
    assert apart < 0.4 and apart < other / 2


def test_the_bars_are_counted_from_all_test_images_and_the_temperature_is_the_best():
    bank = load_bank("calibration")
    assert (bank["count"].sum(axis=1) == 10_000).all()
    assert (bank["right"].sum(axis=1) == bank["right"].sum(axis=1)[0]).all(), "T keeps the order of classes"
    gap = np.abs(bank["right"] - bank["said"]).sum(axis=1) / 10_000
    assert np.allclose(gap, bank["ece"], atol=1e-5)
    best = bank["nll"][module.TEMPERATURES.index(AreYouCalibrated().temperature)]
    assert best - bank["nll"].min() < 0.005  # chosen by other, fewer images


# --- what is computed ---


def test_the_quantiles_are_those_of_scipy():
    assert pytest.approx(stats.t.ppf(0.975, 19), abs=1e-6) == module.T95
    assert pytest.approx(stats.norm.ppf(0.975), abs=1e-6) == module.Z95


def test_intervals_are_those_of_the_course_and_of_scipy():
    values = np.random.default_rng(0).normal(size=20)
    assert module.interval(values) == pytest.approx(difference(values)[:3], abs=1e-6)
    for right, n in ((0, 3), (2, 5), (7, 7), (11, 20)):
        low, high = stats.binomtest(right, n).proportion_ci(method="wilson")
        assert module.share_interval(right, n) == pytest.approx((low, high), abs=1e-6)


def test_a_temperature_is_a_softmax_of_divided_logits_and_keeps_the_order():
    logs = load_bank("calibration")["no_dropout"].astype(np.float64)
    for t in (0.5, 1, 3.2):
        assert np.allclose(np.exp(module.tempered(logs, t)), metrics.softmax(logs / t), atol=1e-12)
    found = AreYouCalibrated(temperature=4.0)
    assert np.array_equal(found.answers("tempered")[0], found.answers("no_dropout")[0])
    same = AreYouCalibrated(temperature=1.0)
    assert np.allclose(same.answers("tempered")[1], same.answers("no_dropout")[1])


def test_the_loss_is_the_nll_of_a_distribution_that_spreads_the_rest_evenly():
    widget = played()
    for method in module.METHODS:
        top, said, rest = widget.answers(method)
        assert np.allclose(said + rest, 1, atol=1e-4)  # the learner's 1 - said, the nets' stored digits
        probs = np.repeat(rest[:, None] / 9, 10, axis=1)
        probs[np.arange(20), top] = said
        expected = metrics.nll(probs / probs.sum(axis=1, keepdims=True), np.array(widget.labels))
        assert widget.stats()[f"nll_{method}"][0] == pytest.approx(expected, abs=1e-4)


def test_who_is_always_right_and_sure_wins_and_who_is_always_wrong_and_sure_loses():
    widget = AreYouCalibrated()
    widget.guess = widget.truth
    best = widget.stats()
    assert best["right_you"] == 20 and best["nll_you"][0] == pytest.approx(-np.log(0.99))
    assert all(best[f"you_less_{other}"][2] < 0 for other in ("no_dropout", "monte_carlo", "tempered"))
    wrong = [[next(n for n in FASHION_CLASSES if n != name), 0.99] for name, _ in widget.truth]
    widget.guess = wrong
    worst = widget.stats()
    assert worst["right_you"] == 0 and worst["excess_you"][1] > 0.9
    assert worst["nll_you"][0] == pytest.approx(-np.log(0.01 / 9))
    assert all(worst[f"you_less_{other}"][1] > 0 for other in ("no_dropout", "monte_carlo", "tempered"))


def test_stats_hold_the_guess_and_the_truth_and_without_a_guess_only_the_nets():
    widget = AreYouCalibrated()
    assert widget.stats()["guess"] is None and "right_you" not in widget.stats()
    assert "no_dropout_less_monte_carlo" in widget.stats()
    widget.guess = some_answers()
    assert widget.stats()["guess"] == some_answers()
    assert [FASHION_CLASSES.index(name) for name, _ in widget.stats()["truth"]] == widget.labels
    assert "you_less_monte_carlo" in widget.stats()


# --- Python and JavaScript ---


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.2, 5.0])
@pytest.mark.parametrize("guessed", [True, False])
def test_the_browser_finds_the_same_numbers(temperature, guessed):
    widget = AreYouCalibrated(temperature=temperature)
    widget.guess = some_answers() if guessed else None
    logs = {name: load_bank("calibration")[name].tolist() for name in NETS}
    found, less, bins = run_js(
        "are_you_calibrated",
        "(() => { const found = m.judge(state); return [found, m.compare(found), "
        "Object.values(found).map((a) => m.binned(a, 5).map((b) => [b.count, b.said, b.right]))]; })()",
        state={"logs": logs, "labels": widget.labels, "options": widget.takes["options"],
               "guess": widget.guess, "temperature": temperature},
    )  # fmt: skip
    numbers = widget.stats()
    assert list(found) == [name for name in module.METHODS if guessed or name != "you"]
    for (name, answers), counted in zip(found.items(), bins, strict=True):
        judged = widget.judged(name)
        for key in ("top", "said", "right", "loss"):
            assert np.allclose([answer[key] for answer in answers], judged[key], atol=1e-9), (name, key)
        assert np.allclose(np.transpose(counted), module.binned(judged["said"], judged["right"], 5))
    first = next(iter(found))
    for other, values in less.items():
        assert values == pytest.approx(numbers[f"{first}_less_{other}"], abs=1e-9)


def test_a_confidence_on_the_edge_of_two_bins_falls_into_the_lower_one_on_both_sides():
    said, right = [0.1, 0.2, 0.4, 0.6, 0.8, 0.99, 1.0], [0, 1, 1, 0, 1, 1, 1]
    got = run_js(
        "are_you_calibrated", "m.binned(said.map((c, k) => ({ said: c, right: right[k] })), 5)"
        ".map((b) => [b.count, b.said, b.right])", said=said, right=right,
    )  # fmt: skip
    assert np.allclose(np.transpose(got), module.binned(np.array(said), right, 5))
    assert [count for count, *_ in got] == [2, 1, 1, 1, 2]


def test_the_browser_reads_the_same_bank():
    widget, bank = AreYouCalibrated(), load_bank("calibration")
    got = run_js(
        "are_you_calibrated", "m.readBank(new DataView(Uint8Array.from(bytes).buffer), temperatures, 20)",
        bytes=list(widget.bank), temperatures=len(module.TEMPERATURES),
    )  # fmt: skip
    for name, values in {**got.pop("logs"), **got}.items():
        assert np.array_equal(np.array(values, np.float32), bank[name].astype(np.float32)), name


def test_the_browser_has_the_same_share_intervals():
    pairs = [[0, 1], [1, 1], [3, 8], [20, 20]]
    got = run_js("are_you_calibrated", "pairs.map(([k, n]) => m.shareInterval(k, n))", pairs=pairs)
    assert np.allclose(got, [module.share_interval(k, n) for k, n in pairs], atol=1e-12)


def test_the_words_follow_from_the_intervals():
    def method(losses, said, right):
        return [{"loss": loss, "said": said, "right": right(k)} for k, loss in enumerate(losses)]

    noise = np.random.default_rng(0).normal(0, 0.1, 20)
    sure = method((2 + noise).tolist(), 0.9, lambda k: k < 4)
    modest = method(np.ones(20).tolist(), 0.2, lambda k: k < 16)
    level = method((1 + noise[::-1] - noise.mean()).tolist(), 0.5, lambda k: k < 11)
    excess, loss = run_js(
        "are_you_calibrated",
        "[m.excessInWords(found), m.lossInWords(found)]",
        found={"you": modest, "no_dropout": sure, "monte_carlo": level},
    )
    assert excess.endswith("20 answers cannot tell") and excess.startswith(
        "you −60 [−79, −41], too modest · "
    )
    assert "no dropout +70 [+51, +89], too sure" in excess
    assert re.fullmatch(r"you minus no dropout −0\.98 \[.*\], better · you minus Monte Carlo dropout .*"
                        r", 20 answers cannot tell", loss)  # fmt: skip
    assert "worse" in run_js("are_you_calibrated", "m.lossInWords(found)",
                             found={"you": sure, "no_dropout": modest})  # fmt: skip


# --- the widget ---


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"temperature": 0.4}, r"temperature must be in \[0.5, 5\], got 0.4"),
        ({"temperature": float("nan")}, r"temperature must be in \[0.5, 5\], got nan"),
        ({"image": 20}, r"image must be a whole number in \[0, 19\], got 20"),
    ],
)
def test_bad_values_get_one_sentence_and_change_nothing(arguments, message):
    check_refused(AreYouCalibrated(), arguments, message)


def test_a_move_in_the_browser_changes_the_stats():
    widget = AreYouCalibrated()
    browser_says(widget, guess=some_answers(), covered=False, temperature=2.0, image=3)
    same = played(temperature=2.0, image=3)
    assert widget.stats() == same.stats()
    assert eval(widget.code()).state() == widget.state()


@pytest.mark.parametrize("guessed", [True, False])
def test_the_poster_shows_each_method_and_says_so(guessed):
    widget = played() if guessed else AreYouCalibrated(covered=False)
    data, metadata = widget._repr_mimebundle_()
    assert len(data["image/png"]) > 1000
    alt = metadata["image/png"]["alt"]
    assert ("you (right" in alt) is guessed and "Monte Carlo dropout (right" in alt and "T = 3." in alt
    assert len(widget.figure().axes) == 4 + guessed
