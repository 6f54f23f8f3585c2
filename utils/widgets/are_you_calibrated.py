"""Are you calibrated? Twenty hard images, your answers and how sure you are, beside a net's."""

import math

import numpy as np
import traitlets

from utils.data import FASHION_CLASSES
from utils.widgets import guess
from utils.widgets.base import CourseWidget, WholeNumber, bundle, load_bank

IMAGES, CLASSES, BINS, FEW_BINS = 20, 10, 15, 5
PARTS = ("no_dropout", "monte_carlo", "count", "right", "nll", "ece")  # of the bank, for the browser
TEMPERATURES = [round(0.1 * k, 1) for k in range(5, 51)]
# The least and the most that may be said: a guess among ten, and not quite certain.
LEAST, MOST = 0.1, 0.99
T95, Z95 = 2.093024, 1.959964  # 97.5 % quantiles: Student's t for 19 degrees of freedom, the normal
METHODS = {
    "you": "you",
    "no_dropout": "no dropout",
    "monte_carlo": "Monte Carlo dropout",
    "tempered": "no dropout + T",
}


def tempered(logs, temperature):
    """ln of the softmax of `logs` (..., classes) / temperature, float64."""
    scaled = np.asarray(logs, np.float64) / temperature
    scaled = scaled - scaled.max(axis=-1, keepdims=True)
    return scaled - np.log(np.exp(scaled).sum(axis=-1, keepdims=True))


def binned(confidence, right, num_bins):
    """Answers, the sum of their confidence and the right ones, per bin (0, 1/M], ...: (3, num_bins)."""
    place = np.clip(np.ceil(confidence * num_bins).astype(np.intp) - 1, 0, num_bins - 1)
    parts = (None, confidence, np.asarray(right, np.float64))
    return np.array([np.bincount(place, part, num_bins) for part in parts])


def first_answers(logs, temperature=1):
    """The favourite class, its probability, and the probability of all others, from ln p (n, classes)."""
    probs = np.exp(tempered(logs, temperature))
    top = probs.argmax(axis=1)
    rows = np.arange(len(probs))
    said = probs[rows, top]
    probs[rows, top] = 0
    return top, said, probs.sum(axis=1)


def answer_losses(right, said, rest):
    """NLL of each answer in nats: ln of the confidence if right, else of an equal share of the rest."""
    return -np.log(np.where(right, said, rest / (CLASSES - 1)))


def interval(values):
    """(mean, low, high) of 20 numbers: the 95 % t interval."""
    half = T95 * values.std(ddof=1) / math.sqrt(len(values))
    return float(values.mean()), float(values.mean() - half), float(values.mean() + half)


def share_interval(right, n):
    """(low, high): the 95 % interval of a share of which `right` of n were seen (Wilson 1927)."""
    middle = (right + Z95**2 / 2) / (n + Z95**2)
    half = Z95 / (n + Z95**2) * math.sqrt(right * (n - right) / n + Z95**2 / 4)
    return max(0.0, middle - half), min(1.0, middle + half)


