"""The checks of chapter 07's exercises."""

import functools
import math
from itertools import product

import numpy as np
from sklearn.datasets import load_wine

from utils import scratch
from utils.data import read_only
from utils.exercises import beliefs, expect
from utils.exercises.engine import array, is_close
from utils.metrics import nll, softmax
from utils.widgets.scaling_balance import load_activations

P = 0.3  # not 0.5, where a swap of p and 1 - p cannot be seen
Q = 1 - P


@functools.cache
def all_masks(n, p=P):
    """All 2^n keep-masks, shape (2^n, n), and the probability of each."""
    masks = np.array(list(product([0, 1], repeat=n)))
    kept = masks.sum(axis=1)
    return read_only((masks, p ** (n - kept) * (1 - p) ** kept))


# --- 1. variance ---


def load_hidden():
    """What 64 hidden units of a trained net say to 32 images, float64 (32, 64), without dropout."""
    return load_activations()["hidden"]


def believed_variances(mean, variance):
    """What each belief makes of activations with this mean and variance."""
    square = variance + mean**2
    return {
        beliefs.SAME_VARIANCE: variance,
        beliefs.ZERO_MEAN: variance / Q,
        beliefs.NOISE_ONLY: square * P / Q,
        beliefs.NO_RESCALING_07: Q * square - (Q * mean) ** 2,
        beliefs.KEEP_07: variance / P + mean**2 * Q / P,
    }


def check_variance(measured, predicted):
    """Functions (h, p, num_masks, rng) -> variance, and (mean, variance, p) -> variance."""
    h = np.maximum(np.random.default_rng(0).normal(1, 1.5, (15, 40)), 0)
    num_masks = 400
    value = measured(h.copy(), P, num_masks, np.random.default_rng(1))
    expect.number(value, "one number from measured")
    mean, variance = h.mean(), h.var()
    right = variance / Q + mean**2 * P / Q
    # A squared deviation takes one of two values, so its standard error is known.
    kept_less_dropped = (h / Q - mean) ** 2 - mean**2
    room = 5 * math.sqrt(P * Q * (kept_less_dropped**2).sum() / num_masks) / h.size
    rule = (
        f"a measured variance within {room:.2f} of {right:.2f} for activations of mean {mean:.2f} and "
        f"variance {variance:.2f} at p = {P}"
    )
    expect.close(value, right, rule, believed_variances(mean, variance), "{:.2f}", room)
    rule = "Var(h) plus the mean noise E[h^2] p/q, where E[h^2] = Var(h) + E[h]^2"
    for mean, variance in ((2.0, 5.0), (1.5, 0.7)):
        right, known = variance / Q + mean**2 * P / Q, believed_variances(mean, variance)
        got = f"{{}} for mean {mean}, variance {variance} and p = {P}"
        expect.close(predicted(mean, variance, P), right, rule, known, got, 1e-5)


# --- 2. ridge ---


