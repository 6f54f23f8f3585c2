"""Argument checks that several modules share: one clear sentence, before anything changes."""

import math
from numbers import Integral, Real

import numpy as np


def check_probability(name, value):
    """Return `value` as a float. Raise ValueError unless it is a real number in [0, 1]."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= value <= 1:
        raise ValueError(f"{name} must be in [0, 1], got {value!r}")
    return float(value)


def check_positive_int(name, value):
    """Return `value` as an int. Raise ValueError unless it is a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{name} must be a whole number >= 1, got {value!r}")
    return int(value)


def check_positive(name, value):
    """Return `value` as a float. Raise ValueError unless it is a finite number above 0."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 < value < math.inf:
        raise ValueError(f"{name} must be a finite number > 0, got {value!r}")
    return float(value)


# --- what nets take and give: NumPy arrays or PyTorch tensors ---


def check_inputs(name, x):
    """Raise ValueError unless `x` (n, ...) holds at least one example and finite numbers.

    One sum is looked at first: half a percent of an epoch, where looking at every number costs several.
    """
    if len(x.shape) == 0 or len(x) == 0:
        raise ValueError(f"{name} must hold at least one example, got shape {tuple(x.shape)}")
    if "float" in str(x.dtype) and not _is_finite(x):
        rows = sum(not _is_finite(row) for row in x)
        raise ValueError(f"{name} must be finite, got NaN or infinity in {rows} of {len(x)} examples")


def _is_finite(x):
    with np.errstate(all="ignore"):
        # A sum of finite numbers may still be too large for the dtype.
        return bool(abs(x.sum()) < math.inf) or bool((abs(x) < math.inf).all())


def check_labels(name, y, num_examples, num_classes):
    """Raise ValueError unless `y` is one whole number from 0 to num_classes - 1 for each example, n >= 1."""
    if tuple(y.shape) != (num_examples,) or num_examples == 0:
        raise ValueError(
            f"{name} must have shape ({num_examples or 'n >= 1'},), one class per example, "
            f"got {tuple(y.shape)}"
        )
    if "int" not in str(y.dtype):
        raise ValueError(f"{name} must be whole numbers, got {y.dtype}")
    low, high = int(y.min()), int(y.max())
    if low < 0 or high >= num_classes:
        raise ValueError(f"{name} must be classes from 0 to {num_classes - 1}, got {low} to {high}")


def check_outputs(name, outputs, num_examples):
    """Raise ValueError unless `outputs` is one array (num_examples, classes) of two or more classes."""
    if not hasattr(outputs, "shape"):
        raise ValueError(f"{name} must be one array (n, classes), got {type(outputs).__name__}")
    shape = tuple(outputs.shape)
    if len(shape) != 2 or shape[0] != num_examples or shape[1] < 2:
        raise ValueError(
            f"{name} must have shape (n, classes), n = {num_examples} and two classes or more, got {shape}"
        )


def check_probabilities(name, probs):
    """Raise ValueError unless the rows (last axis) of `probs` are probabilities that sum to 1.

    They may miss 1 by .001, or by what a dtype of fewer digits leaves.
    """
    if not probs.min() >= 0 or not probs.max() < math.inf:
        raise ValueError(
            f"{name} must be probabilities in [0, 1], got {probs.min():.3g} to {probs.max():.3g}"
        )
    room = max(1e-3, 8 * float(np.finfo(probs.dtype).eps))
    sums = probs.sum(axis=-1)
    if sums.min() < 1 - room or sums.max() > 1 + room:
        raise ValueError(f"{name} must sum to 1 in each row, got {sums.min():.4g} to {sums.max():.4g}")
