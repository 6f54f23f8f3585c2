"""The checks of chapter 12's exercises."""

import warnings

import numpy as np
from sklearn.metrics import roc_auc_score

from utils import metrics
from utils.exercises import beliefs, expect
from utils.exercises.engine import array, is_close, written
from utils.measured import load_results

TEMPERATURES = np.arange(0.3, 6, 0.02)
METHODS = ("Monte Carlo", "weight scaling", "weight scaling + T")


# --- invented answers ---


def draw_answers(num_examples, seed, sharpness, num_classes=10):
    """Logits and classes of a net whose logits are `sharpness` times too large: that T repairs them."""
    rng = np.random.default_rng(seed)
    logits = 4 * rng.normal(size=(num_examples, num_classes))
    edges = metrics.softmax(logits).cumsum(axis=1)
    y = (rng.random((num_examples, 1)) > edges).sum(axis=1)
    return sharpness * logits, np.minimum(y, num_classes - 1)


def draw_parts(seed=0, sharpness=(2.5, 2.5)):
    """(train, val, test), pairs of logits and classes; the training images are known by heart."""
    logits, _ = draw_answers(400, seed, sharpness[0])
    known = logits.argmax(axis=1)
    val, test = (draw_answers(400, seed + k, s) for k, s in enumerate(sharpness, start=1))
    return (logits, known), val, test


def nll_at(temperature, logits, y):
    """NLL at this temperature."""
    return metrics.nll(metrics.softmax(logits / temperature), y)


def best_temperature(logits, y):
    return min(TEMPERATURES, key=lambda t: nll_at(t, logits, y))


# --- 1. forecasters ---

ECE_OF = {"ignorant": 0.0, "shy": 0.2, "plain": 0.0}


def check_forecasters(ece_of, best):
    """A dict: forecaster -> ECE, and the name of the one with the smallest NLL."""
    whys = {
        "ignorant": {beliefs.IS_ACCURACY: 0.9},
        "plain": {beliefs.IS_ACCURACY: 0.2},
        "shy": {beliefs.LOWER_CONFIDENCE_12: 0.0},
    }
    for name, right in ECE_OF.items():
        rule = f"the distance between the number said and the share right, for {name!r}"
        expect.close(written(ece_of.get(name)), right, rule, whys[name])
    expect.choice(best, ECE_OF)
    nll = {"ignorant": np.log(10), "shy": _expected_nll(0.6), "plain": _expected_nll(0.8)}
    got = f"{best!r}, whose NLL is {nll[best]:.2f}, while the smallest is {nll['plain']:.2f}"
    rule = "the name with the least mean of -ln of the probability given to the true class"
    why = beliefs.LOWER_CONFIDENCE_12 if best == "shy" else beliefs.ECE_ALONE
    expect.that(best == "plain", rule, got, why)


def _expected_nll(said, right=0.8):
    return -right * np.log(said) - (1 - right) * np.log((1 - said) / 9)


# --- 2. ece ---


def draw_confident(num_examples=400):
    """Probabilities (n, 3) and classes: right on about 3 of 4 answers, whatever the confidence."""
    rng = np.random.default_rng(0)
    probs = metrics.softmax(2 * rng.normal(size=(num_examples, 3)))
    shift = np.where(rng.random(num_examples) < 0.75, 0, rng.integers(1, 3, num_examples))
    return probs, (probs.argmax(axis=1) + shift) % 3


def binned(confidence, right, num_bins):
    """Count, mean confidence and share right of the bins that hold answers."""
    place = np.clip(np.ceil(confidence * num_bins).astype(np.intp) - 1, 0, num_bins - 1)
    count, *sums = (np.bincount(place, w, num_bins) for w in (None, confidence, right))
    return count[count > 0], *(s[count > 0] / count[count > 0] for s in sums)


def check_ece(ece):
    """A function: (probs, y, num_bins) -> expected calibration error."""
    probs, y = draw_confident()
    for num_bins in (12, 5, 1):
        with warnings.catch_warnings():  # of a mean of nothing; a warning would mark the cell as failed
            warnings.simplefilter("ignore")
            found = expect.number(ece(probs.copy(), y.copy(), num_bins), "a number from ece")
        right = metrics.ece(probs, y, num_bins)
        why = expect.diagnose(found, _believed(probs, y, num_bins), 1e-6)
        why = beliefs.EMPTY_BIN if np.isnan(found) else why
        rule = f"an ECE of {right:.4f} for 400 answers in {num_bins} bins"
        expect.that(is_close(found, right, 1e-6), rule, f"{found:.4f}", why)


