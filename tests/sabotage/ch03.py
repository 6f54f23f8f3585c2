"""Ways to spoil chapter 03's stored results."""

import copy

KINDS = ("runs", "stopped")


def swap_arms(results):
    for kind in KINDS:
        results[kind]["0.0"], results[kind]["0.3"] = results[kind]["0.3"], results[kind]["0.0"]


def no_dropout(results):
    """The dropout arm is a second control."""
    for kind in KINDS:
        results[kind]["0.3"] = copy.deepcopy(results[kind]["0.0"])


def one_seed(results):
    for kind in KINDS:
        for p, runs in results[kind].items():
            results[kind][p] = [runs[0]] * len(runs)


def swap_piles(results):
    """Training and validation losses changed places."""
    for runs in results["runs"].values():
        for run in runs:
            run["train"], run["val"] = run["val"], run["train"]


def never_stopped(results):
    """Early stopping kept the last epoch's weights."""
    for p, runs in results["stopped"].items():
        for run, long in zip(runs, results["runs"][p], strict=True):
            run["train"], run["val"] = long["train"], long["val"]


def shuffled_again(results):
    """The control with one order for all epochs had a new one after all."""
    results["frozen"] = copy.deepcopy(results["runs"]["0.0"])


def climbs(results):
    """The dropout net's validation loss rises by .05 after epoch 15."""
    for run in results["runs"]["0.3"]:
        losses = run["history"]["val_loss"]
        run["history"]["val_loss"] = losses[:15] + [loss + 0.05 for loss in losses[15:]]
