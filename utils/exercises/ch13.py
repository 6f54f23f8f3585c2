"""The checks of chapter 13's exercises."""

import functools
import math
from statistics import NormalDist

import numpy as np

from utils.conformance import own_coins
from utils.data import read_only
from utils.exercises import beliefs, expect
from utils.exercises.engine import array, is_close, written
from utils.measured import MATTERS, difference, load_results

P = 0.3  # not 0.5, where p, 1 - p and the bugs below cannot be told apart
Q = 1 - P
VARIANCE = P / Q


# --- 1. coins ---


def check_coins(coins_dropout, coins_dropconnect, weights_left):
    """Numbers for a batch of 32 and a layer from 100 units to 10: coins, coins, weights afterwards."""
    rule = "one coin per example and unit that the layer reads"
    known = {beliefs.REMOVES_WEIGHTS: 32 * 100 * 10, beliefs.ONE_MASK_13: 100}
    expect.close(coins_dropout, 32 * 100, rule, known, "{} for dropout")
    known = {beliefs.ONE_MASK_13: 100 * 10, beliefs.DROPOUT_RENAMED: 32 * 100}
    rule = "one coin per example and weight"
    expect.close(coins_dropconnect, 32 * 100 * 10, rule, known, "{} for DropConnect")
    rule = "every weight of the layer, in the next step"
    expect.that(is_close(weights_left, 100 * 10), rule, f"{weights_left}", beliefs.REMOVES_WEIGHTS)


# --- 2. dropconnect ---

HIDDEN = np.array([0.5, 1.5, 1.0, 2.0, 0.8, 1.2])
WEIGHTS = np.random.default_rng(0).uniform(0.5, 1.5, (6, 3))
NUM_EXAMPLES = 4_000


def check_dropconnect(dropconnect):
    """A function: (H, W, drop_prob, rng) -> (examples, outputs), another mask on W for every example."""

    def draw(H, W, p, seed):
        return array(dropconnect(H, W, p, np.random.default_rng(seed)))

    W = WEIGHTS.copy()
    Z = expect.shape(draw(np.tile(HIDDEN, (NUM_EXAMPLES, 1)), W, P, 1), (NUM_EXAMPLES, 3), "outputs")
    same = np.array_equal(W, WEIGHTS)
    expect.that(same, "W as it was, after the call", "a W that was changed in place", beliefs.REMOVES_WEIGHTS)
    expect.own_masks(Z, beliefs.ONE_MASK_13)
    _expect_means(Z)
    _expect_covariances(Z)
    H = np.random.default_rng(2).normal(size=(5, 6))
    expect.that(is_close(draw(H, WEIGHTS, 0, 3), H @ WEIGHTS, 1e-6), "H @ W at p = 0", "something else")
    one = draw(np.ones((200, 1)), np.ones((1, 1)), P, 5)
    two_values = (np.isclose(one, 0) | np.isclose(one, 1 / Q)).all()
    values = len(np.unique(one.round(6)))
    rule = f"from a single weight 1 and input 1 only 0 or {1 / Q:.2f}"
    expect.that(two_values, rule, f"{values} different outputs", beliefs.BELL_CURVE if values > 20 else None)
    first, again, other = (draw(H, WEIGHTS, P, seed) for seed in (4, 4, 5))
    same = np.array_equal(first, again)
    expect.that(same, "the same output from the same state of rng", "two different outputs")
    fresh = (first != other).any()
    expect.that(fresh, "another mask from another state of rng", "the same output")
    factors = draw(np.ones((2_000, 1)), np.ones((1, 12)), P, 6)
    rule = "a coin of its own for every weight and example"
    expect.that(own_coins(factors != 0), rule, "coins that fall together")


def _expect_means(Z):
    ratio = Z / (HIDDEN @ WEIGHTS)
    room = 5 * ratio.std(axis=0).max() / math.sqrt(NUM_EXAMPLES)
    # Kept with probability p: divided by 1 - p, or by nothing.
    known = {beliefs.NO_RESCALING_13: Q, beliefs.KEEP_13: [P / Q, P]}
    seen = ratio.mean()
    rule, got = f"outputs with mean 1.00 times H @ W, within {room:.2f}", f"{seen:.2f} times H @ W"
    expect.that(is_close(ratio.mean(axis=0), np.ones(3), room), rule, got, expect.diagnose(seen, known, room))


