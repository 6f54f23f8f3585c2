"""Ways to spoil chapter 04's stored results."""

import copy


def swap_arms(results):
    results["dropout"], results["control"] = results["control"], results["dropout"]


def no_dropout(results):
    """The dropout arm is a second control."""
    results["dropout"] = copy.deepcopy(results["control"])


def script_without_dropout(results):
    """The script's nets are never in train mode, and cost what they cost in eval mode."""
    for run in results["script"]:
        run["cost"] = run["train nll"]


def one_seed(results):
    for arm in ("script", "dropout", "control"):
        results[arm] = [results[arm][0]] * 10


def scaled(results):
    """The raw images were scaled after all."""
    for run in results["script"]:
        run["uses"]["raw"] = run["uses"]["right"]


def never_forgotten(results):
    """eval() was not forgotten."""
    for run in results["script"]:
        run["uses"]["train mode"] = run["uses"]["right"]


def one_mask(results):
    """One mask instead of twenty."""
    for run in results["script"]:
        run["uses"]["20 masks"] = run["uses"]["train mode"]


def too_short(results):
    """The budget ends while the validation NLL still falls."""
    for run in results["dropout"]:
        run["val nll"] = sorted(run["val nll"], reverse=True)


def backwards(results):
    """The epochs in the wrong order."""
    for run in results["script"]:
        run["cost"].reverse()


def permuted(results):
    """Accuracy and NLL changed places."""
    for run in results["script"]:
        for use in run["uses"].values():
            use[0], use[1] = use[1], use[0]


def two_points_less(results):
    """Another net than the script's."""
    for run in results["script"]:
        run["uses"]["raw"][0] -= 0.02
