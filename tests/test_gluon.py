"""The definitions that chapter 05 builds, against the built-in layer and against utils.scratch."""

import ast
import math
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest

from utils import scratch
from utils.frameworks import load_mxnet
from utils.replay import NOTEBOOKS_DIR

# MXNet 1.9.1 is older than what NumPy and SciPy deprecate today.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mxnet")
OWN = ("function", "block", "hybrid", "hybridized")
ALL = ("built-in", *OWN)


def definitions(path):
    """The functions, classes and UPPER_CASE constants of a notebook's code cells, as one module."""
    body = []
    for cell in nbformat.read(path, 4).cells:
        if cell.cell_type == "code":
            for node in ast.parse(cell.source).body:
                constant = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DROP_PROBS"
                if constant or isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                    body.append(node)
    return compile(ast.Module(body, type_ignores=[]), str(path), "exec")


@pytest.fixture(scope="module")
def c(require):
    """The chapter's definitions, and the names that they use."""
    require("mxnet")
    mx = load_mxnet()
    from mxnet import autograd, gluon, init, nd, npx

    names = {"mx": mx, "np": np, "autograd": autograd, "gluon": gluon, "init": init, "nd": nd, "npx": npx}
    names |= {"nn": gluon.nn}
    names["cross_entropy"] = gluon.loss.SoftmaxCrossEntropyLoss()
    exec(definitions(NOTEBOOKS_DIR / "05_gluon.ipynb"), names)
    return SimpleNamespace(**names)


def make(c, kind, drop_prob):
    """One of the chapter's layers, called as layer(x)."""
    if kind == "built-in":
        return c.nn.Dropout(drop_prob)
    if kind == "function":
        return lambda x: c.dropout_if_training(x, drop_prob)
    if kind == "block":
        return c.BlockDropout(drop_prob)
    layer = c.HybridDropout(drop_prob)
    if kind == "hybridized":
        layer.hybridize()
    return layer


def normal(c, shape, seed=0):
    return c.nd.array(np.random.default_rng(seed).normal(size=shape))


def factor_of(c, layer, shape, seed=0):
    return c.forward_backward(layer, c.nd.ones(shape), seed)[0].asnumpy()


