"""Time in turns: who runs when, and what is divided by what. No test here depends on how fast anything is."""

import numpy as np
import pytest

from utils import timing


def test_everyone_warms_up_and_has_one_turn_a_round_in_an_order_that_turns():
    calls = []
    functions = {name: lambda name=name: calls.append(name) for name in "abc"}
    seconds = timing.seconds_in_turns(functions, rounds=4)
    assert "".join(calls) == "abc" + "abc" + "bca" + "cab" + "abc"
    assert list(seconds) == ["a", "b", "c"]
    for values in seconds.values():
        assert values.shape == (4, 2) and (values >= 0).all()


def test_each_clock_counts_its_own_time_and_not_the_warm_up(monkeypatch):
    now = {"cpu": 0.0, "wall": 0.0}
    monkeypatch.setattr(timing.time, "process_time", lambda: now["cpu"])
    monkeypatch.setattr(timing.time, "perf_counter", lambda: now["wall"])
    lasts = {"slow": iter([100, 4, 6, 50]), "fast": iter([100, 2, 2, 10])}

    def work(name):
        took = next(lasts[name])
        now["cpu"] += took
        now["wall"] += took if name == "slow" else 4 * took

    seconds = timing.seconds_in_turns({name: lambda name=name: work(name) for name in lasts}, rounds=3)
    assert np.array_equal(seconds["slow"], [[4, 4], [6, 6], [50, 50]])
    assert np.array_equal(seconds["fast"], [[2, 8], [2, 8], [10, 40]])
    assert timing.time_ratio(seconds, "slow", "fast") == (3, 2, 5)
    assert timing.time_ratio(seconds, "slow", "fast", clock="wall") == (0.75, 0.5, 1.25)


@pytest.mark.parametrize("rounds", [0, -1, 1.5, True])
def test_rounds_that_make_no_sense_are_refused_before_anything_runs(rounds):
    ran = []
    with pytest.raises(ValueError, match=f"rounds must be a whole number >= 1, got {rounds}"):
        timing.seconds_in_turns({"a": lambda: ran.append(1)}, rounds)
    assert not ran


def test_an_unknown_clock_is_refused():
    with pytest.raises(ValueError, match="clock must be 'cpu' or 'wall', got 'sun'"):
        timing.time_ratio({}, "a", "b", clock="sun")
