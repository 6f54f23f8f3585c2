"""Chapter 13's checks against wrong answers that have no name: each is told what is expected."""

import math

import numpy as np
import pytest

from utils.exercises.ch13 import EXERCISES, SUMS, VERDICTS, paired

OWN = np.random.default_rng(5)


def factors(H, W, p, rng):
    return (rng.random((len(H), *W.shape)) >= p) / (1 - p)


def weights_dropped(H, W, p, rng):
    return np.einsum("bi,bio->bo", H, W * factors(H, W, p, rng))


def with_own_generator(H, W, p, rng):
    return weights_dropped(H, W, p, OWN)


def outputs_dropped(H, W, p, rng):
    """One coin per output: independent outputs, too large a variance."""
    return (H @ W) * (rng.random((len(H), W.shape[1])) >= p) / (1 - p)


def examples_dropped(H, W, p, rng):
    return (H @ W) * (rng.random((len(H), 1)) >= p) / (1 - p)


def never_zero(H, W, p, rng):
    return weights_dropped(H, W, max(p, 0.3), rng)


def kept_with_p(H, W, p, rng):
    """Kept with probability p, and divided by p: the right mean."""
    return weights_dropped(H, W, 1 - p, rng)


def half_wrong(H, W, p, rng):
    """Kept with probability p, but divided by 1 - p."""
    return weights_dropped(H, W, 1 - p, rng) * p / (1 - p)


def bell(h, p, rng):
    return h * rng.normal(1, math.sqrt(p / (1 - p)), h.shape)


def uniform(h, p, rng):
    return h * (1 + math.sqrt(3 * p / (1 - p)) * rng.uniform(-1, 1, h.shape))


def always_noisy(h, p, rng):
    return bell(h, max(p, 0.3), rng)


def levels(change):
    def three_level(p0, p1, p2):
        g = 1 / (p1 / 2 + p2)
        return change(g, g**2 * (p1 / 4 + p2) - 1)

    return three_level


def sums(variance_of_one, *variances):
    return variance_of_one, dict(zip(SUMS, variances, strict=True))


def plus_a_bit(H, W, p, rng):
    """Never an exact 0: another law in every weight, with the same mean and variance."""
    a = math.sqrt(p / (1 - p))
    return np.einsum("bi,bio->bo", H, W * (1 + a * rng.choice([-1, 1], (len(H), *W.shape))))


def weights_by_pairs(H, W, p, rng):
    """Two neighbouring examples share the coins of their weights."""
    coins = np.repeat(rng.random(((len(H) + 1) // 2, *W.shape)), 2, axis=0)[: len(H)]
    return np.einsum("bi,bio->bo", H, W * (coins >= p) / (1 - p))


def bell_by_pairs(h, p, rng):
    """Two neighbouring rows share their noise."""
    noise = bell(np.ones_like(h[::2]), p, rng)
    return h * np.repeat(noise, 2, axis=0)[: len(h)]


WRONG = [
    ("coins", (32, 32_000, 1_000), "example and unit"),
    ("coins", (3_200, 320, 1_000), "example and weight"),
    ("dropconnect", (lambda H, W, p, rng: (H @ W)[0],), "shape (4000, 3)"),
    ("dropconnect", (lambda *a: 2 * weights_dropped(*a),), "mean 1.00 times H @ W"),
    ("dropconnect", (examples_dropped,), "covariance 0 between two outputs"),
    ("dropconnect", (outputs_dropped,), "variance p/(1-p) sum W^2 h^2"),
    ("dropconnect", (never_zero,), "H @ W at p = 0"),
    ("dropconnect", (plus_a_bit,), "from a single weight"),
    ("dropconnect", (with_own_generator,), "the same output from the same state"),
    (
        "dropconnect",
        (lambda H, W, p, rng: weights_dropped(H, W, p, np.random.default_rng(0)),),
        "another mask from another state",
    ),
    ("dropconnect", (weights_by_pairs,), "a coin of its own for every weight"),
    ("sums", sums(20, 20, 0, 10, 10), "for one unit"),
    ("sums", sums(5, 25, 0, 10, 10), "z1 + z2, dropout"),
    ("sums", sums(5, 20, 5, 10, 10), "z1 - z2, dropout"),
    ("sums", sums(5, 20, 0, 5, 10), "z1 + z2, DropConnect"),
    ("sums", sums(5, 20, 0, 10, 0), "z1 - z2, DropConnect"),
    ("levels", (lambda *probs: 2,), "a tuple (g, variance, p_equal)"),
    ("levels", (levels(lambda g, v: (3, v, v / (1 + v))),), "a factor with mean 1"),
    ("levels", (levels(lambda g, v: (g, v + 1, v / (1 + v))),), "minus 1"),
    ("levels", (levels(lambda g, v: (g, v, v)),), "the p whose p/(1-p) is"),
    ("bell", (lambda h, p, rng: bell(h, p, rng)[0],), "shape (2000, 100)"),
    ("bell", (lambda h, p, rng: bell(h, p, rng) - 0.1,), "a mean factor of 1"),
    ("bell", (lambda h, p, rng: bell(h, 0.2, rng),), "the factor's variance p/(1-p)"),
    ("bell", (uniform,), "beyond two standard deviations"),
    ("bell", (lambda h, p, rng: bell(h, p, np.random.default_rng(0)),), "other noise from another"),
    ("bell", (bell_by_pairs,), "noise of its own for every unit"),
    ("bell", (always_noisy,), "the input itself at p = 0"),
    ("depth", (16, 20), "the sum over the blocks"),
    ("depth", (17.9, 54), "that a prediction uses"),
    ("tie", (lambda a, b: (a - b).mean(), VERDICTS), "a tuple (mean difference, standard error)"),
    ("tie", (lambda a, b: paired(b, a), VERDICTS), "noise minus binary"),
    ("tie", (lambda a, b: (*paired(a, b)[:1], 0.0), VERDICTS), "a standard error of"),
    ("tie", (paired, {**VERDICTS, "Gaussian": "good"}), '"better", "tie" or "worse"'),
    ("tie", (paired, {**VERDICTS, "three-level": "better"}), "within three standard errors"),
]


@pytest.mark.parametrize(("name", "answers", "expected"), WRONG)
def test_a_wrong_answer_is_told_what_is_expected(name, answers, expected):
    problem = EXERCISES[name].check(*answers)
    assert expected in problem.expected and problem.got and not problem.why


def test_weights_that_are_kept_with_probability_p_are_met_in_the_mean_and_in_the_variance():
    check = EXERCISES["dropconnect"].check
    for answer, clause in ((kept_with_p, "variance p/(1-p)"), (half_wrong, "mean 1.00")):
        problem = check(answer)
        assert clause in problem.expected and problem.why.startswith("p is the probability to DROP")
