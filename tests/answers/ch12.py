"""Answers to chapter 12's exercises: (exercise, answers, the Belief or the clause that the check says)."""

import numpy as np
from sklearn.metrics import roc_auc_score

from utils import metrics
from utils.exercises import beliefs
from utils.exercises.ch12 import BEST, ECE_OF, METHODS, best_temperature, binned, nll_at, right_share


def ece_with(distance, of="top"):
    """ece with another rule: distance(count, said, share, num_bins)."""

    def ece(probs, y, num_bins):
        right = probs.argmax(axis=1) == y
        confidence = probs.max(axis=1) if of == "top" else probs[np.arange(len(y)), y]
        return distance(*binned(confidence, right, num_bins), num_bins)

    return ece


def weighted(count, said, share, num_bins):
    return (count * abs(share - said)).sum() / count.sum()


def ece_with_empty_bins(probs, y, num_bins):
    place = np.ceil(probs.max(axis=1) * num_bins).astype(np.intp) - 1
    right = probs.argmax(axis=1) == y
    bins = [place == k for k in range(num_bins)]
    return sum(abs(right[b].mean() - probs.max(axis=1)[b].mean()) * b.mean() for b in bins)


def temper(logits, temperature):
    return metrics.softmax(logits / temperature)


def temper_probabilities(logits, temperature):
    divided = metrics.softmax(logits) / temperature
    return divided / divided.sum(axis=1, keepdims=True)


