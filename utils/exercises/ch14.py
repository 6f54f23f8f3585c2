"""The checks of chapter 14's exercises."""

import math

import numpy as np

from utils.exercises import beliefs, expect
from utils.exercises.engine import is_close, written

P = 0.3  # not 0.5, where p, 1 - p and the bugs below cannot be told apart
Q = 1 - P


# --- 1. both ---


def check_both(alive, both_kept, both_lost):
    """Numbers of 1,000 units at p = 0.3: alive; alive and with a gradient, state kept, and lost."""
    expect.close(alive, 700, "1,000 times 1 - p alive", {beliefs.KEEP: 300}, "{} alive")
    rule = "with the state kept the mask of the way forward, on both ways"
    expect.close(both_kept, 700, rule, {beliefs.KEEP: 300, beliefs.AGAIN_IS_OTHER: 490}, "{} with both")
    rule = "with the state lost two independent masks: (1 - p) times (1 - p) have both"
    known = {beliefs.SAME_AGAIN: 700, beliefs.KEEP: 90}
    expect.close(both_lost, 490, rule, known, "{} with both")


# --- 2. redraw ---


def dropout_forward(h, drop_prob, rng):
    """(output, state of rng before the mask was drawn)."""
    state = rng.bit_generator.state
    return h * (rng.random(h.shape) >= drop_prob) / (1 - drop_prob), state


def check_redraw(backward):
    """A function: (slope, drop_prob, rng, state) -> gradient, by the mask that `state` gives."""
    for drop_prob, shape in ((P, (40, 50)), (0.6, (7,))):
        rng = np.random.default_rng(0)
        rng.random(3)  # a generator that has a past
        h, slope = np.ones(shape), np.random.default_rng(1).uniform(1, 2, shape)
        factor, state = dropout_forward(h, drop_prob, rng)
        dropout_forward(h, drop_prob, rng)  # and another layer behind this one
        before = rng.bit_generator.state
        found = expect.shape(backward(slope.copy(), drop_prob, rng, state), shape, "a gradient")
        same = np.array_equal(found != 0, factor != 0)
        rule = "a gradient where the output was not 0, and only there"
        got = f"{int(((found != 0) != (factor != 0)).sum())} of {factor.size} units with one of the two alone"
        why = beliefs.SAME_AGAIN if _by_next_mask(found, slope, drop_prob, before) else None
        expect.that(same, rule, got, why)
        bare = is_close(found, slope * (factor != 0), 1e-6)
        why = beliefs.UNSCALED_GRADIENT if bare else None
        expect.that(is_close(found, slope * factor, 1e-6), "slope times the factor", "another gradient", why)
        as_before = rng.bit_generator.state == before
        rule = "a generator that goes on where it stood before the call"
        expect.that(as_before, rule, "a generator that stands elsewhere", beliefs.WOUND_BACK)


def _by_next_mask(found, slope, drop_prob, before):
    """True if the mask was drawn from where the generator stood."""
    rng = np.random.default_rng()
    rng.bit_generator.state = before
    return np.array_equal(found != 0, rng.random(slope.shape) >= drop_prob)


# --- 3. keyed ---

SHAPE = (64, 256)


def check_keyed(keyed_mask):
    """A function: (shape, drop_prob, seed, layer, step, worker) -> factors, the same at every call."""

    def draw(seed, layer, step, worker=0, p=P):
        return expect.shape(keyed_mask(SHAPE, p, seed, layer, step, worker), SHAPE, "a mask")

    before = np.random.get_state()  # noqa: NPY002
    first = draw(1, 2, 3)
    after = np.random.get_state()  # noqa: NPY002
    untouched = all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    np.random.set_state(before)  # noqa: NPY002
    rule = "the global generator of np.random as it was"
    expect.that(untouched, rule, "a global generator that was seeded or used", beliefs.GLOBAL_KEY)
    expect.rescaled(first, P)
    expect.own_masks(first)
    expect.share(first != 0, Q, "units kept", beliefs.KEEP)
    expect.that(draw(1, 2, 3, p=0).min() == 1, "ones at p = 0", "something else")
    draw(5, 6, 7)  # another call in between
    expect.that(np.array_equal(first, draw(1, 2, 3)), "the same mask for the same key", "another mask")
    _expect_others(draw, first)
    _expect_no_overlap(draw)


def _expect_others(draw, first):
    """Another seed, layer, step or worker: another mask, and not one that a sum of them gives."""
    others = {
        "step": (draw(1, 2, 4), beliefs.ONE_FOR_EVER),
        "layer": (draw(1, 3, 3), beliefs.LAYERS_SHARE),
        "worker": (draw(1, 2, 3, 1), beliefs.WORKERS_SHARE),
        "seed": (draw(2, 2, 3), None),
    }
    for name, (other, why) in others.items():
        expect.that(
            not np.array_equal(first, other), f"another mask for another {name}", "the same mask", why
        )
    swapped = [draw(1, 3, 2), draw(2, 1, 3), draw(3, 2, 1), draw(2, 2, 2), draw(1, 2, 2, 1)]
    apart = not any(np.array_equal(first, other) for other in swapped)
    rule = "another mask where the numbers are others with the same sum"
    expect.that(apart, rule, "the same mask", beliefs.SUM_AS_KEY)
    for other in (other for other, _ in others.values()):
        kept = np.stack([first.ravel(), other.ravel()]) != 0
        room = 5 / math.sqrt(first.size)
        correlation = abs(np.corrcoef(kept)[0, 1])
        rule = f"masks of two keys uncorrelated, within {room:.3f}"
        expect.that(correlation <= room, rule, f"{correlation:.3f}")


