"""Keras's dropout as chapter 03 teaches it, and the layer that the chapter writes by hand.

The hand-written layer is the chapter's own cell, executed: break it there and these tests go red.
"""

from pathlib import Path

import nbformat
import numpy as np
import pytest

from utils.arguments import check_probability
from utils.frameworks import load_keras

CHAPTER = Path(__file__).resolve().parent.parent / "notebooks" / "03_keras.ipynb"
DROP_PROBS = (0.0, 0.1, 0.3, 0.5, 0.9, 1.0)
edges = pytest.mark.parametrize("drop_prob", DROP_PROBS)


@pytest.fixture(scope="module")
def keras(require):
    require("keras")
    return load_keras()


@pytest.fixture(scope="module")
def chapter(keras):
    """What the chapter's cells define: the classes and functions of those that we name here."""
    names = ("def apply_mask(", "class PlainDropout", "class MyDropout", "def gradient(", "def build_net(")
    cells = [
        cell.source
        for cell in nbformat.read(CHAPTER, 4).cells
        if cell.cell_type == "code" and "your-turn" not in cell.metadata.get("tags", [])
    ]
    namespace = {"keras": keras, "backend": keras.backend.backend(), "np": np}
    namespace |= {"ops": keras.ops, "to_numpy": keras.ops.convert_to_numpy}
    namespace["check_probability"] = check_probability
    if namespace["backend"] == "tensorflow":
        import tensorflow

        namespace["tf"] = tensorflow
    for name in names:
        (source,) = [source for source in cells if name in source]
        definition = source.split("\n\n\nnet = ")[0]  # the summary stays in the chapter
        exec(definition, namespace)
    return namespace


def train_call(keras, layer, x):
    return keras.ops.convert_to_numpy(layer(x, training=True))


def inputs(seed=0, shape=(64, 50)):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


@pytest.fixture(params=["built-in", "by hand"])
def make_layer(request, keras, chapter):
    """A function (drop_prob, seed) -> layer, for Keras's layer and for the chapter's."""
    kind = keras.layers.Dropout if request.param == "built-in" else chapter["MyDropout"]
    return lambda drop_prob, seed: kind(drop_prob, seed=seed)


@pytest.mark.parametrize("drop_prob", [0.1, 0.3, 0.5, 0.9])
def test_share_of_zeros_mean_and_variance_are_those_of_inverted_dropout(keras, make_layer, drop_prob):
    n, q = 1_000_000, 1 - drop_prob
    y = train_call(keras, make_layer(drop_prob, 1), np.ones(n, "float32")).astype("float64")
    assert abs((y == 0).mean() - drop_prob) < 5 * np.sqrt(drop_prob * q / n)
    assert abs(y.mean() - 1) < 5 * np.sqrt(drop_prob / q / n)
    # y is 0 or 1/q, so (y - 1)^2 takes two values and its standard error is exact.
    squares = np.array([1.0, (1 / q - 1) ** 2])
    variance = drop_prob / q
    error = np.sqrt((drop_prob * squares[0] ** 2 + q * squares[1] ** 2 - variance**2) / n)
    assert abs(((y - 1) ** 2).mean() - variance) < 5 * error + 1e-6


def test_units_and_examples_are_dropped_independently(keras, make_layer):
    n, drop_prob = 200_000, 0.3
    dropped = train_call(keras, make_layer(drop_prob, 2), np.ones((n, 2), "float32")) == 0
    both = drop_prob**2
    limit = 5 * np.sqrt(both * (1 - both) / n)
    assert abs((dropped[:, 0] & dropped[:, 1]).mean() - both) < limit
    # Neighbouring pairs of examples overlap, which adds a covariance: twice p^3 (1 - p) a pair.
    limit = 5 * np.sqrt((both * (1 - both) + 2 * drop_prob**3 * (1 - drop_prob)) / (n - 1))
    assert abs((dropped[1:, 0] & dropped[:-1, 0]).mean() - both) < limit


@edges
def test_inference_hands_the_input_through(keras, make_layer, drop_prob):
    x = inputs()
    layer = make_layer(drop_prob, 3)
    for output in (layer(x), layer(x, training=False)):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(output), x)


@edges
def test_the_layer_by_hand_equals_keras_under_a_recovered_mask(keras, chapter, drop_prob):
    x = inputs()
    factor = train_call(keras, keras.layers.Dropout(drop_prob, seed=4), np.ones_like(x))
    theirs = train_call(keras, keras.layers.Dropout(drop_prob, seed=4), x)
    ours = chapter["apply_mask"](keras.ops.convert_to_tensor(x), factor > 0, drop_prob)
    ours = keras.ops.convert_to_numpy(ours)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=0)
    np.testing.assert_allclose(ours, x * factor, rtol=1e-6, atol=0)


@edges
def test_its_call_scales_the_units_that_it_keeps(keras, chapter, drop_prob):
    x = inputs()
    y = train_call(keras, chapter["MyDropout"](drop_prob, seed=5), x)
    kept = y != 0
    scale = 1 / (1 - drop_prob) if drop_prob < 1 else 0
    np.testing.assert_allclose(y[kept], x[kept] * scale, rtol=1e-6)
    assert kept.any() == (drop_prob < 1) and (~kept).any() == (drop_prob > 0)


@edges
def test_the_gradient_by_hand_equals_that_of_keras(keras, chapter, drop_prob):
    x, w = inputs(), inputs(1)
    factor = train_call(keras, keras.layers.Dropout(drop_prob, seed=6), np.ones_like(x))
    ours = chapter["gradient"](lambda x: chapter["apply_mask"](x, factor > 0, drop_prob), x, w)
    np.testing.assert_allclose(ours, w * factor, rtol=1e-6, atol=0)
    if drop_prob < 1:  # there Keras's own output does not depend on x, and torch has no gradient
        built_in = keras.layers.Dropout(drop_prob, seed=6)
        theirs = chapter["gradient"](lambda x: built_in(x, training=True), x, w)
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=0)


