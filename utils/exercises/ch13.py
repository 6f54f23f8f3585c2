"""The checks of chapter 13's exercises, and the wrong answers that they know by name."""

import functools
import math
from statistics import NormalDist

import numpy as np

from utils.conformance import own_coins
from utils.measured import load_results
from utils.selfcheck import Exercise, Misconception, Problem, is_close, written

P = 0.3  # not 0.5, where p, 1 - p and the bugs below cannot be told apart
Q = 1 - P
VARIANCE = P / Q

REMOVES = (
    "Dropout removes no weight. It throws one coin per unit and sets that unit's output to 0 for one "
    "example. Coins for single weights are DropConnect, and that removes nothing either: every weight is "
    "back in the next step."
)
ONE_MASK = (
    "All examples of the batch share one mask. Each example must throw its own coins, or the noise of the "
    "batch no longer averages out and the loss jumps."
)
KEEP = "p is the probability to DROP in this course; the variance of the factor is p/(1-p)."
NEVER = (
    "Nothing makes up for what was set to zero, so the mean of the factor is not 1, and activations in "
    "training differ in size from those at prediction. First make the mean 1, then look at the variance."
)
SAME = (
    "If all weights that leave a unit share one coin, that is dropout: two outputs then shake together. "
    "DropConnect throws one coin per weight, so the noises of two outputs are independent, with "
    "covariance 0."
)
BELL = (
    "A bell curve with DropConnect's mean and variance is a stand-in, not DropConnect: few inputs show the "
    "difference, and in the chapter a net that was trained with it lost twice as much of dropout's gain."
)
EQUAL = (
    "Equal variance at each unit is not equal noise for the net. Under dropout two units read the same "
    "silenced input and shake together, so the layer behind them adds their noise up; under DropConnect each "
    "shakes alone, and much of it cancels."
)
ALWAYS_TWO = (
    "g = 2 belongs to equal probabilities. The mean of the factor is g/2 times the probability of g/2, plus "
    "g times that of g. Other probabilities need another g."
)
ZEROS = (
    "The share of zeros does not say how strong a noise is: the other values scatter as well. Compare "
    "noises by their variance, and ask which p has p/(1-p) equal to it."
)
ROOT = (
    "rng.normal wants a standard deviation and got a variance. At p = 0.5 the variance is 1, and so is its "
    "root: the test was run at the one p that hides the bug."
)
NEGATIVE = (
    "A factor below 0 is no bug. It turns the sign of a unit for one step; cut it off and the mean is "
    "no longer 1, nor the variance p/(1-p)."
)
SHAKES = (
    "That is binary dropout. Gaussian dropout switches nothing off: its bell curve shakes every unit and "
    "never draws an exact 0, with the same mean and variance."
)
ADDED = (
    "The noise multiplies, so a large activation is shaken in proportion and a 0 stays 0. Noise that is "
    "added has one size for all."
)
SURVIVAL = (
    "This paper's p is the probability that a block SURVIVES, the opposite of this course's p. Read which of "
    "the two it is before you type a number from a paper."
)
SHALLOW = (
    "Blocks are skipped in training alone, and by another coin for each example. At prediction every block "
    "is computed: nothing was removed, so the net has its full depth."
)
PAIRED = (
    "Run k of both arms started from the same seed, so a lucky start helps both. Subtract seed by seed first "
    "and take the scatter of the differences: the common luck cancels."
)
SCATTER = (
    "The standard deviation tells how far one seed lies from the mean. The mean of n seeds is surer than "
    "that: its error is the standard deviation divided by sqrt(n)."
)
SMALLER = (
    "One of two means is always the smaller. Whether that means anything depends on the standard error; "
    "here the differences are too small against it, so it is a tie."
)


# --- 1. coins ---


def check_coins(coins_dropout, coins_dropconnect, weights_left):
    """Numbers for a batch of 32 and a layer from 100 units to 10: coins, coins, weights afterwards."""
    rule = "one coin per example and unit that the layer reads"
    got = f"{coins_dropout} for dropout"
    if is_close(coins_dropout, 32 * 100 * 10):
        return Problem(rule, got, REMOVES)
    if is_close(coins_dropout, 100):
        return Problem(rule, got, ONE_MASK)
    if not is_close(coins_dropout, 32 * 100):
        return Problem(rule, got)
    rule = "one coin per example and weight"
    got = f"{coins_dropconnect} for DropConnect"
    if is_close(coins_dropconnect, 100 * 10):
        return Problem(rule, got, ONE_MASK)
    if is_close(coins_dropconnect, 32 * 100):
        return Problem(rule, got, SAME)
    if not is_close(coins_dropconnect, 32 * 100 * 10):
        return Problem(rule, got)
    if not is_close(weights_left, 100 * 10):
        return Problem("every weight of the layer, in the next step", f"{weights_left}", REMOVES)
    return None


