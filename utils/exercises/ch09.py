"""The checks of chapter 09's exercises, and the wrong answers that they know by name."""

import math
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from utils.conformance import own_coins
from utils.selfcheck import Exercise, Misconception, Problem, is_close, written

P = 0.3
Q = 1 - P

KEEP = "p is the probability to DROP in this course and in every framework; 1-p is kept."
ALL_SAME = (
    "Before and after are the same for a ReLU, not for every activation: a dropped z = 0 must become 0, and "
    "the factor 1/(1-p) of a kept one must pass through. A sigmoid fails in both."
)
ZERO_ENOUGH = (
    "g(0) = 0 only makes the dropped units silent. The kept ones were multiplied by 1/(1-p), and an "
    "activation that bends does not hand that factor on, so the mean is not kept."
)
ALWAYS_AFTER = (
    "After is always right, but before is not always wrong: the ReLU gives 0 for 0, and a positive factor "
    "passes through it, so both orders agree in every bit."
)
STILL_TALKS = (
    "Before the activation a dropped unit is not silent: its z becomes 0, and a sigmoid answers 0.5 to that. "
    "So the share p counts with 0.5, not with 0."
)
MEAN_KEPT = (
    "The rescaling keeps the mean of what it multiplies, here of z. A sigmoid stands after it, and the mean "
    "of a bent function is not the function of the mean."
)
OUTPUT = (
    "A dropped logit is 0, not silent, and no later layer can make up for it. It only puts a floor under "
    "the loss, which no training lowers: dropout stands between layers, never on the output."
)
FLOOR = (
    "Training cannot lower this loss: whenever both logits are dropped they are both 0, and even a net "
    "that is right and infinitely sure then pays log 2."
)
AVERAGES_OUT = (
    "Independent draws average out: what one position hides, the others still tell. One draw for all of "
    "them hides it everywhere, so its noise does not fall as T grows."
)
CARRIED = (
    "The carried state itself was multiplied, again at every step: after T steps a kept unit has grown by "
    "1/(1-p) to the power T, and a dropped one has lost its past. Mask what is read, not what is carried."
)
UNSCALED = (
    "Without 1/(1-p) nothing explodes, but the mask still stands on the carried state: a dropped unit "
    "forgets its past at every step. Keep the factor, and move it to what is read."
)
NO_DROPOUT = (
    "That cures the explosion by leaving recurrent dropout out. It is not the mask that was wrong but its "
    "place: W may read a masked copy of the state."
)
SUM = (
    "After dropout the weights of a row are not divided by their sum again. They sum to 1 only in the mean; "
    "dividing by the sum would push single weights off their own mean."
)
SCORES = (
    "The mask acted on the scores, before the softmax. There a 0 is not a missing position: exp(0) = 1 gets "
    "a share like any other score. Drop the weights, after the softmax."
)
ONE_MASK = (
    "All queries share one mask, so what one of them loses is lost to all. Each pair of query and key must "
    "throw its own coin, as each example of a batch does."
)
LOWER_FIRST = (
    "With 2,000 images the stored runs say the opposite: most of the test loss is a gap to the training "
    "loss, and a large p near the input closes more of it. The advice needs a data size."
)
SAME_FOR_ALL = (
    "What holds with 2,000 images need not hold with 60,000: there the net still has to fit, and a large p "
    "near the input keeps it from that. Look at the stored runs of that size."
)
UNPAIRED = (
    "The seed chooses images, weights, batches and masks, so two runs with the same seed share their luck. "
    "Subtract seed by seed first; the spread of these differences is what counts."
)
ONE_RUN = (
    "One run is one draw: another seed gives another number, sometimes with the other sign. Without several "
    "seeds there is no standard error, and nothing to hold the mean against."
)


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


