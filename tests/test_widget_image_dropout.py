"""Image Dropout: real images, four kinds of noise with the same two moments, and 1 / sqrt(N)."""

import functools

import numpy as np
import pytest
from node import run_js
from test_widget_core import browser_says, check_refused

from utils.widgets import ImageDropout
from utils.widgets.core import normal
from utils.widgets.image_dropout import (
    MOST_DRAWS,
    NOISES,
    SIDE,
    alone,
    feature_maps,
    noise_factor,
    noise_numbers,
    ten_images,
)

DROP_PROBS = [0, 0.01, 0.1, 0.25, 0.3, 0.5, 0.77, 0.9, 0.99, 1]
SEEDS = range(40)


@functools.cache
def numbers(noise, seed):
    return noise_numbers(noise, seed)


@pytest.mark.parametrize("noise", NOISES)
def test_python_and_javascript_multiply_by_the_same_factors(noise):
    for seed in (0, 7, 2**31 - 1):
        # Also where p is exactly one of the numbers drawn: that cell is kept.
        drop_probs = [*DROP_PROBS, *np.clip(numbers(noise, seed).ravel()[:3], 0, 1).tolist()]
        expected = [noise_factor(noise, numbers(noise, seed), p) for p in drop_probs]
        got = run_js(
            "image_dropout",
            "ps.map((p) => [...m.noiseFactor(noise, m.noiseNumbers(noise, seed), p).subarray(0, 3136)])",
            noise=noise, seed=seed, ps=drop_probs,
        )  # fmt: skip
        for mine, theirs in zip(expected, got, strict=True):
            mine = mine.ravel()[:3136]
            if noise == "gaussian":
                assert np.allclose(mine, theirs, rtol=0, atol=1e-12 * np.abs(mine).max())
            else:
                assert np.array_equal(mine, theirs)


@pytest.mark.parametrize("noise", NOISES)
def test_python_and_javascript_agree_on_maps_draws_means_and_errors(noise):
    widget = ImageDropout(noise=noise, p=0.3, image=3, draws=17, seed=5)
    image = (ten_images()[3] / 255).ravel().tolist()
    maps, answer = run_js(
        "image_dropout",
        """(() => {
          const x = noise === "channel" ? m.featureMaps(image) : Float64Array.from(image);
          const a = m.averageDraws(x, m.noiseFactor(noise, m.noiseNumbers(noise, 5), 0.3), 17);
          return [[...m.featureMaps(image)], [[...a.one], [...a.mean], [...a.errors]]];
        })()""",
        noise=noise, image=image,
    )  # fmt: skip
    assert np.allclose(feature_maps(np.reshape(image, (28, 28))).ravel(), maps, atol=1e-12)
    _, one, mean = widget.pictures()
    for mine, theirs in zip((one, mean, widget.error_curve()), answer, strict=True):
        assert np.allclose(mine.ravel(), theirs, rtol=0, atol=1e-12)
    assert widget.error_curve()[16] == pytest.approx(widget.stats()["rms_error"], rel=1e-12)


def test_the_normal_numbers_are_the_same_in_both_languages_and_normal():
    z = normal(3, 200_000)
    assert np.allclose(z[:500], run_js("core", "[...m.normal(3, 500)]"), rtol=0, atol=1e-12)
    # Moments 1 to 4 of N(0, 1) are 0, 1, 0, 3; the variances of z, z^2, z^3, z^4 are 1, 2, 15, 96.
    for power, (moment, variance) in enumerate([(0, 1), (1, 2), (0, 15), (3, 96)], start=1):
        assert abs((z**power).mean() - moment) < 5 * np.sqrt(variance / len(z))


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_every_noise_keeps_the_mean_and_has_variance_p_over_q_at_every_pixel(noise, p):
    q = 1 - p
    factors = [noise_factor(noise, numbers(noise, s), p) for s in SEEDS]
    means = np.array([factor.mean() for factor in factors])
    assert abs(means.mean() - 1) < 5 * means.std(ddof=1) / np.sqrt(len(SEEDS))
    squares = np.array([((factor - 1) ** 2).mean() for factor in factors])
    # At p = 1/2 every square is exactly 1.
    assert abs(squares.mean() - p / q) < 5 * squares.std(ddof=1) / np.sqrt(len(SEEDS)) + 1e-12
    # The corner is no special place: block noise drops it as often as the middle.
    corner = np.mean([factor[:, 0].mean() for factor in factors])
    assert abs(corner - 1) < 5 * np.sqrt(p / q / (MOST_DRAWS * len(SEEDS)))


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("draws", [1, 10, 200])
def test_the_mean_of_n_draws_misses_the_image_by_the_theory(noise, draws):
    p = 0.4
    x = np.atleast_2d(ImageDropout(noise=noise).clean().T).T
    errors = []
    for seed in SEEDS:
        off = noise_factor(noise, numbers(noise, seed)[:draws], p).mean(axis=0) - 1
        errors.append((off**2 @ (x**2).sum(axis=1)) / x.size)
    theory = ImageDropout(noise=noise, p=p, draws=draws).stats()["theory"] ** 2
    standard_error = np.std(errors, ddof=1) / np.sqrt(len(SEEDS))
    assert abs(np.mean(errors) - theory) < 5 * standard_error


