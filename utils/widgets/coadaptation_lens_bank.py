"""The nets behind the Co-adaptation Lens: their units, and what knock-outs cost, over p and seed."""

import numpy as np

from utils import metrics, scratch
from utils.data import load_mnist

SEEDS = np.arange(5)
P = np.array([0, 0.5, 0.8], dtype=np.float32)
WIDTH, EPOCHS, BATCH, LR = 128, 5, 100, 0.1
KNOCKED_OUT = np.arange(0, WIDTH, 8)
KNOCK_OUT_DRAWS = 10
# The net on show (one seed) answers every 25th test image in the browser.
SHOWN_SEED, EVERY = 0, 25
LEVELS = 255


def measure_lens(p, seed, images=None):
    """One entry of the bank: a 784-128-10 net on all of MNIST, dropout p on its hidden layer, 5 epochs.

    Returns a dict: `accuracy` of shape (16,) on the test images after KNOCKED_OUT random hidden units are
    set to 0 (the rest scaled up to keep the mean; mean over 10 draws), `correlation` = mean absolute
    correlation between the activations of two hidden units on the test images (units that never fire left
    out), and the net on show: see `_shown`.
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
        "correlation": np.abs(correlation).mean(),
        "accuracy": np.array(accuracy),
        **_shown(W1, h[::EVERY], W2, b2),
    }


def _knock_out(h, W2, b2, y, k, rng):
    keep = rng.permutation(WIDTH) >= k
    logits = (h * keep) @ W2 * np.float32(WIDTH / (WIDTH - k)) + b2
    return metrics.accuracy(logits, y)


def _shown(W1, h, W2, b2):
    """What the picture needs of one net, small enough to stand in a notebook.

    `filters` uint8 (128, 14, 14): weights of a hidden unit, means over 2 x 2 pixels, 0 at 127.5 and the
    unit's largest at 0 or 255. `activations` uint8 (400, 128): in 255ths of the unit's largest. `W2`
    float32 (128, 10) belongs to these numbers, `b2` float32 (10,).
    """
    filters = W1.T.reshape(WIDTH, 14, 2, 14, 2).mean(axis=(2, 4))
    filters /= np.abs(filters).max(axis=(1, 2), keepdims=True)
    unit = np.maximum(h.max(axis=0), np.finfo(np.float32).tiny) / LEVELS
    return {
        "filters": (127.5 + 127.5 * filters).round().astype(np.uint8),
        "activations": (h / unit).round().astype(np.uint8),
        "W2": W2 * unit[:, None],
        "b2": b2,
    }


def build():
    """The arrays of data/bank_lens.npz: minutes on two cores."""
    images = load_mnist()
    entries = [[measure_lens(p, seed, images) for seed in SEEDS] for p in P]
    shown = [row[SHOWN_SEED] for row in entries]
    return {
        "p": P,
        "seeds": SEEDS,
        "knocked_out": KNOCKED_OUT,
        "correlation": np.array([[e["correlation"] for e in row] for row in entries], dtype=np.float32),
        "accuracy": np.array([[e["accuracy"] for e in row] for row in entries], dtype=np.float32),
        "labels": images.y_test[::EVERY].astype(np.uint8),
        **{name: np.array([net[name] for net in shown]) for name in ("filters", "activations", "W2", "b2")},
    }
