"""MC-Dropout Regression: many passes through one net, and a band that grows away from the data."""

import itertools
import math
import threading

import numpy as np
import traitlets

from utils import plotting
from utils.widgets.base import Choice, CourseWidget, Probability, WholeNumber, view
from utils.widgets.core import keep_mask, uniform

HIDDEN, MOST_PASSES, MOST_POINTS = 64, 100, 60
TRAIN_P, STEPS, LR = 0.1, 1000, 0.01
X_RANGE, Y_RANGE = (-4.0, 4.0), (-3.0, 3.0)
INSIDE, OUTSIDE = 0.0, 3.5
# Twenty draws of y = 0.8 sin(2x) + noise of standard deviation 0.12, x in [-2.2, 2.2].
POINTS = [
    [-2.18, 0.53], [-1.21, -0.56], [-1.08, -0.82], [-0.97, -0.71], [-0.88, -0.77],
    [-0.87, -0.81], [-0.24, -0.67], [-0.14, -0.29], [0.02, 0.03], [0.24, 0.38],
    [0.54, 0.52], [0.55, 0.66], [1.21, 0.41], [1.29, 0.33], [1.31, 0.53],
    [1.41, 0.16], [1.64, -0.11], [1.75, -0.17], [2.15, -0.8], [2.18, -0.76],
]  # fmt: skip


def train(points, stop=lambda: False):
    """Fit a 1-64-64-1 ReLU net with dropout 0.1 on both hidden layers: squared loss, Adam, 1,000 steps.

    Parameters
    ----------
    points : list of [x, y]
    stop : function without arguments
        Asked before every step; training ends, with None, when it says True.

    Returns
    -------
    list of [W, b], float64, or None

    Raises
    ------
    FloatingPointError
        A weight is not finite at the end.

    Source: Gal & Ghahramani 2016 (the net); Kingma & Ba 2015, algorithm 1 (Adam).
    """
    x, y = np.array(points, dtype=np.float64).T[:, :, None]
    rng = np.random.default_rng(0)
    params = [
        [rng.normal(0, math.sqrt(2 / n_in), (n_in, n_out)), np.zeros(n_out)]
        for n_in, n_out in itertools.pairwise((1, HIDDEN, HIDDEN, 1))
    ]
    params[0][1] += rng.normal(0, 1, HIDDEN)  # kinks all over the x axis, not all of them at x = 0
    values = [value for pair in params for value in pair]
    first, second = ([np.zeros_like(value) for value in values] for _ in range(2))
    for step in range(1, STEPS + 1):
        if stop():
            return None
        grads = _gradients(params, x, y, rng)
        for value, grad, m, v in zip(values, grads, first, second, strict=True):
            m += 0.1 * (grad - m)
            v += 0.001 * (grad**2 - v)
            value -= LR * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
    if not all(np.isfinite(value).all() for value in values):
        raise FloatingPointError("the weights did not stay finite: remove the last point")
    return params


def _gradients(params, x, y, rng):
    """Gradients of half the mean squared error under one draw of dropout, in the order of `values`."""
    (W1, b1), (W2, b2), (W3, b3) = params
    factor1, factor2 = ((rng.random((len(x), HIDDEN)) >= TRAIN_P) / (1 - TRAIN_P) for _ in range(2))
    h1 = np.maximum(x @ W1 + b1, 0) * factor1
    h2 = np.maximum(h1 @ W2 + b2, 0) * factor2
    d3 = (h2 @ W3 + b3 - y) / len(x)
    d2 = d3 @ W3.T * factor2 * (h2 > 0)
    d1 = d2 @ W2.T * factor1 * (h1 > 0)
    return x.T @ d1, d1.sum(axis=0), h1.T @ d2, d2.sum(axis=0), h2.T @ d3, d3.sum(axis=0)


def check_points(points):
    """Return `points` as a list of [x, y] floats. Raise ValueError unless there are 2 to 60 on the plot."""
    if not isinstance(points, list | tuple) or not 2 <= len(points) <= MOST_POINTS:
        count = f"{len(points)} of them" if isinstance(points, list | tuple) else repr(points)
        raise ValueError(f"points must be a list of 2 to {MOST_POINTS} pairs [x, y], got {count}")
    for point in points:
        numbers = isinstance(point, list | tuple) and len(point) == 2
        numbers = numbers and all(isinstance(v, int | float) and not isinstance(v, bool) for v in point)
        inside = numbers and all(
            low <= v <= high for v, (low, high) in zip(point, (X_RANGE, Y_RANGE), strict=True)
        )
        if not inside:
            raise ValueError(f"points must be pairs [x, y] with x in [-4, 4] and y in [-3, 3], got {point!r}")
    return [[float(x), float(y)] for x, y in points]


