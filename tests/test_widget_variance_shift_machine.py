"""Variance Shift Machine: the ratio against chapter 10's formula, a training step, the browser's twin."""

import base64
import itertools

import numpy as np
import pytest
import torch
from node import run_js
from test_widget_core import browser_says, check_refused
from torch import nn

from utils.widgets import VarianceShiftMachine
from utils.widgets.variance_shift_machine import (
    ACTIONS,
    BATCH,
    CLASSES,
    LR,
    MODES,
    NUM_SHOWN,
    ORDERS,
    WIDTH,
    Machine,
    factor,
    load_images,
    uniform,
    variances,
)

READ = "const dv = (b) => new DataView(Uint8Array.from(atob(b), (c) => c.charCodeAt(0)).buffer);"


def in_js(widget, body, **values):
    """The value of a function body in JavaScript that finds the `images` of a widget."""
    encoded = [base64.b64encode(data).decode() for data in (widget.hidden, widget.labels)]
    return run_js(
        "variance_shift_machine",
        f"(() => {{ {READ} const images = m.readImages(dv(encoded[0]), dv(encoded[1])); {body} }})()",
        encoded=encoded, **values,
    )  # fmt: skip


@pytest.mark.parametrize("p", [0.0, 0.2, 0.5, 0.8, 0.9])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("mode", MODES)
def test_the_share_is_the_one_of_the_formula_within_five_standard_errors(p, order, mode):
    for seed in range(5):
        stats = VarianceShiftMachine(p=p, order=order, mode=mode, seed=seed).stats()
        assert abs(stats["share"] - stats["formula"]) < 5 * stats["formula_error"], (seed, stats)


def test_the_share_strays_from_the_formula_as_far_as_the_standard_error_says():
    found = [VarianceShiftMachine(p=0.5, seed=seed, did=[["train", 0.5, 100]]).stats() for seed in range(100)]
    far = np.array([(s["share"] - s["formula"]) / s["formula_error"] for s in found])
    # The mean of 100, and their standard deviation, uncertain by 1 / sqrt(2 n); a tenth for first order.
    assert abs(far.mean()) < 5 / np.sqrt(100) and abs(far.std() - 1) < 5 / np.sqrt(200) + 0.1


@pytest.mark.parametrize("p", [0.0, 0.3, 0.8])
def test_the_formula_is_that_of_the_chapter(p):
    h, q = load_images()[0], 1 - p
    clean, trained, *_ = variances(p)
    assert clean == pytest.approx(h.var(axis=0).sum())
    assert trained == pytest.approx(((h**2).mean(axis=0) / q - h.mean(axis=0) ** 2).sum())


@pytest.mark.parametrize("p", [0.0, 0.3, 0.8])
def test_the_parts_of_the_standard_error_are_those_of_many_masks(p):
    h, rng, n = load_images()[0], np.random.default_rng(0), 400
    masks = (rng.random((n, *h.shape)) >= p) / (1 - p)
    away = ((h * masks - h.mean(axis=0)) ** 2).sum(axis=2)  # each image's squared distance to the mean
    _, _, within, between = variances(p)
    middle, spread = away.mean(axis=0), away.var(axis=0, ddof=1)
    # The images are fixed. Over masks the variance of a variance is (fourth moment - its square) / n, and a
    # mean of n has the variance spread / n, to first order.
    fourth = ((away - middle) ** 4).mean(axis=0)
    error = np.sqrt(np.maximum(fourth - spread**2, 0).sum() / n) / len(h)
    assert abs(spread.mean() - within) <= 5 * error + 1e-9
    error = 2 * np.sqrt(((middle - middle.mean()) ** 2 * spread / n).sum()) / len(h)
    assert abs(middle.var() - within / n - between) <= 5 * error + 1e-9


def as_torch(machine):
    """The trained part as PyTorch layers, dropout left out: (batch norm, linear), float64."""
    norm, linear = nn.BatchNorm1d(WIDTH, dtype=torch.float64), nn.Linear(WIDTH, CLASSES, dtype=torch.float64)
    norm.load_state_dict(
        {"weight": torch.tensor(machine.gamma), "bias": torch.tensor(machine.beta),
         "running_mean": torch.tensor(machine.stored[0]), "running_var": torch.tensor(machine.stored[1])},
        strict=False,
    )  # fmt: skip
    linear.load_state_dict({"weight": torch.tensor(machine.weights.T), "bias": torch.tensor(machine.bias)})
    return norm, linear


