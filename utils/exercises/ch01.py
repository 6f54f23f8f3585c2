"""The checks of chapter 01's exercises."""

import copy
import functools

import numpy as np
from scipy import stats

from utils import measured, scratch
from utils.data import load_fashion_mnist, read_only
from utils.exercises import beliefs, expect
from utils.exercises.engine import is_close
from utils.metrics import accuracy, nll, softmax

# --- 1. noise ---


def check_noise(train_accuracy, held_out_accuracy, held_out_nll):
    """Numbers: accuracies on random labels of four classes; and the NLL "above", "equal" or "below" ln 4."""
    expect.choice(held_out_nll, ("above", "equal", "below"))
    rule = "what 269,322 weights can do with 200 labels"
    expect.close(train_accuracy, 1, rule, {beliefs.CHANCE: 0.25}, "{} in training", 0.05)
    why = beliefs.BY_HEART if is_close(held_out_accuracy, 1, 0.2) else None
    rule = "the accuracy of a guess among four classes"
    expect.that(is_close(held_out_accuracy, 0.25, 0.02), rule, f"{held_out_accuracy} held out", why)
    why = beliefs.SURE_OF_NOTHING if held_out_nll == "equal" else None
    rule = "the NLL of a net that is sure, and wrong three times of four"
    expect.that(held_out_nll == "above", rule, held_out_nll, why)


# --- 2. calibration ---


def check_calibration(error):
    """A number: the ECE of 80 answers (confidence 0.9, 56 right) and 20 (confidence 0.6, 18 right)."""
    known = {beliefs.BINS_CANCEL: [0.1, -0.1], beliefs.EQUAL_BINS: 0.25}
    rule = "|share right - confidence| in each bin, times the bin's share, added up"
    expect.close(error, 0.8 * 0.2 + 0.2 * 0.3, rule, known, tolerance=0.005)


# --- 3. gaps ---


