"""The same net in four frameworks: equal results for equal masks, and known answers at the edges."""

import warnings

import numpy as np
import pytest

from authoring.bench.trainers import TRAINERS
from utils import parity, scratch
from utils.frameworks import load_keras, load_mxnet
from utils.measured import seconds_in_turns

# Each batch is chosen so that no ReLU input is within KINK of 0: there rounding may flip a slope.
KINK = 1e-6
CASES = [
    (batch_size, drop_probs, seed)
    for batch_size, seeds in ((1, (0, 1, 2)), (7, (0, 1, 2)), (32, (0, 1, 2)))
    for drop_probs in ((0.0, 0.0), (0.2, 0.5), (0.9, 0.9))
    for seed in seeds
]
FRAMEWORKS = ("Keras", "PyTorch", "Gluon")
LAYERS = {
    "NumPy": (parity.numpy_dropout, "numpy"),
    "Keras": (parity.keras_dropout, "keras"),
    "PyTorch": (parity.torch_dropout, "torch"),
    "MXNet nd": (parity.nd_dropout, "mxnet"),
    "Gluon": (parity.gluon_dropout, "mxnet"),
}
X = np.arange(1, 17, dtype=np.float32).reshape(2, 8)

every_framework = pytest.mark.parametrize("name", FRAMEWORKS)
every_dtype = pytest.mark.parametrize("dtype", ["float64", "float32"])
every_case = pytest.mark.parametrize("batch_size, drop_probs, seed", CASES)
every_layer = pytest.mark.parametrize("name", LAYERS)


@pytest.fixture
def layer(name, require):
    """The dropout function of the parametrized layer; skips where its framework is absent."""
    function, package = LAYERS[name]
    if package != "numpy":
        require(package)
    return function


def cast(problem, dtype):
    params, factors, x, y = problem
    return (
        [[value.astype(dtype) for value in pair] for pair in params],
        [factor.astype(dtype) for factor in factors],
        x.astype(dtype),
        y,
    )


def relu_inputs(params, factors, x, y):
    h = x
    for (W, b), factor in zip(params[:-1], factors, strict=True):
        z = h @ W + b
        yield z
        h = np.maximum(z, 0) * factor


# --- the same weights and the same masks ---


@every_case
def test_no_case_has_a_relu_input_so_near_zero_that_rounding_decides(batch_size, drop_probs, seed):
    problem = parity.make_problem(batch_size, drop_probs, seed, np.float64)
    assert min(np.abs(z).min() for z in relu_inputs(*problem)) > KINK


@every_framework
@every_dtype
@every_case
def test_logits_and_all_gradients_agree_with_numpy(name, dtype, batch_size, drop_probs, seed, require):
    require(parity.PACKAGES[name])
    problem = parity.make_problem(batch_size, drop_probs, seed, np.float64)
    logits, grads = parity.PASSES[name](*cast(problem, dtype))
    assert logits.dtype == dtype and all(grad.dtype == dtype for pair in grads for grad in pair)
    assert [[grad.shape for grad in pair] for pair in grads] == [[v.shape for v in p] for p in problem[0]]
    assert max(parity.max_differences((logits, grads), parity.numpy_pass(*problem))) < parity.bound(
        name, dtype
    )


@pytest.mark.parametrize("drop_probs", [(0.0, 0.0), (0.2, 0.5), (0.9, 0.9)])
def test_the_pass_with_given_masks_is_the_training_pass_of_scratch(drop_probs):
    params, _, x, y = parity.make_problem(32, drop_probs, 0, np.float64)
    logits, cache = scratch.forward_train(params, x, drop_probs, np.random.default_rng(5))
    grads = scratch.backward(params, cache, scratch.softmax_cross_entropy(logits, y)[1])
    factors = [
        np.ones((32, units)) if factor is None else factor
        for units, (_, factor) in zip(parity.SIZES[1:-1], cache[1:], strict=True)
    ]
    assert max(parity.max_differences(parity.numpy_pass(params, factors, x, y), (logits, grads))) < 1e-12


