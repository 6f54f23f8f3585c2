"""The checks of chapter 04's exercises, and the wrong answers that they know by name."""

import copy
import math

import torch
import torch.nn.functional as F
from torch import nn

from utils.selfcheck import Exercise, Misconception, Problem, check_truths, is_close, written

P = 0.3
NO_GRAD = (
    "no_grad() and inference_mode() only stop recording for the backward pass. They know nothing of "
    "dropout: that switch is the module's own, and eval() turns it off."
)
NEW_MODULE = (
    "A new PyTorch module is in training mode, so it drops. PyTorch does not guess when you predict: "
    "without model.eval() the same image gets another answer at every call."
)
FUNCTIONAL = (
    "F.dropout is a plain function and cannot see which model calls it. Its own argument training, True by "
    "default, decides alone: pass training=self.training."
)
VALIDATION = (
    "The printed training loss was measured with dropout on, and before the epoch's later steps; the "
    "validation loss with dropout off. So validation may look better without any bug. Measure both in eval "
    "mode, then compare."
)
MC_TRAIN = (
    "model.train() switches batch normalisation as well: it then uses each batch's own statistics, and "
    "every pass moves its running statistics, even under no_grad(). Switch the dropout modules alone."
)
LEFT_OFF = (
    "The model was left in another mode than it came in. After a validation pass in the middle of training, "
    "the rest of the training would run without dropout, silently."
)
ONE_MASK = (
    "All examples of the batch share one mask. Each example must draw its own, or the batch no longer "
    "averages over many thinned networks."
)
PIXELS = (
    "Single pixels were dropped. Neighbours carry nearly the same information, so a channel that loses some "
    "pixels hides little: one coin must decide about a whole channel of an example."
)
KEEP = "PyTorch's p is the probability to DROP a unit; 1-p is kept."


