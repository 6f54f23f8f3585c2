"""Answers to chapter 09's exercises: (exercise, answers, the Belief or the clause that the check says)."""

import math
from itertools import pairwise

import numpy as np
from scipy import stats
from torch import nn

from utils.exercises import beliefs
from utils.exercises.ch09 import ACTIVATIONS, SIZES, P, Q, better_order, same_in_both_orders
from utils.measured import load_results
from utils.metrics import softmax

SAME = {name: same_in_both_orders(g) for name, g in ACTIVATIONS.items()}
SIGMOID = P * 0.5 + Q / (1 + math.exp(-2 / Q))
SURE = P**2 * math.log(2)


def build(sizes, drop_prob, on_output=False, activation=nn.ReLU):
    """Linear layers with ReLU and dropout between them; `on_output` also drops the logits."""
    layers = []
    for num_in, num_out in pairwise(sizes):
        layers += [nn.Linear(num_in, num_out), activation(), nn.Dropout(drop_prob)]
    return nn.Sequential(*layers[:-2], *([nn.Dropout(drop_prob)] if on_output else []))


def with_inputs_dropped(sizes, p):
    return nn.Sequential(nn.Dropout(p), *build(sizes, p))


def with_relu_on_logits(sizes, p):
    return nn.Sequential(*build(sizes, p), nn.ReLU())


def run(h, xs, u, W, factor):
    for x in xs:
        h = u * h + (1 - u) * np.tanh((h * factor) @ W + x)
    return h


def run_masked(h, xs, u, W, factor):
    for x in xs:
        h = h * factor
        h = u * h + (1 - u) * np.tanh(h @ W + x)
    return h


def mask_after_w(h, xs, u, W, factor):
    for x in xs:
        h = u * h + (1 - u) * np.tanh((h @ W) * factor + x)
    return h


def masked_once(h, xs, u, W, factor):
    for step, x in enumerate(xs):
        h = u * h + (1 - u) * np.tanh((h if step else h * factor) @ W + x)
    return h


def attend(change=lambda keep, p, rng: keep / (1 - p), drop=lambda scores, factor: softmax(scores) * factor):
    """Attention with another factor of its weights, change(keep, p, rng), or with the factor elsewhere."""

    def function(scores, values, p, rng):
        return drop(scores, change(rng.random(scores.shape) >= p, p, rng)) @ values

    return function


def renormalised(scores, factor):
    weights = softmax(scores) * factor
    with np.errstate(all="ignore"):
        return weights / weights.sum(axis=1, keepdims=True)


def one_mask(keep, p, rng):
    return keep[:1] / (1 - p)


def one_mask_for_ever(keep, p, rng):
    return (np.random.default_rng(0).random(keep.shape) >= p) / (1 - p)


def query_by_query(keep, p, rng):
    """All keys of a query share one coin."""
    return (rng.random((len(keep), 1)) >= p) / (1 - p) * np.ones_like(keep)


def over_queries(scores, values, p, rng):
    return attend()(scores.T, np.eye(len(scores)), 0, rng).T @ values


def stopped_nlls(runs, order, num_seeds=None):
    """{seed: NLL, stopped} of the runs with this order."""
    found = {run["seed"]: run["stopped_nll"] for run in runs if run["order"] == order}
    return dict(sorted(found.items())[:num_seeds])


def interval(values, times=None):
    """(mean, low, high): so many standard errors, or Student's t."""
    n = len(values)
    times = stats.t.ppf(0.975, n - 1) if times is None else times
    half = times * np.std(values, ddof=1) / n**0.5
    return np.mean(values), np.mean(values) - half, np.mean(values) + half


def by_pairs(change=interval, num_seeds=None):
    """difference with another rule for the interval of the paired differences."""

    def difference(runs, first, second):
        a, b = (stopped_nlls(runs, order, num_seeds) for order in (first, second))
        return change(np.array([a[seed] - b[seed] for seed in a]))

    return difference


def unpaired(runs, first, second):
    a, b = (np.array([*stopped_nlls(runs, order).values()]) for order in (first, second))
    mean, half = a.mean() - b.mean(), stats.t.ppf(0.975, 10) * math.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 6)
    return mean, mean - half, mean + half


def as_they_lie(runs, first, second):
    """Pairs by their place in the list."""
    a, b = (np.array([run["stopped_nll"] for run in runs if run["order"] == s]) for s in (first, second))
    return interval(a - b)


paired = by_pairs()
STORED = load_results("09_where")["order"]
BETTER = {size: better_order(STORED, size) for size in SIZES}
FEW, MANY = SIZES


