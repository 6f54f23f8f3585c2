"""Image Dropout: four kinds of noise on a real image, and how their mean comes back to it."""

import functools

import numpy as np
import traitlets

from utils.data import FASHION_CLASSES, read_npz, read_only
from utils.widgets import guess
from utils.widgets.base import Choice, CourseWidget, Probability, WholeNumber, bundle
from utils.widgets.core import keep_mask, normal, uniform

SIDE, MAPS, BLOCK, MOST_DRAWS = 28, 4, 4, 200
ASKED_P, ASKED_DRAWS = 0.5, 100
NOISES = {
    "pixel": "every pixel on its own",
    "channel": "whole feature maps",
    "block": f"squares of {BLOCK} x {BLOCK} pixels",
    "gaussian": "Gaussian noise N(1, p/q)",
}


@functools.cache
def ten_images():
    """The first Fashion-MNIST test image of each class: uint8 of shape (10, 28, 28)."""
    arrays = read_npz("fashion_mnist")
    firsts = [np.argmax(arrays["y_test"] == c) for c in range(10)]
    return read_only(arrays["x_test"][firsts])


def feature_maps(image):
    """Four maps of an image of shape (28, 28): itself, two edge strengths and its Laplacian / 2.

    Returns float64 of shape (4, 28, 28). Edges are absolute differences of the two neighbours, left and
    right or above and below; outside the image everything is 0.
    """
    x = np.pad(image, 1)
    left, right, up, down = x[1:-1, :-2], x[1:-1, 2:], x[:-2, 1:-1], x[2:, 1:-1]
    laplacian = left + right + up + down - 4 * image
    return np.stack([image, np.abs(right - left), np.abs(down - up), np.abs(laplacian) / 2])


def noise_numbers(noise, seed):
    """The random numbers behind 200 draws of one kind of noise: shape (200, cells).

    A cell is a pixel, or a feature map for "channel". For "block" a cell's number is the smallest of the
    16 squares that cover it, so that one square drops all its pixels.
    """
    if noise == "gaussian":
        return normal(seed, MOST_DRAWS * SIDE**2).reshape(MOST_DRAWS, -1)
    if noise == "block":
        corners = SIDE + BLOCK - 1
        squares = uniform(seed, MOST_DRAWS * corners**2).reshape(MOST_DRAWS, corners, corners)
        in_row = np.minimum.reduce([squares[:, :, k : k + SIDE] for k in range(BLOCK)])
        return np.minimum.reduce([in_row[:, k : k + SIDE] for k in range(BLOCK)]).reshape(MOST_DRAWS, -1)
    cells = MAPS if noise == "channel" else SIDE**2
    return uniform(seed, MOST_DRAWS * cells).reshape(MOST_DRAWS, cells)


def noise_factor(noise, numbers, p):
    """What each cell is multiplied by: float64 of the shape of `numbers`, mean 1 and variance p / q.

    At p = 1 everything is dropped, Gaussian noise included.
    """
    q = 1 - p
    if q == 0:
        return np.zeros(numbers.shape)
    if noise == "gaussian":
        return 1 + np.sqrt(p / q) * numbers
    # A pixel stays when all 16 squares over it stay; four square roots, because IEEE rounds those alike
    # in Python and in the browser.
    limit = 1 - np.sqrt(np.sqrt(np.sqrt(np.sqrt(q)))) if noise == "block" else p
    return keep_mask(numbers, limit) / q


def error_curve(x, factors):
    """RMS error of the mean of the first 1, 2, ... draws; x of shape (cells, values in a cell)."""
    off = np.cumsum(factors, axis=0) / np.arange(1, len(factors) + 1)[:, None] - 1
    return np.sqrt((off**2 @ (x**2).sum(axis=1)) / x.size)


