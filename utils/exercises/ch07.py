"""The checks of chapter 07's exercises, and the wrong answers that they know by name."""

import functools
import math
from itertools import product
from numbers import Real

import numpy as np
from sklearn.datasets import load_wine

from utils import scratch
from utils.metrics import nll, softmax
from utils.selfcheck import Exercise, Misconception, Problem, is_close, written
from utils.widgets.scaling_balance import load_activations

P = 0.3  # not 0.5, where a swap of p and 1 - p cannot be seen
Q = 1 - P

KEEP = "p is the probability to DROP a unit in this course and in every framework; q = 1-p is kept."
SAME_VARIANCE = (
    "Dropout keeps the mean, not the variance. Each activation h becomes 0 or h/q, which adds h^2 p/q to "
    "whatever spread there was before."
)
NOISE_ONLY = (
    "That is the noise of the masks alone, the mean of h^2 p/q. Over data the activations differ as well, "
    "and the two spreads add up: the law of total variance."
)
ZERO_MEAN = (
    "Var(h)/q is right only for activations of mean 0. What comes out of a ReLU is never negative, so its "
    "mean is not 0, and dropout turns that mean into variance too: E[h]^2 p/q."
)
UNSCALED = (
    "The survivors were not divided by q = 1-p. A bare mask shrinks what the next layer gets, mean and "
    "spread; inverted dropout rescales in training."
)
NO_PENALTY = (
    "The mean prediction is kept, but the error is squared: the mean of a square is the squared mean plus "
    "the variance. That variance, p/q times the sum of x^2 w^2, is the penalty."
)
PLAIN_L2 = (
    "Plain L2 charges every weight alike. Dropout charges a weight by the size of its column, the sum of "
    "x_ij^2; the two agree only when all columns are standardised."
)
SAME_RATE = (
    "The classical inputs are q times as large, so the gradient is too; and its weights must end 1/q times "
    "as large, so they have farther to go. Both together ask for the learning rate lr/q^2."
)
ONE_FACTOR = (
    "That makes up for one of two factors. The gradient is q times as small, and the weights have 1/q times "
    "as far to go: lr/q^2, not lr/q."
)
NEVER = (
    "With bare masks a unit speaks with weight q on average in training. With all units on and no factor at "
    "prediction, the scores are 1/q times too large: nobody has rescaled."
)
TWICE = (
    "That scales twice: training has divided by 1-p already, so at prediction time the weights are right as "
    "they are. Multiply by 1-p only after training with bare masks."
)
ALIKE = (
    "The masks are not equally likely unless p = 0.5. A mask that keeps k of n units has the probability "
    "p^(n-k) (1-p)^k; weight each subnetwork by it."
)
SUMS_TO_ONE = (
    "A geometric mean of probabilities is not a distribution: by Jensen's inequality its sum is below 1. "
    "Divide by the sum; the proof needs this step, where the normalisers cancel."
)
SAME_MEAN = (
    "The vote averages probabilities, the geometric mean averages their logarithms. A subnetwork that "
    "gives a class almost nothing pulls the second far down, and the first only a little."
)
EXACT = (
    "The one pass averages SCORES. A softmax turns that into the geometric mean, not into the vote; and an "
    "average does not pass through a bend, so behind a ReLU even the scores differ."
)
NEVER_EXACT = (
    "It is exact as long as nothing bends between the dropped units and the softmax: scores are linear in "
    "the mask, so their mean is the score of the one pass, and the normalisers cancel."
)
HARMLESS = (
    "Dropout keeps the mean of an activation, not the mean of a loss. The loss is convex, so noise in the "
    "scores raises it on average; and the same input gets another answer at the next call."
)
ENSEMBLE = (
    "One pass with dropout on is ONE random subnetwork. The ensemble is the average of many passes; whoever "
    "forgets the switch gets a single vote, and the average loss of single votes is higher."
)


@functools.cache
def all_masks(n, p=P):
    """All 2^n keep-masks, shape (2^n, n), and the probability of each."""
    masks = np.array(list(product([0, 1], repeat=n)))
    kept = masks.sum(axis=1)
    return masks, p ** (n - kept) * (1 - p) ** kept


def is_scalar(value):
    return isinstance(value, Real) and not isinstance(value, bool)


# --- 1. variance ---


def load_hidden():
    """What 64 hidden units of a trained net say to 32 images, float64 (32, 64), without dropout."""
    return load_activations()["hidden"]


