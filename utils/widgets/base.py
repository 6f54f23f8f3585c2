"""What every browser-drawn widget shares: one state, a poster, a sentence, and numbers to assert on."""

import base64
import re
from pathlib import Path

import anywidget
import numpy as np
import traitlets

from utils.arguments import check_probability

JS_DIR = Path(__file__).resolve().parent / "js"
# What a stored notebook keeps of a browser-drawn widget, so that an HTML page can bring it to life.
STATIC_MIME = "application/vnd.dropout-course.widget+json"


def view(name):
    """The JavaScript of one view: core.js, ui.js and the view in one module, as anywidget wants it."""
    files = [(JS_DIR / f"{part}.js").read_text(encoding="utf-8") for part in ("core", "ui", name)]
    return "\n".join(re.sub(r'^import .* from "\./.*";\n', "", text, flags=re.M) for text in files)


class CourseWidget(anywidget.AnyWidget):
    """Base of the widgets that draw in the browser.

    A subclass sets `_esm = view("its_file")`, `asks` (the question to predict first) and `settings` (its
    state, as names of synced traits), and defines `stats()` and `figure()`.
    """

    # False for a widget that its view can drive alone, without Python.
    needs_kernel = False

    _css = (JS_DIR / "widgets.css").read_text(encoding="utf-8")
    settings = ()
    asks = ""

    state_keys = traitlets.List(traitlets.Unicode()).tag(sync=True)
    python_name = traitlets.Unicode().tag(sync=True)
    question = traitlets.Unicode().tag(sync=True)
    error = traitlets.Unicode("").tag(sync=True)

    _refused = ""  # the sentence about the browser's last message, if it was refused

    def __init__(self, **state):
        unknown = sorted(set(state) - set(self.settings))
        if unknown:
            raise TypeError(
                f"{type(self).__name__} takes {', '.join(self.settings)}, got {', '.join(unknown)}"
            )
        try:
            super().__init__(
                state_keys=list(self.settings), python_name=type(self).__name__, question=self.asks, **state
            )
        except traitlets.TraitError as error:
            raise ValueError(str(error)) from None

    def set_state(self, sync_data):
        """Take what the browser sends. What a trait refuses is answered inside the widget."""
        refused = ""
        try:
            super().set_state(sync_data)
        except traitlets.TraitError as error:
            refused = str(error)
            # The browser shows what it sent: give it back what still holds.
            self.send_state([name for name in sync_data if name in self.keys])
        if refused or self.error == self._refused:
            self.error = refused
        self._refused = refused

    def state(self):
        """The state as a dict: what the constructor takes."""
        return {key: getattr(self, key) for key in self.settings}

    def code(self):
        """One line of Python that makes the widget as it stands."""
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.state().items())})"

    def stats(self):
        """The numbers on show, as a dict."""
        raise NotImplementedError

    def figure(self):
        """The picture on show, as a static utils.plotting figure."""
        raise NotImplementedError

    def poster(self):
        """The picture on show as PNG bytes, for pages without a kernel."""
        return self.figure().png()

    def static_state(self):
        """All synced traits of the course's own, JSON-able: bytes become {"base64": ...}."""
        names = [name for name in self.traits(sync=True) if name not in anywidget.AnyWidget.class_traits()]
        values = {name: getattr(self, name) for name in names if not name.startswith("_")}
        return {
            "view": type(self).__module__.rsplit(".", 1)[-1],
            "state": {
                name: {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value
                for name, value in values.items()
            },
        }

    def __repr__(self):
        numbers = ", ".join(f"{key} {_short(value)}" for key, value in self.stats().items())
        return f"[slider] {type(self).__name__}: {numbers}"

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        figure = self.figure()
        data["text/plain"] = repr(self)
        data["image/png"] = base64.b64encode(figure.png()).decode()
        if not self.needs_kernel:
            data[STATIC_MIME] = self.static_state()
        return data, {**metadata, "image/png": {"alt": figure.sentence}}


def _short(value):
    if isinstance(value, float | np.floating):
        return f"{value:.3g}"
    return str(value)


class Probability(traitlets.Float):
    """A synced trait in [0, 1], refused with the course's one sentence."""

    def validate(self, obj, value):
        try:
            return check_probability(self.name, value)
        except ValueError as error:
            raise traitlets.TraitError(str(error)) from None


class WholeNumber(traitlets.Int):
    """A synced whole number in [low, high], refused with the course's one sentence."""

    def __init__(self, default, low=0, high=2**31 - 1):
        super().__init__(default)
        self.low, self.high = low, high

    def validate(self, obj, value):
        if (
            isinstance(value, bool)
            or not isinstance(value, int | np.integer)
            or not self.low <= value <= self.high
        ):
            raise traitlets.TraitError(
                f"{self.name} must be a whole number in [{self.low}, {self.high}], got {value!r}"
            )
        return int(value)


class Choice(traitlets.Unicode):
    """A synced string out of a few, refused with the course's one sentence."""

    def __init__(self, *options):
        super().__init__(options[0])
        self.options = options

    def validate(self, obj, value):
        if value not in self.options:
            raise traitlets.TraitError(f"{self.name} must be one of {', '.join(self.options)}, got {value!r}")
        return value
