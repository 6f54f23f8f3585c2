"""The checks of chapter 05's exercises, and the wrong answers that they know by name."""

import math

import numpy as np

from utils.conformance import DropoutLayer
from utils.exercises.ch02 import failed_check
from utils.frameworks import load_mxnet
from utils.measured import load_results
from utils.selfcheck import Exercise, Misconception, Problem, check_truths, is_close, written

mx = load_mxnet()
autograd, gluon, nd, nn = mx.autograd, mx.gluon, mx.nd, mx.gluon.nn

P = 0.3  # not 0.5, where a swap of p and 1 - p cannot be seen

OUTSIDE = (
    "MXNet's training switch is off by default, and dropout follows it. A forward pass outside record() is a "
    "prediction, so nothing is dropped there; nobody has to call eval()."
)
RECORDING = (
    "MXNet has two switches. Recording decides whether a gradient can be taken; training decides whether "
    "dropout drops. record() turns both on, but record(train_mode=False) only records."
)
NEEDS_RECORD = (
    "Dropout asks for the training switch alone. train_mode() turns that on without recording anything: so "
    "you draw noisy predictions for Monte Carlo dropout."
)
INNERMOST = (
    "The innermost context that sets the training switch decides. Inside record(), predict_mode() turns "
    "dropout off for its own block, and recording goes on."
)
BY_ITSELF = (
    "MXNet switches its own operators, not your arithmetic: a comparison and a product do the same in every "
    "mode. Your layer must ask autograd.is_training() and hand the input through when the answer is no."
)
DETACHED = (
    "asnumpy() leaves MXNet: what you compute there is not recorded, so no gradient comes back through your "
    "layer. Stay with nd operators from X to the output."
)
KEEP = "MXNet's p and rate are the probability to DROP a unit; 1-p is kept."
NEVER = (
    "The survivors were not rescaled, so the output is (1-p) times too small on average, and a prediction, "
    "which drops nothing, would meet larger numbers than training did."
)
ONE_MASK = (
    "All examples of the batch share one mask, as with nn.Dropout(axes=(0,)). Draw one number per element, "
    "or the batch no longer averages over many thinned networks."
)
RECORDED = (
    "record() also switches to training, whether or not anybody calls backward() later. The loss was "
    "measured with dropout on, and another call gives another loss."
)
SCOPE = (
    "A with block covers everything that runs before it ends, the functions that you call from it included. "
    "Called inside record(), your function is in training mode unless it changes the mode itself."
)
DIVIDED_TWICE = (
    "step(n) divides the gradient by n, and mean() has divided it already. Scaled twice, the step is n times "
    "too small: either sum up and step(n), or take the mean and step(1)."
)
SUMMED = (
    "backward() on a vector of losses gives the gradient of their sum, not of their mean. Somebody must "
    "divide by the size of the batch: that is what the number in step(n) is for."
)
ONE_IS_NAN = (
    "At p = 1 MXNet's own layer computes 0 times 1/0, which is NaN, forward and backward. One such step "
    "turns every weight below it into NaN, and no error says so. Treat p = 1 alone."
)
SILENT = (
    "Gluon's layer only asks whether the rate is above 0 and otherwise copies its input. A slip of the sign "
    "trains without dropout, silently: refuse such a rate yourself."
)
COMPARE = (
    "Every comparison with NaN is false, so NaN is neither below 0 nor above 1 and slips through. Ask the "
    "other way round: `not 0 <= p <= 1` is true for NaN."
)
ONE_RUN = (
    "One run is no evidence. The post took the last epoch of a pair in which the control had just jumped off "
    "its path; of the three pairs one has dropout ahead, one the control, and one is even."
)
SMALL_MEAN = (
    "The control leads by about a tenth of a point on average, while single pairs differ by several times as "
    "much in both directions. Three differences with different signs cannot tell a winner."
)


