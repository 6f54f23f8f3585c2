"""Answers to the cells of a learner's own in chapter 05, as in ch05.py."""

from utils.exercises import beliefs
from utils.frameworks import load_mxnet

mx = load_mxnet()
autograd, gluon, nd = mx.autograd, mx.gluon, mx.nd


def factor(x, p):
    return (nd.random.uniform(shape=x.shape) < 1 - p) / (1 - p) if p < 1 else nd.zeros_like(x)


def dropout(x, p):
    return x * factor(x, p)


def divided_by_zero(x, p):
    return x * (nd.random.uniform(shape=x.shape) < 1 - p) / nd.array([1 - p])


def seeded(x, p):
    mx.random.seed(0)
    return dropout(x, p)


DROPOUTS = [
    ("dropout", (lambda x, p: x * factor(x, 1 - p) if 0 < p < 1 else dropout(x, p),), beliefs.KEEP_05),
    ("dropout", (lambda x, p: dropout(x, p) * (1 - p),), beliefs.NO_RESCALING_05),
    ("dropout", (lambda x, p: x * nd.broadcast_like(factor(x[:1], p), x),), beliefs.ONE_MASK_05),
    ("dropout", (lambda x, p: dropout(x, p)[:, 1:],), "an array of shape"),
    ("dropout", (lambda x, p: dropout(x, 0.5),), "a share 0.7"),
    ("dropout", (lambda x, p: 2 * dropout(x, p),), "ones to become 0 or 1.43"),
    ("dropout", (divided_by_zero,), "only 0 at p = 1"),
    ("dropout", (lambda x, p: factor(x, p),), "the input times the factor"),
    ("dropout", (seeded,), "a new mask at every call"),
]


def switched(when):
    return lambda x, p: dropout(x, p) if when() else x


def both():
    return autograd.is_training() and autograd.is_recording()


SWITCHES = [
    ("switch", (dropout,), beliefs.BY_ITSELF),
    ("switch", (switched(autograd.is_recording),), beliefs.RECORDING),
    ("switch", (switched(both),), beliefs.NEEDS_RECORD),
    ("switch", (lambda x, p: x,), "dropped units in record()"),
    ("switch", (lambda x, p: 2 * x,), "the input itself in prediction"),
    ("switch", (lambda x, p: switched(autograd.is_training)(x, 0.5),), "ones to become 0 or 1.43"),
]


def as_it_is(value):
    return value


def step(reduce=as_it_is, size=as_it_is, report=lambda *found: found, **mode):
    def train_step(forward, step, x, y, divide_by):
        with autograd.record(**mode):
            logits = forward(x)
            losses = gluon.loss.SoftmaxCrossEntropyLoss()(logits, y)
            reduced = reduce(losses)
        reduced.backward()
        step(size(divide_by))
        return report(losses, logits)

    return train_step


STEPS = [
    ("step", (step(train_mode=False),), beliefs.RECORDING),
    ("step", (step(lambda losses: losses.mean()),), beliefs.DIVIDED_TWICE),
    ("step", (step(size=lambda n: 6),), "one call of step(divide_by)"),
    ("step", (step(report=lambda losses, logits: losses.mean()),), "a pair"),
    ("step", (step(report=lambda losses, logits: (losses.mean(), logits)),), "losses, one for each example"),
    ("step", (step(report=lambda losses, logits: (losses, logits.argmax(axis=1))),), "logits, an array"),
    ("step", (step(report=lambda losses, logits: (2 * losses, logits)),), "losses of ln 3"),
    ("step", (step(lambda losses: -losses),), "the gradient of the sum"),
]

WRONG = [*DROPOUTS, *SWITCHES, *STEPS]
