"""Train and measure plain networks in PyTorch, as chapter 04 does: tensors in memory, index batches, seeds.

A run is a function of its arguments alone.
"""

import copy
import functools
import math
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from utils import data, metrics
from utils.arguments import check_inputs, check_labels, check_outputs, check_positive_int, check_probability


@contextmanager
def seeded(seed):
    """Seed PyTorch's generators inside the block and put them back as they were after it."""
    with own_generators():
        torch.manual_seed(seed)
        yield


def own_generators():
    """A block after which PyTorch's generators, those of all GPUs too, are as they were before it."""
    return torch.random.fork_rng(devices=range(torch.cuda.device_count()))


def make_mlp(sizes, drop_probs, *, seed):
    """A fully connected ReLU net with dropout after each hidden layer, as an `nn.Sequential`.

    Parameters
    ----------
    sizes : sequence of int
        Widths from the inputs to the logits, such as (784, 256, 256, 10).
    drop_probs : sequence of float in [0, 1]
        One drop probability per hidden layer, or one more: the first is then for the inputs.
    seed : int
        Seed of the weights: He et al. 2015, N(0, 2 / inputs), biases 0.

    Raises
    ------
    ValueError
        The number of drop probabilities does not fit, or one is out of range.
    """
    drop_probs = [check_probability("drop_probs", p) for p in drop_probs]
    num_hidden = len(sizes) - 2
    if len(drop_probs) not in (num_hidden, num_hidden + 1):
        raise ValueError(
            f"drop_probs must have {num_hidden} or {num_hidden + 1} values for sizes {tuple(sizes)}, "
            f"got {len(drop_probs)}"
        )
    layers = [nn.Dropout(p) for p in drop_probs[: len(drop_probs) - num_hidden]]
    with seeded(seed):
        for layer, (num_in, num_out) in enumerate(pairwise(sizes)):
            linear = nn.Linear(num_in, num_out)
            nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
            nn.init.zeros_(linear.bias)
            layers.append(linear)
            if layer < num_hidden:
                layers += [nn.ReLU(), nn.Dropout(drop_probs[layer - num_hidden])]
    return nn.Sequential(*layers)


def fit(model, x, y, *, num_epochs, batch_size, optimizer, seed, after_epoch=None):
    """Train a classifier with cross-entropy, in place. Returns nothing; leaves the model in eval mode.

    Parameters
    ----------
    model : nn.Module
        Inputs to logits.
    x : tensor of shape (n, ...)
    y : int64 tensor of shape (n,)
    num_epochs, batch_size : int
    optimizer : torch.optim.Optimizer
        Made over the model's parameters, such as `torch.optim.Adam(model.parameters(), lr=1e-3)`.
    seed : int
        Seed of the order of the examples and of the masks.
    after_epoch : callable or None
        Called after each epoch with its number (1, 2, ...), the model in eval mode. The masks go on as
        if it had not been called. If it returns True, training stops.

    Raises
    ------
    ValueError
        Before anything changes: x is not finite, y is not one of the model's classes for each example, or
        the model does not give logits (n, classes).
    """
    num_epochs = check_positive_int("num_epochs", num_epochs)
    check_inputs("x", x)
    check_labels("y", y, len(x), count_classes(model, x))
    y = y.long()
    rng = np.random.default_rng(seed)
    with seeded(seed):
        for epoch in range(1, num_epochs + 1):
            model.train()
            for batch in data.minibatches(len(x), batch_size, rng):
                index = torch.from_numpy(batch).to(x.device)
                loss = F.cross_entropy(model(x[index]), y[index])
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
            model.eval()
            if after_epoch is not None:
                with own_generators():
                    stop = after_epoch(epoch)
                if stop is True:
                    break


def keep_best(model, score, every=1):
    """(after_epoch, best): a function for `fit` that keeps the weights of the best epoch so far.

    Parameters
    ----------
    score : callable without arguments
        Gives what shall be small, such as the NLL of validation images.
    every : int
        Look at every so many epochs only.

    Returns
    -------
    after_epoch : callable
    best : dict of "epoch", "score" and "weights" (a copy of the model's state_dict), filled by the former
    """
    best = {"score": math.inf}

    def after_epoch(epoch):
        if epoch % every == 0 and (now := score()) < best["score"]:
            best.update(epoch=epoch, score=now, weights=copy.deepcopy(model.state_dict()))

    return after_epoch, best


@torch.inference_mode()
def predict(model, x, batch_size=2_500):
    """Class probabilities in eval mode (weight scaling), float32 array (n, classes).

    Each module's mode is put back as it was. ValueError if x is not finite or the model does not give
    logits (n, classes).
    """
    check_inputs("x", x)
    with evaluating(model):
        return np.concatenate([probabilities(model(part), len(part)) for part in x.split(batch_size)])


@contextmanager
def evaluating(model):
    """A block with the model in eval mode; after it each module has its own mode again, whatever happened."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def probabilities(logits, num_examples):
    """The softmax of a model's outputs as a float32 array; ValueError unless they are (n, classes)."""
    check_outputs("the model's outputs", logits, num_examples)
    return logits.float().softmax(dim=1).cpu().numpy()


@torch.inference_mode()
def count_classes(model, x):
    """How many classes the model's logits have, from one example of x."""
    with evaluating(model), own_generators():
        logits = model(x[:1])
    check_outputs("the model's outputs", logits, 1)
    return logits.shape[1]


def measure(probs, y):
    """Accuracy, NLL (nats) and ECE (15 bins) of probabilities (n, classes) as a dict of floats."""
    y = np.asarray(y)
    return {
        "accuracy": metrics.accuracy(probs, y),
        "nll": metrics.nll(probs, y),
        "ece": metrics.ece(probs, y),
    }


@functools.lru_cache(maxsize=2)
def load_tensors(name, num_train=None, num_val=0, label_noise=0.0, seed=0):
    """A data set as CPU tensors: dict of x_train (n, 784) float32, y_train (n,) int64, x_val, ..., y_test.

    `name` is "fashion_mnist" or "mnist"; the rest as in `utils.data.load_fashion_mnist`. Kept in
    memory, so that the runs of a sweep load it once per process.
    """
    loaders = {"fashion_mnist": data.load_fashion_mnist, "mnist": data.load_mnist}
    if name not in loaders:
        raise ValueError(f"name must be one of {', '.join(loaders)}, got {name!r}")
    images = loaders[name](num_train=num_train, num_val=num_val, label_noise=label_noise, seed=seed)
    arrays = {}
    for part in ("train", "val", "test"):
        arrays[f"x_{part}"] = torch.from_numpy(getattr(images, f"x_{part}")).flatten(1)
        arrays[f"y_{part}"] = torch.from_numpy(getattr(images, f"y_{part}"))
    return arrays
