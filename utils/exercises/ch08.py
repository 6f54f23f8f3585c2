"""The checks of chapter 08's exercises."""

import functools

import numpy as np
import torch
import torch.nn.functional as F
from scipy import stats
from sklearn.model_selection import train_test_split

from utils.exercises import beliefs, expect
from utils.exercises.engine import array, is_close, is_number
from utils.measured import difference, load_results
from utils.metrics import nll
from utils.plotting import curves_figure
from utils.torch_training import fit, load_tensors, make_mlp, predict

# --- 1. numbers ---


def check_numbers(p_double, num_units, p_inputs):
    """Numbers: the p of twice the noise of 0.4, a width, a paper's p in our terms."""
    expect.close(p_double, 4 / 7, "the p with p/(1-p) = 2 * 0.4/0.6", {beliefs.PROPORTIONAL: 0.8})
    rule = "a width n with n times the probability to keep = 120"
    expect.close(num_units, 200, rule, {beliefs.KEEP_08: 120 / 0.4}, tolerance=0.5)
    expect.close(p_inputs, 0.2, "the probability to drop an input", {beliefs.KEEP_08: 0.8})


# --- 2. pairs ---

SHARED = {11: 0.9, 12: 0.5, 13: 0.7, 14: 0.82}  # what a seed does to every setting
SAVED = {11: 0.08, 12: 0.13, 13: 0.10, 14: 0.05}  # what the setting saves with that seed


def check_pairs(nll_saved):
    """A function: (run, setting, baseline, seeds, when) -> (mean, low, high)."""
    calls = []

    def run(*, seed, drop_probs=(0.0, 0.0), width=128):
        calls.append((tuple(drop_probs), width, seed))
        saved = SAVED[seed] if drop_probs == (0.3, 0.1) else 0
        end = SHARED[seed] + width / 1000 - saved
        return {"end": end, "stopped": 0.1 + end / 2}

    setting, seeds = {"drop_probs": (0.3, 0.1), "width": 64}, tuple(SHARED)
    answer = nll_saved(run, setting, {"width": 64}, seeds, "end")
    mean, low, high = expect.numbers(answer, 3, "three numbers (mean, low, high)")
    rule = f"a run of either setting for each of {len(seeds)} seeds"
    expect.that(len({seed for *_, seed in calls}) != 1, rule, "a single seed", beliefs.ONE_RUN_08)
    right = {(probs, 64, seed) for probs in ((0.3, 0.1), (0.0, 0.0)) for seed in seeds}
    rule = f"a run of the setting and of the baseline, both of width 64, for each of {len(seeds)} seeds"
    got = f"{len(set(calls) & right)} of these {len(right)} runs, and {len(set(calls) - right)} others"
    expect.that(set(calls) == right, rule, got)
    saved, base = (np.array(list(values.values())) for values in (SAVED, SHARED))
    rule = (
        "mean {:.3f}, low {:.3f}, high {:.3f}: the 95 % t interval of differences that are 0.08, 0.13, 0.10, "
        "0.05 within the seeds"
    )
    right = difference(saved)[:3]
    why = expect.diagnose((mean, low, high), believed_intervals(base, base - saved), 1e-4)
    got = f"{mean:.3f}, {low:.3f}, {high:.3f}"
    expect.that(is_close((mean, low, high), right, 1e-4), rule.format(*right), got, why)
    answer = nll_saved(run, setting, {"width": 64}, seeds, "stopped")
    rule = 'half of that for when="stopped", where the losses differ by half as much'
    expect.that(is_close(answer, np.array(right) / 2, 1e-4), rule, expect.shown(answer))


def believed_intervals(old, new):
    """What each belief gives for the losses of two settings, as (mean, low, high)."""
    saved = old - new
    mean, error = saved.mean(), saved.std(ddof=1) / len(saved) ** 0.5
    apart = [stats.ttest_ind(old, new, equal_var=equal).confidence_interval() for equal in (True, False)]
    return {
        beliefs.UNPAIRED: [(mean, *interval) for interval in apart]
        + [(mean, old.min() - new.max(), old.max() - new.min())],
        beliefs.RANGE: (mean, saved.min(), saved.max()),
        beliefs.NORMAL: [(mean, mean - z * error, mean + z * error) for z in (1.96, 2)],
        beliefs.BEST_SEED: [(old.min() - new.min(), *rest) for rest in (difference(saved)[1:3],)],
    }