def test_an_integer_seed_fixes_the_sequence_of_masks_and_every_call_moves_on(keras, make_layer):
    x = np.ones(200, "float32")
    first, twin = make_layer(0.5, 7), make_layer(0.5, 7)
    calls = [[train_call(keras, layer, x) for _ in range(2)] for layer in (first, twin)]
    assert (calls[0][0] != calls[0][1]).any()
    np.testing.assert_array_equal(calls[0], calls[1])


def test_the_global_seed_repeats_layers_without_a_seed(keras, make_layer):
    x = np.ones(200, "float32")
    masks = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        masks.append(train_call(keras, make_layer(0.5, None), x))
    np.testing.assert_array_equal(masks[0], masks[1])
    assert (masks[0] != masks[2]).any()


def test_a_dropped_nan_becomes_zero_in_both_layers(keras, make_layer):
    y = train_call(keras, make_layer(0.5, 8), np.full(200, np.nan, "float32"))
    assert (y == 0).any() and np.isnan(y).any()


def test_the_input_is_not_changed(keras, make_layer):
    x = inputs()
    before = x.copy()
    train_call(keras, make_layer(0.5, 9), x)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("drop_prob", [-0.1, 1.2, float("nan")])
def test_a_probability_outside_0_to_1_is_refused(make_layer, drop_prob):
    with pytest.raises(ValueError):
        make_layer(drop_prob, None)


def test_the_refusal_by_hand_is_one_sentence(chapter):
    with pytest.raises(ValueError) as error:
        chapter["MyDropout"](1.2)
    assert str(error.value) == "drop_prob must be in [0, 1], got 1.2"


def test_integers_are_refused_in_training_and_pass_in_inference(keras, make_layer):
    layer = make_layer(0.5, None)  # on PyTorch, Keras's layer refuses only without a seed
    with pytest.raises((ValueError, RuntimeError)):
        layer(np.arange(4), training=True)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(layer(np.arange(4))), np.arange(4))


def test_a_copy_from_the_configuration_is_the_same_layer(keras, chapter):
    mine = chapter["MyDropout"](0.3, seed=11, name="mine")
    copy = keras.layers.deserialize(keras.layers.serialize(mine))
    assert type(copy) is chapter["MyDropout"] and copy.get_config() == mine.get_config()
    x = np.ones(200, "float32")
    np.testing.assert_array_equal(train_call(keras, copy, x), train_call(keras, mine, x))


def test_a_saved_model_with_the_layer_by_hand_loads_and_predicts_the_same(keras, chapter, tmp_path):
    net = chapter["build_net"](chapter["MyDropout"](0.3, seed=12))
    path = tmp_path / "net.keras"
    net.save(path)
    x = np.random.default_rng(0).random((5, 28, 28), dtype="float32")
    loaded = keras.saving.load_model(path)
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), net.predict(x, verbose=0))


def test_the_layer_by_hand_hands_on_masks_and_its_shape_and_starts_again_after_loading(
    keras, chapter, tmp_path
):
    net = keras.Sequential([keras.Input((6, 3)), keras.layers.Masking(), chapter["MyDropout"](0.5, seed=3)])
    sequences = np.ones((2, 6, 3), "float32")
    sequences[:, 4:] = 0
    assert keras.ops.convert_to_numpy(net(sequences)._keras_mask).tolist() == [[True] * 4 + [False] * 2] * 2
    assert net.layers[-1].compute_output_shape((None, 6, 3)) == (None, 6, 3)
    first = train_call(keras, net, np.ones((9, 6, 3), "float32"))
    net.save(tmp_path / "net.keras")
    loaded = keras.saving.load_model(tmp_path / "net.keras")
    assert np.array_equal(first, train_call(keras, loaded, np.ones((9, 6, 3), "float32")))


def test_the_lesson_net_has_79510_parameters_and_dropout_adds_none(keras, chapter):
    assert chapter["build_net"]().count_params() == 79_510
    for layer in (keras.layers.Dropout(0.3), chapter["MyDropout"](0.3)):
        net = chapter["build_net"](layer)
        assert net.count_params() == 79_510
        assert layer.count_params() == 0 and layer.output.shape == (None, 100)


def test_a_model_drops_only_where_training_is_asked_for(keras, make_layer):
    copy = keras.layers.Dense(500, kernel_initializer="identity")
    net = keras.Sequential([keras.Input((500,)), make_layer(0.5, 13), copy])
    x = np.ones((4, 500), "float32")
    net.compile(loss="mse")
    assert net.evaluate(x, x, verbose=0) == 0
    assert (net.predict(x, verbose=0) == 1).all()
    assert (keras.ops.convert_to_numpy(net(x)) == 1).all()
    assert (train_call(keras, net, x) == 0).any()
    assert net.fit(x, x, verbose=0).history["loss"][0] > 0


def test_freezing_a_model_does_not_switch_dropout_off(keras, make_layer):
    net = keras.Sequential([keras.Input((500,)), make_layer(0.5, 14)])
    net.trainable = False
    assert (train_call(keras, net, np.ones((4, 500), "float32")) == 0).any()


def test_a_noise_shape_of_one_shares_the_mask_along_that_axis(keras):
    layer = keras.layers.Dropout(0.5, noise_shape=(None, 1, None), seed=15)
    y = train_call(keras, layer, np.ones((8, 6, 10), "float32"))
    np.testing.assert_array_equal(y, np.broadcast_to(y[:, :1], y.shape))
    assert (y == 0).any() and (y != 0).any()
