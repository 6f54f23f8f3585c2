"""MC-Dropout Regression: passes, bands, and a net that is trained again when the points change."""

import threading
import time

import numpy as np
import pytest
from node import run_js
from test_widget_core import browser_says, check_refused

from utils.widgets import MCRegression, mc_regression
from utils.widgets.core import uniform
from utils.widgets.mc_regression import (
    BANK_P,
    GAP,
    HIDDEN,
    LENGTH_SCALE,
    MOST_PASSES,
    NOISE,
    POINTS,
    PRESETS,
    gaussian_process,
    train,
)

NEW = [*POINTS, [3.5, 2.0], [3.6, 2.0]]


@pytest.fixture(scope="module")
def widget():
    return MCRegression()


@pytest.fixture
def moved(widget):
    """The module's widget (its training takes a while), put back to its first state."""
    yield widget
    widget.set_trait("p", 0.1)
    widget.passes, widget.show, widget.seed, widget.covered = 50, "all", 0, True


def numbers_of(widget):
    """The weights that the browser has for the p on show."""
    if widget.p in widget.weights_p:
        nets = np.frombuffer(widget.weights, np.float32).reshape(len(widget.weights_p), -1)
        return nets[widget.weights_p.index(widget.p)].tolist()
    stored = np.frombuffer(widget.stored, np.float16).reshape(len(PRESETS), len(BANK_P), -1)
    return stored[0, BANK_P.index(widget.p)].astype(float).tolist()


@pytest.mark.parametrize("p", [0, 0.05, 0.1, 0.3, 0.5, 0.9, 1])
def test_javascript_passes_equal_python_passes(moved, p):
    places = np.linspace(-4, 4, 33)
    for seed, first in ((0, 0), (3, 0), (3, 19)):
        moved.p, moved.seed, moved.passes = p, seed, 20
        moved.wait()
        got = run_js(
            "mc_regression",
            "(() => { const parts = m.unpackWeights(Float32Array.from(flat)), masks = m.passMasks(seed, p);"
            "const changes = m.switches(parts, xs);"
            "return m.mcPasses(parts, xs, changes, masks, p, first, 20).map((values) => [...values]); })()",
            flat=numbers_of(moved), seed=seed, p=p, xs=places.tolist(), first=first,
        )  # fmt: skip
        assert np.allclose(moved.predict(places)[first:], np.transpose(got), rtol=0, atol=1e-4)


def test_javascript_masks_equal_python_masks(moved):
    moved.passes = MOST_PASSES
    for seed in (0, 1, 2**31 - 1):
        for p in (0, 0.1, 0.33, 0.5, 0.99, 1):
            moved.seed, moved.p = seed, p
            mask = run_js("mc_regression", "m.passMasks(seed, p).join('')", seed=seed, p=p)
            assert mask == "".join(moved.masks().ravel().astype(int).astype(str))
            assert np.array_equal(
                moved.masks().ravel(), uniform(seed, MOST_PASSES * 2 * HIDDEN) >= np.float32(p)
            )


def test_the_net_fits_its_points_and_its_gradient_is_right(widget):
    x, y = np.transpose(POINTS)
    quiet = MCRegression(p=0, passes=1)
    assert np.sqrt(((quiet.predict(x)[0] - y) ** 2).mean()) < 0.25 < y.std()

    rng, p = np.random.default_rng(1), 0.3
    params = [
        [rng.normal(0, 0.5, shape), rng.normal(0, 0.5, shape[1])] for shape in ((1, 64), (64, 64), (64, 1))
    ]
    x, y = x[:, None], y[:, None]

    def loss():
        (W1, b1), (W2, b2), (W3, b3) = params
        draws = np.random.default_rng(5)
        f1, f2 = ((draws.random((len(x), 64)) >= p) / (1 - p) for _ in range(2))
        h = np.maximum(np.maximum(x @ W1 + b1, 0) * f1 @ W2 + b2, 0) * f2
        return 0.5 * ((h @ W3 + b3 - y) ** 2).mean()

    grads = mc_regression._gradients(params, x, y, p, np.random.default_rng(5))
    for value, grad in zip([v for pair in params for v in pair], grads, strict=True):
        place = tuple(0 for _ in value.shape)
        value[place] += 1e-6
        up = loss()
        value[place] -= 2e-6
        down = loss()
        value[place] += 1e-6
        assert grad[place] == pytest.approx((up - down) / 2e-6, rel=1e-4, abs=1e-7)


