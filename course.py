#!/usr/bin/env python3
"""The course's one command. It needs nothing but Python with pip: it sets up the rest itself.

    python3 course.py lab               open the course in JupyterLab
    python3 course.py test              run all tests (more words go to pytest)
    python3 course.py check             say what is here, what is broken, what is absent
    python3 course.py notebooks [NN..]  run chapters from the top and store them
    python3 course.py full NN           run a chapter's full experiment and store its result
    python3 course.py html [FOLDER]     make web pages that need no kernel and no network
    python3 course.py slides [FOLDER]   make slides of the chapters, for a projector without network
    python3 course.py exercises [NN..]  run the solutions and make the exercises from them
    python3 course.py classroom FOLDER  make an nbgrader course; more words go to nbgrader in it
    python3 course.py bench [widgets]   measure seconds per epoch, or the sliders' answers, as ratios
    python3 course.py bundle            join the widgets' JavaScript again (needs npm)
    python3 course.py banks NAME ...    measure again what the widgets show
    python3 course.py claims            collect the verdicts of all chapters in notebooks/claims.md
    python3 course.py lint              check the style of code and text

Packages go into .venv in this folder; the first run takes a few minutes, later ones seconds.
nbgrader is installed only for exercises, classroom and test.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "course.stamp"
CLASSROOM_STAMP = VENV / "classroom.stamp"
LOG = VENV / "install.log"
# Best first: MXNet has no wheels for 3.13 and later, TensorFlow none for 3.14.
PYTHONS = [(3, 12), (3, 11), (3, 10), (3, 13), (3, 14)]
LACKS = {(3, 13): "MXNet", (3, 14): "MXNet and TensorFlow (Keras runs on PyTorch)"}
QUIET = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "MXNET_SUBGRAPH_VERBOSE": "0",
    "PYTHONHASHSEED": "0",
    # A kernel that ends stops the workers of joblib before joblib can; their tracker tidies up and says so.
    "PYTHONWARNINGS": "ignore:resource_tracker:UserWarning",
}
WORDS = (
    "lab", "test", "check", "notebooks", "full", "html", "slides", "exercises", "classroom", "bench",
    "bundle", "banks", "claims", "lint",
)  # fmt: skip
PASS_OPTIONS_ON = ("lab", "test", "bench")  # to Jupyter, to pytest, to the benchmark


class CourseError(Exception):
    """Something that stops the course; its text is the one sentence to print."""


def main(argv):
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(__doc__)
        return 0
    word, rest = argv[0], argv[1:]
    try:
        if word not in WORDS:
            raise CourseError(f"unknown word {word!r}: use one of {', '.join(WORDS)}.")
        if word not in PASS_OPTIONS_ON and rest and rest[0].startswith("-"):
            raise CourseError(f"{word} takes no options, got {rest[0]!r}: see `python3 course.py help`.")
        if word == "check":
            return check()
        python = set_up()
        if word in ("exercises", "classroom", "test"):
            set_up_classroom(python, needed=word != "test")
        return globals()["run_" + word](python, rest)
    except CourseError as error:
        print(f"course.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


# --- the words ---


def run_lab(python, rest):
    return run(
        python, "-m", "jupyter", "lab", "notebooks/00_start_here.ipynb",
        "--ServerApp.ip=127.0.0.1", f"--ServerApp.root_dir={ROOT}", *rest,
        extra={"JUPYTER_CONFIG_PATH": str(ROOT / "config")},
    )  # fmt: skip


def run_test(python, rest):
    # All tests: two processes, each file in one of them. A choice of tests: as pytest does it, and without
    # the coverage of utils, which only all of them reach.
    return run(python, "-m", "pytest", *(["--no-cov", *rest] if rest else ["-n", "2", "--dist", "loadfile"]))


def check():
    """Look, and install nothing."""
    python = venv_python()
    if not python.exists() or not STAMP.exists():
        print("FAIL   packages  not installed yet: run `python3 course.py lab` or `test`")
        return 1
    return run(python, "-m", "utils.environment")


def run_notebooks(python, rest):
    return run(python, "-m", "utils.store", *rest)


def run_full(python, rest):
    if len(rest) != 1:
        raise CourseError("full needs one chapter number, such as `python3 course.py full 04`.")
    return run(python, "-m", "utils.store", *rest, extra={"COURSE_FULL": "1"})


def run_html(python, rest):
    return run(python, "-m", "utils.export", *rest)


def run_slides(python, rest):
    return run(python, "-m", "utils.slides", *rest)


def run_exercises(python, rest):
    return run(python, "-m", "utils.make_exercises", *rest)


def run_classroom(python, rest):
    return run(python, "-m", "utils.classroom", *rest)


def run_bench(python, rest):
    if rest[:1] == ["widgets"]:
        return run(python, "-m", "benchmarks.widgets", *rest[1:])
    return run(python, "-m", "benchmarks.epochs", *rest)


def run_bundle(python, rest):
    return run(python, "-m", "utils.bundle", *rest)


def run_banks(python, rest):
    return run(python, "-m", "utils.widgets.banks", *rest)


def run_claims(python, rest):
    return run(python, "-m", "utils.claims", *rest)


def run_lint(python, rest):
    commands = (
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("pytest", "-q", "--no-cov", "tests/test_style.py"),
    )
    return max([run(python, "-m", *command) for command in commands])


def run(python, *command, extra=None):
    """Run a command of the course's own Python in this folder; return its exit status."""
    environment = dict(os.environ, **QUIET, **(extra or {}))
    environment["PATH"] = os.pathsep.join([str(VENV_BIN), environment.get("PATH", "")])
    return subprocess.run([str(python), *map(str, command)], cwd=str(ROOT), env=environment).returncode


