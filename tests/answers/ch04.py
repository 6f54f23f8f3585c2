"""Answers to chapter 04's exercises: (exercise, answers, the Belief or the clause that the check says)."""

import torch
import torch.nn.functional as F
from torch import nn

from utils.exercises import beliefs
from utils.exercises.ch04 import MODES
from utils.torch_training import evaluating


def other_way_round(situation):
    return ({**MODES, situation: not MODES[situation]},)


def predict_under_no_grad(net, x):
    with torch.no_grad():
        return net(x).softmax(dim=1)


def predict_and_forget(net, x):
    with torch.no_grad():
        return net.eval()(x).softmax(dim=1)


def with_graph(net, x, finish=lambda output: output.softmax(dim=1)):
    with evaluating(net):
        return finish(net(x))


def one_flag(net, x):
    was_training = net.training
    with torch.no_grad():
        probs = net.eval()(x).softmax(dim=1)
    net.train(was_training)
    return probs


def predict(net, x):
    with torch.no_grad():
        return with_graph(net, x)


def logits(net, x):
    return with_graph(net, x, lambda output: output)


def moves_statistics(net, x):
    """Dropout off, batch norm in training mode."""
    with torch.no_grad(), evaluating(net):
        net.train()[3].eval()
        return net(x).softmax(dim=1)


class Functional(nn.Module):
    def __init__(self, share, **keywords):
        super().__init__()
        self.first, self.second = nn.Linear(6, 20), nn.Linear(20, 2)
        self.share, self.keywords = share, keywords

    def forward(self, x):
        keywords = self.keywords or {"training": self.training}
        return self.second(F.dropout(torch.relu(self.first(x)), self.share, **keywords))


class Unscaled(Functional):
    def forward(self, x):
        h = torch.relu(self.first(x))
        return self.second(h * (torch.rand_like(h) >= self.share) if self.training else h)


def drop_with_coins(shape_of_coins):
    def drop_channels(x, drop_prob, training):
        if not training:
            return x
        return x * (torch.rand(shape_of_coins(x)) >= drop_prob) / (1 - drop_prob)

    return drop_channels


drop_channels = drop_with_coins(lambda x: (*x.shape[:2], 1, 1))


def losses(net, x, y):
    net.eval()
    with torch.no_grad():
        plain = F.cross_entropy(net(x), y).item()
        net[3].train()
        return sum(F.cross_entropy(net(x), y).item() for _ in range(50)) / 50, plain


RIGHT = [("predict", (predict,)), ("channels", (drop_channels,)), ("losses", (losses, "b"))]
WRONG = [
    ("modes", other_way_round("a new layer under no_grad()"), beliefs.NO_GRAD),
    ("modes", other_way_round("a new layer"), beliefs.NEW_MODULE),
    ("modes", other_way_round("F.dropout(x, 0.5) in a net after eval()"), beliefs.FUNCTIONAL),
    ("modes", other_way_round("a layer after eval()"), "as a run shows it"),
    ("predict", (predict_under_no_grad,), beliefs.NO_GRAD),
    ("predict", (predict_and_forget,), beliefs.LEFT_OFF),
    ("predict", (moves_statistics,), beliefs.MC_TRAIN),
    ("predict", (one_flag,), beliefs.ONE_FLAG),
    ("predict", (logits,), "probabilities, which sum to 1"),
    ("predict", (with_graph,), "without a graph"),
    ("functional", (lambda: Functional(0.3, training=True),), beliefs.FUNCTIONAL),
    ("functional", (lambda: Functional(0.7),), beliefs.KEEP_04),
    ("functional", (lambda: Functional(0.3, training=False),), "different outputs in training"),
    ("functional", (lambda: Functional(0.5),), "a share 0.3 of zeros"),
    ("functional", (lambda: Unscaled(0.3),), "ones to become 0 or 1.43"),
    ("channels", (drop_with_coins(lambda x: (1, x.shape[1], 1, 1)),), beliefs.ONE_MASK),
    ("channels", (drop_with_coins(lambda x: x.shape),), beliefs.PIXELS),
    ("channels", (lambda x, p, training: drop_channels(x, 1 - p, training),), beliefs.KEEP_04),
    ("channels", (lambda x, p, training: drop_channels(x, p, True),), "the input itself"),
    ("channels", (lambda x, p, training: x[:, 1:] if training else x,), "shape (200, 10, 3, 3)"),
    ("channels", (drop_with_coins(lambda x: (len(x), 1, 1, 1)),), "one coin per channel"),
    ("channels", (lambda x, p, training: drop_channels(x, 0.5, training),), "a share 0.3 of channels"),
    ("channels", (lambda x, p, training: drop_channels(x, p, training) * (0.5 if training else 1),), "1.43"),
    ("monte_carlo", (lambda net: net.train(),), beliefs.MC_TRAIN),
    ("monte_carlo", (lambda net: net.eval(),), "two different answers"),
    ("losses", (losses, "a"), beliefs.VALIDATION_BUG_04),
    ("losses", (losses, "d"), '"a", "b" or "c"'),
    ("losses", (lambda *task: 1.0, "b"), "a pair of floats"),
    ("losses", (lambda *task: (0.4, 9.0), "b"), "in eval mode"),
    ("losses", (lambda *task: (losses(*task)[1],) * 2, "b"), "with dropout on"),
    ("losses", (losses, "c"), "a measurement before a change"),
]
