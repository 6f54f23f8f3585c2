"""Answers to chapter 08's exercises: (exercise, answers, the Belief or the clause that the check says)."""

import numpy as np

from utils.exercises import beliefs
from utils.exercises.ch08 import savings_of


def both(run, setting, baseline, seeds):
    return ([run(seed=seed, **chosen)["nll"] for seed in seeds] for chosen in (setting, baseline))


def saved(*task):
    new, old = both(*task)
    gains = [b - a for a, b in zip(new, old, strict=True)]
    return float(np.mean(gains)), min(gains), max(gains)


def unpaired(*task):
    new, old = both(*task)
    return np.mean(old) - np.mean(new), min(old) - max(new), max(old) - min(new)


def luckiest(*task):
    new, old = both(*task)
    return min(old) - min(new), *saved(*task)[1:]


def first_seeds(num_seeds):
    return lambda run, setting, baseline, seeds: saved(run, setting, baseline, seeds[:num_seeds])


def stopped(val_nll, test_nll):
    epoch = int(np.argmin(val_nll))
    return epoch, test_nll[epoch]


def summed(losses, decay):
    dropout, shrinking, *_ = savings_of(losses, decay)
    return dropout, shrinking, dropout + shrinking, 0.0


MEASURED = {(0.2, 0.5): (0.10, 0.07, 0.12), (0.5, 0.2): (0.15, 0.1, 0.2), (0.9, 0.9): (-1.0, -1.1, -0.9)}
COST = {"without": 0.3, "with": 0.15}
GAIN = {16: (-0.4, -0.5, -0.3), 128: (0.2, 0.1, 0.3)}

RIGHT = [
    ("seeds", (saved,)),
    ("layers", (MEASURED, (0.5, 0.2))),
    ("epochs", (stopped, COST, "b")),
    ("width", (GAIN, "hurts", "helps")),
    ("decay", (savings_of, False, (0.3, 0.5))),
]
WRONG = [
    ("numbers", (0.8, 200, 0.2), beliefs.PROPORTIONAL),
    ("numbers", (4 / 7, 200, 0.8), beliefs.KEEP_08),
    ("numbers", (4 / 7, 300, 0.2), beliefs.KEEP_08),
    ("numbers", (0.5, 200, 0.2), "the p with"),
    ("numbers", (4 / 7, 168, 0.2), "a width n"),
    ("numbers", (4 / 7, 200, 0.5), "the probability to drop"),
    ("seeds", (first_seeds(1),), beliefs.ONE_RUN_08),
    ("seeds", (luckiest,), beliefs.BEST_SEED),
    ("seeds", (unpaired,), beliefs.UNPAIRED),
    ("seeds", (lambda *task: 0.09,), "three numbers"),
    ("seeds", (first_seeds(2),), "for each of 4 seeds"),
    ("seeds", (lambda run, setting, _, seeds: saved(run, setting, {}, seeds),), "both of width 64"),
    (
        "seeds",
        (lambda *task: tuple(-gain for gain in saved(*task)),),
        "mean 0.090, lowest 0.050, highest 0.130",
    ),
    ("layers", (MEASURED, (0.2, 0.5)), beliefs.NEAR_INPUT),
    ("layers", (MEASURED, (0.9, 0.9)), beliefs.MORE_IS_BETTER),
    ("layers", ({(0.2, 0.5): (0.1, 0, 0.2)}, (0.5, 0.2)), "a dict with the keys"),
    ("layers", ({**MEASURED, (0.9, 0.9): -1.0}, (0.5, 0.2)), "(mean, lowest, highest) for (0.9, 0.9)"),
    ("layers", ({**MEASURED, (0.9, 0.9): (-1.0, -0.9, -1.1)}, (0.5, 0.2)), "(mean, lowest, highest) for"),
    ("layers", ({**MEASURED, (0.9, 0.9): (2.0, 1.0, 3.0)}, (0.5, 0.2)), "the third to lose"),
    ("layers", ({**MEASURED, (0.9, 0.9): (0.05, 0, 0.1)}, (0.5, 0.2)), "the third to lose"),
    ("layers", (MEASURED, (0.5, 0.5)), "one of the pairs"),
    ("epochs", (lambda val, test: stopped(test, test), COST, "b"), beliefs.TEST_CHOSEN),
    ("epochs", (lambda val, test: stopped(val, val), COST, "b"), beliefs.VAL_REPORTED),
    ("epochs", (lambda val, test: (len(test) - 1, test[-1]), COST, "b"), beliefs.LAST_EPOCH),
    ("epochs", (stopped, COST, "a"), beliefs.NO_STOP),
    ("epochs", (stopped, COST, "c"), beliefs.FASTER_08),
    ("epochs", (lambda val, test: 2, COST, "b"), "a pair (look, loss)"),
    ("epochs", (lambda val, test: (0, 1.05), COST, "b"), "the look that validation chooses"),
    ("epochs", (stopped, {"with": 0.1}, "b"), "a dict with a number"),
    ("epochs", (stopped, {"without": 0.1, "with": 0.3}, "b"), "less of it with dropout"),
    ("epochs", (stopped, COST, "d"), '"a", "b" or "c"'),
    ("width", (GAIN, "helps", "helps"), beliefs.ALWAYS_HELPS),
    ("width", (GAIN, "hurts", "hurts"), beliefs.BIG_NEEDS_NONE),
    ("width", ({16: GAIN[16]}, "hurts", "helps"), "a dict with the keys 16, 128"),
    ("width", (GAIN, "hurts", "yes"), '"helps" or "hurts"'),
    ("width", ({16: GAIN[128], 128: GAIN[16]}, "hurts", "helps"), "saved at the other"),
    ("decay", (summed, False, (0.3, 0.5)), beliefs.ADD_UP),
    ("decay", (savings_of, True, (0.3, 0.5)), beliefs.ADD_UP),
    ("decay", (savings_of, False, (3.0, 0.5)), beliefs.TOO_MUCH),
    ("decay", (lambda losses, decay: 0.1, False, (0.3, 0.5)), "four numbers"),
    (
        "decay",
        (lambda *task: tuple(2 * gain for gain in savings_of(*task)), False, (0.3, 0.5)),
        "overlap of 0.05",
    ),
    ("decay", (savings_of, "no", (0.3, 0.5)), "True or False"),
    ("decay", (savings_of, False, 0.3), "a pair (weight decay, p)"),
    ("decay", (savings_of, False, (0.0, 0.0)), "the lowest mean validation loss"),
]
