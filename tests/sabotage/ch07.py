"""Ways to spoil chapter 07's stored results. Each changes them in place."""

WHEN = ("end", "stopped")


def _swap(results, one, other):
    results[one], results[other] = results[other], results[one]


def dropout_and_no_noise_swapped(results):
    for when in WHEN:
        _swap(results, f"own coins, {when}", f"none, {when}")


def own_coins_and_one_coin_swapped(results):
    for when in WHEN:
        _swap(results, f"own coins, {when}", f"one coin, {when}")


def dropout_and_weight_decay_swapped(results):
    for when in WHEN:
        _swap(results, f"own coins, {when}", f"weight decay, {when}")


def dropout_removed(results):
    for when in WHEN:
        results[f"own coins, {when}"] = results[f"none, {when}"]


def stopped_early_and_end_swapped(results):
    for arm in ("none", "own coins", "16 share", "one coin", "weight decay"):
        _swap(results, f"{arm}, end", f"{arm}, stopped")


def one_seed_repeated(results):
    for name, runs in results.items():
        if name.endswith(WHEN):
            results[name] = {key: values[:1] * len(values) for key, values in runs.items()}


def no_unit_was_knocked_out(results):
    for name, runs in results.items():
        if name.endswith(WHEN):
            runs["64 out"] = runs["0 out"]


def right_and_wrong_labels_swapped(results):
    for arm in ("none", "own coins"):
        _swap(results[f"{arm}, end"], "right", "wrong")


def same_learning_rate_in_both_recipes(results):
    results["exact"]["two spellings"].reverse()


def recipes_swapped(results):
    for how in ("as it is", "times 1 - p"):
        _swap(results["exact"]["multiply"], f"inverted, {how}", f"classical, {how}")


def weights_not_multiplied(results):
    for recipe in ("inverted", "classical"):
        _swap(results["exact"]["multiply"], f"{recipe}, as it is", f"{recipe}, times 1 - p")


def targets_swapped(results):
    _swap(results["exact"]["halving"], "straight", "curved")


def nets_of_the_vote_swapped(results):
    _swap(results["exact"]["joined"], "softmax", "ReLU between")


def additive_and_dropout_noise_swapped(results):
    for row in results["exact"]["inside"]:
        row[:2] = row[1::-1]


def equal_prior_for_all_columns(results):
    results["exact"]["prior"]["dropout"] = 0.1