@pytest.mark.parametrize("draws", [1, 4, 25, 200])
@pytest.mark.parametrize("p", [0.2, 0.5, 0.8])
def test_the_stats_of_pixel_noise_lie_within_their_standard_error_of_the_theory(p, draws):
    q = 1 - p
    for image in range(10):
        widget = ImageDropout(p=p, draws=draws, image=image, seed=11)
        stats, x = widget.stats(), widget.clean()
        assert stats["theory"] == pytest.approx(np.sqrt(p / q / draws * (x**2).mean()))
        # Fourth moment of the mean of N centred factors: (m4 + 3 (N-1) (p/q)^2) / N^3.
        fourth = (p + p**4 / q**3 + 3 * (draws - 1) * (p / q) ** 2) / draws**3
        spread = np.sqrt((x**4).sum() * (fourth - (p / q / draws) ** 2)) / x.size
        assert abs(stats["rms_error"] ** 2 - stats["theory"] ** 2) < 5 * spread + 1e-12


def test_block_noise_drops_neighbours_together_and_pixel_noise_does_not():
    def together(noise):
        factor = noise_factor(noise, noise_numbers(noise, 1), 0.5).reshape(-1, 28, 28)
        return np.corrcoef(factor[:, :, :-1].ravel(), factor[:, :, 1:].ravel())[0, 1]

    # Neighbours share 12 of their 16 squares: P(both kept) = q^(20/16).
    assert together("block") == pytest.approx((0.5 ** (20 / 16) - 0.25) / 0.25, abs=0.02)
    assert abs(together("pixel")) < 5 / np.sqrt(MOST_DRAWS * 28 * 27)


def test_opened_with_blocks_it_asks_how_many_holes_have_no_neighbour():
    widget = ImageDropout(noise="block")
    assert widget.truth == round(100 * alone("block", 0)) and "no pixel left beside them" in widget.question
    factors = noise_factor("block", noise_numbers("block", 0)[:100], 0.5).reshape(100, SIDE, SIDE)
    holes = [(n, i, j) for n, i, j in np.argwhere(factors == 0)]
    lonely = [not factors[n, max(0, i - 1) : i + 2, max(0, j - 1) : j + 2].any() for n, i, j in holes]
    assert alone("block", 0) == pytest.approx(np.mean(lonely), abs=1e-12)
    assert alone("pixel", 0) < 0.05 < 0.3 < alone("block", 0)


def test_at_the_ends_of_the_slider_nothing_or_everything_is_dropped():
    for noise in NOISES:
        untouched = ImageDropout(noise=noise, p=0, draws=3)
        assert untouched.stats()["rms_error"] == 0 == untouched.stats()["theory"]
        gone = ImageDropout(noise=noise, p=1, draws=3)
        assert not gone.pictures()[1].any()
        assert gone.stats()["rms_error"] == pytest.approx(gone.stats()["theory"])
    assert gone.poster() and untouched.poster()


def test_channel_noise_drops_whole_maps():
    _, one, _ = ImageDropout(noise="channel", p=0.5, draws=3, seed=2).pictures()
    x = ImageDropout(noise="channel").clean()
    ratio = [np.unique((one[k][x[k] > 0] / x[k][x[k] > 0]).round(9)).tolist() for k in range(4)]
    assert all(values in ([0.0], [2.0]) for values in ratio) and [0.0] in ratio and [2.0] in ratio


def test_the_words_say_what_the_noise_does_to_a_value():
    words = run_js("image_dropout", "cases.map(([noise, p]) => m.factorInWords(noise, p))",
                   cases=[["pixel", 0.5], ["gaussian", 0.5], ["gaussian", 0.8], ["block", 1]])  # fmt: skip
    assert words[0] == "each kept value is multiplied by 2.00"
    # Gaussian noise keeps and drops nothing: its factors vary about 1 with standard deviation sqrt(p/q).
    assert "kept" not in words[1] and "standard deviation 1.00" in words[1]
    factors = noise_factor("gaussian", numbers("gaussian", 0), 0.8)
    assert "standard deviation 2.00" in words[2] and abs(factors.std() - 2) < 5 * 2 / np.sqrt(
        2 * factors.size
    )
    assert words[3] == "at p = 1 everything is dropped, and no factor makes up for that"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"p": 1.2}, r"p must be in \[0, 1\], got 1.2"),
        ({"draws": 0}, r"draws must be a whole number in \[1, 200\], got 0"),
        ({"draws": 201}, r"draws must be a whole number in \[1, 200\], got 201"),
        ({"image": 10}, r"image must be a whole number in \[0, 9\], got 10"),
        ({"noise": "salt"}, "noise must be one of pixel, channel, block, gaussian, got 'salt'"),
    ],
)
def test_bad_values_get_one_sentence_and_change_nothing(arguments, message):
    check_refused(ImageDropout(), arguments, message)


def test_a_move_in_the_browser_changes_the_stats():
    widget = ImageDropout(p=0.2)
    browser_says(widget, p=0.7, draws=50, noise="block", image=1)
    assert widget.numbers() == ImageDropout(p=0.7, draws=50, noise="block", image=1).numbers()
    assert widget.stats()["image"] == "Trouser"
    assert eval(widget.code()).state() == widget.state()


@pytest.mark.parametrize("noise", NOISES)
def test_a_page_without_kernel_gets_a_poster_and_a_sentence(noise):
    data, metadata = ImageDropout(noise=noise, draws=9, covered=False)._repr_mimebundle_()
    assert data["text/plain"].startswith(f"[slider] ImageDropout: p 0.5, noise {noise}, image Ankle boot")
    assert len(data["image/png"]) > 1000
    assert metadata["image/png"]["alt"].startswith(f"Ankle boot under {noise} noise at p = 0.50")
