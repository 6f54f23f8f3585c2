"""The checks of chapter 05's exercises."""

import numpy as np

from utils.conformance import DropoutLayer
from utils.exercises import beliefs, expect
from utils.exercises.engine import array, is_close, plain, written
from utils.frameworks import load_mxnet
from utils.measured import load_results

mx = load_mxnet()
autograd, gluon, nd, nn = mx.autograd, mx.gluon, mx.nd, mx.gluon.nn

P = 0.3  # not 0.5, where a swap of p and 1 - p cannot be seen


def sample(rows=200, columns=10):
    """An array without zeros, so that a zero in an output is a dropped element."""
    return nd.array(np.linspace(0.5, 2, rows * columns).reshape(rows, columns))


def zeros_in(values):
    return int((values == 0).sum().asscalar())


def small_net(drop_prob=0.5, probe=None):
    """A net with dropout in the middle, or with the block `probe` in its place."""
    net = nn.Sequential()
    middle = probe or nn.Dropout(drop_prob)
    net.add(nn.Dense(16, activation="relu", in_units=6), middle, nn.Dense(3, in_units=16))
    mx.random.seed(0)
    net.initialize(mx.init.Normal(sigma=0.5))
    return net


def make_task():
    """A net with dropout, 50 inputs and their classes."""
    x = np.random.default_rng(0).normal(size=(50, 6))
    return small_net(), nd.array(x), nd.array(np.digitize(x[:, 0], (-0.5, 0.5)))


def make_line(lr, middle=None, num_examples=200, seed=0):
    """A net that is a straight line, its trainer, and noisy points of another line."""
    x = np.random.default_rng(seed).normal(size=(num_examples, 3))
    net = nn.Sequential()
    if middle is not None:
        net.add(middle)
    net.add(nn.Dense(1, in_units=3))
    net.initialize(mx.init.Zero())
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": lr})
    return net, trainer, nd.array(x), nd.array(x @ [[2.0], [-1.0], [0.5]] + 1)


# --- 1. modes ---

MODES = {
    "net(x), no with around it": False,
    "net(x) in record()": True,
    "net(x) in record(train_mode=False)": False,
    "net(x) in predict_mode(), in record()": False,
    "net(x) in train_mode()": True,
    "nd.Dropout(x, p=0.5, mode='always'), no with": True,
}


def check_modes(drops):
    """A dict: call -> True if some unit may be dropped."""
    whys = {
        "net(x), no with around it": beliefs.OUTSIDE,
        "net(x) in record(train_mode=False)": beliefs.RECORDING,
        "net(x) in predict_mode(), in record()": beliefs.INNERMOST,
        "net(x) in train_mode()": beliefs.NEEDS_RECORD,
    }
    expect.truths(drops, MODES, whys)


# --- 2. block ---


def check_block(make_layer):
    """A function: drop_prob -> a layer that behaves like nn.Dropout."""
    layer, x = make_layer(P), sample()
    predicted = written(layer(x))
    zeros = zeros_in(predicted)
    got, why = (f"{zeros} zeros", beliefs.BY_ITSELF) if zeros else ("other numbers", None)
    expect.that((predicted == x).asnumpy().all(), "the input itself in prediction", got, why)
    with autograd.record(train_mode=False):
        zeros = zeros_in(layer(x))
    rule = "no unit dropped in record(train_mode=False)"
    expect.that(not zeros, rule, "dropped units", beliefs.RECORDING)
    with autograd.record():
        zeros = zeros_in(layer(x))
    expect.that(zeros, "dropped units in record()", "none")
    _expect_gradient(layer, x)
    _expect_factor(layer)
    with autograd.train_mode():
        same = np.array_equal(*(array(layer(nd.ones((20, 25)))) for _ in "ab"))
    expect.that(not same, "a new mask at every call", "the same mask twice")
    expect.dropout(_seeded(make_layer), ["units", "examples"])