@pytest.mark.parametrize("order", ORDERS)
def test_a_training_step_is_that_of_pytorch(order):
    machine = Machine(order, seed=3)
    machine.act("train", 0.4, 20)
    norm, linear = as_torch(machine)
    first = machine.passes * NUM_SHOWN * (WIDTH + 1)
    rows = np.floor(uniform(10, BATCH, first).astype(float) * NUM_SHOWN).astype(int)
    h, y = torch.tensor(load_images()[0][rows]), torch.tensor(load_images()[1][rows])
    mask = torch.tensor(factor(uniform(10, h.numel(), first + NUM_SHOWN), 0.4).reshape(h.shape))
    logits = linear(norm(h * mask) if order == ORDERS[0] else norm(h) * mask)
    nn.functional.cross_entropy(logits, y).backward()
    with torch.no_grad():
        for parameter in (*norm.parameters(), *linear.parameters()):
            parameter -= LR * parameter.grad
    machine.act("train", 0.4, 1)
    again_norm, again_linear = as_torch(machine)
    for ours, theirs in zip(
        (*again_norm.state_dict().values(), *again_linear.state_dict().values()),
        (*norm.state_dict().values(), *linear.state_dict().values()), strict=True,
    ):  # fmt: skip
        if theirs.is_floating_point():
            assert torch.allclose(ours, theirs, rtol=1e-10, atol=1e-12)


def test_eval_is_that_of_pytorch():
    machine = Machine(ORDERS[0], seed=1)
    machine.act("train", 0.5, 50)
    norm, linear = as_torch(machine)
    with torch.no_grad():
        logits = linear(norm.eval()(torch.tensor(load_images()[2])))
    assert np.allclose(machine.looks("eval", 0.5)[1], logits.numpy(), rtol=1e-10)


@pytest.mark.parametrize("order", ORDERS)
def test_passes_in_train_mode_over_sneakers_ruin_the_net_and_new_statistics_heal_it(order):
    widget = VarianceShiftMachine(order=order)
    before = widget.stats()["accuracy"]
    kept = widget.machine().weights.copy()
    widget.act("sneakers", 100)
    spoilt = widget.stats()["accuracy"]
    widget.act("masks")
    healed = widget.stats()["accuracy"]
    assert np.array_equal(widget.machine().weights, kept), "nobody trained"
    # Of 400 images; .15 is more than five standard errors of a share of images, .025 at most.
    assert spoilt < before - 0.15 and abs(healed - before) < 0.125
    widget.act("all", 100)
    assert abs(widget.stats()["accuracy"] - before) < 0.125, "a mixed crowd does little"


def test_without_masks_the_shift_is_gone_and_with_them_it_is_back():
    widget = VarianceShiftMachine(p=0.5)
    before = widget.stats()["nll"]
    widget.act("clean")
    assert widget.stats()["nll"] < before - 0.05
    assert widget.stats()["share"] == pytest.approx((NUM_SHOWN - 1) / NUM_SHOWN)
    widget.act("masks")
    # The mean of five passes over the 400 images, with other masks each.
    _, trained, within, _ = variances(0.5)
    error = np.sqrt(within / NUM_SHOWN / 5) / trained * widget.formula()
    assert abs(widget.stats()["share"] * NUM_SHOWN / (NUM_SHOWN - 1) - widget.formula()) < 5 * error


def test_one_pass_moves_the_store_a_tenth_of_the_way():
    widget = VarianceShiftMachine(did=[])
    assert widget.stats()["stored"] == 1 and widget.stats()["passes"] == 0
    widget.act("all")
    after = widget.stats()["stored"]
    widget.act("all", 200)
    _, trained, *_ = variances(0.5)
    assert 1 < after < 1 + 0.2 * (trained / WIDTH - 1)
    assert widget.did == [["all", 0.5, 201]]


def test_swapped_boxes_go_through_the_same_again():
    widget = VarianceShiftMachine(p=0.5)
    shifted = widget.stats()
    widget.order = ORDERS[1]
    assert widget.stats()["passes"] == shifted["passes"] and widget.stats()["formula"] == 1
    widget.order = ORDERS[0]
    assert widget.stats() == shifted


DID = [["train", 0.5, 203], ["sneakers", 0.3, 20], ["all", 0.3, 7], ["masks", 0.3, 5], ["masks", 0.3, 5],
       ["clean", 0.0, 5], ["train", 0.8, 12]]  # fmt: skip