def _believed(probs, y, num_bins):
    """What each belief makes of the ECE."""
    confidence, right = probs.max(axis=1), probs.argmax(axis=1) == y
    _, said, share = binned(confidence, right, num_bins)
    count, true_said, true_share = binned(probs[np.arange(len(y)), y], right, num_bins)
    off, signed = abs(share - said), confidence.mean() - right.mean()
    return {
        beliefs.EQUAL_BINS_12: [off.mean(), off.sum() / num_bins],
        beliefs.SIGNED_BINS: [signed, -signed],
        beliefs.EACH_ANSWER: abs(right - confidence).mean(),
        beliefs.TRUE_CLASS: (count * abs(true_share - true_said)).sum() / len(y),
    }


# --- 3. temperature ---


def check_temperature(temper, fit_temperature, accuracy_change):
    """Functions (logits, T) -> probabilities and (logits, y) -> T, and the change of the accuracy."""
    logits, y = draw_answers(1_000, 5, 2.5)
    found = expect.shape(temper(logits.copy(), 2.0), logits.shape, "probabilities")
    plain, right = metrics.softmax(logits), metrics.softmax(logits / 2)
    known = {
        beliefs.HOTTER: metrics.softmax(2 * logits),
        beliefs.DIVIDES_PROBABILITIES: [plain, metrics.softmax(plain / 2), plain / 2],
    }
    rule = (
        f"softmax of the logits divided by 2, a mean confidence of {right.max(axis=1).mean():.2f}, at a "
        "temperature of 2"
    )
    got = f"a mean confidence of {found.max(axis=1).mean():.2f}"
    expect.that(is_close(found, right, 1e-6), rule, got, expect.diagnose(found, known, 1e-6))
    with np.errstate(all="ignore"):
        finite = np.isfinite(array(temper(np.array([[2000.0, 0.0]]), 2.0))).all()
    expect.that(finite, "finite probabilities for a logit of 2,000", "NaN")
    best = best_temperature(logits, y)
    rule = f"T near {best:.2f}, where the NLL of the check's 1,000 images is least"
    fitted = fit_temperature(logits.copy(), y.copy())
    expect.close(fitted, best, rule, {beliefs.HOTTER: 1 / best}, "T = {:.2f}", 0.06)
    rule = "the change of the share of right top classes"
    expect.number(accuracy_change, rule)
    shares = [metrics.accuracy(probs, y) for probs in (plain, found)]
    got = f"{accuracy_change}, while a net has {shares[0]:.3f} at T = 1 and {shares[1]:.3f} at T = 2"
    expect.that(is_close(accuracy_change, 0, 1e-6), rule, got, beliefs.NEW_ORDER)


# --- 4. report ---


def check_report(fixed_report):
    """A function: (train, val, test), pairs of logits and labels -> (temperature, NLL on the test part)."""
    train, val, test = draw_parts(7, (2.5, 1.3))
    found, score = expect.numbers(fixed_report(train, val, test), 2, "a pair (temperature, NLL)")
    best, both = best_temperature(*val), map(np.concatenate, zip(val, test, strict=True))
    known = {
        beliefs.ON_TEST: [best_temperature(*test), best_temperature(*both)],
        beliefs.ON_TRAIN: best_temperature(*train),
    }
    rule = f"T near {best:.2f}, which does not move when the test labels change"
    expect.close(found, best, rule, known, "T = {:.2f}", 0.06)
    right = nll_at(found, *test)
    known = {beliefs.JUDGED: nll_at(found, *val)}
    expect.close(score, right, f"the NLL of the test part, {right:.3f}", known, "{:.3f}", 1e-4)


# --- 5. wins ---


def stored_runs():
    """The chapter's draws at the end of training: {"n", "seed", "scores", "errors", "strangers"}.

    The scores are those at p = .5. The AUROCs, for errors and digits, are those with the p that was chosen.
    """
    ends = [(run, run["end"]) for run in load_results("12_is_it_calibrated")["runs"]]
    return [
        {
            "n": run["num_train"],
            "seed": run["seed"],
            "scores": end["half"]["scores"],
            "errors": end["errors"],
            "strangers": end["strangers"]["digits"],
        }
        for run, end in ends
    ]


def scores_of(n, method, score):
    return np.array([run["scores"][method][score] for run in stored_runs() if run["n"] == n])


def right_share():
    monte_carlo, scaling, tempered = (scores_of(2_000, method, "nll").mean() for method in METHODS)
    return (scaling - tempered) / (scaling - monte_carlo)


