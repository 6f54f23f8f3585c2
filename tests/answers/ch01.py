"""Answers to chapter 01's exercises: (exercise, answers, the Belief or the clause that the check says)."""

import numpy as np
from scipy import stats

from utils import scratch
from utils.exercises import beliefs
from utils.exercises.ch01 import cost, cost_of_largest, cost_of_logit
from utils.metrics import accuracy, nll, softmax


def gap_function(of, sign=1):
    """gaps with another cost `of`, or the NLL's gap turned round."""

    def gaps(logits_train, y_train, logits_held, y_held):
        in_nll = of(logits_held, y_held) - of(logits_train, y_train)
        return accuracy(logits_train, y_train) - accuracy(logits_held, y_held), sign * in_nll

    return gaps


def doubled(*answers):
    return tuple(2 * gap for gap in gap_function(cost)(*answers))


def overflowing_cost(logits, y):
    """Right for small logits."""
    with np.errstate(all="ignore"):
        probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return -np.log(probs[np.arange(len(y)), y]).mean()


def report_from_print(net, x, y, x_held, y_held, rng):
    loss, _ = scratch.train_epoch(net, x, y, (0.5,), 50, 0.1, rng)
    return cost(scratch.forward_eval(net, x_held), y_held) - loss


def report(net, x, y, x_held, y_held, rng):
    report_from_print(net, x, y, x_held, y_held, rng)
    return cost(scratch.forward_eval(net, x_held), y_held) - cost(scratch.forward_eval(net, x), y)


def measure(logits, y, factor):
    probs = softmax(factor * logits)
    return accuracy(probs, y), probs.max(axis=1).mean(), nll(probs, y)


def one_class(logits, y, factor):
    """The mean probability of class 0 in the place of the confidence."""
    right = measure(logits, y, factor)
    return right[0], 0.5 * right[1], right[2]


def interval(half, center=np.mean):
    """An interval from half(differences, new, old) around their mean."""

    def answer(new, old):
        new, old = np.array(new), np.array(old)
        middle, width = center(new - old), half(new - old, new, old)
        return middle - width, middle + width

    return answer


def error(differences, *_):
    return differences.std(ddof=1) / np.sqrt(len(differences))


def t(n):
    return stats.t.ppf(0.975, n - 1)


def unpaired(differences, new, old):
    return t(len(new)) * np.sqrt((new.var(ddof=1) + old.var(ddof=1)) / len(new))


def of_ranges(new, old):
    return min(new) - max(old), max(new) - min(old)


right_interval = interval(lambda d, *_: t(len(d)) * error(d))


WRONG = [
    ("noise", (0.25, 0.25, "equal"), beliefs.CHANCE),
    ("noise", (1, 1, "below"), beliefs.BY_HEART),
    ("noise", (1, 0.25, "equal"), beliefs.SURE_OF_NOTHING),
    ("noise", (1, 0.25, "higher"), '"above", "equal" or "below"'),
    ("noise", (0.6, 0.25, "above"), "what 269,322 weights can do"),
    ("noise", (1, 0.1, "above"), "a guess among four classes"),
    ("noise", (1, 0.25, "below"), "sure, and wrong three times of four"),
    ("calibration", (0.1,), beliefs.BINS_CANCEL),
    ("calibration", (0.25,), beliefs.EQUAL_BINS),
    ("calibration", (0.26,), "times the bin's share"),
    ("gaps", (gap_function(cost, -1),), beliefs.ONE_DIRECTION),
    ("gaps", (gap_function(cost_of_largest),), beliefs.OWN_CLASS),
    ("gaps", (gap_function(cost_of_logit),), beliefs.RAW_LOGIT),
    ("gaps", (lambda *answers: 0.1,), "a pair of numbers"),
    ("gaps", (doubled,), "a gap in accuracy of"),
    ("gaps", (gap_function(overflowing_cost),), "after 1,000 was added"),
    ("report", (report_from_print, "b"), beliefs.PRINTED),
    ("report", (report, "a"), beliefs.VALIDATION_BUG),
    ("report", (report, "c"), beliefs.CURED),
    ("report", (report, "d"), '"a", "b" or "c"'),
    ("report", (lambda *task: 0.1, "b"), "trained for one epoch"),
    ("report", (lambda *task: -report(*task), "b"), "both piles measured alike"),
    ("sure", (measure, 0.05), beliefs.LOWER_CONFIDENCE),
    ("sure", (measure, 1), beliefs.AS_TRAINED),
    ("sure", (measure, 0.7), "one of the factors"),
    ("sure", (lambda logits, y, factor: 0.8, 0.5), "three numbers"),
    ("sure", (one_class, 0.5), "mean confidence"),
    ("sure", (measure, 2), "the lowest"),
    ("seeds", (of_ranges, "cannot tell", "lower"), beliefs.RANGES),
    ("seeds", (interval(lambda d, *_: t(len(d)) * d.std(ddof=1)), "cannot tell", "lower"), beliefs.SCATTER),
    ("seeds", (interval(lambda d, *_: 1.96 * error(d)), "cannot tell", "lower"), beliefs.NORMAL),
    ("seeds", (interval(unpaired), "cannot tell", "cannot tell"), beliefs.UNPAIRED_13),
    ("seeds", (interval(lambda *_: 0, lambda d: d[0]), "lower", "lower"), beliefs.ONE_RUN),
    ("seeds", (right_interval, "lower", "lower"), beliefs.FEWER_ERRORS),
    ("seeds", (lambda new, old: right_interval(old, new), "cannot tell", "lower"), "for new ="),
    ("seeds", (lambda new, old: 0.1, "cannot tell", "lower"), "a pair of numbers (low, high)"),
    ("seeds", (right_interval, "cannot tell", "higher"), "about the NLL"),
    ("seeds", (right_interval, "higher", "lower"), "about the error"),
    ("seeds", (right_interval, "unclear", "lower"), '"lower", "higher" or "cannot tell"'),
]
