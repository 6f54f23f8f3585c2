"""Variance Shift Machine: dropout and batch norm in either order, and what becomes of stored statistics."""

import functools
import math

import numpy as np
import traitlets

from utils import metrics, scratch
from utils.arguments import check_probability
from utils.data import read_only
from utils.widgets import guess, history
from utils.widgets.base import Choice, CourseWidget, Probability, WholeNumber, bundle, load_bank
from utils.widgets.core import keep_mask, normal, uniform

ORDERS = ("dropout first", "batch norm first")
MODES = ("eval", "train")
NUM_SHOWN, WIDTH, CLASSES, SNEAKER = 400, 24, 10, 7
BATCH, LR, MOMENTUM, EPS = 50, 0.1, 0.9, 1e-5
HIGHEST_P, FIRST_STEPS, MAX_PASSES, PASSES_PER_POINT, REFITS = 0.9, 200, 2000, 5, 5
# What can be done to the net: training steps; passes in train() that are meant as evaluation, over the
# sneakers among the test images or over all of them; new statistics of training images, masks on or off.
ACTIONS = ("train", "sneakers", "all", "masks", "clean")
RENEW = ("masks", "clean")  # new statistics start anew
HIGHEST_RATIO = 1.5  # the end of the axis
# The random numbers that one pass may need: 400 images to choose, 400 x 24 units to drop.
STRIDE = NUM_SHOWN * (WIDTH + 1)


@functools.cache
def load_images():
    """The images as 24 hidden units see them: (h_train, y_train, h_test, y_test), float64 (400, 24) and int.

    variance_shift_machine_bank.py made them and says what they are.
    """
    bank = load_bank("shift")
    hidden, labels = bank["hidden"].astype(np.float64), bank["labels"].astype(np.int64)
    return read_only((hidden[:NUM_SHOWN], labels[:NUM_SHOWN], hidden[NUM_SHOWN:], labels[NUM_SHOWN:]))


def factor(u, p):
    """What dropout multiplies by, for uniform numbers u: 0 or 1 / (1 - p), float64."""
    return keep_mask(u, p) / (1 - p)


def variances(p):
    """What batch norm receives from a dropout with p, over the training images and masks.

    Returns
    -------
    (clean, trained, within, between) : floats, sums over the 24 units
        clean : the variance without masks. trained : with masks, E[h^2] / q - E[h]^2 for each unit.
        within, between : the variance of one image's squared distance to the mean, over masks and between
        images: what one batch misses the variance by is sqrt((within + between) / batch) to first order.
    """
    h, q = load_images()[0], 1 - p
    mean = h.mean(axis=0)
    kept, dropped = (h / q - mean) ** 2, mean**2
    expected = (q * kept + p * dropped).sum(axis=1)
    within = (p * q * (kept - dropped) ** 2).sum(axis=1).mean()
    return float(h.var(axis=0).sum()), float(expected.mean()), float(within), float(expected.var())


