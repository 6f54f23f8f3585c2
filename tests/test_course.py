"""course.py: what it refuses, what it says, what it sets up, and that it does its work once."""

import ast
import errno
import functools
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

import course
from course import CourseError, explain, suitable_python

ROOT = Path(course.__file__).resolve().parent
NO_INDEX = {
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_FIND_LINKS": "",
    "PIP_CONFIG_FILE": os.devnull,
}


@pytest.fixture
def bare_course(tmp_path):
    """A copy of course.py with nothing installed, and requirements that install nothing."""
    shutil.copy(ROOT / "course.py", tmp_path)
    (tmp_path / "utils").mkdir()
    shutil.copy(ROOT / "utils/import_order.py", tmp_path / "utils")
    for steps in course.PACKAGES.values():
        for name, *_ in steps:
            (tmp_path / name).write_text("# nothing\n")
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


@pytest.fixture
def commands(monkeypatch):
    """What course.py would start, with nothing set up: (module, words) in order."""
    started = []
    monkeypatch.setattr(course, "set_up", lambda venv, groups=(): course.python_of(venv))
    monkeypatch.setattr(
        course, "run", lambda python, _, module, *words, full=False: started.append((module, words)) or 0
    )
    return started


# --- words and options ---


def test_an_unknown_word_is_refused_before_anything_is_installed(bare_course):
    assert "unknown word 'tset'" in one_sentence(run_course(bare_course, "tset"))
    assert not (bare_course / ".venv").exists()


@pytest.mark.parametrize("word", [word for word, (*_, options) in course.WORDS.items() if not options])
def test_an_option_is_not_taken_for_a_folder_or_a_chapter(commands, capsys, word):
    assert course.main([word, "--help"]) == 1 and not commands
    assert f"{word} takes no options, got '--help'" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["lab", "test", "bench"])
def test_options_of_a_tool_reach_it(commands, word):
    assert course.main([word, "--help"]) == 0
    assert [words[-1] for _, words in commands] == ["--help"]