def unsafe(logits, temperature):
    powers = np.exp(logits / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


def report_on(choose, judge=lambda train, val, test: test):
    """A report that fits on choose(train, val, test)."""

    def report(*parts):
        best = best_temperature(*choose(*parts))
        return best, nll_at(best, *judge(*parts))

    return report


def validation(train, val, test):
    return val


def both(train, val, test):
    return map(np.concatenate, zip(val, test, strict=True))


def gain(runs, n, score):
    monte_carlo, scaling = (
        np.array([run["scores"][method][score] for run in runs if run["n"] == n]) for method in METHODS[:2]
    )
    return monte_carlo - scaling


def auroc(scores, strange):
    return roc_auc_score(strange, scores)


def pairs(scores, strange):
    return scores[strange][:, None] - scores[~strange]


OUTCOME = {2_000: "wins", 20_000: "loses"}
SHARE = right_share()

RIGHT = [
    ("ece", (metrics.ece,)),
    ("temperature", (temper, best_temperature, 0)),
    ("report", (report_on(validation),)),
    ("wins", (gain, OUTCOME, SHARE)),
    ("auroc", (auroc, BEST)),
]
WRONG = [
    ("forecasters", ({**ECE_OF, "shy": 0.0}, "plain"), beliefs.LOWER_CONFIDENCE_12),
    ("forecasters", (ECE_OF, "shy"), beliefs.LOWER_CONFIDENCE_12),
    ("forecasters", ({"ignorant": 0.9, "shy": 0.2, "plain": 0.2}, "plain"), beliefs.IS_ACCURACY),
    ("forecasters", ({"ignorant": 0.0, "shy": 0.2, "plain": 0.2}, "plain"), beliefs.IS_ACCURACY),
    ("forecasters", (ECE_OF, "ignorant"), beliefs.ECE_ALONE),
    ("forecasters", ({**ECE_OF, "shy": 0.4}, "plain"), "for 'shy'"),
    ("forecasters", (ECE_OF, "none"), '"ignorant", "shy" or "plain"'),
    (
        "ece",
        (ece_with(lambda count, said, share, num_bins: abs(share - said).mean()),),
        beliefs.EQUAL_BINS_12,
    ),
    (
        "ece",
        (ece_with(lambda count, said, share, num_bins: abs(share - said).sum() / num_bins),),
        beliefs.EQUAL_BINS_12,
    ),
    ("ece", (lambda probs, y, num_bins: metrics.ece(probs, y, 1),), beliefs.SIGNED_BINS),
    ("ece", (lambda probs, y, bins: abs((probs.argmax(1) == y) - probs.max(1)).mean(),), beliefs.EACH_ANSWER),
    ("ece", (ece_with(weighted, of="true"),), beliefs.TRUE_CLASS),
    ("ece", (ece_with_empty_bins,), beliefs.EMPTY_BIN),
    ("ece", (lambda probs, y, num_bins: probs.max(axis=1),), "a number from ece"),
    ("ece", (lambda probs, y, num_bins: 0.5,), "an ECE of"),
    ("ece", (lambda probs, y, num_bins: metrics.ece(probs, y, 12),), "in 5 bins"),
    ("temperature", (temper, best_temperature, -2.0), beliefs.NEW_ORDER),
    ("temperature", (lambda z, t: metrics.softmax(z * t), best_temperature, 0), beliefs.HOTTER),
    ("temperature", (temper, lambda z, y: 1 / best_temperature(z, y), 0), beliefs.HOTTER),
    ("temperature", (temper_probabilities, best_temperature, 0), beliefs.DIVIDES_PROBABILITIES),
    (
        "temperature",
        (lambda z, t: metrics.softmax(metrics.softmax(z) / t), best_temperature, 0),
        beliefs.DIVIDES_PROBABILITIES,
    ),
    ("temperature", (lambda z, t: z.max(axis=1), best_temperature, 0), "probabilities of shape"),
    ("temperature", (lambda z, t: temper(z, t + 1), best_temperature, 0), "softmax of the logits"),
    ("temperature", (unsafe, best_temperature, 0), "finite probabilities"),
    ("temperature", (temper, lambda z, y: 4.0, 0), "T near 2."),
    ("temperature", (temper, best_temperature, "none"), "the change of the share"),
    ("report", (report_on(lambda train, val, test: test),), beliefs.ON_TEST),
    ("report", (report_on(both),), beliefs.ON_TEST),
    ("report", (report_on(lambda train, val, test: train),), beliefs.ON_TRAIN),
    ("report", (report_on(validation, judge=validation),), beliefs.JUDGED),
    ("report", (lambda train, val, test: best_temperature(*val),), "a pair"),
    ("report", (lambda train, val, test: (1.9, 1.0),), "does not move when the test labels"),
    ("report", (lambda train, val, test: (best_temperature(*val), 1.0),), "the NLL of the test part"),
    ("wins", (gain, dict.fromkeys(OUTCOME, "wins"), SHARE), beliefs.MC_ALWAYS_WINS),
    ("wins", (gain, OUTCOME, 0.0), beliefs.ONLY_PASSES),
    ("wins", (gain, OUTCOME, 1.0), beliefs.NO_MORE),
    ("wins", (lambda runs, n, score: 0.1, OUTCOME, 0.8), "10 differences"),
    ("wins", (lambda *task: -gain(*task), OUTCOME, 0.8), "of Monte Carlo minus weight scaling"),
    ("wins", (gain, {**OUTCOME, 2_000: "yes"}, 0.8), '"wins" or "loses"'),
    ("wins", (gain, dict.fromkeys(OUTCOME, "loses"), 0.8), "the sign of the difference"),
    ("wins", (gain, OUTCOME, 0.5), "what + T lowers the mean NLL by"),
    ("auroc", (lambda scores, strange: (pairs(scores, strange) > 0).mean(), BEST), beliefs.TIES),
    ("auroc", (lambda scores, strange: (pairs(scores, strange) >= 0).mean(), BEST), beliefs.TIES),
    ("auroc", (lambda scores, strange: auroc(-scores, strange), BEST), beliefs.DIRECTION_OF_SCORE),
    ("auroc", (lambda scores, strange: ((scores > 0.5) == strange).mean(), BEST), beliefs.THRESHOLD),
    ("auroc", (auroc, dict.fromkeys(BEST, "mutual information")), beliefs.ONE_FOR_ALL),
    ("auroc", (lambda scores, strange: 0.3, BEST), "an AUROC of"),
    ("auroc", (lambda s, strange: auroc(s, strange) if s.std() else 1.0, BEST), "0.5 for"),
    ("auroc", (auroc, {**BEST, "errors": "std"}), "one of max probability"),
    ("auroc", (auroc, {**BEST, "errors": "entropy"}), "the largest mean AUROC for errors"),
]
