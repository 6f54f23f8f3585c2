"""Chapter 10's checks against wrong answers that have no name: each is told what is expected."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from utils.exercises import ch10  # noqa: E402
from utils.exercises.ch10 import (  # noqa: E402
    EXERCISES,
    FOOLED,
    RELU,
    audit_right,
    cut,
    right_ratio,
    update_right,
    variance_ratios,
)


def in_place(running_mean, running_var, batch, momentum):
    new = update_right(running_mean, running_var, batch, momentum)
    running_mean[:] = new[0]
    return new


def prepare(change_train=lambda x: x, change_test=lambda x: x):
    """The right tables, changed."""

    def right(x_train, x_test):
        parts = (ch10._standardise(x, x_train) for x in (x_train, x_test))
        return tuple(change(x) for change, x in zip((change_train, change_test), parts, strict=True))

    return right


def no_care_for_constants(x_train, x_test):
    return tuple((x - x_train.mean(axis=0)) / x_train.std(axis=0) for x in (x_train, x_test))


def pieces(change):
    """Batches of a shuffled order that `change(order, size)` makes."""
    return lambda n, size, rng: change(rng.permutation(n), size)


def merge_the_last(order, size):
    batches = cut(order, size)
    return batches if len(batches[-1]) > 1 else [*batches[:-2], np.concatenate(batches[-2:])]


def unshuffled(n, size, rng):
    return merge_the_last(np.arange(n), size)


def with_an_empty_batch(order, size):
    return [*merge_the_last(order, size), order[:0]]


def changes(position, value=None):
    """The right audit with one of its answers turned round."""

    def audit(loop, net, x):
        found = list(audit_right(loop, net, x))
        found[position] = not found[position] if value is None else value
        return tuple(found)

    return audit


def on_the_net_itself(loop, net, x):
    found = audit_right(loop, net, x)
    loop(net, x, 2)
    return found


WRONG = [
    ("ratio", (lambda mean, variance, p: 1 / right_ratio(mean, variance, p), RELU), "the variance without"),
    ("ratio", (right_ratio, 0.8), "mean 1/sqrt(2 pi)"),
    ("running", (lambda *old: 1.0, 0.01), "a pair (running mean"),
    ("running", (in_place, 0.01), "arguments that stay"),
    ("running", (lambda m, v, batch, share: (m, v), 0.01), "a running mean of"),
    ("running", (lambda m, v, b, share: (update_right(m, v, b, share)[0], v), 0.01), "a running variance of"),
    ("running", (update_right, 0.1), "1 minus the share of the old"),
    ("scaler", (lambda x_train, x_test: x_train,), "a pair (x_train, x_test)"),
    ("scaler", (prepare(change_train=lambda x: 2 * x),), "mean 0 and standard deviation 1"),
    ("scaler", (prepare(change_test=lambda x: x + 1),), "measured with the training part's numbers"),
    ("scaler", (no_care_for_constants,), "0 in a column that is constant"),
    ("batches", (unshuffled,), "another order in every epoch"),
    ("batches", (pieces(lambda order, size: cut(order % 60, size)),), "each at most once"),
    ("batches", (pieces(lambda order, size: [order]),), "no batch with more than 16 + 1"),
    ("batches", (pieces(lambda order, size: cut(order[:60], size)),), "at most one of 65 examples"),
    ("batches", (pieces(with_an_empty_batch),), "batches of two or more"),
    ("orders", ({**FOOLED, "B": 0}, "together"), "for B: the number of batch norms"),
    ("orders", (FOOLED, "no clear difference"), "one of together, cure"),
    ("audit", (lambda loop, net, x: True, "b"), "three answers"),
    ("audit", (on_the_net_itself, "b"), "leaves its net as it was"),
    ("audit", (changes(0, False), "b"), "moved = True for a loop with everything"),
    ("audit", (changes(1, True), "b"), "company = False for a loop with the dropout modules alone"),
    ("audit", (changes(2), "b"), "random = True"),
    ("audit", (audit_right, "d"), "the loop that moves nothing"),
]


@pytest.mark.parametrize(("name", "answers", "expected"), WRONG)
def test_a_wrong_answer_is_told_what_is_expected(name, answers, expected):
    problem = EXERCISES[name].check(*answers)
    assert expected in problem.expected and problem.got and not problem.why


def test_the_lonely_example_may_join_the_batch_before_it():
    assert EXERCISES["batches"].check(pieces(merge_the_last)) is None


@pytest.mark.parametrize("name", FOOLED)
def test_no_variance_ratio_is_near_the_limit_that_tells_them_apart(name):
    assert not any(0.7 < ratio < 0.95 for ratio in variance_ratios(ch10.LAYERS[name]))
