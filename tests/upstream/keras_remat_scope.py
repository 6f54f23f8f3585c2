"""keras.RematScope: is a dropout layer's mask the same on the way back?

    KERAS_BACKEND=tensorflow python keras_remat_scope.py
    KERAS_BACKEND=torch python keras_remat_scope.py

Ones go through the layer. A unit with an output other than 0 must have a gradient other than 0, and the
reverse. With two masks, the seed generator's counter has moved by two where one call was made.
"""

import sys

import keras
import numpy as np


def through(layer, ones):
    """(output, gradient of its sum) as NumPy arrays, training=True."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        h = tf.constant(ones)
        with tf.GradientTape() as tape:
            tape.watch(h)
            out = layer(h, training=True)
        return out.numpy(), tape.gradient(out, h).numpy()
    import torch

    h = torch.tensor(ones, requires_grad=True)
    out = layer(h, training=True)
    out.sum().backward()
    return out.detach().numpy(), h.grad.numpy()


def main():
    with keras.RematScope(mode="full"):
        layer = keras.layers.Dropout(0.5, seed=0)
    out, slope = through(layer, np.ones(2_000, "float32"))
    alive, graded = out != 0, slope != 0
    both = int((alive & graded).sum())
    print(f"alive {int(alive.sum())}, with a gradient {int(graded.sum())}, both {both}")
    print("the seed generator's state:", keras.ops.convert_to_numpy(layer.seed_generator.state))
    fixed = bool((alive == graded).all())
    where = f"of keras on {keras.backend.backend()}"
    print(f"{'fixed' if fixed else 'red: two masks'} in version {keras.__version__} {where}")
    return 0 if fixed else 1


if __name__ == "__main__":
    sys.exit(main())
