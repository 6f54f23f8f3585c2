"""The widgets that show stored results: a corner of each bank trained again, and the same in JavaScript."""

import numpy as np
import pytest
from node import run_js
from test_widget_core import browser_says

from authoring import banks
from utils.data import DATA_DIR
from utils.widgets import CoadaptationLens, PSweep
from utils.widgets.base import load_bank
from utils.widgets.coadaptation_lens import WIDTH, accuracy
from utils.widgets.coadaptation_lens_bank import KNOCKED_OUT, _shown, measure_lens
from utils.widgets.p_sweep import CURVES
from utils.widgets.p_sweep_bank import train_one


@pytest.mark.parametrize("name", sorted(banks.BANKS))
def test_a_bank_is_small_and_finite_and_a_comparison_has_five_seeds(name):
    assert (DATA_DIR / f"bank_{name}.npz").stat().st_size < 2_000_000
    bank = load_bank(name)
    assert all(np.isfinite(values).all() for values in bank.values())
    assert name not in ("sweep", "lens") or len(bank["seeds"]) >= 5


def test_every_stored_bank_has_its_code():
    stored = {path.stem.removeprefix("bank_") for path in DATA_DIR.glob("bank_*.npz")}
    assert stored == set(banks.BANKS)


@pytest.mark.parametrize("name", ["activations", "noise", "passes", "regression", "shift", "thinned", "vote"])
def test_a_quick_bank_is_the_one_that_its_code_gives_again(name):
    again = banks.BANKS[name]()
    stored = load_bank(name)
    assert sorted(again) == sorted(stored)
    for key, values in again.items():
        # Adding up in another order shows in the last digits, and can turn single ones of 10,000 predictions.
        tolerance = {"rtol": 0, "atol": 0.002} if key == "test_accuracy" else {"rtol": 1e-3, "atol": 2e-4}
        if name == "regression" and key == "weights":  # a thousand steps of Adam amplify them
            tolerance = {"rtol": 0.05, "atol": 0.05}
        np.testing.assert_allclose(values, stored[key], **tolerance, err_msg=key)


