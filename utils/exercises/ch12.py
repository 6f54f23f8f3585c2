"""The checks of chapter 12's exercises, and the wrong answers that they know by name."""

import warnings

import numpy as np

from utils import metrics
from utils.measured import load_results
from utils.selfcheck import Exercise, Misconception, Problem, is_close, written

TEMPERATURES = np.arange(0.3, 6, 0.02)
METHODS = ("Monte Carlo", "weight scaling", "weight scaling + T")

LOWER = (
    "A lower number is not a better one. To say .6 and be right on 80 percent misses by .2, exactly as much "
    "as to say 1.0. Calibrated means that the number said is the share counted, and the NLL punishes both "
    "directions."
)
IS_ACCURACY = (
    "That is 1 minus the accuracy. Calibration asks something else: does the share of right answers agree "
    "with the number said? Whoever says .8 and is right on 80 percent has an ECE of 0."
)
ECE_ALONE = (
    "An ECE of 0 needs no knowledge: say .1 of each of ten classes and be right on a tenth. ECE is not a "
    "proper score, so never let it choose alone. The NLL puts the ignorant forecaster last."
)
EQUAL_BINS = (
    "Every bin counted the same, however few answers are in it. A bin with two answers is nearly all noise; "
    "weight each distance by the share of answers in its bin."
)
SIGNED = (
    "The differences were added with their signs, so a bin that is too sure made up for one that is too shy. "
    "Take the absolute value in each bin, before the sum."
)
EACH_ANSWER = (
    "One answer is right or wrong, 1 or 0, so each by itself is far from a confidence of .7, even if the "
    "net keeps its word. Only a share over many answers can agree with it: average within the bin first."
)
TRUE_CLASS = (
    "The probability of the true class is not a confidence: whoever predicts does not know that class. "
    "The net says the probability of its top class; bin that one."
)
EMPTY = (
    "A bin without answers has no mean: 0 divided by 0 is NaN, and it spoils the sum. Such a bin has weight "
    "0, so leave it out."
)
ORDER = (
    "All logits of an image are divided by the same positive number, so their order stays and with it the "
    "top class. A temperature changes how sure the answers are, never which they are."
)
HOTTER = (
    "Multiplying makes the net surer: that is the temperature upside down. A high temperature means that the "
    "logits are divided, the probabilities come closer together, and the net is less sure."
)
PROBABILITIES = (
    "The temperature divides the logits, before the softmax. Probabilities divided by one number and made to "
    "sum to 1 again are what they were; a second softmax of them makes every net nearly ignorant."
)
ON_TEST = (
    "The labels of the test images helped to choose the temperature, so they no longer judge it: the NLL is "
    "better than on images to come. One number is fitted all the same. Choose on validation images alone."
)
ON_TRAIN = (
    "The net has learnt the training images by heart and is right about nearly all of them. There is nothing "
    "to repair on them, so the fit makes the net surer still. Choose on images that it has not seen."
)
JUDGED = (
    "The images that chose the temperature were also asked how good it is, and of course it suits them. "
    "Choose on the validation images, and judge on the test images."
)
ALWAYS = (
    "At 20,000 images Monte Carlo loses to weight scaling in every seed. Averaging over masks makes a net "
    "less sure, wanted or not: good for a net that is too sure, harmful for one that is not."
)
ONLY_PASSES = (
    "One temperature, without any mask, gets most of it. The net was too sure of everything, and a single "
    "number can repair that. Only the rest is what the passes know about single images."
)
NO_MORE = (
    "A temperature is most of the gain and not all of it: in every seed Monte Carlo stays about a hundredth "
    "of a nat ahead, because its doubt depends on the image and a temperature's does not."
)
TIES = (
    "Ties need a rule, and half a win is the fair one: a score that is the same for every image knows "
    "nothing, and only so it gets .5, the value of a coin."
)
CONFIDENCE = (
    "The direction is turned round: the scores are doubts, so a stranger should score higher. An AUROC far "
    "below .5 is nearly always a sign the wrong way round, not a bad score."
)
THRESHOLD = (
    "AUROC needs no threshold. It compares every stranger with every known image and depends on the order "
    "alone, so a score measured in other units keeps it. An accuracy at .5 does not."
)
ONE_FOR_ALL = (
    "There are two jobs. Passes disagree about what they have never seen, so mutual information finds "
    "strangers. An error is often a close call that the passes agree on; there it is the worst of the three."
)


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
        ("ignorant", 0.9): IS_ACCURACY,
        ("plain", 0.2): IS_ACCURACY,
        ("shy", 0.0): LOWER,
    }
    for name, right in ECE_OF.items():
        value = written(ece_of.get(name))
        if not is_close(value, right):
            why = "".join(why for (who, wrong), why in whys.items() if who == name and is_close(value, wrong))
            rule = f"the distance between the number said and the share right, for {name!r}"
            return Problem(rule, f"{value}", why)
    if best not in ECE_OF:
        return Problem('"ignorant", "shy" or "plain"', repr(best))
    if best != "plain":
        expected = "the name with the least mean of -ln of the probability given to the true class"
        nll = {"ignorant": np.log(10), "shy": _expected_nll(0.6), "plain": _expected_nll(0.8)}
        got = f"{best!r}, whose NLL is {nll[best]:.2f}, while the smallest is {nll['plain']:.2f}"
        return Problem(expected, got, {"shy": LOWER, "ignorant": ECE_ALONE}[best])
    return None


