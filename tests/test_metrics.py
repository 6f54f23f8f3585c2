"""The measures of utils/metrics.py, against scikit-learn, torchmetrics, SciPy and small exact cases."""

import numpy as np
import pytest
from scipy import special, stats
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss

from utils.metrics import accuracy, brier, ece, entropy, mutual_information, nll, softmax

each_seed = pytest.mark.parametrize("seed", range(5))


def random_case(seed, n=200, classes=10):
    rng = np.random.default_rng(seed)
    return softmax(rng.normal(0, 3, (n, classes))), rng.integers(classes, size=n)


@each_seed
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
    np.testing.assert_allclose(softmax(logits), special.softmax(logits, axis=-1), rtol=1e-12)


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


def test_ece_has_15_bins_unless_told_otherwise():
    probs, y = random_case(0)
    y = np.where(np.arange(len(y)) % 4 > 0, probs.argmax(axis=1), y)  # near the confidences
    assert ece(probs, y) == ece(probs, y, num_bins=15)
    assert all(ece(probs, y) != ece(probs, y, num_bins=other) for other in (14, 16))


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


def test_a_confidence_that_rounding_puts_above_one_is_in_the_last_bin():
    probs = np.array([[1.0005, 0.0], [0.98, 0.02]])
    assert ece(probs, np.array([1, 0]), num_bins=2) == pytest.approx((1.0005 + 0.98 - 1) / 2)


@pytest.mark.parametrize("num_bins", [1, 2, 15, 50])
@each_seed
def test_ece_lies_between_the_overall_gap_and_one(seed, num_bins):
    probs, y = random_case(seed)
    overall = abs(probs.max(axis=1).mean() - accuracy(probs, y))
    assert overall - 1e-12 <= ece(probs, y, num_bins) <= 1


@each_seed
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


@each_seed
def test_entropy_equals_scipy_and_lies_between_zero_and_the_log_of_the_classes(seed):
    probs, _ = random_case(seed)
    assert entropy(probs) == pytest.approx(stats.entropy(probs, axis=1), rel=1e-12)
    assert (entropy(probs) > 0).all() and (entropy(probs) < np.log(10)).all()


def test_entropy_of_one_certain_and_one_even_answer():
    probs = np.array([[1, 0, 0, 0], [0.25] * 4], dtype=np.float32)
    assert entropy(probs).dtype == np.float64
    assert entropy(probs) == pytest.approx([0, np.log(4)], abs=1e-15)
    assert np.array_equal(entropy(np.stack([probs] * 3)), [entropy(probs)] * 3)


def test_mutual_information_is_zero_for_passes_that_agree_and_log_two_for_two_that_contradict():
    agree = np.full((5, 1, 2), 0.5)
    contradict = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    assert mutual_information(agree) == pytest.approx([0], abs=1e-15)
    assert mutual_information(contradict) == pytest.approx([np.log(2)])
    assert mutual_information([[[1, 0]], [[0, 1]]]) == pytest.approx([np.log(2)])
    assert entropy(agree.mean(axis=0)) == pytest.approx(entropy(contradict.mean(axis=0)))
    probs, _ = random_case(0)  # whose entropies differ in the last digit from that of their mean
    assert (mutual_information(np.stack([probs] * 3)) >= 0).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@each_seed
