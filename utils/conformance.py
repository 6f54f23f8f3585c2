"""What a correct inverted dropout does, as checks that name what is wrong with an incorrect one.

A check takes a `DropoutLayer` and a seed, and raises AssertionError with one sentence. No framework is
imported: wrap any framework's dropout in three functions to check it.

The statistical checks look at many calls and allow five standard errors, computed for that number of
calls. They use p = 0.3: at p = 0.5 a swap of p and 1 - p cannot be seen.
"""

from typing import NamedTuple

import numpy as np

DROP_PROB = 0.3
NUM_CALLS = 1000
SHAPE = (4, 3, 2, 2)  # 4 examples, 3 feature maps of 2 x 2 pixels


class DropoutLayer(NamedTuple):
    """An implementation of dropout: three functions.

    forward : (x, drop_prob, rng) -> (output, cache), the training-time pass
    backward : (grad_output, cache) -> gradient with respect to x
    evaluate : (x, drop_prob) -> output at prediction time
    """

    forward: object
    backward: object
    evaluate: object


def draw_input(seed, dtype=np.float64):
    """An input without zeros, so that a zero in the output is always a dropped element."""
    rng = np.random.default_rng([seed, 1])
    return (rng.choice([-1, 1], SHAPE) * rng.uniform(0.5, 2, SHAPE)).astype(dtype)


def draw_outputs(layer, x, seed):
    """The outputs of NUM_CALLS training-time passes over the same x, shape (NUM_CALLS, *x.shape)."""
    rng = np.random.default_rng(seed)
    return np.stack([layer.forward(x, DROP_PROB, rng)[0] for _ in range(NUM_CALLS)])


def check_values(layer, seed):
    """Every element of the output is 0 or x / (1 - p)."""
    x = draw_input(seed)
    outputs = draw_outputs(layer, x, seed)
    right = (outputs == 0) | np.isclose(outputs, x / (1 - DROP_PROB), rtol=1e-6)
    assert right.all(), "an output is neither 0 nor x / (1 - p)"


def check_mean(layer, seed):
    """The mean of each output over the calls is the input."""
    x = draw_input(seed)
    outputs = draw_outputs(layer, x, seed)
    # The spread as seen, not as it should be: a wrong variance is another check's business.
    standard_error = outputs.std(axis=0) / np.sqrt(NUM_CALLS)
    error = np.abs(outputs.mean(axis=0) - x)
    assert (error <= 5 * standard_error + 1e-12).all(), "the mean output is not the input"


def check_variance(layer, seed):
    """The variance of each output over the calls is x^2 p / (1 - p)."""
    p, q = DROP_PROB, 1 - DROP_PROB
    x = draw_input(seed)
    variance = x**2 * p / q
    # The fourth moment of a two-point variable is variance^2 (1 - 3pq) / (pq).
    standard_error = variance * np.sqrt(((1 - 3 * p * q) / (p * q) - 1) / NUM_CALLS)
    error = np.abs(draw_outputs(layer, x, seed).var(axis=0) - variance)
    assert (error <= 5 * standard_error).all(), "the variance is not x^2 p / (1 - p)"


def check_share(layer, seed):
    """Each element is dropped in the share p of the calls."""
    standard_error = np.sqrt(DROP_PROB * (1 - DROP_PROB) / NUM_CALLS)
    share = (draw_outputs(layer, draw_input(seed), seed) == 0).mean(axis=0)
    assert (np.abs(share - DROP_PROB) <= 5 * standard_error).all(), "the share of zeros is not p"


def check_count(layer, seed):
    """The number of kept elements varies from call to call as a Binomial(n, 1 - p)."""
    p, q = DROP_PROB, 1 - DROP_PROB
    counts = (draw_outputs(layer, draw_input(seed), seed) != 0).sum(axis=(1, 2, 3, 4))
    variance = np.prod(SHAPE) * p * q
    fourth_moment = variance * (1 + (3 * np.prod(SHAPE) - 6) * p * q)
    standard_error = np.sqrt((fourth_moment - variance**2) / NUM_CALLS)
    assert abs(counts.var() - variance) <= 5 * standard_error, "the kept count is not Binomial"


def check_units(layer, seed):
    """Two units of one example are dropped independently."""
    keep = draw_outputs(layer, draw_input(seed), seed) != 0
    _assert_independent(keep[:, 0].reshape(NUM_CALLS, -1), "units of one example share their mask")


def check_examples(layer, seed):
    """The same unit is dropped independently in two examples of the batch."""
    keep = draw_outputs(layer, draw_input(seed), seed) != 0
    _assert_independent(keep[:, :, 0, 0, 0], "examples of a batch share their mask")


def check_fresh(layer, seed):
    """Successive calls draw new masks."""
    keep = draw_outputs(layer, draw_input(seed), seed) != 0
    assert (keep != keep[0]).any(), "every call uses the same mask"


