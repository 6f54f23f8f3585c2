"""The checks of chapter 10's exercises, and the wrong answers that they know by name."""

import copy
import math

import numpy as np
import torch
from torch import nn

from utils.selfcheck import Exercise, Misconception, Problem, is_close, written

P = 0.3
Q = 1 - P

KEEP = "p is the probability to DROP in this course and in every framework; 1-p is kept."
KEEPS_VARIANCE = (
    "Dropout keeps the mean, not the variance: in training the masks add noise to what the data does. Only "
    "at prediction time is the noise gone, and a running variance was learnt with it."
)
ONLY_Q = (
    "The variance over the data is divided by 1-p, but that is not all. A unit that is mostly on jumps "
    "between 0 and h/(1-p), so its mean makes noise as well: mean^2 p/(1-p)."
)
OLD_SHARE = (
    "PyTorch's momentum is the share of the NEW value. Keras and Gluon call the share of the OLD one "
    "momentum, so 0.99 there is 0.01 here."
)
BIASED = (
    "PyTorch normalises the batch with a variance over n, but stores a running variance over n - 1. With "
    "small batches the two differ by a lot: n = 5 makes it 1.25 times as large."
)
LEAK = (
    "The scaler saw the test rows, so rows that should be unknown change what the model learns from. That "
    "no label was used does not help: mean and standard deviation come from the training part alone."
)
OWN_SCALER = (
    "The test part was put on a scale of its own. Then the same wine means one thing in training and another "
    "in the test, and a single new row has no spread at all. Use the training part's numbers."
)
BATCH_OF_ONE = (
    "The variance of one number is 0, so in training mode batch norm answers beta whatever the input was. "
    "PyTorch refuses, Keras and Gluon say nothing: such a batch teaches nothing."
)
SAME_ONE = (
    "The same example is left out in every epoch, so the net never learns from it. Leave one out after the "
    "shuffle, and it is another one each time."
)
ORDER = (
    "No order inside a block is the right one by itself: the next block's batch norm stands behind this "
    "block's dropout, with a linear layer between. What counts is whether any dropout comes before."
)
HANDED_ON = (
    "The first batch norm hands the shift on: with a running variance that is too large, its output at "
    "prediction time is smaller than in training, so the next one meets a smaller variance too."
)
SHIFT_COST = (
    "The shift is real, but its price is a question for a measurement. Here the nets with the shift had the "
    "lower test NLL: to take it away, most of the dropout had to go as well."
)
WEIGHTS_ONLY = (
    "parameters() holds what gradients move. Running statistics are buffers: they are in state_dict(), "
    "a forward pass in training mode moves them, and no weight shows it."
)
UNSEEDED = (
    "The masks differed as well, and that was blamed on the company. Two calls differ in what you changed "
    "and in every random draw: set the same seed before both, and keep the number of rows."
)
MC_TRAIN = (
    "model.train() switches batch norm as well: each image is judged by its company, and every pass moves "
    "the running statistics, even under no_grad(). Switch the dropout modules alone."
)
RESTORED = (
    "Putting the statistics back repairs the net, not the predictions: while the loop ran, batch norm used "
    "the batch's own mean and variance, so each image was judged by its company."
)


# --- 1. ratio ---

POINTS = [(0.0, 1.0, P), (2.0, 1.0, P), (0.4, 0.34, 0.1), (1.0, 3.0, 0.0)]


def right_ratio(mean, variance, drop_prob):
    """Variance at prediction over variance in training of what comes out of dropout."""
    q = 1 - drop_prob
    return variance / (variance / q + mean**2 * drop_prob / q)


RATIO_BELIEFS = {
    KEEPS_VARIANCE: lambda mean, variance, p: 1.0,
    ONLY_Q: lambda mean, variance, p: 1 - p,
    KEEP: lambda mean, variance, p: right_ratio(mean, variance, 1 - p) if p else 0.0,
}