def test_an_unscaled_factor_and_a_transposed_matrix_are_far_outside_the_bounds():
    params, factors, x, y = parity.make_problem(32, (0.2, 0.5), 0, np.float64)
    reference = parity.numpy_pass(params, factors, x, y)
    unscaled = [(factor > 0).astype(float) for factor in factors]
    assert max(parity.max_differences(parity.numpy_pass(params, unscaled, x, y), reference)) > 0.1
    turned = [params[0], [params[1][0].T, params[1][1]], params[2]]
    assert max(parity.max_differences(parity.numpy_pass(turned, factors, x, y), reference)) > 0.1


def test_a_single_wrong_gradient_is_seen():
    problem = parity.make_problem(7, (0.2, 0.5), 0, np.float64)
    reference = parity.numpy_pass(*problem)
    logits, grads = parity.numpy_pass(*problem)
    grads[1][1][3] += 1e-9
    assert parity.max_differences((logits, grads), reference)[1] > parity.bound("NumPy", "float64")


# --- each framework's own layer ---


@every_layer
@every_dtype
@pytest.mark.parametrize("drop_prob", [0.2, 0.5, 0.9])
def test_a_layer_multiplies_by_the_factor_that_it_shows_on_ones(name, layer, dtype, drop_prob):
    x = np.random.default_rng(1).random((200, 100)).astype(dtype) + 1
    factor = layer(np.ones_like(x), drop_prob, seed=7)
    output = layer(x, drop_prob, seed=7)
    assert output.dtype == dtype
    np.testing.assert_allclose(output, x * factor, rtol=2 * np.finfo(dtype).eps, atol=0)


@every_layer
@pytest.mark.parametrize("drop_prob", [0.2, 0.5, 0.9])
def test_a_layers_factor_is_zero_with_probability_p_and_else_one_over_q(name, layer, drop_prob):
    factor = layer(np.ones((500, 200), np.float32), drop_prob, seed=7)
    kept = factor[factor != 0]
    np.testing.assert_allclose(kept, 1 / (1 - drop_prob), rtol=1e-6)
    standard_error = np.sqrt(drop_prob * (1 - drop_prob) / factor.size)
    assert abs((factor == 0).mean() - drop_prob) < 5 * standard_error


def test_mxnets_factor_has_only_float32_precision_in_float64(require):
    require("mxnet")
    error = abs(parity.nd_dropout(np.ones((50, 50)), 0.3).max() * 0.7 - 1)
    assert 1e-9 < error < 1e-7


# --- the table of edge cases ---

ERRORS = {
    "NumPy": {"negative": "ValueError", "above 1": "ValueError", "NaN": "ValueError"},
    "Keras": {"negative": "ValueError", "above 1": "ValueError", "NaN": "ValueError"},
    "PyTorch": {"negative": "ValueError", "above 1": "ValueError", "NaN": "RuntimeError"},
    "MXNet nd": {"negative": "MXNetError", "above 1": "MXNetError", "NaN": None},
    "Gluon": {"negative": None, "above 1": "MXNetError", "NaN": None},
}


@every_layer
@pytest.mark.parametrize("case, drop_prob", [("negative", -0.1), ("above 1", 1.1), ("NaN", float("nan"))])
def test_a_p_outside_its_range_is_refused_or_silently_ignored_as_the_table_says(name, layer, case, drop_prob):
    expected = ERRORS[name][case]
    if expected is None:
        np.testing.assert_array_equal(layer(X, drop_prob), X)
    else:
        with pytest.raises(Exception, match=r".") as caught:
            layer(X, drop_prob)
        assert caught.type.__name__ == expected


@every_layer
def test_p_zero_and_prediction_change_nothing(name, layer):
    np.testing.assert_array_equal(layer(X, 0.0), X)
    for drop_prob in (0.0, 0.5, 1.0):
        np.testing.assert_array_equal(layer(X, drop_prob, training=False), X)


@every_layer
def test_p_one_gives_zeros_except_in_mxnet_where_it_gives_nan(name, layer):
    expected = np.full_like(X, np.nan if name in ("MXNet nd", "Gluon") else 0)
    np.testing.assert_array_equal(layer(X, 1.0), expected)


