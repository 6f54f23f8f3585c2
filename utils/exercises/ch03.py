"""The checks of chapter 03's exercises."""

import numpy as np

from utils.conformance import own_coins
from utils.exercises import beliefs, expect
from utils.exercises.engine import array, plain, written
from utils.frameworks import load_keras

keras = load_keras()
ops = keras.ops
to_numpy = ops.convert_to_numpy
ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
if ON_TENSORFLOW:
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")  # no notice each time a function is compiled
else:
    import torch

P = 0.3


# --- 1. switch ---

SWITCH = {
    "model(x)": False,
    "model.predict(x)": False,
    "the training batches of model.fit": True,
    "the validation_data of model.fit": False,
    "model(x) in a training loop of your own": False,
    "model(x, training=True) after model.trainable = False": True,
}


def check_switch(drops):
    """A dict: situation -> True if dropout may set a unit to zero."""
    whys = {
        "model(x)": beliefs.PLAIN_CALL,
        "the validation_data of model.fit": beliefs.VALIDATION_ON,
        "model(x) in a training loop of your own": beliefs.OWN_LOOP,
        "model(x, training=True) after model.trainable = False": beliefs.FROZEN,
    }
    expect.truths(drops, SWITCH, whys)


# --- 2. count ---


def check_count(parameters, units_in_training, units_in_prediction):
    """Numbers: of a net 20 -> 50 -> Dropout(0.2) -> 3."""
    rule = "weights and biases of both dense layers, and nothing for dropout"
    known = {beliefs.REMOVES_03: 20 * 40 + 40 + 40 * 3 + 3}
    expect.close(parameters, 20 * 50 + 50 + 50 * 3 + 3, rule, known, "{} parameters")
    rule = "50 times the probability to keep a unit"
    expect.close(units_in_training, 50 * 0.8, rule, {beliefs.KEEP_03: 50 * 0.2}, "{} in training")
    rule = "the units that take part when dropout is off"
    expect.close(units_in_prediction, 50, rule, {beliefs.THINNED: 50 * 0.8}, "{} in prediction")


# --- 3. layer ---


def compiled(function):
    """The function as fit would run it: compiled on TensorFlow, as it is on PyTorch."""
    return tf.function(function) if ON_TENSORFLOW else function


def check_layer(make_layer):
    """A class of layers: make_layer(drop_prob, seed=...) -> layer with call(x, training)."""
    x = np.ones((2000, 20), dtype="float32")
    layer = make_layer(P, seed=1)
    written(layer.call(ops.convert_to_tensor(x), training=False))
    _expect_plain(array(layer(x)), x)
    _expect_mask(array(layer(x, training=True)), x)
    step = compiled(lambda: layer(x, training=True))
    for run, why in ((lambda: layer(x, training=True), beliefs.FIXED_SEED), (step, beliefs.GRAPH)):
        same = (array(run()) == array(run())).all()
        expect.that(not same, "another mask in every training step", "the same mask in two steps", why)
    for drop_prob, right in ((0, x), (1, 0 * x)):
        output = array(make_layer(drop_prob, seed=1)(x, training=True))
        rule = f"ones to become {right[0, 0]:.0f} at p = {drop_prob}"
        expect.that(np.array_equal(output, right), rule, f"{output.flat[0]}")


def _expect_plain(output, x):
    rule = f"an output of the input's shape {x.shape} in prediction"
    expect.that(output.shape == x.shape, rule, f"{output.shape}")
    twice = beliefs.TWICE_03 if np.allclose(output, x * (1 - P)) else None
    why = beliefs.NO_SWITCH if (output == 0).any() else twice
    got = f"ones became {np.unique(output.round(2))}"
    expect.that((output == x).all(), "the plain input in prediction", got, why)


def _expect_mask(output, x):
    rule = f"an output of the input's shape {x.shape} in training"
    expect.that(output.shape == x.shape, rule, f"{output.shape}")
    dropped = output == 0
    expect.own_masks(dropped, beliefs.ONE_MASK)
    expect.that((dropped != dropped[:, :1]).any(), "one coin per unit", "one coin per example")
    expect.share(dropped, P, "zeros in training", beliefs.KEEP_03)
    varies = len(set(dropped.sum(axis=1))) > 1
    rule = "a count of zeros that varies between examples"
    expect.that(varies, rule, "always the same count", beliefs.EXACT_03)
    expect.rescaled(output, P, beliefs.NO_RESCALING_03)
    rule = "a coin of its own for every unit of every example"
    expect.that(own_coins(~dropped), rule, "coins that fall together")


# --- 4. loop ---

cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def make_task():
    """(x, y): 200 examples of 20 numbers and their class, 0, 1 or 2."""
    x = np.random.default_rng(0).normal(size=(200, 20)).astype("float32")
    return x, (x[:, 0] > 0).astype(np.intp) + (x[:, 1] > 0)


def make_net(drop_prob):
    """A net 20 -> 50 -> dropout -> 3 logits with an optimizer; the same first weights every time."""
    keras.utils.set_random_seed(0)
    net = keras.Sequential(
        [
            keras.Input((20,)),
            keras.layers.Dense(50, activation="relu"),
            keras.layers.Dropout(drop_prob, seed=1),
            keras.layers.Dense(3),
        ]
    )
    net.compile(optimizer=keras.optimizers.SGD(0.1))
    return net


