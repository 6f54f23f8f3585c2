"""The environment check: what is OK, what fails, what is absent, and whether the files agree."""

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import course
from utils import environment
from utils.environment import Row, check_environment, format_table
from utils.frameworks import absence, available, load_keras, load_mxnet

ROOT = Path(environment.__file__).resolve().parent.parent
GROUPS = ("", "-authoring", "-classroom", "-site")


def read(group):
    return (ROOT / f"requirements{group}.txt").read_text().splitlines()


def requirement_lines():
    lines = [line.split("#")[0] for name in GROUPS for line in read(name)]
    return [Requirement(line) for line in lines if line.strip()]


def test_everything_needed_is_here():
    rows = check_environment()
    assert [row for row in rows if row.status == "FAIL"] == []
    things = {row.thing for row in rows}
    assert {"Python", "numpy", "torch", "mxnet", "data/mnist.npz", "CPU threads", "GPU"} <= things
    assert sum("tensorflow" in thing for thing in things) == 1


@pytest.mark.parametrize(
    ("version", "status"),
    [((3, 9, 1), "FAIL"), ((3, 15, 0), "FAIL"), ((3, 10, 9), "FAIL"), ((3, 11, 0), "OK"), ((3, 14, 2), "OK")],
)
def test_python_outside_the_range_fails(version, status):
    assert environment.check_python(version).status == status


def test_a_missing_package_a_wrong_version_and_an_absent_framework_differ():
    rows = environment.check_packages(
        "surely-not-installed\nnumpy>=99\nmxnet==1.9.1 ; python_version < '3'\npytest # a comment\n"
        "setuptools ; python_version < '3'"
    )
    assert [row.status for row in rows] == ["FAIL", "FAIL", "ABSENT", "OK", "OK"]
    assert "not installed" in rows[0].detail and "needs >=99" in rows[1].detail
    assert "Linux" in rows[2].detail


def test_a_missing_system_library_names_its_debian_package():
    if not sys.platform.startswith("linux") or not available("mxnet"):
        pytest.skip("the libraries are MXNet's on Linux")
    rows = environment.check_mxnet_libraries({"libnowhere.so.9": "libnowhere9"})
    assert rows == [Row("FAIL", "libnowhere.so.9", "missing; on Debian or Ubuntu: apt install libnowhere9")]


def test_a_damaged_data_file_fails_the_check(tmp_path):
    (tmp_path / "mnist.npz").write_text("broken")
    assert environment.check_data_file("mnist", tmp_path).status == "FAIL"


def test_the_table_is_aligned():
    text = format_table([Row("OK", "a", "1"), Row("ABSENT", "long", "2")])
    assert text == "OK     a     1\nABSENT long  2"


def test_an_absent_framework_says_so_in_one_sentence(monkeypatch):
    monkeypatch.setenv("COURSE_WITHOUT", "mxnet,tensorflow,keras")
    assert not available("mxnet") and available("torch")
    for load in (load_mxnet, load_keras):
        with pytest.raises(ImportError, match=r"is not installed here\."):
            load()
    assert environment.check_mxnet_libraries() == []


def test_keras_falls_back_to_torch_without_tensorflow(require):
    require("keras", "torch")
    code = "from utils.frameworks import load_keras; print(load_keras().backend.backend())"
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, cwd=ROOT, check=True,
        env={"COURSE_WITHOUT": "tensorflow", "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
    )  # fmt: skip
    assert result.stdout.strip() == "torch"


def test_every_absence_hint_names_a_way():
    for name in ("mxnet", "tensorflow", "torch", "keras"):
        assert absence(name).startswith(f"{name} is not installed here. ")


# --- the files that name packages agree ---


def test_constraints_pin_every_requirement_within_its_range():
    pins = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            pin = Requirement(line)
            pins.setdefault(pin.name, []).append(pin)
    for requirement in requirement_lines():
        versions = [re.fullmatch(r"==(.+)", str(pin.specifier))[1] for pin in pins[requirement.name]]
        assert any(requirement.specifier.contains(version) for version in versions), requirement


def test_torch_stays_below_the_release_that_brings_gigabytes():
    specifiers = [r.specifier for r in requirement_lines() if r.name == "torch"]
    assert all(not s.contains("2.14.0") for s in specifiers)


def test_conda_and_binder_install_the_same_requirements():
    lines = (ROOT / "environment.yml").read_text().splitlines()
    lines = [line for line in lines if line.strip() and not line.strip().startswith("#")]
    assert lines == [
        "name: dropout-course",
        "channels:",
        "  - conda-forge",
        "dependencies:",
        "  - python=3.11",
        "  - pip",
        "  - pip:",
        "      - -r requirements.txt",
        "      - -c constraints.txt",
    ]


def test_what_mxnet_asks_for_is_installed_all_the_same(require):
    """Its own requirements are not followed (--no-deps), so each must be here, NumPy in any version."""
    require("mxnet")
    wanted = [Requirement(text) for text in metadata.requires("mxnet")]
    assert {requirement.name for requirement in wanted} == {"numpy", "requests", "graphviz"}
    assert metadata.version("requests") and "numpy>=2.1" in (ROOT / "requirements.txt").read_text()
    assert "graphviz" not in sys.modules and load_mxnet().visualization  # only to draw a graph


def test_binder_installs_mxnet_as_course_py_does():
    assert ("requirements-mxnet.txt", "--no-deps") in course.PACKAGES["learner"]
    assert "pip install --no-deps -r requirements-mxnet.txt" in (ROOT / "postBuild").read_text()


def test_apt_txt_names_the_libraries_that_the_check_looks_for():
    assert (ROOT / "apt.txt").read_text().split() == list(environment.MXNET_LIBRARIES.values())


def test_the_module_exits_with_zero_when_nothing_fails():
    result = subprocess.run(
        [sys.executable, "-m", "utils.environment"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0 and result.stdout.startswith("OK     Python")
