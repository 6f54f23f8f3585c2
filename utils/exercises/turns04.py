"""The checks of the cells that a learner writes inside chapter 04."""

import copy

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from utils.exercises import beliefs, expect
from utils.exercises.engine import array, written
from utils.torch_training import seeded

P = 0.3  # not 0.5, where a swap of p and 1 - p cannot be seen


# --- the layer and its switch ---


def check_layer(make_layer):
    """A class: (drop_prob) -> a module that drops in train mode and hands its input through in eval mode."""
    layer, ones = make_layer(P), torch.ones(400, 25)
    output = expect.shape(written(layer(ones)), (400, 25), "an output")
    expect.that((output != 1).any(), "a new layer that drops", "the input itself", beliefs.NEW_MODULE)
    expect.own_masks(output, beliefs.ONE_MASK)
    expect.share(output == 0, P, "zeros in train mode", beliefs.KEEP_04)
    expect.rescaled(output, P, beliefs.NO_RESCALING)
    expect.that((array(layer(ones)) != output).any(), "a new mask from every call", "the same mask twice")
    net = nn.Sequential(layer).eval()
    same = torch.equal(net(ones), ones)
    got = "something else"
    expect.that(same, "the input itself after eval() of the net around it", got, beliefs.ALWAYS_ON)
    _expect_gradient(layer.train())
    for drop_prob in (0.0, 1.0):
        right = torch.full((4, 5), 1 - drop_prob)
        same = torch.equal(make_layer(drop_prob)(torch.ones(4, 5)), right)
        expect.that(same, f"only {1 - drop_prob:g} at p = {drop_prob:g}", "other values")


def _expect_gradient(layer):
    """The gradient of the layer's sum is the factor that the output shows."""
    x = torch.linspace(1, 2, 600, dtype=torch.float64).reshape(30, 20).requires_grad_()
    output = layer(x)
    has_graph = output.requires_grad
    expect.that(has_graph, "an output that knows where it comes from", "an output without a gradient")
    output.sum().backward()
    same = torch.allclose(x.grad, output.detach() / x.detach())
    expect.that(same, "the factor of the output as gradient", "another gradient")


# --- one training step ---


def check_step(train_step):
    """A function: (net, x, y, optimizer) -> loss as a float; it moves the weights once."""
    torch_net, x, y = make_task()
    before = copy.deepcopy(torch_net.state_dict())
    loss = F.cross_entropy(torch_net(x), y)
    right = torch.autograd.grad(loss, list(torch_net.parameters()))
    F.cross_entropy(torch_net(-x), y).backward()  # a gradient that an earlier batch has left behind
    left = [parameter.grad.clone() for parameter in torch_net.parameters()]
    found = train_step(torch_net, x, y, torch.optim.SGD(torch_net.parameters(), lr=0.1))
    moved = [old - new for old, new in zip(before.values(), torch_net.state_dict().values(), strict=True)]
    moved = torch.cat([part.flatten() for part in moved]) / 0.1
    step, old = (torch.cat([part.flatten() for part in parts]) for parts in (right, left))
    why = beliefs.ADDS_UP if torch.allclose(moved, step + old, atol=1e-5) else None
    expect.that(moved.abs().max() > 0, "weights that have moved", "the weights as they were", beliefs.ZEROED)
    got = "another step"
    expect.that(torch.allclose(moved, step, atol=1e-5), "one step by this batch's gradient", got, why)
    expect.close(found, loss.item(), f"the loss before the step, {loss.item():.3f}", tolerance=1e-5)


def make_task():
    """A net without dropout, eight examples, and their classes."""
    with seeded(0):
        net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3))
        return net, torch.randn(8, 6), torch.arange(8) % 3


# --- eval mode, and back ---


def check_evaluating(evaluating):
    """A context manager: (net) -> eval mode inside, each module's own mode after it."""
    for start in (True, False):
        inner = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5))
        net = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), inner).train(start)
        net[1].training = not start  # a frozen batch norm, or one that is to go on
        before = [module.training for module in net.modules()]
        with evaluating(net):
            inside = [module.training for module in net.modules()]
        expect.that(not any(inside), "every module in eval mode in the block", "one in train mode")
        after = [module.training for module in net.modules()]
        rule = f"each module in its own mode again: {np.sum(before)} of {len(before)} in train mode"
        why = beliefs.LEFT_OFF if not any(after) else beliefs.ONE_FLAG
        expect.that(after == before, rule, f"{np.sum(after)} in train mode", why)
        try:
            with evaluating(net):
                raise KeyError
        except KeyError:
            pass
        same = [module.training for module in net.modules()] == before
        expect.that(same, "the modes back also after an error in the block", "a net left in eval mode")


HINTS = {
    "layer": "self.training is the switch. In train mode: a fresh draw_factor(x, self.drop_prob), then "
    "DropoutFunction.apply(x, factor).",
    "step": "optimizer.zero_grad() forgets, loss.backward() computes the gradients, optimizer.step() moves.",
    "evaluating": "Keep a dict of module: module.training. After net.eval() write try: yield, and put the "
    "values back in finally:.",
}
