"""The checks of chapter 08's exercises."""

import functools
import json

import numpy as np
import torch

from utils.exercises import beliefs, expect
from utils.exercises.engine import is_close, is_number
from utils.measured import load_results
from utils.metrics import nll
from utils.torch_training import fit, load_tensors, make_mlp, predict

# --- 1. numbers ---


def check_numbers(p_double, num_units, p_inputs):
    """Numbers: the p of twice the noise of 0.4, a width, a paper's p in our terms."""
    expect.close(p_double, 4 / 7, "the p with p/(1-p) = 2 * 0.4/0.6", {beliefs.PROPORTIONAL: 0.8})
    rule = "a width n with n times the probability to keep = 120"
    expect.close(num_units, 200, rule, {beliefs.KEEP_08: 120 / 0.4}, tolerance=0.5)
    expect.close(p_inputs, 0.2, "the probability to drop an input", {beliefs.KEEP_08: 0.8})


# --- 2. seeds ---

SHARED = {11: 0.9, 12: 0.5, 13: 0.7, 14: 0.82}  # what a seed does to every setting
SAVED = {11: 0.08, 12: 0.13, 13: 0.10, 14: 0.05}  # what the setting saves with that seed


def check_seeds(nll_saved):
    """A function: (run, setting, baseline, seeds) -> (mean, lowest, highest)."""
    calls = []

    def run(*, seed, drop_probs=(0.0, 0.0), width=128):
        calls.append((tuple(drop_probs), width, seed))
        saved = SAVED[seed] if drop_probs == (0.3, 0.1) else 0
        return {"nll": SHARED[seed] + width / 1000 - saved}

    setting, seeds = {"drop_probs": (0.3, 0.1), "width": 64}, tuple(SHARED)
    answer = nll_saved(run, setting, {"width": 64}, seeds)
    mean, low, high = expect.numbers(answer, 3, "three numbers (mean, lowest, highest)")
    rule = f"a run of either setting for each of {len(seeds)} seeds"
    expect.that(len({seed for *_, seed in calls}) != 1, rule, "a single seed", beliefs.ONE_RUN_08)
    right = {(probs, 64, seed) for probs in ((0.3, 0.1), (0.0, 0.0)) for seed in seeds}
    rule = f"a run of the setting and of the baseline, both of width 64, for each of {len(seeds)} seeds"
    got = f"{len(set(calls) & right)} of these {len(right)} runs, and {len(set(calls) - right)} others"
    expect.that(set(calls) == right, rule, got)
    saved, base = (np.array(list(values.values())) for values in (SAVED, SHARED))
    new = base - saved
    why = expect.diagnose(mean, {beliefs.BEST_SEED: base.min() - new.min()}, 1e-6)
    if is_close((low, high), (base.min() - new.max(), base.max() - new.min()), 1e-6):
        why = why or beliefs.UNPAIRED
    right = saved.mean(), saved.min(), saved.max()
    rule = (
        "mean {:.3f}, lowest {:.3f}, highest {:.3f}, for runs whose differences within the seeds are 0.08, "
        "0.13, 0.10, 0.05"
    )
    got = f"{mean:.3f}, {low:.3f}, {high:.3f}"
    expect.that(is_close((mean, low, high), right, 1e-6), rule.format(*right), got, why)


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


def _expect_triples(answers, keys):
    """Return the means of (mean, lowest, highest) for the keys."""
    known = isinstance(answers, dict) and set(answers) == set(keys)
    expect.that(known, f"a dict with the keys {', '.join(map(str, keys))}", expect.shown(answers))
    means = []
    for key in keys:
        rule = f"(mean, lowest, highest) for {key}"
        mean, low, high = expect.numbers(answers[key], 3, rule)
        expect.that(low <= mean <= high, rule, expect.shown(answers[key]))
        means.append(mean)
    return means


def check_layers(saved, best):
    """A dict of pair -> (mean, lowest, highest) NLL saved, and the best pair."""
    d2l, swapped, heavy = _expect_triples(saved, PAIRS)
    pairs = ", ".join(map(str, PAIRS))
    seen = f"{d2l:.3f}, {swapped:.3f} and {heavy:.3f} for {pairs}"
    rule = "the first two pairs to save NLL, the second more than the first, and the third to lose"
    expect.that(swapped > d2l > 0 > heavy, rule, seen)
    best = expect.choice(best, PAIRS, f"one of the pairs {pairs}")
    why = beliefs.NEAR_INPUT if best == PAIRS[0] else beliefs.MORE_IS_BETTER
    rule = "the pair that saves most NLL on average"
    expect.that(best == PAIRS[1], rule, f"{best}, although they save {seen}", why)


# --- 4. epochs ---


