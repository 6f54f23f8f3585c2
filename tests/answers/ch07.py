"""Answers to chapter 07's exercises: (exercise, answers, the Belief or the clause that the check says)."""

import numpy as np

from utils import scratch
from utils.exercises import beliefs
from utils.exercises.ch07 import IS_EXACT, all_masks, train
from utils.metrics import nll, softmax


def measured(h, p, num_masks, rng):
    return (h * scratch.dropout_factor((num_masks, *h.shape), p, rng, float)).var()


def measured_noise(h, p, num_masks, rng):
    return (h * scratch.dropout_factor((num_masks, *h.shape), p, rng, float)).var(axis=0).mean()


def predicted(mean, variance, p):
    return variance / (1 - p) + mean**2 * p / (1 - p)


def loss(x, y, w, p):
    return ((y - x @ w) ** 2).sum() + p / (1 - p) * (w**2 * (x**2).sum(axis=0)).sum()


def plain_loss(x, y, w, p):
    return ((y - x @ w) ** 2).sum()


def loss_with_l2(x, y, w, p):
    return plain_loss(x, y, w, p) + p / (1 - p) * len(x) * (w**2).sum()


def ridge(penalty):
    """best_weights with diag(penalty(x, p)) added to x^T x."""
    return lambda x, y, p: np.linalg.solve(x.T @ x + np.diag(penalty(x, p)), x.T @ y)


def dropout_ridge(factor):
    return ridge(lambda x, p: factor * p / (1 - p) * (x**2).sum(axis=0))


def with_rate(rate):
    """train_classical with the learning rate lr * rate(p)."""
    return lambda x, y, masks, p, lr: train(x, y, masks, lr * rate(p))


def inverted(x, y, masks, p, lr):
    return train(x, y, masks, lr, 1 / (1 - p))


classical = with_rate(lambda p: (1 - p) ** -2)


def multiplied(x, W, p):
    return x @ ((1 - p) * W)


def plain(x, W, p):
    return x @ W


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
    """combine with change(vote, each, share) as the second answer."""

    def combine(head, h, p):
        masks, share = all_masks(len(h), p)
        each = head(h * masks / (1 - p))
        return share @ each, change(share @ each, each, share)

    return combine


def cost(net, x, y, rng, **changed):
    off = softmax(scratch.forward_eval(net, x))
    on = [softmax(scratch.forward_train(net, x, (0.5,), rng)[0]) for _ in range(200)]
    found = {
        "off": nll(off, y),
        "on": float(np.mean([nll(one, y) for one in on])),
        "others": float(np.mean([(one.argmax(axis=1) != off.argmax(axis=1)).mean() for one in on])),
        "vote": nll(np.mean(on, axis=0), y),
    }
    found |= {name: found.get(value, value) for name, value in changed.items()}
    return found["off"], found["on"], found["others"]


def with_cost(**changed):
    return lambda *task: cost(*task, **changed)