def _expect_covariances(Z):
    """Covariance 0 between outputs, and variance v sum W^2 h^2 of each."""
    noise = Z - HIDDEN @ WEIGHTS
    scaled = WEIGHTS * HIDDEN[:, None]
    dropout = VARIANCE * scaled.T @ scaled
    products = noise[:, :, None] * noise[:, None, :]
    seen, allowed = products.mean(axis=0), 5 * products.std(axis=0) / math.sqrt(NUM_EXAMPLES)
    apart = ~np.eye(3, dtype=bool)
    why = beliefs.DROPOUT_RENAMED if (np.abs(seen - dropout) <= allowed).all() else None
    rule = f"covariance 0 between two outputs, within {allowed[0, 1]:.2f}"
    expect.that((np.abs(seen) <= allowed)[apart].all(), rule, f"{seen[0, 1]:.2f}", why)
    why = beliefs.KEEP_13 if np.diag(np.abs(seen - dropout / VARIANCE**2) <= allowed).all() else None
    rule = (
        f"variance p/(1-p) sum W^2 h^2 = {dropout[0, 0]:.2f} of the first output, within {allowed[0, 0]:.2f}"
    )
    expect.that(np.diag(np.abs(seen - dropout) <= allowed).all(), rule, f"{seen[0, 0]:.2f}", why)


# --- 3. sums ---

SUMS = {  # the variances of what the layer behind adds up, and why
    "z1 + z2, dropout": (20, "both terms carry the same noise"),
    "z1 - z2, dropout": (0, "both terms carry the same noise"),
    "z1 + z2, DropConnect": (10, "the two noises are independent"),
    "z1 - z2, DropConnect": (10, "the two noises are independent"),
}


def check_sums(variance_of_one, variances):
    """A number and a dict what -> variance, for h = (2, 4), all weights 1, p = 0.2."""
    rule = "p/(1-p) times the sum of W^2 h^2, for one unit"
    expect.close(variance_of_one, 5, rule, {beliefs.KEEP_13: 80, beliefs.NO_RESCALING_13: 3.2})
    found = {what: written(variances.get(what)) for what in SUMS}
    renamed = is_close([found["z1 + z2, DropConnect"], found["z1 - z2, DropConnect"]], (20, 0))
    rule = "two independent noises under DropConnect"
    expect.that(not renamed, rule, "variances 20 and 0", beliefs.DROPOUT_RENAMED)
    for what, (right, reason) in SUMS.items():
        known = {beliefs.EQUAL_VARIANCE: 10} if what.endswith("dropout") else {}
        expect.close(found[what], right, f"the variance of {what}, where {reason}", known)


# --- 4. levels ---


def check_levels(three_level):
    """A function: (p0, p1, p2) -> (g, variance, p_equal) of the noise with values 0, g/2, g."""
    for probs in ((0.5, 0.25, 0.25), (0.2, 0.5, 0.3), (1 / 3, 1 / 3, 1 / 3), (P, 0, Q)):
        g, variance, p_equal = expect.numbers(three_level(*probs), 3, "a tuple (g, variance, p_equal)")
        at = "at probabilities ({:.2f}, {:.2f}, {:.2f})".format(*probs)
        right = 1 / (probs[1] / 2 + probs[2])
        why = {1: beliefs.NO_RESCALING_13, 2: beliefs.ALWAYS_TWO}.get(g)
        got = f"g = {g:.3f}, so the mean is {g / right:.3f}"
        expect.that(is_close(g, right), f"a factor with mean 1 {at}", got, why)
        right = right**2 * (probs[1] / 4 + probs[2]) - 1
        rule = f"the variance: the mean of the squares, minus 1, {at}"
        expect.close(variance, right, rule, got="a variance of {:.3f}", tolerance=0.001)
        known, got = {beliefs.SHARE_OF_ZEROS: probs[0]}, f"p = {{:.3f}} {at}"
        rule = f"the p whose p/(1-p) is {right:.3f}"
        expect.close(p_equal, right / (1 + right), rule, known, got, 0.001)