@pytest.mark.parametrize(("order", "mode"), list(itertools.product(ORDERS, MODES)))
def test_python_and_javascript_agree(order, mode):
    widget = VarianceShiftMachine(order=order, mode=mode, p=0.3, did=DID, seed=2)
    # The browser gets there in two turns.
    seen, stored, history, theory = in_js(
        widget,
        """const machine = m.follow(m.follow(null, images, order, 2, begun), images, order, 2, did);
        return [m.looks(machine, mode, 0.3), machine.stored.map((a) => [...a]), m.history(machine),
          m.formula(images, { order, mode, p: 0.3 })];""",
        order=order, mode=mode, did=DID, begun=[["train", 0.5, 100]],
    )  # fmt: skip
    numbers, machine = widget.numbers(), widget.machine()
    assert [seen["accuracy"], seen["nll"]] == pytest.approx([numbers["accuracy"], numbers["nll"]], rel=1e-9)
    assert list(seen["received"].values()) == pytest.approx(machine.looks(mode, 0.3)[0], rel=1e-9)
    assert np.allclose(stored, machine.stored, rtol=1e-9)
    assert np.allclose(history, machine.history(), rtol=1e-9)
    assert [theory["share"], theory["error"]] == pytest.approx(
        [numbers["formula"], numbers["formula_error"]], rel=1e-9
    )
    assert theory["units"] == pytest.approx(widget.shares()[0], rel=1e-9)


def test_the_browser_starts_anew_where_the_history_is_another():
    widget = VarianceShiftMachine()
    ways = {
        "the same": [["train", 0.5, 20]],
        "longer": [["train", 0.5, 30]],
        "shorter": [["train", 0.5, 10]],
        "other p": [["train", 0.3, 20]],
        "other action": [["all", 0.5, 20]],
        "nothing": [],
    }
    same = in_js(
        widget,
        """return ways.map((way) => {
          const before = m.follow(null, images, order, 0, [["train", 0.5, 20]]);
          const after = m.follow(before, images, order, 0, way);
          return [after === before, after.passes];
        });""",
        ways=list(ways.values()), order=ORDERS[0],
    )  # fmt: skip
    assert dict(zip(ways, same, strict=True)) == {
        "the same": [True, 20], "longer": [True, 30], "shorter": [False, 10], "other p": [False, 20],
        "other action": [False, 20], "nothing": [False, 0],
    }  # fmt: skip


def test_the_poster_and_the_text_say_what_is_on_show():
    widget = VarianceShiftMachine(p=0.5, covered=False)
    data, metadata = widget._repr_mimebundle_()
    stats = widget.stats()
    assert data["text/plain"].startswith(
        "[slider] VarianceShiftMachine: p 0.5, order dropout first, mode eval, "
    )
    assert f"receives {stats['share']:.0%} of the variance" in metadata["image/png"]["alt"]
    assert eval(widget.code(), {"VarianceShiftMachine": VarianceShiftMachine}).state() == widget.state()


def test_a_move_in_the_browser_changes_the_python_side():
    widget = VarianceShiftMachine(p=0.5)
    before = widget.stats()
    browser_says(widget, did=[["train", 0.5, 200], ["sneakers", 0.5, 100]])
    assert widget.stats()["accuracy"] < before["accuracy"]
    browser_says(widget, did=[["train", 0.5, 200]])
    assert widget.stats() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"p": 1.2}, r"p must be in \[0, 1\], got 1.2"),
        ({"p": 0.95}, r"p must be in \[0, 0.9\], got 0.95"),
        ({"order": "neither"}, "order must be one of dropout first, batch norm first, got 'neither'"),
        ({"mode": "test"}, "mode must be one of eval, train, got 'test'"),
        ({"did": [["rest", 0.5, 1]]}, "did must be a list of .* got .*rest"),
        ({"did": [["train", 0.5, 0]]}, "action one of " + ", ".join(ACTIONS)),
        ({"did": [["train", 0.5, 2001]]}, "at most 2000 passes in all, got"),
        ({"did": [["train", 0.95, 1]]}, r"p in \[0, 0.9\]"),
        ({"did": [3]}, "did must be a list of"),
    ],
)
def test_bad_values_get_one_sentence_and_change_nothing(arguments, message):
    check_refused(VarianceShiftMachine(), arguments, message)
