"""Thinned Network: every mask leaves another, smaller network, and all of them share the weights."""

import functools

import numpy as np
import traitlets

from utils.metrics import softmax
from utils.widgets import guess
from utils.widgets.base import Choice, CourseWidget, Probability, WholeNumber, bundle, load_bank
from utils.widgets.core import keep_mask, uniform

SIZES = (4, 6, 6, 2)
LAYERS = ("input", "hidden 1", "hidden 2", "output")
UNITS = tuple(
    f"{layer}.{unit + 1}" for layer, size in zip(LAYERS, SIZES, strict=True) for unit in range(size)
)
FEATURES = ("sepal length", "sepal width", "petal length", "petal width")
CLASSES = ("versicolor", "virginica")
NUM_FLOWERS = 30
MOST_SAVED, MOST_DRAWS = 6, 500
ALL_PATHS = int(np.prod(SIZES))
ASKED_P, ASKED_DRAWS = 0.8, 10


@functools.cache
def load_net():
    """The net on show and the flowers that it never saw; thinned_network_bank.py trained it.

    Returns
    -------
    dict of
        params : list of (W, b) pairs, float32
        inputs : float32 (30, 4), the standardised flowers held out
        centimetres : float (30, 4), the same as measured
        labels : int (30,), 0 = versicolor, 1 = virginica
    """
    bank = load_bank("thinned")
    params = [(bank[f"W{k}"], bank[f"b{k}"]) for k in (1, 2, 3)]
    return {"params": params, **{name: bank[name] for name in ("inputs", "centimetres", "labels")}}


def forward(params, x, factors):
    """Inputs, hidden values after dropout, and logits of one example: a list of four float64 arrays.

    `factors` holds what dropout multiplies each hidden layer by: one array per hidden layer.
    """
    layers = [x.astype(np.float64)]
    for (W, b), factor in zip(params[:-1], factors, strict=True):
        layers.append(np.maximum(layers[-1] @ W.astype(np.float64) + b, 0) * factor)
    W, b = params[-1]
    layers.append(layers[-1] @ W.astype(np.float64) + b)
    return layers


def push(carried):
    """The series (utils/series.json) of a line that carries this value: "up", "down" or "nothing"."""
    return "up" if carried > 0 else "down" if carried < 0 else "nothing"