def small_net():
    """A net with every module that has two modes: linear, batch norm, ReLU, dropout, linear."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 3))


def some_input(num_examples=8):
    return torch.linspace(-2, 2, num_examples * 6).reshape(num_examples, 6)


def differs(function):
    """True if two calls give different answers."""
    return not torch.equal(written(function()), function())


# --- 1. modes ---

MODES = {
    "a new layer": True,
    "a new layer under no_grad()": True,
    "a layer after eval()": False,
    "a layer after eval() and then train()": True,
    "F.dropout(x, 0.5) in a model after eval()": True,
    "F.dropout(x, 0.5, training=False) in a new model": False,
}


def check_modes(drops):
    """A dict: situation -> True if some unit may be dropped."""
    whys = {
        "a new layer": NEW_MODULE,
        "a new layer under no_grad()": NO_GRAD,
        "F.dropout(x, 0.5) in a model after eval()": FUNCTIONAL,
    }
    return check_truths(drops, MODES, whys)


# --- 2. predict ---


def check_predict(predict):
    """A function: (model, x) -> class probabilities without dropout, the model as it was."""
    model, x = small_net(), some_input()
    for mode in (True, False):
        model.train(mode)
        before = copy.deepcopy(model.state_dict())
        if differs(lambda: predict(model, x)):
            return Problem("the same answer to the same question", "two different answers", NO_GRAD)
        if any(not torch.equal(before[name], value) for name, value in model.state_dict().items()):
            return Problem("a model whose numbers do not change", "moved running statistics", MC_TRAIN)
        if any(module.training is not mode for module in model.modules()):
            return Problem(
                f"a model that comes back with training = {mode}", f"training = {not mode}", LEFT_OFF
            )
    with torch.no_grad():
        expected = model.eval()(x).softmax(dim=1)
    found = predict(model, x)
    if found.shape != expected.shape or not torch.allclose(found, expected, atol=1e-6):
        sums = found.sum(dim=1)
        return Problem("softmax probabilities, which sum to 1", f"rows that sum to {sums.min():.2f} and up")
    if found.requires_grad:
        return Problem("a result without a graph behind it", "requires_grad is True")
    return None


# --- 3. functional ---


def check_functional(make_model):
    """A function: () -> a model with dropout at p = 0.3 between its layers `first` and `second`."""
    model, x = written(make_model()), torch.ones(400, 6)
    model.eval()
    if differs(lambda: model(x)):
        return Problem("the same output twice after eval()", "two different outputs", FUNCTIONAL)
    model.train()
    if not differs(lambda: model(x)):
        return Problem("different outputs in training mode", "the same output twice")
    seen = []
    handle = model.second.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].detach()))
    with torch.no_grad():
        nn.init.constant_(model.first.weight, 0.0)
        nn.init.constant_(model.first.bias, 1.0)
        model(x)
    handle.remove()
    share = (seen[0] == 0).double().mean().item()
    tolerance = 5 * math.sqrt(P * (1 - P) / seen[0].numel())
    if abs(share - P) > tolerance:
        why = KEEP if abs(share - (1 - P)) <= tolerance else ""
        return Problem(
            f"a share {P} of zeros in front of `second`, within {tolerance:.3f}", f"{share:.3f}", why
        )
    kept = seen[0].max().item()
    if not is_close(kept, 1 / (1 - P), 1e-4):
        return Problem(f"ones to become 0 or {1 / (1 - P):.2f}", f"{kept:.2f}")
    return None


# --- 4. channels ---


def check_channels(drop_channels):
    """A function: (x, drop_prob, training) -> output, x of shape (examples, channels, height, width)."""
    x = torch.ones(200, 10, 3, 3)
    if not torch.equal(written(drop_channels(x, P, False)), x):
        return Problem("the input itself when training is False", "something else")
    torch.manual_seed(0)
    output = drop_channels(x, P, True)
    if output.shape != x.shape:
        return Problem(f"shape {tuple(x.shape)}", f"{tuple(output.shape)}")
    if not torch.equal(output, output[:, :, :1, :1].expand_as(output)):
        return Problem("each channel all kept or all dropped", "channels that are partly dropped", PIXELS)
    if torch.equal(output, output[:1].expand_as(output)):
        return Problem("other channels dropped in every example", "200 examples with the same mask", ONE_MASK)
    fates = output[:, :, 0, 0]
    if torch.equal(fates, fates[:, :1].expand_as(fates)):
        return Problem("one coin per channel", "one coin per example")
    share = (fates == 0).double().mean().item()
    tolerance = 5 * math.sqrt(P * (1 - P) / fates.numel())
    if abs(share - P) > tolerance:
        why = KEEP if abs(share - (1 - P)) <= tolerance else ""
        return Problem(f"a share {P} of channels dropped, within {tolerance:.3f}", f"{share:.3f}", why)
    kept = fates.max().item()
    if not is_close(kept, 1 / (1 - P), 1e-4):
        return Problem(f"ones to become 0 or {1 / (1 - P):.2f}", f"{kept:.2f}")
    return None


# --- 5. monte carlo ---


def check_monte_carlo(switch):
    """A function: (model) -> None; afterwards dropout is on and everything else predicts.

    It returns the model, so that a stub can be told from an answer.
    """
    for start in (True, False):
        model, x = small_net(), some_input()
        model.train(start)
        model = written(switch(model))
        before = copy.deepcopy(model.state_dict())
        with torch.no_grad():
            random = differs(lambda model=model, x=x: model(x))
        if any(not torch.equal(before[name], value) for name, value in model.state_dict().items()):
            return Problem("batch norm's running statistics to stay", "they moved while predicting", MC_TRAIN)
        if not random:
            return Problem("two different answers to the same input", "the same answer twice")
    return None


# --- 6. losses ---


def make_task():
    """A net with dropout, some inputs and their classes, for losses in both modes."""
    model = small_net()
    torch.manual_seed(1)
    x = torch.randn(300, 6)
    y = (2 * x[:, 0] + x[:, 1]).gt(0).long() + x[:, 2].gt(1).long()
    for _ in range(100):
        gradients = torch.autograd.grad(F.cross_entropy(model(x), y), list(model.parameters()))
        with torch.no_grad():
            for parameter, gradient in zip(model.parameters(), gradients, strict=True):
                parameter -= 0.3 * gradient
    return model, x, y


def check_losses(losses, first_step):
    """A function (model, x, y) -> (loss with dropout on, loss in eval mode), and the letter a, b or c."""
    model, x, y = make_task()
    if first_step not in ("a", "b", "c"):
        return Problem('one of the letters "a", "b", "c"', repr(first_step))
    pair = written(losses(copy.deepcopy(model), x, y))
    if not isinstance(pair, tuple) or len(pair) != 2 or not all(isinstance(v, float) for v in pair):
        return Problem("a pair of floats, by .item()", repr(pair))
    with torch.no_grad():
        plain = F.cross_entropy(model.eval()(x), y).item()
        model[3].train()
        draws = torch.stack([F.cross_entropy(model(x), y) for _ in range(200)])
    noisy, spread = draws.mean().item(), draws.std().item()
    if not is_close(pair[1], plain, 1e-4):
        return Problem(f"a loss of {plain:.3f} in eval mode", f"{pair[1]:.3f}")
    # The answer is a mean of at least 20 passes; batch norm may use the batch's own statistics.
    if abs(pair[0] - noisy) > 5 * spread / math.sqrt(20) + 0.02:
        return Problem(f"a mean loss near {noisy:.3f} with dropout on", f"{pair[0]:.3f}")
    if first_step == "a":
        return Problem(
            "the cheapest explanation to be ruled out first",
            f'"a", although the same net on the same data gives {pair[0]:.3f} with dropout and '
            f"{pair[1]:.3f} without",
            VALIDATION,
        )
    if first_step == "c":
        return Problem(
            "a measurement before a change", '"c": a change of p before the two losses were comparable'
        )
    return None


EXERCISES = {
    "modes": Exercise(
        check_modes, "Make each situation with nn.Dropout(0.5) and torch.ones(1000), and look."
    ),
    "predict": Exercise(
        check_predict,
        "Remember model.training, call model.eval(), predict under torch.inference_mode() or no_grad(), "
        "then put the mode back with model.train(remembered).",
    ),
    "functional": Exercise(
        check_functional,
        "F.dropout has an argument `training`. Every module knows its own mode: self.training.",
    ),
    "channels": Exercise(
        check_channels, "Draw torch.rand of shape (examples, channels, 1, 1): broadcasting does the rest."
    ),
    "monte_carlo": Exercise(
        check_monte_carlo, "First eval() for all. Then loop over model.modules() and pick with isinstance."
    ),
    "losses": Exercise(
        check_losses,
        "Call eval() for the second loss; for the first, put only the nn.Dropout modules in training mode "
        "and take the mean over 50 passes.",
    ),
}


# --- wrong answers, each built on one wrong idea ---


def _believe(**changed):
    names = {"new": "a new layer", "no_grad": "a new layer under no_grad()"}
    names["functional"] = "F.dropout(x, 0.5) in a model after eval()"
    return lambda: ({**MODES, **{names[name]: value for name, value in changed.items()}},)


def _predict_under_no_grad(model, x):
    with torch.no_grad():
        return model(x).softmax(dim=1)


def _predict_and_forget(model, x):
    with torch.no_grad():
        return model.eval()(x).softmax(dim=1)


class _Functional(nn.Module):
    def __init__(self, share, **keywords):
        super().__init__()
        self.first, self.second = nn.Linear(6, 20), nn.Linear(20, 2)
        self.share, self.keywords = share, keywords

    def forward(self, x):
        keywords = self.keywords or {"training": self.training}
        return self.second(F.dropout(torch.relu(self.first(x)), self.share, **keywords))


def _drop_with_coins(shape_of_coins):
    def drop_channels(x, drop_prob, training):
        if not training:
            return x
        return x * (torch.rand(shape_of_coins(x)) >= drop_prob) / (1 - drop_prob)

    return drop_channels


def _losses(model, x, y):
    model.eval()
    with torch.no_grad():
        plain = F.cross_entropy(model(x), y).item()
        model[3].train()
        return sum(F.cross_entropy(model(x), y).item() for _ in range(50)) / 50, plain


MISCONCEPTIONS = [
    Misconception("no_grad() switches dropout off", "modes", _believe(no_grad=False), NO_GRAD),
    Misconception("no_grad() switches dropout off", "predict", lambda: (_predict_under_no_grad,), NO_GRAD),
    Misconception("a model predicts without eval()", "modes", _believe(new=False), NEW_MODULE),
    Misconception(
        "eval() may stay on after a validation pass", "predict", lambda: (_predict_and_forget,), LEFT_OFF
    ),
    Misconception("F.dropout follows the module's mode", "modes", _believe(functional=False), FUNCTIONAL),
    Misconception(
        "F.dropout follows the module's mode",
        "functional",
        lambda: (lambda: _Functional(0.3, training=True),),
        FUNCTIONAL,
    ),
    Misconception("p is the keep probability", "functional", lambda: (lambda: _Functional(0.7),), KEEP),
    Misconception(
        "one mask serves the whole batch",
        "channels",
        lambda: (_drop_with_coins(lambda x: (1, x.shape[1], 1, 1)),),
        ONE_MASK,
    ),
    Misconception(
        "single pixels are as good as channels",
        "channels",
        lambda: (_drop_with_coins(lambda x: x.shape),),
        PIXELS,
    ),
    Misconception(
        "model.train() is harmless for Monte Carlo dropout",
        "monte_carlo",
        lambda: (lambda model: model.train(),),
        MC_TRAIN,
    ),
    Misconception(
        "validation better than training must be a bug", "losses", lambda: (_losses, "a"), VALIDATION
    ),
]