def check_order(same, mean_before):
    """A dict: activation -> True if both orders agree; and a mean for a sigmoid at z = 2, p = 0.3."""
    whys = {
        ("relu(z)", False): ALWAYS_AFTER,
        ("sigmoid(z)", True): ALL_SAME,
        ("tanh(z)", True): ZERO_ENOUGH,
    }
    for name, g in ACTIVATIONS.items():
        answer = written(same.get(name))
        if answer is not same_in_both_orders(g):
            return Problem(
                f"for {name}: True if g(mz) = m g(z) for m = 0 and for m = 1/(1-p) and every z, else False",
                f"{answer}; a dropped z = 5 gives {g(0):.2f} before and 0.00 after, a kept one "
                f"{g(5 / Q):.2f} and {g(5) / Q:.2f}",
                whys.get((name, answer), ""),
            )
    g = ACTIVATIONS["sigmoid(z)"]
    whys = {Q * g(2 / Q): STILL_TALKS, g(2): MEAN_KEPT, Q * g(0) + P * g(2 / P): KEEP}
    if is_close(mean_before, P * g(0) + Q * g(2 / Q), 0.004):
        return None
    why = next((why for value, why in whys.items() if is_close(mean_before, value, 0.004)), "")
    return Problem("p times sigmoid(0) plus 1-p times sigmoid(z/(1-p))", f"{mean_before}", why)


# --- 2. output ---


def build(sizes, drop_prob, on_output=False, activation=nn.ReLU):
    """Linear layers with ReLU and dropout between them; `on_output` also drops the logits."""
    layers = []
    for num_in, num_out in pairwise(sizes):
        layers += [nn.Linear(num_in, num_out), activation(), nn.Dropout(drop_prob)]
    return nn.Sequential(*layers[:-2], *([nn.Dropout(drop_prob)] if on_output else []))


