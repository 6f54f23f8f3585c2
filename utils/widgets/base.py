"""What every browser-drawn widget shares: its state, a guess before the picture, a poster, numbers to assert.

How a widget is made:
1. `my_widget.py` holds a subclass of `CourseWidget`. Its `settings` name its state: synced traits, made with
   `Probability`, `WholeNumber`, `Choice` or traitlets; the constructor takes them by name.
2. `ask()` gives the question, the kind of guess (guess.py) and, from the numbers, the true answer and one
   sentence why. The browser covers the picture until the learner has guessed or wants to be shown.
3. `prepare()` sets what the browser needs besides the state (arrays as bytes); stored results lie in data/,
   the code that measured them in `my_widget_bank.py` beside the widget.
4. `numbers()` are the numbers on show, `draw(plotting)` is the picture as a static utils.plotting figure, in
   the styles of utils/series.json.
5. `js/my_widget.js` draws the same in the browser: the head of js/ui.js says how. Pure functions are
   exported, and a test compares them with Python's. It is named in js/page.js; `python3 course.py bundle`.
6. `_esm = bundle("my_widget")`, a line in `__init__.py`. The tests of all widgets find it there.
"""

import base64
import functools
import html
import uuid
from pathlib import Path

import anywidget
import numpy as np
import traitlets

from utils.arguments import check_probability
from utils.data import DATA_DIR, read_only
from utils.widgets import guess as guesses

HERE = Path(__file__).resolve().parent
BUNDLES = HERE / "bundles"
CSS = HERE / "js" / "widgets.css"
# Under this name the metadata of a stored output keep a widget's state, so that a page can bring it to life.
STATIC_STATE = "application/vnd.dropout-course.widget+json"


@functools.cache
def load_bank(name):
    """The arrays of data/bank_NAME.npz, as a dict. `python3 course.py banks NAME` measures them again."""
    with np.load(DATA_DIR / f"bank_{name}.npz", allow_pickle=False) as archive:
        return read_only(dict(archive))


@functools.cache
def bundle(name):
    """The JavaScript of one view as one module, as `python3 course.py bundle` made it of js/NAME.js."""
    return (BUNDLES / f"{name}.js").read_text(encoding="utf-8")


