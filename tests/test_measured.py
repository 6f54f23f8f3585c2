"""Differences and their verdicts; stored results, whole or not at all; seconds in turns."""

import math
import os
import re

import numpy as np
import pytest
from scipy import stats

from utils import measured
from utils.data import DataFileError
from utils.measured import (
    LESS,
    MORE,
    Difference,
    depends,
    difference,
    exact,
    judge,
    judge_all,
    load_results,
    runs_needed,
    save_results,
    stored,
    verdict,
)

# --- differences and verdicts ---


def test_the_interval_is_that_of_the_paired_t_test():
    rng = np.random.default_rng(0)
    new, old = rng.normal(size=(2, 7))
    theirs = stats.ttest_rel(new, old).confidence_interval(0.95)
    ours = difference(new, old)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert ours.mean == pytest.approx((new - old).mean()) and ours.n == 7
    assert difference(new, 1.5) == difference(new - 1.5)


def test_the_interval_covers_the_truth_in_95_of_100_experiments():
    rng = np.random.default_rng(0)
    runs, truth = 4000, 0.3
    hits = 0
    for values in rng.normal(truth, 1, (runs, 5)):
        found = difference(values)
        hits += found.low <= truth <= found.high
    standard_error = math.sqrt(0.95 * 0.05 / runs)
    assert abs(hits / runs - 0.95) < 5 * standard_error


def test_two_pairs_are_enough_for_an_interval():
    t = stats.t.ppf(0.975, 1)
    assert difference([1.0, 3.0]) == pytest.approx((2, 2 - t, 2 + t, 2))


def test_pairing_takes_away_what_both_runs_share():
    rng = np.random.default_rng(0)
    shared, own = rng.normal(0, 10, 8), rng.normal(0, 0.1, (2, 8))
    paired = difference(shared + own[0], shared + own[1])
    shuffled = difference(shared + own[0], np.roll(shared, 1) + own[1])
    assert paired.high - paired.low < 0.05 * (shuffled.high - shuffled.low)


@pytest.mark.parametrize("values", [([1.0],), ([1.0, 2.0], [1.0]), ([1.0, math.nan],), ([[1.0, 2.0]],)])
def test_what_gives_no_interval_is_refused(values):
    with pytest.raises(ValueError, match="new and old must"):
        difference(*values)


@pytest.mark.parametrize(
    ("low", "high", "claimed", "word"),
    [
        (0.02, 0.04, MORE, "holds"),
        (0.002, 0.04, MORE, "holds"),  # more, though perhaps not by much
        (0.002, 0.008, MORE, "does not hold"),  # more, and nobody would notice
        (-0.008, 0.008, MORE, "does not hold"),
        (-0.04, -0.02, MORE, "does not hold"),
        (-0.02, 0.04, MORE, "cannot tell"),
        (-0.04, -0.02, LESS, "holds"),
        (0.02, 0.04, LESS, "does not hold"),
        (-0.008, 0.008, (-0.01, 0.01), "holds"),  # "the same"
        (0.02, 0.04, (-0.01, 0.01), "does not hold"),
        (0.002, 0.04, (-0.01, 0.01), "cannot tell"),
        (0.021, 0.03, (0.02, math.inf), "holds"),  # "by two points or more"
        (0.01, 0.019, (0.02, math.inf), "does not hold"),
        (0.01, 0.03, (0.02, math.inf), "cannot tell"),
        (0.0, 0.04, MORE, "holds"),  # the ends of the intervals themselves
        (-0.04, 0.0, LESS, "holds"),
        (-0.04, 0.0, MORE, "does not hold"),
        (0.0, 0.04, LESS, "does not hold"),
        (-0.01, 0.008, MORE, "cannot tell"),
        (-0.008, 0.01, MORE, "cannot tell"),
        (0.0, 0.008, MORE, "does not hold"),
        (-0.01, 0.01, (-0.01, 0.01), "holds"),
        (-0.008, 0.008, (0, math.inf), "does not hold"),
        (-0.008, 0.008, (-math.inf, 0), "does not hold"),
    ],
)
def test_the_word_follows_from_the_interval(low, high, claimed, word):
    assert verdict(Difference((low + high) / 2, low, high, 10), 0.01, claimed) == word


