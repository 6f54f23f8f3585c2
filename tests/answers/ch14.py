"""Answers to chapter 14's exercises: (exercise, answers, the Belief or the clause that the check says)."""

import numpy as np

from utils.exercises import beliefs
from utils.exercises.ch14 import ONE_MASK, UNITS


def backward(slope, drop_prob, rng, state):
    before = rng.bit_generator.state
    rng.bit_generator.state = state
    keep = rng.random(slope.shape) >= drop_prob
    rng.bit_generator.state = before
    return slope * keep / (1 - drop_prob)


def by_another_generator(slope, drop_prob, rng, state):
    """Leaves rng alone: a second generator gets the state."""
    other = np.random.default_rng()
    other.bit_generator.state = state
    return slope * (other.random(slope.shape) >= drop_prob) / (1 - drop_prob)


def next_mask(slope, drop_prob, rng, state):
    return slope * (rng.random(slope.shape) >= drop_prob) / (1 - drop_prob)


def left_behind(slope, drop_prob, rng, state):
    rng.bit_generator.state = state
    return next_mask(slope, drop_prob, rng, state)


def keyed(make):
    """keyed_mask whose generator is make(seed, layer, step, worker)."""

    def keyed_mask(shape, drop_prob, *key):
        return (make(*key).random(shape) >= drop_prob) / (1 - drop_prob)

    return keyed_mask


def philox(**words):
    return np.random.Generator(np.random.Philox(**words))


listed = keyed(lambda *key: np.random.default_rng(list(key)))


def by_global_seed(shape, drop_prob, *key):
    np.random.seed(key)  # noqa: NPY002
    return (np.random.random(shape) >= drop_prob) / (1 - drop_prob)  # noqa: NPY002


def kept_with_p(shape, drop_prob, *key):
    rng = np.random.default_rng(key)
    return (rng.random(shape) < drop_prob) / (1 - drop_prob)


def one_row(shape, drop_prob, *key):
    return np.tile(listed(shape[1:], drop_prob, *key), (shape[0], 1))


