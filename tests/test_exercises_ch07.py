"""Chapter 07's checks against wrong answers that have no name: each is told what is expected."""

import numpy as np
import pytest

from utils.exercises.ch07 import (
    EXERCISES,
    IS_EXACT,
    finish,
    multiplied,
    passes_with_dropout,
    ridge,
    right_cost,
    right_loss,
    right_measured,
    right_rate,
    train,
    vote_with,
    with_rate,
)


def predicted(mean, variance, p):
    return variance / (1 - p) + mean**2 * p / (1 - p)


def dropout_ridge(factor):
    return ridge(lambda X, p: factor * p / (1 - p) * (X**2).sum(axis=0))


def inverted(X, Y, masks, p, lr):
    return train(X, Y, masks, lr, 1 / (1 - p))


def plain(X, W, p):
    return X @ W


def with_cost(**changed):
    def cost(*task):
        answer = dict(zip(("off", "on", "others"), right_cost(*task), strict=True))
        return tuple((answer | changed).values())

    return cost


right_classical = with_rate(right_rate)
WRONG = [
    ("variance", (lambda h, *_: h, predicted), "one number from measured"),
    ("variance", (lambda h, *_: 2 * h.var(), predicted), "a measured variance of"),
    ("variance", (right_measured, lambda m, v, p: 2 * v), "plus the mean noise"),
    ("ridge", (lambda X, y, w, p: w, dropout_ridge(1)), "one number from expected_loss"),
    ("ridge", (lambda *task: 2 * right_loss(*task), dropout_ridge(1)), "as all 32 masks"),
    ("ridge", (right_loss, lambda X, y, p: y), "weights of shape (5,)"),
    ("ridge", (right_loss, dropout_ridge(2)), "cancel"),
    ("classical", (lambda X, *_: X, multiplied), "weights of shape"),
    ("classical", (inverted, plain), "training with bare masks"),
    ("classical", (with_rate(lambda p: 2), multiplied), "after the same 30 masks"),
    ("classical", (right_classical, lambda X, W, p: 3 * X @ W), "the scores that inverted"),
    ("subnetworks", (lambda head, h, p: head(h),), "a pair (vote"),
    ("subnetworks", (lambda head, h, p: (head(h), h),), "two arrays of shape (3,)"),
    ("subnetworks", (lambda head, h, p: (head(h), head(h)),), "all 64 masks"),
    ("subnetworks", (finish(lambda vote, *_: vote[::-1]),), "exp of the mean logarithm"),
    ("exact", (IS_EXACT, [1, 2, 3]), "two weights"),
    ("exact", (IS_EXACT, [1, 1]), "both sides of 0"),
    ("left_on", (right_cost, "d"), "one of the letters"),
    ("left_on", (lambda *task: 1.0, "b"), "three numbers"),
    ("left_on", (with_cost(off=1.0), "b"), "with dropout off"),
    ("left_on", (with_cost(on=1.0), "b"), "a mean NLL"),
    ("left_on", (with_cost(others=0.0), "b"), "another class"),
]


@pytest.mark.parametrize(("name", "answers", "expected"), WRONG)
def test_a_wrong_answer_is_told_what_is_expected(name, answers, expected):
    problem = EXERCISES[name].check(*answers)
    assert expected in problem.expected and problem.got and not problem.why


@pytest.mark.parametrize(
    ("name", "wrong", "words"),
    [
        ("ridge", (right_loss, dropout_ridge(0)), "The mean prediction is kept"),
        ("ridge", (right_loss, lambda X, y, p: dropout_ridge(1)(X, y, 1 - p)), "the probability to DROP"),
    ],
)
def test_a_belief_that_shows_in_the_second_function_alone_is_met_as_well(name, wrong, words):
    assert words in EXERCISES[name].check(*wrong).why


def test_right_answers_pass():
    assert EXERCISES["variance"].check(right_measured, predicted) is None
    assert EXERCISES["ridge"].check(right_loss, dropout_ridge(1)) is None
    assert EXERCISES["classical"].check(right_classical, multiplied) is None
    assert EXERCISES["subnetworks"].check(vote_with()) is None
    assert EXERCISES["exact"].check(IS_EXACT, [-3, 2]) is None
    assert EXERCISES["left_on"].check(right_cost, "b") is None


def test_a_pass_with_dropout_on_is_clearly_worse_than_the_vote():
    passes, vote = passes_with_dropout()
    assert passes[:, 0].mean() > vote + 0.05 and np.isfinite(passes).all()
