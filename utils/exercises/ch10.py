"""The checks of chapter 10's exercises."""

import copy
import math

import numpy as np
import torch
from torch import nn
from torch.nn.modules.dropout import _DropoutNd

from utils.exercises import beliefs, expect
from utils.exercises.engine import array, is_close, written

P = 0.3
Q = 1 - P


# --- 1. fooled ---

LAYERS = {
    "A": "Linear, BatchNorm, ReLU, Dropout, Linear",
    "B": "Linear, ReLU, Dropout, BatchNorm, Linear",
    "C": "Linear, BatchNorm, ReLU, Dropout, Linear, BatchNorm, ReLU, Dropout, Linear",
    "D": "Linear, BatchNorm, ReLU, Linear, BatchNorm, ReLU, Dropout, Linear",
    "E": "Dropout, Linear, BatchNorm, ReLU, Linear, BatchNorm, ReLU, Linear",
}


def variance_ratios(layers, drop_prob=0.5, width=64, num_batches=100):
    """Variance in eval mode over running variance, for each batch norm of an untrained net."""
    makers = {
        "Linear": lambda: nn.Linear(width, width),
        "BatchNorm": lambda: nn.BatchNorm1d(width),
        "ReLU": nn.ReLU,
        "Dropout": lambda: nn.Dropout(drop_prob),
    }
    torch.manual_seed(0)
    net = nn.Sequential(*(makers[name]() for name in layers.split(", ")))
    with torch.no_grad():
        for _ in range(num_batches):
            net(torch.randn(256, width))
        x, ratios = torch.randn(4096, width), []
        for module in net.eval():
            if isinstance(module, nn.BatchNorm1d):
                ratios.append((x.var(dim=0) / module.running_var).mean().item())
            x = module(x)
    return ratios


def check_fooled(fooled):
    """A dict: net -> number of batch norms with a shifted variance."""
    whys = {"C": {beliefs.ONE_ORDER: 0}, "E": {beliefs.HANDED_ON: 1}}
    for name, layers in LAYERS.items():
        ratios = variance_ratios(layers)
        measured = ", ".join(f"{ratio:.2f}" for ratio in ratios)
        rule = f"for {name}: the number of batch norms that have a dropout somewhere before them"
        got = f"{{}}; measured variances, prediction over running: {measured}"
        right = sum(ratio < 0.9 for ratio in ratios)
        expect.close(written(fooled.get(name)), right, rule, whys.get(name), got)


# --- 2. ratio ---


def ratio(mean, variance, drop_prob):
    """Variance at prediction over variance in training of what comes out of dropout."""
    q = 1 - drop_prob
    return variance / (variance / q + mean**2 * drop_prob / q)


RATIO_BELIEFS = {
    beliefs.SAME_VARIANCE_10: lambda mean, variance, p: 1.0,
    beliefs.ONLY_Q: lambda mean, variance, p: 1 - p,
    beliefs.KEEP: lambda mean, variance, p: ratio(mean, variance, 1 - p) if p else 0.0,
}


def check_ratio(variance_ratio, relu):
    """A function (mean, variance, drop_prob) -> ratio, and the ratio for ReLU of N(0, 1) at p = 0.2."""
    points = ((0.0, 1.0, P), (2.0, 1.0, P), (0.4, 0.34, 0.1), (1.0, 3.0, 0.0))
    found = [expect.number(variance_ratio(*point), "a number from variance_ratio") for point in points]
    known = {belief: [rule(*point) for point in points[:3]] for belief, rule in RATIO_BELIEFS.items()}
    why = next((belief for belief, values in known.items() if is_close(found[:3], values, 1e-6)), None)
    for (mean, variance, p), value in zip(points, found, strict=True):
        right = ratio(mean, variance, p)
        rule = (
            f"{right:.3f} for mean {mean}, variance {variance}, p = {p}: the variance without the mask over "
            "the variance with it"
        )
        expect.that(is_close(value, right, 1e-6), rule, f"{value:.3f}", why)
    right = ratio(1 / math.sqrt(2 * math.pi), 0.5 - 1 / (2 * math.pi), 0.2)
    rule = "the same rule with mean 1/sqrt(2 pi) and variance 1/2 - 1/(2 pi)"
    expect.close(relu, right, rule, tolerance=0.005)


# --- 3. running ---