class MCRegression(CourseWidget):
    """A 1-64-64-1 net fitted to points, asked T times with dropout on: mean and band of the answers.

    Python trains the net (dropout 0.1, 1,000 Adam steps, about half a second), again whenever the points
    change; the passes are drawn in the browser. One pass has one mask for the whole x axis, so that each
    pass is a function: what one thinned net believes.

    Parameters
    ----------
    p : float in [0, 1]
        Drop probability at prediction, on both hidden layers.
    passes : int in [1, 100]
        T, the number of passes.
    show : "all" or "one"
        All T passes with mean and band of 2 standard deviations, or the T-th pass alone.
    seed : int
        Seed of the masks.
    points : list of [x, y]
        2 to 60 points, x in [-4, 4], y in [-3, 3].
    """

    _esm = view("mc_regression")
    settings = ("p", "passes", "show", "seed", "points")
    asks = (
        "Predict first: where will the passes disagree most, among the points or far from them? And what "
        "does a larger p do to the band?"
    )

    p = Probability(TRAIN_P).tag(sync=True)
    passes = WholeNumber(50, 1, MOST_PASSES).tag(sync=True)
    show = Choice("all", "one").tag(sync=True)
    seed = WholeNumber(0).tag(sync=True)
    points = traitlets.Any().tag(sync=True)
    weights = traitlets.Bytes().tag(sync=True)

    def __init__(self, **state):
        self._lock = threading.RLock()
        self._version, self._closed = 0, False
        self._thread = None
        super().__init__(**state)
        self._store(train(self.points))
        self.observe(lambda change: self._train_again(), "points")

    @traitlets.validate("points")
    def _check_points(self, proposal):
        try:
            return check_points(proposal["value"])
        except ValueError as error:
            raise traitlets.TraitError(str(error)) from None

    @traitlets.default("points")
    def _default_points(self):
        return check_points(POINTS)

    def wait(self):
        """Return when the net has been trained on the points on show."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def close(self):
        """End a training that still runs and close the widget."""
        self._closed = True
        self.wait()
        super().close()

    def masks(self):
        """The keep-masks of the T passes: bool of shape (T, 2, 64), two hidden layers."""
        u = uniform(self.seed, MOST_PASSES * 2 * HIDDEN).reshape(MOST_PASSES, 2, HIDDEN)
        return keep_mask(u[: self.passes], self.p)

    def predict(self, x):
        """The answers of the T passes at the places x: float64 of shape (T, len(x))."""
        self.wait()
        W1, b1, W2, b2, W3, b3 = _unpack(self.weights)
        scale = 1 / (1 - self.p) if self.p < 1 else 0.0
        factors = self.masks() * scale
        h1 = np.maximum(np.asarray(x, dtype=np.float64)[:, None] @ W1 + b1, 0)
        h2 = np.maximum((h1 * factors[:, None, 0]) @ W2 + b2, 0)
        return ((h2 * factors[:, None, 1]) @ W3)[:, :, 0] + b3

    def stats(self):
        """The state, mean and standard deviation of the passes at x = 0 (among the points) and x = 3.5."""
        answers = self.predict([INSIDE, OUTSIDE])
        # Rounded: where nothing is dropped the deviation is 0, not a rounding error of 1e-18.
        (mean_inside, mean_outside), (std_inside, std_outside) = (
            np.round(numbers, 9).tolist() for numbers in (answers.mean(axis=0), answers.std(axis=0))
        )
        return {
            "p": self.p,
            "passes": self.passes,
            "points": len(self.points),
            "mean_inside": mean_inside,
            "std_inside": std_inside,
            "mean_outside": mean_outside,
            "std_outside": std_outside,
        }

    def figure(self):
        """Points, passes, mean and band as a static figure."""
        stats = self.stats()
        what = f"{self.passes} passes" if self.show == "all" else f"pass {self.passes}"
        fig, ax = plotting.new_figure(
            f"{what} through a net fitted to {len(self.points)} points, p = {self.p:.2f}: the standard "
            f"deviation is {stats['std_inside']:.2f} at x = 0 and {stats['std_outside']:.2f} at x = 3.5.",
            width=9,
        )
        x = np.linspace(*X_RANGE, 121)
        answers = self.predict(x)
        if self.show == "all":
            mean, std = answers.mean(axis=0), answers.std(axis=0)
            ax.plot(x, answers.T, color=plotting.PINK, alpha=0.15, linewidth=1)
            low, high = mean - 2 * std, mean + 2 * std
            ax.fill_between(x, low, high, color=plotting.BLUE, alpha=0.25, label="±2 std")
            ax.plot(x, mean, color=plotting.BLUE, linewidth=2.5, label="mean")
        else:
            ax.plot(x, answers[-1], "--", color=plotting.PINK, linewidth=2.5, label=what)
        ax.plot(*np.transpose(self.points), "o", color=plotting.BLACK, label="points")
        ax.set(title=f"{what} at p = {self.p:.2f}", xlabel="x", ylabel="y", xlim=X_RANGE, ylim=Y_RANGE)
        ax.legend()
        return fig

    def _train_again(self):
        """Ask for a training on the present points. One thread trains; the latest request wins."""
        with self._lock:
            self._version += 1
            self.error = ""
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()

    def _work(self):
        while True:
            version = self._version  # read before the points: at worst the same points are trained twice
            params, error = None, ""
            try:
                params = train(self.points, stop=lambda v=version: self._closed or self._version != v)
            except Exception as failure:
                error = f"The net could not be trained: {failure}"
            with self._lock:
                if self._closed or version == self._version:
                    if params is not None:
                        self._store(params)
                    self.error = error
                    self._thread = None
                    return

    def _store(self, params):
        flat = np.concatenate([value.ravel() for pair in params for value in pair])
        self.weights = flat.astype(np.float32).tobytes()


def _unpack(weights):
    """W1, b1, W2, b2, W3, b3 as float64, from the bytes of `weights`."""
    shapes = ((1, HIDDEN), (HIDDEN,), (HIDDEN, HIDDEN), (HIDDEN,), (HIDDEN, 1), (1,))
    flat = np.frombuffer(weights, np.float32).astype(np.float64)
    parts = np.split(flat, np.cumsum([math.prod(shape) for shape in shapes])[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
