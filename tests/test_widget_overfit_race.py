"""Overfit Race: Python and the browser train the same nets; results keep the p and the L2 that they had."""

import numpy as np
import pytest
from node import run_js
from test_widget_core import browser_says, check_refused

from utils import scratch
from utils.widgets import OverfitRace
from utils.widgets.base import load_bank
from utils.widgets.overfit_race import (
    ASKED_L2,
    ASKED_P,
    LR,
    SEED,
    Race,
    factors,
    first_weights,
    half_moons,
    make_points,
    train_epoch,
)
from utils.widgets.overfit_race_bank import fresh_losses


def flat(params):
    return np.concatenate([value.ravel() for pair in params for value in pair])


def test_points_weights_and_masks_are_the_same_in_the_browser():
    got = run_js(
        "overfit_race", "[[...m.halfMoons(9, 12)], [...m.firstWeights(3)], [...m.dropFactors(3, 7, .4)]]"
    )
    for js, python in zip(
        got, (half_moons(9, 12)[0], flat(first_weights(3)), factors(3, 7, 0.4)), strict=True
    ):
        np.testing.assert_allclose(js, np.ravel(python), rtol=0, atol=1e-12)


def test_the_browser_trains_the_nets_that_python_trains():
    race = Race(1)
    race.train(40, 0.5, 0.01)
    race.train(20, 0.25, 0.1)
    history, trained, nets = run_js(
        "overfit_race",
        """(() => {
          const race = m.startRace(1);
          for (let k = 0; k < 40; k++) m.trainRace(race, 0.5, 0.01);
          for (let k = 0; k < 20; k++) m.trainRace(race, 0.25, 0.1);
          return [race.history, race.trained, race.nets.map((net) => [...net])];
        })()""",
    )
    np.testing.assert_allclose(history, race.history, rtol=0, atol=1e-9)
    np.testing.assert_allclose(nets, [flat(net) for net in race.nets], rtol=0, atol=1e-9)
    assert trained == race.trained == [[0.5, 0.01, 40], [0.25, 0.1, 20]]


@pytest.mark.parametrize(("p", "l2"), [(0.0, 0.0), (0.5, 0.0), (0.0, 0.1)])
def test_an_epoch_steps_along_the_gradient_of_the_loss(p, l2):
    x, y, *_ = make_points(2)
    dropped = tuple(factors(2, 0, p)) if p else (None, None)

    def loss(params):
        h = x
        for (W, b), factor in zip(params[:-1], dropped, strict=True):
            h = np.maximum(h @ W + b, 0) * (1 if factor is None else factor)
        W, b = params[-1]
        penalty = l2 / 2 * sum((W**2).sum() for W, _ in params)
        return scratch.softmax_cross_entropy(h @ W + b, y)[0] + penalty

    before, after = first_weights(2), first_weights(2)
    train_epoch(after, x, y, dropped, l2)
    rng = np.random.default_rng(0)
    for (now, _), (then, _) in zip(before, after, strict=True):
        for _ in range(5):
            place = tuple(rng.integers(now.shape))
            kept = now[place]
            up, down = (now.__setitem__(place, kept + step) or loss(before) for step in (1e-6, -1e-6))
            now[place] = kept
            assert (kept - then[place]) / LR == pytest.approx((up - down) / 2e-6, abs=1e-7)


def test_the_masks_of_an_epoch_drop_with_probability_p_and_no_two_epochs_share_them():
    first, second = factors(0, 0, 0.3), factors(0, 1, 0.3)
    n = first.size
    assert abs((first == 0).mean() - 0.3) < 5 * np.sqrt(0.3 * 0.7 / n)
    agree = ((first == 0) == (second == 0)).mean()
    assert abs(agree - 0.58) < 5 * np.sqrt(0.58 * 0.42 / n)
    assert not factors(0, 0, 1.0).any() and set(np.unique(first)) == {0, 1 / 0.7}


def test_the_three_nets_start_equal_and_stay_so_without_dropout_and_l2():
    widget = OverfitRace(p=0.0, l2=0.0)
    widget.run(20)
    for row in widget.race().history:
        assert row[1:3] == row[3:5] == row[5:7]
    widget.run(20)
    browser_says(widget, p=0.5, l2=0.1)
    widget.run(20)
    row = widget.race().history[-1]
    assert len({*row[1:7:2]}) == len({*row[2:8:2]}) == 3


def test_results_keep_the_p_that_they_were_trained_with():
    race = OverfitRace(covered=False)
    race.run(40)
    history = list(race.race().history)
    browser_says(race, p=0.9)
    assert race.trained == [[0.5, ASKED_L2, 40]] and race.race().history == history
    assert "dropout, p = 0.50;" in race.figure().sentence
    race.run(20)
    assert race.trained == [[0.5, ASKED_L2, 40], [0.9, ASKED_L2, 20]]
    assert race.titles()[1] == "dropout, p = 0.50, then 0.90"
    slowly = [[p, 0.01, 4] for p in (0.5, 0.55, 0.6, 0.65)]
    cases = [[race.trained, 0.9, 0.01], [[[0.5, 0.01, 40]], 0.9, 0.1], [[], 0.9, 0.03], [slowly, 0.65, 0.01]]
    words = run_js(
        "overfit_race",
        "cases.map((c) => [m.titles(...c)[1], m.titles(...c)[2], m.pending(...c)])",
        cases=cases,
    )
    assert words == [
        ["dropout, p = 0.50, then 0.90", "L2 = 0.01", ""],
        ["dropout, p = 0.50", "L2 = 0.01", "p = 0.90, L2 = 0.1"],
        ["dropout, p = 0.90", "L2 = 0.03", ""],
        ["dropout, p = 0.50, then …, then 0.65", "L2 = 0.01", ""],
    ]
    for (trained, p, l2), (dropout, decay, _) in zip(cases, words, strict=True):
        assert OverfitRace(p=p, l2=l2, trained=trained).titles()[1:] == (dropout, decay)


