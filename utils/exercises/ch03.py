"""The checks of chapter 03's exercises, and the wrong answers that they know by name."""

import math

import numpy as np

from utils.conformance import own_coins
from utils.frameworks import load_keras
from utils.selfcheck import Exercise, Misconception, Problem, check_truths, is_close, written

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

OWN_LOOP = (
    "Nobody sets training=True in a loop of your own: fit would, a plain model(x) does not. Gradients flow, "
    "the loss falls, and dropout never drops. Pass training=True in the step yourself."
)
PLAIN_CALL = (
    "A Keras model that is called by hand is in inference mode. There is no mode to forget in the model, as "
    "in PyTorch: each call says training=True, or it means False."
)
FROZEN = (
    "trainable = False stops the weights from learning. Dropout has no weights, so it goes on dropping "
    "wherever the call says training=True; only batch normalisation takes the hint."
)
VALIDATION_ON = (
    "fit sets training=True for its training batches alone. For validation_data it does what evaluate does: "
    "dropout off. So the two losses that it prints are not measured alike."
)
REMOVES = (
    "Dropout removes no unit and no weight. It sets some outputs to 0 for one step; all the weights stay, "
    "are stored, and are counted."
)
THINNED = (
    "Prediction does not use a thinned net. Dropout is off there and every unit takes part; that is why the "
    "kept ones were scaled up in training."
)
KEEP = "Keras's rate is the probability to DROP a unit; 1-p is kept on average."
NO_SWITCH = (
    "Keras calls your layer in prediction as well, and drops nothing on its own account. Your call receives "
    "the argument training and must return x when it is not true."
)
TWICE = (
    "That scales twice: training has already divided by 1-p, so in prediction the layer returns the plain "
    "input."
)
NEVER = (
    "The survivors were not rescaled, so the output is (1-p) times too small on average, and the next layer "
    "sees larger inputs in prediction than it ever saw in training."
)
ONE_MASK = (
    "All examples of the batch share one mask. Each example must draw its own, or the batch no longer "
    "averages over many thinned networks."
)
FIXED_SEED = (
    "keras.random with an integer seed gives the same numbers at every call, so the same units would be "
    "dropped for ever. Hand it a SeedGenerator: that is a counter, and every call moves it on."
)
EXACT = (
    "Each unit throws its own coin, so the number kept differs from example to example. Nothing fixes it at "
    "n (1-p)."
)
GRAPH = (
    "fit compiles your layer. NumPy draws once, while the layer is being compiled, and that one mask is then "
    "used in every step. Only keras.random draws anew each time."
)
EVERYWHERE = (
    "With training=True the held-out loss is that of a thinned net: too high, and another number at every "
    "call. The switch belongs to the training step alone."
)
NO_BATCH_AXIS = (
    "keras.Input leaves the batch out, noise_shape does not: it has one entry for every axis of what the "
    "layer receives, and the first is the batch."
)
TURNED_ROUND = (
    "It is the other way round: noise_shape is the shape of the mask. Where it says 1 there is one coin for "
    "the whole axis; None means a coin for each place along it."
)
BEST_BY_ITSELF = (
    "By itself the callback only stops. The net then holds the weights of the last epoch, which are patience "
    "epochs past the best; restore_best_weights=True brings the best ones back."
)
ALWAYS_LAST = (
    "With restore_best_weights=True the callback keeps a copy of the weights at every new best epoch, and "
    "puts that copy back at the end."
)
FORESIGHT = (
    "The callback cannot see epochs that were never trained. It stops when its patience is used up, and a "
    "better epoch after that is lost; a larger patience would have found it."
)
PREVIOUS_EPOCH = (
    "Each epoch is compared with the best so far, not with the one before. A small recovery that is no new "
    "best does not start the count again."
)


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
        "model(x)": PLAIN_CALL,
        "the validation_data of model.fit": VALIDATION_ON,
        "model(x) in a training loop of your own": OWN_LOOP,
        "model(x, training=True) after model.trainable = False": FROZEN,
    }
    return check_truths(drops, SWITCH, whys)


# --- 2. count ---


