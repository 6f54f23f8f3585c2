"""Thinned Network: masks, forward passes and paths; Python and JavaScript say the same."""

import itertools

import numpy as np
import pytest
from node import run_js
from test_widget_core import browser_says, check_refused

from utils import plotting, scratch
from utils.metrics import softmax
from utils.widgets import ThinnedNetwork
from utils.widgets.core import uniform
from utils.widgets.thinned_network import CLASSES, SIZES, UNITS, forward, load_net, push

RATES = [(0.0, 0.0), (0.3, 0.5), (0.5, 0.2), (0.9, 0.9), (1.0, 0.4), (1.0, 1.0)]
SEEDS = [0, 1, 5, 2**31 - 1]


class Replay:
    """A stand-in for numpy's generator that hands out given numbers, one array a call."""

    def __init__(self, arrays):
        self.arrays = iter(arrays)

    def random(self, shape, dtype):
        return next(self.arrays).reshape(shape).astype(dtype)


def in_browser(widget):
    """What the browser computes for the state on show."""
    return run_js(
        "thinned_network", "m.thinned(weights, x, ps, seed, on)",
        weights=np.frombuffer(widget.weights, np.float32).tolist(),
        x=np.frombuffer(widget.inputs, np.float32).reshape(30, 4)[widget.flower].tolist(),
        ps=[widget.p1, widget.p2], seed=widget.seed, on=widget.mode == "train",
    )  # fmt: skip


def test_the_net_on_show_has_learnt_its_task():
    net = load_net()
    predicted = scratch.forward_eval(net["params"], net["inputs"]).argmax(axis=1)
    assert (predicted == net["labels"]).mean() >= 0.9
    assert sorted(set(net["labels"])) == [0, 1] and load_net() is net


def test_eval_mode_is_the_plain_forward_pass_of_scratch():
    net, widget = load_net(), ThinnedNetwork(mode="eval", p1=0.9, p2=0.9)
    expected = softmax(scratch.forward_eval(net["params"], net["inputs"]))
    for flower in range(30):
        widget.flower = flower
        stats = widget.stats()
        assert [stats[name] for name in CLASSES] == pytest.approx(expected[flower].tolist(), abs=1e-5)
        assert (stats["kept1"], stats["kept2"], stats["paths"]) == (6, 6, 288)