def check_running(update, torch_momentum):
    """A function (running_mean, running_var, batch, momentum) -> the new pair, and a number."""
    layer = nn.BatchNorm1d(3, momentum=P, dtype=torch.float64)
    running = np.zeros(3), np.ones(3)
    rng = np.random.default_rng(0)
    for _ in range(3):
        batch = rng.normal(2, 3, (5, 3))
        before = [value.copy() for value in (*running, batch)]
        pair = expect.parts(update(*running, batch, P), 2, "a pair (running mean, running variance)")
        same = all(np.array_equal(a, b) for a, b in zip(before, (*running, batch), strict=True))
        expect.that(same, "arguments that stay as they were", "one was changed in place")
        layer(torch.from_numpy(batch))
        mistaken = {  # the share of the old value in the place of that of the new; a variance over n
            beliefs.OLD_SHARE: P * running[0] + (1 - P) * batch.mean(axis=0),
            beliefs.BIASED_VARIANCE: (1 - P) * running[1] + P * batch.var(axis=0),
        }
        running = layer.running_mean.numpy().copy(), layer.running_var.numpy().copy()
        parts = zip(("mean", "variance"), map(array, pair), running, mistaken.items(), strict=True)
        for name, value, right, (belief, wrong) in parts:
            why = belief if is_close(value, wrong, 1e-6) else None
            rule = (
                f"a running {name} of {right[0]:.3f} in column 0, as nn.BatchNorm1d(3, momentum={P}) has it"
            )
            expect.that(is_close(value, right, 1e-6), rule, f"{value.flat[0]:.3f}", why)
    rule = "the share of the new value, 1 minus the share of the old"
    expect.close(torch_momentum, 0.01, rule, {beliefs.OLD_SHARE: 0.99}, tolerance=1e-6)


# --- 4. scaler ---


def standardise(x, rows):
    std = rows.std(axis=0)
    return (x - rows.mean(axis=0)) / np.where(std > 0, std, 1)


def check_scaler(prepare):
    """A function: (x_train, x_test) -> both, standardised."""
    rng = np.random.default_rng(0)
    x_train, x_test = rng.normal(5, 3, (40, 3)), rng.normal(6, 2, (10, 3))
    x_train[:, 2] = x_test[:, 2] = 7.0  # a constant column

    def both(x_test):
        pair = expect.parts(prepare(x_train.copy(), x_test.copy()), 2, "a pair (x_train, x_test)")
        return tuple(map(array, pair))

    with np.errstate(all="ignore"):
        (train, test), (other_train, _), (_, one_row) = both(x_test), both(x_test + 100), both(x_test[:1])
    alone = np.allclose(train, other_train, equal_nan=True)
    got = f"a change by up to {np.nanmax(np.abs(train - other_train)):.2f} when other rows are tested"
    expect.that(alone, "training rows that do not depend on the test part", got, beliefs.LEAK)
    same = is_close(train[:, :2], standardise(x_train, x_train)[:, :2], 1e-6)
    rule = "training columns with mean 0 and standard deviation 1"
    expect.that(same, rule, f"std {train.std(axis=0)[0]:.2f}")
    right = standardise(x_test, x_train)[:, :2]
    same = is_close(test[:, :2], right, 1e-6) and is_close(one_row[:, :2], right[:1], 1e-6)
    own = is_close(test[:, :2], standardise(x_test, x_test)[:, :2], 1e-6)
    rule = f"test column 0 with mean {right[:, 0].mean():.2f}, measured with the training part's numbers"
    expect.that(same, rule, f"a mean of {test[:, 0].mean():.2f}", beliefs.OWN_SCALER if own else None)
    zero = is_close([*train[:, 2], *test[:, 2]], np.zeros(50), 1e-6)
    expect.that(zero, "0 in a column that is constant", f"{test[0, 2]}")


# --- 5. batches ---


def check_batches(batches):
    """A function: (num_examples, batch_size, rng) -> index arrays for one epoch, none with one index."""
    rng = np.random.default_rng(0)
    for n, size in ((65, 16), (70, 16), (64, 16), (33, 32)):
        num_epochs = 40 if n == 65 else 2
        epochs = [[array(batch) for batch in batches(n, size, rng)] for _ in range(num_epochs)]
        for epoch in epochs:
            _expect_epoch(epoch, n, size)
        epochs = [np.concatenate(epoch) for epoch in epochs]
        fresh = any(not np.array_equal(epochs[0], epoch) for epoch in epochs)
        expect.that(fresh, "another order in every epoch", "the same order every time")
        missed = n - len(np.unique(np.concatenate(epochs)))
        rule = f"each of {n} examples to be seen in {num_epochs} epochs"
        expect.that(num_epochs < 40 or not missed, rule, f"{missed} that never were", beliefs.SAME_ONE)


