"""The checks of chapter 08's exercises, and the wrong answers that they know by name."""

import functools
import json
from numbers import Real

import numpy as np
import torch

from utils.measured import load_results
from utils.metrics import nll
from utils.selfcheck import Exercise, Misconception, Problem, is_close, written
from utils.torch_training import fit, load_tensors, make_mlp, predict

KEEP = (
    "Papers of that time write p for the probability to KEEP a unit; in this course and in every framework "
    "p is the probability to DROP it, so their p is our 1-p."
)
PROPORTIONAL = (
    "The noise p/(1-p) does not grow in step with p: at 0.4 it is 0.67, at 0.8 it is 4. The scale of p is "
    "crowded near 1; solve p/(1-p) = v for p = v/(1+v)."
)
ONE_SEED = (
    "One run is an anecdote: another seed has other images, weights and masks, and often another winner. "
    "The spread over seeds says how much of a difference is chance."
)
BEST_SEED = (
    "The best run of each setting is its luckiest: with more seeds it gets better without any change of "
    "the setting. Compare means over all seeds, not lucky draws."
)
UNPAIRED = (
    "Those are differences between different seeds. The same seed means the same images and first weights, "
    "so take the difference within each seed: then what both runs share cancels."
)
NEAR_INPUT = (
    "The advice of a lower p near the input is about the inputs themselves. The first hidden layer of this "
    "net reads 784 pixels and has most of the weights: that is where few images are learnt by heart."
)
MORE = (
    "More is better only up to a point. At p = 0.9 the noise p/(1-p) is 9 and a tenth of the units is at "
    "work: the net can no longer learn even its training images."
)
TEST_CHOSEN = (
    "The test set has chosen the epoch, so its loss there is the lowest of many tries: too good, and no "
    "longer a measurement on unseen data. Let the validation loss choose."
)
VAL_REPORTED = (
    "The validation loss chose the epoch, so at that epoch it is the lowest of many tries and too good. "
    "Report the loss on data that had no part in the choice: the test loss at that epoch."
)
LAST = (
    "Early stopping keeps the weights of the best epoch, not those of the last one: by then the loss may "
    "have turned up for a long time. Remember the epoch with the lowest validation loss."
)
NO_STOP = (
    "Dropout delays overfitting and weakens it; it does not abolish it. Trained long enough, the net with "
    "dropout learns its images by heart as well, and its loss turns up."
)
FASTER = (
    "Dropout makes training slower: each step sees a noisy, thinned network, so the best epoch comes later. "
    "What it may buy is a lower loss there, not an earlier epoch."
)
NARROW = (
    "A small net underfits: it has no capacity to spare, and dropout takes many of its units away in each "
    "step. Dropout cures overfitting; where there is none, it only costs."
)
WIDE = (
    "The wide net has the most weights to learn images by heart with, so it overfits most, and there "
    "dropout saves most. Its many units can spare the dropped ones."
)
ADD_UP = (
    "The gains do not add up. Weight decay and dropout fight the same overfitting, and what one has cured "
    "the other cannot cure again; the rest is the overlap."
)
TOO_MUCH = (
    "A weight decay of 3 is a good cure by itself, and so is p = 0.5; both at full strength treat the net "
    "twice. It then underfits: tune them together, with less of each."
)


def is_scalar(value):
    return isinstance(value, Real) and not isinstance(value, bool)


# --- 1. numbers ---


def check_numbers(p_double, num_units, p_inputs):
    """Numbers: the p of twice the noise of 0.4, a width, a paper's p in our terms."""
    rule = "the p with p/(1-p) = 2 * 0.4/0.6"
    if not is_close(p_double, 4 / 7):
        return Problem(rule, f"{p_double}", PROPORTIONAL if is_close(p_double, 0.8) else "")
    if not is_close(num_units, 200, 0.5):
        rule = "a width n with n times the probability to keep = 120"
        return Problem(rule, f"{num_units}", KEEP if is_close(num_units, 120 / 0.4, 0.5) else "")
    if not is_close(p_inputs, 0.2):
        rule = "the probability to drop an input"
        return Problem(rule, f"{p_inputs}", KEEP if is_close(p_inputs, 0.8) else "")
    return None


# --- 2. seeds ---