class ThinnedNetwork(CourseWidget):
    """A trained 4-6-6-2 net: which paths does a mask leave, and what does the thinned net answer?

    `seed` draws one uniform number per hidden unit, the first layer's six first; a unit is kept when its
    number is at least its layer's p. Kept values are multiplied by 1 / (1 - p) (inverted scaling). "New
    draw" adds one to `draws`: the k-th draw has the seed `seed` + k - 1, and the last one is on show. Each
    leaves a tick on the bar of P(virginica). "Keep this subnetwork" remembers the seed on show in `saved`;
    the strip shows those draws at the present p1 and p2. In mode "eval" all units are on, unscaled.

    Parameters
    ----------
    p1, p2 : float in [0, 1]
        Drop probabilities of the first and the second hidden layer.
    flower : int in [0, 29]
        Which of the 30 held-out flowers goes in.
    mode : "train" or "eval"
    seed : int
    draws : int in [1, 500]
    trace : str
        A unit whose paths are highlighted, such as "hidden 1.3", or "none".
    saved : list of int
        At most six seeds.
    """

    _esm = bundle("thinned_network")
    settings = ("p1", "p2", "flower", "mode", "seed", "draws", "trace", "saved")

    p1 = Probability(0.5).tag(sync=True)
    p2 = Probability(0.5).tag(sync=True)
    flower = WholeNumber(8, high=NUM_FLOWERS - 1).tag(sync=True)
    mode = Choice("train", "eval").tag(sync=True)
    seed = WholeNumber(1).tag(sync=True)
    draws = WholeNumber(1, 1, MOST_DRAWS).tag(sync=True)
    trace = Choice("none", *UNITS).tag(sync=True)
    saved = traitlets.List().tag(sync=True)
    # For the browser: W1, b1, W2, b2, W3, b3 and the standardised flowers as float32; the flowers in words.
    weights = traitlets.Bytes().tag(sync=True)
    inputs = traitlets.Bytes().tag(sync=True)
    flowers = traitlets.List().tag(sync=True)

    def prepare(self):
        net = load_net()
        self.weights = b"".join(array.tobytes() for pair in net["params"] for array in pair)
        self.inputs = net["inputs"].tobytes()
        self.flowers = [
            {"centimetres": [round(float(v), 1) for v in row], "label": int(label)}
            for row, label in zip(net["centimetres"], net["labels"], strict=True)
        ]

    def ask(self):
        seeds = range(self.seed + 1, self.seed + 1 + ASKED_DRAWS)
        masks = [keep_mask(uniform(seed, 12), ASKED_P) for seed in seeds]
        left = sum(bool(mask[:6].any() and mask[6:].any()) for mask in masks)
        chance = (1 - ASKED_P**6) ** 2
        return (
            f"Predict first: at p1 = p2 = {ASKED_P}, in how many of {ASKED_DRAWS} draws is a path left from "
            "input to output?",
            guess.number(0, ASKED_DRAWS, unit="draws"),
            left,
            f"That is in the next {ASKED_DRAWS} draws. A draw leaves a path with probability {chance:.2f}: a "
            "layer is cut when all its six units are dropped.",
        )

    @traitlets.validate("saved")
    def _check_saved(self, proposal):
        value = proposal["value"]
        whole = all(type(seed) is int and 0 <= seed < 2**31 for seed in value)
        if not whole or len(value) > MOST_SAVED:
            raise traitlets.TraitError(
                f"saved must hold at most {MOST_SAVED} whole numbers in [0, 2147483647], got {value!r}"
            )
        return value

    def masks(self, seed=None):
        """The keep-masks in training, for `seed` or the seed on show: two bool arrays of shape (6,)."""
        u = uniform(self.seed + self.draws - 1 if seed is None else seed, 12)
        return keep_mask(u[:6], self.p1), keep_mask(u[6:], self.p2)

    def forward(self, seed=None):
        """What the network computes: (keep-masks, list of four layers of values, probabilities).

        With a seed given, the draw of that seed in training; else what is on show.
        """
        if seed is None and self.mode == "eval":
            keep = (np.ones(6, bool), np.ones(6, bool))
            factors = (np.ones(6), np.ones(6))
        else:
            keep = self.masks(seed)
            factors = [
                k / (1 - p) if p < 1 else np.zeros(6) for k, p in zip(keep, (self.p1, self.p2), strict=True)
            ]
        net = load_net()
        layers = forward(net["params"], net["inputs"][self.flower], factors)
        return keep, layers, softmax(layers[-1])

    def forward_all(self):
        """P(virginica) with all units, as in evaluation."""
        net = load_net()
        x = net["inputs"][self.flower]
        return float(softmax(forward(net["params"], x, (np.ones(6), np.ones(6)))[-1])[1])

    def answers(self):
        """P(virginica) of each draw so far, at the present p1 and p2: float64 of shape (draws,)."""
        return np.array([self.forward(seed)[2][1] for seed in range(self.seed, self.seed + self.draws)])

    def _traced(self, keep):
        """Units on a path through the traced unit: one bool array per layer, all False if there is none."""
        alive = [np.ones(4, bool), *keep, np.ones(2, bool)]
        if self.trace != "none":
            layer, unit = self.trace.rsplit(".", 1)
            index = LAYERS.index(layer)
            alive[index] = alive[index] & (np.arange(SIZES[index]) == int(unit) - 1)
        if not all(units.any() for units in alive):
            return [np.zeros(size, bool) for size in SIZES]
        return alive

    def numbers(self):
        """The state, units kept, paths from input to output (of 288), and the probabilities.

        mean_virginica is the mean of P(virginica) over the draws so far; path_chance the chance that a draw
        leaves any path; traced_paths the number of paths through the traced unit (all where trace is "none").
        """
        keep, _, probs = self.forward()
        kept = [int(k.sum()) for k in keep]
        return {
            "p1": self.p1,
            "p2": self.p2,
            "seed": self.seed,
            "mode": self.mode,
            "flower": self.flower,
            "kept1": kept[0],
            "kept2": kept[1],
            "paths": SIZES[0] * kept[0] * kept[1] * SIZES[-1],
            "traced_paths": int(np.prod([units.sum() for units in self._traced(keep)])),
            "path_chance": (1 - self.p1**6) * (1 - self.p2**6) if self.mode == "train" else 1.0,
            "subnetworks": 2**12,
            "draws": self.draws,
            "mean_virginica": float(self.answers().mean()),
            **{name: float(prob) for name, prob in zip(CLASSES, probs, strict=True)},
        }

    def draw(self, plotting):
        """The network on show as a static figure."""
        keep, layers, probs = self.forward()
        numbers = self.numbers()
        left = f"{numbers['paths']} of {ALL_PATHS} paths are left" if numbers["paths"] else "no path is left"
        fig, ax = plotting.new_figure(
            f"A 4-6-6-2 net for flower {self.flower} ({self.mode}): {numbers['kept1']} and "
            f"{numbers['kept2']} of 6 hidden units kept, {left}; P(virginica) = {probs[1]:.2f}.",
            height=5.6,
        )
        alive = [np.ones(4, bool), *keep, np.ones(2, bool)]
        traced = self._traced(keep)
        places = [[(2 * i, j - (size - 1) / 2) for j in range(size)] for i, size in enumerate(SIZES)]
        for i, (W, _) in enumerate(load_net()["params"]):
            for a, b in np.argwhere(np.outer(alive[i], alive[i + 1])):
                carried = layers[i][a] * W[a, b]
                look = plotting.series_style(push(carried))
                ax.plot(
                    *zip(places[i][a], places[i + 1][b], strict=True),
                    color=look["color"],
                    linestyle=look["linestyle"],
                    linewidth=min(5, 0.8 + abs(carried)),
                    alpha=0.9 if traced[i][a] and traced[i + 1][b] else 0.15,
                    zorder=1,
                )
        for values, units, row in zip(layers, alive, places, strict=True):
            for value, on, (x, y) in zip(values, units, row, strict=True):
                ax.scatter(x, y, s=760, color="white", edgecolor=plotting.BLACK, linewidth=2, zorder=2,
                           linestyle="-" if on else ":")  # fmt: skip
                if on:
                    ax.text(x, y, f"{value:.1f}", ha="center", va="center", zorder=3)
                else:
                    ax.scatter(x, y, s=170, marker="x", color=plotting.ORANGE, linewidth=3, zorder=3)
        for (x, y), name in zip(places[0], FEATURES, strict=True):
            ax.text(x - 0.3, y, name, ha="right", va="center")
        label = load_net()["labels"][self.flower]
        for k, (x, y) in enumerate(places[3]):
            true = " (true)" if k == label else ""
            ax.text(x + 0.3, y, f"{CLASSES[k]}{true}\n{probs[k]:.2f}", ha="left", va="center")
        heads = ["input", *("hidden: all units",) * 2, "output"]
        if self.mode == "train":
            heads[1:3] = [f"hidden: p{i + 1} = {p:.2f}" for i, p in enumerate((self.p1, self.p2))]
        for i, head in enumerate(heads):
            ax.text(2 * i, 3.1, head, ha="center", va="center")
        # The bar of P(virginica) with a tick for each draw.
        bar, answers = 4.3, self.answers()
        ax.plot([0, 6], [bar, bar], color=plotting.BLACK, linewidth=1)
        ax.vlines(
            6 * answers, bar - 0.3, bar + 0.3, color=plotting.series_style("draws")["color"], linewidth=1.5
        )
        for name, value in (("vote", answers.mean()), ("scaled", self.forward_all())):
            look = plotting.series_style(name)
            ax.scatter(6 * value, bar, s=70, marker=look["marker"], color=look["color"], zorder=3)
        ax.text(
            3,
            bar + 0.8,
            f"P(virginica) of {self.draws} draw{'s' if self.draws > 1 else ''}, from 0 to 1: mean "
            f"{answers.mean():.2f} (circle), all units {self.forward_all():.2f} (triangle)",
            ha="center",
            va="center",
        )
        ax.set(title=f"{left[0].upper()}{left[1:]}", xlim=(-1.7, 7.7), ylim=(5.6, -3.0))
        ax.set_axis_off()
        return fig
