"""The nets behind p Sweep: test loss and accuracy over p, training size, width and seed."""

import functools

import numpy as np

from utils import metrics, scratch
from utils.data import load_fashion_mnist

SEEDS = np.arange(5)
GRID = {
    "p": np.array([0, 0.1, 0.3, 0.5, 0.7, 0.9], dtype=np.float32),
    "num_train": np.array([300, 1000, 5000]),
    "width": np.array([16, 64, 256]),
}
MEASURES = ("train_accuracy", "train_nll", "test_accuracy", "test_nll")
STEPS, BATCH, LR = 1500, 50, 0.1


def train_one(p, num_train, width, seed):
    """One entry of the bank: a 784-width-width-10 net on `num_train` Fashion-MNIST images.

    Dropout p after both hidden layers, He initialisation, SGD (lr 0.1, batch 50), 1,500 updates. Returns
    the four MEASURES as a float32 array: accuracy and NLL in eval mode on the training images and on the
    10,000 test images.
    """
    images = _subset(int(num_train), int(seed))
    x, x_test = images.x_train.reshape(-1, 784), images.x_test.reshape(-1, 784)
    rng = np.random.default_rng([int(seed), int(num_train), int(width)])
    params = scratch.init_he((784, int(width), int(width), 10), rng)
    for _ in range(STEPS * BATCH // int(num_train)):
        scratch.train_epoch(params, x, images.y_train, (float(p),) * 2, BATCH, LR, rng)
    measured = []
    for inputs, labels in ((x, images.y_train), (x_test, images.y_test)):
        probs = metrics.softmax(scratch.forward_eval(params, inputs))
        measured += [metrics.accuracy(probs, labels), metrics.nll(probs, labels)]
    return np.array(measured, dtype=np.float32)


@functools.lru_cache(maxsize=1)
def _subset(num_train, seed):
    return load_fashion_mnist(num_train=num_train, seed=seed)


def build():
    """The arrays of data/bank_sweep.npz: minutes on two cores."""
    shape = tuple(len(values) for values in GRID.values())
    bank = np.zeros((len(MEASURES), *shape, len(SEEDS)), dtype=np.float32)
    # Size and seed outermost, so that each subset is loaded once.
    for j, s, k, i in np.ndindex(shape[1], len(SEEDS), shape[2], shape[0]):
        num_train, width, p = GRID["num_train"][j], GRID["width"][k], GRID["p"][i]
        bank[:, i, j, k, s] = train_one(p, num_train, width, SEEDS[s])
    return {"values": bank, "seeds": SEEDS, **GRID}
