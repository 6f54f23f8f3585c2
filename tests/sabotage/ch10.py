"""Ways to spoil chapter 10's stored results. Each changes them in place."""

_ARM = {
    "wide": ("name",),
    "rates": ("place", "lr"),
    "gradients": ("place", "activation"),
    "batches": ("place", "batch_size", "factor"),
    "random": ("drop_prob",),
    "tables": ("place", "name", "scaled"),
}  # what names a run, beside its seed


def _rename(results, part, key, one, other):
    """Give the runs of one arm the name of the other, and the other way round."""
    names = {one: other, other: one}
    for run in results[part]:
        run[key] = names.get(run[key], run[key])


def _fill(results, source, parts=tuple(_ARM)):
    """Each run takes what the run that source(run, part) names has found."""
    for part in parts:
        arm = _ARM[part]
        found = {(run["seed"], *(run[key] for key in arm)): dict(run) for run in results[part]}
        for run in results[part]:
            other = found[source(run, part)]
            run.update({key: value for key, value in other.items() if key not in ("seed", *arm)})


def together_and_batch_norm_swapped(results):
    _rename(results, "wide", "name", "together", "batch norm")


def together_and_dropout_last_swapped(results):
    _rename(results, "wide", "name", "together", "dropout last")


def dropout_and_neither_swapped(results):
    _rename(results, "wide", "name", "dropout", "neither")


def no_dropout_anywhere(results):
    less = {"together": "batch norm", "dropout last": "batch norm"}
    together = [run for run in results["wide"] if run["name"] in ("batch norm", *less)]
    _fill({"wide": together}, lambda run, _: (run["seed"], "batch norm"), ["wide"])


def statistics_with_masks_and_clean_swapped(results):
    for run in results["wide"]:
        for end in ("late", "stopped"):
            for what in ("nll", "accuracy"):
                masks, clean = f"{end}_masks_{what}", f"{end}_clean_{what}"
                if masks in run:
                    run[masks], run[clean] = run[clean], run[masks]


def nothing_refitted(results):
    for run in results["wide"]:
        for name in run:
            for how in ("masks_", "clean_"):
                if how in name:
                    run[name] = run[name.replace(how, "")]


def no_shift(results):
    for run in results["wide"]:
        if run["name"] == "together":
            run["late_ratios"] = [1.0] * 3


def one_mask_called_no_mask(results):
    for run in results["wide"]:
        if run["name"] == "dropout":
            run["stopped_one_mask_accuracy"] = run["stopped_accuracy"]


def late_and_stopped_swapped(results):
    for run in results["wide"] + results["rates"] + results["tables"]:
        for name in [name for name in run if name.startswith("late_")]:
            stopped = name.replace("late", "stopped")
            if stopped in run:
                run[name], run[stopped] = run[stopped], run[name]


def one_seed_repeated(results):
    _fill(results, lambda run, part: (0, *(run[key] for key in _ARM[part])))


def pairs_broken(results):
    """One arm's runs get the next seed's numbers."""

    def source(run, part):
        other = run["name"] == "together"
        return ((run["seed"] + 1) % 10 if other else run["seed"], run["name"])

    _fill(results, source, ["wide"])


def before_and_none_swapped(results):
    _rename(results, "rates", "place", "before", "none")


def before_and_after_swapped(results):
    _rename(results, "rates", "place", "before", "after")


def rates_turned_round(results):
    rates = sorted({run["lr"] for run in results["rates"]})
    turned = dict(zip(rates, reversed(rates), strict=True))
    for run in results["rates"]:
        run["lr"] = turned[run["lr"]]


def gradients_with_and_without_swapped(results):
    _rename(results, "gradients", "place", "before", "none")


def batches_of_2_and_64_swapped(results):
    _rename(results, "batches", "batch_size", 2, 64)


def batch_norm_out_of_the_batches(results):
    _fill(results, lambda run, _: (run["seed"], "none", run["batch_size"], run["factor"]), ["batches"])


def random_labels_not_learnt(results):
    for run in results["random"]:
        run["learnt"] = 0.1


def raw_and_scaled_swapped(results):
    _rename(results, "tables", "scaled", True, False)


def seconds_swapped(results):
    seconds = results["step_seconds"]
    seconds["none"], seconds["before"] = seconds["before"], seconds["none"]


def company_in_eval_mode_too(results):
    results["company"]["eval"] = results["company"]["training"]


def no_company(results):
    results["company"]["training"] = 0.0
