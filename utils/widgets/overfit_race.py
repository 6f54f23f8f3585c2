"""Overfit Race: three small nets on the same few noisy points, one with dropout, one with L2, live."""

import functools
import itertools

import numpy as np
import traitlets

from utils import measured, metrics, scratch
from utils.arguments import check_probability
from utils.data import read_only
from utils.widgets import guess, history
from utils.widgets.base import CourseWidget, Probability, WholeNumber, bundle, load_bank
from utils.widgets.core import keep_mask, normal, uniform

WIDTH = 32
SIZES = (2, WIDTH, WIDTH, 2)
NUM_TRAIN, NUM_FRESH, NOISE = 60, 500, 0.35
LR, EPOCHS_PER_POINT, MAX_EPOCHS = 0.2, 20, 6000
GRID = 36
X_RANGE, Y_RANGE = (-2.2, 3.2), (-1.8, 2.3)
# The p and the L2 with the lowest mean loss of those that overfit_race_bank.py tried.
ASKED_EPOCHS, ASKED_P, ASKED_L2 = 2000, 0.5, 0.01
# What the slider offers. In the loss stands L2 / 2 times the sum of the squared weights, biases left out.
L2_VALUES = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1)
# Of ten draws of points (overfit_race_bank.py) the one whose gain by dropout is nearest to their median.
SEED = 0
NETS = ("without", "with", "L2")
NAMES = ("the one without either", "the one with dropout", "the one with L2")
# Of utils/series.json, in the order of a row of the history.
SERIES = tuple(f"{net} {points}" for net in NETS for points in ("training", "fresh"))


def half_moons(num_points, seed):
    """Two interleaving half circles with Gaussian noise: float64 (num_points, 2), labels 0 and 1 in turn."""
    angle = np.pi * uniform(seed, num_points).astype(np.float64)
    label = np.arange(num_points) % 2
    sign = 1.0 - 2 * label
    circles = np.column_stack([label + sign * np.cos(angle), 0.5 * label + sign * np.sin(angle)])
    return circles + NOISE * normal(seed + 1, 2 * num_points).reshape(-1, 2), label


@functools.lru_cache(maxsize=4)
def make_points(seed):
    """The points of a race: (x_train, y_train, x_fresh, y_fresh), float64 and int."""
    x, y = half_moons(NUM_TRAIN + NUM_FRESH, 4 * seed)
    return read_only((x[:NUM_TRAIN], y[:NUM_TRAIN], x[NUM_TRAIN:], y[NUM_TRAIN:]))


def first_weights(seed):
    """[[W, b], ...] of a 2-32-32-2 net from N(0, 2 / n_in), b = 0, float64: the same in the browser."""
    shapes = list(itertools.pairwise(SIZES))
    numbers = np.split(
        normal(4 * seed + 2, sum(a * b for a, b in shapes)), np.cumsum([a * b for a, b in shapes])[:-1]
    )
    return [
        [np.sqrt(2 / n_in) * part.reshape(n_in, n_out), np.zeros(n_out)]
        for part, (n_in, n_out) in zip(numbers, shapes, strict=True)
    ]  # fmt: skip


def factors(seed, epoch, p):
    """What dropout multiplies both hidden layers by in this epoch: float64 (2, 60, 32)."""
    n = 2 * NUM_TRAIN * WIDTH
    kept = keep_mask(uniform(4 * seed + 3, n, first=epoch * n), p)
    return (kept * (1 / (1 - p) if p < 1 else 0.0)).reshape(2, NUM_TRAIN, WIDTH)


def train_epoch(params, x, y, layer_factors=(None, None), l2=0.0):
    """One step of gradient descent on all points, in place.

    `layer_factors` holds what dropout multiplies the hidden layers by (None: no dropout).
    """
    h, factor, cache = x, None, []
    for (W, b), next_factor in zip(params[:-1], layer_factors, strict=True):
        cache.append((h, factor))
        h, factor = scratch.hidden_layer(h, W, b), next_factor
        if factor is not None:
            h *= factor
    W, b = params[-1]
    _, dlogits = scratch.softmax_cross_entropy(h @ W + b, y)
    grads = scratch.backward(params, [*cache, (h, factor)], dlogits)
    for (W, _), (dW, _) in zip(params, grads, strict=True):
        dW += l2 * W
    scratch.sgd_step(params, grads, LR)


