"""Ensemble Vote: all 2^n subnetworks of a small trained net against its one weight-scaled pass."""

import functools

import numpy as np
import traitlets
from sklearn.datasets import load_breast_cancer

from utils import plotting, scratch
from utils.widgets.base import Choice, CourseWidget, Probability, WholeNumber, view

MOST_UNITS, CASES, INNER = 10, 10, 8
LINKS = {
    "linear": "linear output",
    "softmax": "softmax (geometric mean)",
    "relu": "ReLU in between",
}
NUM_TRAIN, TRAIN_P, EPOCHS, BATCH, LR = 400, 0.5, 15, 40, 0.2


@functools.cache
def trained_nets():
    """Nets that tell malignant from benign tumours, one of each kind per number of hidden units n.

    The data are scikit-learn's breast cancer set (Wolberg, Street & Mangasarian 1995), standardised; the
    nets are 30-n-2 ("softmax", read before the softmax: "linear") and 30-n-8-2 ("relu"), trained with
    dropout 0.5 on the n units. Training scales the kept units up; here the weights behind the dropout
    take that factor instead, so that a subnetwork needs no scaling at any p.

    Returns
    -------
    nets : list, entry n - 1 a dict {"softmax": net, "relu": net}; a net is {"hidden": activations of the
        n units for ten cases, "layers": [[W, b], ...] up to the score = logit(malignant) - logit(benign)}
    malignant : list of ten bools, the truth about the ten cases (held out, hard for the nets)
    """
    data = load_breast_cancer()
    order = np.random.default_rng(0).permutation(len(data.data))
    train, held_out = order[:NUM_TRAIN], order[NUM_TRAIN:]
    x = (data.data - data.data[train].mean(axis=0)) / data.data[train].std(axis=0)
    y = 1 - data.target  # scikit-learn's 0 is malignant
    sizes = {"softmax": lambda n: (30, n, 2), "relu": lambda n: (30, n, INNER, 2)}
    nets = []
    for n in range(1, MOST_UNITS + 1):
        nets.append({kind: _train(size(n), x[train], y[train]) for kind, size in sizes.items()})
    # Where few units fire, most subnetworks are the same: take cases in which at least half of them do.
    (W, b), _ = widest = nets[-1]["softmax"]
    held_out = held_out[(x[held_out] @ W + b > 0).sum(axis=1) >= MOST_UNITS // 2]
    logits = scratch.forward_eval(widest, x[held_out])
    hardest = np.argsort(np.abs(logits[:, 1] - logits[:, 0]))[:CASES]
    cases = held_out[np.sort(hardest)]
    return [{k: _as_lists(net, x[cases]) for k, net in pair.items()} for pair in nets], y[cases].tolist()


def _train(sizes, x, y):
    rng = np.random.default_rng(sizes[1])
    params = scratch.init_he(sizes, rng, np.float64)
    drop_probs = (TRAIN_P, *[0.0] * (len(sizes) - 3))
    for _ in range(EPOCHS):
        scratch.train_epoch(params, x, y, drop_probs, BATCH, LR, rng)
    return params


def _as_lists(params, x):
    """Hidden activations and the layers behind them, rounded, so that a stored page stays small."""
    (W, b), *behind = params
    layers = [[W.copy(), b] for W, b in behind]
    layers[0][0] /= 1 - TRAIN_P
    W_out, b_out = layers[-1]
    layers[-1] = [W_out[:, 1:] - W_out[:, :1], b_out[1:] - b_out[:1]]
    return {
        "hidden": np.maximum(x @ W + b, 0).round(4).tolist(),
        "layers": [[W.round(4).tolist(), b.round(4).tolist()] for W, b in layers],
    }


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

    _esm = view("ensemble_vote")
    settings = ("p", "n", "link", "example")
    asks = (
        "Predict first: 1,024 subnetworks vote. When is the vote exactly what one pass with scaled weights "
        "says: with a linear output, with a softmax, with a ReLU layer in between?"
    )

    p = Probability(0.5).tag(sync=True)
    n = WholeNumber(MOST_UNITS, 1, MOST_UNITS).tag(sync=True)
    link = Choice(*LINKS).tag(sync=True)
    example = WholeNumber(0, 0, CASES - 1).tag(sync=True)
    nets = traitlets.List().tag(sync=True)
    malignant = traitlets.List().tag(sync=True)

    def __init__(self, **state):
        super().__init__(**state)
        self.nets, self.malignant = trained_nets()

    def mask_probabilities(self):
        """Probability of each mask: shape (2^n,), sum 1."""
        kept = all_masks(self.n).sum(axis=1)
        return self.p ** (self.n - kept) * (1 - self.p) ** kept

    def scores(self, factors):
        """The net's score when unit j is multiplied by factors[:, j]: shape (len(factors),)."""
        net = self.nets[self.n - 1]["relu" if self.link == "relu" else "softmax"]
        h = np.array(net["hidden"][self.example]) * factors
        *inner, (W_out, b_out) = net["layers"]
        for W, b in inner:
            h = np.maximum(h @ np.array(W) + b, 0)
        return (h @ np.array(W_out) + b_out)[:, 0]

    def outputs(self):
        """Each subnetwork's score ("linear") or probability of "malignant": shape (2^n,)."""
        scores = self.scores(all_masks(self.n))
        return scores if self.link == "linear" else _sigmoid(scores)

    def stats(self):
        """The vote, the geometric mean (None for a linear output), the one pass, and their differences."""
        weights, outputs = self.mask_probabilities(), self.outputs()
        vote = float(weights @ outputs)
        one_pass = self.scores(np.full((1, self.n), 1 - self.p))
        geometric = None
        if self.link != "linear":
            one_pass = _sigmoid(one_pass)
            scores = self.scores(all_masks(self.n))
            log_yes, log_no = weights @ -np.logaddexp(0, -scores), weights @ -np.logaddexp(0, scores)
            geometric = float(np.exp(log_yes) / (np.exp(log_yes) + np.exp(log_no)))
        one_pass = float(one_pass[0])
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

    def __repr__(self):
        # Gaps of 1e-17 differ between machines: rounded, they are 0 wherever theory says so.
        stats = self.stats()
        names = ("vote", "geometric", "one_pass", "vote_gap", "geometric_gap")
        numbers = ", ".join(f"{k} {stats[k] + 0:.4f}" for k in names if stats[k] is not None)
        return f"[slider] EnsembleVote: p {self.p:.3g}, n {self.n}, link {self.link}, {numbers}".replace(
            "-0.0000", "0.0000"
        )

    def figure(self):
        """The subnetworks' outputs, weighted by their probability, and the three answers."""
        stats, outputs, weights = self.stats(), self.outputs(), self.mask_probabilities()
        output = "score" if self.link == "linear" else "probability of malignant"
        fig, ax = plotting.new_figure(
            f"Histogram of the {output} over all {2**self.n} subnetworks at p = {self.p:.2f}; their vote is "
            f"{stats['vote']:.2f}, the one weight-scaled pass says {stats['one_pass']:.2f}.",
            width=9,
        )
        span = None if self.link == "linear" else (0, 1)
        ax.hist(outputs, bins=40, range=span, weights=weights, color=plotting.BLUE, alpha=0.35)
        styles = {"vote": "-", "geometric": "--", "one_pass": ":"}
        for (name, style), colour in zip(styles.items(), plotting.COLOURS, strict=False):
            if stats[name] is not None:
                label = f"{name.replace('_', ' ')}: {stats[name]:.4f}"
                ax.axvline(stats[name], linestyle=style, color=colour, linewidth=3, label=label)
        ax.set(
            title=f"{2**self.n} subnetworks, {LINKS[self.link]}", xlabel=output, ylabel="share of the vote"
        )
        ax.legend()
        return fig


def _sigmoid(scores):
    """exp(score) / (1 + exp(score)): the softmax over two classes."""
    return np.exp(-np.logaddexp(0, -scores))
