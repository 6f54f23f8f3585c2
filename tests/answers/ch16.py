"""Answers to chapter 16's exercises: (exercise, answers, the Belief or the clause that the check says)."""

import numpy as np

from utils.exercises import beliefs
from utils.exercises.ch16 import DROPS


def draws(call, rng):
    rng.random()
    before = rng.bit_generator.state
    call()
    return rng.bit_generator.state != before


def by_next_number(call, rng):
    """Two generators' worth of comparison: from one state, with the call and without."""
    state = np.random.default_rng(99).bit_generator.state
    after = []
    for use in (lambda: None, call):
        rng.bit_generator.state = state
        use()
        after.append(rng.random())
    return after[0] != after[1]


def not_moved_first(call, rng):
    before = rng.bit_generator.state
    call()
    return rng.bit_generator.state != before


def moved_between(call, rng):
    before = rng.bit_generator.state
    rng.random()
    call()
    return rng.bit_generator.state != before


def agree(answers, wanted):
    return np.allclose(answers, wanted, rtol=0, atol=1e-4 * np.abs(wanted).max())


def is_off(predict, x, num_passes=100, same=agree, order=True, company=True):
    first, turned, half = predict(x), np.arange(len(x))[::-1], len(x) // 2
    held = all(same(predict(x), first) for _ in range(num_passes))
    held = held and (not order or same(predict(x[turned]), first[turned]))
    return held and (not company or same(predict(x[:half]), first[:half]))


def by_shuffled_halves(predict, x):
    """One kind of call for all three: half of the rows, shuffled, a hundred times."""
    rng, first = np.random.default_rng(0), predict(x)
    rows = (rng.permutation(len(x))[: len(x) // 2] for _ in range(100))
    return all(agree(predict(x[row]), first[row]) for row in rows)


def absolute(answers, wanted):
    return np.allclose(answers, wanted, rtol=1e-4)


def with_(**change):
    return (lambda predict, x: is_off(predict, x, **change),)


def answered(text, answer):
    """The right answers, but this one for the situations with `text` in their names."""
    return ({name: answer if text in name else right for name, right in DROPS.items()},)


RIGHT = [
    ("coin", (0.8**2 + 0.2**2, 21)),
    ("draws", (draws,)),
    ("draws", (by_next_number,)),
    ("is_off", (is_off,)),
    ("is_off", (by_shuffled_halves,)),
]
WRONG = [
    ("coin", (0.64, 21), beliefs.ONLY_USED),
    ("coin", (0.8, 21), beliefs.ONE_COIN),
    ("coin", (0.5, 21), "both times kept"),
    ("coin", (0.68, 12), beliefs.PAIRS),
    ("coin", (0.68, 2), "the first n"),
    ("frozen", answered("train mode, then eval()", False), beliefs.EVAL_THAWS),
    ("frozen", answered("eval mode, then train()", True), beliefs.EVAL_THAWS),
    ("frozen", answered("state_dict", False), "a new net, given the state_dict"),
    ("frozen", answered("as it comes", True), beliefs.ONE_FILE),
    ("frozen", answered("switched off", False), beliefs.RUNTIME_CARES),
    ("frozen", answered("net(x)", False), "asked by net(x)"),
    ("frozen", answered("asked by predict", True), beliefs.BUILT_STAYS),
    ("draws", (not_moved_first,), beliefs.SAME_STATE),
    ("draws", (moved_between,), beliefs.MOVED_BY_YOU),
    ("draws", (lambda call, rng: False,), "True for a call that draws 64 numbers"),
    ("draws", (lambda call, rng: call() is not None,), "False for a call that draws from another generator"),
    ("is_off", with_(same=np.array_equal), beliefs.BIT_EQUAL),
    ("is_off", with_(same=absolute), beliefs.ABSOLUTE),
    ("is_off", with_(num_passes=1, order=False, company=False), beliefs.TWO_PASSES),
    ("is_off", with_(order=False), beliefs.SAME_PLACE),
    ("is_off", with_(company=False), beliefs.SAME_COMPANY),
    ("is_off", (lambda predict, x: True,), "False for a net with fresh masks"),
    ("is_off", (lambda predict, x: False,), "True for a net without dropout"),
]
