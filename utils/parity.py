"""The same net in NumPy, Keras, PyTorch and Gluon.

Two uses. The `..._pass` functions take weights AND dropout factors from outside and return the logits
and every gradient, so that the frameworks can be compared to the last digit. The `..._net` functions
build the net with the framework's own dropout layer, and the `..._trainer` functions train it.

Weights travel as NumPy arrays in the layout of utils.scratch: a list of [W, b] pairs, W of shape
(n_in, n_out). A framework is imported when one of its functions is called, not before.
"""

import numpy as np

from utils import scratch
from utils.data import minibatches
from utils.frameworks import available, load_keras, load_mxnet

SIZES = (784, 256, 256, 10)
PACKAGES = {"NumPy": "numpy", "Keras": "keras", "PyTorch": "torch", "Gluon": "mxnet"}


def present():
    """Names of the frameworks that can be imported here, in the course's order, NumPy first."""
    return [name for name, package in PACKAGES.items() if available(package)]


def make_problem(batch_size, drop_probs, seed, dtype=np.float32):
    """One set of weights, one set of masks and one batch, drawn from `seed`.

    Returns (params, factors, x, y): He weights, one dropout factor (0 or 1 / (1 - p)) of shape
    (batch_size, units) per hidden layer, inputs in [0, 1) and classes.
    """
    rng = np.random.default_rng(seed)
    params = scratch.init_he(SIZES, rng, dtype)
    factors = [
        scratch.dropout_factor((batch_size, units), drop_prob, rng, dtype)
        for units, drop_prob in zip(SIZES[1:-1], drop_probs, strict=True)
    ]
    x = rng.random((batch_size, SIZES[0])).astype(dtype)
    y = rng.integers(SIZES[-1], size=batch_size)
    return params, factors, x, y


# --- one forward and backward pass with given masks: (logits, gradients in the layout of params) ---


def numpy_pass(params, factors, x, y):
    h, factor, cache = x, None, []
    for (W, b), next_factor in zip(params[:-1], factors, strict=True):
        cache.append((h, factor))
        h, factor = np.maximum(h @ W + b, 0) * next_factor, next_factor
    cache.append((h, factor))
    W, b = params[-1]
    logits = h @ W + b
    _, dlogits = scratch.softmax_cross_entropy(logits, y)
    return logits, scratch.backward(params, cache, dlogits)


def keras_pass(params, factors, x, y):
    keras = load_keras()
    layers = keras_layers(params)

    def loss_and_logits():
        h = keras.ops.convert_to_tensor(x, dtype=str(x.dtype))
        for layer, factor in zip(layers[:-1], factors, strict=True):
            h = keras.ops.relu(layer(h)) * keras.ops.convert_to_tensor(factor, dtype=str(x.dtype))
        logits = layers[-1](h)
        losses = keras.losses.sparse_categorical_crossentropy(y, logits, from_logits=True)
        return keras.ops.mean(losses), logits

    weights = [weight for layer in layers for weight in (layer.kernel, layer.bias)]
    logits, grads = keras_gradients(loss_and_logits, weights)
    return logits, [list(pair) for pair in zip(grads[::2], grads[1::2], strict=True)]


def torch_pass(params, factors, x, y):
    import torch

    layers = torch_layers(params)
    h = torch.from_numpy(x)
    for layer, factor in zip(layers[:-1], factors, strict=True):
        h = layer(h).relu() * torch.from_numpy(factor)
    logits = layers[-1](h)
    torch.nn.functional.cross_entropy(logits, torch.from_numpy(y)).backward()
    grads = [[layer.weight.grad.T.numpy(), layer.bias.grad.numpy()] for layer in layers]
    return logits.detach().numpy(), grads


def gluon_pass(params, factors, x, y):
    mx = load_mxnet()
    layers = gluon_layers(params)
    with mx.autograd.record():
        h = mx.nd.array(x, dtype=x.dtype)
        for layer, factor in zip(layers[:-1], factors, strict=True):
            h = layer(h).relu() * mx.nd.array(factor, dtype=factor.dtype)
        logits = layers[-1](h)
        loss = mx.gluon.loss.SoftmaxCrossEntropyLoss()(logits, mx.nd.array(y, dtype=x.dtype)).mean()
    loss.backward()
    grads = [[layer.weight.grad().asnumpy().T, layer.bias.grad().asnumpy()] for layer in layers]
    return logits.asnumpy(), grads


