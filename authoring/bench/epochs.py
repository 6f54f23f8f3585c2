"""Seconds per epoch of one net in four frameworks, as ratios, measured in one run.

    python3 course.py bench

The net is 784-256-256-10 with dropout 0.2 and 0.5, batch 256, on the 60,000 images of Fashion-MNIST.
After it come 100 Monte Carlo passes of that net over the 10,000 test images (authoring/bench/monte_carlo.py).
All that is compared runs in this one process, in turn, several times over. A ratio is taken within
each round, so that a machine that slows down slows both sides. CPU time counts every thread.
"""

import argparse
import sys

import numpy as np
from PIL import Image
from threadpoolctl import threadpool_info, threadpool_limits

from authoring.bench import monte_carlo
from authoring.bench.trainers import TRAINERS, torch_trainer
from utils import parity
from utils.data import load_fashion_mnist
from utils.frameworks import absence, load_keras, load_mxnet
from utils.measured import seconds_in_turns, time_ratio
from utils.scratch import init_normal

BATCH_SIZE, LR, DROP_PROBS = 256, 0.5, (0.2, 0.5)
# (title, numerator, denominator, target): a ratio of at most the target is wanted, None is for information.
RATIOS = (
    ("NumPy epoch / PyTorch in memory", "NumPy", "PyTorch", "<=", 0.70),
    ("matrix products alone / NumPy epoch", "matrix products", "NumPy", ">=", 0.65),
    ("PyTorch, DataLoader item by item / memory", "PyTorch DataLoader", "PyTorch", None, None),
    ("Keras / PyTorch in memory", "Keras", "PyTorch", None, None),
    ("Gluon / PyTorch in memory", "Gluon", "PyTorch", None, None),
)


def matrix_products(params, n, batch_size):
    """An `epoch()` of the products that training cannot avoid, and of nothing else.

    Three forward, three for the gradients of the weights, two for those of the hidden layers, with
    inputs of the right shapes and results written into arrays that are there already.
    """
    rng = np.random.default_rng(0)

    def buffers(size):
        widths = [params[0][0].shape[0], *(W.shape[1] for W, _ in params)]
        h = [rng.random((size, width), dtype=np.float32) for width in widths]
        weights = [W.copy() for W, _ in params]
        return [
            *((h[i], W, np.empty_like(h[i + 1])) for i, W in enumerate(weights)),
            *((h[i].T, h[i + 1], np.empty_like(W)) for i, W in enumerate(weights)),
            *((h[i + 1], W.T, np.empty_like(h[i])) for i, W in enumerate(weights) if i),
        ]

    steps = [buffers(batch_size)] * (n // batch_size)
    if n % batch_size:
        steps.append(buffers(n % batch_size))

    def epoch():
        for products in steps:
            for a, b, out in products:
                np.matmul(a, b, out=out)

    return epoch


class ImageItems:
    """What most scripts train from: a dataset that makes one picture a tensor at a time.

    As in torchvision, the bytes become a PIL image, and that becomes a float tensor in [0, 1].
    """

    def __init__(self, x, y):
        self.images = np.rint(x * 255).astype(np.uint8).reshape(-1, 28, 28)
        self.labels = y.tolist()

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        import torch

        picture = np.array(Image.fromarray(self.images[index]))
        return torch.from_numpy(picture).float().div(255).flatten(), self.labels[index]


def make_epochs(x, y):
    """The contestants that can run here: {name: epoch function}."""
    params = init_normal(parity.SIZES, np.random.default_rng(0))
    arguments = params, DROP_PROBS, x, y, BATCH_SIZE, LR, 0
    names = parity.present()
    epochs = {name: TRAINERS[name](*arguments) for name in names}
    epochs["matrix products"] = matrix_products(params, len(y), BATCH_SIZE)
    if "PyTorch" in names:
        import torch

        loader = torch.utils.data.DataLoader(ImageItems(x, y), batch_size=BATCH_SIZE, shuffle=True)
        epochs["PyTorch DataLoader"] = torch_trainer(*arguments, batches=loader)
    return epochs


def set_threads(num_threads):
    """Give every library here `num_threads` threads. Call it before any of them computes."""
    names = parity.present()
    if "Gluon" in names:
        load_mxnet()
    if "PyTorch" in names:
        import torch

        torch.set_num_threads(num_threads)
    if "Keras" in names and load_keras().backend.backend() == "tensorflow":
        import tensorflow

        tensorflow.config.threading.set_intra_op_parallelism_threads(num_threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(num_threads)
    threadpool_limits(num_threads)


def thread_counts():
    """Threads per library, as the libraries themselves report them: {name: count}."""
    counts = {}
    for pool in threadpool_info():
        counts.setdefault(pool["internal_api"], set()).add(pool["num_threads"])
    names = parity.present()
    if "PyTorch" in names:
        import torch

        counts["PyTorch"] = {torch.get_num_threads()}
    if "Keras" in names and load_keras().backend.backend() == "tensorflow":
        from tensorflow.config import threading

        counts["TensorFlow"] = {
            threading.get_intra_op_parallelism_threads(),
            threading.get_inter_op_parallelism_threads(),
        }
    return counts


def report(seconds, what="one epoch", ratios=RATIOS):
    """Print the medians of all contestants and the ratios that can be formed, with their targets."""
    rounds = len(next(iter(seconds.values())))
    print(f"{f'{what}, median of {rounds}':<42}{'CPU s':>8}{'wall s':>8}")
    for name, values in seconds.items():
        cpu, wall = np.median(values, axis=0)
        print(f"{name:<42}{cpu:8.2f}{wall:8.2f}")
    print(f"\n{'ratio, median (lowest-highest)':<42}{'CPU':>8}{'range':>14}{'wall':>8}  target (CPU)")
    for title, numerator, denominator, sign, target in ratios:
        if numerator in seconds and denominator in seconds:
            cpu, low, high = time_ratio(seconds, numerator, denominator)
            wall, _, _ = time_ratio(seconds, numerator, denominator, clock="wall")
            wanted = ""
            if sign:
                met = cpu <= target if sign == "<=" else cpu >= target
                wanted = f"{sign} {target:.2f}: {'met' if met else 'missed'}"
            print(f"{title:<42}{cpu:8.2f}{f'{low:.2f}-{high:.2f}':>14}{wall:8.2f}  {wanted}".rstrip())


def main(argv):
    parser = argparse.ArgumentParser(prog="course.py bench", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="measured rounds after the warm-up")
    parser.add_argument("--threads", type=int, default=1, help="threads of each library")
    options = parser.parse_args(argv)

    set_threads(options.threads)
    data = load_fashion_mnist()
    x, y = data.x_train.reshape(-1, parity.SIZES[0]), data.y_train
    seconds = seconds_in_turns(make_epochs(x, y), options.rounds)
    counts = (f"{name} {'/'.join(map(str, count))}" for name, count in thread_counts().items())
    print("Threads: " + ", ".join(counts))
    for name, package in parity.PACKAGES.items():
        if name not in parity.present():
            print(absence(package))
    print()
    report(seconds)
    samplers = monte_carlo.make_samplers(data.x_test.reshape(-1, parity.SIZES[0]))
    if samplers:
        print()
        what = f"{monte_carlo.NUM_SAMPLES} Monte Carlo passes"
        report(seconds_in_turns(samplers, min(options.rounds, 3)), what, monte_carlo.RATIOS)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
