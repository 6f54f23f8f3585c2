"""Ways to spoil chapter 16's stored results. Each changes them in place."""

SIGNS = ("generator", "passes", "order", "company")


def _swap(table, one, other):
    table[one], table[other] = table[other], table[one]


def the_control_gives_an_alarm(results):
    results["found"]["control"]["passes"] = 0.05


def one_check_finds_all(results):
    for name, row in results["found"].items():
        row["passes"] = float(name != "control")


def the_coin_was_not_seen(results):
    results["found"]["a coin for a layer"]["passes"] = 0.8


def a_net_was_missed_once_by_the_passes(results):
    results["found"]["eval() forgotten"]["passes"] = 0.95


def order_and_company_swapped(results):
    for row in results["found"].values():
        _swap(row, "order", "company")


def flags_and_layers_swapped(results):
    for row in results["found"].values():
        _swap(row, "flags", "layers")


def two_nets_swapped(results):
    _swap(results["found"], "it seeds itself", "statistics of the batch")


def flags_found_a_functional_dropout(results):
    results["found"]["F.dropout"]["flags"] = 1.0


def a_net_left_out(results):
    del results["found"]["traced in train mode"]


def on_and_off_swapped(results):
    for runs in results["cost"].values():
        for run in runs:
            for when in ("end", "stopped early"):
                _swap(run[when], "on", "off")


def dropout_removed(results):
    for runs in results["cost"].values():
        for run in runs:
            for when in ("end", "stopped early"):
                run[when]["on"] = run[when]["off"]


def p_and_q_swapped(results):
    """0.1 is 0.9, say: the weaker arm is the stronger one."""
    _swap(results["cost"], "p = 0.1", "p = 0.5")


def accuracies_of_two_rates_swapped_when_stopped_early(results):
    weak, strong = results["cost"].values()
    for one, other in zip(weak, strong, strict=True):
        for mode in ("on", "off"):
            found = [run["stopped early"][mode] for run in (one, other)]
            found[0]["accuracy"], found[1]["accuracy"] = (run["accuracy"] for run in found[::-1])


def end_and_stopped_early_swapped(results):
    for runs in results["cost"].values():
        for run in runs:
            _swap(run, "end", "stopped early")


def one_draw_repeated(results):
    for runs in results["cost"].values():
        runs[:] = runs[:1] * len(runs)


def the_best_epoch_is_the_last(results):
    for run in results["cost"]["p = 0.1"]:
        run["epoch"] = 40


def optimisations_swapped(results):
    for row in results["onnx"]["signs"]:
        row[1] = not row[1]


def onnx_in_eval_mode_drops(results):
    for row in results["onnx"]["signs"]:
        row[2] = list(SIGNS[1:])
