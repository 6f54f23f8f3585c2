"""Measures of a classifier's predictions. Probabilities in, a float or an array out; no framework."""

import numpy as np

from utils.checks import check_positive_int


def softmax(logits):
    """Probabilities of shape (..., classes), in the dtype of the logits. Safe for large logits."""
    exp = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exp / exp.sum(axis=-1, keepdims=True)


def accuracy(probs, y):
    """Share of rows of `probs` (n, classes; logits do as well) whose largest entry is at class y (n,)."""
    _check_rows(probs, y)
    return float((probs.argmax(axis=1) == y).mean())


def nll(probs, y):
    """Negative log-likelihood of the true classes: the mean of -ln probs[i, y[i]], in nats.

    A probability of exactly 0 counts as the smallest normal float of the dtype of `probs`, so one
    float32 example costs at most 87.3 nats instead of infinity.
    """
    _check_rows(probs, y)
    chosen = np.maximum(probs[np.arange(len(y)), y], np.finfo(probs.dtype).tiny)
    return float(-np.log(chosen.astype(np.float64)).mean())


def ece(probs, y, num_bins=15):
    """Expected calibration error of the top prediction (Guo et al. 2017, equation 3), in [0, 1].

    Predictions go into `num_bins` bins of equal width by confidence, (0, 1/M], (1/M, 2/M], ...
    The result is the mean over examples of |accuracy - mean confidence| of the example's bin. Its
    value depends on num_bins, and it is biased upwards for small n.
    """
    _check_rows(probs, y)
    num_bins = check_positive_int("num_bins", num_bins)
    confidence = probs.max(axis=1).astype(np.float64)
    correct = probs.argmax(axis=1) == y
    bins = np.clip(np.ceil(confidence * num_bins).astype(int) - 1, 0, num_bins - 1)
    gap = np.bincount(bins, correct - confidence, num_bins)
    return float(np.abs(gap).sum() / len(y))


def _check_rows(probs, y):
    if probs.ndim != 2 or y.shape != probs.shape[:1] or len(y) == 0:
        raise ValueError(
            f"probs must have shape (n, classes) and y shape (n,), n >= 1, got {probs.shape} and {y.shape}"
        )