class ImageDropout(CourseWidget):
    """Noise on a Fashion-MNIST test image: the image, one draw, and the mean of the first N draws.

    Every kind of noise has the same mean (1) and the same variance (p / q) per pixel; they differ in
    which pixels vanish together. "channel" drops whole maps out of four: the image, its vertical and
    horizontal edges, its Laplacian. "block" drops squares as DropBlock does (Ghiasi et al. 2018), with
    the rate of squares chosen such that every pixel is dropped with probability p exactly.

    Parameters
    ----------
    p : float in [0, 1]
        Drop probability.
    noise : "pixel", "channel", "block" or "gaussian"
    image : int in [0, 9]
        Class number of the image.
    draws : int in [1, 200]
        N, how many draws the mean takes in. The single draw on show is the N-th.
    seed : int
    """

    _esm = bundle("image_dropout")
    settings = ("p", "noise", "image", "draws", "seed")

    p = Probability(0.5).tag(sync=True)
    noise = Choice(*NOISES).tag(sync=True)
    image = WholeNumber(9, 0, 9).tag(sync=True)
    draws = WholeNumber(1, 1, MOST_DRAWS).tag(sync=True)
    seed = WholeNumber(0).tag(sync=True)
    images = traitlets.Bytes().tag(sync=True)
    class_names = traitlets.List(list(FASHION_CLASSES)).tag(sync=True)

    def prepare(self):
        # Grey levels 0..255 in one byte each: a quarter of float32, and stored pages carry them.
        self.images = ten_images().tobytes()

    def ask(self):
        if self.noise == "block":
            return self._ask_of_neighbours()
        x = np.atleast_2d(self.clean().T).T
        errors = error_curve(x, noise_factor(self.noise, noise_numbers(self.noise, self.seed), ASKED_P))
        one, many = errors[0], errors[ASKED_DRAWS - 1]
        words = {"no closer": 1, "10 times closer": 10, "100 times closer": 100}
        return (
            f"Predict first: at p = {ASKED_P} half of what one draw shows is missing. How much closer to the "
            f"image is the mean of {ASKED_DRAWS} draws?",
            guess.choice(*words),
            min(words, key=lambda word: abs(np.log(one / many / words[word]))),
            f"RMS error of one draw {one:.3f}, of the mean of {ASKED_DRAWS} {many:.4f}: it falls as 1/√N.",
        )

    def _ask_of_neighbours(self):
        block, pixel = (round(100 * alone(noise, self.seed)) for noise in ("block", "pixel"))
        return (
            f"Predict first: squares of {BLOCK} x {BLOCK} pixels vanish, each pixel with p = {ASKED_P}. How "
            "many of the pixels that vanish have no pixel left beside them, not even at a corner?",
            guess.number(0, 100, unit="%"),
            block,
            f"In {ASKED_DRAWS} draws, that is. Of pixels that vanish one by one, {pixel} % have none beside "
            "them.",
        )

    def clean(self):
        """What the noise acts on, values from 0: shape (784,), or (4, 784) for "channel"."""
        image = ten_images()[self.image] / 255
        return feature_maps(image).reshape(MAPS, -1) if self.noise == "channel" else image.ravel()

    def factors(self):
        """The factors of the first N draws: shape (N, 784), or (N, 4) for "channel"."""
        return noise_factor(self.noise, noise_numbers(self.noise, self.seed)[: self.draws], self.p)

    def pictures(self):
        """(original, the N-th draw, mean of N draws), each of the shape of `clean()`."""
        x, factors = self.clean(), self.factors()
        if self.noise == "channel":
            factors = factors[:, :, None]
        return x, x * factors[-1], x * factors.mean(axis=0)

    def numbers(self):
        """The state, and the RMS error of the mean of N draws: as measured, and sqrt(p/q/N) rms(x)."""
        x, _, mean = self.pictures()
        return {
            "p": self.p,
            "noise": self.noise,
            "image": FASHION_CLASSES[self.image],
            "draws": self.draws,
            "rms_error": _rms(mean - x),
            "theory": rms_theory(self.p, self.draws, _rms(x)),
        }

    def draw(self, plotting):
        """The three pictures and the error over the number of draws, as a static figure."""
        numbers, pictures = self.numbers(), self.pictures()
        fig, axes = plotting.new_figure(
            f"{numbers['image']} under {self.noise} noise at p = {self.p:.2f}: the image, draw {self.draws}, "
            f"and the mean of {self.draws} draws, whose RMS error is {numbers['rms_error']:.2f}.",
            4,
            width=14,
            height=3.9,
        )
        titles = ("original", f"draw {self.draws}", f"mean of {self.draws}")
        for ax, picture, title in zip(axes, pictures, titles, strict=False):
            ax.imshow(_tile(picture), cmap="gray", vmin=0, vmax=1)
            ax.set(title=title, xticks=[], yticks=[])
            ax.grid(False)
        ax, counts = axes[3], np.arange(1, MOST_DRAWS + 1)
        ax.loglog(counts, np.maximum(self.error_curve(), 1e-4), **plotting.series_style("measured"))
        theory = [max(rms_theory(self.p, n, _rms(pictures[0])), 1e-4) for n in counts]
        ax.loglog(counts, theory, **plotting.series_style("theory"))
        ax.axvline(self.draws, color=plotting.BLACK, linestyle=":")
        ax.set(title="RMS error of the mean", xlabel="N draws", ylabel="RMS error", ylim=(0.002, 4))
        ax.legend()
        return fig

    def error_curve(self):
        """RMS error of the mean of the first 1, 2, ... 200 draws: shape (200,)."""
        x = np.atleast_2d(self.clean().T).T  # (cells, values in the cell)
        return error_curve(x, noise_factor(self.noise, noise_numbers(self.noise, self.seed), self.p))


def alone(noise, seed):
    """The share of dropped pixels whose eight neighbours are dropped or outside, in 100 draws at p = 0.5."""
    draws = noise_factor(noise, noise_numbers(noise, seed)[:ASKED_DRAWS], ASKED_P)
    gone = draws.reshape(-1, SIDE, SIDE) == 0
    kept = np.pad(~gone, ((0, 0), (1, 1), (1, 1)))
    beside = sum(kept[:, i : i + SIDE, j : j + SIDE] for i in range(3) for j in range(3))
    return float((beside[gone] == 0).mean())


def rms_theory(p, draws, rms):
    """RMS error to expect of the mean of `draws` draws; at p = 1 nothing is left and it stays at rms."""
    return float(rms * np.sqrt(p / (1 - p) / draws)) if p < 1 else float(rms)


def _rms(x):
    return float(np.sqrt((x**2).mean()))


def _tile(picture):
    """(784,) -> (28, 28); four maps (4, 784) -> (56, 56), two by two."""
    if picture.ndim == 1:
        return picture.reshape(SIDE, SIDE)
    return picture.reshape(2, 2, SIDE, SIDE).swapaxes(1, 2).reshape(2 * SIDE, 2 * SIDE)