def test_the_band_grows_away_from_the_points_and_with_p(moved):
    moved.passes = MOST_PASSES
    bands = {}
    for p in (0, 0.05, 0.5):
        moved.p = p
        bands[p] = moved.stats()
    assert bands[0]["std_inside"] == 0 == bands[0]["std_outside"]
    # The standard error of a standard deviation over T passes is about std / sqrt(2 T).
    sure = 5 / np.sqrt(2 * MOST_PASSES)
    for p in (0.05, 0.5):
        assert bands[p]["std_outside"] * (1 - sure) > bands[p]["std_inside"] * (1 + sure)
    assert bands[0.5]["std_outside"] * (1 - sure) > bands[0.05]["std_outside"] * (1 + sure)


def test_the_mean_settles_as_one_over_the_root_of_the_passes(moved):
    for passes in (4, 25, 100):
        means = []
        for seed in range(60):
            moved.passes, moved.seed = passes, seed
            means.append(moved.predict([0.0]).mean())
        moved.passes, moved.seed = MOST_PASSES, 1000
        expected = moved.stats()["std_inside"] / np.sqrt(passes)
        # Both standard deviations are estimates: relative standard errors 1/sqrt(2 n), n = 59 and 100;
        # heavier tails than a normal's make it somewhat more.
        sure = 5 * np.sqrt(1 / (2 * 59) + 3 / (4 * MOST_PASSES))
        assert abs(np.std(means, ddof=1) / expected - 1) < sure


def test_stats_are_the_mean_and_spread_of_the_passes(moved):
    moved.p, moved.passes = 0.3, 80
    answers = moved.predict([0.0, 3.5])
    stats = moved.stats()
    assert answers.shape == (80, 2)
    assert [stats["mean_inside"], stats["mean_outside"]] == pytest.approx(
        answers.mean(axis=0).tolist(), abs=1e-9
    )
    assert [stats["std_inside"], stats["std_outside"]] == pytest.approx(
        answers.std(axis=0).tolist(), abs=1e-9
    )


def test_a_click_adds_a_point_and_the_net_follows_within_seconds():
    widget = MCRegression(p=0, passes=1)
    before = widget.stats()
    start = time.monotonic()
    browser_says(widget, points=NEW)
    assert time.monotonic() - start < 0.2, "the kernel must stay free to answer"
    stats = widget.stats()  # waits for the training
    assert stats["points"] == len(POINTS) + 2 and widget.error == ""
    assert before["mean_outside"] < 0 and abs(stats["mean_outside"] - 2) < 0.5
    assert stats == MCRegression(p=0, passes=1, points=NEW).stats()


@pytest.mark.parametrize("clicks", [1, 2, 7])
def test_the_latest_points_win_and_one_thread_trains_at_a_time(monkeypatch, clicks):
    running, most, finished = [], [], []

    def slow(points, p, stop=lambda: False):
        running.append(1)
        most.append(len(running))
        while not stop() and len(finished) < 1 and len(points) != len(POINTS) + clicks:
            time.sleep(0.005)
        running.pop()
        if stop():
            return None
        finished.append(len(points))
        return train(POINTS[:2], 0.1)

    widget = MCRegression()
    monkeypatch.setattr(mc_regression, "train", slow)
    for extra in range(1, clicks + 1):
        browser_says(widget, points=[*POINTS, *[[0.0, 1.0]] * extra])
        time.sleep(0.02)
    widget.wait()
    assert max(most) == 1 and finished == [len(POINTS) + clicks]