def test_the_gradient_at_p_one_is_nan_in_mxnet(require):
    require("mxnet")
    mx = load_mxnet()
    x = mx.nd.array(X)
    x.attach_grad()
    with mx.autograd.record():
        total = mx.nd.Dropout(x, p=1).sum()
    total.backward()
    assert np.isnan(x.grad.asnumpy()).all()


def test_the_gradient_at_p_one_is_zero_in_torch(require):
    require("torch")
    import torch

    x = torch.tensor(X, requires_grad=True)
    torch.nn.functional.dropout(x, 1.0).sum().backward()
    assert not x.grad.any()


def test_the_gradient_at_p_one_is_absent_in_keras(require):
    require("tensorflow")
    keras = load_keras()
    x, dropout = keras.Variable(X), keras.layers.Dropout(1.0)

    def sum_and_output():
        output = dropout(keras.ops.convert_to_tensor(x), training=True)
        return keras.ops.sum(output), output

    assert parity.keras_gradients(sum_and_output, [x])[1] == [None]


@pytest.mark.parametrize("name", ["NumPy", "PyTorch", "MXNet nd", "Gluon"])
def test_integers_are_refused_in_training(name, layer):
    with pytest.raises((TypeError, ValueError, RuntimeError)):
        layer(np.arange(16).reshape(2, 8), 0.5)


def test_keras_on_tensorflow_refuses_integers_in_training(require):
    require("tensorflow")
    if load_keras().backend.backend() != "tensorflow":
        pytest.skip("KERAS_BACKEND chose another backend")
    with pytest.raises(ValueError):
        parity.keras_dropout(np.arange(16).reshape(2, 8), 0.5)


@every_layer
def test_integers_pass_in_prediction_except_in_mxnet(name, layer):
    integers = np.arange(16).reshape(2, 8)
    if name in ("MXNet nd", "Gluon"):
        with pytest.raises(load_mxnet().MXNetError):
            layer(integers, 0.5, training=False)
    else:
        np.testing.assert_array_equal(layer(integers, 0.5, training=False), integers)


@every_layer
def test_a_dropped_nan_becomes_zero_in_keras_and_stays_nan_elsewhere(name, layer):
    output = layer(np.full((50, 50), np.nan, np.float32), 0.5)
    if name == "Keras":
        assert 0 < (output == 0).sum() < output.size
    else:
        assert np.isnan(output).all()


# --- shared masks, seeds, modes ---


def test_shared_masks_drop_whole_feature_maps_in_every_spelling(require):
    require("keras", "torch", "mxnet")
    import torch

    keras, mx = load_keras(), load_mxnet()
    maps = np.ones((8, 6, 5, 5), np.float32)
    by_keras = keras.layers.Dropout(0.5, noise_shape=(None, None, 1, 1), seed=0)(maps, training=True)
    by_torch = torch.nn.Dropout2d(0.5)(torch.from_numpy(maps))
    mx.random.seed(0)
    with mx.autograd.train_mode():
        by_gluon = mx.gluon.nn.Dropout(0.5, axes=(2, 3))(mx.nd.array(maps)).asnumpy()
    for output in (keras.ops.convert_to_numpy(by_keras), by_torch.numpy(), by_gluon):
        per_map = output.reshape(48, 25)
        assert (per_map == per_map[:, :1]).all()
        assert 0 < (per_map[:, 0] == 0).sum() < 48


@every_layer
def test_the_same_seed_gives_the_same_mask_and_another_seed_another(name, layer):
    ones = np.ones((20, 50), np.float32)
    np.testing.assert_array_equal(layer(ones, 0.5, seed=3), layer(ones, 0.5, seed=3))
    assert (layer(ones, 0.5, seed=3) != layer(ones, 0.5, seed=4)).any()


def test_an_integer_seed_in_keras_advances_per_call_and_two_layers_with_it_move_in_step(require):
    require("keras")
    keras = load_keras()
    ones = np.ones((4, 50), np.float32)
    first, second = (keras.layers.Dropout(0.5, seed=1) for _ in range(2))
    one, two, other = (
        keras.ops.convert_to_numpy(layer(ones, training=True)) for layer in (first, first, second)
    )
    assert (one != two).any()
    np.testing.assert_array_equal(one, other)


