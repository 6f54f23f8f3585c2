"""Overfit Race: two small nets on the same few noisy points, one with dropout, live."""

import threading
import time
import weakref

import numpy as np
import traitlets

from utils import metrics, scratch
from utils.arguments import check_probability
from utils.widgets import guess
from utils.widgets.base import CourseWidget, Probability, WholeNumber, bundle

SIZES = (2, 96, 96, 2)
NUM_TRAIN, NUM_VAL, NOISE = 60, 500, 0.35
LR, EPOCHS_PER_POINT, MAX_EPOCHS = 0.1, 20, 6000
GRID = 36
X_RANGE, Y_RANGE = (-2.2, 3.2), (-1.8, 2.3)
SECONDS_PER_UPDATE = 0.1
ASKED_EPOCHS = 2000
# Of utils/series.json, in the order of a row of `curves`.
SERIES = ("without training", "without fresh", "with training", "with fresh")

_running = weakref.WeakSet()  # the widgets that train now: at most one


def half_moons(num_points, noise, seed):
    """Two interleaving half circles with Gaussian noise: float64 (num_points, 2), labels 0 and 1, shuffled.

    The same numbers as scikit-learn's `make_moons` with this seed (a test compares), without importing it.
    """
    rng = np.random.RandomState(seed)
    outer, inner = (np.linspace(0, np.pi, n) for n in (num_points // 2, num_points - num_points // 2))
    x = np.concatenate([np.cos(outer), 1 - np.cos(inner)])
    y = np.concatenate([np.sin(outer), 1 - np.sin(inner) - 0.5])
    order = np.arange(num_points)
    rng.shuffle(order)
    points = np.column_stack([x, y])[order]
    return points + rng.normal(scale=noise, size=points.shape), (order >= num_points // 2).astype(np.int64)


def make_points(seed):
    """Noisy half-moons: (x_train, y_train, x_val, y_val), float32 and int64."""
    x, y = half_moons(NUM_TRAIN + NUM_VAL, NOISE, seed)
    x = x.astype(np.float32)
    return x[:NUM_TRAIN], y[:NUM_TRAIN], x[NUM_TRAIN:], y[NUM_TRAIN:]


def grid_points():
    """The centres of the picture's GRID x GRID cells, row by row from the top: float32 (GRID**2, 2)."""
    xs, ys = np.linspace(*X_RANGE, GRID), np.linspace(*Y_RANGE[::-1], GRID)
    return np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2).astype(np.float32)


class OverfitRace(CourseWidget):
    """Two 2-96-96-2 nets start from the same weights on the same 60 noisy points.

    The left one never drops anything; the right one uses dropout p, which you may change while it
    trains. Curves show the loss in eval mode on the training points and on 500 fresh points.

    Parameters
    ----------
    p : float in [0, 1]
        Drop probability of the right net's two hidden layers, from now on.
    seed : int
        Seed of the points, the weights and the masks.
    trained : list of [p, epochs]
        What the right net has been trained with, in this order; the constructor trains both nets so.
    """

    _esm = bundle("overfit_race")
    needs_kernel = True
    settings = ("p", "seed", "trained")

    p = Probability(0.5).tag(sync=True)
    seed = WholeNumber(0).tag(sync=True)
    trained = traitlets.List().tag(sync=True)
    playing = traitlets.Bool(False).tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)
    restart = traitlets.Int(0).tag(sync=True)
    points = traitlets.Bytes().tag(sync=True)
    surfaces = traitlets.Bytes().tag(sync=True)
    curves = traitlets.List().tag(sync=True)
    layout_numbers = traitlets.Dict(
        {"grid": GRID, "x": X_RANGE, "y": Y_RANGE, "num_train": NUM_TRAIN, "max_epochs": MAX_EPOCHS}
    ).tag(sync=True)

    def __init__(self, **state):
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._thread = None
        self._grid = grid_points()
        self._schedule = []
        super().__init__(**state)
        self.observe(lambda change: self._play() if change["new"] else self.pause(), "playing")
        self.observe(lambda change: self.run(EPOCHS_PER_POINT), "step")
        self.observe(lambda change: self._start_again([]), ["seed", "restart"])
        self.observe(self._retrain, "trained")

    def prepare(self):
        self._begin(self.trained)

    def ask(self):
        words = ("the one without dropout", "the one with dropout")
        question = (
            f"Predict first: after {ASKED_EPOCHS:,} epochs, which net has the lower loss on fresh points?"
        )
        row = next((row for row in self.curves if row[0] >= ASKED_EPOCHS), None)
        if row is None:
            return question, guess.choice(*words), None, f"Press Play to see {ASKED_EPOCHS:,} epochs."
        without, with_dropout = row[2], row[4]
        return (
            question,
            guess.choice(*words),
            words[int(with_dropout < without)],
            f"After {row[0]:,} epochs: {without:.2f} without dropout, {with_dropout:.2f} with it.",
        )

    @traitlets.validate("trained")
    def _check_trained(self, proposal):
        value = proposal["value"]
        try:
            segments = [[check_probability("p", p), epochs] for p, epochs in value]
            whole = all(type(epochs) is int and epochs > 0 for _, epochs in segments)
        except (TypeError, ValueError):
            whole = False
        if not whole or sum(epochs for _, epochs in segments) > MAX_EPOCHS:
            raise traitlets.TraitError(
                f"trained must be a list of pairs [p, epochs], at most {MAX_EPOCHS} epochs in all, "
                f"got {value!r}"
            )
        return segments

    def run(self, num_epochs):
        """Train both nets for `num_epochs` more epochs, now, and show the result."""
        with self._lock:
            self._train_for(num_epochs, self.p)
            self._publish()

    def pause(self):
        """Stop the live training; returns when its thread has ended."""
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        self._thread = None
        _running.discard(self)
        self.playing = False

    def close(self):
        """Stop the live training and close the widget."""
        self.pause()
        super().close()

    def numbers(self):
        """Epochs so far and the eval-mode losses of both nets on training and fresh points."""
        epoch, *losses = self.curves[-1]
        names = ("train_p0", "fresh_p0", "train_p", "fresh_p")
        return {"p": self.p, "epoch": epoch, **dict(zip(names, losses, strict=True))}

    def history(self):
        """What the right net was trained with, in words: the curves keep the p that they had."""
        if not self.trained:
            return f"p = {self.p:.2f}, not trained yet"
        return "p = " + ", then ".join(f"{p:.2f}" for p, _ in self.trained)

    def draw(self, plotting):
        """Both decision surfaces and the loss curves as a static figure."""
        numbers = self.numbers()
        fig, axes = plotting.new_figure(
            f"Decision surfaces of two nets after {numbers['epoch']} epochs, without dropout and with "
            f"dropout ({self.history()}), and their losses on training and fresh points.",
            3,
            width=13,
        )
        surfaces = np.frombuffer(self.surfaces, np.float32).reshape(2, GRID, GRID)
        for ax, surface, name in zip(axes, surfaces, ("without dropout", self.history()), strict=False):
            ax.imshow(surface, extent=(*X_RANGE, *Y_RANGE), cmap="PuOr", vmin=0, vmax=1, aspect="auto")
            for label, marker in ((0, "o"), (1, "^")):
                chosen = self._x[self._y == label]
                ax.scatter(*chosen.T, marker=marker, color="white", edgecolors="black")
            ax.set(title=name, xlabel="x1", ylabel="x2")
        epochs, *losses = np.array(self.curves).T
        for series, values in zip(SERIES, losses, strict=True):
            look = plotting.series_style(series)
            every = max(1, len(epochs) // 8)
            axes[2].plot(epochs, values, linewidth=2.2, markevery=every, **look)
        axes[2].set(title="Loss in eval mode", xlabel="epoch", ylabel="NLL", ylim=(0, 1.5))
        axes[2].legend()
        return fig

    def _begin(self, schedule):
        """Same points, same weights for both nets; then train as `schedule` says."""
        self._x, self._y, self._x_val, self._y_val = make_points(self.seed)
        self._rng = np.random.default_rng(self.seed)
        # float64: so the order of summation, which depends on machine and threads, does not show.
        params = scratch.init_he(SIZES, self._rng, np.float64)
        self._nets = [params, [[value.copy() for value in pair] for pair in params]]
        self._epoch = 0
        self._history, self._schedule = [], []
        self._measure()
        self.points = np.column_stack([self._x, self._y]).astype(np.float32).tobytes()
        for p, epochs in schedule:
            self._train_for(epochs, p)
        self._publish()

    def _start_again(self, schedule):
        self.pause()
        with self._lock:
            self._begin(schedule)

    def _retrain(self, change):
        if change["new"] != self._schedule:  # not our own report: the reader wants another history (Reset)
            self._start_again(change["new"])

    def _play(self):
        for other in list(_running):
            other.pause()
        if self._epoch >= MAX_EPOCHS:
            self.playing = False
            return
        _running.add(self)
        self._stop.clear()
        self._thread = threading.Thread(target=self._train_live, daemon=True)
        self._thread.start()

    def _train_live(self):
        shown = time.monotonic()
        while not self._stop.is_set() and self._epoch < MAX_EPOCHS:
            with self._lock:
                self._train(EPOCHS_PER_POINT, self.p)
                if time.monotonic() - shown >= SECONDS_PER_UPDATE:
                    self._publish()
                    shown = time.monotonic()
            time.sleep(0.002)  # let the kernel's own thread answer the sliders
        with self._lock:
            self._publish()
        if not self._stop.is_set():
            _running.discard(self)
            self.playing = False

    def _train_for(self, num_epochs, p):
        for _ in range(num_epochs // EPOCHS_PER_POINT):
            self._train(EPOCHS_PER_POINT, p)
        self._train(num_epochs % EPOCHS_PER_POINT, p)

    def _train(self, num_epochs, p):
        if num_epochs == 0:
            return
        for _ in range(num_epochs):
            for params, drop_prob in zip(self._nets, (0.0, p), strict=True):
                logits, cache = scratch.forward_train(params, self._x, (drop_prob, drop_prob), self._rng)
                _, dlogits = scratch.softmax_cross_entropy(logits, self._y)
                scratch.sgd_step(params, scratch.backward(params, cache, dlogits), LR)
        self._epoch += num_epochs
        if self._schedule and self._schedule[-1][0] == p:
            self._schedule[-1][1] += num_epochs
        else:
            self._schedule.append([p, num_epochs])
        self._measure()

    def _measure(self):
        losses = [
            metrics.nll(metrics.softmax(scratch.forward_eval(params, x)), y)
            for params in self._nets
            for x, y in ((self._x, self._y), (self._x_val, self._y_val))
        ]
        self._history.append([self._epoch, *(round(loss, 4) for loss in losses)])

    def _publish(self):
        surfaces = [metrics.softmax(scratch.forward_eval(params, self._grid))[:, 1] for params in self._nets]
        with self.hold_sync():
            self.surfaces = np.concatenate(surfaces).astype(np.float32).tobytes()
            self.curves = list(self._history)
            self.trained = [list(segment) for segment in self._schedule]
            self.answer()
