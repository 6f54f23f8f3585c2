"""The answer that an exercise notebook gives at once: right, or what was expected, what came, and why.

utils/exercises/chNN.py holds the checks of chapter NN. A check is a pure function: it takes what the
learner wrote, looks at how it behaves, and returns None or a Problem. It never compares source text.
"""

import importlib
import math
import textwrap
from collections import Counter
from collections.abc import Callable
from numbers import Real
from pathlib import Path
from typing import NamedTuple

EXERCISES_DIR = Path(__file__).resolve().parent / "exercises"


class Problem(NamedTuple):
    """What a check found: `expected` and `got` as short clauses, `why` as a sentence or two, if known."""

    expected: str
    got: str
    why: str = ""


class Exercise(NamedTuple):
    """One task: its check, (*answers) -> Problem or None, and a hint for the second try."""

    check: Callable
    hint: str


class Misconception(NamedTuple):
    """A wrong idea, and what an exercise says to it.

    belief : the wrong idea as a clause, as in the teacher's table
    exercise : the name of the exercise that meets it
    wrong : () -> tuple of answers that somebody with this idea would give
    why : the sentence that the check must then say, and that says why it is wrong
    """

    belief: str
    exercise: str
    wrong: Callable
    why: str


class Result(NamedTuple):
    """What came out: `passed`, and the `message` that was printed."""

    passed: bool
    message: str


class NotWritten(Exception):
    """The cell above still holds its stub."""


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
            problem = exercise.check(*map(written, answers))
        except (NotWritten, NotImplementedError):
            return Result(
                False, f"{name}: no answer yet. Write it in the cell above, run that cell, then this one."
            )
        except Exception as error:
            problem = Problem("code that runs", f"{type(error).__name__}: {error}")
        if problem is None:
            return Result(True, f"{name}: right.")
        self.tries[name] += 1
        return Result(False, describe(name, problem, exercise.hint if self.tries[name] > 1 else ""))


def describe(name, problem, hint=""):
    """The message for a wrong answer: one labelled paragraph for each thing there is to say."""
    parts = {**problem._asdict(), "hint": hint}
    lines = [f"{name}: not yet."]
    for label, text in parts.items():
        if text:
            lines += textwrap.wrap(
                text, 88, initial_indent=f"  {label + ':':<10}", subsequent_indent=" " * 12
            )
    return "\n".join(lines)


def written(value):
    """Return `value`; raise NotWritten if it is what a stub leaves behind (None or ...)."""
    if value is None or value is ...:
        raise NotWritten
    return value


def check_truths(answers, right, whys):
    """The Problem of the first wrong True or False: all three are dicts by situation, whys may lack some."""
    for situation, truth in right.items():
        answer = written(answers.get(situation))
        if answer is not truth:
            rule = f"True or False for {situation}, as a run shows it"
            return Problem(rule, f"{answer}", whys.get(situation, ""))
    return None


def is_close(value, expected, tolerance=0.01):
    """True if `value` is a real number within `tolerance` of `expected`."""
    return isinstance(value, Real) and math.isclose(value, expected, abs_tol=tolerance, rel_tol=0)


def chapters(directory=EXERCISES_DIR):
    """The numbers of the chapters that have exercises, in order: ["02", ...]."""
    return sorted(path.stem[2:] for path in directory.glob("ch[0-9][0-9].py"))


def load_chapter(number):
    """The module of a chapter's checks: EXERCISES (a dict) and MISCONCEPTIONS (a list)."""
    return importlib.import_module(f"utils.exercises.ch{number}")


def self_check(number):
    """The SelfCheck of chapter `number` ("02"), for the first cell of its exercise notebook."""
    return SelfCheck(load_chapter(number).EXERCISES)
