"""Chapter 01's checks against wrong answers that have no name: each is told what is expected."""

import numpy as np
import pytest

from utils import scratch
from utils.data import load_fashion_mnist
from utils.exercises.ch01 import (
    EXERCISES,
    RECORDED,
    _by_range,
    _cost,
    _gap_function,
    _measure,
    _report,
    load_images,
)
from utils.metrics import accuracy, nll, softmax


def naive(logits_train, y_train, logits_held, y_held):
    """Right for small logits; overflows for large ones."""

    def cost(logits, y):
        with np.errstate(all="ignore"):
            probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return -np.log(probs[np.arange(len(y)), y]).mean()

    gap = accuracy(logits_train, y_train) - accuracy(logits_held, y_held)
    return gap, cost(logits_held, y_held) - cost(logits_train, y_train)


def doubled(*answers):
    return tuple(2 * gap for gap in _gap_function(_cost)(*answers))


def turned(*task):
    return -_report(False)(*task)


def one_class(logits, y, factor):
    """The mean probability of class 0 in the place of the confidence."""
    right = _measure(logits, y, factor)
    return right[0], 0.5 * right[1], right[2]


def by_median(a, b):
    return "a" if sorted(a)[1] < sorted(b)[1] else "b"


WRONG = [
    ("noise", (1, 0.25, "higher"), '"above", "equal" or "below"'),
    ("noise", (0.6, 0.25, "above"), "what 269,322 weights can do"),
    ("noise", (1, 0.1, "above"), "a guess among four classes"),
    ("noise", (1, 0.25, "below"), "sure, and wrong three times of four"),
    ("calibration", (0.26,), "times the bin's share"),
    ("gaps", (lambda *answers: 0.1,), "a pair of numbers"),
    ("gaps", (doubled,), "a gap in accuracy of"),
    ("gaps", (naive,), "after 1,000 was added"),
    ("report", (_report(False), "d"), "one of the letters"),
    ("report", (lambda *task: 0.1, "b"), "trained for one epoch"),
    ("report", (turned, "b"), "both piles measured alike"),
    ("sure", (_measure, 0.7), "one of the factors"),
    ("sure", (lambda logits, y, factor: 0.8, 0.5), "three numbers"),
    ("sure", (one_class, 0.5), "mean confidence"),
    ("sure", (_measure, 2), "the lowest"),
    ("seeds", (lambda a, b: "unclear", "unclear", "b"), '"a" for'),
    ("seeds", (by_median, "unclear", "b"), "the ranges overlap"),
    ("seeds", (_by_range, "a", "b"), "about the errors"),
    ("seeds", (_by_range, "unclear", "unclear"), "about the NLL"),
]


@pytest.mark.parametrize(("name", "answers", "expected"), WRONG)
def test_a_wrong_answer_is_told_what_is_expected(name, answers, expected):
    problem = EXERCISES[name].check(*answers)
    assert expected in problem.expected and problem.got and not problem.why


def test_a_net_that_learnt_random_labels_is_surer_than_it_may_be():
    rng = np.random.default_rng(0)
    x, x_held = load_images()[0][:200], load_images()[2]
    y, y_held = rng.integers(4, size=len(x)), rng.integers(4, size=len(x_held))
    net = scratch.init_he((784, 64, 4), rng)
    for _ in range(150):
        scratch.train_epoch(net, x, y, (0,), 50, 0.1, rng)
    logits = scratch.forward_eval(net, x_held)
    assert accuracy(scratch.forward_eval(net, x), y) > 0.95
    assert abs(accuracy(logits, y_held) - 0.25) < 5 * np.sqrt(0.25 * 0.75 / len(y_held))
    assert _cost(logits, y_held) > np.log(4) + 0.3


@pytest.mark.parametrize(("name", "drop_prob"), [("without", 0.0), ("with", 0.5)])
def test_the_recorded_runs_are_such_as_the_chapters_nets_give(name, drop_prob):
    """Seed 0 again: within the range of the three seeds, widened by its own width on both sides."""
    data = load_fashion_mnist(num_val=2_000)
    x_all, x_val = (x.reshape(-1, 784) for x in (data.x_train, data.x_val))
    small = np.random.default_rng(1).permutation(len(x_all))[:1_000]
    rng = np.random.default_rng(0)
    params = scratch.init_he((784, 256, 256, 10), rng)
    for _ in range(80):
        scratch.train_epoch(params, x_all[small], data.y_train[small], (drop_prob,) * 2, 50, 0.05, rng)
    probs = softmax(scratch.forward_eval(params, x_val))
    found = {"error": 1 - accuracy(probs, data.y_val), "NLL": nll(probs, data.y_val)}
    for measure, value in found.items():
        runs = RECORDED[f"{measure} {name}"]
        width = max(runs) - min(runs)
        assert min(runs) - width <= value <= max(runs) + width, (measure, value)
