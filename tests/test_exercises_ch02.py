"""Chapter 02's checks against wrong answers that have no name: each is told what is expected."""

import numpy as np
import pytest

from utils import scratch
from utils.exercises.ch02 import EXERCISES, epochs_needed


def mask(change):
    """keep_mask with its result changed."""
    return lambda shape, p, rng: change(rng.random(shape) >= p)


def clumped(shape, p, rng):
    """Neighbours share a coin: the right share, but too large a variance of the count."""
    return np.repeat(rng.random((shape[0], shape[1] // 5)) >= p, 5, axis=1)


OWN = np.random.default_rng(5)


def from_own_generator(shape, p, rng):
    return OWN.random(shape) >= p


def same_for_a_shape(shape, p, rng):
    seed = shape[0] if shape != (10, 10) else None
    return np.random.default_rng(seed).random(shape) >= p


def never_one(shape, p, rng):
    return rng.random(shape) >= min(p, 0.9)


def in_place(grad_output, factor):
    grad_output *= factor
    return grad_output


def normalised(x, p, rng):
    keep = rng.random(x.shape) >= p
    return x * keep / max(keep.mean(), 0.01)


WRONG = [
    ("count", (71, 4.58), "n times the probability to keep"),
    ("count", (70, 21), "sqrt(n p (1-p))"),
    ("mask", (mask(lambda keep: keep[:, 1:]),), "an array of shape"),
    ("mask", (mask(lambda keep: keep / 0.7),), "an array of True"),
    ("mask", (lambda shape, p, rng: rng.random(shape) >= 0.5,), "a share 1-p"),
    ("mask", (clumped,), "independent coins"),
    ("mask", (from_own_generator,), "the same mask from the same state of rng"),
    ("mask", (same_for_a_shape,), "a new mask from every call"),
    ("mask", (never_one,), "a share 0 kept at p = 1"),
    ("layer", (lambda x, p, rng: x, lambda x, p: x), "a pair (output, factor)"),
    ("layer", (lambda x, p, rng: (2 * x, 2), lambda x, p: x), "a mean output of 1.00"),
    ("layer", (scratch.dropout_with_factor, lambda x, p: 2 * x), "the plain input"),
    ("layer", (lambda x, p, rng: (normalised(x, p, rng), 1), lambda x, p: x), "0 or x / (1 - p)"),
    ("moments", (3, 3, 0.5), "the probability to drop"),
    ("moments", (4, 3, 0.25), "p times 0 plus"),
    ("moments", (3, 1, 0.25), "h^2 p / (1-p)"),
    ("backward", (lambda grad, factor: grad[0],), "a gradient of shape"),
    ("backward", (in_place,), "to stay as it was"),
    ("backward", (lambda grad, factor: grad * factor**2,), "grad_output times 1.43"),
    ("bug", (normalised,), "0 or x / (1 - p)"),
    ("speed", (epochs_needed, "dropout"), '"with dropout" or "without dropout"'),
    ("speed", (lambda p: 1, "without dropout"), "about"),
]


@pytest.mark.parametrize(("name", "answers", "expected"), WRONG)
def test_a_wrong_answer_is_told_what_is_expected(name, answers, expected):
    problem = EXERCISES[name].check(*answers)
    assert expected in problem.expected and problem.got and not problem.why
