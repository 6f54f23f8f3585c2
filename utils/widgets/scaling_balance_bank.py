"""The net behind Scaling Balance, and its activations on real images."""

import numpy as np

from utils import metrics, scratch
from utils.data import load_fashion_mnist

NUM_TRAIN, NUM_SHOWN, WIDTH, BATCH, LR, SEED = 10_000, 32, 64, 50, 0.1, 0


def build():
    """The arrays of data/bank_activations.npz: a 784-64-10 net after one epoch on Fashion-MNIST; seconds.

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
