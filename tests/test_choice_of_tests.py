"""`course.py test`: everything, a choice, what a chapter touches, other processors."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from authoring import tests
from tests import chapter_choice

ROOT = Path(__file__).resolve().parent.parent


def test_a_choice_is_not_asked_for_the_coverage_that_only_all_tests_reach():
    assert tests.arguments([]) == (*tests.TWO_PROCESSES, *tests.COVERAGE)
    assert tests.arguments(["tests/test_data.py", "-x"]) == ("tests/test_data.py", "-x")
    assert not any("cov" in word for word in tests.arguments(["08", "-k", "mean"]))


def test_pytest_on_one_file_gives_the_result_of_its_tests_and_nothing_else():
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_tables.py"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0 and " passed in " in result.stdout.splitlines()[-1], result.stdout
    assert "coverage" not in result.stdout.lower()


def collect(*words):
    """Names of the files from which pytest would run tests."""
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", *words],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return result, {line.split("::")[0] for line in result.stdout.splitlines() if "::" in line}


def test_a_chapter_stands_for_its_notebooks_its_checks_and_the_modules_it_imports():
    result, files = collect("--chapter", "08")
    assert result.returncode == 0
    assert {path for path in files if path.startswith("notebooks")} == {
        "notebooks/08_how_much.ipynb",
        "notebooks/solutions/08_how_much.ipynb",
    }
    assert {"tests/test_metrics.py", "tests/test_sweep.py"} <= files
    assert {"tests/test_notebooks.py", "tests/test_exercises.py", "tests/test_torch_training.py"} <= files
    assert not {"tests/test_gluon.py", "tests/test_keras.py", "tests/test_course.py"} & files
    assert "08_how_much" in result.stdout and "02_dropout" not in result.stdout


def test_an_unknown_chapter_is_refused():
    with pytest.raises(pytest.UsageError, match="there is no chapter '77'"):
        chapter_choice.chapter_name("77")


def test_a_class_stands_for_the_test_file_of_its_module():
    source = "import utils.data\nfrom utils import metrics\nfrom utils.widgets import MaskLab as Lab, show"
    assert chapter_choice.imports(source) == {"data", "utils", "metrics", "widgets", "mask_lab", "show"}


@pytest.mark.parametrize("name", ["no AVX", "AVX2", "one thread"])
def test_a_setting_reaches_the_libraries_it_names(name):
    """NumPy, PyTorch, OpenBLAS and oneDNN say themselves what they use."""
    code = (
        "import numpy as np, torch, threadpoolctl\n"
        "torch.nn.functional.conv2d(torch.ones(8, 16, 32, 32), torch.ones(16, 16, 3, 3))\n"
        "blas = [i['architecture'] for i in threadpoolctl.threadpool_info() if 'architecture' in i]\n"
        "on = [k for k, v in np._core._multiarray_umath.__cpu_features__.items() if v]\n"
        "found = [k for k in np._core._multiarray_umath.__cpu_dispatch__ if k in on]\n"
        "print('use:', torch.backends.cpu.get_cpu_capability(), torch.get_num_threads(), blas[0], *found)"
    )
    variables = {**tests.processors()[name], "ONEDNN_VERBOSE": "1"}
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    (line,) = (line for line in result.stdout.splitlines() if line.startswith("use:"))
    _, capability, threads, blas, *dispatched = line.split()
    if name == "no AVX":
        assert capability == "DEFAULT" and blas == "Nehalem" and not dispatched
        assert re.search("cpu,isa:.*SSE4.1", result.stdout)
    elif name == "AVX2":
        assert capability in ("AVX2", "DEFAULT") and not any("AVX512" in feature for feature in dispatched)
    else:
        assert threads == "1"
    assert not result.stderr
