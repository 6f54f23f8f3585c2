"""Accuracy, negative log-likelihood and calibration error, against scikit-learn and small exact cases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, log_loss

from utils.metrics import accuracy, ece, nll, softmax


def random_case(seed, n=200, classes=10):
    rng = np.random.default_rng(seed)
    return softmax(rng.normal(0, 3, (n, classes))), rng.integers(classes, size=n)


@given(seed=st.integers(0, 10_000))
def test_accuracy_and_nll_equal_scikit_learn(seed):
    probs, y = random_case(seed)
    assert accuracy(probs, y) == accuracy_score(y, probs.argmax(axis=1))
    assert nll(probs, y) == pytest.approx(log_loss(y, probs, labels=range(10)), rel=1e-12)


def test_softmax_rows_sum_to_one_and_survive_large_logits():
    logits = np.array([[1e4, 0, -1e4], [0, 0, 0]], dtype=np.float32)
    probs = softmax(logits)
    assert probs.dtype == np.float32
    assert np.array_equal(probs[0], [1, 0, 0])
    assert probs[1] == pytest.approx([1 / 3] * 3)


def test_softmax_takes_a_stack_of_passes():
    logits = np.random.default_rng(0).normal(size=(5, 4, 3))
    assert np.allclose(softmax(logits).sum(axis=-1), 1) and softmax(logits).shape == (5, 4, 3)


def test_nll_of_a_certain_mistake_is_large_but_finite():
    probs = np.array([[1.0, 0.0]], dtype=np.float32)
    assert nll(probs, np.array([1])) == pytest.approx(-np.log(np.finfo(np.float32).tiny))
    assert nll(probs, np.array([0])) == 0


def test_uniform_predictions_cost_the_log_of_the_number_of_classes():
    assert nll(np.full((7, 10), 0.1), np.arange(7)) == pytest.approx(np.log(10))


def test_ece_of_two_bins_by_hand():
    # Confidence .9 three times, right twice; confidence .6 once, wrong.
    probs = np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.6, 0.4]])
    y = np.array([0, 0, 0, 1])
    assert ece(probs, y) == pytest.approx((abs(2 - 2.7) + 0.6) / 4)


def test_ece_is_zero_for_calibrated_and_one_for_certain_and_wrong():
    probs = np.array([[0.75, 0.25]] * 4)
    assert ece(probs, np.array([0, 0, 0, 1])) == pytest.approx(0)
    assert ece(np.array([[1.0, 0.0]] * 3), np.array([1, 1, 1])) == 1


def test_ece_bins_are_open_on_the_left_and_closed_on_the_right():
    # .5 belongs to the first of two bins, .6 to the second: their errors do not cancel.
    probs = np.array([[0.5, 0.5, 0.0], [0.6, 0.4, 0.0]])
    y = np.array([0, 1])
    assert ece(probs, y, num_bins=2) == pytest.approx((0.5 + 0.6) / 2)
    assert ece(probs, y, num_bins=1) == pytest.approx(0.05)


@given(seed=st.integers(0, 10_000), num_bins=st.integers(1, 50))
def test_ece_lies_between_the_overall_gap_and_one(seed, num_bins):
    probs, y = random_case(seed)
    overall = abs(probs.max(axis=1).mean() - accuracy(probs, y))
    assert overall - 1e-12 <= ece(probs, y, num_bins) <= 1


@pytest.mark.parametrize("measure", [accuracy, nll, ece])
@pytest.mark.parametrize(
    ("shape", "labels"), [((3,), (3,)), ((3, 2), (4,)), ((3, 2), (3, 1)), ((0, 2), (0,))]
)
def test_wrong_shapes_get_one_sentence(measure, shape, labels):
    with pytest.raises(ValueError, match=r"probs must have shape \(n, classes\)"):
        measure(np.ones(shape), np.zeros(labels, dtype=int))


def test_ece_refuses_bad_bins():
    with pytest.raises(ValueError, match="num_bins must be a whole number >= 1, got 0"):
        ece(np.ones((1, 2)), np.array([0]), num_bins=0)
