"""The widgets that show stored results: a corner of each bank trained again, and the same in JavaScript."""

import sys

import numpy as np
import pytest
from node import run_js
from test_widget_core import browser_says

from utils.data import DATA_DIR
from utils.widgets import CoadaptationLens, PSweep
from utils.widgets.p_sweep import BANK_ROWS, load_bank

sys.path.insert(0, str(DATA_DIR))
import build_banks


@pytest.mark.parametrize("name", sorted(build_banks.BANKS))
def test_a_bank_is_small_finite_and_has_five_seeds(name):
    assert (DATA_DIR / f"bank_{name}.npz").stat().st_size < 2_000_000
    bank = load_bank(name)
    assert len(bank["seeds"]) >= 5
    assert all(np.isfinite(values).all() for values in bank.values())


def test_the_sweep_bank_agrees_with_a_corner_trained_again():
    bank = load_bank("sweep")["values"]
    for i, p in ((0, 0.0), (3, 0.5)):
        again = build_banks.train_one(p, 300, 16, 0)
        stored = bank[:, i, 0, 0]
        spread = np.maximum(stored.max(axis=1) - stored.min(axis=1), 0.02)
        assert np.all(np.abs(again - stored[:, 0]) <= spread), (p, again, stored[:, 0])


def test_the_lens_bank_agrees_with_a_corner_trained_again():
    bank = load_bank("lens")
    again = build_banks.measure_lens(0.5, 0)
    stored = bank["accuracy"][5]
    spread = np.maximum(stored.max(axis=0) - stored.min(axis=0), 0.02)
    assert np.all(np.abs(again["accuracy"] - stored[0]) <= spread)
    assert abs(again["correlation"] - bank["correlation"][5, 0]) < 0.02


def test_dropout_hurts_the_narrow_net_and_helps_the_wide_one_at_few_images():
    # One-sided and wide, on means over 5 seeds, test NLL at 1,000 training images.
    def gain(width):
        widget = PSweep(p=0.5, num_train=1000, width=width)
        test = widget.curves()[1].mean(axis=1)
        return test[0] - test[3]

    assert gain(16) < 0 < gain(256)


def test_nets_trained_with_dropout_survive_knocked_out_units():
    for seed in range(5):
        accuracy = load_bank("lens")["accuracy"][:, seed]
        half = build_banks.KNOCKED_OUT.tolist().index(64)
        assert accuracy[5, half] - accuracy[0, half] > 0.05


def test_the_browser_reads_the_same_curves_as_python():
    widget = PSweep(p=0.3, num_train=5000, width=64, measure="accuracy")
    bank = np.frombuffer(widget.bank, np.float32).astype(float).round(6).tolist()
    for row, curve in zip(("train_accuracy", "test_accuracy"), widget.curves(), strict=True):
        got = run_js(
            "p_sweep", "m.bankCurve(Float64Array.from(bank), axes, row, 5000, 64)",
            bank=bank, axes=widget.axes, row=BANK_ROWS.index(row),
        )  # fmt: skip
        assert np.allclose(got, curve, atol=1e-6)


def test_the_widgets_follow_the_browser_and_say_what_they_show():
    sweep = PSweep()
    browser_says(sweep, p=0.7, width=64)
    assert sweep.stats()["p"] == 0.7 and sweep.stats()["width"] == 64
    assert "[figure] NLL over p for nets of width 64" in repr(sweep.figure())
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
        (lambda: CoadaptationLens(knocked_out=200), r"knocked_out must be a whole number in \[0, 112\]"),
        (lambda: CoadaptationLens(p=2.0), r"p must be in \[0, 1\], got 2.0"),
    ],
)
def test_values_outside_the_bank_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
