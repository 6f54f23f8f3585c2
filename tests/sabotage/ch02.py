"""Ways to spoil chapter 02's results, each of which its claims must notice."""


def arms_swapped(results):
    runs = results["runs"]
    runs["control"], runs["dropout"] = runs["dropout"], runs["control"]


def dropout_removed(results):
    results["runs"]["dropout"] = results["runs"]["control"]


def one_seed_repeated(results):
    results["runs"]["dropout"] = results["runs"]["dropout"][:1] * len(results["runs"]["dropout"])


def p_and_q_swapped(results):
    results["moments"].reverse()


def not_rescaled(results):
    for k, row in enumerate(results["moments"]):
        row[0] *= 1 - (k + 1) / 10


def one_mask_for_the_batch(results):
    results["still"] = {size: [0.5, 0] for size in results["still"]}


def gradient_not_masked(results):
    results["still"] = {size: [0.0, 0] for size in results["still"]}


def other_units_stand_still(results):
    results["still"]["8"][1] = 1
