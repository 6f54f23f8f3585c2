"""Answers to chapter 03's exercises: (exercise, answers, the Belief or the clause that the check says)."""

import numpy as np

from utils.exercises import beliefs
from utils.exercises.ch03 import (
    ON_TENSORFLOW,
    SHARED,
    SWITCH,
    P,
    cross_entropy,
    descend,
    keras,
    ops,
    to_numpy,
)

RIGHT_SHAPES = dict(
    zip(
        SHARED,
        [(None, 1, 1, None), (None, None, None, 1), (None, 1, 1, 1), (1, None, None, None)],
        strict=True,
    )
)
PER_CHANNEL, PER_IMAGE = "one coin per channel of each image", "one coin per image"


def other_way_round(situation):
    return ({**SWITCH, situation: not SWITCH[situation]},)


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


def exact_coins(shape, drop_prob, seed):
    order = ops.argsort(ops.argsort(keras.random.uniform(shape, seed=seed), axis=-1), axis=-1)
    return order >= round(drop_prob * shape[-1])


def per_example(shape, p, seed):
    return coins((shape[0], 1), p, seed)


def by_pairs(shape, p, seed):
    """Two neighbouring examples share their coins."""
    return ops.repeat(coins((shape[0] // 2, *shape[1:]), p, seed), 2, axis=0)


OWN = np.random.default_rng(0)


def numpy_coins(shape, p, seed):
    return ops.convert_to_tensor(OWN.random(shape) >= p)


def step(training):
    return lambda net, x, y: descend(net, lambda: cross_entropy(y, net(x, training=training)))


def loss(training):
    return lambda net, x, y: float(to_numpy(cross_entropy(y, net(x, training=training))))


WRONG = [
    ("switch", other_way_round("model(x) in a training loop of your own"), beliefs.OWN_LOOP),
    ("switch", other_way_round("model(x)"), beliefs.PLAIN_CALL),
    ("switch", other_way_round("model(x, training=True) after model.trainable = False"), beliefs.FROZEN),
    ("switch", other_way_round("the validation_data of model.fit"), beliefs.VALIDATION_ON),
    ("switch", other_way_round("model.predict(x)"), "model.predict(x), as a run shows it"),
    ("count", (963, 40, 50), beliefs.REMOVES_03),
    ("count", (1203, 40, 40), beliefs.THINNED),
    ("count", (1203, 10, 50), beliefs.KEEP_03),
    ("count", (1250, 40, 50), "weights and biases"),
    ("count", (1203, 25, 50), "the probability to keep"),
    ("count", (1203, 40, 10), "when dropout is off"),
    ("layer", (make_layer_class(lambda *args: ~coins(*args)),), beliefs.KEEP_03),
    ("layer", (make_layer_class(coins, in_prediction=None),), beliefs.NO_SWITCH),
    ("layer", (make_layer_class(coins, in_prediction=lambda x: x * (1 - P)),), beliefs.TWICE_03),
    ("layer", (make_layer_class(coins, scale=1),), beliefs.NO_RESCALING_03),
    ("layer", (make_layer_class(lambda shape, p, seed: coins((1, *shape[1:]), p, seed)),), beliefs.ONE_MASK),
    ("layer", (make_layer_class(lambda shape, p, seed: coins(shape, p, 1)),), beliefs.FIXED_SEED),
    ("layer", (make_layer_class(exact_coins),), beliefs.EXACT_03),
    ("layer", (make_layer_class(coins, in_prediction=lambda x: x + 1),), "the plain input"),
    ("layer", (make_layer_class(coins, in_prediction=lambda x: x[:, 1:]),), "(2000, 20) in prediction"),
    ("layer", (make_layer_class(lambda shape, *args: coins((3, *shape), *args)),), "(2000, 20) in training"),
    ("layer", (make_layer_class(per_example),), "one coin per unit"),
    ("layer", (make_layer_class(by_pairs),), "a coin of its own for every unit of every example"),
    ("layer", (make_layer_class(lambda shape, p, seed: coins(shape, 0.5, seed)),), "a share 0.3 of zeros"),
    ("layer", (make_layer_class(coins, scale=2),), "ones to become 0 or 1.43"),
    ("layer", (make_layer_class(coins),), "ones to become 1 at p = 0"),
    ("loop", (step(False), loss(False)), beliefs.OWN_LOOP),
    ("loop", (step(True), loss(True)), beliefs.EVERYWHERE),
    ("loop", (loss(True), loss(False)), "moves the weights"),
    ("loop", (lambda *task: [step(True)(*task)], loss(False)), "as a float"),
    ("loop", (step(True), step(False)), "weights that stay"),
    ("loop", (step(True), lambda *task: 2 * loss(False)(*task)), "a held-out loss of"),
    ("shapes", ({**RIGHT_SHAPES, PER_CHANNEL: (1, 1, 1, None)},), beliefs.ONE_MASK),
    ("shapes", ({**RIGHT_SHAPES, PER_CHANNEL: (1, 1, None)},), beliefs.NO_BATCH_AXIS),
    ("shapes", ({**RIGHT_SHAPES, PER_CHANNEL: (1, None, None, 1)},), beliefs.TURNED_ROUND),
    ("shapes", ({**RIGHT_SHAPES, PER_IMAGE: (None, None)},), "with 4 entries"),
    ("shapes", ({**RIGHT_SHAPES, PER_IMAGE: (None, 1, 1, None)},), "for one coin per image"),
    ("stopping", (4, 2, 2), beliefs.BEST_BY_ITSELF),
    ("stopping", (4, 4, 4), beliefs.ALWAYS_LAST),
    ("stopping", (8, 8, 8), beliefs.FORESIGHT),
    ("stopping", (6, 6, 2), beliefs.PREVIOUS_EPOCH),
    ("stopping", (3, 3, 2), "does not beat the best"),
    ("stopping", (4, 3, 2), "as training left them"),
    ("stopping", (4, 4, 1), "the lowest loss so far"),
]
if ON_TENSORFLOW:  # which compiles a layer
    WRONG.append(("layer", (make_layer_class(numpy_coins),), beliefs.GRAPH))
