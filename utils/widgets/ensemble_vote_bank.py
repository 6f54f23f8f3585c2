"""The nets behind the Ensemble Vote."""

import numpy as np

from utils import scratch
from utils.widgets.ensemble_vote import CASES, MOST_UNITS

INNER = 8
NUM_TRAIN, TRAIN_P, EPOCHS, BATCH, LR = 400, 0.5, 15, 40, 0.2


def build():
    """The arrays of data/bank_vote.npz: nets that tell malignant from benign tumours, seconds.

    The data are scikit-learn's breast cancer set (Wolberg, Street & Mangasarian 1995), standardised. For each
    number of hidden units n there are two nets, 30-n-2 ("softmax", read before the softmax: "linear") and
    30-n-8-2 ("relu"), trained with dropout 0.5 on the n units. Training scales the kept units up; here the
    weights behind the dropout take that factor instead, so that a subnetwork needs no scaling at any p.
    Numbers are rounded to four digits, so that a stored page stays small.

    Returns
    -------
    dict of, for each kind and n, KIND_N_hidden (10, n): activations of the n units for ten cases,
        KIND_N_W0, KIND_N_b0, ...: the layers behind them, up to the score = logit(malignant) - logit(benign);
        and malignant : bool (10,), the truth about the ten cases (held out, hard for the nets)
    """
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    order = np.random.default_rng(0).permutation(len(data.data))
    train, held_out = order[:NUM_TRAIN], order[NUM_TRAIN:]
    x = (data.data - data.data[train].mean(axis=0)) / data.data[train].std(axis=0)
    y = 1 - data.target  # scikit-learn's 0 is malignant
    nets = {}
    for n in range(1, MOST_UNITS + 1):
        for kind, sizes in {"softmax": (30, n, 2), "relu": (30, n, INNER, 2)}.items():
            nets[f"{kind}_{n}"] = _train(sizes, x[train], y[train])
    # Where few units fire, most subnetworks are the same: take cases in which at least half of them do.
    (W, b), _ = widest = nets[f"softmax_{MOST_UNITS}"]
    held_out = held_out[(x[held_out] @ W + b > 0).sum(axis=1) >= MOST_UNITS // 2]
    logits = scratch.forward_eval(widest, x[held_out])
    hardest = np.argsort(np.abs(logits[:, 1] - logits[:, 0]))[:CASES]
    cases = held_out[np.sort(hardest)]
    arrays = {"malignant": y[cases].astype(bool)}
    for name, params in nets.items():
        arrays |= {f"{name}_{part}": array for part, array in _scaled(params, x[cases]).items()}
    return arrays


def _train(sizes, x, y):
    rng = np.random.default_rng(sizes[1])
    params = scratch.init_he(sizes, rng, np.float64)
    drop_probs = (TRAIN_P, *[0.0] * (len(sizes) - 3))
    for _ in range(EPOCHS):
        scratch.train_epoch(params, x, y, drop_probs, BATCH, LR, rng)
    return params


def _scaled(params, x):
    """Hidden activations and the layers behind them, which take over the factor of the kept units."""
    (W, b), *behind = params
    layers = [[W.copy(), b] for W, b in behind]
    layers[0][0] /= 1 - TRAIN_P
    W_out, b_out = layers[-1]
    layers[-1] = [W_out[:, 1:] - W_out[:, :1], b_out[1:] - b_out[:1]]
    arrays = {"hidden": np.maximum(x @ W + b, 0).round(4)}
    for k, (W, b) in enumerate(layers):
        arrays |= {f"W{k}": W.round(4), f"b{k}": b.round(4)}
    return arrays
