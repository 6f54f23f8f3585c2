"""Sliders. Each asks first, and has a static picture and a line of text for where no kernel runs."""

from utils.widgets.are_you_calibrated import AreYouCalibrated
from utils.widgets.coadaptation_lens import CoadaptationLens
from utils.widgets.ensemble_vote import EnsembleVote
from utils.widgets.eval_detective import EvalDetective
from utils.widgets.how_many_passes import HowManyPasses
from utils.widgets.image_dropout import ImageDropout
from utils.widgets.mask_lab import MaskLab
from utils.widgets.mc_regression import MCRegression
from utils.widgets.noise_you_cannot_feel import NoiseYouCannotFeel
from utils.widgets.overfit_race import OverfitRace
from utils.widgets.p_sweep import PSweep
from utils.widgets.scaling_balance import ScalingBalance
from utils.widgets.thinned_network import ThinnedNetwork
from utils.widgets.variance_shift_machine import VarianceShiftMachine

__all__ = [
    "AreYouCalibrated",
    "CoadaptationLens",
    "EnsembleVote",
    "EvalDetective",
    "HowManyPasses",
    "ImageDropout",
    "MCRegression",
    "MaskLab",
    "NoiseYouCannotFeel",
    "OverfitRace",
    "PSweep",
    "ScalingBalance",
    "ThinnedNetwork",
    "VarianceShiftMachine",
]
