"""p Sweep: what p does to train and test, by training size and width, from a bank of trained nets."""

import functools

import numpy as np
import traitlets

from utils import plotting
from utils.data import DATA_DIR
from utils.widgets.base import Choice, CourseWidget, Probability, WholeNumber, view

MEASURES = {"NLL": ("train_nll", "test_nll"), "accuracy": ("train_accuracy", "test_accuracy")}
BANK_ROWS = ("train_accuracy", "train_nll", "test_accuracy", "test_nll")


@functools.cache
def load_bank(name):
    """The arrays of data/bank_NAME.npz, as a dict. `python3 data/build_banks.py NAME` makes the file."""
    with np.load(DATA_DIR / f"bank_{name}.npz", allow_pickle=False) as archive:
        return dict(archive)


class PSweep(CourseWidget):
    """Train and test curves over p for nets of a chosen width on a chosen number of training images.

    Everything on show was measured beforehand: 784-width-width-10 nets on Fashion-MNIST, dropout after
    both hidden layers, 1,500 SGD updates, 5 seeds (data/build_banks.py). Lines are means, bands reach
    from the lowest to the highest seed.

    Parameters
    ----------
    p : float in [0, 1]
        Where the marker stands; the nearest p of the bank is read off.
    num_train : 300, 1000 or 5000
    width : 16, 64 or 256
    measure : "NLL" or "accuracy"
    """

    _esm = view("p_sweep")
    settings = ("p", "num_train", "width", "measure")
    asks = "Predict first: which net gains more from dropout, a narrow one or a wide one? And with more data?"

    p = Probability(0.5).tag(sync=True)
    num_train = WholeNumber(1000).tag(sync=True)
    width = WholeNumber(256).tag(sync=True)
    measure = Choice(*MEASURES).tag(sync=True)
    bank = traitlets.Bytes().tag(sync=True)
    axes = traitlets.Dict().tag(sync=True)

    def __init__(self, **state):
        bank = load_bank("sweep")
        self._bank = bank
        super().__init__(**state)
        self.axes = {
            "p": [round(float(p), 2) for p in bank["p"]],
            "num_train": bank["num_train"].tolist(),
            "width": bank["width"].tolist(),
            "seeds": len(bank["seeds"]),
        }
        self.bank = bank["values"].astype(np.float32).tobytes()

    @traitlets.validate("num_train", "width")
    def _check_in_bank(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        allowed = load_bank("sweep")[name].tolist()
        if value not in allowed:
            raise traitlets.TraitError(f"{name} must be one of {allowed}, got {value!r}")
        return value

    def curves(self):
        """(train, test) on show, each of shape (6 values of p, 5 seeds)."""
        j = self._bank["num_train"].tolist().index(self.num_train)
        k = self._bank["width"].tolist().index(self.width)
        return tuple(self._bank["values"][BANK_ROWS.index(row), :, j, k] for row in MEASURES[self.measure])

    def stats(self):
        """The state, the means over seeds at the p of the bank nearest to p, and the best p on test."""
        train, test = (curve.mean(axis=1) for curve in self.curves())
        nearest = int(np.abs(self._bank["p"] - self.p).argmin())
        best = int(test.argmin() if self.measure == "NLL" else test.argmax())
        return {
            "p": round(float(self._bank["p"][nearest]), 2),
            "num_train": self.num_train,
            "width": self.width,
            "measure": self.measure,
            "train": float(train[nearest]),
            "test": float(test[nearest]),
            "best_p": round(float(self._bank["p"][best]), 2),
        }

    def figure(self):
        """The curves as a static figure."""
        train, test = self.curves()
        return plotting.curves_figure(
            self._bank["p"],
            {"training images": train.T, "test images": test.T},
            title=f"{self.num_train:,} training images, width {self.width}",
            xlabel="drop probability p",
            ylabel=self.measure,
            sentence=f"{self.measure} over p for nets of width {self.width} on {self.num_train} training "
            f"images; on test images the best p is {self.stats()['best_p']}.",
        )