def test_the_command_writes_a_bank_in_one_step_and_names_what_there_is(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(banks, "DATA_DIR", tmp_path)
    monkeypatch.setitem(banks.BANKS, "vote", lambda: {"hidden": np.ones(3, np.float32)})
    assert banks.main(["vote"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["bank_vote.npz"]
    assert "wrote bank_vote.npz" in capsys.readouterr().out
    for wrong in ([], ["votes"]):
        assert banks.main(wrong) == 1
        assert "name one or more of activations, calibration, " in capsys.readouterr().err


def test_the_sweep_bank_agrees_with_a_corner_trained_again():
    bank = load_bank("sweep")["values"]
    for i, p in ((0, 0.0), (3, 0.5)):
        again = train_one(p, 300, 16, 0)
        stored = bank[:, i, 0, 0]
        spread = np.maximum(stored.max(axis=1) - stored.min(axis=1), 0.02)
        assert np.all(np.abs(again - stored[:, 0]) <= spread), (p, again, stored[:, 0])


def test_the_lens_bank_agrees_with_a_corner_trained_again():
    bank = load_bank("lens")
    again = measure_lens(0.5, 0)
    stored = bank["accuracy"][1]
    spread = np.maximum(stored.max(axis=0) - stored.min(axis=0), 0.02)
    assert np.all(np.abs(again["accuracy"] - stored[0]) <= spread)
    assert abs(again["correlation"] - bank["correlation"][1, 0]) < 0.02
    # The same net in few numbers: its 400 images of the 10,000 within five standard errors, also without
    # half of its units, stored and trained again.
    few = {name: {1: again[name]} for name in ("activations", "W2", "b2")} | {"labels": bank["labels"]}
    halves = np.random.default_rng(0).permuted(np.tile(np.arange(WIDTH) < WIDTH // 2, (20, 1)), axis=1)
    for net in (bank, few):
        half = np.mean([accuracy(net, 1, kept) for kept in halves])
        for share, got in (
            (stored[0, 0], accuracy(net, 1, np.ones(WIDTH, dtype=bool))),
            (stored[0, KNOCKED_OUT.tolist().index(64)], half),
        ):
            assert abs(got - share) < 5 * np.sqrt(share * (1 - share) / 400)


def test_the_small_net_gives_the_logits_of_the_large_one_within_half_a_level_of_each_unit():
    rng = np.random.default_rng(0)
    W1, W2, b2 = (rng.normal(size=size).astype(np.float32) for size in ((784, WIDTH), (WIDTH, 10), (10,)))
    h = np.maximum(rng.normal(size=(30, WIDTH)) * rng.uniform(0, 9, WIDTH), 0).astype(np.float32)
    h[:, 5] = 0  # a unit that never fires
    small = _shown(W1, h, W2, b2)
    logits = small["activations"].astype(np.float64) @ small["W2"] + small["b2"]
    assert np.all(np.abs(logits - (h.astype(np.float64) @ W2 + b2)) < 0.501 * np.abs(small["W2"]).sum(axis=0))
    # A filter is the unit's own weights: by hand for one pixel of unit 7.
    means = W1[:, 7].reshape(14, 2, 14, 2).mean(axis=(1, 3))
    grey = 127.5 + 127.5 * means[3, 4] / np.abs(means).max()
    assert abs(int(small["filters"][7, 3, 4]) - grey) <= 0.5 + 1e-4


def test_dropout_hurts_the_narrow_net_and_helps_the_wide_one_at_few_images():
    # One-sided and wide, on means over 5 seeds, test NLL at 1,000 training images.
    def gain(width):
        widget = PSweep(p=0.5, num_train=1000, width=width)
        test = widget.curves()[1].mean(axis=1)
        return test[0] - test[3]

    assert gain(16) < 0 < gain(256)


def test_nets_trained_with_dropout_survive_knocked_out_units():
    for seed in range(5):
        survived = load_bank("lens")["accuracy"][:, seed]
        half = KNOCKED_OUT.tolist().index(64)
        assert survived[1, half] - survived[0, half] > 0.05


def test_the_browser_reads_the_same_curves_as_python():
    widget = PSweep(p=0.3, num_train=5000, width=64, measure="accuracy")
    bank = np.frombuffer(widget.bank, np.float32).astype(float).round(6).tolist()
    for name, curve in zip(CURVES, widget.curves(), strict=True):
        got = run_js(
            "p_sweep", "m.bankCurve(Float64Array.from(bank), axes, m.rowOf(name, 'accuracy'), 5000, 64)",
            bank=bank, axes=widget.axes, name=name,
        )  # fmt: skip
        assert np.allclose(got, curve, atol=1e-6)


def test_early_stopping_helps_a_wide_net_without_dropout_on_few_images():
    # It learns by heart: in every seed its test NLL was far lower when it was stopped.
    _, end, early = PSweep(num_train=300, width=256).curves()
    assert np.all(early[0] < end[0] - 0.1)


def test_in_all_nine_stopping_early_without_dropout_does_better_than_the_best_p_at_the_end():
    # The gallery says so: of means over five seeds.
    for num_train in (300, 1000, 5000):
        for width in (16, 64, 256):
            _, end, early = (c.mean(axis=1) for c in PSweep(num_train=num_train, width=width).curves())
            assert early[0] < end.min(), (num_train, width)


@pytest.mark.parametrize(
    ("seed", "knocked_out", "forced"),
    [
        (0, 0, {}),
        (0, 64, {}),
        (3, 120, {"0": 0, "5": 1, "127": 1}),
        (7, 8, {str(k): 0 for k in range(WIDTH)}),
    ],
)
def test_both_nets_without_these_units_answer_the_same_in_python_and_in_the_browser(
    seed, knocked_out, forced
):
    widget = CoadaptationLens(seed=seed, knocked_out=knocked_out, forced=forced)
    kept, bank = widget.kept(), load_bank("lens")
    got_kept, *got = run_js(
        "coadaptation_lens",
        """((kept) => [[...kept], ...[0, 1, 2].map((i) =>
            m.accuracy(Uint8Array.from(activations), Float64Array.from(weights), labels, i, kept))]
        )(m.keptUnits(seed, knockedOut, forced, 128))""",
        activations=bank["activations"].ravel().tolist(),
        weights=np.frombuffer(widget.weights, np.float32).astype(float).tolist(),
        labels=bank["labels"].tolist(), seed=seed, knockedOut=knocked_out, forced=forced,
    )  # fmt: skip
    assert got_kept == kept.astype(int).tolist()
    assert got == [accuracy(bank, i, kept) for i in range(3)]
    assert widget.stats()["gone"] == WIDTH - kept.sum()


def test_the_widgets_follow_the_browser_and_say_what_they_show():
    sweep = PSweep()
    browser_says(sweep, p=0.7, width=64)
    assert sweep.stats()["p"] == 0.7 and sweep.stats()["width"] == 64
    assert "[figure] NLL over p for nets of width 64" in repr(sweep.figure())
    assert set(sweep.stats()) > {"train", "test", "early", "best_p", "best_p_early"}
    lens = CoadaptationLens()
    browser_says(lens, p=0.5, knocked_out=64)
    assert lens.stats()["accuracy"] > lens.stats()["accuracy_p0"]
    assert lens.poster().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PSweep(width=100), r"width must be one of \[16, 64, 256\], got 100"),
        (lambda: PSweep(num_train=10), r"num_train must be one of \[300, 1000, 5000\], got 10"),
        (lambda: PSweep(measure="ECE"), "measure must be one of NLL, accuracy, got 'ECE'"),
        (lambda: CoadaptationLens(knocked_out=7), r"knocked_out must be one of \[0, 8, .*, 120\], got 7"),
        (lambda: CoadaptationLens(forced={"128": 0}), r"forced must map numbers 0..127 to 0 or 1, got"),
        (lambda: CoadaptationLens(p=2.0), r"p must be in \[0, 1\], got 2.0"),
    ],
)
def test_values_outside_the_bank_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