def test_what_matters_to_a_user():
    assert measured.MATTERS == {"accuracy": 0.005, "nll": 0.01, "ece": 0.005}


def test_it_depends_only_if_both_conditions_are_sure_opposite_and_large_enough():
    up, down = Difference(0.03, 0.02, 0.04, 10), Difference(-0.03, -0.04, -0.02, 10)
    unsure, small = Difference(-0.03, -0.07, 0.01, 10), Difference(-0.003, -0.004, -0.002, 10)
    assert depends(up, down, 0.01) and depends(down, up, 0.01)
    assert not depends(up, up, 0.01) and not depends(up, unsure, 0.01) and not depends(up, small, 0.01)
    touches, below = Difference(0.03, 0.0, 0.06, 10), Difference(-0.03, -0.06, 0.0, 10)
    assert not depends(touches, down, 0.01) and not depends(up, below, 0.01)
    assert depends(up, down, 0.03)  # just large enough


@pytest.mark.parametrize("scale", [0.05, 5])
def test_the_number_of_runs_needed_gives_the_width_asked_for_and_one_less_does_not(scale):
    found = difference(np.random.default_rng(0).normal(0, scale, 10))
    sd = (found.high - found.mean) * math.sqrt(10) / stats.t.ppf(0.975, 9)

    def half(n):
        return stats.t.ppf(0.975, n - 1) * sd / math.sqrt(n)

    for matters in (20 * scale, 4 * scale, scale, 0.2 * scale):
        n = runs_needed(found, matters)
        assert half(n) <= matters and (n == 2 or half(n - 1) > matters)
    assert runs_needed(found, half(7)) == 7


def test_a_difference_that_matters_is_more_than_nothing():
    for judged in (verdict, judge, runs_needed):
        with pytest.raises(ValueError, match=r"matters must be .* got 0"):
            judged(Difference(0.03, 0.02, 0.04, 10), 0)


def test_a_row_says_what_was_measured_and_what_it_would_take_where_it_cannot_tell():
    sure, wide = Difference(0.03, 0.02, 0.04, 10), Difference(0.01, -0.02, 0.04, 10)
    assert judge(sure, 0.01) == ("holds", "+0.030 [+0.020, +0.040], 10 pairs; 0.01 would matter")
    word, text = judge(wide, 0.01)
    assert word == "cannot tell" and text.endswith(f"; about {runs_needed(wide, 0.01)} pairs would tell")


@pytest.mark.parametrize("claimed", [measured.MORE, measured.LESS, (0.02, math.inf), (-0.01, 0.01)])
@pytest.mark.parametrize("mean", [-0.024, -0.004, 0.0, 0.003, 0.007, 0.012, 0.027])
def test_as_many_pairs_as_it_says_would_tell_and_as_many_as_there_are_do_not(mean, claimed):
    def around(n):
        half = 0.03 * stats.t.ppf(0.975, n - 1) / math.sqrt(n)
        return Difference(mean, mean - half, mean + half, n)

    word, text = judge(around(3), 0.01, claimed)
    n = int(re.search(r"about (\d+) pairs", text)[1])
    assert word == "cannot tell" and n > 3
    assert verdict(around(n + 1), 0.01, claimed) != "cannot tell"


def test_a_verdict_on_exact_statements():
    assert (exact(True), exact(False)) == ("holds", "does not hold")


def test_a_difference_prints_itself_with_its_interval():
    assert str(Difference(0.0314, 0.01, 0.0528, 10)) == "+0.031 [+0.010, +0.053]"


def test_a_claim_about_several_conditions_holds_only_if_it_does_in_all():
    up, down = Difference(0.03, 0.02, 0.04, 10), Difference(-0.03, -0.04, -0.02, 10)
    wide, small = Difference(0.01, -0.02, 0.04, 5), Difference(0.003, 0.002, 0.004, 5)
    for found, word in (
        ({"end": up, "stopped": up}, "holds"),
        ({"end": up, "stopped": wide}, "cannot tell"),
        ({"end": up, "stopped": small}, "does not hold"),
        ({"end": wide, "stopped": small}, "does not hold"),
        ({"end": up, "middle": wide, "stopped": down}, "depends"),
    ):
        assert judge_all(found, 0.01)[0] == word
        assert judge_all(dict(reversed(found.items())), 0.01)[0] == word
    assert judge_all({"end": down}, 0.01, LESS)[0] == "holds"
    text = judge_all({"end": up, "stopped": wide}, 0.01)[1]
    assert text.startswith("end +0.030 [+0.020, +0.040] (10 pairs); stopped +0.010")
    assert text.endswith("(5 pairs); 0.01 would matter")