def _expected_nll(said, right=0.8):
    return -right * np.log(said) - (1 - right) * np.log((1 - said) / 9)


# --- 2. ece ---


def draw_confident(num_examples=400):
    """Probabilities (n, 3) and classes: right on about 3 of 4 answers, whatever the confidence."""
    rng = np.random.default_rng(0)
    probs = metrics.softmax(2 * rng.normal(size=(num_examples, 3)))
    shift = np.where(rng.random(num_examples) < 0.75, 0, rng.integers(1, 3, num_examples))
    return probs, (probs.argmax(axis=1) + shift) % 3


def _binned(confidence, right, num_bins):
    """Count, mean confidence and share right of the bins that hold answers."""
    place = np.clip(np.ceil(confidence * num_bins).astype(int) - 1, 0, num_bins - 1)
    count, *sums = (np.bincount(place, w, num_bins) for w in (None, confidence, right))
    return count[count > 0], *(s[count > 0] / count[count > 0] for s in sums)


def check_ece(ece):
    """A function: (probs, y, num_bins) -> expected calibration error."""
    probs, y = draw_confident()
    for num_bins in (12, 5, 1):
        with warnings.catch_warnings():  # of a mean of nothing; a warning would mark the cell as failed
            warnings.simplefilter("ignore")
            found = written(ece(probs.copy(), y.copy(), num_bins))
        right = metrics.ece(probs, y, num_bins)
        if not is_close(found, right, 1e-6):
            expected = f"an ECE of {right:.4f} for 400 answers in {num_bins} bins"
            return Problem(expected, f"{found:.4f}", _why_not(found, probs, y, num_bins))
    return None


def _why_not(found, probs, y, num_bins):
    if np.isnan(found):
        return EMPTY
    confidence, right = probs.max(axis=1), probs.argmax(axis=1) == y
    _, said, share = _binned(confidence, right, num_bins)
    chosen = probs[np.arange(len(y)), y]
    true_count, true_said, true_share = _binned(chosen, right, num_bins)
    known = [
        (abs(share - said).mean(), EQUAL_BINS),
        (abs(share - said).sum() / num_bins, EQUAL_BINS),
        (abs(confidence.mean() - right.mean()), SIGNED),
        (confidence.mean() - right.mean(), SIGNED),
        (right.mean() - confidence.mean(), SIGNED),
        (abs(right - confidence).mean(), EACH_ANSWER),
        ((true_count * abs(true_share - true_said)).sum() / len(y), TRUE_CLASS),
    ]
    return next((why for wrong, why in known if is_close(found, wrong, 1e-6)), "")