def array(rows=200, columns=10):
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
    X = np.random.default_rng(0).normal(size=(50, 6))
    return small_net(), nd.array(X), nd.array(np.digitize(X[:, 0], (-0.5, 0.5)))


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
    "net(X), no with around it": False,
    "net(X) in record()": True,
    "net(X) in record(train_mode=False)": False,
    "net(X) in predict_mode(), in record()": False,
    "net(X) in train_mode()": True,
    "nd.Dropout(X, p=0.5, mode='always'), no with": True,
}


def check_modes(drops):
    """A dict: call -> True if some unit may be dropped."""
    whys = {
        "net(X), no with around it": OUTSIDE,
        "net(X) in record(train_mode=False)": RECORDING,
        "net(X) in predict_mode(), in record()": INNERMOST,
        "net(X) in train_mode()": NEEDS_RECORD,
    }
    return check_truths(drops, MODES, whys)


# --- 2. block ---


def check_block(make_layer):
    """A function: drop_prob -> a layer that behaves like nn.Dropout."""
    layer, X = make_layer(P), array()
    predicted = written(layer(X))
    if zeros_in(predicted) or not (predicted == X).asnumpy().all():
        got = f"{zeros_in(predicted)} zeros" if zeros_in(predicted) else "other numbers"
        return Problem("the input itself in prediction", got, BY_ITSELF if zeros_in(predicted) else "")
    return (
        _check_switch(layer, X)
        or _check_gradient(layer, X)
        or _check_values(layer)
        or _check_fresh(layer)
        or failed_check(_seeded(make_layer), ["units", "examples"])
    )


def _check_switch(layer, X):
    with autograd.record(train_mode=False):
        if zeros_in(layer(X)):
            return Problem("no unit dropped in record(train_mode=False)", "dropped units", RECORDING)
    with autograd.record():
        if not zeros_in(layer(X)):
            return Problem("dropped units in record()", "none")
    return None


def _check_gradient(layer, X):
    X.attach_grad()
    with autograd.record():
        output = layer(X)
    try:
        output.backward()
    except mx.MXNetError:
        return Problem("an output that has a gradient", "backward() finds nothing recorded", DETACHED)
    if np.allclose(X.grad.asnumpy(), (output / X).asnumpy(), rtol=1e-5):
        return None
    return Problem("the factor as the gradient: 0 where dropped, else 1/(1-p)", "other numbers")


def _check_values(layer):
    with autograd.train_mode():
        factor = layer(nd.ones((400, 25))).asnumpy()
    if (factor == factor[0]).all():
        return Problem("other units dropped in every example", "400 examples with the same mask", ONE_MASK)
    tolerance = 5 * math.sqrt(P * (1 - P) / factor.size)
    share = float((factor == 0).mean())
    if abs(share - P) > tolerance:
        why = KEEP if abs(share - (1 - P)) <= tolerance else ""
        return Problem(f"a share {P} of zeros, within {tolerance:.3f}", f"{share:.3f}", why)
    kept = factor[factor != 0]
    if np.allclose(kept, 1 / (1 - P), rtol=1e-5):
        return None
    return Problem(
        f"ones to become 0 or {1 / (1 - P):.2f}",
        f"{kept.min():.2f} to {kept.max():.2f}",
        NEVER if np.allclose(kept, 1) else "",
    )


def _check_fresh(layer):
    with autograd.train_mode():
        if np.array_equal(*(layer(nd.ones((20, 25))).asnumpy() for _ in "ab")):
            return Problem("a new mask at every call", "the same mask twice")
    return None


def _seeded(make_layer):
    """The layer in the form that utils.conformance asks for: NumPy arrays, seeded from rng."""

    def forward(x, drop_prob, rng):
        mx.random.seed(int(rng.integers(2**31)))
        with autograd.train_mode():
            return make_layer(drop_prob)(nd.array(x)).asnumpy(), None

    return DropoutLayer(forward, None, None)


# --- 3. evaluate ---