@pytest.mark.parametrize("drop_prob", [0.0, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("kind", ALL)
def test_output_is_the_input_times_the_recovered_factor_and_the_gradient_is_the_factor(c, kind, drop_prob):
    layer, x = make(c, kind, drop_prob), normal(c, (32, 24))
    factor = factor_of(c, layer, x.shape)
    out, grad = c.forward_backward(layer, x, seed=0)
    np.testing.assert_allclose(out.asnumpy(), x.asnumpy() * factor, rtol=1e-6)
    np.testing.assert_allclose(grad.asnumpy(), factor, rtol=1e-6)
    assert set(np.unique(factor).round(4)) <= {0, np.float32(1 / (1 - drop_prob)).round(4)}


@pytest.mark.parametrize("kind", ALL)
def test_a_gradient_from_above_is_multiplied_by_the_same_factor(c, kind):
    layer, x, head = make(c, kind, 0.4), normal(c, (16, 16)), normal(c, (16, 16), seed=1)
    factor = factor_of(c, layer, x.shape, seed=5)
    x.attach_grad()
    c.mx.random.seed(5)
    with c.autograd.record():
        out = layer(x)
    out.backward(head)
    np.testing.assert_allclose(x.grad.asnumpy(), head.asnumpy() * factor, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("kind", OWN)
def test_forward_and_gradient_are_those_of_the_numpy_dropout_for_the_same_factor(c, kind):
    x = np.random.default_rng(0).normal(size=(20, 30)).astype(np.float32)
    out, grad = c.forward_backward(make(c, kind, 0.3), c.nd.array(x), seed=2)
    keep = (grad.asnumpy() > 0).astype(np.float32)
    replay = SimpleNamespace(random=lambda shape, dtype: keep)  # 1 >= p is kept, 0 >= p is not
    expected, factor = scratch.dropout_with_factor(x, 0.3, replay)
    np.testing.assert_allclose(out.asnumpy(), expected, rtol=1e-6)
    np.testing.assert_allclose(grad.asnumpy(), factor, rtol=1e-6)


@pytest.mark.parametrize("drop_prob", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("kind", ALL)
def test_zeros_mean_variance_and_independence_stay_within_five_standard_errors(c, kind, drop_prob):
    rows, columns = 2000, 500
    n = rows * columns
    factor = factor_of(c, make(c, kind, drop_prob), (rows, columns), seed=11).astype(np.float64)
    keep = 1 - drop_prob
    variance = drop_prob / keep
    assert abs((factor == 0).mean() - drop_prob) < 5 * math.sqrt(drop_prob * keep / n)
    assert abs(factor.mean() - 1) < 5 * math.sqrt(variance / n)
    # (factor - 1)^2 is 1 with probability p, variance^2 with probability 1 - p.
    squares_variance = drop_prob + keep * variance**4 - variance**2
    assert abs(((factor - 1) ** 2).mean() - variance) < 5 * math.sqrt(squares_variance / n) + 1e-6
    # Neighbouring units and neighbouring examples: products of independent, centred draws.
    for left, right in ((factor[:, :-1], factor[:, 1:]), (factor[:-1], factor[1:])):
        product = (left - 1) * (right - 1)
        assert abs(product.mean()) < 5 * variance / math.sqrt(product.size)


@pytest.mark.parametrize("kind", ALL)
def test_every_call_draws_a_fresh_mask_and_the_same_seed_repeats_it(c, kind):
    layer = make(c, kind, 0.5)
    first, again, other = (factor_of(c, layer, (50, 50), seed) for seed in (7, 7, 8))
    assert (first == again).all() and (first != other).any()
    with c.autograd.train_mode():
        ones = c.nd.ones((50, 50))
        assert (layer(ones) != layer(ones)).asnumpy().any()


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    ("context", "drops"),
    [
        (None, False),
        (lambda autograd: autograd.record(), True),
        (lambda autograd: autograd.record(train_mode=False), False),
        (lambda autograd: autograd.train_mode(), True),
        (lambda autograd: autograd.predict_mode(), False),
        (lambda autograd: autograd.pause(), False),
        (lambda autograd: autograd.pause(train_mode=True), True),
    ],
    ids=["default", "record", "record_predict", "train_mode", "predict_mode", "pause", "pause_train"],
)
def test_dropout_follows_the_training_switch_alone(c, kind, context, drops):
    layer, x = make(c, kind, 0.5), c.nd.ones((50, 50))
    layer(x)  # a prediction first: a compiled graph must not freeze the mode
    if context is None:
        out = layer(x)
    else:
        with context(c.autograd):
            out = layer(x)
    assert (out.asnumpy() == 0).any() == drops
    assert drops or (out == x).asnumpy().all()


def test_the_contexts_of_the_chapter_are_what_they_say(c):
    """(recording, training, dropout drops) in each of the seven."""
    ones = c.nd.ones((100, 100))
    found = {
        name: (
            c.autograd.is_recording(),
            c.autograd.is_training(),
            bool((c.nd.Dropout(ones, p=0.5) == 0).asnumpy().any()),
        )
        for name in c.seven_contexts()
    }
    assert found == {
        "nothing: the default": (False, False, False),
        "record()": (True, True, True),
        "predict_mode() in record()": (True, False, False),
        "pause() in record()": (False, False, False),
        "record(train_mode=False)": (True, False, False),
        "train_mode()": (False, True, True),
        "pause(train_mode=True)": (False, True, True),
    }


def test_a_python_if_in_a_hybridized_layer_freezes_the_mode_of_its_first_call(c):
    def outcome(first_call_trains, hybridize):
        layer = c.FrozenDropout(0.5)
        if hybridize:
            layer.hybridize()
        drops = []
        for train_mode in (first_call_trains, True, False):
            with c.autograd.record(train_mode=train_mode):
                drops.append(bool((layer(c.nd.ones((100, 100))) == 0).asnumpy().any()))
        return tuple(drops[1:])

    assert outcome(False, False) == outcome(True, False) == (True, False)
    assert outcome(False, True) == (False, False)
    assert outcome(True, True) == (True, True)


@pytest.mark.parametrize("kind", ("function", "block"))
def test_at_p_1_output_and_gradient_are_zeros(c, kind):
    out, grad = c.forward_backward(make(c, kind, 1), c.nd.ones((3, 4)), seed=0)
    assert not out.asnumpy().any() and not grad.asnumpy().any()


def test_at_p_1_the_built_in_layer_gives_nan_when_training_and_the_input_when_predicting(c):
    layer, ones = make(c, "built-in", 1.0), c.nd.ones((3, 4))
    out, grad = c.forward_backward(layer, ones, seed=0)
    assert np.isnan(out.asnumpy()).all() and np.isnan(grad.asnumpy()).all()
    assert (layer(ones) == ones).asnumpy().all()


@pytest.mark.parametrize("drop_prob", [-0.5, 1.5, float("nan")])
def test_the_chapters_dropout_refuses_a_p_outside_0_to_1(c, drop_prob):
    with pytest.raises(ValueError, match=r"drop_prob must be in \[0, 1\]"):
        c.dropout(c.nd.ones(3), drop_prob)


@pytest.mark.parametrize("p", [-0.5, float("nan")])
def test_the_built_in_layer_ignores_a_negative_p_and_nan(c, p):
    output, _ = c.forward_backward(c.nn.Dropout(p), c.nd.ones((50, 50)), seed=0)
    assert (output == 1).asnumpy().all()


def test_the_built_in_layer_refuses_p_above_1_and_the_operator_a_negative_one(c):
    for layer in (c.nn.Dropout(1.5), lambda x: c.nd.Dropout(x, p=-0.5)):
        with pytest.raises(c.mx.MXNetError):
            c.forward_backward(layer, c.nd.ones((5, 5)), seed=0)[0].asnumpy()


def test_dropout_changes_neither_its_input_nor_its_dtype(c):
    x = normal(c, (5, 6))
    before = x.asnumpy().copy()
    out = c.dropout(x, 0.5)
    assert (x.asnumpy() == before).all() and out.dtype == x.dtype and out.shape == x.shape


def test_the_three_rules_for_a_mask_keep_the_same_share_and_two_are_opposites(c):
    built_in, below, above = c.masks(0.5, seed=3)
    assert (below + above == 1).all()
    assert abs(built_in.mean() - 0.5) < 5 * math.sqrt(0.25 / built_in.size)


def test_scratch_and_concise_nets_stay_equal_under_the_same_weights_and_masks(c):
    rng = np.random.default_rng(0)
    vars(c)["twin_nets"].__globals__.update(
        x_train=c.nd.array(rng.random((320, 784))), y_train=c.nd.array(rng.integers(10, size=320))
    )
    same = max(c.twin_nets(5, lambda x, p: x * c.nd.Dropout(c.nd.ones_like(x), p=p), batch_size=64))
    without = max(c.twin_nets(5, lambda x, p: x, batch_size=64))
    assert same < 1e-6 < without


def test_the_scratch_net_has_the_logits_of_the_numpy_net(c):
    params = c.init_params(seed=0)
    pairs = [[params[k].asnumpy(), params[k + 1].asnumpy()] for k in (0, 2, 4)]
    x = np.random.default_rng(0).random((64, 784), dtype=np.float32)
    logits = c.scratch_forward(params, c.nd.array(x), c.DROP_PROBS, c.dropout_if_training).asnumpy()
    np.testing.assert_allclose(logits, scratch.forward_eval(pairs, x), atol=5e-6)


def test_initial_weights_have_the_pages_standard_deviation(c):
    nets = [[p.data() for p in c.concise_net((0.2, 0.5), 0).collect_params().values()], c.init_params(0)]
    for params in nets:
        for weight, bias in zip(params[::2], params[1::2], strict=True):
            error = 0.01 / math.sqrt(2 * weight.size)
            assert abs(float(weight.asnumpy().std()) - 0.01) < 5 * error
            assert not bias.asnumpy().any()


def test_a_shared_mask_repeats_along_its_axes(c):
    with c.autograd.train_mode():
        by_unit = c.nn.Dropout(0.5, axes=(0,))(c.nd.ones((20, 30))).asnumpy()
        by_example = c.nn.Dropout(0.5, axes=(1,))(c.nd.ones((20, 30))).asnumpy()
    assert (by_unit == by_unit[:1]).all() and len(np.unique(by_unit[0])) == 2
    assert (by_example == by_example[:, :1]).all() and len(np.unique(by_example[:, 0])) == 2
