"""Answers to the cell of a learner's own in chapter 01: the mask of chapter 02."""

from answers.turns02 import MASKS as WRONG

__all__ = ["WRONG"]