def check_ratio(variance_ratio, relu):
    """A function (mean, variance, drop_prob) -> ratio, and the ratio for ReLU of N(0, 1) at p = 0.2."""
    found = [float(written(variance_ratio(*point))) for point in POINTS]
    for (mean, variance, p), ratio in zip(POINTS, found, strict=True):
        expected = right_ratio(mean, variance, p)
        if not is_close(ratio, expected, 1e-6):
            return Problem(
                f"{expected:.3f} for mean {mean}, variance {variance}, p = {p}: the variance without the "
                "mask over the variance with it",
                f"{ratio:.3f}",
                _ratio_why(found),
            )
    expected = right_ratio(1 / math.sqrt(2 * math.pi), 0.5 - 1 / (2 * math.pi), 0.2)
    if not is_close(relu, expected, 0.005):
        return Problem("the same rule with mean 1/sqrt(2 pi) and variance 1/2 - 1/(2 pi)", f"{relu}")
    return None


def _ratio_why(found):
    for why, belief in RATIO_BELIEFS.items():
        if np.allclose(found[:3], [belief(*point) for point in POINTS[:3]]):
            return why
    return ""


# --- 2. running ---


def check_running(update, torch_momentum):
    """A function (running_mean, running_var, batch, momentum) -> the new pair, and a number."""
    layer = nn.BatchNorm1d(3, momentum=P, dtype=torch.float64)
    running = np.zeros(3), np.ones(3)
    rng = np.random.default_rng(0)
    for _ in range(3):
        batch = rng.normal(2, 3, (5, 3))
        before = [value.copy() for value in (*running, batch)]
        pair = written(update(*running, batch, P))
        if not isinstance(pair, tuple) or len(pair) != 2:
            return Problem("a pair (running mean, running variance)", f"{type(pair).__name__}")
        if not all(np.array_equal(a, b) for a, b in zip(before, (*running, batch), strict=True)):
            return Problem("arguments that stay as they were", "one was changed in place")
        layer(torch.from_numpy(batch))
        expected = layer.running_mean.numpy(), layer.running_var.numpy()
        problem = _check_pair(pair, expected, before)
        if problem:
            return problem
        running = tuple(value.copy() for value in expected)
    if not is_close(torch_momentum, 0.01, 1e-6):
        why = OLD_SHARE if is_close(torch_momentum, 0.99, 1e-6) else ""
        return Problem("the share of the new value, 1 minus the share of the old", f"{torch_momentum}", why)
    return None


def _check_pair(pair, expected, before):
    mean, var, batch = before
    new = batch.mean(axis=0), batch.var(axis=0)
    if not np.allclose(pair[0], expected[0]):
        why = OLD_SHARE if np.allclose(pair[0], P * mean + (1 - P) * new[0]) else ""
        return Problem(
            f"a running mean of {expected[0][0]:.3f} in column 0, as nn.BatchNorm1d(3, momentum={P}) has it",
            f"{np.ravel(pair[0])[0]:.3f}",
            why,
        )
    if not np.allclose(pair[1], expected[1]):
        why = BIASED if np.allclose(pair[1], (1 - P) * var + P * new[1]) else ""
        return Problem(
            f"a running variance of {expected[1][0]:.3f} in column 0, as PyTorch has it",
            f"{np.ravel(pair[1])[0]:.3f}",
            why,
        )
    return None


# --- 3. scaler ---


def _standardise(x, rows):
    std = rows.std(axis=0)
    return (x - rows.mean(axis=0)) / np.where(std > 0, std, 1)


