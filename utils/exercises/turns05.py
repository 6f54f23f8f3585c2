"""The checks of the cells that a learner writes inside chapter 05."""

import numpy as np

from utils.exercises import beliefs, expect
from utils.exercises.engine import array, is_close
from utils.frameworks import load_mxnet

P = 0.3  # not 0.5, where a swap of p and 1 - p cannot be seen


# --- dropout ---


def check_dropout(dropout):
    """A function: (x, drop_prob) -> x times the factor, on MXNet arrays."""
    mx = load_mxnet()
    mx.random.seed(0)
    factor = expect.shape(dropout(mx.nd.ones((400, 25)), P), (400, 25), "an array")
    expect.own_masks(factor, beliefs.ONE_MASK_05)
    expect.share(factor != 0, 1 - P, "units that are kept", beliefs.KEEP_05)
    expect.rescaled(factor, P, beliefs.NO_RESCALING_05)
    for drop_prob in (0, 1):
        found = array(dropout(mx.nd.ones((50, 4)), drop_prob))
        rule = f"only {1 - drop_prob} at p = {drop_prob}, for an input of ones"
        expect.that((found == 1 - drop_prob).all(), rule, f"values such as {found[0, 0]}")
    x, ones = mx.nd.array(np.linspace(0.5, 2, 500).reshape(20, 25)), mx.nd.ones((20, 25))
    output, factor = (array(_seeded(dropout, value)) for value in (x, ones))
    expect.that(is_close(output, array(x) * factor, 1e-5), "the input times the factor", "something else")
    same = np.array_equal(*(array(dropout(ones, P)) for _ in "ab"))
    expect.that(not same, "a new mask at every call", "the same mask twice")


def _seeded(dropout, x):
    load_mxnet().random.seed(3)
    return dropout(x, P)


# --- the switch ---


def check_switch(dropout_if_training):
    """A function: (x, drop_prob) -> dropout in training mode, x itself in prediction."""
    mx = load_mxnet()
    autograd, x = mx.autograd, mx.nd.ones((50, 20))
    found = array(dropout_if_training(x, P))
    why = beliefs.BY_ITSELF if (found == 0).any() else None
    expect.that((found == 1).all(), "the input itself in prediction", "another output", why)
    with autograd.record(train_mode=False):
        found = array(dropout_if_training(x, P))
    rule = "the input itself in record(train_mode=False)"
    expect.that((found == 1).all(), rule, "dropped units", beliefs.RECORDING)
    for name, inside in (("record()", autograd.record()), ("train_mode()", autograd.train_mode())):
        with inside:
            found = array(dropout_if_training(x, P))
        why = beliefs.NEEDS_RECORD if name == "train_mode()" else None
        expect.that((found == 0).any(), f"dropped units in {name}", "none", why)
        expect.rescaled(found, P)


# --- the training step ---


def check_step(train_step):
    """A function: (forward, step, x, y, divide_by) -> (losses, logits); one step, with dropout on."""
    mx = load_mxnet()
    net, x, y = mx.gluon.nn.Dense(3, in_units=4), mx.nd.ones((6, 4)), mx.nd.zeros(6)
    net.initialize(mx.init.Zero())
    modes, taken = [], []

    def forward(values):
        modes.append((mx.autograd.is_recording(), mx.autograd.is_training()))
        return net(values)

    def step(divide_by):
        taken.append((divide_by, net.bias.grad().asnumpy().copy()))

    # With zeros as weights and class 0 everywhere, the summed gradient of the biases is (-4, 2, 2).
    losses, logits = expect.parts(train_step(forward, step, x, y, 8), 2, "a pair (losses, logits)")
    expect.shape(losses, (6,), "losses, one for each example, as an array")
    expect.shape(logits, (6, 3), "logits, an array")
    expect.that(is_close(array(losses), np.full(6, np.log(3)), 1e-4), "losses of ln 3 here", "other losses")
    expect.that(modes == [(True, True)], "one forward pass in record(), in training mode",
                f"{len(modes)} with (recording, training) = {modes[0]}", beliefs.RECORDING)  # fmt: skip
    rule = "one call of step(divide_by), after backward()"
    expect.that([size for size, _ in taken] == [8], rule, f"step with {[size for size, _ in taken]}")
    ratio = float(taken[0][1][0]) / -4
    expect.that(is_close(ratio, 1, 1e-3), "the gradient of the sum of the losses before the step",
                f"{ratio:.2g} times that",
                expect.diagnose(ratio, {beliefs.DIVIDED_TWICE: 1 / 6}, 1e-3))  # fmt: skip


HINTS = {
    "dropout": "nd.random.uniform(shape=x.shape) < 1 - drop_prob is 1 where a unit is kept. What must a kept "
    "unit be divided by?",
    "switch": "autograd.is_training() is the switch that dropout obeys, not autograd.is_recording().",
    "step": "Four lines: `with autograd.record():` around the logits and cross_entropy(logits, y); then "
    "losses.backward(); then step(divide_by); then return losses, logits.",
}