SHARED = {11: 0.9, 12: 0.5, 13: 0.7, 14: 0.82}  # what a seed does to every setting
SAVED = {11: 0.08, 12: 0.13, 13: 0.10, 14: 0.05}  # what the setting saves with that seed


def check_seeds(nll_saved):
    """A function: (run, setting, baseline, seeds) -> (mean, lowest, highest)."""
    calls = []

    def run(*, seed, drop_probs=(0.0, 0.0), width=128):
        calls.append((drop_probs, width, seed))
        saved = SAVED[seed] if drop_probs == (0.3, 0.1) else 0
        return {"nll": SHARED[seed] + width / 1000 - saved}

    setting, seeds = {"drop_probs": (0.3, 0.1), "width": 64}, tuple(SHARED)
    answer = written(nll_saved(run, setting, {"width": 64}, seeds))
    if not isinstance(answer, tuple) or len(answer) != 3 or not all(map(is_scalar, answer)):
        return Problem("three numbers (mean, lowest, highest)", repr(answer))
    used = {seed for *_, seed in calls}
    if len(used) == 1:
        return Problem(f"a run of either setting for each of {len(seeds)} seeds", "a single seed", ONE_SEED)
    right = {((*probs,), 64, seed) for probs in ((0.3, 0.1), (0.0, 0.0)) for seed in seeds}
    if set(calls) != right:
        return Problem(
            f"a run of the setting and of the baseline, both of width 64, for each of {len(seeds)} seeds",
            f"{len(set(calls) & right)} of these {len(right)} runs, and {len(set(calls) - right)} others",
        )
    return _check_differences(answer)


def _check_differences(answer):
    saved = np.array(list(SAVED.values()))
    base = np.array(list(SHARED.values())) + 0.064
    right = saved.mean(), saved.min(), saved.max()
    if np.allclose(answer, right, atol=1e-9):
        return None
    ends = base.min() - (base - saved).max(), base.max() - (base - saved).min()
    mean, low, high = answer
    why = ""
    if is_close(mean, base.min() - (base - saved).min(), 1e-9):
        why = BEST_SEED
    elif is_close(low, ends[0], 1e-9) and is_close(high, ends[1], 1e-9):
        why = UNPAIRED
    return Problem(
        "mean {:.3f}, lowest {:.3f}, highest {:.3f}, for runs whose differences within the seeds are "
        "0.08, 0.13, 0.10, 0.05".format(*right),
        "{:.3f}, {:.3f}, {:.3f}".format(*answer),
        why,
    )


# --- 3. layers ---


def run(*, seed, drop_probs=(0.0, 0.0), width=128):
    """Train 784-width-width-10 for 40 epochs on 500 images of Fashion-MNIST, as the seed chooses.

    Returns a dict: the lists `val_nll` and `test_nll` with an entry for every other epoch, each on 1,000
    images with dropout off; and `nll`, the last validation loss. The same call is trained once and then
    remembered, which is safe since the result depends on the arguments alone.
    """
    val_nll, test_nll = _train(int(seed), tuple(map(float, drop_probs)), int(width))
    return {"nll": val_nll[-1], "val_nll": list(val_nll), "test_nll": list(test_nll)}


@functools.cache
def _pool():
    """5,000 images to choose training images from, 1,000 for validation, and test images."""
    data = load_tensors("fashion_mnist", num_train=5000, num_val=1000, seed=0)
    return {name: values[:5000].clone() for name, values in data.items()}


