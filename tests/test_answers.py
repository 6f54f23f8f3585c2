"""Every check against its answers: the solution's in every wrapping, other right ones, the wrong ones.

`-k ch05` chooses a chapter. The answers are in answers/.
"""

import functools
import importlib
import inspect
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest

from conftest import skip_or_fail
from utils.exercises import beliefs
from utils.exercises.beliefs import MET_IN, MET_IN_TURNS, Belief
from utils.exercises.engine import SelfCheck, chapters, exercises, find_problem, load_chapter, plain

ROOT = Path(__file__).resolve().parent.parent
each_chapter = pytest.mark.parametrize("number", chapters(), ids=lambda number: f"ch{number}")
# The exercises of a chapter, and the cells that a learner writes inside it.
KINDS = {"ch": MET_IN, "turns": MET_IN_TURNS}
EACH = [(kind, number) for kind in KINDS for number in chapters(kind)]
each_module = pytest.mark.parametrize(("kind", "number"), EACH, ids=["".join(each) for each in EACH])


@functools.cache
def answers_of(number, kind="ch"):
    """The module answers.chNN, or answers.turnsNN."""
    return importlib.import_module(f"answers.{kind}{number}")


def params():
    """(kind, chapter, exercise, answers, said) of every wrong answer; one where the framework is absent."""
    for kind, number in EACH:
        try:
            wrong = answers_of(number, kind).WRONG
        except ImportError as error:
            yield pytest.param(kind, number, "", (), str(error), id=f"{kind}{number}-absent")
            continue
        for place, (exercise, answers, said) in enumerate(wrong):
            name = f"{kind}{number}-{exercise}-{place}"
            yield pytest.param(kind, number, exercise, answers, said, id=name)


def module_of(number, kind="ch"):
    try:
        return answers_of(number, kind)
    except ImportError as error:
        skip_or_fail(f"chapter {number}: {error}")


# --- wrong answers ---


@pytest.mark.parametrize(("kind", "number", "exercise", "answers", "said"), list(params()))
def test_a_wrong_answer_hears_what_is_expected_and_which_idea_is_behind_it(
    kind, number, exercise, answers, said
):
    module_of(number, kind)
    problem = find_problem(exercises(number, kind)[exercise], answers)
    assert problem is not None and problem.got
    if not isinstance(said, Belief):
        assert said in problem.expected and problem.why is None
        return
    assert problem.why == said
    message = re.sub(r"\s+", " ", SelfCheck(exercises(number, kind)).look(exercise, answers).message)
    assert said.why in message
    others = {belief.why for met in KINDS[kind][number].values() for belief in met} - {said.why}
    assert not any(other in message for other in others)


@each_module
def test_every_belief_is_shown_by_a_wrong_answer_to_each_exercise_that_meets_it(kind, number):
    module = module_of(number, kind)
    shown = {(exercise, said) for exercise, _, said in module.WRONG if isinstance(said, Belief)}
    listed = {(exercise, belief) for exercise, met in KINDS[kind][number].items() for belief in met}
    if (kind, number) == ("ch", "03") and not load_chapter("03").ON_TENSORFLOW:
        skip_or_fail("only TensorFlow compiles a layer, which one belief is about")
    assert shown == listed


@each_module
def test_the_beliefs_that_a_chapter_names_are_those_that_its_exercises_meet(kind, number):
    source = inspect.getsource(load_chapter(number, kind))
    source += "".join(inspect.getsource(exercise.check) for exercise in exercises(number, kind).values())
    named = {getattr(beliefs, name) for name in re.findall(r"beliefs\.([A-Z]\w*)", source)}
    assert named == {belief for met in KINDS[kind][number].values() for belief in met}
    assert len({belief.clause for belief in named}) == len(named)  # a chapter has one answer to an idea


def test_every_belief_is_met_somewhere_and_says_more_than_wrong():
    every = [value for value in vars(beliefs).values() if isinstance(value, Belief)]
    met = {b for lists in KINDS.values() for tasks in lists.values() for met in tasks.values() for b in met}
    assert set(every) == met and len(every) == len(met)
    assert all(len(belief.why.split()) >= 10 for belief in every)


# --- right answers ---


def remembered(function):
    """The function, which trains only once for the same numbers."""
    kept = functools.cache(function)
    return lambda *args, **kw: (kept if all(type(a) in (int, float) for a in args) else function)(*args, **kw)


