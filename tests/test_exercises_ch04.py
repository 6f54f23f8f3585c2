"""Chapter 04's checks against wrong answers that have no name: each is told what is expected."""

import pytest

torch = pytest.importorskip("torch")

from utils.exercises.ch04 import EXERCISES, MODES, _drop_with_coins, _Functional, _losses  # noqa: E402


def logits(model, x):
    return right(model, x, lambda output: output)


def with_graph(model, x):
    was_training = model.training
    probs = model.eval()(x).softmax(dim=1)
    model.train(was_training)
    return probs


def right(model, x, finish=lambda output: output.softmax(dim=1)):
    with torch.no_grad():
        was_training = model.training
        result = finish(model.eval()(x))
        model.train(was_training)
    return result


def moves_statistics(model, x):
    """Dropout off, batch norm in training mode."""
    was_training = model.training
    with torch.no_grad():
        model.train()[3].eval()
        probs = model(x).softmax(dim=1)
    model.train(was_training)
    return probs


class Unscaled(_Functional):
    def forward(self, x):
        h = torch.relu(self.first(x))
        return self.second(h * (torch.rand_like(h) >= self.share) if self.training else h)


examples = _drop_with_coins(lambda x: (len(x), 1, 1, 1))
channels = _drop_with_coins(lambda x: (*x.shape[:2], 1, 1))
WRONG = [
    ("modes", ({**MODES, "a layer after eval()": True},), "as a run shows it"),
    ("predict", (logits,), "probabilities, which sum to 1"),
    ("predict", (with_graph,), "without a graph"),
    ("functional", (lambda: _Functional(0.3, training=False),), "different outputs in training"),
    ("functional", (lambda: _Functional(0.5),), "a share 0.3 of zeros"),
    ("functional", (lambda: Unscaled(0.3),), "ones to become 0 or 1.43"),
    ("channels", (lambda x, p, training: channels(x, p, True),), "the input itself"),
    ("channels", (lambda x, p, training: x[:, 1:] if training else x,), "shape (200, 10, 3, 3)"),
    ("channels", (examples,), "one coin per channel"),
    ("channels", (lambda x, p, training: channels(x, 0.5, training),), "a share 0.3 of channels"),
    ("channels", (lambda x, p, training: channels(x, p, training) * (0.5 if training else 1),), "1.43"),
    ("monte_carlo", (lambda model: model.eval(),), "two different answers"),
    ("losses", (_losses, "d"), "one of the letters"),
    ("losses", (lambda *task: 1.0, "b"), "a pair of floats"),
    ("losses", (lambda *task: (0.4, 9.0), "b"), "in eval mode"),
    ("losses", (lambda *task: (_losses(*task)[1],) * 2, "b"), "with dropout on"),
    ("losses", (_losses, "c"), "a measurement before a change"),
]


@pytest.mark.parametrize(("name", "answers", "expected"), WRONG)
def test_a_wrong_answer_is_told_what_is_expected(name, answers, expected):
    problem = EXERCISES[name].check(*answers)
    assert expected in problem.expected and problem.got and not problem.why


def test_a_prediction_that_moves_the_running_statistics_is_told_so():
    assert "numbers do not change" in EXERCISES["predict"].check(moves_statistics).expected


def test_right_answers_pass():
    assert EXERCISES["predict"].check(right) is None
    assert EXERCISES["channels"].check(channels) is None
