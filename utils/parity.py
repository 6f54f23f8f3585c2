"""The same net in NumPy, Keras, PyTorch and Gluon.

The ..._pass functions take weights and dropout factors from outside, and return logits and
gradients; the ..._net functions have the framework's own dropout. Weights travel as NumPy arrays
in the layout of utils.scratch. A framework is imported when one of its functions is called.

Written by chapter 06: change it there, then run `python3 course.py library`.
"""

import numpy as np

from utils import scratch
from utils.frameworks import available, load_keras, load_mxnet

# --- built in chapter 06, section 1. The same weights, the same masks ---


SIZES = (784, 256, 256, 10)
PACKAGES = {"NumPy": "numpy", "Keras": "keras", "PyTorch": "torch", "Gluon": "mxnet"}


def present():
    """Names of the frameworks that can be imported here, NumPy first."""
    return [name for name, package in PACKAGES.items() if available(package)]


def make_problem(batch_size, drop_probs, seed, dtype=np.float32):
    """Weights, factors and a batch from one seed: (params, factors, x, y).

    params: He's start, [W (n_in, n_out), b (n_out,)] per layer. factors: 0 or
    1 / (1 - p), (batch_size, units) per hidden layer. x in [0, 1), y classes.
    """
    rng = np.random.default_rng(seed)
    params = scratch.init_he(SIZES, rng, dtype)
    layers = zip(SIZES[1:-1], drop_probs, strict=True)
    factors = [scratch.dropout_factor((batch_size, n), p, rng, dtype) for n, p in layers]
    x = rng.random((batch_size, SIZES[0])).astype(dtype)
    return params, factors, x, rng.integers(SIZES[-1], size=batch_size)


def numpy_pass(params, factors, x, y):
    """(logits (n, classes), gradients in the layout of params), with given factors."""
    h, factor, cache = x, None, []
    for (W, b), next_factor in zip(params[:-1], factors, strict=True):
        cache.append((h, factor))
        h, factor = np.maximum(h @ W + b, 0) * next_factor, next_factor
    cache.append((h, factor))
    W, b = params[-1]
    logits = h @ W + b
    _, dlogits = scratch.softmax_cross_entropy(logits, y)
    return logits, scratch.backward(params, cache, dlogits)


def torch_layers(params):
    """An nn.Linear for each [W, b]."""
    import torch

    layers = []
    for W, b in params:
        layer = torch.nn.Linear(*W.shape)
        layer.weight = torch.nn.Parameter(torch.tensor(W.T.copy()))
        layer.bias = torch.nn.Parameter(torch.tensor(b))
        layers.append(layer)
    return layers


def torch_pass(params, factors, x, y):
    """numpy_pass in PyTorch."""
    import torch

    layers = torch_layers(params)
    h = torch.from_numpy(x)
    for layer, factor in zip(layers[:-1], factors, strict=True):
        h = layer(h).relu() * torch.from_numpy(factor)
    logits = layers[-1](h)
    torch.nn.functional.cross_entropy(logits, torch.from_numpy(y)).backward()
    grads = [[layer.weight.grad.T.numpy(), layer.bias.grad.numpy()] for layer in layers]
    return logits.detach().numpy(), grads


def gluon_layers(params):
    """A gluon Dense for each [W, b]."""
    mx = load_mxnet()
    layers = []
    for W, b in params:
        layer = mx.gluon.nn.Dense(W.shape[1], in_units=W.shape[0], dtype=str(W.dtype))
        layer.initialize()
        layer.weight.set_data(mx.nd.array(W.T, dtype=W.dtype))
        layer.bias.set_data(mx.nd.array(b, dtype=b.dtype))
        layers.append(layer)
    return layers


def gluon_pass(params, factors, x, y):
    """numpy_pass in Gluon."""
    mx, dtype = load_mxnet(), x.dtype
    layers = gluon_layers(params)
    loss_of = mx.gluon.loss.SoftmaxCrossEntropyLoss()
    with mx.autograd.record():
        h = mx.nd.array(x, dtype=dtype)
        for layer, factor in zip(layers[:-1], factors, strict=True):
            h = layer(h).relu() * mx.nd.array(factor, dtype=dtype)
        logits = layers[-1](h)
        loss = loss_of(logits, mx.nd.array(y, dtype=dtype)).mean()
    loss.backward()
    grads = [[p.grad().asnumpy().T for p in (d.weight, d.bias)] for d in layers]
    return logits.asnumpy(), grads


def keras_layers(params):
    """A keras Dense for each [W, b]."""
    keras = load_keras()
    layers = []
    for W, b in params:
        layer = keras.layers.Dense(W.shape[1], dtype=str(W.dtype))
        layer.build((None, W.shape[0]))
        layer.set_weights([W, b])
        layers.append(layer)
    return layers


def tensorflow_gradients(run, values):
    """(output, gradients) by the tape; a gradient is None where no path leads to it."""
    from tensorflow import GradientTape

    with GradientTape() as tape:
        loss, output = run()
    return output, tape.gradient(loss, values)


def torch_gradients(run, values):
    """The same by PyTorch's autograd."""
    from torch.autograd import grad

    loss, output = run()
    return output, grad(loss, values, allow_unused=True)


