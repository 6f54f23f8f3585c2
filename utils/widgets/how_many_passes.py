"""How Many Passes?: what dropout does to a small GPT that reads its text once or often; what it writes."""

import itertools
import math
import textwrap

import numpy as np
import traitlets

from utils.data import ALPHABET
from utils.measured import LESS, MATTERS, MORE, Difference, verdict
from utils.widgets import guess
from utils.widgets.base import CourseWidget, Probability, WholeNumber, bundle, load_bank
from utils.widgets.how_many_passes_bank import LENGTHS, LONG, PS, READ, spell

PASSES = tuple(round(READ / length) for length in LENGTHS)
PLACES = tuple(round(math.log10(READ / length), 3) for length in LENGTHS)  # where they stand on the axis
NUM_SEEDS = 5
# The ends of the two axes, and their ticks; nats that a guess costs at which all characters are alike.
DIFFERENCES, NATS, ALIKE = (-2, 2, (-2, -1, 0, 1, 2)), (1.5, 5, (2, 3, 4, 5)), math.log(len(ALPHABET))
LINE = 52  # characters in a line of the poster


class HowManyPasses(CourseWidget):
    """Test nats of a small GPT against passes over its text, and what the trained model writes.

    Chapter 15 trained it with and without dropout, in five draws of seed and training text. Every run reads
    768,000 characters in all; the fewer of them differ, the more often it reads each.

    Parameters
    ----------
    p : 0 or 0.2
        Drop probability of the model that writes: of attention, residual and embedding.
    passes : 1, 8, 31 or 154
        How often that model has read its text.
    seed : int in [0, 4]
        Which of the five models of this setting writes.
    """

    _esm = bundle("how_many_passes")
    settings = ("p", "passes", "seed")

    p = Probability(PS[0]).tag(sync=True)
    passes = WholeNumber(PASSES[-1]).tag(sync=True)
    seed = WholeNumber(0, high=NUM_SEEDS - 1).tag(sync=True)
    # For the browser. By when and passes: [mean, low, high, what dropout does]; by when, p and passes: [mean,
    # low, high]; by p, passes and seed: {"text", "spans", "longest"}.
    differences = traitlets.List().tag(sync=True)
    nats = traitlets.List().tag(sync=True)
    texts = traitlets.List().tag(sync=True)
    layout_numbers = traitlets.Dict(
        {"p": list(PS), "passes": list(PASSES), "places": list(PLACES), "lengths": list(LENGTHS),
         "long": LONG, "differences": list(DIFFERENCES), "nats": list(NATS), "alike": ALIKE,
         "seeds": NUM_SEEDS}
    ).tag(sync=True)  # fmt: skip

    def prepare(self):
        bank = load_bank("passes")
        self.differences = [[[*found[:3], told(found)] for found in row] for row in differences()]
        self.nats = bank["nats"][..., :3].tolist()
        self.texts = [
            [
                [
                    {"text": spell(text), "spans": spans(copied), "longest": int(longest)}
                    for text, copied, longest in zip(*setting, strict=True)
                ]
                for setting in zip(*arm, strict=True)
            ]
            for arm in zip(bank["texts"], bank["copied"], bank["longest"], strict=True)
        ]

    def ask(self):
        end, stopped = differences()
        low, high, ticks = DIFFERENCES
        return (
            f"Predict first: a small GPT reads {READ:,} characters of Shakespeare: different ones, once, or "
            f"a few of them up to {PASSES[-1]} times. Draw what dropout does to it at the end of training: "
            f"its test nats per character at p = {PS[1]} minus those at p = {PS[0]:.0f}. Above 0 dropout "
            "costs, below 0 it helps.",
            guess.curve(PLACES, low, high, yticks=ticks, names=list(map(str, PASSES)),
                        xlabel="passes over the text",
                        ylabel=f"test nats, p = {PS[1]} minus p = {PS[0]:.0f}"),
            [round(found.mean, 3) for found in end],
            f"Measured, mean and 95 % interval of {end[0].n} pairs: "
            + ", ".join(f"{one} at {often(n)} ({told(one)})" for n, one in zip(PASSES, end, strict=True))
            + f". Where both stop early, {stopped[-1]} at {often(PASSES[-1])}.",
        )  # fmt: skip

    @traitlets.validate("p", "passes")
    def _check_in_bank(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        allowed = {"p": PS, "passes": PASSES}[name]
        if value not in allowed:
            raise traitlets.TraitError(f"{name} must be one of {list(allowed)}, got {value!r}")
        return value

    def written(self):
        """What the chosen model wrote: "text", the "spans" of copies in it, how long the "longest" one is."""
        return self.texts[PS.index(self.p)][PASSES.index(self.passes)][self.seed]

    def numbers(self):
        """The state; test nats at p, and p = 0.2 minus p = 0, at these passes; how much is copied.

        Nats and differences come with the ends of their intervals, at the end of training and stopped early;
        `longest` counts the characters of the longest copy in the text on show, `longest_mean` averages it
        over the five, `copied` counts those that belong to copies of at least 20.
        """
        at, k = PASSES.index(self.passes), PS.index(self.p)
        found = {**self.state(), "characters": LENGTHS[at]}
        for when, name in enumerate(("end", "stopped")):
            for what, row in (("nats", self.nats[when][k][at]), ("difference", self.differences[when][at])):
                found |= {f"{what}_{name}{part}": value
                          for part, value in zip(("", "_low", "_high"), row[:3], strict=True)}  # fmt: skip
            found[f"dropout_{name}"] = self.differences[when][at][3]
        return found | {
            "copied": sum(stop - start for start, stop in self.written()["spans"]),
            "longest": self.written()["longest"],
            "longest_mean": float(np.mean([one["longest"] for one in self.texts[k][at]])),
        }

    def draw(self, plotting):
        """Differences and nats against passes, and the text, as a static figure."""
        numbers, end = self.numbers(), zip(PASSES, self.differences[0], strict=True)
        fig, axes = plotting.new_figure(
            f"Test nats against passes over the text. p = {PS[1]} minus p = {PS[0]:.0f} at the end: "
            + ", ".join(f"{row[0]:+.2f} at {often(n)}" for n, row in end)
            + f"; stopped early {self.differences[1][-1][0]:+.2f} at {often(PASSES[-1])}. "
            + f"What the model with p = {self.p:g} writes after {often(self.passes)}: the longest piece from "
            f"its training text has {numbers['longest']} characters.",
            num_columns=3, width=18, height=6.6,
        )  # fmt: skip
        for when, name in enumerate(("end", "stopped")):
            rows = [row[:3] for row in self.differences[when]]
            _line(axes[0], rows, plotting.series_style(f"minus {name}"))
            for k, kind in enumerate(("without", "with")):
                _line(axes[1], self.nats[when][k], plotting.series_style(f"{kind} {name}"))
        look = plotting.series_style("alike")
        axes[1].axhline(ALIKE, color=look["color"], linestyle=look["linestyle"], label=look["label"])
        axes[0].set(title=f"p = {PS[1]} minus p = {PS[0]:.0f}", ylabel="test nats", ylim=DIFFERENCES[:2])
        axes[1].set(title=f"p = {PS[0]:.0f} and p = {PS[1]}", ylabel="test nats per character", ylim=NATS[:2])
        for ax in axes[:2]:
            ax.set(xticks=PLACES, xticklabels=PASSES, xlabel="passes over the text")
            ax.axvline(PLACES[PASSES.index(self.passes)], color=plotting.BLACK, linewidth=1.5, zorder=1)
            ax.legend()
        axes[0].axhline(0, color=plotting.BLACK, linewidth=1)
        axes[2].axis("off")
        axes[2].set(title=f"«»: {LONG} or more characters as in its training text")
        text = "".join(f"«{piece}»" if copied else piece for piece, copied in self.pieces())
        lines = [part for line in text.split("\n") for part in textwrap.wrap(line, LINE) or [""]]
        axes[2].text(0, 1, "\n".join(lines), va="top", transform=axes[2].transAxes, parse_math=False)
        return fig

    def pieces(self):
        """The text on show as [(piece, whether it is a copy), ...]."""
        text, found, at = self.written()["text"], [], 0
        for start, stop in [*self.written()["spans"], [len(self.written()["text"])] * 2]:
            found += [(text[at:start], False), (text[start:stop], True)]
            at = stop
        return [(piece, copied) for piece, copied in found if piece]


def _line(ax, rows, look):
    mean, low, high = np.transpose(rows)
    ax.plot(PLACES, mean, **look, linewidth=2.2)
    ax.fill_between(PLACES, low, high, color=look["color"], alpha=0.18)


def differences():
    """By when and passes: Difference of test nats, p = 0.2 minus p = 0."""
    return [
        [Difference(*map(float, row[:3]), int(row[3])) for row in rows]
        for rows in load_bank("passes")["differences"]
    ]


def told(found):
    """What dropout does, by the interval: "helps", "costs", "does not matter"; or it "cannot be told"."""
    helps, costs = (verdict(found, MATTERS["nll"], claimed) for claimed in (LESS, MORE))
    if "holds" in (helps, costs):
        return "helps" if helps == "holds" else "costs"
    return "cannot be told" if "cannot tell" in (helps, costs) else "does not matter"


def often(passes):
    """The words "1 pass", "8 passes", ..."""
    return f"{passes} pass{'es' if passes > 1 else ''}"


def spans(copied):
    """Where each piece of `copied` (characters,) begins and ends: [[start, end), ...]."""
    edges = np.flatnonzero(np.diff(copied, prepend=0, append=0))
    return [[start, end] for start, end in itertools.pairwise(edges.tolist()) if copied[start]]