def check_scaler(prepare):
    """A function: (x_train, x_test) -> both, standardised."""
    rng = np.random.default_rng(0)
    x_train, x_test = rng.normal(5, 3, (40, 3)), rng.normal(6, 2, (10, 3))
    x_train[:, 2] = x_test[:, 2] = 7.0  # a constant column
    with np.errstate(all="ignore"):
        pair = written(prepare(x_train.copy(), x_test.copy()))
        if not isinstance(pair, tuple) or len(pair) != 2:
            return Problem("a pair (x_train, x_test)", f"{type(pair).__name__}")
        train, test = map(np.asarray, pair)
        other_train, _ = prepare(x_train.copy(), x_test + 100)
        one_row = np.asarray(prepare(x_train.copy(), x_test[:1])[1])
    if not np.allclose(train, other_train, equal_nan=True):
        move = np.nanmax(np.abs(train - other_train))
        return Problem(
            "training rows that do not depend on the test part",
            f"a change by up to {move:.2f} when other rows are tested",
            LEAK,
        )
    if not np.allclose(train[:, :2], _standardise(x_train, x_train)[:, :2]):
        return Problem("training columns with mean 0 and standard deviation 1", f"std {train.std(0)[0]:.2f}")
    right = _standardise(x_test, x_train)
    if not np.allclose(test[:, :2], right[:, :2]) or not np.allclose(one_row[:, :2], right[:1, :2]):
        own = _standardise(x_test, x_test)
        why = OWN_SCALER if np.allclose(test[:, :2], own[:, :2]) else ""
        return Problem(
            f"test column 0 with mean {right[:, 0].mean():.2f}, measured with the training part's numbers",
            f"a mean of {test[:, 0].mean():.2f}",
            why,
        )
    if not (np.allclose(train[:, 2], 0) and np.allclose(test[:, 2], 0)):
        return Problem("0 in a column that is constant", f"{test[0, 2]}")
    return None


# --- 4. batches ---


def check_batches(batches):
    """A function: (num_examples, batch_size, rng) -> index arrays for one epoch, none with one index."""
    rng = np.random.default_rng(0)
    for n, size in ((65, 16), (70, 16), (64, 16), (33, 32)):
        epochs = [
            [np.asarray(batch) for batch in written(batches(n, size, rng))]
            for _ in range(40 if n == 65 else 2)
        ]
        for epoch in epochs:
            problem = _check_epoch(epoch, n, size)
            if problem:
                return problem
        if all(np.array_equal(np.concatenate(epochs[0]), np.concatenate(epoch)) for epoch in epochs):
            return Problem("another order in every epoch", "the same order every time")
        seen = np.unique(np.concatenate([np.concatenate(epoch) for epoch in epochs]))
        if len(epochs) == 40 and len(seen) < n:
            return Problem(
                f"each of {n} examples to be seen in 40 epochs", f"{n - len(seen)} that never were", SAME_ONE
            )
    return None


def _check_epoch(epoch, n, size):
    lengths = [len(batch) for batch in epoch]
    indices = np.concatenate(epoch)
    if len(np.unique(indices)) < len(indices) or not set(indices) <= set(range(n)):
        return Problem(f"indices below {n}, each at most once in an epoch", "one twice, or one too large")
    if min(lengths) < 2:
        return Problem(
            f"batches of two or more for {n} examples and size {size}",
            f"batches of {', '.join(map(str, lengths))}",
            BATCH_OF_ONE if min(lengths) == 1 else "",
        )
    if max(lengths) > size + 1:
        return Problem(f"no batch with more than {size} + 1 examples", f"one with {max(lengths)}")
    if len(indices) < n - 1:
        return Problem(f"at most one of {n} examples left out", f"{n - len(indices)} left out")
    return None


# --- 5. orders ---

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


def check_orders(fooled, lower_nll):
    """A dict: net -> number of batch norms with a shifted variance, and a choice."""
    for name, layers in LAYERS.items():
        answer = written(fooled.get(name))
        ratios = variance_ratios(layers)
        if answer != sum(ratio < 0.9 for ratio in ratios):
            whys = {("C", 0): ORDER, ("E", 1): HANDED_ON}
            return Problem(
                f"for {name}: the number of batch norms that have a dropout somewhere before them",
                f"{answer}; measured variances, prediction over running: "
                + ", ".join(f"{ratio:.2f}" for ratio in ratios),
                whys.get((name, answer), ""),
            )
    choices = ("together", "cure", "no clear difference")
    if lower_nll != "together":
        return Problem(
            f"one of {', '.join(choices)}: the lower test NLL, seed by seed",
            f"{lower_nll!r}",
            SHIFT_COST if lower_nll == "cure" else "",
        )
    return None


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
        module.training = isinstance(module, nn.Dropout)
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
QUESTIONS = ("moved", "company", "random")