class Machine:
    """What is trained here: dropout, batch norm, a linear layer. It has a twin in JavaScript.

    `stored` is [mean, variance] (24,) of batch norm.
    """

    def __init__(self, order, seed):
        self.order, self.seed, self.passes, self.did, self.points = order, seed, 0, [], []
        self.gamma, self.beta = np.ones(WIDTH), np.zeros(WIDTH)
        self.weights = normal(3 * seed, WIDTH * CLASSES).reshape(WIDTH, CLASSES) / math.sqrt(WIDTH)
        self.bias = np.zeros(CLASSES)
        self.stored = [np.zeros(WIDTH), np.ones(WIDTH)]
        self.points.append(self._point())

    def act(self, action, p, count):
        """Do one of ACTIONS with drop probability p: `count` passes."""
        for k in range(count):
            self._pass(action, p, k)
            self.passes += 1
            if self.passes % PASSES_PER_POINT == 0:
                self.points.append(self._point())
        self.did = history.joined([*self.did, [action, p, count]], RENEW)

    def _pass(self, action, p, k):
        h_train, y_train, h_test, y_test = load_images()
        seed, first = 3 * self.seed + 1, self.passes * STRIDE
        if action == "train":
            rows = np.floor(uniform(seed, BATCH, first).astype(np.float64) * NUM_SHOWN).astype(np.intp)
            h, y, weight = h_train[rows], y_train[rows], 1 - MOMENTUM
        else:
            h = {"sneakers": h_test[y_test == SNEAKER], "all": h_test}.get(action, h_train)
            weight = 1 / (k + 1) if action in RENEW else 1 - MOMENTUM
        factors = factor(uniform(seed, h.size, first + NUM_SHOWN), p).reshape(h.shape)
        self._store(self._received(h, factors), weight)
        if action == "train":
            self._train(h, y, factors)

    def _received(self, h, factors):
        return h * factors if self.order == ORDERS[0] else h

    def _store(self, x, weight):
        for k, new in enumerate((x.mean(axis=0), x.var(axis=0, ddof=1))):
            self.stored[k] = (1 - weight) * self.stored[k] + weight * new

    def _train(self, h, y, factors):
        """One step of gradient descent on a batch; the hidden units below stay as they are."""
        x, after = self._received(h, factors), factors if self.order == ORDERS[1] else 1.0
        normed = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + EPS)
        read = (self.gamma * normed + self.beta) * after
        _, dlogits = scratch.softmax_cross_entropy(read @ self.weights + self.bias, y)
        dread = dlogits @ self.weights.T * after
        self.weights -= LR * read.T @ dlogits
        self.bias -= LR * dlogits.sum(axis=0)
        self.gamma -= LR * (dread * normed).sum(axis=0)
        self.beta -= LR * dread.sum(axis=0)

    def looks(self, mode, p):
        """In `mode`: (variance received from training images (24,), logits of the test images (400, 10))."""
        h_train, _, h_test, _ = load_images()
        numbers = uniform(3 * self.seed + 2, 2 * h_train.size, first=2 * self.passes * h_train.size)
        factors = factor(numbers, p if mode == "train" else 0.0).reshape(2, *h_train.shape)
        x = self._received(h_test, factors[1])
        mean, variance = (x.mean(axis=0), x.var(axis=0)) if mode == "train" else self.stored
        read = self.gamma * (x - mean) / np.sqrt(variance + EPS) + self.beta
        if self.order == ORDERS[1]:
            read = read * factors[1]
        return self._received(h_train, factors[0]).var(axis=0), read @ self.weights + self.bias

    def history(self):
        """[passes, mean stored variance, accuracy in eval mode] every five passes, and now."""
        return [*self.points, *([self._point()] if self.passes % PASSES_PER_POINT else [])]

    def _point(self):
        accuracy = metrics.accuracy(metrics.softmax(self.looks("eval", 0.0)[1]), load_images()[3])
        return [self.passes, float(self.stored[1].mean()), float(accuracy)]