@pytest.mark.parametrize("word", ["site", "live", "slides", "classroom"])
def test_a_folder_is_the_callers(commands, word, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CALLER", "")  # so that what main sets is undone
    monkeypatch.chdir(tmp_path)
    assert course.main([word, "pages"]) == course.main([word, "../pages"]) == course.main([word]) == 0
    assert [words for _, words in commands] == [
        (str(tmp_path / "pages"),),
        (str(tmp_path.parent / "pages"),),
        () if word == "classroom" else (str(tmp_path / word),),
    ]
    assert os.environ["COURSE_CALLER"] == str(tmp_path)


def test_no_word_prints_the_help_which_names_every_word(bare_course):
    result = run_course(bare_course)
    assert result.returncode == 0
    for word in course.WORDS:
        assert f"course.py {word}" in result.stdout


def test_the_readme_names_every_word():
    readme = (ROOT / "README.md").read_text()
    assert all(f"course.py {word}" in readme for word in course.WORDS)


def test_check_before_setting_up_fails_and_installs_nothing(bare_course):
    result = run_course(bare_course, "check")
    assert result.returncode == 1 and result.stdout.startswith("FAIL")
    assert not (bare_course / ".venv").exists()


def test_full_needs_exactly_one_chapter(commands, capsys):
    assert course.main(["full"]) == 1 and not commands
    assert "one chapter number" in capsys.readouterr().err


def test_old_pythons_can_read_course_py_far_enough_to_be_refused():
    # No syntax newer than Python 3.6: the sentence must appear instead of a SyntaxError.
    ast.parse((ROOT / "course.py").read_text(), feature_version=(3, 6))


def test_each_word_gets_the_packages_of_its_audience_and_no_more(monkeypatch):
    asked = {}
    monkeypatch.setattr(course, "is_set_up", lambda venv, group="learner": True)
    monkeypatch.setattr(course, "set_up", lambda venv, groups=(): asked.update({word: groups}))
    monkeypatch.setattr(course, "run", lambda *words, **options: 0)
    for word in course.WORDS:
        assert course.main([word, *(["04"] if word == "full" else [])]) == 0
    assert asked["lab"] == () and asked["slides"] == asked["classroom"] == ("teacher",)
    assert asked["site"] == asked["live"] == ("teacher", "site")
    assert asked["test"] == ("author", "teacher", "site")
    assert asked["exercises"] == ("author", "teacher") and asked["notebooks"] == ("author",)
    learner = [step[0] for step in course.PACKAGES["learner"]]
    assert learner == ["requirements.txt", "requirements-mxnet.txt"]
    others = "pytest|ruff|playwright|nbgrader|dask|sphinx|jupyterlite"
    assert not re.search(others, "".join((ROOT / name).read_text() for name in learner))


# --- setting up ---


def test_setting_up_without_network_says_so_and_the_next_try_goes_on(bare_course):
    (bare_course / "requirements.txt").write_text("no-such-package-of-the-course\n")
    assert "no network" in one_sentence(run_course(bare_course, "lint", **NO_INDEX))
    assert not (bare_course / ".venv/course-learner.stamp").exists()
    (bare_course / "requirements.txt").write_text("# nothing\n")
    run_course(bare_course, "lint", **NO_INDEX)  # has nothing to lint, but sets up
    assert (bare_course / ".venv/course-learner.stamp").exists()


def test_setting_up_happens_once_and_again_for_the_group_whose_requirements_change(bare_course):
    def installed():
        lines = run_course(bare_course, "notebooks").stdout.splitlines()
        return [line.split()[2] for line in lines if line.startswith("Installing")]

    assert installed() == ["requirements.txt", "requirements-authoring.txt"]
    assert installed() == []
    (bare_course / "requirements-authoring.txt").write_text("# changed\n")
    assert installed() == ["requirements-authoring.txt"]


def test_what_was_there_is_back_when_a_new_environment_cannot_be_made(bare_course):
    venv = bare_course / ".venv"
    venv.mkdir()
    (venv / "precious").write_text("a year of packages")
    broken = bare_course / "python"
    broken.write_text('#!/bin/sh\n[ "$1" = -c ] && exit 0\necho "No space left on device"; exit 1\n')
    broken.chmod(0o755)
    with pytest.raises(CourseError, match="the disk is full"), course.put_aside(venv):
        assert not venv.exists()
        course.make_venv(broken, venv)
    assert (venv / "precious").read_text() == "a year of packages"
    assert not (bare_course / ".venv.old").exists()


def test_a_half_made_environment_is_made_again(bare_course):
    (bare_course / ".venv/bin").mkdir(parents=True)
    (bare_course / ".venv/bin/python").write_text("#!/bin/sh\nexit 1\n")
    (bare_course / ".venv/bin/python").chmod(0o755)
    run_course(bare_course, "check")
    assert not (bare_course / ".venv/course-learner.stamp").exists()
    run_course(bare_course, "claims")
    assert (bare_course / ".venv/course-learner.stamp").exists() and not (bare_course / ".venv.old").exists()


def test_every_python_of_the_environment_knows_the_import_order(bare_course):
    run_course(bare_course, "lint")
    code = "import sys; print([type(finder).__name__ for finder in sys.meta_path].count('TritonFirst'))"
    python = course.python_of(bare_course / ".venv")
    assert subprocess.check_output([python, "-c", code], text=True).strip() == "1"


def test_settings_that_lead_elsewhere_do_not_reach_pip_or_the_course(bare_course, monkeypatch):
    result = run_course(bare_course, "lint", PIP_USER="1", PIP_TARGET="/nowhere", PYTHONSAFEPATH="1")
    assert "Installing" in result.stdout and (bare_course / ".venv/course-author.stamp").exists()
    for name in course.LEAKS:
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("JUPYTER_PATH", "/kernels")
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror/simple")
    environment = course.clean_environment(course.python_of(bare_course / ".venv"))
    assert not set(course.LEAKS) & set(environment)
    assert environment["PIP_INDEX_URL"] == "https://mirror/simple"
    ours, theirs = environment["JUPYTER_PATH"].split(os.pathsep)
    assert ours == str(bare_course / ".venv/share/jupyter") and theirs == "/kernels"


def test_a_full_disk_gets_one_sentence(monkeypatch, tmp_path):
    def full(python, group):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(course, "make_venv", lambda python, venv: None)
    monkeypatch.setattr(course, "install", full)
    with pytest.raises(CourseError, match="the disk is full"):
        course.set_up(tmp_path / ".venv")
    assert not (tmp_path / ".venv").exists()


def test_a_disk_without_room_is_named_even_if_the_tool_does_not(monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(1, 1, 0))
    assert "the disk is full" in explain("ensurepip returned non-zero exit status 1")


def test_a_missing_venv_module_gets_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(course, "can_run", lambda python, code: False)
    with pytest.raises(CourseError, match="apt install python3-venv"):
        course.make_venv("python3", tmp_path / ".venv")


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("NewConnectionError: Failed to establish a new connection", "no network"),
        ("ProxyError('... Tunnel connection failed: 407 Proxy Authentication Required')", "HTTPS_PROXY"),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]'))", "PIP_CERT"),
        ("ERROR: HTTP error 403 while getting https://mirror/x.whl", "the package index refuses"),
        ("[Errno 13] Permission denied: '/x'", "no permission to write"),
        ("ERROR: Package 'x' requires a different Python", "installing failed: ERROR: Package 'x'"),
        ("", "pip gave no reason"),
    ],
)
def test_each_reason_for_a_failed_install_gets_its_sentence(output, sentence):
    assert sentence in explain(output) and "\n" not in explain(output)


