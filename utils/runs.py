"""Training runs that are looked at on the way: what they are worth at the end, and stopped early."""

import numpy as np
import torch
import torch.nn.functional as F

from utils.torch_training import fit


def train_and_check(net, tensors, *, optimizer, num_epochs, batch_size, seed, check_every=1, also=None):
    """Train `net` in place with `fit`, and look at it after every `check_every` epochs.

    Parameters
    ----------
    net : nn.Module
        Inputs (n, 784) to logits (n, 10).
    tensors : dict
        As `load_tensors` returns it, with validation images.
    optimizer, num_epochs, batch_size, seed
        As in `fit`.
    check_every : int
        Epochs between two checks. The masks go on as if nobody had looked.
    also : callable or None
        `also(net)` returns a dict of further numbers to keep; it finds the net in eval mode.

    Returns
    -------
    list of dict, one for each check: epoch, val_loss (NLL in nats), and nll and accuracy on the test images
    """
    checks = []

    def after_epoch(epoch):
        if epoch % check_every == 0:
            seen = {"epoch": epoch, "val_loss": nll_and_accuracy(net, tensors, "val")[0]}
            seen["nll"], seen["accuracy"] = nll_and_accuracy(net, tensors, "test")
            checks.append(seen | (also(net) if also else {}))

    fit(
        net,
        tensors["x_train"],
        tensors["y_train"],
        num_epochs=num_epochs,
        batch_size=batch_size,
        optimizer=optimizer,
        seed=seed,
        after_epoch=after_epoch,
    )
    return checks


@torch.inference_mode()
def nll_and_accuracy(net, tensors, part):
    """(NLL in nats, accuracy) on the images of a part, "train", "val" or "test", in the net's present modes.

    An output that is not finite counts as a guess, 1/10 for each class: nets that diverge have a price, too.
    """
    logits = torch.cat([net(x) for x in tensors[f"x_{part}"].split(2_500)])
    logits[~logits.isfinite().all(dim=1)] = 0
    y = tensors[f"y_{part}"]
    return float(F.cross_entropy(logits, y)), float((logits.argmax(dim=1) == y).float().mean())


def two_ends(checks, num_late=5):
    """What a run is worth at its two ends, from what `train_and_check` saw.

    Returns a dict. For each number that was kept, such as nll: late_nll, its mean over the last `num_late`
    checks, and stopped_nll, at the check with the lowest validation loss. And best_epoch and last_epoch.
    """
    best = min(checks, key=lambda seen: seen["val_loss"])
    found = {"best_epoch": best["epoch"], "last_epoch": checks[-1]["epoch"]}
    for name in checks[0].keys() - {"epoch"}:
        found[f"late_{name}"] = np.mean([seen[name] for seen in checks[-num_late:]], axis=0)
        found[f"stopped_{name}"] = best[name]
    return {name: np.round(value, 5).tolist() for name, value in sorted(found.items())}


@torch.no_grad()
def nudge(net, seed, size=1e-6):
    """Change every weight by a random part in a million, in place, and return the net.

    Another processor rounds otherwise; a training that starts from nudged weights ends as far from the
    original as that may take it.
    """
    rng = torch.Generator().manual_seed(seed)
    for weight in net.parameters():
        weight *= 1 + size * torch.randn(weight.shape, generator=rng)
    return net


def by_seed(runs, name, /, **setting):
    """The numbers `name` of the runs of a sweep that have this setting: an array in the order of their seeds.

    So two settings are paired, whatever the order of the list. Raises ValueError if no run has the setting,
    or a seed comes twice.
    """
    chosen = {run["seed"]: run[name] for run in runs if setting.items() <= run.items()}
    number = sum(setting.items() <= run.items() for run in runs)
    if not chosen or len(chosen) != number:
        raise ValueError(
            f"runs must hold one run for each seed with {setting}, got {number} for {len(chosen)} seeds"
        )
    return np.array([chosen[seed] for seed in sorted(chosen)], dtype=float)
