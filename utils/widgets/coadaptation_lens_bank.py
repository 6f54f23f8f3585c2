"""The nets behind the Co-adaptation Lens: filters, correlations and knock-outs over p and seed."""

import numpy as np

from utils import metrics, scratch
from utils.data import load_mnist

SEEDS = np.arange(5)
P = np.array([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], dtype=np.float32)
WIDTH, EPOCHS, BATCH, LR, FILTERS = 128, 5, 100, 0.1, 24
KNOCKED_OUT = np.array([0, 8, 16, 32, 48, 64, 80, 96, 112])
KNOCK_OUT_DRAWS = 10


def measure_lens(p, seed, images=None):
    """One entry of the bank: a 784-128-10 net on all of MNIST, dropout p on its hidden layer, 5 epochs.

    Returns a dict: `filters` (24, 28, 28) weights of the first hidden units, `correlation` = mean
    absolute correlation between the activations of two hidden units on the test images (units that never
    fire left out), `accuracy` of shape (9,) on the test images after KNOCKED_OUT random hidden units are
    set to 0 (the rest scaled up to keep the mean; mean over 10 draws).
    """
    images = images or load_mnist()
    x, x_test = images.x_train.reshape(-1, 784), images.x_test.reshape(-1, 784)
    rng = np.random.default_rng(int(seed))
    params = scratch.init_he((784, WIDTH, 10), rng)
    for _ in range(EPOCHS):
        scratch.train_epoch(params, x, images.y_train, (float(p),), BATCH, LR, rng)
    (W1, b1), (W2, b2) = params
    h = np.maximum(x_test @ W1 + b1, 0)
    alive = h[:, h.std(axis=0) > 0]
    correlation = np.corrcoef(alive, rowvar=False)[np.triu_indices(alive.shape[1], 1)]
    draws = np.random.default_rng([int(seed), 1])
    accuracy = [
        np.mean([_knock_out(h, W2, b2, images.y_test, k, draws) for _ in range(KNOCK_OUT_DRAWS)])
        for k in KNOCKED_OUT
    ]
    return {
        "filters": W1.T[:FILTERS].reshape(-1, 28, 28),
        "correlation": np.abs(correlation).mean(),
        "accuracy": np.array(accuracy),
    }


def _knock_out(h, W2, b2, y, k, rng):
    keep = rng.permutation(WIDTH) >= k
    logits = (h * keep) @ W2 * np.float32(WIDTH / (WIDTH - k)) + b2
    return metrics.accuracy(logits, y)


def build():
    """The arrays of data/bank_lens.npz: minutes on two cores."""
    images = load_mnist()
    entries = [[measure_lens(p, seed, images) for seed in SEEDS] for p in P]
    return {
        "p": P,
        "seeds": SEEDS,
        "knocked_out": KNOCKED_OUT,
        # One seed's filters, in half precision: they are only looked at.
        "filters": np.array([row[0]["filters"] for row in entries], dtype=np.float16),
        "correlation": np.array([[e["correlation"] for e in row] for row in entries], dtype=np.float32),
        "accuracy": np.array([[e["accuracy"] for e in row] for row in entries], dtype=np.float32),
    }
