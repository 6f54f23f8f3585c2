"""Chapter 12's checks against wrong answers that have no name: each is told what is expected."""

import numpy as np
import pytest

from utils import metrics
from utils.exercises.ch12 import (
    BEST,
    ECE_OF,
    EXERCISES,
    OUTCOME,
    _gain,
    _share,
    _temper,
    _wins,
    best_temperature,
)


def unsafe(logits, temperature):
    powers = np.exp(logits / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


def reported(train, val, test):
    return best_temperature(*val), 1.0


WRONG = [
    ("forecasters", ({**ECE_OF, "shy": 0.4}, "plain"), "for 'shy'"),
    ("forecasters", (ECE_OF, "none"), '"ignorant", "shy" or "plain"'),
    ("ece", (lambda probs, y, num_bins: 0.5,), "an ECE of"),
    ("ece", (lambda probs, y, num_bins: metrics.ece(probs, y, 12),), "in 5 bins"),
    ("temperature", (lambda z, t: z.max(axis=1), best_temperature, 0), "probabilities of shape"),
    ("temperature", (lambda z, t: _temper(z, t + 1), best_temperature, 0), "softmax of the logits"),
    ("temperature", (unsafe, best_temperature, 0), "finite probabilities"),
    ("temperature", (_temper, lambda z, y: 4.0, 0), "T near 2."),
    ("report", (lambda train, val, test: best_temperature(*val),), "a pair"),
    ("report", (lambda train, val, test: (1.9, 1.0),), "does not move when the test labels"),
    ("report", (reported,), "the NLL of the test part"),
    ("wins", (lambda runs, n, score: 0.1, OUTCOME, 0.8), "three differences"),
    ("wins", (lambda *task: -_gain(*task), OUTCOME, 0.8), "of Monte Carlo minus weight scaling"),
    ("wins", (_gain, {**OUTCOME, 2_000: "yes"}, 0.8), '"wins" or "loses"'),
    ("wins", (_gain, {2_000: "loses", 20_000: "loses"}, 0.8), "the sign of the difference"),
    ("wins", _wins(share=0.5)(), "what + T lowers the mean NLL by"),
    ("auroc", (lambda scores, strange: 0.3, BEST), "an AUROC of"),
    ("auroc", (lambda s, strange: metrics.auroc(s, strange) if s.std() else 1.0, BEST), "0.5 for"),
    ("auroc", (metrics.auroc, {**BEST, "errors": "std"}), "one of max probability"),
    ("auroc", (metrics.auroc, {**BEST, "errors": "entropy"}), "the largest mean AUROC for errors"),
]


@pytest.mark.parametrize(("name", "answers", "expected"), WRONG)
def test_a_wrong_answer_is_told_what_is_expected(name, answers, expected):
    problem = EXERCISES[name].check(*answers)
    assert expected in problem.expected and problem.got and not problem.why


def test_the_invented_nets_are_repaired_by_the_temperature_that_spoilt_them():
    from utils.exercises.ch12 import draw_answers

    for sharpness in (0.8, 1.3, 2.5):
        assert best_temperature(*draw_answers(5_000, 3, sharpness)) == pytest.approx(sharpness, rel=0.1)


def test_one_number_gets_most_of_the_gain_in_every_seed():
    assert 0.6 < _share() < 0.95
