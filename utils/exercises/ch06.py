"""The checks of chapter 06's exercises, and the wrong answers that they know by name.

Only NumPy and PyTorch run here; what Keras and MXNet do is a table, which the tests compare with them.
"""

import math

import numpy as np
import torch
from torch import nn

from utils import parity, scratch
from utils.conformance import own_coins
from utils.selfcheck import Exercise, Misconception, Problem, is_close, written

P = 0.3  # not 0.5, where a swap of p and 1 - p cannot be seen

ZERO_IS_DROPPED = (
    "A ReLU puts zeros into h that dropout never touched, so a zero in the output says nothing about the "
    "mask. Send an input through that has no zeros: for ones, the output is the factor."
)
DIVIDE = (
    "Where the ReLU gave 0, output / h is 0/0, which is NaN: the factor cannot be read off there. Ones under "
    "the same seed show it for every unit."
)
ONLY_LOGITS = (
    "Equal outputs do not prove equal nets. Port E's logits agree to the last digits and its gradients do "
    "not, so it predicts well and trains wrongly. Compare every gradient too."
)
FLOAT32 = (
    "Not every difference is a bug. Float32 carries about seven digits, so its rounding is near 1e-7, and "
    "bugs here are thousands of times larger: the wide gap between the two is the evidence."
)
SEED = (
    "Port D drew its own masks from the same seed. A seed repeats one generator's numbers, and every "
    "framework has its own, so the masks differ: pass the masks themselves."
)
SQUARE = (
    "Port B copied a square weight matrix without transposing it. nn.Linear stores (outputs, inputs); the "
    "shapes fit either way, so only the numbers can tell."
)
SIGN = (
    "The maximum of the plain difference misses every deviation downwards: values that are too small would "
    "count as a perfect match. Take the absolute value first."
)
KEEP = (
    "This paper's p is the probability to KEEP a unit. nn.Dropout, like the layers of Keras and Gluon, takes "
    "the probability to drop, 1 minus that."
)
TWICE = (
    "That scales twice: nn.Dropout divides by 1-p in training, so the weights stay as they are at test time. "
    "The multiplication belongs to the paper's recipe, which does not divide."
)
MOMENTUM = (
    "The same word has two meanings. In Keras momentum is the weight of the past, in PyTorch the weight of "
    "the new batch. At 0.99 PyTorch would forget nearly everything at each step."
)
DEFAULTS = (
    "Defaults are not the same everywhere: epsilon is 1e-3 in Keras and 1e-5 in PyTorch. Copy every number "
    "that the original has, and look up those that it leaves out."
)
AXES = (
    "axes lists the axes that SHARE a coin, not those that throw their own. In Keras's noise_shape these are "
    "the axes with a 1; the others keep the length of the input."
)
ONE_MASK = (
    "All examples of the batch share one mask, although axis 0 is not in axes. Each example must draw its "
    "own, or the batch no longer averages over many thinned networks."
)
ONE_IS_NAN = (
    "At p = 1 MXNet multiplies 0 by 1/0, and zero times infinity is NaN. The loss is NaN from that step on, "
    "and no error says why: a sweep over p must stop before 1."
)
SILENT = (
    "Not every layer refuses a wrong rate. Gluon's asks `rate > 0`, which a negative rate fails, so the "
    "input passes: a slip of the sign trains without dropout, silently."
)
PREDICTION_ACCEPTS = (
    "In prediction nothing is computed, so nothing complains. A script that only predicts can hide a wrong "
    "dtype for months; training meets it at the first step."
)
NAN_STAYS = (
    "PyTorch multiplies, and 0 times NaN is NaN: dropping does not cure it. Only a framework that selects, "
    "as Keras does, writes a 0 there, and hides the broken activation."
)
NUMPY_SEED = (
    "PyTorch's dropout draws from PyTorch's own generator. random.seed and np.random.seed set two other "
    "generators, which it never asks."
)
EVAL_REPEATS = (
    "The output repeats because nothing is dropped any more. eval() does not fix the masks, it switches "
    "dropout off; a noisy output needs training mode and a seed."
)


def make_problem(seed=0):
    """(params, factors, x, y) of a 6-8-8-3 net in float64: its second weight matrix is square."""
    sizes, rng = (6, 8, 8, 3), np.random.default_rng(seed)
    params = scratch.init_he(sizes, rng, np.float64)
    factors = [scratch.dropout_factor((16, 8), P, rng, np.float64) for _ in range(2)]
    return params, factors, rng.normal(size=(16, 6)), rng.integers(3, size=16)


