"""The checks of chapter 09's exercises."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from scipy import stats
from torch import nn

from utils import measured
from utils.conformance import own_coins
from utils.exercises import beliefs, expect
from utils.exercises.engine import array, is_close, written
from utils.metrics import softmax
from utils.runs import by_seed

P = 0.3
Q = 1 - P


# --- 1. order ---

ACTIVATIONS = {
    "relu(z)": lambda z: max(0.0, z),
    "sigmoid(z)": lambda z: 1 / (1 + math.exp(-z)),
    "tanh(z)": math.tanh,
    "|z|": abs,
    "min(relu(z), 6)": lambda z: min(max(0.0, z), 6.0),
    "z": lambda z: z,
}


def same_in_both_orders(g):
    """True if g(m z) = m g(z) for the two factors m of dropout at p = 0.3, on a grid of z."""
    return all(
        math.isclose(g(m * z), m * g(z), abs_tol=1e-9) for m in (0, 1 / Q) for z in np.linspace(-8, 8, 33)
    )


def check_order(same):
    """A dict: activation -> True if both orders agree."""
    whys = {
        "relu(z)": beliefs.ALWAYS_AFTER,
        "sigmoid(z)": beliefs.ORDER_IRRELEVANT,
        "tanh(z)": beliefs.ZERO_ENOUGH,
    }
    for name, g in ACTIVATIONS.items():
        rule = (
            f"for {name}: True if g(mz) = m g(z) for m = 0 and for m = 1/(1-p) and every z, else False; a "
            f"dropped z = 5 gives {g(0):.2f} before and 0.00 after, a kept one {g(5 / Q):.2f} and "
            f"{g(5) / Q:.2f}"
        )
        expect.truth(written(same.get(name)), same_in_both_orders(g), rule, whys.get(name))


# --- 2. mean ---


def check_mean(mean_before):
    """The mean output of a sigmoid unit at z = 2 with dropout at p = 0.3 before it."""
    g = ACTIVATIONS["sigmoid(z)"]
    known = {
        beliefs.STILL_TALKS: Q * g(2 / Q),
        beliefs.MEAN_KEPT: g(2),
        beliefs.KEEP: Q * g(0) + P * g(2 / P),
    }
    rule = "p times sigmoid(0) plus 1-p times sigmoid(z/(1-p))"
    expect.close(mean_before, P * g(0) + Q * g(2 / Q), rule, known, tolerance=0.004)


# --- 3. output ---


def losses_after_training(make_net, num_steps=300):
    """Train a net on two easy classes at p = 0.3: the pair (loss in training mode, loss in eval mode)."""
    torch.manual_seed(0)
    net = make_net((2, 20, 20, 2), P)
    y = torch.arange(200) % 2
    x = torch.randn(200, 2) + 8.0 * y[:, None] - 4.0
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(num_steps):
        loss = F.cross_entropy(net.train()(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        noisy = sum(F.cross_entropy(net(x), y).item() for _ in range(200)) / 200
        return noisy, F.cross_entropy(net.eval()(x), y).item()


def inputs_of_linears(net, x):
    """What arrives at each linear layer, in order, and the net's output at the end."""
    seen = []
    hooks = [
        module.register_forward_pre_hook(lambda module, inputs: seen.append(array(inputs[0])))
        for module in net.modules()
        if isinstance(module, nn.Linear)
    ]
    with torch.no_grad():
        output = net(x)
    for hook in hooks:
        hook.remove()
    return [*seen, array(output)]


def check_output(floor, make_net):
    """A number, and a function: (sizes, drop_prob) -> a net with dropout after its hidden layers."""
    rule = "log 2 times the probability that both logits are dropped"
    known = {beliefs.NO_FLOOR: 0, beliefs.KEEP: Q**2 * math.log(2)}
    expect.close(floor, P**2 * math.log(2), rule, known, "a floor of {}", 0.003)
    net, x = make_net((6, 50, 50, 40), P), torch.ones(400, 6)
    linears = [module for module in net.modules() if isinstance(module, nn.Linear)]
    expect.that(len(linears) == 3, "3 linear layers for the sizes (6, 50, 50, 40)", f"{len(linears)}")
    _set_constant(linears, -1.0)
    _, *hidden, logits = inputs_of_linears(net.eval(), x)
    open_at_minus_one = any(h.any() for h in hidden)
    expect.that(not open_at_minus_one, "a ReLU after each hidden layer", "a hidden layer that passes -1 on")
    got = f"a logit of -1 that comes out as {logits.max():.2f}"
    expect.that((logits == -1).all(), "the last layer's outputs as they are", got)
    _set_constant(linears, 1.0)  # every ReLU open: only dropout makes zeros
    inputs, *hidden, logits = inputs_of_linears(net.train(), x)
    share = (logits == 0).mean()
    got = f"a share {share:.2f} of zeros among them"
    expect.that(share == 0, "logits that are never dropped", got, beliefs.ON_THE_OUTPUT)
    expect.that((inputs != 0).all(), "the inputs as they come", "inputs that were dropped")
    for number, h in enumerate(hidden, start=1):
        expect.share(h == 0, P, f"units dropped after hidden layer {number}", beliefs.KEEP)


