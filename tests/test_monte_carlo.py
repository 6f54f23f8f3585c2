"""`utils.monte_carlo`: passes with every kind of dropout on and nothing else, in three frameworks."""

import sys
import warnings
from contextlib import nullcontext

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from utils.frameworks import load_keras, load_mxnet
from utils.measured import seconds_in_turns
from utils.monte_carlo import (
    HOLDERS,
    QUIET,
    drop_output,
    fast_layers,
    find_dropout,
    gluon_passes,
    keras_passes,
    noise,
    only_training,
    predict_mc,
    silent_layers,
    uncompiled,
    unwrapped,
)
from utils.torch_training import make_mlp, predict

SIZES = (12, 32, 16, 3)
T = 4_000


def inputs(n=5, seed=0, shape=(12,)):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(n, *shape)).astype(np.float32))


def by_hand(net, x, num_samples):
    """The definition: dropout modules in train mode, the whole net at every pass."""
    net.eval()
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.train()
    torch.manual_seed(1)
    with torch.inference_mode():
        return np.stack([net(x).softmax(dim=1).numpy() for _ in range(num_samples)])


def assert_equal_in_mean(a, b):
    """Means over the first axis agree within 5 standard errors, computed from both samples."""
    error = np.sqrt(a.var(axis=0, ddof=1) / len(a) + b.var(axis=0, ddof=1) / len(b))
    assert (abs(a.mean(axis=0) - b.mean(axis=0)) <= 5 * error).all()


# --- the passes are those of dropout ---


@pytest.mark.parametrize("drop_probs", [(0.2, 0.5), (0.3, 0.0), (0.1, 0.2, 0.9)])
def test_passes_have_the_distribution_of_the_plain_loop(drop_probs):
    net, x = make_mlp(SIZES, drop_probs, seed=0), inputs()
    fast = predict_mc(net, x, num_samples=T, seed=0).astype(np.float64)
    plain = by_hand(net, x, T).astype(np.float64)
    assert fast.shape == (T, 5, 3)
    assert_equal_in_mean(fast, plain)
    centred = [(samples - samples.mean(axis=0)) ** 2 for samples in (fast, plain)]
    assert_equal_in_mean(*centred)


def test_masks_drop_each_unit_with_p_and_are_drawn_anew_for_example_and_pass():
    """Through an identity the output shows the factors themselves, as log-ratios of probabilities."""
    p, n, units = 0.3, 200, 4
    samples = predict_mc(nn.Sequential(nn.Dropout(p)), torch.ones(n, units), num_samples=50, seed=0)
    kept = samples > samples.min(axis=2, keepdims=True) + 1e-3
    kept = kept[(kept.any(axis=2))]  # rows of all-equal units do not show which they are
    rows = 50 * n
    some = 1 - p**units - (1 - p) ** units
    error = np.sqrt(some * (1 - some) / rows)
    assert abs(len(kept) / rows - some) < 5 * error
    share = ((1 - p) - (1 - p) ** units) / some  # of kept units among the rows that show
    assert abs(kept.mean() - share) < 5 * np.sqrt(0.25 / len(kept))
    patterns = samples.argmax(axis=2)
    assert not (patterns == patterns[:1]).all() and not (patterns == patterns[:, :1]).all()


def factors_of(p, x, num_samples):
    """What a dropout hands on for ones, in all passes."""
    seen = []
    net = nn.Sequential(nn.Dropout(p), nn.Linear(x.shape[1], 3))
    net[1].register_forward_pre_hook(lambda module, args: seen.append(args[0].clone()))
    predict_mc(net, x, num_samples=num_samples, seed=0)
    return torch.cat(seen)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_a_kept_unit_is_rescaled_and_a_dropped_one_zero(p):
    values = factors_of(p, torch.ones(40, 33), 3).unique()
    torch.testing.assert_close(values, torch.tensor([0.0, 1 / (1 - p)]), rtol=2e-4, atol=0)


def test_the_variance_of_the_factor_is_p_over_q():
    p, n = 0.3, 1_000_000
    factor, variance = factors_of(p, torch.ones(1_000, 1_000), 1).double(), p / (1 - p)
    fourth = p + (1 - p) * (p / (1 - p)) ** 4  # E (m - 1)^4
    assert factor.numel() == n and abs(factor.mean() - 1) < 5 * (variance / n) ** 0.5
    assert abs(((factor - 1) ** 2).mean() - variance) < 5 * ((fourth - variance**2) / n) ** 0.5