# --- 1. recover ---


def check_recover(recover):
    """A function: (dropout, h, seed) -> the factor that dropout(h, seed) multiplies by."""
    h = np.maximum(np.random.default_rng(0).normal(size=(40, 25)), 0)
    for function in (parity.torch_dropout, parity.numpy_dropout):

        def dropout(x, seed, function=function):
            return function(np.asarray(x, dtype=float), P, seed=seed)

        with np.errstate(all="ignore"):
            factor = np.asarray(written(recover(dropout, h.copy(), 5)))
        if factor.shape != h.shape:
            return Problem(f"a factor for every element: shape {h.shape}", f"shape {factor.shape}")
        right = dropout(np.ones_like(h), 5)
        if np.allclose(factor, right):
            continue
        if np.isnan(factor).any():
            return Problem("a number for every element", "NaN where h is 0", DIVIDE)
        lost = int(((factor == 0) & (right != 0)).sum())
        wrong = np.abs(factor - right) > 1e-6
        return Problem(
            f"0 or 1/(1-p) for every element, with {int((right == 0).sum())} zeros of {h.size}",
            f"{int((factor == 0).sum())} zeros",
            ZERO_IS_DROPPED if lost and not wrong[h > 0].any() else "",
        )
    return None


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
        pair = written(differences(shifted(logit, layer, part, by), problem))
        if not isinstance(pair, tuple) or len(pair) != 2:
            return Problem("a pair of floats", repr(pair))
        if not (is_close(pair[0], abs(logit), 1e-9) and is_close(pair[1], abs(by), 1e-9)):
            where = f"{'Wb'[part]} of layer {layer}"
            return Problem(
                f"(0.5, 0.25) where one logit is off by {logit} and one number of the gradient of {where} "
                f"by {by}",
                f"({pair[0]:.3g}, {pair[1]:.3g})",
                SIGN if logit < 0 and max(pair) < 1e-9 else "",
            )
    whys = {"B": SQUARE, "C": FLOAT32, "D": SEED, "E": ONLY_LOGITS}
    for name, right in VERDICTS.items():
        answer = written(verdicts.get(name))
        if answer != right:
            found = differences(PORTS[name], make_problem())
            return Problem(
                f'"rounding" or "bug" for port {name}, as its differences say: logits {_size(found[0])}, '
                f"gradients {_size(found[1])}",
                repr(answer),
                whys.get(name, "") if answer in ("rounding", "bug") else "",
            )
    return None


def _size(value):
    return "below 1e-12" if value < 1e-12 else "below 5e-6" if value < 5e-6 else f"{value:.2g}"


# --- 3. settings ---


def check_settings(dropout_p, weight_factor, momentum, eps):
    """Numbers: dropout's p, the factor of the weights at test time, batch norm's momentum and eps."""
    if not is_close(dropout_p, 0.2, 1e-6):
        why = KEEP if is_close(dropout_p, 0.8, 1e-6) else ""
        return Problem("1 minus the probability to retain a unit", f"dropout_p = {dropout_p}", why)
    if not is_close(weight_factor, 1, 1e-6):
        twice = is_close(weight_factor, 0.8, 1e-6) or is_close(weight_factor, 0.2, 1e-6)
        return Problem(
            "the factor that is left to do after inverted dropout",
            f"weight_factor = {weight_factor}",
            TWICE if twice else "",
        )
    if not is_close(momentum, 0.01, 1e-6):
        why = MOMENTUM if is_close(momentum, 0.99, 1e-6) else ""
        return Problem("the weight of the new batch", f"momentum = {momentum}", why)
    if not is_close(eps, 1e-3, 1e-7):
        why = DEFAULTS if is_close(eps, 1e-5, 1e-7) else ""
        return Problem("the epsilon that the authors' code has", f"eps = {eps}", why)
    return None


# --- 4. axes ---