def check_ridge(expected_loss, best_weights):
    """Functions (x, y, w, p) -> number, and (x, y, p) -> weights."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 5)) * [1, 3, 0.5, 2, 1]
    y, w = x @ [1, -1, 2, 0.5, 0] + rng.normal(size=20), rng.normal(size=5)
    _expect_loss(expected_loss, x, y, w)
    _expect_best(best_weights, x, y)


def _expect_loss(expected_loss, x, y, w):
    def excess(w):
        """What the answer adds to the error without dropout."""
        total = expect.number(expected_loss(x, y, w, P), "one number from expected_loss")
        return total - ((y - x @ w) ** 2).sum()

    masks, probs = all_masks(5)
    residuals = y - (masks / Q * w) @ x.T
    right = probs @ (residuals**2).sum(axis=1) - ((y - x @ w) ** 2).sum()
    found, small, large = excess(w), excess(np.eye(5)[2]), excess(np.eye(5)[1])
    room = 1e-6 * right
    known = {beliefs.NO_PENALTY: 0, beliefs.KEEP_07: right * (Q / P) ** 2}
    alike = beliefs.PLAIN_L2 if is_close(small, large, 1e-6 * abs(large)) else None
    why = expect.diagnose(found, known, room) or alike
    rule = f"dropout at p = {P} to add {right:.2f} to the error without it, as all 32 masks of 5 columns do"
    expect.that(is_close(found, right, room), rule, f"{found:.2f}", why)


def _expect_best(best_weights, x, y):
    w = expect.shape(best_weights(x, y, P), (5,), "weights for five columns, an array")
    gram = x.T @ x
    pull = x.T @ y - gram @ w  # of the squared error; the penalty must hold against it
    right = P / Q * np.diag(gram) * w
    size, off = np.linalg.norm(pull), np.linalg.norm(pull - right)
    why = None
    if size <= 1e-6 * np.linalg.norm(x.T @ y):
        why = beliefs.NO_PENALTY
    elif np.linalg.norm(pull - right * (Q / P) ** 2) <= 1e-6 * size:
        why = beliefs.KEEP_07
    elif abs(pull @ w) >= (1 - 1e-6) * size * np.linalg.norm(w):
        why = beliefs.PLAIN_L2
    rule = "weights where the slope of the squared error and the slope of the penalty cancel"
    room = 1e-6 * (np.linalg.norm(right) + size)
    expect.that(off <= room, rule, f"a slope of {2 * off:.3g} left over", why)


# --- 3. classical ---


def load_wine_task(num_steps=200, seed=0):
    """Wine measurements (178, 13), one-hot growers (178, 3), keep-masks of p = 0.3 (steps, 178, 13)."""
    wine = load_wine()
    x = (wine.data - wine.data.mean(axis=0)) / wine.data.std(axis=0)
    masks = np.random.default_rng(seed).random((num_steps, *x.shape)) >= P
    return x, np.eye(3)[wine.target], masks


def train(x, y, masks, lr, scale=1.0):
    """A softmax layer after one step per mask; the inputs are multiplied by `scale` times the mask."""
    W = np.zeros((x.shape[1], y.shape[1]))
    for mask in masks:
        thinned = x * mask * scale
        W -= lr * thinned.T @ (softmax(thinned @ W) - y) / len(x)
    return W


def check_classical(train_classical, predict_classical):
    """Functions (x, y, masks, p, lr) -> weights, and (x, weights, p) -> scores."""
    x, y, masks = load_wine_task(30, seed=1)
    lr = 0.2
    inverted = train(x, y, masks, lr, 1 / Q)
    W = expect.shape(train_classical(x.copy(), y, masks, P, lr), inverted.shape, "weights")
    scores = array(predict_classical(x, inverted / Q, P))  # judged with the right weights
    right = x @ inverted

    def close(a, b):
        return is_close(a, b, 1e-6 * abs(b).max())

    why = beliefs.TWICE_07 if close(scores, right) else None
    rule = "training with bare masks, so weights 1/(1-p) times those of train_inverted"
    expect.that(not close(W, inverted), rule, "the weights of train_inverted", why)
    ideas = {beliefs.SAME_RATE: lr, beliefs.ONE_FACTOR: lr / Q}
    why = next((idea for idea, rate in ideas.items() if close(W, train(x, y, masks, rate))), None)
    off = np.linalg.norm(W * Q - inverted) / np.linalg.norm(inverted)
    rule = "weights which, times 1-p, are those of train_inverted after the same 30 masks"
    expect.that(close(W, inverted / Q), rule, f"weights that are off by {off:.0%}", why)
    why = beliefs.NO_FACTOR_LEFT if close(scores, right / Q) else None
    got = f"scores up to {abs(scores).max() / abs(right).max():.2f} times as large"
    expect.that(close(scores, right), "the scores that inverted dropout gives", got, why)


# --- 4. subnetworks ---


def check_subnetworks(combine):
    """A function: (head, h, p) -> pair (vote, geometric mean), each of shape (classes,)."""
    rng = np.random.default_rng(0)
    h, W, b = rng.uniform(0.5, 2, 6), rng.normal(size=(6, 3)), rng.normal(size=3)

    def head(values):
        return softmax(values @ W + b)

    pair = expect.parts(combine(head, h.copy(), P), 2, "a pair (vote, geometric mean)")
    vote, geometric = map(array, pair)
    shapes = f"{vote.shape} and {geometric.shape}"
    expect.that(vote.shape == geometric.shape == (3,), "two arrays of shape (3,) for three classes", shapes)
    masks, probs = all_masks(6)
    each = head(h * masks / Q)
    known = {
        beliefs.EQUALLY_LIKELY: each.mean(axis=0),
        beliefs.NO_RESCALING_07: probs @ head(h * masks),
        beliefs.KEEP_07: probs[::-1] @ each,  # the masks are listed such that this swaps p and 1 - p
    }
    _expect_probs(vote, probs @ each, "the vote, by the probabilities of all 64 masks of 6 units", known)
    logs = np.exp(probs @ np.log(each))
    known = {beliefs.SUMS_TO_ONE: logs, beliefs.SAME_MEAN: vote}
    _expect_probs(geometric, logs / logs.sum(), "exp of the mean logarithm, made to sum to 1", known)


def _expect_probs(found, right, rule, known):
    got = f"probabilities that are off by up to {abs(found - right).max():.3f} (sum {found.sum():.3f})"
    expect.that(is_close(found, right, 1e-6), rule, got, expect.diagnose(found, known, 1e-6))


# --- 5. exact ---

IS_EXACT = {
    "mean score of a linear layer": True,
    "vote of linear, softmax": False,
    "geometric mean of linear, softmax": True,
    "geometric mean of linear, linear, softmax": True,
    "geometric mean of linear, ReLU, linear, softmax": False,
}


def check_exact(exact, w):
    """A dict of True and False with the keys of IS_EXACT, and two weights."""
    whys = {case: beliefs.NEVER_EXACT if right else beliefs.ALWAYS_EXACT for case, right in IS_EXACT.items()}
    rule = 'True exactly where the mean score over all masks decides the answer, for "{}"'
    expect.truths(exact, IS_EXACT, whys, rule)
    w = expect.shape(w, (2,), "two weights, an array")
    masks, probs = all_masks(2, 0.5)
    gap = probs @ np.maximum(masks / 0.5 @ w, 0) - max(w.sum(), 0)
    rule = "masks whose scores lie on both sides of 0, far enough for a gap of 1"
    expect.that(gap >= 1 - 1e-6, rule, f"a gap of {gap:.2f} for w = {w.tolist()}")


# --- 6. left_on ---


@functools.cache
def _trained_net():
    x, y, _ = load_wine_task(1)
    y = y.argmax(axis=1)
    rng = np.random.default_rng(3)
    order = rng.permutation(len(x))
    net = scratch.init_he((13, 10, 3), rng, float)
    for _ in range(60):
        scratch.train_epoch(net, x[order[:100]], y[order[:100]], (0.5,), 20, 0.1, rng)
    return read_only((net, x[order[100:]], y[order[100:]]))


def load_net():
    """A net 13-10-3 trained with p = 0.5 on 100 wines, and 78 other wines: (net, x, y)."""
    net, x, y = _trained_net()
    return [[W.copy(), b.copy()] for W, b in net], x, y


@functools.cache
def passes_with_dropout(num_passes=1000):
    """The check's own: per pass its NLL and the share of wines with another class; the NLL of the vote."""
    net, x, y = load_net()
    rng, classes = np.random.default_rng(7), scratch.forward_eval(net, x).argmax(axis=1)
    on = np.array([softmax(scratch.forward_train(net, x, (0.5,), rng)[0]) for _ in range(num_passes)])
    found = [(nll(one, y), (one.argmax(axis=1) != classes).mean()) for one in on]
    return read_only((np.array(found), nll(on.mean(axis=0), y)))