@functools.cache
def right_answers(number):
    """Dict exercise -> answers: those of answers.chNN if it has some for each exercise, else the solution's.

    A solution may train for a minute, and nbval runs it, with its checks, in a kernel of its own.
    """
    known = dict(reversed(getattr(module_of(number), "RIGHT", [])))
    return known if set(known) == set(exercises(number)) else solution(number)


def solution(number):
    """Dict exercise -> answers, as the cells of the solution hand them to the check."""
    (path,) = (ROOT / "notebooks/solutions").glob(f"{number}_*.ipynb")
    seen, namespace, call = {}, {}, SelfCheck.__call__

    def record(check, name, *answers):
        seen[name] = [remembered(a) if inspect.isfunction(a) else a for a in answers]
        result = call(check, name, *answers)
        assert result.passed, name
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SelfCheck, "__call__", record)
        for cell in nbformat.read(path, 4).cells:
            if cell.cell_type == "code":
                exec(compile(cell.source, path.name, "exec"), namespace)
    return seen


@each_chapter
def test_there_is_a_right_answer_to_every_exercise(number):
    """Also in this process, where coverage sees the checks."""
    module_of(number)
    assert set(right_answers(number)) == set(exercises(number))


@each_module
def test_other_right_answers_pass(kind, number):
    for exercise, answers in getattr(module_of(number, kind), "RIGHT", []):
        assert find_problem(exercises(number, kind)[exercise], answers) is None, exercise


def torch_form(value):
    import torch

    return torch.tensor(value)


def tensorflow_form(value):
    import tensorflow as tf

    return tf.constant(value)


def array_of(items):
    """A NumPy array of the items, where they are numbers and make one; else the items."""
    try:
        found = np.array(items)
    except ValueError:  # arrays of different shapes
        return items
    return found if found.dtype.kind in "biuf" else items


def unchanged(value):
    return value


# What becomes of a Python scalar, of the list of a tuple's items, and of a NumPy array.
FORMS = {
    "NumPy scalar": (lambda value: np.array(value)[()], tuple, unchanged),
    "0-d array": (np.array, tuple, unchanged),
    "PyTorch": (torch_form, tuple, torch_form),
    "TensorFlow": (tensorflow_form, tuple, tensorflow_form),
    "list": (unchanged, list, np.ndarray.tolist),
    "tuple": (unchanged, tuple, lambda value: plain(value.tolist())),
    "array": (unchanged, array_of, unchanged),
}


def wrapped(value, scalar, sequence, array):
    """`value` in another form; strings, layers and MXNet's arrays stay what they are."""
    value = plain(value)
    if isinstance(value, (bool, int, float)):
        return scalar(value)
    if isinstance(value, tuple):
        return sequence([wrapped(item, scalar, sequence, array) for item in value])
    if isinstance(value, dict):
        return {key: wrapped(item, scalar, sequence, array) for key, item in value.items()}
    if hasattr(value, "__array__"):
        return array(np.asarray(value))
    return value


def problem_in_form(number, exercise, answers, form):
    """What the check says to the answers in this form, and to what they return if they are functions."""

    def again(answer):
        if callable(answer):
            return lambda *args, **kwargs: wrapped(answer(*args, **kwargs), *form)
        return wrapped(answer, *form)

    return find_problem(exercises(number)[exercise], map(again, answers))


@pytest.mark.parametrize("form", FORMS)
@each_chapter
def test_a_check_judges_the_value_of_an_answer_not_its_wrapping(number, form, require):
    module_of(number)
    require(*{"PyTorch": ["torch"], "TensorFlow": ["tensorflow"]}.get(form, []))
    for exercise, answers in right_answers(number).items():
        problem = problem_in_form(number, exercise, answers, FORMS[form])
        assert problem is None, (exercise, problem)


@pytest.mark.parametrize("name", ["1 for True", "True for 1"])
@each_chapter
def test_true_and_one_are_two_answers(number, name):
    module_of(number)
    for exercise, answers in right_answers(number).items():
        seen = []

        def swap(value, seen=seen):
            if name == "1 for True" and isinstance(value, bool):
                seen.append(value)
                return int(value)
            if name == "True for 1" and not isinstance(value, bool) and value == 1:
                seen.append(value)
                return bool(value)
            return value

        problem = problem_in_form(number, exercise, answers, (swap, tuple, unchanged))
        if seen and exercise != "shapes":  # there 1 is a part of a shape
            assert problem is not None, exercise
            assert name == "True for 1" or "neither True nor False" in problem.got
