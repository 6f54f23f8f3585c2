"""One function a picture: data in, matplotlib Figure out. Every figure says what it shows in words.

A Figure of this module reaches the notebook as a PNG and as one sentence of text, `[figure] ...`,
which is what a screen reader reads and what the notebook tests compare.
"""

import base64
import io
import itertools
import json
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.text import Text

from utils.arguments import check_positive_int, check_probability

# What the widgets draw has one style in Python and in the browser: both read this file.
STYLES = json.loads((Path(__file__).resolve().parent / "series.json").read_text(encoding="utf-8"))
# Okabe & Ito's colour-blind-safe palette, in the order in which the course uses it.
COLOURS = tuple(STYLES["colours"][name]["light"] for name in ("blue", "orange", "green", "pink", "ink"))
BLUE, ORANGE, GREEN, PINK, BLACK = COLOURS
MARKERS = ("o", "s", "^", "D", "v")
FONT_SIZE = 13
SMALLEST_FONT = 11


# The markers of series.json in matplotlib's letters; None is no marker.
MARKER_LETTERS = {
    "circle": "o",
    "square": "s",
    "triangle": "^",
    "diamond": "D",
    "cross": "x",
    "open square": "s",
    None: "",
}


def series_style(name):
    """Colour, line style, marker and label of a series of utils/series.json, as keywords of `Axes.plot`."""
    style = STYLES["series"][name]
    dash = style["dash"]
    return {
        "color": STYLES["colours"][style["colour"]]["light"],
        "linestyle": "none" if dash is None else (0, tuple(dash)) if dash else "-",
        "marker": MARKER_LETTERS[style["marker"]],
        "label": style["name"],
    }


class CourseFigure(Figure):
    """A matplotlib Figure with a sentence that says what it shows. Made by `new_figure`."""

    sentence = ""

    def __repr__(self):
        return f"[figure] {self.sentence}"

    def png(self):
        """The picture as PNG bytes, no text in it smaller than a classroom can read."""
        for ax in self.axes:
            ax.title.set_size(FONT_SIZE)  # set_title() goes back to matplotlib's own, smaller size
        for text in self.findobj(Text):
            text.set_size(max(text.get_size(), SMALLEST_FONT))
        buffer = io.BytesIO()
        self.savefig(buffer, format="png")
        return buffer.getvalue()

    def _repr_mimebundle_(self, include=None, exclude=None):
        data = {"text/plain": repr(self), "image/png": base64.b64encode(self.png()).decode()}
        return data, {"image/png": {"alt": self.sentence}}


def new_figure(sentence, num_columns=1, width=8.0, height=4.2):
    """A CourseFigure and its axes, side by side, readable from the last row of a classroom.

    Parameters
    ----------
    sentence : str
        What the picture shows, in one sentence; numbers in it rounded to what every run repeats. Under a
        prediction it names what is drawn, not what comes out: the code stands above the covered output.
    num_columns : int
        Number of axes.
    width, height : float
        In inches at 100 dots per inch.

    Returns
    -------
    (CourseFigure, Axes) for one column, else (CourseFigure, array of Axes)
    """
    num_columns = check_positive_int("num_columns", num_columns)
    if not sentence.strip():
        raise ValueError("sentence must say what the figure shows, got an empty string")
    fig = CourseFigure(figsize=(width, height), dpi=100, layout="constrained")
    FigureCanvasAgg(fig)
    fig.sentence = " ".join(sentence.split())
    axes = fig.subplots(1, num_columns, squeeze=False)[0]
    for ax in axes:
        ax.grid(alpha=0.3)
        ax.tick_params(labelsize=SMALLEST_FONT)
        ax.xaxis.label.set_size(FONT_SIZE)
        ax.yaxis.label.set_size(FONT_SIZE)
    return fig, axes[0] if num_columns == 1 else axes


def draw_band(ax, x, runs, label, style=0):
    """Draw the mean of several runs as a line with markers, and their range as a band.

    Parameters
    ----------
    ax : matplotlib Axes
    x : array of shape (points,)
    runs : array of shape (seeds, points), or (points,) for a single run
    label : str
    style : int or str
        Chooses colour, marker and line style together, so that none of them is needed alone: a number, or
        the name of a series of utils/series.json.

    Raises
    ------
    ValueError
        runs does not have one value per point of x.
    """
    x, runs = np.asarray(x), np.atleast_2d(runs)
    if runs.ndim != 2 or x.shape != runs.shape[1:]:
        raise ValueError(f"runs must have one value per point of x, got {runs.shape} for x {x.shape}")
    if isinstance(style, str):
        look = series_style(style)
    else:
        look = {
            "color": COLOURS[style % len(COLOURS)],
            "marker": MARKERS[style % len(MARKERS)],
            "linestyle": ("-", "--", "-.", ":")[style % 4],
        }
    ax.plot(x, runs.mean(axis=0), **(look | {"label": label}), markersize=6, linewidth=2.2)
    if len(runs) > 1:
        ax.fill_between(x, runs.min(axis=0), runs.max(axis=0), color=look["color"], alpha=0.18)


