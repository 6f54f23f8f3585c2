"""What a widget has done so far: [[setting, ..., count], ...], with as few segments as possible.

js/history.js does the same in the browser. Segments whose first setting is one of `alone` start something
anew: they are neither joined nor continued.
"""

import itertools

import traitlets


def joined(segments, alone=()):
    """The same history with as few segments as possible."""
    groups = itertools.groupby(
        enumerate(segments), key=lambda pair: (pair[1][:-1], pair[0] if pair[1][0] in alone else None)
    )
    return [[*key[0], sum(count for _, (*_, count) in group)] for key, group in groups]


def left(done, wanted, alone=()):
    """The segments of `wanted` that are still to be done, or None where `done` is no beginning of it."""
    done, wanted = joined(done, alone), joined(wanted, alone)
    if not done:
        return wanted
    *whole, [*settings, count] = done
    last = len(whole)
    if len(wanted) <= last or wanted[:last] != whole or wanted[last][:-1] != settings:
        return None
    rest = wanted[last][-1] - count
    if rest < 0 or (rest and settings[0] in alone):
        return None
    return [*([[*settings, rest]] if rest else []), *wanted[last + 1 :]]


def check(name, value, most, settings, alone, allowed):
    """A history from outside, joined. Raises traitlets.TraitError with one sentence.

    settings(*values) gives the settings of a segment as they are kept, or raises ValueError; the counts may
    add up to `most`; `allowed` says all this in words.
    """
    try:
        segments = [[*settings(*values), count] for *values, count in value]
        right = all(type(count) is int and count > 0 for *_, count in segments)
    except (TypeError, ValueError):
        right = False
    if not right or sum(count for *_, count in segments) > most:
        raise traitlets.TraitError(f"{name} must be a list of {allowed}, got {value!r}")
    return joined(segments, alone)
