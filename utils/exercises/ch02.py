"""The checks of chapter 02's exercises."""

import functools
import math

import numpy as np

from utils import scratch
from utils.conformance import CHECKS, DropoutLayer, draw_input
from utils.data import load_fashion_mnist
from utils.exercises import beliefs, expect
from utils.exercises.engine import array, is_close, is_number
from utils.metrics import accuracy

P = 0.3  # not 0.5, where a swap of p and 1 - p cannot be seen
NUM_CALLS = 200


# --- 1. count ---


def check_count(mean_kept, std_kept):
    """Numbers: mean and standard deviation of the units kept of 100 at p = 0.3."""
    rule = "n times the probability to keep one unit"
    expect.close(mean_kept, 100 * (1 - P), rule, {beliefs.KEEP_02: 100 * P}, "a mean of {}")
    rule = "the standard deviation of a Binomial, sqrt(n p (1-p))"
    expect.close(std_kept, math.sqrt(100 * P * (1 - P)), rule, {beliefs.EXACT: 0}, tolerance=0.05)


# --- 2. mask ---


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


# --- 3. layer ---


def check_layer(forward, predict):
    """Two functions: forward(x, drop_prob, rng) -> (output, factor) and predict(x, drop_prob) -> output."""

    def run(x, drop_prob, rng):
        pair = expect.parts(forward(x, drop_prob, rng), 2, "a pair (output, factor)")
        return tuple(array(part, x.dtype) for part in pair)

    x = draw_input(0)
    output, _ = run(x, P, np.random.default_rng(0))
    predicted = array(predict(x, P))
    rule = f"an output of the input's shape {x.shape}"
    expect.that(output.shape == x.shape, rule, f"{output.shape}", beliefs.REMOVES)
    rng = np.random.default_rng(1)
    ratios = np.array([np.mean(run(x, P, rng)[0] / x) for _ in range(NUM_CALLS)])
    mean, room = ratios.mean(), 5 * ratios.std() / math.sqrt(NUM_CALLS)
    why = beliefs.NO_RESCALING if abs(mean - (1 - P)) <= room else None
    rule = f"a mean output of 1.00 times the input in training, within {room:.2f}"
    expect.that(abs(mean - 1) <= room + 1e-12, rule, f"{mean:.2f} times the input", why)
    why = beliefs.TWICE if is_close(predicted, x * (1 - P), 1e-6) else None
    got = f"{np.mean(predicted / x):.2f} times the input"
    expect.that(np.array_equal(predicted, x), "predict to return the plain input", got, why)
    layer = DropoutLayer(run, lambda grad, factor: grad * factor, lambda *args: array(predict(*args)))
    expect.dropout(layer, [name for name in CHECKS if name not in ("mask in gradient", "gradient")])


# --- 4. moments ---


def check_moments(mean, variance, share_of_zeros):
    """Numbers: what dropout at p = 0.25 makes of h = 3."""
    h, p, q = 3, 0.25, 0.75
    known = {beliefs.KEEP_02: q}
    expect.close(share_of_zeros, p, "the probability to drop", known, "a share of zeros of {}")
    rule = "p times 0 plus 1-p times h/(1-p)"
    expect.close(mean, h, rule, {beliefs.NO_RESCALING: h * q}, "a mean of {}")
    rule = "the mean of the squares minus the square of the mean, h^2 p / (1-p)"
    known = {beliefs.KEEP_02: h**2 * q / p, beliefs.NO_RESCALING: h**2 * p * q}
    expect.close(variance, h**2 * p / q, rule, known, "a variance of {}")


# --- 5. backward ---


def check_backward(backward):
    """A function: (grad_output, factor) -> gradient with respect to the input of dropout."""
    grad_output = draw_input(1)
    factor = scratch.dropout_factor(grad_output.shape, P, np.random.default_rng(0), grad_output.dtype)
    before = grad_output.copy()
    grad = expect.shape(backward(grad_output, factor), grad_output.shape, "a gradient")
    same = np.array_equal(before, grad_output)
    expect.that(same, "grad_output to stay as it was", "it was changed in place")
    largest = np.abs(grad[factor == 0]).max()
    got = f"gradients up to {largest:.2f} there"
    expect.that(largest == 0, "0 where the unit was dropped", got, beliefs.UNMASKED_GRADIENT)
    ratio = np.mean((grad / grad_output)[factor != 0])
    rule = f"grad_output times {1 / (1 - P):.2f} where the unit was kept"
    why = beliefs.UNSCALED_GRADIENT if is_close(ratio, 1) else None
    expect.that(np.array_equal(grad, grad_output * factor), rule, f"grad_output times {ratio:.2f}", why)


# --- 6. bug ---


def check_bug(fixed_dropout):
    """A function: (x, drop_prob, rng) -> output."""

    def forward(x, drop_prob, rng):
        return array(fixed_dropout(x, drop_prob, rng), x.dtype), None

    output, _ = forward(np.ones((200, 10)), P, np.random.default_rng(0))
    expect.own_masks(expect.shape(output, (200, 10), "an output"), beliefs.ONE_MASK_02)
    names = ("values", "mean", "share", "units", "examples", "count", "fresh", "input")
    expect.dropout(DropoutLayer(forward, None, None), names)


# --- 7. speed ---


@functools.cache
def load_images():
    """500 images of Fashion-MNIST as rows of 784 numbers, and their labels."""
    data = load_fashion_mnist()
    return data.x_train[:500].reshape(-1, 784), data.y_train[:500]


@functools.cache
def epochs_needed(drop_prob, num_epochs=60):
    """The check's own measurement: epochs until 90 % of the training images are right."""
    x, y = load_images()
    rng = np.random.default_rng(0)
    net = scratch.init_he((784, 64, 10), rng)
    for epoch in range(1, num_epochs + 1):
        scratch.train_epoch(net, x, y, (drop_prob,), 50, 0.1, rng)
        if accuracy(scratch.forward_eval(net, x), y) >= 0.9:
            return epoch
    return num_epochs


def check_speed(measure, faster):
    """A function drop_prob -> epochs, and the answer "with dropout" or "without dropout"."""
    expect.choice(faster, ("with dropout", "without dropout"))
    found = {drop_prob: measure(drop_prob) for drop_prob in (0, 0.5)}
    for drop_prob, epochs in found.items():
        reference = epochs_needed(drop_prob)
        # Another order of the draws moves the epoch a little; another rule of stopping moves it far.
        near = is_number(epochs) and abs(epochs - reference) <= 0.25 * reference + 1
        expect.that(near, f"about {reference} epochs at p = {drop_prob}", f"{epochs}")
    got = f"with dropout, although it took {found[0.5]} epochs and the net without took {found[0]}"
    expect.that(faster == "without dropout", "the setting that needs fewer epochs", got, beliefs.FASTER)


HINTS = {
    "count": "Each unit is one throw of a coin that says keep with probability 1-p.",
    "mask": "Draw one uniform number per element with rng.random(shape). It is below p with probability p.",
    "layer": "In training, multiply by a factor that is 0 or 1/(1-p), shaped like x; treat p = 1 alone. At "
    "prediction time, look at what the mean of the training output already is.",
    "moments": "List the two values that h' can take, with their probabilities. Mean of h', mean of its "
    "square, subtract.",
    "backward": "h' = h times factor. What is the slope of h' as a function of h?",
    "bug": "Print the output for x = np.ones((5, 8)). Compare the rows. How many coins were thrown?",
    "speed": "Measure the accuracy with scratch.forward_eval after every epoch, and return at the first "
    "that reaches 0.9. Start the net and rng afresh for each p.",
}
