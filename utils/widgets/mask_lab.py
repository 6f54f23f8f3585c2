"""Mask Lab: one layer, one batch, a new mask for every example."""

import math

import traitlets

from utils.widgets import guess
from utils.widgets.base import CourseWidget, Probability, WholeNumber, bundle
from utils.widgets.core import keep_mask, uniform

ROWS, COLUMNS = 12, 20
TOTAL = ROWS * COLUMNS


class MaskLab(CourseWidget):
    """A batch of 12 examples through a layer of 20 units: which units does dropout keep?

    Rows are examples, columns are units. `seed` draws one uniform number per cell; a cell is kept when
    its number is at least p. `forced` holds {cell: 0 or 1} for cells that a click or a key set by hand
    (cell = 20 * row + column). "Next batch" adds one to the seed; "Freeze" keeps it.

    Parameters
    ----------
    p : float in [0, 1]
        Drop probability.
    seed : int
    forced : dict of {str: int}
    """

    _esm = bundle("mask_lab")
    settings = ("p", "seed", "forced")

    p = Probability(0.5).tag(sync=True)
    seed = WholeNumber(0).tag(sync=True)
    forced = traitlets.Dict().tag(sync=True)

    @traitlets.validate("forced")
    def _check_forced(self, proposal):
        for cell, keep in proposal["value"].items():
            if not str(cell).isdigit() or int(cell) >= TOTAL or keep not in (0, 1):
                raise traitlets.TraitError(
                    f"forced must map cells 0..{TOTAL - 1} to 0 or 1, got {{{cell!r}: {keep!r}}}"
                )
        return {str(cell): int(keep) for cell, keep in proposal["value"].items()}

    def ask(self):
        std = math.sqrt(TOTAL * self.p * (1 - self.p))
        return (
            f"Predict first: of {TOTAL} units, how many will this batch keep at p = {self.p:.2f}?",
            guess.number(0, TOTAL, unit="units"),
            int(self.mask().sum()),
            f"Each unit is kept on its own with probability {1 - self.p:.2f}: {TOTAL * (1 - self.p):.0f} is "
            f"the mean, and the count varies about it with standard deviation {std:.1f}.",
        )

    def mask(self):
        """The keep-mask on show: bool of shape (12, 20), rows are examples."""
        mask = keep_mask(uniform(self.seed, TOTAL), self.p)
        for cell, keep in self.forced.items():
            mask[int(cell)] = bool(keep)
        return mask.reshape(ROWS, COLUMNS)

    def numbers(self):
        """p, seed, the number of kept cells, of all cells, and the kept share."""
        kept = int(self.mask().sum())
        return {"p": self.p, "seed": self.seed, "kept": kept, "total": TOTAL, "share": kept / TOTAL}

    def draw(self, plotting):
        """The mask as a static figure."""
        return plotting.mask_figure(self.mask(), self.p)
