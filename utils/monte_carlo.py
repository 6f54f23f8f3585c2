"""Monte Carlo dropout: every dropout of a net on, all else in eval mode, in three frameworks.

Nets and inputs in, NumPy arrays of passes (T, n, ...) out.

Written by chapter 11: change it there, then run `python3 course.py library`.
"""

import sys
from contextlib import contextmanager, nullcontext
from functools import partial

import numpy as np
import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.dropout import _DropoutNd
from torch.nn.parallel import DataParallel, DistributedDataParallel

from utils.arguments import check_inputs, check_outputs, check_positive_int
from utils.frameworks import load_keras, load_mxnet
from utils.torch_training import probabilities, seeded

# --- built in chapter 11, section 5. Every dropout of a net ---


# PyTorch's modules whose own flag switches a dropout, be it a layer or a number.
HOLDERS = (_DropoutNd, nn.MultiheadAttention, nn.RNNBase, nn.TransformerEncoderLayer)


def foreign_modules(net):
    """{name: module} of those whose class is not PyTorch's, batch norm apart."""
    return {
        name: module
        for name, module in net.named_modules()
        if not type(module).__module__.startswith("torch.nn.")
        and hasattr(module, "training")
        and not isinstance(module, _NormBase)
    }


@contextmanager
def only_training(net, modules):
    """In the block these modules of net are in train mode, all others in eval mode.

    After it each module has its own flag again: what was frozen stays frozen.
    """
    flags = {m: m.training for m in net.modules() if hasattr(m, "training")}
    try:
        for module in flags:
            module.training = module in modules
        yield
    finally:
        for module, flag in flags.items():
            module.training = flag


def find_dropout(net, x):
    """{name: module}: all modules of net whose own flag switches a dropout.

    ValueError if inputs x show none, or one that cannot be switched alone.
    """
    found = {k: m for k, m in net.named_modules() if isinstance(m, HOLDERS)}
    two = torch.cat([x[:2], x[:2]])[:2]
    if others := foreign_modules(net):
        found |= try_modules(net, two, found, others)
    if not found and noise(net, two)[0] == QUIET:
        name = type(net).__name__
        hint = "a traced or exported net keeps the mode in which it was made"
        raise ValueError(f"net must have dropout, got {name} without any ({hint})")
    return found


# --- built in chapter 11, section 6. The passes, and how many ---


def draw_passes(net, found, x, num_samples, seed, batch_size):
    """Probabilities (T, n, classes); what comes before all dropout is computed once."""
    check_positive_int("batch_size", batch_size)
    first, rest = split_at_dropout(net, found, x[:2])
    parts = []
    with dropout_on(net, found, seed, x.device):
        for part in x.split(batch_size):
            h = first(part)
            passes = [probabilities(rest(h), len(h)) for _ in range(num_samples)]
            parts.append(np.stack(passes))
    return np.concatenate(parts, axis=1)


@torch.inference_mode()
def predict_mc(net, x, *, num_samples, seed, batch_size=1_000):
    """Class probabilities of T = num_samples passes: float32 array (T, n, classes).

    net makes logits (n, classes) of x (n, ...). ValueError if not all dropout can be
    switched on, or all passes are equal. Source: Gal & Ghahramani 2016, section 4.
    """
    check_positive_int("num_samples", num_samples)
    x, net = torch.as_tensor(x), unwrapped(net)
    check_inputs("x", x)
    with uncompiled():
        found = find_dropout(net, x)
        samples = draw_passes(net, found, x, num_samples, seed, batch_size)
        check_passes(samples, lambda: draw_passes(net, found, x[:4], 200, seed, 4))
    return samples


# --- built in chapter 11, section A1 Which modules drop? A trial ---


QUIET = (None, True)  # what `noise` finds where nothing is drawn


def seeded_pass(net, x):
    """(outputs, PyTorch's next random number, or None if the pass drew none)."""
    with seeded(0):
        fresh = torch.rand(1, device=x.device)
    with seeded(0):
        outputs = net(x)
        after = torch.rand(1, device=x.device)
    check_outputs("net's outputs", outputs, len(x))
    return outputs, None if after == fresh else after.item()


