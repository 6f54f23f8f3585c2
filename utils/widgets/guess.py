"""What a learner may be asked before the picture: one of a few answers, a number, a curve drawn by hand, or
the names of some images, each with a confidence.

Each function gives a description that the browser understands (js/guess.js has a part for each kind), and
`check` says whether a guess fits it.
"""

import math


def choice(*options):
    """A guess that is one of these strings."""
    return {"kind": "choice", "options": list(options)}


def number(low, high, step=1, unit=""):
    """A guess that is a number in [low, high], typed in steps of `step`; `unit` is said behind it."""
    return {"kind": "number", "low": low, "high": high, "step": step, "unit": unit}


def curve(x, low, high, *, yticks, xlabel, ylabel, names=None):
    """A guess that is drawn: one height in [low, high] for each place of `x`, which ascends.

    `names` are the words that stand at the places, by default their numbers.
    """
    places = [float(place) for place in x]
    return {"kind": "curve", "x": places, "low": low, "high": high, "yticks": list(yticks),
            "xlabel": xlabel, "ylabel": ylabel, **({"names": names} if names else {})}  # fmt: skip


def answers(options, count, low, high):
    """A guess that is a list of `count` pairs [one of these strings, a confidence in [low, high]].

    What they are about lies in the widget's trait `images`: count times 28 x 28 bytes, 255 is black ink.
    """
    return {"kind": "answers", "options": list(options), "count": count, "low": low, "high": high}


def check(takes, value):
    """The guess `value` as stored; None is "no guess". ValueError unless it fits the description `takes`."""
    kind = takes.get("kind")
    if value is None:
        return None
    if kind == "choice" and value in takes["options"]:
        return value
    if kind == "number" and _is_number(value) and takes["low"] <= value <= takes["high"]:
        return value
    if (
        kind == "curve"
        and isinstance(value, list | tuple)
        and len(value) == len(takes["x"])
        and all(_is_number(height) and takes["low"] <= height <= takes["high"] for height in value)
    ):
        return [float(height) for height in value]
    if (
        kind == "answers"
        and isinstance(value, list | tuple)
        and len(value) == takes["count"]
        and all(_is_answer(takes, pair) for pair in value)
    ):
        return [[option, float(confidence)] for option, confidence in value]
    allowed = {
        "choice": lambda: "one of " + ", ".join(takes["options"]),
        "number": lambda: f"a number in [{takes['low']}, {takes['high']}]",
        "curve": lambda: f"{len(takes['x'])} numbers in [{takes['low']}, {takes['high']}]",
        "answers": lambda: (
            f"{takes['count']} pairs of one of {', '.join(takes['options'])} and a number in "
            f"[{takes['low']}, {takes['high']}]"
        ),
    }.get(kind, lambda: "None, for nothing is asked")()
    raise ValueError(f"guess must be {allowed}, got {value!r}")


def _is_answer(takes, pair):
    return (
        isinstance(pair, list | tuple)
        and len(pair) == 2
        and pair[0] in takes["options"]
        and _is_number(pair[1])
        and takes["low"] <= pair[1] <= takes["high"]
    )


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