PASSES = {"NumPy": numpy_pass, "Keras": keras_pass, "PyTorch": torch_pass, "Gluon": gluon_pass}


def bound(name, dtype):
    """What the course promises for `max_differences` of framework `name`, in dtype "float64" or "float32".

    Keras on its PyTorch backend multiplies float64 matrices in float32, so float32's bound holds there.
    """
    exact = name != "Keras" or load_keras().backend.backend() == "tensorflow"
    return 1e-12 if dtype == "float64" and exact else 5e-6


def max_differences(result, reference):
    """How far a pass is from `reference`: (logits, gradients), the largest difference of each.

    A difference in an array counts in units of the array's largest value where that exceeds 1, since
    rounding grows with the numbers themselves.
    """
    (logits, grads), (logits_0, grads_0) = result, reference
    gradient = max(
        _max_difference(value, value_0)
        for pair, pair_0 in zip(grads, grads_0, strict=True)
        for value, value_0 in zip(pair, pair_0, strict=True)
    )
    return _max_difference(logits, logits_0), gradient


def _max_difference(values, reference):
    return float(np.abs(values - reference).max() / max(1.0, np.abs(reference).max()))


# --- dense layers that hold given weights ---


def keras_layers(params):
    keras = load_keras()
    layers = []
    for W, b in params:
        layer = keras.layers.Dense(W.shape[1], dtype=str(W.dtype))
        layer.build((None, W.shape[0]))
        layer.set_weights([W, b])
        layers.append(layer)
    return layers


def torch_layers(params):
    import torch

    layers = []
    for W, b in params:
        layer = torch.nn.Linear(*W.shape)
        layer.weight = torch.nn.Parameter(torch.tensor(W.T.copy()))
        layer.bias = torch.nn.Parameter(torch.tensor(b))
        layers.append(layer)
    return layers


def gluon_layers(params):
    mx = load_mxnet()
    layers = []
    for W, b in params:
        layer = mx.gluon.nn.Dense(W.shape[1], in_units=W.shape[0], dtype=str(W.dtype))
        layer.initialize()
        layer.weight.set_data(mx.nd.array(W.T, dtype=W.dtype))
        layer.bias.set_data(mx.nd.array(b, dtype=b.dtype))
        layers.append(layer)
    return layers


def keras_gradients(loss_and_logits, weights):
    """Run `loss_and_logits()` and return (logits, gradients of the loss), as NumPy arrays.

    A gradient is None where the loss does not depend on the weight.

    This is the one step that Keras 3 leaves to its backend. Raises NotImplementedError on a backend
    other than TensorFlow and PyTorch.
    """
    keras = load_keras()
    if keras.backend.backend() == "tensorflow":
        import tensorflow

        with tensorflow.GradientTape() as tape:
            loss, logits = loss_and_logits()
        grads = tape.gradient(loss, [weight.value for weight in weights])
    elif keras.backend.backend() == "torch":
        for weight in weights:
            weight.value.grad = None
        loss, logits = loss_and_logits()
        loss.backward()
        grads = [weight.value.grad for weight in weights]
    else:
        raise NotImplementedError(f"no gradients on the Keras backend {keras.backend.backend()!r}")
    to_numpy = keras.ops.convert_to_numpy
    return to_numpy(logits), [None if grad is None else to_numpy(grad) for grad in grads]


# --- each framework's own dropout on a NumPy array, from a fresh seed ---


def numpy_dropout(x, drop_prob, training=True, seed=0):
    return scratch.dropout(x, drop_prob, np.random.default_rng(seed)) if training else x


def keras_dropout(x, drop_prob, training=True, seed=0):
    keras = load_keras()
    layer = keras.layers.Dropout(drop_prob, seed=seed, dtype=str(x.dtype))
    return keras.ops.convert_to_numpy(layer(x, training=training))


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


def dropouts():
    """The dropout functions above that can run here: {name: function}. MXNet has two."""
    functions = {"NumPy": numpy_dropout, "Keras": keras_dropout, "PyTorch": torch_dropout}
    functions = {name: function for name, function in functions.items() if name in present()}
    if "Gluon" in present():
        functions |= {"MXNet nd": nd_dropout, "Gluon": gluon_dropout}
    return functions