# --- 3. temperature ---


def check_temperature(temper, fit_temperature, accuracy_change):
    """Functions (logits, T) -> probabilities and (logits, y) -> T, and the change of the accuracy."""
    logits, y = draw_answers(1_000, 5, 2.5)
    found = np.asarray(written(temper(logits.copy(), 2.0)))
    if found.shape != logits.shape:
        return Problem(f"probabilities of shape {logits.shape}", f"shape {found.shape}")
    plain = metrics.softmax(logits)
    if not np.allclose(found, metrics.softmax(logits / 2), atol=1e-6):
        known = [(metrics.softmax(2 * logits), HOTTER), (plain, PROBABILITIES)]
        known += [(metrics.softmax(plain / 2), PROBABILITIES), (plain / 2, PROBABILITIES)]
        why = next((why for wrong, why in known if np.allclose(found, wrong, atol=1e-6)), "")
        wanted = metrics.softmax(logits / 2).max(axis=1).mean()
        expected = (
            f"softmax of the logits divided by 2, a mean confidence of {wanted:.2f}, at a temperature of 2"
        )
        return Problem(expected, f"a mean confidence of {found.max(axis=1).mean():.2f}", why)
    with np.errstate(all="ignore"):
        if not np.isfinite(temper(np.array([[2000.0, 0.0]]), 2.0)).all():
            return Problem("finite probabilities for a logit of 2,000", "NaN")
    best, fitted = best_temperature(logits, y), written(fit_temperature(logits.copy(), y.copy()))
    if not is_close(fitted, best, 0.06):
        expected = f"T near {best:.2f}, where the NLL of the check's 1,000 images is least"
        return Problem(expected, f"T = {fitted:.2f}", HOTTER if is_close(fitted, 1 / best, 0.05) else "")
    if not is_close(accuracy_change, 0, 1e-6):
        shares = [metrics.accuracy(probs, y) for probs in (plain, found)]
        got = f"{accuracy_change}, while a net has {shares[0]:.3f} at T = 1 and {shares[1]:.3f} at T = 2"
        return Problem("the change of the share of right top classes", got, ORDER)
    return None


# --- 4. report ---


def check_report(fixed_report):
    """A function: (train, val, test), pairs of logits and labels -> (temperature, NLL on the test part)."""
    train, val, test = draw_parts(7, (2.5, 1.3))
    pair = written(fixed_report(train, val, test))
    if not isinstance(pair, tuple) or len(pair) != 2:
        return Problem("a pair (temperature, NLL)", f"{type(pair).__name__}")
    found, score = pair
    best = best_temperature(*val)
    if not is_close(found, best, 0.06):
        both = tuple(np.concatenate(arrays) for arrays in zip(val, test, strict=True))
        known = [(test, ON_TEST), (both, ON_TEST), (train, ON_TRAIN)]
        why = next((why for part, why in known if is_close(found, best_temperature(*part), 0.06)), "")
        expected = f"T near {best:.2f}, which does not move when the test labels change"
        return Problem(expected, f"T = {found:.2f}", why)
    right = nll_at(found, *test)
    if not is_close(score, right, 1e-4):
        why = JUDGED if is_close(score, nll_at(found, *val), 1e-4) else ""
        return Problem(f"the NLL of the test part, {right:.3f}", f"{score:.3f}", why)
    return None


# --- 5. wins ---


def stored_runs():
    return load_results("12_is_it_calibrated")["runs"]


def _scores(n, method, score):
    return np.array([run["scores"][method][score] for run in stored_runs() if run["n"] == n])


