"""Ways to spoil chapter 08's stored results. Each changes them in place."""

import copy


def _runs(results):
    return [found for name, runs in results.items() if name != "made" for found in runs.values()]


def dropout_and_none_swapped(results):
    for name in ("base", "noisy digits", "10,000 images"):
        runs = results[name]
        runs["0.0"], runs["0.5"] = runs["0.5"], runs["0.0"]


def dropout_removed(results):
    for name in set(results) - {"made"}:
        results[name]["0.5"] = copy.deepcopy(results[name]["0.0"])


def dropout_removed_from_the_noisy_digits(results):
    runs = results["noisy digits"]
    for p in runs:
        runs[p] = copy.deepcopy(runs["0.0"])


def p_and_q_swapped(results):
    runs = results["noisy digits"]
    runs["0.2"], runs["0.8"] = runs["0.8"], runs["0.2"]


def end_and_stopped_swapped(results):
    for found in _runs(results):
        for key in [key for key in found if key.startswith("end_")]:
            other = key.replace("end_", "stopped_")
            found[key], found[other] = found[other], found[key]


def stopped_at_the_end(results):
    for found in _runs(results):
        for key in [key for key in found if key.startswith("end_")]:
            found[key.replace("end_", "stopped_")] = found[key]


def best_look_is_the_last(results):
    for found in results["10,000 images"].values():
        found["best_update"] = found["last_update"]


def pairs_taken_apart(results):
    for name in ("base", "width 512", "noisy digits"):
        found = results[name]["0.5"]
        for key, runs in found.items():
            found[key] = runs[3:] + runs[:3]


def one_seed_repeated(results):
    for found in _runs(results):
        for key, seeds in found.items():
            found[key] = seeds[:1] * len(seeds)


def widths_swapped(results):
    results["width 16"], results["width 512"] = results["width 512"], results["width 16"]


def numbers_of_images_swapped(results):
    few, many = results["200 images"], results["10,000 images"]
    results["200 images"], results["10,000 images"] = many, few


def clean_and_noisy_labels_swapped(results):
    for p in ("0.0", "0.5"):
        noisy, clean = results["noisy digits"], results["1,000 digits"]
        noisy[p], clean[p] = clean[p], noisy[p]


def no_weight_decay(results):
    for name in ("decay 0.3", "decay 1"):
        results[name] = copy.deepcopy({p: results["base"][p] for p in ("0.0", "0.5")})


def decay_with_and_without_dropout_swapped(results):
    for name in ("decay 0.3", "decay 1"):
        runs = results[name]
        runs["0.0"], runs["0.5"] = runs["0.5"], runs["0.0"]
