"""Small programs that show faults of the frameworks, for their maintainers: each says red, or fixed.

A version that has the cure is no failure here. The test says so, and then the chapters must be told.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UPSTREAM = Path(__file__).resolve().parent / "upstream"
# The program, its words, the backend of Keras, and what must be installed.
PROGRAMS = [
    ("torch_memory_budget.py", [], "", ["torch"]),
    pytest.param(
        *("torch_memory_budget.py", ["inductor"], "", ["torch"]),
        marks=pytest.mark.skipif(not shutil.which("g++"), reason="the usual backend needs a C++ compiler"),
    ),
    ("torch_checkpoint.py", ["lost"], "", ["torch"]),
    ("keras_remat_scope.py", [], "tensorflow", ["keras", "tensorflow"]),
    ("keras_remat_scope.py", [], "torch", ["keras", "torch"]),
]
LAST = re.compile(
    r"^(red: two masks|red: mode overridden|fixed) in version \S+ of (torch|keras on (?:torch|tensorflow))$"
)


def run(name, words=(), backend=""):
    """(exit status, lines) of a program, in a process of its own."""
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    if backend:
        environment["KERAS_BACKEND"] = backend
    result = subprocess.run(
        [sys.executable, UPSTREAM / name, *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert result.stdout, result.stderr
    return result.returncode, result.stdout.splitlines()


@pytest.mark.parametrize(("name", "words", "backend", "packages"), PROGRAMS)
def test_a_program_says_red_or_fixed_and_its_numbers_agree(name, words, backend, packages, require):
    require(*packages)
    status, lines = run(name, words, backend)
    said = LAST.match(lines[-1])
    assert said, lines
    alive, graded, both = map(int, re.findall(r"\d+", lines[0]))
    if said[1] == "fixed":
        assert status == 0 and alive == graded == both
    else:
        away = abs(both - 500) / (2_000 * 0.25 * 0.75) ** 0.5
        assert status == 1 and away < 5  # two independent masks
    print(f"{name} {backend}: {lines[-1]}")


@pytest.mark.parametrize("backend", ["tensorflow", "torch"])
def test_a_mode_that_a_layer_was_built_with_is_kept_or_overridden(backend, require):
    require("keras", backend)
    status, lines = run("keras_built_with_training.py", (), backend)
    said = LAST.match(lines[-1])
    assert said and said[2] == f"keras on {backend}", lines
    called, told, predicted = map(int, re.findall(r"\d+", lines[0].partition(":")[2]))
    away = abs(called - 1_000) / (2_000 * 0.5 * 0.5) ** 0.5
    assert away < 5  # the plain call keeps the mode
    if said[1] == "fixed":
        assert status == 0 and min(told, predicted) > 0
    else:
        assert status == 1 and said[1] == "red: mode overridden" and min(told, predicted) == 0
    print(f"keras_built_with_training.py {backend}: {lines[-1]}")


@pytest.mark.parametrize("words", [[], ["gpu"]])
def test_a_layer_with_one_mask_is_called_fixed(words, require):
    """The same program where nothing is wrong, no GPU is used: it can say fixed."""
    require("torch")
    status, lines = run("torch_checkpoint.py", words)
    assert status == 0 and lines[-1].startswith("fixed in version ")
