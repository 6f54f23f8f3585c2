"""MC-Dropout Regression: many passes through one net, and a band that grows away from the data."""

import itertools
import math
import threading

import numpy as np
import traitlets

from utils.widgets import guess
from utils.widgets.base import Choice, CourseWidget, Probability, WholeNumber, bundle, load_bank
from utils.widgets.core import keep_mask, uniform

HIDDEN, MOST_PASSES, MOST_POINTS, SHOWN = 64, 100, 60, 30
STEPS, LR = 1000, 0.01
# Nets for these p and the points below are stored: the slider needs no training there.
BANK_P = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9)
X_RANGE, Y_RANGE = (-4.0, 4.0), (-3.0, 3.0)
INSIDE, OUTSIDE = 0.0, 3.5
# Twenty draws of y = 0.8 sin(2x) + noise of standard deviation 0.12, x in [-2.2, 2.2].
POINTS = [
    [-2.18, 0.53], [-1.21, -0.56], [-1.08, -0.82], [-0.97, -0.71], [-0.88, -0.77],
    [-0.87, -0.81], [-0.24, -0.67], [-0.14, -0.29], [0.02, 0.03], [0.24, 0.38],
    [0.54, 0.52], [0.55, 0.66], [1.21, 0.41], [1.29, 0.33], [1.31, 0.53],
    [1.41, 0.16], [1.64, -0.11], [1.75, -0.17], [2.15, -0.8], [2.18, -0.76],
]  # fmt: skip
# Twenty draws of the same with none between -1 and 1, and the first twenty lifted by 2.
GAP = [
    [-2.17, 0.75], [-2.03, 0.6], [-1.83, 0.55], [-1.71, 0.34], [-1.69, -0.14],
    [-1.59, -0.2], [-1.54, -0.07], [-1.21, -0.58], [-1.06, -0.66], [-1.06, -0.66],
    [1.16, 0.84], [1.24, 0.36], [1.31, 0.35], [1.36, 0.57], [1.4, 0.35],
    [1.48, 0.22], [1.54, -0.01], [1.65, -0.32], [1.9, -0.47], [1.95, -0.54],
]  # fmt: skip
PRESETS = {"first": POINTS, "gap": GAP, "lifted": [[x, round(y + 2, 2)] for x, y in POINTS]}
# The exact band beside: a Gaussian process with the kernel exp(-(x - x')^2 / (2 * 0.7^2)) and this noise.
LENGTH_SCALE, NOISE = 0.7, 0.12