def make_answers(share_right, seed):
    """Logits (300, 5) and classes; about `share_right` of the largest logits are at the class."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (300, 5))
    y = np.where(rng.random(300) < share_right, logits.argmax(axis=1), rng.integers(5, size=300))
    return logits, y


def cost(logits, y):
    return nll(softmax(logits), y)


def cost_of_largest(logits, y):
    return cost(logits, logits.argmax(axis=1))


def cost_of_logit(logits, y):
    return -logits[np.arange(len(y)), y].mean()


def check_gaps(gaps):
    """A function: (logits_train, y_train, logits_held, y_held) -> (gap in accuracy, gap in NLL)."""
    train, held = make_answers(0.9, 0), make_answers(0.4, 1)
    in_accuracy, in_nll = expect.numbers(gaps(*train, *held), 2, "a pair of numbers")
    right = accuracy(*train) - accuracy(*held)
    known = {beliefs.ONE_DIRECTION: -right}
    expect.close(in_accuracy, right, f"a gap in accuracy of {right:.3f}", known, "{:.3f}", 1e-6)
    right, largest, logit = (of(*held) - of(*train) for of in (cost, cost_of_largest, cost_of_logit))
    known = {beliefs.OWN_CLASS: [largest, -largest], beliefs.RAW_LOGIT: [logit, -logit]}
    known[beliefs.ONE_DIRECTION] = -right
    expect.close(in_nll, right, f"a gap in NLL of {right:.3f}", known, "{:.3f}", 1e-6)
    # The same probabilities from logits that overflow exp.
    far = gaps(train[0] + 1000, train[1], held[0] + 1000, held[1])
    rule = "the same gap after 1,000 was added to every logit: the probabilities are the same"
    expect.close(far[1], right, rule, tolerance=1e-6)


# --- 4. report ---


@functools.cache
def load_images():
    """(x, y, x_held, y_held): 500 training and 2,000 validation images as rows, with their labels."""
    data = load_fashion_mnist(num_train=500, num_val=2_000, seed=0)
    rows = data.x_train.reshape(-1, 784), data.y_train, data.x_val.reshape(-1, 784), data.y_val
    return read_only(rows)


def fresh_net(num_hidden=64):
    """An untrained net with one hidden layer, always the same one."""
    return scratch.init_he((784, num_hidden, 10), np.random.default_rng(0))


def check_report(train_and_report, cause):
    """A function (net, x, y, x_held, y_held, rng) -> gap in NLL after one epoch; and a letter a, b or c."""
    expect.choice(cause, "abc")
    x, y, x_held, y_held = load_images()
    net = fresh_net()
    for _ in range(3):
        scratch.train_epoch(net, x, y, (0.5,), 50, 0.1, np.random.default_rng(1))
    before = copy.deepcopy(net)
    found = train_and_report(net, x, y, x_held, y_held, np.random.default_rng(2))
    moved = any(not np.array_equal(old, new) for old, new in zip(before[0], net[0], strict=True))
    expect.that(moved, "a net that was trained for one epoch", "weights that did not move")
    held, seen = cost(scratch.forward_eval(net, x_held), y_held), cost(scratch.forward_eval(net, x), y)
    printed, _ = scratch.train_epoch(before, x, y, (0.5,), 50, 0.1, np.random.default_rng(2))
    rule = f"{held - seen:+.3f}, both piles measured alike after the epoch"
    expect.close(found, held - seen, rule, {beliefs.PRINTED: held - printed}, "{:+.3f}", 1e-4)
    why = beliefs.VALIDATION_BUG if cause == "a" else beliefs.CURED
    expect.that(cause == "b", "the cause that your own function has just removed", f'"{cause}"', why)


# --- 5. sure ---

FACTORS = (2, 1, 0.5, 0.2, 0.05)


@functools.cache
def load_logits():
    """(logits, y) on 2,000 validation images of a net that has overfitted 500 training images."""
    x, y, x_held, y_held = load_images()
    net, rng = fresh_net(128), np.random.default_rng(1)
    for _ in range(100):
        scratch.train_epoch(net, x, y, (0,), 50, 0.1, rng)
    return read_only((scratch.forward_eval(net, x_held), y_held))


def check_sure(measure, best):
    """A function (logits, y, factor) -> (accuracy, mean confidence, NLL), and the factor to choose."""
    best = expect.choice(best, FACTORS, f"one of the factors {', '.join(map(str, FACTORS))}")
    logits, y = load_logits()
    names = ("accuracy", "mean confidence", "NLL")
    for factor in FACTORS:
        probs = softmax(factor * logits)
        right = accuracy(probs, y), probs.max(axis=1).mean(), nll(probs, y)
        found = expect.numbers(measure(logits, y, factor), 3, f"three numbers ({', '.join(names)})")
        for name, value, expected in zip(names, found, right, strict=True):
            rule = f"{name} {expected:.3f} at factor {factor}"
            expect.close(value, expected, rule, got="{:.3f}", tolerance=1e-3)
    right = min(FACTORS, key=lambda factor: nll(softmax(factor * logits), y))
    why = beliefs.LOWER_CONFIDENCE if best < right else beliefs.AS_TRAINED if best == 1 else None
    expect.that(best == right, "the factor whose NLL on held-out images is the lowest", f"{best}", why)


# --- 6. seeds ---

# The first three pairs of chapter 01's nets after their last epoch: share of errors and NLL, validation pile.
RECORDED = {
    "error without": (0.1875, 0.1815, 0.1845),
    "error with": (0.1780, 0.1740, 0.1900),
    "NLL without": (0.7404, 0.7181, 0.7924),
    "NLL with": (0.5886, 0.5894, 0.6167),
}
# Four made-up pairs for the check of the function.
PAIRS = np.array([[0.31, 0.42, 0.36, 0.27], [0.30, 0.40, 0.34, 0.26]])


def check_seeds(interval, by_error, by_nll):
    """A function (new, old) -> (low, high), the paired 95 % t interval; and its two verdicts on RECORDED."""
    new, old = PAIRS
    right = measured.difference(new, old)
    found = expect.numbers(interval(list(new), list(old)), 2, "a pair of numbers (low, high)")
    rule = f"[{right.low:.4f}, {right.high:.4f}] for new = {list(new)}, old = {list(old)}"
    why = expect.diagnose(found, wrong_intervals(new, old, right), 1e-4)
    got = f"[{found[0]:.4f}, {found[1]:.4f}]"
    expect.that(is_close(found, (right.low, right.high), 1e-6), rule, got, why)
    rule = "what the interval of the difference says about the"
    for verdict, name, why in ((by_error, "error", beliefs.FEWER_ERRORS), (by_nll, "NLL", None)):
        expect.choice(verdict, ("lower", "higher", "cannot tell"))
        found = measured.difference(RECORDED[f"{name} with"], RECORDED[f"{name} without"])
        right = "lower" if found.high < 0 else "higher" if found.low > 0 else "cannot tell"
        expect.that(verdict == right, f"{rule} {name}", verdict, why if verdict == "lower" else None)


def wrong_intervals(new, old, right):
    """What somebody with each Belief answers."""
    n, half = len(new), right.high - right.mean
    unpaired = np.sqrt((new.var(ddof=1) + old.var(ddof=1)) / n)
    halves = {
        beliefs.SCATTER: [half * np.sqrt(n)],
        beliefs.NORMAL: [factor * (new - old).std(ddof=1) / np.sqrt(n) for factor in (1.96, 2)],
        beliefs.UNPAIRED_13: [stats.t.ppf(0.975, dof) * unpaired for dof in (n - 1, 2 * n - 2)],
    }
    known = {
        belief: [(right.mean - half, right.mean + half) for half in widths]
        for belief, widths in halves.items()
    }
    known[beliefs.RANGES] = (new.min() - old.max(), new.max() - old.min())
    return known | {beliefs.ONE_RUN: (new[0] - old[0], new[0] - old[0])}


HINTS = {
    "noise": "Ask three questions apart: can it learn by heart, can anybody know the new labels, and how "
    "sure will it be when it guesses?",
    "calibration": "Two bins. In each: how far is the share of right answers from the confidence, and what "
    "share of all answers is in this bin?",
    "gaps": "Subtract each row's largest logit first. Then log-probability = logit - log(sum(exp(logits))); "
    "pick the entry of class y in each row, and take minus the mean.",
    "report": "Do not use what train_epoch returns. After the epoch, ask forward_eval about both piles.",
    "sure": "Use softmax(factor * logits) for all three. Print the three numbers for every factor: which of "
    "them moves, and which of them has its best value in the middle?",
    "seeds": "Subtract pair by pair. With n differences of standard deviation s (n - 1 in the variance) the "
    "ends lie stats.t.ppf(0.975, n - 1) * s / sqrt(n) to both sides of their mean.",
}