def check_audit(audit, safe):
    """A function (loop, net, x) -> (moved, company, random), and the name of the loop to be used."""
    for name, (loop, right) in LOOPS.items():
        net = make_net()
        before = copy.deepcopy(net.state_dict())
        found = written(audit(loop, net, some_rows()))
        if not isinstance(found, tuple) or len(found) != 3:
            return Problem("three answers (moved, company, random)", f"{found!r}")
        if any(not torch.equal(before[key], value) for key, value in net.state_dict().items()):
            return Problem("an audit that leaves its net as it was", "moved statistics: use a copy")
        for question, answer, truth in zip(QUESTIONS, found, right, strict=True):
            if bool(answer) is not truth:
                return Problem(
                    f"{question} = {truth} for a loop with {name}",
                    f"{question} = {answer}",
                    _audit_why(audit, question, bool(answer)),
                )
    if safe != "b":
        return Problem(
            "the loop that moves nothing, ignores the company and still draws",
            f"{safe!r}",
            {"a": MC_TRAIN, "c": RESTORED}.get(safe, ""),
        )
    return None


def _audit_why(audit, question, answer):
    """Why a loop was judged wrongly, if a look at a second loop shows it."""
    if question == "moved" and not answer and audit(_moves_a_weight, make_net(), some_rows())[0]:
        return WEIGHTS_ONLY
    if question == "company" and answer and not audit(_plain, make_net(), some_rows())[1]:
        return UNSEEDED
    return ""


EXERCISES = {
    "ratio": Exercise(
        check_ratio,
        "Var(h') in training: E[h'^2] is E[h^2]/(1-p), and E[h'] is E[h]. With E[h^2] = variance + mean^2, "
        "subtract.",
    ),
    "running": Exercise(
        check_running,
        "Feed nn.BatchNorm1d(1) the batch 0, 2 once and look at running_mean and running_var: they began "
        "with 0 and 1.",
    ),
    "scaler": Exercise(
        check_scaler, "Which two arrays does the scaler need, and from which rows? Then use them twice."
    ),
    "batches": Exercise(
        check_batches, "Shuffle all indices first. What can you do with the last one if it is alone?"
    ),
    "orders": Exercise(
        check_orders,
        "Go through a net from left to right and ask at each batch norm: is a unit upstream noisier in "
        "training than at prediction time?",
    ),
    "audit": Exercise(
        check_audit,
        "Copy the net with copy.deepcopy, compare state_dict() before and after. For the company: "
        "torch.manual_seed(0) before each of two calls, row 0 the same, all other rows changed.",
    ),
}


# --- wrong answers, each built on one wrong idea ---

RELU = right_ratio(1 / math.sqrt(2 * math.pi), 0.5 - 1 / (2 * math.pi), 0.2)
FOOLED = {"A": 0, "B": 1, "C": 1, "D": 0, "E": 2}


def update_right(running_mean, running_var, batch, momentum, new_share=None, ddof=1):
    """The new pair as PyTorch computes it; `new_share` and `ddof` for those who do it otherwise."""
    new = momentum if new_share is None else new_share
    return (
        (1 - new) * running_mean + new * batch.mean(axis=0),
        (1 - new) * running_var + new * batch.var(axis=0, ddof=ddof),
    )


def _prepare_all(x_train, x_test):
    rows = np.vstack([x_train, x_test])
    return _standardise(x_train, rows), _standardise(x_test, rows)