@functools.cache
def _train(seed, drop_probs, width):
    pool, chosen = _pool(), np.random.default_rng(seed).permutation(5000)[:500]
    model = make_mlp((784, width, width, 10), drop_probs, seed=seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    val_nll, test_nll = [], []

    def look(epoch):
        if epoch % 2 == 0:
            val_nll.append(nll(predict(model, pool["x_val"]), pool["y_val"].numpy()))
            test_nll.append(nll(predict(model, pool["x_test"][:1000]), pool["y_test"][:1000].numpy()))

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # batches this small are slower on two
    try:
        fit(
            model,
            pool["x_train"][chosen],
            pool["y_train"][chosen],
            num_epochs=40,
            batch_size=50,
            optimizer=optimizer,
            seed=seed,
            after_epoch=look,
        )
    finally:
        torch.set_num_threads(threads)
    return val_nll, test_nll


PAIRS = ((0.2, 0.5), (0.5, 0.2), (0.9, 0.9))


def _bad_triple(answers, keys):
    """The Problem of a dict that does not hold (mean, lowest, highest) for every key, or None."""
    if not isinstance(answers, dict) or set(answers) != set(keys):
        return Problem(f"a dict with the keys {', '.join(map(str, keys))}", repr(answers))
    for key, triple in answers.items():
        if not isinstance(triple, tuple) or len(triple) != 3 or not triple[1] <= triple[0] <= triple[2]:
            return Problem(f"(mean, lowest, highest) for {key}", repr(triple))
    return None


def check_layers(saved, best):
    """A dict of pair -> (mean, lowest, highest) NLL saved, and the best pair."""
    problem = _bad_triple(saved, PAIRS)
    if problem:
        return problem
    d2l, swapped, heavy = (saved[pair][0] for pair in PAIRS)
    seen = f"{d2l:.3f}, {swapped:.3f} and {heavy:.3f} for {', '.join(map(str, PAIRS))}"
    if not swapped > d2l > max(heavy, 0):
        return Problem(
            "the first two pairs to save NLL, the second more than the first, and the third to lose", seen
        )
    if best not in PAIRS:
        return Problem(f"one of the pairs {', '.join(map(str, PAIRS))}", repr(best))
    if best != PAIRS[1]:
        why = NEAR_INPUT if best == PAIRS[0] else MORE
        return Problem("the pair that saves most NLL on average", f"{best}, although they save {seen}", why)
    return None


# --- 4. epochs ---


def check_epochs(stopped, cost, verdict):
    """A function (val_nll, test_nll) -> (look, loss), a dict of two losses, and a letter."""
    return _check_stopped(stopped) or _check_verdict(cost, verdict)


def _check_stopped(stopped):
    val, test = [1.0, 0.8, 0.7, 0.75, 0.9], [1.05, 0.85, 0.81, 0.72, 0.95]
    pair = written(stopped(list(val), list(test)))
    if not isinstance(pair, tuple) or len(pair) != 2:
        return Problem("a pair (look, loss)", f"{type(pair).__name__}")
    if pair == (2, 0.81):
        return None
    why = {(3, 0.72): TEST_CHOSEN, (2, 0.7): VAL_REPORTED, (4, 0.95): LAST}.get(pair, "")
    return Problem(
        f"the look that validation chooses, and a loss that had no part in the choice, for validation "
        f"losses {val} and test losses {test}",
        f"look {pair[0]} and loss {pair[1]}",
        why,
    )


def _check_verdict(cost, verdict):
    keys = {"without", "with"}
    if not isinstance(cost, dict) or set(cost) != keys or not all(map(is_scalar, cost.values())):
        return Problem('a dict with a number for "without" and one for "with"', repr(cost))
    seen = f"{cost['without']:.3f} NLL lost without dropout, {cost['with']:.3f} with it"
    if not cost["without"] > cost["with"] > 0:
        return Problem("NLL lost by not stopping, and less of it with dropout", seen)
    if verdict not in ("a", "b", "c"):
        return Problem('one of the letters "a", "b", "c"', repr(verdict))
    if verdict != "b":
        return Problem(
            "what the measurement says of 40 epochs",
            f'"{verdict}", although {seen}',
            NO_STOP if verdict == "a" else FASTER,
        )
    return None


# --- 5. width ---


def check_width(gain, narrow, wide):
    """A dict of width -> (mean, lowest, highest) NLL saved, and "helps" or "hurts" for either width."""
    problem = _bad_triple(gain, (16, 128))
    if problem:
        return problem
    for word in (narrow, wide):
        if word not in ("helps", "hurts"):
            return Problem('"helps" or "hurts"', repr(word))
    seen = {width: f"{triple[0]:.3f} NLL saved at width {width}" for width, triple in gain.items()}
    if not gain[16][0] < 0 < gain[128][0]:
        return Problem(
            "NLL lost by dropout at one of the widths, and saved at the other", " and ".join(seen.values())
        )
    if narrow == "helps":
        return Problem("the sign of the measured gain", f'"helps", although {seen[16]}', NARROW)
    if wide == "hurts":
        return Problem("the sign of the measured gain", f'"hurts", although {seen[128]}', WIDE)
    return None


# --- 6. decay ---


def load_decay():
    """Validation NLL of the stored sweep: (weight decay, p) -> array of five seeds."""
    losses = {}
    for key, result in load_results("08_how_much").items():
        setting = json.loads(key)
        p, other = setting.pop("drop_probs")[0], setting.pop("weight_decay")
        of_experiment = {"name": "fashion_mnist", "num_train": 2000, "width": 256, "num_updates": 600}
        if setting == of_experiment and json.loads(key)["drop_probs"] in ([0.0, 0.0], [0.5, 0.5]):
            losses[other, p] = np.array(result["val_nll"])
    return losses


def check_decay(savings, add_up, choice):
    """A function (losses, decay) -> four numbers, a bool, and a pair (decay, p)."""
    values = {(0.0, 0.0): 0.9, (0.0, 0.5): 0.7, (2.0, 0.0): 0.8, (2.0, 0.5): 0.65, (4.0, 0.5): 0.1}
    seeds = np.array([-0.02, 0.05, 0.03])
    answer = written(savings({pair: value + seeds for pair, value in values.items()}, 2.0))
    if not isinstance(answer, tuple) or len(answer) != 4 or not all(map(is_scalar, answer)):
        return Problem("four numbers (dropout alone, decay alone, both, overlap)", repr(answer))
    right = np.array([0.2, 0.1, 0.25, 0.05])
    if not np.allclose(answer, right, atol=1e-9):
        summed = np.allclose(answer, (0.2, 0.1, 0.3, 0.0), atol=1e-9)
        return Problem(
            "0.2, 0.1, 0.25 and an overlap of 0.05, for mean losses of 0.9 with neither, 0.7 with dropout, "
            "0.8 with the decay, 0.65 with both",
            ", ".join(f"{value:.3g}" for value in answer),
            ADD_UP if summed else "",
        )
    return _check_choice(add_up, choice)


def _check_choice(add_up, choice):
    if not isinstance(add_up, bool):
        return Problem("True or False for add_up", repr(add_up))
    losses = {pair: values.mean() for pair, values in load_decay().items()}
    if add_up:
        dropout, decay, both, _ = right_savings(load_decay(), 1.0)
        return Problem(
            "both together to save the sum of what each saves alone, if the gains add up",
            f"{both:.3f} with both at a decay of 1, where the sum is {dropout + decay:.3f}",
            ADD_UP,
        )
    if choice not in losses:
        return Problem("a pair (weight decay, p) of the dict", repr(choice))
    lowest = min(losses, key=losses.get)
    if choice != lowest:
        return Problem(
            "the pair with the lowest mean validation loss",
            f"{choice} with {losses[choice]:.3f}; the lowest is {losses[lowest]:.3f}",
            TOO_MUCH if choice == (3.0, 0.5) else "",
        )
    return None


EXERCISES = {
    "numbers": Exercise(
        check_numbers,
        "The factor is 0 or 1/(1-p), and its variance is p/(1-p). Set that to v and solve for p. Of n units "
        "n (1-p) are at work on average.",
    ),
    "seeds": Exercise(
        check_seeds,
        "One list with a difference per seed: run(seed=seed, **baseline)['nll'] minus "
        "run(seed=seed, **setting)['nll']. Then np.mean, min and max of the list.",
    ),
    "layers": Exercise(
        check_layers,
        "nll_saved(run, {'drop_probs': pair}, {}, (0, 1, 2)) for each pair. The first of the three numbers "
        "is the mean.",
    ),
    "epochs": Exercise(
        check_epochs,
        "Who may choose the epoch? Only validation. Whose loss is then still honest? Only that of data that "
        "did not choose.",
    ),
    "width": Exercise(
        check_width,
        "Setting {'width': w, 'drop_probs': (0.2, 0.5)} against baseline {'width': w}. Then look at the "
        "sign of the mean.",
    ),
    "decay": Exercise(
        check_decay,
        "Take each array from losses[0.0, 0.0] and average. The overlap is the first plus the second minus "
        "the third. For the choice look at the mean of each array.",
    ),
}


# --- wrong answers, each built on one wrong idea ---


def differences(run, setting, baseline, seeds):
    return [run(seed=seed, **baseline)["nll"] - run(seed=seed, **setting)["nll"] for seed in seeds]


def right_saved(run, setting, baseline, seeds):
    saved = differences(run, setting, baseline, seeds)
    return float(np.mean(saved)), min(saved), max(saved)


def _both(run, setting, baseline, seeds):
    return ([run(seed=seed, **chosen)["nll"] for seed in seeds] for chosen in (setting, baseline))


def _unpaired(*task):
    new, old = _both(*task)
    return np.mean(old) - np.mean(new), min(old) - max(new), max(old) - min(new)


def _luckiest(*task):
    new, old = _both(*task)
    _, low, high = right_saved(*task)
    return min(old) - min(new), low, high


def _one_seed(run, setting, baseline, seeds):
    return right_saved(run, setting, baseline, seeds[:1])


def right_stopped(val_nll, test_nll):
    epoch = int(np.argmin(val_nll))
    return epoch, test_nll[epoch]


def _by_test(val_nll, test_nll):
    return right_stopped(test_nll, test_nll)


def _by_validation(val_nll, test_nll):
    return right_stopped(val_nll, val_nll)


def _last(val_nll, test_nll):
    return len(test_nll) - 1, test_nll[-1]


def right_savings(losses, decay):
    pairs = ((0.0, 0.5), (decay, 0.0), (decay, 0.5))
    saved = [float((losses[0.0, 0.0] - losses[pair]).mean()) for pair in pairs]
    return (*saved, saved[0] + saved[1] - saved[2])


def _summed(losses, decay):
    dropout, shrinking, *_ = right_savings(losses, decay)
    return dropout, shrinking, dropout + shrinking, 0.0


MEASURED = {(0.2, 0.5): (0.10, 0.07, 0.12), (0.5, 0.2): (0.15, 0.1, 0.2), (0.9, 0.9): (-1.0, -1.1, -0.9)}
COST = {"without": 0.3, "with": 0.15}
GAIN = {16: (-0.4, -0.5, -0.3), 128: (0.2, 0.1, 0.3)}

MISCONCEPTIONS = [
    Misconception("twice the p is twice the noise", "numbers", lambda: (0.8, 200, 0.2), PROPORTIONAL),
    Misconception("p is the keep probability", "numbers", lambda: (4 / 7, 200, 0.8), KEEP),
    Misconception("p is the keep probability", "numbers", lambda: (4 / 7, 300, 0.2), KEEP),
    Misconception("one run is evidence", "seeds", lambda: (_one_seed,), ONE_SEED),
    Misconception("the best run of each setting may be compared", "seeds", lambda: (_luckiest,), BEST_SEED),
    Misconception("runs of different seeds may be subtracted", "seeds", lambda: (_unpaired,), UNPAIRED),
    Misconception(
        "a lower p belongs near the input, always", "layers", lambda: (MEASURED, (0.2, 0.5)), NEAR_INPUT
    ),
    Misconception("more is always better", "layers", lambda: (MEASURED, (0.9, 0.9)), MORE),
    Misconception(
        "the test set may choose the best epoch", "epochs", lambda: (_by_test, COST, "b"), TEST_CHOSEN
    ),
    Misconception(
        "the loss that chose the epoch is an honest one",
        "epochs",
        lambda: (_by_validation, COST, "b"),
        VAL_REPORTED,
    ),
    Misconception("the last epoch is the one to keep", "epochs", lambda: (_last, COST, "b"), LAST),
    Misconception(
        "with dropout a net cannot be trained for too long",
        "epochs",
        lambda: (right_stopped, COST, "a"),
        NO_STOP,
    ),
    Misconception("dropout makes training faster", "epochs", lambda: (right_stopped, COST, "c"), FASTER),
    Misconception("dropout always helps", "width", lambda: (GAIN, "helps", "helps"), NARROW),
    Misconception("a big net needs no dropout", "width", lambda: (GAIN, "hurts", "hurts"), WIDE),
    Misconception(
        "the gains of weight decay and dropout add up", "decay", lambda: (_summed, False, (0.3, 0.5)), ADD_UP
    ),
    Misconception(
        "the gains of weight decay and dropout add up",
        "decay",
        lambda: (right_savings, True, (0.3, 0.5)),
        ADD_UP,
    ),
    Misconception(
        "two strong cures are better than one", "decay", lambda: (right_savings, False, (3.0, 0.5)), TOO_MUCH
    ),
]
