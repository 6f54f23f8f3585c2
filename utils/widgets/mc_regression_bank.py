"""The nets behind the Monte Carlo dropout regression, for the points that it opens with."""

import numpy as np

from utils.widgets.mc_regression import BANK_P, POINTS, flatten, train


def build():
    """The arrays of data/bank_regression.npz: weights float32 (number of p, 4,417), a net for each p."""
    return {"p": np.array(BANK_P), "weights": np.array([flatten(train(POINTS, p)) for p in BANK_P])}