def test_a_failed_install_names_the_log(tmp_path):
    (tmp_path / "install.log").write_text("")
    assert str(tmp_path / "install.log") in explain("ERROR: odd", tmp_path)


def test_on_a_terminal_one_line_says_what_comes_how_much_and_since_when(tmp_path):
    lines = [
        "Collecting torch",
        "  Downloading https://host/torch-2.13.0-cp311-x.whl (191.5 MB)",
        "Installing",
    ]
    script = f"import time\nfor line in {lines}: print(line, flush=True); time.sleep(1.2)"
    code = (
        "import subprocess, sys, course\n"
        "pip = subprocess.Popen([sys.executable, '-c', sys.argv[1]], stdout=subprocess.PIPE, text=True)\n"
        "sys.stdout.isatty = lambda: True\n"
        "open(sys.argv[2], 'w').write(course.follow(pip))"
    )
    log = tmp_path / "log"
    said = subprocess.run(
        [sys.executable, "-c", code, script, log], cwd=ROOT, capture_output=True, check=True
    ).stdout
    assert b"0:01" in said and b"192 MB  torch-2.13.0" in said and b"\n" not in said
    assert log.read_text().splitlines() == lines


# --- which PyTorch ---


def write_wheel(folder, version):
    """A package `probe` without code, as a wheel and on a page of an index."""
    name, info = f"probe-{version}-py3-none-any.whl", f"probe-{version}.dist-info"
    place = folder / "probe"
    place.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(place / name, "w") as wheel:
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: probe\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    (place / "index.html").write_text(f'<a href="{name}">{name}</a>')
    (folder / "torch").mkdir(exist_ok=True)
    (folder / "torch/index.html").write_text("")


