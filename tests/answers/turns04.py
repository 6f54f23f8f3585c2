"""Answers to the cells of a learner's own in chapter 04, as in ch02.py."""

from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import nn

from utils.exercises import beliefs

# --- the layer and its switch ---


def layer(forward, train=lambda self: self.training):
    """A class of layers whose forward in train mode is forward(x, drop_prob)."""

    class Layer(nn.Module):
        def __init__(self, drop_prob):
            super().__init__()
            self.drop_prob = drop_prob

        def forward(self, x):
            return forward(x, self.drop_prob) if train(self) else x

    return Layer


def keep(x, p):
    return (torch.rand_like(x) >= p).to(x)


def fixed(x, p):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return F.dropout(x, p)


def one_mask(x, p):
    return x * F.dropout(torch.ones_like(x[:1]), p)


def no_gradient(x, p):
    return F.dropout(x.detach(), p)


def straight_through(x, p):
    """Dropout whose backward pass hands the gradient on as it is."""
    return x + (F.dropout(x, p) - x).detach()


LAYERS = [
    ("layer", (layer(F.dropout, lambda self: True),), beliefs.ALWAYS_ON),
    ("layer", (layer(F.dropout, lambda self: not self.training),), beliefs.NEW_MODULE),
    ("layer", (layer(lambda x, p: F.dropout(x, 1 - p)),), beliefs.KEEP_04),
    ("layer", (layer(lambda x, p: x * keep(x, p)),), beliefs.NO_RESCALING),
    ("layer", (layer(one_mask),), beliefs.ONE_MASK),
    ("layer", (layer(fixed),), "a new mask from every call"),
    ("layer", (layer(no_gradient),), "an output that knows where it comes from"),
    ("layer", (layer(straight_through),), "the factor of the output as gradient"),
    ("layer", (layer(lambda x, p: x * keep(x, p) / (1 - p)),), "only 0 at p = 1"),
]

# --- one training step ---


def step(*calls, finish=lambda loss: loss.item()):
    def train_step(net, x, y, optimizer):
        loss = F.cross_entropy(net(x), y)
        for call in calls:
            loss.backward() if call == "backward" else getattr(optimizer, call)()
        return finish(loss)

    return train_step


STEPS = [
    ("step", (step("backward", "step"),), beliefs.ADDS_UP),
    ("step", (step("step", "zero_grad", "backward"),), "code that runs"),
    ("step", (step("backward", "zero_grad", "step"),), beliefs.ZEROED),
    ("step", (step("zero_grad", "backward", "step", "step"),), "one step by this batch's gradient"),
    ("step", (step("zero_grad", "backward", "step", finish=lambda loss: 0.0),), "the loss before the step"),
]

# --- eval mode, and back ---


def way_back(back):
    @contextmanager
    def evaluating(net):
        was_training = net.training
        net.eval()
        yield
        back(net, was_training)

    return evaluating


@contextmanager
def never_there(net):
    yield


@contextmanager
def not_after_an_error(net):
    modes = {module: module.training for module in net.modules()}
    net.eval()
    yield
    for module, mode in modes.items():
        module.training = mode


EVALUATING = [
    ("evaluating", (way_back(lambda net, was_training: None),), beliefs.LEFT_OFF),
    ("evaluating", (way_back(lambda net, was_training: net.train(was_training)),), beliefs.ONE_FLAG),
    ("evaluating", (way_back(lambda net, was_training: net.train()),), beliefs.ONE_FLAG),
    ("evaluating", (never_there,), "every module in eval mode in the block"),
    ("evaluating", (not_after_an_error,), "also after an error"),
]

WRONG = [*LAYERS, *STEPS, *EVALUATING]