# --- 3. layers ---


def run(*, seed, drop_probs=(0.0, 0.0), width=128, side=28):
    """Train side*side-width-width-10 for 40 epochs on 500 images of Fashion-MNIST, as the seed chooses.

    Returns a dict. The lists `val_nll` (1,000 images) and `test_nll` (2,000 images) have an entry for every
    other epoch, with dropout off. `end` is the last test NLL, `stopped` the one at the look with the lowest
    validation NLL. side=7 makes each image small, by means of 4 x 4 pixels. The same call is trained once
    and then remembered, which is safe since the result depends on the arguments alone.
    """
    val_nll, test_nll = _train(int(seed), tuple(map(float, drop_probs)), int(width), int(side))
    found = {"end": test_nll[-1], "stopped": test_nll[int(np.argmin(val_nll))]}
    return {**found, "val_nll": list(val_nll), "test_nll": list(test_nll)}


@functools.cache
def _pool(side):
    """5,000 images to choose training images from, 1,000 for validation, 2,000 for the test."""
    data = load_tensors("fashion_mnist", num_train=5000, num_val=1000, seed=0)
    pool = {}
    for part, num in (("train", 5000), ("val", 1000), ("test", 2000)):
        images = data[f"x_{part}"][:num].reshape(-1, 1, 28, 28)
        pool[f"x_{part}"] = F.avg_pool2d(images, 28 // side).flatten(1)
        pool[f"y_{part}"] = data[f"y_{part}"][:num]
    return pool


@functools.cache
def _train(seed, drop_probs, width, side):
    pool, chosen = _pool(side), np.random.default_rng(seed).permutation(5000)[:500]
    part = {**pool, "x_train": pool["x_train"][chosen], "y_train": pool["y_train"][chosen]}
    net = make_mlp((side * side, width, width, 10), drop_probs, seed=seed)
    return losses_while_training(net, part, num_epochs=40, every=2, seed=seed)


def losses_while_training(net, data, *, num_epochs, every, seed):
    """Train with Adam in batches of 50. Returns two lists: validation and test NLL at every look."""
    losses = {"val": [], "test": []}

    def look(epoch):
        if epoch % every == 0:
            for part, seen in losses.items():
                seen.append(nll(predict(net, data[f"x_{part}"]), data[f"y_{part}"].numpy()))

    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    loop = {"num_epochs": num_epochs, "batch_size": 50, "optimizer": optimizer, "seed": seed}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # batches this small are slower on two
    try:
        fit(net, data["x_train"], data["y_train"], after_epoch=look, **loop)
    finally:
        torch.set_num_threads(threads)
    return losses["val"], losses["test"]


PAIRS = ((0.2, 0.5), (0.5, 0.2), (0.9, 0.9))


def _expect_triples(answers, keys):
    """Return an array of (mean, low, high), a row for each key."""
    known = isinstance(answers, dict) and set(answers) == set(keys)
    expect.that(known, f"a dict with the keys {', '.join(map(str, keys))}", expect.shown(answers))
    rows = []
    for key in keys:
        rule = f"(mean, low, high) for {key}"
        mean, low, high = expect.numbers(answers[key], 3, rule)
        expect.that(low <= mean <= high, rule, expect.shown(answers[key]))
        rows.append((mean, low, high))
    return np.array(rows)


def check_layers(saved, best, swap, where):
    """A dict of pair -> (mean, low, high) NLL saved, the best pair, a dict side -> (...), and a letter."""
    d2l, swapped, heavy = _expect_triples(saved, PAIRS)[:, 0]
    pairs = ", ".join(map(str, PAIRS))
    seen = f"{d2l:.3f}, {swapped:.3f} and {heavy:.3f} for {pairs}"
    rule = "the first two pairs to save NLL, the second more than the first, and the third to lose"
    expect.that(swapped > d2l > 0 > heavy, rule, seen)
    best = expect.choice(best, PAIRS, f"one of the pairs {pairs}")
    why = beliefs.NEAR_INPUT if best == PAIRS[0] else beliefs.MORE_IS_BETTER
    rule = "the pair that saves most NLL on average"
    expect.that(best == PAIRS[1], rule, f"{best}, although they save {seen}", why)
    large, small = _expect_triples(swap, (28, 7))
    seen = f"{large[0]:.3f} with 28 x 28 pixels and {small[0]:.3f} with 7 x 7"
    rule = "what (0.5, 0.2) saves against (0.2, 0.5), clearly above 0 for 28 x 28 pixels and near 0 for 7 x 7"
    expect.that(large[1] > 0 and abs(small[0]) < large[0] / 3, rule, seen)
    expect.choice(where, "abc")
    why = beliefs.NEAR_INPUT if where == "a" else beliefs.ONE_NET_SPEAKS
    rule = "what both sizes of the images show"
    expect.that(where == "c", rule, f'"{where}", although swapping saves {seen}', why)


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

CASES = tuple((width, when) for width in (16, 128) for when in ("end", "stopped"))
WORDS = ("helps", "hurts", "no effect", "cannot tell")


def word_for(low, high, matters=0.01):
    """The word for an interval of NLL saved, beside a difference that matters."""
    if -matters < low and high < matters:
        return "no effect"
    return "helps" if low > 0 else "hurts" if high < 0 else "cannot tell"


def check_width(gain, words):
    """A dict of (width, when) -> (mean, low, high) NLL saved, and one of the same keys -> a word."""
    rows = dict(zip(CASES, _expect_triples(gain, CASES), strict=True))
    rule = "NLL lost by dropout at width 16, and saved at width 128 at the end"
    seen = ", ".join(f"{row[0]:.3f} for {case}" for case, row in rows.items())
    expect.that(rows[16, "stopped"][0] < 0 < rows[128, "end"][0], rule, seen)
    known = isinstance(words, dict) and set(words) == set(CASES)
    expect.that(known, f"a dict with the keys {', '.join(map(str, CASES))}", expect.shown(words))
    for case, (_, low, high) in rows.items():
        word, right = expect.choice(words[case], WORDS), word_for(low, high)
        whys = {
            ("no effect", "cannot tell"): beliefs.NULL_PROVED,
            ("helps", "hurts"): beliefs.ALWAYS_HELPS,
            ("hurts", "helps"): beliefs.BIG_NEEDS_NONE,
        }
        rule = f'"{right}" for {case}, where the interval is {low:.3f} to {high:.3f} and 0.01 would matter'
        expect.that(word == right, rule, f'"{word}"', whys.get((word, right)))


# --- 6. decay ---


def load_decay(when, part="test"):
    """NLL of chapter 08's stored runs: (weight decay, p) -> array of ten seeds.

    `when` is "end" or "stopped", `part` is "val" or "test", else ValueError.
    """
    for name, value, allowed in (("when", when, ("end", "stopped")), ("part", part, ("val", "test"))):
        if value not in allowed:
            raise ValueError(f'{name} must be "{allowed[0]}" or "{allowed[1]}", got {value!r}')
    results, names = load_results("08_how_much"), {"base": 0.0, "decay 0.3": 0.3, "decay 1": 1.0}
    return {
        (decay, p): np.array(results[name][str(p)][f"{when}_{part}_nll"])
        for name, decay in names.items()
        for p in (0.0, 0.5)
    }


def savings_of(losses, decay):
    """(dropout alone, decay alone, both): means over seeds of what they save; then the overlap's three."""
    neither = losses[0.0, 0.0]
    dropout, shrinking, both = (neither - losses[pair] for pair in ((0.0, 0.5), (decay, 0.0), (decay, 0.5)))
    means = [float(saved.mean()) for saved in (dropout, shrinking, both)]
    return (*means, *difference(dropout + shrinking, both)[:3])


def adds_up(low, high, matters=0.01):
    """True or False for the interval of an overlap, None where it leaves the question open."""
    if -matters < low and high < matters:
        return True
    return False if low > 0 or high < 0 else None


def check_decay(savings, add_up, choice):
    """A function (losses, decay) -> six numbers, a dict when -> bool or None, and a pair (decay, p)."""
    saves = {(0.0, 0.0): [0, 0, 0], (0.0, 0.5): [0.18, 0.2, 0.22], (2.0, 0.0): [0.1, 0.08, 0.12]}
    saves[2.0, 0.5] = [0.25, 0.24, 0.26]
    losses = {pair: np.array([0.9, 0.94, 0.89]) - value for pair, value in saves.items()}
    right = savings_of(losses, 2.0)
    answer = savings({pair: values.copy() for pair, values in losses.items()}, 2.0)
    answer = expect.numbers(answer, 6, "six numbers (dropout, decay, both, overlap, low, high)")
    rule = (
        "0.2, 0.1, 0.25 and an overlap of {3:.3f}, from {4:.3f} to {5:.3f}, where three seeds save 0.18, "
        "0.2, 0.22 with dropout, 0.1, 0.08, 0.12 with the decay and 0.25, 0.24, 0.26 with both"
    )
    why = expect.diagnose(answer[:4], {beliefs.ADD_UP: (0.2, 0.1, 0.3, 0.0)}, 1e-6)
    got = ", ".join(f"{value:.3f}" for value in answer)
    expect.that(is_close(answer, right, 1e-4), rule.format(*right), got, why)
    known = isinstance(add_up, dict) and set(add_up) == {"end", "stopped"}
    expect.that(known, 'a dict with the keys "end" and "stopped"', expect.shown(add_up))
    for when in ("end", "stopped"):
        *_, low, high = savings_of(load_decay(when), 1.0)
        right = adds_up(low, high)
        rule = f"{right} for {when}: at a decay of 1 the overlap is {low:.3f} to {high:.3f}, and 0.01 matters"
        why = beliefs.ADD_UP if add_up[when] is True and right is False else None
        got = expect.shown(add_up[when])
        if not isinstance(add_up[when], bool | None):
            got += ", which is neither True nor False nor None"
        expect.that(add_up[when] is right, rule, got, why)
    means = {pair: values.mean() for pair, values in load_decay("stopped", "val").items()}
    choice = expect.choice(choice, means, "a pair (weight decay, p) of the dict")
    lowest = min(means, key=means.get)
    why = beliefs.TOO_MUCH if choice == (1.0, 0.5) else None
    got = f"{choice} with {means[choice]:.3f}; the lowest is {means[lowest]:.3f}"
    rule = "the pair with the lowest mean validation loss, stopped early"
    expect.that(choice == lowest, rule, got, why)


# --- 8. own ---


def run_own(*, data, drop_prob, seed):
    """Train a net d-64-64-classes on a part of `data`, an OwnData, as the seed chooses.

    Two fifths of the rows, 1,000 at most, are for training, three tenths for validation, the rest for the
    test, each class with its share. Columns are standardised by the training rows. About 600 updates.

    Returns a dict: test NLL at the `end`, and `stopped` at the look with the lowest validation NLL.
    """
    rows = np.arange(len(data.y))
    size = min(1_000, int(0.4 * len(rows)))
    train, rest = train_test_split(rows, train_size=size, stratify=data.y, random_state=seed)
    val, test = train_test_split(rest, test_size=0.5, stratify=data.y[rest], random_state=seed)
    mean, sd = data.x[train].mean(axis=0), data.x[train].std(axis=0)
    x = (data.x - mean) / np.where(sd > 0, sd, 1)
    part = {}
    for name, chosen in (("train", train), ("val", val), ("test", test)):
        part[f"x_{name}"] = torch.from_numpy(x[chosen])
        part[f"y_{name}"] = torch.from_numpy(data.y[chosen])
    sizes = (x.shape[1], 64, 64, len(data.class_names))
    num_epochs = -(-600 * 50 // len(train))
    net = make_mlp(sizes, [drop_prob] * 2, seed=seed)
    every = max(1, num_epochs // 30)
    val_nll, test_nll = losses_while_training(net, part, num_epochs=num_epochs, every=every, seed=seed)
    return {"end": test_nll[-1], "stopped": test_nll[int(np.argmin(val_nll))]}


def check_own(losses, best, saved):
    """A dict of p -> losses of all seeds, one p of it, and (mean, low, high) of what it saves."""
    rule = (
        "a dict with 0 and at least three other values of p, each with one loss for each of 5 seeds or more"
    )
    dict_of = isinstance(losses, dict) and 0 in losses and len(losses) >= 4
    expect.that(dict_of, rule, expect.shown(losses))
    runs = {p: array(values) for p, values in losses.items()}
    num_seeds = len(runs[0]) if runs[0].ndim == 1 else 0
    expect.that(num_seeds != 1, rule, "a single seed", beliefs.ONE_RUN_08)
    same = num_seeds >= 5 and all(values.shape == (num_seeds,) for values in runs.values())
    expect.that(same, rule, f"shapes {', '.join(str(values.shape) for values in runs.values())}")
    expect.that(all(np.isfinite(v).all() for v in runs.values()), "finite losses", "some that are not")
    means = {p: float(values.mean()) for p, values in runs.items()}
    lowest = min(means, key=means.get)
    best = expect.choice(best, list(runs), f"one of the values of p, {', '.join(map(str, runs))}")
    luckiest = min(runs, key=lambda p: runs[p].min())
    why = beliefs.BEST_SEED if best == luckiest != lowest else None
    got = f"p = {best} with {means[best]:.3f}; the lowest is {means[lowest]:.3f}"
    expect.that(means[best] == means[lowest], "the p with the lowest mean loss", got, why)
    saved = expect.numbers(saved, 3, "three numbers (mean, low, high)")
    right = difference(runs[0], runs[best])[:3]
    why = expect.diagnose(saved, believed_intervals(runs[0], runs[best]), 1e-4)
    rule = "mean {:.3f}, low {:.3f}, high {:.3f}: what the best p saves against 0, seed by seed"
    got = ", ".join(f"{value:.3f}" for value in saved)
    expect.that(is_close(saved, right, 1e-4), rule.format(*right), got, why)


def u_figure(losses, best):
    """The reader's own U: mean and range over seeds for each p; the title is what `best` saves against 0."""
    probs = sorted(losses)
    saved = difference(losses[0], losses[best])
    return curves_figure(
        probs,
        {f"{saved.n} seeds": np.transpose([losses[p] for p in probs])},
        title=f"p = {best} saves {saved} against 0",
        xlabel="drop probability p",
        ylabel="test NLL, stopped early",
        sentence="Your own U: test NLL over p, mean and range of the seeds.",
    )


HINTS = {
    "numbers": "The factor is 0 or 1/(1-p), and its variance is p/(1-p). Set that to v and solve for p. Of "
    "n units n (1-p) are at work on average.",
    "pairs": "Two lists in the order of the seeds: run(seed=seed, **baseline)[when] and run(seed=seed, "
    "**setting)[when]. Then difference(first, second)[:3].",
    "layers": "nll_saved(run, {'drop_probs': pair}, {}, SEEDS, 'end') for each pair. For swap the baseline "
    "is (0.2, 0.5), and both dicts hold the side.",
    "epochs": "Who may choose the epoch? Only validation. Whose loss is then still honest? Only that of "
    "data that did not choose.",
    "width": "Setting {'width': w, 'drop_probs': (0.2, 0.5)} against baseline {'width': w}. An interval that "
    "holds 0 and also more than 0.01 leaves the question open.",
    "decay": "difference(first + second, both) is the overlap, run by run. The gains add up where its "
    "interval lies within 0.01 of zero.",
    "own": "One list of settings: {'data': data, 'drop_prob': p, 'seed': s}. sweep returns the rows in that "
    "order, so group them by p. Then difference(losses[0.0], losses[best]).",
}