def check_variance(measured, predicted):
    """Functions (h, p, num_masks, rng) -> variance, and (mean, variance, p) -> variance."""
    return _check_measured(measured) or _check_predicted(predicted)


def _check_measured(measured):
    h = np.maximum(np.random.default_rng(0).normal(1, 1.5, (15, 40)), 0)
    num_masks = 400
    value = written(measured(h.copy(), P, num_masks, np.random.default_rng(1)))
    if not is_scalar(value):
        return Problem("one number from measured", f"{type(value).__name__}")
    mean, square = h.mean(), (h**2).mean()
    right = h.var() / Q + mean**2 * P / Q
    # A squared deviation takes one of two values, so its standard error is known.
    kept_less_dropped = (h / Q - mean) ** 2 - mean**2
    tolerance = 5 * math.sqrt(P * Q * (kept_less_dropped**2).sum() / num_masks) / h.size
    if abs(value - right) <= tolerance:
        return None
    ideas = {
        SAME_VARIANCE: h.var(),
        NOISE_ONLY: square * P / Q,
        UNSCALED: Q * square - (Q * mean) ** 2,
        KEEP: h.var() / P + mean**2 * Q / P,
    }
    why = next((text for text, wrong in ideas.items() if abs(value - wrong) <= tolerance), "")
    return Problem(
        f"a measured variance of {right:.2f} +- {tolerance:.2f} for activations of mean {mean:.2f} and "
        f"variance {h.var():.2f} at p = {P}",
        f"{value:.2f}",
        why,
    )


def _check_predicted(predicted):
    for mean, variance in ((2.0, 5.0), (1.5, 0.7)):
        value = written(predicted(mean, variance, P))
        square = variance + mean**2
        if is_close(value, variance / Q + mean**2 * P / Q, 1e-6):
            continue
        ideas = {
            SAME_VARIANCE: variance,
            ZERO_MEAN: variance / Q,
            NOISE_ONLY: square * P / Q,
            UNSCALED: Q * square - (Q * mean) ** 2,
            KEEP: variance / P + mean**2 * Q / P,
        }
        why = next((text for text, wrong in ideas.items() if is_close(value, wrong, 1e-6)), "")
        return Problem(
            "Var(h) plus the mean noise E[h^2] p/q, where E[h^2] = Var(h) + E[h]^2",
            f"{value} for mean {mean}, variance {variance} and p = {P}",
            why,
        )
    return None


# --- 2. ridge ---