def check_evaluate(evaluate):
    """A function: (net, X, y) -> mean loss without dropout, in whatever mode it is called."""
    net, X, y = make_task()
    loss_of = gluon.loss.SoftmaxCrossEntropyLoss()
    right = float(loss_of(net(X), y).mean().asscalar())
    found = written(evaluate(net, X, y))
    if not isinstance(found, float):
        return Problem("a float, by .asscalar()", type(found).__name__)
    expected = f"a mean loss of {right:.3f}, that of the net without dropout"
    if not is_close(found, right, 1e-5):
        flickers = evaluate(net, X, y) != found
        got = f"{found:.3f}" + (", and another at the next call" if flickers else "")
        return Problem(expected, got, RECORDED if flickers else "")
    with autograd.record():
        inside = evaluate(net, X, y)
        modes = autograd.is_training(), autograd.is_recording()
    if not is_close(inside, right, 1e-5):
        return Problem(expected + ", also inside record()", f"{inside:.3f} inside record()", SCOPE)
    if modes != (True, True):
        return Problem("training and recording to go on after the call", f"(training, recording) = {modes}")
    return None


# --- 4. step ---


class Probe(gluon.Block):
    """Hands its input through, and remembers whether it was called in training mode."""

    def forward(self, X):
        self.training = autograd.is_training()
        return X


def check_step(train_step):
    """A function: (net, trainer, X, y) -> mean loss; one step by the gradient of the mean loss."""
    for num_examples in (8, 5):
        probe, lr = Probe(), 0.25
        net, trainer, X, y = make_line(lr, probe, num_examples, seed=num_examples)
        loss = written(train_step(net, trainer, X, y))
        problem = _check_move(net, lr * _mean_gradient(X, y), num_examples)
        if problem:
            return problem
        if not probe.training:
            return Problem("dropout on during the step", "a step in prediction mode", RECORDING)
        mean = 0.5 * float((y**2).mean().asscalar())  # the net starts with zeros
        if not is_close(loss, mean, 1e-4):
            return Problem(f"the mean loss of the batch, {mean:.3f}, as a float", f"{loss}")
    return None


def _mean_gradient(X, y):
    """Gradient of mean((x w + b - y)^2 / 2) at w = 0, b = 0: for the weights, then for the bias."""
    X, y = X.asnumpy(), y.asnumpy()
    return np.append((-y * X).mean(axis=0), -y.mean())


def _check_move(net, step, num_examples):
    moved = -np.concatenate([value.data().asnumpy().ravel() for value in net.collect_params().values()])
    if not moved.any():
        return Problem("weights that move", "weights that stay where they were")
    ratio = float(moved @ step / (step @ step))
    if is_close(ratio, 1, 1e-3) and np.allclose(moved, step, atol=1e-4):
        return None
    whys = {1 / num_examples: DIVIDED_TWICE, num_examples: SUMMED}
    why = next((why for value, why in whys.items() if is_close(ratio, value, 1e-3 * value)), "")
    return Problem(
        f"a step of lr times the mean gradient of {num_examples} examples", f"{ratio:.3g} times that", why
    )


# --- 5. rate ---


def check_rate(safe_dropout):
    """A function: drop_prob -> a layer or function, or ValueError."""
    X = array()
    for drop_prob in (0, P, 1):
        predicted = written(written(safe_dropout(drop_prob))(X))
        if not (predicted == X).asnumpy().all():
            return Problem(f"the input itself in prediction at p = {drop_prob}", "something else")
    output, gradient = _train(safe_dropout(1), X)
    if np.isnan(output).any() or np.isnan(gradient).any():
        return Problem("zeros at p = 1, and zeros as gradient", "NaN", ONE_IS_NAN)
    if output.any() or gradient.any():
        return Problem("zeros at p = 1, and zeros as gradient", "other numbers")
    for drop_prob, why in ((-0.1, SILENT), (1.1, ""), (float("nan"), COMPARE)):
        got = _refusal(safe_dropout, drop_prob, X)
        if got != "ValueError":
            return Problem(f"ValueError at p = {drop_prob}", got, why if got == "no error" else "")
    return _check_values(safe_dropout(P))