class Race:
    """Three nets from the same weights, trained as far as they are; js/overfit_race.js has its twin."""

    def __init__(self, seed):
        self.seed, self.epoch, self.trained = seed, 0, []
        self.x, self.y, self.x_fresh, self.y_fresh = make_points(seed)
        self.nets = [first_weights(seed) for _ in NETS]
        self.history = []
        self._measure()

    def train(self, num_epochs, p, l2):
        """Train for `num_epochs` more, and measure every EPOCHS_PER_POINT epochs and at the end."""
        for _ in range(num_epochs):
            dropped = tuple(factors(self.seed, self.epoch, p)) if p > 0 else (None, None)
            train_epoch(self.nets[0], self.x, self.y)
            train_epoch(self.nets[1], self.x, self.y, dropped)
            train_epoch(self.nets[2], self.x, self.y, l2=l2)
            self.epoch += 1
            if self.epoch % EPOCHS_PER_POINT == 0:
                self._measure()
        if num_epochs and self.epoch % EPOCHS_PER_POINT:
            self._measure()
        self.trained = history.joined([*self.trained, [p, l2, num_epochs]])

    def surfaces(self):
        """The probability of class 1 at the centres of the picture's cells, row by row: (3, 36, 36)."""
        xs, ys = np.linspace(*X_RANGE, GRID), np.linspace(*Y_RANGE[::-1], GRID)
        places = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
        probs = [metrics.softmax(scratch.forward_eval(params, places))[:, 1] for params in self.nets]
        return np.reshape(probs, (len(NETS), GRID, GRID))

    def _measure(self):
        self.history.append([self.epoch] + [
            float(metrics.nll(metrics.softmax(scratch.forward_eval(params, x)), y))
            for params in self.nets
            for x, y in ((self.x, self.y), (self.x_fresh, self.y_fresh))
        ])  # fmt: skip


