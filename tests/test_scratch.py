"""Dropout and the NumPy network: distributions, gradients, edge cases, training."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from utils import scratch
from utils.conformance import finite_differences, relative_error
from utils.metrics import softmax

PROBS = (0.1, 0.3, 0.5, 0.8)
N = 200_000
probabilities = st.floats(0, 1)
dtypes = st.sampled_from([np.float32, np.float64])
# Large enough to be seen in a product, small enough not to overflow in x / (1 - p).
arrays = dtypes.flatmap(
    lambda dtype: hnp.arrays(
        dtype,
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
        elements=st.floats(0.125, 1024, width=32),
    )
)


def rng_of(seed=0):
    return np.random.default_rng(seed)


def within(value, expected, standard_error):
    return np.all(np.abs(value - expected) <= 5 * standard_error + 1e-6)


# --- the distribution -------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("p", PROBS)
def test_the_mean_of_the_output_is_the_input(p, dtype):
    h = -1.5
    out = scratch.dropout(np.full(N, h, dtype), p, rng_of()).astype(np.float64)
    assert within(out.mean(), h, abs(h) * np.sqrt(p / (1 - p) / N))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("p", PROBS)
def test_the_variance_of_the_output_is_h_squared_p_over_q(p, dtype):
    h, q = 1.5, 1 - p
    out = scratch.dropout(np.full(N, h, dtype), p, rng_of(1)).astype(np.float64)
    variance = h**2 * p / q
    standard_error = variance * np.sqrt(max((1 - 3 * p * q) / (p * q) - 1, 0) / N)
    assert within(((out - h) ** 2).mean(), variance, standard_error)


@pytest.mark.parametrize("p", PROBS)
def test_the_share_of_zeros_is_p(p):
    out = scratch.dropout(np.ones(N, np.float32), p, rng_of(2))
    assert within((out == 0).mean(), p, np.sqrt(p * (1 - p) / N))


@pytest.mark.parametrize("p", PROBS)
def test_the_kept_count_is_binomial_not_exact(p):
    n, steps = 50, 4000
    kept = (scratch.dropout_factor((steps, n), p, rng_of(3)) > 0).sum(axis=1)
    variance = n * p * (1 - p)
    fourth = variance * (1 + (3 * n - 6) * p * (1 - p))
    assert within(kept.mean(), n * (1 - p), np.sqrt(variance / steps))
    assert within(kept.var(), variance, np.sqrt((fourth - variance**2) / steps))


@pytest.mark.parametrize("p", PROBS)
def test_units_and_examples_are_dropped_independently(p):
    calls, shape = 4000, (3, 4)
    rng = rng_of(4)
    keep = np.stack([scratch.dropout_factor(shape, p, rng) > 0 for _ in range(calls)]).reshape(calls, -1)
    centred = keep - (1 - p)
    covariance = centred.T @ centred / calls
    np.fill_diagonal(covariance, 0)
    assert within(covariance, 0, p * (1 - p) / np.sqrt(calls))


@pytest.mark.parametrize("p", PROBS)
def test_successive_calls_draw_independent_masks(p):
    keep = np.stack([scratch.dropout_factor(20, p, rng) > 0 for rng in [rng_of(5)] for _ in range(4000)])
    product = (keep[1:] - (1 - p)) * (keep[:-1] - (1 - p))
    assert within(product.mean(axis=0), 0, p * (1 - p) / np.sqrt(len(product)))


# --- properties -------------------------------------------------------------------------------


@given(x=arrays, p=probabilities, seed=st.integers(0, 999))
def test_any_shape_and_dtype_is_kept_and_the_input_is_not_changed(x, p, seed):
    before = x.copy()
    out, factor = scratch.dropout_with_factor(x, p, rng_of(seed))
    assert np.array_equal(x, before)
    for result in (out, factor):
        assert (result.shape, result.dtype) == (x.shape, x.dtype)


@given(x=arrays, p=st.floats(0, 0.99), seed=st.integers(0, 999))
def test_every_element_is_zero_or_the_input_over_q(x, p, seed):
    out = scratch.dropout(x, p, rng_of(seed))
    assert np.all((out == 0) | np.isclose(out, x / (1 - p), rtol=1e-6))


@given(x=arrays, seed=st.integers(0, 999))
def test_p_zero_is_the_identity_and_p_one_gives_zeros(x, seed):
    for zero, one in ((0, 1), (0.0, 1.0)):
        assert np.array_equal(scratch.dropout(x, zero, rng_of(seed)), x)
        assert np.array_equal(scratch.dropout(x, one, rng_of(seed)), np.zeros_like(x))
        assert not np.any(scratch.dropout_factor(x.shape, one, rng_of(seed)))


@given(x=arrays, p=probabilities, seed=st.integers(0, 999))
def test_the_same_rng_state_gives_the_same_mask_in_both_precisions(x, p, seed):
    first = scratch.dropout(x, p, rng_of(seed))
    assert np.array_equal(first, scratch.dropout(x, p, rng_of(seed)))
    twin, factor = scratch.dropout_with_factor(x, p, rng_of(seed))
    assert np.array_equal(first, twin)
    other = scratch.dropout_factor(x.shape, p, rng_of(seed), np.float64)
    assert np.array_equal(other > 0, factor > 0)


@given(low=probabilities, high=probabilities, seed=st.integers(0, 999))
def test_masks_are_nested_what_is_dropped_at_p_stays_dropped_at_a_larger_p(low, high, seed):
    low, high = sorted((low, high))
    keep_low = scratch.dropout_factor((5, 7), low, rng_of(seed)) > 0
    keep_high = scratch.dropout_factor((5, 7), high, rng_of(seed)) > 0
    assert np.all(keep_low | ~keep_high)


def test_a_draw_that_equals_p_keeps_so_that_exactly_the_share_p_of_all_draws_drops():
    class Draws:
        def random(self, shape, dtype):
            return np.array([0, 0.25, 0.5 - 2**-24, 0.5, 0.75], dtype)  # of [0, 1), both halves

    assert scratch.keep_mask((5,), 0.5, Draws()).tolist() == [False, False, False, True, True]
    assert scratch.keep_mask((5,), 0, Draws()).all()


def test_a_list_and_a_numpy_probability_do_as_well():
    out = scratch.dropout([1.0, 2.0], np.float32(0.5), rng_of())
    assert out.dtype == np.float64 and out.shape == (2,)


def test_a_dropped_nan_stays_nan_because_the_mask_multiplies():
    out = scratch.dropout(np.full(100, np.nan), 0.5, rng_of())
    assert np.isnan(out).all()


@pytest.mark.parametrize(
    ("p", "shown"),
    [
        (1.2, "1.2"),
        (-0.1, "-0.1"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (True, "True"),
        (False, "False"),
        ("0.5", "'0.5'"),
        (None, "None"),
        (0.5j, "0.5j"),
    ],
)
def test_a_wrong_probability_is_refused_in_one_sentence(p, shown):
    message = f"drop_prob must be in [0, 1], got {shown}"
    x = np.ones((2, 3), np.float32)
    params = scratch.init_he((3, 4, 2), rng_of())
    for call in (
        lambda: scratch.dropout(x, p, rng_of()),
        lambda: scratch.dropout_with_factor(x, p, rng_of()),
        lambda: scratch.dropout_factor(x.shape, p, rng_of()),
        lambda: scratch.forward_train(params, x, (p,), rng_of()),
    ):
        with pytest.raises(ValueError) as error:
            call()
        assert str(error.value) == message


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, bool, np.float16, np.complex128])
def test_anything_but_float32_and_float64_is_refused_with_a_hint(dtype):
    with pytest.raises(TypeError) as error:
        scratch.dropout(np.ones(3, dtype), 0.5, rng_of())
    assert str(error.value) == (
        f"x must be float32 or float64, got {np.dtype(dtype)}; convert it with x.astype(np.float32)"
    )


def test_a_refused_call_leaves_the_generator_where_it_was():
    rng = rng_of(6)
    for x, p in ((np.ones(3), 2), (np.ones(3, int), 0.5)):
        with pytest.raises((TypeError, ValueError)):
            scratch.dropout(x, p, rng)
    assert rng.random() == rng_of(6).random()


# --- the network ------------------------------------------------------------------------------


def small_case(sizes=(6, 5, 4, 3), n=7, seed=0, dtype=np.float64):
    rng = rng_of(seed)
    params = scratch.init_he(sizes, rng, dtype)
    for pair in params:
        pair[1] += rng.normal(0, 0.1, pair[1].shape).astype(dtype)
    return params, rng.normal(size=(n, sizes[0])).astype(dtype), rng.integers(sizes[-1], size=n)


@pytest.mark.parametrize("init", [scratch.init_normal, scratch.init_he])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_both_initialisations_have_the_right_shapes_dtype_and_spread(init, dtype):
    sizes = (784, 256, 256, 10)
    params = init(sizes, rng_of(), dtype=dtype)
    assert [(W.shape, b.shape) for W, b in params] == [
        ((784, 256), (256,)),
        ((256, 256), (256,)),
        ((256, 10), (10,)),
    ]
    for W, b in params:
        std = 0.01 if init is scratch.init_normal else np.sqrt(2 / len(W))
        assert W.dtype == b.dtype == dtype and not b.any()
        assert within(W.mean(), 0, std / np.sqrt(W.size))
        assert within(W.std(), std, std / np.sqrt(2 * W.size))


@given(drop_probs=st.lists(st.sampled_from([0, 0.0]), min_size=0, max_size=4), seed=st.integers(0, 99))
def test_training_with_every_p_zero_equals_evaluation(drop_probs, seed):
    params, x, _ = small_case((6, *[5] * len(drop_probs), 3), seed=seed)
    rng = rng_of(seed)
    logits, cache = scratch.forward_train(params, x, drop_probs, rng)
    assert np.array_equal(logits, scratch.forward_eval(params, x))
    assert len(cache) == len(params) and all(factor is None for _, factor in cache)
    assert rng.random() == rng_of(seed).random()


def test_evaluation_repeats_itself_and_training_does_not():
    params, x, _ = small_case()
    rng = rng_of()
    assert np.array_equal(scratch.forward_eval(params, x), scratch.forward_eval(params, x))
    first, _ = scratch.forward_train(params, x, (0.5, 0.5), rng)
    assert not np.array_equal(first, scratch.forward_train(params, x, (0.5, 0.5), rng)[0])


def test_the_output_layer_is_not_dropped_and_p_one_leaves_only_its_bias():
    params, x, _ = small_case()
    logits, _ = scratch.forward_train(params, x, (0, 1), rng_of())
    assert np.array_equal(logits, np.broadcast_to(params[-1][1], logits.shape))


@pytest.mark.parametrize("drop_probs", [(), (0.5,), (0.5, 0.5, 0.5)])
def test_a_wrong_number_of_probabilities_is_refused(drop_probs):
    params, x, _ = small_case()
    with pytest.raises(ValueError, match=re.escape(f"drop_probs needs 2 values, got {drop_probs}")):
        scratch.forward_train(params, x, drop_probs, rng_of())


@given(seed=st.integers(0, 999), dtype=dtypes)
def test_cross_entropy_is_the_mean_of_minus_log_probability(seed, dtype):
    rng = rng_of(seed)
    logits, y = rng.normal(0, 3, (9, 4)).astype(dtype), rng.integers(4, size=9)
    loss, dlogits = scratch.softmax_cross_entropy(logits, y)
    probs = softmax(logits.astype(np.float64))
    assert loss == pytest.approx(-np.log(probs[np.arange(9), y]).mean(), rel=1e-5)
    assert dlogits.dtype == dtype
    assert np.allclose(dlogits, (probs - np.eye(4)[y]) / 9, atol=1e-7)


def test_cross_entropy_survives_large_logits():
    logits = np.array([[1e4, 0, -1e4]], np.float32)
    assert scratch.softmax_cross_entropy(logits, np.array([0]))[0] == 0
    assert scratch.softmax_cross_entropy(logits, np.array([2]))[0] == pytest.approx(2e4)


def test_the_gradient_of_the_logits_equals_finite_differences():
    rng = rng_of()
    logits, y = rng.normal(size=(5, 3)), rng.integers(3, size=5)
    numeric = finite_differences(lambda z: scratch.softmax_cross_entropy(z, y)[0], logits)
    assert relative_error(scratch.softmax_cross_entropy(logits, y)[1], numeric) < 1e-6


@pytest.mark.parametrize("drop_probs", [(0, 0), (0.2, 0.5), (0.5, 0), (0, 0.5), (0.8, 0.8)])
@pytest.mark.parametrize("layer", [0, 1, 2])
@pytest.mark.parametrize("which", [0, 1], ids=["weights", "bias"])
def test_every_gradient_equals_finite_differences_with_the_mask_frozen(drop_probs, layer, which):
    params, x, y = small_case((6, 8, 8, 3), n=20)

    def loss(_):
        return scratch.softmax_cross_entropy(scratch.forward_train(params, x, drop_probs, rng_of(1))[0], y)[0]

    logits, cache = scratch.forward_train(params, x, drop_probs, rng_of(1))
    grads = scratch.backward(params, cache, scratch.softmax_cross_entropy(logits, y)[1])
    assert np.abs(grads[layer][which]).max() > 1e-4
    assert relative_error(grads[layer][which], finite_differences(loss, params[layer][which])) < 1e-6


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 5e-6)])
@pytest.mark.parametrize("sizes", [(6, 3), (6, 5, 3), (20, 16, 16, 4), (6, 5, 5, 5, 3)])
def test_logits_and_gradients_equal_torch_autograd_with_the_same_masks(sizes, dtype, tolerance, require):
    require("torch")
    import torch

    params, x, y = small_case(sizes, n=16, dtype=dtype)
    logits, cache = scratch.forward_train(params, x, [0.5] * (len(sizes) - 2), rng_of(2))
    loss, dlogits = scratch.softmax_cross_entropy(logits, y)
    grads = scratch.backward(params, cache, dlogits)

    leaves = [[torch.tensor(value, requires_grad=True) for value in pair] for pair in params]
    h = torch.tensor(x)
    for (W, b), (_, factor) in zip(leaves[:-1], cache[1:], strict=True):
        h = torch.relu(h @ W + b) * torch.tensor(factor)
    W, b = leaves[-1]
    torch_logits = h @ W + b
    torch_loss = torch.nn.functional.cross_entropy(torch_logits, torch.tensor(y))
    torch_loss.backward()

    assert np.abs(logits - torch_logits.detach().numpy()).max() < tolerance
    assert abs(loss - torch_loss.item()) < tolerance
    for pair, grad_pair in zip(leaves, grads, strict=True):
        for leaf, grad in zip(pair, grad_pair, strict=True):
            assert grad.dtype == dtype
            assert np.abs(leaf.grad.numpy() - grad).max() < tolerance


def test_a_unit_has_no_gradient_exactly_when_all_examples_drop_it():
    rng = rng_of(3)
    params = [[np.abs(W), b] for W, b in scratch.init_he((6, 60, 3), rng, np.float64)]
    x, y = rng.uniform(0.5, 1, (4, 6)), rng.integers(3, size=4)
    logits, cache = scratch.forward_train(params, x, (0.6,), rng)
    (dW1, db1), (dW2, _) = scratch.backward(params, cache, scratch.softmax_cross_entropy(logits, y)[1])
    dropped_by_all = (cache[1][1] == 0).all(axis=0)
    assert 0 < dropped_by_all.sum() < 60
    assert np.array_equal((dW1 == 0).all(axis=0), dropped_by_all)
    assert np.array_equal(db1 == 0, dropped_by_all)
    assert np.array_equal((dW2 == 0).all(axis=1), dropped_by_all)


# --- training ---------------------------------------------------------------------------------


def clusters(n=300, seed=0):
    """Three well separated clouds in eight dimensions."""
    rng = rng_of(seed)
    y = rng.integers(3, size=n)
    return (rng.normal(size=(3, 8)) * 2)[y].astype(np.float32) + rng.normal(0, 0.5, (n, 8)).astype(
        np.float32
    ), y


def test_an_sgd_step_moves_each_parameter_by_minus_lr_times_its_gradient_in_place():
    params, x, y = small_case()
    before = [[value.copy() for value in pair] for pair in params]
    arrays_before = [id(value) for pair in params for value in pair]
    logits, cache = scratch.forward_train(params, x, (0, 0), rng_of())
    grads = scratch.backward(params, cache, scratch.softmax_cross_entropy(logits, y)[1])
    expected = [
        [value - 0.3 * grad for value, grad in zip(*pairs, strict=True)]
        for pairs in zip(before, grads, strict=True)
    ]
    scratch.sgd_step(params, grads, 0.3)
    assert [id(value) for pair in params for value in pair] == arrays_before
    for pair, expected_pair in zip(params, expected, strict=True):
        for value, wanted in zip(pair, expected_pair, strict=True):
            assert np.allclose(value, wanted, atol=1e-15)


@pytest.mark.parametrize("spoil", [lambda pairs: pairs[:-1], lambda pairs: [pair[:1] for pair in pairs]])
def test_gradients_that_do_not_match_the_parameters_are_refused(spoil):
    params, x, y = small_case()
    logits, cache = scratch.forward_train(params, x, (0, 0), rng_of())
    dlogits = scratch.softmax_cross_entropy(logits, y)[1]
    grads = scratch.backward(params, cache, dlogits)
    with pytest.raises(ValueError, match="shorter"):
        scratch.sgd_step(params, spoil(grads), 0.1)
    with pytest.raises(ValueError, match="shorter"):
        scratch.backward(params, cache[1:], dlogits)


def test_a_training_step_reports_the_batch_before_it_moves():
    params, x, y = small_case(n=60, seed=5)
    logits = scratch.forward_eval(params, x)
    signs = np.sign(logits.argmax(axis=1) - y)  # errors on both sides: neither counts as correct
    loss, correct = scratch.train_step(params, x, y, (0, 0), 0.1, rng_of())
    assert loss == scratch.softmax_cross_entropy(logits, y)[0]
    assert correct == (signs == 0).sum() > 0 and set(signs) == {-1, 0, 1}
    assert scratch.softmax_cross_entropy(scratch.forward_eval(params, x), y)[0] < loss


@pytest.mark.parametrize("drop_probs", [(0, 0), (0.2, 0.5)])
def test_training_is_the_same_for_the_same_seed_and_differs_for_another(drop_probs):
    x, y = clusters()

    def train(seed):
        rng = rng_of(seed)
        params = scratch.init_he((8, 16, 16, 3), rng)
        log = [scratch.train_epoch(params, x, y, drop_probs, 32, 0.1, rng) for _ in range(3)]
        return log, params

    (log, params), (log_again, params_again), (log_other, _) = train(0), train(0), train(1)
    assert log == log_again and log != log_other
    for pair, pair_again in zip(params, params_again, strict=True):
        for value, value_again in zip(pair, pair_again, strict=True):
            assert np.array_equal(value, value_again) and value.dtype == np.float32


@pytest.mark.parametrize("drop_probs", [(0, 0), (0.2, 0.5)])
def test_the_training_loss_falls_and_the_network_learns(drop_probs):
    x, y = clusters()
    rng = rng_of()
    params = scratch.init_he((8, 32, 32, 3), rng)
    log = [scratch.train_epoch(params, x, y, drop_probs, 32, 0.1, rng) for _ in range(15)]
    assert log[-1][0] < 0.3 * log[0][0]
    assert (scratch.forward_eval(params, x).argmax(axis=1) == y).mean() > 0.97


def test_the_epoch_loss_is_a_mean_over_examples_also_with_a_smaller_last_batch():
    params, x, y = small_case(n=10)
    loss, accuracy = scratch.train_epoch(params, x, y, (0, 0), batch_size=4, lr=1e-12, rng=rng_of())
    logits = scratch.forward_eval(params, x)
    assert loss == pytest.approx(scratch.softmax_cross_entropy(logits, y)[0], rel=1e-9)
    assert accuracy == (logits.argmax(axis=1) == y).mean()


def test_a_batch_is_divided_by_its_own_size():
    params, x, y = small_case(n=6)
    twice = np.concatenate([x, x]), np.concatenate([y, y])
    logits, cache = scratch.forward_train(params, x, (0, 0), rng_of())
    once = scratch.backward(params, cache, scratch.softmax_cross_entropy(logits, y)[1])
    logits, cache = scratch.forward_train(params, twice[0], (0, 0), rng_of())
    doubled = scratch.backward(params, cache, scratch.softmax_cross_entropy(logits, twice[1])[1])
    for pair, doubled_pair in zip(once, doubled, strict=True):
        for grad, doubled_grad in zip(pair, doubled_pair, strict=True):
            assert np.allclose(grad, doubled_grad, atol=1e-12)