def _expect_no_overlap(draw):
    """The mask of one key is not that of another, shifted."""
    for name, (one, other) in {
        "steps": (draw(1, 2, 0), draw(1, 2, 1)),
        "layers": (draw(1, 2, 0), draw(1, 3, 0)),
        "workers": (draw(1, 2, 0), draw(1, 2, 0, 1)),
    }.items():
        one, other = one.ravel() != 0, other.ravel() != 0
        for shift in range(1, 65):
            same = np.array_equal(one[shift:], other[:-shift])
            got = f"one mask, shifted by {shift} places"
            expect.that(not same, f"two masks for two {name}", got, beliefs.ANY_WORD)


# --- 4. bytes ---

UNITS = 32 * 1_024 * 768
MEMORY = ("float32", "bool", "bit", "state")


def check_bytes(memory, state_of_twice):
    """Dict of bytes for 32 x 1,024 x 768 units, and bytes of the state for twice as many."""
    right = {"float32": 4 * UNITS, "bool": UNITS, "bit": UNITS // 8, "state": 5_056}
    known = {
        "bool": {beliefs.BOOL_IS_BIT: UNITS // 8},
        "state": {beliefs.STATE_GROWS: [5_056 * UNITS, UNITS]},
    }
    rules = {
        "float32": "4 bytes for each unit",
        "bool": "a byte for each unit",
        "bit": "an eighth of a byte for each unit",
        "state": "5,056 bytes, as the chapter's table says",
    }
    for name in MEMORY:
        found = expect.number(written(memory.get(name)), f"a number of bytes for {name}")
        expect.close(found, right[name], rules[name], known.get(name), f"{{}} for {name}")
    rule = "a state that does not know how many units there are"
    expect.close(state_of_twice, 5_056, rule, {beliefs.STATE_GROWS: 2 * 5_056})


# --- 5. again ---

ONE_MASK = {
    "checkpoint, as it comes": True,
    "checkpoint with preserve_rng_state=False": False,
    "checkpoint, as it comes, mask from a torch.Generator of your own": False,
    "keras.layers.Dropout made inside keras.RematScope, on TensorFlow": False,
    "torch.compile, activation_memory_budget 1": True,
    "torch.compile, activation_memory_budget 0.5": False,
}


def check_again(one_mask):
    """Dict situation -> True if the way back has the mask of the way forward."""
    whys = {
        "checkpoint, as it comes": beliefs.AGAIN_IS_OTHER,
        "checkpoint with preserve_rng_state=False": beliefs.ONLY_REPRODUCIBLE,
        "checkpoint, as it comes, mask from a torch.Generator of your own": beliefs.EVERY_STATE,
        "keras.layers.Dropout made inside keras.RematScope, on TensorFlow": beliefs.EVERY_STATE,
        "torch.compile, activation_memory_budget 0.5": beliefs.ONLY_MEMORY,
    }
    expect.truths(one_mask, ONE_MASK, whys, "True or False for {}, as a run of the chapter shows it")


# --- 6. detect ---


def make_layer(back_seed=None, drop_prob=P, bare=False, deterministic=False):
    """(forward, backward) of a dropout layer; back_seed: another mask on the way back."""

    def factor(shape, seed):
        rng = np.random.default_rng(seed)
        if deterministic:  # as many units as the other mask, and others
            keep = np.arange(math.prod(shape)) % 2 == seed
        else:
            keep = rng.random(math.prod(shape)) >= drop_prob
        return keep.reshape(shape) / (1 - drop_prob)

    def forward(h):
        return h * factor(np.shape(h), 0)

    def backward(slope):
        made = factor(np.shape(slope), back_seed or 0)
        return slope * ((made != 0) if bare else made)

    return forward, backward


LAYERS = {
    "a right layer": (make_layer(), True, None),
    "a right layer at p = 0": (make_layer(drop_prob=0.0), True, None),
    "a layer that draws a new mask on the way back": (make_layer(back_seed=1), False, None),
    "a layer whose second mask has as many units, but others": (
        make_layer(back_seed=1, deterministic=True),
        False,
        beliefs.EQUAL_COUNTS,
    ),
    "a layer with one mask and a gradient without the scale": (make_layer(bare=True), True, None),
}


def check_detect(one_mask):
    """A function: (forward, backward) -> True if both ways have one mask. No training."""
    for name, (layer, right, why) in LAYERS.items():
        expect.truth(written(one_mask(*layer)), right, f"{right} for {name}", why)


HINTS = {
    "both": "The share of units that a mask keeps is 1 - p. What is the probability that two independent "
    "coins both say keep?",
    "redraw": "rng.bit_generator.state can be read and set. Remember where it stands, set it to `state`, "
    "draw, set it back.",
    "keyed": "np.random.default_rng takes a list of numbers as its seed; np.random.Philox takes key and "
    "counter. Draw from a generator that is made inside the function, and use all four numbers.",
    "bytes": "Multiply the three numbers. np.packbits puts eight units into a byte. What does the state "
    "describe: the mask, or the generator?",
    "again": "Ask for each: whose generator draws the mask, and who puts that generator back? Sections 1 and "
    "4 of the chapter ran five of them, and exercise 4 there asks for the other.",
    "detect": "Send ones forward and ones back. Compare output != 0 with gradient != 0, unit by unit.",
}
