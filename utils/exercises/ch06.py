"""The checks of chapter 06's exercises.

Only NumPy and PyTorch run here; what Keras and MXNet do is a table, which the tests compare with them.
"""

import numpy as np
import torch
from torch import nn

from utils import parity, scratch
from utils.conformance import own_coins
from utils.exercises import beliefs, expect
from utils.exercises.engine import array, is_close, written

P = 0.3  # not 0.5, where a swap of p and 1 - p cannot be seen


def make_problem(seed=0):
    """(params, factors, x, y) of a 6-8-8-3 net in float64: its second weight matrix is square."""
    sizes, rng = (6, 8, 8, 3), np.random.default_rng(seed)
    params = scratch.init_he(sizes, rng, np.float64)
    factors = [scratch.dropout_factor((16, 8), P, rng, np.float64) for _ in range(2)]
    return params, factors, rng.normal(size=(16, 6)), rng.integers(3, size=16)


# --- 1. recover ---


def check_recover(recover):
    """A function: (dropout, h, seed) -> (the factor that dropout(h, seed) multiplies by, its p)."""
    h = np.maximum(np.random.default_rng(0).normal(size=(40, 25)), 0)
    for function in (parity.torch_dropout, parity.numpy_dropout):

        def dropout(x, seed, function=function):
            return function(np.asarray(x, dtype=float), P, seed=seed)

        with np.errstate(all="ignore"):
            found = recover(dropout, h.copy(), 5)
        found, drop_prob = expect.parts(found, 2, "a pair (factor, drop_prob)")
        factor = expect.shape(found, h.shape, "a factor for every element, an array")
        right = dropout(np.ones_like(h), 5)
        missing = np.isnan(factor).any()
        expect.that(not missing, "a number for every element", "NaN where h is 0", beliefs.OUTPUT_OVER_INPUT)
        wrong = np.abs(factor - right) > 1e-6
        lost = (factor == 0) & (right != 0)
        why = beliefs.ZERO_IS_DROPPED if lost.any() and not wrong[h > 0].any() else None
        rule = f"0 or 1/(1-p) for every element, with {(right == 0).sum()} zeros of {h.size}"
        expect.that(not wrong.any(), rule, f"{(factor == 0).sum()} zeros", why)
        known = {beliefs.SHARE_IS_P: float((right == 0).mean())}
        expect.close(drop_prob, P, "p to five digits", known, "drop_prob = {:.5f}", 1e-5)


# --- 2. ports ---


def port_a(params, factors, x, y):
    return parity.torch_pass(params, factors, x, y)


def port_b(params, factors, x, y):
    return parity.torch_pass([params[0], [params[1][0].T, params[1][1]], params[2]], factors, x, y)


def port_c(params, factors, x, y):
    params = [[value.astype(np.float32) for value in pair] for pair in params]
    return parity.torch_pass(
        params, [factor.astype(np.float32) for factor in factors], x.astype(np.float32), y
    )


def port_d(params, factors, x, y):
    drawn = [parity.torch_dropout(np.ones_like(factor), P, seed=0) for factor in factors]
    return parity.torch_pass(params, drawn, x, y)


def port_e(params, factors, x, y):
    logits, _ = parity.torch_pass(params, factors, x, y)
    _, grads = parity.torch_pass(params, [(factor > 0).astype(float) for factor in factors], x, y)
    return logits, grads


PORTS = {"A": port_a, "B": port_b, "C": port_c, "D": port_d, "E": port_e}
VERDICTS = {"A": "rounding", "B": "bug", "C": "rounding", "D": "bug", "E": "bug"}


def shifted(logit=0.0, layer=0, part=0, by=0.0):
    """A port that is right but for one logit, and for one number of one gradient."""

    def port(params, factors, x, y):
        logits, grads = parity.numpy_pass(params, factors, x, y)
        logits, grads = logits.copy(), [[value.copy() for value in pair] for pair in grads]
        logits[3, 1] += logit
        grads[layer][part].flat[-1] += by
        return logits, grads

    return port


def check_ports(differences, verdicts):
    """A function (port, problem) -> (difference of logits, of gradients), and a dict of verdicts."""
    problem = make_problem(1)
    for logit, layer, part, by in ((0.5, 0, 0, 0.25), (-0.5, 1, 0, -0.25), (0.5, 2, 1, 0.25)):
        pair = expect.numbers(differences(shifted(logit, layer, part, by), problem), 2, "a pair of floats")
        where = f"{'Wb'[part]} of layer {layer}"
        rule = (
            f"(0.5, 0.25) where one logit is off by {logit} and one number of the gradient of {where} by {by}"
        )
        why = beliefs.NO_ABS if logit < 0 and is_close(pair, (0, 0), 1e-9) else None
        expect.that(is_close(pair, (0.5, 0.25), 1e-9), rule, "({:.3g}, {:.3g})".format(*pair), why)
    whys = {"B": beliefs.SHAPES_FIT, "C": beliefs.FLOAT32, "D": beliefs.SAME_SEED, "E": beliefs.ONLY_LOGITS}
    for name, right in VERDICTS.items():
        answer = written(verdicts.get(name))
        logits, gradients = map(_size, differences(PORTS[name], make_problem()))
        seen = f"logits {logits}, gradients {gradients}"
        rule = f'"rounding" or "bug" for port {name}, as its differences say: {seen}'
        expect.choice(answer, ("rounding", "bug"), rule)
        expect.that(answer == right, rule, repr(answer), whys.get(name))


def _size(value):
    return "below 1e-12" if value < 1e-12 else "below 5e-6" if value < 5e-6 else f"{value:.2g}"


