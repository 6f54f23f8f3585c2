"""How a check answers: what was expected, what came, why, a hint on the second try, and never a crash."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from utils.exercises import expect
from utils.exercises.beliefs import Belief, belief
from utils.exercises.engine import (
    Exercise,
    Problem,
    SelfCheck,
    array,
    chapters,
    exercises,
    is_close,
    plain,
    self_check,
    unwrapped,
)

THREE = Belief("one and one is three", "One and one is two.")
FOUR = Belief("one and one is four", "Four is twice as much.")


def check_two(value):
    expect.that(value == 2, "the number 2", f"the number {value}", THREE)


def raise_not_implemented(value):
    raise NotImplementedError


@pytest.fixture
def check():
    return SelfCheck(
        {
            "two": Exercise(check_two, "Count your thumbs."),
            "call": Exercise(lambda function: check_two(function()), "Return it."),
            "late": Exercise(raise_not_implemented, ""),
        }
    )


def test_a_right_answer_passes_and_says_so(check, capsys):
    assert check("two", 2) == (True, "two: right.")
    assert capsys.readouterr().out == "two: right.\n"


def test_a_wrong_answer_hears_what_was_expected_what_came_and_why(check):
    passed, message = check("two", 3)
    assert not passed and "Count your thumbs" not in message
    for words in ("two: not yet.", "expected: the number 2", "got:      the number 3", "One and one"):
        assert words in message


def test_the_hint_comes_with_the_second_wrong_try_of_that_exercise(check):
    assert "hint" not in check("two", 3).message
    assert "hint" not in check("call", lambda: 5).message
    assert "hint:     Count your thumbs." in check("two", 4).message
    assert check("two", 2).passed


@pytest.mark.parametrize(
    ("name", "answer"),
    [("two", None), ("two", ...), ("call", None), ("call", lambda: None), ("late", 1)],
)
def test_a_stub_is_not_a_try(check, name, answer):
    for _ in range(3):
        result = check(name, answer)
        assert not result.passed and "no answer yet" in result.message and "hint" not in result.message


def test_an_answer_that_crashes_is_reported_and_does_not_crash_the_notebook(check):
    result = check("call", lambda: 1 / 0)
    assert not result.passed and "got:      ZeroDivisionError: division by zero" in result.message


def test_a_wrong_name_is_the_authors_mistake_and_is_raised(check):
    with pytest.raises(ValueError, match="no exercise 'three' here: use one of two, call, late"):
        check("three", 1)


# --- the value of an answer ---


@pytest.mark.parametrize(
    ("value", "close"),
    [(1.005, True), (1.02, False), (1, True), ("1", False), ([1], False), (None, False), ([[1], 1], False)],
)
def test_only_a_number_can_be_close_to_a_number(value, close):
    assert is_close(value, 1) is close


@pytest.mark.parametrize("value", [True, np.True_, [True], np.array([True])])
def test_true_is_close_to_no_number(value):
    assert not is_close(value, np.ones(np.shape(value)))


def test_arrays_are_close_if_they_have_one_shape_and_close_numbers():
    assert is_close((1, 2.001), np.array([1, 2]))
    assert (
        not is_close([1, 2.1], [1, 2])
        and not is_close([1, 2], [[1, 2]])
        and not is_close([1, np.nan], [1, 2])
    )


@pytest.mark.parametrize(
    ("value", "right"),
    [
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.True_, True),
        (np.array(70.0), 70.0),
        (np.array("a"), "a"),
        (Fraction(1, 4), 0.25),
        (Decimal("0.25"), 0.25),
        ([1, [np.float64(2), None]], (1, (2.0, None))),
        ({np.int64(16): [np.array(1)]}, {16: (1,)}),
        ("text", "text"),
    ],
)
def test_a_plain_value_has_no_wrapping(value, right):
    found = plain(value)
    assert found == right and type(found) is type(right)


def test_a_plain_array_stays_what_it_is():
    value = np.ones(1)
    assert plain(value) is value and plain([value])[0] is value


def scalars_of(package):
    if package == "torch":
        import torch

        return torch.tensor([0.5], requires_grad=True)[0], torch.tensor(True)
    if package == "tensorflow":
        import tensorflow as tf

        return tf.constant(0.5), tf.constant(True)
    from utils.frameworks import load_mxnet

    return load_mxnet().nd.array([0.25, 0.75]).mean(), True


@pytest.mark.parametrize("package", ["torch", "tensorflow", "mxnet"])
def test_a_scalar_of_a_framework_is_a_number_and_a_function_may_return_it(package, require):
    require(package)
    number, truth = scalars_of(package)
    assert plain(number) == 0.5 and type(plain(number)) is float and plain(truth) is True
    assert unwrapped(lambda: {"a": [number]})() == {"a": (0.5,)}
    assert array(plain([[number, number]])).tolist() == [[0.5, 0.5]]


def test_an_array_keeps_its_dtype_and_a_list_takes_the_one_that_is_asked_for():
    assert array(np.ones(2, np.float32), np.float64).dtype == np.float32
    assert array([1.0, 2.0], np.float32).dtype == np.float32
    assert array([[True, False]]).dtype == bool


# --- what a check expects ---


def raised(function, *arguments, **keywords):
    with pytest.raises(Problem) as info:
        function(*arguments, **keywords)
    return info.value.expected, info.value.got, info.value.why


def test_a_wrong_number_is_diagnosed_by_what_others_answer():
    known = {THREE: 3, FOUR: [4, 5]}
    assert expect.close(2.0, 2, "two", known) is None
    assert raised(expect.close, 3, 2, "two", known, "{:.1f} and not two") == ("two", "3.0 and not two", THREE)
    assert raised(expect.close, 5, 2, "two", known) == ("two", "5", FOUR)
    assert raised(expect.close, 7, 2, "two", known) == ("two", "7", None)
    assert raised(expect.close, True, 1, "one") == ("one", "True, which is no number", None)
    assert raised(expect.close, "2", 2, "two", known) == ("two", "'2', which is no number", None)


@pytest.mark.parametrize("value", [(1, 2.5), np.array([1, 2.5])])
def test_a_pair_of_numbers_may_come_as_a_tuple_or_an_array(value):
    assert expect.numbers(value, 2, "a pair") == (1, 2.5)
    assert raised(expect.numbers, value, 3, "three") == ("three", repr(value), None)
    assert raised(expect.numbers, (1, "2"), 2, "a pair") == ("a pair", "'2'", None)
    assert raised(expect.parts, 1, 2, "a pair") == ("a pair", "1", None)


def test_a_choice_is_returned_as_it_stands_in_the_list():
    assert expect.choice(0.20000000298, (0.5, 0.2)) == 0.2
    assert expect.choice(np.array([0.5, 0.2]), [(0.2, 0.5), (0.5, 0.2)]) == (0.5, 0.2)
    assert raised(expect.choice, "d", "abc") == ('"a", "b" or "c"', "'d'", None)
    assert raised(expect.choice, 1, ("1", "2"), "a name") == ("a name", "1", None)


def test_a_question_of_true_or_false_has_no_number_for_an_answer():
    right, whys = {"x": True, "y": False}, {"x": THREE}
    assert expect.truths(right, right, whys) is None
    assert raised(expect.truths, {"x": False}, right, whys) == (
        "True or False for x, as a run shows it",
        "False",
        THREE,
    )
    assert raised(expect.truths, {"x": 1}, right, whys)[1:] == ("1, which is neither True nor False", None)


def test_a_long_answer_is_shown_by_its_type():
    assert expect.shown([1, 2]) == "[1, 2]" and expect.shown("x" * 99) == "a value of type str"


def test_the_first_line_of_a_belief_is_the_idea_and_the_others_are_the_answer():
    first = belief("""one and one is three
One and one
is two.""")
    assert first == THREE and first.answered("No.") == ("one and one is three", "No.")


# --- the chapters ---


def test_chapters_are_found_by_their_modules():
    assert "02" in chapters() and chapters() == sorted(chapters())
    assert self_check("02").exercises == exercises("02")