def _train(layer, X):
    """(output, gradient of its sum) in training mode, as NumPy arrays."""
    X = X.copy()
    X.attach_grad()
    with autograd.record():
        output = layer(X)
    output.backward()
    return output.asnumpy(), X.grad.asnumpy()


def _refusal(safe_dropout, drop_prob, X):
    """The name of the error, when the layer is made or at its first call in training, or "no error"."""
    try:
        _train(safe_dropout(drop_prob), X)
    except Exception as error:
        return type(error).__name__
    return "no error"


# --- 6. control ---

VERDICTS = ("with dropout", "without dropout", "cannot tell")


def check_control(leads, verdict):
    """A function (results, a, b) -> one difference per pair of runs, and one of VERDICTS."""
    results = load_results("05_gluon")
    found = np.asarray(written(leads(results, "concise", "control")), dtype=float)
    right = np.array(differences(results, "concise", "control"))
    if found.shape != right.shape:
        return Problem("one difference for each of the three pairs", f"shape {found.shape}")
    for name, (a, b) in {"real": ("concise", "control"), "other": ("scratch", "own size")}.items():
        got, rule = leads(results, a, b), differences(results, a, b)
        if not np.allclose(got, rule, atol=1e-9):
            return Problem(
                f"medians of the last five epochs, {a} minus {b}: " + _signed(rule),
                f"{_signed(got)} ({name})",
            )
    if verdict not in VERDICTS:
        return Problem(" or ".join(f'"{word}"' for word in VERDICTS), repr(verdict))
    if verdict != "cannot tell":
        return Problem(
            "a verdict that all three pairs support",
            f'"{verdict}", with the differences {_signed(right)}',
            ONE_RUN if verdict == "with dropout" else SMALL_MEAN,
        )
    return None


def differences(results, a, b):
    """The differences of typical accuracies, pair by pair."""
    typical = {kind: [np.median(run["test_acc"][-5:]) for run in results[kind]] for kind in (a, b)}
    return [x - y for x, y in zip(typical[a], typical[b], strict=True)]


def _signed(values):
    return ", ".join(f"{value:+.3f}" for value in values)


EXERCISES = {
    "modes": Exercise(
        check_modes, "Make each call with nn.Dropout(0.5) and nd.ones((100, 100)), and count the zeros."
    ),
    "block": Exercise(
        check_block,
        "First ask autograd.is_training(). Then compare nd.random.uniform(shape=X.shape) with 1-p: the "
        "result is an array of 0 and 1 that you can multiply by. What does the mean need?",
    ),
    "evaluate": Exercise(
        check_evaluate,
        "Print autograd.is_training() inside your function, and call it in record(). Which of the four "
        "contexts of section 3 turns training off, and puts it back at the end of its block?",
    ),
    "step": Exercise(
        check_step,
        "Who divides by the size of the batch, and how often? Compare with step_taken in section 6 of the "
        "chapter.",
    ),
    "rate": Exercise(
        check_rate,
        "Begin with one `if` that raises, written so that NaN meets it too. Then treat p = 1 alone: a "
        "product with 0 is zeros and has the gradient 0. Ask for the mode there.",
    ),
    "control": Exercise(
        check_control,
        "np.median(run['test_acc'][-5:]) for each run of a kind; then subtract pair by pair. Look at the "
        "three signs.",
    ),
}


# --- wrong answers, each built on one wrong idea ---


def _believe(call, value):
    return lambda: ({**MODES, call: value},)


def _layer(factor, in_training=lambda: autograd.is_training()):
    """A layer: X times factor(X, drop_prob) if in_training(), else X."""
    return lambda p: lambda X: X * factor(X, p) if in_training() else X


def _factor(X, p):
    return (nd.random.uniform(shape=X.shape) < 1 - p) / (1 - p)


def _through_numpy(p):
    return lambda X: nd.array((X * _factor(X, p)).asnumpy()) if autograd.is_training() else X


