"""The checks of chapter 11's exercises, and the wrong answers that they know by name."""

import copy
import functools
import math
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from utils import metrics
from utils.monte_carlo import predict_mc
from utils.selfcheck import Exercise, Misconception, Problem, check_truths, is_close, written
from utils.torch_training import fit, load_tensors, make_mlp, predict

P = 0.3
NO_GRAD = (
    "inference_mode() and no_grad() only stop recording for the backward pass. They know nothing of "
    "dropout, whose switch is the mode of its module: passes inside them differ as well."
)
KERAS_CALL = (
    "A plain Keras call is a prediction: its default is training=None, which means off outside fit. For "
    "Monte Carlo passes say training=True in every call, or use a layer whose call always drops."
)
SEED = (
    "A seed in front of every pass draws the same masks every time. The passes are copies of each other, "
    "and their standard deviation is 0. Set the seed once, before the loop."
)
MXNET = (
    "MXNet drops in training mode only, and a plain call is in prediction mode. Outside record() and "
    "train_mode() a hundred passes are a hundred equal answers."
)
RECORD = (
    "record() switches two things, recording and the mode. With train_mode=False it records, and the mode "
    "stays at prediction, so nothing is dropped."
)
TRAIN_MODE = (
    "Recording is for gradients, and dropout does not need it. autograd.train_mode() switches the mode "
    "alone, which is all that a Monte Carlo pass needs."
)
AVERAGED = (
    "The passes were averaged away. What Monte Carlo dropout adds is their spread, so keep them all, and "
    "average afterwards: with the first axis gone, no later line can tell how much they disagreed."
)
MC_TRAIN = (
    "model.train() switches batch normalisation as well: it then uses each batch's own statistics, and "
    "every pass moves its running statistics, even under no_grad(). Switch the Dropout modules alone."
)
EVAL = (
    "eval() is right for every layer but one: it switches dropout off too, so all passes are the same "
    "weight-scaled answer. Put the Dropout modules, and nothing else, back into training mode."
)
LOGITS = (
    "Averaging logits gives another prediction, the normalised geometric mean of the passes, and most of "
    "the Monte Carlo gain is gone. Take the softmax of each pass, then average probabilities."
)
LEFT_ON = (
    "Dropout was left on. The next person who predicts with this model gets one random pass, which is worse "
    "than weight scaling, and no message says so."
)
AFTER_MEAN = (
    "The mean came first and removed the axis of the passes, so axis 0 is now the examples. What came out is "
    "how much the images differ, the same row for every image, and not how much the passes disagree."
)
CLASSES = (
    "That is the spread over the classes: large when the net is sure, 0 when it says the same of every "
    "class. Doubt is the spread over the passes, axis 0."
)
STANDARD_ERROR = (
    "Divided by sqrt(T), it is the error of the average, and falls as you draw more passes. How much the "
    "passes disagree is their own standard deviation, which does not depend on T."
)
HALF = (
    "One half is the largest standard deviation only for a mean of one half. At a mean of 0 all the numbers "
    "are 0 and so is their standard deviation; in between the bound is sqrt(m (1-m))."
)
INTERVAL = (
    "Mean minus standard deviation may well be below 0: nine zeros and a single 1 have mean .1 and standard "
    "deviation .3. The values stay in [0, 1], the interval need not. The bound is sqrt(m (1-m))."
)
ENTROPY = (
    "That is the entropy of the mean, which counts all doubt. Passes that agree on fifty-fifty have as much "
    "of it as passes that contradict each other; subtract the mean entropy of the single passes."
)
SINGLE = (
    "That is the mean entropy of the single passes: how undecided each is by itself. It is what has to be "
    "subtracted, from the entropy of the mean."
)
SIGN = (
    "The two terms are the wrong way round. Averaging makes a distribution flatter, so the entropy of the "
    "mean is the larger one, and the difference is never below 0."
)
ZERO = (
    "At a probability of 0 the computer's 0 times ln 0 is NaN, although the limit is 0. A sure pass has such "
    "zeros, and one NaN spoils every later mean: let them add nothing."
)
ONE_OVER_T = (
    "The variance of an average falls like 1/T, so its standard deviation falls only like 1/sqrt(T). Ten "
    "times less noise costs a hundred times the passes."
)
MEAN_OF_NLLS = (
    "That averages the scores of single passes, and so it does not depend on the size of the group. Average "
    "the probabilities first and score the average: its NLL is never worse, because -ln is convex."
)
ONE_PASS = (
    "A single pass is one thinned subnetwork: it pays for the noise, and nothing is averaged yet. Weight "
    "scaling is close to an average of all of them. Monte Carlo pays after several passes."
)
POSTERIOR = (
    "A posterior sharpens with evidence; this spread does not. The fitted weights tend to q times the true "
    "w, so the variance tends to p q sum (w_j x_j)^2, and there is no N in it."
)
NO_PENALTY = (
    "That is plain least squares. The masks average to 1 and leave the mean of f alone, but they add "
    "variance, and a squared error counts it: (p/q) sum_j w_j^2 sum_i x_ij^2 comes on top."
)
OUTVOTED = (
    "That penalty does not grow with N, so the data would outvote it. Dropout draws a mask for every "
    "example: each one adds its own x_ij^2 to the penalty, which keeps pace with the data for ever."
)
KEEP = "p is the probability to DROP an input here, and q = 1-p: the noise is p/q, not q/p."


