"""The measures of utils/metrics.py, against scikit-learn, torchmetrics, SciPy and small exact cases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss, roc_auc_score

from utils.metrics import accuracy, auroc, brier, ece, entropy, mutual_information, nll, softmax


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


@given(seed=st.integers(0, 10_000))
def test_the_brier_score_equals_scikit_learn(seed):
    probs, y = random_case(seed)
    expected = brier_score_loss(y, probs, labels=range(10), scale_by_half=False)
    assert brier(probs, y) == pytest.approx(expected, rel=1e-12)


def test_the_brier_score_of_certain_answers_is_zero_or_two_and_leaves_its_input_alone():
    probs = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert brier(probs, np.array([0, 0])) == 0 and brier(probs, np.array([1, 1])) == 2
    assert np.array_equal(probs, [[1, 0], [1, 0]])


@pytest.mark.parametrize("num_bins", [1, 10, 15, 40])
def test_ece_equals_torchmetrics(num_bins):
    torch = pytest.importorskip("torch")
    functional = pytest.importorskip("torchmetrics.functional.classification")
    for seed in range(5):
        probs, y = random_case(seed, n=1_000)
        expected = functional.multiclass_calibration_error(
            torch.from_numpy(probs), torch.from_numpy(y), num_classes=10, n_bins=num_bins, norm="l1"
        )
        assert ece(probs, y, num_bins) == pytest.approx(float(expected), rel=1e-5)


@given(seed=st.integers(0, 10_000))
def test_entropy_equals_scipy_and_lies_between_zero_and_the_log_of_the_classes(seed):
    probs, _ = random_case(seed)
    assert entropy(probs) == pytest.approx(stats.entropy(probs, axis=1), rel=1e-12)
    assert (entropy(probs) > 0).all() and (entropy(probs) < np.log(10)).all()


def test_entropy_of_one_certain_and_one_even_answer():
    probs = np.array([[1, 0, 0, 0], [0.25] * 4], dtype=np.float32)
    assert entropy(probs).dtype == np.float64
    assert entropy(probs) == pytest.approx([0, np.log(4)], abs=1e-15)


def test_mutual_information_is_zero_for_passes_that_agree_and_log_two_for_two_that_contradict():
    agree = np.full((5, 1, 2), 0.5)
    contradict = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    assert mutual_information(agree) == pytest.approx([0], abs=1e-15)
    assert mutual_information(contradict) == pytest.approx([np.log(2)])
    assert entropy(agree.mean(axis=0)) == pytest.approx(entropy(contradict.mean(axis=0)))


@given(seed=st.integers(0, 10_000), dtype=st.sampled_from([np.float32, np.float64]))
def test_mutual_information_is_the_mean_divergence_of_a_pass_from_the_mean(seed, dtype):
    rng = np.random.default_rng(seed)
    samples = softmax(rng.normal(0, 2, (7, 20, 4)).astype(dtype))
    mean = samples.mean(axis=0, dtype=np.float64)
    divergence = stats.entropy(samples.astype(np.float64), mean[None], axis=2).mean(axis=0)
    assert mutual_information(samples) == pytest.approx(divergence, rel=1e-5, abs=1e-6)
    assert (mutual_information(samples) >= 0).all()


@pytest.mark.parametrize("shape", [(3, 2), (0, 3, 2), (1, 2, 3, 4)])
def test_mutual_information_refuses_a_wrong_shape(shape):
    with pytest.raises(ValueError, match=r"samples must have shape \(T, n, classes\), T >= 1, got"):
        mutual_information(np.ones(shape))


@given(seed=st.integers(0, 10_000), levels=st.sampled_from([3, 10, 10_000]))
def test_auroc_equals_scikit_learn_with_and_without_ties(seed, levels):
    rng = np.random.default_rng(seed)
    scores, positive = rng.integers(levels, size=60) / levels, rng.random(60) < 0.3
    positive[:2] = True, False
    assert auroc(scores, positive) == pytest.approx(roc_auc_score(positive, scores), rel=1e-12)


def test_auroc_counts_the_pairs_in_the_right_order():
    assert auroc([0.1, 0.4, 0.35, 0.8], np.array([False, False, True, True])) == 0.75
    assert auroc([1, 2], np.array([False, True])) == 1 and auroc([2, 1], np.array([False, True])) == 0
    assert auroc([1, 1, 1], np.array([False, True, True])) == 0.5


@pytest.mark.parametrize("positive", [np.ones(3, bool), np.zeros(3, bool)])
def test_auroc_needs_both_kinds(positive):
    with pytest.raises(ValueError, match=r"positive must hold True and False, got [03] of 3"):
        auroc(np.arange(3), positive)


@pytest.mark.parametrize("positive", [np.array([0, 1, 1]), np.array([True, False])])
def test_auroc_refuses_labels_that_are_not_one_bool_per_score(positive):
    with pytest.raises(ValueError, match="positive be bool of shape"):
        auroc(np.arange(3), positive)


@pytest.mark.parametrize("measure", [accuracy, nll, brier, ece])
@pytest.mark.parametrize(
    ("shape", "labels"), [((3,), (3,)), ((3, 2), (4,)), ((3, 2), (3, 1)), ((0, 2), (0,))]
)
def test_wrong_shapes_get_one_sentence(measure, shape, labels):
    with pytest.raises(ValueError, match=r"probs must have shape \(n, classes\)"):
        measure(np.ones(shape), np.zeros(labels, dtype=int))


def test_ece_refuses_bad_bins():
    with pytest.raises(ValueError, match="num_bins must be a whole number >= 1, got 0"):
        ece(np.ones((1, 2)), np.array([0]), num_bins=0)