def _expect_gradient(layer, x):
    x.attach_grad()
    with autograd.record():
        output = layer(x)
    try:
        output.backward()
        recorded = True
    except mx.MXNetError:
        recorded = False
    got = "backward() finds nothing recorded"
    expect.that(recorded, "an output that has a gradient", got, beliefs.DETACHED)
    same = np.allclose(array(x.grad), array(output / x), rtol=1e-5)
    expect.that(same, "the factor as the gradient: 0 where dropped, else 1/(1-p)", "other numbers")


def _expect_factor(layer):
    with autograd.train_mode():
        factor = array(layer(nd.ones((400, 25))))
    expect.own_masks(factor, beliefs.ONE_MASK_05)
    expect.share(factor == 0, P, "zeros", beliefs.KEEP_05)
    expect.rescaled(factor, P, beliefs.NO_RESCALING_05)


def _seeded(make_layer):
    """The layer in the form that utils.conformance asks for: NumPy arrays, seeded from rng."""

    def forward(x, drop_prob, rng):
        mx.random.seed(int(rng.integers(2**31)))
        with autograd.train_mode():
            return array(make_layer(drop_prob)(nd.array(x))), None

    return DropoutLayer(forward, None, None)


# --- 3. evaluate ---


def check_evaluate(evaluate):
    """A function: (net, x, y) -> mean loss without dropout, in whatever mode it is called."""
    net, x, y = make_task()
    loss_of = gluon.loss.SoftmaxCrossEntropyLoss()
    right = plain(loss_of(net(x), y).mean())
    found = expect.number(evaluate(net, x, y), "a float, by .asscalar()")
    rule = f"a mean loss of {right:.3f}, that of the net without dropout"
    flickers = evaluate(net, x, y) != found
    got = f"{found:.3f}" + (", and another at the next call" if flickers else "")
    expect.that(is_close(found, right, 1e-5), rule, got, beliefs.RECORDED if flickers else None)
    with autograd.record():
        inside = evaluate(net, x, y)
        modes = autograd.is_training(), autograd.is_recording()
    got = f"{inside:.3f} inside record()"
    expect.that(is_close(inside, right, 1e-5), f"{rule}, also inside record()", got, beliefs.SCOPE)
    rule = "training and recording to go on after the call"
    expect.that(modes == (True, True), rule, f"(training, recording) = {modes}")


# --- 4. step ---


class Probe(gluon.Block):
    """Hands its input through, and remembers whether it was called in training mode."""

    def forward(self, x):
        self.training = autograd.is_training()
        return x


def check_step(train_step):
    """A function: (net, trainer, x, y) -> mean loss; one step by the gradient of the mean loss."""
    for num_examples in (8, 5):
        probe, lr = Probe(), 0.25
        net, trainer, x, y = make_line(lr, probe, num_examples, seed=num_examples)
        loss = train_step(net, trainer, x, y)
        x, y = array(x), array(y)
        # The gradient of mean((x w + b - y)^2 / 2) at w = 0, b = 0: for the weights, then for the bias.
        step = lr * np.append((-y * x).mean(axis=0), -y.mean())
        moved = -np.concatenate([array(value.data()).ravel() for value in net.collect_params().values()])
        expect.that(moved.any(), "weights that move", "weights that stay where they were")
        ratio = float(moved @ step / (step @ step))
        right = is_close(ratio, 1, 1e-3) and np.allclose(moved, step, atol=1e-4)
        known = {beliefs.DIVIDED_TWICE: 1 / num_examples, beliefs.SUMMED: num_examples}
        why = expect.diagnose(ratio, known, 1e-3 * abs(ratio))
        rule = f"a step of lr times the mean gradient of {num_examples} examples"
        expect.that(right, rule, f"{ratio:.3g} times that", why)
        rule = "dropout on during the step"
        expect.that(probe.training, rule, "a step in prediction mode", beliefs.RECORDING)
        mean = 0.5 * float((y**2).mean())  # the net starts with zeros
        expect.close(loss, mean, f"the mean loss of the batch, {mean:.3f}, as a float", tolerance=1e-4)


# --- 5. rate ---