@contextmanager
def one_thread():
    """So small a net is fastest on one core, and waits for no other process."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def net_with_batch_norm():
    """Linear, batch norm, ReLU, dropout, linear: with every module that has two modes."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(P), nn.Linear(16, 3))


@functools.cache
@one_thread()
def load_passes():
    """(100 passes, weight scaling, labels) of 1,000 test images, from a net trained on 500 with p = 0.5."""
    data = load_tensors("fashion_mnist", num_train=500, seed=1)
    net = make_mlp((784, 128, 128, 10), (0.5, 0.5), seed=1)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    settings = {"num_epochs": 40, "batch_size": 50, "optimizer": optimizer, "seed": 1}
    fit(net, data["x_train"], data["y_train"], **settings)
    x = data["x_test"][:1_000]
    return predict_mc(net, x, num_samples=100, seed=1), predict(net, x), data["y_test"][:1_000].numpy()


def draw_regression(num_examples, seed):
    """Inputs (N, 5) and targets (N,) of a noisy linear function."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(num_examples, 5))
    return X, X @ [1.0, -2.0, 0.5, 1.5, -1.0] + rng.normal(0, 0.2, num_examples)


def some_passes(num_passes=40, num_examples=6, num_classes=3):
    """Probabilities (passes, examples, classes), none of them 0."""
    logits = np.random.default_rng(0).normal(size=(num_passes, num_examples, num_classes))
    logits[..., 0] += 0.2 * np.arange(num_examples)
    return metrics.softmax(2 * logits)


# --- 1. switches ---

SWITCHES = {
    "Keras: net(x)": (False, KERAS_CALL),
    "Keras: net(x, training=True)": (True, ""),
    "PyTorch: net.eval(), then its Dropout modules .train()": (True, ""),
    "PyTorch: the same, inside inference_mode()": (True, NO_GRAD),
    "PyTorch: the same, manual_seed(0) before each pass": (False, SEED),
    "Gluon: net(x)": (False, MXNET),
    "Gluon: net(x) inside record(train_mode=False)": (False, RECORD),
    "Gluon: net(x) inside train_mode(), without record()": (True, TRAIN_MODE),
}


def check_switches(differs):
    """A dict: way of asking -> True if the second pass can differ from the first."""
    right, whys = ({key: pair[k] for key, pair in SWITCHES.items()} for k in (0, 1))
    return check_truths(differs, right, whys)


# --- 2. loop ---


@one_thread()
def check_loop(mc_samples):
    """A function: (model, x, num_samples) -> array of probabilities (passes, examples, classes)."""
    model, x, num_samples = net_with_batch_norm(), torch.linspace(-2, 2, 48).reshape(8, 6), 400
    original = copy.deepcopy(model)
    before = original.state_dict()
    samples = np.asarray(written(mc_samples(model, x, num_samples)))
    if any(not torch.equal(before[name], value) for name, value in model.state_dict().items()):
        return Problem("batch norm's running statistics to stay", "they moved while predicting", MC_TRAIN)
    shape = (num_samples, 8, 3)
    if samples.shape != shape:
        why = AVERAGED if samples.shape == shape[1:] else ""
        return Problem(f"an array of shape {shape}", f"shape {samples.shape}", why)
    sums = samples.sum(axis=2)
    if abs(sums - 1).max() > 1e-4:
        got = f"rows that sum to between {sums.min():.2f} and {sums.max():.2f}"
        return Problem("probabilities: rows that sum to 1", got, LOGITS)
    if (samples == samples[0]).all():
        plain = predict(original, x)
        why = EVAL if np.allclose(samples[0], plain, atol=1e-5) else SEED
        return Problem("passes that differ", f"{num_samples} equal passes", why)
    reference = predict_mc(original, x, num_samples=2_000, seed=0)
    error = np.sqrt(reference.var(axis=0) * (1 / num_samples + 1 / 2_000))
    worst = (abs(samples.mean(axis=0) - reference.mean(axis=0)) / error).max()
    if worst > 5:
        expected = (
            "the same averages as 2,000 passes with dropout alone switched on, within 5 standard errors"
        )
        return Problem(expected, f"a difference of {worst:.0f} standard errors")
    if any(module.training for module in model.modules()):
        return Problem("a model that comes back in eval mode", "one in which dropout is on", LEFT_ON)
    return None


# --- 3. summary ---

POSSIBLE = {  # (mean, std): can numbers in [0, 1] have them?
    (0.0, 0.0): True,
    (0.0, 0.28): False,
    (0.1, 0.29): True,
    (0.1, 0.31): False,
    (0.2, 0.35): True,
    (0.5, 0.499): True,
    (0.5, 0.51): False,
    (0.99, 0.09): True,
    (0.99, 0.15): False,
    (1.0, 0.0): True,
}


def check_summary(fixed_summary, impossible):
    """Two functions: samples -> (mean, std) over the passes, and (mean, std) -> bool array."""
    samples = some_passes()
    pair = written(fixed_summary(samples))
    if not isinstance(pair, tuple) or len(pair) != 2:
        return Problem("a pair (mean, std)", f"{type(pair).__name__}")
    mean, std = map(np.asarray, pair)
    if mean.shape != (6, 3) or not np.allclose(mean, samples.mean(axis=0)):
        return Problem(
            "the mean over the passes, of shape (6, 3) for samples of shape (40, 6, 3)",
            f"shape {mean.shape}, first value {mean.ravel()[0]:.3f}, not {samples[:, 0, 0].mean():.3f}",
        )
    return _check_std(std, samples) or _check_impossible(impossible)


def _check_std(std, samples):
    expected = "the std over the passes, of shape (6, 3) for samples of shape (40, 6, 3)"
    if std.shape != (6, 3):
        whys = {(3,): AFTER_MEAN, (40, 6): CLASSES, (6,): CLASSES}
        return Problem(expected, f"shape {std.shape}", whys.get(std.shape, ""))
    if any(np.allclose(std, samples.std(axis=0, ddof=ddof)) for ddof in (0, 1)):
        return None
    if (std == std[0]).all():
        return Problem(expected, "the same row for every example", AFTER_MEAN)
    ratio = np.mean(std / samples.std(axis=0))
    why = STANDARD_ERROR if is_close(ratio * math.sqrt(40), 1, 0.02) else ""
    return Problem(expected, f"numbers {ratio:.2f} times as large", why)


def _check_impossible(impossible):
    mean, std = np.array(list(POSSIBLE)).T
    answers = np.asarray(written(impossible(mean, std)))
    if answers.shape != mean.shape or answers.dtype != bool:
        return Problem(
            "an array of True and False, one per pair", f"{answers.dtype} of shape {answers.shape}"
        )
    whys = {}
    for rule, why in ((std > 0.5, HALF), ((mean - std < 0) | (mean + std > 1), INTERVAL)):
        whys[tuple(rule)] = why
    for (m, s), possible, answer in zip(POSSIBLE, POSSIBLE.values(), answers, strict=True):
        if answer == possible:
            bound = math.sqrt(m * (1 - m))
            return Problem(
                f"{not possible} for mean {m} and std {s}, where the bound is {bound:.3f}",
                f"{answer}",
                whys.get(tuple(answers), ""),
            )
    return None


# --- 4. information ---

TOY = np.array(  # examples: sure and agree; undecided and agree; sure and contradict; mixed
    [
        [[1.0, 0.0], [0.5, 0.5], [1.0, 0.0], [0.9, 0.1]],
        [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0], [0.2, 0.8]],
    ]
)


def check_information(mutual_information):
    """A function: (passes, examples, classes) -> (examples,)."""
    samples = some_passes()
    found = np.asarray(written(mutual_information(samples)))
    if found.shape != (6,):
        return Problem("one number per example, shape (6,)", f"shape {found.shape}")
    right = metrics.mutual_information(samples)
    if not np.allclose(found, right):
        total, single = metrics.entropy(samples.mean(axis=0)), metrics.entropy(samples).mean(axis=0)
        known = [(total, ENTROPY), (single, SINGLE), (-right, SIGN)]
        why = "".join(why for wrong, why in known if np.allclose(found, wrong))
        expected = "the entropy of the mean less the mean of the entropies, in nats"
        return Problem(expected, f"{found[0]:.3f} and not {right[0]:.3f} for the first of 6 examples", why)
    with np.errstate(all="ignore"):
        found = np.asarray(mutual_information(TOY))
    if np.isnan(found).any():
        return Problem("0 for two sure passes that agree", f"{found[0]}", ZERO)
    if not np.allclose(found, metrics.mutual_information(TOY), atol=1e-6):
        return Problem("0, 0 and ln 2 for the chapter's three situations", f"{found[:3].round(3)}")
    return None


# --- 5. passes ---


def check_passes(needed, nll_of_average, better):
    """A number, a function (samples, y, size) -> mean NLL of the groups, and the name of the better one."""
    if not is_close(needed, 100, 0.5):
        expected = "a T for which 0.3 / sqrt(T) is 0.03"
        return Problem(expected, f"T = {needed}", ONE_OVER_T if is_close(needed, 10, 0.5) else "")
    samples, y = some_passes(12, 30, 4)[:, :, [2, 0, 3, 1]], np.arange(30) % 4
    for size in (3, 4, 1):
        groups = np.split(samples, len(samples) // size)
        right = np.mean([metrics.nll(group.mean(axis=0), y) for group in groups])
        found = written(nll_of_average(samples, y, size))
        if not is_close(found, right, 1e-4):
            logs = np.mean([metrics.nll(metrics.softmax(np.log(g).mean(axis=0)), y) for g in groups])
            known = {MEAN_OF_NLLS: np.mean([metrics.nll(probs, y) for probs in samples]), LOGITS: logs}
            why = next((why for why, wrong in known.items() if is_close(found, wrong, 1e-4)), "")
            expected = f"an NLL of {right:.4f} for the averages of {size} passes, of 12"
            return Problem(expected, f"{found:.4f}", why)
    if better not in ("one pass", "weight scaling"):
        return Problem('"one pass" or "weight scaling"', repr(better))
    if better == "one pass":
        samples, scaled, y = load_passes()
        one, plain = metrics.nll(samples[0], y), metrics.nll(scaled, y)
        got = f"one pass, although its NLL is {one:.2f} and that of weight scaling {plain:.2f}"
        return Problem("the one with the smaller NLL", got, ONE_PASS)
    return None


# --- 6. shrink ---


def _ridge(X, y, penalty):
    return np.linalg.solve(X.T @ X + np.diag(penalty), X.T @ y)


def check_shrink(fit, spread, factor):
    """Functions (X, y, p) -> weights and (w, x, p) -> variance of f(x), and the ratio of two variances."""
    X, y = draw_regression(60, 1)
    X = X * [1, 2, 3, 1, 0.5]
    squares = (X**2).sum(axis=0)
    found = np.asarray(written(fit(X.copy(), y.copy(), P)))
    if found.shape != (5,):
        return Problem("five weights, shape (5,)", f"shape {found.shape}")
    ratio = P / (1 - P)
    right = _ridge(X, y, ratio * squares)
    if not np.allclose(found, right, rtol=0.01, atol=0.002):
        known = [
            (NO_PENALTY, 0 * squares),
            (KEEP, squares / ratio),
            (OUTVOTED, np.full(5, ratio)),
        ]
        why = "".join(why for why, penalty in known if np.allclose(found, _ridge(X, y, penalty)))
        expected = "the w with the least squared error plus (p/q) sum_j w_j^2 sum_i x_ij^2; the first is"
        return Problem(f"{expected} {right[0]:.3f}", f"a first weight of {found[0]:.3f}", why)
    w, x = np.array([1.0, -2.0, 0.5]), np.array([2.0, 1.0, -3.0])
    total = ((w * x) ** 2).sum()
    variance = written(spread(w, x, P))
    if not is_close(variance, ratio * total, 0.1 * ratio * total):
        why = KEEP if is_close(variance, total / ratio, 0.1) else ""
        return Problem("a variance (p/q) sum (w_j x_j)^2", f"{variance / total:.2f} sum (w_j x_j)^2", why)
    variances = [ratio * (_ridge(X, y, ratio * (X**2).sum(axis=0)) ** 2).sum() for X, y in _two_sizes()]
    right = variances[1] / variances[0]
    if not is_close(factor, right, 0.06):
        why = POSTERIOR if is_close(factor, 0.01) or is_close(factor, 0.1) else ""
        return Problem("the variance at N = 20,000 over the variance at N = 200", f"{factor}", why)
    return None


def _two_sizes():
    return draw_regression(200, 0), draw_regression(20_000, 0)


EXERCISES = {
    "switches": Exercise(
        check_switches,
        "Ask of each: is dropout in training mode, and are the masks of the second pass newly drawn?",
    ),
    "loop": Exercise(
        check_loop,
        "First eval() for all, then .train() for the modules that are nn.Dropout. Take softmax(dim=1) of "
        "each pass, torch.stack the list, and call eval() before you return.",
    ),
    "summary": Exercise(
        check_summary,
        "Which axis is the passes, and which line removes it? For the test: for numbers in [0, 1] the mean "
        "of the squares is at most the mean.",
    ),
    "information": Exercise(
        check_information,
        "Write entropy(probs) over the last axis first, with np.where for zeros. Then use it twice.",
    ),
    "passes": Exercise(
        check_passes,
        "The noise is 0.3 / sqrt(T). In the function: slice, mean over axis 0, metrics.nll, in this order.",
    ),
    "shrink": Exercise(
        check_shrink,
        "E[m] = 1 and Var[m] = p/q. For the fit, set the gradient to zero: (X'X + D) w = X'y, where D is "
        "diagonal with p/q times the columns' sums of squares.",
    ),
}


# --- wrong answers, each built on one wrong idea ---


def _believe(situation):
    right = {key: value for key, (value, _) in SWITCHES.items()}
    return lambda: ({**right, situation: not right[situation]},)


def _loop(*, switch=None, finish=None, before_pass=None, after=None):
    """mc_samples with one thing changed."""

    def mc_samples(model, x, num_samples):
        (switch or _dropout_alone)(model)
        passes = []
        with torch.no_grad():
            for _ in range(num_samples):
                (before_pass or int)()
                passes.append((finish or torch.softmax)(model(x), 1))
        (after or nn.Module.eval)(model)
        return torch.stack(passes).numpy()

    return mc_samples


def _dropout_alone(model):
    model.eval()[3].train()


def _right_summary(samples):
    return samples.mean(axis=0), samples.std(axis=0)


def _right_impossible(mean, std):
    return std > np.sqrt(mean * (1 - mean)) + 1e-9


def _summary(std):
    return lambda: (lambda samples: (samples.mean(axis=0), std(samples)), _right_impossible)


def _raw_entropy(probs):
    return -(probs * np.log(probs)).sum(axis=-1)


def _right_nll(samples, y, size):
    groups = np.split(samples[: len(samples) // size * size], len(samples) // size)
    return np.mean([metrics.nll(group.mean(axis=0), y) for group in groups])


def _nll_of_logits(samples, y, size):
    groups = np.split(samples, len(samples) // size)
    return np.mean([metrics.nll(metrics.softmax(np.log(group).mean(axis=0)), y) for group in groups])


def _right_fit(X, y, p):
    return _ridge(X, y, p / (1 - p) * (X**2).sum(axis=0))


def _right_spread(w, x, p):
    return p / (1 - p) * ((w * x) ** 2).sum()


MISCONCEPTIONS = [
    Misconception(
        "no_grad() switches dropout off",
        "switches",
        _believe("PyTorch: the same, inside inference_mode()"),
        NO_GRAD,
    ),
    Misconception("a Keras call drops by itself", "switches", _believe("Keras: net(x)"), KERAS_CALL),
    Misconception(
        "a seed in the loop makes Monte Carlo repeatable",
        "switches",
        _believe("PyTorch: the same, manual_seed(0) before each pass"),
        SEED,
    ),
    Misconception(
        "a seed in the loop makes Monte Carlo repeatable",
        "loop",
        lambda: (_loop(before_pass=lambda: torch.manual_seed(0)),),
        SEED,
    ),
    Misconception("MXNet drops without record()", "switches", _believe("Gluon: net(x)"), MXNET),
    Misconception(
        "record() always switches dropout on",
        "switches",
        _believe("Gluon: net(x) inside record(train_mode=False)"),
        RECORD,
    ),
    Misconception(
        "Monte Carlo in MXNet needs record()",
        "switches",
        _believe("Gluon: net(x) inside train_mode(), without record()"),
        TRAIN_MODE,
    ),
    Misconception(
        "model.train() is harmless for MC when there is batch norm",
        "loop",
        lambda: (_loop(switch=lambda model: model.train()),),
        MC_TRAIN,
    ),
    Misconception(
        "eval() alone belongs before every prediction",
        "loop",
        lambda: (_loop(switch=lambda model: model.eval()),),
        EVAL,
    ),
    Misconception(
        "the average of the passes is all one needs",
        "loop",
        lambda: (lambda *task: _loop()(*task).mean(axis=0),),
        AVERAGED,
    ),
    Misconception(
        "logits may be averaged", "loop", lambda: (_loop(finish=lambda logits, dim: logits),), LOGITS
    ),
    Misconception(
        "logits may be averaged", "passes", lambda: (100, _nll_of_logits, "weight scaling"), LOGITS
    ),
    Misconception(
        "dropout may stay on after Monte Carlo", "loop", lambda: (_loop(after=lambda model: None),), LEFT_ON
    ),
    Misconception(
        "mean first, standard deviation next",
        "summary",
        _summary(lambda samples: samples.mean(axis=0).std(axis=0)),
        AFTER_MEAN,
    ),
    Misconception(
        "mean first, standard deviation next",
        "summary",
        _summary(lambda samples: np.tile(samples.mean(axis=0).std(axis=0), (6, 1))),
        AFTER_MEAN,
    ),
    Misconception(
        "the spread over the classes is the doubt",
        "summary",
        _summary(lambda samples: samples.mean(axis=0).std(axis=1)),
        CLASSES,
    ),
    Misconception(
        "more passes make the passes agree",
        "summary",
        _summary(lambda samples: samples.std(axis=0) / math.sqrt(len(samples))),
        STANDARD_ERROR,
    ),
    Misconception(
        "the std of a probability may always be up to one half",
        "summary",
        lambda: (_right_summary, lambda mean, std: std > 0.5),
        HALF,
    ),
    Misconception(
        "mean plus or minus std must stay between 0 and 1",
        "summary",
        lambda: (_right_summary, lambda mean, std: (mean - std < 0) | (mean + std > 1)),
        INTERVAL,
    ),
    Misconception(
        "entropy of the mean is the net's disagreement",
        "information",
        lambda: (lambda samples: metrics.entropy(samples.mean(axis=0)),),
        ENTROPY,
    ),
    Misconception(
        "the mean entropy of the passes is their disagreement",
        "information",
        lambda: (lambda samples: metrics.entropy(samples).mean(axis=0),),
        SINGLE,
    ),
    Misconception(
        "averaging passes makes the answer surer",
        "information",
        lambda: (lambda samples: -metrics.mutual_information(samples),),
        SIGN,
    ),
    Misconception(
        "a computer knows that 0 ln 0 is 0",
        "information",
        lambda: (lambda s: _raw_entropy(s.mean(axis=0)) - _raw_entropy(s).mean(axis=0),),
        ZERO,
    ),
    Misconception(
        "ten times the passes, a tenth of the noise",
        "passes",
        lambda: (10, _right_nll, "weight scaling"),
        ONE_OVER_T,
    ),
    Misconception(
        "the mean of the scores is the score of the mean",
        "passes",
        lambda: (100, lambda s, y, size: np.mean([metrics.nll(p, y) for p in s]), "weight scaling"),
        MEAN_OF_NLLS,
    ),
    Misconception(
        "one Monte Carlo pass beats weight scaling",
        "passes",
        lambda: (100, _right_nll, "one pass"),
        ONE_PASS,
    ),
    Misconception(
        "MC dropout is the true posterior and shrinks with data",
        "shrink",
        lambda: (_right_fit, _right_spread, 0.01),
        POSTERIOR,
    ),
    Misconception(
        "the masks average out of the loss",
        "shrink",
        lambda: (lambda X, y, p: _ridge(X, y, np.zeros(5)), _right_spread, 1.0),
        NO_PENALTY,
    ),
    Misconception(
        "enough data outvote the dropout penalty",
        "shrink",
        lambda: (lambda X, y, p: _ridge(X, y, np.full(5, p / (1 - p))), _right_spread, 1.0),
        OUTVOTED,
    ),
    Misconception(
        "p is the keep probability",
        "shrink",
        lambda: (lambda X, y, p: _right_fit(X, y, 1 - p), _right_spread, 1.0),
        KEEP,
    ),
    Misconception(
        "p is the keep probability",
        "shrink",
        lambda: (_right_fit, lambda w, x, p: _right_spread(w, x, 1 - p), 1.0),
        KEEP,
    ),
]
