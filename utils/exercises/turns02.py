"""The checks of the cells that a learner writes inside chapter 02."""

import copy
import itertools
import math

import numpy as np

from utils import scratch
from utils.conformance import DropoutLayer, draw_input
from utils.exercises import beliefs, expect
from utils.exercises.engine import array, is_close

P = 0.3  # not 0.5, where a swap of p and 1 - p cannot be seen
NUM_CALLS = 200


# --- the mask ---


def check_mask(keep_mask):
    """A function: (shape, drop_prob, rng) -> bool array, True for kept."""

    def draw(shape, drop_prob, rng):
        return array(keep_mask(shape, drop_prob, rng))

    keep = expect.shape(draw((400, 25), P, np.random.default_rng(0)), (400, 25), "an array")
    rule = "an array of True (kept) and False (dropped)"
    expect.that(keep.dtype == bool, rule, f"an array of {keep.dtype}")
    expect.own_masks(keep, beliefs.ONE_MASK_02)
    expect.share(keep, 1 - P, "True (kept, 1-p)", beliefs.KEEP_02)
    rng = np.random.default_rng(1)
    counts = [draw((10, 10), P, rng).sum() for _ in range(NUM_CALLS)]
    varies = len(set(counts)) > 1 and len(set(keep.sum(axis=1))) > 1
    expect.that(varies, "a count of kept units that varies by chance", "always the same count", beliefs.EXACT)
    _expect_binomial(np.var(counts))
    first, again = (draw((50, 4), P, np.random.default_rng(2)) for _ in "ab")
    same = np.array_equal(first, again)
    expect.that(same, "the same mask from the same state of rng", "two different masks")
    rng = np.random.default_rng(3)
    same = np.array_equal(draw((50, 4), P, rng), draw((50, 4), P, rng))
    expect.that(not same, "a new mask from every call", "the same mask twice")
    for drop_prob, share in ((0, 1), (1, 0)):
        found = draw((50, 4), drop_prob, rng).mean()
        expect.that(found == share, f"a share {share} kept at p = {drop_prob}", f"a share {found:.3f}")


def _expect_binomial(variance):
    """The variance of NUM_CALLS counts, of 100, within five standard errors."""
    right = 100 * P * (1 - P)
    fourth_moment = right * (1 + (3 * 100 - 6) * P * (1 - P))
    room = 5 * math.sqrt((fourth_moment - right**2) / NUM_CALLS)
    rule = f"counts of kept units, of 100, with variance {right:.0f} +- {room:.0f}: independent coins"
    expect.that(abs(variance - right) <= room, rule, f"a variance of {variance:.1f}")


# --- the factor ---


def check_factor(dropout_factor):
    """A function: (shape, drop_prob, rng, dtype) -> array of 0 and 1 / (1 - drop_prob)."""

    def draw(shape, drop_prob, rng, dtype=np.float32):
        return array(dropout_factor(shape, drop_prob, rng, dtype))

    factor = expect.shape(draw((400, 25), P, np.random.default_rng(0)), (400, 25), "an array")
    expect.own_masks(factor, beliefs.ONE_MASK_02)
    expect.share(factor != 0, 1 - P, "factors that keep (1-p)", beliefs.KEEP_02)
    expect.rescaled(factor, P, beliefs.NO_RESCALING)
    for drop_prob in (0, 1):
        with np.errstate(all="ignore"):
            found = draw((50, 4), drop_prob, np.random.default_rng(0))
        rule = f"only {1 - drop_prob} at p = {drop_prob}"
        expect.that((found == 1 - drop_prob).all(), rule, f"values such as {found[0, 0]}")
    for dtype in (np.float32, np.float64):
        found = draw((2, 2), P, np.random.default_rng(0), dtype).dtype
        expect.that(found == dtype, f"an array of {np.dtype(dtype)} where that is asked for", f"{found}")

    def forward(x, drop_prob, rng):
        factor = draw(x.shape, drop_prob, rng, x.dtype)
        return x * factor, factor

    expect.dropout(DropoutLayer(forward, None, None), ("count", "units", "examples", "fresh", "seed"))


# --- the way back ---


