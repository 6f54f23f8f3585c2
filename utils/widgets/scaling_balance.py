"""Scaling Balance: what the next layer receives in training and in evaluation, under three conventions."""

import functools
import math

import numpy as np
import traitlets

from utils.data import read_only
from utils.widgets import guess
from utils.widgets.base import Choice, CourseWidget, Probability, WholeNumber, bundle, load_bank
from utils.widgets.core import histogram, keep_mask, uniform

SCALINGS = ("inverted", "at test", "none")
MODES = ("train", "eval")
# The histogram's bins: fixed, so that one sees the values move out as p grows.
HIGHEST, NUM_BINS = 12, 48
ASKED_P = 0.5


@functools.cache
def load_activations():
    """The activations behind the widget as float64: hidden and readers (32, 64), bias (32,).

    scaling_balance_bank.py made them and says what they are.
    """
    bank = load_bank("activations")
    return read_only({name: bank[name].astype(np.float64) for name in ("hidden", "readers", "bias")})


def scales(p, scaling):
    """What kept values are multiplied by in training, and all values in evaluation: (train, eval)."""
    return {
        "inverted": (1 / (1 - p) if p < 1 else 0.0, 1.0),
        "at test": (1.0, 1 - p),
        "none": (1.0, 1.0),
    }[scaling]


def variance_in_training(p, scaling):
    """The variance over masks and activations of what the next layer receives in training."""
    hidden, q = load_activations()["hidden"], 1 - p
    return float(scales(p, scaling)[0] ** 2 * (q * (hidden**2).mean() - q**2 * hidden.mean() ** 2))


