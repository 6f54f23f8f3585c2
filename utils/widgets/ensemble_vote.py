"""Ensemble Vote: all 2^n subnetworks of a small trained net against its one weight-scaled pass."""

import functools

import numpy as np
import traitlets

from utils.widgets import guess
from utils.widgets.base import Choice, CourseWidget, Probability, WholeNumber, bundle, load_bank
from utils.widgets.core import histogram, round_ticks

MOST_UNITS, CASES, BINS = 10, 10, 40
LINKS = {
    "linear": "linear output",
    "softmax": "softmax (geometric mean)",
    "relu": "ReLU in between",
}


@functools.cache
def load_nets():
    """The nets on show, as ensemble_vote_bank.py trained them.

    Returns
    -------
    nets : list, entry n - 1 a dict {"softmax": net, "relu": net}; a net is {"hidden": activations of the
        n units for ten cases, "layers": [[W, b], ...] up to the score = logit(malignant) - logit(benign)}
    malignant : list of ten bools, the truth about the ten cases (held out, hard for the nets)
    """
    bank = load_bank("vote")

    def net(kind, n):
        get = lambda name: bank[f"{kind}_{n}_{name}"].tolist()  # noqa: E731
        layers = 1 if kind == "softmax" else 2
        return {"hidden": get("hidden"), "layers": [[get(f"W{k}"), get(f"b{k}")] for k in range(layers)]}

    nets = [{kind: net(kind, n) for kind in ("softmax", "relu")} for n in range(1, MOST_UNITS + 1)]
    return nets, bank["malignant"].tolist()


def all_masks(n):
    """All 2^n keep-masks, bool of shape (2^n, n): mask i keeps unit j where bit j of i is set."""
    return (np.arange(2**n)[:, None] >> np.arange(n)) & 1 == 1


