"""The checks of chapter 15's exercises."""

import math

import numpy as np

from utils.exercises import beliefs, expect
from utils.exercises.engine import is_close

P = 0.3  # not 0.5, where p, 1 - p and the bugs below cannot be told apart
Q = 1 - P


# --- 1. passes ---

STEPS, BATCH, CONTEXT, LENGTH = 5_000, 12, 64, 1_000_000


def check_passes(passes, first_repeat):
    """Passes over 1,000,000 characters in 5,000 steps of 12 windows of 64; the step that ends the first."""
    right = STEPS * BATCH * CONTEXT / LENGTH
    known = {
        beliefs.STEP_IS_PASS: STEPS,
        beliefs.WINDOW_IS_CHARACTER: STEPS * BATCH / LENGTH,
        beliefs.ONE_WINDOW: STEPS * CONTEXT / LENGTH,
    }
    rule = "steps times windows times characters of a window, divided by the characters of the text"
    expect.close(passes, right, rule, known, "{} passes")
    known = {
        beliefs.WINDOW_IS_CHARACTER: LENGTH / BATCH,
        beliefs.ONE_WINDOW: LENGTH / CONTEXT,
        beliefs.STEP_IS_PASS: 1,
    }
    rule = "the characters of the text, divided by those of a step"
    expect.close(first_repeat, LENGTH / (BATCH * CONTEXT), rule, known, "step {}", tolerance=1)


# --- 2. attend ---

SHAPE = (20, 20, 8)  # examples, positions, width


def softmax(scores):
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def weights_of(query, key):
    """Attention weights without dropout, (examples, positions, positions): each position sees all."""
    return softmax(query @ key.transpose(0, 2, 1) / math.sqrt(query.shape[-1]))


def check_attend(attend):
    """A function: (query, key, value, drop_prob, training, rng) -> (examples, positions, width)."""
    rng = np.random.default_rng(0)
    query, key = (rng.normal(size=SHAPE) for _ in range(2))
    positions = SHAPE[1]
    # With one unit a position as its value the output is the weights that were used.
    value = np.broadcast_to(np.eye(positions), (SHAPE[0], positions, positions))
    weights = weights_of(query, key)

    def used(p, training):
        found = attend(query.copy(), key.copy(), value.copy(), p, training, np.random.default_rng(1))
        return expect.shape(found, weights.shape, "an output")

    for p, training in ((P, False), (0.0, True)):
        found = used(p, training)
        why = beliefs.FUNCTION_KNOWS if not training and (found == 0).any() else None
        rule = f"plain attention at p = {p}, training = {training}"
        expect.that(is_close(found, weights, 1e-6), rule, "another output", why)
    found = used(P, True)
    expect.share(found == 0, P, "weights that are 0 at p = 0.3", beliefs.KEEP)
    _expect_fresh_masks(found)
    factor = found[found != 0] / weights[found != 0]
    _expect_rescaled(factor, found)
    again = attend(query, key, value, P, True, np.random.default_rng(2))
    expect.that(not is_close(again, found, 1e-6), "another mask from another generator", "the same mask")


def _expect_fresh_masks(found):
    """Each query has a mask of its own, and so has each example."""
    zero = found == 0
    columns = (zero == zero[:, :1]).all()
    expect.that(not columns, "a mask of its own for each query", "one mask for all", beliefs.ONE_FOR_QUERIES)
    expect.own_masks(zero.astype(float))


def _expect_rescaled(factor, found):
    sums = found.sum(axis=-1)
    whys = {beliefs.BARE_WEIGHTS: factor, beliefs.SUM_TO_ONE: sums}
    why = next((belief for belief, ones in whys.items() if is_close(ones, np.ones_like(ones), 1e-6)), None)
    got = f"{factor.min():.2f} to {factor.max():.2f} times the weights"
    right = is_close(factor, np.full_like(factor, 1 / Q), 1e-6)
    expect.that(right, f"weights that are kept to become {1 / Q:.2f} times as large", got, why)


# --- 3. tables ---

LAYERS, HEADS, POSITIONS = 24, 16, 2_048


def check_tables(megabytes, factor):
    """Megabytes of three float32 tables in 24 layers of 16 heads at 2,048 positions; factor at 4,096."""
    one = LAYERS * HEADS * POSITIONS**2 * 4 / 1e6
    known = {
        beliefs.ONE_HEAD: 3 * one / HEADS,
        beliefs.ONE_LAYER: 3 * one / LAYERS,
        beliefs.ONE_TABLE: one,
        beliefs.ROW_NOT_TABLE: 3 * one / POSITIONS,
    }
    rule = "3 tables x 24 layers x 16 heads x 2,048 x 2,048 x 4 bytes"
    expect.close(megabytes, 3 * one, rule, known, "{} MB")
    rule = "tables of positions times positions: twice the length, four times the bytes"
    expect.close(factor, 4, rule, {beliefs.ROW_NOT_TABLE: 2}, "{} times")


# --- 4. path ---


def check_path(drop_path):
    """A function: (branch, drop_prob, training, rng) -> branch, whole or dropped, for each example."""
    for shape in ((800, 3), (800, 4, 5), (800, 2, 3, 2)):
        ones = np.ones(shape)

        def made(p, training=True, ones=ones):
            return expect.shape(
                drop_path(ones.copy(), p, training, np.random.default_rng(3)), ones.shape, "a branch"
            )

        expect.that((made(P, False) == 1).all(), "the branch as it is when not training", "something else")
        expect.that((made(0.0) == 1).all(), "the branch as it is at p = 0", "something else")
        found = made(P).reshape(len(ones), -1)
        dropped = found == 0
        rule = "a branch dropped whole, or kept whole, for each example"
        got = "examples that are dropped in part"
        whole = (dropped == dropped[:, :1]).all()
        expect.that(whole, rule, got, beliefs.PATH_IS_DROPOUT)
        one_for_all = beliefs.PATH_IS_LAYER if dropped.all() or not dropped.any() else None
        got = "one answer for the whole batch"
        expect.that(one_for_all is None, "another draw for every example", got, one_for_all)
        expect.share(dropped[:, 0], P, "examples whose branch is dropped", beliefs.KEEP)
        expect.rescaled(found, P, beliefs.NO_RESCALING_15)


HINTS = {
    "passes": "How many characters does one step predict? Multiply the windows of a batch by the characters "
    "of a window.",
    "attend": "Softmax first, then the mask on what comes out, then the product with the values. What shape "
    "must the mask have, and when is there none?",
    "tables": "Each head of each layer has a table with a row and a column for each position, 4 bytes an "
    "entry.",
    "path": "Draw one number for each example and give it the shape (examples, 1, 1, ...), so that it is "
    "multiplied with all of the example.",
}