def check_seed(layer, seed):
    """The same rng state gives the same output."""
    x = draw_input(seed)
    first, second = (layer.forward(x, DROP_PROB, np.random.default_rng(seed))[0] for _ in "ab")
    assert np.array_equal(first, second), "the mask does not come from the rng that was passed in"


def check_input(layer, seed):
    """The input is not changed, and the output has its shape and dtype."""
    for dtype in (np.float32, np.float64):
        x = draw_input(seed, dtype)
        output = layer.forward(x, DROP_PROB, np.random.default_rng(seed))[0]
        assert np.array_equal(x, draw_input(seed, dtype)), "the input was changed"
        assert (output.shape, output.dtype) == (x.shape, x.dtype), "shape or dtype is not that of x"


def check_eval(layer, seed):
    """At prediction time the output is the input."""
    x = draw_input(seed)
    assert np.array_equal(layer.evaluate(x, DROP_PROB), x), "the prediction is not the plain input"


def check_mask_in_gradient(layer, seed):
    """Where the output was dropped, the gradient is 0."""
    x = draw_input(seed)
    output, cache = layer.forward(x, DROP_PROB, np.random.default_rng(seed))
    grad = layer.backward(np.ones_like(x), cache)
    assert not grad[output == 0].any(), "a dropped element has a gradient"


def check_gradient(layer, seed):
    """The gradient equals finite differences, with the mask frozen by the seed."""
    x = draw_input(seed)
    grad_output = draw_input(seed + 1)

    def loss(x):
        return (layer.forward(x, DROP_PROB, np.random.default_rng(seed))[0] * grad_output).sum()

    grad = layer.backward(grad_output, layer.forward(x, DROP_PROB, np.random.default_rng(seed))[1])
    numeric = finite_differences(loss, x)
    assert relative_error(grad, numeric) < 1e-6, "the gradient is not the slope of the output"


def check_ends(layer, seed):
    """p = 0 keeps everything and p = 1 gives zeros, forward and backward."""
    x = draw_input(seed)
    for drop_prob, factor in ((0, 1), (1, 0)):
        output, cache = layer.forward(x, drop_prob, np.random.default_rng(seed))
        assert np.array_equal(output, factor * x), f"p = {drop_prob} does not give {factor} times x"
        grad = layer.backward(np.ones_like(x), cache)
        assert np.array_equal(grad, factor * np.ones_like(x)), f"p = {drop_prob}: wrong gradient"


CHECKS = {
    "values": check_values,
    "mean": check_mean,
    "variance": check_variance,
    "share": check_share,
    "count": check_count,
    "units": check_units,
    "examples": check_examples,
    "fresh": check_fresh,
    "seed": check_seed,
    "input": check_input,
    "eval": check_eval,
    "mask in gradient": check_mask_in_gradient,
    "gradient": check_gradient,
    "ends": check_ends,
}


def failed_checks(layer, seed=0):
    """Names of the checks that `layer` fails, in the order of CHECKS; [] for a correct dropout."""
    failed = []
    for name, check in CHECKS.items():
        try:
            with np.errstate(all="ignore"):
                check(layer, seed)
        except AssertionError:
            failed.append(name)
    return failed


def finite_differences(function, x, step=1e-6):
    """The gradient of a scalar `function` at the float64 array x, one element after another.

    Central differences, (f(x + step) - f(x - step)) / (2 step); x is changed and restored.
    """
    grad = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        value = x[index]
        x[index] = value + step
        above = function(x)
        x[index] = value - step
        below = function(x)
        x[index] = value
        grad[index] = (above - below) / (2 * step)
    return grad


def relative_error(a, b):
    """|a - b| / (|a| + |b|) in the Euclidean norm; 0 if both are 0."""
    total = np.linalg.norm(a) + np.linalg.norm(b)
    return float(np.linalg.norm(a - b) / total) if total else 0.0


def own_coins(keep):
    """True if units and neighbouring examples are kept independently, at p = DROP_PROB.

    keep : bool array (examples, units) of one draw, many examples. Four neighbours at a time stand for a
    batch, so a draw of 2,000 examples shows 500 batches; the first twelve units are looked at.
    """
    batches = len(keep) // 4
    try:
        _assert_independent(keep[: 4 * batches, :12].reshape(batches, -1), "")
    except AssertionError:
        return False
    return True


def _assert_independent(keep, message):
    """keep : bool array (calls, units). The units' covariances are 0 within five standard errors."""
    centred = keep - keep.mean(axis=0)
    covariance = centred.T @ centred / len(keep)
    np.fill_diagonal(covariance, 0)
    limit = 5 * DROP_PROB * (1 - DROP_PROB) / np.sqrt(len(keep))
    assert (np.abs(covariance) <= limit).all(), message