class ScalingBalance(CourseWidget):
    """2,048 real activations through dropout: is what the next layer receives the same in train and eval?

    The activations are those of 64 hidden ReLU units of a net of ours (784-64-10, one epoch on Fashion-MNIST,
    scaling_balance_bank.py) for 32 test images. `seed` draws one uniform number per activation; in
    training it is kept when its number is at least p. "New draw" adds one to the seed.

    Parameters
    ----------
    p : float in [0, 1]
        Drop probability.
    scaling : "inverted", "at test" or "none"
        Kept values times 1 / (1 - p) in training; or (classical) all values times 1 - p in evaluation; or
        neither, which is the bug.
    mode : "train" or "eval"
        Whose values are counted, and whose numbers `stats()` gives; the histogram shows both.
    seed : int
    """

    _esm = bundle("scaling_balance")
    settings = ("p", "scaling", "mode", "seed")

    p = Probability(0.5).tag(sync=True)
    scaling = Choice(*SCALINGS).tag(sync=True)
    mode = Choice(*MODES).tag(sync=True)
    seed = WholeNumber(1).tag(sync=True)
    # For the browser, as float32: the activations, the weights that read them, and the mean bias.
    hidden = traitlets.Bytes().tag(sync=True)
    readers = traitlets.Bytes().tag(sync=True)
    bias = traitlets.Float().tag(sync=True)

    def prepare(self):
        arrays = load_activations()
        self.hidden = arrays["hidden"].astype(np.float32).tobytes()
        self.readers = arrays["readers"].astype(np.float32).tobytes()
        self.bias = float(arrays["bias"].mean())

    def ask(self):
        if self.scaling == "none":
            return self._ask_of_the_means()
        with_none, with_half = (variance_in_training(p, "inverted") for p in (0.0, ASKED_P))
        words = ("it shrinks", "it stays the same", "it grows")
        return (
            "Predict first: with inverted scaling the mean stays as p grows. What happens to the variance in "
            "training?",
            guess.choice(*words),
            words[1 + int(np.sign(round(with_half - with_none, 6)))],
            f"Expected over masks: {with_none:.2f} without dropout, {with_half:.2f} at p = {ASKED_P}.",
        )

    def _ask_of_the_means(self):
        mean, kept = load_activations()["hidden"].mean(), 1 - ASKED_P
        words = ("more in training", "the same in both", "more in evaluation")
        return (
            f"Predict first: p = {ASKED_P}, and nothing is scaled. Does the next layer receive more in "
            "training or in evaluation, on average?",
            guess.choice(*words),
            words[1 + int(np.sign(round(mean - kept * mean, 6)))],
            f"Expected over masks: {kept * mean:.2f} in training, {mean:.2f} in evaluation.",
        )

    def received(self, mode=None):
        """What the next layer receives in `mode` (default: the mode on show): float64 of shape (32, 64)."""
        hidden = load_activations()["hidden"]
        train_scale, eval_scale = scales(self.p, self.scaling)
        if (mode or self.mode) == "eval":
            return hidden * eval_scale
        return hidden * train_scale * keep_mask(uniform(self.seed, hidden.size), self.p).reshape(hidden.shape)

    def measured(self, mode=None):
        """Mean and variance over the 2,048 received values, and the mean pre-activation over the 32 images.

        The pre-activation is that of the output unit of each image's own class.
        """
        values = self.received(mode)
        arrays = load_activations()
        pre_activation = (values * arrays["readers"]).sum(axis=1) + arrays["bias"]
        return float(values.mean()), float(values.var()), float(pre_activation.mean())

    def theory(self, mode=None):
        """The same three numbers in expectation over masks.

        With h an activation drawn from the 2,048 and s the scale in training, the mean is s q E[h] and the
        variance s^2 (q E[h^2] - q^2 E[h]^2); for s = 1/q that is E[h] and Var(h)/q + E[h]^2 p/q.
        """
        arrays = load_activations()
        hidden, q = arrays["hidden"], 1 - self.p
        train_scale, eval_scale = scales(self.p, self.scaling)
        train = (mode or self.mode) == "train"
        scale, keep = (train_scale, q) if train else (eval_scale, 1.0)
        mean, square = hidden.mean(), (hidden**2).mean()
        read = (hidden * arrays["readers"]).sum(axis=1).mean()
        return (
            float(scale * keep * mean),
            float(scale**2 * (keep * square - keep**2 * mean**2)),
            float(scale * keep * read + arrays["bias"].mean()),
        )

    def standard_errors(self, mode=None):
        """Standard deviations, over masks, of what `measured` gives; 0 in evaluation.

        Of the variance to first order: one activation's mask changes it by (s h)^2 - 2 E[mean] s h, over n.
        """
        if (mode or self.mode) == "eval":
            return 0.0, 0.0, 0.0
        arrays = load_activations()
        kept = arrays["hidden"] * scales(self.p, self.scaling)[0]
        std = math.sqrt(self.p * (1 - self.p))  # of one mask
        expected = self.theory("train")[0]
        return (
            float(std * np.sqrt((kept**2).sum()) / kept.size),
            float(std * np.sqrt(((kept**2 - 2 * expected * kept) ** 2).sum()) / kept.size),
            float(std * np.sqrt(((kept * arrays["readers"]) ** 2).sum()) / len(kept)),
        )

    def numbers(self):
        """The state; mean, variance and pre-activation, measured and in theory, in the mode on show.

        Each comes with the standard error of the measurement over masks.
        eval_over_train is the ratio of the expected means: 1 where the scaling balances, 1 / (1 - p) without
        scaling, not a number where nothing passes in training (p = 1).
        """
        train_scale, eval_scale = scales(self.p, self.scaling)
        found = {}
        for name, measured, theory, error in zip(
            ("mean", "variance", "pre_activation"),
            self.measured(),
            self.theory(),
            self.standard_errors(),
            strict=True,
        ):
            found |= {name: measured, f"{name}_theory": theory, f"{name}_error": error}
        return {
            **self.state(),
            **found,
            "eval_over_train": eval_scale / (train_scale * (1 - self.p)) if self.p < 1 else math.nan,
        }

    def draw(self, plotting):
        """Histogram and the three balances as a static figure."""
        rows = {mode: (self.measured(mode), self.theory(mode)) for mode in MODES}
        fig, axes = plotting.new_figure(
            f"Scaling {self.scaling} at p = {self.p:.2f}: in theory the next layer receives "
            + " and ".join(
                f"mean {theory[0]:.2f}, variance {theory[1]:.2f} in {mode}"
                for mode, (_, theory) in rows.items()
            )
            + ".",
            num_columns=4,
            width=12,
            height=4,
        )
        step = HIGHEST / NUM_BINS
        for mode, sign in zip(MODES, (1, -1), strict=True):
            values, look = self.received(mode), plotting.series_style(mode)
            shares = sign * 100 * histogram(values[values > 0], 0, HIGHEST, NUM_BINS) / values.size
            axes[0].bar(step * np.arange(NUM_BINS), shares, step, align="edge", color=look["color"])
            line = plotting.series_style("theory")
            axes[0].plot([rows[mode][1][0]] * 2, [0, sign * max(abs(shares))], color=line["color"],
                         linestyle=line["linestyle"], linewidth=3)  # fmt: skip
        axes[0].set(
            title=f"{(self.received('train') == 0).mean():.0%} are 0 in train; the rest:",
            xlabel="value received",
            ylabel="share in %: train up, eval down",
            xlim=(0, HIGHEST),
        )
        axes[0].yaxis.set_major_formatter(lambda share, _: f"{abs(share):.0f}")
        for k, (ax, name) in enumerate(zip(axes[1:], ("mean", "variance", "pre-activation"), strict=True)):
            for y, mode in enumerate(MODES):
                measured, theory = rows[mode][0][k], rows[mode][1][k]
                ax.barh(
                    y,
                    measured,
                    height=0.5,
                    color=plotting.series_style(mode)["color"] if mode == "train" else "white",
                    edgecolor=plotting.series_style(mode)["color"],
                    linewidth=2,
                    label=f"{mode}, measured",
                )
                ax.plot(
                    [theory] * 2,
                    [y - 0.4, y + 0.4],
                    color=plotting.series_style("theory")["color"],
                    linestyle=plotting.series_style("theory")["linestyle"],
                    linewidth=3,
                    label="theory" if y else None,
                )
            ax.set(title=name, yticks=range(2), yticklabels=MODES, ylim=(1.7, -0.7))
            ax.set_xlim(0, 1.25 * max(0.1, *(row[k] for pair in rows.values() for row in pair)))
        fig.legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=3,
                   fontsize=plotting.FONT_SIZE - 1)  # fmt: skip
        return fig
