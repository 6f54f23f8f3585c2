"""Answers to chapter 13's exercises: (exercise, answers, the Belief or the clause that the check says)."""

import math

import numpy as np

from utils.exercises import beliefs
from utils.exercises.ch13 import SUMS, late_nll, verdict_on
from utils.measured import difference


def connect(coins=lambda b, i, o: (b, i, o), factor=lambda keep, p: keep / (1 - p)):
    """dropconnect that throws coins of shape coins(examples, inputs, outputs)."""

    def dropconnect(H, W, p, rng):
        keep = rng.random(coins(len(H), *W.shape)) >= p
        return np.einsum("bi,bio->bo", H, W * factor(keep, p))

    return dropconnect


dropconnect = connect()
OWN = np.random.default_rng(5)


def forget_weights(H, W, p, rng):
    W *= (rng.random(W.shape) >= p) / (1 - p)
    return H @ W


def bell_connect(H, W, p, rng):
    Z = H @ W
    return Z + np.sqrt(p / (1 - p) * H**2 @ W**2) * rng.standard_normal(Z.shape)


def outputs_dropped(H, W, p, rng):
    """One coin per output: independent outputs, too large a variance."""
    return (H @ W) * (rng.random((len(H), W.shape[1])) >= p) / (1 - p)


def examples_dropped(H, W, p, rng):
    return (H @ W) * (rng.random((len(H), 1)) >= p) / (1 - p)


def kept_with_p(H, W, p, rng):
    """Kept with probability p, and divided by p: the right mean."""
    return dropconnect(H, W, 1 - p, rng)


def half_wrong(H, W, p, rng):
    """Kept with probability p, but divided by 1 - p."""
    return dropconnect(H, W, 1 - p, rng) * p / (1 - p)


def plus_a_bit(H, W, p, rng):
    """Never an exact 0: another law in every weight, with the same mean and variance."""
    a = math.sqrt(p / (1 - p))
    return np.einsum("bi,bio->bo", H, W * (1 + a * rng.choice([-1, 1], (len(H), *W.shape))))


