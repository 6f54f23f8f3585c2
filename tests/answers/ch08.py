"""Answers to chapter 08's exercises: (exercise, answers, the Belief or the clause that the check says)."""

import numpy as np

from utils.exercises import beliefs
from utils.exercises.ch08 import CASES, adds_up, believed_intervals, load_decay, savings_of
from utils.measured import difference


def both(run, setting, baseline, seeds, when):
    return (np.array([run(seed=seed, **chosen)[when] for seed in seeds]) for chosen in (baseline, setting))


def saved(*task):
    return difference(*both(*task))[:3]


def by(belief, place=0):
    """nll_saved as somebody with this belief writes it."""

    def wrong(*task):
        answers = believed_intervals(*both(*task))[belief]
        return answers[place] if isinstance(answers, list) else answers

    return wrong


def first_seeds(num_seeds):
    def wrong(run, setting, baseline, seeds, when):
        found = list(both(run, setting, baseline, seeds[:num_seeds], when))
        return difference(*found)[:3] if num_seeds > 1 else (found[0][0] - found[1][0], 0, 1)

    return wrong


def stopped(val_nll, test_nll):
    epoch = int(np.argmin(val_nll))
    return epoch, test_nll[epoch]


def summed(losses, decay):
    dropout, shrinking, *_ = savings_of(losses, decay)
    return dropout, shrinking, dropout + shrinking, 0.0, 0.0, 0.0


MEASURED = {(0.2, 0.5): (0.10, 0.07, 0.12), (0.5, 0.2): (0.15, 0.1, 0.2), (0.9, 0.9): (-1.0, -1.1, -0.9)}
SWAP = {28: (0.05, 0.02, 0.08), 7: (0.005, -0.02, 0.03)}
COST = {"without": 0.3, "with": 0.15}
GAIN = dict(zip(CASES, [(-0.4, -0.5, -0.3)] * 2 + [(0.2, 0.1, 0.3), (0.004, -0.02, 0.03)], strict=True))
WORDS = dict(zip(CASES, ("hurts", "hurts", "helps", "cannot tell"), strict=True))
ADD_UP = {when: adds_up(*savings_of(load_decay(when), 1.0)[-2:]) for when in ("end", "stopped")}
VAL = load_decay("stopped", "val")
CHOICE = min(VAL, key=lambda pair: VAL[pair].mean())
WORST = max(VAL, key=lambda pair: VAL[pair].mean())
OWN = {0.0: [0.5, 0.52, 0.48, 0.55, 0.5], 0.2: [0.42, 0.47, 0.41, 0.46, 0.45]}
OWN |= {0.5: [0.35, 0.6, 0.6, 0.6, 0.6], 0.8: [0.9, 1.1, 0.9, 1.1, 0.9]}
OWN_SAVED = difference(OWN[0.0], OWN[0.2])[:3]


def own_by(belief, place=0):
    answers = believed_intervals(np.array(OWN[0.0]), np.array(OWN[0.2]))[belief]
    return (OWN, 0.2, answers[place] if isinstance(answers, list) else answers)