def test_a_failure_while_training_shows_in_the_widget_and_the_picture_stays(monkeypatch):
    widget = MCRegression()
    before = widget.weights

    def fail(points, p, stop):
        raise FloatingPointError("out of bounds")

    with monkeypatch.context() as patched:
        patched.setattr(mc_regression, "train", fail)
        browser_says(widget, points=NEW)
        widget.wait()
    assert widget.error == "The net could not be trained: out of bounds" and widget.weights == before
    browser_says(widget, points=POINTS[:-1])
    widget.wait()
    assert widget.error == "" and widget.weights != before


def test_weights_that_run_away_are_refused(monkeypatch):
    monkeypatch.setattr(mc_regression, "LR", 1e200)
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match="did not stay finite"):
        train(POINTS, 0.1)


def test_closing_the_widget_ends_its_training(monkeypatch):
    def endless(points, p, stop):
        limit = time.monotonic() + 10
        while not stop() and time.monotonic() < limit:
            time.sleep(0.005)

    widget = MCRegression()
    threads = threading.active_count()
    monkeypatch.setattr(mc_regression, "train", endless)
    browser_says(widget, points=NEW)
    start = time.monotonic()
    widget.close()
    assert time.monotonic() - start < 0.5 and threading.active_count() <= threads


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"p": 1.2}, r"p must be in \[0, 1\], got 1.2"),
        ({"passes": 0}, r"passes must be a whole number in \[1, 100\], got 0"),
        ({"passes": 101}, r"passes must be a whole number in \[1, 100\], got 101"),
        ({"show": "some"}, "show must be one of all, one, got 'some'"),
        ({"points": [[0, 1]]}, r"points must be a list of 2 to 60 pairs \[x, y\], got 1 of them"),
        ({"points": [[0, 1]] * 61}, "points must be a list of 2 to 60 pairs .*, got 61 of them"),
        ({"points": "abc"}, r"points must be a list of 2 to 60 pairs \[x, y\], got 'abc'"),
        ({"points": [[0, 1], [5, 0]]}, r"points must be pairs .* in \[-3, 3\], got \[5, 0\]"),
        ({"points": [[0, 1], [0, float("nan")]]}, r"points must be pairs .*, got \[0, nan\]"),
        ({"points": [[0, 1], [0]]}, r"points must be pairs .*, got \[0\]"),
        ({"points": [[0, 1], [0, "1"]]}, r"points must be pairs .*, got \[0, '1'\]"),
    ],
)
def test_bad_values_get_one_sentence_and_change_nothing(widget, arguments, message):
    weights = widget.weights
    check_refused(widget, arguments, message)
    widget.wait()
    assert widget.weights == weights


def test_a_move_in_the_browser_changes_the_stats(moved):
    before = moved.stats()
    browser_says(moved, p=0.7, passes=30)
    assert moved.stats()["p"] == 0.7 and moved.stats()["passes"] == 30
    assert moved.stats()["std_inside"] > before["std_inside"]


def test_the_python_line_of_the_browser_makes_the_same_widget():
    widget = MCRegression(points=[[-1, 0.5], (2.0, -1)], show="one", passes=3)
    line = run_js("core", "m.pythonLine('MCRegression', state)", state=widget.state())
    again = eval(line)
    assert again.state() == widget.state() and again.stats() == widget.stats()
    assert eval(widget.code()).state() == widget.state()


def test_the_net_on_show_was_trained_with_the_p_on_show(moved):
    """At p = 0.5 a net that was trained with p = 0.1 has a band far too wide among its points."""
    moved.p, moved.passes = 0.5, MOST_PASSES
    spread = moved.stats()["std_inside"]
    trained_at_other_p = train(POINTS, 0.1)
    moved._nets = {**moved._nets, 0.5: mc_regression.flatten(trained_at_other_p)}
    assert moved.stats()["std_inside"] > 1.5 * spread
    moved._nets = mc_regression.stored_nets(moved.points)