# --- 2. dropconnect ---

HIDDEN = np.array([0.5, 1.5, 1.0, 2.0, 0.8, 1.2])
WEIGHTS = np.random.default_rng(0).uniform(0.5, 1.5, (6, 3))
NUM_EXAMPLES = 4_000


def check_dropconnect(dropconnect):
    """A function: (H, W, drop_prob, rng) -> (examples, outputs), another mask on W for every example."""
    W, rng = WEIGHTS.copy(), np.random.default_rng(1)
    Z = np.asarray(written(dropconnect(np.tile(HIDDEN, (NUM_EXAMPLES, 1)), W, P, rng)))
    if Z.shape != (NUM_EXAMPLES, 3):
        return Problem(f"shape {(NUM_EXAMPLES, 3)}", f"shape {Z.shape}")
    if not np.array_equal(W, WEIGHTS):
        return Problem("W as it was, after the call", "a W that was changed in place", REMOVES)
    if (Z[0] == Z).all():
        return Problem(
            "equal examples with different outputs", f"{NUM_EXAMPLES} times the same output", ONE_MASK
        )
    return _check_means(Z) or _check_covariances(Z) or _check_rest(dropconnect)


def _check_means(Z):
    ratio = Z / (HIDDEN @ WEIGHTS)
    error = ratio.std(axis=0).max() / math.sqrt(NUM_EXAMPLES)
    if (np.abs(ratio.mean(axis=0) - 1) <= 5 * error).all():
        return None
    seen = ratio.mean()
    if abs(seen - Q) <= 5 * error:
        why = NEVER
    else:  # kept with probability p: divided by 1 - p, or by nothing
        why = KEEP if min(abs(seen - P / Q), abs(seen - P)) <= 5 * error else ""
    return Problem(
        f"outputs with mean 1.00 times H @ W, within {5 * error:.2f}", f"{seen:.2f} times H @ W", why
    )


def _check_covariances(Z):
    """Covariance 0 between outputs, and variance v sum W^2 h^2 of each."""
    noise = Z - HIDDEN @ WEIGHTS
    scaled = WEIGHTS * HIDDEN[:, None]
    dropout = VARIANCE * scaled.T @ scaled
    products = noise[:, :, None] * noise[:, None, :]
    seen, error = products.mean(axis=0), products.std(axis=0) / math.sqrt(NUM_EXAMPLES)
    allowed = 5 * error
    apart = ~np.eye(3, dtype=bool)
    if (np.abs(seen) > allowed)[apart].any():
        why = SAME if (np.abs(seen - dropout) <= allowed).all() else ""
        return Problem(
            f"covariance 0 between two outputs, within {allowed[0, 1]:.2f}", f"{seen[0, 1]:.2f}", why
        )
    off = np.abs(np.diag(seen) - np.diag(dropout)) > np.diag(allowed)
    if off.any():
        swapped = np.abs(seen - dropout / VARIANCE**2) <= allowed
        return Problem(
            f"variance p/(1-p) sum W^2 h^2 = {dropout[0, 0]:.2f} of the first output, "
            f"within {allowed[0, 0]:.2f}",
            f"{seen[0, 0]:.2f}",
            KEEP if np.diag(swapped).all() else "",
        )
    return None


def _check_rest(dropconnect):
    H = np.random.default_rng(2).normal(size=(5, 6))
    if not np.allclose(dropconnect(H, WEIGHTS, 0, np.random.default_rng(3)), H @ WEIGHTS):
        return Problem("H @ W at p = 0", "something else")
    one = np.asarray(dropconnect(np.ones((200, 1)), np.ones((1, 1)), P, np.random.default_rng(5)))
    if not (np.isclose(one, 0) | np.isclose(one, 1 / Q)).all():
        values = len(np.unique(one.round(6)))
        return Problem(
            f"from a single weight 1 and input 1 only 0 or {1 / Q:.2f}",
            f"{values} different outputs",
            BELL if values > 20 else "",
        )
    first, again, other = (dropconnect(H, WEIGHTS, P, np.random.default_rng(seed)) for seed in (4, 4, 5))
    if not np.array_equal(first, again):
        return Problem("the same output from the same state of rng", "two different outputs")
    if np.array_equal(first, other):
        return Problem("another mask from another state of rng", "the same output")
    factors = dropconnect(np.ones((2_000, 1)), np.ones((1, 12)), P, np.random.default_rng(6))
    if not own_coins(np.asarray(factors) != 0):
        return Problem("a coin of its own for every weight and example", "coins that fall together")
    return None