def check_axes(shared_dropout):
    """A function: (x, drop_prob, axes, rng) -> output; the mask is constant along axes."""
    for axes in ((2, 3), (), (1,), (0,)):
        x = np.ones((60, 20, 5, 4))
        output = np.asarray(written(shared_dropout(x, P, axes, np.random.default_rng(0))))
        problem = _check_sharing(output, x.shape, axes) or _check_factor(output, axes)
        if problem:
            return problem
    x = np.ones((2000, 12))
    one, other = (np.asarray(shared_dropout(x, P, (), np.random.default_rng(seed))) for seed in (3, 4))
    if (one == other).all():
        return Problem("another mask from another state of rng", "the same mask")
    if not own_coins(one != 0):
        return Problem("with axes=() a coin of its own for every element", "coins that fall together")
    x = np.random.default_rng(1).normal(size=(30, 4))
    factor = shared_dropout(np.ones_like(x), P, (1,), np.random.default_rng(2))
    if not np.allclose(shared_dropout(x, P, (1,), np.random.default_rng(2)), x * factor):
        return Problem("the input times the factor", "something else")
    return None


def _check_sharing(output, shape, axes):
    if output.shape != shape:
        return Problem(f"shape {shape}", f"shape {output.shape}")
    constant = {axis for axis in range(4) if (output == output.take([0], axis=axis)).all()}
    if constant == set(axes):
        return None
    why = AXES if constant == set(range(4)) - set(axes) else ""
    why = ONE_MASK if constant == {0, *axes} else why
    return Problem(
        f"axes={axes}: a mask constant along {_names(axes)} only", f"along {_names(constant)}", why
    )


def _names(axes):
    return "axes " + ", ".join(map(str, sorted(axes))) if axes else "no axis"


def _check_factor(output, axes):
    coins = output[tuple(slice(0, 1) if axis in axes else slice(None) for axis in range(4))]
    share, tolerance = (coins == 0).mean(), 5 * math.sqrt(P * (1 - P) / coins.size)
    if abs(share - P) > tolerance:
        return Problem(f"a share {P} of coins that drop, within {tolerance:.3f}", f"{share:.3f}")
    if not np.allclose(coins[coins != 0], 1 / (1 - P)):
        return Problem(f"ones to become 0 or {1 / (1 - P):.2f}", f"{coins.max():.2f}")
    return None


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
        ("MXNet, p = 1, training", "zeros"): ONE_IS_NAN,
        ("Gluon, rate = -0.1, training", "error"): SILENT,
        ("PyTorch, integers, prediction", "error"): PREDICTION_ACCEPTS,
        ("PyTorch, a NaN that is dropped", "zeros"): NAN_STAYS,
    }
    for case, right in EDGES.items():
        answer = written(edges.get(case))
        if answer not in EDGES.values():
            return Problem(f'"zeros", "NaN", "unchanged" or "error" for {case}', repr(answer))
        if answer != right:
            return Problem(
                f"what its arithmetic gives for {case}", repr(answer), whys.get((case, answer), "")
            )
    return None


# --- 6. seed ---


def check_seed(repeatable):
    """A function: (net, x, seed) -> output in training mode, by `seed` alone."""
    net, x = nn.Sequential(nn.Dropout(0.5)), torch.ones(4, 100)
    first = written(repeatable(net, x, 1))
    torch.rand(7)  # somebody else draws in between
    if not (first == 0).any():
        return Problem("a noisy output, with dropped units", "no unit dropped", EVAL_REPEATS)
    if not torch.equal(first, repeatable(net, x, 1)):
        return Problem("the same output from the same seed", "two different outputs", NUMPY_SEED)
    if torch.equal(first, repeatable(net, x, 2)):
        return Problem("another output from another seed", "the same output")
    if not net.training:
        return Problem("a net that stays in training mode", "training = False")
    return None


EXERCISES = {
    "recover": Exercise(
        check_recover, "The layer takes any array of this shape. For which input is the output the factor?"
    ),
    "ports": Exercise(
        check_ports,
        "Loop over both lists of pairs with zip, and take np.abs(a - b).max() of each array. Print the two "
        "numbers of every port: which are near 1e-7 or below?",
    ),
    "settings": Exercise(
        check_settings,
        "Ask of each number what it is the weight or the probability of, here and there. At test time, ask "
        "whether training has divided already.",
    ),
    "axes": Exercise(
        check_axes,
        "Draw the coins in an array that has length 1 along each axis of axes; broadcasting does the rest.",
    ),
    "edges": Exercise(
        check_edges, "Compute on paper: 0 times 1/0, 0 times NaN, and what `-0.1 > 0` lets through."
    ),
    "seed": Exercise(check_seed, "Who throws the coins of nn.Dropout? That generator needs the seed."),
}


