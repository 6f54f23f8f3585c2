"""Chapter 08's checks against wrong answers that have no name: each is told what is expected."""

import pytest

pytest.importorskip("torch")

from utils.exercises.ch08 import (
    COST,
    EXERCISES,
    GAIN,
    MEASURED,
    load_decay,
    right_saved,
    right_savings,
    right_stopped,
)


def first_two_seeds(run, setting, baseline, seeds):
    return right_saved(run, setting, baseline, seeds[:2])


def without_the_width(run, setting, baseline, seeds):
    return right_saved(run, setting, {}, seeds)


def reversed_sign(*task):
    return tuple(-value for value in right_saved(*task))


def doubled(losses, decay):
    return tuple(2 * value for value in right_savings(losses, decay))


WRONG = [
    ("numbers", (0.5, 200, 0.2), "the p with"),
    ("numbers", (4 / 7, 168, 0.2), "a width n"),
    ("numbers", (4 / 7, 200, 0.5), "the probability to drop"),
    ("seeds", (lambda *task: 0.09,), "three numbers"),
    ("seeds", (first_two_seeds,), "for each of 4 seeds"),
    ("seeds", (without_the_width,), "both of width 64"),
    ("seeds", (reversed_sign,), "mean 0.090, lowest 0.050, highest 0.130"),
    ("layers", ({(0.2, 0.5): (0.1, 0, 0.2)}, (0.5, 0.2)), "a dict with the keys"),
    ("layers", ({**MEASURED, (0.9, 0.9): -1.0}, (0.5, 0.2)), "(mean, lowest, highest) for (0.9, 0.9)"),
    ("layers", ({**MEASURED, (0.9, 0.9): (2.0, 1.0, 3.0)}, (0.5, 0.2)), "the third to lose"),
    ("layers", (MEASURED, (0.5, 0.5)), "one of the pairs"),
    ("epochs", (lambda val, test: 2, COST, "b"), "a pair (look, loss)"),
    ("epochs", (lambda val, test: (0, 1.05), COST, "b"), "the look that validation chooses"),
    ("epochs", (right_stopped, {"with": 0.1}, "b"), "a dict with a number"),
    ("epochs", (right_stopped, {"without": 0.1, "with": 0.3}, "b"), "less of it with dropout"),
    ("epochs", (right_stopped, COST, "d"), "one of the letters"),
    ("width", ({16: GAIN[16]}, "hurts", "helps"), "a dict with the keys 16, 128"),
    ("width", (GAIN, "hurts", "yes"), '"helps" or "hurts"'),
    ("width", ({16: GAIN[128], 128: GAIN[16]}, "hurts", "helps"), "saved at the other"),
    ("decay", (lambda losses, decay: 0.1, False, (0.3, 0.5)), "four numbers"),
    ("decay", (doubled, False, (0.3, 0.5)), "an overlap of 0.05"),
    ("decay", (right_savings, "no", (0.3, 0.5)), "True or False"),
    ("decay", (right_savings, False, 0.3), "a pair (weight decay, p)"),
    ("decay", (right_savings, False, (0.0, 0.0)), "the lowest mean validation loss"),
]


@pytest.mark.parametrize(("name", "answers", "expected"), WRONG)
def test_a_wrong_answer_is_told_what_is_expected(name, answers, expected):
    problem = EXERCISES[name].check(*answers)
    assert expected in problem.expected and problem.got and not problem.why


def test_right_answers_pass():
    assert EXERCISES["seeds"].check(right_saved) is None
    assert EXERCISES["layers"].check(MEASURED, (0.5, 0.2)) is None
    assert EXERCISES["epochs"].check(right_stopped, COST, "b") is None
    assert EXERCISES["width"].check(GAIN, "hurts", "helps") is None
    assert EXERCISES["decay"].check(right_savings, False, (0.3, 0.5)) is None


def test_the_stored_sweep_holds_four_weight_decays_with_and_without_dropout():
    losses = load_decay()
    assert set(losses) == {(decay, p) for decay in (0.0, 0.3, 1.0, 3.0) for p in (0.0, 0.5)}
    assert all(values.shape == (5,) for values in losses.values())
