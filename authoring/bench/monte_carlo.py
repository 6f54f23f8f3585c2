"""Monte Carlo passes of one net: stacked Keras calls, the plain PyTorch loop, and `predict_mc`.

`python3 course.py bench` prints this after the epochs.
"""

import numpy as np

from utils import parity
from utils.frameworks import load_keras
from utils.scratch import init_he

NUM_SAMPLES = 100
# As in authoring.bench.epochs: title, numerator, denominator, sign, target.
RATIOS = (
    ("stacked Keras calls / predict_mc", "Keras, stacked", "predict_mc", ">=", 4.0),
    ("plain PyTorch loop / predict_mc", "PyTorch, loop", "predict_mc", None, None),
)


def make_samplers(x, num_samples=NUM_SAMPLES, drop_prob=0.5):
    """{name: function that draws `num_samples` passes over x, float32 (n, 784)}, same weights in all."""
    params = init_he(parity.SIZES, np.random.default_rng(0))
    drop_probs = (drop_prob, drop_prob)
    samplers = {}
    if "Keras" in parity.present():
        ops, keras_net = load_keras().ops, parity.keras_net(params, drop_probs)

        def stack_keras():
            logits = (keras_net(x, training=True) for _ in range(num_samples))
            return np.stack([ops.convert_to_numpy(ops.softmax(z)) for z in logits])

        samplers["Keras, stacked"] = stack_keras
    if "PyTorch" in parity.present():
        import torch

        from utils.monte_carlo import predict_mc

        net, images = parity.torch_net(params, drop_probs).train(), torch.from_numpy(x)

        @torch.inference_mode()
        def loop_torch():
            return np.stack([net(images).softmax(dim=1).numpy() for _ in range(num_samples)])

        samplers["PyTorch, loop"] = loop_torch
        samplers["predict_mc"] = lambda: predict_mc(net, images, num_samples=num_samples, seed=0)
    return samplers
