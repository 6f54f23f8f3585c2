"""`utils.monte_carlo.predict_mc`: the Monte Carlo passes that chapters 11 and 12 share."""

import numpy as np
import pytest
import torch
from torch import nn

from utils.measured import seconds_in_turns
from utils.monte_carlo import predict_mc
from utils.torch_training import make_mlp, predict

SIZES = (12, 32, 16, 3)
T = 4_000


def inputs(n=5, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(n, 12)).astype(np.float32))


def by_hand(model, x, num_samples):
    """The definition: dropout modules in train mode, the whole model at every pass."""
    model.eval()
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.train()
    torch.manual_seed(1)
    with torch.inference_mode():
        return np.stack([model(x).softmax(dim=1).numpy() for _ in range(num_samples)])


def assert_equal_in_mean(a, b):
    """Means over the first axis agree within 5 standard errors, computed from both samples."""
    error = np.sqrt(a.var(axis=0, ddof=1) / len(a) + b.var(axis=0, ddof=1) / len(b))
    assert (abs(a.mean(axis=0) - b.mean(axis=0)) <= 5 * error).all()


@pytest.mark.parametrize("drop_probs", [(0.2, 0.5), (0.3, 0.0), (0.1, 0.2, 0.9)])
def test_passes_have_the_distribution_of_the_plain_loop(drop_probs):
    model, x = make_mlp(SIZES, drop_probs, seed=0), inputs()
    fast = predict_mc(model, x, num_samples=T, seed=0).astype(np.float64)
    plain = by_hand(model, x, T).astype(np.float64)
    assert fast.shape == (T, 5, 3)
    assert_equal_in_mean(fast, plain)
    centred = [(samples - samples.mean(axis=0)) ** 2 for samples in (fast, plain)]
    assert_equal_in_mean(*centred)


def test_masks_drop_each_unit_with_p_and_are_drawn_anew_for_example_and_pass():
    """Through an identity the output shows the factors themselves, as log-ratios of probabilities."""
    p, n, units = 0.3, 200, 4
    model = nn.Sequential(nn.Dropout(p))
    samples = predict_mc(model, torch.ones(n, units), num_samples=50, seed=0)
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


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9, 1.0])
def test_a_kept_unit_is_rescaled_and_a_dropped_one_zero(p):
    seen = []
    model = nn.Sequential(nn.Dropout(p), Watch(seen))
    predict_mc(model, torch.ones(40, 33), num_samples=3, seed=0)
    values = torch.cat(seen).unique()
    expected = torch.tensor([0.0, 1 / (1 - p)] if p < 1 else [0.0])
    torch.testing.assert_close(values, expected, rtol=2e-4, atol=0)


def test_the_variance_of_the_factor_is_p_over_q():
    p, n = 0.3, 1_000_000
    seen = []
    predict_mc(nn.Sequential(nn.Dropout(p), Watch(seen)), torch.ones(1_000, 1_000), num_samples=1, seed=0)
    factor, variance = seen[0].double(), p / (1 - p)
    fourth = p + (1 - p) * (p / (1 - p)) ** 4  # E (m - 1)^4
    assert abs(factor.mean() - 1) < 5 * (variance / n) ** 0.5
    assert abs(((factor - 1) ** 2).mean() - variance) < 5 * ((fourth - variance**2) / n) ** 0.5


class Watch(nn.Module):
    """Hands its input on and keeps a copy."""

    def __init__(self, seen):
        super().__init__()
        self.seen = seen

    def forward(self, x):
        self.seen.append(x.clone())
        return x


def test_layers_before_the_first_dropout_are_computed_once_and_those_after_it_every_time():
    before, after = [], []
    model = nn.Sequential(Watch(before), nn.Linear(12, 8), nn.Dropout(0.5), Watch(after), nn.Linear(8, 3))
    predict_mc(model, inputs(10), num_samples=7, seed=0, batch_size=5)
    assert len(before) == 2 and len(after) == 2 * 7


def test_only_dropout_is_random_and_batch_norm_keeps_its_statistics():
    model = nn.Sequential(nn.Linear(12, 8), nn.BatchNorm1d(8), nn.Dropout(0.0), nn.Linear(8, 3))
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    samples = predict_mc(model, inputs(), num_samples=3, seed=0)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    np.testing.assert_allclose(samples, np.stack([predict(model, inputs())] * 3), rtol=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_modes_and_hooks_are_as_before_even_after_an_error(training):
    model = make_mlp(SIZES, (0.5, 0.5), seed=0).train(training)
    model[2].train(not training)
    modes = [module.training for module in model.modules()]
    predict_mc(model, inputs(), num_samples=2, seed=0)
    with pytest.raises(RuntimeError):
        predict_mc(model, torch.ones(2, 11), num_samples=2, seed=0)
    assert [module.training for module in model.modules()] == modes
    assert not any(module._forward_hooks for module in model.modules())
    assert torch.equal(model.eval()(inputs()), model(inputs()))


def test_one_seed_gives_the_same_passes_another_seed_others_and_no_global_generator_moves():
    model, x = make_mlp(SIZES, (0.5, 0.5), seed=0), inputs()
    state = torch.get_rng_state()
    first, again, other = (predict_mc(model, x, num_samples=4, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_batch_of_another_size_changes_the_masks_but_not_the_shape():
    model, x = make_mlp(SIZES, (0.5, 0.5), seed=0), inputs(7)
    samples = predict_mc(model, x, num_samples=4, seed=0, batch_size=3)
    assert samples.shape == (4, 7, 3) and samples.dtype == np.float32
    assert np.allclose(samples.sum(axis=2), 1, atol=1e-6)


class Branches(nn.Module):
    """A model that is no `nn.Sequential`, with a dropout that drops whole channels."""

    def __init__(self):
        super().__init__()
        self.linear, self.drop, self.channels = nn.Linear(12, 6), nn.Dropout(0.5), nn.Dropout2d(0.5)

    def forward(self, x):
        h = self.drop(self.linear(x))
        return h + self.channels(torch.ones(len(x), 6, 2, 2)).flatten(2).mean(dim=2)


def test_any_model_and_any_kind_of_dropout_is_sampled():
    model = Branches()
    samples = predict_mc(model, inputs(), num_samples=4, seed=0)
    assert np.array_equal(samples, predict_mc(model, inputs(), num_samples=4, seed=0))
    assert samples.std(axis=0).max() > 1e-3
    model.drop.p = 0.0
    assert predict_mc(model, inputs(), num_samples=50, seed=0).std(axis=0).max() > 1e-3


def test_a_model_without_dropout_is_refused():
    with pytest.raises(ValueError, match="model must have a dropout layer, got Linear without one"):
        predict_mc(nn.Linear(12, 3), inputs(), num_samples=2, seed=0)


@pytest.mark.parametrize("name", ["num_samples", "batch_size"])
def test_counts_below_one_are_refused(name):
    model = make_mlp(SIZES, (0.5, 0.5), seed=0)
    with pytest.raises(ValueError, match=f"{name} must be a whole number >= 1, got 0"):
        predict_mc(model, inputs(), **{"num_samples": 2, "seed": 0, name: 0})


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