# --- setting up ---

VENV_BIN = VENV / ("Scripts" if os.name == "nt" else "bin")


def venv_python():
    return VENV_BIN / ("python.exe" if os.name == "nt" else "python")


def set_up():
    """Make .venv and install what requirements.txt names, if that is not done yet."""
    wanted = fingerprint()
    python = venv_python()
    if python.exists() and STAMP.exists() and STAMP.read_text() == wanted:
        return python
    try:
        if not (python.exists() and can_run(python, "import pip")):
            make_venv(suitable_python())
        install(python)
        write_stamp(STAMP, wanted)
    except OSError as error:
        raise CourseError(explain(str(error))) from None
    return python


def set_up_classroom(python, needed):
    """Add what requirements-classroom.txt names. Where it is not needed, go on without it."""
    wanted = fingerprint("requirements-classroom.txt")
    if CLASSROOM_STAMP.exists() and CLASSROOM_STAMP.read_text() == wanted:
        return
    try:
        install(python, "requirements-classroom.txt")
        write_stamp(CLASSROOM_STAMP, wanted)
    except CourseError as error:
        if needed:
            raise
        print(f"Going on without nbgrader, so its tests will be skipped: {error}")


def write_stamp(path, text):
    temporary = path.with_suffix(".tmp")
    temporary.write_text(text)
    os.replace(str(temporary), str(path))


def fingerprint(requirements="requirements.txt"):
    """Changes when the requirements change."""
    names = (requirements, "constraints.txt")
    return hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in names)).hexdigest()


def suitable_python(version=sys.version_info, find=shutil.which):
    """The Python to build .venv with: this one if it is suitable, else the best other one on PATH."""
    version = tuple(version[:2])
    if version in PYTHONS:
        chosen, path = version, sys.executable
    else:
        found = [(v, find("python{}.{}".format(*v)) or "") for v in PYTHONS]
        found = [(v, path) for v, path in found if path and can_run(path, "import venv, ensurepip")]
        if not found:
            raise CourseError(
                "Python {}.{} is not supported and no other was found: install Python 3.10 to 3.14 "
                "(3.12 has everything).".format(*version)
            )
        chosen, path = found[0]
    if chosen in LACKS:
        print("Python {}.{} has no {}; everything else works.".format(*chosen, LACKS[chosen]))
    return path


def make_venv(python):
    if not can_run(python, "import venv, ensurepip"):
        raise CourseError(
            "this Python has no venv module: on Debian or Ubuntu run `apt install python3-venv`, "
            "then try again."
        )
    result = subprocess.run(
        [str(python), "-m", "venv", "--clear", str(VENV)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True,
    )  # fmt: skip
    if result.returncode:
        raise CourseError(explain(result.stdout))


def install(python, requirements="requirements.txt"):
    print(f"Installing what {requirements} names into .venv (once, a few minutes) ...", flush=True)
    with LOG.open("w") as log:
        result = subprocess.run(
            [
                str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input",
                "-r", str(ROOT / requirements), "-c", str(ROOT / "constraints.txt"),
            ],
            stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    if result.returncode:
        raise CourseError(explain(LOG.read_text(errors="replace")))


def explain(output):
    """One sentence for the reason why setting up failed, from what the tool printed."""
    # A venv that cannot be written does not say why, so look at the disk as well.
    full = shutil.disk_usage(str(ROOT)).free < 50e6
    if full or re.search(r"No space left on device|ENOSPC|not enough space", output, re.IGNORECASE):
        return f"the disk is full: the course needs about 4 GB in {ROOT}."
    if re.search(
        r"NewConnectionError|Failed to establish|name resolution|getaddrinfo|ConnectTimeout"
        r"|Connection refused|Network is unreachable|ReadTimeout|Cannot connect to proxy",
        output,
    ):
        return "no network: the first run has to download packages; connect and try again."
    if "Permission denied" in output or "Read-only file system" in output:
        return f"no permission to write in {ROOT}: copy the course to a folder of your own."
    errors = [line.strip() for line in output.splitlines() if "ERROR" in line or "Error" in line]
    reason = errors[0].rstrip(".") if errors else "pip gave no reason"
    return f"installing failed: {reason}" + (f"; all that pip said is in {LOG}." if LOG.exists() else ".")


def can_run(python, code):
    try:
        return not subprocess.run(
            [str(python), "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ).returncode
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
