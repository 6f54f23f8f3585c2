"""The widgets' randomness: the same numbers in Python and JavaScript, and good ones."""

import re

import numpy as np
import pytest
import traitlets
from node import run_js

from utils.widgets import MaskLab
from utils.widgets.core import binomial_share, keep_mask, uniform
from utils.widgets.mask_lab import count_range

SEEDS = [0, 1, 2, 41, 2**16, 2**31 - 1]
DROP_PROBS = [0, 0.01, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.99, 1, *np.linspace(0, 1, 101).round(2).tolist()]


def test_python_and_javascript_draw_the_same_numbers():
    drawn = run_js("core", "seeds.map((s) => [...m.uniform(s, 500)])", seeds=SEEDS)
    for seed, numbers in zip(SEEDS, drawn, strict=True):
        assert np.array_equal(np.array(numbers, dtype=np.float32), uniform(seed, 500))


def test_python_and_javascript_agree_on_every_mask_at_every_p():
    masks = run_js(
        "core", "seeds.map((s) => ps.map((p) => m.keepMask(m.uniform(s, 300), p).join('')))",
        seeds=SEEDS, ps=DROP_PROBS,
    )  # fmt: skip
    for seed, per_p in zip(SEEDS, masks, strict=True):
        for p, mask in zip(DROP_PROBS, per_p, strict=True):
            assert mask == "".join(keep_mask(uniform(seed, 300), p).astype(int).astype(str)), (seed, p)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_numbers_are_uniform_and_uncorrelated(seed):
    n = 200_000
    u = uniform(seed, n).astype(np.float64)
    assert u.min() >= 0 and u.max() < 1
    assert abs(u.mean() - 0.5) < 5 * np.sqrt(1 / 12 / n)
    # The variance of (u - 1/2)^2 is 1/180.
    assert abs(((u - 0.5) ** 2).mean() - 1 / 12) < 5 * np.sqrt(1 / 180 / n)
    for other in (np.roll(u, 1), np.roll(u, 7), uniform(seed + 1, n).astype(np.float64)):
        # A product of two independent centred uniforms has variance 1/144.
        assert abs(((u - 0.5) * (other - 0.5)).mean()) < 5 * np.sqrt(1 / 144 / n)


def test_masks_are_nested_in_p():
    u = uniform(3, 1000)
    for low, high in ((0.1, 0.2), (0.5, 0.9)):
        assert not np.any(keep_mask(u, high) & ~keep_mask(u, low))
    assert keep_mask(u, 0).all() and not keep_mask(u, 1).any()


def test_small_numbers_functions_agree_with_numpy():
    values = np.random.default_rng(0).normal(size=50).tolist()
    got = run_js("core", "[m.sum(v), m.mean(v), m.variance(v), m.histogram(v, -1, 1, 4)]", v=values)
    clipped = np.clip(np.floor((np.array(values) + 1) / 2 * 4), 0, 3).astype(int)
    assert got[0] == pytest.approx(sum(values)) and got[1] == pytest.approx(np.mean(values))
    assert got[2] == pytest.approx(np.var(values))
    assert got[3] == np.bincount(clipped, minlength=4).tolist()
    assert run_js("core", "m.binomial(100, 0.2)") == {"mean": 20, "std": 4}


def test_the_python_line_that_the_browser_shows_is_the_one_that_python_gives():
    widget = MaskLab(p=0.3, seed=2, forced={"5": 1})
    line = run_js("core", "m.pythonLine('MaskLab', state)", state=widget.state())
    assert eval(line, {"MaskLab": MaskLab}).state() == widget.state()


def browser_says(widget, **state):
    """Exactly the message that a browser sends when the reader moves something."""
    data = {"method": "update", "state": state, "buffer_paths": []}
    widget._handle_msg({"content": {"data": data}, "buffers": []})


def check_refused(widget, arguments, message):
    """One sentence for a bad value, from the constructor, an assignment and the browser; nothing changes."""
    with pytest.raises(ValueError, match=message):
        type(widget)(**arguments)
    before = widget.state()
    with pytest.raises(traitlets.TraitError, match=message):
        setattr(widget, *next(iter(arguments.items())))
    browser_says(widget, **arguments)
    assert re.search(message, widget.error)
    assert widget.state() == before


def test_a_move_in_the_browser_changes_the_python_side():
    widget = MaskLab(p=0.5, seed=1)
    browser_says(widget, p=0.7, seed=2)
    assert widget.state() == {"p": 0.7, "seed": 2, "batches": 1, "forced": {}}
    assert widget.stats()["kept"] == int((uniform(2, 240) >= np.float32(0.7)).sum())


