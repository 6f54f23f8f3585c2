"""p Sweep: what p does to train and test, by training size and width, from a bank of trained nets."""

import numpy as np
import traitlets

from utils.widgets import guess
from utils.widgets.base import Choice, CourseWidget, Probability, WholeNumber, bundle, load_bank

# Rows of the bank: three curves, each as accuracy and as NLL.
CURVES = ("training", "test", "early-stopped")
MEASURES = ("NLL", "accuracy")
BANK_ROWS = tuple((curve, measure) for curve in CURVES for measure in ("accuracy", "NLL"))
# The ends of the axis: an untrained net has an NLL of ln 10 = 2.3.
SPANS = {"NLL": (0, 2.4, (0, 0.5, 1, 1.5, 2)), "accuracy": (0.4, 1, (0.4, 0.6, 0.8, 1))}


class PSweep(CourseWidget):
    """Train and test curves over p for nets of a chosen width on a chosen number of training images.

    Everything on show was measured beforehand: 784-width-width-10 nets on Fashion-MNIST, dropout after
    both hidden layers, 1,500 SGD updates, 5 seeds (p_sweep_bank.py). Lines are means, bands reach from the
    lowest to the highest seed. Test images are answered twice: by the net as it is at the end, and by the
    net of the epoch that was best on validation images.

    Parameters
    ----------
    p : float in [0, 1]
        Where the marker stands; the nearest p of the bank is read off.
    num_train : 300, 1000 or 5000
    width : 16, 64 or 256
    measure : "NLL" or "accuracy"
    """

    _esm = bundle("p_sweep")
    settings = ("p", "num_train", "width", "measure")

    p = Probability(0.5).tag(sync=True)
    num_train = WholeNumber(1000).tag(sync=True)
    width = WholeNumber(256).tag(sync=True)
    measure = Choice(*MEASURES).tag(sync=True)
    bank = traitlets.Bytes().tag(sync=True)
    axes = traitlets.Dict().tag(sync=True)

    def prepare(self):
        bank = load_bank("sweep")
        self.axes = {
            "p": [round(float(p), 2) for p in bank["p"]],
            "num_train": bank["num_train"].tolist(),
            "width": bank["width"].tolist(),
            "seeds": len(bank["seeds"]),
            "spans": {name: [low, high, list(ticks)] for name, (low, high, ticks) in SPANS.items()},
        }
        self.bank = bank["values"].astype(np.float32).tobytes()

    def ask(self):
        low, high, ticks = SPANS[self.measure]
        test, early = (curve.mean(axis=1) for curve in self.curves()[1:])
        numbers, p = self.numbers(), self.axes["p"]
        best, best_early = test[p.index(numbers["best_p"])], early[p.index(numbers["best_p_early"])]
        return (
            f"Predict first: nets of width {self.width}, {self.num_train:,} training images. Draw how the "
            f"{self.measure} on test images at the end of training changes with p.",
            guess.curve(self.axes["p"], low, high, yticks=ticks, xlabel="drop probability p",
                        ylabel=f"{self.measure} on test images"),
            [round(float(value), 3) for value in test],
            f"Measured: {test[0]:.3f} without dropout, {best:.3f} at p = {numbers['best_p']}, which is the "
            f"best, {test[-1]:.3f} at p = {p[-1]}. Of nets that were stopped early: {early[0]:.3f} without "
            f"dropout, {best_early:.3f} at their best p, {numbers['best_p_early']}.",
        )  # fmt: skip

    @traitlets.validate("num_train", "width")
    def _check_in_bank(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        allowed = load_bank("sweep")[name].tolist()
        if value not in allowed:
            raise traitlets.TraitError(f"{name} must be one of {allowed}, got {value!r}")
        return value

    def curves(self):
        """(training, test, test early-stopped) on show, each of shape (6 values of p, 5 seeds)."""
        bank = load_bank("sweep")
        j = bank["num_train"].tolist().index(self.num_train)
        k = bank["width"].tolist().index(self.width)
        return tuple(bank["values"][BANK_ROWS.index((curve, self.measure)), :, j, k] for curve in CURVES)

    def numbers(self):
        """The state, the means over seeds at the p of the bank nearest to p, and the best p on test."""
        p = load_bank("sweep")["p"]
        means = dict(zip(("train", "test", "early"), (c.mean(axis=1) for c in self.curves()), strict=True))
        nearest = int(np.abs(p - self.p).argmin())
        pick = np.argmin if self.measure == "NLL" else np.argmax
        return {
            "p": round(float(p[nearest]), 2),
            "num_train": self.num_train,
            "width": self.width,
            "measure": self.measure,
            **{name: float(mean[nearest]) for name, mean in means.items()},
            "best_p": round(float(p[pick(means["test"])]), 2),
            "best_p_early": round(float(p[pick(means["early"])]), 2),
        }

    def draw(self, plotting):
        """The curves as a static figure."""
        train, test, early = (curve.T for curve in self.curves())
        numbers = self.numbers()
        low, high, _ = SPANS[self.measure]
        fig = plotting.curves_figure(
            load_bank("sweep")["p"],
            {"training images": train, "test images, at the end": test, "test images, early-stopped": early},
            styles=CURVES,
            title=f"{self.num_train:,} training images, width {self.width}",
            xlabel="drop probability p",
            ylabel=self.measure,
            sentence=f"{self.measure} over p for nets of width {self.width} on {self.num_train} training "
            f"images; on test images the best p is {numbers['best_p']} at the end of training, "
            f"{numbers['best_p_early']} stopped early.",
        )
        fig.axes[0].axvline(numbers["p"], color=plotting.BLACK, linewidth=2, zorder=1)
        fig.axes[0].set_ylim(low, high)
        return fig