# --- 5. bell ---

BELL_SHAPE = (2_000, 100)
SIZE_OF_H = 3.0  # not 1, where added and multiplied noise look alike


def check_bell(fixed_noise):
    """A function: (h, drop_prob, rng) -> Gaussian dropout of h."""
    rng = np.random.default_rng(0)
    out = expect.shape(fixed_noise(np.full(BELL_SHAPE, SIZE_OF_H), P, rng), BELL_SHAPE, "noise")
    factor = out / SIZE_OF_H
    differ = (factor != factor[0]).any()
    got = "2,000 examples with the same noise"
    expect.that(differ, "other noise for every example", got, beliefs.ONE_MASK_13)
    values = len(np.unique(factor))
    expect.that(values > 3, "factors of a bell curve", f"{values} different factors", beliefs.SWITCHES_OFF)
    share = 0.5 * math.erfc(1 / math.sqrt(2 * VARIANCE))
    expect.that(factor.min() < 0, f"a share {share:.3f} of factors below 0", "none", beliefs.NO_NEGATIVE)
    room = 5 * math.sqrt(VARIANCE / factor.size)
    rule = f"a mean factor of 1, within {room:.4f}"
    expect.close(float(factor.mean()), 1, rule, got="{:.4f}", tolerance=room)
    variance = float(factor.var())
    room = 5 * VARIANCE * math.sqrt(2 / factor.size)  # the bell curve's fourth moment is 3 v^2
    known = {
        beliefs.VARIANCE_AS_STD: VARIANCE**2,
        beliefs.NOISE_ADDED: VARIANCE / SIZE_OF_H**2,
        beliefs.KEEP_13: 1 / VARIANCE,
    }
    rule = f"the factor's variance p/(1-p) = {VARIANCE:.3f} at p = {P}, within {room:.3f}"
    why = expect.diagnose(variance, known, 0.05 * variance)
    expect.that(is_close(variance, VARIANCE, room), rule, f"{variance:.3f}", why)
    # The share beyond two standard deviations tells a bell curve from others of equal variance.
    tail = math.erfc(math.sqrt(2))
    seen = float((np.abs(factor - 1) > 2 * math.sqrt(VARIANCE)).mean())
    rule = f"a share {tail:.3f} beyond two standard deviations: a bell curve"
    expect.close(seen, tail, rule, got="{:.3f}", tolerance=5 * math.sqrt(tail / factor.size))
    rng = np.random.default_rng(1)
    fresh = not np.array_equal(out, array(fixed_noise(np.full(BELL_SHAPE, SIZE_OF_H), P, rng)))
    expect.that(fresh, "other noise from another state of rng", "the same noise")
    own = own_coins(factor > 1 + math.sqrt(VARIANCE) * NormalDist().inv_cdf(P))  # below it lies a share P
    expect.that(own, "noise of its own for every unit of every example", "units that shake together")
    same = np.array_equal(array(fixed_noise(np.ones(5), 0, rng)), np.ones(5))
    expect.that(same, "the input itself at p = 0", "something else")


# --- 6. depth ---


def check_depth(depth_in_training, depth_at_prediction):
    """Numbers: mean number of blocks used, of 20 whose survival falls linearly to 0.8."""
    rule = "the sum over the blocks l = 1..20 of the survival probability 1 - (l/20) (1 - 0.8)"
    known = {beliefs.SURVIVAL: [20 - 0.8 * 10.5, 20 * (1 - 0.8)]}
    expect.close(depth_in_training, 17.9, rule, known, "{} blocks")
    rule = "the number of blocks that a prediction uses"
    expect.close(depth_at_prediction, 20, rule, {beliefs.SHALLOW: 17.9})


# --- 7. tie ---

VERDICTS = ("the same", "different", "cannot tell")


