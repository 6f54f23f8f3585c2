"""What a comparison is worth: paired differences with intervals, verdicts, stored results, timing.

A comparison in this course is paired: two runs of one seed share the training sample, the first weights and
the order of the batches, and only the thing compared differs. What is reported is the mean of the differences
and its 95 % t interval, beside a difference that would matter to a user. The verdict follows from the
interval.
"""

import itertools
import json
import math
import os
import time
from typing import NamedTuple

import numpy as np

from utils.arguments import check_positive, check_positive_int
from utils.data import DATA_DIR, DataFileError, written_whole

# --- how sure: differences and verdicts ---

# Differences that matter to a user, unless a chapter argues for another.
MATTERS = {"accuracy": 0.005, "nll": 0.01, "ece": 0.005}
# What a claim allows the difference to be, as an open interval.
MORE, LESS = (0, math.inf), (-math.inf, 0)


class Difference(NamedTuple):
    """The mean of n paired differences, and its 95 % t interval from `low` to `high`."""

    mean: float
    low: float
    high: float
    n: int

    def __str__(self):
        return f"{self.mean:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


def difference(new, old=0.0):
    """How much larger `new` is than `old`, run by run.

    Parameters
    ----------
    new, old : sequences of n >= 2 finite numbers, one for each seed, in the same order
        `old` may be one number.

    Returns
    -------
    Difference, with Student's t for n - 1 degrees of freedom

    Raises
    ------
    ValueError
        There are fewer than two pairs, the lengths differ, or a number is not finite.
    """
    from scipy import stats  # half a second to import: only when needed

    new, old = np.asarray(new, np.float64), np.asarray(old, np.float64)
    if new.ndim != 1 or len(new) < 2 or old.shape not in ((), new.shape):
        raise ValueError(f"new and old must hold n >= 2 numbers each, got shapes {new.shape} and {old.shape}")
    values = new - old
    if not np.isfinite(values).all():
        raise ValueError(f"new and old must be finite, got differences {values}")
    mean = float(values.mean())
    half = float(stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values)))
    return Difference(mean, mean - half, mean + half, len(values))


def verdict(found, matters, claimed=MORE):
    """The word for a claim about a difference: "holds", "does not hold" or "cannot tell".

    Parameters
    ----------
    found : Difference
    matters : float > 0
        The smallest difference that a user would care about.
    claimed : (low, high)
        The values that the claim allows: MORE, LESS, (0.02, inf) for "by two points or more",
        (-matters, matters) for "the same".

    A claim of a difference "does not hold" where the whole interval lies between -matters and matters, even
    if it excludes 0: then there is nothing that a user would notice.
    """
    matters = check_positive("matters", matters)
    same = claimed[0] < 0 < claimed[1]
    if not same and -matters < found.low and found.high < matters:
        return "does not hold"
    if claimed[0] <= found.low and found.high <= claimed[1]:
        return "holds"
    if found.high <= claimed[0] or found.low >= claimed[1]:
        return "does not hold"
    return "cannot tell"


def judge(found, matters, claimed=MORE):
    """(verdict, text) for a row of verdicts; where it cannot tell, the text says how many pairs would.

    An interval about the same mean would tell as soon as it left the limits of the claim alone, and one about
    any mean, where the limit is 0, as soon as it were no wider than `matters`.
    """
    word = verdict(found, matters, claimed)
    text = f"{found}, {found.n} pairs; {matters:g} would matter"
    if word == "cannot tell":
        room = min(abs(found.mean - limit) for limit in claimed if math.isfinite(limit))
        half = max(room, matters / (2 if 0 in claimed else 100))
        text += f"; about {runs_needed(found, half)} pairs would tell"
    return word, text


