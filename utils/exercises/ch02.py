"""The checks of chapter 02's exercises, and the wrong answers that they know by name."""

import functools
import math

import numpy as np

from utils import scratch
from utils.conformance import CHECKS, DropoutLayer, draw_input
from utils.data import load_fashion_mnist
from utils.metrics import accuracy
from utils.selfcheck import Exercise, Misconception, Problem, is_close, written

P = 0.3  # not 0.5, where a swap of p and 1 - p cannot be seen
NUM_CALLS = 200

KEEP = "p is the probability to DROP a unit in this course and in every framework; 1-p is kept."
EXACT = (
    "Each unit throws its own coin, so the number kept is Binomial(n, 1-p): right on average, different "
    "from call to call. Nothing fixes it at n (1-p)."
)
ONE_MASK = (
    "All examples of the batch share one mask. Each example must draw its own: then the batch averages over "
    "many thinned networks, and no unit is without an update for a whole step."
)
NEVER = (
    "The survivors were not rescaled, so the output is (1-p) times too small on average. The next layer "
    "would see smaller inputs in training than at prediction time."
)
TWICE = (
    "That scales twice: training has already divided by 1-p, so at prediction time the output is the "
    "plain input. Multiplying by 1-p belongs to the older recipe, which does not divide in training."
)
REMOVES = (
    "Dropout removes nothing. It sets some outputs to 0 for one step; every unit and every weight is still "
    "there, and the next step draws another mask. So the shape stays."
)
FASTER = (
    "Dropout makes training slower: each step sees a noisy, thinned network, so the same training accuracy "
    "takes more steps. What it may buy is less overfitting, not speed."
)
UNMASKED = (
    "A dropped output is 0 whatever its input was, so for this example its slope is 0. The mask must act on "
    "the gradient as well."
)
UNSCALED = (
    "A kept unit was multiplied by 1/(1-p), so a nudge of its input moves the output by 1/(1-p). "
    "Multiply the gradient by the same factor, not by the bare mask."
)


# --- 1. count ---


def check_count(mean_kept, std_kept):
    """Numbers: mean and standard deviation of the units kept of 100 at p = 0.3."""
    if is_close(mean_kept, 100 * P):
        return Problem("n times the probability to keep one unit", f"a mean of {mean_kept}", KEEP)
    if not is_close(mean_kept, 100 * (1 - P)):
        return Problem("n times the probability to keep one unit", f"a mean of {mean_kept}")
    rule = "the standard deviation of a Binomial, sqrt(n p (1-p))"
    if is_close(std_kept, 0):
        return Problem(rule, "0: the same count every time", EXACT)
    if not is_close(std_kept, math.sqrt(100 * P * (1 - P)), 0.05):
        return Problem(rule, f"{std_kept}")
    return None


# --- 2. mask ---


def check_mask(keep_mask):
    """A function: (shape, drop_prob, rng) -> bool array, True for kept."""
    shape = (400, 25)
    keep = np.asarray(written(keep_mask(shape, P, np.random.default_rng(0))))
    if keep.shape != shape:
        return Problem(f"an array of shape {shape}", f"shape {keep.shape}")
    if keep.dtype != bool:
        return Problem("an array of True (kept) and False (dropped)", f"an array of {keep.dtype}")
    if (keep == keep[0]).all():
        return Problem("another mask in every row", "400 times the same row", ONE_MASK)
    problem = _check_share(keep.mean(), math.sqrt(P * (1 - P) / keep.size))
    if problem:
        return problem
    rng = np.random.default_rng(1)
    counts = [np.sum(keep_mask((10, 10), P, rng)) for _ in range(NUM_CALLS)]
    if len(set(counts)) == 1 or len(set(keep.sum(axis=1))) == 1:
        return Problem("a count of kept units that varies by chance", "always the same count", EXACT)
    return _check_count_variance(np.var(counts)) or _check_draws(keep_mask)


def _check_share(share, standard_error):
    expected = f"a share 1-p = {1 - P:.2f} of True, within {5 * standard_error:.3f}"
    if abs(share - (1 - P)) <= 5 * standard_error:
        return None
    why = KEEP if abs(share - P) <= 5 * standard_error else ""
    return Problem(expected, f"a share {share:.3f}", why)


def _check_count_variance(variance):
    expected = 100 * P * (1 - P)
    fourth_moment = expected * (1 + (3 * 100 - 6) * P * (1 - P))
    standard_error = math.sqrt((fourth_moment - expected**2) / NUM_CALLS)
    if abs(variance - expected) <= 5 * standard_error:
        return None
    return Problem(
        f"counts of kept units, of 100, with variance {expected:.0f} +- {5 * standard_error:.0f}: "
        "independent coins",
        f"a variance of {variance:.1f}",
    )


