"""Answers to chapter 15's exercises: (exercise, answers, the Belief or the clause that the check says)."""

import numpy as np

from utils.exercises import beliefs
from utils.exercises.ch15 import softmax, weights_of


def masked(weights, p, rng):
    return weights * (rng.random(weights.shape) >= p) / (1 - p)


def attend(query, key, value, drop_prob, training, rng):
    weights = weights_of(query, key)
    return (masked(weights, drop_prob, rng) if training else weights) @ value


def always_on(query, key, value, drop_prob, training, rng):
    return masked(weights_of(query, key), drop_prob, rng) @ value


def bare(query, key, value, drop_prob, training, rng):
    return attend(query, key, value, drop_prob, training, rng) * (1 - drop_prob * training)


def kept_with_p(query, key, value, drop_prob, training, rng):
    return attend(query, key, value, 1 - drop_prob if training and drop_prob else 0, training, rng)


def shared(query, key, value, drop_prob, training, rng):
    weights = weights_of(query, key)
    mask = (rng.random((len(weights), 1, weights.shape[2])) >= drop_prob) / (1 - drop_prob)
    return (weights * mask if training else weights) @ value


def one_for_batch(query, key, value, drop_prob, training, rng):
    weights = weights_of(query, key)
    mask = (rng.random(weights.shape[1:]) >= drop_prob) / (1 - drop_prob)
    return (weights * mask if training else weights) @ value


def before_softmax(query, key, value, drop_prob, training, rng):
    scores = query @ key.transpose(0, 2, 1) / np.sqrt(query.shape[-1])
    if training:
        scores = np.where(rng.random(scores.shape) >= drop_prob, scores, -np.inf)
    return softmax(scores) @ value


def own_seed(query, key, value, drop_prob, training, rng):
    return attend(query, key, value, drop_prob, training, np.random.default_rng(0))


def path(branch, drop_prob, training, rng):
    if not training:
        return branch
    keep = rng.random((len(branch),) + (1,) * (branch.ndim - 1)) >= drop_prob
    return branch * keep / (1 - drop_prob)


def plain_dropout(branch, drop_prob, training, rng):
    return masked(branch, drop_prob, rng) if training else branch


def for_the_batch(branch, drop_prob, training, rng):
    return branch * (rng.random() >= drop_prob) / (1 - drop_prob) if training else branch


MEGABYTES = 3 * 24 * 16 * 2_048**2 * 4 / 1e6
RIGHT = [
    ("passes", (5_000 * 12 * 64 / 1e6, 1_303)),
    ("attend", (attend,)),
    ("tables", (MEGABYTES, 4)),
    ("path", (path,)),
]
WRONG = [
    ("passes", (5_000, 1_302), beliefs.STEP_IS_PASS),
    ("passes", (0.06, 1_302), beliefs.WINDOW_IS_CHARACTER),
    ("passes", (0.32, 1_302), beliefs.ONE_WINDOW),
    ("passes", (1, 1_302), "divided by the characters of the text"),
    ("passes", (3.84, 1), beliefs.STEP_IS_PASS),
    ("passes", (3.84, 15_625), beliefs.ONE_WINDOW),
    ("passes", (3.84, 1e6 / 12), beliefs.WINDOW_IS_CHARACTER),
    ("passes", (3.84, 5_000), "divided by those of a step"),
    ("attend", (always_on,), beliefs.FUNCTION_KNOWS),
    ("attend", (kept_with_p,), beliefs.KEEP),
    ("attend", (shared,), beliefs.ONE_FOR_QUERIES),
    ("attend", (bare,), beliefs.BARE_WEIGHTS),
    ("attend", (before_softmax,), beliefs.SUM_TO_ONE),
    ("attend", (one_for_batch,), "another mask for every example"),
    ("attend", (own_seed,), "another mask from another generator"),
    ("attend", (lambda *a: 2 * attend(*a),), "plain attention"),
    ("attend", (lambda *a: attend(*a)[0],), "an output of shape"),
    ("attend", (lambda q, k, v, p, t, r: attend(q, k, v, p / 2, t, r),), "weights that are 0"),
    ("tables", (MEGABYTES / 16, 4), beliefs.ONE_HEAD),
    ("tables", (MEGABYTES / 24, 4), beliefs.ONE_LAYER),
    ("tables", (MEGABYTES / 3, 4), beliefs.ONE_TABLE),
    ("tables", (MEGABYTES / 2_048, 4), beliefs.ROW_NOT_TABLE),
    ("tables", (MEGABYTES, 2), beliefs.ROW_NOT_TABLE),
    ("tables", (2 * MEGABYTES, 4), "4 bytes"),
    ("tables", (MEGABYTES, 8), "four times the bytes"),
    ("path", (plain_dropout,), beliefs.PATH_IS_DROPOUT),
    ("path", (for_the_batch,), beliefs.PATH_IS_LAYER),
    ("path", (lambda b, p, t, r: path(b, 1 - p if p else p, t, r),), beliefs.KEEP),
    ("path", (lambda b, p, t, r: path(b, p, t, r) * (1 - p * t),), beliefs.NO_RESCALING_15),
    ("path", (lambda b, p, t, r: path(b, p, True, r),), "when not training"),
    ("path", (lambda b, p, t, r: path(b, 0.3 * t, t, r),), "at p = 0"),
    ("path", (lambda b, p, t, r: path(b, p, t, r)[0],), "a branch of shape"),
    ("path", (lambda b, p, t, r: path(b, p / 2, t, r),), "examples whose branch is dropped"),
    ("path", (lambda b, p, t, r: path(b, p, t, r) * (1 + p * t),), "ones to become"),
]
