"""The widgets for which the kernel works: Eval-mode Detective and Overfit Race."""

import threading
import time

import numpy as np
import pytest
from node import run_js
from test_widget_core import browser_says

from utils.widgets import EvalDetective, OverfitRace
from utils.widgets.eval_detective import FRAMEWORKS, INPUT, PASSES
from utils.widgets.overfit_race import half_moons

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
    monkeypatch.undo()
    browser_says(widget, p=0.2)
    assert widget.error == "" and widget.outputs != before


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


# --- Overfit Race ---


@pytest.fixture
def race():
    widget = OverfitRace(p=0.5, seed=0, covered=False)
    yield widget
    widget.close()


def training_threads():
    return [thread for thread in threading.enumerate() if "_train_live" in thread.name]


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_without_dropout_the_net_memorises_and_pays_on_fresh_points():
    # Seen over seeds 0..2 at 2,000 epochs: fresh loss without dropout larger each time.
    for seed in range(3):
        widget = OverfitRace(p=0.5, seed=seed)
        widget.run(2000)
        stats = widget.stats()
        assert stats["epoch"] == 2000
        assert stats["train_p0"] < stats["train_p"]
        assert stats["fresh_p0"] - stats["train_p0"] > stats["fresh_p"] - stats["train_p"]


def test_a_run_repeats_for_a_seed_and_both_nets_start_equal():
    first, second = OverfitRace(seed=5), OverfitRace(seed=5)
    assert first.curves[0][1:3] == first.curves[0][3:5]
    first.run(100)
    second.run(100)
    assert first.curves == second.curves and first.surfaces == second.surfaces


def test_at_p_zero_both_nets_stay_equal():
    widget = OverfitRace(p=0.0)
    widget.run(60)
    _, train0, fresh0, train1, fresh1 = widget.curves[-1]
    assert (train0, fresh0) == (train1, fresh1)


def test_stop_ends_the_thread_within_half_a_second_and_step_goes_on(race):
    browser_says(race, playing=True)
    wait_until(lambda: race.curves[-1][0] > 0)
    start = time.monotonic()
    browser_says(race, playing=False)
    assert time.monotonic() - start < 0.5 and training_threads() == []
    epoch = race.stats()["epoch"]
    browser_says(race, step=1)
    assert race.stats()["epoch"] > epoch


def test_p_moves_while_it_trains(race):
    browser_says(race, playing=True)
    browser_says(race, p=0.8)
    wait_until(lambda: race.curves[-1][0] > 0)
    assert race.p == 0.8 and race.playing
    race.pause()


def test_results_keep_the_p_that_they_were_trained_with(race):
    race.run(40)
    curves = race.curves
    browser_says(race, p=0.9)
    assert race.trained == [[0.5, 40]] and race.curves == curves
    assert race.history() == "p = 0.50" and "(p = 0.50)" in race.figure().sentence
    race.run(20)
    assert race.trained == [[0.5, 40], [0.9, 20]] and race.history() == "p = 0.50, then 0.90"
    words = run_js("overfit_race", "cases.map(([trained, p]) => m.history(trained, p))",
                   cases=[[race.trained, 0.9], [[[0.5, 40]], 0.9], [[], 0.9]])  # fmt: skip
    assert words == ["p = 0.50, then 0.90", "p = 0.50", "p = 0.90, not trained yet"]
    words = run_js("overfit_race", "cases.map(([trained, p]) => m.pending(trained, p))",
                   cases=[[[[0.5, 40]], 0.9], [[[0.5, 40]], 0.5], [[], 0.9]])  # fmt: skip
    assert words == ["from now on p = 0.90", "", ""]


def test_the_python_line_of_a_race_gives_the_same_picture(race):
    race.run(40)
    race.p = 0.8
    race.run(20)
    again = eval(race.code(), {"OverfitRace": OverfitRace})
    assert again.curves[-1] == race.curves[-1] and again.surfaces == race.surfaces
    assert again.code() == race.code() and "trained=[[0.5, 40], [0.8, 20]]" in race.code()


def test_reset_takes_the_race_back_to_its_opening(race):
    first, opening = race.surfaces, dict(race.opening)
    assert opening == {"p": 0.5, "seed": 0, "trained": [], "covered": False}
    race.playing = True
    wait_until(lambda: race.curves[-1][0] > 0)
    browser_says(race, **opening, guess=None, playing=False)  # what Reset sends
    assert race.surfaces == first and race.curves[-1][0] == 0 and not race.playing
    assert race.stats()["truth"] is None


def test_reset_after_new_points_takes_a_trained_race_back_to_its_opening():
    race = OverfitRace(trained=[[0.5, 20]])
    first, opening = race.surfaces, dict(race.opening)
    browser_says(race, seed=3)
    assert race.trained == [] and race.surfaces != first
    browser_says(race, **opening, guess=None, playing=False)
    assert race.surfaces == first and race.trained == [[0.5, 20]]


def test_the_points_are_those_of_scikit_learn():
    from sklearn.datasets import make_moons

    for seed in range(3):
        x, y = half_moons(560, 0.35, seed)
        expected = make_moons(560, noise=0.35, random_state=seed)
        assert np.array_equal(y, expected[1]) and np.allclose(x, expected[0], rtol=0, atol=1e-15)


def test_the_race_knows_the_answer_once_it_has_run_that_far(race):
    assert race.truth is None and race.because == "Press Play to see 2,000 epochs."
    race.curves = [[1990, 1, 1, 1, 1], [2000, 0.1, 0.5, 0.2, 0.4], [4000, 0.1, 0.3, 0.2, 0.4]]
    race.answer()
    assert race.truth == "the one with dropout"
    assert race.because == "After 2,000 epochs: 0.50 without dropout, 0.40 with it."


@pytest.mark.parametrize(
    "trained",
    [[[2, 20]], [[0.5, 0]], [[0.5, 20.0]], [[0.5]], [[0.5, 3000], [0.5, 3001]], ["ab"], [[0.5, True]]],
)
def test_a_history_that_cannot_be_is_refused_in_one_sentence(trained):
    with pytest.raises(
        ValueError, match=r"trained must be a list of pairs \[p, epochs\], at most 6000 epochs"
    ):
        OverfitRace(trained=trained)


def test_only_one_race_runs_and_a_new_one_ends_the_old(race):
    race.playing = True
    other = OverfitRace(seed=1)
    other.playing = True
    assert not race.playing and other.playing and len(training_threads()) == 1
    other.close()
    assert training_threads() == []


def test_starting_again_forgets_the_epochs_and_stops_the_training(race):
    race.playing = True
    wait_until(lambda: race.curves[-1][0] > 0)
    browser_says(race, restart=1)
    assert not race.playing and race.stats()["epoch"] == 0
    browser_says(race, seed=7)
    assert np.frombuffer(race.points, np.float32).size == 180


def test_the_race_has_a_poster_and_a_sentence(race):
    race.run(20)
    assert repr(race).startswith("[slider] OverfitRace: p 0.5, epoch 20")
    assert race.poster().startswith(b"\x89PNG")