# --- 3. sums ---


SUMS = {  # the variances of what the layer behind adds up, and why
    "z1 + z2, dropout": (20, "both terms carry the same noise"),
    "z1 - z2, dropout": (0, "both terms carry the same noise"),
    "z1 + z2, DropConnect": (10, "the two noises are independent"),
    "z1 - z2, DropConnect": (10, "the two noises are independent"),
}


def check_sums(variance_of_one, variances):
    """A number and a dict what -> variance, for h = (2, 4), all weights 1, p = 0.2."""
    if not is_close(variance_of_one, 5):
        why = [text for value, text in ((80, KEEP), (3.2, NEVER)) if is_close(variance_of_one, value)]
        return Problem("p/(1-p) times the sum of W^2 h^2, for one unit", f"{variance_of_one}", "".join(why))
    found = {what: written(variances.get(what)) for what in SUMS}
    if is_close(found["z1 + z2, DropConnect"], 20) and is_close(found["z1 - z2, DropConnect"], 0):
        return Problem("two independent noises under DropConnect", "variances 20 and 0", SAME)
    for what, (right, reason) in SUMS.items():
        if not is_close(found[what], right):
            why = EQUAL if what.endswith("dropout") and is_close(found[what], 10) else ""
            return Problem(f"the variance of {what}, where {reason}", f"{found[what]}", why)
    return None


# --- 4. levels ---


def check_levels(three_level):
    """A function: (p0, p1, p2) -> (g, variance, p_equal) of the noise with values 0, g/2, g."""
    for probs in ((0.5, 0.25, 0.25), (0.2, 0.5, 0.3), (1 / 3, 1 / 3, 1 / 3), (P, 0, Q)):
        found = written(three_level(*probs))
        if not isinstance(found, tuple) or len(found) != 3:
            return Problem("a tuple (g, variance, p_equal)", f"{type(found).__name__}")
        g, variance, p_equal = map(written, found)
        at = "at probabilities ({:.2f}, {:.2f}, {:.2f})".format(*probs)
        right = 1 / (probs[1] / 2 + probs[2])
        if not is_close(g, right):
            why = {1: NEVER, 2: ALWAYS_TWO}.get(g, "")
            return Problem(f"a factor with mean 1 {at}", f"g = {g:.3f}, so the mean is {g / right:.3f}", why)
        right = right**2 * (probs[1] / 4 + probs[2]) - 1
        if not is_close(variance, right, 0.001):
            return Problem(
                f"the variance: the mean of the squares, minus 1, {at}", f"a variance of {variance:.3f}"
            )
        if not is_close(p_equal, right / (1 + right), 0.001):
            return Problem(
                f"the p whose p/(1-p) is {right:.3f}",
                f"p = {p_equal:.3f} {at}",
                ZEROS if is_close(p_equal, probs[0]) else "",
            )
    return None


# --- 5. bell ---

BELL_SHAPE = (2_000, 100)
SIZE_OF_H = 3.0  # not 1, where added and multiplied noise look alike


def check_bell(fixed_noise):
    """A function: (h, drop_prob, rng) -> Gaussian dropout of h."""
    h = np.full(BELL_SHAPE, SIZE_OF_H)
    out = np.asarray(written(fixed_noise(h, P, np.random.default_rng(0))))
    if out.shape != h.shape:
        return Problem(f"shape {h.shape}", f"shape {out.shape}")
    factor = out / SIZE_OF_H
    if (factor == factor[0]).all():
        return Problem("other noise for every example", "2,000 examples with the same noise", ONE_MASK)
    if len(np.unique(factor)) <= 3:
        return Problem("factors of a bell curve", f"{len(np.unique(factor))} different factors", SHAKES)
    if factor.min() >= 0:
        share = 0.5 * math.erfc(1 / math.sqrt(2 * VARIANCE))
        return Problem(f"a share {share:.3f} of factors below 0", "none", NEGATIVE)
    return _check_bell_moments(factor, np.random.default_rng(1), fixed_noise)


