"""Answers to chapter 02's exercises: (exercise, answers, the Belief or the clause that the check says)."""

import numpy as np

from utils import scratch
from utils.exercises import beliefs
from utils.exercises.ch02 import epochs_needed


def bare(x, drop_prob, rng):
    return x * (rng.random(x.shape) >= drop_prob)


def swapped(x, drop_prob, rng):
    return x * (rng.random(x.shape) < drop_prob)


def shrink(x, drop_prob, rng):
    return x[:, rng.random(x.shape[1]) >= drop_prob]


def times_q(x, drop_prob):
    return x * (1 - drop_prob)


def looks_at_the_mean(dropout):
    output = dropout(np.ones((500, 50)), 0.3, np.random.default_rng(0))
    return bool(abs(output.mean() - 1) < 0.2)


def compares_rows(dropout):
    output = dropout(np.ones((50, 20)), 0.5, np.random.default_rng(0))
    return bool((output != output[0]).any())


def compares_two_small_rows(dropout):
    output = dropout(np.ones((2, 2)), 0.5, np.random.default_rng(4))
    return bool((output[0] != output[1]).any())


def wants_half(dropout):
    """Too strict: a layer that does not rescale is told that its examples share their mask."""
    return compares_rows(dropout) and looks_at_the_mean(dropout)


def steady(x, drop_prob, rng):
    keep = rng.random(x.shape) >= drop_prob
    return x * keep / max(keep.mean(), 1e-9)


def as_given(x, drop_prob, rng):
    keep = rng.random(x.shape) >= drop_prob
    with np.errstate(all="ignore"):
        return x * keep / keep.mean()


def half_steady(x, drop_prob, rng):
    """Neither the one nor the other."""
    keep = rng.random(x.shape) >= drop_prob
    return x * keep / (0.5 * max(keep.mean(), 0.1) + 0.5 * (1 - drop_prob))


WRONG = [
    ("count", (30, 4.58), beliefs.KEEP_02),
    ("count", (70, 0), beliefs.EXACT),
    ("count", (71, 4.58), "n times the probability to keep"),
    ("count", (70, 21), "sqrt(n p (1-p))"),
    ("moments", (3, 27, 0.75), beliefs.KEEP_02),
    ("moments", (2.25, 1.6875, 0.25), beliefs.NO_RESCALING),
    ("moments", (3, 3, 0.5), "the probability to drop"),
    ("moments", (4, 3, 0.25), "p times 0 plus"),
    ("moments", (3, 1, 0.25), "h^2 p / (1-p)"),
    ("recipe", (shrink, times_q), beliefs.REMOVES),
    ("recipe", (scratch.dropout, times_q), beliefs.TWICE),
    ("recipe", (scratch.dropout, lambda x, p: x), "the classical recipe does not divide"),
    ("recipe", (swapped, times_q), beliefs.KEEP_02),
    ("recipe", (bare, lambda x, p: x), beliefs.NO_RESCALING),
    ("recipe", (bare, lambda x, p: x * p), beliefs.KEEP_02),
    ("recipe", (lambda x, p, rng: bare(x, 0.5, rng), times_q), "a share 0.7"),
    ("recipe", (bare, lambda x, p: x / (1 - p)), "0.70 times the input at prediction"),
    ("apart", (looks_at_the_mean,), beliefs.MEAN_ENOUGH),
    ("apart", (lambda dropout: False,), "True for a dropout whose examples"),
    ("apart", (compares_two_small_rows,), "True for a dropout whose examples"),
    ("apart", (wants_half,), "True for a dropout whose examples"),
    ("apart", (lambda dropout: 0,), "False for a dropout with one mask"),
    ("steady", (steady,), beliefs.STEADY),
    ("steady", (as_given,), "numbers, also where nothing was kept"),
    ("steady", (half_steady,), "0 or x / (1 - p)"),
    ("speed", (epochs_needed, "with dropout"), beliefs.FASTER),
    ("speed", (epochs_needed, "dropout"), '"with dropout" or "without dropout"'),
    ("speed", (lambda p: 1, "without dropout"), "about"),
]
RIGHT = [("apart", (compares_rows,)), ("recipe", (bare, times_q)), ("steady", (scratch.dropout,))]
