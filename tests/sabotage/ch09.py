"""Ways to spoil chapter 09's stored results; its claims must notice each."""

ARM = {"order": ("order", "num_train"), "places": ("place",)}  # what names a run, beside its seed


def rename(key, one, other):
    """Give the runs of one arm the name of the other, and the other way round."""
    names = {one: other, other: one}

    def sabotage(results):
        for runs in (results["order"], results["places"]):
            for run in runs:
                if key in run:
                    run[key] = names.get(run[key], run[key])

    return sabotage


def fill(results, source):
    """Each run takes what the run that source(run, name) names has found; both have the same fields."""
    for name, arm in ARM.items():
        found = {(run["seed"], *(run[key] for key in arm)): dict(run) for run in results[name]}
        for run in results[name]:
            other = found[source(run, name)]
            run.update({key: value for key, value in other.items() if key not in ("seed", *arm)})


def one_seed_repeated(results):
    fill(results, lambda run, name: (0, *(run[key] for key in ARM[name])))


def no_dropout_anywhere(results):
    arm = {"order": "advice", "places": "nowhere"}
    fill(results, lambda run, name: (run["seed"], arm[name], *(run[key] for key in ARM[name][1:])))


def seeds_shuffled(results):
    """The pairs are broken: one arm's runs get the next seed's numbers."""
    shifted = ("swapped", "nowhere")

    def source(run, name):
        arm = [run[key] for key in ARM[name]]
        return ((run["seed"] + 1) % 10 if arm[0] in shifted else run["seed"], *arm)

    fill(results, source)


def ends_swapped(results):
    for runs in (results["order"], results["places"]):
        for run in runs:
            for what in ("nll", "accuracy"):
                late, stopped = f"late_{what}", f"stopped_{what}"
                run[late], run[stopped] = run[stopped], run[late]


def p_and_q_swapped(results):
    results["acts"] = {name: 1_000 - n if n else n for name, n in results["acts"].items()}


def nothing_dropped(results):
    results["acts"] = dict.fromkeys(results["acts"], 0)


def next_layer_dropped(results):
    results["acts"]["zeros among what the 16 say"] = 5


SABOTAGES = {
    "orders swapped": rename("order", "advice", "swapped"),
    "outputs and nowhere swapped": rename("place", "outputs", "nowhere"),
    "one seed repeated": one_seed_repeated,
    "no dropout anywhere": no_dropout_anywhere,
    "pairs broken": seeds_shuffled,
    "late and stopped swapped": ends_swapped,
    "p and q swapped": p_and_q_swapped,
    "nothing dropped": nothing_dropped,
    "the next layer's own units dropped": next_layer_dropped,
}
