"""The checks of chapter 02's exercises."""

import functools
import math

import numpy as np

from utils import scratch
from utils.conformance import DropoutLayer, draw_input
from utils.data import load_fashion_mnist, read_only
from utils.exercises import beliefs, expect
from utils.exercises.engine import array, is_close, is_number
from utils.metrics import accuracy
from utils.wrong_dropouts import RIGHT, WRONG

P = 0.3  # not 0.5, where a swap of p and 1 - p cannot be seen


# --- 1. count ---


def check_count(mean_kept, std_kept):
    """Numbers: mean and standard deviation of the units kept of 100 at p = 0.3."""
    rule = "n times the probability to keep one unit"
    expect.close(mean_kept, 100 * (1 - P), rule, {beliefs.KEEP_02: 100 * P}, "a mean of {}")
    rule = "the standard deviation of a Binomial, sqrt(n p (1-p))"
    expect.close(std_kept, math.sqrt(100 * P * (1 - P)), rule, {beliefs.EXACT: 0}, tolerance=0.05)


# --- 2. moments ---


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


# --- 3. recipe ---


def check_recipe(train, predict):
    """Two functions of the classical recipe: train(x, drop_prob, rng) and predict(x, drop_prob) -> output."""
    x = draw_input(0)
    output = array(train(x, P, np.random.default_rng(0)), x.dtype)
    predicted = array(predict(x, P), x.dtype)
    rule = f"an output of the input's shape {x.shape}"
    expect.that(output.shape == x.shape, rule, f"{output.shape}", beliefs.REMOVES)
    kept = (output / x)[output != 0]
    factor, in_prediction = kept.mean(), np.mean(predicted / x)
    divided = is_close(factor, 1 / (1 - P), 1e-6)
    why = beliefs.TWICE if divided and is_close(in_prediction, 1 - P, 1e-6) else None
    rule = "kept values as they came in: the classical recipe does not divide in training"
    expect.that(is_close(factor, 1, 1e-6), rule, f"{factor:.2f} times the input", why)
    found = scaled_mask(train, 1)
    expect.share(found, 1 - P, "kept values", beliefs.KEEP_02)
    known = {beliefs.NO_RESCALING: 1, beliefs.KEEP_02: P}
    rule = f"{1 - P:.2f} times the input at prediction, the mean in training"
    expect.close(in_prediction, 1 - P, rule, known, "{:.2f} times the input", 1e-6)


def scaled_mask(train, seed):
    """What is kept of 400 examples of 25 ones: a bool array."""
    return array(train(np.ones((400, 25)), P, np.random.default_rng(seed))) != 0


# --- 4. apart ---


def check_apart(own_masks):
    """A function: dropout(x, drop_prob, rng) -> True if each example of a batch has its own mask."""

    def judged(layer):
        return own_masks(lambda x, drop_prob, rng: layer.forward(array(x, np.float64), drop_prob, rng)[0])

    rule = "False for a dropout with one mask for the whole batch"
    expect.truth(judged(WRONG["one mask for the whole batch"]()), False, rule, beliefs.MEAN_ENOUGH)
    for name in ("right", "no rescaling", "an exact share", "p and 1 - p swapped"):
        layer = RIGHT if name == "right" else WRONG[name]()
        rule = f"True for a dropout whose examples have masks of their own ({name})"
        expect.truth(judged(layer), True, rule)


# --- 5. steady ---


def check_steady(fixed_dropout):
    """A function: (x, drop_prob, rng) -> output."""

    def forward(x, drop_prob, rng):
        return array(fixed_dropout(x, drop_prob, rng), x.dtype), None

    for seed in range(20):
        output, _ = forward(np.ones((1, 2)), 0.7, np.random.default_rng(seed))
        got = f"an output of {output[0]} for two ones at p = 0.7"
        expect.that(np.isfinite(output).all(), "numbers, also where nothing was kept", got)
    means = [forward(np.ones((4, 5)), P, np.random.default_rng(seed))[0].mean() for seed in range(20)]
    rule = "a mean that is right on average and varies from call to call"
    expect.that(np.ptp(means) > 1e-6, rule, f"a mean of {means[0]:.2f} in every call", beliefs.STEADY)
    names = ("values", "mean", "share", "units", "examples", "count", "fresh", "input")
    expect.dropout(DropoutLayer(forward, None, None), names)


# --- 6. speed ---


@functools.cache
def load_images():
    """500 images of Fashion-MNIST as rows of 784 numbers, and their labels."""
    data = load_fashion_mnist()
    return read_only((data.x_train[:500].reshape(-1, 784), data.y_train[:500]))


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
    "moments": "List the two values that h' can take, with their probabilities. Mean of h', mean of its "
    "square, subtract.",
    "recipe": "What is the mean of the training output of a kept-or-dropped h, if nothing is divided? "
    "Prediction must give that number.",
    "apart": "Send a large batch of ones through dropout and compare the rows of the output.",
    "steady": "Print steady_dropout(np.ones((1, 2)), 0.7, rng) for rngs of a few seeds. Which values may the "
    "output of a right one take?",
    "speed": "Measure the accuracy with scratch.forward_eval after every epoch, and return at the first "
    "that reaches 0.9. Start the net and rng afresh for each p.",
}
