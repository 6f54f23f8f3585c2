"""Sliders. Each widget has a static picture and a line of text, for where no kernel runs."""

import base64
from numbers import Integral

import ipywidgets
import numpy as np

from utils import plotting
from utils.checks import check_positive_int, check_probability


class MaskSlider(ipywidgets.VBox):
    """Slide the drop probability and watch units vanish, one by one.

    One uniform number is drawn per unit, once; a unit is kept when its number is at least p. So the
    picture depends on p and the seed alone, and a unit that is gone at p stays gone at every larger p.

    Parameters
    ----------
    drop_prob : float in [0, 1]
        Where the slider starts.
    rows, columns : int
        Size of the layer.
    seed : int
        Seed of the first draw; the "New draw" button adds one to it.

    Raises
    ------
    ValueError
        An argument is out of range.
    """

    def __init__(self, drop_prob=0.5, rows=12, columns=16, seed=0):
        drop_prob = check_probability("drop_prob", drop_prob)
        self._shape = check_positive_int("rows", rows), check_positive_int("columns", columns)
        if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
            raise ValueError(f"seed must be a whole number >= 0, got {seed!r}")
        self._seed = int(seed)
        self.slider = ipywidgets.FloatSlider(
            value=drop_prob,
            min=0,
            max=1,
            step=0.01,
            description="drop probability p",
            style={"description_width": "initial"},
            layout={"width": "480px"},
            tooltip="Drop probability p: the arrow keys move it by 0.01",
        )
        self.button = ipywidgets.Button(
            description="New draw", tooltip="Draw a new random number for every unit"
        )
        self.image = ipywidgets.Image(format="png", width=640)
        # The picture in words: an ipywidgets.Image has no alternative text of its own.
        self.text = ipywidgets.Label()
        super().__init__([ipywidgets.HBox([self.slider, self.button]), self.image, self.text])
        self._draw_numbers()
        self._show()
        self.slider.observe(lambda change: self._show(), "value")
        self.button.on_click(lambda button: self._redraw())

    def mask(self):
        """The keep-mask on show: bool array of shape (rows, columns)."""
        return self._numbers >= np.float32(self.slider.value)

    def stats(self):
        """The numbers on show, as a dict: drop_prob, kept, total."""
        keep = self.mask()
        return {
            "drop_prob": round(self.slider.value, 2),
            "kept": int(keep.sum()),
            "total": keep.size,
        }

    def figure(self):
        """The picture on show, as a static figure."""
        return plotting.mask_figure(self.mask(), self.slider.value)

    def _draw_numbers(self):
        rng = np.random.default_rng(self._seed)
        self._numbers = rng.random(self._shape, dtype=np.float32)

    def _redraw(self):
        self._seed += 1
        self._draw_numbers()
        self._show()

    def _show(self):
        self.image.value = self.figure().png()
        self.text.value = self._sentence()

    def _sentence(self):
        stats = self.stats()
        return f"p = {stats['drop_prob']:.2f}: {stats['kept']} of {stats['total']} units kept"

    def __repr__(self):
        return f"[slider] {self._sentence()}"

    def _repr_mimebundle_(self, **kwargs):
        data = super()._repr_mimebundle_(**kwargs) or {}
        data["text/plain"] = repr(self)
        data["image/png"] = base64.b64encode(self.image.value).decode()
        return data
