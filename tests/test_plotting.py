"""Figures: they say what they show, can be read from afar, and draw the numbers they were given."""

import base64
import io

import numpy as np
import pytest
from matplotlib.image import imread
from matplotlib.text import Text

from utils import plotting

X = np.array([1, 2, 3, 4])
RUNS = np.array([[1.0, 2.0, 3.0, 4.0], [3.0, 2.0, 5.0, 8.0]])


def curves():
    return plotting.curves_figure(
        X,
        {"a": RUNS, "b": RUNS[0]},
        title="Title",
        xlabel="epoch",
        ylabel="accuracy",
        sentence="Two curves rise.",
    )


def images():
    return plotting.images_figure(
        np.full((3, 28, 28), 0.5), ["one", "two", "three"], title="Title", sentence="Three grey squares."
    )


def mask():
    keep = np.zeros((4, 6), dtype=bool)
    keep[[0, 0, 0, 3], [1, 2, 5, 0]] = True
    return plotting.mask_figure(keep, 0.8)


every_figure = pytest.mark.parametrize("make", [curves, images, mask])


@every_figure
def test_a_figure_reaches_the_notebook_as_a_png_and_a_sentence(make):
    fig = make()
    data, metadata = fig._repr_mimebundle_()
    assert data["text/plain"] == repr(fig) == f"[figure] {fig.sentence}"
    assert metadata["image/png"]["alt"] == fig.sentence != ""
    pixels = imread(io.BytesIO(base64.b64decode(data["image/png"])))
    width, height = fig.get_size_inches() * 100
    assert pixels.shape[:2] == (round(height), round(width))
    assert pixels.std() > 0


@every_figure
def test_no_text_is_smaller_than_11_points(make):
    fig = make()
    fig.png()
    shown = [text for text in fig.findobj(Text) if text.get_text()]
    assert shown and min(text.get_size() for text in shown) >= 11


@every_figure
def test_axes_have_labels_or_no_ticks_on_purpose(make):
    for ax in make().axes:
        for axis in (ax.xaxis, ax.yaxis):
            assert axis.label.get_text() or len(axis.get_ticklocs()) == 0


@every_figure
def test_the_same_data_gives_the_same_picture(make):
    assert make().png() == make().png()


def test_small_text_that_a_chapter_adds_is_enlarged_too():
    fig, ax = plotting.new_figure("A dot.")
    note = ax.text(0, 0, "note", fontsize=5)
    ax.set_title("set late")
    fig.png()
    assert note.get_size() == 11 and ax.title.get_size() == plotting.FONT_SIZE


def test_new_figure_gives_one_axes_or_an_array_of_them():
    _, ax = plotting.new_figure("One.")
    _, axes = plotting.new_figure("Three.", 3)
    assert not isinstance(ax, np.ndarray)
    assert axes.shape == (3,)


def test_the_sentence_is_kept_on_one_line():
    fig, _ = plotting.new_figure("A long\n  sentence.")
    assert fig.sentence == "A long sentence."


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((" ",), "sentence must say what the figure shows"),
        (("Text.", 0), "num_columns must be a whole number >= 1, got 0"),
    ],
)
def test_new_figure_answers_bad_arguments_with_one_sentence(arguments, message):
    with pytest.raises(ValueError, match=message):
        plotting.new_figure(*arguments)


def test_a_band_shows_the_mean_and_reaches_from_the_lowest_to_the_highest_run():
    _, ax = plotting.new_figure("A band.")
    plotting.draw_band(ax, X, RUNS, "runs")
    assert np.array_equal(ax.lines[0].get_ydata(), [2, 2, 4, 6])
    corners = ax.collections[0].get_paths()[0].vertices
    for x, low, high in zip(X, RUNS.min(axis=0), RUNS.max(axis=0), strict=True):
        heights = corners[corners[:, 0] == x, 1]
        assert (heights.min(), heights.max()) == (low, high)


def test_a_single_run_has_a_line_and_no_band():
    _, ax = plotting.new_figure("A line.")
    plotting.draw_band(ax, X, RUNS[0], "run")
    assert np.array_equal(ax.lines[0].get_ydata(), RUNS[0])
    assert len(ax.collections) == 0


def test_series_differ_in_colour_marker_and_line_style_at_once():
    lines = curves().axes[0].lines
    for trait in ("get_color", "get_marker", "get_linestyle"):
        assert getattr(lines[0], trait)() != getattr(lines[1], trait)()


@pytest.mark.parametrize("runs", [np.ones(3), np.ones((2, 5)), np.ones((2, 2, 4))])
def test_runs_that_do_not_fit_x_are_refused(runs):
    _, ax = plotting.new_figure("Nothing.")
    with pytest.raises(ValueError, match="runs must have one value per point of x"):
        plotting.draw_band(ax, X, runs, "runs")


def test_a_legend_names_every_curve():
    names = [text.get_text() for text in curves().axes[0].get_legend().get_texts()]
    assert names == ["a", "b"]


def test_images_are_drawn_on_one_grey_scale_with_their_captions():
    fig = images()
    assert [ax.get_xlabel() for ax in fig.axes] == ["one", "two", "three"]
    assert {ax.images[0].get_clim() for ax in fig.axes} == {(0, 1)}


def test_one_image_alone_is_a_row_too():
    fig = plotting.images_figure(np.zeros((1, 28, 28)), ["zero"], title="One", sentence="A white square.")
    assert len(fig.axes) == 1


def test_images_without_captions_are_refused():
    with pytest.raises(ValueError, match="each image needs a caption, got 2 images and 1 captions"):
        plotting.images_figure(np.zeros((2, 28, 28)), ["a"], title="Two", sentence="Two squares.")


def test_the_mask_is_told_by_shape_and_place_not_by_colour_alone():
    kept, dropped = mask().axes[0].collections
    assert len(kept.get_offsets()) == 4 and len(dropped.get_offsets()) == 20
    assert not np.array_equal(kept.get_paths()[0].vertices, dropped.get_paths()[0].vertices)
    assert {tuple(point) for point in kept.get_offsets()} == {(1, 0), (2, 0), (5, 0), (0, 3)}


def test_the_mask_figure_counts():
    fig = mask()
    assert fig.sentence == "A grid of 4 x 6 units at p = 0.80: 4 of 24 are kept."
    assert "kept 4 of 24 (17%, expected 20%)" in fig.axes[0].get_title()


@pytest.mark.parametrize(
    "keep, drop_prob, message",
    [
        (np.ones((2, 2)), 0.5, "keep must be a bool array"),
        (np.ones(4, bool), 0.5, "keep must be a bool array"),
        (np.ones((0, 2), bool), 0.5, "keep must be a bool array"),
        (np.ones((2, 2), bool), 2, "drop_prob must be in"),
    ],
)
def test_the_mask_figure_answers_bad_arguments_with_one_sentence(keep, drop_prob, message):
    with pytest.raises(ValueError, match=message):
        plotting.mask_figure(keep, drop_prob)
