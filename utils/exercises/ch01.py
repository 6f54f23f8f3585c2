"""The checks of chapter 01's exercises, and the wrong answers that they know by name."""

import copy
import functools
from numbers import Real

import numpy as np

from utils import scratch
from utils.data import load_fashion_mnist
from utils.metrics import accuracy, nll, softmax
from utils.selfcheck import Exercise, Misconception, Problem, is_close, written

CHANCE = (
    "Chance is the limit for labels that were held out. On the images that it trains on, a net with far more "
    "weights than images can learn any list of labels by heart."
)
BY_HEART = (
    "What was learnt by heart says nothing about other images: their labels were drawn independently, so "
    "nobody can beat chance there."
)
SURE_OF_NOTHING = (
    "Chance fixes the accuracy, not the NLL. The net learnt to be sure, and it stays sure on new images: "
    "most of its confident answers are wrong, and each costs far more than an honest guess."
)
CANCEL = (
    "The two bins are wrong in opposite directions, and you let one make up for the other. ECE takes the "
    "absolute value in every bin, before the mean: too sure here is not repaired by too shy there."
)
WEIGHTS = (
    "You gave both bins the same weight. ECE is a mean over answers, so a bin counts as often as it has "
    "answers: its weight is its share of them."
)
DIRECTION = (
    "A gap is the harm on unseen images. Accuracy falls there and NLL rises, so the order turns round: "
    "training minus held out for accuracy, held out minus training for NLL."
)
OWN_CLASS = (
    "You took the largest probability. NLL never asks how sure the net was; it asks how much probability "
    "the TRUE class received, so it needs y."
)
RAW_LOGIT = (
    "A logit is not a log-probability. Adding the same number to all ten logits changes no probability, but "
    "it would change your loss: subtract the log of the sum of exponentials first."
)
PRINTED = (
    "The loss that train_epoch returns was taken with dropout on and while the weights still moved. The "
    "held-out loss has neither handicap, so their difference is not the gap: measure both piles alike."
)
LEAK = (
    "Nothing need be wrong with the split. The training loss was measured with dropout on, the held-out loss "
    "with dropout off; that alone can put training behind. Measure alike before you suspect the data."
)
CURED = (
    "A gap below zero is a sign that the two sides were measured in different ways. Taken alike, the same "
    "net does better on the images that it has seen."
)
LOWER = (
    "Confidence should be as high as the answers are right, not as low as possible. Multiply the logits by "
    "0 and the net says 10 % to everything: very modest, and useless. The NLL sees it."
)
AS_TRAINED = (
    "A net that overfits comes out of training too sure: it was rewarded for confidence on images that it "
    "already knew. On other images a smaller factor has the lower NLL."
)
ONE_RUN = (
    "You let the first run of each decide. Another seed would give another verdict: one run is an anecdote, "
    "and only the range over seeds shows how much of a difference is luck."
)
MEANS = (
    "One mean is always lower than the other, also when nothing is different. As long as the ranges overlap, "
    "another seed can turn the order round."
)
BEST_RUN = (
    "You compared the best run of each. The minimum rewards luck: whoever tries more seeds, or has the wider "
    "spread, wins without being better."
)
FEWER_ERRORS = (
    "Dropout narrowed the gap of the NLL, but that need not bring fewer errors: the wrong answers became "
    "less sure, not right. Here the ranges of the error overlap."
)


# --- 1. noise ---


def check_noise(train_accuracy, held_out_accuracy, held_out_nll):
    """Numbers: accuracies on random labels of four classes; and the NLL "above", "equal" or "below" ln 4."""
    if held_out_nll not in ("above", "equal", "below"):
        return Problem('"above", "equal" or "below"', repr(held_out_nll))
    if not is_close(train_accuracy, 1, 0.05):
        why = CHANCE if is_close(train_accuracy, 0.25, 0.05) else ""
        return Problem("what 269,322 weights can do with 200 labels", f"{train_accuracy} in training", why)
    if not is_close(held_out_accuracy, 0.25, 0.02):
        why = BY_HEART if is_close(held_out_accuracy, 1, 0.2) else ""
        return Problem("the accuracy of a guess among four classes", f"{held_out_accuracy} held out", why)
    if held_out_nll != "above":
        why = SURE_OF_NOTHING if held_out_nll == "equal" else ""
        return Problem("the NLL of a net that is sure, and wrong three times of four", held_out_nll, why)
    return None


