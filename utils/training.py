"""Train and measure plain networks in PyTorch, one at a time or as a sweep over settings and seeds.

The loops are those that chapter 04 builds: tensors in memory, index batches, explicit seeds. A run is
a function of its arguments alone, so a sweep gives the same numbers in whatever order and process its
runs are done.
"""

import functools
import threading
import warnings
from contextlib import contextmanager
from itertools import pairwise

import joblib
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.modules.dropout import _DropoutNd

from utils import data, metrics
from utils.checks import check_positive_int, check_probability


@contextmanager
def seeded(seed):
    """Seed PyTorch's generators inside the block and put them back as they were after it."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


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
    """
    num_epochs = check_positive_int("num_epochs", num_epochs)
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
                with torch.random.fork_rng():
                    stop = after_epoch(epoch)
                if stop is True:
                    break


@torch.inference_mode()
def predict(model, x, batch_size=2_500):
    """Class probabilities in eval mode (weight scaling), float32 array (n, classes).

    Each module's mode is put back as it was.
    """
    modes = {module: module.training for module in model.modules()}
    model.eval()
    probs = [model(part).softmax(dim=1).cpu().numpy() for part in x.split(batch_size)]
    for module, mode in modes.items():
        module.training = mode
    return np.concatenate(probs)


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


def sweep(run, settings, num_jobs=2):
    """Call `run(**setting)` for every setting, in parallel processes, and return the results in order.

    Each run computes on one thread and has PyTorch's generator to itself, so its numbers do not depend on
    how many runs are done beside it. The work goes through joblib, so the caller chooses where it is done:

    - `sweep(run, settings)` uses processes of this machine;
    - the same call inside `joblib.parallel_config(backend="dask")` uses the Dask cluster of the current
      `dask.distributed.Client`; a run whose worker dies is done again on another one;
    - `sweep(joblib.Memory("folder", verbose=0).cache(run), settings)` keeps each finished run on disk, so a
      sweep that was stopped goes on where it was.

    Parameters
    ----------
    run : callable
        Keyword arguments to a dict of results. A function of its arguments alone, that calls no sweep. A
        cluster's workers must be able to import what it uses.
    settings : iterable of dict
        The keyword arguments of each run.
    num_jobs : int
        Number of processes. On a Dask cluster its number of workers counts instead.

    Returns
    -------
    list of dict: each setting merged with its results, in the order of `settings`

    Raises
    ------
    ValueError
        A run returns a result under the name of a setting.
    RuntimeError
        A run calls `sweep`.
    """
    settings = list(settings)
    num_jobs = check_positive_int("num_jobs", num_jobs)
    if getattr(_here, "running", False):
        raise RuntimeError("run must not call sweep: join the two sweeps' settings into one list")
    # A setting travels as one dict: joblib would keep a large argument of its own on a single Dask worker.
    with warnings.catch_warnings():
        # joblib replaces a worker whose memory has grown by 300 MB, and says so; no run is lost.
        warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
        results = joblib.Parallel(n_jobs=num_jobs)(
            joblib.delayed(_run_alone)(run, setting) for setting in settings
        )
    for setting, result in zip(settings, results, strict=True):
        if both := sorted(setting.keys() & result.keys()):
            raise ValueError(f"run must not return results under names of settings, got {', '.join(both)}")
    return [{**setting, **result} for setting, result in zip(settings, results, strict=True)]


_here = threading.local()  # .running is True in a thread that does a run of a sweep
_turn = threading.Lock()  # PyTorch has one generator per process, so threads of one process take turns


def _run_alone(run, setting):
    with _turn:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        _here.running = True
        try:
            return run(**setting)
        finally:
            _here.running = False
            torch.set_num_threads(threads)


@torch.inference_mode()
def predict_mc(model, x, *, num_samples, seed, batch_size=1_000):
    """Class probabilities of Monte Carlo passes: dropout on, all else in eval mode.

    Two things make it fast. What comes before the first dropout is the same in every pass, so an
    `nn.Sequential` computes it once; any other model is run as a whole. And the masks of `nn.Dropout`
    are drawn here, 16 random bits per unit, which takes a tenth of the time of PyTorch's own and meets
    the drop probability to within 1 / 131,072. Each module's mode is put back as it was.

    Parameters
    ----------
    model : nn.Module
        Inputs to logits, with at least one of PyTorch's dropout layers. A call of `F.dropout` inside
        the model is not seen.
    x : tensor of shape (n, ...)
    num_samples : int
        T, the number of passes. Each draws a mask of its own for every example.
    seed : int
        Seed of the masks, which also depend on batch_size.
    batch_size : int
        Small enough that the activations of a batch stay in the processor's cache.

    Returns
    -------
    float32 array of shape (T, n, classes)

    Raises
    ------
    ValueError
        The model has no dropout layer, or num_samples or batch_size is not at least 1.

    Source: Gal & Ghahramani 2016, section 4.
    """
    num_samples = check_positive_int("num_samples", num_samples)
    batch_size = check_positive_int("batch_size", batch_size)
    before, after = _split_at_dropout(model)
    with _monte_carlo_mode(model, seed):
        return np.concatenate(
            [_passes(before(part), after, num_samples) for part in x.split(batch_size)], axis=1
        )


@contextmanager
def _monte_carlo_mode(model, seed):
    """Inside the block dropout is on, whatever the modes were, and everything else in eval mode."""
    modes = {module: module.training for module in model.modules()}
    hook = functools.partial(_drop_output, np.random.Generator(np.random.SFC64(seed)))
    hooks = []
    model.eval()
    for module in filter(_is_dropout, modes):
        if type(module) is nn.Dropout:
            hooks.append(module.register_forward_hook(hook))
        else:
            module.training = True
    try:
        with seeded(seed):
            yield
    finally:
        for handle in hooks:
            handle.remove()
        for module, mode in modes.items():
            module.training = mode


def _drop_output(rng, module, inputs, output):
    """A forward hook for an `nn.Dropout` in eval mode: inverted dropout of what it hands on."""
    threshold = round(module.p * 2**16)
    if threshold == 2**16:
        return torch.zeros_like(output)
    bits = rng.integers(2**64, size=-(-output.numel() // 4), dtype=np.uint64).view(np.uint16)
    keep = bits[: output.numel()].reshape(output.shape) >= threshold
    factor = keep * np.float32(2**16 / (2**16 - threshold))  # of mean 1, to the last bit
    return output * torch.from_numpy(factor).to(output)


def _is_dropout(module):
    return isinstance(module, _DropoutNd)


def _split_at_dropout(model):
    """(before, after): functions whose composition is the model; `before` has no dropout in it."""
    if not any(map(_is_dropout, model.modules())):
        raise ValueError(f"model must have a dropout layer, got {type(model).__name__} without one")
    if not isinstance(model, nn.Sequential):
        return nn.Identity(), model
    first = next(i for i, layer in enumerate(model) if any(map(_is_dropout, layer.modules())))
    return model[:first], model[first:]


def _passes(h, after, num_samples):
    return torch.stack([after(h).softmax(dim=1) for _ in range(num_samples)]).cpu().numpy()
