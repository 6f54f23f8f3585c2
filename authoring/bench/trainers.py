"""Training of the same net in four frameworks: each function returns an `epoch()`, one pass over the data.

All start from params, which stay the caller's, and drop with the framework's own layer. epoch() returns
(loss in nats, accuracy) of the training data, with dropout on and while the weights move.
"""

import numpy as np

from utils import parity, scratch
from utils.data import minibatches
from utils.frameworks import load_keras, load_mxnet


def numpy_trainer(params, drop_probs, x, y, batch_size, lr, seed):
    params = [[value.copy() for value in pair] for pair in params]
    rng = np.random.default_rng(seed)
    return lambda: scratch.train_epoch(params, x, y, drop_probs, batch_size, lr, rng)


def keras_trainer(params, drop_probs, x, y, batch_size, lr, seed):
    keras = load_keras()
    keras.utils.set_random_seed(seed)
    net = parity.keras_net(params, drop_probs)
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
    net = parity.torch_net(params, drop_probs).train()
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
    net = parity.gluon_net(params, drop_probs)
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
