"""Answers to chapter 06's exercises: (exercise, answers, the Belief or the clause that the check says)."""

import numpy as np
import torch

from utils import parity
from utils.exercises import beliefs
from utils.exercises.ch06 import EDGES, VERDICTS, P


def zeros_are_dropped(dropout, h, seed):
    return (dropout(h, seed) != 0) / (1 - P), P


def divide(dropout, h, seed):
    return dropout(h, seed) / h, P


def recover(change=lambda factor: factor, read=lambda factor: 1 - 1 / factor.max(), more=0):
    """The answer, its factor changed, or p read off in another way."""

    def answer(dropout, h, seed):
        factor = dropout(np.ones_like(h), seed + more)
        return change(factor), read(factor)

    return answer


def differences(port, problem, size=np.abs):
    (logits, grads), (right_logits, right_grads) = port(*problem), parity.numpy_pass(*problem)
    gaps = [
        size(value - right).max()
        for pair, right_pair in zip(grads, right_grads, strict=True)
        for value, right in zip(pair, right_pair, strict=True)
    ]
    return float(size(logits - right_logits).max()), float(max(gaps))


def without_abs(port, problem):
    return differences(port, problem, size=lambda values: values)


def no_gradients(port, problem):
    return differences(port, problem)[0]


def first_weights_only(port, problem):
    (_, grads), (_, right) = port(*problem), parity.numpy_pass(*problem)
    return differences(port, problem)[0], float(np.abs(grads[0][0] - right[0][0]).max())


def drop_with_coins(shape_of_coins):
    def shared_dropout(x, drop_prob, axes, rng):
        keep = rng.random(shape_of_coins(x.shape, axes)) >= drop_prob
        return x * keep / (1 - drop_prob)

    return shared_dropout


def coins(shape, axes):
    return [1 if axis in axes else size for axis, size in enumerate(shape)]


def others(shape, axes):
    return coins(shape, set(range(len(shape))) - set(axes))


shared_dropout = drop_with_coins(coins)


def changed(change):
    return lambda x, p, axes, rng: change(shared_dropout(x, p, axes, rng))


def one_mask_for_ever(x, p, axes, rng):
    return shared_dropout(x, p, axes, np.random.default_rng(0))


def by_pairs(x, p, axes, rng):
    """Right while coins are shared; with axes=() neighbours along the first axis fall together."""
    if axes:
        return shared_dropout(x, p, axes, rng)
    return x * np.repeat(shared_dropout(np.ones_like(x[::2]), p, axes, rng), 2, axis=0)[: len(x)]


def numpy_seed(net, x, seed):
    np.random.seed(seed)  # noqa: NPY002 - the mistake that is shown
    return net(x)


def eval_mode(net, x, seed):
    torch.manual_seed(seed)
    output = net.eval()(x)
    net.train()
    return output


def always_the_same(net, x, seed):
    torch.manual_seed(0)
    return net(x)


def leaves_eval(net, x, seed):
    torch.manual_seed(seed)
    output = net.train()(x)
    net.eval()
    return output


WRONG = [
    ("recover", (zeros_are_dropped,), beliefs.ZERO_IS_DROPPED),
    ("recover", (divide,), beliefs.OUTPUT_OVER_INPUT),
    ("recover", (recover(read=lambda factor: (factor == 0).mean()),), beliefs.SHARE_IS_P),
    ("recover", (recover(read=lambda factor: 1 / factor.max()),), "p to five digits"),
    ("recover", (lambda dropout, h, seed: dropout(np.ones_like(h), seed),), "a pair (factor, drop_prob)"),
    ("recover", (recover(lambda factor: factor[0]),), "a factor for every element"),
    ("recover", (recover(more=1),), "0 or 1/(1-p)"),
    ("recover", (recover(lambda factor: factor > 0),), "0 or 1/(1-p)"),
    ("ports", (differences, {**VERDICTS, "E": "rounding"}), beliefs.ONLY_LOGITS),
    ("ports", (differences, {**VERDICTS, "C": "bug"}), beliefs.FLOAT32),
    ("ports", (differences, {**VERDICTS, "D": "rounding"}), beliefs.SAME_SEED),
    ("ports", (differences, {**VERDICTS, "B": "rounding"}), beliefs.SHAPES_FIT),
    ("ports", (without_abs, VERDICTS), beliefs.NO_ABS),
    ("ports", (no_gradients, VERDICTS), "a pair of floats"),
    ("ports", (first_weights_only, VERDICTS), "of the gradient of W of layer 1"),
    ("ports", (differences, {**VERDICTS, "A": "bug"}), "for port A"),
    ("ports", (differences, {**VERDICTS, "E": "good"}), "for port E"),
    ("settings", (0.8, 1, 0.01, 1e-3), beliefs.KEEP_06),
    ("settings", (0.2, 0.8, 0.01, 1e-3), beliefs.TWICE_06),
    ("settings", (0.2, 1, 0.99, 1e-3), beliefs.MOMENTUM),
    ("settings", (0.2, 1, 0.01, 1e-5), beliefs.SAME_DEFAULTS),
    ("settings", (0.5, 1, 0.01, 1e-3), "1 minus the probability"),
    ("settings", (0.2, 1.25, 0.01, 1e-3), "after inverted dropout"),
    ("settings", (0.2, 1, 0.1, 1e-3), "the weight of the new batch"),
    ("settings", (0.2, 1, 0.01, 1e-8), "the epsilon"),
    ("axes", (drop_with_coins(others),), beliefs.AXES_THAT_THROW),
    ("axes", (drop_with_coins(lambda shape, axes: coins(shape, {0, *axes})),), beliefs.ONE_MASK_06),
    ("axes", (changed(lambda output: output[1:]),), "shape (60, 20, 5, 4)"),
    ("axes", (drop_with_coins(lambda shape, axes: shape),), "constant along axes 2, 3 only"),
    ("axes", (drop_with_coins(lambda shape, axes: coins(shape, (2, 3))),), "constant along no axis only"),
    ("axes", (lambda x, p, axes, rng: shared_dropout(x, 0.5, axes, rng),), "a share 0.3"),
    ("axes", (changed(lambda output: output * 0.7),), "0 or 1.43"),
    ("axes", (one_mask_for_ever,), "another mask from another state"),
    ("axes", (by_pairs,), "a coin of its own for every element"),
    ("axes", (changed(np.abs),), "the input times the factor"),
    ("edges", ({**EDGES, "MXNet, p = 1, training": "zeros"},), beliefs.ONE_IS_NAN_06),
    ("edges", ({**EDGES, "Gluon, rate = -0.1, training": "error"},), beliefs.SILENT_06),
    ("edges", ({**EDGES, "PyTorch, integers, prediction": "error"},), beliefs.PREDICTION_ACCEPTS),
    ("edges", ({**EDGES, "PyTorch, a NaN that is dropped": "zeros"},), beliefs.NAN_STAYS),
    ("edges", ({**EDGES, "PyTorch, p = 1, training": "0"},), '"zeros", "NaN", "unchanged" or "error"'),
    ("edges", ({**EDGES, "Keras, a NaN that is dropped": "NaN"},), "what its arithmetic gives"),
    ("seed", (numpy_seed,), beliefs.NUMPY_SEED),
    ("seed", (eval_mode,), beliefs.EVAL_REPEATS),
    ("seed", (always_the_same,), "another output from another seed"),
    ("seed", (leaves_eval,), "stays in training mode"),
]
