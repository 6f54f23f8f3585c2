"""The answer that an exercise notebook gives at once: right, or what was expected, what came, and why.

chNN.py beside this file holds the checks of chapter NN. A check is a function: it takes what the learner
wrote, looks at how it behaves, and raises the first Problem that it finds, most often through a function of
expect.py. It never compares source text, and it judges the value of an answer, not its wrapping, which is
taken off before (see `plain`).
"""

import importlib
import textwrap
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from numbers import Real
from pathlib import Path
from typing import NamedTuple

import numpy as np

HERE = Path(__file__).resolve().parent


class Problem(Exception):
    """What a check found: `expected` and `got` as short clauses, `why` as the Belief behind it, if known."""

    def __init__(self, expected, got, why=None):
        super().__init__(expected, got, why)
        self.expected, self.got, self.why = expected, got, why


class NotWritten(Exception):
    """The cell above still holds its stub."""


class Exercise(NamedTuple):
    """One task: its check, a function (*answers) that raises a Problem, and a hint for the second try."""

    check: Callable
    hint: str


class Result(NamedTuple):
    """What came out: `passed`, and the `message` that was printed."""

    passed: bool
    message: str


class SelfCheck:
    """check(name, *answers) runs an exercise's check, prints what came out and returns a Result.

    Parameters
    ----------
    exercises : dict of str to Exercise

    Notes
    -----
    Nothing is raised, so that Run All goes on. The hint appears from the second wrong try on; a stub is
    not a try.
    """

    def __init__(self, exercises):
        self.exercises = exercises
        self.tries = Counter()

    def __call__(self, name, *answers):
        result = self.look(name, answers)
        print(result.message + "\n", end="")  # one write, so that it arrives as one output
        return result

    def look(self, name, answers):
        """The Result without printing it."""
        if name not in self.exercises:
            raise ValueError(f"there is no exercise {name!r} here: use one of {', '.join(self.exercises)}")
        exercise = self.exercises[name]
        try:
            problem = find_problem(exercise, answers)
        except (NotWritten, NotImplementedError):
            return Result(
                False, f"{name}: no answer yet. Write it in the cell above, run that cell, then this one."
            )
        if problem is None:
            return Result(True, f"{name}: right.")
        self.tries[name] += 1
        return Result(False, describe(name, problem, exercise.hint if self.tries[name] > 1 else ""))


def find_problem(exercise, answers):
    """The Problem with these answers, or None. A stub raises NotWritten or NotImplementedError."""
    try:
        exercise.check(*map(unwrapped, answers))
    except Problem as problem:
        return problem
    except (NotWritten, NotImplementedError):
        raise
    except Exception as error:
        return Problem("code that runs", f"{type(error).__name__}: {error}")
    return None


def describe(name, problem, hint=""):
    """The message for a wrong answer: one labelled paragraph for each thing there is to say."""
    why = problem.why.why if problem.why else ""
    lines = [f"{name}: not yet."]
    for label, text in {"expected": problem.expected, "got": problem.got, "why": why, "hint": hint}.items():
        if text:
            lines += textwrap.wrap(
                text, 88, initial_indent=f"  {label + ':':<10}", subsequent_indent=" " * 12
            )
    return "\n".join(lines)


# --- the value of an answer ---


def unwrapped(answer):
    """`answer` as a check gets it: a plain value, or a function that returns plain values."""
    if callable(answer):
        return lambda *args, **kwargs: plain(written(answer(*args, **kwargs)))
    return plain(written(answer))


def written(value):
    """Return `value`; raise NotWritten if it is what a stub leaves behind (None or ...)."""
    if value is None or value is ...:
        raise NotWritten
    return value


def plain(value):
    """`value` without its wrapping: a scalar of any library as Python's, a list as a tuple, all through.

    Arrays stay what they are, for checks that ask for a gradient or a dtype; `array` makes them NumPy's.
    """
    if isinstance(value, (list, tuple)):
        return tuple(map(plain, value))
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if hasattr(value, "asnumpy"):
        return array(value).item() if value.shape == (1,) else value  # MXNet's scalars have one axis
    if hasattr(value, "__array__") and len(value.shape) == 0:
        return array(value).item()
    return float(value) if isinstance(value, (Fraction, Decimal)) else value


def array(value, dtype=None):
    """`value` as a NumPy array: an array of NumPy, PyTorch, TensorFlow or MXNet, or nested sequences.

    dtype is for what has none of its own.
    """
    if isinstance(value, (list, tuple)):
        return np.asarray([array(item) for item in value], dtype)
    dtype = None if hasattr(value, "dtype") else dtype
    if hasattr(value, "asnumpy"):  # MXNet
        value = value.asnumpy()
    elif hasattr(value, "detach"):  # PyTorch
        value = value.detach().cpu()
    return np.asarray(value, dtype)


def is_number(value):
    """True if `value` is a real number. True and 1 are two answers: a bool is no number."""
    return isinstance(value, Real) and not isinstance(value, bool)


def is_close(value, expected, tolerance=0.01):
    """True if `value` holds numbers in the shape of `expected`, each within `tolerance` of it."""
    try:
        found = array(value)
    except ValueError:  # rows of different lengths
        return False
    close = found.dtype.kind in "iuf" and found.shape == np.shape(expected)
    return close and np.allclose(found, expected, rtol=0, atol=tolerance)


# --- the chapters ---


def chapters(kind="ch", directory=HERE):
    """The numbers of the chapters that have exercises ("ch"), or cells of a learner's own ("turns")."""
    return sorted(path.stem[len(kind) :] for path in directory.glob(f"{kind}[0-9][0-9].py"))


def load_chapter(number, kind="ch"):
    """The module of a chapter's checks: of its exercises ("ch"), or of its own cells ("turns")."""
    return importlib.import_module(f"utils.exercises.{kind}{number}")


def exercises(number, kind="ch"):
    """Dict of str to Exercise: for each name in the chapter's HINTS its function check_NAME, and the hint."""
    module = load_chapter(number, kind)
    return {name: Exercise(getattr(module, f"check_{name}"), hint) for name, hint in module.HINTS.items()}


def self_check(number):
    """The SelfCheck of chapter `number` ("02"), for the first cell of its exercise notebook."""
    return SelfCheck(exercises(number))


def your_turn(number):
    """The SelfCheck of the cells that a learner writes inside chapter `number`: turnsNN.py here."""
    return SelfCheck(exercises(number, "turns"))
