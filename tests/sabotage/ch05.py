"""Ways to spoil chapter 05's stored results. Each changes them in place."""

import copy


def conventions_swapped(results):
    results["concise"], results["own size"] = results["own size"], results["concise"]


def one_seed_repeated(results):
    results["concise"] = [copy.deepcopy(results["concise"][0]) for _ in results["concise"]]


def dropout_taken_out_of_the_concise_net(results):
    results["concise"] = results["control"]


def dropout_taken_out_of_the_scratch_net(results):
    results["scratch"] = results["control"]


def ours_lifted_to_the_page(results):
    for kind in ("scratch", "concise"):
        for log in results[kind]:
            log["test_acc"] = [value + 0.0084 for value in log["test_acc"]]


def no_difference_by_the_last_batch(results):
    results["own size"] = results["concise"]


def epochs_turned_round(results):
    for kind in ("scratch", "concise", "control", "own size"):
        for log in results[kind]:
            for key in ("loss", "train_acc", "test_acc"):
                log[key] = log[key][::-1]


def p_and_q_swapped(results):
    results["kept"] = [1 - share for share in results["kept"]]
