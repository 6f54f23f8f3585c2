"""Many runs of one function over settings and seeds, in parallel, on one machine or many.

A run is a function of its arguments alone, so a sweep gives the same numbers in whatever order and process
its runs are done.
"""

import threading
import warnings
from itertools import product

import joblib
import torch
from joblib.externals.loky import get_reusable_executor
from joblib.parallel import BACKENDS, get_active_backend

from utils.arguments import check_positive_int


def sweep(run, settings, num_jobs=2):
    """Call `run(**setting)` for every setting, in parallel processes, and return the results in order.

    Each run computes on one thread and has PyTorch's generator to itself, so its numbers do not depend on
    how many runs are done beside it. The work goes through joblib, so the caller chooses where it is done:

    - `sweep(run, settings)` uses processes of this machine, which end when it does;
    - the same call inside `joblib.parallel_config(backend="dask")` uses the Dask cluster of the current
      `dask.distributed.Client`; a run whose worker dies is done again on another one;
    - `sweep(joblib.Memory("folder", verbose=0).cache(run), settings)` keeps each finished run on disk, so a
      sweep that was stopped goes on where it was.

    Parameters
    ----------
    run : callable
        Keyword arguments to a dict of results. A function of its arguments alone, that calls no sweep. A
        cluster's workers must be able to import what it uses.
    settings : iterable of dict
        The keyword arguments of each run.
    num_jobs : int
        Number of processes. On a Dask cluster its number of workers counts instead.

    Returns
    -------
    list of dict: each setting merged with its results, in the order of `settings`

    Raises
    ------
    ValueError
        A run returns a result under the name of a setting.
    RuntimeError
        A run calls `sweep`.
    """
    settings = list(settings)
    num_jobs = check_positive_int("num_jobs", num_jobs)
    if getattr(_here, "running", False):
        raise RuntimeError("run must not call sweep: join the two sweeps' settings into one list")
    # A setting travels as one dict: joblib would keep a large argument of its own on a single Dask worker.
    with warnings.catch_warnings():
        # joblib replaces a worker whose memory has grown by 300 MB, and says so; no run is lost.
        warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
        try:
            results = joblib.Parallel(n_jobs=num_jobs)(
                joblib.delayed(_run_alone)(run, setting) for setting in settings
            )
        finally:
            if num_jobs > 1 and isinstance(get_active_backend()[0], BACKENDS["loky"]):
                _end_processes()
    for setting, result in zip(settings, results, strict=True):
        if both := sorted(setting.keys() & result.keys()):
            raise ValueError(f"run must not return results under names of settings, got {', '.join(both)}")
    return [{**setting, **result} for setting, result in zip(settings, results, strict=True)]


def grid(**choices):
    """All combinations of the choices as settings for `sweep`: grid(seed=(0, 1), p=(0, 0.5)) has four."""
    return [dict(zip(choices, one, strict=True)) for one in product(*choices.values())]


def _end_processes():
    """End the processes that joblib would keep for a next call.

    A kernel that ended before them would leave complaints in the terminal and, if killed, them as well.
    """
    get_reusable_executor(reuse=True).terminate()


_here = threading.local()  # .running is True in a thread that does a run of a sweep
_turn = threading.Lock()  # PyTorch has one generator per process, so threads of one process take turns


def _run_alone(run, setting):
    with _turn:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        _here.running = True
        try:
            return run(**setting)
        finally:
            _here.running = False
            torch.set_num_threads(threads)
