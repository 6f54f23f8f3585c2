"""Dropout and a multilayer perceptron in NumPy.

p is the DROP probability everywhere. Arrays keep the dtype they come in (float32 or float64).

Written by chapter 02: change it there, then run `python3 course.py library`.
"""

from itertools import pairwise

import numpy as np

from utils.arguments import check_probability
from utils.data import minibatches

# --- built in chapter 02, section 1. The rule ---


def dropout_factor(shape, drop_prob, rng, dtype=np.float32):
    """0 (dropped) or 1 / (1 - p) (kept), one independent draw per element.

    Mean 1, variance p / (1 - p). float32 and float64 get the same draw. A drop_prob outside
    [0, 1] is a ValueError. Source: Srivastava et al. 2014, section 10.
    """
    drop_prob = check_probability("drop_prob", drop_prob)
    if drop_prob == 1:
        return np.zeros(shape, dtype)
    keep = rng.random(shape, dtype=np.float32) >= np.float32(drop_prob)
    return keep * np.dtype(dtype).type(1 / (1 - drop_prob))


def dropout_with_factor(x, drop_prob, rng):
    """(x * factor, factor), both of the shape and dtype of x, which stays as it is.

    TypeError unless x is float32 or float64. The gradient with respect to x is the incoming
    gradient times the same factor.
    """
    x = np.asarray(x)
    if x.dtype not in (np.float32, np.float64):
        hint = "convert it with x.astype(np.float32)"
        raise TypeError(f"x must be float32 or float64, got {x.dtype}; {hint}")
    factor = dropout_factor(x.shape, drop_prob, rng, x.dtype)
    return x * factor, factor


def dropout(x, drop_prob, rng):
    """Inverted dropout for training: each element of x is 0 with probability p, else x / (1 - p).

    The mean is x, the variance x**2 * p / (1 - p); the same state of rng gives the same mask.
    Source: Hinton et al. 2012; Srivastava et al. 2014, sections 4 and 10.
    """
    return dropout_with_factor(x, drop_prob, rng)[0]


# --- built in chapter 02, section 6. A network, forward ---


def init_normal(sizes, rng, std=0.01, dtype=np.float32):
    """Weights from N(0, std^2), biases 0: a list of [W, b].

    sizes = (inputs, hidden, ..., classes). W has shape (n_in, n_out), b has shape (n_out,).
    """
    return [
        [rng.normal(0, std, (n_in, n_out)).astype(dtype), np.zeros(n_out, dtype)]
        for n_in, n_out in pairwise(sizes)
    ]


def init_he(sizes, rng, dtype=np.float32):
    """Weights from N(0, 2 / n_in), biases 0, as init_normal returns them (He et al. 2015, 2.2)."""
    return [
        [
            rng.normal(0, np.sqrt(2 / n_in), (n_in, n_out)).astype(dtype),
            np.zeros(n_out, dtype),
        ]
        for n_in, n_out in pairwise(sizes)
    ]


def forward_eval(params, x):
    """Logits (n, classes) for x (n, inputs), without dropout."""
    h = x
    for W, b in params[:-1]:
        h = np.maximum(h @ W + b, 0)
    W, b = params[-1]
    return h @ W + b


def forward_train(params, x, drop_probs, rng):
    """Logits with dropout after each hidden ReLU, and a cache for backward.

    drop_probs has one entry per hidden layer, else ValueError. The cache has one pair (input of
    the layer, factor of that input) per layer; the factor is None where nothing was dropped.
    """
    n_hidden = len(params) - 1
    if len(drop_probs) != n_hidden:
        raise ValueError(f"drop_probs needs {n_hidden} entries, got {len(drop_probs)}")
    h, factor, cache = x, None, []
    for (W, b), drop_prob in zip(params[:-1], drop_probs, strict=True):
        cache.append((h, factor))
        h = h @ W
        h += b
        np.maximum(h, 0, out=h)
        factor = None
        if check_probability("drop_prob", drop_prob) > 0:
            h, factor = dropout_with_factor(h, drop_prob, rng)
    cache.append((h, factor))
    W, b = params[-1]
    return h @ W + b, cache


def softmax_cross_entropy(logits, y):
    """Mean cross-entropy of the batch in nats, and its gradient with respect to the logits.

    logits (n, classes), y (n,) class numbers; returns (float, array of the shape of logits).
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


# --- built in chapter 02, section 7. The backward pass ---


def backward(params, cache, dlogits):
    """Gradients of the loss in the layout of params: a list of [dW, db]."""
    grads, delta = [], dlogits
    for (W, _), (h, factor) in zip(reversed(params), reversed(cache), strict=True):
        grads.append([h.T @ delta, delta.sum(axis=0)])
        if len(grads) < len(params):
            delta = delta @ W.T
            if factor is not None:
                delta *= factor
            delta *= h > 0
    return grads[::-1]


# --- built in chapter 02, section 8. The training step ---


def sgd_step(params, grads, lr):
    """Move every parameter by -lr times its gradient, in place; the gradients are used up."""
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

    Each batch's gradient is divided by that batch's own size, the smaller last one's too. Returns
    (training loss, training accuracy), both with dropout on and while the weights move.
    """
    total_loss, correct = 0.0, 0
    for batch in minibatches(len(x), batch_size, rng):
        step = train_step(params, x[batch], y[batch], drop_probs, lr, rng)
        total_loss += step[0] * len(batch)
        correct += step[1]
    return total_loss / len(x), correct / len(x)