RIGHT = [
    ("order", (SAME,)),
    ("mean", (SIGMOID,)),
    ("output", (SURE, build)),
    ("memory", (run,)),
    ("attention", (1, 0.36, attend())),
    ("swapped", (paired, BETTER)),
]
WRONG = [
    ("order", (dict.fromkeys(ACTIVATIONS, True),), beliefs.ORDER_IRRELEVANT),
    ("order", ({**SAME, "tanh(z)": True},), beliefs.ZERO_ENOUGH),
    ("order", ({**SAME, "relu(z)": False},), beliefs.ALWAYS_AFTER),
    ("mean", (Q / (1 + math.exp(-2 / Q)),), beliefs.STILL_TALKS),
    ("mean", (1 / (1 + math.exp(-2)),), beliefs.MEAN_KEPT),
    ("mean", (0.7 * 0.5 + 0.3 / (1 + np.exp(-2 / 0.3)),), beliefs.KEEP),
    ("order", ({**SAME, "|z|": False},), "for |z|: True if"),
    ("order", ({**SAME, "min(relu(z), 6)": True},), "for min(relu(z), 6): True if"),
    ("mean", (0.5,), "p times sigmoid(0)"),
    ("output", (SURE, lambda sizes, p: build(sizes, p, on_output=True)), beliefs.ON_THE_OUTPUT),
    ("output", (0, build), beliefs.NO_FLOOR),
    ("output", (Q**2 * math.log(2), build), beliefs.KEEP),
    ("output", (SURE, lambda sizes, p: build(sizes, 1 - p)), beliefs.KEEP),
    ("output", (0.3, build), "both logits are dropped"),
    ("output", (SURE, lambda sizes, p: build(sizes[:-1], p)), "3 linear layers"),
    ("output", (SURE, lambda sizes, p: build(sizes, p, activation=nn.Identity)), "a ReLU after each"),
    ("output", (SURE, with_relu_on_logits), "the last layer's outputs as they are"),
    ("output", (SURE, with_inputs_dropped), "the inputs as they come"),
    ("output", (SURE, lambda sizes, p: build(sizes, 0)), "after hidden layer 1"),
    ("neighbours", (4 * 4 / 49, 16, 40, 400), beliefs.KEEP),
    ("neighbours", (1, 1, 2.5, 25), beliefs.PIXELS_09),
    ("neighbours", (1 / 49, 1, 2.5, 2.5), beliefs.TIED_MASK),
    ("neighbours", ("1/49", 1, 2.5, 25), "for pixels: a variance of one term"),
    ("neighbours", (0.02, 3, 2.5, 25), "for channel: the variance of one factor"),
    ("neighbours", (0.02041, 1, 3, 25), "for fresh: T times"),
    ("memory", (run_masked,), beliefs.CARRIED_STATE),
    (
        "memory",
        (lambda h, xs, u, W, factor: run_masked(h, xs, u, W, factor > 0),),
        beliefs.RESCALING_EXPLODES,
    ),
    ("memory", (lambda h, xs, u, W, factor: run(h, xs, u, W, 1),), beliefs.NO_DROPOUT),
    ("memory", (lambda h, xs, u, W, factor: h[:5],), "a state of shape"),
    ("memory", (lambda h, xs, u, W, factor: h / 2,), "the state with which it began"),
    ("memory", (mask_after_w,), "tanh((h * factor) @ W + x)"),
    ("memory", (masked_once,), "the same rule at every one"),
    ("attention", (1, 0, attend()), beliefs.SUM_KEPT),
    ("attention", (1, 0.36, attend(drop=renormalised)), beliefs.SUM_KEPT),
    (
        "attention",
        (1, 0.36, attend(drop=lambda scores, factor: softmax(scores * factor))),
        beliefs.MASKED_SCORES,
    ),
    ("attention", (1, 0.36, attend(one_mask)), beliefs.ONE_MASK_09),
    ("attention", (1, 1.4422, attend()), beliefs.KEEP),
    ("attention", (1, 0.36, attend(lambda keep, p, rng: ~keep / p if p else 1)), beliefs.KEEP),
    ("attention", (0.8, 0.36, attend()), "the sum of a_j E[m_j]"),
    ("attention", (1, 0.13, attend()), "the root of p/(1-p)"),
    ("attention", (1, 0.36, attend(query_by_query)), "a draw for each pair of query and key"),
    ("attention", (1, 0.36, attend(one_mask_for_ever)), "another mask from another state"),
    ("attention", (1, 0.36, over_queries), "softmax over the keys"),
    ("attention", (1, 0.36, attend(lambda keep, p, rng: 1)), "some weights dropped"),
    ("attention", (1, 0.36, attend(lambda keep, p, rng: keep if p else 1)), "kept weights times 1.43"),
    (
        "attention",
        (1, 0.36, attend(lambda keep, p, rng: (rng.random(keep.shape) >= 0.5) * 2 if p else 1)),
        "a share 0.3 of weights",
    ),
    ("swapped", (paired, {**BETTER, FEW: "advice"}), beliefs.LOWER_FIRST),
    ("swapped", (paired, {**BETTER, FEW: "swapped"}), beliefs.LATE_LEADS),
    ("swapped", (paired, {**BETTER, MANY: "swapped"}), beliefs.LATE_LEADS),
    ("swapped", (unpaired, BETTER), beliefs.UNPAIRED_09),
    ("swapped", (as_they_lie, BETTER), beliefs.UNPAIRED_09),
    ("swapped", (by_pairs(lambda gains: (gains[0], 0, 1)), BETTER), beliefs.ONE_RUN_09),
    ("swapped", (by_pairs(lambda gains: interval(gains, 2)), BETTER), beliefs.NORMAL_09),
    ("swapped", (by_pairs(lambda gains: interval(gains, 1)), BETTER), beliefs.NORMAL_09),
    ("swapped", (lambda *task: 0.03, BETTER), "three numbers (mean, low, high)"),
    ("swapped", (by_pairs(lambda gains: interval(-gains)), BETTER), "for first minus second"),
    ("swapped", (by_pairs(lambda gains: interval(gains, 10)), BETTER), "5 degrees of freedom"),
    (
        "swapped",
        (by_pairs(lambda gains: (*interval(gains)[:1], 0, interval(gains)[2])), BETTER),
        "a lower end",
    ),
    ("swapped", (paired, {**BETTER, FEW: "both"}), "for 500 images: one of"),
    ("swapped", (paired, {**BETTER, MANY: "both"}), "for 2000 images: one of"),
]
