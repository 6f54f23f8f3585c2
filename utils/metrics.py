"""Measures of a classifier's predictions. Probabilities in, a float or an array out; no framework."""

import numpy as np

from utils.arguments import check_labels, check_outputs, check_positive_int, check_probabilities


def softmax(logits):
    """Probabilities of shape (..., classes), in the dtype of the logits. Safe for large logits."""
    exp = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exp / exp.sum(axis=-1, keepdims=True)


def accuracy(probs, y):
    """Share of rows of `probs` (n, classes; logits do as well) whose largest entry is at class y (n,)."""
    probs, y = _rows_and_labels(probs, y)
    return float((probs.argmax(axis=1) == y).mean())


def nll(probs, y):
    """Negative log-likelihood of the true classes: the mean of -ln probs[i, y[i]], in nats.

    A probability of exactly 0 counts as the smallest normal float of the dtype of `probs`, so one
    float32 example costs at most 87.3 nats instead of infinity.
    """
    probs, y = _probabilities_and_labels(probs, y)
    chosen = np.maximum(probs[np.arange(len(y)), y], np.finfo(probs.dtype).tiny)
    return float(-np.log(chosen.astype(np.float64)).mean())


def brier(probs, y):
    """Brier score: the mean over examples of sum_c (probs[i, c] - [y[i] = c])^2, in [0, 2].

    Brier 1950: all classes count. Some libraries halve it, or count one class of two.
    """
    probs, y = _probabilities_and_labels(probs, y)
    error = probs.astype(np.float64)
    error[np.arange(len(y)), y] -= 1
    return float((error**2).sum(axis=1).mean())


def ece(probs, y, num_bins=15):
    """Expected calibration error of the top prediction (Guo et al. 2017, equation 3), in [0, 1].

    Predictions go into `num_bins` bins of equal width by confidence, (0, 1/M], (1/M, 2/M], ...
    The result is the mean over examples of |accuracy - mean confidence| of the example's bin. Its
    value depends on num_bins, and it is biased upwards for small n.
    """
    num_bins = check_positive_int("num_bins", num_bins)
    probs, y = _probabilities_and_labels(probs, y)
    confidence = probs.max(axis=1).astype(np.float64)
    correct = probs.argmax(axis=1) == y
    bins = np.clip(np.ceil(confidence * num_bins).astype(np.intp) - 1, 0, num_bins - 1)
    gap = np.bincount(bins, correct - confidence, num_bins)
    return float(np.abs(gap).sum() / len(y))


def entropy(probs):
    """Shannon entropy of probabilities (..., classes), in nats: float64 (...), from 0 to ln(classes).

    A probability of 0 adds nothing.
    """
    probs = _as_float(probs)
    check_probabilities("probs", probs)
    probs = probs.astype(np.float64)
    return 0 - (probs * np.log(np.where(probs > 0, probs, 1))).sum(axis=-1)  # not -0.0


def mutual_information(samples):
    """What the passes disagree about: entropy of their mean less the mean of their entropies, in nats.

    Parameters
    ----------
    samples : array of shape (T, n, classes)
        Probabilities of T passes, such as `utils.monte_carlo.predict_mc` gives. ValueError if they are not.

    Returns
    -------
    float64 array of shape (n,), at least 0; 0 where all passes agree

    Source: Houlsby et al. 2011, equation 2; Gal 2016 (thesis), section 3.3.1.
    """
    samples = _as_float(samples)
    if samples.ndim != 3 or len(samples) == 0:
        raise ValueError(f"samples must have shape (T, n, classes), T >= 1, got {samples.shape}")
    mean_entropy = np.mean([entropy(probs) for probs in samples], axis=0)
    return np.maximum(entropy(samples.mean(axis=0, dtype=np.float64)) - mean_entropy, 0)


def _rows_and_labels(probs, y):
    """Both as arrays. ValueError unless probs is (n, classes) without NaN and y holds n of these classes."""
    probs, y = np.asarray(probs), np.asarray(y)
    check_outputs("probs", probs, len(probs) if probs.ndim else 0)
    check_labels("y", y, *probs.shape)
    if np.isnan(probs).any():
        raise ValueError(f"probs must not be NaN, got NaN in {np.isnan(probs).any(axis=1).sum()} rows")
    return probs, y


def _probabilities_and_labels(probs, y):
    """The same, where each row of probs must sum to 1."""
    probs, y = _rows_and_labels(_as_float(probs), y)
    check_probabilities("probs", probs)
    return probs, y


def _as_float(values):
    values = np.asarray(values)
    return values if values.dtype.kind == "f" else values.astype(np.float64)