@pytest.fixture
def serve():
    """serve(folder): its address on loopback."""
    servers = []

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *words):
            pass

    def start(folder):
        handler = functools.partial(Quiet, directory=str(folder))
        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("there", "gpu", "own", "expected"),
    [
        (True, False, False, "1.0+cpu"),  # no GPU: the small build
        (True, True, False, "1.0"),
        (True, False, True, "1.0"),  # the reader's own extra index stands
        (False, False, False, "1.0"),  # the index does not answer: as ever
    ],
)
def test_without_a_gpu_the_cpu_build_is_taken(bare_course, serve, tmp_path, there, gpu, own, expected):
    (bare_course / "requirements.txt").write_text("probe==1.0\n")
    write_wheel(tmp_path / "main", "1.0")
    write_wheel(tmp_path / "cpu", "1.0+cpu")
    main, cpu = serve(tmp_path / "main"), serve(tmp_path / "cpu")
    tools = tmp_path / "tools"
    tools.mkdir()
    if gpu:
        (tools / "nvidia-smi").write_text("#!/bin/sh\n")
        (tools / "nvidia-smi").chmod(0o755)
    variables = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_FIND_LINKS": "",
        "PIP_EXTRA_INDEX_URL": main if own else "",
        "COURSE_CPU_INDEX": cpu if there else "http://127.0.0.1:9",
        "PATH": f"{tools}:/usr/bin:/bin",
    }
    # The main index is PyPI for pip: hand it in by pip's own settings file, which is no choice for PyTorch.
    (tmp_path / "pip.conf").write_text(f"[global]\nindex-url = {main}\n")
    variables["PIP_CONFIG_FILE"] = str(tmp_path / "pip.conf")
    result = run_course(bare_course, "claims", **variables)
    python = course.python_of(bare_course / ".venv")
    code = "from importlib import metadata; print(metadata.version('probe'))"
    assert subprocess.check_output([python, "-c", code], text=True).strip() == expected, result.stdout
    assert ("does not answer" in result.stdout) == (not there)


# --- which Python ---


def test_an_unsupported_python_without_another_is_refused():
    with pytest.raises(CourseError, match=r"Python 3\.8 is not supported.*3\.11 to 3\.14"):
        suitable_python(None, (3, 8), find=lambda version: None)


def test_an_unsupported_python_hands_over_to_the_best_other_one(capsys):
    here = {"3.11": "/a/python3.11", "3.14": "/a/python3.14"}
    assert suitable_python(None, (3, 15), find=here.get) == "/a/python3.11"
    assert not capsys.readouterr().out
    del here["3.11"]
    assert suitable_python(None, (3, 9), find=here.get) == "/a/python3.14"
    assert "Python 3.14 has no TensorFlow" in capsys.readouterr().out


@pytest.mark.parametrize("version", course.PYTHONS)
def test_a_supported_python_is_used_itself(version, capsys):
    assert suitable_python(None, version, find=None) == sys.executable
    assert ("no TensorFlow" in capsys.readouterr().out) == (version >= (3, 14))


def test_tests_run_with_the_python_that_is_asked_for(commands, monkeypatch, capsys):
    assert course.main(["test", "--python", "3.13", "tests/test_data.py"]) == 0
    assert commands == [("authoring.tests", ("tests/test_data.py",))]
    assert course.choose_venv("test", ["--python", "3.13"])[0].name == ".venv-3.13"
    assert course.version_of(Path(".venv-3.13")) == (3, 13) and course.version_of(course.VENV) is None
    assert course.main(["test", "--python", "new"]) == 1
    assert "a version such as 3.13, got 'new'" in capsys.readouterr().err


def test_a_python_that_does_not_run_is_not_found(monkeypatch):
    """pyenv leaves a python3.13 on PATH that runs only where that version is chosen."""
    monkeypatch.setattr(course.shutil, "which", lambda name: "/shims/" + name)
    monkeypatch.setattr(course.glob, "glob", lambda pattern: ["/pyenv/3.13.1", "/pyenv/3.13.2"])
    monkeypatch.setattr(course, "can_run", lambda python, code: python.startswith("/pyenv"))
    assert course.find_python("3.13") == "/pyenv/3.13.2"


def test_a_python_that_is_not_here_is_said_to_be_absent():
    with pytest.raises(CourseError, match=r"no Python 3\.13 here"):
        suitable_python((3, 13), (3, 11), find=lambda version: None)
    assert suitable_python((3, 13), (3, 11), find=lambda version: "/a/" + version) == "/a/3.13"
