"""Runs that are looked at on the way: checks, both ends, nudged weights, pairs by seed."""

import numpy as np
import pytest
import torch
from torch import nn

from utils import metrics
from utils.runs import by_seed, nll_and_accuracy, nudge, train_and_check, two_ends
from utils.torch_training import make_mlp, predict


@pytest.fixture
def tensors():
    """Forty examples in each part, ten classes, easy to tell apart."""
    rng = torch.Generator().manual_seed(0)
    parts = {}
    for part in ("train", "val", "test"):
        y = torch.arange(40) % 10
        parts[f"x_{part}"] = torch.eye(10)[y] + 0.3 * torch.randn(40, 10, generator=rng)
        parts[f"y_{part}"] = y
    return parts


def run(tensors, **options):
    net = make_mlp((10, 20, 10), (0.5,), seed=0)
    sgd = torch.optim.SGD(net.parameters(), lr=0.5)
    checks = train_and_check(net, tensors, optimizer=sgd, num_epochs=6, batch_size=10, seed=0, **options)
    return net, checks


def test_looking_on_the_way_changes_nothing_and_finds_the_net_in_eval_mode(tensors):
    modes = []
    often, checks = run(
        tensors, also=lambda net: modes.append(net.training) or {"drawn": torch.rand(1).item()}
    )
    seldom, last = run(tensors, check_every=6)
    assert all(map(torch.equal, often.parameters(), seldom.parameters()))
    assert [seen["epoch"] for seen in checks] == [1, 2, 3, 4, 5, 6] and modes == [False] * 6
    assert {name: checks[-1][name] for name in last[0]} == last[0]
    probs = predict(seldom, tensors["x_test"])
    y = tensors["y_test"].numpy()
    assert last[0]["nll"] == pytest.approx(metrics.nll(probs, y), abs=1e-5)
    assert last[0]["accuracy"] == pytest.approx(metrics.accuracy(probs, y))


def test_the_validation_loss_is_that_of_the_validation_images(tensors):
    net, checks = run(tensors, check_every=6)
    probs = predict(net, tensors["x_val"])
    assert checks[0]["val_loss"] == pytest.approx(metrics.nll(probs, tensors["y_val"].numpy()), abs=1e-5)
    assert checks[0]["val_loss"] != checks[0]["nll"]


def test_outputs_that_are_not_finite_count_as_guesses(tensors):
    class Diverged(nn.Module):
        def forward(self, x):
            logits = 100.0 * torch.eye(10)[torch.arange(len(x)) % 10]
            logits[:10, 3] = float("nan")
            return logits

    nll, accuracy = nll_and_accuracy(Diverged(), tensors, "test")
    assert nll == pytest.approx(np.log(10) / 4, rel=1e-5)
    assert accuracy == pytest.approx(0.75 + 0.1 / 4)


def test_the_two_ends_are_the_late_mean_and_the_check_with_the_lowest_validation_loss():
    checks = [
        {"epoch": 2 * k, "val_loss": loss, "nll": 10.0 * k, "ratios": [k, 2 * k]}
        for k, loss in enumerate((3, 1, 2, 4), start=1)
    ]
    ends = two_ends(checks, num_late=2)
    assert (ends["best_epoch"], ends["last_epoch"]) == (4, 8)
    assert (ends["stopped_nll"], ends["late_nll"]) == (20.0, 35.0)
    assert (ends["stopped_ratios"], ends["late_ratios"]) == ([2, 4], [3.5, 7.0])


def test_late_is_the_mean_of_the_last_five_looks_with_five_decimals():
    checks = [{"epoch": k, "val_loss": 1.0, "nll": k / 7} for k in range(1, 8)]
    ends = two_ends(checks)
    assert (ends["late_nll"], ends["stopped_nll"]) == (0.71429, 0.14286)  # 5/7 and 1/7
    assert two_ends(checks[-1:])["late_nll"] == 1


def test_a_nudge_is_one_part_in_a_million_unless_told_otherwise():
    start, nudged = make_mlp((10, 20, 10), (0.5,), seed=0), make_mlp((10, 20, 10), (0.5,), seed=0)
    relative = (nudge(nudged, 1)[0].weight / start[0].weight - 1).abs()
    assert 0.3e-6 < relative.median() < 1e-6 and relative.max() < 5e-6


def test_a_nudge_is_small_differs_by_seed_and_moves_every_weight():
    first, same, other = (nudge(make_mlp((10, 20, 10), (0.5,), seed=0), seed, 1e-3) for seed in (1, 1, 2))
    start = make_mlp((10, 20, 10), (0.5,), seed=0)
    for old, a, b, c in zip(*(net.parameters() for net in (start, first, same, other)), strict=True):
        assert torch.equal(a, b)
        if old.abs().max() > 0:
            relative = (a / old - 1).abs()
            assert not torch.equal(a, c) and 0.3e-3 < relative.median() < 1e-3 and relative.max() < 5e-3


def test_numbers_are_paired_by_seed_not_by_place():
    runs = [{"seed": s, "p": p, "nll": 10 * s + p} for p in (0, 1) for s in (2, 0, 1)]
    assert by_seed(runs[::-1], "nll", p=1).tolist() == [1, 11, 21]
    named = [{**run, "name": f"p = {run['p']}"} for run in runs]  # a setting may be called name
    assert by_seed(named, "nll", name="p = 1").tolist() == [1, 11, 21]
    with pytest.raises(ValueError, match="got 0 for 0 seeds"):
        by_seed(runs, "nll", p=2)
    with pytest.raises(ValueError, match="got 6 for 3 seeds"):
        by_seed(runs, "nll")