def losses_after_training(make_model, num_steps=300):
    """Train a net on two easy classes at p = 0.3: the pair (loss in training mode, loss in eval mode)."""
    torch.manual_seed(0)
    model = make_model((2, 20, 20, 2), P)
    y = torch.arange(200) % 2
    x = torch.randn(200, 2) + 8.0 * y[:, None] - 4.0
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(num_steps):
        loss = F.cross_entropy(model.train()(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        noisy = sum(F.cross_entropy(model(x), y).item() for _ in range(200)) / 200
        return noisy, F.cross_entropy(model.eval()(x), y).item()


def inputs_of_linears(model, x):
    """What arrives at each linear layer, in order, and the model's output at the end."""
    seen = []
    hooks = [
        module.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
        for module in model.modules()
        if isinstance(module, nn.Linear)
    ]
    with torch.no_grad():
        output = model(x)
    for hook in hooks:
        hook.remove()
    return [*seen, output]


def check_output(floor, make_model):
    """A number, and a function: (sizes, drop_prob) -> a net with dropout after its hidden layers."""
    rule = "log 2 times the probability that both logits are dropped"
    if not is_close(floor, P**2 * math.log(2), 0.003):
        whys = {0: FLOOR, Q**2 * math.log(2): KEEP}
        why = next((why for value, why in whys.items() if is_close(floor, value, 0.002)), "")
        return Problem(rule, f"a floor of {floor}", why)
    model, x = written(make_model((6, 50, 50, 40), P)), torch.ones(400, 6)
    linears = [module for module in model.modules() if isinstance(module, nn.Linear)]
    if len(linears) != 3:
        return Problem("3 linear layers for the sizes (6, 50, 50, 40)", f"{len(linears)}")
    return _check_activations(model, linears, x) or _check_places(model.train(), linears, x)


def _set_constant(linears, bias):
    for layer in linears:
        nn.init.zeros_(layer.weight)
        nn.init.constant_(layer.bias, bias)


def _check_activations(model, linears, x):
    _set_constant(linears, -1.0)
    _, *hidden, logits = inputs_of_linears(model.eval(), x)
    if any(h.any() for h in hidden):
        return Problem("a ReLU after each hidden layer", "a hidden layer that passes -1 on")
    if not (logits == -1).all():
        return Problem(
            "the last layer's outputs as they are", f"a logit of -1 that comes out as {logits.max():.2f}"
        )
    return None


def _check_places(model, linears, x):
    _set_constant(linears, 1.0)  # every ReLU open: only dropout makes zeros
    inputs, *hidden, logits = inputs_of_linears(model, x)
    share = (logits == 0).double().mean().item()
    if share > 0:
        return Problem("logits that are never dropped", f"a share {share:.2f} of zeros among them", OUTPUT)
    if (inputs == 0).any():
        return Problem("the inputs as they come", "inputs that were dropped")
    for number, h in enumerate(hidden, start=1):
        share = (h == 0).double().mean().item()
        tolerance = 5 * math.sqrt(P * Q / h.numel())
        if abs(share - P) > tolerance:
            why = KEEP if abs(share - Q) <= tolerance else ""
            return Problem(
                f"a share {P} dropped after hidden layer {number}, within {tolerance:.3f}",
                f"{share:.3f}",
                why,
            )
    return None


# --- 3. neighbours ---


def check_neighbours(pixels, channel, fresh, tied):
    """Four variances: a mean over T = 49 with x = 2, p = 0.2; a sum over T = 10 with x = 1, p = 0.2."""
    p, q = 0.2, 0.8
    right = {
        "pixels": (pixels, 4 * p / q / 49, "a variance of one term, divided by T: the mean of T draws"),
        "channel": (channel, 4 * p / q, "the variance of one factor times x^2: every term has the same draw"),
        "fresh": (fresh, 10 * p / q, "T times the variance of one factor: independent variances add"),
        "tied": (tied, 100 * p / q, "T^2 times the variance of one factor: T comes out of it squared"),
    }
    averaged = {
        "pixels": right["channel"][1],
        "channel": right["pixels"][1],
        "fresh": right["tied"][1],
        "tied": right["fresh"][1],
    }
    for name, (answer, expected, rule) in right.items():
        if not is_close(answer, expected, 0.03 * expected):
            whys = {averaged[name]: AVERAGES_OUT, expected * (q / p) ** 2: KEEP}
            why = next((why for value, why in whys.items() if is_close(answer, value, 0.02 * value)), "")
            return Problem(f"for {name}: {rule}", f"{answer}", why)
    return None


# --- 4. memory ---


def check_memory(run):
    """A function: (h, xs, u, W, factor) -> the state after all steps, factor on what W reads alone."""
    rng = np.random.default_rng(0)
    h, xs = rng.uniform(-1, 1, 20), rng.normal(size=(6, 20))
    W, factor = rng.normal(size=(20, 20)) / 4, (rng.random(20) >= P) / Q
    held = np.asarray(written(run(h.copy(), xs, 1.0, W, factor)))
    if held.shape != h.shape:
        return Problem(f"a state of shape {h.shape}", f"shape {held.shape}")
    if not np.allclose(held, h):
        why = CARRIED if np.allclose(held, h * factor**6) else ""
        why = UNSCALED if np.allclose(held, h * (factor > 0)) else why
        growth = np.abs(held / h).max()
        return Problem(
            "with u = 1, which keeps everything, the state with which it began",
            f"a state up to {growth:.2f} times that after 6 steps, and {np.sum(held == 0)} of 20 units at 0",
            why,
        )
    read = run(h.copy(), xs[:1], 0.0, W, factor)
    expected = np.tanh((h * factor) @ W + xs[0])
    if not np.allclose(read, expected):
        why = NO_DROPOUT if np.allclose(read, np.tanh(h @ W + xs[0])) else ""
        return Problem(
            "with u = 0, after one step, tanh((h * factor) @ W + x)",
            f"something that differs by {np.abs(read - expected).max():.2f}",
            why,
        )
    expected = h
    for x in xs:
        expected = 0.9 * expected + (1 - 0.9) * np.tanh((expected * factor) @ W + x)
    if not np.allclose(run(h.copy(), xs, 0.9, W, factor), expected):
        return Problem("the same rule at every one of 6 steps, at u = 0.9", "another state at the end")
    return None


# --- 5. attention ---


def softmax(scores):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def check_attention(mean_sum, std_sum, attend):
    """Two numbers for the row (0.7, 0.1, 0.1, 0.1) at p = 0.2, and the function that drops weights."""
    if not is_close(mean_sum, 1, 0.005):
        return Problem("the sum of a_j E[m_j], and E[m_j] = 1", f"a mean of {mean_sum}")
    if not is_close(std_sum, math.sqrt(0.25 * 0.52), 0.005):
        whys = {0: SUM, math.sqrt(4 * 0.52): KEEP}
        why = next((why for value, why in whys.items() if is_close(std_sum, value, 0.005)), "")
        return Problem(
            "the root of p/(1-p) times the sum of a_j^2", f"a standard deviation of {std_sum}", why
        )
    scores, eye = np.random.default_rng(0).normal(size=(2000, 5)), np.eye(5)
    a = softmax(scores)
    plain = np.asarray(written(attend(scores, eye, 0, np.random.default_rng(1))))
    if plain.shape != a.shape or not np.allclose(plain, a):
        return Problem("at p = 0, softmax over the keys of each row, times the values", "something else")
    with np.errstate(all="ignore"):
        weights, other = (attend(scores, eye, P, np.random.default_rng(seed)) for seed in (1, 2))
        return _check_sums(weights, a) or _check_weights(weights, other, a)


def _check_sums(weights, a):
    sums = weights.sum(axis=1)
    if not (np.isclose(sums, 1) | np.isnan(sums)).all():
        return None
    if np.allclose(weights, a):
        return Problem(f"some weights dropped at p = {P}", "the weights without dropout")
    return Problem(
        "rows whose sum varies, with mean 1",
        "2000 rows that all sum to 1",
        SCORES if (weights > 0).all() else SUM,
    )


def _check_weights(weights, other, a):
    fates = weights == 0
    if fates.any() and (fates == fates[0]).all():
        return Problem(
            "a draw for each pair of query and key", f"{len(a)} queries that lose the same keys", ONE_MASK
        )
    share, tolerance = np.mean(weights == 0), 5 * math.sqrt(P * Q / a.size)
    if abs(share - P) > tolerance:
        why = KEEP if abs(share - Q) <= tolerance else ""
        return Problem(f"a share {P} of weights at 0, within {tolerance:.3f}", f"{share:.3f}", why)
    ratio = np.mean((weights / a)[~fates])
    if not np.allclose((weights / a)[~fates], 1 / Q):
        return Problem(f"kept weights times {1 / Q:.2f}", f"times {ratio:.2f} in the mean")
    if np.array_equal(weights, other):
        return Problem("another mask from another state of rng", "the same mask")
    if not own_coins(~fates):
        return Problem("a draw for each pair of query and key", "pairs that are dropped together")
    return None


# --- 6. swapped ---

ORDERS = ("0.2 then 0.5", "0.5 then 0.2", "no clear difference")


def made_up_runs():
    """Twelve runs in no order, whose seeds matter more than their setting, and their true differences."""
    rng = np.random.default_rng(0)
    luck, gains = rng.normal(0.6, 0.1, 6), rng.normal(0.03, 0.02, 6)
    runs = [
        {"drop_probs": [0.2, 0.5], "seed": seed, "nll": [0.9, luck[seed] + gains[seed]]} for seed in range(6)
    ]
    runs += [
        {"drop_probs": [0.5, 0.2], "seed": seed, "nll": [0.7, luck[seed]]} for seed in (4, 1, 5, 0, 3, 2)
    ]
    runs += [{"drop_probs": [0.5, 0.5], "seed": seed, "nll": [0.5, 0.5]} for seed in range(6)]
    return runs, gains


def _unpaired_errors(runs):
    """The standard errors of somebody who does not pair by seed: of two means, or of pairs as they lie."""
    a, b = (np.array([run["nll"][-1] for run in some]) for some in (runs[:6], runs[6:12]))
    return [math.sqrt((a.var(ddof=k) + b.var(ddof=k)) / 6) for k in (0, 1)] + [
        (a - b).std(ddof=k) / math.sqrt(6) for k in (0, 1)
    ]


def check_swapped(difference, better):
    """A function: (runs, first, second) -> (mean, standard error), and the dict of the better order."""
    runs, gains = made_up_runs()
    pair = written(difference(runs, [0.2, 0.5], [0.5, 0.2]))
    if not isinstance(pair, tuple) or len(pair) != 2:
        return Problem("a pair (mean, standard error)", f"{pair!r}")
    mean, error = pair
    if not is_close(mean, gains.mean(), 1e-6):
        return Problem(
            f"on six made-up pairs, a mean of {gains.mean():+.4f} for first minus second, last test NLL",
            f"{mean:+.4f}",
            ONE_RUN if any(is_close(mean, gain, 1e-6) for gain in gains) else "",
        )
    expected = gains.std(ddof=1) / math.sqrt(6)
    if not is_close(error, expected, 1e-6):
        return Problem(
            f"a standard error of {expected:.4f}: the standard deviation of the six differences, with n - 1, "
            "over the root of 6",
            f"{error:.4f}",
            UNPAIRED if any(is_close(error, value, 1e-6) for value in _unpaired_errors(runs)) else "",
        )
    return _check_better(better)


def _check_better(better):
    for key, right, wrong, why in (
        ("2,000 images", "0.5 then 0.2", "0.2 then 0.5", LOWER_FIRST),
        ("60,000 images", "0.2 then 0.5", "0.5 then 0.2", SAME_FOR_ALL),
    ):
        answer = written(better.get(key))
        if answer != right:
            return Problem(
                f"for {key}: one of {', '.join(ORDERS)}, the lower mean if the difference is more than two "
                "standard errors",
                f"{answer!r}",
                why if answer == wrong else "",
            )
    return None


EXERCISES = {
    "order": Exercise(
        check_order,
        "Try z = 5 by hand: m = 0 on both sides, then m = 1/0.7. For the mean, list the two values that the "
        "unit may say, with their probabilities.",
    ),
    "output": Exercise(
        check_output,
        "The loss is 0 unless both logits are dropped. In the loop, look at the last round: what may follow "
        "the last Linear?",
    ),
    "neighbours": Exercise(
        check_neighbours,
        "One factor has the variance p/(1-p). Independent terms: add the variances. One shared draw: write "
        "the sum as a constant times m, and square the constant.",
    ),
    "memory": Exercise(
        check_memory, "Two places use the state: what W reads, and what u keeps. Only one needs the factor."
    ),
    "attention": Exercise(
        check_attention,
        "Softmax first, then a factor of 0 or 1/(1-p) for every weight, then the product with the values. "
        "Var of a sum of a_j m_j: each a_j comes out squared.",
    ),
    "swapped": Exercise(
        check_swapped,
        "Make a dict {seed: run['nll'][-1]} for each of the two settings, then subtract for every seed.",
    ),
}


# --- wrong answers, each built on one wrong idea ---


def _believe(**changed):
    right = {name: same_in_both_orders(g) for name, g in ACTIVATIONS.items()}
    return {**right, **{f"{name}(z)": value for name, value in changed.items()}}


SURE = P**2 * math.log(2)
SIGMOID = P * 0.5 + Q / (1 + math.exp(-2 / Q))


def _run_masked(h, xs, u, W, factor):
    for x in xs:
        h = h * factor
        h = u * h + (1 - u) * np.tanh(h @ W + x)
    return h


def _run(h, xs, u, W, factor):
    for x in xs:
        h = u * h + (1 - u) * np.tanh((h * factor) @ W + x)
    return h


def _attend(drop):
    return lambda scores, values, p, rng: drop(scores, (rng.random(scores.shape) >= p) / (1 - p)) @ values


def _renormalised(scores, factor):
    weights = softmax(scores) * factor
    with np.errstate(all="ignore"):
        return weights / weights.sum(axis=1, keepdims=True)


def _attend_with_one_mask(scores, values, p, rng):
    return softmax(scores) * (rng.random(scores.shape[1]) >= p) / (1 - p) @ values


attend_right = _attend(lambda scores, factor: softmax(scores) * factor)


def last_nlls(runs, drop_probs, num_seeds=None):
    """{seed: last test NLL} of the runs with these drop probabilities."""
    found = {run["seed"]: run["nll"][-1] for run in runs if list(run["drop_probs"]) == drop_probs}
    return dict(sorted(found.items())[:num_seeds])


def paired(runs, first, second, num_seeds=None):
    """(mean, standard error) of first minus second, seed by seed."""
    a, b = (last_nlls(runs, drop_probs, num_seeds) for drop_probs in (first, second))
    gains = np.array([a[seed] - b[seed] for seed in a])
    return gains.mean(), gains.std(ddof=len(gains) > 1) / math.sqrt(len(gains))


def _unpaired(runs, first, second):
    a, b = (np.array([*last_nlls(runs, drop_probs).values()]) for drop_probs in (first, second))
    return a.mean() - b.mean(), math.sqrt((a.var(ddof=1) + b.var(ddof=1)) / len(a))


BETTER = {"2,000 images": "0.5 then 0.2", "60,000 images": "0.2 then 0.5"}
LOWER = {**BETTER, "2,000 images": "0.2 then 0.5"}
SAME = {**BETTER, "60,000 images": "0.5 then 0.2"}

MISCONCEPTIONS = [
    Misconception(
        "before or after the activation is all the same",
        "order",
        lambda: (dict.fromkeys(ACTIVATIONS, True), SIGMOID),
        ALL_SAME,
    ),
    Misconception(
        "before the activation is safe wherever g(0) = 0",
        "order",
        lambda: (_believe(tanh=True), SIGMOID),
        ZERO_ENOUGH,
    ),
    Misconception(
        "dropout must never stand before the activation",
        "order",
        lambda: (_believe(relu=False), SIGMOID),
        ALWAYS_AFTER,
    ),
    Misconception(
        "a dropped unit is silent wherever dropout stands",
        "order",
        lambda: (_believe(), Q / (1 + math.exp(-2 / Q))),
        STILL_TALKS,
    ),
    Misconception(
        "the rescaling keeps the mean through any activation",
        "order",
        lambda: (_believe(), 1 / (1 + math.exp(-2))),
        MEAN_KEPT,
    ),
    Misconception(
        "dropout goes after every layer, the output too",
        "output",
        lambda: (SURE, lambda sizes, p: build(sizes, p, on_output=True)),
        OUTPUT,
    ),
    Misconception("enough training brings every loss to 0", "output", lambda: (0, build), FLOOR),
    Misconception("p is the keep probability", "output", lambda: (Q**2 * math.log(2), build), KEEP),
    Misconception("p is the keep probability", "neighbours", lambda: (4 * 4 / 49, 16, 40, 400), KEEP),
    Misconception(
        "single pixels are as good as channels", "neighbours", lambda: (1, 1, 2.5, 25), AVERAGES_OUT
    ),
    Misconception(
        "tying a mask in time changes nothing", "neighbours", lambda: (1 / 49, 1, 2.5, 2.5), AVERAGES_OUT
    ),
    Misconception("a tied mask may stand on the carried state", "memory", lambda: (_run_masked,), CARRIED),
    Misconception(
        "it is the rescaling that makes the state explode",
        "memory",
        lambda: (lambda h, xs, u, W, factor: _run_masked(h, xs, u, W, factor > 0),),
        UNSCALED,
    ),
    Misconception(
        "a state that is carried allows no dropout",
        "memory",
        lambda: (lambda h, xs, u, W, factor: _run(h, xs, u, W, 1),),
        NO_DROPOUT,
    ),
    Misconception("after dropout attention still sums to 1", "attention", lambda: (1, 0, attend_right), SUM),
    Misconception(
        "after dropout attention still sums to 1",
        "attention",
        lambda: (1, 0.36, _attend(_renormalised)),
        SUM,
    ),
    Misconception(
        "a score of 0 is a position that is not there",
        "attention",
        lambda: (1, 0.36, _attend(lambda scores, factor: softmax(scores * factor))),
        SCORES,
    ),
    Misconception(
        "one mask serves all queries",
        "attention",
        lambda: (1, 0.36, _attend_with_one_mask),
        ONE_MASK,
    ),
    Misconception(
        "a lower p near the input is always better", "swapped", lambda: (paired, LOWER), LOWER_FIRST
    ),
    Misconception(
        "what holds with little data holds with much", "swapped", lambda: (paired, SAME), SAME_FOR_ALL
    ),
    Misconception("seeds need no pairing", "swapped", lambda: (_unpaired, BETTER), UNPAIRED),
    Misconception(
        "one run is evidence", "swapped", lambda: (lambda *task: paired(*task, num_seeds=1), BETTER), ONE_RUN
    ),
]