def check_epochs(stopped, cost, verdict):
    """A function (val_nll, test_nll) -> (look, loss), a dict of two losses, and a letter."""
    val, test = [1.0, 0.8, 0.7, 0.75, 0.9], [1.05, 0.85, 0.81, 0.72, 0.95]
    look, loss = expect.numbers(stopped(list(val), list(test)), 2, "a pair (look, loss)")
    rule = (
        "the look that validation chooses, and a loss that had no part in the choice, for validation losses "
        f"{val} and test losses {test}"
    )
    known = {beliefs.TEST_CHOSEN: (3, 0.72), beliefs.VAL_REPORTED: (2, 0.7), beliefs.LAST_EPOCH: (4, 0.95)}
    why = expect.diagnose((look, loss), known, 1e-6)
    expect.that(is_close((look, loss), (2, 0.81), 1e-6), rule, f"look {look} and loss {loss}", why)
    keys = {"without", "with"}
    numbers = isinstance(cost, dict) and set(cost) == keys and all(map(is_number, cost.values()))
    expect.that(numbers, 'a dict with a number for "without" and one for "with"', expect.shown(cost))
    seen = f"{cost['without']:.3f} NLL lost without dropout, {cost['with']:.3f} with it"
    rule = "NLL lost by not stopping, and less of it with dropout"
    expect.that(cost["without"] > cost["with"] > 0, rule, seen)
    expect.choice(verdict, "abc")
    why = beliefs.NO_STOP if verdict == "a" else beliefs.FASTER_08
    rule = "what the measurement says of 40 epochs"
    expect.that(verdict == "b", rule, f'"{verdict}", although {seen}', why)


# --- 5. width ---


def check_width(gain, narrow, wide):
    """A dict of width -> (mean, lowest, highest) NLL saved, and "helps" or "hurts" for either width."""
    means = dict(zip((16, 128), _expect_triples(gain, (16, 128)), strict=True))
    for word in (narrow, wide):
        expect.choice(word, ("helps", "hurts"))
    seen = {width: f"{mean:.3f} NLL saved at width {width}" for width, mean in means.items()}
    rule = "NLL lost by dropout at one of the widths, and saved at the other"
    expect.that(means[16] < 0 < means[128], rule, " and ".join(seen.values()))
    rule = "the sign of the measured gain"
    expect.that(narrow == "hurts", rule, f'"helps", although {seen[16]}', beliefs.ALWAYS_HELPS)
    expect.that(wide == "helps", rule, f'"hurts", although {seen[128]}', beliefs.BIG_NEEDS_NONE)


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


def savings_of(losses, decay):
    """(dropout alone, decay alone, both, overlap): means over seeds of what they save against neither."""
    pairs = ((0.0, 0.5), (decay, 0.0), (decay, 0.5))
    saved = [float((losses[0.0, 0.0] - losses[pair]).mean()) for pair in pairs]
    return (*saved, saved[0] + saved[1] - saved[2])


def check_decay(savings, add_up, choice):
    """A function (losses, decay) -> four numbers, a bool, and a pair (decay, p)."""
    values = {(0.0, 0.0): 0.9, (0.0, 0.5): 0.7, (2.0, 0.0): 0.8, (2.0, 0.5): 0.65, (4.0, 0.5): 0.1}
    seeds = np.array([-0.02, 0.05, 0.03])
    answer = savings({pair: value + seeds for pair, value in values.items()}, 2.0)
    answer = expect.numbers(answer, 4, "four numbers (dropout alone, decay alone, both, overlap)")
    rule = (
        "0.2, 0.1, 0.25 and an overlap of 0.05, for mean losses of 0.9 with neither, 0.7 with dropout, 0.8 "
        "with the decay, 0.65 with both"
    )
    why = expect.diagnose(answer, {beliefs.ADD_UP: (0.2, 0.1, 0.3, 0.0)}, 1e-6)
    got = ", ".join(f"{value:.3g}" for value in answer)
    expect.that(is_close(answer, (0.2, 0.1, 0.25, 0.05), 1e-6), rule, got, why)
    dropout, shrinking, both, _ = savings_of(load_decay(), 1.0)
    rule = (
        f"True or False for add_up: at a decay of 1 both together save {both:.3f}, and what each saves alone "
        f"adds up to {dropout + shrinking:.3f}"
    )
    expect.truth(add_up, False, rule, beliefs.ADD_UP)
    losses = {pair: values.mean() for pair, values in load_decay().items()}
    choice = expect.choice(choice, losses, "a pair (weight decay, p) of the dict")
    lowest = min(losses, key=losses.get)
    why = beliefs.TOO_MUCH if choice == (3.0, 0.5) else None
    got = f"{choice} with {losses[choice]:.3f}; the lowest is {losses[lowest]:.3f}"
    expect.that(choice == lowest, "the pair with the lowest mean validation loss", got, why)


HINTS = {
    "numbers": "The factor is 0 or 1/(1-p), and its variance is p/(1-p). Set that to v and solve for p. Of "
    "n units n (1-p) are at work on average.",
    "seeds": "One list with a difference per seed: run(seed=seed, **baseline)['nll'] minus run(seed=seed, "
    "**setting)['nll']. Then np.mean, min and max of the list.",
    "layers": "nll_saved(run, {'drop_probs': pair}, {}, (0, 1, 2)) for each pair. The first of the three "
    "numbers is the mean.",
    "epochs": "Who may choose the epoch? Only validation. Whose loss is then still honest? Only that of "
    "data that did not choose.",
    "width": "Setting {'width': w, 'drop_probs': (0.2, 0.5)} against baseline {'width': w}. Then look at "
    "the sign of the mean.",
    "decay": "Take each array from losses[0.0, 0.0] and average. The overlap is the first plus the second "
    "minus the third. For the choice look at the mean of each array.",
}
