"""Run the tests: all of them, those that a chapter touches, or all notebooks as other machines run them.

python3 course.py test                  everything, in two processes
python3 course.py test 08               what chapter 08 touches (tests/chapter_choice.py decides)
python3 course.py test --processors     chapters and solutions under each setting of `processors`
python3 course.py test --live           the notebooks of `course.py live`, in Chromium; needs npm and minutes
python3 course.py test tests/test_data.py -x    any words of pytest's
"""

import os
import re
import subprocess
import sys

import numpy as np

TWO_PROCESSES = ("-n", "2", "--dist", "loadfile")  # a file in one of them
COVERAGE = ("--cov=utils", "--cov-report=term-missing:skip-covered")


def main(words):
    if words == ["--processors"]:
        return under_each_processor()
    if words[:1] == ["--live"]:
        return pytest("tests/test_live.py", *words[1:], extra={"COURSE_TEST_LIVE": "1"})
    return pytest(*arguments(words))


def arguments(words):
    """pytest's arguments. Only all tests reach all of utils, so a choice is not asked for coverage."""
    if not words:
        return (*TWO_PROCESSES, *COVERAGE)
    chapters = [word for word in words if re.fullmatch(r"\d\d", word)]
    if not chapters:
        return tuple(words)
    options = [option for chapter in chapters for option in ("--chapter", chapter)]
    return (*TWO_PROCESSES, *options, *(word for word in words if word not in chapters))


def pytest(*words, extra=None):
    command = [sys.executable, "-m", "pytest", *words]
    return subprocess.run(command, env={**os.environ, **(extra or {})}).returncode


def processors():
    """{name: environment variables} that make this machine's libraries compute as another one's do.

    PyTorch, oneDNN (in PyTorch and MXNet), OpenBLAS (in NumPy, SciPy and MXNet) and NumPy itself choose their
    code by the processor; each has a variable that forbids the newer instructions.
    """
    found = np._core._multiarray_umath
    newer = [name for name in found.__cpu_dispatch__ if found.__cpu_features__[name]]
    newest = [name for name in newer if name.startswith("AVX512") or name == "X86_V4"]
    return {
        "no AVX": {
            "ATEN_CPU_CAPABILITY": "default",
            "ONEDNN_MAX_CPU_ISA": "SSE41",
            "DNNL_MAX_CPU_ISA": "SSE41",
            "OPENBLAS_CORETYPE": "Nehalem",
            "NPY_DISABLE_CPU_FEATURES": " ".join(newer),
        },
        "AVX2": {
            "ATEN_CPU_CAPABILITY": "avx2",
            "ONEDNN_MAX_CPU_ISA": "AVX2",
            "DNNL_MAX_CPU_ISA": "AVX2",
            "OPENBLAS_CORETYPE": "Haswell",
            "NPY_DISABLE_CPU_FEATURES": " ".join(newest),
        },
        "one thread": {
            "OMP_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "TF_NUM_INTRAOP_THREADS": "1",
            "TF_NUM_INTEROP_THREADS": "1",
        },
    }


def under_each_processor():
    """Chapters and solutions under each setting. Returns 0 if all are green under all of them."""
    results = {}
    for name, variables in processors().items():
        print(f"\n=== {name}: {' '.join(f'{key}={value!r}' for key, value in variables.items())}", flush=True)
        results[name] = pytest("notebooks", "-q", *TWO_PROCESSES, extra=variables)
    print("\n" + "\n".join(f"{name:<12}{'red' if code else 'green'}" for name, code in results.items()))
    return max(results.values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
