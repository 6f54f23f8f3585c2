"""Wrong dropouts, and the named checks that catch each of them."""

import numpy as np
import pytest

from utils import scratch
from utils.conformance import CHECKS, DropoutLayer, failed_checks, finite_differences, relative_error

SEEDS = range(3)
RIGHT = DropoutLayer(
    forward=scratch.dropout_with_factor,
    backward=lambda grad, factor: grad * factor,
    evaluate=lambda x, drop_prob: x,
)


def forward_with(make_factor):
    """A layer whose forward pass multiplies by make_factor(x, drop_prob, rng)."""

    def forward(x, drop_prob, rng):
        factor = np.asarray(make_factor(x, drop_prob, rng), x.dtype)
        return x * factor, np.broadcast_to(factor, x.shape)

    return RIGHT._replace(forward=forward)


def scale(keep, drop_prob):
    return keep / (1 - drop_prob) if drop_prob < 1 else np.zeros(keep.shape)


def keep_mask(shape, drop_prob, rng):
    return rng.random(shape) >= drop_prob


def exact_fraction(x, drop_prob, rng):
    ranks = rng.permutation(x.size).reshape(x.shape)
    return scale(ranks >= round(drop_prob * x.size), drop_prob)


def realised_share(x, drop_prob, rng):
    keep = keep_mask(x.shape, drop_prob, rng)
    return keep / keep.mean() if keep.any() else np.zeros(x.shape)


def reused():
    masks = {}

    def factor(x, drop_prob, rng):
        if (x.shape, drop_prob) not in masks:
            masks[x.shape, drop_prob] = scale(keep_mask(x.shape, drop_prob, rng), drop_prob)
        return masks[x.shape, drop_prob]

    return forward_with(factor)


def own_generator():
    own = np.random.default_rng(7)
    return forward_with(lambda x, p, rng: scale(keep_mask(x.shape, p, own), p))


def in_place(x, drop_prob, rng):
    factor = scratch.dropout_factor(x.shape, drop_prob, rng, x.dtype)
    x *= factor
    return x, factor


def active_in_eval():
    rng = np.random.default_rng(7)
    return RIGHT._replace(evaluate=lambda x, p: scratch.dropout(x, p, rng))


MUTANTS = {
    "no rescale": (
        lambda: forward_with(lambda x, p, rng: keep_mask(x.shape, p, rng)),
        "values mean variance",
    ),
    "p and 1 - p swapped": (
        lambda: forward_with(lambda x, p, rng: scale(~keep_mask(x.shape, p, rng), p)),
        "mean share ends",
    ),
    "p read as the keep probability": (
        lambda: forward_with(lambda x, p, rng: ~keep_mask(x.shape, p, rng) / np.float64(p)),
        "values variance share ends",
    ),
    "divided by p": (
        lambda: forward_with(lambda x, p, rng: keep_mask(x.shape, p, rng) / np.float64(p)),
        "values mean variance ends",
    ),
    "one mask per batch": (
        lambda: forward_with(lambda x, p, rng: scale(keep_mask(x.shape[1:], p, rng), p)),
        "count examples",
    ),
    "one mask per feature map": (
        lambda: forward_with(lambda x, p, rng: scale(keep_mask((*x.shape[:2], 1, 1), p, rng), p)),
        "count units",
    ),
    "exact fraction": (lambda: forward_with(exact_fraction), "count"),
    "normalised by the realised share": (lambda: forward_with(realised_share), "values"),
    "active in eval": (active_in_eval, "eval"),
    "inactive in training": (
        lambda: forward_with(lambda x, p, rng: np.ones(x.shape)),
        "values variance share count fresh ends",
    ),
    "mask reused every step": (reused, "mean variance share count fresh"),
    "gradient not masked": (
        lambda: RIGHT._replace(backward=lambda grad, factor: grad),
        "mask-in-gradient gradient ends",
    ),
    "gradient masked but not rescaled": (
        lambda: RIGHT._replace(backward=lambda grad, factor: grad * (factor > 0)),
        "gradient",
    ),
    "p = 1 gives NaN": (
        lambda: forward_with(lambda x, p, rng: keep_mask(x.shape, p, rng) / np.float64(1 - p)),
        "ends",
    ),
    "draws from its own generator": (own_generator, "seed gradient"),
    "changes its input": (
        lambda: RIGHT._replace(forward=in_place),
        "variance share count fresh input gradient",
    ),
    "scaled again in eval": (
        lambda: RIGHT._replace(evaluate=lambda x, drop_prob: x * (1 - drop_prob)),
        "eval",
    ),
}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_right_dropout_passes_every_check(seed):
    assert failed_checks(RIGHT, seed) == []


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_dropout_is_caught_by_exactly_the_named_checks(name, seed):
    make, expected = MUTANTS[name]
    assert failed_checks(make(), seed) == [word.replace("-", " ") for word in expected.split()]


def test_every_check_catches_some_wrong_dropout():
    caught = {word.replace("-", " ") for _, expected in MUTANTS.values() for word in expected.split()}
    assert caught == set(CHECKS)


@pytest.mark.parametrize("name", ["p and 1 - p swapped", "p read as the keep probability"])
def test_at_one_half_the_statistics_of_a_swap_cannot_be_told_from_the_right_ones(name, monkeypatch):
    monkeypatch.setattr("utils.conformance.DROP_PROB", 0.5)
    for check in ("values", "mean", "share"):
        CHECKS[check](MUTANTS[name][0](), 0)


def test_a_failed_check_says_what_is_wrong_in_one_sentence():
    make, _ = MUTANTS["one mask per batch"]
    with pytest.raises(AssertionError, match="examples of a batch share their mask"):
        CHECKS["examples"](make(), 0)


def test_finite_differences_give_the_gradient_and_restore_their_input():
    x = np.array([[1.0, -2.0], [0.5, 3.0]])
    grad = finite_differences(lambda x: (x**3).sum(), x)
    assert np.array_equal(x, [[1.0, -2.0], [0.5, 3.0]])
    assert relative_error(grad, 3 * x**2) < 1e-8


def test_relative_error_of_two_zero_gradients_is_zero():
    assert relative_error(np.zeros(3), np.zeros(3)) == 0
    assert relative_error(np.ones(3), np.zeros(3)) == 1