def keras_gradients(run, weights):
    """(output, gradients of the loss at Keras variables), NumPy arrays (or None).

    run() returns (loss, output). NotImplementedError unless Keras runs on TensorFlow
    or PyTorch.
    """
    ops, backend = load_keras().ops, load_keras().backend.backend()
    ways = {"tensorflow": tensorflow_gradients, "torch": torch_gradients}
    if backend not in ways:
        raise NotImplementedError(f"no gradients on the Keras backend {backend!r}")
    output, grads = ways[backend](run, [weight.value for weight in weights])
    grads = [g if g is None else ops.convert_to_numpy(g) for g in grads]
    return ops.convert_to_numpy(output), grads


def keras_pass(params, factors, x, y):
    """numpy_pass in Keras."""
    layers, ops, loss = keras_layers(params), load_keras().ops, load_keras().losses

    def run():
        h = ops.convert_to_tensor(x, dtype=str(x.dtype))
        for layer, factor in zip(layers[:-1], factors, strict=True):
            h = ops.relu(layer(h)) * ops.convert_to_tensor(factor, dtype=str(x.dtype))
        out = layers[-1](h)
        return ops.mean(loss.sparse_categorical_crossentropy(y, out, True)), out

    weights = [weight for layer in layers for weight in (layer.kernel, layer.bias)]
    out, grads = keras_gradients(run, weights)
    return out, [list(pair) for pair in zip(grads[::2], grads[1::2], strict=True)]


PASSES = {"NumPy": numpy_pass, "Keras": keras_pass}
PASSES |= {"PyTorch": torch_pass, "Gluon": gluon_pass}


def largest_difference(values, reference):
    """A float: in units of the largest reference value where that exceeds 1."""
    return float(np.abs(values - reference).max() / max(1.0, np.abs(reference).max()))


def max_differences(result, reference):
    """Of two passes: (largest difference of logits, that of all gradients)."""
    (logits, grads), (right, wanted) = result, reference
    pairs = [zip(*layer, strict=True) for layer in zip(grads, wanted, strict=True)]
    gaps = [largest_difference(*values) for pair in pairs for values in pair]
    return largest_difference(logits, right), max(gaps)


def bound(name, dtype):
    """What the course promises for max_differences of a framework, "float64" or not.

    Keras on PyTorch multiplies float64 matrices in float32: float32's bound holds.
    """
    exact = name != "Keras" or load_keras().backend.backend() == "tensorflow"
    return 1e-12 if dtype == "float64" and exact else 5e-6


# --- built in chapter 06, section 2. Who switches it on ---


def keras_net(params, drop_probs):
    """A keras Sequential of SIZES that starts from params."""
    keras = load_keras()
    net = keras.Sequential([keras.Input((SIZES[0],))])
    for units, drop_prob in zip(SIZES[1:-1], drop_probs, strict=True):
        net.add(keras.layers.Dense(units, activation="relu"))
        net.add(keras.layers.Dropout(drop_prob))
    net.add(keras.layers.Dense(SIZES[-1]))
    net.set_weights([value for pair in params for value in pair])
    return net


def torch_net(params, drop_probs):
    """The same as a torch Sequential, in training mode."""
    import torch

    *hidden, last = torch_layers(params)
    net = torch.nn.Sequential()
    for layer, drop_prob in zip(hidden, drop_probs, strict=True):
        net.extend([layer, torch.nn.ReLU(), torch.nn.Dropout(drop_prob)])
    return net.append(last)


def gluon_net(params, drop_probs):
    """The same as a gluon HybridSequential."""
    nn = load_mxnet().gluon.nn
    *hidden, last = gluon_layers(params)
    net = nn.HybridSequential()
    for layer, drop_prob in zip(hidden, drop_probs, strict=True):
        net.add(layer, nn.Activation("relu"), nn.Dropout(drop_prob))
    net.add(last)
    return net


# --- built in chapter 06, section 3. The edges ---


def numpy_dropout(x, drop_prob, training=True, seed=0):
    """A framework's own dropout of an array x of any shape, from a fresh seed."""
    return scratch.dropout(x, drop_prob, np.random.default_rng(seed)) if training else x


def keras_dropout(x, drop_prob, training=True, seed=0):
    layer = load_keras().layers.Dropout(drop_prob, seed=seed, dtype=str(x.dtype))
    return load_keras().ops.convert_to_numpy(layer(x, training=training))


def torch_dropout(x, drop_prob, training=True, seed=0):
    import torch

    torch.manual_seed(seed)
    return torch.nn.Dropout(drop_prob).train(training)(torch.from_numpy(x)).numpy()


def nd_dropout(x, drop_prob, training=True, seed=0):
    mx = load_mxnet()
    mx.random.seed(seed)
    with mx.autograd.train_mode() if training else mx.autograd.predict_mode():
        return mx.nd.Dropout(mx.nd.array(x, dtype=x.dtype), p=drop_prob).asnumpy()


def gluon_dropout(x, drop_prob, training=True, seed=0):
    mx = load_mxnet()
    mx.random.seed(seed)
    with mx.autograd.train_mode() if training else mx.autograd.predict_mode():
        return mx.gluon.nn.Dropout(drop_prob)(mx.nd.array(x, dtype=x.dtype)).asnumpy()


LAYERS = {"NumPy": numpy_dropout, "Keras": keras_dropout, "PyTorch": torch_dropout}
LAYERS |= {"MXNet nd": nd_dropout, "Gluon": gluon_dropout}


def dropouts():
    """{name: function (x, drop_prob, training=True, seed=0)} of what can run here."""
    here = [*present(), "MXNet nd" if "Gluon" in present() else None]
    return {name: layer for name, layer in LAYERS.items() if name in here}
