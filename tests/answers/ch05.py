"""Answers to chapter 05's exercises: (exercise, answers, the Belief or the clause that the check says)."""

from utils.exercises import beliefs
from utils.exercises.ch05 import MODES, autograd, differences, gluon, mx, nd, nn


def other_way_round(call):
    return ({**MODES, call: not MODES[call]},)


def layer(factor, in_training=lambda: autograd.is_training()):
    """A layer: X times factor(X, drop_prob) if in_training(), else X."""
    return lambda p: lambda X: X * factor(X, p) if in_training() else X


def factor(X, p):
    return (nd.random.uniform(shape=X.shape) < 1 - p) / (1 - p)


def through_numpy(p):
    return lambda X: nd.array((X * factor(X, p)).asnumpy()) if autograd.is_training() else X


def half_gradient(p):
    """The right output, with half of the gradient cut off."""
    right = layer(factor)(p)
    return lambda X: (lambda Y: Y / 2 + (Y / 2).detach())(right(X))


def uneven(X, p):
    """The last unit is scaled by less."""
    return factor(X, p) * nd.array([[1.0] * (X.shape[1] - 1) + [0.9]])


def seeded(X, p):
    mx.random.seed(0)
    return factor(X, p)


def by_pairs(X, p):
    """Two neighbours share a coin: the share is right, independence is not."""
    return nd.repeat(factor(X[:, ::2], p), 2, axis=1)[:, : X.shape[1]]


def examples_by_pairs(X, p):
    """Two neighbouring examples share their coins."""
    return nd.repeat(factor(X[::2], p), 2, axis=0)[: len(X)]


def loss(net, X, y, reduce=lambda losses: losses.mean()):
    return reduce(gluon.loss.SoftmaxCrossEntropyLoss()(net(X), y))


def recorded_loss(net, X, y):
    with autograd.record():
        return loss(net, X, y)


def leaves_training_off(net, X, y):
    autograd.set_training(False)
    return loss(net, X, y)


def other_loss(net, X, y):
    with autograd.pause():
        return 2 * loss(net, X, y)


def as_it_is(losses):
    return losses


def step(reduce, size, **mode):
    """train_step with its loss reduced by `reduce`, and step(size(X))."""

    def train_step(net, trainer, X, y):
        with autograd.record(**mode):
            losses = gluon.loss.L2Loss()(net(X), y)
            reduced = reduce(losses)
        reduced.backward()
        trainer.step(size(X))
        return float(losses.mean().asscalar())

    return train_step


def zeros(X):
    return X * 0 if autograd.is_training() else X


def guarded(wrong, at_one=zeros, inside=nn.Dropout):
    """safe_dropout that refuses where wrong(p) is true."""

    def safe_dropout(p):
        if wrong(p):
            raise ValueError(p)
        return at_one if p == 1 and at_one else inside(p)

    return safe_dropout


def invalid(p):
    return not 0 <= p <= 1


def last_epochs(results, a, b):
    pairs = zip(results[a], results[b], strict=True)
    return [x["test_acc"][-1] - y["test_acc"][-1] for x, y in pairs]


WRONG = [
    ("modes", other_way_round("net(X), no with around it"), beliefs.OUTSIDE),
    ("modes", other_way_round("net(X) in record(train_mode=False)"), beliefs.RECORDING),
    ("modes", other_way_round("net(X) in train_mode()"), beliefs.NEEDS_RECORD),
    ("modes", other_way_round("net(X) in predict_mode(), in record()"), beliefs.INNERMOST),
    ("modes", other_way_round("net(X) in record()"), "as a run shows it"),
    ("block", (layer(factor, lambda: autograd.is_recording()),), beliefs.RECORDING),
    ("block", (layer(factor, lambda: True),), beliefs.BY_ITSELF),
    ("block", (through_numpy,), beliefs.DETACHED),
    ("block", (layer(lambda X, p: factor(X, 1 - p)),), beliefs.KEEP_05),
    ("block", (layer(lambda X, p: factor(X, p) > 0),), beliefs.NO_RESCALING_05),
    ("block", (layer(lambda X, p: nd.broadcast_like(factor(X[:1], p), X)),), beliefs.ONE_MASK_05),
    ("block", (lambda p: lambda X: 2 * X,), "the input itself in prediction"),
    ("block", (lambda p: lambda X: X,), "dropped units in record()"),
    ("block", (half_gradient,), "the factor as the gradient"),
    ("block", (lambda p: layer(factor)(0.5),), "a share 0.3 of zeros"),
    ("block", (layer(lambda X, p: 2 * factor(X, p)),), "0 or 1.43"),
    ("block", (layer(uneven),), "0 or 1.43"),
    ("block", (layer(seeded),), "a new mask at every call"),
    ("block", (layer(by_pairs),), "dropped independently"),
    ("block", (layer(examples_by_pairs),), "in two examples of the batch"),
    ("evaluate", (recorded_loss,), beliefs.RECORDED),
    ("evaluate", (loss,), beliefs.SCOPE),
    ("evaluate", (lambda *task: loss(*task, as_it_is),), "a float"),
    ("evaluate", (lambda *task: nd.array([1.0]),), "that of the net without dropout"),
    ("evaluate", (other_loss,), "that of the net without dropout"),
    ("evaluate", (leaves_training_off,), "to go on after the call"),
    ("step", (step(as_it_is, len, train_mode=False),), beliefs.RECORDING),
    ("step", (step(lambda losses: losses.mean(), len),), beliefs.DIVIDED_TWICE),
    ("step", (step(as_it_is, lambda X: 1),), beliefs.SUMMED),
    ("step", (lambda *task: 1.0,), "weights that move"),
    ("step", (step(as_it_is, lambda X: 2),), "a step of lr times the mean gradient of 8"),
    ("step", (step(as_it_is, lambda X: 8),), "a step of lr times the mean gradient of 5"),
    ("step", (lambda *task: step(as_it_is, len)(*task) * 2,), "the mean loss of the batch"),
    ("rate", (guarded(invalid, None),), beliefs.ONE_IS_NAN),
    ("rate", (guarded(lambda p: False),), beliefs.SILENT),
    ("rate", (guarded(lambda p: p < 0 or p > 1),), beliefs.COMPARE),
    ("rate", (guarded(invalid, inside=lambda p: nn.Dropout(1 - p)),), beliefs.KEEP_05),
    ("rate", (guarded(invalid, inside=layer(lambda X, p: factor(X, p) > 0)),), beliefs.NO_RESCALING_05),
    ("rate", (guarded(invalid, inside=lambda p: nn.Dropout(p, axes=(0,))),), beliefs.ONE_MASK_05),
    ("rate", (lambda p: lambda X: X * 0 if p == 1 else X,), "in prediction at p = 1"),
    ("rate", (guarded(invalid, lambda X: X),), "zeros at p = 1"),
    ("rate", (guarded(lambda p: not p >= 0),), "ValueError at p = 1.1"),
    ("rate", (guarded(invalid, inside=lambda p: nn.Dropout(0.5)),), "a share 0.3 of zeros"),
    ("control", (differences, "with dropout"), beliefs.ONE_RUN_05),
    ("control", (differences, "without dropout"), beliefs.SMALL_MEAN),
    ("control", (lambda *task: [0.1], "cannot tell"), "one difference for each"),
    ("control", (last_epochs, "cannot tell"), "medians of the last five epochs"),
    ("control", (differences, "dropout"), '"with dropout"'),
]
