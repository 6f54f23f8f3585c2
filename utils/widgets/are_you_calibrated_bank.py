"""The images and the nets' answers behind Are you calibrated?"""

import numpy as np

from utils import metrics
from utils.widgets.are_you_calibrated import BINS, IMAGES, TEMPERATURES, binned, tempered

DRAW, OTHER_DRAW = 0, 1
EPOCHS, BATCH, LR, PASSES, HARDEST = 100, 200, 2e-3, 50, 500


def train(drop_prob, draw):
    """(images of this draw, a 784-128-128-10 net trained on 2,000 of them to the end)."""
    import torch

    from utils.torch_training import fit, load_tensors, make_mlp

    images = load_tensors("fashion_mnist", num_train=2_000, num_val=1_000, seed=draw)
    net = make_mlp((784, 128, 128, 10), (drop_prob, drop_prob), seed=draw)
    optimizer = torch.optim.Adam(net.parameters(), lr=LR)
    settings = {"num_epochs": EPOCHS, "batch_size": BATCH, "optimizer": optimizer, "seed": draw}
    fit(net, images["x_train"], images["y_train"], **settings)
    return images, net


def one_pass(net, x):
    """ln of the probabilities of one pass without dropout: float64 (n, 10)."""
    from utils.torch_training import predict

    return logs(predict(net, x))


def many_passes(net, x):
    """ln of the mean probabilities of 50 Monte Carlo passes: float64 (n, 10)."""
    from utils.monte_carlo import predict_mc

    return logs(predict_mc(net, x, num_samples=PASSES, seed=0).mean(axis=0))


def logs(probs):
    return np.log(np.maximum(probs.astype(np.float64), 1e-30))


def build():
    """The arrays of data/bank_calibration.npz: half a minute.

    The nets are those of chapter 12's corner: draw 0, p = 0 and p = .5, the end of training. The images are
    hard by the word of another net, so that the two on show are not chosen for their errors: 20 at random of
    the 500 test images with the highest entropy of 50 passes of a net with p = .5 from draw 1.

    Returns
    -------
    dict of index (20,): places in the test set; images uint8 (20, 784); truth (20,);
        no_dropout, monte_carlo float32 (20, 10): ln of the probabilities of one pass without dropout, and of
        the mean of 50 passes of the net with dropout; temperature: of the net without dropout, by validation;
        count, said, right (temperatures, 15): of all 10,000 test images per bin of confidence, at each
        temperature; nll, ece (temperatures,)
    """
    images, other = train(0.5, OTHER_DRAW)
    doubt = metrics.entropy(np.exp(many_passes(other, images["x_test"])))
    hardest = np.argsort(-doubt, kind="stable")[:HARDEST]
    index = np.sort(np.random.default_rng(0).choice(hardest, IMAGES, replace=False))
    images, plain = train(0.0, DRAW)
    _, dropout = train(0.5, DRAW)
    y_val, y = (images[f"y_{part}"].numpy() for part in ("val", "test"))
    val, test = (one_pass(plain, images[f"x_{part}"]) for part in ("val", "test"))
    hard = images["x_test"][index]
    at_each = [np.exp(tempered(test, t)) for t in TEMPERATURES]
    bins = np.array([binned(probs.max(axis=1), probs.argmax(axis=1) == y, BINS) for probs in at_each])
    fine = 1 / np.arange(0.1, 3.005, 0.01)
    return {
        "index": index,
        "images": np.round(255 * hard.numpy()).astype(np.uint8),
        "truth": y[index].astype(np.uint8),
        "no_dropout": one_pass(plain, hard).astype(np.float32),
        "monte_carlo": many_passes(dropout, hard).astype(np.float32),
        "temperature": np.array(min(fine, key=lambda t: metrics.nll(np.exp(tempered(val, t)), y_val))),
        "count": bins[:, 0].astype(np.uint16),
        "said": bins[:, 1].astype(np.float32),
        "right": bins[:, 2].astype(np.float32),
        "nll": np.array([metrics.nll(probs, y) for probs in at_each], np.float32),
        "ece": np.array([metrics.ece(probs, y) for probs in at_each], np.float32),
    }
