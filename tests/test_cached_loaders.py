"""What is loaded once and lent to many is read-only: after `x *= 0` in one place all others would suffer."""

import importlib
import inspect
import pkgutil

import numpy as np
import pytest

import utils
from conftest import skip_or_fail

# Arguments for the cached functions that need some.
ARGUMENTS = {
    "all_masks": (3,),
    "bundle": ("mask_lab",),
    "epochs_needed": (0, 1),
    "load_bank": ("lens",),
    "make_points": (0,),
    "_train": (0, (0.0, 0.0), 8, 28),
    "_pool": (7,),
}
# Not handed out: load_tensors copies (see below); _subset serves the making of a bank.
KEPT_INSIDE = {"kept_images", "_subset"}


def cached_functions():
    """{module.name: function} of every cached function of utils; None where an import fails."""
    found = {}
    for module in pkgutil.walk_packages(utils.__path__, "utils."):
        try:
            names = vars(importlib.import_module(module.name))
        except ImportError:
            found[module.name] = None
            continue
        for name, value in names.items():
            if hasattr(value, "cache_info") and value.__module__ == module.name and name not in KEPT_INSIDE:
                found[f"{module.name}.{name}"] = value
    return found


def arrays(value):
    """The NumPy arrays in a value, through tuples, lists, dicts and the attributes of objects of utils."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, dict):
        yield from arrays(list(value.values()))
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from arrays(part)
    elif type(value).__module__.startswith("utils."):
        yield from arrays(vars(value))


def test_what_is_lent_to_many_is_read_only():
    found = cached_functions()
    assert {"utils.exercises.ch02.load_images", "utils.widgets.base.load_bank"} < found.keys()
    writeable = []
    for name, function in found.items():
        if function is not None:
            given = ARGUMENTS.get(name.rpartition(".")[2], ())
            inspect.signature(function).bind(*given)  # a TypeError here: give it a line in ARGUMENTS
            writeable += [name for array in arrays(function(*given)) if array.flags.writeable]
    assert not writeable, sorted(set(writeable))
    missing = [name for name, function in found.items() if function is None]
    if missing:
        skip_or_fail(f"these need a package that is not here: {', '.join(missing)}")


def test_tensors_are_copies_of_what_is_kept():
    torch_training = pytest.importorskip("utils.torch_training")
    first = torch_training.load_tensors("fashion_mnist", num_train=20)
    for tensor in first.values():
        tensor.zero_()
    again = torch_training.load_tensors("fashion_mnist", num_train=20)
    assert all(again[name].any() for name in ("x_train", "y_train", "x_test", "y_test"))