def _set_constant(linears, bias):
    for layer in linears:
        nn.init.zeros_(layer.weight)
        nn.init.constant_(layer.bias, bias)


# --- 4. neighbours ---


def check_neighbours(pixels, channel, fresh, tied):
    """Four variances: a mean over T = 49 with x = 2, p = 0.2; a sum over T = 10 with x = 1, p = 0.2."""
    noise, swapped = 0.2 / 0.8, 0.8 / 0.2
    cases = {  # by what the noise of one factor is multiplied, and by what somebody does who is mistaken
        "pixels": (pixels, 4 / 49, 4, "a variance of one term, divided by T: the mean of T draws"),
        "channel": (channel, 4, 4 / 49, "the variance of one factor times x^2: every term has the same draw"),
        "fresh": (fresh, 10, 100, "T times the variance of one factor: independent variances add"),
        "tied": (tied, 100, 10, "T^2 times the variance of one factor: T comes out of it squared"),
    }
    for name, (answer, times, mistaken, rule) in cases.items():
        rule = f"for {name}: {rule}"
        belief = beliefs.PIXELS_09 if name in ("pixels", "channel") else beliefs.TIED_MASK
        known = {belief: mistaken * noise, beliefs.KEEP: times * swapped}
        why = expect.diagnose(expect.number(answer, rule), known, 0.02 * abs(answer))
        expect.that(is_close(answer, times * noise, 0.03 * times * noise), rule, f"{answer}", why)


# --- 5. memory ---


def check_memory(run):
    """A function: (h, xs, u, W, factor) -> the state after all steps, factor on what W reads alone."""
    rng = np.random.default_rng(0)
    h, xs = rng.uniform(-1, 1, 20), rng.normal(size=(6, 20))
    W, factor = rng.normal(size=(20, 20)) / 4, (rng.random(20) >= P) / Q
    held = expect.shape(run(h.copy(), xs, 1.0, W, factor), h.shape, "a state")
    known = {beliefs.CARRIED_STATE: h * factor**6, beliefs.RESCALING_EXPLODES: h * (factor > 0)}
    rule = "with u = 1, which keeps everything, the state with which it began"
    growth = np.abs(held / h).max()
    got = f"a state up to {growth:.2f} times that after 6 steps, and {np.sum(held == 0)} of 20 units at 0"
    expect.that(is_close(held, h, 1e-6), rule, got, expect.diagnose(held, known, 1e-6))
    read = array(run(h.copy(), xs[:1], 0.0, W, factor))
    right = np.tanh((h * factor) @ W + xs[0])
    known = {beliefs.NO_DROPOUT: np.tanh(h @ W + xs[0])}
    got = f"something that differs by {np.abs(read - right).max():.2f}"
    rule = "with u = 0, after one step, tanh((h * factor) @ W + x)"
    expect.that(is_close(read, right, 1e-6), rule, got, expect.diagnose(read, known, 1e-6))
    right = h
    for x in xs:
        right = 0.9 * right + (1 - 0.9) * np.tanh((right * factor) @ W + x)
    same = is_close(run(h.copy(), xs, 0.9, W, factor), right, 1e-6)
    expect.that(same, "the same rule at every one of 6 steps, at u = 0.9", "another state at the end")


# --- 6. attention ---


def check_attention(mean_sum, std_sum, attend):
    """Two numbers for the row (0.7, 0.1, 0.1, 0.1) at p = 0.2, and the function that drops weights."""
    expect.close(mean_sum, 1, "the sum of a_j E[m_j], and E[m_j] = 1", got="a mean of {}", tolerance=0.005)
    rule = "the root of p/(1-p) times the sum of a_j^2"
    known = {beliefs.SUM_KEPT: 0, beliefs.KEEP: math.sqrt(4 * 0.52)}
    expect.close(std_sum, math.sqrt(0.25 * 0.52), rule, known, "a standard deviation of {}", 0.005)
    scores, eye = np.random.default_rng(0).normal(size=(2000, 5)), np.eye(5)
    a = softmax(scores)
    plain = array(attend(scores, eye, 0, np.random.default_rng(1)))
    rule = "at p = 0, softmax over the keys of each row, times the values"
    expect.that(is_close(plain, a, 1e-6), rule, "something else")
    with np.errstate(all="ignore"):
        weights, other = (array(attend(scores, eye, P, np.random.default_rng(seed))) for seed in (1, 2))
        _expect_sums(weights, a)
        _expect_weights(weights, other, a)


def _expect_sums(weights, a):
    sums = weights.sum(axis=1)
    rule = f"some weights dropped at p = {P}"
    expect.that(not is_close(weights, a, 1e-6), rule, "the weights without dropout")
    varies = not (np.isclose(sums, 1) | np.isnan(sums)).all()
    why = beliefs.MASKED_SCORES if (weights > 0).all() else beliefs.SUM_KEPT
    expect.that(varies, "rows whose sum varies, with mean 1", "2000 rows that all sum to 1", why)


