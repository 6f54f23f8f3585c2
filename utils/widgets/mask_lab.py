"""Mask Lab: one layer, one batch, a new mask for every example."""

import math

import numpy as np

from utils.widgets import guess
from utils.widgets.base import CourseWidget, Forced, Probability, WholeNumber, bundle
from utils.widgets.core import binomial_share, keep_mask, uniform

ROWS, COLUMNS = 12, 20
TOTAL = ROWS * COLUMNS
MOST_BATCHES, ASKED_BATCHES = 1000, 100


class MaskLab(CourseWidget):
    """A batch of 12 examples through a layer of 20 units: which units does dropout keep?

    Rows are examples, columns are units. Each batch draws one uniform number per cell, that of `seed` for the
    first batch, of seed + 1 for the next; a cell is kept when its number is at least p. The last batch is on
    show; the kept counts of all of them make a histogram. `forced` holds {cell: 0 or 1} for cells of the last
    batch that were set by hand (cell = 20 * row + column); the histogram leaves them out. "Next batch" adds
    one to `batches`, unless "Freeze" keeps it.

    Parameters
    ----------
    p : float in [0, 1]
        Drop probability.
    seed : int
    batches : int in [1, 1000]
    forced : dict of {str: int}
    """

    _esm = bundle("mask_lab")
    settings = ("p", "seed", "batches", "forced")

    p = Probability(0.5).tag(sync=True)
    seed = WholeNumber(0).tag(sync=True)
    batches = WholeNumber(1, 1, MOST_BATCHES).tag(sync=True)
    forced = Forced(TOTAL).tag(sync=True)

    def ask(self):
        std = math.sqrt(TOTAL * self.p * (1 - self.p))
        wanted = self.expected()
        share = binomial_share(TOTAL, 1 - self.p, wanted)
        return (
            f"Predict first: {TOTAL} units at p = {self.p:.2f}, so {wanted} should be kept. In how many of "
            f"{ASKED_BATCHES} batches is it exactly {wanted}?",
            guess.number(0, ASKED_BATCHES, unit="batches"),
            int((self.counts(ASKED_BATCHES) == wanted).sum()),
            f"In the first {ASKED_BATCHES} batches, that is; exactly {wanted} has probability {share:.3f}. "
            f"The count varies about {TOTAL * (1 - self.p):.0f} with standard deviation {std:.1f}.",
        )

    def expected(self):
        """The mean of the number of kept cells, to the nearest whole number."""
        return math.floor(TOTAL * (1 - self.p) + 0.5)

    def counts(self, batches=None):
        """Kept cells of each batch (of the first `batches` of them): int of shape (batches,)."""
        seeds = range(self.seed, self.seed + (batches or self.batches))
        return np.array([keep_mask(uniform(seed, TOTAL), self.p).sum() for seed in seeds])

    def mask(self):
        """The keep-mask on show: bool of shape (12, 20), rows are examples."""
        mask = keep_mask(uniform(self.seed + self.batches - 1, TOTAL), self.p)
        for cell, keep in self.forced.items():
            mask[int(cell)] = bool(keep)
        return mask.reshape(ROWS, COLUMNS)

    def numbers(self):
        """The state; of the batch on show the kept cells and their share; of all batches those with exactly
        the expected number.
        """
        kept = int(self.mask().sum())
        wanted = self.expected()
        return {
            "p": self.p,
            "seed": self.seed,
            "kept": kept,
            "total": TOTAL,
            "share": kept / TOTAL,
            "batches": self.batches,
            "expected": wanted,
            "exactly": int((self.counts() == wanted).sum()),
        }

    def draw(self, plotting):
        """The mask, and the kept counts of all batches over the binomial, as a static figure."""
        mask, counts, q = self.mask(), self.counts(), 1 - self.p
        kept = int(mask.sum())
        fig, (ax, bars) = plotting.new_figure(
            f"A grid of {ROWS} x {COLUMNS} units at p = {self.p:.2f}: {kept} of {TOTAL} are kept; and how "
            f"many were kept in {self.batches} {'batches' if self.batches > 1 else 'batch'}.",
            2,
            width=11,
        )
        plotting.draw_mask(ax, mask)
        ax.set(title=f"p = {self.p:.2f}: kept {kept} of {TOTAL} ({kept / TOTAL:.0%}, expected {q:.0%})")
        low, high = count_range(self.p)
        places = np.arange(low, high + 1)
        heights = np.bincount(np.clip(counts, low, high) - low, minlength=len(places))
        look = plotting.series_style
        x = np.repeat(places, heights)
        y = np.concatenate([np.arange(height) for height in heights]) + 0.5
        bars.plot(x, y, markersize=5, **look("batches"))
        expected = [self.batches * binomial_share(TOTAL, q, int(k)) for k in places]
        bars.plot(
            places, expected, linewidth=2.5, **look("theory") | {"label": f"Binomial({TOTAL}, {q:.2f})"}
        )
        bars.set(title="Kept units, one dot a batch", xlabel="units kept", ylabel="batches",
                 xlim=(low - 0.5, high + 0.5), ylim=(0, max(5, 1.15 * max(*heights, *expected))))  # fmt: skip
        handles = [pair for a in (ax, bars) for pair in zip(*a.get_legend_handles_labels(), strict=True)]
        fig.legend(*zip(*handles, strict=True), loc="outside lower center", ncols=4,
                   fontsize=plotting.FONT_SIZE - 1)  # fmt: skip
        return fig


def count_range(p):
    """The counts that the histogram shows: 4.5 standard deviations about the mean, and at least 2."""
    middle, reach = TOTAL * (1 - p), max(2, 4.5 * math.sqrt(TOTAL * p * (1 - p)))
    return max(0, math.floor(middle - reach)), min(TOTAL, math.ceil(middle + reach))