def test_mutual_information_is_the_mean_divergence_of_a_pass_from_the_mean(seed, dtype):
    rng = np.random.default_rng(seed)
    samples = softmax(rng.normal(0, 2, (7, 20, 4)).astype(dtype))
    mean = samples.mean(axis=0, dtype=np.float64)
    divergence = stats.entropy(samples.astype(np.float64), mean[None], axis=2).mean(axis=0)
    assert mutual_information(samples) == pytest.approx(divergence, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("shape", [(3, 2), (0, 3, 2), (1, 2, 3, 4)])
def test_mutual_information_refuses_a_wrong_shape(shape):
    with pytest.raises(ValueError, match=r"samples must have shape \(T, n, classes\), T >= 1, got"):
        mutual_information(np.ones(shape))


MEASURES = pytest.mark.parametrize("measure", [accuracy, nll, brier, ece])
EVEN = np.full((3, 2), 0.5)


@MEASURES
@pytest.mark.parametrize(
    ("probs", "y", "said"),
    [
        (np.ones(3), np.zeros(3, int), r"probs must have shape \(n, classes\), n = 3 .* got \(3,\)"),
        (np.array(1.0), np.zeros(3, int), r"n = 0 .* got \(\)"),
        (np.ones((3, 1)), np.zeros(3, int), r"two classes or more, got \(3, 1\)"),
        (np.ones((3, 2, 2)), np.zeros(3, int), r"got \(3, 2, 2\)"),
        (EVEN, np.zeros(4, int), r"y must have shape \(3,\), one class per example, got \(4,\)"),
        (EVEN, np.zeros((3, 1), int), r"y must have shape \(3,\), one class per example, got \(3, 1\)"),
        (EVEN[:0], np.zeros(0, int), r"y must have shape \(n >= 1,\)"),
        (EVEN, np.array([0, 1, 0]) - 1, "y must be classes from 0 to 1, got -1 to 0"),
        (EVEN, np.array([0, 1, 2]), "y must be classes from 0 to 1, got 0 to 2"),
        (EVEN, np.zeros(3), "y must be whole numbers, got float64"),
        (EVEN, np.array([True, False, True]), "y must be whole numbers, got bool"),
        (
            np.where(np.arange(3)[:, None] == 1, np.nan, EVEN),
            np.zeros(3, int),
            "not be NaN, got NaN in 1 rows",
        ),
    ],
)
def test_predictions_and_labels_that_do_not_fit_get_one_sentence(measure, probs, y, said):
    with pytest.raises(ValueError, match=said):
        measure(probs, y)


@pytest.mark.parametrize("measure", [nll, brier, ece, lambda probs, y: entropy(probs)])
@pytest.mark.parametrize(
    ("probs", "said"),
    [
        (EVEN - 1, r"probs must be probabilities in \[0, 1\], got -0.5 to -0.5"),
        (EVEN * 3, "probs must sum to 1 in each row, got 3 to 3"),
        (np.log(EVEN), "probs must be probabilities"),
        (np.array([[0.5, 0.5], [0.5, 0.502], [1, 0]]), "probs must sum to 1 in each row, got 1 to 1.002"),
        (np.array([[np.inf, 0]] * 3), "probs must be probabilities"),
    ],
)
def test_what_is_no_probability_is_refused(measure, probs, said):
    with pytest.raises(ValueError, match=said):
        measure(probs, np.zeros(3, int))


def test_probabilities_of_few_digits_and_whole_ones_are_taken():
    y = np.array([0, 1])
    half = softmax(np.random.default_rng(0).normal(size=(2, 10))).astype(np.float16)
    assert nll(half, y) == pytest.approx(
        nll(half.astype(np.float64) / half.sum(1, np.float64)[:, None], y), rel=1e-2
    )
    assert nll(np.array([[1, 0], [0, 1]]), y) == nll(np.eye(2, dtype=bool), y) == 0
    assert entropy([[1, 0], [0, 1]]).tolist() == [0, 0]
    assert accuracy([[1, 0], [1, 0]], [0, 1]) == 0.5


def test_accuracy_takes_logits():
    assert accuracy(np.array([[-3.0, 2.0], [5.0, -np.inf]]), np.array([1, 1])) == 0.5


@pytest.mark.parametrize("samples", [np.full((2, 3, 2), 0.4), np.log(np.full((2, 3, 2), 0.5))])
def test_mutual_information_refuses_what_is_no_probability(samples):
    with pytest.raises(ValueError, match="probs must"):
        mutual_information(samples)


def test_ece_refuses_bad_bins():
    with pytest.raises(ValueError, match="num_bins must be a whole number >= 1, got 0"):
        ece(EVEN, np.zeros(3, int), num_bins=0)