def _check_bell_moments(factor, rng, fixed_noise):
    mean, variance = factor.mean(), factor.var()
    room = 5 * math.sqrt(VARIANCE / factor.size)
    if abs(mean - 1) > room:
        return Problem(f"a mean factor of 1, within {room:.4f}", f"{mean:.4f}")
    room = 5 * VARIANCE * math.sqrt(2 / factor.size)  # the bell curve's fourth moment is 3 v^2
    if abs(variance - VARIANCE) > room:
        beliefs = {VARIANCE**2: ROOT, VARIANCE / SIZE_OF_H**2: ADDED, 1 / VARIANCE: KEEP}
        why = [text for value, text in beliefs.items() if is_close(variance, value, 0.05 * value)]
        return Problem(
            f"the factor's variance p/(1-p) = {VARIANCE:.3f} at p = {P}, within {room:.3f}",
            f"{variance:.3f}",
            "".join(why),
        )
    # The share beyond two standard deviations tells a bell curve from others of equal variance.
    tail = math.erfc(math.sqrt(2))
    seen = (np.abs(factor - 1) > 2 * math.sqrt(VARIANCE)).mean()
    if abs(seen - tail) > 5 * math.sqrt(tail / factor.size):
        return Problem(f"a share {tail:.3f} beyond two standard deviations: a bell curve", f"{seen:.3f}")
    if np.array_equal(factor, np.asarray(fixed_noise(np.full(BELL_SHAPE, SIZE_OF_H), P, rng)) / SIZE_OF_H):
        return Problem("other noise from another state of rng", "the same noise")
    if not own_coins(factor > 1 + math.sqrt(VARIANCE) * NormalDist().inv_cdf(P)):  # below it lies a share P
        return Problem("noise of its own for every unit of every example", "units that shake together")
    if not np.array_equal(fixed_noise(np.ones(5), 0, rng), np.ones(5)):
        return Problem("the input itself at p = 0", "something else")
    return None


# --- 6. depth ---


def check_depth(depth_in_training, depth_at_prediction):
    """Numbers: mean number of blocks used, of 20 whose survival falls linearly to 0.8."""
    rule = "the sum over the blocks l = 1..20 of the survival probability 1 - (l/20) (1 - 0.8)"
    if not is_close(depth_in_training, 17.9):
        misread = 20 - 0.8 * 10.5, 20 * (1 - 0.8)
        why = SURVIVAL if any(is_close(depth_in_training, depth) for depth in misread) else ""
        return Problem(rule, f"{depth_in_training} blocks", why)
    if not is_close(depth_at_prediction, 20):
        why = SHALLOW if is_close(depth_at_prediction, 17.9) else ""
        return Problem("the number of blocks that a prediction uses", f"{depth_at_prediction}", why)
    return None


# --- 7. tie ---


@functools.cache
def late_nll():
    """Dict noise -> late test NLL of chapter 13's five seeds: the mean over epochs 16, 18 and 20."""
    runs = load_results("13_relatives")["runs"]
    kinds = ("binary", "Gaussian", "three-level", "DropConnect")
    return {
        kind: np.array([np.mean(run["test_nll"][-3:]) for run in runs if run["kind"] == kind])
        for kind in kinds
    }


def paired_runs():
    """Two arms of eight runs whose common luck is ten times the luck of their own."""
    rng = np.random.default_rng(0)
    common = rng.normal(0.5, 0.1, 8)
    return common + rng.normal(0.02, 0.01, 8), common + rng.normal(0, 0.01, 8)


def paired(noise, binary):
    differences = noise - binary
    return differences.mean(), differences.std(ddof=1) / math.sqrt(len(differences))


def check_tie(compare, verdicts):
    """A function (noise, binary) -> (mean difference, standard error), and a dict noise -> verdict."""
    noise, binary = paired_runs()
    found = written(compare(noise.copy(), binary.copy()))
    if not isinstance(found, tuple) or len(found) != 2:
        return Problem("a tuple (mean difference, standard error)", f"{type(found).__name__}")
    difference, error = map(written, found)
    right, right_error = paired(noise, binary)
    if not is_close(difference, right, 1e-9):
        return Problem(f"noise minus binary, on average {right:.4f} here", f"{difference:.4f}")
    if not is_close(error, right_error, 1e-9):
        scatter = (noise - binary).std(ddof=1)
        unpaired = math.sqrt((noise.var(ddof=1) + binary.var(ddof=1)) / len(noise))
        why = [text for v, text in ((scatter, SCATTER), (unpaired, PAIRED)) if is_close(error, v, 1e-3)]
        return Problem(
            f"a standard error of {right_error:.4f} for eight pairs, with n - 1 in the variance",
            f"{error:.4f}",
            "".join(why),
        )
    return _check_verdicts(verdicts)


