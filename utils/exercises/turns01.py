"""The check of the cell that a learner writes inside chapter 01: the mask of chapter 02, met early."""

from utils.exercises.turns02 import check_mask

HINTS = {
    "mask": "rng.random(shape) draws one uniform number per element. It is below drop_prob with probability "
    "drop_prob: which comparison is then True with probability 1 - drop_prob?",
}

__all__ = ["HINTS", "check_mask"]
