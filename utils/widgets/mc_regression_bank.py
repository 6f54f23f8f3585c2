"""The nets behind the Monte Carlo dropout regression, for the points that it offers."""

import numpy as np

from utils.widgets.mc_regression import BANK_P, PRESETS, flatten, train


def build():
    """The arrays of data/bank_regression.npz: weights float16 (3 sets of points, number of p, 4,417)."""
    nets = [[flatten(train(points, p)) for p in BANK_P] for points in PRESETS.values()]
    return {"p": np.array(BANK_P), "weights": np.array(nets, dtype=np.float16)}
