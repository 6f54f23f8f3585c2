"""Argument checks that several modules share: one clear sentence, before anything changes."""

import math
from numbers import Integral, Real


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