def judge_all(found, matters, claimed=MORE):
    """(verdict, text) for a claim that is made for several conditions at once.

    Parameters
    ----------
    found : dict of str to Difference
        The conditions by name, such as "end of training" and "early-stopped".
    matters, claimed
        As in `verdict`.

    It "depends" if two conditions have opposite signs (see `depends`); it "holds" if it does in all, and
    "does not hold" if in one of them it does not.
    """
    words = [verdict(each, matters, claimed) for each in found.values()]
    pairs = itertools.combinations(found.values(), 2)
    if any(depends(one, other, matters) for one, other in pairs):
        word = "depends"
    elif "does not hold" in words:
        word = "does not hold"
    else:
        word = "holds" if set(words) == {"holds"} else "cannot tell"
    parts = [f"{name} {each} ({each.n} pairs)" for name, each in found.items()]
    return word, f"{'; '.join(parts)}; {matters:g} would matter"


def exact(true):
    """The verdict on a statement that is proved or checked to the last digit, not estimated."""
    return "holds" if true else "does not hold"


def depends(one, other, matters):
    """True if two conditions, with nothing else changed between them, give differences of opposite sign.

    Both intervals exclude 0, on opposite sides, and both means matter.
    """
    low, high = sorted((one, other), key=lambda found: found.mean)
    return low.high < 0 < high.low and low.mean <= -matters and high.mean >= matters


def runs_needed(found, matters):
    """How many pairs it takes until half the interval is as small as `matters`, at the spread seen."""
    from scipy import stats

    matters = check_positive("matters", matters)
    sd = (found.high - found.mean) * math.sqrt(found.n) / stats.t.ppf(0.975, found.n - 1)
    n = max(2, math.floor((1.96 * sd / matters) ** 2))
    while stats.t.ppf(0.975, n - 1) * sd / math.sqrt(n) > matters:
        n += 1
    return n


# --- stored results of experiments that are longer than a lesson ---

FULL = os.environ.get("COURSE_FULL") == "1"
RESULTS_DIR = DATA_DIR / "results"


def stored(name, experiment):
    """The results of a long experiment: a JSON-able dict, from data/results/`name`.json.

    `course.py full NN` runs a chapter with COURSE_FULL=1; then `experiment()` is called, and what it returns
    is written there. Every other run loads the file. Raises DataFileError if that is missing or not readable.
    """
    if FULL:
        save_results(name, experiment())
    return load_results(name)


def save_results(name, results, directory=RESULTS_DIR):
    """Write `results` (a JSON-able dict) to `directory`/`name`.json, all of it or nothing."""
    directory.mkdir(parents=True, exist_ok=True)
    with written_whole(directory / f"{name}.json") as temporary:
        temporary.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def load_results(name, directory=RESULTS_DIR):
    """What `save_results` stored. Raises DataFileError if it is missing or not readable."""
    path = directory / f"{name}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataFileError(
            f"{path} cannot be read ({error}): take it from the course again (`git checkout -- data`, "
            "or its ZIP)"
        ) from None


# --- seconds ---


def seconds_in_turns(functions, rounds):
    """Time the functions of a dict {name: function without arguments}, in turns: a computer that slows down
    then slows all of them.

    One warm-up round first, then `rounds` rounds; within a round everyone has one turn, and the order
    turns by one from round to round.

    Returns {name: float64 array of shape (rounds, 2)} in seconds: CPU time of all threads, and wall time.
    Raises ValueError unless `rounds` is a whole number of at least 1.
    """
    check_positive_int("rounds", rounds)
    names = list(functions)
    seconds = {name: [] for name in names}
    for name in names:
        functions[name]()
    for turn in range(rounds):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            cpu, wall = time.process_time(), time.perf_counter()
            functions[name]()
            seconds[name].append((time.process_time() - cpu, time.perf_counter() - wall))
    return {name: np.array(values) for name, values in seconds.items()}


def time_ratio(seconds, numerator, denominator, clock="cpu"):
    """(median, lowest, highest) over the rounds of one function's seconds over another's.

    `seconds` is what seconds_in_turns returns, `clock` is "cpu" or "wall", else ValueError.
    """
    if clock not in ("cpu", "wall"):
        raise ValueError(f"clock must be 'cpu' or 'wall', got {clock!r}")
    column = ("cpu", "wall").index(clock)
    values = seconds[numerator][:, column] / seconds[denominator][:, column]
    return float(np.median(values)), float(values.min()), float(values.max())
