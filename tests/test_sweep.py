"""The sweep of utils/sweep.py: processes, threads, a disk cache, a Dask cluster that loses a worker."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import joblib
import numpy as np
import psutil
import pytest
import torch
from dask.distributed import Client, LocalCluster

from utils.sweep import grid, sweep
from utils.torch_training import fit, make_mlp, measure, predict

ROOT = Path(__file__).resolve().parent.parent
DOOMED = {"drop_prob": 0.5, "seed": 1}
SETTINGS = [{"drop_prob": p, "seed": seed} for p in (0.0, 0.2, 0.5, 0.8) for seed in range(3)]


def run(drop_prob, seed):
    """A small net on a small problem: the same numbers wherever it is done, to the last bit."""
    rng = np.random.default_rng(seed)
    x = torch.from_numpy(rng.normal(size=(200, 12)).astype(np.float32))
    y = x[:, :3].argmax(dim=1)
    model = make_mlp((12, 32, 32, 3), (drop_prob, drop_prob), seed=seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    fit(model, x, y, num_epochs=5, batch_size=20, optimizer=optimizer, seed=seed)
    return {**measure(predict(model, x), y), "weights": [p.sum().item() for p in model.parameters()]}


class LoggedRun:
    """`run` that writes each start into a folder; the first start of DOOMED waits to be killed there."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, drop_prob, seed):
        setting = {"drop_prob": drop_prob, "seed": seed}
        name = f"{drop_prob}_{seed}"
        start = self.folder / f"{name}.{len(list(self.folder.glob(name + '.*')))}"
        temporary = self.folder / f"writing_{os.getpid()}"
        temporary.write_text(str(os.getpid()))
        temporary.rename(start)
        if setting == DOOMED and start.suffix == ".0":
            time.sleep(60)
        return run(drop_prob, seed)


def kill_the_doomed(folder):
    """Wait until DOOMED has started, then kill its process as `kill -9` does."""
    start = folder / f"{DOOMED['drop_prob']}_{DOOMED['seed']}.0"
    while not start.exists():
        time.sleep(0.02)
    os.kill(int(start.read_text()), signal.SIGKILL)


def children():
    """Processes below this one, but for Python's own resource tracker, which lives as long as pytest."""
    found = psutil.Process().children(recursive=True)
    return {child for child in found if "resource_tracker" not in " ".join(child.cmdline())}


needs_sigkill = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")


@needs_sigkill
@pytest.mark.filterwarnings("error", "ignore::ResourceWarning")
def test_a_dask_cluster_that_loses_a_worker_gives_every_result_once_and_bit_for_bit(tmp_path, capfd):
    alone = sweep(run, SETTINGS, num_jobs=1)
    before = children()
    starts = tmp_path / "starts"
    starts.mkdir()
    killer = threading.Thread(target=kill_the_doomed, args=(starts,), daemon=True)
    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # where even a cluster without dashboard listens
            scheduler_kwargs={"dashboard": False},
            local_directory=str(tmp_path),
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
        joblib.parallel_config(backend="dask"),
    ):
        workers = client.run(os.getpid)
        assert all(address.startswith("tcp://127.0.0.1:") for address in workers)
        killer.start()
        spread = sweep(LoggedRun(starts), SETTINGS)
    killer.join()

    first, second = (starts / f"0.5_1.{attempt}" for attempt in (0, 1))
    assert int(first.read_text()) in workers.values()  # a worker was killed ...
    assert second.exists()  # ... and its run was done again
    pids = {int(Path(path).read_text()) for path in starts.iterdir()}
    assert len(pids) >= 2 and os.getpid() not in pids
    assert [{name: row[name] for name in DOOMED} for row in spread] == SETTINGS  # each once, in order
    assert spread == alone  # equal to the last bit
    assert children() <= before
    assert capfd.readouterr() == ("", "")


def test_two_threads_of_one_process_do_not_mix_their_random_numbers():
    alone = sweep(run, SETTINGS[-6:], num_jobs=1)
    with joblib.parallel_config(backend="threading"):
        assert sweep(run, SETTINGS[-6:], num_jobs=2) == alone


def threads_inside(seed):
    return {"threads": torch.get_num_threads()}


