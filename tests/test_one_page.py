"""The code of notebooks/dropout_on_one_page.md does what utils.conformance asks of a dropout."""

import re
from pathlib import Path

import numpy as np
import pytest

from utils import conformance
from utils.conformance import DropoutLayer, failed_checks
from utils.frameworks import load_keras, load_mxnet

PAGE = Path(__file__).resolve().parent.parent / "notebooks/dropout_on_one_page.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
NUMPY, TORCH, KERAS, GLUON = BLOCKS


@pytest.fixture(autouse=True)
def few_calls(monkeypatch):
    """The checks' tolerances follow from the number of calls, and all look at the same calls."""
    drawn, draw = {}, conformance.draw_outputs

    def draw_once(layer, x, seed):
        if (layer, seed) not in drawn:
            drawn[layer, seed] = draw(layer, x, seed)
        return drawn[layer, seed]

    monkeypatch.setattr(conformance, "NUM_CALLS", 200)
    monkeypatch.setattr(conformance, "draw_outputs", draw_once)


def run(block, to_numpy, set_seed):
    """A framework's block as a DropoutLayer."""
    code = compile(block, PAGE.name, "exec")

    def results(x, drop_prob, grad):
        names = {"x": x, "drop_prob": drop_prob, "grad": grad}
        exec(code, names)
        return tuple(to_numpy(names[name]) for name in ("train_output", "x_grad", "eval_output"))

    def forward(x, drop_prob, rng):
        seed = int(rng.integers(2**31))
        set_seed(seed)
        return results(x, drop_prob, np.ones_like(x))[0], (x, drop_prob, seed)

    def backward(grad, cache):
        x, drop_prob, seed = cache
        set_seed(seed)
        return results(x, drop_prob, grad)[1]

    return DropoutLayer(forward, backward, lambda x, drop_prob: results(x, drop_prob, np.ones_like(x))[2])


def test_dropout_in_numpy_is_twelve_lines_and_right():
    assert len([line for line in NUMPY.splitlines() if line]) <= 12
    names = {}
    exec(NUMPY, names)
    assert failed_checks(DropoutLayer(names["forward"], names["backward"], names["evaluate"])) == []


def test_the_block_of_pytorch(require):
    require("torch")
    import torch

    assert failed_checks(run(TORCH, lambda tensor: tensor.detach().numpy(), torch.manual_seed)) == []


def test_the_block_of_keras(require):
    require("keras", "tensorflow")
    seed = load_keras().utils.set_random_seed
    assert failed_checks(run(KERAS, lambda tensor: tensor.numpy(), seed)) == []


def test_the_block_of_gluon_is_right_but_at_p_1(require):
    require("mxnet")
    mx = load_mxnet()
    assert failed_checks(run(GLUON, lambda array: array.asnumpy(), mx.random.seed)) == ["ends"]