def _share():
    monte_carlo, scaling, tempered = (_scores(2_000, method, "nll").mean() for method in METHODS)
    return (scaling - tempered) / (scaling - monte_carlo)


def check_wins(gain, outcome, share):
    """A function (runs, n, score) -> differences, a dict size -> "wins" or "loses", and a share."""
    for n in (2_000, 20_000):
        for score in ("nll", "ece"):
            found = np.asarray(written(gain(stored_runs(), n, score)))
            right = _scores(n, "Monte Carlo", score) - _scores(n, "weight scaling", score)
            if found.shape != (3,):
                return Problem("three differences, one per seed", f"shape {found.shape}")
            if not np.allclose(found, right):
                expected = f"{score} of Monte Carlo minus weight scaling at {n:,} images, the first"
                return Problem(f"{expected} {right[0]:+.4f}", f"a first difference of {found[0]:+.4f}")
        if written(outcome.get(n)) not in ("wins", "loses"):
            return Problem('"wins" or "loses"', repr(outcome[n]))
    rule = "the sign of the difference in NLL, which is the same in all three seeds"
    for n, right in ((2_000, "wins"), (20_000, "loses")):
        if outcome[n] != right:
            mean = (_scores(n, "Monte Carlo", "nll") - _scores(n, "weight scaling", "nll")).mean()
            why = ALWAYS if set(outcome.values()) == {"wins"} else ""
            return Problem(rule, f"{outcome[n]!r} at {n:,} images, where its mean is {mean:+.3f}", why)
    right = _share()
    if not is_close(share, right, 0.03):
        why = ONLY_PASSES if is_close(share, 0, 0.1) else NO_MORE if is_close(share, 1, 0.05) else ""
        rule = "what + T lowers the mean NLL by, over what Monte Carlo lowers it by"
        return Problem(f"{rule}, at 2,000 images", f"{share}", why)
    return None


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
    found = written(auroc(scores.copy(), strange.copy()))
    right = metrics.auroc(scores, strange)
    if not is_close(found, right, 1e-6):
        difference = scores[strange][:, None] - scores[~strange]
        known = [
            ((difference > 0).mean(), TIES),
            ((difference >= 0).mean(), TIES),
            (1 - right, CONFIDENCE),
            (((scores > 0.5) == strange).mean(), THRESHOLD),
        ]
        why = next((why for wrong, why in known if is_close(found, wrong, 1e-6)), "")
        return Problem(f"an AUROC of {right:.4f} for 30 strangers and 60 known images", f"{found:.4f}", why)
    constant = auroc(np.ones(90), strange)
    if not is_close(constant, 0.5, 1e-6):
        return Problem("0.5 for a score that is always the same", f"{constant}")
    for job, best in BEST.items():
        choice = written(pick.get(job))
        kinds = ("max probability", "entropy", "mutual information")
        if choice not in kinds:
            return Problem(f"one of {', '.join(kinds)}", repr(choice))
        if choice != best:
            mean = {k: np.mean([run[job][f"Monte Carlo: {k}"] for run in stored_runs()]) for k in kinds}
            everywhere = set(pick.values()) == {"mutual information"}
            got = f"{choice!r} with {mean[choice]:.2f}, while {best!r} has {mean[best]:.2f}"
            return Problem(f"the largest mean AUROC for {job}", got, ONE_FOR_ALL if everywhere else "")
    return None