class OverfitRace(CourseWidget):
    """Three 2-32-32-2 nets start from the same weights on the same 60 noisy points, and train in the browser.

    The first is left alone, the second has dropout p after both hidden layers, the third L2. Both may change
    while they train. Curves show the loss in eval mode on the training points and on 500 fresh points.
    Python trains the same nets when it is asked for numbers or a figure.

    Parameters
    ----------
    p : float in [0, 1]
        Drop probability of the second net, from now on.
    l2 : 0, 0.001, 0.003, 0.01, 0.03 or 0.1
        Strength of the third net's L2, from now on: the loss has l2 / 2 times the sum of squared weights.
    seed : int
        Seed of the points, the weights and the masks.
    trained : list of [p, l2, epochs]
        What the nets have been trained with, in this order.
    """

    _esm = bundle("overfit_race")
    settings = ("p", "l2", "seed", "trained")

    p = Probability(ASKED_P).tag(sync=True)
    l2 = traitlets.Float(ASKED_L2).tag(sync=True)
    seed = WholeNumber(SEED, high=2**29).tag(sync=True)
    trained = traitlets.List().tag(sync=True)
    layout_numbers = traitlets.Dict(
        {"grid": GRID, "x": X_RANGE, "y": Y_RANGE, "l2_values": list(L2_VALUES), "typical": SEED}
    ).tag(sync=True)

    def __init__(self, **state):
        self._race = None
        super().__init__(**state)

    def ask(self):
        if self.p != ASKED_P and self.p in load_bank("race")["p"]:
            return self._ask_of_another_p()
        losses = {name: values.mean() for name, values in asked_losses().items()}
        seeds = len(load_bank("race")["seeds"])
        return (
            f"Predict first: {NUM_TRAIN} noisy points, {ASKED_EPOCHS:,} epochs, dropout p = {ASKED_P} or "
            f"L2 = {ASKED_L2}. Which net has the lowest loss on fresh points?",
            guess.choice(*NAMES),
            min(losses, key=losses.get),
            f"Mean fresh loss over {seeds} draws of points: "
            + ", ".join(f"{loss:.2f} {name.removeprefix('the one ')}" for name, loss in losses.items())
            + ".",
        )

    def _ask_of_another_p(self):
        rows = load_bank("race")["p"].tolist()
        here, asked = (load_bank("race")["fresh_p"][rows.index(p)] for p in (self.p, ASKED_P))
        found = measured.difference(here, asked)
        words = ("lower", "ten draws cannot tell", "higher")
        return (
            f"Predict first: {NUM_TRAIN} noisy points, {ASKED_EPOCHS:,} epochs, ten draws of points. With "
            f"p = {self.p} in place of p = {ASKED_P}, is the loss on fresh points lower or higher?",
            guess.choice(*words),
            words[1 + int(found.low > 0) - int(found.high < 0)],
            f"Fresh loss {here.mean():.2f} at p = {self.p}, {asked.mean():.2f} at p = {ASKED_P}; mean "
            f"difference {found.mean:.2f}, 95 % interval [{found.low:.2f}, {found.high:.2f}], "
            f"{found.n} pairs.",
        )

    @traitlets.validate("l2")
    def _check_l2(self, proposal):
        if proposal["value"] not in L2_VALUES:
            raise traitlets.TraitError(f"l2 must be one of {L2_VALUES}, got {proposal['value']!r}")
        return proposal["value"]

    @traitlets.validate("trained")
    def _check_trained(self, proposal):
        def settings(p, l2):
            if l2 not in L2_VALUES:
                raise ValueError
            return check_probability("p", p), l2

        return history.check(
            "trained", proposal["value"], MAX_EPOCHS, settings, (),
            f"[p, l2, epochs], l2 one of {L2_VALUES}, at most {MAX_EPOCHS} epochs in all",
        )  # fmt: skip

    def run(self, num_epochs):
        """Train all nets for `num_epochs` more epochs."""
        self.trained = history.joined([*self.trained, [self.p, self.l2, num_epochs]])

    def race(self):
        """The nets, trained as `trained` says."""
        race = self._race
        rest = history.left(race.trained, self.trained) if race and race.seed == self.seed else None
        if rest is None:
            race, rest = Race(self.seed), self.trained
            self._race = race
        for p, l2, epochs in rest:
            race.train(epochs, p, l2)
        return race

    def numbers(self):
        """Epochs so far and the eval-mode losses of the three nets on training and fresh points."""
        epoch, *losses = self.race().history[-1]
        names = ("train_p0", "fresh_p0", "train_p", "fresh_p", "train_l2", "fresh_l2")
        return {"p": self.p, "l2": self.l2, "epoch": epoch, **dict(zip(names, losses, strict=True))}

    def titles(self):
        """The three nets in words: the results keep the p that they had."""
        had = self.trained or [[self.p, self.l2]]
        ps, l2s = _changes(f"{p:.2f}" for p, *_ in had), _changes(str(l2) for _, l2, *_ in had)
        return "without either", f"dropout, p = {ps}", f"L2 = {l2s}"

    def draw(self, plotting):
        """The three decision surfaces and the loss curves as a static figure."""
        race, titles = self.race(), self.titles()
        fig, axes = plotting.new_figure(
            f"Decision surfaces of three nets after {race.epoch} epochs ({'; '.join(titles)}), and their "
            "losses on training and fresh points.",
            4,
            width=16,
        )
        for ax, surface, name in zip(axes, race.surfaces(), titles, strict=False):
            ax.imshow(surface, extent=(*X_RANGE, *Y_RANGE), cmap="PuOr", vmin=0, vmax=1, aspect="auto")
            for label, marker in ((0, "o"), (1, "^")):
                ax.scatter(*race.x[race.y == label].T, marker=marker, color="white", edgecolors="black")
            ax.set(title=name, xlabel="x1", ylabel="x2")
        epochs, *losses = np.array(race.history).T
        most = np.ceil(np.max(losses)) if np.max(losses) > 1.5 else 1.5
        for series, values in zip(SERIES, losses, strict=True):
            every = max(1, len(epochs) // 8)
            axes[3].plot(epochs, values, linewidth=2.2, markevery=every, **plotting.series_style(series))
        axes[3].set(title="Loss in eval mode", xlabel="epoch", ylabel="NLL", ylim=(0, most))
        fig.legend(*axes[3].get_legend_handles_labels(), loc="outside lower center", ncols=3,
                   fontsize=plotting.FONT_SIZE - 1)  # fmt: skip
        return fig


def _changes(values):
    """The values that a setting had, in words; of more than three the ends are named."""
    had = [value for value, _ in itertools.groupby(values)]
    return ", then ".join([had[0], "…", had[-1]] if len(had) > 3 else had)


def asked_losses():
    """{net: fresh losses after 2,000 epochs, one for each draw of points}, at the p and L2 asked about."""
    bank = load_bank("race")
    rows = {"p": bank["p"].tolist(), "l2": bank["l2"].tolist()}
    found = (
        bank["fresh_p"][rows["p"].index(0.0)],
        bank["fresh_p"][rows["p"].index(ASKED_P)],
        bank["fresh_l2"][rows["l2"].index(ASKED_L2)],
    )
    return dict(zip(NAMES, found, strict=True))
