"""The nets behind p Sweep: test loss and accuracy over p, training size, width and seed."""

import copy
import functools

import numpy as np

from utils import metrics, scratch
from utils.data import load_fashion_mnist, read_npz
from utils.widgets.p_sweep import BANK_ROWS

SEEDS = np.arange(5)
GRID = {
    "p": np.array([0, 0.1, 0.3, 0.5, 0.7, 0.9], dtype=np.float32),
    "num_train": np.array([300, 1000, 5000]),
    "width": np.array([16, 64, 256]),
}
STEPS, BATCH, LR = 1500, 50, 0.1
# Early stopping looks at the loss on this many other training images about this often.
NUM_VAL, STEPS_PER_LOOK = 2000, 50


def train_one(p, num_train, width, seed):
    """One entry of the bank: a 784-width-width-10 net on `num_train` Fashion-MNIST images.

    Dropout p after both hidden layers, He initialisation, SGD (lr 0.1, batch 50), 1,500 updates. Returns a
    float32 array in the order of BANK_ROWS, in eval mode: accuracy and NLL on the training images and on the
    10,000 test images at the end; then on the test images at the epoch with the lowest NLL on 2,000
    validation images, which is looked for after every whole number of epochs nearest to 50 updates.
    """
    images, x_val, y_val = _subset(int(num_train), int(seed))
    x, x_test = images.x_train.reshape(-1, 784), images.x_test.reshape(-1, 784)
    rng = np.random.default_rng([int(seed), int(num_train), int(width)])
    params = scratch.init_he((784, int(width), int(width), 10), rng)
    every = max(1, round(STEPS_PER_LOOK * BATCH / int(num_train)))
    lowest, kept = np.inf, params
    for epoch in range(1, STEPS * BATCH // int(num_train) + 1):
        scratch.train_epoch(params, x, images.y_train, (float(p),) * 2, BATCH, LR, rng)
        if epoch % every == 0 and (now := _nll(params, x_val, y_val)) < lowest:
            lowest, kept = now, copy.deepcopy(params)
    measured = []
    for net, inputs, labels in (
        (params, x, images.y_train), (params, x_test, images.y_test), (kept, x_test, images.y_test)
    ):  # fmt: skip
        probs = metrics.softmax(scratch.forward_eval(net, inputs))
        measured += [metrics.accuracy(probs, labels), metrics.nll(probs, labels)]
    return np.array(measured, dtype=np.float32)


def _nll(params, x, y):
    return metrics.nll(metrics.softmax(scratch.forward_eval(params, x)), y)


@functools.lru_cache(maxsize=1)
def _subset(num_train, seed):
    """The training and test images, and validation images that are none of them."""
    images = load_fashion_mnist(num_train=num_train, seed=seed)
    raw = read_npz("fashion_mnist")
    taken = {image.tobytes() for image in (255 * images.x_train).round().astype(np.uint8)}
    order = np.random.default_rng([seed, 2]).permutation(len(raw["x_train"]))[: NUM_VAL + num_train]
    free = [i for i in order if raw["x_train"][i].tobytes() not in taken][:NUM_VAL]
    x_val = raw["x_train"][free].reshape(-1, 784).astype(np.float32) / np.float32(255)
    return images, x_val, raw["y_train"][free]


def build():
    """The arrays of data/bank_sweep.npz: a quarter of an hour on two cores."""
    shape = tuple(len(values) for values in GRID.values())
    bank = np.zeros((len(BANK_ROWS), *shape, len(SEEDS)), dtype=np.float32)
    # Size and seed outermost, so that each subset is loaded once.
    for j, s, k, i in np.ndindex(shape[1], len(SEEDS), shape[2], shape[0]):
        num_train, width, p = GRID["num_train"][j], GRID["width"][k], GRID["p"][i]
        bank[:, i, j, k, s] = train_one(p, num_train, width, SEEDS[s])
    return {"values": bank, "seeds": SEEDS, **GRID}
