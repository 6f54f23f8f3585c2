"""Ways to spoil chapter 01's results, each of which its claims must notice."""


def swap(part, one, other):
    def sabotage(results):
        results[part][one], results[part][other] = results[part][other], results[part][one]

    return sabotage


def dropout_removed(results):
    results["diary"]["0.5"] = results["diary"]["0.0"]


def one_seed_repeated(results):
    results["diary"]["0.5"] = results["diary"]["0.5"][:1] * 10


def epochs_in_reverse(results):
    for draws in results["diary"].values():
        for rows in draws:
            rows.reverse()


def new_images_for_old(results):
    for draws in results["noise"].values():
        for rows in draws:
            for row in rows:
                row.reverse()


def never_by_heart(results):
    for rows in results["noise"]["0.0"]:
        rows[-1][0] = 0.99


def piles_swapped(results):
    for rows in results["linear"].values():
        for row in rows:
            row[0], row[1] = row[1], row[0]


SABOTAGES = {
    "arms swapped": swap("diary", "0.0", "0.5"),
    "dropout removed": dropout_removed,
    "one seed repeated": one_seed_repeated,
    "epochs in reverse": epochs_in_reverse,
    "p = 0 for p = 0.8": swap("noise", "0.0", "0.8"),
    "new images for old": new_images_for_old,
    "never by heart": never_by_heart,
    "sizes permuted": swap("sizes", "200", "1600"),
    "linear model: piles swapped": piles_swapped,
    "linear model: rows permuted": swap("linear", "785", "12560"),
}