# --- 2. calibration ---


def check_calibration(error):
    """A number: the ECE of 80 answers (confidence 0.9, 56 right) and 20 (confidence 0.6, 18 right)."""
    if is_close(error, 0.8 * 0.2 + 0.2 * 0.3, 0.005):
        return None
    why = ""
    if is_close(abs(error), 0.8 * 0.2 - 0.2 * 0.3, 0.005):
        why = CANCEL
    elif is_close(error, (0.2 + 0.3) / 2, 0.005):
        why = WEIGHTS
    return Problem("|share right - confidence| in each bin, times the bin's share, added up", f"{error}", why)


# --- 3. gaps ---


def make_answers(share_right, seed):
    """Logits (300, 5) and classes; about `share_right` of the largest logits are at the class."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (300, 5))
    y = np.where(rng.random(300) < share_right, logits.argmax(axis=1), rng.integers(5, size=300))
    return logits, y


def _gaps(costs, train, held):
    return accuracy(*train) - accuracy(*held), costs(*held) - costs(*train)


def _cost(logits, y):
    return nll(softmax(logits), y)


def _cost_of_largest(logits, y):
    return _cost(logits, logits.argmax(axis=1))


def _cost_of_logit(logits, y):
    return -logits[np.arange(len(y)), y].mean()


def check_gaps(gaps):
    """A function: (logits_train, y_train, logits_held, y_held) -> (gap in accuracy, gap in NLL)."""
    train, held = make_answers(0.9, 0), make_answers(0.4, 1)
    found = written(gaps(*train, *held))
    if not isinstance(found, tuple) or len(found) != 2 or not all(isinstance(v, Real) for v in found):
        return Problem("a pair of numbers", repr(found))
    right = _gaps(_cost, train, held)
    for name, value, expected in zip(("accuracy", "NLL"), found, right, strict=True):
        if not is_close(value, expected, 1e-6):
            return Problem(
                f"a gap in {name} of {expected:.3f}", f"{value:.3f}", _why_gap(value, expected, train, held)
            )
    # The same probabilities from logits that overflow exp.
    far = written(gaps(train[0] + 1000, train[1], held[0] + 1000, held[1]))
    if not is_close(far[1], right[1], 1e-6):
        return Problem(
            "the same gap after 1,000 was added to every logit: the probabilities are the same", f"{far[1]}"
        )
    return None


def _why_gap(value, expected, train, held):
    for costs, why in ((_cost_of_largest, OWN_CLASS), (_cost_of_logit, RAW_LOGIT)):
        if is_close(abs(value), abs(_gaps(costs, train, held)[1]), 1e-6):
            return why
    return DIRECTION if is_close(value, -expected, 1e-6) else ""


# --- 4. report ---


@functools.cache
def load_images():
    """(x, y, x_held, y_held): 500 training and 2,000 validation images as rows, with their labels."""
    data = load_fashion_mnist(num_train=500, num_val=2_000, seed=0)
    return data.x_train.reshape(-1, 784), data.y_train, data.x_val.reshape(-1, 784), data.y_val


def fresh_net(num_hidden=64):
    """An untrained net with one hidden layer, always the same one."""
    return scratch.init_he((784, num_hidden, 10), np.random.default_rng(0))


def check_report(train_and_report, cause):
    """A function (net, x, y, x_held, y_held, rng) -> gap in NLL after one epoch; and a letter a, b or c."""
    if cause not in ("a", "b", "c"):
        return Problem('one of the letters "a", "b", "c"', repr(cause))
    x, y, x_held, y_held = load_images()
    net = fresh_net()
    for _ in range(3):
        scratch.train_epoch(net, x, y, (0.5,), 50, 0.1, np.random.default_rng(1))
    before = copy.deepcopy(net)
    found = written(train_and_report(net, x, y, x_held, y_held, np.random.default_rng(2)))
    if all(np.array_equal(old, new) for old, new in zip(before[0], net[0], strict=True)):
        return Problem("a net that was trained for one epoch", "weights that did not move")
    held, seen = (_cost(scratch.forward_eval(net, part), labels) for part, labels in _pairs(x_held, y_held))
    if not is_close(found, held - seen, 1e-4):
        printed, _ = scratch.train_epoch(before, x, y, (0.5,), 50, 0.1, np.random.default_rng(2))
        why = PRINTED if is_close(found, held - printed, 1e-4) else ""
        return Problem(f"{held - seen:+.3f}, both piles measured alike after the epoch", f"{found:+.3f}", why)
    if cause != "b":
        whys = {"a": LEAK, "c": CURED}
        return Problem("the cause that your own function has just removed", f'"{cause}"', whys[cause])
    return None


def _pairs(x_held, y_held):
    x, y, _, _ = load_images()
    return (x_held, y_held), (x, y)


# --- 5. sure ---

FACTORS = (2, 1, 0.5, 0.2, 0.05)


@functools.cache
def load_logits():
    """(logits, y) on 2,000 validation images of a net that has overfitted 500 training images."""
    x, y, x_held, y_held = load_images()
    net, rng = fresh_net(128), np.random.default_rng(1)
    for _ in range(100):
        scratch.train_epoch(net, x, y, (0,), 50, 0.1, rng)
    return scratch.forward_eval(net, x_held), y_held


def check_sure(measure, best):
    """A function (logits, y, factor) -> (accuracy, mean confidence, NLL), and the factor to choose."""
    if best not in FACTORS:
        return Problem(f"one of the factors {', '.join(map(str, FACTORS))}", repr(best))
    logits, y = load_logits()
    for factor in FACTORS:
        probs = softmax(factor * logits)
        expected = accuracy(probs, y), probs.max(axis=1).mean(), nll(probs, y)
        found = written(measure(logits, y, factor))
        if not isinstance(found, tuple) or len(found) != 3:
            return Problem("three numbers (accuracy, mean confidence, NLL)", type(found).__name__)
        for name, value, right in zip(("accuracy", "mean confidence", "NLL"), found, expected, strict=True):
            if not is_close(float(value), float(right), 1e-3):
                return Problem(f"{name} {right:.3f} at factor {factor}", f"{value:.3f}")
    right = min(FACTORS, key=lambda factor: nll(softmax(factor * logits), y))
    if best != right:
        why = LOWER if best < right else AS_TRAINED if best == 1 else ""
        return Problem("the factor whose NLL on held-out images is the lowest", f"{best}", why)
    return None


# --- 6. seeds ---

# One run of chapter 01's nets: share of errors and NLL on 2,000 validation images after 80 epochs, 3 seeds.
RECORDED = {
    "error without": (0.1855, 0.1805, 0.1830),
    "error with": (0.1780, 0.1835, 0.1920),
    "NLL without": (0.7015, 0.6419, 0.6677),
    "NLL with": (0.5531, 0.5300, 0.5797),
}
VERDICTS = ("a", "b", "unclear")
CLEAR = (((0.30, 0.33, 0.31), (0.36, 0.34, 0.35), "a"), ((0.36, 0.34, 0.35), (0.30, 0.33, 0.31), "b"))
# In each pair of runs the ranges overlap; the first runs, the means and the best runs disagree.
OVERLAP = (((0.34, 0.50, 0.33), (0.35, 0.36, 0.32)), ((0.35, 0.36, 0.34), (0.33, 0.50, 0.45)))
SHORTCUTS = {("a", "b"): ONE_RUN, ("b", "a"): MEANS, ("b", "b"): BEST_RUN}


def check_seeds(lower, by_error, by_nll):
    """A function (a, b) -> "a", "b" or "unclear", and its two verdicts on RECORDED."""
    for a, b, expected in CLEAR:
        found = written(lower(a, b))
        if found != expected:
            return Problem(f'"{expected}" for a = {a}, b = {b}', repr(found))
    found = tuple(lower(a, b) for a, b in OVERLAP)
    for verdict, (a, b) in zip(found, OVERLAP, strict=True):
        if verdict != "unclear":
            return Problem(
                f'"unclear" for a = {a}, b = {b}: the ranges overlap', repr(verdict), SHORTCUTS.get(found, "")
            )
    if by_error != "unclear":
        why = FEWER_ERRORS if by_error == "b" else ""
        return Problem("what your own function says about the errors", repr(by_error), why)
    if by_nll != "b":
        return Problem("what your own function says about the NLL", repr(by_nll))
    return None


EXERCISES = {
    "noise": Exercise(
        check_noise,
        "Ask three questions apart: can it learn by heart, can anybody know the new labels, and how sure "
        "will it be when it guesses?",
    ),
    "calibration": Exercise(
        check_calibration,
        "Two bins. In each: how far is the share of right answers from the confidence, and what share of "
        "all answers is in this bin?",
    ),
    "gaps": Exercise(
        check_gaps,
        "Subtract each row's largest logit first. Then log-probability = logit - log(sum(exp(logits))); pick "
        "the entry of class y in each row, and take minus the mean.",
    ),
    "report": Exercise(
        check_report,
        "Do not use what train_epoch returns. After the epoch, ask forward_eval about both piles.",
    ),
    "sure": Exercise(
        check_sure,
        "Use softmax(factor * logits) for all three. Print the three numbers for every factor: which of them "
        "moves, and which of them has its best value in the middle?",
    ),
    "seeds": Exercise(
        check_seeds,
        '"a" is lower beyond doubt if even its largest value is below the smallest value of "b".',
    ),
}


# --- wrong answers, each built on one wrong idea ---


def _gap_function(costs, sign=1):
    def gaps(logits_train, y_train, logits_held, y_held):
        in_accuracy, in_nll = _gaps(costs, (logits_train, y_train), (logits_held, y_held))
        return in_accuracy, sign * in_nll

    return gaps


def _report(from_print):
    def train_and_report(net, x, y, x_held, y_held, rng):
        loss, _ = scratch.train_epoch(net, x, y, (0.5,), 50, 0.1, rng)
        if not from_print:
            loss = _cost(scratch.forward_eval(net, x), y)
        return _cost(scratch.forward_eval(net, x_held), y_held) - loss

    return train_and_report


def _measure(logits, y, factor):
    probs = softmax(factor * logits)
    return accuracy(probs, y), probs.max(axis=1).mean(), nll(probs, y)


def _by(summary):
    return lambda a, b: "a" if summary(a) < summary(b) else "b"


def _by_range(a, b):
    return "a" if max(a) < min(b) else "b" if max(b) < min(a) else "unclear"


MISCONCEPTIONS = [
    Misconception(
        "no classifier beats chance on random labels, in training either",
        "noise",
        lambda: (0.25, 0.25, "equal"),
        CHANCE,
    ),
    Misconception("what is learnt by heart helps on new images", "noise", lambda: (1, 1, "below"), BY_HEART),
    Misconception(
        "a net that knows nothing has the NLL of guessing",
        "noise",
        lambda: (1, 0.25, "equal"),
        SURE_OF_NOTHING,
    ),
    Misconception("too sure here makes up for too shy there", "calibration", lambda: (0.1,), CANCEL),
    Misconception("every bin of the ECE counts the same", "calibration", lambda: (0.25,), WEIGHTS),
    Misconception(
        "every gap is training minus held out", "gaps", lambda: (_gap_function(_cost, -1),), DIRECTION
    ),
    Misconception(
        "NLL looks at the largest probability", "gaps", lambda: (_gap_function(_cost_of_largest),), OWN_CLASS
    ),
    Misconception(
        "a logit is a log-probability", "gaps", lambda: (_gap_function(_cost_of_logit),), RAW_LOGIT
    ),
    Misconception(
        "the training loss that is printed measures the gap", "report", lambda: (_report(True), "b"), PRINTED
    ),
    Misconception(
        "validation better than training must be a bug", "report", lambda: (_report(False), "a"), LEAK
    ),
    Misconception("a gap below zero means no overfitting", "report", lambda: (_report(False), "c"), CURED),
    Misconception("lower confidence is better", "sure", lambda: (_measure, 0.05), LOWER),
    Misconception("a trained net is as sure as it should be", "sure", lambda: (_measure, 1), AS_TRAINED),
    Misconception("one run is evidence", "seeds", lambda: (_by(lambda runs: runs[0]), "b", "b"), ONE_RUN),
    Misconception("the better mean is the better method", "seeds", lambda: (_by(np.mean), "b", "b"), MEANS),
    Misconception("the best run shows what a method can do", "seeds", lambda: (_by(min), "b", "b"), BEST_RUN),
    Misconception(
        "less overfitting means fewer errors", "seeds", lambda: (_by_range, "b", "b"), FEWER_ERRORS
    ),
]
