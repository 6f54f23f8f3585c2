"""The checks of chapter 04's exercises."""

import copy
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from utils.exercises import beliefs, expect
from utils.exercises.engine import array, is_close, written

P = 0.3


def small_net():
    """A net with every module that has two modes: linear, batch norm, ReLU, dropout, linear."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 3))


def some_input(num_examples=8):
    return torch.linspace(-2, 2, num_examples * 6).reshape(num_examples, 6)


def differs(function):
    """True if two calls give different answers."""
    return not np.array_equal(array(written(function())), array(function()))


def moved(net, before):
    """True if a weight or a running statistic of `net` is no longer that of the state `before`."""
    return any(not torch.equal(before[name], value) for name, value in net.state_dict().items())


# --- 1. modes ---

MODES = {
    "a new layer": True,
    "a new layer under no_grad()": True,
    "a layer after eval()": False,
    "a layer after eval() and then train()": True,
    "F.dropout(x, 0.5) in a net after eval()": True,
    "F.dropout(x, 0.5, training=False) in a new net": False,
}


def check_modes(drops):
    """A dict: situation -> True if some unit may be dropped."""
    whys = {
        "a new layer": beliefs.NEW_MODULE,
        "a new layer under no_grad()": beliefs.NO_GRAD,
        "F.dropout(x, 0.5) in a net after eval()": beliefs.FUNCTIONAL,
    }
    expect.truths(drops, MODES, whys)


# --- 2. predict ---


def check_predict(predict):
    """A function: (net, x) -> class probabilities without dropout, the net as it was."""
    net, x = small_net(), some_input()
    for mode, batch_norm in ((True, True), (False, False), (True, False)):
        net.train(mode)
        net[1].training = batch_norm
        modes = [module.training for module in net.modules()]
        before = copy.deepcopy(net.state_dict())
        noisy = differs(lambda: predict(net, x))
        rule = "the same answer to the same question"
        expect.that(not noisy, rule, "two different answers", beliefs.NO_GRAD)
        rule = "a net whose numbers do not change"
        expect.that(not moved(net, before), rule, "moved running statistics", beliefs.MC_TRAIN)
        after = [module.training for module in net.modules()]
        rule = f"a net that comes back with training = {mode}"
        expect.that(net.training is mode, rule, f"training = {not mode}", beliefs.LEFT_OFF)
        rule = f"a net whose batch norm comes back with training = {batch_norm}, as it was"
        expect.that(after == modes, rule, "modules in another mode", beliefs.ONE_FLAG)
    with torch.no_grad():
        right = net.eval()(x).softmax(dim=1)
    answer = predict(net, x)
    found = array(answer)
    got = (
        f"shape {found.shape}"
        if found.ndim != 2
        else f"rows that sum to {found.sum(axis=1).min():.2f} and up"
    )
    rule = "softmax probabilities, which sum to 1"
    expect.that(is_close(found, right, 1e-6), rule, got)
    graph = getattr(answer, "requires_grad", False)
    expect.that(not graph, "a result without a graph behind it", "requires_grad is True")


# --- 3. functional ---


def check_functional(make_net):
    """A function: () -> a net with dropout at p = 0.3 between its layers `first` and `second`."""
    net, x = make_net(), torch.ones(400, 6)
    net.eval()
    noisy = differs(lambda: net(x))
    expect.that(not noisy, "the same output twice after eval()", "two different outputs", beliefs.FUNCTIONAL)
    net.train()
    expect.that(differs(lambda: net(x)), "different outputs in training mode", "the same output twice")
    seen = []
    handle = net.second.register_forward_pre_hook(lambda module, inputs: seen.append(array(inputs[0])))
    with torch.no_grad():
        nn.init.constant_(net.first.weight, 0.0)
        nn.init.constant_(net.first.bias, 1.0)
        net(x)
    handle.remove()
    expect.share(seen[0] == 0, P, "zeros in front of `second`", beliefs.KEEP_04)
    expect.rescaled(seen[0], P)


# --- 4. channels ---


def check_channels(drop_channels):
    """A function: (x, drop_prob, training) -> output, x of shape (examples, channels, height, width)."""
    x = torch.ones(200, 10, 3, 3)
    same = np.array_equal(array(drop_channels(x, P, False)), x)
    expect.that(same, "the input itself when training is False", "something else")
    torch.manual_seed(0)
    output = expect.shape(drop_channels(x, P, True), tuple(x.shape), "an output")
    fates = output[:, :, 0, 0]
    whole = (output == fates[:, :, None, None]).all()
    rule = "each channel all kept or all dropped"
    expect.that(whole, rule, "channels that are partly dropped", beliefs.PIXELS)
    expect.own_masks(fates, beliefs.ONE_MASK)
    expect.that((fates != fates[:, :1]).any(), "one coin per channel", "one coin per example")
    expect.share(fates == 0, P, "channels dropped", beliefs.KEEP_04)
    expect.rescaled(fates, P)


# --- 5. monte carlo ---


def check_monte_carlo(switch):
    """A function: (net) -> the same net, in which dropout is on and everything else predicts."""
    for start in (True, False):
        net, x = small_net(), some_input()
        net.train(start)
        net = switch(net)
        before = copy.deepcopy(net.state_dict())
        with torch.no_grad():
            random = differs(lambda net=net, x=x: net(x))
        rule = "batch norm's running statistics to stay"
        expect.that(not moved(net, before), rule, "they moved while predicting", beliefs.MC_TRAIN)
        expect.that(random, "two different answers to the same input", "the same answer twice")


# --- 6. losses ---


def make_task():
    """A net with dropout, some inputs and their classes, for losses in both modes."""
    net = small_net()
    torch.manual_seed(1)
    x = torch.randn(300, 6)
    y = (2 * x[:, 0] + x[:, 1]).gt(0).long() + x[:, 2].gt(1).long()
    for _ in range(100):
        gradients = torch.autograd.grad(F.cross_entropy(net(x), y), list(net.parameters()))
        with torch.no_grad():
            for parameter, gradient in zip(net.parameters(), gradients, strict=True):
                parameter -= 0.3 * gradient
    return net, x, y


def check_losses(losses, first_step):
    """A function (net, x, y) -> (loss with dropout on, loss in eval mode), and the letter a, b or c."""
    net, x, y = make_task()
    expect.choice(first_step, "abc")
    on, off = expect.numbers(losses(copy.deepcopy(net), x, y), 2, "a pair of floats, by .item()")
    with torch.no_grad():
        plain = F.cross_entropy(net.eval()(x), y).item()
        net[3].train()
        draws = torch.stack([F.cross_entropy(net(x), y) for _ in range(200)])
    expect.close(off, plain, f"a loss of {plain:.3f} in eval mode", got="{:.3f}", tolerance=1e-4)
    # The answer is a mean of at least 20 passes; batch norm may use the batch's own statistics.
    noisy, room = draws.mean().item(), 5 * draws.std().item() / math.sqrt(20) + 0.02
    expect.close(on, noisy, f"a mean loss near {noisy:.3f} with dropout on", got="{:.3f}", tolerance=room)
    seen = f"the same net on the same data gives {on:.3f} with dropout and {off:.3f} without"
    rule = "the cheapest explanation to be ruled out first"
    expect.that(first_step != "a", rule, f'"a", although {seen}', beliefs.VALIDATION_BUG_04)
    got = '"c": a change of p before the two losses were comparable'
    expect.that(first_step != "c", "a measurement before a change", got)


HINTS = {
    "modes": "Make each situation with nn.Dropout(0.5) and torch.ones(1000), and look.",
    "predict": "Remember module.training for each of net.modules(), call net.eval(), predict under "
    "torch.inference_mode() or no_grad(), then put each module's own mode back.",
    "functional": "F.dropout has an argument `training`. Every module knows its own mode: self.training.",
    "channels": "Draw torch.rand of shape (examples, channels, 1, 1): broadcasting does the rest.",
    "monte_carlo": "First eval() for all. Then loop over net.modules() and pick with isinstance.",
    "losses": "Call eval() for the second loss; for the first, put only the nn.Dropout modules in training "
    "mode and take the mean over 50 passes.",
}