def check_left_on(cost, guess):
    """A function (net, x, y, rng) -> three floats, and the letter a, b or c."""
    expect.choice(guess, "abc")
    net, x, y = load_net()
    off, on, others = expect.numbers(cost(net, x, y, np.random.default_rng(8)), 3, "three numbers")
    right = nll(softmax(scratch.forward_eval(net, x)), y)
    expect.close(off, right, f"an NLL of {right:.3f} with dropout off", got="{:.3f}", tolerance=1e-6)
    seen, vote = passes_with_dropout()
    mean, share = seen.mean(axis=0)
    room, share_room = 5 * seen.std(axis=0) * math.sqrt(1 / 200 + 1 / len(seen))
    rule = f"a mean NLL within {room:.3f} of {mean:.3f} for a pass with dropout on"
    expect.close(on, mean, rule, {beliefs.ENSEMBLE: vote}, "{:.3f}", room)
    rule = f"a share within {share_room:.3f} of {share:.3f} of wines with another class"
    expect.close(others, share, rule, got="{:.3f}", tolerance=share_room)
    got = f'"{guess}", although a pass costs {on:.2f} with dropout on and {off:.2f} with it off'
    why = beliefs.HARMLESS if guess == "a" else beliefs.ENSEMBLE
    expect.that(guess == "b", "the guess that the measurement bears out", got, why)


HINTS = {
    "variance": "Draw all factors at once, of shape (num_masks, *h.shape): h times factors broadcasts, and "
    ".var() of the whole is the answer. For the formula add the variance of the mean, Var(h), to the mean "
    "of the variance, E[h^2] p/q.",
    "ridge": "The prediction for row i has mean x_i w and variance p/q times the sum over j of x_ij^2 "
    "w_j^2. Mean of a square = square of the mean + variance. For the weights, set the derivative to zero.",
    "classical": "Put W_c = W_i / q into the step of train_inverted, and see which learning rate comes out. "
    "For the prediction: by what factor do the two sets of weights differ?",
    "subnetworks": "itertools.product([0, 1], repeat=n) lists the masks. Weight each by p^(dropped) "
    "(1-p)^(kept), and divide the kept activations by 1-p.",
    "exact": "Try the cases with your combine() from task 4. For w, list the four scores: 0, 2 w1, 2 w2 and "
    "2 (w1 + w2); the ReLU must bend between them.",
    "left_on": "In a loop of 200: one call of forward_train, softmax, nll, and append. Take the mean of the "
    "200 losses, not the loss of the mean.",
}