class CourseWidget(anywidget.AnyWidget):
    """Base of the widgets that draw in the browser.

    A subclass sets `_esm` and `settings` and defines `ask()`, `numbers()` and `draw()`; see above.

    Parameters
    ----------
    covered : bool
        Whether the learner guesses before the picture is shown; a teacher may open a widget with False.
    **state
        The settings of the subclass.
    """

    # False for a widget that its view can drive alone, without Python.
    needs_kernel = False

    _css = CSS.read_text(encoding="utf-8")
    settings = ()

    state_keys = traitlets.List(traitlets.Unicode()).tag(sync=True)
    python_name = traitlets.Unicode().tag(sync=True)
    asks_kernel = traitlets.Bool().tag(sync=True)
    error = traitlets.Unicode("").tag(sync=True)
    # The question, what may be answered (guess.py), the learner's answer, the true one, and why.
    question = traitlets.Unicode().tag(sync=True)
    takes = traitlets.Dict().tag(sync=True)
    guess = traitlets.Any(None, allow_none=True).tag(sync=True)
    truth = traitlets.Any(None, allow_none=True).tag(sync=True)
    because = traitlets.Unicode().tag(sync=True)
    covered = traitlets.Bool(True).tag(sync=True)
    # What Reset goes back to.
    opening = traitlets.Dict().tag(sync=True)
    # The name of this model for the browser: by it a view finds out whether its kernel is there.
    _own_id = traitlets.Unicode().tag(sync=True)

    _refused = ""  # the sentence about the browser's last message, if it was refused

    def __init__(self, covered=True, **state):
        unknown = sorted(set(state) - set(self.settings))
        if unknown:
            raise TypeError(
                f"{type(self).__name__} takes {', '.join(self.settings)}, covered, got {', '.join(unknown)}"
            )
        own_id = uuid.uuid4().hex
        try:
            super().__init__(
                state_keys=list(self.settings), python_name=type(self).__name__, covered=covered,
                asks_kernel=self.needs_kernel, model_id=own_id, _own_id=own_id, **state,
            )  # fmt: skip
        except traitlets.TraitError as error:
            raise ValueError(str(error)) from None
        self.prepare()
        self.answer()
        self.opening = {**self.state(), "covered": covered}

    @traitlets.validate("guess")
    def _check_guess(self, proposal):
        try:
            return guesses.check(self.takes, proposal["value"])
        except ValueError as error:
            raise traitlets.TraitError(str(error)) from None

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

    def prepare(self):
        """Set the traits that the browser needs besides the state. Called once, when the state is set."""

    def ask(self):
        """What is asked about the widget as it opens: (question, takes, truth, because).

        `takes` describes the guess (guess.py); `truth` is what a right guess would be, or None where it is
        not known yet; `because` is one sentence with the numbers behind it.
        """
        raise NotImplementedError

    def answer(self):
        """Ask again: for a widget whose true answer is known later than the question."""
        self.question, self.takes, self.truth, self.because = self.ask()

    def state(self):
        """The state as a dict: what the constructor takes."""
        return {key: getattr(self, key) for key in self.settings}

    def code(self):
        """One line of Python that makes the widget as it stands."""
        state = {**self.state(), **({} if self.covered else {"covered": False})}
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in state.items())})"

    def numbers(self):
        """The numbers on show, as a dict."""
        raise NotImplementedError

    def stats(self):
        """The numbers on show, the learner's guess (None before it is made) and the true answer."""
        return {**self.numbers(), "guess": self.guess, "truth": self.truth}

    def figure(self):
        """The picture on show, as a static utils.plotting figure."""
        from utils import plotting  # here, because matplotlib takes longer to import than all the rest

        return self.draw(plotting)

    def draw(self, plotting):
        """The picture on show, drawn with the module utils.plotting."""
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

    def words(self):
        """The numbers on show in one line."""
        return ", ".join(f"{key} {_short(value)}" for key, value in self.numbers().items())

    def __repr__(self):
        if self.covered:
            return f"[slider] {type(self).__name__}, covered until you guess: {self.question}"
        return f"[slider] {type(self).__name__}: {self.words()}"

    def _repr_mimebundle_(self, **kwargs):
        """anywidget's live view, and what is shown where it cannot live.

        Covered, that is the question: a stored notebook must not give away what its widget still hides. Then
        no picture is drawn either, so that nothing waits for matplotlib. Uncovered, it is the poster.
        """
        data, metadata = super()._repr_mimebundle_(**kwargs)
        data["text/plain"] = repr(self)
        # Metadata, because tests that compare stored outputs leave it alone: it holds numbers of frameworks,
        # which differ between processors.
        metadata = {**metadata, STATIC_STATE: self.static_state()}
        if self.covered:
            data["text/html"] = (
                f"<p><em>{html.escape(self.question)}</em></p>"
                "<p>The picture comes after your guess: run this cell.</p>"
            )
            return data, metadata
        figure = self.figure()
        data["image/png"] = base64.b64encode(figure.png()).decode()
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


class Forced(traitlets.Dict):
    """A synced dict {"number": 0 or 1} for some of `total` units, refused with the course's one sentence."""

    def __init__(self, total):
        super().__init__()
        self.total = total

    def validate(self, obj, value):
        for unit, keep in super().validate(obj, value).items():
            if not str(unit).isdigit() or int(unit) >= self.total or keep not in (0, 1):
                raise traitlets.TraitError(
                    f"{self.name} must map numbers 0..{self.total - 1} to 0 or 1, got {{{unit!r}: {keep!r}}}"
                )
        return {str(unit): int(keep) for unit, keep in value.items()}
