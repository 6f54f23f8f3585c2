"""Overfit Race: two small nets on the same few noisy points, one with dropout, live."""

import threading
import time
import weakref

import numpy as np
import traitlets
from sklearn.datasets import make_moons

from utils import metrics, plotting, scratch
from utils.widgets.base import CourseWidget, Probability, WholeNumber, view

SIZES = (2, 96, 96, 2)
NUM_TRAIN, NUM_VAL, NOISE = 60, 500, 0.35
LR, EPOCHS_PER_POINT, MAX_EPOCHS = 0.1, 20, 6000
GRID = 36
X_RANGE, Y_RANGE = (-2.2, 3.2), (-1.8, 2.3)
SECONDS_PER_UPDATE = 0.1

_running = weakref.WeakSet()  # the widgets that train now: at most one


def make_points(seed):
    """Noisy half-moons: (x_train, y_train, x_val, y_val), float32 and int64."""
    x, y = make_moons(NUM_TRAIN + NUM_VAL, noise=NOISE, random_state=seed)
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
        Drop probability of the right net's two hidden layers.
    seed : int
        Seed of the points, the weights and the masks.
    """

    _esm = view("overfit_race")
    needs_kernel = True
    settings = ("p", "seed")
    asks = "Predict first: after 2,000 epochs, which net has the lower loss on fresh points?"

    p = Probability(0.5).tag(sync=True)
    seed = WholeNumber(0).tag(sync=True)
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
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = None
        self._grid = grid_points()
        super().__init__(**state)
        self._begin()
        self.observe(lambda change: self._play() if change["new"] else self.pause(), "playing")
        self.observe(lambda change: self.run(EPOCHS_PER_POINT), "step")
        self.observe(lambda change: self._start_again(), ["seed", "restart"])

    def run(self, num_epochs):
        """Train both nets for `num_epochs` more epochs, now, and show the result."""
        with self._lock:
            for _ in range(num_epochs // EPOCHS_PER_POINT):
                self._train(EPOCHS_PER_POINT)
            self._train(num_epochs % EPOCHS_PER_POINT)
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

    def stats(self):
        """Epochs so far and the eval-mode losses of both nets on training and fresh points."""
        epoch, *losses = self.curves[-1]
        names = ("train_p0", "fresh_p0", "train_p", "fresh_p")
        return {"p": self.p, "epoch": epoch, **dict(zip(names, losses, strict=True))}

    def figure(self):
        """Both decision surfaces and the loss curves as a static figure."""
        stats = self.stats()
        fig, axes = plotting.new_figure(
            f"Decision surfaces of two nets after {stats['epoch']} epochs, without dropout and with "
            f"p = {self.p:.2f}, and their losses on training and fresh points.",
            3,
            width=13,
        )
        surfaces = np.frombuffer(self.surfaces, np.float32).reshape(2, GRID, GRID)
        for ax, surface, name in zip(axes, surfaces, ("p = 0", f"p = {self.p:.2f}"), strict=False):
            ax.imshow(surface, extent=(*X_RANGE, *Y_RANGE), cmap="PuOr", vmin=0, vmax=1, aspect="auto")
            for label, marker in ((0, "o"), (1, "^")):
                chosen = self._x[self._y == label]
                ax.scatter(*chosen.T, marker=marker, color="white", edgecolors="black")
            ax.set(title=name, xlabel="x1", ylabel="x2")
        epochs, *losses = np.array(self.curves).T
        names = ("p = 0, training", "p = 0, fresh", "p, training", "p, fresh")
        for style, (name, values) in enumerate(zip(names, losses, strict=True)):
            plotting.draw_band(axes[2], epochs, values, name, style)
        axes[2].set(title="Loss in eval mode", xlabel="epoch", ylabel="NLL", ylim=(0, 1.5))
        axes[2].legend()
        return fig

    def _begin(self):
        """Same points, same weights for both nets, no epochs yet."""
        self._x, self._y, self._x_val, self._y_val = make_points(self.seed)
        self._rng = np.random.default_rng(self.seed)
        # float64: so the order of summation, which depends on machine and threads, does not show.
        params = scratch.init_he(SIZES, self._rng, np.float64)
        self._nets = [params, [[value.copy() for value in pair] for pair in params]]
        self._epoch = 0
        self._history = []
        self._measure()
        self.points = np.column_stack([self._x, self._y]).astype(np.float32).tobytes()
        self._publish()

    def _start_again(self):
        self.pause()
        with self._lock:
            self._begin()

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
                self._train(EPOCHS_PER_POINT)
                if time.monotonic() - shown >= SECONDS_PER_UPDATE:
                    self._publish()
                    shown = time.monotonic()
            time.sleep(0.002)  # let the kernel's own thread answer the sliders
        with self._lock:
            self._publish()
        if not self._stop.is_set():
            _running.discard(self)
            self.playing = False

    def _train(self, num_epochs):
        if num_epochs == 0:
            return
        for _ in range(num_epochs):
            for params, p in zip(self._nets, (0.0, self.p), strict=True):
                logits, cache = scratch.forward_train(params, self._x, (p, p), self._rng)
                _, dlogits = scratch.softmax_cross_entropy(logits, self._y)
                scratch.sgd_step(params, scratch.backward(params, cache, dlogits), LR)
        self._epoch += num_epochs
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
