"""Ways to spoil chapter 14's stored results. Each changes them in place."""

NAMES = ("nll", "accuracy", "val_nll", "train")


def _swap(results, one, other):
    runs = results["runs"]
    runs[one], runs[other] = runs[other], runs[one]


def plain_and_lost_swapped(results):
    for p in (0.1, 0.5):
        _swap(results, f"plain, p = {p}", f"lost, p = {p}")
        runs = results["runs"]  # the cosines stay with the plain nets
        runs[f"plain, p = {p}"]["cosine"] = runs[f"lost, p = {p}"].pop("cosine")


def the_state_was_kept_in_every_arm(results):
    for p in (0.1, 0.5):
        results["runs"][f"lost, p = {p}"] = results["runs"][f"kept, p = {p}"]


def the_state_was_lost_in_the_kept_arm(results):
    for p in (0.1, 0.5):
        results["runs"][f"kept, p = {p}"] = results["runs"][f"lost, p = {p}"]


def p_and_q_swapped(results):
    """0.1 is 0.9, say: the weaker arm is the stronger one."""
    for how in ("plain", "kept", "lost"):
        _swap(results, f"{how}, p = 0.1", f"{how}, p = 0.5")


def dropout_removed(results):
    for p in (0.1, 0.5):
        for name in NAMES:
            for how in ("plain", "kept", "lost"):
                results["runs"][f"{how}, p = {p}"][name] = results["runs"]["no dropout"][name]


def draws_of_one_arm_permuted(results):
    for p in (0.1, 0.5):
        run = results["runs"][f"kept, p = {p}"]
        for name in NAMES:
            run[name] = [row[3:] + row[:3] for row in run[name]]


def one_draw_repeated(results):
    for run in results["runs"].values():
        for name, checks in run.items():
            run[name] = [row[:1] * len(row) for row in checks]


def cosines_of_two_strengths_swapped(results):
    weak, strong = (results["runs"][f"plain, p = {p}"] for p in (0.1, 0.5))
    weak["cosine"], strong["cosine"] = strong["cosine"], weak["cosine"]


def layers_and_block_swapped(results):
    for p in (0.1, 0.5):
        _swap(results, f"lost, p = {p}", f"one block, p = {p}")


def the_right_gradient_called_lost(results):
    for p in (0.1, 0.5):
        run = results["runs"][f"plain, p = {p}"]
        run["cosine"] = [[1.0] * len(row) for row in run["cosine"]]


def mean_gradients_swapped(results):
    means = results["means"]
    means["other"], means["lost"] = means["lost"], means["other"]


def the_key_was_changed_at_every_step(results):
    results["runs"]["one key, one mask"] = results["runs"]["seed = step"]


def two_ways_of_few_masks_swapped(results):
    _swap(results, "one key, one mask", "one mask per batch")
