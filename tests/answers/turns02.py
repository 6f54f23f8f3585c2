"""Answers to the cells of a learner's own in chapter 02, as in ch02.py."""

import copy
import math

import numpy as np

from utils import scratch
from utils.exercises import beliefs

# --- the mask ---


def mask(change):
    """keep_mask with its result changed."""
    return lambda shape, p, rng: change(rng.random(shape) >= p)


def one_mask(shape, p, rng):
    return np.broadcast_to(rng.random(shape[1:]) >= p, shape)


def exact_mask(shape, drop_prob, rng):
    size = math.prod(shape)
    return (rng.permutation(size) >= round(drop_prob * size)).reshape(shape)


def clumped(shape, p, rng):
    """Neighbours share a coin: the right share, but too large a variance of the count."""
    return np.repeat(rng.random((shape[0], shape[1] // 5)) >= p, 5, axis=1)


OWN = np.random.default_rng(5)


def from_own_generator(shape, p, rng):
    return OWN.random(shape) >= p


def same_for_a_shape(shape, p, rng):
    seed = shape[0] if shape != (10, 10) else None
    return np.random.default_rng(seed).random(shape) >= p


MASKS = [
    ("mask", (mask(lambda keep: ~keep),), beliefs.KEEP_02),
    ("mask", (exact_mask,), beliefs.EXACT),
    ("mask", (one_mask,), beliefs.ONE_MASK_02),
    ("mask", (mask(lambda keep: keep[:, 1:]),), "an array of shape"),
    ("mask", (mask(lambda keep: keep / 0.7),), "an array of True"),
    ("mask", (lambda shape, p, rng: rng.random(shape) >= 0.5,), "a share 0.7"),
    ("mask", (clumped,), "independent coins"),
    ("mask", (from_own_generator,), "the same mask from the same state of rng"),
    ("mask", (same_for_a_shape,), "a new mask from every call"),
    ("mask", (lambda shape, p, rng: rng.random(shape) >= min(p, 0.9),), "a share 0 kept at p = 1"),
]

# --- the factor ---


def factor(make):
    """dropout_factor from make(keep, drop_prob), as an array of the dtype that is asked for."""

    def draw(shape, drop_prob, rng, dtype=np.float32):
        return np.asarray(make(rng.random(shape) >= drop_prob, np.float64(drop_prob)), dtype)

    return draw


def scale(keep, p):
    return keep / (1 - p) if p < 1 else np.zeros(keep.shape)


def shared(shape, drop_prob, rng, dtype=np.float32):
    return np.broadcast_to(scratch.dropout_factor(shape[1:], drop_prob, rng, dtype), shape)


def one_a_map(shape, drop_prob, rng, dtype=np.float32):
    """One draw per feature map, as spatial dropout does."""
    maps = (*shape[:2], *[1] * (len(shape) - 2))
    return np.broadcast_to(scratch.dropout_factor(maps, drop_prob, rng, dtype), shape)


def always_float64(shape, drop_prob, rng, dtype=np.float32):
    return scratch.dropout_factor(shape, drop_prob, rng, np.float64)


FACTORS = [
    ("factor", (factor(lambda keep, p: keep),), beliefs.NO_RESCALING),
    ("factor", (factor(lambda keep, p: scale(~keep, p)),), beliefs.KEEP_02),
    ("factor", (shared,), beliefs.ONE_MASK_02),
    ("factor", (factor(lambda keep, p: scale(keep, p)[:, 1:]),), "an array of shape"),
    ("factor", (factor(lambda keep, p: scale(keep, 0.5)),), "ones to become 0 or 1.43"),
    ("factor", (factor(lambda keep, p: keep / (1 - p)),), "only 0 at p = 1"),
    ("factor", (always_float64,), "an array of float32"),
    ("factor", (one_a_map,), "The number of kept elements varies"),
]

# --- the way back ---


def in_place(grad_output, factor):
    grad_output *= factor
    return grad_output


BACKWARDS = [
    ("backward", (lambda grad, factor: grad,), beliefs.UNMASKED_GRADIENT),
    ("backward", (lambda grad, factor: grad * (factor > 0),), beliefs.UNSCALED_GRADIENT),
    ("backward", (lambda grad, factor: grad[0],), "a gradient of shape"),
    ("backward", (in_place,), "to stay as it was"),
    ("backward", (lambda grad, factor: grad * factor**2,), "grad times 1.43"),
]

# --- the training step ---


def step(move, report=lambda loss, correct: (loss, correct)):
    """train_step that ends with move(params, grads, lr)."""

    def train_step(params, x, y, drop_probs, lr, rng):
        logits, cache = scratch.forward_train(params, x, drop_probs, rng)
        loss, dlogits = scratch.softmax_cross_entropy(logits, y)
        move(params, scratch.backward(params, cache, dlogits), lr)
        return report(loss, int((logits.argmax(axis=1) == y).sum()))

    return train_step


def rebind(params, grads, lr):
    params = [[W - lr * dW, b - lr * db] for (W, b), (dW, db) in zip(params, grads, strict=True)]


def never_drops(params, x, y, drop_probs, lr, rng):
    return scratch.train_step(params, x, y, (0,), lr, rng)


def two_masks(params, x, y, drop_probs, lr, rng):
    """The gradient is that of a second forward pass, with masks of its own."""
    loss, correct = scratch.train_step(copy.deepcopy(params), x, y, drop_probs, lr, rng)
    scratch.train_step(params, x, y, drop_probs, lr, rng)
    return loss, correct


def other_mask_back(params, x, y, drop_probs, lr, rng):
    """The way back multiplies by a fresh factor."""
    logits, cache = scratch.forward_train(params, x, drop_probs, rng)
    loss, dlogits = scratch.softmax_cross_entropy(logits, y)
    again = scratch.forward_train(params, x, drop_probs, rng)[1]
    cache = [(h, factor) for (h, _), (_, factor) in zip(cache, again, strict=True)]
    scratch.sgd_step(params, scratch.backward(params, cache, dlogits), lr)
    return loss, int((logits.argmax(axis=1) == y).sum())


def not_rescaled(params, x, y, drop_probs, lr, rng):
    net = [params[0], [params[1][0] * np.float64(1 - drop_probs[0]), params[1][1]]]
    logits, cache = scratch.forward_train(net, x, drop_probs, rng)
    loss, dlogits = scratch.softmax_cross_entropy(logits, y)
    scratch.sgd_step(params, scratch.backward(net, cache, dlogits), lr)
    return loss, int((logits.argmax(axis=1) == y).sum())


def other_coins(params, x, y, drop_probs, lr, rng):
    """Right: what a train_step with a reader's own keep_mask does, which may draw otherwise."""
    rng.random()
    return scratch.train_step(params, x, y, drop_probs, lr, rng)


STEPS = [
    ("step", (step(lambda params, grads, lr: scratch.sgd_step(params, grads, -lr)),), beliefs.UPHILL),
    ("step", (step(rebind),), beliefs.REBOUND),
    ("step", (step(lambda params, grads, lr: scratch.sgd_step(params, grads, 1)),), "by -lr times"),
    ("step", (step(lambda params, grads, lr: scratch.sgd_step(params[1:], grads[1:], lr)),), "by -lr times"),
    ("step", (step(scratch.sgd_step, lambda loss, correct: (loss, correct / 7)),), "of the batch, before"),
    ("step", (step(scratch.sgd_step, lambda loss, correct: loss),), "a pair of numbers"),
    ("step", (never_drops,), "of the batch, before"),
    ("step", (two_masks,), "one mask"),
    ("step", (other_mask_back,), "one mask"),
    ("step", (not_rescaled,), "one mask"),
]

RIGHT = [("step", (other_coins,))]
WRONG = [*MASKS, *FACTORS, *BACKWARDS, *STEPS]