def half_shared(shape, drop_prob, seed, layer, step, worker):
    """Half of the mask does not know the step."""
    own, old = (listed(shape, drop_prob, seed, layer, k, worker) for k in (step, 0))
    return np.concatenate([own[: len(own) // 2], old[len(own) // 2 :]])


OWN = np.random.default_rng(4)
MEMORY = {"float32": 4 * UNITS, "bool": UNITS, "bit": UNITS // 8, "state": 5_056}


def unit_by_unit(forward, backward):
    ones = np.ones(5_000)
    return bool(((forward(ones) != 0) == (backward(ones) != 0)).all())


def by_counts(forward, backward):
    ones = np.ones(5_000)
    return int((forward(ones) != 0).sum()) == int((backward(ones) != 0).sum())


def by_values(forward, backward):
    ones = np.ones(5_000)
    return bool(np.array_equal(forward(ones), backward(ones)))


def answered(text, answer):
    """The right answers, but this one for the situations with `text` in their names."""
    return ({name: answer if text in name else right for name, right in ONE_MASK.items()},)


RIGHT = [
    ("redraw", (backward,)),
    ("redraw", (by_another_generator,)),
    ("keyed", (listed,)),
    ("keyed", (keyed(lambda seed, layer, *at: philox(key=[seed, layer], counter=[0, 0, *at])),)),
    ("keyed", (keyed(lambda *key: np.random.default_rng(np.random.SeedSequence(key))),)),
    ("detect", (unit_by_unit,)),
]
WRONG = [
    ("both", (300, 300, 90), beliefs.KEEP),
    ("both", (700, 700, 700), beliefs.SAME_AGAIN),
    ("both", (700, 490, 490), beliefs.AGAIN_IS_OTHER),
    ("both", (1_000, 700, 490), "alive"),
    ("both", (700, 500, 490), "state kept"),
    ("both", (700, 700, 350), "two independent masks"),
    ("redraw", (next_mask,), beliefs.SAME_AGAIN),
    ("redraw", (left_behind,), beliefs.WOUND_BACK),
    ("redraw", (lambda s, p, r, t: backward(s, p, r, t) * (1 - p),), beliefs.UNSCALED_GRADIENT),
    ("redraw", (lambda s, p, r, t: backward(s, 0.3, r, t),), "where the output was not 0"),
    ("redraw", (lambda s, p, r, t: 2 * backward(s, p, r, t),), "slope times the factor"),
    ("redraw", (lambda s, p, r, t: backward(s, p, r, t)[0],), "shape (40, 50)"),
    ("keyed", (by_global_seed,), beliefs.GLOBAL_KEY),
    ("keyed", (kept_with_p,), beliefs.KEEP),
    (
        "keyed",
        (keyed(lambda seed, layer, step, worker: np.random.default_rng([seed, layer, worker])),),
        beliefs.ONE_FOR_EVER,
    ),
    ("keyed", (keyed(lambda seed, layer, *at: np.random.default_rng([seed, *at])),), beliefs.LAYERS_SHARE),
    ("keyed", (keyed(lambda *key: np.random.default_rng(sum(key))),), beliefs.SUM_AS_KEY),
    (
        "keyed",
        (keyed(lambda seed, layer, step, worker: philox(key=[seed, layer], counter=[step, 0, 0, worker])),),
        beliefs.ANY_WORD,
    ),
    (
        "keyed",
        (keyed(lambda seed, layer, step, worker: philox(key=[seed, layer], counter=[worker, 0, 0, step])),),
        beliefs.ANY_WORD,
    ),
    ("keyed", (keyed(lambda *key: np.random.default_rng(key[:3])),), beliefs.WORKERS_SHARE),
    ("keyed", (keyed(lambda seed, *others: np.random.default_rng(others)),), "another seed"),
    ("keyed", (keyed(lambda *key: OWN),), "the same mask for the same key"),
    ("keyed", (lambda shape, p, *key: listed(shape, p, *key) * (1 - p),), "ones to become 0 or"),
    ("keyed", (lambda shape, p, *key: listed(shape, max(p, 0.3), *key),), "ones at p = 0"),
    ("keyed", (lambda shape, p, *key: listed(shape, p, *key)[0],), "shape (64, 256)"),
    ("keyed", (one_row,), "another mask for every example"),
    ("keyed", (half_shared,), "uncorrelated"),
    ("bytes", ({**MEMORY, "bool": UNITS // 8}, 5_056), beliefs.BOOL_IS_BIT),
    ("bytes", (MEMORY, 10_112), beliefs.STATE_GROWS),
    ("bytes", ({**MEMORY, "state": UNITS}, 5_056), beliefs.STATE_GROWS),
    ("bytes", ({**MEMORY, "float32": 8 * UNITS}, 5_056), "4 bytes"),
    ("bytes", ({**MEMORY, "bit": UNITS}, 5_056), "an eighth of a byte"),
    ("bytes", ({**MEMORY, "bool": "little"}, 5_056), "a number of bytes"),
    ("bytes", (MEMORY, 2_528), "does not know how many"),
    ("again", answered("checkpoint, as it comes", False), beliefs.AGAIN_IS_OTHER),
    ("again", answered("preserve_rng_state=False", True), beliefs.ONLY_REPRODUCIBLE),
    ("again", answered("of your own", True), beliefs.EVERY_STATE),
    ("again", answered("RematScope", True), beliefs.EVERY_STATE),
    ("again", answered("budget 0.5", True), beliefs.ONLY_MEMORY),
    ("again", answered("budget 1", False), "budget 1, as a run"),
    ("detect", (by_counts,), beliefs.EQUAL_COUNTS),
    ("detect", (by_values,), "gradient without the scale"),
    ("detect", (lambda forward, backward: True,), "a new mask on the way back"),
    ("detect", (lambda forward, backward: False,), "a right layer"),
    ("detect", (lambda forward, backward: 1,), "a right layer"),
]
