"""Is everything here that the course needs? One line per thing: OK, FAIL or ABSENT.

`python3 course.py check` and chapter 00 show this table. No framework is imported, so it is quick.
"""

import ctypes
import os
import platform
import subprocess
import sys
import threading
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement

from utils.data import DATA_DIR, IDX_SHA256, DataFileError, read_npz
from utils.frameworks import absence, available

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = (ROOT / "requirements.txt", ROOT / "requirements-mxnet.txt")
PYTHONS = ((3, 11), (3, 14))
# What MXNet's Linux wheel needs and does not bring: library -> Debian package.
MXNET_LIBRARIES = {"libgomp.so.1": "libgomp1", "libquadmath.so.0": "libquadmath0"}
IN_THE_BROWSER = "numpy\nmatplotlib\nipywidgets\nanywidget"
NO_FRAMEWORKS = "this is a browser: NumPy and the sliders run, PyTorch, Keras and MXNet do not"


class Row(NamedTuple):
    """One line of the table: status is "OK", "FAIL" or "ABSENT"."""

    status: str
    thing: str
    detail: str


def check_environment():
    """All rows, in the order: Python, packages, system libraries, data files, machine."""
    if sys.platform == "emscripten":
        return [check_python(), *check_packages(IN_THE_BROWSER), Row("ABSENT", "frameworks", NO_FRAMEWORKS)]
    return [
        check_python(),
        *check_packages("\n".join(path.read_text(encoding="utf-8") for path in REQUIREMENTS)),
        *check_mxnet_libraries(),
        *(check_data_file(name) for name in IDX_SHA256),
        Row("OK", "CPU threads", str(os.cpu_count())),
        Row("OK", "GPU", find_gpu()),
    ]


def format_table(rows):
    """The rows as aligned text, one line each."""
    width = max((len(row.thing) for row in rows), default=0)
    return "\n".join(f"{row.status:<6} {row.thing:<{width}}  {row.detail}" for row in rows)


def check_python(version=sys.version_info):
    """Python itself."""
    found = ".".join(map(str, version[:3]))
    oldest, newest = (".".join(map(str, v)) for v in PYTHONS)
    if not PYTHONS[0] <= tuple(version[:2]) <= PYTHONS[1]:
        return Row("FAIL", "Python", f"{found}; the course needs {oldest} to {newest}")
    return Row("OK", "Python", found)


def check_packages(requirements):
    """One row per package that `requirements` (the text of a requirements file) names."""
    wanted = {}
    for line in requirements.splitlines():
        line = line.split("#")[0].strip()
        if line:
            requirement = Requirement(line)
            here = requirement.marker is None or requirement.marker.evaluate()
            wanted.setdefault(requirement.name, []).extend([requirement] if here else [])
    # One thing under two names: show the one that this platform uses.
    unused = "tensorflow" if wanted.get("tensorflow-cpu") else "tensorflow-cpu"
    wanted.pop(unused, None)
    return [_check_package(name, needed) for name, needed in wanted.items()]


def _check_package(name, needed):
    if not needed:
        if name in ("mxnet", "tensorflow", "torch"):
            return Row("ABSENT", name, absence(name))
        return Row("OK", name, "not needed on this platform")
    try:
        found = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Row("FAIL", name, "not installed: run `python3 course.py lab`")
    for requirement in needed:
        if not requirement.specifier.contains(found, prereleases=True):
            return Row("FAIL", name, f"{found}, but the course needs {requirement.specifier}")
    return Row("OK", name, found)


def check_mxnet_libraries(libraries=MXNET_LIBRARIES):
    """The shared libraries that MXNet's Linux wheel expects of the system."""
    if not sys.platform.startswith("linux") or not available("mxnet"):
        return []
    return [_check_library(library, package) for library, package in libraries.items()]


def _check_library(library, package):
    try:
        ctypes.CDLL(library)
    except OSError:
        return Row("FAIL", library, f"missing; on Debian or Ubuntu: apt install {package}")
    return Row("OK", library, "found")


def check_data_file(name, directory=DATA_DIR):
    """data/NAME.npz: readable, and equal to the original by checksum."""
    try:
        read_npz(name, directory)
    except DataFileError as error:
        return Row("FAIL", f"data/{name}.npz", str(error))
    return Row("OK", f"data/{name}.npz", "70,000 images, checksums match")


def find_gpu():
    """The GPU that PyTorch would use, or "none", without importing PyTorch."""
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return "Apple GPU (mps)"
    try:
        answer = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return "none (not needed)"
    return answer.stdout.strip() if answer.returncode == 0 else "none (not needed)"


def check_running(seconds=300):
    """Two rows: does a kernel start and import what chapters import, and does JupyterLab start?"""
    return [check_kernel(seconds), check_lab(seconds)]


IMPORTS = """
import utils
from utils.frameworks import available, load_keras, load_mxnet
import matplotlib, sklearn, utils.widgets
if available("torch"): import torch; torch.optim.SGD([torch.ones(1, requires_grad=True)], 0.1).step()
if available("keras"): load_keras()
if available("mxnet"): load_mxnet()
"""


def check_kernel(seconds):
    """A kernel as the notebooks get it, and in it the imports of all chapters."""
    from jupyter_client.manager import run_kernel

    try:
        with run_kernel(kernel_name="python3", cwd=str(ROOT)) as client:
            answer = client.execute_interactive(IMPORTS, timeout=seconds, output_hook=lambda message: None)
    except (OSError, RuntimeError, TimeoutError) as error:
        return Row("FAIL", "kernel", f"does not start: {error}")
    content = answer["content"]
    if content["status"] != "ok":
        return Row("FAIL", "kernel", f"starts, but an import fails: {content['ename']}: {content['evalue']}")
    return Row("OK", "kernel", "starts and imports what the chapters import")


def check_lab(seconds):
    """JupyterLab as `course.py lab` starts it, without a browser, until it says its address."""
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--ServerApp.port=0"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        timer = threading.Timer(seconds, server.kill)
        timer.start()
        last = ""
        for line in server.stdout:
            last = line.strip() or last
            if "is running at" in line:
                break
        started = server.poll() is None and "is running at" in last
        timer.cancel()
        server.kill()
    return (
        Row("OK", "JupyterLab", "starts") if started else Row("FAIL", "JupyterLab", f"does not start: {last}")
    )


if __name__ == "__main__":
    table = check_environment()
    print(format_table(table), flush=True)
    started = check_running()
    print(format_table(started))
    sys.exit(any(row.status == "FAIL" for row in table + started))
