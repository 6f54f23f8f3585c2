"""Dropout and a multilayer perceptron in NumPy.

p is the DROP probability everywhere. Arrays keep the dtype they come in (float32 or float64).

Written by chapter 02: change it there, then run `python3 course.py library`.
"""

from itertools import pairwise

import numpy as np

from utils.arguments import check_probability
from utils.data import minibatches

# --- built in chapter 02, section 1. The rule ---


def keep_mask(shape, drop_prob, rng):
    """Bool array: True (kept) with probability 1 - p, one draw per element."""
    return rng.random(shape, dtype=np.float32) >= np.float32(drop_prob)


def dropout_factor(shape, drop_prob, rng, dtype=np.float32):
    """0 (dropped) or 1 / (1 - p) (kept), one independent draw per element.

    Mean 1, variance p / (1 - p). float32 and float64 get the same draw. ValueError for
    a drop_prob outside [0, 1]. Source: Srivastava et al. 2014, section 10.
    """
    drop_prob = check_probability("drop_prob", drop_prob)
    if drop_prob == 1:
        return np.zeros(shape, dtype)
    return keep_mask(shape, drop_prob, rng) * np.dtype(dtype).type(1 / (1 - drop_prob))


def dropout_with_factor(x, drop_prob, rng):
    """(x * factor, factor), in the dtype of x: float32 or float64, else TypeError."""
    x = np.asarray(x)
    if x.dtype not in (np.float32, np.float64):
        hint = "convert it with x.astype(np.float32)"
        raise TypeError(f"x must be float32 or float64, got {x.dtype}; {hint}")
    factor = dropout_factor(x.shape, drop_prob, rng, x.dtype)
    return x * factor, factor


def dropout(x, drop_prob, rng):
    """Inverted dropout: 0 or x / (1 - p); mean x, variance x**2 * p / (1 - p)."""
    return dropout_with_factor(x, drop_prob, rng)[0]


# --- built in chapter 02, section 4. A network, forward ---


def init_normal(sizes, rng, std=0.01, dtype=np.float32):
    """[W, b] for each layer of sizes = (inputs, hidden, ..., classes).

    W (n_in, n_out) is drawn from N(0, std^2), b (n_out,) is 0.
    """
    shapes = pairwise(sizes)
    return [[rng.normal(0, std, s).astype(dtype), np.zeros(s[1], dtype)] for s in shapes]


def init_he(sizes, rng, dtype=np.float32):
    """The same from N(0, 2 / n_in). Source: He et al. 2015, section 2.2."""
    layers = zip(pairwise(sizes), np.sqrt(2 / np.array(sizes[:-1])), strict=True)
    return [init_normal(pair, rng, std, dtype)[0] for pair, std in layers]


def hidden_layer(h, W, b):
    """ReLU(h @ W + b), shape (n, n_out); in place, which saves memory traffic."""
    z = h @ W
    z += b
    return np.maximum(z, 0, out=z)


def forward_eval(params, x):
    """Logits (n, classes) for x (n, inputs), without dropout."""
    for W, b in params[:-1]:
        x = hidden_layer(x, W, b)
    W, b = params[-1]
    return x @ W + b


def forward_train(params, x, drop_probs, rng):
    """Logits with dropout after each hidden ReLU, and the cache for backward.

    It has a pair per layer: its input, and that input's factor (None at p = 0).
    """
    if len(drop_probs) != len(params) - 1:
        raise ValueError(f"drop_probs needs {len(params) - 1} values, got {drop_probs}")
    h, factor, cache = x, None, []
    for (W, b), drop_prob in zip(params[:-1], drop_probs, strict=True):
        cache.append((h, factor))
        h, factor = hidden_layer(h, W, b), None
        if check_probability("drop_prob", drop_prob) > 0:
            h, factor = dropout_with_factor(h, drop_prob, rng)
    W, b = params[-1]
    return h @ W + b, [*cache, (h, factor)]


def softmax_cross_entropy(logits, y):
    """Mean cross-entropy of the batch in nats, and its gradient at the logits.

    logits (n, classes), y (n,) class numbers; returns (float, array like logits).
    """
    rows = np.arange(len(y))
    shifted = logits - logits.max(axis=1, keepdims=True)
    exp = np.exp(shifted)
    total = exp.sum(axis=1, keepdims=True)
    loss = (np.log(total[:, 0]) - shifted[rows, y]).mean()
    dlogits = exp / total
    dlogits[rows, y] -= 1
    dlogits /= len(y)
    return float(loss), dlogits


# --- built in chapter 02, section 5. The way back ---


def dropout_backward(grad, factor):
    """The gradient at dropout's input, from `grad` at its output. Changes nothing."""
    return grad * factor


def backward(params, cache, dlogits):
    """Gradients of the loss in the layout of params: a list of [dW, db]."""
    grads, delta = [], dlogits
    for (W, _), (h, factor) in zip(reversed(params), reversed(cache), strict=True):
        grads.append([h.T @ delta, delta.sum(axis=0)])
        if len(grads) < len(params):
            delta = delta @ W.T
            if factor is not None:
                delta = dropout_backward(delta, factor)
            delta *= h > 0
    return grads[::-1]


# --- built in chapter 02, section 6. The training step ---


def sgd_step(params, grads, lr):
    """Move every parameter by -lr times its gradient, in place; grads are used up."""
    for pair, grad_pair in zip(params, grads, strict=True):
        for value, grad in zip(pair, grad_pair, strict=True):
            grad *= lr
            value -= grad


def train_step(params, x, y, drop_probs, lr, rng):
    """One SGD step on one batch, in place.

    Returns (mean loss, number correct) of the batch, with dropout on, before the step.
    """
    logits, cache = forward_train(params, x, drop_probs, rng)
    loss, dlogits = softmax_cross_entropy(logits, y)
    sgd_step(params, backward(params, cache, dlogits), lr)
    return loss, int((logits.argmax(axis=1) == y).sum())


def train_epoch(params, x, y, drop_probs, batch_size, lr, rng):
    """One pass over the data in random minibatches; changes params in place.

    Each gradient is divided by the size of its batch, also of the smaller last one.
    Returns (loss, accuracy), with dropout on and while the weights move.
    """
    total_loss, correct = 0.0, 0
    for batch in minibatches(len(x), batch_size, rng):
        loss, right = train_step(params, x[batch], y[batch], drop_probs, lr, rng)
        total_loss += loss * len(batch)
        correct += right
    return total_loss / len(x), correct / len(x)
