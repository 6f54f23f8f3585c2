"""Chapter 06's checks against wrong answers that have no name: each is told what is expected."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from utils import parity  # noqa: E402
from utils.exercises import ch06  # noqa: E402
from utils.exercises.ch06 import EDGES, EXERCISES, VERDICTS, _coins, _differences, _drop_with_coins  # noqa: E402


def no_gradients(port, problem):
    return _differences(port, problem)[0]


def first_weights_only(port, problem):
    (_, grads), (_, right) = port(*problem), parity.numpy_pass(*problem)
    return _differences(port, problem)[0], float(np.abs(grads[0][0] - right[0][0]).max())


def scaled(by):
    right = _drop_with_coins(_coins)
    return lambda x, p, axes, rng: by(right(x, p, axes, rng))


def always_the_same(net, x, seed):
    torch.manual_seed(0)
    return net(x)


def leaves_eval(net, x, seed):
    torch.manual_seed(seed)
    output = net.train()(x)
    net.eval()
    return output


def one_mask_for_ever(x, p, axes, rng):
    return _drop_with_coins(_coins)(x, p, axes, np.random.default_rng(0))


def by_pairs(x, p, axes, rng):
    """Right while coins are shared; with axes=() neighbours along the first axis fall together."""
    if axes:
        return _drop_with_coins(_coins)(x, p, axes, rng)
    return x * np.repeat(_drop_with_coins(_coins)(np.ones_like(x[::2]), p, axes, rng), 2, axis=0)[: len(x)]


WRONG = [
    ("recover", (lambda dropout, h, seed: dropout(np.ones(3), seed),), "a factor for every element"),
    ("recover", (lambda dropout, h, seed: dropout(np.ones_like(h), seed + 1),), "0 or 1/(1-p)"),
    ("recover", (lambda dropout, h, seed: dropout(np.ones_like(h), seed) > 0,), "0 or 1/(1-p)"),
    ("ports", (no_gradients, VERDICTS), "a pair of floats"),
    ("ports", (first_weights_only, VERDICTS), "of the gradient of W of layer 1"),
    ("ports", (_differences, {**VERDICTS, "A": "bug"}), "for port A"),
    ("ports", (_differences, {**VERDICTS, "E": "good"}), "for port E"),
    ("settings", (0.5, 1, 0.01, 1e-3), "1 minus the probability"),
    ("settings", (0.2, 1.25, 0.01, 1e-3), "after inverted dropout"),
    ("settings", (0.2, 1, 0.1, 1e-3), "the weight of the new batch"),
    ("settings", (0.2, 1, 0.01, 1e-8), "the epsilon"),
    ("axes", (scaled(lambda output: output[1:]),), "shape (60, 20, 5, 4)"),
    ("axes", (_drop_with_coins(lambda shape, axes: shape),), "constant along axes 2, 3 only"),
    ("axes", (_drop_with_coins(lambda shape, axes: _coins(shape, (2, 3))),), "constant along no axis only"),
    ("axes", (lambda x, p, axes, rng: _drop_with_coins(_coins)(x, 0.5, axes, rng),), "a share 0.3"),
    ("axes", (scaled(lambda output: output * 0.7),), "0 or 1.43"),
    ("axes", (one_mask_for_ever,), "another mask from another state"),
    ("axes", (by_pairs,), "a coin of its own for every element"),
    ("axes", (scaled(np.abs),), "the input times the factor"),
    ("edges", ({**EDGES, "PyTorch, p = 1, training": "0"},), '"zeros", "NaN", "unchanged" or "error"'),
    ("edges", ({**EDGES, "Keras, a NaN that is dropped": "NaN"},), "what its arithmetic gives"),
    ("seed", (always_the_same,), "another output from another seed"),
    ("seed", (leaves_eval,), "stays in training mode"),
]


@pytest.mark.parametrize(("name", "answers", "expected"), WRONG)
def test_a_wrong_answer_is_told_what_is_expected(name, answers, expected):
    problem = EXERCISES[name].check(*answers)
    assert expected in problem.expected and problem.got and not problem.why


def test_rounding_and_bugs_lie_far_apart():
    largest = {name: max(_differences(port, ch06.make_problem())) for name, port in ch06.PORTS.items()}
    assert largest["A"] < 1e-12 < 1e-9 < largest["C"] < 5e-6
    assert all(largest[name] > 0.02 for name in "BDE")
    assert _differences(ch06.port_e, ch06.make_problem())[0] < 1e-12


def observed(dropout, values, drop_prob=0.5, training=True):
    try:
        output = dropout(values, drop_prob, training=training)
    except Exception:
        return "error"
    if np.array_equal(output, values):
        return "unchanged"
    if np.isnan(values).any():
        return "zeros" if (output == 0).any() else "NaN"
    return "NaN" if np.isnan(output).all() else "some" if output.any() else "zeros"


def test_the_table_of_edges_is_what_the_frameworks_do(require):
    require("mxnet", "tensorflow")
    h, missing = np.arange(1, 17, dtype=np.float32), np.full(100, np.nan, np.float32)
    integers = np.arange(1, 17)
    seen = {
        "PyTorch, p = 1, training": observed(parity.torch_dropout, h, 1.0),
        "MXNet, p = 1, training": observed(parity.nd_dropout, h, 1.0),
        "Gluon, rate = -0.1, training": observed(parity.gluon_dropout, h, -0.1),
        "PyTorch, integers, training": observed(parity.torch_dropout, integers),
        "PyTorch, integers, prediction": observed(parity.torch_dropout, integers, training=False),
        "PyTorch, a NaN that is dropped": observed(parity.torch_dropout, missing),
        "Keras, a NaN that is dropped": observed(parity.keras_dropout, missing),
    }
    assert seen == EDGES
