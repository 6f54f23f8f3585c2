"""The checks of chapter 11's exercises."""

import copy
import functools
import math
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from utils import metrics
from utils.data import read_only
from utils.exercises import beliefs, expect
from utils.exercises.engine import Problem, array, is_close
from utils.monte_carlo import predict_mc
from utils.torch_training import fit, load_tensors, make_mlp, predict

P = 0.3


@contextmanager
def one_thread():
    """So small a net is fastest on one core, and waits for no other process."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def net_with_batch_norm():
    """Linear, batch norm, ReLU, dropout, linear: with every module that has two modes."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(P), nn.Linear(16, 3))


@functools.cache
@one_thread()
def load_passes():
    """(100 passes, weight scaling, labels) of 1,000 test images, from a net trained on 500 with p = 0.5."""
    data = load_tensors("fashion_mnist", num_train=500, seed=1)
    net = make_mlp((784, 128, 128, 10), (0.5, 0.5), seed=1)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    settings = {"num_epochs": 40, "batch_size": 50, "optimizer": optimizer, "seed": 1}
    fit(net, data["x_train"], data["y_train"], **settings)
    x = data["x_test"][:1_000]
    passes = predict_mc(net, x, num_samples=100, seed=1)
    return read_only((passes, predict(net, x), data["y_test"][:1_000].numpy()))


