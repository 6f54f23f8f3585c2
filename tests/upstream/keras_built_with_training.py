"""keras.Model: does a dropout layer that was built with training=True drop in `predict`, too?

    KERAS_BACKEND=tensorflow python keras_built_with_training.py
    KERAS_BACKEND=torch python keras_built_with_training.py

Ones go through the layer. It drops about half of them where the net is called; `predict` and a call with
training=False override the mode that the layer was built with, and drop nothing.
"""

import sys

import keras
import numpy as np


def main():
    inputs = keras.Input((2_000,))
    net = keras.Model(inputs, keras.layers.Dropout(0.5, seed=0)(inputs, training=True))
    ones = np.ones((1, 2_000), "float32")
    calls = {
        "called": keras.ops.convert_to_numpy(net(ones)),
        "called with training=False": keras.ops.convert_to_numpy(net(ones, training=False)),
        "in predict": net.predict(ones, verbose=0),
    }
    dropped = {how: int((out == 0).sum()) for how, out in calls.items()}
    print("dropped of 2,000:", ", ".join(f"{count} {how}" for how, count in dropped.items()))
    fixed = all(dropped.values())
    where = f"of keras on {keras.backend.backend()}"
    print(f"{'fixed' if fixed else 'red: mode overridden'} in version {keras.__version__} {where}")
    return 0 if fixed else 1


if __name__ == "__main__":
    sys.exit(main())