class EnsembleVote(CourseWidget):
    """Every subnetwork's answer, its probability, the vote of all, and the one weight-scaled pass.

    Dropping with probability p gives the mask that keeps k of n units the probability p^(n-k) q^k. The vote
    is the arithmetic mean of the subnetworks' outputs under these; the geometric mean is that of their
    probabilities, made to sum to 1 again. The one pass keeps all units and multiplies them by q.

    Parameters
    ----------
    p : float in [0, 1]
        Drop probability of each hidden unit.
    n : int in [1, 10]
        Number of hidden units; each n is a net of its own.
    link : "linear", "softmax" or "relu"
        What lies between the dropped units and the output on show: nothing (the score, a logit), a
        softmax, or a hidden ReLU layer of 8 units and a softmax.
    example : int in [0, 9]
        Which tumour.
    """

    _esm = bundle("ensemble_vote")
    settings = ("p", "n", "link", "example")

    p = Probability(0.5).tag(sync=True)
    n = WholeNumber(3, 1, MOST_UNITS).tag(sync=True)
    link = Choice(*LINKS).tag(sync=True)
    # A case in which all three units are active, so that the eight subnetworks differ.
    example = WholeNumber(3, 0, CASES - 1).tag(sync=True)
    nets = traitlets.List().tag(sync=True)
    malignant = traitlets.List().tag(sync=True)

    def prepare(self):
        self.nets, self.malignant = load_nets()

    def ask(self):
        gaps = {}
        for link in LINKS:
            outputs = self.outputs(link)
            gaps[link] = abs(float(self.mask_probabilities() @ outputs) - self.one_pass(link))
        exact = sum(gap < 1e-9 for gap in gaps.values())  # in the order of LINKS: linear, softmax, ReLU
        words = ("never", "only with a linear output", "with a linear output and with a softmax", "always")
        return (
            f"Predict first: {2**self.n:,} subnetworks vote, by the mean of their answers. When is the vote "
            "exactly what one pass with scaled weights says?",
            guess.choice(*words),
            words[exact],
            f"Vote and one pass differ by {gaps['linear']:.4f} with a linear output, {gaps['softmax']:.4f} "
            f"with a softmax, {gaps['relu']:.4f} with a ReLU layer in between, for this case at "
            f"p = {self.p:.2f}.",
        )

    def mask_probabilities(self):
        """Probability of each mask: shape (2^n,), sum 1."""
        kept = all_masks(self.n).sum(axis=1)
        return self.p ** (self.n - kept) * (1 - self.p) ** kept

    def scores(self, factors, link=None):
        """The net's score when unit j is multiplied by factors[:, j]: shape (len(factors),)."""
        net = self.nets[self.n - 1]["relu" if (link or self.link) == "relu" else "softmax"]
        h = np.array(net["hidden"][self.example]) * factors
        *inner, (W_out, b_out) = net["layers"]
        for W, b in inner:
            h = np.maximum(h @ np.array(W) + b, 0)
        return (h @ np.array(W_out) + b_out)[:, 0]

    def outputs(self, link=None):
        """Each subnetwork's score ("linear") or probability of "malignant": shape (2^n,)."""
        scores = self.scores(all_masks(self.n), link)
        return scores if (link or self.link) == "linear" else _sigmoid(scores)

    def one_pass(self, link=None):
        """What the one pass says in which every unit stays and is multiplied by 1 - p."""
        score = self.scores(np.full((1, self.n), 1 - self.p), link)
        return float((score if (link or self.link) == "linear" else _sigmoid(score))[0])

    def numbers(self):
        """The vote, the geometric mean (None for a linear output), the one pass, and their differences."""
        weights, outputs = self.mask_probabilities(), self.outputs()
        vote = float(weights @ outputs)
        one_pass = self.one_pass()
        geometric = None
        if self.link != "linear":
            scores = self.scores(all_masks(self.n))
            log_yes, log_no = weights @ -np.logaddexp(0, -scores), weights @ -np.logaddexp(0, scores)
            geometric = float(np.exp(log_yes) / (np.exp(log_yes) + np.exp(log_no)))
        return {
            "p": self.p,
            "n": self.n,
            "link": self.link,
            "vote": vote,
            "geometric": geometric,
            "one_pass": one_pass,
            "vote_gap": vote - one_pass,
            "geometric_gap": None if geometric is None else geometric - one_pass,
        }

    def words(self):
        # Gaps of 1e-17 differ between machines: rounded, they are 0 wherever theory says so.
        numbers = self.numbers()
        names = ("vote", "geometric", "one_pass", "vote_gap", "geometric_gap")
        shown = ", ".join(f"{k} {numbers[k] + 0:.4f}" for k in names if numbers[k] is not None)
        return f"p {self.p:.3g}, n {self.n}, link {self.link}, {shown}".replace("-0.0000", "0.0000")

    def draw(self, plotting):
        """The subnetworks' outputs, weighted by their probability, and the three answers."""
        numbers, outputs, weights = self.numbers(), self.outputs(), self.mask_probabilities()
        output = "score" if self.link == "linear" else "probability of malignant"
        fig, ax = plotting.new_figure(
            f"Histogram of the {output} over all {2**self.n} subnetworks at p = {self.p:.2f}; their vote is "
            f"{numbers['vote']:.2f}, the one weight-scaled pass says {numbers['one_pass']:.2f}.",
            width=9,
        )
        ticks = round_ticks(outputs) if self.link == "linear" else [0, 0.25, 0.5, 0.75, 1]
        step = (ticks[-1] - ticks[0]) / BINS
        shares = histogram(outputs, ticks[0], ticks[-1], BINS, weights)
        ax.bar(ticks[0] + step * np.arange(BINS), shares, step, align="edge", color=plotting.BLUE, alpha=0.45)
        for name, series in {"vote": "vote", "geometric": "geometric", "one_pass": "scaled"}.items():
            if numbers[name] is not None:
                look = plotting.series_style(series)
                look["label"] += f": {numbers[name]:.4f}"
                look.pop("marker")
                ax.axvline(numbers[name], linewidth=3, **look)
        ax.set_xticks(ticks)
        ax.set(
            title=f"{2**self.n} subnetworks, {LINKS[self.link]}", xlabel=output, ylabel="share of the vote"
        )
        ax.legend()
        return fig


def _sigmoid(scores):
    """exp(score) / (1 + exp(score)): the softmax over two classes."""
    return np.exp(-np.logaddexp(0, -scores))
