"""Answers to chapter 10's exercises: (exercise, answers, the Belief or the clause that the check says)."""

import copy
import math

import numpy as np
import torch

from utils.exercises import beliefs
from utils.exercises.ch10 import RATIO_BELIEFS, ratio, standardise

RELU = ratio(1 / math.sqrt(2 * math.pi), 0.5 - 1 / (2 * math.pi), 0.2)
FOOLED = {"A": 0, "B": 1, "C": 1, "D": 0, "E": 2}


def update(running_mean, running_var, batch, momentum, new_share=lambda momentum: momentum, ddof=1):
    """The new pair as PyTorch computes it; `new_share` and `ddof` for those who do it otherwise."""
    new = new_share(momentum)
    return (
        (1 - new) * running_mean + new * batch.mean(axis=0),
        (1 - new) * running_var + new * batch.var(axis=0, ddof=ddof),
    )


def in_place(running_mean, *others):
    new = update(running_mean, *others)
    running_mean[:] = new[0]
    return new


def prepare(change_train=lambda x: x, change_test=lambda x: x):
    """The right tables, changed."""
    return lambda x, x_test: (change_train(standardise(x, x)), change_test(standardise(x_test, x)))


def prepare_all(x_train, x_test):
    rows = np.vstack([x_train, x_test])
    return standardise(x_train, rows), standardise(x_test, rows)


def no_care_for_constants(x_train, x_test):
    return tuple((x - x_train.mean(axis=0)) / x_train.std(axis=0) for x in (x_train, x_test))


def cut(order, size):
    """The indices in pieces of `size`, the last one shorter."""
    return [order[k : k + size] for k in range(0, len(order), size)]


def pieces(change):
    """Batches of a shuffled order that `change(order, size)` makes."""
    return lambda n, size, rng: change(rng.permutation(n), size)


def leave_last(n, size, rng):
    return cut(rng.permutation(n - 1 if n % size == 1 else n), size)


def merge_the_last(order, size):
    batches = cut(order, size)
    return batches if len(batches[-1]) > 1 else [*batches[:-2], np.concatenate(batches[-2:])]


def unshuffled(n, size, rng):
    return merge_the_last(np.arange(n), size)


def with_an_empty_batch(order, size):
    return [*merge_the_last(order, size), order[:0]]


def audit(loop, net, x, state=lambda net: [*net.state_dict().values()], seed=True):
    """(moved, company, random) of a loop, on copies of the net."""
    copies = [copy.deepcopy(net) for _ in range(2)]
    others = torch.cat([x[:1], x[1:] + 3])
    before = [value.clone() for value in state(copies[0])]
    found = []
    for one, rows in zip(copies, (x, others), strict=True):
        if seed:
            torch.manual_seed(0)
        found.append(loop(one, rows, 5))
    moved = any(not torch.equal(a, b) for a, b in zip(before, state(copies[0]), strict=True))
    return (
        moved,
        not torch.allclose(found[0][:, 0], found[1][:, 0], atol=1e-6),
        not torch.equal(found[0][0], found[0][1]),
    )


def audit_with(change=lambda found: found, **how):
    return lambda loop, net, x: tuple(change(list(audit(loop, net, x, **how))))


def answering(position, value):
    """The right audit with one of its answers replaced."""
    return audit_with(lambda found: [*found[:position], value, *found[position + 1 :]])


def random_turned_round(found):
    return [*found[:2], not found[2]]


def on_the_net_itself(loop, net, x):
    found = audit(loop, net, x)
    loop(net, x, 2)
    return found


RIGHT = [
    ("batches", (pieces(merge_the_last),)),  # the lonely example may join the batch before it
    ("running", (update, 0.01)),
    ("scaler", (prepare(),)),
    ("fooled", (FOOLED,)),
    ("audit", (audit, "b")),
]
WRONG = [
    ("ratio", (RATIO_BELIEFS[beliefs.SAME_VARIANCE_10], 1), beliefs.SAME_VARIANCE_10),
    ("ratio", (RATIO_BELIEFS[beliefs.ONLY_Q], 0.8), beliefs.ONLY_Q),
    ("ratio", (RATIO_BELIEFS[beliefs.KEEP], RELU), beliefs.KEEP),
    ("ratio", (lambda mean, variance, p: 1 / ratio(mean, variance, p), RELU), "the variance without"),
    ("ratio", (lambda *point: point, RELU), "a number from variance_ratio"),
    ("ratio", (ratio, 0.8), "mean 1/sqrt(2 pi)"),
    (
        "running",
        (lambda *old: update(*old, new_share=lambda momentum: 1 - momentum), 0.01),
        beliefs.OLD_SHARE,
    ),
    ("running", (update, 0.99), beliefs.OLD_SHARE),
    ("running", (lambda *old: update(*old, ddof=0), 0.01), beliefs.BIASED_VARIANCE),
    ("running", (lambda *old: 1.0, 0.01), "a pair (running mean"),
    ("running", (in_place, 0.01), "arguments that stay"),
    ("running", (lambda m, v, batch, share: (m, v), 0.01), "a running mean of"),
    ("running", (lambda m, v, *batch: (update(m, v, *batch)[0], v), 0.01), "a running variance of"),
    ("running", (update, 0.1), "1 minus the share of the old"),
    ("scaler", (prepare_all,), beliefs.LEAK),
    ("scaler", (lambda *parts: tuple(standardise(part, part) for part in parts),), beliefs.OWN_SCALER),
    ("scaler", (lambda x_train, x_test: x_train,), "a pair (x_train, x_test)"),
    ("scaler", (prepare(change_train=lambda x: 2 * x),), "mean 0 and standard deviation 1"),
    ("scaler", (prepare(change_test=lambda x: x + 1),), "measured with the training part's numbers"),
    ("scaler", (no_care_for_constants,), "0 in a column that is constant"),
    ("batches", (pieces(cut),), beliefs.BATCH_OF_ONE),
    ("batches", (leave_last,), beliefs.SAME_ONE),
    ("batches", (unshuffled,), "another order in every epoch"),
    ("batches", (pieces(lambda order, size: cut(order % 60, size)),), "each at most once"),
    ("batches", (pieces(lambda order, size: [order]),), "no batch with more than 16 + 1"),
    ("batches", (pieces(lambda order, size: cut(order[:60], size)),), "at most one of 65 examples"),
    ("batches", (pieces(with_an_empty_batch),), "batches of two or more"),
    ("fooled", ({**FOOLED, "C": 0},), beliefs.ONE_ORDER),
    ("fooled", ({**FOOLED, "E": 1},), beliefs.HANDED_ON),
    ("fooled", ({**FOOLED, "B": 0},), "for B: the number of batch norms"),
    ("audit", (audit_with(state=lambda net: [*net.parameters()]), "b"), beliefs.WEIGHTS_ONLY),
    ("audit", (audit_with(seed=False), "b"), beliefs.UNSEEDED),
    ("audit", (audit, "a"), beliefs.MC_TRAIN_10),
    ("audit", (audit, "c"), beliefs.PUT_BACK),
    ("audit", (lambda loop, net, x: True, "b"), "three answers"),
    ("audit", (on_the_net_itself, "b"), "leaves its net as it was"),
    ("audit", (answering(0, False), "b"), "moved = True for a loop with everything"),
    ("audit", (answering(1, True), "b"), "company = False for a loop with the dropout modules alone"),
    ("audit", (audit_with(random_turned_round), "b"), "random = True"),
    ("audit", (audit, "d"), "the loop that moves nothing"),
]