def check_count(parameters, units_in_training, units_in_prediction):
    """Numbers: of a net 20 -> 50 -> Dropout(0.2) -> 3."""
    rule = "weights and biases of both dense layers, and nothing for dropout"
    if parameters != 20 * 50 + 50 + 50 * 3 + 3:
        why = REMOVES if parameters == 20 * 40 + 40 + 40 * 3 + 3 else ""
        return Problem(rule, f"{parameters} parameters", why)
    if not is_close(units_in_training, 50 * 0.8):
        why = KEEP if is_close(units_in_training, 50 * 0.2) else ""
        return Problem("50 times the probability to keep a unit", f"{units_in_training} in training", why)
    if not is_close(units_in_prediction, 50):
        why = THINNED if is_close(units_in_prediction, 50 * 0.8) else ""
        return Problem(
            "the units that take part when dropout is off", f"{units_in_prediction} in prediction", why
        )
    return None


# --- 3. layer ---


def compiled(function):
    """The function as fit would run it: compiled on TensorFlow, as it is on PyTorch."""
    return tf.function(function) if ON_TENSORFLOW else function


def check_layer(make_layer):
    """A class of layers: make_layer(drop_prob, seed=...) -> layer with call(x, training)."""
    x = np.ones((2000, 20), dtype="float32")
    layer = make_layer(P, seed=1)
    written(layer.call(ops.convert_to_tensor(x), training=False))
    return (
        _check_prediction(to_numpy(layer(x)), x)
        or _check_mask(to_numpy(layer(x, training=True)), x)
        or _check_fresh(layer, x)
        or _check_ends(make_layer, x)
    )


def _check_prediction(output, x):
    if output.shape != x.shape:
        return Problem(f"an output of the input's shape {x.shape} in prediction", f"{output.shape}")
    if (output == x).all():
        return None
    why = NO_SWITCH if (output == 0).any() else TWICE if np.allclose(output, x * (1 - P)) else ""
    return Problem("the plain input in prediction", f"ones became {np.unique(output.round(2))}", why)


def _check_mask(output, x):
    if output.shape != x.shape:
        return Problem(f"an output of the input's shape {x.shape} in training", f"{output.shape}")
    dropped = output == 0
    if (dropped == dropped[0]).all():
        return Problem("another mask for every example", f"{len(x)} examples with the same mask", ONE_MASK)
    if (dropped == dropped[:, :1]).all():
        return Problem("one coin per unit", "one coin per example")
    share, tolerance = dropped.mean(), 5 * math.sqrt(P * (1 - P) / x.size)
    if abs(share - P) > tolerance:
        why = KEEP if abs(share - (1 - P)) <= tolerance else ""
        return Problem(f"a share {P} of zeros in training, within {tolerance:.3f}", f"{share:.3f}", why)
    if len(set(dropped.sum(axis=1))) == 1:
        return Problem("a count of zeros that varies between examples", "always the same count", EXACT)
    kept = output[~dropped]
    if not np.allclose(kept, 1 / (1 - P), rtol=1e-5):
        why = NEVER if np.allclose(kept, 1) else ""
        return Problem(f"ones to become 0 or {1 / (1 - P):.2f}", f"{kept.min():.2f} and up", why)
    if not own_coins(~dropped):
        return Problem("a coin of its own for every unit of every example", "coins that fall together")
    return None


def _check_fresh(layer, x):
    step = compiled(lambda: layer(x, training=True))
    for run, why in ((lambda: layer(x, training=True), FIXED_SEED), (step, GRAPH)):
        first, second = to_numpy(run()), to_numpy(run())
        if (first == second).all():
            return Problem("another mask in every training step", "the same mask in two steps", why)
    return None


def _check_ends(make_layer, x):
    for drop_prob, expected in ((0, x), (1, 0 * x)):
        output = to_numpy(make_layer(drop_prob, seed=1)(x, training=True))
        if not np.array_equal(output, expected):
            return Problem(f"ones to become {expected[0, 0]:.0f} at p = {drop_prob}", f"{output[0, 0]}")
    return None


# --- 4. loop ---

cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def make_task():
    """(x, y): 200 examples of 20 numbers and their class, 0, 1 or 2."""
    x = np.random.default_rng(0).normal(size=(200, 20)).astype("float32")
    return x, (x[:, 0] > 0).astype(int) + (x[:, 1] > 0)


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
    before = net.get_weights()
    log.clear()
    loss = written(train_step(net, x, y))
    if all(np.array_equal(old, new) for old, new in zip(before, net.get_weights(), strict=True)):
        return Problem("a step that moves the weights", "weights that stayed where they were")
    if True not in log:
        return Problem("a training step in which dropout drops", "a step without any dropout", OWN_LOOP)
    if not isinstance(loss, float):
        return Problem("the loss of the step as a float", type(loss).__name__)
    before = net.get_weights()
    log.clear()
    loss = float(written(held_out_loss(net, x, y)))
    if any(log):
        return Problem("a held-out loss without dropout", "a held-out loss with dropout on", EVERYWHERE)
    if any(not np.array_equal(old, new) for old, new in zip(before, net.get_weights(), strict=True)):
        return Problem("weights that stay while you look at held-out data", "weights that moved")
    expected = float(to_numpy(cross_entropy(y, net(x))))
    if not is_close(loss, expected, 1e-4):
        return Problem(f"a held-out loss of {expected:.3f}", f"{loss:.3f}")
    return None


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
    for wish, expected in SHARED.items():
        noise_shape = tuple(written(noise_shapes.get(wish)))
        rule = f"a noise_shape for {wish}"
        if len(noise_shape) != len(BATCH):
            why = NO_BATCH_AXIS if len(noise_shape) == len(BATCH) - 1 else ""
            return Problem(f"{rule}, with {len(BATCH)} entries", f"{len(noise_shape)} entries", why)
        found = shared_axes(noise_shape)
        if found != expected:
            why = ""
            if found == tuple(not shared for shared in expected):
                why = TURNED_ROUND
            elif found == (True, *expected[1:]):
                why = ONE_MASK
            return Problem(rule, f"coins shared along {_name_axes(found)}", why)
    return None


def _name_axes(shared):
    names = ("batch", "rows", "columns", "channels")
    return ", ".join(name for name, yes in zip(names, shared, strict=True) if yes) or "no axis"


# --- 6. stopping ---

LOSSES = (0.50, 0.40, 0.45, 0.43, 0.44, 0.46, 0.38, 0.37)


def check_stopping(epochs_trained, weights_by_default, weights_restored):
    """Epoch numbers, from 1: what EarlyStopping(patience=2) does with LOSSES."""
    if epochs_trained != 4:
        whys = {8: FORESIGHT, 6: PREVIOUS_EPOCH}
        return Problem(
            "the second epoch in a row that does not beat the best so far",
            f"a stop after epoch {epochs_trained}",
            whys.get(epochs_trained, ""),
        )
    if weights_by_default != 4:
        why = BEST_BY_ITSELF if weights_by_default == 2 else ""
        return Problem("the weights as training left them", f"those of epoch {weights_by_default}", why)
    if weights_restored != 2:
        why = ALWAYS_LAST if weights_restored == 4 else ""
        return Problem("the weights of the lowest loss so far", f"those of epoch {weights_restored}", why)
    return None


EXERCISES = {
    "switch": Exercise(
        check_switch,
        "Put Dropout(0.5) into a model, hand it ones and look for zeros. For fit, use a model that copies "
        "its input, as in section 2 of the chapter: its loss is 0 only if nothing was dropped.",
    ),
    "count": Exercise(
        check_count, "Dense(n) on m inputs has m * n weights and n biases. What could dropout have to learn?"
    ),
    "layer": Exercise(
        check_layer,
        "Return x unless training. Draw u = keras.random.uniform(ops.shape(x), seed=self.seed_generator), "
        "keep where u >= p, and use ops.where; take the scale as 0 where p is 1.",
    ),
    "loop": Exercise(
        check_loop,
        "Where does the training step call the net? One argument is missing there, and only there.",
    ),
    "shapes": Exercise(
        check_shapes,
        "Write down the batch's shape (64, 6, 6, 10). Put a 1 where all places along the axis share a coin.",
    ),
    "stopping": Exercise(
        check_stopping, "Write the best loss so far beside each epoch, and count the epochs since it changed."
    ),
}


# --- wrong answers, each built on one wrong idea ---


def _believe(situation):
    return lambda: ({**SWITCH, situation: not SWITCH[situation]},)


def make_layer_class(mask, scale=1 / (1 - P), in_prediction=lambda x: x):
    """A class of layers whose mask is mask(shape, p, seed generator)."""

    class Layer(keras.layers.Layer):
        def __init__(self, drop_prob, seed=None):
            super().__init__()
            self.drop_prob, self.seed_generator = drop_prob, keras.random.SeedGenerator(seed)

        def call(self, x, training=False):
            if not training and in_prediction is not None:
                return in_prediction(x)
            keep = mask(x.shape, self.drop_prob, self.seed_generator)
            return ops.where(keep, x * scale, 0)

    return Layer