def descend(net, compute_loss):
    """One step of the net's optimizer down the loss that compute_loss() returns. Returns the loss."""
    weights = net.trainable_weights
    if ON_TENSORFLOW:
        with tf.GradientTape() as tape:
            loss = compute_loss()
        net.optimizer.apply(tape.gradient(loss, weights), weights)
    else:
        net.zero_grad()
        loss = compute_loss()
        loss.backward()
        with torch.no_grad():
            net.optimizer.apply([weight.value.grad for weight in weights], weights)
    return float(to_numpy(loss))


class Witness(keras.Model):
    """A net that writes down, call by call, whether training was true."""

    def __init__(self, net, log):
        super().__init__()
        self.net, self.note = net, log.append

    def call(self, x, training=False):
        self.note(bool(training))
        return self.net(x, training=training)


def check_loop(train_step, held_out_loss):
    """Two functions (net, x, y) -> loss: a training step, and the loss on held-out data."""
    x, y = make_task()
    log = []
    net = Witness(make_net(P), log)
    net(x)  # builds it
    net.compile(optimizer=keras.optimizers.SGD(0.1))

    def watched(function):
        """What the function returns, and whether it moved the weights."""
        before = net.get_weights()
        log.clear()
        loss = function(net, x, y)
        moved = any(not np.array_equal(old, new) for old, new in zip(before, net.get_weights(), strict=True))
        return loss, moved

    loss, moved = watched(train_step)
    expect.that(moved, "a step that moves the weights", "weights that stayed where they were")
    rule = "a training step in which dropout drops"
    expect.that(True in log, rule, "a step without any dropout", beliefs.OWN_LOOP)
    expect.number(loss, "the loss of the step as a float")
    loss, moved = watched(held_out_loss)
    got = "a held-out loss with dropout on"
    expect.that(True not in log, "a held-out loss without dropout", got, beliefs.EVERYWHERE)
    expect.that(not moved, "weights that stay while you look at held-out data", "weights that moved")
    right = float(to_numpy(cross_entropy(y, net(x))))
    expect.close(loss, right, f"a held-out loss of {right:.3f}", got="{:.3f}", tolerance=1e-4)


# --- 5. shapes ---

BATCH = (64, 6, 6, 10)
# Which axes share their coins: batch, rows, columns, channels.
SHARED = {
    "one coin per channel of each image": (False, True, True, False),
    "one coin per pixel of each image, for all its channels": (False, False, False, True),
    "one coin per image": (False, True, True, True),
    "one mask for the whole batch": (True, False, False, False),
}


def shared_axes(noise_shape):
    """For each axis, whether a Dropout layer with this noise_shape shares its coins along it."""
    layer = keras.layers.Dropout(P, noise_shape=noise_shape, seed=1)
    output = to_numpy(layer(np.ones(BATCH, dtype="float32"), training=True))
    return tuple(bool((output == output.take([0], axis)).all()) for axis in range(len(BATCH)))


def check_shapes(noise_shapes):
    """A dict: wish -> noise_shape for a batch of 64 images of 6 x 6 pixels with 10 channels."""
    for wish, right in SHARED.items():
        noise_shape = plain(tuple(written(noise_shapes.get(wish))))
        rule = f"a noise_shape for {wish}"
        why = beliefs.NO_BATCH_AXIS if len(noise_shape) == len(BATCH) - 1 else None
        fits = len(noise_shape) == len(BATCH)
        expect.that(fits, f"{rule}, with {len(BATCH)} entries", f"{len(noise_shape)} entries", why)
        found = shared_axes(noise_shape)
        turned = found == tuple(not shared for shared in right)
        why = beliefs.ONE_MASK if found == (True, *right[1:]) else None
        names = [
            name for name, yes in zip(("batch", "rows", "columns", "channels"), found, strict=True) if yes
        ]
        got = f"coins shared along {', '.join(names) or 'no axis'}"
        expect.that(found == right, rule, got, beliefs.TURNED_ROUND if turned else why)


# --- 6. stopping ---

LOSSES = (0.50, 0.40, 0.45, 0.43, 0.44, 0.46, 0.38, 0.37)


def check_stopping(epochs_trained, weights_by_default, weights_restored):
    """Epoch numbers, from 1: what EarlyStopping(patience=2) does with LOSSES."""
    rule = "the second epoch in a row that does not beat the best so far"
    known = {beliefs.FORESIGHT: 8, beliefs.PREVIOUS_EPOCH: 6}
    expect.close(epochs_trained, 4, rule, known, "a stop after epoch {}")
    rule = "the weights as training left them"
    expect.close(weights_by_default, 4, rule, {beliefs.BEST_BY_ITSELF: 2}, "those of epoch {}")
    rule = "the weights of the lowest loss so far"
    expect.close(weights_restored, 2, rule, {beliefs.ALWAYS_LAST: 4}, "those of epoch {}")


HINTS = {
    "switch": "Put Dropout(0.5) into a model, hand it ones and look for zeros. For fit, use a model that "
    "copies its input, as in section 2 of the chapter: its loss is 0 only if nothing was dropped.",
    "count": "Dense(n) on m inputs has m * n weights and n biases. What could dropout have to learn?",
    "layer": "Return x unless training. Draw u = keras.random.uniform(ops.shape(x), "
    "seed=self.seed_generator), keep where u >= p, and use ops.where; take the scale as 0 where p is 1.",
    "loop": "Where does the training step call the net? One argument is missing there, and only there.",
    "shapes": "Write down the batch's shape (64, 6, 6, 10). Put a 1 where all places along the axis share a "
    "coin.",
    "stopping": "Write the best loss so far beside each epoch, and count the epochs since it changed.",
}
