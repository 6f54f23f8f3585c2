"""course.py: what it refuses, what it says, and that it does its work once."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import course
from course import CourseError, explain, suitable_python

ROOT = Path(course.__file__).resolve().parent


@pytest.fixture
def bare_course(tmp_path):
    """A copy of course.py with nothing installed, and requirements that install nothing."""
    shutil.copy(ROOT / "course.py", tmp_path)
    (tmp_path / "requirements.txt").write_text("# nothing\n")
    (tmp_path / "constraints.txt").write_text("# nothing\n")
    return tmp_path


def run_course(folder, *words, **variables):
    return subprocess.run(
        [sys.executable, "course.py", *words],
        cwd=folder,
        env={**os.environ, "PIP_RETRIES": "1", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def one_sentence(result):
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert result.stderr.startswith("course.py: ") and result.stderr.count("\n") == 1
    return result.stderr


def test_an_unknown_word_is_refused_before_anything_is_installed(bare_course):
    assert "unknown word 'tset'" in one_sentence(run_course(bare_course, "tset"))
    assert not (bare_course / ".venv").exists()


@pytest.mark.parametrize("word", ["html", "slides", "classroom", "notebooks", "check"])
def test_an_option_is_not_taken_for_a_folder_or_a_chapter(bare_course, word):
    assert f"{word} takes no options, got '--help'" in one_sentence(run_course(bare_course, word, "--help"))
    assert not (bare_course / ".venv").exists() and not (bare_course / "--help").exists()


@pytest.mark.parametrize("word", ["lab", "test", "bench"])
def test_options_of_a_tool_reach_it(monkeypatch, word):
    commands = []
    monkeypatch.setattr(course, "set_up", lambda: "python")
    monkeypatch.setattr(course, "set_up_classroom", lambda python, needed: None)
    monkeypatch.setattr(course, "run", lambda python, *command, extra=None: commands.append(command) or 0)
    assert course.main([word, "--help"]) == 0
    assert [command[-1] for command in commands] == ["--help"]


def test_no_word_prints_the_help(bare_course):
    result = run_course(bare_course)
    assert result.returncode == 0 and "course.py lab" in result.stdout


def test_check_before_setting_up_fails_and_installs_nothing(bare_course):
    result = run_course(bare_course, "check")
    assert result.returncode == 1 and result.stdout.startswith("FAIL")
    assert not (bare_course / ".venv").exists()


def test_full_needs_exactly_one_chapter(monkeypatch, capsys):
    monkeypatch.setattr(course, "set_up", lambda: sys.executable)
    assert course.main(["full"]) == 1
    assert "one chapter number" in capsys.readouterr().err


def test_setting_up_without_network_says_so_and_the_next_try_goes_on(bare_course):
    (bare_course / "requirements.txt").write_text("no-such-package-of-the-course\n")
    closed = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_FIND_LINKS": "",
        "PIP_CONFIG_FILE": os.devnull,
    }
    assert "no network" in one_sentence(run_course(bare_course, "lint", **closed))
    assert not (bare_course / ".venv/course.stamp").exists()
    (bare_course / "requirements.txt").write_text("# nothing\n")
    run_course(bare_course, "lint", **closed)  # has nothing to lint, but sets up
    assert (bare_course / ".venv/course.stamp").exists()


def test_setting_up_happens_once_and_again_when_requirements_change(bare_course):
    first = run_course(bare_course, "bench")
    second = run_course(bare_course, "bench")
    (bare_course / "constraints.txt").write_text("# changed\n")
    third = run_course(bare_course, "bench")
    installs = ["Installing" in result.stdout for result in (first, second, third)]
    assert installs == [True, False, True]


def test_a_half_made_environment_is_made_again(bare_course):
    (bare_course / ".venv/bin").mkdir(parents=True)
    (bare_course / ".venv/bin/python").write_text("#!/bin/sh\nexit 1\n")
    (bare_course / ".venv/bin/python").chmod(0o755)
    run_course(bare_course, "bench")
    assert (bare_course / ".venv/course.stamp").exists()


def test_a_full_disk_gets_one_sentence(monkeypatch, tmp_path):
    def full(python):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(course, "STAMP", tmp_path / "course.stamp")
    monkeypatch.setattr(course, "install", full)
    with pytest.raises(CourseError, match="the disk is full"):
        course.set_up()
    assert not (tmp_path / "course.stamp").exists()


def test_a_disk_without_room_is_named_even_if_the_tool_does_not(monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(1, 1, 0))
    assert "the disk is full" in explain("ensurepip returned non-zero exit status 1")


def test_a_missing_venv_module_gets_one_sentence(monkeypatch):
    monkeypatch.setattr(course, "can_run", lambda python, code: False)
    with pytest.raises(CourseError, match="apt install python3-venv"):
        course.make_venv("python3")


def test_an_unsupported_python_without_another_is_refused():
    with pytest.raises(CourseError, match=r"Python 3\.8 is not supported.*3\.10 to 3\.14"):
        suitable_python((3, 8), find=lambda name: None)


def test_an_unsupported_python_hands_over_to_the_best_other_one(monkeypatch, capsys):
    monkeypatch.setattr(course, "can_run", lambda python, code: True)
    here = {"python3.11": "/a/python3.11", "python3.13": "/a/python3.13"}
    assert suitable_python((3, 15), find=here.get) == "/a/python3.11"
    del here["python3.11"]
    assert suitable_python((3, 9), find=here.get) == "/a/python3.13"
    assert "Python 3.13 has no MXNet" in capsys.readouterr().out


@pytest.mark.parametrize("version", [(3, 10), (3, 11), (3, 12), (3, 13), (3, 14)])
def test_a_supported_python_is_used_itself(version, capsys):
    assert suitable_python(version, find=None) == sys.executable
    said = capsys.readouterr().out
    assert ("no MXNet" in said) == (version >= (3, 13))
    assert ("TensorFlow" in said) == (version >= (3, 14))


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("NewConnectionError: Failed to establish a new connection", "no network"),
        ("[Errno 13] Permission denied: '/x'", "no permission to write"),
        ("ERROR: Package 'x' requires a different Python", "installing failed: ERROR: Package 'x'"),
        ("", "pip gave no reason"),
    ],
)
def test_each_reason_for_a_failed_install_gets_its_sentence(output, sentence):
    assert sentence in explain(output) and "\n" not in explain(output)


def test_the_readme_names_every_word():
    readme = (ROOT / "README.md").read_text()
    assert all(f"course.py {word}" in readme for word in course.WORDS)


def test_old_pythons_can_read_course_py_far_enough_to_be_refused(require):
    # No syntax newer than Python 3.6: the sentence must appear instead of a SyntaxError.
    import ast

    ast.parse((ROOT / "course.py").read_text(), feature_version=(3, 6))


def test_a_classroom_is_set_up_on_demand_and_once(monkeypatch, tmp_path, capsys):
    asked = []
    monkeypatch.setattr(course, "CLASSROOM_STAMP", tmp_path / "classroom.stamp")
    monkeypatch.setattr(course, "set_up", lambda: sys.executable)
    monkeypatch.setattr(course, "install", lambda python, requirements: asked.append(requirements))
    monkeypatch.setattr(course, "run", lambda python, *command, **kwargs: 0)
    assert course.main(["lab"]) == 0 and asked == []
    for word in ("exercises", "classroom", "test"):
        assert course.main([word]) == 0
    assert asked == ["requirements-classroom.txt"]


def test_without_nbgrader_tests_go_on_and_a_classroom_does_not(monkeypatch, tmp_path, capsys):
    def fail(python, requirements):
        raise CourseError("no network: connect and try again.")

    monkeypatch.setattr(course, "CLASSROOM_STAMP", tmp_path / "classroom.stamp")
    monkeypatch.setattr(course, "set_up", lambda: sys.executable)
    monkeypatch.setattr(course, "install", fail)
    monkeypatch.setattr(course, "run", lambda python, *command, **kwargs: 0)
    assert course.main(["test"]) == 0
    assert "its tests will be skipped: no network" in capsys.readouterr().out
    assert course.main(["classroom", "room"]) == 1
    assert "no network" in capsys.readouterr().err
    assert not (tmp_path / "classroom.stamp").exists()


def test_a_choice_of_tests_is_not_asked_for_the_coverage_of_all(monkeypatch):
    commands = []
    monkeypatch.setattr(course, "run", lambda python, *command, **kwargs: commands.append(command))
    course.run_test("python", ["tests/test_data.py", "-x"])
    course.run_test("python", [])
    assert commands == [
        ("-m", "pytest", "--no-cov", "tests/test_data.py", "-x"),
        ("-m", "pytest", "-n", "2", "--dist", "loadfile"),
    ]
