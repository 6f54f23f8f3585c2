"""Histories of what a widget did: joined, continued or begun again, in Python and in the browser alike."""

import pytest
from node import run_js

from utils.widgets.history import joined, left

ALONE = ["masks"]
JOINED = [
    ([], []),
    ([["train", 0.5, 1], ["train", 0.5, 2], ["train", 0.3, 1]], [["train", 0.5, 3], ["train", 0.3, 1]]),
    ([["masks", 0.5, 5], ["masks", 0.5, 5]], [["masks", 0.5, 5], ["masks", 0.5, 5]]),
    (
        [["all", 0.5, 1], ["sneakers", 0.5, 1], ["sneakers", 0.5, 4]],
        [["all", 0.5, 1], ["sneakers", 0.5, 5]],
    ),
]
LEFT = [
    ([], [[0.5, 0, 3]], [[0.5, 0, 3]]),
    ([[0.5, 0, 3]], [[0.5, 0, 3]], []),
    ([[0.5, 0, 3]], [[0.5, 0, 5], [0.1, 0, 2]], [[0.5, 0, 2], [0.1, 0, 2]]),
    ([[0.5, 0, 3], [0.1, 0, 1]], [[0.5, 0, 3], [0.1, 0, 2]], [[0.1, 0, 1]]),
    ([[0.5, 0, 3]], [[0.5, 0, 1], [0.5, 0, 4]], [[0.5, 0, 2]]),
    ([[0.5, 0, 3]], [[0.5, 0, 2]], None),
    ([[0.5, 0, 3]], [], None),
    ([[0.5, 0, 3], [0.1, 0, 1]], [[0.5, 0, 4]], None),
    ([[0.5, 0, 3], [0.1, 0, 1]], [[0.5, 0, 4], [0.1, 0, 1]], None),
    ([[0.5, 0, 3]], [[0.5, 0.1, 5]], None),
    ([["masks", 0.5, 5]], [["masks", 0.5, 5], ["masks", 0.5, 5]], [["masks", 0.5, 5]]),
    ([["masks", 0.5, 5]], [["masks", 0.5, 6]], None),
    ([["train", 0.5, 5]], [["all", 0.5, 5]], None),
]


@pytest.mark.parametrize(("history", "expected"), JOINED)
def test_a_history_is_joined_as_far_as_nothing_starts_anew(history, expected):
    assert joined(history, ALONE) == expected
    assert run_js("history", "m.joined(history, alone)", history=history, alone=ALONE) == expected


@pytest.mark.parametrize(("done", "wanted", "rest"), LEFT)
def test_what_is_left_to_do(done, wanted, rest):
    assert left(done, wanted, ALONE) == rest
    assert run_js("history", "m.left(done, wanted, alone)", done=done, wanted=wanted, alone=ALONE) == rest
