"""Ways to spoil chapter 06's stored results. Each changes them in place."""


def factors_forgotten_in_gluon(results):
    results["largest"]["float64"]["Gluon"] = [0.6, 0.3]


def one_gradient_off(results):
    results["largest"]["float32"]["PyTorch"][1] = 1e-3


def float64_shown_as_float32(results):
    results["largest"]["float32"] = results["largest"]["float64"]


def float32_shown_as_float64(results):
    results["largest"]["float64"] = results["largest"]["float32"]


def one_is_zeros_everywhere(results):
    results["edges"]["p = 1.0"] = dict.fromkeys(results["edges"]["p = 1.0"], "zeros")


def p_and_q_swapped(results):
    edges = results["edges"]
    edges["p = 0.0"], edges["p = 1.0"] = edges["p = 1.0"], edges["p = 0.0"]


def training_and_prediction_swapped(results):
    edges = results["edges"]
    edges["p = 1.0"], edges["p = 1.0, prediction"] = edges["p = 1.0, prediction"], edges["p = 1.0"]


def layers_out_of_order(results):
    for case, row in results["edges"].items():
        values = list(row.values())
        results["edges"][case] = dict(zip(row, values[1:] + values[:1], strict=True))


def wrong_rates_refused_by_gluon(results):
    results["edges"]["p = -0.1"]["Gluon"] = "MXNetError"


def no_grad_switches_off(results):
    results["modes"]["PyTorch"]["new, in no_grad()"] = "does nothing"


def keras_on_by_default(results):
    results["modes"]["Keras"]["layer(x)"] = "drops"


def modes_turned_round(results):
    turn = {"drops": "does nothing", "does nothing": "drops"}
    for name, calls in results["modes"].items():
        results["modes"][name] = {call: turn[found] for call, found in calls.items()}


def dropout_taken_out(results):
    for name, calls in results["modes"].items():
        results["modes"][name] = dict.fromkeys(calls, "does nothing")


def asked_for_and_off(results):
    results["modes"]["Keras"]["layer(x, training=True)"] = "does nothing"
    results["modes"]["Gluon"]["in record()"] = "does nothing"