def test_keras_is_off_by_default(require):
    require("keras")
    keras = load_keras()
    ones = np.ones((10, 10), np.float32)
    output = keras.layers.Dropout(0.5)(ones)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(output), ones)


def test_a_new_torch_module_drops_and_no_grad_does_not_stop_it(require):
    require("torch")
    import torch

    ones = torch.ones(10, 10)
    assert (torch.nn.Dropout(0.5)(ones) == 0).any()
    with torch.no_grad():
        assert (torch.nn.Dropout(0.5)(ones) == 0).any()
    assert (torch.nn.functional.dropout(ones) == 0).any()
    assert (torch.nn.Dropout(0.5).eval()(ones) == 1).all()


def test_gluon_drops_inside_record_alone_unless_told_otherwise(require):
    require("mxnet")
    mx = load_mxnet()
    ones, layer = mx.nd.ones((10, 10)), mx.gluon.nn.Dropout(0.5)

    def drops():
        return bool((layer(ones).asnumpy() == 0).any())

    assert not drops()
    with mx.autograd.record():
        assert drops()
        with mx.autograd.pause():
            assert not drops()
    with mx.autograd.record(train_mode=False):
        assert not drops()
    with mx.autograd.train_mode():
        assert drops()


# --- nets and training ---


@pytest.mark.parametrize("name", ["NumPy", *FRAMEWORKS])
def test_two_epochs_of_each_trainer_lower_the_loss(name, require):
    if name != "NumPy":
        require(parity.PACKAGES[name])
    rng = np.random.default_rng(0)
    y = rng.integers(10, size=1000)
    x = rng.random((1000, 784), dtype=np.float32) * 0.2
    x[np.arange(1000), y] = 5
    params = scratch.init_he(parity.SIZES, rng)
    before = [value.copy() for pair in params for value in pair]
    epoch = TRAINERS[name](params, (0.2, 0.5), x, y, batch_size=96, lr=0.1, seed=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (first, _), (second, accuracy) = epoch(), epoch()
    assert 0 < second < first and 0 < accuracy <= 1
    after = [value for pair in params for value in pair]
    assert all(np.array_equal(*pair) for pair in zip(before, after, strict=True)), "params are the caller's"


@every_framework
def test_a_net_predicts_what_scratch_predicts_from_the_same_weights(name, require):
    require(parity.PACKAGES[name])
    params, _, x, _ = parity.make_problem(32, (0.2, 0.5), 0)
    net = {"Keras": parity.keras_net, "PyTorch": parity.torch_net, "Gluon": parity.gluon_net}[name](
        params, (0.2, 0.5)
    )
    if name == "Keras":
        logits = load_keras().ops.convert_to_numpy(net(x, training=False))
    elif name == "PyTorch":
        import torch

        logits = net.eval()(torch.from_numpy(x)).detach().numpy()
    else:
        logits = net(load_mxnet().nd.array(x)).asnumpy()
    np.testing.assert_allclose(logits, scratch.forward_eval(params, x), atol=1e-5)


def test_an_absent_framework_is_left_out(monkeypatch):
    monkeypatch.setenv("COURSE_WITHOUT", "mxnet,torch")
    assert parity.present() == [name for name in ("NumPy", "Keras") if name in parity.present()]
    assert "Gluon" not in parity.dropouts() and "MXNet nd" not in parity.dropouts()


def test_a_backend_without_gradients_here_is_named(require, monkeypatch):
    require("keras")
    keras = load_keras()
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(NotImplementedError, match="'jax'"):
        parity.keras_gradients(lambda: None, [])


def test_the_benchmark_prints_its_ratios_and_targets(capsys):
    from authoring.bench import epochs

    x = np.random.default_rng(0).random((600, 784), dtype=np.float32)
    y = np.random.default_rng(1).integers(10, size=600)
    contestants = epochs.make_epochs(x, y)
    two = {name: contestants[name] for name in ("NumPy", "matrix products")}
    seconds = seconds_in_turns(two, rounds=2)
    epochs.report(seconds)
    printed = capsys.readouterr().out
    assert "matrix products alone / NumPy epoch" in printed and ">= 0.65" in printed
