"""Noise You Cannot Feel: four relatives of dropout at equal variance, and what nets felt of it."""

import functools
import itertools
import math

import numpy as np
import traitlets

from utils.data import read_only
from utils.measured import MATTERS, Difference, verdict
from utils.widgets import guess
from utils.widgets.base import Choice, CourseWidget, Probability, WholeNumber, bundle, load_bank
from utils.widgets.core import keep_mask, normal, uniform
from utils.widgets.noise_you_cannot_feel_bank import ARMS, BASE

NOISES = (BASE, *ARMS)
WHENS = ("end of training", "stopped early")
MOST_TERMS, NUM_DRAWS, HIGHEST_P, TRAINED_P = 32, 500, 0.5, 0.4
TERMS = (1, 2, 4, 8, 16, 32)
READERS_SEED, AGREEMENT = 10, 0.8
AXIS, ELLIPSE = 4, 2  # the end of the axes; how many standard deviations the ellipse is away


@functools.cache
def readers():
    """What two units of the next layer multiply each of 32 values by: float64 (32, 2). They mostly agree."""
    h = uniform(READERS_SEED, MOST_TERMS).astype(np.float64) + 0.5
    base = normal(READERS_SEED + 1, 2 * MOST_TERMS).reshape(MOST_TERMS, 2)
    other = AGREEMENT * base[:, 0] + math.sqrt(1 - AGREEMENT**2) * base[:, 1]
    return read_only(h[:, None] * np.column_stack([base[:, 0], other]))


def factors(noise, p, terms, seed):
    """500 draws of what a noise multiplies by: float64 (500, terms, 1), for DropConnect (500, terms, 2)."""
    k, v = NOISES.index(noise), p / (1 - p)
    width = 2 if noise == "DropConnect" else 1
    shape = (NUM_DRAWS, terms, width)
    if noise == "Gaussian":
        return 1 + math.sqrt(v) * normal(4 * seed + k, math.prod(shape)).reshape(shape)
    u = uniform(4 * seed + k, math.prod(shape)).reshape(shape)
    if noise == "three-level":
        u = u.astype(np.float64)
        return 1.0 + (u > 1 - v / 2) - (u < v / 2)
    return keep_mask(u, p) / (1 - p)


def excess_kurtosis(noise, p):
    """Of one factor, E(m - 1)^4 / v^2 - 3; 0 where nothing varies."""
    v = p / (1 - p)
    if v == 0 or noise == "Gaussian":
        return 0.0
    if noise == "three-level":
        return 1 / v - 3
    return 1 / (p * (1 - p)) - 6


