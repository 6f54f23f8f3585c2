"""Wrong dropouts, each a mistake that somebody makes: chapter 02 runs utils.conformance on them.

Each entry of WRONG is a function without arguments that makes a DropoutLayer, because some of them remember
what they drew before. p is the DROP probability.
"""

import numpy as np

from utils import scratch
from utils.conformance import DropoutLayer

RIGHT = DropoutLayer(
    forward=scratch.dropout_with_factor,
    backward=scratch.dropout_backward,
    evaluate=lambda x, drop_prob: x,
)


def forward_with(make_factor):
    """RIGHT, with a forward pass that multiplies by make_factor(x, drop_prob, rng)."""

    def forward(x, drop_prob, rng):
        factor = np.asarray(make_factor(x, drop_prob, rng), x.dtype)
        return x * factor, np.broadcast_to(factor, x.shape)

    return RIGHT._replace(forward=forward)


def keep_mask(shape, drop_prob, rng):
    """The mask of scratch, from 64 random bits a draw: another draw than RIGHT's from the same rng."""
    return rng.random(shape) >= drop_prob


def scale(keep, drop_prob):
    """The factor of a keep-mask."""
    return keep / (1 - drop_prob) if drop_prob < 1 else np.zeros(keep.shape)


def exact_share(x, drop_prob, rng):
    """A factor that drops exactly the share p of all elements."""
    ranks = rng.permutation(x.size).reshape(x.shape)
    return scale(ranks >= round(drop_prob * x.size), drop_prob)


def realised_share(x, drop_prob, rng):
    """A factor with mean exactly 1 in every call: divided by the share that was kept."""
    keep = keep_mask(x.shape, drop_prob, rng)
    return keep / keep.mean() if keep.any() else np.zeros(x.shape)


def first_mask_for_ever():
    """A layer that draws once for each shape and p."""
    masks = {}

    def factor(x, drop_prob, rng):
        if (x.shape, drop_prob) not in masks:
            masks[x.shape, drop_prob] = scale(keep_mask(x.shape, drop_prob, rng), drop_prob)
        return masks[x.shape, drop_prob]

    return forward_with(factor)


def own_generator():
    """A layer that does not draw from the rng that it gets."""
    own = np.random.default_rng(7)
    return forward_with(lambda x, p, rng: scale(keep_mask(x.shape, p, own), p))


def in_place(x, drop_prob, rng):
    """A forward pass that overwrites its input."""
    factor = scratch.dropout_factor(x.shape, drop_prob, rng, x.dtype)
    x *= factor
    return x, factor


def active_at_prediction():
    """A layer that drops in evaluation, too."""
    rng = np.random.default_rng(7)
    return RIGHT._replace(evaluate=lambda x, p: scratch.dropout(x, p, rng))


WRONG = {
    "no rescaling": lambda: forward_with(lambda x, p, rng: keep_mask(x.shape, p, rng)),
    "p and 1 - p swapped": lambda: forward_with(lambda x, p, rng: scale(~keep_mask(x.shape, p, rng), p)),
    "p read as the keep probability": lambda: forward_with(
        lambda x, p, rng: ~keep_mask(x.shape, p, rng) / np.float64(p)
    ),
    "divided by p": lambda: forward_with(lambda x, p, rng: keep_mask(x.shape, p, rng) / np.float64(p)),
    "one mask for the whole batch": lambda: forward_with(
        lambda x, p, rng: scale(keep_mask(x.shape[1:], p, rng), p)
    ),
    "one mask per feature map": lambda: forward_with(
        lambda x, p, rng: scale(keep_mask((*x.shape[:2], 1, 1), p, rng), p)
    ),
    "an exact share": lambda: forward_with(exact_share),
    "divided by the share that was kept": lambda: forward_with(realised_share),
    "active at prediction": active_at_prediction,
    "scaled again at prediction": lambda: RIGHT._replace(evaluate=lambda x, p: x * (1 - p)),
    "inactive in training": lambda: forward_with(lambda x, p, rng: np.ones(x.shape)),
    "the first mask for ever": first_mask_for_ever,
    "gradient not masked": lambda: RIGHT._replace(backward=lambda grad, factor: grad),
    "gradient not rescaled": lambda: RIGHT._replace(backward=lambda grad, factor: grad * (factor > 0)),
    "NaN at p = 1": lambda: forward_with(lambda x, p, rng: keep_mask(x.shape, p, rng) / np.float64(1 - p)),
    "draws from its own generator": own_generator,
    "changes its input": lambda: RIGHT._replace(forward=in_place),
}