class EveryNumber:
    """Draws each number of 16 bits once."""

    def integers(self, high, size, dtype):
        assert (high, size, dtype) == (2**64, 2**14, np.uint64)
        return np.arange(2**16, dtype=np.uint16).view(np.uint64)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_of_all_numbers_of_16_bits_the_share_p_drops_and_the_mean_of_the_factors_is_one(p):
    factors = drop_output(EveryNumber(), nn.Dropout(p), (), torch.ones(2**16))
    assert (factors == 0).sum() == round(p * 2**16)
    assert factors.double().mean().item() == pytest.approx(1, abs=1e-7)


def test_everything_is_dropped_at_one():
    seen = []
    net = nn.Sequential(nn.Linear(12, 8), nn.Dropout(1.0), nn.Linear(8, 3), nn.Dropout(0.5))
    net[2].register_forward_pre_hook(lambda module, args: seen.append(args[0].clone()))
    predict_mc(net, inputs(), num_samples=3, seed=0)
    assert len(seen) == 3 and not torch.stack(seen).any()


class Marker(nn.Module):
    """A module of somebody's own, with a flag and without an effect."""

    def forward(self, x):
        return x


def batches_of(layer):
    batches = []
    layer.register_forward_hook(lambda module, args, output: batches.append(len(output)))
    return batches


@pytest.mark.parametrize("between", [nn.Identity, Marker])
def test_layers_before_the_first_dropout_are_computed_once_and_those_after_it_every_time(between):
    """Also where a layer of somebody's own that draws nothing stands between: it is tried on 2 rows."""
    net = nn.Sequential(nn.Linear(12, 8), between(), nn.Dropout(0.5), nn.Linear(8, 3))
    before, after = batches_of(net[0]), batches_of(net[3])
    predict_mc(net, inputs(10), num_samples=7, seed=0, batch_size=5)
    assert before.count(5) == 2 and after.count(5) == 2 * 7 and set(before) <= {2, 5}


def test_a_hook_stands_for_plain_dropout_on_a_cpu_alone():
    net = nn.Sequential(nn.Dropout(0.5), nn.Dropout1d(0.5), FlagOfAnother())
    found = {name: module for name, module in net.named_modules() if isinstance(module, HOLDERS)}
    assert list(found) == ["0", "1", "2.layer"]
    assert fast_layers(net, found, torch.device("cpu")) == {net[0]}
    assert fast_layers(net, found, torch.device("cuda")) == set()


def test_a_dropout_that_is_always_on_is_not_computed_once():
    class Always(nn.Module):
        def forward(self, x):
            return F.dropout(x, 0.5)

    net = nn.Sequential(Always(), nn.Linear(12, 8), nn.Dropout(0.0), nn.Linear(8, 3))
    assert predict_mc(net, inputs(), num_samples=50, seed=0).std(axis=0).min() > 1e-3


def test_a_sequential_with_a_forward_of_its_own_is_run_as_a_whole():
    class Twice(nn.Sequential):
        def forward(self, x):
            return 2 * super().forward(x)

    net = Twice(nn.Linear(12, 8), nn.Dropout(0.2), nn.Linear(8, 3))
    assert_equal_in_mean(predict_mc(net, inputs(), num_samples=T, seed=0), by_hand(net, inputs(), T))
    hooked = nn.Sequential(*net)
    hooked.register_forward_hook(lambda module, args, output: 2 * output)
    assert_equal_in_mean(predict_mc(hooked, inputs(), num_samples=T, seed=0), by_hand(net, inputs(), T))