@torch.inference_mode()
def noise(net, x, modules=()):
    """What a pass draws with these modules in train mode, and the buffers it moves.

    Drawn: PyTorch's next random number, and whether a second pass with the same seed is
    equal. The buffers are put back. ValueError unless outputs are (n, classes).
    """
    kept = {name: buffer.clone() for name, buffer in net.named_buffers()}
    with only_training(net, set(modules)):
        (one, drawn), (two, _) = seeded_pass(net, x), seeded_pass(net, x)
    moved = [k for k, b in net.named_buffers() if not torch.equal(b, kept[k])]
    for name, buffer in net.named_buffers():
        buffer.copy_(kept[name])
    return (drawn, torch.allclose(one, two, equal_nan=True)), moved


def try_modules(net, x, found, others):
    """Those of the others without which a pass in train mode draws something else."""
    every = found | others
    drawn, _ = noise(net, x, every.values())
    if noise(net, x, found.values())[0] == drawn:
        return {}
    rest = {key: [m for k, m in every.items() if k != key] for key in others}
    chosen = {k: others[k] for k in others if noise(net, x, rest[k])[0] != drawn}
    now, moved = noise(net, x, (found | chosen).values())
    if now != drawn or moved:
        what = f"moves {', '.join(moved)}, too" if moved else "leaves some of it off"
        names = ", ".join(name or "net" for name in chosen or others)
        raise ValueError(f"net must drop by flags of its own: that of {names} {what}")
    return chosen


# --- built in chapter 11, section A2 Passes at a lower price ---


def split_at_dropout(net, found, x):
    """(first, rest) that make up net; first, where that is clear, has no dropout."""
    plain = isinstance(net, nn.Sequential)
    plain = plain and type(net).forward is nn.Sequential.forward
    hooked = net._forward_hooks or net._forward_pre_hooks
    always = foreign_modules(net) and noise(net, x)[0] != QUIET  # in eval mode, too
    if not plain or hooked or always:
        return nn.Identity(), net
    layers, dropped = list(net), set(found.values())
    start = next(i for i, m in enumerate(layers) if dropped & set(m.modules()))
    return nn.Sequential(*layers[:start]), nn.Sequential(*layers[start:])