def check_ridge(expected_loss, best_weights):
    """Functions (X, y, w, p) -> number, and (X, y, p) -> weights."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 5)) * [1, 3, 0.5, 2, 1]
    y, w = X @ [1, -1, 2, 0.5, 0] + rng.normal(size=20), rng.normal(size=5)
    return _check_expected_loss(expected_loss, X, y, w) or _check_best_weights(best_weights, X, y)


def _check_expected_loss(expected_loss, X, y, w):
    def excess(w):
        """What the answer adds to the error without dropout."""
        return written(expected_loss(X, y, w, P)) - ((y - X @ w) ** 2).sum()

    found = excess(w)
    if not is_scalar(found):
        return Problem("one number from expected_loss", f"{type(found).__name__}")
    masks, probs = all_masks(5)
    residuals = y - (masks / Q * w) @ X.T
    right = probs @ (residuals**2).sum(axis=1) - ((y - X @ w) ** 2).sum()
    if is_close(found, right, 1e-8 * right):
        return None
    small, large = (excess(np.eye(5)[column]) for column in (2, 1))
    why = ""
    if is_close(found, 0, 1e-8 * right):
        why = NO_PENALTY
    elif is_close(found, right * (Q / P) ** 2, 1e-8 * right):
        why = KEEP
    elif is_close(small, large, 1e-8 * abs(large)):
        why = PLAIN_L2
    return Problem(
        f"dropout at p = {P} to add {right:.2f} to the error without it, as all 32 masks of 5 columns do",
        f"{found:.2f}",
        why,
    )


def _check_best_weights(best_weights, X, y):
    w = np.asarray(written(best_weights(X, y, P)))
    if w.shape != (5,):
        return Problem("weights of shape (5,) for five columns", f"shape {w.shape}")
    gram = X.T @ X
    pull = X.T @ y - gram @ w  # of the squared error; the penalty must hold against it
    right = P / Q * np.diag(gram) * w
    scale = np.linalg.norm(right) + np.linalg.norm(pull)
    if np.linalg.norm(pull - right) <= 1e-8 * scale:
        return None
    why = ""
    if np.linalg.norm(pull) <= 1e-8 * np.linalg.norm(X.T @ y):
        why = NO_PENALTY
    elif np.linalg.norm(pull - right * (Q / P) ** 2) <= 1e-8 * np.linalg.norm(pull):
        why = KEEP
    elif abs(pull @ w) >= (1 - 1e-8) * np.linalg.norm(pull) * np.linalg.norm(w):
        why = PLAIN_L2
    return Problem(
        "weights where the slope of the squared error and the slope of the penalty cancel",
        f"a slope of {2 * np.linalg.norm(pull - right):.3g} left over",
        why,
    )


# --- 3. classical ---


def load_wine_task(num_steps=200, seed=0):
    """Wine measurements (178, 13), one-hot growers (178, 3), keep-masks of p = 0.3 (steps, 178, 13)."""
    wine = load_wine()
    X = (wine.data - wine.data.mean(axis=0)) / wine.data.std(axis=0)
    masks = np.random.default_rng(seed).random((num_steps, *X.shape)) >= P
    return X, np.eye(3)[wine.target], masks


def train(X, Y, masks, lr, scale=1.0):
    """A softmax layer after one step per mask; the inputs are multiplied by `scale` times the mask."""
    W = np.zeros((X.shape[1], Y.shape[1]))
    for mask in masks:
        x = X * mask * scale
        W -= lr * x.T @ (softmax(x @ W) - Y) / len(X)
    return W


def check_classical(train_classical, predict_classical):
    """Functions (X, Y, masks, p, lr) -> weights, and (X, weights, p) -> scores."""
    X, Y, masks = load_wine_task(30, seed=1)
    lr = 0.2
    W = np.asarray(written(train_classical(X.copy(), Y, masks, P, lr)))
    inverted = train(X, Y, masks, lr, 1 / Q)
    if W.shape != inverted.shape:
        return Problem(f"weights of shape {inverted.shape}", f"shape {W.shape}")
    scores = np.asarray(written(predict_classical(X, inverted / Q, P)))  # judged with the right weights

    def close(a, b):
        return a.shape == b.shape and np.allclose(a, b, rtol=0, atol=1e-9 * abs(b).max())

    if close(W, inverted):
        return Problem(
            "training with bare masks, so weights 1/(1-p) times those of train_inverted",
            "the weights of train_inverted",
            TWICE if close(scores, X @ inverted) else "",
        )
    if not close(W, inverted / Q):
        ideas = {SAME_RATE: lr, ONE_FACTOR: lr / Q}
        why = next((text for text, rate in ideas.items() if close(W, train(X, Y, masks, rate))), "")
        ratio = np.linalg.norm(W * Q - inverted) / np.linalg.norm(inverted)
        return Problem(
            "weights which, times 1-p, are those of train_inverted after the same 30 masks",
            f"weights that are off by {ratio:.0%}",
            why,
        )
    if not close(scores, X @ inverted):
        return Problem(
            "the scores that inverted dropout gives",
            f"scores up to {abs(scores).max() / abs(X @ inverted).max():.2f} times as large",
            NEVER if close(scores, X @ inverted / Q) else "",
        )
    return None


# --- 4. subnetworks ---


def check_subnetworks(combine):
    """A function: (head, h, p) -> pair (vote, geometric mean), each of shape (classes,)."""
    rng = np.random.default_rng(0)
    h, W, b = rng.uniform(0.5, 2, 6), rng.normal(size=(6, 3)), rng.normal(size=3)

    def head(values):
        return softmax(values @ W + b)

    pair = written(combine(head, h.copy(), P))
    if not isinstance(pair, tuple) or len(pair) != 2:
        return Problem("a pair (vote, geometric mean)", f"{type(pair).__name__}")
    vote, geometric = (np.asarray(written(part)) for part in pair)
    if vote.shape != (3,) or geometric.shape != (3,):
        return Problem("two arrays of shape (3,) for three classes", f"{vote.shape} and {geometric.shape}")
    masks, probs = all_masks(6)
    each = head(h * masks / Q)
    if not np.allclose(vote, probs @ each, atol=1e-9):
        ideas = {
            ALIKE: each.mean(axis=0),
            UNSCALED: probs @ head(h * masks),
            KEEP: probs[::-1] @ each,  # the masks are listed such that this swaps p and 1 - p
        }
        why = next((text for text, wrong in ideas.items() if np.allclose(vote, wrong, atol=1e-9)), "")
        return Problem(
            "the vote, by the probabilities of all 64 masks of 6 units", _off(vote, probs @ each), why
        )
    logs = np.exp(probs @ np.log(each))
    right = logs / logs.sum()
    if np.allclose(geometric, right, atol=1e-9):
        return None
    why = ""
    if np.allclose(geometric, logs, atol=1e-9):
        why = SUMS_TO_ONE
    elif np.allclose(geometric, vote, atol=1e-9):
        why = SAME_MEAN
    return Problem(
        "exp of the mean logarithm, made to sum to 1",
        f"{_off(geometric, right)} (sum {geometric.sum():.3f})",
        why,
    )


def _off(found, right):
    return f"probabilities that are off by up to {abs(found - right).max():.3f}"


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
    for case, right in IS_EXACT.items():
        answer = written(exact.get(case))
        if bool(answer) != right:
            return Problem(
                "True exactly where the mean score over all masks decides the answer",
                f'{answer} for "{case}"',
                NEVER_EXACT if right else EXACT,
            )
    w = np.asarray(w, float)
    if w.shape != (2,):
        return Problem("two weights", f"shape {w.shape}")
    masks, probs = all_masks(2, 0.5)
    gap = probs @ np.maximum(masks / 0.5 @ w, 0) - max(w.sum(), 0)
    if gap < 1 - 1e-9:
        return Problem(
            "masks whose scores lie on both sides of 0, far enough for a gap of 1",
            f"a gap of {gap:.2f} for w = {w.tolist()}",
        )
    return None


# --- 6. left_on ---


@functools.cache
def _trained_net():
    X, Y, _ = load_wine_task(1)
    y = Y.argmax(axis=1)
    rng = np.random.default_rng(3)
    order = rng.permutation(len(X))
    net = scratch.init_he((13, 10, 3), rng, float)
    for _ in range(60):
        scratch.train_epoch(net, X[order[:100]], y[order[:100]], (0.5,), 20, 0.1, rng)
    return net, X[order[100:]], y[order[100:]]


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
    return np.array(found), nll(on.mean(axis=0), y)


def check_left_on(cost, guess):
    """A function (net, x, y, rng) -> three floats, and the letter a, b or c."""
    if guess not in ("a", "b", "c"):
        return Problem('one of the letters "a", "b", "c"', repr(guess))
    net, x, y = load_net()
    answer = written(cost(net, x, y, np.random.default_rng(8)))
    if not isinstance(answer, tuple) or len(answer) != 3 or not all(map(is_scalar, answer)):
        return Problem("three numbers", repr(answer))
    off, on, others = answer
    right = nll(softmax(scratch.forward_eval(net, x)), y)
    if not is_close(off, right, 1e-6):
        return Problem(f"an NLL of {right:.3f} with dropout off", f"{off:.3f}")
    seen, vote = passes_with_dropout()
    mean, share = seen.mean(axis=0)
    tolerance, share_tolerance = 5 * seen.std(axis=0) * math.sqrt(1 / 200 + 1 / len(seen))
    if abs(on - mean) > tolerance:
        return Problem(
            f"a mean NLL of {mean:.3f} +- {tolerance:.3f} for a pass with dropout on",
            f"{on:.3f}",
            ENSEMBLE if is_close(on, vote, 0.02) else "",
        )
    if abs(others - share) > share_tolerance:
        return Problem(
            f"a share {share:.3f} +- {share_tolerance:.3f} of wines with another class", f"{others:.3f}"
        )
    if guess != "b":
        return Problem(
            "the guess that the measurement bears out",
            f'"{guess}", although a pass costs {on:.2f} with dropout on and {off:.2f} with it off',
            HARMLESS if guess == "a" else ENSEMBLE,
        )
    return None


EXERCISES = {
    "variance": Exercise(
        check_variance,
        "Draw all factors at once, of shape (num_masks, *h.shape): h times factors broadcasts, and .var() "
        "of the whole is the answer. For the formula add the variance of the mean, Var(h), to the mean of "
        "the variance, E[h^2] p/q.",
    ),
    "ridge": Exercise(
        check_ridge,
        "The prediction for row i has mean x_i w and variance p/q times the sum over j of x_ij^2 w_j^2. Mean "
        "of a square = square of the mean + variance. For the weights, set the derivative to zero.",
    ),
    "classical": Exercise(
        check_classical,
        "Put W_c = W_i / q into the step of train_inverted, and see which learning rate comes out. For the "
        "prediction: by what factor do the two sets of weights differ?",
    ),
    "subnetworks": Exercise(
        check_subnetworks,
        "itertools.product([0, 1], repeat=n) lists the masks. Weight each by p^(dropped) (1-p)^(kept), and "
        "divide the kept activations by 1-p.",
    ),
    "exact": Exercise(
        check_exact,
        "Try the cases with your combine() from task 4. For w, list the four scores: 0, 2 w1, 2 w2 and "
        "2 (w1 + w2); the ReLU must bend between them.",
    ),
    "left_on": Exercise(
        check_left_on,
        "In a loop of 200: one call of forward_train, softmax, nll, and append. Take the mean of the 200 "
        "losses, not the loss of the mean.",
    ),
}


# --- wrong answers, each built on one wrong idea ---


def right_measured(h, p, num_masks, rng):
    return (h * scratch.dropout_factor((num_masks, *h.shape), p, rng, float)).var()


def right_loss(X, y, w, p):
    return ((y - X @ w) ** 2).sum() + p / (1 - p) * (w**2 * (X**2).sum(axis=0)).sum()


def ridge(penalty):
    """best_weights with diag(penalty(X, p)) added to X^T X."""
    return lambda X, y, p: np.linalg.solve(X.T @ X + np.diag(penalty(X, p)), X.T @ y)


def with_rate(rate):
    """train_classical with the learning rate lr * rate(p)."""
    return lambda X, Y, masks, p, lr: train(X, Y, masks, lr * rate(p))


def right_rate(p):
    return (1 - p) ** -2


def multiplied(X, W, p):
    return X @ ((1 - p) * W)


def vote_with(weigh=lambda kept, n, p: p ** (n - kept) * (1 - p) ** kept, scale=lambda p: 1 / (1 - p)):
    """combine with other weights of the masks, or another scale of the kept units."""

    def combine(head, h, p):
        masks, _ = all_masks(len(h))
        share = weigh(masks.sum(axis=1), len(h), p)
        each = head(h * masks * scale(p))
        logs = np.exp(share @ np.log(each))
        return share @ each, logs / logs.sum()

    return combine


def finish(change):
    """combine with (vote, each, share) -> the second answer."""

    def combine(head, h, p):
        masks, share = all_masks(len(h), p)
        each = head(h * masks / (1 - p))
        return share @ each, change(share @ each, each, share)

    return combine


def right_cost(net, x, y, rng):
    off = softmax(scratch.forward_eval(net, x))
    on = [softmax(scratch.forward_train(net, x, (0.5,), rng)[0]) for _ in range(200)]
    others = np.mean([(one.argmax(axis=1) != off.argmax(axis=1)).mean() for one in on])
    return nll(off, y), float(np.mean([nll(one, y) for one in on])), float(others)


def _cost_of_the_vote(net, x, y, rng):
    off, _, others = right_cost(net, x, y, rng)
    on = [softmax(scratch.forward_train(net, x, (0.5,), rng)[0]) for _ in range(200)]
    return off, nll(np.mean(on, axis=0), y), others


MISCONCEPTIONS = [
    Misconception(
        "dropout keeps the variance",
        "variance",
        lambda: (lambda h, *_: h.var(), lambda m, v, p: v),
        SAME_VARIANCE,
    ),
    Misconception(
        "dropout keeps the variance", "variance", lambda: (right_measured, lambda m, v, p: v), SAME_VARIANCE
    ),
    Misconception(
        "the variance after dropout is the noise of the masks",
        "variance",
        lambda: (
            lambda h, p, n, rng: (
                (h * scratch.dropout_factor((n, *h.shape), p, rng, float)).var(axis=0).mean()
            ),
            lambda m, v, p: (v + m**2) * p / (1 - p),
        ),
        NOISE_ONLY,
    ),
    Misconception(
        "activations have mean 0, so their variance is divided by q",
        "variance",
        lambda: (right_measured, lambda m, v, p: v / (1 - p)),
        ZERO_MEAN,
    ),
    Misconception(
        "p is the keep probability",
        "variance",
        lambda: (right_measured, lambda m, v, p: v / p + m**2 * (1 - p) / p),
        KEEP,
    ),
    Misconception(
        "the survivors need no rescaling",
        "variance",
        lambda: (
            lambda h, p, n, rng: (h * (rng.random((n, *h.shape)) >= p)).var(),
            lambda m, v, p: (1 - p) * (v + m**2) - ((1 - p) * m) ** 2,
        ),
        UNSCALED,
    ),
    Misconception(
        "the mean is kept, so the expected loss is kept",
        "ridge",
        lambda: (lambda X, y, w, p: ((y - X @ w) ** 2).sum(), ridge(lambda X, p: 0 * X[0])),
        NO_PENALTY,
    ),
    Misconception(
        "input dropout is plain L2",
        "ridge",
        lambda: (
            lambda X, y, w, p: ((y - X @ w) ** 2).sum() + p / (1 - p) * len(X) * (w**2).sum(),
            ridge(lambda X, p: p / (1 - p) * len(X) + 0 * X[0]),
        ),
        PLAIN_L2,
    ),
    Misconception(
        "input dropout is plain L2",
        "ridge",
        lambda: (right_loss, ridge(lambda X, p: p / (1 - p) + 0 * X[0])),
        PLAIN_L2,
    ),
    Misconception(
        "p is the keep probability",
        "ridge",
        lambda: (lambda X, y, w, p: right_loss(X, y, w, 1 - p), ridge(lambda X, p: 0 * X[0])),
        KEEP,
    ),
    Misconception(
        "classical and inverted dropout share one learning rate",
        "classical",
        lambda: (with_rate(lambda p: 1), multiplied),
        SAME_RATE,
    ),
    Misconception(
        "the learning rate must make up for the smaller gradient alone",
        "classical",
        lambda: (with_rate(lambda p: 1 / (1 - p)), multiplied),
        ONE_FACTOR,
    ),
    Misconception(
        "dropout is off at prediction, so nothing is multiplied there",
        "classical",
        lambda: (with_rate(right_rate), lambda X, W, p: X @ W),
        NEVER,
    ),
    Misconception(
        "prediction must still multiply by 1-p",
        "classical",
        lambda: (lambda X, Y, masks, p, lr: train(X, Y, masks, lr, 1 / (1 - p)), multiplied),
        TWICE,
    ),
    Misconception(
        "all subnetworks are equally likely",
        "subnetworks",
        lambda: (vote_with(weigh=lambda kept, n, p: np.full(len(kept), 0.5**n)),),
        ALIKE,
    ),
    Misconception(
        "the survivors need no rescaling", "subnetworks", lambda: (vote_with(scale=lambda p: 1),), UNSCALED
    ),
    Misconception(
        "p is the keep probability",
        "subnetworks",
        lambda: (vote_with(weigh=lambda kept, n, p: p**kept * (1 - p) ** (n - kept)),),
        KEEP,
    ),
    Misconception(
        "a geometric mean of probabilities sums to one",
        "subnetworks",
        lambda: (finish(lambda vote, each, share: np.exp(share @ np.log(each))),),
        SUMS_TO_ONE,
    ),
    Misconception(
        "the vote is the geometric mean", "subnetworks", lambda: (finish(lambda vote, *_: vote),), SAME_MEAN
    ),
    Misconception(
        "weight scaling is exact for any net",
        "exact",
        lambda: (dict.fromkeys(IS_EXACT, True), [2, -2]),
        EXACT,
    ),
    Misconception(
        "weight scaling is never exact",
        "exact",
        lambda: ({**dict.fromkeys(IS_EXACT, False), "mean score of a linear layer": True}, [2, -2]),
        NEVER_EXACT,
    ),
    Misconception(
        "forgetting eval() costs nothing, since dropout keeps the mean",
        "left_on",
        lambda: (right_cost, "a"),
        HARMLESS,
    ),
    Misconception(
        "with dropout left on, an ensemble answers", "left_on", lambda: (right_cost, "c"), ENSEMBLE
    ),
    Misconception(
        "with dropout left on, an ensemble answers", "left_on", lambda: (_cost_of_the_vote, "b"), ENSEMBLE
    ),
]