class VarianceShiftMachine(CourseWidget):
    """Dropout and batch norm as two boxes to swap: what is stored in training, what arrives in evaluation.

    A 24-unit hidden layer of a trained net sees 400 training and 400 test images of Fashion-MNIST
    (variance_shift_machine_bank.py). Behind it dropout, batch norm and a linear layer are trained in the
    browser, in batches of 50; Python does the same when it is asked for numbers or a figure. Each pass in
    train mode, of training or not, moves the stored statistics by a tenth of the way.

    Parameters
    ----------
    p : float in [0, 0.9]
        Drop probability from now on.
    order : "dropout first" or "batch norm first"
    mode : "eval" or "train"
        In which mode the net is looked at.
    seed : int
        Seed of the weights, the batches and the masks.
    did : list of [action, p, passes]
        What was done so far, one of ACTIONS at a time; by default 200 training steps at p. Swapped boxes go
        through the same again.
    """

    _esm = bundle("variance_shift_machine")
    settings = ("p", "order", "mode", "seed", "did")

    p = Probability(0.5).tag(sync=True)
    order = Choice(*ORDERS).tag(sync=True)
    mode = Choice(*MODES).tag(sync=True)
    seed = WholeNumber(0, high=2**29).tag(sync=True)
    did = traitlets.List().tag(sync=True)
    # For the browser: the hidden units as float16 (800, 24), the classes as uint8 (800,).
    hidden = traitlets.Bytes().tag(sync=True)
    labels = traitlets.Bytes().tag(sync=True)

    def __init__(self, **state):
        self._machine = None
        super().__init__(**state)

    def prepare(self):
        bank = load_bank("shift")
        self.hidden, self.labels = bank["hidden"].tobytes(), bank["labels"].tobytes()

    def ask(self):
        clean, trained, *_ = variances(self.p)
        return (
            f"Predict first: a dropout with p = {self.p:.2f} stands right before batch norm. What share of "
            "the variance that it has stored does batch norm receive in eval?",
            guess.number(0, 200, unit="%"),
            round(100 * clean / trained),
            f"Mean over the {WIDTH} units, expected over masks: {trained / WIDTH:.2f} in training, "
            f"{clean / WIDTH:.2f} in eval.",
        )

    @traitlets.default("did")
    def _trained_at_p(self):
        return [["train", self.p, FIRST_STEPS]]

    @traitlets.validate("p")
    def _check_p(self, proposal):
        if proposal["value"] > HIGHEST_P:
            raise traitlets.TraitError(f"p must be in [0, {HIGHEST_P}], got {proposal['value']!r}")
        return proposal["value"]

    @traitlets.validate("did")
    def _check_did(self, proposal):
        def settings(action, p):
            if action not in ACTIONS or check_probability("p", p) > HIGHEST_P:
                raise ValueError
            return action, float(p)

        return history.check(
            "did", proposal["value"], MAX_PASSES, settings, RENEW,
            f"[action, p, passes], action one of {', '.join(ACTIONS)}, p in [0, {HIGHEST_P}], at most "
            f"{MAX_PASSES} passes in all",
        )  # fmt: skip

    def act(self, action, count=1):
        """Do one of ACTIONS at the present p, `count` passes more; new statistics come from five passes."""
        count = REFITS if action in RENEW else count
        p = 0.0 if action == "clean" else self.p
        self.did = history.joined([*self.did, [action, p, count]], RENEW)

    def machine(self):
        """The net, after all that `did` says."""
        machine, rest = self._machine, None
        if machine and (machine.order, machine.seed) == (self.order, self.seed):
            rest = history.left(machine.did, self.did, RENEW)
        if rest is None:
            machine, rest = Machine(self.order, self.seed), self.did
            self._machine = machine
        for segment in rest:
            machine.act(*segment)
        return machine

    def formula(self):
        """The share of the stored variance that should arrive, once training at this p has filled the store.

        In eval, dropout first: Var(h) / (E[h^2] / q - E[h]^2), sums over the units; else 1.
        """
        clean, trained, *_ = variances(self.p)
        return clean / trained if self.order == ORDERS[0] and self.mode == "eval" else 1.0

    def formula_error(self):
        """Standard error of the measured share over batches and masks, to first order, once it is filled."""
        p = self.p if self.order == ORDERS[0] else 0.0
        _, trained, within, between = variances(p)
        of_stored = (within + between) / BATCH * (1 - MOMENTUM) / (1 + MOMENTUM)
        of_received = within / NUM_SHOWN if self.mode == "train" else 0.0
        return self.formula() * math.sqrt(of_stored + of_received) / trained

    def numbers(self):
        """The state; mean stored and received variance, their ratio `share`, its formula and standard error.

        accuracy and nll are those on the test images, in the mode on show.
        """
        machine, y_test = self.machine(), load_images()[3]
        received, logits = machine.looks(self.mode, self.p)
        probs = metrics.softmax(logits)
        return {
            **{key: getattr(self, key) for key in ("p", "order", "mode", "seed")},
            "passes": machine.passes,
            "stored": float(machine.stored[1].mean()),
            "received": float(received.mean()),
            "share": float(received.sum() / machine.stored[1].sum()),
            "formula": self.formula(),
            "formula_error": self.formula_error(),
            "accuracy": float(metrics.accuracy(probs, y_test)),
            "nll": float(metrics.nll(probs, y_test)),
        }

    def draw(self, plotting):
        """The store, the units against the formula, and the accuracy over the passes, as a static figure."""
        machine, numbers = self.machine(), self.numbers()
        fig, axes = plotting.new_figure(
            f"{self.order.capitalize()}, p = {self.p:.2f}, in {self.mode}: batch norm receives "
            f"{numbers['share']:.0%} of the variance that it has stored, the formula says "
            f"{numbers['formula']:.0%}.",
            num_columns=3, width=12,
        )  # fmt: skip
        _, trained, *_ = variances(self.p if self.order == ORDERS[0] else 0.0)
        bars = {"stored": numbers["stored"], "received": numbers["received"], "theory": trained / WIDTH}
        for name, height in bars.items():
            axes[0].bar(name, height, color=plotting.series_style(name)["color"])
        axes[0].set(title="Variance, mean of the units", xticks=range(3),
                    xticklabels=("stored", "received", "trained at p"))  # fmt: skip
        expected, measured = self.shares()
        look, theory = plotting.series_style("received"), plotting.series_style("theory")
        axes[1].scatter(
            expected, np.minimum(measured, HIGHEST_RATIO), marker=look["marker"], color=look["color"]
        )
        axes[1].plot([0, HIGHEST_RATIO], [0, HIGHEST_RATIO], color=theory["color"], linestyle="--")
        axes[1].set(title="Received / stored", xlabel="formula, each unit", xlim=(0, 1.05),
                    ylabel=f"measured ({HIGHEST_RATIO}: and above)", ylim=(0, HIGHEST_RATIO))  # fmt: skip
        passes, _, accuracy = np.array(machine.history()).T
        look = plotting.series_style("test")
        axes[2].plot(passes, accuracy, color=look["color"], linewidth=2.2)
        axes[2].set(title="Test accuracy in eval", xlabel="passes in train mode", ylim=(0, 1))
        return fig

    def shares(self):
        """For each unit, received / stored: (by the formula, measured), two arrays (24,)."""
        machine, h = self.machine(), load_images()[0]
        measured = machine.looks(self.mode, self.p)[0] / machine.stored[1]
        if self.order == ORDERS[1] or self.mode == "train":
            return np.ones(WIDTH), measured
        return h.var(axis=0) / ((h**2).mean(axis=0) / (1 - self.p) - h.mean(axis=0) ** 2), measured