def test_a_run_has_one_thread_and_the_caller_has_his_own_again():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        (row,) = sweep(threads_inside, [{"seed": 0}], num_jobs=1)
        assert row["threads"] == 1 and torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def run_unless_broken(drop_prob, seed, folder):
    broken = Path(folder, "broken")
    if drop_prob == 0.8 and broken.exists():
        raise OSError("the lights went out")
    Path(folder, f"done_{drop_prob}_{seed}").touch(exist_ok=False)
    return run(drop_prob, seed)


def test_a_sweep_whose_runs_are_cached_on_disk_goes_on_where_it_was_stopped(tmp_path):
    settings = [{**setting, "folder": str(tmp_path)} for setting in SETTINGS[-6:]]
    cached = joblib.Memory(tmp_path / "cache", verbose=0).cache(run_unless_broken)
    (tmp_path / "broken").touch()
    with pytest.raises(OSError, match="the lights went out"):
        sweep(cached, settings, num_jobs=1)
    done = sorted(path.name for path in tmp_path.glob("done_*"))
    assert done == ["done_0.5_0", "done_0.5_1", "done_0.5_2"]
    (tmp_path / "broken").unlink()
    resumed = sweep(cached, settings, num_jobs=1)  # touch() above refuses to do a run twice
    expected = sweep(run, SETTINGS[-6:], num_jobs=1)
    assert resumed == [{**row, "folder": str(tmp_path)} for row in expected]


def sweep_inside(seed):
    return {"inner": sweep(run, [{"drop_prob": 0.0, "seed": seed}])}


def test_a_sweep_inside_a_run_is_refused_and_the_next_sweep_works():
    with pytest.raises(RuntimeError, match="run must not call sweep"):
        sweep(sweep_inside, [{"seed": 0}], num_jobs=1)
    assert len(sweep(run, SETTINGS[:1], num_jobs=1)) == 1


def returns_a_setting(seed):
    return {"seed": seed + 1, "nll": 0.0}


def test_a_result_may_not_hide_a_setting():
    with pytest.raises(ValueError, match="results under names of settings, got seed"):
        sweep(returns_a_setting, [{"seed": 0}], num_jobs=1)


def test_a_grid_has_every_combination_once():
    assert grid(seed=(0, 1), p=(0, 0.5)) == [
        {"seed": 0, "p": 0},
        {"seed": 0, "p": 0.5},
        {"seed": 1, "p": 0},
        {"seed": 1, "p": 0.5},
    ]


def test_a_sweep_over_nothing_gives_nothing():
    assert sweep(run, [], num_jobs=1) == []


def test_settings_may_come_one_by_one():
    assert sweep(run, iter(SETTINGS[:2]), num_jobs=1) == sweep(run, SETTINGS[:2], num_jobs=1)


def test_a_number_of_processes_below_one_is_refused():
    with pytest.raises(ValueError, match="num_jobs must be a whole number >= 1, got -1"):
        sweep(run, [], num_jobs=-1)


def test_a_worker_that_grows_is_replaced_without_a_word_and_no_result_is_lost(recwarn):
    def hoard(index):
        time.sleep(1.1)  # joblib looks at a worker's memory once a second
        vars(threading.main_thread()).setdefault("kept", []).append(np.ones(50_000_000))  # 400 MB
        return {"process": os.getpid()}

    found = sweep(hoard, [{"index": index} for index in range(8)])
    assert [result["index"] for result in found] == list(range(8))
    assert len({result["process"] for result in found}) > 2
    assert [str(warning.message) for warning in recwarn] == []


SWEEP_AND_DIE = """
import os, psutil, signal
from utils.sweep import sweep

def run(seed):
    return {"process": os.getpid()}

rows = sweep(run, [{"seed": seed} for seed in range(2)])
assert os.getpid() not in [row["process"] for row in rows]
left = [" ".join(child.cmdline()) for child in psutil.Process().children()]
assert all("resource_tracker" in command for command in left), left
os.kill(os.getpid(), signal.SIGKILL)
"""


@needs_sigkill
def test_a_kernel_that_is_killed_after_a_sweep_leaves_no_process_and_no_word_in_the_terminal():
    """The trackers hold its stderr, so that `run` waits for their last words."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    command = [sys.executable, "-c", SWEEP_AND_DIE]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (-signal.SIGKILL, "")
