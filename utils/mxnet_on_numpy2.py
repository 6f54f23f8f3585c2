"""MXNet 1.9.1 on NumPy 2: while it is imported, NumPy has the old names that it asks for.

MXNet is retired and its metadata asks for NumPy 1. What it misses on NumPy 2 is twenty names: some of them
constants and functions that have another name now, the others functions that it only lists. On Python 3.12
and later it also asks for distutils, which setuptools provides.
"""

from contextlib import contextmanager

import numpy as np

# See "NumPy 2.0 migration guide", and for the functions that are gone the release notes of NumPy 1.20 to 2.4.
RENAMED = {
    "PINF": np.inf,
    "NINF": -np.inf,
    "PZERO": 0.0,
    "NZERO": -0.0,
    "NAN": np.nan,
    "NaN": np.nan,
    "Inf": np.inf,
    "alltrue": np.all,
    "sometrue": np.any,
    "product": np.prod,
    "round_": np.round,
}
GONE = ("in1d", "mirr", "msort", "npv", "pmt", "ppmt", "pv", "rate", "trapz")


def no_longer_in_numpy(*args, **kwargs):
    """Stands for a function that MXNet lists and NumPy no longer has."""
    raise NotImplementedError("MXNet 1.9.1 takes this function from NumPy 1; NumPy 2 does not have it")


@contextmanager
def old_names():
    """Inside the block NumPy has the old names that it lacks; afterwards it is as it was before.

    One name stays, where it is missing: `numpy.bool`, which NumPy 1.24 to 1.26 lack and NumPy 2 has again.
    MXNet uses it when it runs.
    """
    if "bool" not in vars(np):
        np.bool = np.bool_
    old = RENAMED | dict.fromkeys(GONE, no_longer_in_numpy)
    added = {name: value for name, value in old.items() if name not in vars(np)}
    vars(np).update(added)
    try:
        yield
    finally:
        for name in added:
            delattr(np, name)
