"""What the checks hold for true is what a run shows."""

from contextlib import ExitStack
from importlib import import_module

import numpy as np
import pytest

from conftest import skip_or_fail
from utils import scratch
from utils.exercises.engine import exercises, find_problem, load_chapter
from utils.measured import MORE, difference, load_results, verdict
from utils.metrics import accuracy
from utils.own_data import load_own


@pytest.fixture
def load():
    """A function: the module of a chapter, or a visible skip where its framework is absent."""

    def module(number):
        try:
            return load_chapter(number)
        except ImportError as error:
            skip_or_fail(f"chapter {number}: {error}")

    return module


# --- 01 ---


def test_a_net_that_learnt_random_labels_is_surer_than_it_may_be(load):
    ch01 = load("01")
    rng = np.random.default_rng(0)
    x, x_held = ch01.load_images()[0][:200], ch01.load_images()[2]
    y, y_held = rng.integers(4, size=len(x)), rng.integers(4, size=len(x_held))
    net = scratch.init_he((784, 64, 4), rng)
    for _ in range(150):
        scratch.train_epoch(net, x, y, (0,), 50, 0.1, rng)
    logits = scratch.forward_eval(net, x_held)
    assert accuracy(scratch.forward_eval(net, x), y) > 0.95
    assert abs(accuracy(logits, y_held) - 0.25) < 5 * np.sqrt(0.25 * 0.75 / len(y_held))
    assert ch01.cost(logits, y_held) > np.log(4) + 0.3


@pytest.mark.parametrize(("name", "drop_prob"), [("without", "0.0"), ("with", "0.5")])
def test_the_recorded_runs_are_the_first_of_the_chapter(name, drop_prob, load):
    """A row of the diary: epoch, printed loss, then accuracy, NLL, ECE of training, validation and test."""
    last = [rows[-1] for rows in load_results("01_overfitting")["diary"][drop_prob][:3]]
    recorded = load("01").RECORDED
    assert np.allclose(recorded[f"error {name}"], [1 - row[5] for row in last], atol=5e-5)
    assert np.allclose(recorded[f"NLL {name}"], [row[6] for row in last], atol=5e-5)


# --- 03 ---


def test_the_answers_about_the_switch_are_what_keras_does(load):
    ch03 = load("03")
    keras, to_numpy = ch03.keras, ch03.to_numpy
    net = keras.Sequential([keras.Input((200,)), keras.layers.Dropout(0.5)])
    net.add(keras.layers.Dense(200, kernel_initializer="identity"))
    net.compile(loss="mse", optimizer=keras.optimizers.SGD(0.0))
    x = np.ones((4, 200), dtype="float32")

    def drops(output):
        return bool((to_numpy(output) != x).any())

    history = net.fit(x, x, validation_data=(x, x), verbose=0).history
    outputs = []
    ch03.descend(net, lambda: outputs.append(net(x)) or ch03.ops.mean(outputs[0]))
    found = [drops(net(x)), drops(net.predict(x, verbose=0))]
    found += [history["loss"][0] > 0, history["val_loss"][0] > 0, drops(outputs[0])]
    net.trainable = False
    assert [*found, drops(net(x, training=True))] == list(ch03.SWITCH.values())


def test_the_answer_about_early_stopping_is_what_keras_does(load):
    ch03 = load("03")
    keras = ch03.keras
    found = []
    for restore in (False, True):
        net = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
        stop = keras.callbacks.EarlyStopping(patience=2, restore_best_weights=restore)
        net.compile(loss="mse")
        stop.set_model(net)
        stop.on_train_begin()
        for epoch, loss in enumerate(ch03.LOSSES):
            net.set_weights([np.full((1, 1), epoch + 1)])
            stop.on_epoch_end(epoch, {"val_loss": loss})
            if net.stop_training:
                break
        stop.on_train_end()
        found.append(round(net.get_weights()[0].item()))
    assert find_problem(exercises("03")["stopping"], (epoch + 1, *found)) is None


# --- 05 ---


def test_the_answers_about_the_contexts_are_what_mxnet_does(load):
    ch05 = load("05")
    autograd, nd = ch05.autograd, ch05.nd
    contexts = {
        "net(x), no with around it": (),
        "net(x) in record()": (autograd.record(),),
        "net(x) in record(train_mode=False)": (autograd.record(train_mode=False),),
        "net(x) in predict_mode(), in record()": (autograd.record(), autograd.predict_mode()),
        "net(x) in train_mode()": (autograd.train_mode(),),
    }
    for call, around in contexts.items():
        with ExitStack() as stack:
            for context in around:
                stack.enter_context(context)
            assert bool(ch05.zeros_in(ch05.nn.Dropout(0.5)(nd.ones((50, 50))))) is ch05.MODES[call]
    assert ch05.zeros_in(nd.Dropout(nd.ones((50, 50)), p=0.5, mode="always"))


def test_the_five_pairs_have_both_signs_and_cannot_tell(load):
    ch05 = load("05")
    results = ch05.load_results("05_gluon")
    found = ch05.differences(results, "concise", "control")
    assert sorted(np.sign(found)) == [-1, -1, -1, 1, 1] and -0.002 < np.mean(found) < 0
    assert 0.004 < max(np.abs(found)) < 0.006
    assert verdict(difference(found), 0.005, MORE) == "cannot tell"
    dropout, control = (results[kind][4]["test_acc"][-1] for kind in ("concise", "control"))
    assert dropout > control + 0.004  # what the post saw


