"""The slider, without a browser and without a kernel."""

import base64
import io
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.image import imread

from utils.widgets import MaskSlider

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def set_in_browser(widget, value):
    """What the browser sends when a slider moves: exactly its message."""
    data = {"method": "update", "state": {"value": value}, "buffer_paths": []}
    widget.slider._handle_msg({"content": {"data": data}, "buffers": []})


def test_moving_the_slider_changes_picture_numbers_and_text():
    widget = MaskSlider(drop_prob=0.5)
    picture, text = bytes(widget.image.value), widget.text.value
    set_in_browser(widget, 0.7)
    assert widget.stats()["drop_prob"] == 0.7
    assert widget.stats()["kept"] == widget.mask().sum() < 0.5 * 192
    assert bytes(widget.image.value) != picture and widget.text.value != text


def test_moving_back_gives_the_first_picture_again():
    widget = MaskSlider(drop_prob=0.5)
    picture = bytes(widget.image.value)
    set_in_browser(widget, 0.9)
    set_in_browser(widget, 0.5)
    assert bytes(widget.image.value) == picture


def test_the_picture_is_a_png_and_looks_like_the_static_figure():
    widget = MaskSlider(drop_prob=0.3)
    assert bytes(widget.image.value).startswith(PNG_SIGNATURE)
    shown = imread(io.BytesIO(widget.image.value))
    static = imread(io.BytesIO(widget.figure().png()))
    assert np.array_equal(shown, static)


def test_a_unit_that_is_gone_stays_gone_at_every_larger_p():
    widget = MaskSlider(rows=30, columns=30)
    masks = []
    for drop_prob in np.linspace(0, 1, 11):
        widget.slider.value = drop_prob
        masks.append(widget.mask())
    for smaller_p, larger_p in pairwise(masks):
        assert not (larger_p & ~smaller_p).any()
        assert larger_p.sum() < smaller_p.sum()


def test_p_0_keeps_all_and_p_1_drops_all():
    assert MaskSlider(drop_prob=0).stats() == {"drop_prob": 0.0, "kept": 192, "total": 192}
    assert MaskSlider(drop_prob=1).stats() == {"drop_prob": 1.0, "kept": 0, "total": 192}


@pytest.mark.parametrize("drop_prob", [0.1, 0.5, 0.8])
def test_the_share_kept_is_1_minus_p_within_5_standard_errors(drop_prob):
    kept, total = (MaskSlider(drop_prob, rows=200, columns=200).stats()[key] for key in ("kept", "total"))
    assert abs(kept / total - (1 - drop_prob)) < 5 * np.sqrt(drop_prob * (1 - drop_prob) / total)


def test_new_draw_changes_mask_and_picture_and_keeps_p():
    widget = MaskSlider(drop_prob=0.5)
    mask, picture = widget.mask(), bytes(widget.image.value)
    widget.button.click()
    assert (widget.mask() != mask).any()
    assert bytes(widget.image.value) != picture
    assert widget.stats()["drop_prob"] == 0.5


def test_the_seed_decides_the_draw_and_new_draw_takes_the_next_seed():
    widget = MaskSlider(seed=3)
    assert np.array_equal(widget.mask(), MaskSlider(seed=3).mask())
    widget.button.click()
    assert np.array_equal(widget.mask(), MaskSlider(seed=4).mask())


def test_one_step_of_the_slider_is_a_hundredth_from_0_to_1():
    slider = MaskSlider().slider
    assert (slider.min, slider.max, slider.step) == (0, 1, 0.01)
    assert slider.description == "drop probability p"


@pytest.mark.parametrize(
    "argument, sentence",
    [
        ({"drop_prob": 1.5}, r"drop_prob must be in \[0, 1\], got 1.5"),
        ({"drop_prob": float("nan")}, r"drop_prob must be in \[0, 1\], got nan"),
        ({"drop_prob": "0.5"}, r"drop_prob must be in \[0, 1\], got '0.5'"),
        ({"rows": 0}, "rows must be a whole number >= 1, got 0"),
        ({"columns": 2.5}, "columns must be a whole number >= 1, got 2.5"),
        ({"seed": -1}, "seed must be a whole number >= 0, got -1"),
        ({"seed": None}, "seed must be a whole number >= 0, got None"),
        ({"seed": True}, "seed must be a whole number >= 0, got True"),
    ],
)
def test_a_bad_argument_is_answered_with_one_sentence(argument, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        MaskSlider(**argument)


def test_its_repr_is_one_line_without_addresses():
    kept = MaskSlider(drop_prob=0.25).stats()["kept"]
    assert repr(MaskSlider(drop_prob=0.25)) == f"[slider] p = 0.25: {kept} of 192 units kept"


def test_a_notebook_gets_a_live_view_a_png_and_a_text():
    widget = MaskSlider()
    bundle = widget._repr_mimebundle_()
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == widget.model_id
    assert base64.b64decode(bundle["image/png"]) == widget.image.value
    assert bundle["text/plain"] == repr(widget)


def test_the_picture_in_words_stands_below_it():
    widget = MaskSlider()
    assert widget.children[1:] == (widget.image, widget.text)
    assert f"[slider] {widget.text.value}" == repr(widget)