def _expect_weights(weights, other, a):
    dropped = weights == 0
    rule = "a draw for each pair of query and key"
    shared = dropped.any() and (dropped == dropped[0]).all()
    expect.that(not shared, rule, f"{len(a)} queries that lose the same keys", beliefs.ONE_MASK_09)
    expect.share(dropped, P, "weights at 0", beliefs.KEEP)
    times = (weights / a)[~dropped]
    got = f"times {times.mean():.2f} in the mean"
    expect.that(np.allclose(times, 1 / Q), f"kept weights times {1 / Q:.2f}", got)
    fresh = (weights != other).any()
    expect.that(fresh, "another mask from another state of rng", "the same mask")
    expect.that(own_coins(~dropped), rule, "pairs that are dropped together")


# --- 7. swapped ---

ORDERS = ("advice", "swapped", "cannot tell")
SIZES = (500, 2_000)


def made_up_runs():
    """Twelve runs in no order, whose seeds matter more than their setting, and their true differences."""
    rng = np.random.default_rng(0)
    luck, gains = rng.normal(0.6, 0.1, 6), rng.normal(0.03, 0.02, 6)
    runs = [{"order": "advice", "seed": seed, "stopped_nll": luck[seed] + gains[seed]} for seed in range(6)]
    runs += [{"order": "swapped", "seed": seed, "stopped_nll": luck[seed]} for seed in (4, 1, 5, 0, 3, 2)]
    runs += [{"order": "neither", "seed": seed, "stopped_nll": 0.5} for seed in range(6)]
    return runs, gains


def better_order(runs, num_train, end="stopped_nll"):
    """The order with the lower NLL, or "cannot tell" where the interval holds 0."""
    advice, swapped = (
        by_seed(runs, end, num_train=num_train, order=order) for order in ("advice", "swapped")
    )
    found = measured.difference(advice, swapped)
    return "advice" if found.high < 0 else "swapped" if found.low > 0 else "cannot tell"


def check_swapped(difference, better):
    """A function: (runs, first, second) -> (mean, low, high), and the dict of the better order."""
    runs, gains = made_up_runs()
    found = difference(runs, "advice", "swapped")
    mean, low, high = expect.numbers(found, 3, "three numbers (mean, low, high)")
    rule = f"on six made-up pairs, a mean of {gains.mean():+.4f} for first minus second"
    expect.close(mean, gains.mean(), rule, {beliefs.ONE_RUN_09: list(gains)}, "{:+.4f}", 1e-6)
    # Without pairs by seed: two samples, or pairs as they lie in the list.
    a, b = (np.array([run["stopped_nll"] for run in some]) for some in (runs[:6], runs[6:12]))
    wrong = [measured.difference(a, b).high]
    for df in (5, 10):
        wrong.append(mean + stats.t.ppf(0.975, df) * math.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 6))
    right = measured.difference(gains)
    half = (right.high - right.low) / 2
    known = {
        beliefs.UNPAIRED_09: wrong,
        beliefs.NORMAL_09: [mean + times * half / stats.t.ppf(0.975, 5) for times in (1, 1.96, 2)],
    }
    rule = f"an upper end of {right.high:.4f}: the mean and t times the standard error, 5 degrees of freedom"
    expect.close(high, right.high, rule, known, "{:.4f}", 1e-5)
    expect.close(low, right.low, f"a lower end of {right.low:.4f}", None, "{:.4f}", 1e-5)
    stored = measured.load_results("09_where")["order"]
    for size in SIZES:
        right, answer = better_order(stored, size), written(better.get(size))
        rule = f'for {size} images: one of {", ".join(ORDERS)}; "cannot tell" where the interval holds 0'
        why = beliefs.LOWER_FIRST if answer == "advice" else None
        why = beliefs.LATE_LEADS if answer == better_order(stored, size, "late_nll") else why
        expect.that(answer == right, rule, f"{answer!r}", why)


HINTS = {
    "order": "Try z = 5 by hand: m = 0 on both sides, then m = 1/0.7.",
    "mean": "List the two values that the unit may say, with their probabilities.",
    "output": "The loss is 0 unless both logits are dropped. In the loop, look at the last round: what may "
    "follow the last Linear?",
    "neighbours": "One factor has the variance p/(1-p). Independent terms: add the variances. One shared "
    "draw: write the sum as a constant times m, and square the constant.",
    "memory": "Two places use the state: what W reads, and what u keeps. Only one needs the factor.",
    "attention": "Softmax first, then a factor of 0 or 1/(1-p) for every weight, then the product with the "
    "values. Var of a sum of a_j m_j: each a_j comes out squared.",
    "swapped": "Make a dict {seed: run['stopped_nll']} for each of the two orders, then subtract for every "
    "seed. scipy.stats.t.ppf(0.975, n - 1) is the t of a 95 % interval.",
}
