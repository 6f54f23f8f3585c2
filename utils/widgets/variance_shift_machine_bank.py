"""The images behind the Variance Shift Machine, as the hidden units of a trained net see them."""

import numpy as np

from utils import metrics, scratch
from utils.data import load_fashion_mnist

NUM_TRAIN, NUM_SHOWN, WIDTH, KEPT, EPOCHS, BATCH, LR, SEED = 10_000, 400, 32, 24, 2, 50, 0.1, 0


def build():
    """The arrays of data/bank_shift.npz: a 784-32-10 net after two epochs on Fashion-MNIST; seconds.

    Returns
    -------
    dict of
        hidden : float16 (800, 24), ReLU activations for 400 training images, then for 400 test images, of the
            units that vary most (some of the 32 are silent for nearly all images)
        labels : uint8 (800,), their classes
        test_accuracy : float32, of the whole net over all 10,000 test images
    """
    images = load_fashion_mnist(num_train=NUM_TRAIN, seed=SEED)
    # float64, so that other machines' order of summation does not show in the stored numbers
    x_train, x_test = (x.reshape(len(x), -1).astype(np.float64) for x in (images.x_train, images.x_test))
    rng = np.random.default_rng(SEED)
    params = scratch.init_he((784, WIDTH, 10), rng, np.float64)
    for _ in range(EPOCHS):
        scratch.train_epoch(params, x_train, images.y_train, (0,), BATCH, LR, rng)
    shown = np.concatenate([x_train[:NUM_SHOWN], x_test[:NUM_SHOWN]])
    labels = np.concatenate([images.y_train[:NUM_SHOWN], images.y_test[:NUM_SHOWN]])
    hidden = scratch.hidden_layer(shown, *params[0])
    most = np.sort(np.argsort(hidden[:NUM_SHOWN].var(axis=0))[-KEPT:])
    probs = metrics.softmax(scratch.forward_eval(params, x_test))
    return {
        "hidden": hidden[:, most].astype(np.float16),
        "labels": labels.astype(np.uint8),
        "test_accuracy": np.float32(metrics.accuracy(probs, images.y_test)),
    }