def coins(shape, drop_prob, seed):
    return keras.random.uniform(shape, seed=seed) >= drop_prob


def _exact_coins(shape, drop_prob, seed):
    order = ops.argsort(ops.argsort(keras.random.uniform(shape, seed=seed), axis=-1), axis=-1)
    return order >= round(drop_prob * shape[-1])


def _step(training):
    return lambda net, x, y: descend(net, lambda: cross_entropy(y, net(x, training=training)))


def _loss(training):
    return lambda net, x, y: float(to_numpy(cross_entropy(y, net(x, training=training))))


def _shapes(noise_shape):
    return lambda: ({"one coin per channel of each image": noise_shape},)


MISCONCEPTIONS = [
    Misconception(
        "a model call in a custom loop drops by itself",
        "switch",
        _believe("model(x) in a training loop of your own"),
        OWN_LOOP,
    ),
    Misconception(
        "a model call in a custom loop drops by itself",
        "loop",
        lambda: (_step(False), _loss(False)),
        OWN_LOOP,
    ),
    Misconception("a Keras model drops until it is told not to", "switch", _believe("model(x)"), PLAIN_CALL),
    Misconception(
        "trainable = False switches dropout off",
        "switch",
        _believe("model(x, training=True) after model.trainable = False"),
        FROZEN,
    ),
    Misconception(
        "fit leaves dropout on for its validation data",
        "switch",
        _believe("the validation_data of model.fit"),
        VALIDATION_ON,
    ),
    Misconception("dropout removes units or weights", "count", lambda: (963, 40, 50), REMOVES),
    Misconception("prediction uses the thinned net", "count", lambda: (1203, 40, 40), THINNED),
    Misconception("p is the keep probability", "count", lambda: (1203, 10, 50), KEEP),
    Misconception(
        "p is the keep probability",
        "layer",
        lambda: (make_layer_class(lambda *args: ~coins(*args)),),
        KEEP,
    ),
    Misconception(
        "Keras skips a dropout layer in prediction",
        "layer",
        lambda: (make_layer_class(coins, in_prediction=None),),
        NO_SWITCH,
    ),
    Misconception(
        "prediction must still multiply by 1-p",
        "layer",
        lambda: (make_layer_class(coins, in_prediction=lambda x: x * (1 - P)),),
        TWICE,
    ),
    Misconception(
        "the survivors need no rescaling", "layer", lambda: (make_layer_class(coins, scale=1),), NEVER
    ),
    Misconception(
        "one mask serves the whole batch",
        "layer",
        lambda: (make_layer_class(lambda shape, p, seed: coins((1, *shape[1:]), p, seed)),),
        ONE_MASK,
    ),
    Misconception("one mask serves the whole batch", "shapes", _shapes((1, 1, 1, None)), ONE_MASK),
    Misconception(
        "an integer seed gives new numbers at every call of keras.random",
        "layer",
        lambda: (make_layer_class(lambda shape, p, seed: coins(shape, p, 1)),),
        FIXED_SEED,
    ),
    Misconception(
        "dropout drops an exact fraction", "layer", lambda: (make_layer_class(_exact_coins),), EXACT
    ),
    Misconception(
        "training=True belongs into every call", "loop", lambda: (_step(True), _loss(True)), EVERYWHERE
    ),
    Misconception("noise_shape leaves out the batch axis", "shapes", _shapes((1, 1, None)), NO_BATCH_AXIS),
    Misconception(
        "a 1 in noise_shape gives that axis coins of its own",
        "shapes",
        _shapes((1, None, None, 1)),
        TURNED_ROUND,
    ),
    Misconception(
        "early stopping leaves the best weights by itself", "stopping", lambda: (4, 2, 2), BEST_BY_ITSELF
    ),
    Misconception("the last epoch's weights remain in any case", "stopping", lambda: (4, 4, 4), ALWAYS_LAST),
    Misconception("early stopping finds the best epoch of all", "stopping", lambda: (8, 8, 8), FORESIGHT),
    Misconception(
        "patience compares an epoch with the one before", "stopping", lambda: (6, 6, 2), PREVIOUS_EPOCH
    ),
]
