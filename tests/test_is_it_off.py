"""The code of notebooks/is_it_off.md is chapter 16's, and sees dropout in three frameworks."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest

from utils.frameworks import load_keras, load_mxnet

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
PAGE = (NOTEBOOKS / "is_it_off.md").read_text(encoding="utf-8")
FUNCTION, TORCH, KERAS, GLUON = re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)
OFF, ON = re.findall(r"`(assert .*?)`", PAGE)
EVERY = ["generator", "passes", "order", "company"]


def pasted(block, net):
    """What the page's code defines, below this net."""
    names = {"net": net, "x": np.random.default_rng(0).standard_normal((8, 20), np.float32)}
    exec(compile(FUNCTION + block, "is_it_off.md", "exec"), names)
    return names


def signs(block, net):
    names = pasted(block, net)
    return names["dropout_signs"](names["predict"], names["draws"], names["x"])


def test_the_function_is_the_chapters_word_for_word():
    cells = nbformat.read(NOTEBOOKS / "16_is_it_off.ipynb", 4).cells
    (source,) = (cell.source for cell in cells if "def dropout_signs" in cell.source)
    assert source in FUNCTION


def says(assertion, names):
    """Whether the assertion holds."""
    try:
        exec(assertion, names)
    except AssertionError:
        return False
    return True


def torch_net(layer):
    from torch import nn

    return nn.Sequential(nn.Linear(20, 64), nn.ReLU(), layer, nn.Linear(64, 5))


def test_pytorch(require):
    require("torch")
    import torch
    from torch import nn

    class Reseeding(nn.Module):
        def forward(self, h):
            torch.manual_seed(1)
            return h * (torch.rand(64) >= 0.3)

    net = torch_net(nn.Dropout(0.3))
    assert signs(TORCH, net) == EVERY and net.training
    assert signs(TORCH, net.eval()) == []
    seeding = torch_net(Reseeding())
    seeding(torch.ones(2, 20))  # the generator stands where this net leaves it
    assert signs(TORCH, seeding) == ["generator"]
    statistics = nn.BatchNorm1d(64, track_running_stats=False)
    assert signs(TORCH, torch_net(statistics).eval()) == ["company"]


def test_the_two_assertions_say_when_it_is_off_and_on(require):
    require("torch")
    from torch import nn

    for training, right, wrong in ((False, OFF, ON), (True, ON, OFF)):
        names = pasted(TORCH, torch_net(nn.Dropout(0.3)).train(training))
        exec(right, names)
        with pytest.raises(AssertionError):
            exec(wrong, names)


def test_keras(require):
    require("keras", "tensorflow")
    layers = load_keras().layers

    class AlwaysOn(layers.Dropout):
        def call(self, inputs, training=None):
            return super().call(inputs, training=True)

    for layer, right in ((layers.Dropout(0.3), []), (AlwaysOn(0.3), EVERY)):
        net = load_keras().Sequential([layers.Dense(64, activation="relu"), layer, layers.Dense(5)])
        net.build((None, 20))
        assert signs(KERAS, net) == right


def test_how_the_page_asks_a_keras_net_in_training(require):
    require("keras", "tensorflow")
    keras = load_keras()
    (answer,) = re.findall(r"let `predict` return `(.*?)`", PAGE)
    for drop_prob, is_on in ((0.3, True), (0.0, False)):
        net = keras.Sequential([keras.Input((20,)), keras.layers.Dropout(drop_prob), keras.layers.Dense(5)])
        names = pasted(KERAS, net)
        names["predict"] = eval(f"lambda x: {answer}", names)
        assert says(ON, names) == is_on


def test_gluon(require):
    require("mxnet")
    mx = load_mxnet()

    def always(h):
        return mx.nd.Dropout(h, p=0.3, mode="always")

    for layer, right in ((mx.gluon.nn.Dropout(0.3), []), (mx.gluon.nn.Lambda(always), EVERY)):
        net = mx.gluon.nn.Sequential()
        net.add(mx.gluon.nn.Dense(64, activation="relu"), layer, mx.gluon.nn.Dense(5))
        net.initialize()
        assert signs(GLUON, net) == right


def test_how_the_page_asks_a_gluon_net_in_training(require):
    require("mxnet")
    mx = load_mxnet()
    (mode,) = re.findall(r"put the assertion into\s+`(with .*?)`", PAGE)
    for drop_prob, is_on in ((0.3, True), (0.0, False)):
        net = mx.gluon.nn.Sequential()
        net.add(mx.gluon.nn.Dense(64), mx.gluon.nn.Dropout(drop_prob), mx.gluon.nn.Dense(5))
        net.initialize()
        names = pasted(GLUON, net)
        assert says(f"{mode} {ON}", names) == is_on
        assert not says(ON, names)
