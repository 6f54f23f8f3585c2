"""Chapter 11's checks against wrong answers that have no name: each is told what is expected."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from utils import metrics  # noqa: E402
from utils.exercises.ch11 import (  # noqa: E402
    EXERCISES,
    SWITCHES,
    _dropout_alone,
    _loop,
    _ridge,
    _right_fit,
    _right_impossible,
    _right_nll,
    _right_spread,
    _right_summary,
)


def batch_statistics(model):
    """Dropout on, and batch norm with the batch's statistics, without moving its own."""
    _dropout_alone(model)
    model[1].track_running_stats = False
    model[1].train()
    model[1].running_mean, model[1].running_var = None, None


def another_p(model):
    _dropout_alone(model)
    model[3].p = 0.5


right = {situation: value for situation, (value, _) in SWITCHES.items()}
mi = metrics.mutual_information
WRONG = [
    ("switches", ({**right, "Keras: net(x, training=True)": False},), "as a run shows it"),
    ("loop", (lambda *task: _loop()(*task)[1:],), "an array of shape (400, 8, 3)"),
    ("loop", (_loop(switch=batch_statistics),), "within 5 standard errors"),
    ("loop", (_loop(switch=another_p),), "within 5 standard errors"),
    ("summary", (lambda s: s.mean(axis=0), _right_impossible), "a pair (mean, std)"),
    ("summary", (lambda s: (s[0], s.std(axis=0)), _right_impossible), "the mean over the passes"),
    ("summary", (lambda s: (s.mean(axis=0), s), _right_impossible), "the std over the passes"),
    ("summary", (lambda s: (s.mean(axis=0), s.var(axis=0)), _right_impossible), "the std over the"),
    ("summary", (_right_summary, lambda m, s: s > 2), "True for mean 0.0 and std 0.28"),
    ("summary", (_right_summary, lambda m, s: s > m * (1 - m)), "False for mean 0.1 and std 0.29"),
    ("summary", (_right_summary, lambda m, s: m - s), "an array of True and False"),
    ("information", (lambda s: s.std(axis=0),), "one number per example"),
    ("information", (lambda s: mi(s) / np.log(2),), "in nats"),
    ("information", (lambda s: mi(s) + (s.shape[2] == 2),), "the chapter's three situations"),
    ("passes", (3, _right_nll, "weight scaling"), "0.3 / sqrt(T) is 0.03"),
    ("passes", (100, lambda s, y, size: 1.0, "weight scaling"), "for the averages of 3 passes"),
    ("passes", (100, _right_nll, "both"), '"one pass" or "weight scaling"'),
    ("shrink", (lambda X, y, p: y, _right_spread, 1.0), "five weights"),
    ("shrink", (lambda X, y, p: _ridge(X, y, X[0] ** 2), _right_spread, 1.0), "the least squared error plus"),
    ("shrink", (_right_fit, lambda w, x, p: _right_spread(w, x, p) ** 0.5, 1.0), "a variance (p/q)"),
    ("shrink", (_right_fit, _right_spread, 100), "the variance at N = 20,000"),
]


@pytest.mark.parametrize(("name", "answers", "expected"), WRONG)
def test_a_wrong_answer_is_told_what_is_expected(name, answers, expected):
    problem = EXERCISES[name].check(*answers)
    assert expected in problem.expected and problem.got and not problem.why