def test_the_axis_of_the_losses_ends_above_every_curve():
    race = OverfitRace(trained=[[0.5, ASKED_L2, 6000]], covered=False)
    history = race.race().history
    most = max(max(losses) for _, *losses in history)
    assert most > 1.5
    for rows, end in ((history[:2], 1.5), (history, np.ceil(most))):
        assert run_js("overfit_race", "m.highest(rows)", rows=[list(map(float, row)) for row in rows]) == end
    assert race.figure().axes[3].get_ylim() == (0, np.ceil(most))


def test_the_python_line_of_a_race_gives_the_same_nets():
    race = OverfitRace(covered=False)
    race.run(40)
    race.p = 0.8
    race.run(20)
    again = eval(race.code(), {"OverfitRace": OverfitRace})
    assert again.race().history == race.race().history and again.code() == race.code()
    assert "trained=[[0.5, 0.01, 40], [0.8, 0.01, 20]]" in race.code()


def test_a_race_goes_on_from_where_it_is_and_begins_again_where_it_must():
    race = OverfitRace()
    race.run(20)
    nets = race.race()
    browser_says(race, trained=[[0.5, 0.01, 40], [0.9, 0.01, 20]])
    assert race.race() is nets and race.stats()["epoch"] == 60
    browser_says(race, **race.opening)
    assert race.race() is not nets and race.stats()["epoch"] == 0
    browser_says(race, seed=5)
    assert race.race().seed == 5


def test_the_opening_race_is_the_one_nearest_to_the_median_and_the_question_asks_for_the_best_of_each():
    bank = load_bank("race")
    mean_p, mean_l2 = bank["fresh_p"].mean(axis=1), bank["fresh_l2"].mean(axis=1)
    assert bank["p"][mean_p.argmin()] == ASKED_P and bank["l2"][mean_l2.argmin()] == ASKED_L2
    assert len(bank["seeds"]) == 10
    gain = bank["fresh_p"][0] - bank["fresh_p"][bank["p"].tolist().index(ASKED_P)]
    assert bank["seeds"][np.abs(gain - np.median(gain)).argmin()] == SEED == OverfitRace().seed


def test_the_bank_agrees_with_one_race_run_again():
    bank = load_bank("race")
    with_p, with_l2 = fresh_losses(0.3, 0.003, 4)
    # 2,000 steps amplify another machine's order of summation.
    assert with_p == pytest.approx(bank["fresh_p"][2, 4], abs=0.05)
    assert with_l2 == pytest.approx(bank["fresh_l2"][2, 4], abs=0.05)


def test_the_question_is_answered_by_the_mean_over_ten_draws_of_points():
    widget = OverfitRace()
    assert widget.truth == "the one with L2" and widget.because.startswith("Mean fresh loss over 10 draws")
    bank = load_bank("race")
    assert f"{bank['fresh_l2'][3].mean():.2f} with L2" in widget.because


@pytest.mark.parametrize(("p", "truth"), [(0.0, "higher"), (0.7, "ten draws cannot tell")])
def test_opened_with_another_p_it_asks_what_that_changes(p, truth):
    widget, bank = OverfitRace(p=p), load_bank("race")
    here, asked = (bank["fresh_p"][bank["p"].tolist().index(q)] for q in (p, ASKED_P))
    # Student's t for nine degrees of freedom, from a table: 2.262.
    mean, half = (here - asked).mean(), 2.262 * (here - asked).std(ddof=1) / np.sqrt(10)
    assert widget.truth == truth == ("higher" if mean > half else "ten draws cannot tell")
    assert f"p = {p} in place of p = 0.5" in widget.question
    assert f"difference {mean:.2f}, 95 % interval [{mean - half:.2f}, {mean + half:.2f}]" in widget.because
    assert OverfitRace(p=0.25).question == OverfitRace().question, "of a p that was not measured"


def test_without_dropout_the_net_memorises_and_pays_on_fresh_points():
    widget = OverfitRace()
    widget.run(2000)
    stats = widget.stats()
    assert stats["train_p0"] < stats["train_p"] and stats["fresh_p0"] > stats["fresh_p"] > stats["fresh_l2"]


HISTORY = r"trained must be a list of \[p, l2, epochs\], l2 one of .*, at most 6000 epochs in all, got"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"p": 1.2}, r"p must be in \[0, 1\], got 1.2"),
        ({"l2": 0.5}, r"l2 must be one of \(0.0, .*\), got 0.5"),
        *(({"trained": trained}, HISTORY) for trained in (
            [[2, 0, 20]], [[0.5, 0, 0]], [[0.5, 0, 20.0]], [[0.5, 20]], [[0.5, 0.02, 20]], ["abc"],
            [[0.5, 0, True]], [[True, 0, 20]], [[0.5, 0, 3000], [0.5, 0, 3001]],
        )),
    ],
)  # fmt: skip
def test_bad_values_get_one_sentence_and_change_nothing(arguments, message):
    check_refused(OverfitRace(), arguments, message)


def test_the_race_has_a_poster_and_a_sentence():
    race = OverfitRace(covered=False)
    race.run(20)
    assert repr(race).startswith("[slider] OverfitRace: p 0.5, l2 0.01, epoch 20")
    assert race.poster().startswith(b"\x89PNG")