# --- 3. settings ---


def check_settings(dropout_p, weight_factor, momentum, eps):
    """Numbers: dropout's p, the factor of the weights at test time, batch norm's momentum and eps."""
    rule = "1 minus the probability to retain a unit"
    expect.close(dropout_p, 0.2, rule, {beliefs.KEEP_06: 0.8}, "dropout_p = {}", 1e-6)
    rule = "the factor that is left to do after inverted dropout"
    expect.close(weight_factor, 1, rule, {beliefs.TWICE_06: [0.8, 0.2]}, "weight_factor = {}", 1e-6)
    rule = "the weight of the new batch"
    expect.close(momentum, 0.01, rule, {beliefs.MOMENTUM: 0.99}, "momentum = {}", 1e-6)
    rule = "the epsilon that the authors' code has"
    expect.close(eps, 1e-3, rule, {beliefs.SAME_DEFAULTS: 1e-5}, "eps = {}", 1e-7)


# --- 4. axes ---


def check_axes(shared_dropout):
    """A function: (x, drop_prob, axes, rng) -> output; the mask is constant along axes."""

    def draw(x, axes, seed):
        return array(shared_dropout(x, P, axes, np.random.default_rng(seed)))

    for axes in ((2, 3), (), (1,), (0,)):
        x = np.ones((60, 20, 5, 4))
        output = expect.shape(draw(x, axes, 0), x.shape, "an output")
        constant = {axis for axis in range(4) if (output == output.take([0], axis=axis)).all()}
        turned = beliefs.AXES_THAT_THROW if constant == set(range(4)) - set(axes) else None
        why = beliefs.ONE_MASK_06 if constant == {0, *axes} else turned
        rule = f"axes={axes}: a mask constant along {_names(axes)} only"
        expect.that(constant == set(axes), rule, f"along {_names(constant)}", why)
        coins = output[tuple(slice(0, 1) if axis in axes else slice(None) for axis in range(4))]
        expect.share(coins == 0, P, "coins that drop")
        expect.rescaled(coins, P)
    x = np.ones((2000, 12))
    one, other = draw(x, (), 3), draw(x, (), 4)
    expect.that((one != other).any(), "another mask from another state of rng", "the same mask")
    rule = "with axes=() a coin of its own for every element"
    expect.that(own_coins(one != 0), rule, "coins that fall together")
    x = np.random.default_rng(1).normal(size=(30, 4))
    times_factor = is_close(draw(x, (1,), 2), x * draw(np.ones_like(x), (1,), 2), 1e-6)
    expect.that(times_factor, "the input times the factor", "something else")


def _names(axes):
    return "axes " + ", ".join(map(str, sorted(axes))) if axes else "no axis"


# --- 5. edges ---

EDGES = {
    "PyTorch, p = 1, training": "zeros",
    "MXNet, p = 1, training": "NaN",
    "Gluon, rate = -0.1, training": "unchanged",
    "PyTorch, integers, training": "error",
    "PyTorch, integers, prediction": "unchanged",
    "PyTorch, a NaN that is dropped": "NaN",
    "Keras, a NaN that is dropped": "zeros",
}


def check_edges(edges):
    """A dict: case -> "zeros", "NaN", "unchanged" or "error"."""
    whys = {
        ("MXNet, p = 1, training", "zeros"): beliefs.ONE_IS_NAN_06,
        ("Gluon, rate = -0.1, training", "error"): beliefs.SILENT_06,
        ("PyTorch, integers, prediction", "error"): beliefs.PREDICTION_ACCEPTS,
        ("PyTorch, a NaN that is dropped", "zeros"): beliefs.NAN_STAYS,
    }
    for case, right in EDGES.items():
        choices = ("zeros", "NaN", "unchanged", "error")
        rule = f'"zeros", "NaN", "unchanged" or "error" for {case}'
        answer = expect.choice(written(edges.get(case)), choices, rule)
        rule = f"what its arithmetic gives for {case}"
        expect.that(answer == right, rule, repr(answer), whys.get((case, answer)))


# --- 6. seed ---


def check_seed(repeatable):
    """A function: (net, x, seed) -> output in training mode, by `seed` alone."""
    net, x = nn.Sequential(nn.Dropout(0.5)), torch.ones(4, 100)
    first = array(repeatable(net, x, 1))
    torch.rand(7)  # somebody else draws in between
    noisy = (first == 0).any()
    expect.that(noisy, "a noisy output, with dropped units", "no unit dropped", beliefs.EVAL_REPEATS)
    same = np.array_equal(first, array(repeatable(net, x, 1)))
    expect.that(same, "the same output from the same seed", "two different outputs", beliefs.NUMPY_SEED)
    same = np.array_equal(first, array(repeatable(net, x, 2)))
    expect.that(not same, "another output from another seed", "the same output")
    expect.that(net.training, "a net that stays in training mode", "training = False")


HINTS = {
    "recover": "The layer takes any array of this shape. For which input is the output the factor? And what "
    "has a kept element been divided by?",
    "ports": "Loop over both lists of pairs with zip, and take np.abs(a - b).max() of each array. Print the "
    "two numbers of every port: which are near 1e-7 or below?",
    "settings": "Ask of each number what it is the weight or the probability of, here and there. At test "
    "time, ask whether training has divided already.",
    "axes": "Draw the coins in an array that has length 1 along each axis of axes; broadcasting does the "
    "rest.",
    "edges": "Compute on paper: 0 times 1/0, 0 times NaN, and what `-0.1 > 0` lets through.",
    "seed": "Who throws the coins of nn.Dropout? That generator needs the seed.",
}
