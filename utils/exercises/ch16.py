"""The checks of chapter 16's exercises."""

import numpy as np

from utils.exercises import beliefs, expect
from utils.exercises.engine import written

# --- 1. coin ---

SKIP = 0.2


def passes_needed(agreeing):
    """The smallest n >= 2 for which agreeing(n), a probability, is below 0.01."""
    return next(n for n in range(2, 1_000) if agreeing(n) < 0.01)


def check_coin(two_agree, needed):
    """P(two passes agree) with one coin a pass, p = 0.2; and passes until all agree in less than 1 %."""
    rule = "0.8 x 0.8, both times kept, plus 0.2 x 0.2, both times skipped"
    known = {beliefs.ONLY_USED: 0.64, beliefs.ONE_COIN: 0.8}
    expect.close(two_agree, 0.68, rule, known, "{}", tolerance=0.004)
    right = passes_needed(lambda n: (1 - SKIP) ** n + SKIP**n)
    pairs = passes_needed(lambda n: 0.68**n)
    rule = f"{right} passes: the first n with 0.8**n + 0.2**n below 0.01"
    expect.close(needed, right, rule, {beliefs.PAIRS: [pairs, pairs + 1]}, "{} passes")


# --- 2. frozen ---

DROPS = {
    "torch.jit.trace in train mode, then eval()": True,
    "torch.jit.trace in eval mode, then train()": False,
    "a new net, given the state_dict of one in eval mode": True,
    "an ONNX file of a net in train mode, ONNX Runtime as it comes": False,
    "the same file, the runtime's optimisations switched off": True,
    "Keras, Dropout(0.5)(h, training=True), asked by net(x)": True,
    "the same Keras net, asked by predict": False,
}


def check_frozen(drops):
    """Dict situation -> True if it drops, in the versions of the chapter."""
    whys = {
        "torch.jit.trace in train mode, then eval()": beliefs.EVAL_THAWS,
        "torch.jit.trace in eval mode, then train()": beliefs.EVAL_THAWS,
        "an ONNX file of a net in train mode, ONNX Runtime as it comes": beliefs.ONE_FILE,
        "the same file, the runtime's optimisations switched off": beliefs.RUNTIME_CARES,
        "the same Keras net, asked by predict": beliefs.BUILT_STAYS,
    }
    expect.truths(drops, DROPS, whys, "True or False for {}, as a run of the chapter shows it")


# --- 3. draws ---


def check_draws(draws):
    """A function: (call, rng) -> True if call() takes random numbers from the Generator rng."""
    rng = np.random.default_rng(0)
    start = np.random.default_rng(1).bit_generator.state

    def reseeding():
        rng.bit_generator.state = start
        rng.random(3)

    calls = {
        "a call that draws 64 numbers": (lambda: rng.random(64), True, None),
        "a call that draws nothing": (lambda: None, False, beliefs.MOVED_BY_YOU),
        "a call that draws one number": (lambda: rng.random(), True, None),
        "a call that draws from another generator": (np.random.default_rng(2).random, False, None),
        "a call that first seeds the generator, called again": (reseeding, True, beliefs.SAME_STATE),
    }
    reseeding()
    for name, (call, right, why) in calls.items():
        if call is reseeding:
            reseeding()  # the generator stands where the last call left it
        expect.truth(written(draws(call, rng)), right, f"{right} for {name}", why)


# --- 4. is_off ---

WEIGHTS = np.random.default_rng(0).normal(size=(6, 40)) / 6
INPUTS = np.random.default_rng(1).normal(size=(32, 6))
P = 0.3


def hidden(x):
    return np.maximum(x @ WEIGHTS, 0)


def masked(h, rng):
    return h * (rng.random(h.shape) >= P) / (1 - P)


def make_nets():
    """{name: (predict, whether its dropout is off, the idea behind a wrong answer)}, freshly made."""
    fresh, tiny, coin = (np.random.default_rng(seed) for seed in (2, 3, 4))
    places = (np.random.default_rng(5).random((1_000, 40)) >= P) / (1 - P)
    rounding = np.random.default_rng(6)
    return {
        "a net without dropout": (hidden, True, None),
        "a net with fresh masks": (lambda x: masked(hidden(x), fresh), False, None),
        "a net whose answers are rounded otherwise at each call, about 1e6 large": (
            lambda x: 1e6 * hidden(x) * (1 + 1e-8 * rounding.normal(size=(len(x), 1))),
            True,
            beliefs.BIT_EQUAL,
        ),
        "a net with fresh masks whose answers are about 1e-10": (
            lambda x: 1e-10 * masked(hidden(x), tiny),
            False,
            beliefs.ABSOLUTE,
        ),
        "a net that skips a layer in one call of ten": (
            lambda x: hidden(x) * (1 if coin.random() < 0.1 else 2),
            False,
            beliefs.TWO_PASSES,
        ),
        "a net with a mask for each place in the batch": (
            lambda x: hidden(x) * places[: len(x)],
            False,
            beliefs.SAME_PLACE,
        ),
        "a net that takes the mean of its batch away": (
            lambda x: hidden(x) - hidden(x).mean(axis=0),
            False,
            beliefs.SAME_COMPANY,
        ),
    }


def check_is_off(is_off):
    """A function: (predict, x) -> True if predict(x), (n, 6) to (n, 40), is a function of each row alone."""
    for name, (predict, right, why) in make_nets().items():
        expect.truth(written(is_off(predict, INPUTS.copy())), right, f"{right} for {name}", why)


HINTS = {
    "coin": "Two passes agree if the coin falls the same way twice. n passes agree if it falls the same way "
    "n times: all kept, or all skipped.",
    "frozen": "A file is a list of operations, written at one moment. Then ask who runs it, and whether the "
    "runner may change the list. Sections 4 and 5 of the chapter ran all but two of them.",
    "draws": "Compare rng.bit_generator.state before and after. And move the generator a little before, or a "
    "call that seeds it itself ends where it began.",
    "is_off": "One answer first. Then a hundred passes, the batch turned round, the first half of it. "
    "np.allclose has an absolute tolerance of its own: set rtol and atol by the size of the answers.",
}
