"""Noise You Cannot Feel: clouds against theory, intervals against chapter 13, the browser's twin."""

import numpy as np
import pytest
from node import run_js
from scipy import stats as scipy_stats
from test_widget_core import browser_says, check_refused

from utils.measured import MATTERS, load_results
from utils.widgets import NoiseYouCannotFeel
from utils.widgets.noise_you_cannot_feel import (
    BASE,
    NOISES,
    TERMS,
    WHENS,
    differences,
    excess_kurtosis,
    factors,
    readers,
)
from utils.widgets.noise_you_cannot_feel_bank import ARMS

PS = [0.0, 0.1, 0.4, 0.5]
each_noise = pytest.mark.parametrize("noise", NOISES)


@each_noise
@pytest.mark.parametrize("p", [0.1, 0.4, 0.5])
def test_every_factor_has_mean_one_and_the_variance_of_dropout(noise, p):
    m = np.concatenate([factors(noise, p, 32, seed).ravel() for seed in range(20)])
    v, n = p / (1 - p), len(m)
    fourth = excess_kurtosis(noise, p) + 3  # E(m - 1)^4 / v^2
    assert abs(m.mean() - 1) < 5 * np.sqrt(v / n)
    assert abs(((m - 1) ** 2).mean() - v) <= 5 * v * np.sqrt((fourth - 1) / n) + 1e-12


def test_each_noise_takes_the_values_that_it_should():
    p = 0.4
    assert set(factors("binary", p, 8, 0).ravel()) == {0, 1 / 0.6}
    assert set(factors("three-level", p, 8, 0).ravel()) == {0, 1, 2}
    assert factors("DropConnect", p, 8, 0).shape == (500, 8, 2)
    share = (factors("Gaussian", p, 32, 0) < 0).mean()
    below = scipy_stats.norm.cdf(-1 / np.sqrt(2 / 3))
    assert abs(share - below) < 5 * np.sqrt(below * (1 - below) / 16_000)


@each_noise
@pytest.mark.parametrize("p", [0.1, 0.4, 0.5])
def test_kurtosis_is_that_of_the_values_and_their_shares(noise, p):
    v = p / (1 - p)
    laws = {"three-level": {0: v / 2, 1: 1 - v, 2: v / 2}}
    law = laws.get(noise, {0: p, 1 / (1 - p): 1 - p})
    expected = 0 if noise == "Gaussian" else sum(w * (m - 1) ** 4 for m, w in law.items()) / v**2 - 3
    assert excess_kurtosis(noise, p) == pytest.approx(expected)


@each_noise
@pytest.mark.parametrize("terms", TERMS)
def test_the_clouds_agree_with_theory_within_five_standard_errors(noise, terms):
    widget = NoiseYouCannotFeel(p=0.4, terms=terms)
    clouds = []
    for seed in range(20):
        widget.seed = seed
        clouds.append(widget.cloud(noise))
    z = np.concatenate(clouds)
    variance, correlation, kurtosis = widget.theory(noise)
    for products, theory in (
        (z[:, 0] ** 2, variance),
        (z[:, 1] ** 2, variance),
        (z.prod(axis=1), correlation * variance),
    ):
        error = products.std() / np.sqrt(len(products))
        assert abs(products.mean() - theory) < 5 * error + 1e-12
    y = z[:, 0] ** 2 / (z[:, 0] ** 2).mean()
    error = (y**2 - 2 * (3 + kurtosis) * y).std() / np.sqrt(len(y))
    assert abs((y**2).mean() - 3 - kurtosis) < 5 * error + 1e-9


def test_noise_on_units_ties_two_readers_and_noise_on_weights_does_not():
    stats = NoiseYouCannotFeel(p=0.4, terms=32).stats()
    shared = {name: stats[f"{name}_correlation"] for name in NOISES if name != "DropConnect"}
    theory = float(NoiseYouCannotFeel().scaled_readers().prod(axis=1).sum())
    # Of 500 draws of nearly normal pairs: (1 - rho^2) / sqrt(n), and a fifth of it for what is not normal.
    assert all(abs(rho - theory) < 6 * (1 - theory**2) / np.sqrt(500) for rho in shared.values())
    assert abs(stats["DropConnect_correlation"]) < 6 / np.sqrt(500) < theory
    one = NoiseYouCannotFeel(p=0.4, terms=1).stats()
    assert abs(one["binary_correlation"]) == pytest.approx(1)


