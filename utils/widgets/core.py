"""The Python twins of js/core.js: the same numbers from the same seed, bit for bit."""

import math

import numpy as np


def _mix(x):
    """A 32-bit integer hash with low bias (two rounds of xor-shift and multiply, a last xor-shift)."""
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x21F0AAAD)
    x = (x ^ (x >> np.uint32(15))) * np.uint32(0x735A2D97)
    return x ^ (x >> np.uint32(15))


def uniform(seed, n, first=0):
    """n uniform numbers in [0, 1), float32 of shape (n,): from number `first` on of the stream of `seed`."""
    start = _mix(np.array([(seed + 0x9E3779B9) % 2**32], dtype=np.uint32))
    index = np.arange(first, first + n, dtype=np.uint32)
    return (_mix(start + index) >> np.uint32(8)).astype(np.float32) / np.float32(2**24)


def normal(seed, n):
    """n standard normal numbers, float64 of shape (n,), by Box & Muller's transform of `uniform`."""
    u = uniform(seed, 2 * n).astype(np.float64)
    return np.sqrt(-2 * np.log(1 - u[::2])) * np.cos(2 * np.pi * u[1::2])


def keep_mask(u, p):
    """Keep-mask, bool of the shape of `u`: True where the uniform number is at least p."""
    return u >= np.float32(p)


def histogram(values, low, high, bins, weights=None):
    """Counts of values in equal bins over [low, high], or sums of their weights: float64 of shape (bins,).

    What lies outside goes into the end bins.
    """
    values = np.asarray(values, dtype=np.float64)
    place = np.floor((values - low) / (high - low) * bins).astype(np.intp)
    return np.bincount(np.clip(place, 0, bins - 1), weights, minlength=bins).astype(np.float64)


def binomial_share(n, q, k):
    """The probability of exactly k successes in n tries, each with probability q."""
    return math.comb(n, k) * q**k * (1 - q) ** (n - k)


def round_ticks(values):
    """Round numbers, equally far apart, from below the smallest value (or 0) to above the largest (or 0)."""
    low, high = float(np.min(values)), float(np.max(values))
    step = next((s for s in (0.5, 1, 2, 5, 10) if (high - low) / s < 8), 20)
    first, last = math.floor(min(low, -step / 2) / step), math.ceil(max(high, step / 2) / step)
    return [k * step for k in range(first, last + 1)]
