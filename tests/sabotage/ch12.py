"""Ways to spoil the stored results of chapter 12."""

STATES = ("end", "stopped")


def _states(results):
    """What was measured of each draw, at the end of training and early-stopped."""
    for run in results["runs"]:
        yield from (run[state] for state in STATES)


def _tables(results):
    """All dicts that have one entry per method, as it is and + T."""
    for found in _states(results):
        yield found["half"]["scores"]
        for chosen in (found, found["tempered"]):
            yield chosen["scores"]
            yield from chosen["rotated"].values()


def _fallen(results):
    """What methods say of the images on which the passes make a net less sure."""
    for found in _states(results):
        yield found["fallen"]["said"]
        yield found["fallen"]["squares"]


def _small(results):
    return [run for run in results["runs"] if run["num_train"] == 2_000]


def _swap(table, one, other):
    table[one], table[other] = table[other], table[one]


def monte_carlo_and_weight_scaling_swapped(results):
    for table in _tables(results):
        for t in ("", " + T"):
            _swap(table, f"Monte Carlo{t}", f"weight scaling{t}")
    for table in _fallen(results):
        _swap(table, "Monte Carlo", "weight scaling")


def dropout_left_off(results):
    for table in _tables(results):
        for t in ("", " + T"):
            table[f"Monte Carlo{t}"] = table[f"weight scaling{t}"]
    for table in _fallen(results):
        table["Monte Carlo"] = table["weight scaling"]


def with_and_without_temperature_swapped(results):
    for table in _tables(results):
        for name in ("Monte Carlo", "weight scaling"):
            _swap(table, name, f"{name} + T")


def small_and_large_data_swapped(results):
    for run in results["runs"]:
        run["num_train"] = {2_000: 20_000, 20_000: 2_000}[run["num_train"]]


def end_and_stopped_swapped(results):
    for run in results["runs"]:
        _swap(run, *STATES)


def p_not_chosen(results):
    for found in _states(results):
        found["scores"] = found["tempered"]["scores"] = found["half"]["scores"]


def p_chosen_before_the_temperature(results):
    for found in _states(results):
        found["tempered"] = {name: found[name] for name in found["tempered"]}


def one_draw_repeated(results):
    first = {run["num_train"]: run for run in reversed(results["runs"])}
    results["runs"] = [{**first[run["num_train"]], "seed": run["seed"]} for run in results["runs"]]


def pairs_broken(results):
    """Monte Carlo's scores come from the draw before."""
    small = _small(results)
    before = [[run[state]["scores"]["Monte Carlo"] for state in STATES] for run in [small[-1], *small[:-1]]]
    for run, scores in zip(small, before, strict=True):
        for state, score in zip(STATES, scores, strict=True):
            run[state]["scores"]["Monte Carlo"] = score


def angles_reversed(results):
    for found in _states(results):
        for chosen in (found, found["tempered"]):
            turned = chosen["rotated"]
            chosen["rotated"] = dict(zip(turned, reversed(turned.values()), strict=True))


def digits_and_noise_swapped(results):
    for found in _states(results):
        _swap(found["strangers"], "digits", "noise")


def held_out_clothes_are_digits(results):
    for near, run in zip(results["near"], _small(results), strict=True):
        near.update(run["stopped"]["strangers"]["digits"])


def known_taken_for_strange(results):
    for found in _states(results):
        for table in (found["errors"], *found["strangers"].values()):
            table.update({name: 1 - value for name, value in table.items()})


def right_counted_as_wrong(results):
    for found in _states(results):
        found["fallen"]["right"] = found["fallen"]["images"] - found["fallen"]["right"]