def _check_verdicts(verdicts):
    nll = late_nll()
    for kind in ("Gaussian", "three-level", "DropConnect"):
        verdict = written(verdicts.get(kind))
        if verdict not in ("better", "tie", "worse"):
            return Problem('"better", "tie" or "worse"', repr(verdict))
        difference, error = paired(nll[kind], nll["binary"])
        right = "tie" if abs(difference) <= 3 * error else "worse"
        if verdict != right:
            why = {("tie", "worse"): SMALLER, ("worse", "tie"): EQUAL}.get((right, verdict), "")
            return Problem(
                "a tie if the difference is within three standard errors, and a lower NLL to be the better",
                f'"{verdict}" for {kind}, whose difference is {difference / error:+.1f} standard errors',
                why,
            )
    return None


EXERCISES = {
    "coins": Exercise(
        check_coins,
        "Write the two formulas with all indices: example, unit read, output. Which of the three does the "
        "factor carry? And what is in W when the next batch comes?",
    ),
    "dropconnect": Exercise(
        check_dropconnect,
        "Draw factors of shape (examples, inputs, outputs), 0 or 1/(1-p). Multiply W by them, then sum over "
        "the inputs: np.einsum('bi,bio->bo', H, W * factors).",
    ),
    "sums": Exercise(
        check_sums,
        "Under dropout z1 and z2 are the same number here. Under DropConnect they are independent. What are "
        "the variances of z + z, of z - z, and of a sum and a difference of independent values?",
    ),
    "levels": Exercise(
        check_levels,
        "The mean of the factor is p1 g/2 + p2 g: set it to 1. The mean of its square is p1 g^2/4 + p2 g^2. "
        "Solve p/(1-p) = v for p.",
    ),
    "bell": Exercise(
        check_bell,
        "Run the author's test at p = 0.1 and at p = 0.9. Then look up what the second argument of "
        "rng.normal is.",
    ),
    "depth": Exercise(
        check_depth,
        "A mean number is a sum of probabilities. The mean of 1, 2, ..., 20 is 10.5. And which blocks would "
        "you leave out when you use the net?",
    ),
    "tie": Exercise(
        check_tie,
        "Differences first, then their mean, then std(ddof=1) / sqrt(n). Print difference / error for each.",
    ),
}


# --- wrong answers, each built on one wrong idea ---


def _dropconnect(coins, factor=lambda keep, p: keep / (1 - p)):
    """dropconnect that throws coins of shape coins(examples, inputs, outputs)."""

    def dropconnect(H, W, p, rng):
        keep = rng.random(coins(len(H), *W.shape)) >= p
        return np.einsum("bi,bio->bo", H, W * factor(keep, p))

    return dropconnect


def _each(*shape):
    return shape


def _forget_weights(H, W, p, rng):
    W *= (rng.random(W.shape) >= p) / (1 - p)
    return H @ W


def _bell_connect(H, W, p, rng):
    Z = H @ W
    return Z + np.sqrt(p / (1 - p) * H**2 @ W**2) * rng.standard_normal(Z.shape)


def _sums(variance_of_one, *variances):
    return lambda: (variance_of_one, dict(zip(SUMS, variances, strict=True)))


def _levels(g=None, p_equal=None):
    def three_level(p0, p1, p2):
        right = g or 1 / (p1 / 2 + p2)
        variance = right**2 * (p1 / 4 + p2) - 1
        return right, variance, p0 if p_equal else variance / (1 + variance)

    return three_level


def _bell(make):
    """Gaussian dropout that makes of (h, v, normal numbers, coins) something else."""
    return lambda h, p, rng: make(h, p / (1 - p), rng.standard_normal(h.shape), rng.random(h.shape))


VERDICTS = {"Gaussian": "tie", "three-level": "tie", "DropConnect": "worse"}


def _unpaired(noise, binary):
    error = math.sqrt((noise.var(ddof=1) + binary.var(ddof=1)) / len(noise))
    return noise.mean() - binary.mean(), error


