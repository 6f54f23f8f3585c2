"""Ensemble Vote: when the vote of all subnetworks is what one weight-scaled pass says."""

import numpy as np
import pytest
from node import run_js
from test_widget_core import browser_says, check_refused

from utils.widgets import EnsembleVote
from utils.widgets.ensemble_vote import CASES, LINKS, all_masks, load_nets

DROP_PROBS = [0, 0.05, 0.3, 0.5, 0.77, 0.95, 1]
STATES = [(n, p, example) for n in (1, 2, 5, 10) for p in DROP_PROBS for example in (0, 4, 9)]


def test_masks_are_all_of_them_and_their_probabilities_sum_to_one():
    for n in (1, 4, 10):
        assert len(np.unique(all_masks(n), axis=0)) == 2**n
        for p in DROP_PROBS:
            widget = EnsembleVote(n=n, p=p)
            weights = widget.mask_probabilities()
            assert weights.sum() == pytest.approx(1, abs=1e-12)
            assert weights @ all_masks(n) == pytest.approx(np.full(n, 1 - p), abs=1e-12)


@pytest.mark.parametrize(("n", "p", "example"), STATES)
def test_a_linear_output_votes_exactly_what_the_one_pass_says(n, p, example):
    stats = EnsembleVote(link="linear", n=n, p=p, example=example).stats()
    assert abs(stats["vote_gap"]) < 1e-12 and stats["geometric"] is None


@pytest.mark.parametrize(("n", "p", "example"), STATES)
def test_the_geometric_mean_behind_a_softmax_is_exactly_the_one_pass(n, p, example):
    stats = EnsembleVote(link="softmax", n=n, p=p, example=example).stats()
    assert abs(stats["geometric_gap"]) < 1e-12


def test_the_arithmetic_vote_behind_a_softmax_is_not_the_one_pass():
    gaps = [abs(EnsembleVote(link="softmax", example=k).stats()["vote_gap"]) for k in range(CASES)]
    assert min(gaps) > 1e-4 and max(gaps) > 0.02


def test_behind_a_relu_layer_neither_mean_is_the_one_pass():
    stats = [EnsembleVote(link="relu", example=k).stats() for k in range(CASES)]
    for name in ("vote_gap", "geometric_gap"):
        gaps = np.abs([s[name] for s in stats])
        assert np.median(gaps) > 1e-3, name


@pytest.mark.parametrize("link", LINKS)
def test_with_nothing_or_everything_dropped_there_is_one_subnetwork_left(link):
    for p in (0, 1):
        stats = EnsembleVote(link=link, p=p, example=2).stats()
        assert stats["vote"] == pytest.approx(stats["one_pass"], abs=1e-12)


def test_the_sum_over_masks_is_right_for_two_units_by_hand():
    widget = EnsembleVote(link="relu", n=2, p=0.3, example=1)
    net = widget.nets[1]["relu"]
    (W, b), (w, c) = ((np.array(W), np.array(b)) for W, b in net["layers"])
    vote = 0
    for first, second, probability in ((0, 0, 0.09), (1, 0, 0.21), (0, 1, 0.21), (1, 1, 0.49)):
        h = np.array(net["hidden"][1]) * [first, second]
        score = (np.maximum(h @ W + b, 0) @ w + c)[0]
        vote += probability / (1 + np.exp(-score))
    assert widget.stats()["vote"] == pytest.approx(vote, abs=1e-12)


@pytest.mark.parametrize("link", LINKS)
def test_python_and_javascript_give_the_same_answers(link):
    cases = [(n, p, example) for n in (1, 3, 10) for p in DROP_PROBS for example in (0, 7)]
    got = run_js(
        "ensemble_vote",
        """cases.map(([n, p, example]) => {
          const net = nets[n - 1][link === "relu" ? "relu" : "softmax"];
          const scores = m.subnetScores(net, example, n);
          const a = m.ensembleAnswers(net, example, n, p, link, scores);
          return [a.vote, a.geometric, a.onePass, [...a.weights], [...a.outputs]];
        })""",
        cases=cases, link=link, nets=load_nets()[0],
    )  # fmt: skip
    for (n, p, example), (vote, geometric, one_pass, weights, outputs) in zip(cases, got, strict=True):
        widget = EnsembleVote(link=link, n=n, p=p, example=example)
        stats = widget.stats()
        assert vote == pytest.approx(stats["vote"], abs=1e-6)
        assert geometric == (None if link == "linear" else pytest.approx(stats["geometric"], abs=1e-6))
        assert one_pass == pytest.approx(stats["one_pass"], abs=1e-6)
        assert np.allclose(widget.mask_probabilities(), weights, rtol=0, atol=1e-12)
        assert np.allclose(widget.outputs(), outputs, rtol=0, atol=1e-9)


def test_the_nets_have_learned_and_the_cases_are_of_both_kinds():
    nets, malignant = load_nets()
    assert len(nets) == 10 and 0 < sum(malignant) < CASES
    for n, pair in enumerate(nets, start=1):
        for net in pair.values():
            assert np.shape(net["hidden"]) == (CASES, n) and np.shape(net["layers"][0][0])[0] == n
            assert np.abs(net["layers"][-1][0]).max() > 0.1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"p": -0.1}, r"p must be in \[0, 1\], got -0.1"),
        ({"n": 0}, r"n must be a whole number in \[1, 10\], got 0"),
        ({"n": 11}, r"n must be a whole number in \[1, 10\], got 11"),
        ({"example": 10}, r"example must be a whole number in \[0, 9\], got 10"),
        ({"link": "tanh"}, "link must be one of linear, softmax, relu, got 'tanh'"),
    ],
)
def test_bad_values_get_one_sentence_and_change_nothing(arguments, message):
    check_refused(EnsembleVote(), arguments, message)


def test_a_move_in_the_browser_changes_the_stats():
    widget = EnsembleVote(p=0.2)
    browser_says(widget, p=0.7, link="relu", n=6, example=3)
    assert widget.stats() == EnsembleVote(p=0.7, link="relu", n=6, example=3).stats()
    assert eval(widget.code()).state() == widget.state()


@pytest.mark.parametrize("link", LINKS)
def test_a_page_without_kernel_gets_a_poster_and_a_sentence_without_rounding_noise(link):
    data, metadata = EnsembleVote(link=link, covered=False)._repr_mimebundle_()
    assert data["text/plain"].startswith(f"[slider] EnsembleVote: p 0.5, n 3, link {link}, vote ")
    assert "e-" not in data["text/plain"] and "-0.0000" not in data["text/plain"]
    assert len(data["image/png"]) > 1000
    assert "over all 8 subnetworks at p = 0.50" in metadata["image/png"]["alt"]