def train(points, p, stop=lambda: False):
    """Fit a 1-64-64-1 ReLU net with dropout p on both hidden layers: squared loss, Adam, 1,000 steps.

    Parameters
    ----------
    points : list of [x, y]
    p : float in [0, 1]
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
        grads = _gradients(params, x, y, p, rng)
        for value, grad, m, v in zip(values, grads, first, second, strict=True):
            m += 0.1 * (grad - m)
            v += 0.001 * (grad**2 - v)
            value -= LR * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
    if not all(np.isfinite(value).all() for value in values):
        raise FloatingPointError("the weights did not stay finite: remove the last point")
    return params


def _gradients(params, x, y, p, rng):
    """Gradients of half the mean squared error under one draw of dropout, in the order of `values`."""
    (W1, b1), (W2, b2), (W3, b3) = params
    scale = 1 / (1 - p) if p < 1 else 0.0
    factor1, factor2 = ((rng.random((len(x), HIDDEN)) >= p) * scale for _ in range(2))
    h1 = np.maximum(x @ W1 + b1, 0) * factor1
    h2 = np.maximum(h1 @ W2 + b2, 0) * factor2
    d3 = (h2 @ W3 + b3 - y) / len(x)
    d2 = d3 @ W3.T * factor2 * (h2 > 0)
    d1 = d2 @ W2.T * factor1 * (h1 > 0)
    return x.T @ d1, d1.sum(axis=0), h1.T @ d2, d2.sum(axis=0), h2.T @ d3, d3.sum(axis=0)


def gaussian_process(points, x):
    """Mean and standard deviation, each of shape (len(x),), of a Gaussian process given `points`, exactly.

    Source: Rasmussen & Williams 2006, algorithm 2.1; the deviation is that of the function, without noise.
    """
    at, y = np.array(points, dtype=np.float64).T
    x = np.asarray(x, dtype=np.float64)

    def kernel(a, b):
        return np.exp(-((a[:, None] - b) ** 2) / (2 * LENGTH_SCALE**2))

    factor = np.linalg.cholesky(kernel(at, at) + NOISE**2 * np.eye(len(at)))
    half = np.linalg.solve(factor, kernel(at, x))
    return half.T @ np.linalg.solve(factor, y), np.sqrt(np.maximum(1 - (half**2).sum(axis=0), 0))


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

    The net was trained with the p that it predicts with. For the points of PRESETS (those that it opens with,
    others with a gap, the first lifted) nets are stored over a grid of p (mc_regression_bank.py); for
    other points or another p Python trains one (1,000 Adam steps, about half a second). The passes are drawn
    in the browser. One pass has one mask for the whole x axis, so that each pass is a function: what one
    thinned net believes. Beside it stands an exact band: a Gaussian process given the same points.

    Parameters
    ----------
    p : float in [0, 1]
        Drop probability on both hidden layers, in training and at prediction.
    passes : int in [1, 100]
        T, the number of passes.
    show : "all" or "one"
        All T passes with mean and band of 2 standard deviations, or the T-th pass alone.
    seed : int
        Seed of the masks.
    points : list of [x, y]
        2 to 60 points, x in [-4, 4], y in [-3, 3].
    """

    _esm = bundle("mc_regression")
    settings = ("p", "passes", "show", "seed", "points")

    p = Probability(0.1).tag(sync=True)
    passes = WholeNumber(50, 1, MOST_PASSES).tag(sync=True)
    show = Choice("all", "one").tag(sync=True)
    seed = WholeNumber(0).tag(sync=True)
    points = traitlets.Any().tag(sync=True)
    grid_p = traitlets.List(list(BANK_P)).tag(sync=True)
    presets = traitlets.Dict(PRESETS).tag(sync=True)
    # The stored nets, float16: for each preset one for each p of the grid.
    stored = traitlets.Bytes().tag(sync=True)
    # The nets that Python trained, float32: the points that they belong to, and the p of each.
    weights = traitlets.Bytes().tag(sync=True)
    weights_p = traitlets.List().tag(sync=True)
    weights_points = traitlets.List().tag(sync=True)

    def __init__(self, **state):
        self._lock = threading.RLock()
        self._version, self._closed = 0, False
        self._thread = None
        # p -> flat weights, and the points that these nets were fitted to.
        self._nets, self._fitted = {}, None
        super().__init__(**state)
        self.observe(lambda change: self._train_again(), ["points", "p"])

    def prepare(self):
        self.stored = load_bank("regression")["weights"].tobytes()
        self._nets, self._fitted = stored_nets(self.points), self.points
        if self.p not in self._nets:
            self._nets[self.p] = flatten(train(self.points, self.p))
        self._publish()

    def ask(self):
        numbers = self.numbers()
        inside, outside = numbers["std_inside"], numbers["std_outside"]
        words = ("among the points", "the same everywhere", "far from the points")
        return (
            "Predict first: where will the passes disagree most, among the points or far from them?",
            guess.choice(*words),
            words[1 + int(np.sign(round(outside - inside, 3)))],
            f"Standard deviation of {self.passes} passes: {inside:.2f} at x = {INSIDE:.0f}, {outside:.2f} at "
            f"x = {OUTSIDE}.",
        )

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
        """Return when there is a net for the points and the p on show."""
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
        if self.p not in self._nets:
            raise RuntimeError(self.error)
        W1, b1, W2, b2, W3, b3 = _unpack(self._nets[self.p])
        scale = 1 / (1 - self.p) if self.p < 1 else 0.0
        factors = self.masks() * scale
        h1 = np.maximum(np.asarray(x, dtype=np.float64)[:, None] @ W1 + b1, 0)
        h2 = np.maximum((h1 * factors[:, None, 0]) @ W2 + b2, 0)
        return ((h2 * factors[:, None, 1]) @ W3)[:, :, 0] + b3

    def numbers(self):
        """The state; at x = 0 and x = 3.5 mean and standard deviation of the passes, and the exact one."""
        answers = self.predict([INSIDE, OUTSIDE])
        # Rounded: where nothing is dropped the deviation is 0, not a rounding error of 1e-18.
        (mean_inside, mean_outside), (std_inside, std_outside) = (
            np.round(values, 9).tolist() for values in (answers.mean(axis=0), answers.std(axis=0))
        )
        exact_inside, exact_outside = gaussian_process(self.points, [INSIDE, OUTSIDE])[1].tolist()
        return {
            "p": self.p,
            "passes": self.passes,
            "points": len(self.points),
            "mean_inside": mean_inside,
            "std_inside": std_inside,
            "mean_outside": mean_outside,
            "std_outside": std_outside,
            "exact_std_inside": exact_inside,
            "exact_std_outside": exact_outside,
        }

    def draw(self, plotting):
        """Points, passes, mean and band as a static figure."""
        numbers = self.numbers()
        what = f"{self.passes} passes" if self.show == "all" else f"pass {self.passes}"
        fig, (ax, exact) = plotting.new_figure(
            f"{what} through a net fitted to {len(self.points)} points, p = {self.p:.2f}: standard deviation "
            f"{numbers['std_inside']:.2f} at x = 0 and {numbers['std_outside']:.2f} at x = 3.5; of a "
            f"Gaussian process {numbers['exact_std_inside']:.2f} and {numbers['exact_std_outside']:.2f}.",
            2,
            width=13,
        )
        x = np.linspace(*X_RANGE, 65)
        answers = self.predict(x)
        look = plotting.series_style

        def with_band(ax, mean, std, series):
            ax.fill_between(x, mean - 2 * std, mean + 2 * std, color=look(series)["color"], alpha=0.2)
            ax.plot(x, mean, linewidth=2.5, **look(series))

        if self.show == "all":
            ax.plot(x, answers[:SHOWN].T, color=look("pass")["color"], alpha=0.35, linewidth=1)
            with_band(ax, answers.mean(axis=0), answers.std(axis=0), "mean")
        else:
            ax.plot(x, answers[-1], linewidth=2.5, **look("one pass") | {"label": what})
        with_band(exact, *gaussian_process(self.points, x), "exact")
        for axis, title in ((ax, f"{what} at p = {self.p:.2f}"), (exact, "exact: a Gaussian process")):
            axis.plot(*np.transpose(self.points), **look("points"))
            axis.set(title=title, xlabel="x", ylabel="y", xlim=X_RANGE, ylim=Y_RANGE)
            axis.legend()
        return fig

    def _train_again(self):
        """See to a net for the present points and p. One thread trains; the latest request wins."""
        with self._lock:
            self._version += 1
            self.error = ""
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()

    def _work(self):
        while True:
            version = self._version  # read before the points: at worst the same points are trained twice
            points, p = self.points, self.p
            error = ""
            # Nets that are still of use: those on the slider's grid.
            nets = {q: net for q, net in self._nets.items() if q in BANK_P}
            if points != self._fitted:
                nets = stored_nets(points)
            if p not in nets:
                try:
                    params = train(points, p, stop=lambda v=version: self._closed or self._version != v)
                    if params is not None:
                        nets[p] = flatten(params)
                except Exception as failure:
                    error = f"The net could not be trained: {failure}"
            with self._lock:
                if self._closed or version == self._version:
                    if p in nets:
                        self._nets, self._fitted = nets, points
                        self._publish()
                    self.error = error
                    self._thread = None
                    return

    def _publish(self):
        """Give the browser the nets that it has not stored."""
        stored = stored_nets(self._fitted)
        trained = {p: net for p, net in self._nets.items() if p not in stored}
        with self.hold_sync():
            self.weights_p, self.weights_points = list(trained), self._fitted
            self.weights = np.array(list(trained.values()), dtype=np.float32).tobytes()


def stored_nets(points):
    """{p: flat weights} of the stored nets, if they belong to these points; else an empty dict."""
    bank = load_bank("regression")
    for preset, weights in zip(PRESETS.values(), bank["weights"], strict=True):
        if points == check_points(preset):
            return dict(zip(bank["p"].tolist(), weights, strict=True))
    return {}


def flatten(params):
    """W1, b1, W2, b2, W3, b3 one after another: float32 of shape (4417,)."""
    return np.concatenate([value.ravel() for pair in params for value in pair]).astype(np.float32)


def _unpack(flat):
    """W1, b1, W2, b2, W3, b3 as float64."""
    shapes = ((1, HIDDEN), (HIDDEN,), (HIDDEN, HIDDEN), (HIDDEN,), (HIDDEN, 1), (1,))
    parts = np.split(flat.astype(np.float64), np.cumsum([math.prod(shape) for shape in shapes])[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
