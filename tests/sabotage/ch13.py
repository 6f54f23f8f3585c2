"""Ways to spoil chapter 13's stored results. Each changes them in place."""


def _swap(results, one, other):
    runs = results["runs"]
    runs[one], runs[other] = runs[other], runs[one]


def dropout_and_none_swapped(results):
    runs = results["runs"]
    for name in ("nll", "accuracy", "val_loss"):
        runs["none"][name], runs["binary"][name] = runs["binary"][name], runs["none"][name]


def dropout_removed(results):
    runs = results["runs"]
    for name in ("nll", "accuracy", "val_loss"):
        runs["binary"][name] = runs["none"][name]


def no_mask_at_test_time(results):
    runs = results["runs"]
    runs["binary"]["on_accuracy"] = runs["binary"]["accuracy"]


def masks_on_and_off_swapped(results):
    binary = results["runs"]["binary"]
    binary["on_accuracy"], binary["accuracy"] = binary["accuracy"], binary["on_accuracy"]


def coins_on_weights_called_coins_on_units(results):
    results["covariances"]["seen"] = 0.0


def a_weight_was_removed(results):
    results["covariances"]["changed"] = 1


def draws_of_one_arm_permuted(results):
    for name in ("nll", "accuracy", "val_loss"):
        for arm in ("Gaussian", "three-level"):
            checks = results["runs"][arm][name]
            results["runs"][arm][name] = [row[3:] + row[:3] for row in checks]


def one_draw_repeated(results):
    for run in results["runs"].values():
        for name, checks in run.items():
            run[name] = [row[:1] * len(row) for row in checks]


def ratio_of_units_and_weights_turned(results):
    none = results["runs"]["none"]
    none["ratio"] = [[1 / value for value in row] for row in none["ratio"]]


def two_strengths_of_dropconnect_swapped(results):
    _swap(results, "DropConnect, p = 0.4", "DropConnect, p = 0.6")


def early_and_late_swapped(results):
    _swap(results, "early", "late")


def nets_with_a_learned_p_never_stopped(results):
    for start in (0.1, 0.5):
        losses = results["runs"][f"learned, from {start}"]["val_loss"]
        losses[-1] = [0.0] * len(losses[-1])
