"""Answers to chapter 11's exercises: (exercise, answers, the Belief or the clause that the check says)."""

import numpy as np
import torch
from torch import nn

from utils import metrics
from utils.exercises import beliefs
from utils.exercises.ch11 import SWITCHES, ridge


def other_way_round(situation):
    return ({**SWITCHES, situation: not SWITCHES[situation]},)


def dropout_alone(net):
    net.eval()[3].train()


def batch_statistics(net):
    """Dropout on, and batch norm with the batch's statistics, without moving its own."""
    dropout_alone(net)
    net[1].track_running_stats = False
    net[1].train()
    net[1].running_mean, net[1].running_var = None, None


def another_p(net):
    dropout_alone(net)
    net[3].p = 0.5


def loop(switch=dropout_alone, finish=torch.softmax, before_pass=lambda: None, after=nn.Module.eval):
    """mc_samples with one thing changed."""

    def mc_samples(net, x, num_samples):
        switch(net)
        passes = []
        with torch.no_grad():
            for _ in range(num_samples):
                before_pass()
                passes.append(finish(net(x), 1))
        after(net)
        return torch.stack(passes).numpy()

    return mc_samples


def summary(mean=lambda samples: samples.mean(axis=0), std=lambda samples: samples.std(axis=0)):
    return lambda samples: (mean(samples), std(samples))


def impossible(mean, std):
    return std > np.sqrt(mean * (1 - mean)) + 1e-9


def raw_entropy(probs):
    return -(probs * np.log(probs)).sum(axis=-1)


