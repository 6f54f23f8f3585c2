"""Wrong dropouts, and the named checks that catch each of them."""

import numpy as np
import pytest

from utils.conformance import CHECKS, failed_checks, finite_differences, relative_error
from utils.wrong_dropouts import RIGHT, WRONG

SEEDS = range(3)
CAUGHT_BY = {
    "no rescaling": "values mean variance",
    "p and 1 - p swapped": "mean share ends",
    "p read as the keep probability": "values variance share ends",
    "divided by p": "values mean variance ends",
    "one mask for the whole batch": "count examples",
    "one mask per feature map": "count units",
    "an exact share": "count",
    "divided by the share that was kept": "values",
    "active at prediction": "eval",
    "scaled again at prediction": "eval",
    "inactive in training": "values variance share count fresh ends",
    "the first mask for ever": "mean variance share count fresh",
    "gradient not masked": "mask-in-gradient gradient ends",
    "gradient not rescaled": "gradient",
    "NaN at p = 1": "ends",
    "draws from its own generator": "seed gradient",
    "changes its input": "variance share count fresh input gradient",
}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_right_dropout_passes_every_check(seed):
    assert failed_checks(RIGHT, seed) == []


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_dropout_is_caught_by_exactly_the_named_checks(name, seed):
    expected = [word.replace("-", " ") for word in CAUGHT_BY[name].split()]
    assert failed_checks(WRONG[name](), seed) == expected


def test_every_check_catches_some_wrong_dropout():
    caught = {word.replace("-", " ") for expected in CAUGHT_BY.values() for word in expected.split()}
    assert caught == set(CHECKS) and CAUGHT_BY.keys() == WRONG.keys()


@pytest.mark.parametrize("name", ["p and 1 - p swapped", "p read as the keep probability"])
def test_at_one_half_the_statistics_of_a_swap_cannot_be_told_from_the_right_ones(name, monkeypatch):
    monkeypatch.setattr("utils.conformance.DROP_PROB", 0.5)
    for check in ("values", "mean", "share"):
        CHECKS[check](WRONG[name](), 0)


def test_a_failed_check_says_what_is_wrong_in_one_sentence():
    with pytest.raises(AssertionError, match="examples of a batch share their mask"):
        CHECKS["examples"](WRONG["one mask for the whole batch"](), 0)


def test_finite_differences_give_the_gradient_and_restore_their_input():
    x = np.array([[1.0, -2.0], [0.5, 3.0]])
    grad = finite_differences(lambda x: (x**3).sum(), x)
    assert np.array_equal(x, [[1.0, -2.0], [0.5, 3.0]])
    assert relative_error(grad, 3 * x**2) < 1e-8


def test_relative_error_of_two_zero_gradients_is_zero():
    assert relative_error(np.zeros(3), np.zeros(3)) == 0
    assert relative_error(np.ones(3), np.zeros(3)) == 1