def drop_output(rng, module, inputs, output):
    """A forward hook that does what `nn.Dropout` does, with 16 random bits per unit.

    They take a tenth of the time of PyTorch's and meet p to within 1 / 131,072.
    """
    threshold = round(module.p * 2**16)
    if threshold == 2**16:
        return torch.zeros_like(output)
    size = output.numel()
    bits = rng.integers(2**64, size=-(-size // 4), dtype=np.uint64).view(np.uint16)
    keep = bits[:size].reshape(output.shape) >= threshold
    factor = keep * np.float32(2**16 / (2**16 - threshold))  # its mean is 1
    return output * torch.from_numpy(factor).to(output)


def fast_layers(net, found, device):
    """The layers that `drop_output` may stand for: `nn.Dropout` on a CPU.

    A foreign module around one may read its flag and its p, and drop by itself.
    """
    if device.type != "cpu":
        return set()
    around = tuple(f"{name}." if name else "" for name in foreign_modules(net))
    return {
        module for name, module in found.items() if type(module) is nn.Dropout and not name.startswith(around)
    }


@contextmanager
def dropout_on(net, found, seed, device):
    """In the block the dropout that was found is on, all else in eval mode."""
    fast = fast_layers(net, found, device)
    hook = partial(drop_output, np.random.Generator(np.random.SFC64(seed)))
    hooks = [module.register_forward_hook(hook) for module in fast]
    try:
        with only_training(net, set(found.values()) - fast), seeded(seed):
            yield
    finally:
        for handle in hooks:
            handle.remove()


def check_passes(samples, more=None):
    """ValueError if passes (T, n, ...) hold NaN, or are equal, and so are more().

    Few passes of a small net may be equal by chance; more() draws many.
    """
    if np.isnan(samples.sum()):
        raise ValueError("net's outputs must be numbers, got NaN")
    if len(samples) > 1 and (samples == samples[0]).all():
        again = more() if more else samples
        if (again == again[0]).all():
            hint = "is every drop probability 0, or is the dropout without effect?"
            raise ValueError(f"net must give passes that differ, got equal: {hint}")


# --- built in chapter 11, section A3 Nets in a wrapper ---


def unwrapped(net):
    """The net inside DataParallel, DistributedDataParallel and torch.compile."""
    wrappers = DataParallel, DistributedDataParallel
    while isinstance(net, wrappers) or hasattr(net, "_orig_mod"):
        net = net.module if isinstance(net, wrappers) else net._orig_mod
    return net


def uncompiled():
    """A block in which compiled code runs as written: each mode would compile it."""
    if "torch._dynamo" in sys.modules and hasattr(torch.compiler, "set_stance"):
        return torch.compiler.set_stance("force_eager")
    return nullcontext()


# --- built in chapter 11, section A4 Keras ---


@contextmanager
def keras_norms_frozen(net):
    """In the block batch norm predicts, even under training=True."""
    kind = load_keras().layers.BatchNormalization
    norms = [layer for layer in net._flatten_layers() if isinstance(layer, kind)]
    parts = [part for norm in norms for part in (norm, *norm.weights)]
    flags = [part.trainable for part in parts]
    try:
        for norm in norms:
            norm.trainable = False
        yield
    finally:
        for part, flag in zip(parts, flags, strict=True):
            part.trainable = flag


@contextmanager
def keras_states_kept(net, seed):
    """In the block masks follow from the seed. ValueError if a weight moves in it."""
    value, rng = load_keras().ops.convert_to_numpy, np.random.default_rng(seed)
    kept = [(v, np.array(value(v))) for v in net.variables]
    for generator in (v for v, _ in kept if "seed_generator" in v.path):
        generator.assign(rng.integers(2**31, size=2))
    try:
        yield
        moved = [v.path for v, old in kept if (value(v) != old).any()]
        if moved := [path for path in moved if "seed_generator" not in path]:
            raise ValueError(f"net must only drop in training, not move {moved[0]}")
    finally:
        for variable, old in kept:
            variable.assign(old)


def keras_passes(net, x, *, num_samples, seed):
    """Outputs (T, n, ...) of T = num_samples passes of a Keras net over x (n, ...).

    Every dropout is on. ValueError if training=True does more, or passes are equal.
    """
    check_inputs("x", x)
    kinds = sorted({type(layer).__name__ for layer in net._flatten_layers()})
    if noisy := [kind for kind in kinds if kind.startswith(("GaussianN", "Random"))]:
        raise ValueError(f"net must be random by dropout alone, got {noisy[0]}")
    value = load_keras().ops.convert_to_numpy
    with seeded(seed), keras_norms_frozen(net), keras_states_kept(net, seed):
        samples = np.stack([value(net(x, training=True)) for _ in range(num_samples)])
    check_passes(samples)
    return samples


# --- built in chapter 11, section A5 Gluon ---


@contextmanager
def gluon_norms_frozen(net):
    """In the block batch norm uses its running statistics, in train mode, too."""
    kind, blocks = load_mxnet().gluon.nn.BatchNorm, gluon_blocks(net)
    norms = [block._kwargs for block in blocks if isinstance(block, kind)]
    if norms and any(getattr(block, "_active", False) for block in blocks):
        raise ValueError("net must not be hybridized: call net.hybridize(False) first")
    flags = [settings["use_global_stats"] for settings in norms]
    try:
        for settings in norms:
            settings["use_global_stats"] = True
        yield
    finally:
        for settings, flag in zip(norms, flags, strict=True):
            settings["use_global_stats"] = flag


def silent_layers(blocks, run):
    """Names of recurrent layers that do not drop in train mode; run() runs the net."""
    layers, seen = [m for m in blocks if getattr(m, "_dropout", 0) > 0], {}

    def note(block, inputs, outputs):
        seen[block] = inputs[0]

    hooks = [layer.register_forward_hook(note) for layer in layers]
    run()
    for hook in hooks:
        hook.detach()
    with load_mxnet().autograd.train_mode():
        pairs = [(layer, layer(x), layer(x)) for layer, x in seen.items()]
    return [layer.name for layer, a, b in pairs if (a == b).asnumpy().all()]


def gluon_blocks(net):
    """All blocks of a Gluon net."""
    blocks = []
    net.apply(blocks.append)
    return blocks


def gluon_passes(net, x, *, num_samples, seed):
    """Outputs (T, n, ...) of T = num_samples passes of a Gluon net over an NDArray x.

    It seeds MXNet's only generator. ValueError if a layer fails to drop.
    """
    mx = load_mxnet()
    check_inputs("x", x.asnumpy())
    if silent := silent_layers(gluon_blocks(net), lambda: net(x)):
        hint = "set MXNET_USE_MKLDNN_RNN=0 before MXNet is imported"
        raise ValueError(f"net must drop in all layers, {silent[0]} does not: {hint}")
    mx.random.seed(seed)
    with gluon_norms_frozen(net), mx.autograd.train_mode():
        samples = np.stack([net(x).asnumpy() for _ in range(num_samples)])
    check_passes(samples)
    return samples
