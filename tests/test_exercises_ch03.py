"""Chapter 03's checks against wrong answers that have no name: each is told what is expected."""

import numpy as np
import pytest

from conftest import skip_or_fail
from utils.frameworks import available

if not available("keras"):
    pytest.skip("Keras is not installed here", allow_module_level=True)

from utils.exercises import ch03
from utils.exercises.ch03 import (
    EXERCISES,
    LOSSES,
    SWITCH,
    _loss,
    _step,
    check_layer,
    check_stopping,
    coins,
    cross_entropy,
    descend,
    keras,
    make_layer_class,
    ops,
    to_numpy,
)


def per_example(shape, p, seed):
    return coins((shape[0], 1), p, seed)


def by_pairs(shape, p, seed):
    """Two neighbouring examples share their coins."""
    return ops.repeat(coins((shape[0] // 2, *shape[1:]), p, seed), 2, axis=0)


def learns_nothing(net, x, y):
    return float(to_numpy(cross_entropy(y, net(x, training=True))))


def tensor_step(net, x, y):
    return np.float32(_step(True)(net, x, y))


def learns(net, x, y):
    return _step(False)(net, x, y)


def shapes(**changed):
    right = [(None, 1, 1, None), (None, None, None, 1), (None, 1, 1, 1), (1, None, None, None)]
    return ({**dict(zip(ch03.SHARED, right, strict=True)), **changed},)


WRONG = [
    ("switch", ({**SWITCH, "model.predict(x)": True},), "model.predict(x), as a run shows it"),
    ("count", (1250, 40, 50), "weights and biases"),
    ("count", (1203, 25, 50), "the probability to keep"),
    ("count", (1203, 40, 10), "when dropout is off"),
    ("layer", (make_layer_class(coins, in_prediction=lambda x: x + 1),), "the plain input"),
    ("layer", (make_layer_class(coins, in_prediction=lambda x: x[:, 1:]),), "(2000, 20) in prediction"),
    (
        "layer",
        (make_layer_class(lambda shape, p, seed: coins((3, *shape), p, seed)),),
        "(2000, 20) in training",
    ),
    ("layer", (make_layer_class(per_example),), "one coin per unit"),
    ("layer", (make_layer_class(by_pairs),), "a coin of its own for every unit of every example"),
    ("layer", (make_layer_class(lambda shape, p, seed: coins(shape, 0.5, seed)),), "a share 0.3 of zeros"),
    ("layer", (make_layer_class(coins, scale=2),), "ones to become 0 or 1.43"),
    ("layer", (make_layer_class(coins),), "ones to become 1 at p = 0"),
    ("loop", (learns_nothing, _loss(False)), "moves the weights"),
    ("loop", (tensor_step, _loss(False)), "as a float"),
    ("loop", (_step(True), learns), "weights that stay"),
    ("loop", (_step(True), lambda net, x, y: 2 * _loss(False)(net, x, y)), "a held-out loss of"),
    ("shapes", shapes(**{"one coin per image": (None, None)}), "with 4 entries"),
    ("shapes", shapes(**{"one coin per image": (None, 1, 1, None)}), "for one coin per image"),
    ("stopping", (3, 3, 2), "does not beat the best"),
    ("stopping", (4, 3, 2), "as training left them"),
    ("stopping", (4, 4, 1), "the lowest loss so far"),
]


@pytest.mark.parametrize(("name", "answers", "expected"), WRONG)
def test_a_wrong_answer_is_told_what_is_expected(name, answers, expected):
    problem = EXERCISES[name].check(*answers)
    assert expected in problem.expected and problem.got and not problem.why


def test_a_mask_from_numpy_is_seen_where_the_layer_is_compiled():
    if not ch03.ON_TENSORFLOW:
        skip_or_fail("only TensorFlow compiles a layer")
    rng = np.random.default_rng(0)
    layer = make_layer_class(lambda shape, p, seed: ops.convert_to_tensor(rng.random(shape) >= p))
    assert check_layer(layer).why == ch03.GRAPH


def test_the_answers_about_the_switch_are_what_keras_does():
    net = keras.Sequential([keras.Input((200,)), keras.layers.Dropout(0.5)])
    net.add(keras.layers.Dense(200, kernel_initializer="identity"))
    net.compile(loss="mse", optimizer=keras.optimizers.SGD(0.0))
    x = np.ones((4, 200), dtype="float32")

    def drops(output):
        return bool((to_numpy(output) != x).any())

    history = net.fit(x, x, validation_data=(x, x), verbose=0).history
    outputs = []
    descend(net, lambda: outputs.append(net(x)) or ops.mean(outputs[0]))
    found = [drops(net(x)), drops(net.predict(x, verbose=0))]
    found += [history["loss"][0] > 0, history["val_loss"][0] > 0, drops(outputs[0])]
    net.trainable = False
    assert [*found, drops(net(x, training=True))] == list(SWITCH.values())


def test_the_answer_about_early_stopping_is_what_keras_does():
    found = []
    for restore in (False, True):
        net = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
        stop = keras.callbacks.EarlyStopping(patience=2, restore_best_weights=restore)
        net.compile(loss="mse")
        stop.set_model(net)
        stop.on_train_begin()
        for epoch, loss in enumerate(LOSSES):
            net.set_weights([np.full((1, 1), epoch + 1)])
            stop.on_epoch_end(epoch, {"val_loss": loss})
            if net.stop_training:
                break
        stop.on_train_end()
        found.append(round(net.get_weights()[0].item()))
    assert check_stopping(epoch + 1, *found) is None
