"""Answers to the cells of a learner's own in chapter 03, as in ch03.py."""

import numpy as np

from utils.exercises import beliefs
from utils.frameworks import load_keras

keras = load_keras()
ops = keras.ops

# --- the switch ---

SWITCHES = [
    ("switch", (lambda net, x: (net(x), net(x)),), beliefs.PLAIN_CALL),
    ("switch", (lambda net, x: (net(x, training=True), net(x, training=True)),), beliefs.EVERYWHERE),
    ("switch", (lambda net, x: (net(x), net(x, training=True)),), "zeros in the first output"),
    ("switch", (lambda net, x: net(x, training=True),), "a pair of outputs"),
    ("switch", (lambda net, x: (np.zeros(x.shape), net(x)),), "zeros in the first output"),
]

# --- the arithmetic ---


def scaled(scale):
    """apply_mask with another scale."""
    return lambda x, keep, p: ops.where(keep, x * scale(p), 0)


def multiplied(x, keep, p):
    scale = 0 if p == 1 else 1 / (1 - p)
    return x * ops.cast(keep, "float32") * scale


ARITHMETIC = [
    ("arithmetic", (scaled(lambda p: 1),), beliefs.NO_RESCALING),
    ("arithmetic", (scaled(lambda p: 1 / p),), beliefs.KEEP_03),
    ("arithmetic", (scaled(lambda p: 2),), "x times 1.43"),
    ("arithmetic", (lambda x, keep, p: ops.where(keep, 0, x / (1 - p)),), beliefs.TURNED_MASK),
    ("arithmetic", (multiplied,), beliefs.NAN_TIMES_ZERO),
    ("arithmetic", (scaled(lambda p: 1 / (1 - p)),), "code that runs"),
    ("arithmetic", (lambda x, keep, p: x if p == 1 else ops.where(keep, x / (1 - p), 0),), "only 0 at"),
    ("arithmetic", (lambda x, keep, p: (x / (1 - p))[keep],), "an output of shape"),
]

# --- what a file must hold ---


def without_seed(layer, base):
    return base | {"drop_prob": layer.drop_prob}


def configured(settings):
    """A class whose get_config returns settings(layer, the base's dict)."""

    class Layer(keras.layers.Layer):
        def __init__(self, drop_prob, seed=None, **kwargs):
            super().__init__(**kwargs)
            self.drop_prob, self.seed = drop_prob, seed

        def get_config(self):
            return settings(self, super().get_config())

    return Layer


CONFIGS = [
    ("config", (configured(lambda layer, base: base),), beliefs.KEPT_BY_KERAS),
    ("config", (configured(without_seed),), beliefs.KEPT_BY_KERAS),
    ("config", (configured(lambda layer, base: {"drop_prob": layer.drop_prob, "seed": layer.seed}),),
     beliefs.OWN_SETTINGS),
    ("config", (configured(lambda layer, base: {**base, "drop_prob": 0.5, "seed": layer.seed}),),
     "drop_prob: 0.3"),
    ("config", (configured(lambda layer, base: (layer.drop_prob, layer.seed)),), "a dict"),
]  # fmt: skip

WRONG = [*SWITCHES, *ARITHMETIC, *CONFIGS]
