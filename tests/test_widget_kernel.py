"""The widget for which the kernel works: Eval-mode Detective."""

import numpy as np
import pytest
from test_widget_core import browser_says

from utils.widgets import EvalDetective
from utils.widgets.eval_detective import FRAMEWORKS, INPUT, PASSES

# Where dropout is on, by framework and situation; everywhere else the layer is the identity.
ACTIVE = {
    "PyTorch": {"new layer", "train()", "train() and no_grad", "F.dropout after eval()"},
    "Keras": {"training=True"},
    "Gluon": {"record()", "train_mode()"},
}
CASES = [(name, situation) for name, (_, _, words) in FRAMEWORKS.items() for situation in words]


@pytest.mark.parametrize(("framework", "situation"), CASES)
def test_dropout_is_on_exactly_where_the_table_says(require, framework, situation):
    require(FRAMEWORKS[framework][0])
    widget = EvalDetective(framework=framework, situation=situation, p=0.5, seed=3)
    active = situation in ACTIVE[framework]
    assert widget.stats()["identity"] is not active
    # Twenty draws of twelve units: two of them agree with probability 2^-12 per pair.
    assert (widget.stats()["different"] > 10) is active
    outputs = np.frombuffer(widget.outputs, np.float32).reshape(PASSES, -1)
    kept = outputs != 0
    scale = 2 if active else 1
    assert np.allclose(outputs[kept], np.broadcast_to(INPUT * scale, outputs.shape)[kept], rtol=1e-6)
    if active:
        assert abs(kept.mean() - 0.5) < 5 * np.sqrt(0.25 / kept.size)


def test_the_detective_answers_the_browser_and_repeats_for_a_seed(require):
    require("torch")
    widget = EvalDetective()
    browser_says(widget, p=0.9)
    first = widget.outputs
    browser_says(widget, seed=1)
    assert widget.outputs != first
    browser_says(widget, seed=0)
    assert widget.outputs == first


def test_another_framework_starts_with_its_first_situation(require):
    require("keras")
    widget = EvalDetective(situation="eval()")
    browser_says(widget, framework="Keras")
    assert widget.situation == "layer(x)" and widget.stats()["identity"]


def test_an_error_shows_in_the_widget_and_the_picture_stays(require, monkeypatch):
    require("torch")
    widget = EvalDetective()
    before = widget.outputs

    def broken(situation, p, seed):
        raise RuntimeError("no such device")

    monkeypatch.setitem(FRAMEWORKS, "PyTorch", ("torch", broken, FRAMEWORKS["PyTorch"][2]))
    browser_says(widget, p=0.1)
    assert widget.error == "RuntimeError: no such device" and widget.outputs == before
    assert widget.outputs_of == ["PyTorch", "new layer", 0.5, 0]
    monkeypatch.undo()
    browser_says(widget, p=0.2)
    assert widget.error == "" and widget.outputs != before
    assert widget.outputs_of == ["PyTorch", "new layer", 0.2, 0]


@pytest.mark.parametrize("framework", ["PyTorch", "Keras", "Gluon"])
def test_five_rounds_are_dealt_and_every_call_that_does_the_same_is_a_right_answer(require, framework):
    require(FRAMEWORKS[framework][0])
    widget = EvalDetective(framework=framework)
    browser_says(widget, game=1)
    situations = set(FRAMEWORKS[framework][2])
    assert len(widget.rounds) == 5
    for dealt in widget.rounds:
        outputs = np.array(dealt["outputs"], np.float32).reshape(PASSES, -1)
        active = dealt["call"] in ACTIVE[framework]
        assert (outputs == INPUT).all() == (not active)
        assert set(dealt["alike"]) == (ACTIVE[framework] if active else situations - ACTIVE[framework])
    assert len({dealt["call"] in ACTIVE[framework] for dealt in widget.rounds}) == 2
    first = [dealt["call"] for dealt in widget.rounds]
    # The last answer is the call itself, the one before another that does the same, the others are wrong.
    wrong = [next(iter(situations - set(dealt["alike"]))) for dealt in widget.rounds[:3]]
    browser_says(widget, said=[*wrong, widget.rounds[3]["alike"][-1], widget.rounds[4]["call"]])
    assert (widget.stats()["rounds"], widget.stats()["rounds_right"]) == (5, 2)
    browser_says(widget, game=2)
    assert widget.said == [] and widget.stats()["rounds"] == 0
    again = EvalDetective(framework=framework)
    browser_says(again, game=1)
    assert [dealt["call"] for dealt in again.rounds] == first


def test_an_error_while_dealing_shows_in_the_widget(require, monkeypatch):
    require("torch")
    widget = EvalDetective()

    def broken(situation, p, seed):
        raise RuntimeError("no such device")

    monkeypatch.setitem(FRAMEWORKS, "PyTorch", ("torch", broken, FRAMEWORKS["PyTorch"][2]))
    browser_says(widget, game=1)
    assert widget.error == "RuntimeError: no such device" and widget.rounds == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"framework": "JAX"}, "framework must be one of PyTorch, Keras, Gluon, got 'JAX'"),
        ({"situation": "predict()"}, "situation must be one of new layer, .* got 'predict\\(\\)'"),
        ({"p": -0.1}, r"p must be in \[0, 1\], got -0.1"),
    ],
)
def test_the_detective_refuses_bad_values(arguments, message):
    with pytest.raises(ValueError, match=message):
        EvalDetective(**arguments)


def test_an_absent_framework_is_not_offered_and_says_why(monkeypatch):
    monkeypatch.setenv("COURSE_WITHOUT", "mxnet")
    assert "Gluon" not in EvalDetective().options
    with pytest.raises(ValueError, match="mxnet is not installed here"):
        EvalDetective(framework="Gluon")