MISCONCEPTIONS = [
    Misconception("dropout removes weights", "coins", lambda: (32_000, 32_000, 1_000), REMOVES),
    Misconception("dropout removes weights", "coins", lambda: (3_200, 32_000, 700), REMOVES),
    Misconception("dropout removes weights", "dropconnect", lambda: (_forget_weights,), REMOVES),
    Misconception("one mask per batch", "coins", lambda: (100, 1_000, 1_000), ONE_MASK),
    Misconception("one mask per batch", "coins", lambda: (3_200, 1_000, 1_000), ONE_MASK),
    Misconception(
        "one mask per batch", "dropconnect", lambda: (_dropconnect(lambda b, i, o: (1, i, o)),), ONE_MASK
    ),
    Misconception(
        "one mask per batch",
        "bell",
        lambda: (lambda h, p, rng: h * rng.normal(1, math.sqrt(p / (1 - p)), h.shape[1:]),),
        ONE_MASK,
    ),
    Misconception("the bell-curve stand-in is DropConnect", "dropconnect", lambda: (_bell_connect,), BELL),
    Misconception("DropConnect is dropout under another name", "coins", lambda: (3_200, 3_200, 1_000), SAME),
    Misconception(
        "DropConnect is dropout under another name",
        "dropconnect",
        lambda: (_dropconnect(lambda b, i, o: (b, i, 1)),),
        SAME,
    ),
    Misconception("DropConnect is dropout under another name", "sums", _sums(5, 20, 0, 20, 0), SAME),
    Misconception(
        "the survivors need no rescaling",
        "dropconnect",
        lambda: (_dropconnect(_each, lambda keep, p: keep),),
        NEVER,
    ),
    Misconception("the survivors need no rescaling", "sums", _sums(3.2, 12.8, 0, 6.4, 6.4), NEVER),
    Misconception("the survivors need no rescaling", "levels", lambda: (_levels(g=1),), NEVER),
    Misconception(
        "p is the keep probability",
        "dropconnect",
        lambda: (lambda H, W, p, rng: _dropconnect(_each)(H, W, 1 - p, rng),),
        KEEP,
    ),
    Misconception("p is the keep probability", "sums", _sums(80, 320, 0, 160, 160), KEEP),
    Misconception(
        "p is the keep probability", "bell", lambda: (_bell(lambda h, v, z, u: h * (1 + z / v**0.5)),), KEEP
    ),
    Misconception("equal variance per unit is equal noise", "sums", _sums(5, 10, 10, 10, 10), EQUAL),
    Misconception(
        "equal variance per unit is equal noise",
        "tie",
        lambda: (paired, {**VERDICTS, "DropConnect": "tie"}),
        EQUAL,
    ),
    Misconception("three-level noise always has g = 2", "levels", lambda: (_levels(g=2),), ALWAYS_TWO),
    Misconception(
        "the share of zeros is the strength of a noise", "levels", lambda: (_levels(p_equal=True),), ZEROS
    ),
    Misconception(
        "a variance is as good as a standard deviation, as p = 0.5 shows",
        "bell",
        lambda: (_bell(lambda h, v, z, u: h * (1 + v * z)),),
        ROOT,
    ),
    Misconception(
        "a factor must not be negative",
        "bell",
        lambda: (_bell(lambda h, v, z, u: h * np.maximum(1 + v**0.5 * z, 0)),),
        NEGATIVE,
    ),
    Misconception(
        "Gaussian dropout switches units off",
        "bell",
        lambda: (_bell(lambda h, v, z, u: h * (u < 1 / (1 + v)) * (1 + v)),),
        SHAKES,
    ),
    Misconception(
        "Gaussian dropout adds noise", "bell", lambda: (_bell(lambda h, v, z, u: h + v**0.5 * z),), ADDED
    ),
    Misconception("every paper's p is the drop probability", "depth", lambda: (11.6, 20), SURVIVAL),
    Misconception("stochastic depth leaves a shallower net", "depth", lambda: (17.9, 17.9), SHALLOW),
    Misconception(
        "runs with the same seeds are compared mean against mean",
        "tie",
        lambda: (_unpaired, VERDICTS),
        PAIRED,
    ),
    Misconception(
        "the spread of the runs is the error of their mean",
        "tie",
        lambda: (lambda a, b: ((a - b).mean(), (a - b).std(ddof=1)), VERDICTS),
        SCATTER,
    ),
    Misconception(
        "the smaller mean is the better method",
        "tie",
        lambda: (paired, {"Gaussian": "worse", "three-level": "worse", "DropConnect": "worse"}),
        SMALLER,
    ),
]