def nll_of_average(samples, y, size, average=lambda group: group.mean(axis=0)):
    groups = np.split(samples[: len(samples) // size * size], len(samples) // size)
    return np.mean([metrics.nll(average(group), y) for group in groups])


def nll_of_logits(samples, y, size):
    return nll_of_average(samples, y, size, lambda group: metrics.softmax(np.log(group).mean(axis=0)))


def fit(X, y, p):
    return ridge(X, y, p / (1 - p) * (X**2).sum(axis=0))


def spread(w, x, p):
    return p / (1 - p) * ((w * x) ** 2).sum()


mi = metrics.mutual_information
RIGHT = [
    ("summary", (summary(std=lambda samples: samples.std(axis=0, ddof=1)), impossible)),
    ("passes", (100, nll_of_average, "weight scaling")),
    ("shrink", (fit, spread, 1.0)),
]
WRONG = [
    ("switches", other_way_round("PyTorch: the same, inside inference_mode()"), beliefs.NO_GRAD_11),
    ("switches", other_way_round("Keras: net(x)"), beliefs.KERAS_CALL),
    ("switches", other_way_round("PyTorch: the same, manual_seed(0) before each pass"), beliefs.SEED_IN_LOOP),
    ("switches", other_way_round("Gluon: net(x)"), beliefs.OUTSIDE_11),
    ("switches", other_way_round("Gluon: net(x) inside record(train_mode=False)"), beliefs.RECORD_DROPS),
    (
        "switches",
        other_way_round("Gluon: net(x) inside train_mode(), without record()"),
        beliefs.NEEDS_RECORD_11,
    ),
    ("switches", other_way_round("Keras: net(x, training=True)"), "as a run shows it"),
    ("loop", (loop(before_pass=lambda: torch.manual_seed(0)),), beliefs.SEED_IN_LOOP),
    ("loop", (loop(switch=nn.Module.train),), beliefs.MC_TRAIN_11),
    ("loop", (loop(switch=nn.Module.eval),), beliefs.EVAL_ALONE),
    ("loop", (lambda *task: loop()(*task).mean(axis=0),), beliefs.AVERAGED),
    ("loop", (loop(finish=lambda logits, dim: logits),), beliefs.LOGITS),
    ("loop", (loop(after=lambda net: None),), beliefs.LEFT_ON),
    ("loop", (lambda *task: loop()(*task)[1:],), "an array of shape (400, 8, 3)"),
    ("loop", (loop(switch=batch_statistics),), "within 5 standard errors"),
    ("loop", (loop(switch=another_p),), "within 5 standard errors"),
    ("summary", (summary(std=lambda s: s.mean(axis=0).std(axis=0)), impossible), beliefs.AFTER_MEAN),
    (
        "summary",
        (summary(std=lambda s: np.tile(s.mean(axis=0).std(axis=0), (6, 1))), impossible),
        beliefs.AFTER_MEAN,
    ),
    ("summary", (summary(std=lambda s: s.mean(axis=0).std(axis=1)), impossible), beliefs.CLASSES),
    ("summary", (summary(std=lambda s: s.std(axis=0) / len(s) ** 0.5), impossible), beliefs.STANDARD_ERROR),
    ("summary", (summary(), lambda mean, std: std > 0.5), beliefs.UP_TO_HALF),
    ("summary", (summary(), lambda mean, std: (mean - std < 0) | (mean + std > 1)), beliefs.INTERVAL),
    ("summary", (lambda s: s.mean(axis=0), impossible), "a pair (mean, std)"),
    ("summary", (summary(mean=lambda s: s[0]), impossible), "the mean over the passes"),
    ("summary", (summary(std=lambda s: s), impossible), "the std over the passes"),
    ("summary", (summary(std=lambda s: s.var(axis=0)), impossible), "the std over the"),
    ("summary", (summary(), lambda m, s: s > 2), "True for mean 0.0 and std 0.28"),
    ("summary", (summary(), lambda m, s: s > m * (1 - m)), "False for mean 0.1 and std 0.29"),
    ("summary", (summary(), lambda m, s: m - s), "an array of True and False"),
    ("information", (lambda s: metrics.entropy(s.mean(axis=0)),), beliefs.TOTAL_ENTROPY),
    ("information", (lambda s: metrics.entropy(s).mean(axis=0),), beliefs.MEAN_ENTROPY),
    ("information", (lambda s: -mi(s),), beliefs.TERMS_SWAPPED),
    (
        "information",
        (lambda s: raw_entropy(s.mean(axis=0)) - raw_entropy(s).mean(axis=0),),
        beliefs.ZERO_LOG_ZERO,
    ),
    ("information", (lambda s: s.std(axis=0),), "one number per example"),
    ("information", (lambda s: mi(s) / np.log(2),), "in nats"),
    ("information", (lambda s: mi(s) + (s.shape[2] == 2),), "the chapter's three situations"),
    ("passes", (100, nll_of_logits, "weight scaling"), beliefs.LOGITS),
    ("passes", (10, nll_of_average, "weight scaling"), beliefs.ONE_OVER_T),
    ("passes", (100, lambda s, y, size: nll_of_average(s, y, 1), "weight scaling"), beliefs.MEAN_OF_NLLS),
    ("passes", (100, nll_of_average, "one pass"), beliefs.ONE_PASS),
    ("passes", (3, nll_of_average, "weight scaling"), "0.3 / sqrt(T) is 0.03"),
    ("passes", (100, lambda s, y, size: 1.0, "weight scaling"), "for the averages of 3 passes"),
    ("passes", (100, nll_of_average, "both"), '"one pass" or "weight scaling"'),
    ("shrink", (fit, spread, 0.01), beliefs.POSTERIOR),
    ("shrink", (lambda X, y, p: ridge(X, y, np.zeros(5)), spread, 1.0), beliefs.NO_PENALTY_11),
    ("shrink", (lambda X, y, p: ridge(X, y, np.full(5, p / (1 - p))), spread, 1.0), beliefs.OUTVOTED),
    ("shrink", (lambda X, y, p: fit(X, y, 1 - p), spread, 1.0), beliefs.KEEP_11),
    ("shrink", (fit, lambda w, x, p: spread(w, x, 1 - p), 1.0), beliefs.KEEP_11),
    ("shrink", (lambda X, y, p: y, spread, 1.0), "five weights"),
    ("shrink", (lambda X, y, p: ridge(X, y, X[0] ** 2), spread, 1.0), "the least squared error plus"),
    ("shrink", (fit, lambda w, x, p: spread(w, x, p) ** 0.5, 1.0), "a variance (p/q)"),
    ("shrink", (fit, lambda w, x, p: w, 1.0), "a variance from spread"),
    ("shrink", (fit, spread, 100), "the variance at N = 20,000"),
]
