"""What a check expects of an answer. Each function raises a Problem, unless all is well.

`expected` and `got` are the clauses that the learner reads; `why`, `known` and `swapped` name the Belief
behind a wrong answer.
"""

import math

import numpy as np

from utils.conformance import CHECKS
from utils.exercises.engine import Problem, array, is_close, is_number, plain, written


def that(condition, expected, got, why=None):
    """Raise the Problem unless `condition` holds."""
    if not condition:
        raise Problem(expected, got, why)


def diagnose(found, known, tolerance=0.01):
    """The Belief that answers `found`, or None.

    known : dict of Belief to what somebody with it answers, a number or an array, or a list of several
    """
    for belief, answers in known.items():
        answers = answers if isinstance(answers, list) else [answers]
        if any(is_close(found, answer, tolerance) for answer in answers):
            return belief
    return None


def close(found, right, expected, known=None, got="{}", tolerance=0.01):
    """Raise unless the number `found` is close to `right`. `got` has a place for it; `diagnose` has known."""
    if not is_close(found, right, tolerance):
        seen = got.format(found) if is_number(found) else f"{shown(found)}, which is no number"
        raise Problem(expected, seen, diagnose(found, known or {}, tolerance))


def number(value, expected):
    """Return `value`, a number."""
    if not is_number(value):
        raise Problem(expected, shown(value))
    return value


def parts(value, length, expected):
    """Return `value` as a tuple of `length` values: it may be a tuple, a list, or an array's rows."""
    if hasattr(value, "shape") and len(value.shape) and len(value) == length:
        value = tuple(map(plain, value))
    if not isinstance(value, tuple) or len(value) != length:
        raise Problem(expected, shown(value))
    return tuple(map(written, value))


def numbers(value, length, expected):
    """Return `value` as a tuple of `length` numbers."""
    return tuple(number(part, expected) for part in parts(value, length, expected))


def shape(value, right, what):
    """Return `value` as a NumPy array of this shape; `what` stands before the shape."""
    found = array(value)
    that(found.shape == right, f"{what} of shape {right}", f"shape {found.shape}")
    return found


def choice(value, choices, expected=None):
    """Return the one of `choices`, strings or numbers, that `value` is."""
    for one in choices:
        text = isinstance(one, str) or isinstance(value, str)
        if (isinstance(value, str) and value == one) if text else is_close(value, one, 1e-6):
            return one
    *others, last = (f'"{one}"' for one in choices)
    raise Problem(expected or f"{', '.join(others)} or {last}", shown(value))


def truths(answers, right, whys, expected="True or False for {}, as a run shows it"):
    """Raise for the first wrong True or False: all three are dicts by situation, `whys` may lack some."""
    for situation, fact in right.items():
        truth(written(answers.get(situation)), fact, expected.format(situation), whys.get(situation))


def truth(answer, right, expected, why=None):
    """Raise unless `answer` is the bool `right`; a number is no answer to a question of True or False."""
    that(isinstance(answer, bool), expected, f"{shown(answer)}, which is neither True nor False")
    that(answer is right, expected, f"{answer}", why)


def shown(value):
    """`value` in a message: as Python writes it, or its type where that is long."""
    text = repr(value)
    return text if len(text) <= 60 else f"a value of type {type(value).__name__}"


# --- what a layer of dropout does ---


def own_masks(output, one_mask=None):
    """Raise if all examples of a batch have the same mask."""
    got = f"{len(output)} examples with the same mask"
    that((output != output[0]).any(), "another mask for every example", got, one_mask)


def share(chosen, right, what, swapped=None):
    """Raise unless the share of True in the bool array `chosen` is `right`, within five standard errors."""
    found, room = chosen.mean(), 5 * math.sqrt(right * (1 - right) / chosen.size)
    why = swapped if abs(found - (1 - right)) <= room else None
    that(abs(found - right) <= room, f"a share {right} of {what}, within {room:.3f}", f"{found:.3f}", why)


def rescaled(output, p, bare=None):
    """Raise unless what dropout at rate p makes of ones is 0 or 1/(1-p)."""
    kept, right = output[output != 0], 1 / (1 - p)
    why = bare if np.allclose(kept, 1) else None
    low, high = kept.min(), kept.max()
    found = f"{high:.2f}" if np.isclose(low, high) else f"{low:.2f} to {high:.2f}"
    got = f"0 or {found}" if kept.size < output.size else found
    that(np.allclose(kept, right, rtol=1e-5), f"ones to become 0 or {right:.2f}", got, why)


def dropout(layer, names, seed=0):
    """Raise for the first of the named checks of utils.conformance that `layer` fails."""
    for name in names:
        try:
            with np.errstate(all="ignore"):
                CHECKS[name](layer, seed)
        except AssertionError as error:
            raise Problem(CHECKS[name].__doc__.splitlines()[0].rstrip("."), str(error)) from None
