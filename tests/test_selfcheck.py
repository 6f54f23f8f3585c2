"""How a check answers: what was expected, what came, why, a hint on the second try, and never a crash."""

import pytest

from utils.selfcheck import (
    Exercise,
    Problem,
    SelfCheck,
    chapters,
    is_close,
    load_chapter,
    self_check,
    written,
)


def check_two(value):
    return None if value == 2 else Problem("the number 2", f"the number {value}", "One and one is two.")


def raise_not_implemented(value):
    raise NotImplementedError


@pytest.fixture
def check():
    return SelfCheck(
        {
            "two": Exercise(check_two, "Count your thumbs."),
            "call": Exercise(lambda function: check_two(written(function())), "Return it."),
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


@pytest.mark.parametrize(
    ("value", "close"), [(1.005, True), (1.02, False), ("1", False), ([1], False), (None, False)]
)
def test_only_a_number_can_be_close_to_a_number(value, close):
    assert is_close(value, 1) is close


def test_chapters_are_found_by_their_modules():
    assert "02" in chapters() and chapters() == sorted(chapters())
    assert self_check("02").exercises is load_chapter("02").EXERCISES
