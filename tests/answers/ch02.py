"""Answers to chapter 02's exercises: (exercise, answers, the Belief or the clause that the check says)."""

import math

import numpy as np

from utils.exercises import beliefs
from utils.exercises.ch02 import epochs_needed
from utils.scratch import dropout_with_factor


def mask(change):
    """keep_mask with its result changed."""
    return lambda shape, p, rng: change(rng.random(shape) >= p)


def one_mask(shape, p, rng):
    return np.broadcast_to(rng.random(shape[1:]) >= p, shape)


def exact_mask(shape, drop_prob, rng):
    size = math.prod(shape)
    return (rng.permutation(size) >= round(drop_prob * size)).reshape(shape)


def clumped(shape, p, rng):
    """Neighbours share a coin: the right share, but too large a variance of the count."""
    return np.repeat(rng.random((shape[0], shape[1] // 5)) >= p, 5, axis=1)


OWN = np.random.default_rng(5)


def from_own_generator(shape, p, rng):
    return OWN.random(shape) >= p


def same_for_a_shape(shape, p, rng):
    seed = shape[0] if shape != (10, 10) else None
    return np.random.default_rng(seed).random(shape) >= p


def forward(make_factor):
    def run(x, drop_prob, rng):
        factor = make_factor(x, drop_prob, rng)
        return x * factor, factor

    return run


def shrink(x, drop_prob, rng):
    keep = rng.random(x.shape[1]) >= drop_prob
    return x[:, keep] / (1 - drop_prob), keep


def plain(x, drop_prob):
    return x


def normalised(x, p, rng):
    keep = rng.random(x.shape) >= p
    return x * keep / max(keep.mean(), 0.01)


def in_place(grad_output, factor):
    grad_output *= factor
    return grad_output


WRONG = [
    ("count", (30, 4.58), beliefs.KEEP_02),
    ("count", (70, 0), beliefs.EXACT),
    ("count", (71, 4.58), "n times the probability to keep"),
    ("count", (70, 21), "sqrt(n p (1-p))"),
    ("mask", (mask(lambda keep: ~keep),), beliefs.KEEP_02),
    ("mask", (exact_mask,), beliefs.EXACT),
    ("mask", (one_mask,), beliefs.ONE_MASK_02),
    ("mask", (mask(lambda keep: keep[:, 1:]),), "an array of shape"),
    ("mask", (mask(lambda keep: keep / 0.7),), "an array of True"),
    ("mask", (lambda shape, p, rng: rng.random(shape) >= 0.5,), "a share 0.7"),
    ("mask", (clumped,), "independent coins"),
    ("mask", (from_own_generator,), "the same mask from the same state of rng"),
    ("mask", (same_for_a_shape,), "a new mask from every call"),
    ("mask", (lambda shape, p, rng: rng.random(shape) >= min(p, 0.9),), "a share 0 kept at p = 1"),
    ("layer", (forward(lambda x, p, rng: rng.random(x.shape) >= p), plain), beliefs.NO_RESCALING),
    ("layer", (dropout_with_factor, lambda x, p: x * (1 - p)), beliefs.TWICE),
    ("layer", (shrink, plain), beliefs.REMOVES),
    ("layer", (lambda x, p, rng: x, plain), "a pair (output, factor)"),
    ("layer", (lambda x, p, rng: (2 * x, 2), plain), "a mean output of 1.00"),
    ("layer", (dropout_with_factor, lambda x, p: 2 * x), "the plain input"),
    ("layer", (lambda x, p, rng: (normalised(x, p, rng), 1), plain), "0 or x / (1 - p)"),
    ("moments", (3, 27, 0.75), beliefs.KEEP_02),
    ("moments", (2.25, 1.6875, 0.25), beliefs.NO_RESCALING),
    ("moments", (3, 3, 0.5), "the probability to drop"),
    ("moments", (4, 3, 0.25), "p times 0 plus"),
    ("moments", (3, 1, 0.25), "h^2 p / (1-p)"),
    ("backward", (lambda grad, factor: grad,), beliefs.UNMASKED_GRADIENT),
    ("backward", (lambda grad, factor: grad * (factor > 0),), beliefs.UNSCALED_GRADIENT),
    ("backward", (lambda grad, factor: grad[0],), "a gradient of shape"),
    ("backward", (in_place,), "to stay as it was"),
    ("backward", (lambda grad, factor: grad * factor**2,), "grad_output times 1.43"),
    ("bug", (lambda x, p, rng: x * (rng.random(x.shape[1:]) >= p) / (1 - p),), beliefs.ONE_MASK_02),
    ("bug", (lambda x, p, rng: x[0],), "an output of shape (200, 10)"),
    ("bug", (normalised,), "0 or x / (1 - p)"),
    ("speed", (epochs_needed, "with dropout"), beliefs.FASTER),
    ("speed", (epochs_needed, "dropout"), '"with dropout" or "without dropout"'),
    ("speed", (lambda p: 1, "without dropout"), "about"),
]