RIGHT = [
    ("numbers", (4 / 7, 200, 0.2)),
    ("pairs", (saved,)),
    ("layers", (MEASURED, (0.5, 0.2), SWAP, "c")),
    ("epochs", (stopped, COST, "b")),
    ("width", (GAIN, WORDS)),
    ("decay", (savings_of, ADD_UP, CHOICE)),
    ("own", (OWN, 0.2, OWN_SAVED)),
    ("own", ({0: [0.1] * 4 + [0.2], 0.1: [0.3] * 5, 0.2: [0.4] * 5, 0.3: [0.5] * 5}, 0, (0, 0, 0))),
]
WRONG = [
    ("numbers", (0.8, 200, 0.2), beliefs.PROPORTIONAL),
    ("numbers", (4 / 7, 200, 0.8), beliefs.KEEP_08),
    ("numbers", (4 / 7, 300, 0.2), beliefs.KEEP_08),
    ("numbers", (0.5, 200, 0.2), "the p with"),
    ("numbers", (4 / 7, 168, 0.2), "a width n"),
    ("numbers", (4 / 7, 200, 0.5), "the probability to drop"),
    ("pairs", (first_seeds(1),), beliefs.ONE_RUN_08),
    ("pairs", (by(beliefs.BEST_SEED),), beliefs.BEST_SEED),
    *(("pairs", (by(beliefs.UNPAIRED, place),), beliefs.UNPAIRED) for place in range(3)),
    ("pairs", (by(beliefs.RANGE),), beliefs.RANGE),
    *(("pairs", (by(beliefs.NORMAL, place),), beliefs.NORMAL) for place in range(2)),
    ("pairs", (lambda *task: 0.09,), "three numbers"),
    ("pairs", (first_seeds(2),), "for each of 4 seeds"),
    ("pairs", (lambda run, setting, _, *task: saved(run, setting, {}, *task),), "both of width 64"),
    ("pairs", (lambda *task: tuple(-gain for gain in saved(*task)),), "the 95 % t interval"),
    ("pairs", (lambda *task: saved(*task[:-1], "end"),), 'half of that for when="stopped"'),
    ("layers", (MEASURED, (0.2, 0.5), SWAP, "c"), beliefs.NEAR_INPUT),
    ("layers", (MEASURED, (0.9, 0.9), SWAP, "c"), beliefs.MORE_IS_BETTER),
    ("layers", (MEASURED, (0.5, 0.2), SWAP, "a"), beliefs.NEAR_INPUT),
    ("layers", (MEASURED, (0.5, 0.2), SWAP, "b"), beliefs.ONE_NET_SPEAKS),
    ("layers", ({(0.2, 0.5): (0.1, 0, 0.2)}, (0.5, 0.2), SWAP, "c"), "a dict with the keys"),
    ("layers", ({**MEASURED, (0.9, 0.9): -1.0}, (0.5, 0.2), SWAP, "c"), "(mean, low, high) for (0.9, 0.9)"),
    ("layers", ({**MEASURED, (0.9, 0.9): (-1, -0.9, -1.1)}, (0.5, 0.2), SWAP, "c"), "(mean, low, high) for"),
    ("layers", ({**MEASURED, (0.9, 0.9): (2.0, 1.0, 3.0)}, (0.5, 0.2), SWAP, "c"), "the third to lose"),
    ("layers", ({**MEASURED, (0.9, 0.9): (0.05, 0, 0.1)}, (0.5, 0.2), SWAP, "c"), "the third to lose"),
    ("layers", (MEASURED, (0.5, 0.5), SWAP, "c"), "one of the pairs"),
    ("layers", (MEASURED, (0.5, 0.2), {28: SWAP[7], 7: SWAP[28]}, "c"), "clearly above 0 for 28 x 28"),
    ("layers", (MEASURED, (0.5, 0.2), {28: SWAP[28]}, "c"), "a dict with the keys 28, 7"),
    ("layers", (MEASURED, (0.5, 0.2), SWAP, "d"), '"a", "b" or "c"'),
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
    ("width", (GAIN, WORDS | {CASES[0]: "helps"}), beliefs.ALWAYS_HELPS),
    ("width", (GAIN, WORDS | {CASES[2]: "hurts"}), beliefs.BIG_NEEDS_NONE),
    ("width", (GAIN, WORDS | {CASES[3]: "no effect"}), beliefs.NULL_PROVED),
    ("width", (GAIN, WORDS | {CASES[3]: "helps"}), "\"cannot tell\" for (128, 'stopped')"),
    ("width", ({CASES[0]: GAIN[CASES[0]]}, WORDS), "a dict with the keys (16, 'end')"),
    ("width", (GAIN, {}), "a dict with the keys (16, 'end')"),
    ("width", (GAIN, WORDS | {CASES[2]: "yes"}), '"helps", "hurts"'),
    ("width", (GAIN | {CASES[1]: GAIN[CASES[2]]}, WORDS), "NLL lost by dropout at width 16"),
    ("decay", (summed, ADD_UP, CHOICE), beliefs.ADD_UP),
    ("decay", (lambda losses, decay: 0.1, ADD_UP, CHOICE), "six numbers"),
    (
        "decay",
        (lambda *task: tuple(2 * gain for gain in savings_of(*task)), ADD_UP, CHOICE),
        "0.2, 0.1, 0.25",
    ),
    ("decay", (savings_of, ADD_UP | {"end": True}, CHOICE), beliefs.ADD_UP),
    ("decay", (savings_of, True, CHOICE), 'a dict with the keys "end"'),
    ("decay", (savings_of, ADD_UP | {"end": "no"}, CHOICE), "False for end"),
    ("decay", (savings_of, ADD_UP, 0.3), "a pair (weight decay, p)"),
    ("decay", (savings_of, ADD_UP | {"stopped": None}, CHOICE), "False for stopped"),
    ("decay", (savings_of, ADD_UP, (1.0, 0.5)), beliefs.TOO_MUCH),
    ("decay", (savings_of, ADD_UP, WORST), "the lowest mean validation loss"),
    ("own", ({0.0: [0.5], 0.2: [0.4], 0.5: [0.4], 0.8: [0.4]}, 0.2, OWN_SAVED), beliefs.ONE_RUN_08),
    ("own", (OWN, 0.5, difference(OWN[0.0], OWN[0.5])[:3]), beliefs.BEST_SEED),
    ("own", own_by(beliefs.BEST_SEED), beliefs.BEST_SEED),
    *(("own", own_by(beliefs.UNPAIRED, place), beliefs.UNPAIRED) for place in range(3)),
    ("own", own_by(beliefs.RANGE), beliefs.RANGE),
    *(("own", own_by(beliefs.NORMAL, place), beliefs.NORMAL) for place in range(2)),
    ("own", ({0.0: [0.5] * 5, 0.2: [0.4] * 5}, 0.2, OWN_SAVED), "a dict with 0 and at least three"),
    ("own", (OWN | {0.8: [0.9] * 4}, 0.2, OWN_SAVED), "one loss for each of 5 seeds"),
    ("own", (OWN | {0.8: [0.9] * 4 + [np.inf]}, 0.2, OWN_SAVED), "finite losses"),
    ("own", (OWN, 0.3, OWN_SAVED), "one of the values of p"),
    ("own", (OWN, 0.8, OWN_SAVED), "the p with the lowest mean loss"),
    ("own", (OWN, 0.2, 0.05), "three numbers"),
    ("own", (OWN, 0.2, tuple(-value for value in OWN_SAVED)), "seed by seed"),
]
