"""Eval-mode Detective: a real layer of a real framework, the same input twenty times."""

import numpy as np
import traitlets

from utils.frameworks import absence, available, load_keras, load_mxnet
from utils.widgets import guess
from utils.widgets.base import Choice, CourseWidget, Probability, WholeNumber, bundle

PASSES, UNITS = 20, 12
ROUNDS, ROUND_P = 5, 0.5
# One input for all: no zero in it, so that a zero in the output means "dropped".
INPUT = np.linspace(0.5, 1.6, UNITS, dtype=np.float32)


def torch_passes(situation, p, seed):
    import torch
    from torch.nn import functional

    x = torch.from_numpy(INPUT)
    layer = torch.nn.Dropout(p)
    if situation != "new layer":
        layer.train(situation.startswith("train()"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if situation == "F.dropout after eval()":
            return [functional.dropout(x, p).numpy() for _ in range(PASSES)]
        with torch.set_grad_enabled("no_grad" not in situation):
            return [layer(x).numpy() for _ in range(PASSES)]


def keras_passes(situation, p, seed):
    keras = load_keras()
    layer = keras.layers.Dropout(p, seed=seed)
    words = {"layer(x)": {}, "training=True": {"training": True}, "training=False": {"training": False}}
    x = INPUT[None]
    return [keras.ops.convert_to_numpy(layer(x, **words[situation]))[0] for _ in range(PASSES)]


def gluon_passes(situation, p, seed):
    mx = load_mxnet()
    from mxnet import autograd

    modes = {
        "plain call": autograd.pause,
        "record()": autograd.record,
        "record(train_mode=False)": lambda: autograd.record(train_mode=False),
        "train_mode()": autograd.train_mode,
        "predict_mode()": autograd.predict_mode,
    }
    layer = mx.gluon.nn.Dropout(p)
    mx.random.seed(seed)
    x = mx.nd.array(INPUT)
    with modes[situation]():
        return [layer(x).asnumpy() for _ in range(PASSES)]


FRAMEWORKS = {
    "PyTorch": ("torch", torch_passes, ("new layer", "train()", "eval()", "train() and no_grad",
                                        "eval() and no_grad", "F.dropout after eval()")),
    "Keras": ("keras", keras_passes, ("layer(x)", "training=True", "training=False")),
    "Gluon": ("mxnet", gluon_passes, ("plain call", "record()", "record(train_mode=False)",
                                      "train_mode()", "predict_mode()")),
}  # fmt: skip


class EvalDetective(CourseWidget):
    """The same 12 numbers go 20 times through a dropout layer: in which situations is dropout on?

    The kernel runs the real layer for every move. A framework that is not installed is not offered.

    Parameters
    ----------
    framework : "PyTorch", "Keras" or "Gluon"
    situation : str
        How the layer is called; each framework has its own (see FRAMEWORKS). The first one if empty.
    p : float in [0, 1]
        Drop probability.
    seed : int
    """

    _esm = bundle("eval_detective")
    needs_kernel = True
    settings = ("framework", "situation", "p", "seed")

    # The answer to a move is what counts: without ipywidgets' echo of the move it comes sooner.
    framework = Choice(*FRAMEWORKS).tag(sync=True, echo_update=False)
    situation = traitlets.Unicode("").tag(sync=True, echo_update=False)
    p = Probability(0.5).tag(sync=True, echo_update=False)
    seed = WholeNumber(0).tag(sync=True, echo_update=False)
    options = traitlets.Dict().tag(sync=True)
    input = traitlets.Bytes(INPUT.tobytes()).tag(sync=True)
    outputs = traitlets.Bytes().tag(sync=True)
    # The settings that these outputs belong to: while the kernel works on others, the browser says so.
    outputs_of = traitlets.List().tag(sync=True)
    # Five rounds: how often they were started; what was dealt; what the learner said so far.
    game = traitlets.Int(0).tag(sync=True)
    rounds = traitlets.List().tag(sync=True)
    said = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(self, **state):
        framework = state.setdefault("framework", "PyTorch")
        if framework in FRAMEWORKS:
            state["situation"] = state.get("situation") or FRAMEWORKS[framework][2][0]
            _check(framework, state["situation"])
        self._passes = None
        super().__init__(**state)
        self.observe(self._change, list(self.settings))
        self.observe(lambda change: self.deal(), "game")

    def prepare(self):
        self.options = {
            name: list(situations)
            for name, (package, _, situations) in FRAMEWORKS.items()
            if available(package)
        }
        self._run()

    def ask(self):
        numbers = self.numbers()
        through = int((self._passes[0] != 0).sum())
        return (
            f"Predict first: a {self.framework} dropout layer with p = {self.p:.2f}, called this way: "
            f"{self.situation}. Does it drop anything?",
            guess.choice("yes", "no"),
            "no" if numbers["identity"] else "yes",
            f"The first pass lets {through} of {UNITS} values through; {PASSES} passes of one input give "
            f"{numbers['different']} different output{'s' if numbers['different'] > 1 else ''}.",
        )

    @traitlets.validate("situation")
    def _check_situation(self, proposal):
        try:
            _check(self.framework, proposal["value"])
        except ValueError as error:
            raise traitlets.TraitError(str(error)) from None
        return proposal["value"]

    def _change(self, change):
        situations = FRAMEWORKS[self.framework][2]
        if self.situation not in situations:
            # The reader switched to another framework: its first situation. This calls us again.
            self.situation = situations[0]
            return
        try:
            self._run()
            self.error = ""
        except Exception as error:  # shown in the widget; the previous picture stays
            self.error = f"{type(error).__name__}: {error}"

    def deal(self):
        """Deal five rounds in the framework on show: outputs of a call that the learner has to find.

        `rounds` holds for each the call, the 20 outputs, and all calls that do the same with their input
        (drop, or pass it on): any of them is a right answer.
        """
        _, run, situations = FRAMEWORKS[self.framework]
        rng = np.random.default_rng([self.seed, self.game])
        try:
            drops = {s: bool((np.array(run(s, ROUND_P, self.seed)) == 0).any()) for s in situations}
            calls = [str(call) for call in rng.choice(situations, ROUNDS)]
            while len({drops[call] for call in calls}) == 1:  # both kinds occur
                calls = [str(call) for call in rng.choice(situations, ROUNDS)]
            rounds = [
                {
                    "call": call,
                    "outputs": np.array(run(call, ROUND_P, int(rng.integers(2**31)))).ravel().tolist(),
                    "alike": [other for other in situations if drops[other] == drops[call]],
                }
                for call in calls
            ]
        except Exception as error:  # shown in the widget; the previous picture stays
            self.error = f"{type(error).__name__}: {error}"
            return
        with self.hold_sync():
            self.said, self.rounds, self.error = [], rounds, ""

    def _run(self):
        passes = FRAMEWORKS[self.framework][1](self.situation, self.p, self.seed)
        self._passes = np.array(passes, dtype=np.float32)
        with self.hold_sync():
            self.outputs = self._passes.tobytes()
            self.outputs_of = [getattr(self, name) for name in self.settings]

    def numbers(self):
        """The state, whether all 20 outputs equal the input, the number of different outputs, and of the five
        rounds those that were answered and those that were answered rightly.
        """
        return {
            "framework": self.framework,
            "situation": self.situation,
            "p": self.p,
            "identity": bool((self._passes == INPUT).all()),
            "different": len({row.tobytes() for row in self._passes}),
            "rounds": len(self.said),
            "rounds_right": sum(
                said in dealt["alike"] for said, dealt in zip(self.said, self.rounds, strict=False)
            ),
        }

    def draw(self, plotting):
        """The 20 outputs as a static figure: darker is larger, a cross is a zero."""
        numbers = self.numbers()
        found = (
            "all equal to the input" if numbers["identity"] else f"{numbers['different']} different outputs"
        )
        fig, ax = plotting.new_figure(
            f"Twenty passes of one input through dropout p = {self.p:.2f} in {self.framework}, "
            f"{self.situation}: {found}.",
            height=5.0,
        )
        # Rows and columns are counted from 1, as in the browser.
        edges = (0.5, UNITS + 0.5, PASSES + 0.5, 0.5)
        ax.imshow(self._passes, cmap="Blues", vmin=0, vmax=4, aspect="auto", extent=edges)
        y, x = np.nonzero(self._passes == 0)
        ax.scatter(x + 1, y + 1, marker="x", color=plotting.series_style("dropped")["color"])
        ax.set(xticks=range(1, UNITS + 1), yticks=[1, 5, 10, 15, 20])
        ax.set(title=f"{self.framework}, {self.situation}: {found}", xlabel="unit", ylabel="pass")
        ax.grid(False)
        return fig


def _check(framework, situation):
    package, _, situations = FRAMEWORKS[framework]
    if situation not in situations:
        raise ValueError(f"situation must be one of {', '.join(situations)}, got {situation!r}")
    if not available(package):
        raise ValueError(f"framework must be one that is installed, got {framework!r}: {absence(package)}")