@functools.cache
def late_nll():
    """Dict noise -> late test NLL of chapter 13's ten draws: the mean of the last five checks."""
    runs = load_results("13_relatives")["runs"]
    arms = {"binary": "binary", "Gaussian": "Gaussian", "three-level": "three-level"}
    arms["DropConnect"] = "DropConnect, p = 0.4"
    return read_only({kind: np.mean(runs[arm]["nll"][-5:], axis=0) for kind, arm in arms.items()})


def paired_runs():
    """Two arms of eight runs whose common luck is ten times the luck of their own."""
    rng = np.random.default_rng(0)
    common = rng.normal(0.5, 0.1, 8)
    return common + rng.normal(0.02, 0.01, 8), common + rng.normal(0, 0.01, 8)


def verdict_on(low, high):
    """The word for a 95 % interval, where a difference of .01 would matter."""
    if max(abs(low), abs(high)) < MATTERS["nll"]:
        return "the same"
    return "different" if low >= MATTERS["nll"] or high <= -MATTERS["nll"] else "cannot tell"


def check_tie(compare, verdicts):
    """A function (noise, binary) -> (mean difference, low, high), and a dict noise -> verdict."""
    noise, binary = paired_runs()
    found = expect.numbers(compare(noise.copy(), binary.copy()), 3, "a tuple (mean difference, low, high)")
    right = difference(noise, binary)
    rule = f"noise minus binary, on average {right.mean:.4f} here"
    expect.close(found[0], right.mean, rule, got="{:.4f}", tolerance=1e-6)
    half, right_half = (found[2] - found[1]) / 2, (right.high - right.low) / 2
    t, n = right_half / ((noise - binary).std(ddof=1) / math.sqrt(len(noise))), len(noise)
    unpaired = math.sqrt((noise.var(ddof=1) + binary.var(ddof=1)) / n)
    known = {beliefs.SCATTER: t * (noise - binary).std(ddof=1), beliefs.UNPAIRED_13: t * unpaired}
    rule = f"a 95 % interval of {right_half:.4f} to either side of the mean, by Student's t for eight pairs"
    why = expect.diagnose(half, known, 1e-3)
    expect.that(is_close(found[1:], right[1:3], 1e-6), rule, f"{half:.4f}", why)
    nll = late_nll()
    for kind in ("Gaussian", "three-level", "DropConnect"):
        verdict = expect.choice(written(verdicts.get(kind)), VERDICTS)
        seen = difference(nll[kind], nll["binary"])
        right = verdict_on(seen.low, seen.high)
        why = {"the same": beliefs.EQUAL_VARIANCE, "different": beliefs.SMALLER}.get(verdict)
        rule = "the interval inside -.01 to .01 for the same, outside it for different, else cannot tell"
        got = f'"{verdict}" for {kind}, whose interval is {seen.low:+.3f} to {seen.high:+.3f}'
        expect.that(verdict == right, rule, got, why)


HINTS = {
    "coins": "Write the two formulas with all indices: example, unit read, output. Which of the three does "
    "the factor carry? And what is in W when the next batch comes?",
    "dropconnect": "Draw factors of shape (examples, inputs, outputs), 0 or 1/(1-p). Multiply W by them, "
    "then sum over the inputs: np.einsum('bi,bio->bo', H, W * factors).",
    "sums": "Under dropout z1 and z2 are the same number here. Under DropConnect they are independent. What "
    "are the variances of z + z, of z - z, and of a sum and a difference of independent values?",
    "levels": "The mean of the factor is p1 g/2 + p2 g: set it to 1. The mean of its square is p1 g^2/4 + "
    "p2 g^2. Solve p/(1-p) = v for p.",
    "bell": "Run the author's test at p = 0.1 and at p = 0.9. Then look up what the second argument of "
    "rng.normal is.",
    "depth": "A mean number is a sum of probabilities. The mean of 1, 2, ..., 20 is 10.5. And which blocks "
    "would you leave out when you use the net?",
    "tie": "Differences first, then their mean, then std(ddof=1) / sqrt(n), times Student's t for n - 1 "
    "degrees of freedom. Print the interval of each.",
}
