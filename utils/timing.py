"""Seconds of several functions, measured in turns: a computer that slows down then slows all of them."""

import time

import numpy as np

from utils.checks import check_positive_int


def seconds_in_turns(functions, rounds):
    """Time the functions of a dict {name: function without arguments}.

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
