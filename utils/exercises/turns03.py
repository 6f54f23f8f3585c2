"""The checks of the cells that a learner writes inside chapter 03."""

import numpy as np

from utils.exercises import beliefs, expect
from utils.exercises.engine import array, written
from utils.frameworks import load_keras

keras = load_keras()
P = 0.3  # not 0.5, where a swap of p and 1 - p cannot be seen


# --- the switch ---


def check_switch(both_ways):
    """A function: (net, x) -> (output with dropout on, output with dropout off)."""
    net = keras.Sequential([keras.Input((400,)), keras.layers.Dropout(P, seed=1)])
    x = np.ones((4, 400), "float32")
    found = expect.parts(both_ways(net, x), 2, "a pair of outputs (dropout on, dropout off)")
    on, off = (expect.shape(output, x.shape, "outputs") for output in found)
    swapped = (on == 1).all() and (off != 1).any()
    got = "the outputs the other way round" if swapped else "the input itself"
    expect.that((on == 0).any(), "zeros in the first output", got, None if swapped else beliefs.PLAIN_CALL)
    expect.share(on == 0, P, "zeros in the first output")
    expect.that((off == 1).all(), "the input itself as second output", "zeros in it", beliefs.EVERYWHERE)


# --- the arithmetic ---


def check_arithmetic(apply_mask):
    """A function: (x, keep, drop_prob) -> tensor: x / (1 - drop_prob) where keep is True, else 0."""
    rng = np.random.default_rng(0)
    x, keep = rng.normal(size=(20, 30)).astype("float32"), rng.random((20, 30)) >= P

    def output(x, keep, drop_prob):
        return array(apply_mask(keras.ops.convert_to_tensor(x), keep, drop_prob))

    found = expect.shape(output(x, keep, P), x.shape, "an output")
    right = (found[~keep] == 0).all()
    expect.that(right, "0 where keep is False", "other values there", beliefs.TURNED_MASK)
    ratio = np.mean(found[keep] / x[keep])
    rule = f"x times {1 / (1 - P):.2f} where keep is True"
    bare = {beliefs.NO_RESCALING: 1, beliefs.KEEP_03: 1 / P}
    why = expect.diagnose(ratio, bare)
    close = np.allclose(found[keep], x[keep] / (1 - P), rtol=1e-5)
    expect.that(close, rule, f"x times {ratio:.2f}", why)
    nan = np.where(keep, x, np.float32(np.nan))
    clean = (output(nan, keep, P)[~keep] == 0).all()
    expect.that(clean, "0 also where a NaN is dropped", "a NaN there", beliefs.NAN_TIMES_ZERO)
    zeros = output(x, np.zeros_like(keep), 1.0)
    expect.that((zeros == 0).all(), "only 0 at drop_prob 1", f"values such as {zeros.flat[0]}")


# --- what a file must hold ---


def check_config(make_layer):
    """A class of layers: (drop_prob, seed, name) -> layer whose get_config builds it again."""
    layer = make_layer(P, seed=11, name="mine")
    config = written(layer.get_config())
    expect.that(isinstance(config, dict), "a dict", f"{type(config).__name__}")
    for key, right in {"drop_prob": P, "seed": 11}.items():
        why = None if key in config else beliefs.KEPT_BY_KERAS
        expect.that(config.get(key) == right, f"{key}: {right} in the dict", f"{config.get(key)}", why)
    got = f"a layer called {config.get('name')}"
    expect.that(config.get("name") == "mine", 'a layer called "mine"', got, beliefs.OWN_SETTINGS)
    copy = type(layer).from_config(config)
    same = copy.get_config() == layer.get_config()
    expect.that(same, "a layer built from the dict with the same dict", "another one")


HINTS = {
    "switch": "A Keras net takes the switch as an argument of the call: net(x, training=...).",
    "arithmetic": "ops.where(keep, a, b) takes from a where keep is True and from b elsewhere. At drop_prob "
    "1 use a scale of 0 in place of 1 / (1 - drop_prob).",
    "config": "super().get_config() is a dict. Build a larger one from it: {**super().get_config(), ...}.",
}