def test_at_p_one_the_words_do_not_call_a_forced_unit_dropped():
    words = run_js("mask_lab", "cases.map(([p, forced]) => m.factorInWords(p, forced))",
                   cases=[[0.5, {}], [1, {}], [1, {"3": 0}], [1, {"3": 1}]])  # fmt: skip
    assert words[0] == "kept values are multiplied by 2.00"
    assert words[1] == words[2] == "at p = 1 all are dropped, and no factor makes up for that"
    assert "all are dropped" not in words[3] and "you forced" in words[3]


def test_every_batch_is_counted_and_the_histogram_leaves_out_what_was_forced():
    widget = MaskLab(p=0.3, seed=4, batches=30, forced={0: 1})
    counts = [int((uniform(4 + k, 240) >= np.float32(0.3)).sum()) for k in range(30)]
    assert widget.counts().tolist() == counts
    assert run_js("mask_lab", "[m.counts(4, 2, .3), m.counts(4, 30, .3), m.counts(5, 1, .3)]") == [
        counts[:2], counts, counts[1:2]]  # fmt: skip
    stats = widget.stats()
    assert stats["expected"] == 168 and stats["exactly"] == counts.count(168)
    assert stats["kept"] == widget.mask().sum() and widget.mask().ravel()[0]
    # 1,000 counts: their mean and variance are those of Binomial(240, q).
    many = MaskLab(p=0.3, batches=1000).counts()
    variance = 240 * 0.3 * 0.7
    assert abs(many.mean() - 168) < 5 * np.sqrt(variance / 1000)
    assert abs(many.var(ddof=1) / variance - 1) < 5 * np.sqrt(2 / 999)


def test_the_question_is_how_often_the_expected_count_comes_exactly():
    widget = MaskLab(p=0.5)
    assert widget.question.endswith("In how many of 100 batches is it exactly 120?")
    assert widget.truth == int((MaskLab(p=0.5, batches=100).counts() == 120).sum())
    assert MaskLab(p=0).truth == 100 == MaskLab(p=1).truth


def test_the_binomial_and_the_axis_are_the_same_in_python_and_in_the_browser():
    cases = [(n, q, k) for n in (1, 10, 240) for q in (0, 0.01, 0.3, 0.5, 1) for k in (0, n // 2, n)]
    assert run_js("core", "cases.map((c) => m.binomialShare(...c))", cases=cases) == pytest.approx(
        [binomial_share(*case) for case in cases], rel=1e-9
    )
    assert sum(binomial_share(240, 0.3, k) for k in range(241)) == pytest.approx(1)
    ps = [k / 100 for k in range(101)]
    assert run_js("mask_lab", "ps.map(m.countRange)", ps=ps) == [list(count_range(p)) for p in ps]


def test_mask_lab_clicks_force_units():
    widget = MaskLab(p=1.0, forced={0: 1, 21: 1})
    assert widget.stats()["kept"] == 2 and widget.mask()[0, 0] and widget.mask()[1, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"p": 1.2}, r"p must be in \[0, 1\], got 1.2"),
        ({"p": float("nan")}, r"p must be in \[0, 1\], got nan"),
        ({"seed": -1}, r"seed must be a whole number in \[0, 2147483647\], got -1"),
        ({"forced": {"240": 1}}, r"forced must map numbers 0..239 to 0 or 1, got \{'240': 1\}"),
        ({"forced": {"3": 2}}, "forced must map numbers"),
        ({"batches": 0}, r"batches must be a whole number in \[1, 1000\], got 0"),
    ],
)
def test_bad_values_get_one_sentence_and_change_nothing(arguments, message):
    check_refused(MaskLab(), arguments, message)


def test_an_unknown_setting_is_refused():
    with pytest.raises(TypeError, match="MaskLab takes p, seed, batches, forced, covered, got drop"):
        MaskLab(drop=0.5)


def test_a_page_without_kernel_gets_a_poster_and_a_sentence():
    widget = MaskLab(p=0.5, covered=False)
    data, metadata = widget._repr_mimebundle_()
    assert data["text/plain"].startswith("[slider] MaskLab: p 0.5, seed 0, kept ")
    assert "application/vnd.jupyter.widget-view+json" in data and len(data["image/png"]) > 1000
    assert metadata["image/png"]["alt"].startswith("A grid of 12 x 20 units")


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"p": 3.0}, "p must be in [0, 1], got 3.0"),
        ({"seed": -1, "p": 0.7}, "seed must be a whole number in [0, 2147483647], got -1"),
    ],
)
def test_what_is_refused_from_the_browser_is_said_in_the_widget_and_taken_back(state, message, monkeypatch):
    widget = MaskLab(p=0.5, seed=1)
    before, sent = widget.state(), []
    monkeypatch.setattr(widget, "send_state", lambda key=None: sent.append(key))
    browser_says(widget, **state)
    assert widget.error == message and widget.state() == before
    assert list(state) in sent, "the browser gets back the values that hold"
    browser_says(widget, p=0.6)
    assert widget.error == "" and widget.p == 0.6