# --- the net with each framework's own dropout layer ---


def keras_net(params, drop_probs):
    keras = load_keras()
    net = keras.Sequential([keras.Input((SIZES[0],))])
    for units, drop_prob in zip(SIZES[1:-1], drop_probs, strict=True):
        net.add(keras.layers.Dense(units, activation="relu"))
        net.add(keras.layers.Dropout(drop_prob))
    net.add(keras.layers.Dense(SIZES[-1]))
    net.set_weights([value for pair in params for value in pair])
    return net


def torch_net(params, drop_probs):
    import torch

    *hidden, last = torch_layers(params)
    net = torch.nn.Sequential()
    for layer, drop_prob in zip(hidden, drop_probs, strict=True):
        net.extend([layer, torch.nn.ReLU(), torch.nn.Dropout(drop_prob)])
    return net.append(last)


def gluon_net(params, drop_probs):
    mx = load_mxnet()
    *hidden, last = gluon_layers(params)
    net = mx.gluon.nn.HybridSequential()
    for layer, drop_prob in zip(hidden, drop_probs, strict=True):
        net.add(layer, mx.gluon.nn.Activation("relu"), mx.gluon.nn.Dropout(drop_prob))
    net.add(last)
    return net


# --- training: each function returns an `epoch()` that makes one pass over the data ---


def numpy_trainer(params, drop_probs, x, y, batch_size, lr, seed):
    params = [[value.copy() for value in pair] for pair in params]
    rng = np.random.default_rng(seed)

    def epoch():
        return scratch.train_epoch(params, x, y, drop_probs, batch_size, lr, rng)

    return epoch


def keras_trainer(params, drop_probs, x, y, batch_size, lr, seed):
    keras = load_keras()
    keras.utils.set_random_seed(seed)
    net = keras_net(params, drop_probs)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(optimizer=keras.optimizers.SGD(lr), loss=loss, metrics=["accuracy"])

    def epoch():
        history = net.fit(x, y, batch_size=batch_size, epochs=1, verbose=0).history
        return history["loss"][0], history["accuracy"][0]

    return epoch


def torch_trainer(params, drop_probs, x, y, batch_size, lr, seed, batches=None):
    """`batches`, if given, is an iterable of (images, labels), such as a DataLoader."""
    import torch

    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = torch_net(params, drop_probs).train()
    optimiser = torch.optim.SGD(net.parameters(), lr=lr)
    images, labels = torch.from_numpy(x), torch.from_numpy(y)

    def in_memory():
        for batch in map(torch.from_numpy, minibatches(len(y), batch_size, rng)):
            yield images[batch], labels[batch]

    def epoch():
        total_loss, correct = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        for x_batch, y_batch in batches or in_memory():
            logits = net(x_batch)
            loss = torch.nn.functional.cross_entropy(logits, y_batch)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total_loss += loss.detach() * len(y_batch)
            correct += (logits.detach().argmax(1) == y_batch).sum()
        return float(total_loss) / len(y), float(correct) / len(y)

    return epoch


def gluon_trainer(params, drop_probs, x, y, batch_size, lr, seed):
    mx = load_mxnet()
    mx.random.seed(seed)
    rng = np.random.default_rng(seed)
    net = gluon_net(params, drop_probs)
    net.hybridize()
    loss_of = mx.gluon.loss.SoftmaxCrossEntropyLoss()
    trainer = mx.gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": lr})
    images, labels = mx.nd.array(x, dtype=x.dtype), mx.nd.array(y, dtype=x.dtype)

    def epoch():
        total_loss, correct = mx.nd.zeros(1), mx.nd.zeros(1)
        for batch in minibatches(len(y), batch_size, rng):
            batch = mx.nd.array(batch, dtype="int32")
            x_batch, y_batch = images.take(batch), labels.take(batch)
            with mx.autograd.record():
                logits = net(x_batch)
                loss = loss_of(logits, y_batch)
            loss.backward()
            trainer.step(len(y_batch))
            total_loss += loss.sum()
            correct += (logits.argmax(axis=1) == y_batch).sum()
        return float(total_loss.asscalar()) / len(y), float(correct.asscalar()) / len(y)

    return epoch


TRAINERS = {"NumPy": numpy_trainer, "Keras": keras_trainer, "PyTorch": torch_trainer, "Gluon": gluon_trainer}
