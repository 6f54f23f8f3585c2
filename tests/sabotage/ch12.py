"""Ways to spoil the stored results of chapter 12."""


def _tables(results):
    """All dicts of a run that have one entry per method."""
    for run in results["runs"]:
        yield run["scores"]
        yield from run["rotated"].values()
        for part in run["disagreement"].values():
            yield part["said"]


def monte_carlo_and_weight_scaling_swapped(results):
    for table in _tables(results):
        table["Monte Carlo"], table["weight scaling"] = table["weight scaling"], table["Monte Carlo"]


def small_and_large_data_swapped(results):
    for run in results["runs"]:
        run["n"] = {2_000: 20_000, 20_000: 2_000}[run["n"]]


def dropout_left_off(results):
    for table in _tables(results):
        table["Monte Carlo"] = table["weight scaling"]
        if "weight scaling + T" in table:
            table["Monte Carlo + T"] = table["weight scaling + T"]


def one_seed_repeated(results):
    first = {run["n"]: run for run in reversed(results["runs"])}
    results["runs"] = [{**first[run["n"]], "seed": run["seed"]} for run in results["runs"]]


def with_and_without_temperature_swapped(results):
    for table in _tables(results):
        for name in ("Monte Carlo", "weight scaling"):
            table[name], table[f"{name} + T"] = table[f"{name} + T"], table[name]


def temperatures_inverted(results):
    for run in results["runs"]:
        run["temperature"] = {name: 1 / value for name, value in run["temperature"].items()}


def angles_reversed(results):
    for run in results["runs"]:
        angles = list(run["rotated"])
        run["rotated"] = dict(zip(angles, reversed(run["rotated"].values()), strict=True))