def check_backward(dropout_backward):
    """A function: (grad_output, factor) -> gradient with respect to the input of dropout."""
    grad_output = draw_input(1)
    factor = scratch.dropout_factor(grad_output.shape, P, np.random.default_rng(0), grad_output.dtype)
    before = grad_output.copy()
    grad = expect.shape(dropout_backward(grad_output, factor), grad_output.shape, "a gradient")
    same = np.array_equal(before, grad_output)
    expect.that(same, "grad to stay as it was", "it was changed in place")
    largest = np.abs(grad[factor == 0]).max()
    got = f"gradients up to {largest:.2f} there"
    expect.that(largest == 0, "0 where the unit was dropped", got, beliefs.UNMASKED_GRADIENT)
    ratio = np.mean((grad / grad_output)[factor != 0])
    rule = f"grad times {1 / (1 - P):.2f} where the unit was kept"
    why = beliefs.UNSCALED_GRADIENT if is_close(ratio, 1) else None
    expect.that(np.array_equal(grad, grad_output * factor), rule, f"grad times {ratio:.2f}", why)


# --- the training step ---


def check_step(train_step):
    """A function: (params, x, y, drop_probs, lr, rng) -> (loss, number correct); it moves params in place."""
    for drop_prob in (0, 1):  # there no coin counts: a reader's own mask may come from other draws
        _expect_step(train_step, drop_prob)
    for seed in range(5):
        _expect_one_mask(train_step, seed)


def _task(num_examples, seed):
    """(net 6-8-3 in float64, x, y)."""
    rng = np.random.default_rng(seed)
    net = scratch.init_he((6, 8, 3), rng, np.float64)
    return net, rng.normal(size=(num_examples, 6)), rng.integers(3, size=num_examples)


def _expect_step(train_step, drop_prob):
    net, x, y = _task(7, seed=0)
    right = copy.deepcopy(net)
    reported = scratch.train_step(right, x, y, (drop_prob,), 0.1, np.random.default_rng(1))
    own = copy.deepcopy(net)
    arrays = [value for pair in own for value in pair]
    found = train_step(own, x, y, (drop_prob,), 0.1, np.random.default_rng(1))
    found = expect.numbers(found, 2, "a pair of numbers")
    same = is_close(found, reported, 1e-9)
    expect.that(same, "loss and number correct of the batch, before the step", f"{found}")
    moved, wanted = joined(arrays) - joined(flat(net)), joined(flat(right)) - joined(flat(net))
    got = "the weights that were there before"
    expect.that(moved.any(), "a net whose own arrays have moved", got, beliefs.REBOUND)
    factor = (moved @ wanted) / (wanted @ wanted)
    why = beliefs.UPHILL if is_close(factor, -1, 1e-6) else None
    rule = "every parameter moved by -lr times its gradient, once"
    expect.that(np.allclose(moved, wanted, atol=1e-12), rule, f"{factor:.2f} times that step", why)


def _expect_one_mask(train_step, seed):
    """At P the loss and the step of one example are those of one of the 256 masks, whichever it is."""
    net, x, y = _task(1, seed)
    own = copy.deepcopy(net)
    loss, _ = train_step(own, x, y, (P,), 0.1, np.random.default_rng(seed))
    moved = np.append(joined(flat(own)) - joined(flat(net)), loss)
    h = scratch.hidden_layer(x, *net[0])

    def belong(kept):
        factor = np.array([kept]) / (1 - P)
        wanted, dlogits = scratch.softmax_cross_entropy(h * factor @ net[1][0] + net[1][1], y)
        grads = scratch.backward(net, [(x, None), (h * factor, factor)], dlogits)
        return np.allclose(moved, np.append(-0.1 * joined(flat(grads)), wanted), atol=1e-12)

    one = any(map(belong, itertools.product((False, True), repeat=h.size)))
    rule = f"loss and step that belong to one mask of 0 and {1 / (1 - P):.2f} at p = {P}"
    expect.that(one, rule, "a loss and a step that none of the 256 masks of an example gives together")


def joined(arrays):
    """Their numbers, in one array."""
    return np.concatenate([value.ravel() for value in arrays])


def flat(net):
    """The arrays of a net, in one list."""
    return [value for pair in net for value in pair]


HINTS = {
    "mask": "rng.random(shape) draws one uniform number per element. It is below p with probability p.",
    "factor": "Start from keep_mask(shape, drop_prob, rng), a bool array: True counts as 1 in a product. "
    "What must a kept element be multiplied by, and what happens to 1 / (1 - drop_prob) at p = 1?",
    "backward": "h' = h times factor. What is the slope of h' as a function of h?",
    "step": "backward(params, cache, dlogits) gives the gradients; sgd_step(params, gradients, lr) moves the "
    "weights in place.",
}
