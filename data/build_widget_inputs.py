"""Train the network behind the widget ScalingBalance and store its activations on real images.

    python3 data/build_widget_inputs.py

Run it with the course's own Python (.venv/bin/python). It takes a few seconds and writes
data/widget_activations.npz in one step. `measure` makes the arrays; a test repeats it and compares.
"""

import sys
from pathlib import Path

import numpy as np

DATA_DIR = Path(__file__).resolve().parent
sys.path.insert(0, str(DATA_DIR.parent))

from utils import metrics, scratch  # noqa: E402  (needs the line above)
from utils.data import load_fashion_mnist, write_npz  # noqa: E402

NUM_TRAIN, NUM_SHOWN, WIDTH, BATCH, LR, SEED = 10_000, 32, 64, 50, 0.1, 0
TARGET = DATA_DIR / "widget_activations.npz"


def measure():
    """The arrays of the file, from a 784-64-10 net after one epoch on 10,000 Fashion-MNIST images.

    Returns
    -------
    dict of
        hidden : float32 (32, 64), ReLU activations for the first 32 test images, in eval mode
        readers : float32 (32, 64), row i: the weights by which the output unit of image i's class reads them
        bias : float32 (32,), that output unit's bias
        test_accuracy : float32, over all 10,000 test images
    """
    images = load_fashion_mnist(num_train=NUM_TRAIN, seed=SEED)
    # float64, so that other machines' order of summation does not show in the stored float32 numbers
    x_train, x_test = (x.reshape(len(x), -1).astype(np.float64) for x in (images.x_train, images.x_test))
    rng = np.random.default_rng(SEED)
    params = scratch.init_he((784, WIDTH, 10), rng, np.float64)
    scratch.train_epoch(params, x_train, images.y_train, (0,), BATCH, LR, rng)
    (W1, b1), (W2, b2) = params
    labels = images.y_test[:NUM_SHOWN]
    probs = metrics.softmax(scratch.forward_eval(params, x_test))
    arrays = {
        "hidden": np.maximum(x_test[:NUM_SHOWN] @ W1 + b1, 0),
        "readers": W2.T[labels],
        "bias": b2[labels],
        "test_accuracy": metrics.accuracy(probs, images.y_test),
    }
    return {name: np.asarray(array, dtype=np.float32) for name, array in arrays.items()}


def main():
    arrays = measure()
    write_npz(TARGET, arrays)
    print(f"wrote {TARGET.name} ({TARGET.stat().st_size:,} bytes)")


if __name__ == "__main__":
    main()