def curves_figure(x, series, *, title, xlabel, ylabel, sentence, styles=None):
    """Curves over a common x, one per entry of `series`: {label: array (points,) or (seeds, points)}.

    Lines are means over seeds; bands reach from the lowest to the highest seed. `styles` names a style of
    `draw_band` for each curve; by default they are numbered.
    """
    fig, ax = new_figure(sentence)
    for style, (label, runs) in zip(styles or range(len(series)), series.items(), strict=True):
        draw_band(ax, x, runs, label, style)
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
    ax.legend(fontsize=FONT_SIZE - 1)
    return fig


def images_figure(images, captions, *, title, sentence):
    """A row of grey images of shape (n, 28, 28), values in [0, 1], each with a caption below it."""
    if len(images) != len(captions):
        raise ValueError(f"each image needs a caption, got {len(images)} images and {len(captions)} captions")
    fig, axes = new_figure(sentence, len(images), width=max(8.0, 1.4 * len(images)), height=2.6)
    for ax, image, caption in zip(np.atleast_1d(axes), images, captions, strict=True):
        ax.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
        ax.grid(False)
        ax.set_xlabel(caption)
    fig.suptitle(title, fontsize=FONT_SIZE + 1)
    return fig


def mask_figure(keep, drop_prob):
    """A boolean keep-mask of shape (rows, columns): kept units filled, dropped units crossed out."""
    drop_prob = check_probability("drop_prob", drop_prob)
    keep = np.asarray(keep)
    if keep.dtype != bool or keep.ndim != 2 or keep.size == 0:
        raise ValueError(f"keep must be a bool array (rows, columns), got {keep.dtype} {keep.shape}")
    rows, columns = keep.shape
    kept = int(keep.sum())
    fig, ax = new_figure(
        f"A grid of {rows} x {columns} units at p = {drop_prob:.2f}: {kept} of {keep.size} are kept.",
        width=6.4,
        height=4.2,
    )
    draw_mask(ax, keep)
    ax.set(
        title=f"p = {drop_prob:.2f}: kept {kept} of {keep.size} ({kept / keep.size:.0%}, "
        f"expected {1 - drop_prob:.0%})",
    )
    fig.legend(fontsize=FONT_SIZE - 1, loc="outside right upper")
    return fig


def draw_mask(ax, keep):
    """Draw a boolean keep-mask of shape (rows, columns) on axes about 4.8 by 3.6 inches large."""
    rows, columns = keep.shape
    unit = 72 * min(4.8 / columns, 3.6 / rows)  # side of one unit's cell, in points
    y, x = np.nonzero(keep)
    look = series_style("kept")
    ax.scatter(x, y, s=(0.57 * unit) ** 2, marker=look["marker"], color=look["color"], label=look["label"])
    y, x = np.nonzero(~keep)
    look = series_style("dropped")
    ax.scatter(x, y, s=(0.39 * unit) ** 2, marker=look["marker"], color=look["color"], linewidths=2,
               label=look["label"])  # fmt: skip
    ax.set(xlim=(-0.7, columns - 0.3), ylim=(rows - 0.3, -0.7), xticks=[], yticks=[], aspect="equal")
    ax.grid(False)


def nets_figure(keeps, titles, *, sentence):
    """Small nets side by side: kept units as squares, dropped ones as crosses, and the lines that are left.

    `keeps` holds, for each net, one bool array (units,) a layer, inputs first; `titles` its title.
    """
    fig, axes = new_figure(sentence, len(keeps), width=4.0 * len(keeps), height=3.8)
    for ax, layers, title in zip(np.atleast_1d(axes), keeps, titles, strict=True):
        places = [[(i, j - len(layer) / 2) for j in range(len(layer))] for i, layer in enumerate(layers)]
        for i in range(len(layers) - 1):
            near = itertools.compress(places[i], layers[i])
            far = itertools.compress(places[i + 1], layers[i + 1])
            lines = list(itertools.product(near, far))
            ax.add_collection(LineCollection(lines, colors="0.6", linewidths=1, zorder=0))
        keep, units = np.concatenate(layers), np.concatenate(places)
        kept, dropped = series_style("kept"), series_style("dropped")
        ax.scatter(*units[keep].T, s=160, marker=kept["marker"], color=kept["color"])
        ax.scatter(*units[~keep].T, s=120, marker=dropped["marker"], color=dropped["color"], linewidths=2)
        ax.set(title=title, xlim=(-0.4, len(layers) - 0.6), xticks=[], yticks=[])
        ax.grid(False)
    return fig