EXERCISES = {
    "forecasters": Exercise(
        check_forecasters,
        "All answers of one forecaster fall into one bin. For the NLL: how often does "
        "the true class have which probability?",
    ),
    "ece": Exercise(
        check_ece,
        "np.ceil(confidence * num_bins) gives the number of the bin, from 1. Loop over the bins that have "
        "answers, and compare with one bin: |accuracy - mean confidence|.",
    ),
    "temperature": Exercise(
        check_temperature,
        "metrics.softmax(logits / temperature). For the fit, min(candidates, key=...) with metrics.nll. For "
        "the accuracy, compare argmax before and after.",
    ),
    "report": Exercise(
        check_report,
        "Give test labels that are all wrong to the function: which of its two results may change, and which "
        "not?",
    ),
    "wins": Exercise(
        check_wins,
        'Pick the runs with run["n"] == n and keep their order. The share has the gain of Monte Carlo below, '
        'and the gain of "weight scaling + T" above, both against "weight scaling".',
    ),
    "auroc": Exercise(
        check_auroc,
        "scores[strange][:, None] - scores[~strange] holds all pairs. Count the positive ones, and half of "
        "the zeros. For the choice, average each AUROC over the runs.",
    ),
}


# --- wrong answers, each built on one wrong idea ---


def _ece_with(distance, of="top"):
    """ece with another rule: distance(count, said, share, num_bins)."""

    def ece(probs, y, num_bins):
        right = probs.argmax(axis=1) == y
        confidence = probs.max(axis=1) if of == "top" else probs[np.arange(len(y)), y]
        return distance(*_binned(confidence, right, num_bins), num_bins)

    return ece


def _weighted(count, said, share, num_bins):
    return (count * abs(share - said)).sum() / count.sum()


def _ece_with_empty_bins(probs, y, num_bins):
    place = np.ceil(probs.max(axis=1) * num_bins).astype(int) - 1
    right = probs.argmax(axis=1) == y
    bins = [place == k for k in range(num_bins)]
    return sum(abs(right[b].mean() - probs.max(axis=1)[b].mean()) * b.mean() for b in bins)


def _temper(logits, temperature):
    return metrics.softmax(logits / temperature)


def _temper_probabilities(logits, temperature):
    divided = metrics.softmax(logits) / temperature
    return divided / divided.sum(axis=1, keepdims=True)


def _report_on(choose):
    """A report that fits on choose(train, val, test)."""

    def report(train, val, test):
        best = best_temperature(*choose(train, val, test))
        return best, nll_at(best, *test)

    return report


def _judge_on_validation(train, val, test):
    best = best_temperature(*val)
    return best, nll_at(best, *val)


def _gain(runs, n, score):
    monte_carlo, scaling = (
        np.array([run["scores"][method][score] for run in runs if run["n"] == n]) for method in METHODS[:2]
    )
    return monte_carlo - scaling


OUTCOME = {2_000: "wins", 20_000: "loses"}


def _wins(outcome=OUTCOME, share=None):
    return lambda: (_gain, outcome, _share() if share is None else share)


def _pairs(scores, strange):
    return scores[strange][:, None] - scores[~strange]