def test_one_seed_gives_the_same_passes_another_seed_others_and_no_global_generator_moves():
    net, x = make_mlp(SIZES, (0.5, 0.5), seed=0), inputs()
    state = torch.get_rng_state()
    first, again, other = (predict_mc(net, x, num_samples=4, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_batch_of_another_size_changes_the_masks_but_not_the_shape():
    net, x = make_mlp(SIZES, (0.5, 0.5), seed=0), inputs(7)
    samples = predict_mc(net, x, num_samples=4, seed=0, batch_size=3)
    assert samples.shape == (4, 7, 3) and samples.dtype == np.float32
    assert np.allclose(samples.sum(axis=2), 1, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_probabilities_are_float32_whatever_the_net_computes_in(dtype):
    net, x = make_mlp(SIZES, (0.5, 0.5), seed=0), inputs()
    full = predict_mc(net, x, num_samples=4, seed=0)
    samples = predict_mc(net.to(dtype), x.to(dtype), num_samples=4, seed=0)
    assert samples.dtype == np.float32 and abs(samples - full).max() < 0.1
    assert np.allclose(samples.sum(axis=2), 1, atol=1e-5)


# --- every kind of dropout is found ---


class Tokens(nn.Module):
    """A net over 7 tokens of 4 numbers, with `inner` in its middle."""

    shape = (7, 4)

    def __init__(self, inner, width=4):
        super().__init__()
        self.inner, self.last = inner, nn.Linear(width, 3)

    def forward(self, x):
        return self.last(self.middle(x).mean(dim=1))

    def middle(self, x):
        return self.inner(x)


class Attention(Tokens):
    def __init__(self):
        super().__init__(nn.MultiheadAttention(4, 2, dropout=0.5, batch_first=True))
        self.zero = nn.Dropout(0.0)

    def middle(self, x):
        return self.zero(self.inner(x, x, x)[0])


class Padded(Tokens):
    """With a mask of padding an encoder in eval mode takes a fast path of its own, too."""

    def middle(self, x):
        padding = torch.zeros(x.shape[:2], dtype=torch.bool)
        padding[:, 5:] = True
        return self.inner(x, src_key_padding_mask=padding)[:, :5]


class Recurrent(Tokens):
    def middle(self, x):
        return self.inner(x)[0]


class Translator(Tokens):
    def middle(self, x):
        return self.inner(x, x)


class Plain(nn.Module):
    """Linear layers with something between them, in the class's own forward."""

    shape = (12,)

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(12, 8), nn.Linear(8, 3)

    def forward(self, x):
        return self.last(self.drop(self.first(x)))


class Functional(Plain):
    def drop(self, x):
        return F.dropout(x, 0.5, self.training)


class Always(Plain):
    def drop(self, x):
        return F.dropout(x, 0.5)


class FlagOfAnother(Plain):
    def __init__(self):
        super().__init__()
        self.layer = nn.Dropout(0.5)

    def drop(self, x):
        return F.dropout(x, self.layer.p, self.layer.training)


class TwoFlags(Plain):
    def __init__(self):
        super().__init__()
        self.a, self.b = Marker(), Marker()

    def drop(self, x):
        return F.dropout(x, 0.5, self.a.training and self.b.training)


class OwnGenerator(Plain):
    def __init__(self):
        super().__init__()
        self.generator = torch.Generator().manual_seed(0)

    def drop(self, x):
        keep = torch.rand(x.shape, generator=self.generator) >= 0.5
        return 2 * x * keep if self.training else x


class ByNumpy(Plain):
    def __init__(self):
        super().__init__()
        self.rng = np.random.default_rng(0)

    def drop(self, x):
        return 2 * x * torch.from_numpy(self.rng.random(x.shape) >= 0.5) if self.training else x


class WithBatchNorm(Plain):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(8)

    def drop(self, x):
        return F.dropout(self.norm(x), 0.5, self.training)


class WithSpectralNorm(Functional):
    """Its power iteration moves buffers in train mode, and draws nothing."""

    def __init__(self):
        super().__init__()
        torch.nn.utils.parametrizations.spectral_norm(self.last)


def encoder(**settings):
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.5, batch_first=True, **settings)
    with warnings.catch_warnings():  # that norm_first rules the fast path out
        warnings.simplefilter("ignore", UserWarning)
        return nn.TransformerEncoder(layer, 2)


def layers(kind, *before, after=()):
    return nn.Sequential(*before, kind, nn.Flatten(), *after, nn.LazyLinear(3))


NETS = {
    "Dropout": (lambda: layers(nn.Dropout(0.5), nn.Linear(12, 8)), (12,)),
    "AlphaDropout": (lambda: layers(nn.AlphaDropout(0.5), nn.Linear(12, 8)), (12,)),
    "FeatureAlphaDropout": (lambda: layers(nn.FeatureAlphaDropout(0.5)), (4, 2, 2)),
    "Dropout1d": (lambda: layers(nn.Dropout1d(0.5), nn.Conv1d(1, 4, 2)), (1, 6)),
    "Dropout2d": (lambda: layers(nn.Dropout2d(0.5), nn.Conv2d(1, 4, 2)), (1, 6, 6)),
    "Dropout3d": (lambda: layers(nn.Dropout3d(0.5), nn.Conv3d(1, 4, 2)), (1, 3, 3, 3)),
    "MultiheadAttention": (Attention, Tokens.shape),
    "TransformerEncoder": (lambda: Tokens(encoder()), Tokens.shape),
    "TransformerEncoder, norm first": (lambda: Tokens(encoder(norm_first=True)), Tokens.shape),
    "TransformerEncoder, padded": (lambda: Padded(encoder()), Tokens.shape),
    "Transformer": (lambda: Translator(nn.Transformer(4, 2, 1, 1, 8, 0.5, batch_first=True)), Tokens.shape),
    "LSTM": (lambda: Recurrent(nn.LSTM(4, 6, 2, dropout=0.5, batch_first=True), 6), Tokens.shape),
    "GRU": (lambda: Recurrent(nn.GRU(4, 6, 2, dropout=0.5, batch_first=True), 6), Tokens.shape),
    "RNN": (lambda: Recurrent(nn.RNN(4, 6, 2, dropout=0.5, batch_first=True), 6), Tokens.shape),
    **{
        kind.__name__: (kind, (12,))
        for kind in (
            Functional,
            Always,
            FlagOfAnother,
            TwoFlags,
            OwnGenerator,
            ByNumpy,
            WithBatchNorm,
            WithSpectralNorm,
        )
    },
}


def make(name):
    """(net, x) of NETS."""
    torch.manual_seed(0)
    build, shape = NETS[name]
    net, x = build(), inputs(6, shape=shape)
    net(x)  # lazy layers get their shapes
    return net, x


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")  # of PyTorch's own fast path
@pytest.mark.parametrize("name", NETS)
def test_every_kind_of_dropout_is_on_in_eval_mode_and_each_flag_is_put_back(name):
    net, x = make(name)
    net.eval()
    flags = [module.training for module in net.modules()]
    samples = predict_mc(net, x, num_samples=8, seed=0)
    assert samples.std(axis=0).max() > 1e-3
    assert [module.training for module in net.modules()] == flags
    seeded = name not in ("OwnGenerator", "ByNumpy")
    assert np.array_equal(samples, predict_mc(net, x, num_samples=8, seed=0)) == seeded


@pytest.mark.parametrize("name", NETS)
def test_passes_have_the_distribution_of_the_net_in_train_mode_with_its_norms_in_eval_mode(name):
    net, x = make(name)
    samples = predict_mc(net, x, num_samples=1_000, seed=0).astype(np.float64)
    trained = [m for m in net.modules() if not isinstance(m, nn.modules.batchnorm._NormBase)]
    torch.manual_seed(1)
    with only_training(net, trained), torch.inference_mode():
        plain = np.stack([net(x).softmax(dim=1).double().numpy() for _ in range(1_000)])
    if name != "WithSpectralNorm":  # whose weights have another scale while it iterates
        assert_equal_in_mean(samples, plain)
        assert_equal_in_mean(samples**2, plain**2)


@pytest.mark.parametrize(
    "name", ["MultiheadAttention", "TransformerEncoder", "LSTM", "Dropout2d", "Functional"]
)
def test_the_loop_over_plain_dropout_layers_misses_it(name):
    """What these tests are for: the nets are such that the usual loop draws passes that are all equal."""
    net, x = make(name)
    samples = by_hand(net, x, 8)
    assert abs(samples - samples[0]).max() < 1e-6


def test_what_is_found_is_named():
    attention, x = make("MultiheadAttention")
    assert list(find_dropout(attention, x)) == ["inner", "zero"]
    functional, x = make("Functional")
    assert list(find_dropout(functional, x)) == [""]
    two_flags, x = make("TwoFlags")
    assert list(find_dropout(two_flags, x)) == ["a", "b"]


def test_batch_norm_of_any_kind_keeps_its_statistics():
    class OwnNorm(nn.BatchNorm1d):
        pass

    net = nn.Sequential(
        nn.Linear(12, 8), nn.BatchNorm1d(8), OwnNorm(8), nn.Dropout(0.1), nn.Linear(8, 3)
    ).train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    samples = predict_mc(net, inputs(), num_samples=2_000, seed=0)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert_equal_in_mean(samples, by_hand(net, inputs(), 2_000))


@pytest.mark.parametrize("training", [True, False])
def test_modes_and_hooks_are_as_before_even_after_an_error(training):
    net = make_mlp(SIZES, (0.5, 0.5), seed=0).train(training)
    net[2].train(not training)
    modes = [module.training for module in net.modules()]
    predict_mc(net, inputs(), num_samples=2, seed=0)
    with pytest.raises(RuntimeError):
        predict_mc(net, torch.ones(2, 11), num_samples=2, seed=0)
    assert [module.training for module in net.modules()] == modes
    assert not any(module._forward_hooks for module in net.modules())
    assert torch.equal(net.eval()(inputs()), net(inputs()))


def test_a_frozen_norm_stays_frozen_and_an_outer_monte_carlo_mode_survives():
    net = nn.Sequential(nn.Linear(12, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 3)).train()
    net[1].eval()
    predict_mc(net, inputs(), num_samples=2, seed=0)
    assert net.training and not net[1].training and net[2].training
    net.eval()
    net[2].train()  # somebody's own Monte Carlo mode
    predict_mc(net, inputs(), num_samples=2, seed=0)
    assert not net.training and net[2].training and not torch.equal(net(inputs()), net(inputs()))


def test_noise_says_whether_a_call_moves_the_generator_and_which_buffers_move():
    net, x = make("WithBatchNorm")
    before = {name: buffer.clone() for name, buffer in net.named_buffers()}
    assert noise(net, x) == (QUIET, [])
    (drawn, equal), moved = noise(net, x, net.modules())
    assert drawn is not None and equal
    assert moved == ["norm.running_mean", "norm.running_var", "norm.num_batches_tracked"]
    assert all(torch.equal(buffer, before[name]) for name, buffer in net.named_buffers())
    assert noise(*make("Always"))[0] != QUIET
    by_numpy, x = make("ByNumpy")
    assert noise(by_numpy, x, [by_numpy])[0] == (None, False)


# --- wrapped nets ---


def scripted(net):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.script(net)


def frozen(net):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.freeze(scripted(net))


def traced(net, x):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.trace(net, x, check_trace=False)


def compiled_in_place(net):
    net.compile()
    return net


def never(*args):
    """A compiler for what must run as written."""
    raise AssertionError("compiled")


WRAPPERS = {
    "DataParallel": nn.DataParallel,
    "compiled": torch.compile,
    "compiled, in parallel": lambda net: nn.DataParallel(torch.compile(net)),
    "compiled in place": compiled_in_place,
    "one block compiled": lambda net: nn.Sequential(net[0], torch.compile(net[1:], backend=never)),
    "scripted": scripted,
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_a_wrapped_net_is_sampled_like_the_net_in_it(name):
    net = make_mlp(SIZES, (0.2, 0.5), seed=0)
    wrapped = WRAPPERS[name](net)
    if name not in ("one block compiled", "scripted"):
        assert unwrapped(wrapped) is net
    flags = [module.training for module in wrapped.modules()]
    samples = predict_mc(wrapped, inputs(), num_samples=T, seed=0)
    assert [module.training for module in wrapped.modules()] == flags
    assert_equal_in_mean(samples, by_hand(net, inputs(), T))


def test_where_nothing_is_compiled_the_compiler_is_not_loaded(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch._dynamo", raising=False)
    assert isinstance(uncompiled(), nullcontext)


def test_a_net_that_was_traced_in_train_mode_still_drops():
    net = make_mlp(SIZES, (0.2, 0.5), seed=0).train()
    samples = predict_mc(traced(net, inputs()), inputs(), num_samples=T, seed=0)
    assert_equal_in_mean(samples, by_hand(net, inputs(), T))


@pytest.mark.parametrize("freeze", [False, True])
def test_a_net_that_was_traced_or_frozen_in_eval_mode_is_refused(freeze):
    net = make_mlp(SIZES, (0.2, 0.5), seed=0).eval()
    fixed = frozen(net) if freeze else traced(net, inputs())
    with pytest.raises(ValueError, match="a traced or exported net keeps the mode in which it was made"):
        predict_mc(fixed, inputs(), num_samples=2, seed=0)


# --- what cannot be sampled is refused by one sentence ---


class Norming(Plain):
    """Normalises and drops by the same flag."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(8))
        self.register_buffer("var", torch.ones(8))

    def drop(self, x):
        return F.dropout(F.batch_norm(x, self.mean, self.var, training=self.training), 0.5, self.training)


class EitherFlag(TwoFlags):
    def drop(self, x):
        return F.dropout(x, 0.5, self.a.training or self.b.training)


class Nothing(Plain):
    def drop(self, x):
        return x


class Pair(Functional):
    def forward(self, x):
        return super().forward(x), x


class Explodes(Plain):
    """0 times infinity is NaN: a dropped unit of an infinite activation."""

    def drop(self, x):
        return F.dropout(x / 0, 0.5, self.training)


def head(*last):
    return nn.Sequential(nn.Linear(12, 8), nn.Dropout(0.5), *last)


@pytest.mark.parametrize(
    ("net", "said"),
    [
        (nn.Linear(12, 3), "net must have dropout, got Linear without any"),
        (Nothing(), "net must have dropout, got Nothing without any"),
        (Norming(), r"net must drop by flags of its own: that of net moves mean, var, too"),
        (EitherFlag(), r"that of net, a, b leaves some of it off"),
        (head(nn.Linear(8, 1)), r"outputs must have shape \(n, classes\), .* got \(5, 1\)"),
        (head(nn.Unflatten(1, (2, 4))), r"two classes or more, got \(5, 2, 4\)"),
        (head(nn.Flatten(0)), r"got \(40,\)"),
        (Pair(), "net's outputs must be one array .* got tuple"),
        (Explodes(), "net's outputs must be numbers, got NaN"),
        (
            make_mlp(SIZES, (0.0, 0.0), seed=0),
            "passes that differ, got equal: is every drop probability 0",
        ),
    ],
)
def test_a_net_that_cannot_be_sampled_is_refused_and_left_as_it_was(net, said):
    before = {name: value.clone() for name, value in net.state_dict().items()}
    flags = [module.training for module in net.modules()]
    with pytest.raises(ValueError, match=said):
        predict_mc(net, inputs(), num_samples=2, seed=0)
    assert [module.training for module in net.modules()] == flags
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_a_recurrent_layer_of_one_layer_has_nothing_to_drop():
    with pytest.warns(UserWarning, match="dropout option adds dropout after all but last"):
        net = Recurrent(nn.LSTM(4, 6, 1, dropout=0.5, batch_first=True), 6)
    with pytest.raises(ValueError, match="passes that differ"):
        predict_mc(net, inputs(shape=(7, 4)), num_samples=3, seed=0)


def test_few_passes_that_are_equal_by_chance_are_not_refused():
    """Four units at p = .05 are all kept in two passes out of three."""
    net = nn.Sequential(nn.Linear(12, 4), nn.Dropout(0.05), nn.Linear(4, 3))
    samples = [predict_mc(net, inputs(1), num_samples=2, seed=seed) for seed in range(10)]
    assert any((passes[0] == passes[1]).all() for passes in samples)


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (inputs() / 0, "x must be finite, got NaN or infinity in 5 of 5 examples"),
        (
            inputs().masked_fill(inputs() > 1.5, torch.nan),
            r"x must be finite, got NaN or infinity in \d of 5",
        ),
        (inputs()[:0], "x must hold at least one example"),
    ],
)
def test_inputs_that_are_not_finite_are_refused(x, said):
    with pytest.raises(ValueError, match=said):
        predict_mc(make_mlp(SIZES, (0.5, 0.5), seed=0), x, num_samples=2, seed=0)


def test_an_array_is_taken_like_a_tensor():
    net, x = make_mlp(SIZES, (0.5, 0.5), seed=0), inputs()
    assert np.array_equal(*(predict_mc(net, form, num_samples=2, seed=0) for form in (x, x.numpy())))


@pytest.mark.parametrize("name", ["num_samples", "batch_size"])
def test_counts_below_one_are_refused(name):
    net = make_mlp(SIZES, (0.5, 0.5), seed=0)
    with pytest.raises(ValueError, match=f"{name} must be a whole number >= 1, got 0"):
        predict_mc(net, inputs(), **{"num_samples": 2, "seed": 0, name: 0})


@pytest.mark.parametrize("passes", [predict_mc, keras_passes, gluon_passes])
def test_num_samples_and_seed_are_named_so_that_nobody_swaps_them(passes):
    with pytest.raises(TypeError, match="takes 2 positional arguments but 4 were given"):
        passes(None, None, 0, 4)


def test_one_pass_is_a_pass():
    net, x = make_mlp(SIZES, (0.5, 0.5), seed=0), inputs()
    assert not np.array_equal(predict_mc(net, x, num_samples=1, seed=0)[0], predict(net, x))


# --- Keras ---


def keras_nets():
    """{name: a Keras net over 8 numbers}."""
    keras = load_keras()
    L = keras.layers

    def chain(*layers):
        return keras.Sequential([keras.Input((8,)), *layers, L.Flatten(), L.Dense(3)])

    def attention(layer, *more):
        x = keras.Input((8,))
        tokens = L.Reshape((4, 2))(x)
        call = layer([tokens, tokens]) if more else layer(tokens, tokens)
        return keras.Model(x, L.Dense(3)(L.Flatten()(call)))

    class Counter(L.Layer):
        """Counts the calls in training."""

        def build(self, shape):
            self.count = self.add_weight(name="count", initializer="zeros", trainable=False)

        def call(self, x, training=None):
            if training:
                self.count.assign_add(1.0)
            return x

    tokens = L.Reshape((4, 2))
    return {
        "Dropout": chain(L.Dense(16), L.Dropout(0.5)),
        "batch norm": chain(L.Dense(16), L.BatchNormalization(), L.Dropout(0.5)),
        "SpatialDropout1D": chain(tokens, L.SpatialDropout1D(0.5)),
        "GaussianDropout": chain(L.GaussianDropout(0.5)),
        "AlphaDropout": chain(L.AlphaDropout(0.5)),
        "LSTM": chain(tokens, L.LSTM(8, dropout=0.5)),
        "GRU, recurrent": chain(tokens, L.GRU(8, recurrent_dropout=0.5)),
        "MultiHeadAttention": attention(L.MultiHeadAttention(2, 4, dropout=0.5)),
        "Attention": attention(L.Attention(dropout=0.5), "as a list"),
        "GaussianNoise": chain(L.GaussianNoise(0.5), L.Dropout(0.5)),
        "RandomFlip": chain(L.Reshape((2, 2, 2)), L.RandomFlip(), L.Dropout(0.5)),
        "SpectralNormalization": chain(L.SpectralNormalization(L.Dense(3)), L.Dropout(0.5)),
        "Counter": chain(Counter(), L.Dropout(0.5)),
        "p = 0": chain(L.Dropout(0.0)),
        "no dropout": chain(L.Dense(4)),
    }


KERAS_REFUSED = {
    "GaussianNoise": "must be random by dropout alone, got GaussianNoise",
    "RandomFlip": "must be random by dropout alone, got RandomFlip",
    "SpectralNormalization": "must only drop in training, not move .*(kernel|vector_u)",
    "Counter": "must only drop in training, not move .*count",
    "p = 0": "passes that differ",
    "no dropout": "passes that differ",
}


def keras_state(net):
    value = load_keras().ops.convert_to_numpy
    return [np.array(value(v)) for v in net.variables], [v.trainable for v in net.variables]


def test_keras_passes_drop_in_every_layer_repeat_and_leave_no_trace(require):
    require("keras")
    x = np.random.default_rng(0).normal(size=(6, 8)).astype(np.float32)
    for name, net in keras_nets().items():
        values, flags = keras_state(net)
        if name in KERAS_REFUSED:
            with pytest.raises(ValueError, match=KERAS_REFUSED[name]):
                keras_passes(net, x, num_samples=4, seed=1)
        else:
            one, two, other = (keras_passes(net, x, num_samples=4, seed=seed) for seed in (1, 1, 2))
            assert one.shape == (4, 6, 3) and one.std(axis=0).max() > 1e-3, name
            assert np.array_equal(one, two) and not np.array_equal(one, other), name
        after, flags_after = keras_state(net)
        assert all(map(np.array_equal, values, after)) and flags == flags_after, name


def test_batch_norm_predicts_in_keras_passes_and_what_was_frozen_stays_frozen(require):
    require("keras")
    net = keras_nets()["batch norm"]
    norm = net.layers[1]
    norm.moving_mean.assign(np.full(16, 3.0))
    norm.gamma.trainable = False
    x = np.random.default_rng(0).normal(size=(6, 8)).astype(np.float32)
    samples = keras_passes(net, np.repeat(x, 500, axis=0), num_samples=4, seed=0)
    samples = samples.reshape(4, 6, 500, 3).swapaxes(1, 2).reshape(-1, 6, 3)
    plain = load_keras().ops.convert_to_numpy(net(x, training=False))
    error = samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
    assert (abs(samples.mean(axis=0) - plain) <= 5 * error).all()  # after the dropout all is linear
    assert norm.trainable and not norm.gamma.trainable and norm.beta.trainable


def test_keras_passes_refuse_nan(require):
    require("keras")
    with pytest.raises(ValueError, match="x must be finite"):
        keras_passes(keras_nets()["Dropout"], np.full((2, 8), np.nan, np.float32), num_samples=2, seed=0)


# --- Gluon ---


def gluon_net(*layers, kind="HybridSequential"):
    mx = load_mxnet()
    net = getattr(mx.gluon.nn, kind)()
    net.add(*layers, mx.gluon.nn.Dense(3))
    net.initialize(mx.init.Normal(1))
    net(mx.nd.ones((2, 8)))
    return net


def gluon_inputs():
    return load_mxnet().nd.array(np.random.default_rng(0).normal(size=(6, 8)))


@pytest.mark.parametrize("hybrid", [False, True])
def test_gluon_passes_drop_and_repeat(require, hybrid):
    require("mxnet")
    nn = load_mxnet().gluon.nn
    net = gluon_net(nn.Dense(8), nn.Dropout(0.5))
    if hybrid:
        net.hybridize()
    one, two, other = (gluon_passes(net, gluon_inputs(), num_samples=4, seed=seed) for seed in (1, 1, 2))
    assert one.shape == (4, 6, 3) and one.std(axis=0).max() > 1e-2
    assert np.array_equal(one, two) and not np.array_equal(one, other)


def test_batch_norm_predicts_in_gluon_passes(require):
    require("mxnet")
    nn = load_mxnet().gluon.nn
    net, x = gluon_net(nn.Dense(8), nn.BatchNorm(), nn.Dropout(0.5)), gluon_inputs()
    samples = gluon_passes(net, x, num_samples=1_000, seed=0)
    error = samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
    assert (abs(samples.mean(axis=0) - net(x).asnumpy()) <= 5 * error).all()
    assert net[1]._kwargs["use_global_stats"] is False
    net.hybridize()
    with pytest.raises(ValueError, match=r"net must not be hybridized: call net.hybridize\(False\) first"):
        gluon_passes(net, x, num_samples=2, seed=0)


def test_a_gluon_net_that_cannot_be_hybridized_may_have_batch_norm(require):
    require("mxnet")
    nn = load_mxnet().gluon.nn
    net = gluon_net(nn.BatchNorm(), nn.Dropout(0.5), kind="Sequential")
    assert gluon_passes(net, gluon_inputs(), num_samples=4, seed=0).std(axis=0).max() > 1e-2


def test_gluon_passes_refuse_nan(require):
    require("mxnet")
    mx = load_mxnet()
    with pytest.raises(ValueError, match="x must be finite"):
        gluon_passes(gluon_net(mx.gluon.nn.Dropout(0.5)), mx.nd.ones((2, 8)) / 0, num_samples=2, seed=0)


def test_a_gluon_net_without_dropout_is_refused(require):
    require("mxnet")
    nn = load_mxnet().gluon.nn
    for net in (gluon_net(nn.Dense(8)), gluon_net(nn.BatchNorm()), gluon_net(nn.Dropout(0.0))):
        with pytest.raises(ValueError, match="passes that differ"):
            gluon_passes(net, gluon_inputs(), num_samples=3, seed=0)


def test_a_recurrent_layer_that_mxnet_leaves_off_is_named(require):
    """MXNet 1.9.1 with oneDNN never drops in LSTM, GRU and RNN, not even in training."""
    require("mxnet")
    mx = load_mxnet()
    layer = mx.gluon.rnn.LSTM(4, 2, dropout=0.5, layout="NTC")
    net = gluon_net(
        mx.gluon.nn.HybridLambda(lambda F, x: F.reshape(x, (0, 4, 2))), layer, mx.gluon.nn.Dropout(0.3)
    )
    x = gluon_inputs()
    with mx.autograd.record():
        one, two = (layer(x.reshape((0, 4, 2))) for _ in range(2))
    if (one == two).asnumpy().all():
        with pytest.raises(
            ValueError, match=f"must drop in all layers, {layer.name} does not: .*MKLDNN_RNN=0"
        ):
            gluon_passes(net, x, num_samples=3, seed=0)
    else:  # a build without oneDNN
        assert gluon_passes(net, x, num_samples=3, seed=0).std(axis=0).max() > 0


@pytest.mark.parametrize("change", [-1, 0, 1])
def test_a_recurrent_layer_is_silent_only_if_two_calls_are_equal(require, change):
    """In train mode the layer adds another number at each call, as one that drops would."""
    require("mxnet")
    mx = load_mxnet()

    class Drops(mx.gluon.Block):
        _dropout, level = 0.5, 0

        def forward(self, x):
            self.level += change * mx.autograd.is_training()
            return x + self.level

    net, x = gluon_net(Drops(), mx.gluon.nn.Dropout(0.5), kind="Sequential"), gluon_inputs()
    assert silent_layers([net[0]], lambda: net(x)) == ([] if change else [net[0].name])
    assert not net[0]._forward_hooks


# --- the benchmark ---


def test_the_benchmark_draws_the_same_thing_in_each_way_and_prints_its_ratio(capsys, require):
    require("tensorflow")
    from authoring.bench import epochs, monte_carlo

    x = np.random.default_rng(0).random((6, 784), dtype=np.float32)
    samplers = monte_carlo.make_samplers(x, num_samples=400)
    drawn = {name: draw().astype(np.float64) for name, draw in samplers.items()}
    assert list(drawn) == ["Keras, stacked", "PyTorch, loop", "predict_mc"]
    for passes in drawn.values():
        assert passes.shape == (400, 6, 10)
        assert_equal_in_mean(passes, drawn["predict_mc"])
    epochs.report(seconds_in_turns(samplers, rounds=1), "400 passes", monte_carlo.RATIOS)
    printed = capsys.readouterr().out
    assert "stacked Keras calls / predict_mc" in printed and ">= 4.00" in printed