def _check_draws(keep_mask):
    first, again = (keep_mask((50, 4), P, np.random.default_rng(2)) for _ in "ab")
    if not np.array_equal(first, again):
        return Problem("the same mask from the same state of rng", "two different masks")
    rng = np.random.default_rng(3)
    if np.array_equal(keep_mask((50, 4), P, rng), keep_mask((50, 4), P, rng)):
        return Problem("a new mask from every call", "the same mask twice")
    for drop_prob, share in ((0, 1), (1, 0)):
        found = np.mean(keep_mask((50, 4), drop_prob, rng))
        if found != share:
            return Problem(f"a share {share} kept at p = {drop_prob}", f"a share {found:.3f}")
    return None


# --- 3. layer ---


def check_layer(forward, predict):
    """Two functions: forward(x, drop_prob, rng) -> (output, factor) and predict(x, drop_prob) -> output."""
    x = draw_input(0)
    output = written(forward(x, P, np.random.default_rng(0)))
    if not isinstance(output, tuple) or len(output) != 2:
        return Problem("a pair (output, factor)", f"{type(output).__name__}")
    written(output[0])
    predicted = np.asarray(written(predict(x, P)))
    if np.shape(output[0]) != x.shape:
        return Problem(f"an output of the input's shape {x.shape}", f"{np.shape(output[0])}", REMOVES)
    return (
        _check_training_mean(forward, x)
        or _check_prediction(predicted, x)
        or failed_check(
            DropoutLayer(forward, lambda grad, factor: grad * factor, predict),
            [name for name in CHECKS if name not in ("mask in gradient", "gradient")],
        )
    )


def _check_training_mean(forward, x):
    rng = np.random.default_rng(1)
    ratios = np.array([np.mean(forward(x, P, rng)[0] / x) for _ in range(NUM_CALLS)])
    mean, standard_error = ratios.mean(), ratios.std() / math.sqrt(NUM_CALLS)
    if abs(mean - 1) <= 5 * standard_error + 1e-12:
        return None
    why = NEVER if abs(mean - (1 - P)) <= 5 * standard_error else ""
    return Problem(
        f"a mean output of 1.00 times the input in training, within {5 * standard_error:.2f}",
        f"{mean:.2f} times the input",
        why,
    )


def _check_prediction(predicted, x):
    if np.array_equal(predicted, x):
        return None
    why = TWICE if np.allclose(predicted, x * (1 - P)) else ""
    return Problem("predict to return the plain input", f"{np.mean(predicted / x):.2f} times the input", why)


def failed_check(layer, names, seed=0):
    """The first of the named checks of utils.conformance that `layer` fails, as a Problem, or None."""
    for name in names:
        try:
            with np.errstate(all="ignore"):
                CHECKS[name](layer, seed)
        except AssertionError as error:
            return Problem(CHECKS[name].__doc__.splitlines()[0].rstrip("."), str(error))
    return None


# --- 4. moments ---


def check_moments(mean, variance, share_of_zeros):
    """Numbers: what dropout at p = 0.25 makes of h = 3."""
    h, p, q = 3, 0.25, 0.75
    if is_close(share_of_zeros, q):
        return Problem("the probability to drop", f"a share of zeros of {share_of_zeros}", KEEP)
    if not is_close(share_of_zeros, p):
        return Problem("the probability to drop", f"a share of zeros of {share_of_zeros}")
    rule = "p times 0 plus 1-p times h/(1-p)"
    if is_close(mean, h * q):
        return Problem(rule, f"a mean of {mean}", NEVER)
    if not is_close(mean, h):
        return Problem(rule, f"a mean of {mean}")
    rule = "the mean of the squares minus the square of the mean, h^2 p / (1-p)"
    if is_close(variance, h**2 * q / p):
        return Problem(rule, f"a variance of {variance}", KEEP)
    if is_close(variance, h**2 * p * q):
        return Problem(rule, f"a variance of {variance}", NEVER)
    if not is_close(variance, h**2 * p / q):
        return Problem(rule, f"a variance of {variance}")
    return None


# --- 5. backward ---


def check_backward(backward):
    """A function: (grad_output, factor) -> gradient with respect to the input of dropout."""
    grad_output = draw_input(1)
    factor = scratch.dropout_factor(grad_output.shape, P, np.random.default_rng(0), grad_output.dtype)
    before = grad_output.copy()
    grad = np.asarray(written(backward(grad_output, factor)))
    if grad.shape != grad_output.shape:
        return Problem(f"a gradient of shape {grad_output.shape}", f"shape {grad.shape}")
    if not np.array_equal(before, grad_output):
        return Problem("grad_output to stay as it was", "it was changed in place")
    if np.array_equal(grad, grad_output * factor):
        return None
    dropped = factor == 0
    largest = np.abs(grad[dropped]).max()
    if largest > 0:
        return Problem("0 where the unit was dropped", f"gradients up to {largest:.2f} there", UNMASKED)
    ratio = np.mean((grad / grad_output)[~dropped])
    return Problem(
        f"grad_output times {1 / (1 - P):.2f} where the unit was kept",
        f"grad_output times {ratio:.2f}",
        UNSCALED if is_close(ratio, 1) else "",
    )


# --- 6. bug ---


