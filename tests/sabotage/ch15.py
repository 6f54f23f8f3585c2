"""Ways to spoil chapter 15's stored results. Each changes them in place."""

LENGTHS = (770_000, 100_000, 25_000, 5_000)
PLACES = ("attention", "residual", "embedding")


def _swap(rows, one, other):
    rows[one], rows[other] = rows[other], rows[one]


def p_swapped_everywhere(results):
    for length in LENGTHS:
        _swap(results["arms"], f"{length}, p = 0.0", f"{length}, p = 0.2")


def p_swapped_at_one_pass(results):
    _swap(results["arms"], "770000, p = 0.0", "770000, p = 0.2")


def p_swapped_at_many_passes(results):
    _swap(results["arms"], "5000, p = 0.0", "5000, p = 0.2")


def dropout_removed(results):
    for length in LENGTHS:
        results["arms"][f"{length}, p = 0.2"] = results["arms"][f"{length}, p = 0.0"]


def lengths_swapped(results):
    for p in (0.0, 0.2):
        _swap(results["arms"], f"770000, p = {p}", f"5000, p = {p}")


def the_middle_lengths_saw_little_text(results):
    for p in (0.0, 0.2):
        results["arms"][f"25000, p = {p}"] = results["arms"][f"5000, p = {p}"]


def one_draw_repeated(results):
    for part in ("arms", "tuned"):
        for name, rows in results[part].items():
            results[part][name] = [rows[0]] * len(rows)


def trained_to_the_first_look_only(results):
    for rows in results["arms"].values():
        for row in rows:
            for name in ("train", "val", "test"):
                row[name] = row[name][:1] * len(row[name])


def validation_chose_the_worst_look(results):
    for rows in results["arms"].values():
        for row in rows:
            row["val"] = [-value for value in row["val"]]


def places_had_no_dropout(results):
    for place in PLACES:
        results["arms"][f"{place} alone"] = results["arms"]["5000, p = 0.0"]


def places_had_dropout_everywhere(results):
    for place in PLACES:
        results["arms"][f"{place} alone"] = results["arms"]["5000, p = 0.2"]


def nothing_is_known_by_heart(results):
    for row in results["arms"]["5000, p = 0.0"]:
        row["copied"] = 10


def fine_tuning_p_swapped(results):
    for way in ("full", "LoRA"):
        _swap(results["tuned"], f"{way}, p = 0.0", f"{way}, p = 0.1")


def full_and_lora_swapped(results):
    for p in (0.0, 0.1, 0.3):
        _swap(results["tuned"], f"full, p = {p}", f"LoRA, p = {p}")


def fine_tuning_dropped_nothing(results):
    for way in ("full", "LoRA"):
        for p in (0.1, 0.3):
            results["tuned"][f"{way}, p = {p}"] = results["tuned"][f"{way}, p = 0.0"]