@pytest.mark.parametrize(("p1", "p2"), [rates for rates in RATES if min(rates) > 0 and max(rates) < 1])
@pytest.mark.parametrize("seed", SEEDS)
def test_train_mode_is_the_training_pass_of_scratch_with_the_same_numbers(p1, p2, seed):
    net, widget = load_net(), ThinnedNetwork(p1=p1, p2=p2, seed=seed, flower=3)
    u = uniform(seed, 12)
    logits, cache = scratch.forward_train(net["params"], net["inputs"][3:4], (p1, p2), Replay([u[:6], u[6:]]))
    keep, layers, _ = widget.forward()
    for k in (1, 2):
        assert np.array_equal(cache[k][1][0] > 0, keep[k - 1])
        np.testing.assert_allclose(layers[k], cache[k][0][0], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(layers[3], logits[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize(("p1", "p2"), RATES)
@pytest.mark.parametrize("seed", SEEDS)
def test_python_and_javascript_agree_on_masks_activations_and_paths(p1, p2, seed, mode):
    widget = ThinnedNetwork(p1=p1, p2=p2, seed=seed, flower=seed % 30, mode=mode)
    keep, layers, probs = widget.forward()
    got = in_browser(widget)
    assert got["keep"] == [[1] * 4, *(k.astype(int).tolist() for k in keep), [1, 1]]
    for mine, theirs in zip(layers, got["layers"], strict=True):
        np.testing.assert_allclose(theirs, mine, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(got["probs"], probs, atol=1e-9)
    assert got["paths"] == widget.stats()["paths"]


def test_paths_are_those_that_walking_the_network_finds():
    for seed in range(20):
        widget = ThinnedNetwork(p1=0.4, p2=0.6, seed=seed)
        alive = [np.ones(4, bool), *widget.masks(), np.ones(2, bool)]
        walks = list(itertools.product(*(np.flatnonzero(units).tolist() for units in alive)))
        assert widget.stats()["paths"] == len(walks)
        for unit in UNITS:
            widget.trace = unit
            layer, number = next(
                (k, int(unit.rsplit(".", 1)[1]) - 1)
                for k, name in enumerate(("input", "hidden 1", "hidden 2", "output"))
                if unit.startswith(name)
            )
            assert widget.stats()["traced_paths"] == sum(walk[layer] == number for walk in walks)


def test_python_and_javascript_trace_the_same_units():
    widget = ThinnedNetwork(p1=0.5, p2=0.5, seed=4)
    keep = widget.masks()
    traced = run_js(
        "thinned_network", "traces.map((t) => m.tracedUnits(keep, t))", traces=["none", *UNITS],
        keep=[[1] * 4, *(k.astype(int).tolist() for k in keep), [1, 1]],
    )  # fmt: skip
    for trace, units in zip(["none", *UNITS], traced, strict=True):
        widget.trace = trace
        assert units == [layer.astype(int).tolist() for layer in widget._traced(keep)]


def test_the_share_of_draws_with_a_path_follows_theory():
    widget = ThinnedNetwork(p1=0.8, p2=0.85)
    chance, n = widget.stats()["path_chance"], 2000
    assert chance == pytest.approx((1 - 0.8**6) * (1 - 0.85**6))
    left = sum(all(k.any() for k in widget.masks(seed)) for seed in range(n))
    assert abs(left / n - chance) < 5 * np.sqrt(chance * (1 - chance) / n)


def test_inverted_scaling_keeps_the_mean_of_what_the_second_layer_reads():
    net, p = load_net(), 0.5
    x = net["inputs"][0]
    h = forward(net["params"], x, [np.ones(6), np.ones(6)])[1]
    widget = ThinnedNetwork(p1=p, p2=0.0, flower=0)
    n = 2000
    total = sum(widget.forward(seed)[1][1].sum() for seed in range(n)) / n
    assert abs(total - h.sum()) < 5 * np.sqrt(p / (1 - p) * (h**2).sum() / n)


def test_without_a_path_every_flower_gets_the_same_answer_and_the_text_says_so():
    widget = ThinnedNetwork(p1=1.0, p2=0.3)
    answers = set()
    for flower in range(30):
        widget.flower = flower
        answers.add(round(widget.stats()["virginica"], 12))
    assert len(answers) == 1 and widget.stats()["paths"] == widget.stats()["path_chance"] == 0
    assert "no path is left" in widget.figure().sentence


def test_dropping_nothing_is_eval_mode():
    train, evaluation = ThinnedNetwork(p1=0.0, p2=0.0).stats(), ThinnedNetwork(mode="eval").stats()
    same = ("kept1", "kept2", "paths", "virginica", "versicolor", "path_chance")
    assert [train[key] for key in same] == [evaluation[key] for key in same]


def test_the_poster_and_the_text_say_what_is_on_show():
    widget = ThinnedNetwork(p1=0.5, p2=0.5, seed=2, trace="hidden 1.1", saved=[1, 2], covered=False)
    data, metadata = widget._repr_mimebundle_()
    assert data["text/plain"].startswith(
        "[slider] ThinnedNetwork: p1 0.5, p2 0.5, seed 2, mode train, flower 8"
    )
    assert len(data["image/png"]) > 1000 and "P(virginica)" in metadata["image/png"]["alt"]
    assert str(widget.stats()["paths"]) in metadata["image/png"]["alt"]
    assert eval(widget.code(), {"ThinnedNetwork": ThinnedNetwork}).state() == widget.state()


def test_a_move_in_the_browser_changes_the_python_side():
    widget = ThinnedNetwork()
    browser_says(widget, p1=0.7, p2=0.1, seed=9, saved=[1, 9], trace="output.2")
    assert (widget.p1, widget.p2, widget.seed, widget.saved, widget.trace) == (
        0.7,
        0.1,
        9,
        [1, 9],
        "output.2",
    )
    u = uniform(9, 12)
    assert widget.stats()["kept1"] == int((u[:6] >= np.float32(0.7)).sum())
    assert widget.stats()["kept2"] == int((u[6:] >= np.float32(0.1)).sum())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"p1": 1.2}, r"p1 must be in \[0, 1\], got 1.2"),
        ({"p2": float("nan")}, r"p2 must be in \[0, 1\], got nan"),
        ({"flower": 30}, r"flower must be a whole number in \[0, 29\], got 30"),
        ({"mode": "test"}, "mode must be one of train, eval, got 'test'"),
        ({"trace": "hidden 3.1"}, "trace must be one of none, input.1, .* got 'hidden 3.1'"),
        ({"draws": 501}, r"draws must be a whole number in \[1, 500\], got 501"),
        ({"saved": [1, -2]}, r"saved must hold at most 6 whole numbers .* got \[1, -2\]"),
        ({"saved": [True]}, r"saved must hold at most 6 whole numbers .* got \[True\]"),
        ({"saved": list(range(7))}, "saved must hold at most 6 whole numbers"),
    ],
)
def test_bad_values_get_one_sentence_and_change_nothing(arguments, message):
    check_refused(ThinnedNetwork(), arguments, message)


