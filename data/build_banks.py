"""Train the networks behind the widgets PSweep and CoadaptationLens and store what they measured.

    python3 data/build_banks.py sweep      test loss and accuracy over p, training size, width and seed
    python3 data/build_banks.py lens       filters, correlations and knock-outs over p and seed

Run it with the course's own Python (.venv/bin/python). Each takes several minutes on two cores and
writes data/bank_NAME.npz in one step. `train_one` and `measure_lens` make one entry; the tests repeat a
corner of each bank with them.
"""

import argparse
import functools
import sys
from pathlib import Path

import numpy as np

DATA_DIR = Path(__file__).resolve().parent
sys.path.insert(0, str(DATA_DIR.parent))

from utils import metrics, scratch  # noqa: E402  (needs the line above)
from utils.data import load_fashion_mnist, load_mnist, write_npz  # noqa: E402

SEEDS = np.arange(5)
SWEEP = {
    "p": np.array([0, 0.1, 0.3, 0.5, 0.7, 0.9], dtype=np.float32),
    "num_train": np.array([300, 1000, 5000]),
    "width": np.array([16, 64, 256]),
}
SWEEP_MEASURES = ("train_accuracy", "train_nll", "test_accuracy", "test_nll")
SWEEP_STEPS, SWEEP_BATCH, SWEEP_LR = 1500, 50, 0.1
LENS_P = np.array([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], dtype=np.float32)
LENS_WIDTH, LENS_EPOCHS, LENS_BATCH, LENS_LR, LENS_FILTERS = 128, 5, 100, 0.1, 24
KNOCKED_OUT = np.array([0, 8, 16, 32, 48, 64, 80, 96, 112])
KNOCK_OUT_DRAWS = 10


def train_one(p, num_train, width, seed):
    """One entry of the sweep: a 784-width-width-10 net on `num_train` Fashion-MNIST images.

    Dropout p after both hidden layers, He initialisation, SGD (lr 0.1, batch 50), 1,500 updates. Returns
    the four SWEEP_MEASURES as a float32 array: accuracy and NLL in eval mode on the training images and on
    the 10,000 test images.
    """
    images = _subset(int(num_train), int(seed))
    x, x_test = images.x_train.reshape(-1, 784), images.x_test.reshape(-1, 784)
    rng = np.random.default_rng([int(seed), int(num_train), int(width)])
    params = scratch.init_he((784, int(width), int(width), 10), rng)
    for _ in range(SWEEP_STEPS * SWEEP_BATCH // int(num_train)):
        scratch.train_epoch(params, x, images.y_train, (float(p),) * 2, SWEEP_BATCH, SWEEP_LR, rng)
    measured = []
    for inputs, labels in ((x, images.y_train), (x_test, images.y_test)):
        probs = metrics.softmax(scratch.forward_eval(params, inputs))
        measured += [metrics.accuracy(probs, labels), metrics.nll(probs, labels)]
    return np.array(measured, dtype=np.float32)


@functools.lru_cache(maxsize=1)
def _subset(num_train, seed):
    return load_fashion_mnist(num_train=num_train, seed=seed)


def build_sweep():
    shape = tuple(len(values) for values in SWEEP.values())
    bank = np.zeros((len(SWEEP_MEASURES), *shape, len(SEEDS)), dtype=np.float32)
    # Size and seed outermost, so that each subset is loaded once.
    for j, s, k, i in np.ndindex(shape[1], len(SEEDS), shape[2], shape[0]):
        num_train, width, p = SWEEP["num_train"][j], SWEEP["width"][k], SWEEP["p"][i]
        bank[:, i, j, k, s] = train_one(p, num_train, width, SEEDS[s])
    return {"values": bank, "seeds": SEEDS, **SWEEP}


def measure_lens(p, seed, images=None):
    """One entry of the lens: a 784-128-10 net on all of MNIST, dropout p on its hidden layer, 5 epochs.

    Returns a dict: `filters` (24, 28, 28) weights of the first hidden units, `correlation` = mean
    absolute correlation between the activations of two hidden units on the test images (units that never
    fire left out), `accuracy` of shape (9,) on the test images after KNOCKED_OUT random hidden units are
    set to 0 (the rest scaled up to keep the mean; mean over 10 draws).
    """
    images = images or load_mnist()
    x, x_test = images.x_train.reshape(-1, 784), images.x_test.reshape(-1, 784)
    rng = np.random.default_rng(int(seed))
    params = scratch.init_he((784, LENS_WIDTH, 10), rng)
    for _ in range(LENS_EPOCHS):
        scratch.train_epoch(params, x, images.y_train, (float(p),), LENS_BATCH, LENS_LR, rng)
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
        "filters": W1.T[:LENS_FILTERS].reshape(-1, 28, 28),
        "correlation": np.abs(correlation).mean(),
        "accuracy": np.array(accuracy),
    }


def _knock_out(h, W2, b2, y, k, rng):
    keep = rng.permutation(LENS_WIDTH) >= k
    logits = (h * keep) @ W2 * np.float32(LENS_WIDTH / (LENS_WIDTH - k)) + b2
    return metrics.accuracy(logits, y)


def build_lens():
    images = load_mnist()
    entries = [[measure_lens(p, seed, images) for seed in SEEDS] for p in LENS_P]
    return {
        "p": LENS_P,
        "seeds": SEEDS,
        "knocked_out": KNOCKED_OUT,
        # One seed's filters, in half precision: they are only looked at.
        "filters": np.array([row[0]["filters"] for row in entries], dtype=np.float16),
        "correlation": np.array([[e["correlation"] for e in row] for row in entries], dtype=np.float32),
        "accuracy": np.array([[e["accuracy"] for e in row] for row in entries], dtype=np.float32),
    }


BANKS = {"sweep": build_sweep, "lens": build_lens}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=sorted(BANKS))
    target = DATA_DIR / f"bank_{parser.parse_args().name}.npz"
    arrays = BANKS[target.stem.removeprefix("bank_")]()
    write_npz(target, arrays)
    print(f"wrote {target} ({target.stat().st_size:,} bytes)")


if __name__ == "__main__":
    main()