class AreYouCalibrated(CourseWidget):
    """The learner names 20 hard images and says how sure; then the same is shown for a net.

    The net learnt 2,000 images of Fashion-MNIST, to the end. It answers without dropout, by the mean of 50
    Monte Carlo passes (a net of its own, p = .5), and without dropout at a temperature T. All four are judged
    alike: by their first answer and its confidence, the rest spread evenly over the nine other classes. The
    images were drawn from the 500 that another net found hardest (are_you_calibrated_bank.py).

    Parameters
    ----------
    temperature : float in [0.5, 5]
        T, to the nearest tenth; by default the one that validation images choose.
    image : int in [0, 19]
        Whose answers are written out.
    """

    _esm = bundle("are_you_calibrated")
    settings = ("temperature", "image")

    temperature = traitlets.Float(1.0).tag(sync=True)
    image = WholeNumber(0, 0, IMAGES - 1).tag(sync=True)
    images = traitlets.Bytes().tag(sync=True)
    labels = traitlets.List().tag(sync=True)
    temperatures = traitlets.List(TEMPERATURES).tag(sync=True)
    bank = traitlets.Bytes().tag(sync=True)

    def __init__(self, **state):
        chosen = float(load_bank("calibration")["temperature"])
        super().__init__(**{"temperature": _nearest(chosen), **state})

    @traitlets.validate("temperature")
    def _check_temperature(self, proposal):
        value = proposal["value"]
        if not TEMPERATURES[0] <= value <= TEMPERATURES[-1]:  # also NaN
            raise traitlets.TraitError(
                f"temperature must be in [{TEMPERATURES[0]}, {TEMPERATURES[-1]:g}], got {value!r}"
            )
        return value

    def prepare(self):
        bank = load_bank("calibration")
        self.images = bank["images"].tobytes()
        self.labels = bank["truth"].tolist()
        self.bank = b"".join(bank[name].astype(np.float32).tobytes() for name in PARTS)

    def ask(self):
        plain, passes = (self.judged(name) for name in ("no_dropout", "monte_carlo"))
        return (
            f"Predict first: {IMAGES} hard images. What is each of them, and how sure are you?",
            guess.answers(FASHION_CLASSES, IMAGES, LEAST, MOST),
            [[FASHION_CLASSES[label], MOST] for label in self.labels],
            f"Of these {IMAGES} images the net without dropout names {plain['right'].sum():.0f} rightly and "
            f"says {100 * plain['said'].mean():.0f} % on average; the mean of fifty passes is right on "
            f"{passes['right'].sum():.0f} and says {100 * passes['said'].mean():.0f} %.",
        )

    def answers(self, method):
        """(class, confidence, probability of all others) of 20 answers, arrays; None without a guess."""
        if method == "you":
            if self.guess is None:
                return None
            top = np.array([FASHION_CLASSES.index(name) for name, _ in self.guess])
            said = np.array([confidence for _, confidence in self.guess])
            return top, said, 1 - said
        logs = load_bank("calibration")["monte_carlo" if method == "monte_carlo" else "no_dropout"]
        return first_answers(logs, _nearest(self.temperature) if method == "tempered" else 1)

    def judged(self, method):
        """What a method said of each image: dict of top, said, right, loss, each (20,); None without one."""
        if (found := self.answers(method)) is None:
            return None
        top, said, rest = found
        right = top == self.labels
        return {"top": top, "said": said, "right": right, "loss": answer_losses(right, said, rest)}

    def numbers(self):
        """The state; for each method the right answers, the mean confidence, the mean excess of confidence
        over right answers and the NLL, both with their 95 % intervals; the NLL of the first method less that
        of each other; and, for all 10,000 test images at this temperature, NLL and ECE.
        """
        found = {name: judged for name in METHODS if (judged := self.judged(name)) is not None}
        numbers = {"temperature": _nearest(self.temperature), "image": self.image}
        for name, judged in found.items():
            numbers[f"right_{name}"] = int(judged["right"].sum())
            numbers[f"said_{name}"] = float(judged["said"].mean())
            numbers[f"excess_{name}"] = interval(judged["said"] - judged["right"])
            numbers[f"nll_{name}"] = interval(judged["loss"])
        first, *others = found
        for other in others:
            numbers[f"{first}_less_{other}"] = interval(found[first]["loss"] - found[other]["loss"])
        at, bank = TEMPERATURES.index(numbers["temperature"]), load_bank("calibration")
        return {**numbers, "nll_all": float(bank["nll"][at]), "ece_all": float(bank["ece"][at])}

    def words(self):
        numbers = self.numbers()
        said = [
            f"{label}: right {numbers[f'right_{name}']} of {IMAGES}, says {numbers[f'said_{name}']:.2f}, "
            f"NLL {numbers[f'nll_{name}'][0]:.2f}"
            for name, label in METHODS.items()
            if f"right_{name}" in numbers
        ]
        return f"T {numbers['temperature']}, {', '.join(said)}"

    def draw(self, plotting):
        """Reliability of each method's 20 answers, and of the net at T on 10,000 images."""
        numbers = self.numbers()
        shown = {name: label for name, label in METHODS.items() if f"right_{name}" in numbers}
        fig, axes = plotting.new_figure(
            f"Reliability diagrams of {IMAGES} answers each, with 95 % intervals, "
            + ", ".join(f"{label} (right {numbers[f'right_{name}']})" for name, label in shown.items())
            + f"; and of 10,000 answers of the net without dropout at T = {numbers['temperature']}, "
            f"ECE {numbers['ece_all']:.2f}.",
            len(shown) + 1,
            width=3.1 * (len(shown) + 1),
        )  # fmt: skip
        for ax, (name, label) in zip(axes, shown.items(), strict=False):
            judged, look = self.judged(name), plotting.series_style(name)
            count, said, right = binned(judged["said"], judged["right"], FEW_BINS)
            for n, s, r in zip(count, said, right, strict=True):
                if n:
                    low, high = share_interval(r, n)
                    ax.plot([s / n] * 2, [low, high], color=look["color"], linewidth=2)
                    ax.plot(s / n, r / n, look["marker"], color=look["color"], markersize=4 + 2 * n**0.5,
                            clip_on=False)  # fmt: skip
            ax.set_title(f"{label}\nNLL {numbers[f'nll_{name}'][0]:.2f}")
        at, ax = TEMPERATURES.index(numbers["temperature"]), axes[-1]
        count, right = (load_bank("calibration")[part][at] for part in ("count", "right"))
        ax.bar(np.arange(BINS) / BINS, right / np.maximum(count, 1), 1 / BINS, align="edge",
               color=plotting.series_style("tempered")["color"], alpha=0.5)  # fmt: skip
        ax.set_title(f"10,000 images, T = {numbers['temperature']}\nNLL {numbers['nll_all']:.2f}")
        for ax in axes:
            look = plotting.series_style("calibrated")
            ax.plot([0, 1], [0, 1], color=look["color"], linestyle=look["linestyle"])
            ax.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="confidence")
        axes[0].set_ylabel("share right")
        return fig


def _nearest(temperature):
    return min(TEMPERATURES, key=lambda each: abs(each - temperature))
