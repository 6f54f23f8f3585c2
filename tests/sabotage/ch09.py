"""Ways to spoil chapter 09's stored results. Each changes them in place."""

_ARM = {"order": ("order", "num_train"), "places": ("place",)}  # what names a run, beside its seed


def _rename(results, key, one, other):
    """Give the runs of one arm the name of the other, and the other way round."""
    names = {one: other, other: one}
    for run in results["order"] + results["places"]:
        if key in run:
            run[key] = names.get(run[key], run[key])


def _fill(results, source):
    """Each run takes what the run that source(run, name) names has found; both have the same fields."""
    for name, arm in _ARM.items():
        found = {(run["seed"], *(run[key] for key in arm)): dict(run) for run in results[name]}
        for run in results[name]:
            other = found[source(run, name)]
            run.update({key: value for key, value in other.items() if key not in ("seed", *arm)})


def orders_swapped(results):
    _rename(results, "order", "advice", "swapped")


def outputs_and_nowhere_swapped(results):
    _rename(results, "place", "outputs", "nowhere")


def one_seed_repeated(results):
    _fill(results, lambda run, name: (0, *(run[key] for key in _ARM[name])))


def no_dropout_anywhere(results):
    arm = {"order": "advice", "places": "nowhere"}
    _fill(results, lambda run, name: (run["seed"], arm[name], *(run[key] for key in _ARM[name][1:])))


def pairs_broken(results):
    """One arm's runs get the next seed's numbers."""

    def source(run, name):
        arm = [run[key] for key in _ARM[name]]
        return ((run["seed"] + 1) % 10 if arm[0] in ("swapped", "nowhere") else run["seed"], *arm)

    _fill(results, source)


def late_and_stopped_swapped(results):
    for run in results["order"] + results["places"]:
        for what in ("nll", "accuracy"):
            late, stopped = f"late_{what}", f"stopped_{what}"
            run[late], run[stopped] = run[stopped], run[late]


def stopped_at_the_first_look(results):
    """The control's best look was the first, so an earlier one may be better still."""
    for run in results["places"]:
        if run["place"] == "nowhere":
            run["best_epoch"] = run["last_epoch"] // 30


def control_never_stopped(results):
    for run in results["places"]:
        if run["place"] == "nowhere":
            run |= {f"stopped_{what}": run[f"late_{what}"] for what in ("nll", "accuracy")}


def p_and_q_swapped(results):
    results["acts"] = {name: 1_000 - n if n else n for name, n in results["acts"].items()}


def nothing_dropped(results):
    results["acts"] = dict.fromkeys(results["acts"], 0)


def next_layers_own_units_dropped(results):
    results["acts"]["zeros among what the 16 say"] = 5


def accuracy_won_late(results):
    for run in results["order"]:
        run["late_accuracy"] += 0.02


def accuracy_speaks_for_the_advice(results):
    for run in results["order"]:
        if run["order"] == "advice" and run["num_train"] == 2_000:
            run["stopped_accuracy"] += 0.01