def weights_by_pairs(H, W, p, rng):
    """Two neighbouring examples share the coins of their weights."""
    coins = np.repeat(rng.random(((len(H) + 1) // 2, *W.shape)), 2, axis=0)[: len(H)]
    return np.einsum("bi,bio->bo", H, W * (coins >= p) / (1 - p))


def sums(variance_of_one, *variances):
    return variance_of_one, dict(zip(SUMS, variances, strict=True))


def levels(change, g=None):
    """three_level with change(g, variance), at another g if one is given."""

    def three_level(p0, p1, p2):
        right = g or 1 / (p1 / 2 + p2)
        return change(right, right**2 * (p1 / 4 + p2) - 1)

    return three_level


def of_variance(g, variance):
    return g, variance, variance / (1 + variance)


def share_of_zeros(p0, p1, p2):
    return *levels(of_variance)(p0, p1, p2)[:2], p0


def bell(h, p, rng):
    return h * rng.normal(1, math.sqrt(p / (1 - p)), h.shape)


def noise(make):
    """Gaussian dropout that makes of (h, v, normal numbers, coins) something else."""
    return lambda h, p, rng: make(h, p / (1 - p), rng.standard_normal(h.shape), rng.random(h.shape))


def uniform(h, p, rng):
    return h * (1 + math.sqrt(3 * p / (1 - p)) * rng.uniform(-1, 1, h.shape))


def bell_by_pairs(h, p, rng):
    """Two neighbouring rows share their noise."""
    return h * np.repeat(bell(np.ones_like(h[::2]), p, rng), 2, axis=0)[: len(h)]


def compare(a, b):
    return difference(a, b)[:3]


def interval(error):
    """compare with another standard error of the mean."""

    def compare(a, b):
        half = difference(a, b).high - difference(a, b).mean
        half *= error(a, b) / ((a - b).std(ddof=1) / math.sqrt(len(a)))
        return (a - b).mean(), (a - b).mean() - half, (a - b).mean() + half

    return compare


def unpaired(a, b):
    return math.sqrt((a.var(ddof=1) + b.var(ddof=1)) / len(a))


NLL = late_nll()
VERDICTS = {
    kind: verdict_on(*difference(NLL[kind], NLL["binary"])[1:3])
    for kind in ("Gaussian", "three-level", "DropConnect")
}

RIGHT = [
    ("dropconnect", (dropconnect,)),
    ("levels", (levels(of_variance),)),
    ("bell", (bell,)),
    ("tie", (compare, VERDICTS)),
]
WRONG = [
    ("coins", (32_000, 32_000, 1_000), beliefs.REMOVES_WEIGHTS),
    ("coins", (3_200, 32_000, 700), beliefs.REMOVES_WEIGHTS),
    ("coins", (100, 1_000, 1_000), beliefs.ONE_MASK_13),
    ("coins", (3_200, 1_000, 1_000), beliefs.ONE_MASK_13),
    ("coins", (3_200, 3_200, 1_000), beliefs.DROPOUT_RENAMED),
    ("coins", (32, 32_000, 1_000), "example and unit"),
    ("coins", (3_200, 320, 1_000), "example and weight"),
    ("dropconnect", (forget_weights,), beliefs.REMOVES_WEIGHTS),
    ("dropconnect", (connect(lambda b, i, o: (1, i, o)),), beliefs.ONE_MASK_13),
    ("dropconnect", (bell_connect,), beliefs.BELL_CURVE),
    ("dropconnect", (connect(lambda b, i, o: (b, i, 1)),), beliefs.DROPOUT_RENAMED),
    ("dropconnect", (connect(factor=lambda keep, p: keep),), beliefs.NO_RESCALING_13),
    ("dropconnect", (kept_with_p,), beliefs.KEEP_13),
    ("dropconnect", (half_wrong,), beliefs.KEEP_13),
    ("dropconnect", (lambda H, W, p, rng: (H @ W)[0],), "shape (4000, 3)"),
    ("dropconnect", (lambda *task: 2 * dropconnect(*task),), "mean 1.00 times H @ W"),
    ("dropconnect", (examples_dropped,), "covariance 0 between two outputs"),
    ("dropconnect", (outputs_dropped,), "variance p/(1-p) sum W^2 h^2"),
    ("dropconnect", (lambda H, W, p, rng: dropconnect(H, W, max(p, 0.3), rng),), "H @ W at p = 0"),
    ("dropconnect", (plus_a_bit,), "from a single weight"),
    ("dropconnect", (lambda H, W, p, rng: dropconnect(H, W, p, OWN),), "the same output from the same state"),
    (
        "dropconnect",
        (lambda H, W, p, rng: dropconnect(H, W, p, np.random.default_rng(0)),),
        "another mask from another state",
    ),
    ("dropconnect", (weights_by_pairs,), "a coin of its own for every weight"),
    ("sums", sums(5, 20, 0, 20, 0), beliefs.DROPOUT_RENAMED),
    ("sums", sums(3.2, 12.8, 0, 6.4, 6.4), beliefs.NO_RESCALING_13),
    ("sums", sums(80, 320, 0, 160, 160), beliefs.KEEP_13),
    ("sums", sums(5, 10, 10, 10, 10), beliefs.EQUAL_VARIANCE),
    ("sums", sums(20, 20, 0, 10, 10), "for one unit"),
    ("sums", sums(5, 25, 0, 10, 10), "z1 + z2, dropout"),
    ("sums", sums(5, 20, 5, 10, 10), "z1 - z2, dropout"),
    ("sums", sums(5, 20, 0, 5, 10), "z1 + z2, DropConnect"),
    ("sums", sums(5, 20, 0, 10, 0), "z1 - z2, DropConnect"),
    ("levels", (levels(of_variance, g=1),), beliefs.NO_RESCALING_13),
    ("levels", (levels(of_variance, g=2),), beliefs.ALWAYS_TWO),
    ("levels", (share_of_zeros,), beliefs.SHARE_OF_ZEROS),
    ("levels", (lambda *probs: 2,), "a tuple (g, variance, p_equal)"),
    ("levels", (levels(lambda g, v: (3, v, v / (1 + v))),), "a factor with mean 1"),
    ("levels", (levels(lambda g, v: (g, v + 1, v / (1 + v))),), "minus 1"),
    ("levels", (levels(lambda g, v: (g, v, v)),), "the p whose p/(1-p) is"),
    ("bell", (lambda h, p, rng: h * bell(np.ones(h.shape[1:]), p, rng),), beliefs.ONE_MASK_13),
    ("bell", (noise(lambda h, v, z, u: h * (1 + z / v**0.5)),), beliefs.KEEP_13),
    ("bell", (noise(lambda h, v, z, u: h * (1 + v * z)),), beliefs.VARIANCE_AS_STD),
    ("bell", (noise(lambda h, v, z, u: h * np.maximum(1 + v**0.5 * z, 0)),), beliefs.NO_NEGATIVE),
    ("bell", (noise(lambda h, v, z, u: h * (u < 1 / (1 + v)) * (1 + v)),), beliefs.SWITCHES_OFF),
    ("bell", (noise(lambda h, v, z, u: h + v**0.5 * z),), beliefs.NOISE_ADDED),
    ("bell", (lambda h, p, rng: bell(h, p, rng)[0],), "shape (2000, 100)"),
    ("bell", (lambda h, p, rng: bell(h, p, rng) - 0.1,), "a mean factor of 1"),
    ("bell", (lambda h, p, rng: bell(h, 0.2, rng),), "the factor's variance p/(1-p)"),
    ("bell", (uniform,), "beyond two standard deviations"),
    ("bell", (lambda h, p, rng: bell(h, p, np.random.default_rng(0)),), "other noise from another"),
    ("bell", (bell_by_pairs,), "noise of its own for every unit"),
    ("bell", (lambda h, p, rng: bell(h, max(p, 0.3), rng),), "the input itself at p = 0"),
    ("depth", (11.6, 20), beliefs.SURVIVAL),
    ("depth", (17.9, 17.9), beliefs.SHALLOW),
    ("depth", (16, 20), "the sum over the blocks"),
    ("depth", (17.9, 54), "that a prediction uses"),
    ("tie", (compare, {**VERDICTS, "DropConnect": "the same"}), beliefs.EQUAL_VARIANCE),
    ("tie", (interval(unpaired), VERDICTS), beliefs.UNPAIRED_13),
    ("tie", (interval(lambda a, b: (a - b).std(ddof=1)), VERDICTS), beliefs.SCATTER),
    ("tie", (compare, dict.fromkeys(VERDICTS, "different")), beliefs.SMALLER),
    ("tie", (lambda a, b: (a - b).mean(), VERDICTS), "a tuple (mean difference, low, high)"),
    ("tie", (lambda a, b: compare(b, a), VERDICTS), "noise minus binary"),
    ("tie", (interval(lambda a, b: 0.0), VERDICTS), "a 95 % interval"),
    ("tie", (compare, {**VERDICTS, "Gaussian": "good"}), '"cannot tell"'),
]