# --- 06 ---


def test_rounding_and_bugs_lie_far_apart(load):
    ch06 = load("06")
    differences = import_module("answers.ch06").differences
    largest = {name: max(differences(port, ch06.make_problem())) for name, port in ch06.PORTS.items()}
    assert largest["A"] < 1e-12 < 1e-9 < largest["C"] < 5e-6
    assert all(largest[name] > 0.02 for name in "BDE")
    assert differences(ch06.port_e, ch06.make_problem())[0] < 1e-12


def observed(dropout, values, drop_prob=0.5, training=True):
    try:
        output = dropout(values, drop_prob, training=training)
    except Exception:
        return "error"
    if np.array_equal(output, values):
        return "unchanged"
    if np.isnan(values).any():
        return "zeros" if (output == 0).any() else "NaN"
    return "NaN" if np.isnan(output).all() else "some" if output.any() else "zeros"


def test_the_table_of_edges_is_what_the_frameworks_do(load, require):
    require("mxnet", "tensorflow")
    ch06 = load("06")
    parity = ch06.parity
    h, missing = np.arange(1, 17, dtype=np.float32), np.full(100, np.nan, np.float32)
    integers = np.arange(1, 17)
    seen = {
        "PyTorch, p = 1, training": observed(parity.torch_dropout, h, 1.0),
        "MXNet, p = 1, training": observed(parity.nd_dropout, h, 1.0),
        "Gluon, rate = -0.1, training": observed(parity.gluon_dropout, h, -0.1),
        "PyTorch, integers, training": observed(parity.torch_dropout, integers),
        "PyTorch, integers, prediction": observed(parity.torch_dropout, integers, training=False),
        "PyTorch, a NaN that is dropped": observed(parity.torch_dropout, missing),
        "Keras, a NaN that is dropped": observed(parity.keras_dropout, missing),
    }
    assert seen == ch06.EDGES


# --- 07 to 12 ---


def test_a_pass_with_dropout_on_is_clearly_worse_than_the_vote(load):
    passes, vote = load("07").passes_with_dropout()
    assert passes[:, 0].mean() > vote + 0.05 and np.isfinite(passes).all()


@pytest.mark.parametrize("when", ["end", "stopped"])
def test_the_stored_sweep_holds_three_weight_decays_with_and_without_dropout(when, load):
    val, test = (load("08").load_decay(when, part) for part in ("val", "test"))
    assert set(val) == set(test) == {(decay, p) for decay in (0.0, 0.3, 1.0) for p in (0.0, 0.5)}
    assert all(values.shape == (10,) for losses in (val, test) for values in losses.values())
    assert all((val[pair] != test[pair]).all() for pair in val)


def test_the_stored_sweep_has_no_other_looks(load):
    with pytest.raises(ValueError, match='when must be "end" or "stopped"'):
        load("08").load_decay("best")
    with pytest.raises(ValueError, match="part must be"):
        load("08").load_decay("end", "train")


def test_the_runs_of_the_readers_own_data_take_apart_rows_and_follow_the_seed(load):
    ch08, data = load("08"), load_own("wine")
    first, again, other = (ch08.run_own(data=data, drop_prob=0.3, seed=seed) for seed in (0, 0, 1))
    assert first == again != other and set(first) == {"end", "stopped"}


def test_the_readers_own_u_says_what_the_best_p_saves(load):
    losses = {0.0: [0.5, 0.6, 0.7], 0.2: [0.4, 0.5, 0.6], 0.5: [0.5, 0.5, 0.5]}
    (ax,) = load("08").u_figure(losses, 0.2).axes
    assert ax.get_title() == "p = 0.2 saves +0.100 [+0.100, +0.100] against 0"
    np.testing.assert_allclose(ax.lines[0].get_xydata(), [(0.0, 0.6), (0.2, 0.5), (0.5, 0.5)])


def test_a_loss_that_stays_in_training_mode_goes_without_the_dropout_on_the_output(load):
    measure = load("09").losses_after_training
    build = import_module("answers.ch09").build
    with_it, in_eval = measure(lambda sizes, p: build(sizes, p, on_output=True))
    without_it, _ = measure(build)
    assert with_it > 0.05 > 0.01 > without_it and in_eval < 0.001


def test_the_swapped_order_leads_late_and_ten_pairs_see_no_leader_early_stopped(load):
    ch09 = load("09")
    runs = load_results("09_where")["order"]
    assert {ch09.better_order(runs, size, "late_nll") for size in ch09.SIZES} == {"swapped"}
    assert {ch09.better_order(runs, size) for size in ch09.SIZES} == {"cannot tell"}


@pytest.mark.parametrize("name", "ABCDE")
def test_no_variance_ratio_is_near_the_limit_that_tells_them_apart(name, load):
    ch10 = load("10")
    assert not any(0.7 < ratio < 0.95 for ratio in ch10.variance_ratios(ch10.LAYERS[name]))


def test_the_invented_nets_are_repaired_by_the_temperature_that_spoilt_them(load):
    ch12 = load("12")
    for sharpness in (0.8, 1.3, 2.5):
        answers = ch12.draw_answers(5_000, 3, sharpness)
        assert ch12.best_temperature(*answers) == pytest.approx(sharpness, rel=0.1)


def test_one_number_gets_most_of_the_gain_in_every_seed(load):
    assert 0.6 < load("12").right_share() < 0.95