RIGHT = [
    ("variance", (measured, predicted)),
    ("ridge", (loss, dropout_ridge(1))),
    ("classical", (classical, multiplied)),
    ("subnetworks", (vote_with(),)),
    ("exact", (IS_EXACT, [-3, 2])),
    ("left_on", (cost, "b")),
]
WRONG = [
    ("variance", (lambda h, *_: h.var(), lambda m, v, p: v), beliefs.SAME_VARIANCE),
    ("variance", (measured, lambda m, v, p: v), beliefs.SAME_VARIANCE),
    ("variance", (measured_noise, lambda m, v, p: (v + m**2) * p / (1 - p)), beliefs.NOISE_ONLY),
    ("variance", (measured, lambda m, v, p: (v + m**2) * p / (1 - p)), beliefs.NOISE_ONLY),
    ("variance", (measured, lambda m, v, p: v / (1 - p)), beliefs.ZERO_MEAN),
    ("variance", (measured, lambda m, v, p: predicted(m, v, 1 - p)), beliefs.KEEP_07),
    ("variance", (lambda h, p, *task: measured(h, 1 - p, *task), predicted), beliefs.KEEP_07),
    (
        "variance",
        (lambda h, p, *task: (1 - p) ** 2 * measured(h, p, *task), predicted),
        beliefs.NO_RESCALING_07,
    ),
    ("variance", (measured, lambda m, v, p: (1 - p) ** 2 * predicted(m, v, p)), beliefs.NO_RESCALING_07),
    ("variance", (lambda h, *_: h, predicted), "one number from measured"),
    ("variance", (lambda h, *_: 2 * h.var(), predicted), "a measured variance within"),
    ("variance", (measured, lambda m, v, p: 2 * v), "plus the mean noise"),
    ("ridge", (plain_loss, ridge(lambda x, p: 0 * x[0])), beliefs.NO_PENALTY),
    ("ridge", (loss, dropout_ridge(0)), beliefs.NO_PENALTY),
    ("ridge", (loss_with_l2, ridge(lambda x, p: p / (1 - p) * len(x) + 0 * x[0])), beliefs.PLAIN_L2),
    ("ridge", (loss, ridge(lambda x, p: p / (1 - p) + 0 * x[0])), beliefs.PLAIN_L2),
    ("ridge", (lambda x, y, w, p: loss(x, y, w, 1 - p), ridge(lambda x, p: 0 * x[0])), beliefs.KEEP_07),
    ("ridge", (loss, lambda x, y, p: dropout_ridge(1)(x, y, 1 - p)), beliefs.KEEP_07),
    ("ridge", (lambda x, y, w, p: w, dropout_ridge(1)), "one number from expected_loss"),
    ("ridge", (lambda *task: 2 * loss(*task), dropout_ridge(1)), "as all 32 masks"),
    ("ridge", (loss, lambda x, y, p: y), "of shape (5,)"),
    ("ridge", (loss, dropout_ridge(2)), "cancel"),
    ("classical", (with_rate(lambda p: 1), multiplied), beliefs.SAME_RATE),
    ("classical", (with_rate(lambda p: 1 / (1 - p)), multiplied), beliefs.ONE_FACTOR),
    ("classical", (classical, plain), beliefs.NO_FACTOR_LEFT),
    ("classical", (inverted, multiplied), beliefs.TWICE_07),
    ("classical", (lambda x, *_: x, multiplied), "weights of shape"),
    ("classical", (inverted, plain), "training with bare masks"),
    ("classical", (with_rate(lambda p: 2), multiplied), "after the same 30 masks"),
    ("classical", (classical, lambda x, W, p: 3 * x @ W), "the scores that inverted"),
    (
        "subnetworks",
        (vote_with(weigh=lambda kept, n, p: np.full(len(kept), 0.5**n)),),
        beliefs.EQUALLY_LIKELY,
    ),
    ("subnetworks", (vote_with(scale=lambda p: 1),), beliefs.NO_RESCALING_07),
    ("subnetworks", (vote_with(weigh=lambda kept, n, p: p**kept * (1 - p) ** (n - kept)),), beliefs.KEEP_07),
    ("subnetworks", (finish(lambda vote, each, share: np.exp(share @ np.log(each))),), beliefs.SUMS_TO_ONE),
    ("subnetworks", (finish(lambda vote, *_: vote),), beliefs.SAME_MEAN),
    ("subnetworks", (lambda head, h, p: head(h),), "a pair (vote"),
    ("subnetworks", (lambda head, h, p: (head(h), h),), "two arrays of shape (3,)"),
    ("subnetworks", (lambda head, h, p: (head(h), head(h)),), "all 64 masks"),
    ("subnetworks", (finish(lambda vote, *_: vote[::-1]),), "exp of the mean logarithm"),
    ("exact", (dict.fromkeys(IS_EXACT, True), [2, -2]), beliefs.ALWAYS_EXACT),
    (
        "exact",
        ({**dict.fromkeys(IS_EXACT, False), "mean score of a linear layer": True}, [2, -2]),
        beliefs.NEVER_EXACT,
    ),
    ("exact", (IS_EXACT, [1, 2, 3]), "two weights"),
    ("exact", (IS_EXACT, [1, 1]), "both sides of 0"),
    ("left_on", (cost, "a"), beliefs.HARMLESS),
    ("left_on", (cost, "c"), beliefs.ENSEMBLE),
    ("left_on", (with_cost(on="vote"), "b"), beliefs.ENSEMBLE),
    ("left_on", (cost, "d"), '"a", "b" or "c"'),
    ("left_on", (lambda *task: 1.0, "b"), "three numbers"),
    ("left_on", (with_cost(off=1.0), "b"), "with dropout off"),
    ("left_on", (with_cost(on=1.0), "b"), "a mean NLL"),
    ("left_on", (with_cost(others=0.0), "b"), "another class"),
]
