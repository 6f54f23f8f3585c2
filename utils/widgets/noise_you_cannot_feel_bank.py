"""What nets with noises of equal variance felt: chapter 13's stored results as intervals."""

import numpy as np

from utils.measured import difference, load_results

RESULTS = "13_relatives"
BASE = "binary"
# The arms of chapter 13 at one p, by the names that the widget gives their noise.
ARMS = {"Gaussian": "Gaussian", "three-level": "three-level", "DropConnect": "DropConnect, p = 0.4"}


def build():
    """The arrays of data/bank_noise.npz, from data/results/13_relatives.json; no training.

    Returns
    -------
    dict of
        differences : float64 (3, 2, 4), for each of ARMS, at the end of training and stopped early: test NLL
            minus that of binary dropout, mean, low and high end of the 95 % interval, pairs
    """
    runs = load_results(RESULTS)["runs"]
    found = [
        [difference(when(runs[arm]), when(runs[BASE])) for when in (end, stopped)] for arm in ARMS.values()
    ]
    return {"differences": np.array(found, dtype=np.float64)}


def end(run):
    """Each draw's test NLL, the mean of the last five checks: (draws,)."""
    return np.mean(run["nll"][-5:], axis=0)


def stopped(run):
    """Each draw's test NLL at the check with its lowest validation loss: (draws,)."""
    best = np.argmin(run["val_loss"], axis=0)
    return np.array(run["nll"])[best, np.arange(len(best))]
