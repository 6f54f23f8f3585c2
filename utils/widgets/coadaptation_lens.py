"""Co-adaptation Lens: filters, correlations and knock-outs over p, from a bank of trained nets."""

import numpy as np
import traitlets

from utils import plotting
from utils.widgets.base import CourseWidget, Probability, WholeNumber, view
from utils.widgets.p_sweep import load_bank

WIDTH = 128


class CoadaptationLens(CourseWidget):
    """What a 784-128-10 net learns at p, and what is left of it when hidden units are knocked out.

    Everything on show was measured beforehand on MNIST with 5 seeds (data/build_banks.py): the first 24
    filters of one seed, the mean absolute correlation between the activations of two hidden units, and
    the test accuracy after k random hidden units are set to 0.

    Parameters
    ----------
    p : float in [0, 1]
        Drop probability in training; the nearest p of the bank is shown.
    knocked_out : int in 0..112
        Number of hidden units to knock out; the nearest of the bank is read off.
    """

    _esm = view("coadaptation_lens")
    settings = ("p", "knocked_out")
    asks = "Predict first: half of the hidden units fail. Which net loses more, p = 0 or p = 0.5?"

    p = Probability(0.0).tag(sync=True)
    knocked_out = WholeNumber(64, high=112).tag(sync=True)
    bank = traitlets.Dict().tag(sync=True)
    filters = traitlets.Bytes().tag(sync=True)

    def __init__(self, **state):
        self._bank = load_bank("lens")
        super().__init__(**state)
        self.bank = {
            "p": [round(float(p), 2) for p in self._bank["p"]],
            "knocked_out": self._bank["knocked_out"].tolist(),
            "correlation": self._bank["correlation"].round(4).tolist(),
            "accuracy": self._bank["accuracy"].round(4).tolist(),
            "width": WIDTH,
        }
        # Grey levels are all the picture needs: 0..255, each filter scaled to its own largest weight.
        largest = np.abs(self._bank["filters"]).max(axis=(2, 3), keepdims=True)
        grey = 127.5 + 127.5 * self._bank["filters"].astype(np.float32) / largest
        self.filters = grey.round().astype(np.uint8).tobytes()

    def _nearest(self):
        return (
            int(np.abs(self._bank["p"] - self.p).argmin()),
            int(np.abs(self._bank["knocked_out"] - self.knocked_out).argmin()),
        )

    def stats(self):
        """The nearest p and k of the bank, and the means over seeds of correlation and accuracies there."""
        i, k = self._nearest()
        accuracy = self._bank["accuracy"].mean(axis=1)
        return {
            "p": round(float(self._bank["p"][i]), 2),
            "knocked_out": int(self._bank["knocked_out"][k]),
            "accuracy": float(accuracy[i, k]),
            "accuracy_p0": float(accuracy[0, k]),
            "correlation": float(self._bank["correlation"].mean(axis=1)[i]),
        }

    def figure(self):
        """Accuracy against knocked-out units, for p = 0 and the p on show."""
        i, _ = self._nearest()
        stats = self.stats()
        series = {"trained with p = 0": self._bank["accuracy"][0]}
        series[f"trained with p = {stats['p']}"] = self._bank["accuracy"][i]
        return plotting.curves_figure(
            self._bank["knocked_out"],
            series,
            title="Test accuracy when hidden units fail",
            xlabel=f"hidden units knocked out, of {WIDTH}",
            ylabel="test accuracy",
            sentence=f"Test accuracy over the number of knocked-out units for p = 0 and p = {stats['p']}: "
            f"with {stats['knocked_out']} of {WIDTH} gone, {stats['accuracy_p0']:.2f} against "
            f"{stats['accuracy']:.2f}.",
        )