@pytest.mark.parametrize(("when", "row"), list(zip(WHENS, ("end", "stopped"), strict=True)))
def test_what_the_nets_felt_is_what_the_chapter_has_stored(when, row):
    runs = load_results("13_relatives")["runs"]

    def nll(arm):
        curves = np.array(runs[arm]["nll"])
        if row == "end":
            return curves[-5:].mean(axis=0)
        return [
            draw[np.argmin(loss)]
            for draw, loss in zip(curves.T, np.transpose(runs[arm]["val_loss"]), strict=True)
        ]

    stats = NoiseYouCannotFeel(when=when).stats()
    for name, arm in ARMS.items():
        gaps = np.subtract(nll(arm), nll("binary"))
        test = scipy_stats.ttest_1samp(gaps, 0).confidence_interval(0.95)
        got = [stats[f"{name}_nll{end}"] for end in ("", "_low", "_high")]
        assert got == pytest.approx([gaps.mean(), test.low, test.high])
        assert differences(when)[name].n == len(gaps)


def test_the_answer_is_the_nets_whose_interval_lies_beyond_what_matters():
    widget, matters = NoiseYouCannotFeel(), MATTERS["nll"]
    stats = widget.stats()
    beyond = [
        name for name in ARMS
        if stats[f"{name}_nll_low"] > matters or stats[f"{name}_nll_high"] < -matters
    ]  # fmt: skip
    assert set(widget.truth.split(" and ")) == set(beyond)
    assert all(stats[f"{name}_the_same"] == "does not hold" for name in beyond)
    assert len(widget.takes["options"]) == 2 ** len(ARMS) and BASE not in widget.takes["options"]


@pytest.mark.parametrize(
    ("low", "high", "answer"),
    [
        (0.02, 0.03, "all three"),
        (-0.03, -0.02, "all three"),
        (-0.02, 0.03, "none of them"),
        (0.005, 0.03, "none of them"),
    ],
)
def test_other_results_would_have_another_answer(monkeypatch, low, high, answer):
    from utils.measured import Difference
    from utils.widgets import noise_you_cannot_feel as module

    found = Difference((low + high) / 2, low, high, 10)
    monkeypatch.setattr(module, "differences", lambda when: dict.fromkeys(ARMS, found))
    assert NoiseYouCannotFeel().truth == answer


@each_noise
def test_python_and_javascript_agree(noise):
    states = [(p, terms, seed) for p in PS for terms in (1, 8, 32) for seed in (0, 7)]
    got = run_js(
        "noise_you_cannot_feel",
        """states.map(([p, terms, seed]) => {
          const rows = m.scaledReaders(readers, terms);
          const z = m.cloud(noise, p, m.raw(noise, terms, seed), rows);
          return [z.map((a) => [...a]), m.theory(noise, p, rows), m.correlation(z)];
        })""",
        states=states, noise=noise, readers=readers().tolist(),
    )  # fmt: skip
    for (p, terms, seed), (cloud, theory, correlation) in zip(states, got, strict=True):
        widget = NoiseYouCannotFeel(p=p, terms=terms, seed=seed)
        assert np.allclose(np.transpose(cloud), widget.cloud(noise), rtol=1e-9, atol=1e-12)
        assert theory == pytest.approx(widget.theory(noise), rel=1e-9, abs=1e-12)
        drawn = widget.stats()[f"{noise}_correlation"]
        assert (correlation is None and np.isnan(drawn)) or correlation == pytest.approx(drawn, rel=1e-9)


def test_the_poster_and_the_text_say_what_is_on_show():
    widget = NoiseYouCannotFeel(when="stopped early", covered=False)
    data, metadata = widget._repr_mimebundle_()
    assert data["text/plain"].startswith("[slider] NoiseYouCannotFeel: p 0.4, terms 32, when stopped early, ")
    for name, found in differences("stopped early").items():
        assert f"{name} {found}" in metadata["image/png"]["alt"]
    assert eval(widget.code(), {"NoiseYouCannotFeel": NoiseYouCannotFeel}).state() == widget.state()


def test_a_move_in_the_browser_changes_the_python_side():
    widget = NoiseYouCannotFeel()
    before = widget.stats()
    browser_says(widget, p=0.2, when="stopped early", terms=4)
    after = widget.stats()
    assert (
        after["variance"] == pytest.approx(0.25)
        and after["binary_correlation"] != before["binary_correlation"]
    )
    assert after["DropConnect_nll"] < before["DropConnect_nll"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"p": -0.1}, r"p must be in \[0, 1\], got -0.1"),
        ({"p": 0.6}, r"p must be in \[0, 0.5\], got 0.6"),
        ({"terms": 3}, r"terms must be one of \[1, 2, 4, 8, 16, 32\], got 3"),
        ({"when": "now"}, "when must be one of end of training, stopped early, got 'now'"),
        ({"seed": 1.5}, "seed must be a whole number"),
    ],
)
def test_bad_values_get_one_sentence_and_change_nothing(arguments, message):
    check_refused(NoiseYouCannotFeel(), arguments, message)
