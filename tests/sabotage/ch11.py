"""Ways to spoil the stored results of chapter 11."""


def _runs_of(results, **wanted):
    return [run for run in results["runs"] if wanted.items() <= run.items()]


def passes_and_weight_scaling_swapped(results):
    for run in results["runs"]:
        for state in ("end", "stopped"):
            run[state]["scaled"], run[state]["passes"] = run[state]["passes"], run[state]["scaled"]


def end_and_early_stopped_swapped(results):
    for run in results["runs"]:
        run["end"], run["stopped"] = run["stopped"], run["end"]


def with_and_without_dropout_swapped(results):
    for run in _runs_of(results, num_train=2_000):
        run["drop_prob"] = 0.5 - run["drop_prob"]


def numbers_of_images_reversed(results):
    other = {500: 8_000, 2_000: 2_000, 8_000: 500}
    for run in results["runs"]:
        run["num_train"] = other[run["num_train"]]


def one_seed_repeated(results):
    first = {(run["num_train"], run["drop_prob"]): run for run in reversed(results["runs"])}
    results["runs"] = [
        {**first[run["num_train"], run["drop_prob"]], "seed": run["seed"]} for run in results["runs"]
    ]


def dropout_left_off(results):
    for run in results["runs"]:
        for state in ("end", "stopped"):
            run[state] |= {"passes": run[state]["scaled"], "information": 0.0, "fallen": 0}


def keras_copy_with_another_p(results):
    results["class"]["0.5"] = results["class"]["0.2"]


def best_at_the_last_look(results):
    for run in _runs_of(results, drop_prob=0.0):
        run["epoch"] = 100


def early_stopped_spread_falls_with_the_data(results):
    for run in results["runs"]:
        run["stopped"]["information"] *= 500 / run["num_train"]
