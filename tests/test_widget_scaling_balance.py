"""Scaling Balance: mean and variance against theory, in Python and in JavaScript."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from node import run_js
from test_widget_core import browser_says, check_refused

from utils import plotting
from utils.widgets import ScalingBalance
from utils.widgets.core import keep_mask, uniform
from utils.widgets.scaling_balance import MODES, NUM_BINS, SCALINGS, load_activations

PS = [0.0, 0.1, 0.25, 0.5, 0.8, 0.9, 0.99, 1.0]
SEEDS = [0, 1, 2**31 - 1]


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("p", [0.1, 0.5, 0.8, 0.9])
def test_one_draw_agrees_with_theory_within_five_standard_errors(p, scaling):
    for seed in range(20):
        stats = ScalingBalance(p=p, scaling=scaling, seed=seed).stats()
        for name in ("mean", "variance", "pre_activation"):
            assert abs(stats[name] - stats[f"{name}_theory"]) < 5 * stats[f"{name}_error"], (seed, name)


def test_the_mean_over_many_draws_agrees_with_theory_and_the_spread_with_the_standard_error():
    widget, n = ScalingBalance(p=0.6), 500
    measured = []
    for seed in range(n):
        widget.seed = seed
        measured.append(widget.measured())
    errors = np.array(widget.standard_errors())
    expected = np.array(widget.theory())
    expected[1] -= errors[0] ** 2  # the variance about the sample's own mean, divided by n
    assert np.all(np.abs(np.mean(measured, axis=0) - expected) < 5 * errors / np.sqrt(n))
    # The standard deviation of n nearly normal numbers is uncertain by 1 / sqrt(2 n) of itself.
    assert np.all(np.abs(np.std(measured, axis=0) / errors - 1) < 5 / np.sqrt(2 * n))


@pytest.mark.parametrize("p", [0.0, 0.2, 0.5, 0.9])
def test_theory_is_the_law_of_total_variance(p):
    hidden, q = load_activations()["hidden"], 1 - p
    mean, variance, _ = ScalingBalance(p=p).theory("train")
    assert mean == pytest.approx(hidden.mean())
    assert variance == pytest.approx(hidden.var() / q + hidden.mean() ** 2 * p / q)
    assert variance - hidden.var() == pytest.approx(p / q * (hidden**2).mean())


@pytest.mark.parametrize("p", [0.0, 0.2, 0.5, 0.9])
def test_scaling_balances_and_its_absence_shifts_eval_by_one_over_q(p):
    assert ScalingBalance(p=p, scaling="inverted").stats()["eval_over_train"] == pytest.approx(1)
    assert ScalingBalance(p=p, scaling="at test").stats()["eval_over_train"] == pytest.approx(1)
    bug = ScalingBalance(p=p, scaling="none")
    assert bug.stats()["eval_over_train"] == pytest.approx(1 / (1 - p))
    assert bug.theory("eval")[0] / bug.theory("train")[0] == pytest.approx(1 / (1 - p))


def test_the_classical_values_are_the_inverted_ones_times_q_in_both_modes():
    inverted, classical = ScalingBalance(p=0.3, scaling="inverted"), ScalingBalance(p=0.3, scaling="at test")
    for mode in MODES:
        np.testing.assert_allclose(classical.received(mode), 0.7 * inverted.received(mode), rtol=1e-12)


def test_opened_without_scaling_it_asks_which_mode_receives_more():
    widget, inverted = ScalingBalance(scaling="none"), ScalingBalance()
    means = [np.mean([ScalingBalance(scaling="none", seed=s).measured("train")[0] for s in range(40)]),
             widget.measured("eval")[0]]  # fmt: skip
    assert widget.truth == "more in evaluation" and means[1] > 1.5 * means[0]
    assert f"{means[1]:.2f} in evaluation" in widget.because
    assert "variance" in inverted.question and "variance" not in widget.question


def test_evaluation_is_exact_and_needs_no_draw():
    for scaling in SCALINGS:
        stats = ScalingBalance(p=0.4, scaling=scaling, mode="eval").stats()
        for name in ("mean", "variance", "pre_activation"):
            assert stats[name] == pytest.approx(stats[f"{name}_theory"]) and stats[f"{name}_error"] == 0


def test_dropping_everything_leaves_the_bias_alone():
    for scaling in SCALINGS:
        stats = ScalingBalance(p=1.0, scaling=scaling).stats()
        assert stats["mean"] == stats["mean_theory"] == stats["variance"] == stats["variance_theory"] == 0
        assert stats["pre_activation"] == pytest.approx(load_activations()["bias"].mean())
        assert np.isnan(stats["eval_over_train"])


@pytest.mark.parametrize("scaling", SCALINGS)
def test_python_and_javascript_agree(scaling):
    widget = ScalingBalance()
    states = [{"p": p, "scaling": scaling, "seed": seed} for p in PS for seed in SEEDS]
    got = run_js(
        "scaling_balance",
        "states.map((s) => modes.map((mode) => ({...m.balance(hidden, readers, bias, s, mode),"
        " kept: m.received(hidden.map(() => 1), s, mode).map((v) => (v > 0 ? 1 : 0)).join('')})))",
        states=states,
        modes=MODES,
        hidden=np.frombuffer(widget.hidden, np.float32).tolist(),
        readers=np.frombuffer(widget.readers, np.float32).tolist(),
        bias=widget.bias,
    )
    for state, per_mode in zip(states, got, strict=True):
        widget = ScalingBalance(**state)
        for mode, numbers in zip(MODES, per_mode, strict=True):
            assert numbers["measured"] == pytest.approx(widget.measured(mode), rel=1e-9, abs=1e-12)
            assert numbers["theory"] == pytest.approx(widget.theory(mode), rel=1e-9, abs=1e-12)
            assert numbers["errors"] == pytest.approx(widget.standard_errors(mode), rel=1e-9, abs=1e-12)
        mask = keep_mask(uniform(state["seed"], 2048), state["p"])
        assert per_mode[0]["kept"] == "".join(mask.astype(int).astype(str))


def test_an_axis_ends_at_a_round_number_that_holds_every_value():
    ends = run_js("plot", "[0, 0.55, 1, 1.01, 4.9, 5.2, 11, 107].map(m.niceEnd)")
    assert ends == [1, 1, 1, 2, 5, 10, 20, 200]


def test_the_beam_is_level_where_the_means_agree_and_the_heavier_side_sinks():
    level, evaluation, training, nothing, both = run_js(
        "scaling_balance", "[[1, 1], [1, 1.2], [1.2, 1], [0, 1], [0, 0]].map((means) => m.tilt(...means))"
    )
    assert level == both == 0 and nothing == 20
    assert 0 < evaluation < nothing and evaluation == pytest.approx(-training)


def test_the_histogram_shows_both_modes_in_the_styles_of_the_browser():
    bars = ScalingBalance(p=0.5, scaling="none").figure().axes[0].patches
    up, down = bars[:NUM_BINS], bars[NUM_BINS:]
    assert len(down) == NUM_BINS
    for mode, drawn, sign in (("train", up, 1), ("eval", down, -1)):
        values = ScalingBalance(p=0.5, scaling="none").received(mode)
        assert sum(bar.get_height() for bar in drawn) == pytest.approx(sign * 100 * (values > 0).mean())
        assert {to_hex(bar.get_facecolor()).upper() for bar in drawn} == {
            plotting.series_style(mode)["color"]
        }


def test_the_poster_and_the_text_say_what_is_on_show():
    widget = ScalingBalance(p=0.5, scaling="none", mode="eval", seed=3, covered=False)
    data, metadata = widget._repr_mimebundle_()
    assert data["text/plain"].startswith(
        "[slider] ScalingBalance: p 0.5, scaling none, mode eval, seed 3, mean "
    )
    mean, variance, _ = widget.theory("train")
    assert f"mean {mean:.2f}, variance {variance:.2f} in train" in metadata["image/png"]["alt"]
    assert len(data["image/png"]) > 1000
    assert eval(widget.code(), {"ScalingBalance": ScalingBalance}).state() == widget.state()


def test_a_move_in_the_browser_changes_the_python_side():
    widget = ScalingBalance(p=0.5)
    browser_says(widget, p=0.7, scaling="none")
    hidden, mask = load_activations()["hidden"], keep_mask(uniform(widget.seed, 2048), 0.7)
    assert widget.stats()["mean"] == pytest.approx((hidden.ravel() * mask).mean())
    browser_says(widget, mode="eval")
    assert widget.stats()["mean"] == pytest.approx(hidden.mean())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"p": 1.2}, r"p must be in \[0, 1\], got 1.2"),
        ({"p": float("nan")}, r"p must be in \[0, 1\], got nan"),
        ({"scaling": "raw"}, "scaling must be one of inverted, at test, none, got 'raw'"),
        ({"mode": "test"}, "mode must be one of train, eval, got 'test'"),
        ({"seed": -1}, r"seed must be a whole number in \[0, 2147483647\], got -1"),
    ],
)
def test_bad_values_get_one_sentence_and_change_nothing(arguments, message):
    check_refused(ScalingBalance(), arguments, message)