# --- wrong answers, each built on one wrong idea ---


def _zeros_are_dropped(dropout, h, seed):
    kept = dropout(h, seed) != 0
    return kept / (1 - P)


def _divide(dropout, h, seed):
    return dropout(h, seed) / h


def _differences(port, problem, size=np.abs):
    (logits, grads), (right_logits, right_grads) = port(*problem), parity.numpy_pass(*problem)
    gaps = [
        size(value - right).max()
        for pair, right_pair in zip(grads, right_grads, strict=True)
        for value, right in zip(pair, right_pair, strict=True)
    ]
    return float(size(logits - right_logits).max()), float(max(gaps))


def _without_abs(port, problem):
    return _differences(port, problem, size=lambda values: values)


def _judge(name, verdict):
    return lambda: (_differences, {**VERDICTS, name: verdict})


def _drop_with_coins(shape_of_coins):
    def shared_dropout(x, drop_prob, axes, rng):
        keep = rng.random(shape_of_coins(x.shape, axes)) >= drop_prob
        return x * keep / (1 - drop_prob)

    return shared_dropout


def _coins(shape, axes):
    return [1 if axis in axes else size for axis, size in enumerate(shape)]


def _believe(case, value):
    return lambda: ({**EDGES, case: value},)


def _numpy_seed(net, x, seed, set_seed=np.random.seed):
    set_seed(seed)
    return net(x)


def _eval_mode(net, x, seed):
    torch.manual_seed(seed)
    output = net.eval()(x)
    net.train()
    return output


MISCONCEPTIONS = [
    Misconception(
        "a zero in the output was dropped", "recover", lambda: (_zeros_are_dropped,), ZERO_IS_DROPPED
    ),
    Misconception("output / input shows the mask", "recover", lambda: (_divide,), DIVIDE),
    Misconception("equal outputs prove equal nets", "ports", _judge("E", "rounding"), ONLY_LOGITS),
    Misconception("every difference is a bug", "ports", _judge("C", "bug"), FLOAT32),
    Misconception("the same seed draws the same mask everywhere", "ports", _judge("D", "rounding"), SEED),
    Misconception("shapes that fit are weights that fit", "ports", _judge("B", "rounding"), SQUARE),
    Misconception(
        "the largest difference needs no absolute value", "ports", lambda: (_without_abs, VERDICTS), SIGN
    ),
    Misconception("p is the keep probability", "settings", lambda: (0.8, 1, 0.01, 1e-3), KEEP),
    Misconception("prediction must still multiply by 1-p", "settings", lambda: (0.2, 0.8, 0.01, 1e-3), TWICE),
    Misconception("momentum means the same everywhere", "settings", lambda: (0.2, 1, 0.99, 1e-3), MOMENTUM),
    Misconception("defaults are the same everywhere", "settings", lambda: (0.2, 1, 0.01, 1e-5), DEFAULTS),
    Misconception(
        "axes lists the axes that throw their own coin",
        "axes",
        lambda: (_drop_with_coins(lambda shape, axes: _coins(shape, set(range(len(shape))) - set(axes))),),
        AXES,
    ),
    Misconception(
        "one mask serves the whole batch",
        "axes",
        lambda: (_drop_with_coins(lambda shape, axes: _coins(shape, {0, *axes})),),
        ONE_MASK,
    ),
    Misconception(
        "p = 1 gives zeros everywhere", "edges", _believe("MXNet, p = 1, training", "zeros"), ONE_IS_NAN
    ),
    Misconception(
        "every layer refuses a wrong rate", "edges", _believe("Gluon, rate = -0.1, training", "error"), SILENT
    ),
    Misconception(
        "a wrong dtype is refused in every mode",
        "edges",
        _believe("PyTorch, integers, prediction", "error"),
        PREDICTION_ACCEPTS,
    ),
    Misconception(
        "a NaN that is dropped is gone",
        "edges",
        _believe("PyTorch, a NaN that is dropped", "zeros"),
        NAN_STAYS,
    ),
    Misconception("np.random.seed fixes every framework's masks", "seed", lambda: (_numpy_seed,), NUMPY_SEED),
    Misconception("eval() makes a noisy output repeatable", "seed", lambda: (_eval_mode,), EVAL_REPEATS),
]
