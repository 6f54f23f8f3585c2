"""Ways to spoil chapter 01's results, each of which its claims must notice."""


def _swap(part, one, other):
    part[one], part[other] = part[other], part[one]


def arms_swapped(results):
    _swap(results["diary"], "0.0", "0.5")


def dropout_removed(results):
    results["diary"]["0.5"] = results["diary"]["0.0"]


def one_seed_repeated(results):
    results["diary"]["0.5"] = results["diary"]["0.5"][:1] * 10


def epochs_in_reverse(results):
    for draws in results["diary"].values():
        for rows in draws:
            rows.reverse()


def training_pile_for_test_pile(results):
    for draws in results["diary"].values():
        for rows in draws:
            for row in rows:
                row[2:5], row[8:11] = row[8:11], row[2:5]


def validation_stands_still(results):
    for rows in results["diary"]["0.0"]:
        for row in rows:
            row[5:8] = rows[0][5:8]


def p_and_q_swapped(results):
    noise = results["noise"]
    noise["0.0"], noise["0.8"] = noise["0.8"], noise["0.0"]


def dropout_left_on(results):
    for rows in results["noise"]["0.5"]:
        for row in rows:
            row[0] = row[1]


def new_images_for_old(results):
    for draws in results["noise"].values():
        for rows in draws:
            for row in rows:
                row.reverse()


def never_by_heart(results):
    for rows in results["noise"]["0.0"]:
        rows[-1][0] = 0.99


def new_images_above_chance(results):
    for rows in results["noise"]["0.0"]:
        rows[-1][2] += 0.03


def sizes_permuted(results):
    _swap(results["sizes"], "200", "12800")


def budgets_swapped(results):
    for draws in results["sizes"].values():
        for draw in draws:
            _swap(draw, "equal", "end")


def linear_piles_swapped(results):
    for rows in results["linear"].values():
        for row in rows:
            _swap(row, 0, 1)


def linear_rows_permuted(results):
    _swap(results["linear"], "785", "12560")


def no_gap_at_16_times(results):
    for row in results["linear"]["12560"]:
        row[0] = row[1]


def no_gap_at_64_times(results):
    for row in results["linear"]["50240"]:
        row[0] = row[1]


def one_draw_of_noise_repeated(results):
    results["noise"]["0.5"] = results["noise"]["0.5"][:1] * 10


def new_images_above_chance_with_dropout(results):
    for rows in results["noise"]["0.8"]:
        rows[-1][2] += 0.01


def one_draw_of_sizes_repeated(results):
    results["sizes"]["3200"] = results["sizes"]["3200"][:1] * 10


def one_draw_of_linear_repeated(results):
    results["linear"]["12560"] = results["linear"]["12560"][:1] * 10