def _expect_epoch(epoch, n, size):
    lengths = [len(batch) for batch in epoch]
    indices = np.concatenate(epoch)
    once = len(np.unique(indices)) == len(indices) and set(indices) <= set(range(n))
    expect.that(once, f"indices below {n}, each at most once in an epoch", "one twice, or one too large")
    rule = f"batches of two or more for {n} examples and size {size}"
    why = beliefs.BATCH_OF_ONE if min(lengths) == 1 else None
    expect.that(min(lengths) >= 2, rule, f"batches of {', '.join(map(str, lengths))}", why)
    largest = max(lengths)
    expect.that(largest <= size + 1, f"no batch with more than {size} + 1 examples", f"one with {largest}")
    missing = n - len(indices)
    expect.that(missing <= 1, f"at most one of {n} examples left out", f"{missing} left out")


# --- 6. audit ---


def make_net():
    """A net with batch norm and dropout whose running statistics have left their start, in eval mode."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(P), nn.Linear(16, 3))
    with torch.no_grad():
        for _ in range(20):
            net(torch.randn(64, 6) + 1)
    return net.eval()


def some_rows(num_rows=8):
    return torch.linspace(-2, 2, num_rows * 6).reshape(num_rows, 6)


def passes(net, x, num_passes):
    """Probabilities (passes, examples, classes) in the modes that the net is in."""
    with torch.no_grad():
        return torch.stack([net(x).softmax(dim=1) for _ in range(num_passes)])


def _train_all(net, x, num_passes):
    return passes(net.train(), x, num_passes)


def _dropout_alone(net, x, num_passes):
    net.eval()
    for module in net.modules():
        module.training = isinstance(module, _DropoutNd)
    return passes(net, x, num_passes)


def _put_back(net, x, num_passes):
    kept = copy.deepcopy(net.state_dict())
    found = passes(net.train(), x, num_passes)
    net.load_state_dict(kept)
    return found


def _plain(net, x, num_passes):
    return passes(net.eval(), x, num_passes)


def _norm_alone(net, x, num_passes):
    net.eval()[1].train()
    return passes(net, x, num_passes)


def _moves_a_weight(net, x, num_passes):
    with torch.no_grad():
        net[0].weight[0, 0] += 1
    return passes(net.eval(), x, num_passes)


LOOPS = {
    "everything in training mode": (_train_all, (True, True, True)),
    "the dropout modules alone in training mode": (_dropout_alone, (False, False, True)),
    "training mode, statistics put back": (_put_back, (False, True, True)),
    "eval mode": (_plain, (False, False, False)),
    "the batch norm alone in training mode": (_norm_alone, (True, True, False)),
}


def check_audit(audit, safe):
    """A function (loop, net, x) -> (moved, company, random), and the name of the loop to be used."""
    for name, (loop, right) in LOOPS.items():
        net = make_net()
        before = copy.deepcopy(net.state_dict())
        found = expect.parts(audit(loop, net, some_rows()), 3, "three answers (moved, company, random)")
        same = all(torch.equal(before[key], value) for key, value in net.state_dict().items())
        expect.that(same, "an audit that leaves its net as it was", "moved statistics: use a copy")
        for question, answer, truth in zip(("moved", "company", "random"), found, right, strict=True):
            why = None if answer is truth else _audit_why(audit, question, answer)
            expect.truth(answer, truth, f"{question} = {truth} for a loop with {name}", why)
    why = {"a": beliefs.MC_TRAIN_10, "c": beliefs.PUT_BACK}.get(safe)
    rule = "the loop that moves nothing, ignores the company and still draws"
    expect.that(safe == "b", rule, f"{safe!r}", why)


def _audit_why(audit, question, answer):
    """Why a loop was judged wrongly, if a look at a second loop shows it."""
    if question == "moved" and not answer and audit(_moves_a_weight, make_net(), some_rows())[0]:
        return beliefs.WEIGHTS_ONLY
    if question == "company" and answer and not audit(_plain, make_net(), some_rows())[1]:
        return beliefs.UNSEEDED
    return None


HINTS = {
    "ratio": "Var(h') in training: E[h'^2] is E[h^2]/(1-p), and E[h'] is E[h]. With E[h^2] = variance + "
    "mean^2, subtract.",
    "running": "Feed nn.BatchNorm1d(1) the batch 0, 2 once and look at running_mean and running_var: they "
    "began with 0 and 1.",
    "scaler": "Which two arrays does the scaler need, and from which rows? Then use them twice.",
    "batches": "Shuffle all indices first. What can you do with the last one if it is alone?",
    "fooled": "Go through a net from left to right and ask at each batch norm: is a unit upstream noisier "
    "in training than at prediction time?",
    "audit": "Copy the net with copy.deepcopy, compare state_dict() before and after. For the company: "
    "torch.manual_seed(0) before each of two calls, row 0 the same, all other rows changed.",
}