def check_rate(safe_dropout):
    """A function: drop_prob -> a layer or function, or ValueError."""
    x = sample()
    for drop_prob in (0, P, 1):
        same = (written(safe_dropout(drop_prob)(x)) == x).asnumpy().all()
        expect.that(same, f"the input itself in prediction at p = {drop_prob}", "something else")
    output, gradient = _train(safe_dropout(1), x)
    rule, nan = "zeros at p = 1, and zeros as gradient", np.isnan([output, gradient]).any()
    expect.that(not nan, rule, "NaN", beliefs.ONE_IS_NAN)
    expect.that(not output.any() and not gradient.any(), rule, "other numbers")
    for drop_prob, belief in ((-0.1, beliefs.SILENT), (1.1, None), (float("nan"), beliefs.COMPARE)):
        got = _refusal(safe_dropout, drop_prob, x)
        why = belief if got == "no error" else None
        expect.that(got == "ValueError", f"ValueError at p = {drop_prob}", got, why)
    _expect_factor(safe_dropout(P))


def _train(layer, x):
    """(output, gradient of its sum) in training mode, as NumPy arrays."""
    x = x.copy()
    x.attach_grad()
    with autograd.record():
        output = layer(x)
    output.backward()
    return output.asnumpy(), x.grad.asnumpy()


def _refusal(safe_dropout, drop_prob, x):
    """The name of the error, when the layer is made or at its first call in training, or "no error"."""
    try:
        _train(safe_dropout(drop_prob), x)
    except Exception as error:
        return type(error).__name__
    return "no error"


# --- 6. control ---

VERDICTS = ("with dropout", "without dropout", "cannot tell")


def check_control(leads, verdict):
    """A function (results, a, b) -> one difference per pair of runs, and one of VERDICTS."""
    results = load_results("05_gluon")
    for name, (a, b) in {"real": ("concise", "control"), "other": ("scratch", "own size")}.items():
        found = array(leads(results, a, b))
        rule = "one difference for each of the five pairs"
        expect.that(found.shape == (5,), rule, f"shape {found.shape}")
        right = differences(results, a, b)
        rule = f"medians of the last five epochs, {a} minus {b}: {_signed(right)}"
        expect.that(is_close(found, right, 1e-6), rule, f"{_signed(found)} ({name})")
    expect.choice(verdict, VERDICTS)
    signs = _signed(differences(results, "concise", "control"))
    why = beliefs.ONE_RUN_05 if verdict == "with dropout" else beliefs.SMALL_MEAN
    rule = "a verdict that the interval of the five differences supports"
    expect.that(verdict == "cannot tell", rule, f'"{verdict}", with the differences {signs}', why)


def differences(results, a, b):
    """The differences of typical accuracies, pair by pair."""
    typical = {kind: [np.median(run["test_acc"][-5:]) for run in results[kind]] for kind in (a, b)}
    return [x - y for x, y in zip(typical[a], typical[b], strict=True)]


def _signed(values):
    return ", ".join(f"{value:+.3f}" for value in values)


HINTS = {
    "modes": "Make each call with nn.Dropout(0.5) and nd.ones((100, 100)), and count the zeros.",
    "block": "First ask autograd.is_training(). Then compare nd.random.uniform(shape=x.shape) with 1-p: the "
    "result is an array of 0 and 1 that you can multiply by. What does the mean need?",
    "evaluate": "Print autograd.is_training() inside your function, and call it in record(). Which of the "
    "contexts of section 3 turns training off, and puts it back at the end of its block?",
    "step": "Who divides by the size of the batch, and how often? step(n) divides the gradient by n: see "
    "section 7 of the chapter.",
    "rate": "Begin with one `if` that raises, written so that NaN meets it too. Then treat p = 1 alone: a "
    "product with 0 is zeros and has the gradient 0. Ask for the mode there.",
    "control": "np.median(run['test_acc'][-5:]) for each run of a kind; then subtract pair by pair. Look at "
    "the signs, and give the differences to utils.measured.difference.",
}