class NoiseYouCannotFeel(CourseWidget):
    """The noise that two units of the next layer receive, from four relatives of dropout at equal variance.

    Each unit adds up `terms` values, and every value has its factor of mean 1 and variance p / (1 - p). Below
    stand chapter 13's trained nets: test NLL minus that of binary dropout at p = 0.4, in ten pairs.

    Parameters
    ----------
    p : float in [0, 0.5]
        Drop probability of binary dropout; the others get its variance. Three levels reach no further.
    terms : 1, 2, 4, 8, 16 or 32
        How many noisy values each unit adds up.
    when : "end of training" or "stopped early"
        Which of the nets' two results is on show.
    seed : int
    """

    _esm = bundle("noise_you_cannot_feel")
    settings = ("p", "terms", "when", "seed")

    p = Probability(TRAINED_P).tag(sync=True)
    terms = WholeNumber(MOST_TERMS).tag(sync=True)
    when = Choice(*WHENS).tag(sync=True)
    seed = WholeNumber(0, high=2**29).tag(sync=True)
    # For the browser: the readers, and {when: [[noise, mean, low, high, verdict], ...]} with its words.
    readers = traitlets.List().tag(sync=True)
    felt = traitlets.Dict().tag(sync=True)
    layout_numbers = traitlets.Dict(
        {"terms": list(TERMS), "matters": MATTERS["nll"], "axis": AXIS, "ellipse": ELLIPSE,
         "trained_p": TRAINED_P}
    ).tag(sync=True)  # fmt: skip

    def prepare(self):
        self.readers = readers().tolist()
        self.felt = {
            when: [[name, *found[:3], told(found)] for name, found in differences(when).items()]
            for when in WHENS
        }

    def ask(self):
        found = differences(WHENS[0])
        apart = [name for name, one in found.items() if min(abs(one.low), abs(one.high)) > MATTERS["nll"]
                 and one.low * one.high > 0]  # fmt: skip
        subsets = itertools.chain.from_iterable(
            itertools.combinations(found, k) for k in range(len(found) + 1)
        )
        pairs = {one.n for one in found.values()}
        return (
            f"Predict first: nets are trained with these noises at the variance of binary dropout at "
            f"p = {TRAINED_P}. Which of them end with a test NLL that is clearly more than {MATTERS['nll']} "
            "away from that of binary dropout?",
            guess.choice(*map(_listed, subsets)),
            _listed(apart),
            "NLL minus that of binary dropout, mean and 95 % interval of "
            f"{', '.join(map(str, sorted(pairs)))} pairs: "
            + "; ".join(f"{name} {one}" for name, one in found.items())
            + ".",
        )

    @traitlets.validate("p")
    def _check_p(self, proposal):
        if proposal["value"] > HIGHEST_P:
            raise traitlets.TraitError(f"p must be in [0, {HIGHEST_P}], got {proposal['value']!r}")
        return proposal["value"]

    @traitlets.validate("terms")
    def _check_terms(self, proposal):
        if proposal["value"] not in TERMS:
            raise traitlets.TraitError(f"terms must be one of {list(TERMS)}, got {proposal['value']!r}")
        return proposal["value"]

    def scaled_readers(self):
        """The first `terms` readers, scaled so that noise has variance p / (1 - p): float64 (terms, 2)."""
        rows = readers()[: self.terms]
        return rows / np.sqrt((rows**2).sum(axis=0))

    def cloud(self, noise):
        """500 draws of the noise at two units: float64 (500, 2)."""
        return ((factors(noise, self.p, self.terms, self.seed) - 1) * self.scaled_readers()).sum(axis=1)

    def theory(self, noise):
        """Expected over draws: (variance at each unit, their correlation, excess kurtosis at the first)."""
        rows = self.scaled_readers()
        correlation = 0.0 if noise == "DropConnect" else float(rows.prod(axis=1).sum())
        kurtosis = excess_kurtosis(noise, self.p) * float((rows[:, 0] ** 4).sum())
        return self.p / (1 - self.p), correlation, kurtosis

    def numbers(self):
        """The state; the variance; for each noise the correlation, drawn and in theory, and excess kurtosis.

        And, at `when`, the nets' NLL minus binary dropout's, with the ends of its interval and the verdict on
        "the same" (utils.measured).
        """
        found = {**self.state(), "variance": self.theory(BASE)[0]}
        for noise in NOISES:
            _, correlation, kurtosis = self.theory(noise)
            z = self.cloud(noise)
            size = math.sqrt((z[:, 0] ** 2).mean() * (z[:, 1] ** 2).mean())
            drawn = float((z[:, 0] * z[:, 1]).mean() / size) if size > 0 else math.nan
            found |= {f"{noise}_correlation": drawn, f"{noise}_correlation_theory": correlation,
                      f"{noise}_kurtosis_theory": kurtosis}  # fmt: skip
        for name, mean, low, high, word in self.felt[self.when]:
            found |= {f"{name}_nll": mean, f"{name}_nll_low": low, f"{name}_nll_high": high,
                      f"{name}_the_same": word}  # fmt: skip
        return found

    def draw(self, plotting):
        """The four clouds, and the intervals of the trained nets, as a static figure."""
        rows = self.felt[self.when]
        fig, axes = plotting.new_figure(
            f"Noise at two units that add up {self.terms} values, from four relatives at variance "
            f"{self.theory(BASE)[0]:.2f}, and test NLL minus that of binary dropout, {self.when}: "
            + ", ".join(f"{name} {mean:+.3f} [{low:+.3f}, {high:+.3f}]" for name, mean, low, high, _ in rows)
            + ".",
            num_columns=5, width=16,
        )  # fmt: skip
        for ax, noise in zip(axes, NOISES, strict=False):
            ax.scatter(*self.cloud(noise).T, s=6, color=plotting.series_style(series_of(noise))["color"])
            ax.set(title=noise, xlim=(-AXIS, AXIS), ylim=(-AXIS, AXIS), xlabel="noise at unit 1",
                   ylabel="noise at unit 2")  # fmt: skip
        ax, look = axes[-1], plotting.series_style("unnoticed")
        ax.axvspan(-MATTERS["nll"], MATTERS["nll"], color=look["color"], alpha=0.2)
        look = plotting.series_style("interval")
        for y, (_, mean, low, high, _) in enumerate(rows):
            ax.plot([low, high], [y, y], color=look["color"], linewidth=2.5)
            ax.plot(mean, y, color=look["color"], marker=look["marker"])
        ax.set(title=f"NLL, {self.when}", yticks=range(len(rows)), yticklabels=[row[0] for row in rows],
               ylim=(len(rows) - 0.5, -0.5), xlabel=f"minus binary, p = {TRAINED_P}")  # fmt: skip
        return fig


def series_of(noise):
    """The series of utils/series.json in whose style a noise is drawn."""
    return "on weights" if noise == "DropConnect" else "on units"


def differences(when):
    """{noise: Difference} of the test NLL from that of binary dropout."""
    rows = load_bank("noise")["differences"][:, WHENS.index(when)]
    return {name: Difference(*map(float, row[:3]), int(row[3])) for name, row in zip(ARMS, rows, strict=True)}


def told(found):
    """The verdict on "the same as binary dropout"."""
    return verdict(found, MATTERS["nll"], (-MATTERS["nll"], MATTERS["nll"]))


def _listed(names):
    return " and ".join(names) if 0 < len(names) < len(ARMS) else "all three" if names else "none of them"
