"""Answers to chapter 05's exercises: (exercise, answers, the Belief or the clause that the check says)."""

from utils.exercises import beliefs
from utils.exercises.ch05 import MODES, autograd, differences, gluon, mx, nd, nn


def other_way_round(call):
    return ({**MODES, call: not MODES[call]},)


def layer(factor, in_training=lambda: autograd.is_training()):
    """A layer: x times factor(x, drop_prob) if in_training(), else x."""
    return lambda p: lambda x: x * factor(x, p) if in_training() else x


def factor(x, p):
    return (nd.random.uniform(shape=x.shape) < 1 - p) / (1 - p)


def through_numpy(p):
    return lambda x: nd.array((x * factor(x, p)).asnumpy()) if autograd.is_training() else x


def half_gradient(p):
    """The right output, with half of the gradient cut off."""
    right = layer(factor)(p)
    return lambda x: (lambda output: output / 2 + (output / 2).detach())(right(x))


def uneven(x, p):
    """The last unit is scaled by less."""
    return factor(x, p) * nd.array([[1.0] * (x.shape[1] - 1) + [0.9]])


def seeded(x, p):
    mx.random.seed(0)
    return factor(x, p)


def by_pairs(x, p):
    """Two neighbours share a coin: the share is right, independence is not."""
    return nd.repeat(factor(x[:, ::2], p), 2, axis=1)[:, : x.shape[1]]


def examples_by_pairs(x, p):
    """Two neighbouring examples share their coins."""
    return nd.repeat(factor(x[::2], p), 2, axis=0)[: len(x)]


def loss(net, x, y, reduce=lambda losses: losses.mean()):
    return reduce(gluon.loss.SoftmaxCrossEntropyLoss()(net(x), y))


def recorded_loss(net, x, y):
    with autograd.record():
        return loss(net, x, y)


def leaves_training_off(net, x, y):
    autograd.set_training(False)
    return loss(net, x, y)


def other_loss(net, x, y):
    with autograd.pause():
        return 2 * loss(net, x, y)


def as_it_is(losses):
    return losses


def step(reduce, size, **mode):
    """train_step with its loss reduced by `reduce`, and step(size(x))."""

    def train_step(net, trainer, x, y):
        with autograd.record(**mode):
            losses = gluon.loss.L2Loss()(net(x), y)
            reduced = reduce(losses)
        reduced.backward()
        trainer.step(size(x))
        return float(losses.mean().asscalar())

    return train_step


def zeros(x):
    return x * 0 if autograd.is_training() else x


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
    ("modes", other_way_round("net(x), no with around it"), beliefs.OUTSIDE),
    ("modes", other_way_round("net(x) in record(train_mode=False)"), beliefs.RECORDING),
    ("modes", other_way_round("net(x) in train_mode()"), beliefs.NEEDS_RECORD),
    ("modes", other_way_round("net(x) in predict_mode(), in record()"), beliefs.INNERMOST),
    ("modes", other_way_round("net(x) in record()"), "as a run shows it"),
    ("block", (layer(factor, lambda: autograd.is_recording()),), beliefs.RECORDING),
    ("block", (layer(factor, lambda: True),), beliefs.BY_ITSELF),
    ("block", (through_numpy,), beliefs.DETACHED),
    ("block", (layer(lambda x, p: factor(x, 1 - p)),), beliefs.KEEP_05),
    ("block", (layer(lambda x, p: factor(x, p) > 0),), beliefs.NO_RESCALING_05),
    ("block", (layer(lambda x, p: nd.broadcast_like(factor(x[:1], p), x)),), beliefs.ONE_MASK_05),
    ("block", (lambda p: lambda x: 2 * x,), "the input itself in prediction"),
    ("block", (lambda p: lambda x: x,), "dropped units in record()"),
    ("block", (half_gradient,), "the factor as the gradient"),
    ("block", (lambda p: layer(factor)(0.5),), "a share 0.3 of zeros"),
    ("block", (layer(lambda x, p: 2 * factor(x, p)),), "0 or 1.43"),
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
    ("step", (step(as_it_is, lambda x: 1),), beliefs.SUMMED),
    ("step", (lambda *task: 1.0,), "weights that move"),
    ("step", (step(as_it_is, lambda x: 2),), "a step of lr times the mean gradient of 8"),
    ("step", (step(as_it_is, lambda x: 8),), "a step of lr times the mean gradient of 5"),
    ("step", (lambda *task: step(as_it_is, len)(*task) * 2,), "the mean loss of the batch"),
    ("rate", (guarded(invalid, None),), beliefs.ONE_IS_NAN),
    ("rate", (guarded(lambda p: False),), beliefs.SILENT),
    ("rate", (guarded(lambda p: p < 0 or p > 1),), beliefs.COMPARE),
    ("rate", (guarded(invalid, inside=lambda p: nn.Dropout(1 - p)),), beliefs.KEEP_05),
    ("rate", (guarded(invalid, inside=layer(lambda x, p: factor(x, p) > 0)),), beliefs.NO_RESCALING_05),
    ("rate", (guarded(invalid, inside=lambda p: nn.Dropout(p, axes=(0,))),), beliefs.ONE_MASK_05),
    ("rate", (lambda p: lambda x: x * 0 if p == 1 else x,), "in prediction at p = 1"),
    ("rate", (guarded(invalid, lambda x: x),), "zeros at p = 1"),
    ("rate", (guarded(lambda p: not p >= 0),), "ValueError at p = 1.1"),
    ("rate", (guarded(invalid, inside=lambda p: nn.Dropout(0.5)),), "a share 0.3 of zeros"),
    ("control", (differences, "with dropout"), beliefs.ONE_RUN_05),
    ("control", (differences, "without dropout"), beliefs.SMALL_MEAN),
    ("control", (lambda *task: [0.1], "cannot tell"), "one difference for each"),
    ("control", (last_epochs, "cannot tell"), "medians of the last five epochs"),
    ("control", (differences, "dropout"), '"with dropout"'),
]
