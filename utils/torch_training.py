"""Train and measure plain networks in PyTorch: tensors in memory, index batches, seeds.

A run is a function of its arguments alone.

Written by chapter 04: change it there, then run `python3 course.py library`.
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

from utils import arguments, data, metrics

# --- built in chapter 04, section 4. Where the randomness comes from ---


def own_generators():
    """A block after which PyTorch's generators, of all GPUs too, are as before it."""
    return torch.random.fork_rng(devices=range(torch.cuda.device_count()))


@contextmanager
def seeded(seed):
    """Seed PyTorch's generators in the block; after it they are as before it."""
    with own_generators():
        torch.manual_seed(seed)
        yield


# --- built in chapter 04, section 5. The training loop ---


def he_linear(num_in, num_out):
    """A linear layer; weights N(0, 2 / num_in) (He et al. 2015), biases 0."""
    linear = nn.Linear(num_in, num_out)
    nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
    nn.init.zeros_(linear.bias)
    return linear


def check_drop_probs(drop_probs, num_hidden):
    """Them as floats. ValueError unless num_hidden, or one more, each in [0, 1]."""
    if len(drop_probs) not in (num_hidden, num_hidden + 1):
        must = f"{num_hidden} or {num_hidden + 1} values for {num_hidden} hidden layers"
        raise ValueError(f"drop_probs must have {must}, got {len(drop_probs)}")
    return [arguments.check_probability("drop_probs", p) for p in drop_probs]


def make_mlp(sizes, drop_probs, *, seed):
    """A ReLU net for sizes (inputs, hidden, ..., classes), an nn.Sequential to logits.

    drop_probs: one in [0, 1] behind each hidden layer's ReLU, and one more at the front
    for the inputs, if wanted; else ValueError. Weights as he_linear draws them.
    """
    num_hidden = len(sizes) - 2
    drop_probs = check_drop_probs(drop_probs, num_hidden)
    layers = [nn.Dropout(p) for p in drop_probs[: len(drop_probs) - num_hidden]]
    with seeded(seed):
        hidden = zip(pairwise(sizes[:-1]), drop_probs[len(layers) :], strict=True)
        for pair, p in hidden:
            layers += [he_linear(*pair), nn.ReLU(), nn.Dropout(p)]
        layers.append(he_linear(*sizes[-2:]))
    return nn.Sequential(*layers)


def train_step(net, x, y, optimizer):
    """One step on one batch by cross-entropy. Returns the loss before it, a float."""
    loss = F.cross_entropy(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def train_epoch(net, x, y, batch_size, optimizer, rng):
    """One pass over the examples in train mode, in random batches.

    Returns the mean loss (nats), with dropout on and while the weights move.
    """
    net.train()
    total = 0.0
    for batch in data.minibatches(len(x), batch_size, rng):
        index = torch.from_numpy(batch).to(x.device)
        total += train_step(net, x[index], y[index], optimizer) * len(batch)
    return total / len(x)


@contextmanager
def evaluating(net):
    """A block with net in eval mode; after it each module has its own mode again."""
    modes = {module: module.training for module in net.modules()}
    net.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def probabilities(logits, num_examples):
    """Softmax of logits, a float32 array; ValueError unless they are (n, classes)."""
    arguments.check_outputs("net's outputs", logits, num_examples)
    return logits.float().softmax(dim=1).cpu().numpy()


@torch.inference_mode()
def predict(net, x, batch_size=2_500):
    """Probabilities in eval mode, float32 (n, classes). ValueError for NaN in x."""
    arguments.check_inputs("x", x)
    with evaluating(net):
        parts = [probabilities(net(part), len(part)) for part in x.split(batch_size)]
    return np.concatenate(parts)


@torch.inference_mode()
def count_classes(net, x):
    """How many classes net's logits have, from one example of x."""
    with evaluating(net), own_generators():
        logits = net(x[:1])
    arguments.check_outputs("net's outputs", logits, 1)
    return logits.shape[1]


def check_task(net, x, y):
    """y as int64. ValueError if x is not finite or y (n,) not one of net's classes."""
    arguments.check_inputs("x", x)
    arguments.check_labels("y", y, len(x), count_classes(net, x))
    return y.long()


def fit(net, x, y, *, num_epochs, batch_size, optimizer, seed, after_epoch=None):
    """Train net in place and leave it in eval mode. Returns train_epoch's losses.

    `seed`: order and masks. after_epoch(epoch) is called in eval mode; True stops.
    """
    num_epochs = arguments.check_positive_int("num_epochs", num_epochs)
    y, rng, losses = check_task(net, x, y), np.random.default_rng(seed), []
    with seeded(seed):
        for epoch in range(1, num_epochs + 1):
            losses.append(train_epoch(net, x, y, batch_size, optimizer, rng))
            net.eval()
            with own_generators():
                if after_epoch is not None and after_epoch(epoch) is True:
                    break
    return losses


def keep_best(net, score, every=1):
    """(after_epoch, best) for `fit`, to keep the weights of the best epoch so far.

    score() is what shall be small, such as the NLL of validation images; it is called
    every so many epochs. best: dict of "epoch", "score" and "weights" (a copy).
    """
    best = {"score": math.inf}

    def after_epoch(epoch):
        now = score() if epoch % every == 0 else math.inf
        if now < best["score"]:
            best.update(epoch=epoch, score=now, weights=copy.deepcopy(net.state_dict()))

    return after_epoch, best


def measure(probs, y):
    """Accuracy, NLL (nats) and ECE (15 bins) of probabilities (n, classes), floats."""
    scores = ("accuracy", "nll", "ece")
    return {score: getattr(metrics, score)(probs, np.asarray(y)) for score in scores}


LOADERS = {"fashion_mnist": data.load_fashion_mnist, "mnist": data.load_mnist}


@functools.lru_cache(maxsize=2)
def kept_images(name, num_train, num_val, label_noise, seed):
    """What the loader of this name gives; the last two are kept in memory."""
    options = {"num_val": num_val, "label_noise": label_noise, "seed": seed}
    return LOADERS[name](num_train=num_train, **options)


def load_tensors(name, num_train=None, num_val=0, label_noise=0.0, seed=0):
    """CPU tensors of your own: x_train (n, 784) float32, y_train (n,) int64, x_val, ...

    name: "fashion_mnist" or "mnist", else ValueError. The rest: utils.data.load_mnist.
    """
    if name not in LOADERS:
        raise ValueError(f"name must be one of {', '.join(LOADERS)}, got {name!r}")
    images = kept_images(name, num_train, num_val, label_noise, seed)
    tensors = {}
    for part in ("train", "val", "test"):
        x, y = getattr(images, f"x_{part}"), getattr(images, f"y_{part}")
        tensors[f"x_{part}"] = torch.tensor(x).flatten(1)
        tensors[f"y_{part}"] = torch.tensor(y)
    return tensors