def check_wins(gain, outcome, share):
    """A function (runs, n, score) -> differences, a dict size -> "wins" or "loses", and a share."""
    for n in (2_000, 20_000):
        for score in ("nll", "ece"):
            right = scores_of(n, "Monte Carlo", score) - scores_of(n, "weight scaling", score)
            found = gain(stored_runs(), n, score)
            found = expect.shape(found, right.shape, f"{len(right)} differences, one per draw, an array")
            rule = f"{score} of Monte Carlo minus weight scaling at {n:,} images, the first {right[0]:+.4f}"
            expect.that(is_close(found, right, 1e-6), rule, f"a first difference of {found[0]:+.4f}")
        expect.choice(written(outcome.get(n)), ("wins", "loses"))
    for n, right in ((2_000, "wins"), (20_000, "loses")):
        mean = (scores_of(n, "Monte Carlo", "ece") - scores_of(n, "weight scaling", "ece")).mean()
        why = beliefs.MC_ALWAYS_WINS if set(outcome.values()) == {"wins"} else None
        rule = "the sign of the difference in ECE, which is the same in all draws"
        got = f"{outcome[n]!r} at {n:,} images, where its mean is {mean:+.3f}"
        expect.that(outcome[n] == right, rule, got, why)
    one = beliefs.NO_MORE if is_close(share, 1, 0.05) else None
    why = beliefs.ONLY_PASSES if is_close(share, 0, 0.1) else one
    rule = "what + T lowers the mean NLL by, over what Monte Carlo lowers it by, at 2,000 images"
    expect.that(is_close(share, right_share(), 0.03), rule, f"{share}", why)


# --- 6. auroc ---

BEST = {"strangers": "mutual information", "errors": "max probability"}


def draw_doubts():
    """Scores (90,) with many ties, and Booleans (90,): True for 30 strangers, which score higher."""
    rng = np.random.default_rng(0)
    strange = rng.permutation(90) < 30
    return rng.integers(0, 6, 90) / 10 + 0.2 * strange, strange


def check_auroc(auroc, pick):
    """A function (scores, strange) -> AUROC, and a dict job -> name of the best score."""
    scores, strange = draw_doubts()
    right = roc_auc_score(strange, scores)
    difference = scores[strange][:, None] - scores[~strange]
    known = {
        beliefs.TIES: [(difference > 0).mean(), (difference >= 0).mean()],
        beliefs.DIRECTION_OF_SCORE: 1 - right,
        beliefs.THRESHOLD: ((scores > 0.5) == strange).mean(),
    }
    rule = f"an AUROC of {right:.4f} for 30 strangers and 60 known images"
    expect.close(auroc(scores.copy(), strange.copy()), right, rule, known, "{:.4f}", 1e-6)
    rule = "0.5 for a score that is always the same"
    expect.close(auroc(np.ones(90), strange), 0.5, rule, tolerance=1e-6)
    kinds = ("max probability", "entropy", "mutual information")
    for job, best in BEST.items():
        choice = expect.choice(written(pick.get(job)), kinds, f"one of {', '.join(kinds)}")
        mean = {kind: np.mean([run[job][f"Monte Carlo: {kind}"] for run in stored_runs()]) for kind in kinds}
        why = beliefs.ONE_FOR_ALL if set(pick.values()) == {"mutual information"} else None
        got = f"{choice!r} with {mean[choice]:.2f}, while {best!r} has {mean[best]:.2f}"
        expect.that(choice == best, f"the largest mean AUROC for {job}", got, why)


HINTS = {
    "forecasters": "All answers of one forecaster fall into one bin. For the NLL: how often does the true "
    "class have which probability?",
    "ece": "np.ceil(confidence * num_bins) gives the number of the bin, from 1. Loop over the bins that "
    "have answers, and compare with one bin: |accuracy - mean confidence|.",
    "temperature": "metrics.softmax(logits / temperature). For the fit, min(candidates, key=...) with "
    "metrics.nll. For the accuracy, compare argmax before and after.",
    "report": "Give test labels that are all wrong to the function: which of its two results may change, "
    "and which not?",
    "wins": 'Pick the runs with run["n"] == n and keep their order. The share has the gain of Monte Carlo '
    'below, and the gain of "weight scaling + T" above, both against "weight scaling".',
    "auroc": "scores[strange][:, None] - scores[~strange] holds all pairs. Count the positive ones, and "
    "half of the zeros. For the choice, average each AUROC over the runs.",
}