# --- stored results ---


def test_an_experiment_runs_only_when_all_of_it_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(measured, "RESULTS_DIR", tmp_path)
    for function in (save_results, load_results):
        monkeypatch.setattr(function, "__defaults__", (tmp_path,))
    assert (os.environ.get("COURSE_FULL") == "1") == measured.FULL
    calls = []

    def experiment():
        calls.append(1)
        return {"nll": len(calls)}

    monkeypatch.setattr(measured, "FULL", True)
    assert stored("demo", experiment) == {"nll": 1}
    monkeypatch.setattr(measured, "FULL", False)
    assert stored("demo", experiment) == {"nll": 1} and len(calls) == 1


def test_what_is_saved_is_loaded(tmp_path):
    save_results("demo", {"accuracy": [0.5, 0.25]}, tmp_path / "new/folder")
    assert load_results("demo", tmp_path / "new/folder") == {"accuracy": [0.5, 0.25]}


def test_a_failed_save_leaves_the_old_file_and_no_litter(tmp_path):
    save_results("demo", {"old": 1}, tmp_path)
    with pytest.raises(TypeError):
        save_results("demo", {"new": object()}, tmp_path)
    (tmp_path / "other.json").mkdir()
    with pytest.raises(OSError):
        save_results("other", {"new": 1}, tmp_path)
    assert load_results("demo", tmp_path) == {"old": 1}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo.json", "other.json"]


@pytest.mark.parametrize("content", [None, "", "{", '{"a": 1'])
def test_a_missing_or_damaged_file_gets_one_sentence(tmp_path, content):
    if content is not None:
        (tmp_path / "demo.json").write_text(content)
    with pytest.raises(DataFileError, match=r"demo.json cannot be read .*git checkout"):
        load_results("demo", tmp_path)


# --- seconds: no test here depends on how fast anything is ---


def test_everyone_warms_up_and_has_one_turn_a_round_in_an_order_that_turns():
    calls = []
    functions = {name: lambda name=name: calls.append(name) for name in "abc"}
    seconds = measured.seconds_in_turns(functions, rounds=4)
    assert "".join(calls) == "abc" + "abc" + "bca" + "cab" + "abc"
    assert list(seconds) == ["a", "b", "c"]
    for values in seconds.values():
        assert values.shape == (4, 2) and (values >= 0).all()


def test_each_clock_counts_its_own_time_and_not_the_warm_up(monkeypatch):
    now = {"cpu": 0.0, "wall": 0.0}
    monkeypatch.setattr(measured.time, "process_time", lambda: now["cpu"])
    monkeypatch.setattr(measured.time, "perf_counter", lambda: now["wall"])
    lasts = {"slow": iter([100, 4, 6, 50]), "fast": iter([100, 2, 2, 10])}

    def work(name):
        took = next(lasts[name])
        now["cpu"] += took
        now["wall"] += took if name == "slow" else 4 * took

    seconds = measured.seconds_in_turns({name: lambda name=name: work(name) for name in lasts}, rounds=3)
    assert np.array_equal(seconds["slow"], [[4, 4], [6, 6], [50, 50]])
    assert np.array_equal(seconds["fast"], [[2, 8], [2, 8], [10, 40]])
    assert measured.time_ratio(seconds, "slow", "fast") == (3, 2, 5)
    assert measured.time_ratio(seconds, "slow", "fast", clock="wall") == (0.75, 0.5, 1.25)


@pytest.mark.parametrize("rounds", [0, -1, 1.5, True])
def test_rounds_that_make_no_sense_are_refused_before_anything_runs(rounds):
    ran = []
    with pytest.raises(ValueError, match=f"rounds must be a whole number >= 1, got {rounds}"):
        measured.seconds_in_turns({"a": lambda: ran.append(1)}, rounds)
    assert not ran


def test_an_unknown_clock_is_refused():
    with pytest.raises(ValueError, match="clock must be 'cpu' or 'wall', got 'sun'"):
        measured.time_ratio({}, "a", "b", clock="sun")