def check_bug(fixed_dropout):
    """A function: (x, drop_prob, rng) -> output."""
    x = np.ones((200, 10))
    output = np.asarray(written(fixed_dropout(x, P, np.random.default_rng(0))))
    if output.shape == x.shape and (output == output[0]).all():
        return Problem("another mask for every example", "200 examples with the same mask", ONE_MASK)
    layer = DropoutLayer(
        lambda x, drop_prob, rng: (written(fixed_dropout(x, drop_prob, rng)), None), None, None
    )
    return failed_check(layer, ("values", "mean", "share", "units", "examples", "count", "fresh", "input"))


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
    if faster not in ("with dropout", "without dropout"):
        return Problem('"with dropout" or "without dropout"', repr(faster))
    found = {drop_prob: written(measure(drop_prob)) for drop_prob in (0, 0.5)}
    for drop_prob, epochs in found.items():
        reference = epochs_needed(drop_prob)
        # Another order of the draws moves the epoch a little; another rule of stopping moves it far.
        if not isinstance(epochs, int) or abs(epochs - reference) > 0.25 * reference + 1:
            return Problem(f"about {reference} epochs at p = {drop_prob}", f"{epochs}")
    if faster == "with dropout":
        return Problem(
            "the setting that needs fewer epochs",
            f"with dropout, although it took {found[0.5]} epochs and the net without took {found[0]}",
            FASTER,
        )
    return None


EXERCISES = {
    "count": Exercise(check_count, "Each unit is one throw of a coin that says keep with probability 1-p."),
    "mask": Exercise(
        check_mask,
        "Draw one uniform number per element with rng.random(shape). It is below p with probability p.",
    ),
    "layer": Exercise(
        check_layer,
        "In training, multiply by a factor that is 0 or 1/(1-p), shaped like x; treat p = 1 alone. "
        "At prediction time, look at what the mean of the training output already is.",
    ),
    "moments": Exercise(
        check_moments,
        "List the two values that h' can take, with their probabilities. Mean of h', mean of its square, "
        "subtract.",
    ),
    "backward": Exercise(check_backward, "h' = h times factor. What is the slope of h' as a function of h?"),
    "bug": Exercise(
        check_bug, "Print the output for x = np.ones((5, 8)). Compare the rows. How many coins were thrown?"
    ),
    "speed": Exercise(
        check_speed,
        "Measure the accuracy with scratch.forward_eval after every epoch, and return at the first that "
        "reaches 0.9. Start the net and rng afresh for each p.",
    ),
}


# --- wrong answers, each built on one wrong idea ---


def _forward(make_factor):
    def forward(x, drop_prob, rng):
        factor = make_factor(x, drop_prob, rng)
        return x * factor, factor

    return forward


def _exact_mask(shape, drop_prob, rng):
    size = math.prod(shape)
    return (rng.permutation(size) >= round(drop_prob * size)).reshape(shape)


def _shrink(x, drop_prob, rng):
    keep = rng.random(x.shape[1]) >= drop_prob
    return x[:, keep] / (1 - drop_prob), keep


def _plain(x, drop_prob):
    return x


MISCONCEPTIONS = [
    Misconception("p is the keep probability", "count", lambda: (30, 4.58), KEEP),
    Misconception(
        "p is the keep probability", "mask", lambda: (lambda shape, p, rng: rng.random(shape) < p,), KEEP
    ),
    Misconception("p is the keep probability", "moments", lambda: (3, 27, 0.75), KEEP),
    Misconception("dropout drops an exact fraction", "count", lambda: (70, 0), EXACT),
    Misconception("dropout drops an exact fraction", "mask", lambda: (_exact_mask,), EXACT),
    Misconception(
        "one mask serves the whole batch",
        "mask",
        lambda: (lambda shape, p, rng: np.broadcast_to(rng.random(shape[1:]) >= p, shape),),
        ONE_MASK,
    ),
    Misconception(
        "one mask serves the whole batch",
        "bug",
        lambda: (lambda x, p, rng: x * (rng.random(x.shape[1:]) >= p) / (1 - p),),
        ONE_MASK,
    ),
    Misconception(
        "the survivors need no rescaling",
        "layer",
        lambda: (_forward(lambda x, p, rng: rng.random(x.shape) >= p), _plain),
        NEVER,
    ),
    Misconception("the survivors need no rescaling", "moments", lambda: (2.25, 1.6875, 0.25), NEVER),
    Misconception(
        "prediction must still multiply by 1-p",
        "layer",
        lambda: (scratch.dropout_with_factor, lambda x, p: x * (1 - p)),
        TWICE,
    ),
    Misconception("dropout removes units or weights", "layer", lambda: (_shrink, _plain), REMOVES),
    Misconception(
        "the gradient passes a dropped unit", "backward", lambda: (lambda grad, factor: grad,), UNMASKED
    ),
    Misconception(
        "the gradient needs the mask but not the scale",
        "backward",
        lambda: (lambda grad, factor: grad * (factor > 0),),
        UNSCALED,
    ),
    Misconception("dropout makes training faster", "speed", lambda: (epochs_needed, "with dropout"), FASTER),
]