def _loss(net, X, y):
    return float(gluon.loss.SoftmaxCrossEntropyLoss()(net(X), y).mean().asscalar())


def _recorded_loss(net, X, y):
    with autograd.record():
        return _loss(net, X, y)


def _as_it_is(losses):
    return losses


def _step(reduce, size, **mode):
    """train_step with its loss reduced by `reduce`, and step(size(X))."""

    def train_step(net, trainer, X, y):
        with autograd.record(**mode):
            losses = gluon.loss.L2Loss()(net(X), y)
            loss = reduce(losses)
        loss.backward()
        trainer.step(size(X))
        return float(losses.mean().asscalar())

    return train_step


def _guarded(wrong, at_one=lambda X: X * 0 if autograd.is_training() else X):
    """safe_dropout that refuses where wrong(p) is true."""

    def safe_dropout(p):
        if wrong(p):
            raise ValueError(p)
        return at_one if p == 1 and at_one else nn.Dropout(p)

    return safe_dropout


MISCONCEPTIONS = [
    Misconception(
        "MXNet drops without record()", "modes", _believe("net(X), no with around it", True), OUTSIDE
    ),
    Misconception(
        "what is recorded is also trained",
        "modes",
        _believe("net(X) in record(train_mode=False)", True),
        RECORDING,
    ),
    Misconception(
        "what is recorded is also trained",
        "block",
        lambda: (_layer(_factor, lambda: autograd.is_recording()),),
        RECORDING,
    ),
    Misconception(
        "what is recorded is also trained",
        "step",
        lambda: (_step(_as_it_is, len, train_mode=False),),
        RECORDING,
    ),
    Misconception(
        "without recording nothing can drop", "modes", _believe("net(X) in train_mode()", False), NEEDS_RECORD
    ),
    Misconception(
        "record() outranks a mode inside it",
        "modes",
        _believe("net(X) in predict_mode(), in record()", True),
        INNERMOST,
    ),
    Misconception(
        "MXNet switches my own layer off at prediction",
        "block",
        lambda: (_layer(_factor, lambda: True),),
        BY_ITSELF,
    ),
    Misconception("NumPy inside a layer is as good", "block", lambda: (_through_numpy,), DETACHED),
    Misconception(
        "p is the keep probability", "block", lambda: (_layer(lambda X, p: _factor(X, 1 - p)),), KEEP
    ),
    Misconception(
        "the survivors need no rescaling", "block", lambda: (_layer(lambda X, p: _factor(X, p) > 0),), NEVER
    ),
    Misconception(
        "one mask serves the whole batch",
        "block",
        lambda: (_layer(lambda X, p: nd.broadcast_like(_factor(X[:1], p), X)),),
        ONE_MASK,
    ),
    Misconception("record() is harmless without backward()", "evaluate", lambda: (_recorded_loss,), RECORDED),
    Misconception("record() covers only the lines written in it", "evaluate", lambda: (_loss,), SCOPE),
    Misconception(
        "step(batch size) fits every loss",
        "step",
        lambda: (_step(lambda losses: losses.mean(), len),),
        DIVIDED_TWICE,
    ),
    Misconception(
        "backward() takes the mean of a vector of losses",
        "step",
        lambda: (_step(_as_it_is, lambda X: 1),),
        SUMMED,
    ),
    Misconception(
        "p = 1 gives zeros everywhere",
        "rate",
        lambda: (_guarded(lambda p: not 0 <= p <= 1, None),),
        ONE_IS_NAN,
    ),
    Misconception("every layer refuses a wrong rate", "rate", lambda: (_guarded(lambda p: False),), SILENT),
    Misconception(
        "p < 0 or p > 1 finds every wrong rate",
        "rate",
        lambda: (_guarded(lambda p: p < 0 or p > 1),),
        COMPARE,
    ),
    Misconception("one run is evidence", "control", lambda: (differences, "with dropout"), ONE_RUN),
    Misconception(
        "the larger mean of three runs wins", "control", lambda: (differences, "without dropout"), SMALL_MEAN
    ),
]