def draw_regression(num_examples, seed):
    """Inputs (N, 5) and targets (N,) of a noisy linear function."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(num_examples, 5))
    return X, X @ [1.0, -2.0, 0.5, 1.5, -1.0] + rng.normal(0, 0.2, num_examples)


def some_passes(num_passes=40, num_examples=6, num_classes=3):
    """Probabilities (passes, examples, classes), none of them 0."""
    logits = np.random.default_rng(0).normal(size=(num_passes, num_examples, num_classes))
    logits[..., 0] += 0.2 * np.arange(num_examples)
    return metrics.softmax(2 * logits)


# --- 1. switches ---

SWITCHES = {
    "Keras: net(x)": False,
    "Keras: net(x, training=True)": True,
    "PyTorch: net.eval(), then its Dropout modules .train()": True,
    "PyTorch: the same, inside inference_mode()": True,
    "PyTorch: the same, manual_seed(0) before each pass": False,
    "Gluon: net(x)": False,
    "Gluon: net(x) inside record(train_mode=False)": False,
    "Gluon: net(x) inside train_mode(), without record()": True,
}


def check_switches(differs):
    """A dict: way of asking -> True if the second pass can differ from the first."""
    whys = {
        "Keras: net(x)": beliefs.KERAS_CALL,
        "PyTorch: the same, inside inference_mode()": beliefs.NO_GRAD_11,
        "PyTorch: the same, manual_seed(0) before each pass": beliefs.SEED_IN_LOOP,
        "Gluon: net(x)": beliefs.OUTSIDE_11,
        "Gluon: net(x) inside record(train_mode=False)": beliefs.RECORD_DROPS,
        "Gluon: net(x) inside train_mode(), without record()": beliefs.NEEDS_RECORD_11,
    }
    expect.truths(differs, SWITCHES, whys)


# --- 2. loop ---


@one_thread()
def check_loop(mc_samples):
    """A function: (net, x, num_samples) -> array of probabilities (passes, examples, classes)."""
    net, x, num_samples = net_with_batch_norm(), torch.linspace(-2, 2, 48).reshape(8, 6), 400
    original = copy.deepcopy(net)
    before = original.state_dict()
    samples = array(mc_samples(net, x, num_samples))
    same = all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    rule = "batch norm's running statistics to stay"
    expect.that(same, rule, "they moved while predicting", beliefs.MC_TRAIN_11)
    shape = (num_samples, 8, 3)
    why = beliefs.AVERAGED if samples.shape == shape[1:] else None
    expect.that(samples.shape == shape, f"an array of shape {shape}", f"shape {samples.shape}", why)
    sums = samples.sum(axis=2)
    got = f"rows that sum to between {sums.min():.2f} and {sums.max():.2f}"
    expect.that(abs(sums - 1).max() <= 1e-4, "probabilities: rows that sum to 1", got, beliefs.LOGITS)
    plain = is_close(samples[0], predict(original, x), 1e-5)
    why = beliefs.EVAL_ALONE if plain else beliefs.SEED_IN_LOOP
    expect.that((samples != samples[0]).any(), "passes that differ", f"{num_samples} equal passes", why)
    reference = predict_mc(original, x, num_samples=2_000, seed=0)
    error = np.sqrt(reference.var(axis=0) * (1 / num_samples + 1 / 2_000))
    worst = (abs(samples.mean(axis=0) - reference.mean(axis=0)) / error).max()
    rule = "the same averages as 2,000 passes with dropout alone switched on, within 5 standard errors"
    expect.that(worst <= 5, rule, f"a difference of {worst:.0f} standard errors")
    on = any(module.training for module in net.modules())
    rule = "a net that comes back in eval mode"
    expect.that(not on, rule, "one in which dropout is on", beliefs.LEFT_ON)


# --- 3. summary ---

POSSIBLE = {  # (mean, std): can numbers in [0, 1] have them?
    (0.0, 0.0): True,
    (0.0, 0.28): False,
    (0.1, 0.29): True,
    (0.1, 0.31): False,
    (0.2, 0.35): True,
    (0.5, 0.499): True,
    (0.5, 0.51): False,
    (0.99, 0.09): True,
    (0.99, 0.15): False,
    (1.0, 0.0): True,
}


def check_summary(fixed_summary, impossible):
    """Two functions: samples -> (mean, std) over the passes, and (mean, std) -> bool array."""
    samples = some_passes()
    pair = expect.parts(fixed_summary(samples), 2, "a pair (mean, std)")
    mean, std = map(array, pair)
    got = f"shape {mean.shape}, first value {mean.flat[0]:.3f}, not {samples[:, 0, 0].mean():.3f}"
    rule = "the mean over the passes, of shape (6, 3) for samples of shape (40, 6, 3)"
    expect.that(is_close(mean, samples.mean(axis=0), 1e-6), rule, got)
    _expect_std(std, samples)
    _expect_impossible(impossible)


def _expect_std(std, samples):
    rule = "the std over the passes, of shape (6, 3) for samples of shape (40, 6, 3)"
    whys = {(3,): beliefs.AFTER_MEAN, (40, 6): beliefs.CLASSES, (6,): beliefs.CLASSES}
    expect.that(std.shape == (6, 3), rule, f"shape {std.shape}", whys.get(std.shape))
    right = any(is_close(std, samples.std(axis=0, ddof=ddof), 1e-6) for ddof in (0, 1))
    same_rows = (std == std[0]).all()
    expect.that(right or not same_rows, rule, "the same row for every example", beliefs.AFTER_MEAN)
    ratio = np.mean(std / samples.std(axis=0))
    why = beliefs.STANDARD_ERROR if is_close(ratio * math.sqrt(40), 1, 0.02) else None
    expect.that(right, rule, f"numbers {ratio:.2f} times as large", why)


def _expect_impossible(impossible):
    mean, std = np.array(list(POSSIBLE)).T
    answers = array(impossible(mean, std))
    rule = "an array of True and False, one per pair"
    fits = answers.shape == mean.shape and answers.dtype == bool
    expect.that(fits, rule, f"{answers.dtype} of shape {answers.shape}")
    known = {beliefs.UP_TO_HALF: std > 0.5, beliefs.INTERVAL: (mean - std < 0) | (mean + std > 1)}
    why = next((belief for belief, rule in known.items() if np.array_equal(answers, rule)), None)
    for (m, s), possible, answer in zip(POSSIBLE, POSSIBLE.values(), answers, strict=True):
        rule = f"{not possible} for mean {m} and std {s}, where the bound is {math.sqrt(m * (1 - m)):.3f}"
        expect.that(answer != possible, rule, f"{answer}", why)


# --- 4. information ---

TOY = np.array(  # examples: sure and agree; undecided and agree; sure and contradict; mixed
    [
        [[1.0, 0.0], [0.5, 0.5], [1.0, 0.0], [0.9, 0.1]],
        [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0], [0.2, 0.8]],
    ]
)


def check_information(mutual_information):
    """A function: (passes, examples, classes) -> (examples,)."""
    samples = some_passes()
    found = expect.shape(mutual_information(samples), (6,), "one number per example, an array")
    right = metrics.mutual_information(samples)
    known = {
        beliefs.TOTAL_ENTROPY: metrics.entropy(samples.mean(axis=0)),
        beliefs.MEAN_ENTROPY: metrics.entropy(samples).mean(axis=0),
        beliefs.TERMS_SWAPPED: -right,
    }
    rule = "the entropy of the mean less the mean of the entropies, in nats"
    got = f"{found[0]:.3f} and not {right[0]:.3f} for the first of 6 examples"
    expect.that(is_close(found, right, 1e-5), rule, got, expect.diagnose(found, known, 1e-5))
    with np.errstate(all="ignore"):
        found = array(mutual_information(TOY))
    missing = np.isnan(found).any()
    expect.that(not missing, "0 for two sure passes that agree", f"{found[0]}", beliefs.ZERO_LOG_ZERO)
    rule = "0, 0 and ln 2 for the chapter's three situations"
    expect.that(is_close(found, metrics.mutual_information(TOY), 1e-6), rule, f"{found[:3].round(3)}")


# --- 5. passes ---


def check_passes(needed, nll_of_average, better):
    """A number, a function (samples, y, size) -> mean NLL of the groups, and the name of the better one."""
    rule = "a T for which 0.3 / sqrt(T) is 0.03"
    expect.close(needed, 100, rule, {beliefs.ONE_OVER_T: 10}, "T = {}", 0.5)
    samples, y = some_passes(12, 30, 4)[:, :, [2, 0, 3, 1]], np.arange(30) % 4
    for size in (3, 4, 1):
        groups = np.split(samples, len(samples) // size)
        right = np.mean([metrics.nll(group.mean(axis=0), y) for group in groups])
        logs = [metrics.nll(metrics.softmax(np.log(group).mean(axis=0)), y) for group in groups]
        known = {
            beliefs.MEAN_OF_NLLS: np.mean([metrics.nll(probs, y) for probs in samples]),
            beliefs.LOGITS: np.mean(logs),
        }
        rule = f"an NLL of {right:.4f} for the averages of {size} passes, of 12"
        expect.close(nll_of_average(samples, y, size), right, rule, known, "{:.4f}", 1e-4)
    expect.choice(better, ("one pass", "weight scaling"))
    if better == "one pass":
        samples, scaled, y = load_passes()
        one, plain = metrics.nll(samples[0], y), metrics.nll(scaled, y)
        got = f"one pass, although its NLL is {one:.2f} and that of weight scaling {plain:.2f}"
        raise Problem("the one with the smaller NLL", got, beliefs.ONE_PASS)


# --- 6. shrink ---


def ridge(X, y, penalty):
    return np.linalg.solve(X.T @ X + np.diag(penalty), X.T @ y)


def check_shrink(fit, spread, factor):
    """Functions (X, y, p) -> weights and (w, x, p) -> variance of f(x), and the ratio of two variances."""
    X, y = draw_regression(60, 1)
    X = X * [1, 2, 3, 1, 0.5]
    squares, noise = (X**2).sum(axis=0), P / (1 - P)
    found = expect.shape(fit(X.copy(), y.copy(), P), (5,), "five weights, an array")
    right = ridge(X, y, noise * squares)
    penalties = {
        beliefs.NO_PENALTY_11: 0 * squares,
        beliefs.KEEP_11: squares / noise,
        beliefs.OUTVOTED: np.full(5, noise),
    }
    known = {belief: ridge(X, y, penalty) for belief, penalty in penalties.items()}
    rule = (
        f"the w with the least squared error plus (p/q) sum_j w_j^2 sum_i x_ij^2; the first is {right[0]:.3f}"
    )
    got = f"a first weight of {found[0]:.3f}"
    close = np.allclose(found, right, rtol=0.01, atol=0.002)
    expect.that(close, rule, got, expect.diagnose(found, known, 1e-5))
    w, x = np.array([1.0, -2.0, 0.5]), np.array([2.0, 1.0, -3.0])
    total = ((w * x) ** 2).sum()
    variance = expect.number(spread(w, x, P), "a variance from spread, a number")
    why = beliefs.KEEP_11 if is_close(variance, total / noise, 0.1) else None
    close = is_close(variance, noise * total, 0.1 * noise * total)
    expect.that(close, "a variance (p/q) sum (w_j x_j)^2", f"{variance / total:.2f} sum (w_j x_j)^2", why)
    small, large = (
        (ridge(X, y, noise * (X**2).sum(axis=0)) ** 2).sum()
        for X, y in map(draw_regression, (200, 20_000), (0, 0))
    )
    rule = "the variance at N = 20,000 over the variance at N = 200"
    known = {beliefs.POSTERIOR: [0.01, 0.1]}
    expect.close(factor, large / small, rule, known, tolerance=0.06)


HINTS = {
    "switches": "Ask of each: is dropout in training mode, and are the masks of the second pass newly drawn?",
    "loop": "First eval() for all, then .train() for the modules that are nn.Dropout. Take softmax(dim=1) "
    "of each pass, torch.stack the list, and call eval() before you return.",
    "summary": "Which axis is the passes, and which line removes it? For the test: for numbers in [0, 1] "
    "the mean of the squares is at most the mean.",
    "information": "Write entropy(probs) over the last axis first, with np.where for zeros. Then use it "
    "twice.",
    "passes": "The noise is 0.3 / sqrt(T). In the function: slice, mean over axis 0, metrics.nll, in this "
    "order.",
    "shrink": "E[m] = 1 and Var[m] = p/q. For the fit, set the gradient to zero: (X'X + D) w = X'y, where D "
    "is diagonal with p/q times the columns' sums of squares.",
}