@pytest.mark.parametrize("points", [POINTS, NEW])
def test_a_p_that_no_stored_net_has_gets_a_net_of_its_own(points):
    widget = MCRegression(points=points)
    browser_says(widget, p=0.25)
    widget.wait()
    again = MCRegression(points=points, p=0.25)
    assert widget.weights_p.count(0.25) == 1 and widget.stats() == again.stats() | {"truth": widget.truth}
    assert np.array_equal(widget._nets[0.25], mc_regression.flatten(train(points, 0.25)))


def test_a_stored_net_is_there_at_once_for_every_set_of_points_on_offer(monkeypatch):
    monkeypatch.setattr(mc_regression, "train", None)
    for k, points in enumerate(PRESETS.values()):
        widget = MCRegression(points=points, p=0.3)
        stored = np.frombuffer(widget.stored, np.float16).reshape(len(PRESETS), len(BANK_P), -1)
        assert np.array_equal(widget._nets[0.3], stored[k, BANK_P.index(0.3)]) and widget.weights_p == []
        x, y = np.transpose(points)
        assert np.sqrt(((MCRegression(points=points, p=0).predict(x)[0] - y) ** 2).mean()) < 0.25


def test_going_back_to_the_first_points_brings_the_stored_nets_back():
    widget = MCRegression()
    before = widget.stats()
    browser_says(widget, points=NEW)
    widget.wait()
    assert widget.weights_p == [0.1] and widget.weights_points == mc_regression.check_points(NEW)
    browser_says(widget, points=POINTS)
    widget.wait()
    assert widget.stats() == before and widget.weights_p == []


def test_half_precision_is_read_as_numpy_writes_it():
    values = np.array([0, -0.0, 1, -2.5, 6e-8, 6.1e-5, -65504, 0.3333], np.float16)
    got = run_js(
        "core", "[...m.float16(new DataView(Uint8Array.from(bytes).buffer))]", bytes=list(values.tobytes())
    )
    assert got == values.astype(float).tolist()


@pytest.mark.parametrize("points", [POINTS, GAP, PRESETS["lifted"], [[0, 1], [0, 1.1], [2, -1]]])
def test_the_exact_band_is_scikit_learn_s_and_the_browser_s(points):
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF

    x, y = np.transpose(points)
    places = np.linspace(-4, 4, 33)
    process = GaussianProcessRegressor(RBF(LENGTH_SCALE), alpha=NOISE**2, optimizer=None)
    expected = process.fit(x[:, None], y).predict(places[:, None], return_std=True)
    got = run_js("mc_regression", "m.gaussianProcess(points, xs)", points=points, xs=places.tolist())
    for name, ours, theirs in zip(("mean", "std"), gaussian_process(points, places), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6)
        np.testing.assert_allclose(got[name], ours, rtol=0, atol=1e-9)


def test_the_exact_band_opens_in_a_gap_and_does_not_hang_on_the_level_of_y_as_that_of_dropout_does():
    first, gap, lifted = (
        MCRegression(points=points, passes=100, p=0.3).stats() for points in PRESETS.values()
    )
    assert lifted["exact_std_outside"] == pytest.approx(first["exact_std_outside"], abs=1e-12)
    assert lifted["exact_std_inside"] == pytest.approx(first["exact_std_inside"], abs=1e-12)
    # The standard error of a standard deviation over T passes is about std / sqrt(2 T).
    sure = 5 / np.sqrt(2 * MOST_PASSES)
    assert lifted["std_outside"] * (1 + sure) < first["std_outside"] * (1 - sure)
    wider = gap["std_inside"] / first["std_inside"]
    assert gap["exact_std_inside"] / first["exact_std_inside"] > 2 * wider * (1 + 2 * sure)


@pytest.mark.parametrize("show", ["all", "one"])
def test_a_page_without_kernel_gets_a_poster_and_a_sentence(moved, show):
    moved.show, moved.covered = show, False
    data, metadata = moved._repr_mimebundle_()
    assert data["text/plain"].startswith("[slider] MCRegression: p 0.1, passes 50, points 20, mean_inside ")
    assert len(data["image/png"]) > 1000 and "20 points, p = 0.10" in metadata["image/png"]["alt"]