MISCONCEPTIONS = [
    Misconception(
        "lower confidence is better",
        "forecasters",
        lambda: ({**ECE_OF, "shy": 0.0}, "plain"),
        LOWER,
    ),
    Misconception("lower confidence is better", "forecasters", lambda: (ECE_OF, "shy"), LOWER),
    Misconception(
        "calibration is accuracy",
        "forecasters",
        lambda: ({"ignorant": 0.9, "shy": 0.2, "plain": 0.2}, "plain"),
        IS_ACCURACY,
    ),
    Misconception(
        "calibration is accuracy",
        "forecasters",
        lambda: ({"ignorant": 0.0, "shy": 0.2, "plain": 0.2}, "plain"),
        IS_ACCURACY,
    ),
    Misconception(
        "the model with the smallest ECE is the best", "forecasters", lambda: (ECE_OF, "ignorant"), ECE_ALONE
    ),
    Misconception(
        "every bin of the ECE counts the same",
        "ece",
        lambda: (_ece_with(lambda count, said, share, num_bins: abs(share - said).mean()),),
        EQUAL_BINS,
    ),
    Misconception(
        "every bin of the ECE counts the same",
        "ece",
        lambda: (_ece_with(lambda count, said, share, num_bins: abs(share - said).sum() / num_bins),),
        EQUAL_BINS,
    ),
    Misconception(
        "too shy here makes up for too sure there",
        "ece",
        lambda: (lambda probs, y, num_bins: metrics.ece(probs, y, 1),),
        SIGNED,
    ),
    Misconception(
        "a single answer shows whether a confidence was right",
        "ece",
        lambda: (lambda probs, y, num_bins: abs((probs.argmax(1) == y) - probs.max(1)).mean(),),
        EACH_ANSWER,
    ),
    Misconception(
        "the confidence is the probability of the true class",
        "ece",
        lambda: (_ece_with(_weighted, of="true"),),
        TRUE_CLASS,
    ),
    Misconception("an empty bin has a mean", "ece", lambda: (_ece_with_empty_bins,), EMPTY),
    Misconception(
        "a temperature changes the accuracy",
        "temperature",
        lambda: (_temper, best_temperature, -2.0),
        ORDER,
    ),
    Misconception(
        "a higher temperature makes a net surer",
        "temperature",
        lambda: (lambda logits, t: metrics.softmax(logits * t), best_temperature, 0),
        HOTTER,
    ),
    Misconception(
        "a higher temperature makes a net surer",
        "temperature",
        lambda: (_temper, lambda logits, y: 1 / best_temperature(logits, y), 0),
        HOTTER,
    ),
    Misconception(
        "a temperature divides the probabilities",
        "temperature",
        lambda: (_temper_probabilities, best_temperature, 0),
        PROBABILITIES,
    ),
    Misconception(
        "a temperature divides the probabilities",
        "temperature",
        lambda: (lambda logits, t: metrics.softmax(metrics.softmax(logits) / t), best_temperature, 0),
        PROBABILITIES,
    ),
    Misconception(
        "a single number may be fitted on the test images",
        "report",
        lambda: (_report_on(lambda train, val, test: test),),
        ON_TEST,
    ),
    Misconception(
        "a single number may be fitted on the test images",
        "report",
        lambda: (_report_on(lambda train, val, test: map(np.concatenate, zip(val, test, strict=True))),),
        ON_TEST,
    ),
    Misconception(
        "the training images are best for every fit",
        "report",
        lambda: (_report_on(lambda train, val, test: train),),
        ON_TRAIN,
    ),
    Misconception(
        "what chose a setting may also judge it", "report", lambda: (_judge_on_validation,), JUDGED
    ),
    Misconception(
        "Monte Carlo dropout always improves the confidence",
        "wins",
        _wins({2_000: "wins", 20_000: "wins"}),
        ALWAYS,
    ),
    Misconception("no single number does what fifty passes do", "wins", _wins(share=0.0), ONLY_PASSES),
    Misconception("Monte Carlo dropout is nothing but a temperature", "wins", _wins(share=1.0), NO_MORE),
    Misconception(
        "a tie needs no rule",
        "auroc",
        lambda: (lambda scores, strange: (_pairs(scores, strange) > 0).mean(), BEST),
        TIES,
    ),
    Misconception(
        "a tie needs no rule",
        "auroc",
        lambda: (lambda scores, strange: (_pairs(scores, strange) >= 0).mean(), BEST),
        TIES,
    ),
    Misconception(
        "the direction of a score does not matter",
        "auroc",
        lambda: (lambda scores, strange: metrics.auroc(-scores, strange), BEST),
        CONFIDENCE,
    ),
    Misconception(
        "AUROC is an accuracy at some threshold",
        "auroc",
        lambda: (lambda scores, strange: ((scores > 0.5) == strange).mean(), BEST),
        THRESHOLD,
    ),
    Misconception(
        "the best measure of doubt is the best for every job",
        "auroc",
        lambda: (metrics.auroc, dict.fromkeys(BEST, "mutual information")),
        ONE_FOR_ALL,
    ),
]
