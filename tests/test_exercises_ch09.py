"""Chapter 09's checks against wrong answers that have no name: each is told what is expected."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from utils.exercises import ch09  # noqa: E402
from utils.exercises.ch09 import (  # noqa: E402
    BETTER,
    EXERCISES,
    SIGMOID,
    SURE,
    attend_right,
    build,
    losses_after_training,
    paired,
    softmax,
)

RIGHT = ch09._believe()


def attend(change):
    """Attention with the factor of its weights changed by change(keep, p, rng)."""
    return lambda scores, values, p, rng: (
        (softmax(scores) * change(rng.random(scores.shape) >= p, p, rng)) @ values
    )


def over_queries(scores, values, p, rng):
    return attend_right(scores.T, np.eye(len(scores)), 0, rng).T @ values


def mask_after_w(h, xs, u, W, factor):
    for x in xs:
        h = u * h + (1 - u) * np.tanh((h @ W) * factor + x)
    return h


def masked_once(h, xs, u, W, factor):
    for step, x in enumerate(xs):
        h = u * h + (1 - u) * np.tanh((h if step else h * factor) @ W + x)
    return h


def with_inputs_dropped(sizes, p):
    return nn.Sequential(nn.Dropout(p), *build(sizes, p))


def with_relu_on_logits(sizes, p):
    return nn.Sequential(*build(sizes, p), nn.ReLU())


def moments(mean=lambda gains: gains.mean(), error=lambda gains: gains.std(ddof=1) / len(gains) ** 0.5):
    """difference with another rule for the mean or the standard error."""

    def difference(runs, first, second):
        a, b = (ch09.last_nlls(runs, setting) for setting in (first, second))
        gains = np.array([a[seed] - b[seed] for seed in a])
        return mean(gains), error(gains)

    return difference


def query_by_query(keep, p, rng):
    """All keys of a query share one coin."""
    return (rng.random((len(keep), 1)) >= p) / (1 - p) * np.ones_like(keep)


def one_mask_for_ever(keep, p, rng):
    return (np.random.default_rng(0).random(keep.shape) >= p) / (1 - p)


WRONG = [
    ("order", ({**RIGHT, "|z|": False}, SIGMOID), "for |z|: True if"),
    ("order", ({**RIGHT, "min(relu(z), 6)": True}, SIGMOID), "for min(relu(z), 6): True if"),
    ("order", (RIGHT, 0.5), "p times sigmoid(0)"),
    ("output", (0.3, build), "both logits are dropped"),
    ("output", (SURE, lambda sizes, p: build(sizes[:-1], p)), "3 linear layers"),
    ("output", (SURE, lambda sizes, p: build(sizes, p, activation=nn.Identity)), "a ReLU after each"),
    ("output", (SURE, with_relu_on_logits), "the last layer's outputs as they are"),
    ("output", (SURE, with_inputs_dropped), "the inputs as they come"),
    ("output", (SURE, lambda sizes, p: build(sizes, 0)), "after hidden layer 1"),
    ("neighbours", (0.02, 3, 2.5, 25), "for channel: the variance of one factor"),
    ("neighbours", (0.02041, 1, 3, 25), "for fresh: T times"),
    ("memory", (lambda h, xs, u, W, factor: h[:5],), "a state of shape"),
    ("memory", (lambda h, xs, u, W, factor: h / 2,), "the state with which it began"),
    ("memory", (mask_after_w,), "tanh((h * factor) @ W + x)"),
    ("memory", (masked_once,), "the same rule at every one"),
    ("attention", (0.8, 0.36, attend_right), "the sum of a_j E[m_j]"),
    ("attention", (1, 0.13, attend_right), "the root of p/(1-p)"),
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
    ("swapped", (lambda *task: 0.03, BETTER), "a pair (mean, standard error)"),
    ("swapped", (moments(mean=lambda gains: -gains.mean()), BETTER), "for first minus second"),
    ("swapped", (moments(error=lambda gains: gains.std(ddof=1)), BETTER), "over the root of 6"),
    ("swapped", (moments(error=lambda gains: gains.std() / 6**0.5), BETTER), "with n - 1"),
    ("swapped", (moments(error=lambda gains: 1.0), BETTER), "over the root of 6"),
    ("swapped", (paired, {**BETTER, "2,000 images": "no clear difference"}), "for 2,000 images: one of"),
    ("swapped", (paired, {**BETTER, "60,000 images": "both"}), "for 60,000 images: one of"),
]


@pytest.mark.parametrize(("name", "answers", "expected"), WRONG)
def test_a_wrong_answer_is_told_what_is_expected(name, answers, expected):
    problem = EXERCISES[name].check(*answers)
    assert expected in problem.expected and problem.got and not problem.why


def swapped_p(sizes, p):
    return build(sizes, 1 - p)


KEPT = [
    ("order", (RIGHT, 0.7 * 0.5 + 0.3 / (1 + np.exp(-2 / 0.3)))),
    ("output", (SURE, swapped_p)),
    ("attention", (1, 1.4422, attend_right)),
    ("attention", (1, 0.36, attend(lambda keep, p, rng: (rng.random(keep.shape) < p) / 0.3 if p else 1))),
]


@pytest.mark.parametrize(("name", "answers"), KEPT)
def test_p_as_the_keep_probability_is_named(name, answers):
    assert EXERCISES[name].check(*answers).why == ch09.KEEP


def test_pairs_by_their_place_in_the_list_are_not_pairs():
    def as_they_lie(runs, first, second):
        a, b = (np.array([r["nll"][-1] for r in runs if r["drop_probs"] == s]) for s in (first, second))
        return (a - b).mean(), (a - b).std(ddof=1) / len(a) ** 0.5

    assert EXERCISES["swapped"].check(as_they_lie, BETTER).why == ch09.UNPAIRED


def test_a_loss_that_stays_in_training_mode_goes_without_the_dropout_on_the_output():
    with_it, in_eval = losses_after_training(lambda sizes, p: build(sizes, p, on_output=True))
    without_it, _ = losses_after_training(build)
    assert with_it > 0.05 > 0.01 > without_it and in_eval < 0.001
