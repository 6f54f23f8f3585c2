"""Co-adaptation Lens: two trained nets side by side, whose hidden units can be knocked out."""

import numpy as np
import traitlets

from utils.widgets import guess
from utils.widgets.base import CourseWidget, Forced, Probability, WholeNumber, bundle, load_bank
from utils.widgets.core import uniform

WIDTH = 128
# What the question asks about: half of the units gone, two nets.
ASKED_P, ASKED_GONE = 0.5, 64


class CoadaptationLens(CourseWidget):
    """A 784-128-10 net trained without dropout and one trained with p: what is left without some units?

    All nets were trained beforehand on MNIST (coadaptation_lens_bank.py). On show are the 128 filters of two
    nets of one seed; the browser lets both answer 400 test images without the units that are gone, the rest
    scaled up to keep the mean. The curves are for random units: means over 5 seeds and 10 draws each.

    Parameters
    ----------
    p : float in [0, 1]
        Drop probability in training of the second net; the nearest p of the bank is shown.
    knocked_out : 0, 8, ... or 120
        Number of random hidden units to knock out, the same numbers in both nets.
    seed : int
        Which random units.
    forced : dict of {str: int}
        {unit: 0 or 1}: units that were knocked out (0) or kept (1) by hand.
    """

    _esm = bundle("coadaptation_lens")
    settings = ("p", "knocked_out", "seed", "forced")

    p = Probability(0.5).tag(sync=True)
    knocked_out = WholeNumber(64).tag(sync=True)
    seed = WholeNumber(0).tag(sync=True)
    forced = Forced(WIDTH).tag(sync=True)
    bank = traitlets.Dict().tag(sync=True)
    filters = traitlets.Bytes().tag(sync=True)
    activations = traitlets.Bytes().tag(sync=True)
    weights = traitlets.Bytes().tag(sync=True)

    def prepare(self):
        bank = load_bank("lens")
        self.bank = {
            "p": [round(float(p), 2) for p in bank["p"]],
            "knocked_out": bank["knocked_out"].tolist(),
            "correlation": bank["correlation"].mean(axis=1).round(3).tolist(),
            "alike": [round(alike(bank, i), 2) for i in range(len(bank["p"]))],
            "accuracy": bank["accuracy"].round(4).tolist(),
            "labels": bank["labels"].tolist(),
            "width": WIDTH,
        }
        self.filters = bank["filters"].tobytes()
        self.activations = bank["activations"].tobytes()
        # For each net W2, then b2.
        self.weights = np.concatenate([bank["W2"], bank["b2"][:, None]], axis=1).tobytes()

    @traitlets.validate("knocked_out")
    def _check_in_bank(self, proposal):
        allowed = load_bank("lens")["knocked_out"].tolist()
        if proposal["value"] not in allowed:
            raise traitlets.TraitError(f"knocked_out must be one of {allowed}, got {proposal['value']!r}")
        return proposal["value"]

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
            "Accuracy lost: " + ", ".join(f"{v:.3f} by {name}" for name, v in lost.items()) + ".",
        )

    def kept(self):
        """Which units are left: bool of shape (128,)."""
        kept = np.ones(WIDTH, dtype=bool)
        kept[np.argsort(uniform(self.seed, WIDTH), kind="stable")[: self.knocked_out]] = False
        for unit, keep in self.forced.items():
            kept[int(unit)] = bool(keep)
        return kept

    def _nearest(self):
        return int(np.abs(load_bank("lens")["p"] - self.p).argmin())

    def numbers(self):
        """The nearest p of the bank; the units gone; the accuracy of both nets on 400 images without them;
        beside it the mean for random units, as many as the bank has next to that; the mean absolute
        correlation of two units of the net trained with p.
        """
        i, kept = self._nearest(), self.kept()
        bank = load_bank("lens")
        gone = int((~kept).sum())
        k = int(np.abs(bank["knocked_out"] - gone).argmin())
        return {
            "p": round(float(bank["p"][i]), 2),
            "gone": gone,
            "accuracy": accuracy(bank, i, kept),
            "accuracy_p0": accuracy(bank, 0, kept),
            "random": int(bank["knocked_out"][k]),
            "mean": float(bank["accuracy"][i, :, k].mean()),
            "mean_p0": float(bank["accuracy"][0, :, k].mean()),
            "correlation": float(bank["correlation"][i].mean()),
        }

    def draw(self, plotting):
        """Accuracy against knocked-out units, for p = 0 and the p on show, and the two nets on show."""
        bank, numbers = load_bank("lens"), self.numbers()
        series = {"trained with p = 0": bank["accuracy"][0]}
        series[f"trained with p = {numbers['p']}"] = bank["accuracy"][self._nearest()]
        fig = plotting.curves_figure(
            bank["knocked_out"],
            series,
            styles=("without", "with"),
            title="Test accuracy when hidden units fail",
            xlabel=f"hidden units knocked out, of {WIDTH}",
            ylabel="test accuracy",
            sentence=f"Test accuracy over the number of knocked-out units for p = 0 and p = {numbers['p']}: "
            f"with {numbers['random']} of {WIDTH} gone, {numbers['mean_p0']:.2f} against "
            f"{numbers['mean']:.2f}.",
        )
        fig.axes[0].axvline(numbers["gone"], color=plotting.BLACK, linewidth=2, zorder=1)
        fig.axes[0].set_ylim(0, 1)
        return fig


def accuracy(bank, i, kept):
    """Accuracy of net i on the 400 images with only the units in `kept` (bool (128,)), scaled up."""
    scale = WIDTH / kept.sum() if kept.any() else 0
    hidden = bank["activations"][i].astype(np.float64)[:, kept]
    logits = hidden @ bank["W2"][i].astype(np.float64)[kept] * scale + bank["b2"][i]
    return float((logits.argmax(axis=1) == bank["labels"]).mean())


def alike(bank, i):
    """Mean correlation, over the units, between what a unit of net 0 and that of net i say to 400 images."""
    first, second = (bank["activations"][net].astype(np.float64) for net in (0, i))
    pairs = zip(first.T, second.T, strict=True)
    return float(np.mean([np.corrcoef(a, b)[0, 1] for a, b in pairs]))
