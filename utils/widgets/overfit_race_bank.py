"""What the question of the Overfit Race is answered with: ten draws of points, over p and over L2."""

import numpy as np

from utils.widgets.overfit_race import ASKED_EPOCHS, L2_VALUES, Race

SEEDS = np.arange(10)
P = (0.0, 0.1, 0.3, 0.5, 0.7)


def fresh_losses(p, l2, seed):
    """The losses on fresh points after 2,000 epochs of the nets with dropout p and with L2."""
    race = Race(int(seed))
    race.train(ASKED_EPOCHS, p, l2)
    return race.history[-1][4], race.history[-1][6]


def build():
    """The arrays of data/bank_race.npz: fresh_p (5, 10) and fresh_l2 (6, 10), float32; two minutes."""
    runs = [
        [fresh_losses(p, l2, seed) for seed in SEEDS] for p, l2 in zip([*P, P[0]], L2_VALUES, strict=True)
    ]
    losses = np.array(runs, dtype=np.float32)
    return {"p": np.array(P), "l2": np.array(L2_VALUES), "seeds": SEEDS,
            "fresh_p": losses[: len(P), :, 0], "fresh_l2": losses[:, :, 1]}  # fmt: skip
