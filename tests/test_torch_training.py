"""The training loops of utils/torch_training.py."""

from contextlib import nullcontext

import numpy as np
import pytest
import torch

from utils.sweep import sweep
from utils.torch_training import (
    count_classes,
    fit,
    keep_best,
    kept_images,
    load_tensors,
    make_mlp,
    measure,
    predict,
    seeded,
)

SIZES = (12, 16, 16, 3)


def make_problem(n=200, seed=0):
    """Three classes that a linear map separates, with a little noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 12)).astype(np.float32)
    y = (x[:, :3] + 0.1 * rng.normal(size=(n, 3))).argmax(axis=1)
    return torch.from_numpy(x), torch.from_numpy(y)


def train(drop_prob, seed, num_epochs=3, after_epoch=None):
    x, y = make_problem()
    model = make_mlp(SIZES, (drop_prob, drop_prob), seed=seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    settings = {"num_epochs": num_epochs, "batch_size": 20, "optimizer": optimizer, "seed": seed}
    fit(model, x, y, after_epoch=after_epoch, **settings)
    return model


def test_the_losses_are_means_over_examples_also_with_a_smaller_last_batch():
    x, y = make_problem(n=50)
    net = make_mlp(SIZES, (0, 0), seed=0)
    still = torch.optim.SGD(net.parameters(), lr=0)
    losses = fit(net, x, y, num_epochs=2, batch_size=20, optimizer=still, seed=0)
    assert losses == pytest.approx(2 * [measure(predict(net, x), y)["nll"]], rel=1e-5)


def test_a_new_net_has_weights_of_variance_two_over_the_inputs_and_no_biases():
    layers = [layer for layer in make_mlp((400, 300, 10), (0.5,), seed=0) if hasattr(layer, "bias")]
    assert [layer.in_features for layer in layers] == [400, 300]
    for layer in layers:
        weights = layer.weight.detach().double()
        variance, room = 2 / layer.in_features, 5 * np.sqrt(2 / weights.numel())
        assert abs(weights.mean()) < 5 * (variance / weights.numel()) ** 0.5
        assert abs(weights.square().mean().item() / variance - 1) < room
        assert not layer.bias.any()


def run(drop_prob, seed):
    x, y = make_problem(seed=1)
    return measure(predict(train(drop_prob, seed), x), y)


def test_one_seed_gives_the_same_weights_bit_for_bit_and_another_seed_others():
    first, again, other = (train(0.5, seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["0.weight"], other["0.weight"])


def test_training_leaves_the_global_generator_alone():
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    train(0.5, seed=0)
    assert torch.equal(torch.rand(4), expected)


def test_looking_after_each_epoch_changes_no_weight_even_if_it_draws_numbers():
    seen = []

    def look(epoch):
        seen.append(epoch)
        torch.rand(100)

    quiet, watched = train(0.5, 0), train(0.5, 0, after_epoch=look)
    assert seen == [1, 2, 3]
    for a, b in zip(quiet.parameters(), watched.parameters(), strict=True):
        assert torch.equal(a, b)


def test_every_epoch_trains_in_train_mode_whatever_the_mode_before_it():
    x, y = make_problem()
    net = make_mlp(SIZES, (0.5, 0.5), seed=0).eval()
    modes = []
    net[2].register_forward_pre_hook(lambda module, inputs: modes.append((module.training, len(inputs[0]))))
    sgd = torch.optim.SGD(net.parameters(), lr=0.1)
    fit(net, x, y, num_epochs=2, batch_size=50, optimizer=sgd, seed=0)
    assert modes == [(False, 1)] + [(True, 50)] * 8  # the first looks how many classes there are


def test_training_stops_when_after_epoch_says_so():
    seen = []
    train(0.5, 0, num_epochs=5, after_epoch=lambda epoch: seen.append(epoch) or epoch == 2)
    assert seen == [1, 2]


def test_the_weights_of_the_best_epoch_are_kept_and_going_on_does_not_change_them():
    scores, looked = iter([3.0, 1.0, 2.0, 1.0]), {}
    model = make_mlp(SIZES, (0.5, 0.5), seed=0)
    x, y = make_problem()
    look, best = keep_best(model, lambda: next(scores))

    def after_epoch(epoch):
        looked[epoch] = model[0].weight.detach().clone()
        look(epoch)

    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    settings = {"num_epochs": 4, "batch_size": 20, "optimizer": optimizer, "seed": 0}
    fit(model, x, y, after_epoch=after_epoch, **settings)
    assert (best["epoch"], best["score"]) == (2, 1.0)  # the earlier of two that are equal
    assert torch.equal(best["weights"]["0.weight"], looked[2]) and not torch.equal(looked[2], looked[4])


def test_epochs_between_the_looks_are_not_scored():
    asked = []
    look, best = keep_best(
        make_mlp(SIZES, (0.5, 0.5), seed=0), lambda: asked.append(1) or -len(asked), every=3
    )
    for epoch in range(1, 10):
        look(epoch)
    assert len(asked) == 3 and best["epoch"] == 9


def test_training_learns_and_leaves_the_model_in_eval_mode():
    x, y = make_problem(seed=1)
    model = train(0.0, 0, num_epochs=20)
    assert not model.training
    assert measure(predict(model, x), y)["accuracy"] > 0.8


def test_predict_drops_nothing_and_puts_each_module_back_into_its_mode():
    x, _ = make_problem()
    model = make_mlp(SIZES, (0.5, 0.5), seed=0).eval()
    model[2].train()
    before = [module.training for module in model.modules()]
    probs = predict(model, x, batch_size=64)
    assert [module.training for module in model.modules()] == before
    assert np.array_equal(probs, predict(model, x, batch_size=64))
    model.eval()
    with torch.no_grad():
        np.testing.assert_allclose(probs, model(x).softmax(dim=1), rtol=1e-5)


def test_drop_probs_stand_after_hidden_layers_and_an_extra_first_one_before_the_inputs():
    def drops(model):
        return [(place, m.p) for place, m in enumerate(model) if isinstance(m, torch.nn.Dropout)]

    assert drops(make_mlp(SIZES, (0.2, 0.5), seed=0)) == [(2, 0.2), (5, 0.5)]
    assert drops(make_mlp(SIZES, (0.1, 0.2, 0.5), seed=0)) == [(0, 0.1), (3, 0.2), (6, 0.5)]


@pytest.mark.parametrize("drop_probs", [(0.5,), (0.5,) * 4])
def test_a_wrong_number_of_drop_probs_is_refused(drop_probs):
    with pytest.raises(ValueError, match=r"drop_probs must have 2 or 3 values .* got"):
        make_mlp(SIZES, drop_probs, seed=0)


def test_a_drop_prob_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"drop_probs must be in \[0, 1\], got 1.2"):
        make_mlp(SIZES, (0.5, 1.2), seed=0)


def test_a_seed_gives_its_numbers_wherever_the_generator_stands_and_disturbs_none_outside():
    def drawn(seed):
        with seeded(seed):
            return torch.rand(3)

    first = drawn(5)
    torch.rand(1)
    state = torch.get_rng_state()
    assert torch.equal(drawn(5), first) and not torch.equal(drawn(6), first)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_seed_covers_every_gpu_without_a_warning(monkeypatch):
    """Two GPUs or more make fork_rng warn, unless it is told which it shall cover."""
    asked = []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(
        torch.random, "fork_rng", lambda devices: asked.append(list(devices)) or nullcontext()
    )
    with seeded(0):
        pass
    assert asked == [[0, 1]]


X, Y = make_problem()


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        (X.masked_fill(X > 3, torch.nan), Y, r"x must be finite, got NaN or infinity in \d+ of 200 examples"),
        (X / 0, Y, "x must be finite"),
        (X[:0], Y[:0], "x must hold at least one example"),
        (X, Y.masked_fill(Y == 1, -100), "y must be classes from 0 to 2, got -100 to 2"),
        (X, Y + 1, "y must be classes from 0 to 2, got 1 to 3"),
        (X, Y.float(), "y must be whole numbers, got torch.float32"),
        (X[:100], Y, r"y must have shape \(100,\), one class per example, got \(200,\)"),
        (X, Y[:, None], r"y must have shape \(200,\)"),
    ],
)
def test_examples_that_cannot_be_learnt_are_refused_before_anything_changes(x, y, said):
    model = make_mlp(SIZES, (0.5, 0.5), seed=0)
    before, state = model[0].weight.clone(), torch.get_rng_state()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(ValueError, match=said):
        fit(model, x, y, num_epochs=1, batch_size=20, optimizer=optimizer, seed=0)
    assert torch.equal(model[0].weight, before) and torch.equal(torch.get_rng_state(), state)
    assert model.training


@pytest.mark.parametrize("num_epochs", [0, 1.5])
def test_epochs_that_make_no_sense_are_refused_before_anything_changes(num_epochs):
    net = make_mlp(SIZES, (0.5, 0.5), seed=0)
    before, sgd = net[0].weight.clone(), torch.optim.SGD(net.parameters(), lr=0.1)
    with pytest.raises(ValueError, match=f"num_epochs must be a whole number >= 1, got {num_epochs}"):
        fit(net, X, Y, num_epochs=num_epochs, batch_size=20, optimizer=sgd, seed=0)
    assert torch.equal(net[0].weight, before)


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (torch.nn.Linear(12, 1), r"two classes or more, got \(1, 1\)"),
        (torch.nn.Unflatten(1, (4, 3)), r"got \(1, 4, 3\)"),
        (torch.nn.LSTM(12, 3), "must be one array .* got tuple"),
    ],
)
def test_a_model_without_logits_of_classes_is_refused(last, said):
    model = torch.nn.Sequential(torch.nn.ReLU(), last)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    with pytest.raises(ValueError, match=said):
        fit(model, X, Y, num_epochs=1, batch_size=20, optimizer=optimizer, seed=0)
    with pytest.raises(ValueError, match=said.replace("1, ", "200, ", 1)):
        predict(model, X)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32])
def test_labels_of_any_whole_type_are_learnt_alike(dtype):
    def trained(y):
        model = make_mlp(SIZES, (0.5, 0.5), seed=0)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        fit(model, X, y, num_epochs=1, batch_size=20, optimizer=optimizer, seed=0)
        return model[0].weight

    assert torch.equal(trained(Y), trained(Y.to(dtype)))


def test_looking_at_the_number_of_classes_moves_nothing():
    """Batch norm in train mode would move its statistics, and dropout the generator."""
    model = torch.nn.Sequential(
        torch.nn.BatchNorm1d(12), torch.nn.Dropout(0.5), torch.nn.Linear(12, 3)
    ).train()
    model[1].eval()
    mean, state = model[0].running_mean.clone(), torch.get_rng_state()
    assert count_classes(model, X) == 3
    assert torch.equal(model[0].running_mean, mean) and torch.equal(torch.get_rng_state(), state)
    assert [module.training for module in model.modules()] == [True, True, False, True]


def test_predict_gives_float32_for_a_model_of_few_digits():
    model = make_mlp(SIZES, (0.5, 0.5), seed=0)
    full = predict(model, X)
    probs = predict(model.bfloat16(), X.bfloat16())
    assert probs.dtype == np.float32 and abs(probs - full).max() < 0.1


def test_predict_refuses_inputs_that_are_not_finite_and_an_error_leaves_the_modes():
    model = make_mlp(SIZES, (0.5, 0.5), seed=0).train()
    with pytest.raises(ValueError, match="x must be finite, got NaN or infinity in 200 of 200"):
        predict(model, X * torch.inf)
    with pytest.raises(RuntimeError):
        predict(model, X[:, :5])
    assert all(module.training for module in model.modules())


def test_a_sum_too_large_for_its_type_is_no_infinity():
    predict(make_mlp(SIZES, (0.5, 0.5), seed=0).half(), torch.full((200, 12), 100.0).half())


def test_a_sweep_gives_the_same_numbers_in_one_process_and_in_two_in_the_order_asked():
    settings = [{"drop_prob": p, "seed": seed} for p in (0.5, 0.0) for seed in (1, 0)]
    alone = sweep(run, settings, num_jobs=1)
    assert alone == sweep(run, settings, num_jobs=2)
    assert [{key: row[key] for key in ("drop_prob", "seed")} for row in alone] == settings


def test_an_error_in_a_run_of_a_sweep_reaches_the_caller():
    with pytest.raises(ValueError, match=r"drop_probs must be in \[0, 1\], got 2"):
        sweep(run, [{"drop_prob": 2, "seed": 0}], num_jobs=1)


def test_tensors_hold_the_subset_that_the_arguments_ask_for():
    tensors = load_tensors("mnist", num_train=100, num_val=50, seed=1)
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    assert shapes["x_train"] == (100, 784) and shapes["y_val"] == (50,)
    assert shapes["x_test"] == (10_000, 784)
    assert tensors["x_train"].dtype == torch.float32 and tensors["y_train"].dtype == torch.int64


def test_tensors_are_the_callers_own_whatever_is_done_to_them():
    first = load_tensors("mnist", num_train=100)
    before = {name: tensor.clone() for name, tensor in first.items()}
    for tensor in first.values():
        tensor.zero_()
    again = load_tensors("mnist", num_train=100, num_val=0, label_noise=0.0, seed=0)
    assert all(torch.equal(again[name], before[name]) for name in before)


def test_images_are_read_once_for_many_runs():
    assert kept_images("mnist", 100, 0, 0.0, 0) is kept_images("mnist", 100, 0, 0.0, 0)


def test_an_unknown_data_set_is_refused_by_name():
    with pytest.raises(ValueError, match="name must be one of fashion_mnist, mnist, got 'cifar'"):
        load_tensors("cifar")
