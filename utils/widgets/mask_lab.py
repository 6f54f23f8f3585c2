"""Mask Lab: one layer, one batch, a new mask for every example."""

import traitlets

from utils import plotting
from utils.widgets.base import CourseWidget, Probability, WholeNumber, view
from utils.widgets.core import keep_mask, uniform

ROWS, COLUMNS = 12, 20


class MaskLab(CourseWidget):
    """A batch of 12 examples through a layer of 20 units: which units does dropout keep?

    Rows are examples, columns are units. `seed` draws one uniform number per cell; a cell is kept when
    its number is at least p. `forced` holds {cell: 0 or 1} for cells that a click set by hand
    (cell = 20 * row + column). "Next batch" adds one to the seed; "Freeze" keeps it.

    Parameters
    ----------
    p : float in [0, 1]
        Drop probability.
    seed : int
    forced : dict of {str: int}
    """

    _esm = view("mask_lab")
    settings = ("p", "seed", "forced")
    asks = "Predict first: at p = 0.5, will exactly half of the units in every row be kept?"

    p = Probability(0.5).tag(sync=True)
    seed = WholeNumber(0).tag(sync=True)
    forced = traitlets.Dict().tag(sync=True)

    @traitlets.validate("forced")
    def _check_forced(self, proposal):
        for cell, keep in proposal["value"].items():
            if not str(cell).isdigit() or int(cell) >= ROWS * COLUMNS or keep not in (0, 1):
                raise traitlets.TraitError(
                    f"forced must map cells 0..{ROWS * COLUMNS - 1} to 0 or 1, got {{{cell!r}: {keep!r}}}"
                )
        return {str(cell): int(keep) for cell, keep in proposal["value"].items()}

    def mask(self):
        """The keep-mask on show: bool of shape (12, 20), rows are examples."""
        mask = keep_mask(uniform(self.seed, ROWS * COLUMNS), self.p)
        for cell, keep in self.forced.items():
            mask[int(cell)] = bool(keep)
        return mask.reshape(ROWS, COLUMNS)

    def stats(self):
        """p, seed, the number of kept cells, of all cells, and the kept share."""
        kept = int(self.mask().sum())
        return {"p": self.p, "seed": self.seed, "kept": kept, "total": ROWS * COLUMNS,
                "share": kept / (ROWS * COLUMNS)}  # fmt: skip

    def figure(self):
        """The mask as a static figure."""
        return plotting.mask_figure(self.mask(), self.p)
