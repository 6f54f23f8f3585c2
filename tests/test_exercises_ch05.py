"""Chapter 05's checks against wrong answers that have no name: each is told what is expected."""

from contextlib import ExitStack

import numpy as np
import pytest

from utils.frameworks import absence, available

if not available("mxnet"):
    pytest.skip(absence("mxnet"), allow_module_level=True)

from utils.exercises import ch05
from utils.exercises.ch05 import (
    EXERCISES,
    MODES,
    _as_it_is,
    _factor,
    _guarded,
    _layer,
    _step,
    autograd,
    differences,
    mx,
    nd,
    nn,
)


def invalid(p):
    return not 0 <= p <= 1


def guarded(layer):
    """safe_dropout with everything right but `layer` for p between 0 and 1."""
    right = _guarded(invalid)
    return lambda p: layer(p) if 0 < p < 1 else right(p)


def with_error(p):
    """It leaves a rate above 1 to MXNet, which raises another error."""
    return _guarded(lambda p: not p >= 0)(p)


def half_gradient(p):
    """The right output, with half of the gradient cut off."""
    right = _layer(_factor)(p)
    return lambda X: (lambda Y: Y / 2 + (Y / 2).detach())(right(X))


def uneven(X, p):
    """The last unit is scaled by less."""
    return _factor(X, p) * nd.array([[1.0] * (X.shape[1] - 1) + [0.9]])


def seeded(X, p):
    mx.random.seed(0)
    return _factor(X, p)


def by_pairs(X, p):
    """Two neighbours share a coin: the share is right, independence is not."""
    return nd.repeat(_factor(X[:, ::2], p), 2, axis=1)[:, : X.shape[1]]


def examples_by_pairs(X, p):
    """Two neighbouring examples share their coins."""
    return nd.repeat(_factor(X[::2], p), 2, axis=0)[: len(X)]


def leaves_training_off(net, X, y):
    autograd.set_training(False)
    return ch05._loss(net, X, y)


def other_loss(net, X, y):
    with autograd.pause():
        return 2 * ch05._loss(net, X, y)


def no_step(net, trainer, X, y):
    return 1.0


def last_epochs(results, a, b):
    pairs = zip(results[a], results[b], strict=True)
    return [x["test_acc"][-1] - y["test_acc"][-1] for x, y in pairs]


def wrong_loss(*arguments):
    return _step(_as_it_is, len)(*arguments) * 2


WRONG = [
    ("modes", ({**MODES, "net(X) in record()": False},), "as a run shows it"),
    ("block", (lambda p: lambda X: 2 * X,), "the input itself in prediction"),
    ("block", (lambda p: lambda X: X,), "dropped units in record()"),
    ("block", (half_gradient,), "the factor as the gradient"),
    ("block", (lambda p: _layer(_factor)(0.5),), "a share 0.3 of zeros"),
    ("block", (lambda p: _layer(lambda X, p: 2 * _factor(X, p))(p),), "0 or 1.43"),
    ("block", (_layer(uneven),), "0 or 1.43"),
    ("block", (_layer(seeded),), "a new mask at every call"),
    ("block", (_layer(by_pairs),), "dropped independently"),
    ("block", (_layer(examples_by_pairs),), "in two examples of the batch"),
    ("evaluate", (lambda net, X, y: nd.array([1.0]),), "a float"),
    ("evaluate", (other_loss,), "that of the net without dropout"),
    ("evaluate", (leaves_training_off,), "to go on after the call"),
    ("step", (no_step,), "weights that move"),
    ("step", (_step(_as_it_is, lambda X: 2),), "a step of lr times the mean gradient of 8"),
    ("step", (_step(_as_it_is, lambda X: 8),), "a step of lr times the mean gradient of 5"),
    ("step", (wrong_loss,), "the mean loss of the batch"),
    ("rate", (lambda p: lambda X: X * 0 if p == 1 else X,), "in prediction at p = 1"),
    ("rate", (lambda p: _guarded(invalid, lambda X: X)(p),), "zeros at p = 1"),
    ("rate", (with_error,), "ValueError at p = 1.1"),
    ("rate", (guarded(lambda p: nn.Dropout(0.5)),), "a share 0.3 of zeros"),
    ("control", (lambda *arguments: [0.1], "cannot tell"), "one difference for each"),
    ("control", (last_epochs, "cannot tell"), "medians of the last five epochs"),
    ("control", (differences, "dropout"), '"with dropout" or'),
]


@pytest.mark.parametrize(("name", "answers", "expected"), WRONG)
def test_a_wrong_answer_is_told_what_is_expected(name, answers, expected):
    problem = EXERCISES[name].check(*answers)
    assert expected in problem.expected and problem.got and not problem.why


def test_the_answers_of_the_first_task_are_what_runs_show():
    contexts = {
        "net(X), no with around it": (),
        "net(X) in record()": (autograd.record(),),
        "net(X) in record(train_mode=False)": (autograd.record(train_mode=False),),
        "net(X) in predict_mode(), in record()": (autograd.record(), autograd.predict_mode()),
        "net(X) in train_mode()": (autograd.train_mode(),),
    }
    for call, around in contexts.items():
        with ExitStack() as stack:
            for context in around:
                stack.enter_context(context)
            assert bool(ch05.zeros_in(nn.Dropout(0.5)(nd.ones((50, 50))))) is MODES[call]
    assert ch05.zeros_in(nd.Dropout(nd.ones((50, 50)), p=0.5, mode="always"))


def test_the_three_pairs_have_three_signs():
    found = differences(ch05.load_results("05_gluon"), "concise", "control")
    assert sorted(np.sign(np.round(found, 4))) == [-1, 0, 1] and abs(np.mean(found)) < 0.002