def cut(order, size):
    """The indices in pieces of `size`, the last one shorter."""
    return [order[k : k + size] for k in range(0, len(order), size)]


def _leave_last(n, size, rng):
    order = rng.permutation(n - 1 if n % size == 1 else n)
    return cut(order, size)


def audit_right(loop, net, x, state=lambda net: [*net.state_dict().values()], seed=True):
    """(moved, company, random) of a loop, on copies of the net."""
    copies = [copy.deepcopy(net) for _ in range(2)]
    others = torch.cat([x[:1], x[1:] + 3])
    before = [value.clone() for value in state(copies[0])]
    found = []
    for one, rows in zip(copies, (x, others), strict=True):
        if seed:
            torch.manual_seed(0)
        found.append(loop(one, rows, 5))
    moved = any(not torch.equal(a, b) for a, b in zip(before, state(copies[0]), strict=True))
    return (
        moved,
        not torch.allclose(found[0][:, 0], found[1][:, 0], atol=1e-6),
        not torch.equal(found[0][0], found[0][1]),
    )


def _audit(**how):
    return lambda loop, net, x: audit_right(loop, net, x, **how)


MISCONCEPTIONS = [
    Misconception(
        "dropout keeps the variance", "ratio", lambda: (RATIO_BELIEFS[KEEPS_VARIANCE], 1), KEEPS_VARIANCE
    ),
    Misconception(
        "the variance shift is 1-p, whatever the mean", "ratio", lambda: (RATIO_BELIEFS[ONLY_Q], 0.8), ONLY_Q
    ),
    Misconception("p is the keep probability", "ratio", lambda: (RATIO_BELIEFS[KEEP], RELU), KEEP),
    Misconception(
        "momentum means the same in every framework",
        "running",
        lambda: (lambda *old: update_right(*old, new_share=1 - old[3]), 0.01),
        OLD_SHARE,
    ),
    Misconception(
        "momentum means the same in every framework", "running", lambda: (update_right, 0.99), OLD_SHARE
    ),
    Misconception(
        "the running variance is the mean of the batches' variances",
        "running",
        lambda: (lambda *old: update_right(*old, ddof=0), 0.01),
        BIASED,
    ),
    Misconception(
        "a scaler may see all rows, since it sees no labels", "scaler", lambda: (_prepare_all,), LEAK
    ),
    Misconception(
        "the test part needs a scaler of its own",
        "scaler",
        lambda: (lambda *parts: tuple(_standardise(part, part) for part in parts),),
        OWN_SCALER,
    ),
    Misconception(
        "a batch of one is only slow",
        "batches",
        lambda: (lambda n, size, rng: cut(rng.permutation(n), size),),
        BATCH_OF_ONE,
    ),
    Misconception(
        "it does not matter which example is left out", "batches", lambda: (_leave_last,), SAME_ONE
    ),
    Misconception(
        "there is one right order of batch norm and dropout",
        "orders",
        lambda: ({**FOOLED, "C": 0}, "together"),
        ORDER,
    ),
    Misconception(
        "only the first batch norm after a dropout is shifted",
        "orders",
        lambda: ({**FOOLED, "E": 1}, "together"),
        HANDED_ON,
    ),
    Misconception(
        "a net with a variance shift predicts worse", "orders", lambda: (FOOLED, "cure"), SHIFT_COST
    ),
    Misconception(
        "the weights are all that a net holds",
        "audit",
        lambda: (_audit(state=lambda net: [*net.parameters()]), "b"),
        WEIGHTS_ONLY,
    ),
    Misconception(
        "two calls differ only in what I changed", "audit", lambda: (_audit(seed=False), "b"), UNSEEDED
    ),
    Misconception(
        "model.train() is harmless for Monte Carlo dropout with batch norm",
        "audit",
        lambda: (audit_right, "a"),
        MC_TRAIN,
    ),
    Misconception(
        "a net that comes back unharmed has predicted well", "audit", lambda: (audit_right, "c"), RESTORED
    ),
]