def test_each_draw_leaves_its_answer_and_the_last_one_is_on_show():
    widget = ThinnedNetwork(p1=0.4, p2=0.3, seed=5, draws=40)
    singles = [ThinnedNetwork(p1=0.4, p2=0.3, seed=5 + k).stats() for k in range(40)]
    answers = [single["virginica"] for single in singles]
    assert widget.answers().tolist() == answers
    stats = widget.stats()
    assert stats["virginica"] == answers[-1] and stats["paths"] == singles[-1]["paths"]
    assert stats["draws"] == 40 and stats["mean_virginica"] == pytest.approx(np.mean(answers))
    # On the poster: a tick for each draw, on a bar from 0 to 6.
    [ticks] = [c for c in widget.figure().axes[0].collections if hasattr(c, "get_segments")]
    assert [segment[0][0] / 6 for segment in ticks.get_segments()] == pytest.approx(answers)


def test_the_browser_gets_the_whole_net():
    widget = ThinnedNetwork()
    assert len(widget.weights) == 4 * sum((a + 1) * b for a, b in itertools.pairwise(SIZES)) == 4 * 86
    assert len(widget.inputs) == 4 * 4 * 30 and len(widget.flowers) == 30


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_a_line_that_carries_nothing_is_not_drawn_as_pushing_up(seed):
    widget = ThinnedNetwork(seed=seed)
    keep, layers, _ = widget.forward()
    alive = [np.ones(4, bool), *keep, np.ones(2, bool)]
    expected = [
        (k, int(a), int(b), push(layers[k][a] * W[a, b]))
        for k, (W, _) in enumerate(load_net()["params"])
        for a, b in np.argwhere(np.outer(alive[k], alive[k + 1]))
    ]
    got = run_js(
        "thinned_network",
        "m.lines(weights, m.thinned(weights, x, ps, seed, true))"
        ".map(({layer, from, to, carried}) => [layer, from, to, m.push(carried)])",
        weights=np.frombuffer(widget.weights, np.float32).tolist(),
        x=np.frombuffer(widget.inputs, np.float32).reshape(30, 4)[widget.flower].tolist(),
        ps=[widget.p1, widget.p2], seed=seed,
    )  # fmt: skip
    assert [tuple(line) for line in got] == expected
    # Some kept unit is silent here: its lines carry exactly 0.
    silent = sum((layers[k][a] == 0) * alive[k + 1].sum() for k in (1, 2) for a in np.flatnonzero(alive[k]))
    assert [line[3] for line in expected].count("nothing") == silent > 0
    grey = plotting.series_style("nothing")["color"]
    assert [line.get_color() for line in widget.figure().axes[0].lines].count(grey) == silent
