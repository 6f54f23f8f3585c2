"""Co-adaptation Lens: filters, correlations and knock-outs over p, from a bank of trained nets."""

import numpy as np
import traitlets

from utils.widgets import guess
from utils.widgets.base import CourseWidget, Probability, WholeNumber, bundle, load_bank

WIDTH = 128
LOWEST = 0.2  # of the accuracy axis
# What the question asks about: half of the units gone, two nets.
ASKED_P, ASKED_GONE = 0.5, 64


class CoadaptationLens(CourseWidget):
    """What a 784-128-10 net learns at p, and what is left of it when hidden units are knocked out.

    Everything on show was measured beforehand on MNIST with 5 seeds (coadaptation_lens_bank.py): the first
    24 filters of one seed, the mean absolute correlation between the activations of two hidden units, and
    the test accuracy after k random hidden units are set to 0.

    Parameters
    ----------
    p : float in [0, 1]
        Drop probability in training; the nearest p of the bank is shown.
    knocked_out : int in 0..112
        Number of hidden units to knock out; the nearest of the bank is read off.
    """

    _esm = bundle("coadaptation_lens")
    settings = ("p", "knocked_out")

    p = Probability(0.0).tag(sync=True)
    knocked_out = WholeNumber(64, high=112).tag(sync=True)
    bank = traitlets.Dict().tag(sync=True)
    filters = traitlets.Bytes().tag(sync=True)

    def prepare(self):
        bank = load_bank("lens")
        self.bank = {
            "p": [round(float(p), 2) for p in bank["p"]],
            "knocked_out": bank["knocked_out"].tolist(),
            "correlation": bank["correlation"].round(4).tolist(),
            "accuracy": bank["accuracy"].round(4).tolist(),
            "width": WIDTH,
            "lowest": LOWEST,
        }
        # Grey levels are all the picture needs: 0..255, each filter scaled to its own largest weight.
        largest = np.abs(bank["filters"]).max(axis=(2, 3), keepdims=True)
        grey = 127.5 + 127.5 * bank["filters"].astype(np.float32) / largest
        self.filters = grey.round().astype(np.uint8).tobytes()

    def ask(self):
        bank = load_bank("lens")
        accuracy = bank["accuracy"].mean(axis=1)
        k = bank["knocked_out"].tolist().index(ASKED_GONE)
        i = self.bank["p"].index(ASKED_P)
        lost = {f"p = {p}": accuracy[j, 0] - accuracy[j, k] for p, j in ((0, 0), (ASKED_P, i))}
        return (
            f"Predict first: half of the {WIDTH} hidden units fail. Which net loses more accuracy, the one "
            f"trained with p = 0 or the one trained with p = {ASKED_P}?",
            guess.choice(*lost),
            max(lost, key=lost.get),
            "Of the accuracy are lost: " + ", ".join(f"{v:.3f} by {name}" for name, v in lost.items()) + ".",
        )

    def _nearest(self):
        bank = load_bank("lens")
        return (
            int(np.abs(bank["p"] - self.p).argmin()),
            int(np.abs(bank["knocked_out"] - self.knocked_out).argmin()),
        )

    def numbers(self):
        """The nearest p and k of the bank, and the means over seeds of correlation and accuracies there."""
        i, k = self._nearest()
        bank = load_bank("lens")
        accuracy = bank["accuracy"].mean(axis=1)
        return {
            "p": round(float(bank["p"][i]), 2),
            "knocked_out": int(bank["knocked_out"][k]),
            "accuracy": float(accuracy[i, k]),
            "accuracy_p0": float(accuracy[0, k]),
            "correlation": float(bank["correlation"].mean(axis=1)[i]),
        }

    def draw(self, plotting):
        """Accuracy against knocked-out units, for p = 0 and the p on show."""
        i, _ = self._nearest()
        bank, numbers = load_bank("lens"), self.numbers()
        series = {"trained with p = 0": bank["accuracy"][0]}
        series[f"trained with p = {numbers['p']}"] = bank["accuracy"][i]
        fig = plotting.curves_figure(
            bank["knocked_out"],
            series,
            styles=("without", "with"),
            title="Test accuracy when hidden units fail",
            xlabel=f"hidden units knocked out, of {WIDTH}",
            ylabel="test accuracy",
            sentence=f"Test accuracy over the number of knocked-out units for p = 0 and p = {numbers['p']}: "
            f"with {numbers['knocked_out']} of {WIDTH} gone, {numbers['accuracy_p0']:.2f} against "
            f"{numbers['accuracy']:.2f}.",
        )
        fig.axes[0].axvline(numbers["knocked_out"], color=plotting.BLACK, linewidth=2, zorder=1)
        fig.axes[0].set_ylim(LOWEST, 1)
        return fig
