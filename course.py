#!/usr/bin/env python3
"""The course's one command. It needs nothing but Python with pip: it sets up the rest itself.

For learners
    python3 course.py lab               open the course in JupyterLab
    python3 course.py check             say what is here, what is broken, what is absent
    python3 course.py kernel            let VS Code or a Jupyter of your own run the notebooks

For teachers
    python3 course.py site [FOLDER]     make a web site of the course that needs no kernel and no network
    python3 course.py live [FOLDER]     make the chapters that run in a browser, with nothing to install
    python3 course.py slides [FOLDER]   make slides of the chapters, for a projector without network
    python3 course.py classroom FOLDER  make an nbgrader course; more words go to nbgrader in it

For authors
    python3 course.py test [NN..]       run all tests, or those of chapters; more words go to pytest
                  test --python 3.13    with another Python
                  test --processors     all notebooks as older processors and one thread run them
                  test --live           the notebooks of `course.py live` in a browser
    python3 course.py notebooks [NN..]  run chapters from the top and store them
    python3 course.py full NN           run a chapter's full experiment and store its result
    python3 course.py confirm NN        run a part of it, compare with what is stored, and note it there
    python3 course.py exercises [NN..]  run the solutions and make the exercises from them
    python3 course.py library           write the modules of utils that chapters build
    python3 course.py contents          write the chapter table of README, chapter 00 and teacher's page
    python3 course.py claims            collect the verdicts of all chapters in notebooks/claims.md
    python3 course.py bench [widgets]   measure seconds per epoch, or the sliders' answers, as ratios
    python3 course.py bundle            join the widgets' JavaScript again (needs npm)
    python3 course.py banks NAME ...    measure again what the widgets show
    python3 course.py lint              check the style of code and text

Packages go into .venv in this folder; the first run takes a few minutes, later ones seconds. What only
teachers or authors need is added by the first of their commands.
"""

import contextlib
import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
# Best first. TensorFlow has no wheel for 3.14.
PYTHONS = [(3, 12), (3, 11), (3, 13), (3, 14)]
LACKS = {(3, 14): "TensorFlow (Keras runs on PyTorch)"}
# What is installed for whom, each as one run of pip: a requirements file and pip's options.
PACKAGES = {
    "learner": [("requirements.txt",), ("requirements-mxnet.txt", "--no-deps")],
    "author": [("requirements-authoring.txt",)],
    "teacher": [("requirements-classroom.txt",)],
    "site": [("requirements-site.txt",)],
}
# On Linux pip's default PyTorch is the one for NVIDIA GPUs; this index has one of a twentieth of its size.
CPU_INDEX = os.environ.get("COURSE_CPU_INDEX", "https://download.pytorch.org/whl/cpu")
GPU_SIGNS = ("/dev/nvidiactl", "/proc/driver/nvidia", "/usr/lib/wsl/lib/nvidia-smi")
SETTINGS = {
    "PYTHONHASHSEED": "0",
    # A kernel that ends in a sweep stops joblib's workers too soon; their tracker tidies up and says so.
    "PYTHONWARNINGS": "ignore:resource_tracker:UserWarning",
}
# What would lead pip or Python elsewhere. A reader's proxy, index and certificates stay.
LEAKS = (
    "PYTHONHOME", "PYTHONPATH", "PYTHONSAFEPATH", "PYTHONSTARTUP", "PYTHONUSERBASE", "__PYVENV_LAUNCHER__",
    "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "PIP_NO_DEPS", "PIP_REQUIRE_VIRTUALENV",
    "PIP_REQUIREMENT", "PIP_DRY_RUN",
)  # fmt: skip
# word: (whose packages it needs besides the learner's, the module that does it, whether options reach it)
WORDS = {
    "lab": ((), "jupyter", True),
    "check": ((), "utils.environment", False),
    "kernel": ((), "ipykernel", False),
    "site": (("teacher", "site"), "teaching.site", False),
    "live": (("teacher", "site"), "teaching.live", False),
    "slides": (("teacher",), "teaching.slides", False),
    "classroom": (("teacher",), "teaching.classroom", False),
    "test": (("author", "teacher", "site"), "authoring.tests", True),
    "notebooks": (("author",), "authoring.store", False),
    "full": (("author",), "authoring.store", False),
    "confirm": (("author",), "authoring.confirm", False),
    "exercises": (("author", "teacher"), "authoring.exercises", False),
    "library": (("author",), "authoring.library", False),
    "contents": (("author",), "authoring.contents", False),
    "claims": (("author",), "authoring.claims", False),
    "bench": (("author",), "authoring.bench", True),
    "bundle": (("author",), "authoring.bundle", False),
    "banks": (("author",), "authoring.banks", False),
    "lint": (("author",), "authoring.lint", False),
}
# The words whose first further word is a folder, and which one it is where none is given.
FOLDERS = {"site": ["site"], "live": ["live"], "slides": ["slides"], "classroom": []}


class CourseError(Exception):
    """Something that stops the course; its text is the one sentence to print."""


def main(argv):
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(__doc__)
        return 0
    word, rest = argv[0], argv[1:]
    try:
        if word not in WORDS:
            raise CourseError("unknown word {!r}: use one of {}.".format(word, ", ".join(WORDS)))
        groups, module, takes_options = WORDS[word]
        if rest and rest[0].startswith("-") and not takes_options:
            raise CourseError(
                "{} takes no options, got {!r}: see `python3 course.py help`.".format(word, rest[0])
            )
        if word == "full" and len(rest) != 1:
            raise CourseError("full needs one chapter number, such as `python3 course.py full 04`.")
        if word == "check" and not is_set_up(VENV):
            print("FAIL   packages  not installed yet: run `python3 course.py lab`")
            return 1
        venv, rest = choose_venv(word, rest)
        python = python_of(venv) if word == "check" else set_up(venv, groups)
        if word == "lab":
            rest = ["lab", "notebooks/00_start_here.ipynb", *rest]
        if word in FOLDERS:
            # Paths are the caller's; the tools run in the course's folder.
            os.environ["COURSE_CALLER"] = os.getcwd()
            rest = [os.path.abspath(folder) for folder in rest[:1] or FOLDERS[word]] + rest[1:]
        if word == "kernel":
            rest = ["install", "--user", "--name", "dropout-course", "--display-name", "Dropout course"]
        return run(python, "-m", module, *rest, full=word == "full")
    except CourseError as error:
        print("course.py: {}".format(error), file=sys.stderr)
        return 1
    except OSError as error:
        print("course.py: {}".format(explain_os(error)), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ncourse.py: stopped; the same command goes on from here.", file=sys.stderr)
        return 130


def choose_venv(word, rest):
    """(.venv, rest), or the folder of the Python that `test --python 3.13` names, without that option."""
    if word != "test" or "--python" not in rest:
        return VENV, rest
    at = rest.index("--python")
    version = rest[at + 1] if at + 1 < len(rest) else ""
    if not re.match(r"3\.\d+$", version):
        raise CourseError("--python needs a version such as 3.13, got {!r}.".format(version))
    return VENV.with_name(".venv-" + version), rest[:at] + rest[at + 2 :]


def run(python, *command, full=False):
    """Run a command of the course's own Python in this folder; return its exit status."""
    environment = clean_environment(python)
    if full:
        environment["COURSE_FULL"] = "1"
    return subprocess.run(
        [str(python)] + [str(word) for word in command], cwd=str(ROOT), env=environment
    ).returncode


def clean_environment(python):
    """This process's variables, without what would lead the course's Python elsewhere."""
    environment = {name: value for name, value in os.environ.items() if name not in LEAKS}
    environment.update(SETTINGS)
    environment["PATH"] = os.pathsep.join([str(Path(python).parent), environment.get("PATH", "")])
    # Our kernel before any other of the same name; our server settings before the reader's own.
    for name, folder in (
        ("JUPYTER_PATH", Path(python).parent.parent / "share/jupyter"),
        ("JUPYTER_CONFIG_PATH", ROOT / "config"),
    ):
        environment[name] = os.pathsep.join(
            [str(folder)] + [path for path in [environment.get(name)] if path]
        )
    return environment


# --- setting up ---


def python_of(venv):
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def set_up(venv, groups=()):
    """Make the environment and install what is asked for, if that is not done yet. Returns its Python."""
    python = python_of(venv)
    try:
        if not is_set_up(venv):
            if can_run(python, "import pip"):
                install_learner(python)
            else:
                with put_aside(venv):
                    make_venv(suitable_python(version_of(venv)), venv)
                    install_learner(python)
            shutil.rmtree(str(aside_of(venv)), ignore_errors=True)
        for group in groups:
            if not is_set_up(venv, group):
                install(python, group)
                write_stamp(venv, group)
        find_scripts_again(venv)
    except OSError as error:
        raise CourseError(explain_os(error, venv)) from None
    return python


def install_learner(python):
    install(python, "learner")
    add_import_order(python)
    write_stamp(python.parent.parent, "learner")


@contextlib.contextmanager
def put_aside(venv):
    """Inside the block a new environment is made; if that fails, the old one comes back.

    An old one that still lies aside is from a try that was killed: what stands in its place is that try's.
    """
    if venv.exists() and not venv.is_dir():
        raise CourseError("{} is a file: move it away, the course's packages go there.".format(venv))
    aside = aside_of(venv)
    if aside.exists():
        shutil.rmtree(str(venv), ignore_errors=True)
    elif venv.exists():
        os.rename(str(venv), str(aside))
    try:
        yield
    except BaseException:
        # Without an old one the new one stays as far as it is, and the next try goes on from there.
        if aside.exists():
            shutil.rmtree(str(venv), ignore_errors=True)
            os.rename(str(aside), str(venv))
        raise


def aside_of(venv):
    return venv.with_name(venv.name + ".old")


def find_scripts_again(venv):
    """The environment's programs name the folder of their Python: after the folder has moved, the new one."""
    note = venv / "course-folder.txt"
    old = note.read_text() if note.exists() else str(venv)
    if old != str(venv):
        for script in python_of(venv).parent.iterdir():
            if script.is_file() and not script.is_symlink():
                text = script.read_bytes()
                if text.startswith(b"#!" + old.encode()):
                    script.write_bytes(text.replace(old.encode(), str(venv).encode(), 1))
    note.write_text(str(venv))


def is_set_up(venv, group="learner"):
    stamp = stamp_of(venv, group)
    return (
        stamp.exists() and stamp.read_text() == fingerprint(group) and can_run(python_of(venv), "import pip")
    )


def stamp_of(venv, group):
    return venv / "course-{}.stamp".format(group)


def write_stamp(venv, group):
    temporary = stamp_of(venv, group).with_suffix(".tmp")
    temporary.write_text(fingerprint(group))
    os.replace(str(temporary), str(stamp_of(venv, group)))


def fingerprint(group):
    """Changes when what is to be installed does."""
    names = [step[0] for step in PACKAGES[group]] + ["constraints.txt"]
    if group == "learner":
        names.append("utils/import_order.py")
    return hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in names)).hexdigest()


def version_of(venv):
    """The Python version that the environment's name asks for, or None: .venv-3.13 -> (3, 13)."""
    named = re.search(r"-3\.(\d+)$", venv.name)
    return (3, int(named.group(1))) if named else None


def suitable_python(wanted=None, version=sys.version_info, find=None):
    """The Python to build the environment with: the wanted version; else this one if it is suitable, else the
    best other one that is here."""
    version, find = tuple(version[:2]), find or find_python
    if wanted == version or (wanted is None and version in PYTHONS):
        chosen, path = version, sys.executable
    else:
        found = [(v, find("{}.{}".format(*v))) for v in ([wanted] if wanted else PYTHONS)]
        found = [(v, path) for v, path in found if path]
        if not found and wanted:
            raise CourseError(
                "there is no Python {}.{} here: looked on PATH and in ~/.pyenv.".format(*wanted)
            )
        if not found:
            raise CourseError(
                "Python {}.{} is not supported and no other was found: install Python 3.11 to 3.14 "
                "(3.12 has everything).".format(*version)
            )
        chosen, path = found[0]
    if chosen in LACKS:
        print("Python {}.{} has no {}; everything else works.".format(*chosen, LACKS[chosen]))
    return path


def find_python(version):
    """Path of a Python `version` ("3.13") that runs, on PATH or under pyenv, or None."""
    pattern = str(Path.home() / ".pyenv/versions/{}.*/bin/python{}".format(version, version))
    paths = [shutil.which("python" + version), *sorted(glob.glob(pattern), reverse=True)]
    return next((path for path in paths if path and can_run(path, "import venv, ensurepip")), None)


def make_venv(python, venv):
    if not can_run(python, "import venv, ensurepip"):
        raise CourseError(
            "this Python has no venv module: on Debian or Ubuntu run `apt install python3-venv`, "
            "then try again."
        )
    result = subprocess.run(
        [str(python), "-m", "venv", str(venv)], env=clean_environment(python),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True,
    )  # fmt: skip
    if result.returncode:
        shutil.rmtree(str(venv), ignore_errors=True)
        raise CourseError(explain(result.stdout, venv))


def install(python, group):
    """Install a group's packages; show what comes, how much of it, and for how long."""
    fingerprint(group)  # a file that is missing is told apart from what pip finds
    venv = python.parent.parent
    log = venv / "install.log"
    if log.exists():
        log.unlink()
    print("Installing what {} names into {} (once, a few minutes).".format(PACKAGES[group][0][0], venv.name))
    index = cpu_index() if group == "learner" else None
    for requirements, *options in PACKAGES[group]:
        command = [
            str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--no-user",
            "--progress-bar", "off", "--log", str(log),
            "-r", str(ROOT / requirements), "-c", str(ROOT / "constraints.txt"),
            *options, *(["--extra-index-url", index] if index else []),
        ]  # fmt: skip
        pip = subprocess.Popen(
            command, env=clean_environment(python), universal_newlines=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            said = follow(pip)
        finally:
            pip.terminate()
            pip.wait()
        if pip.returncode:
            # pip tells its log more than its reader, such as why an index gave nothing.
            whole = log.read_text(errors="replace") if log.exists() else ""
            raise CourseError(explain(said + whole, venv))


def follow(pip):
    """What pip says, as text. On a terminal one line shows elapsed time, megabytes and package."""
    started, shown, ended = time.time(), [0.0, "looking for packages"], threading.Event()

    def show():
        while not ended.wait(1):
            minutes, seconds = divmod(int(time.time() - started), 60)
            text = "{:3d}:{:02d} {:6.0f} MB  {}".format(minutes, seconds, *shown)
            print("\r" + text[:78].ljust(78), end="", flush=True)
        print("\r" + " " * 78 + "\r", end="", flush=True)

    ticker = threading.Thread(target=show, daemon=True)
    if sys.stdout.isatty():
        ticker.start()
    lines = []
    try:
        for line in pip.stdout:
            lines.append(line)
            download = re.match(r"\s*(?:Downloading|Using cached) (\S+).*\(([\d.]+) (kB|MB|GB)\)", line)
            if download:
                shown[0] += float(download.group(2)) * {"kB": 1e-3, "MB": 1, "GB": 1e3}[download.group(3)]
                shown[1] = download.group(1).rsplit("/", 1)[-1].split("-cp")[0].split("-py")[0]
            elif line.startswith("Installing collected packages"):
                shown[1] = "unpacking"
        pip.wait()
    finally:
        ended.set()
        if sys.stdout.isatty():
            ticker.join()
    return "".join(lines)


def cpu_index():
    """The address of PyTorch's CPU builds, if there is no NVIDIA GPU here and the address answers; or None.

    A choice of the reader's own, by PIP_INDEX_URL, PIP_EXTRA_INDEX_URL or PIP_NO_INDEX, stands.
    """
    own = any(os.environ.get("PIP_" + name) for name in ("INDEX_URL", "EXTRA_INDEX_URL", "NO_INDEX"))
    gpu = shutil.which("nvidia-smi") or any(os.path.exists(sign) for sign in GPU_SIGNS)
    if own or gpu or not CPU_INDEX or not sys.platform.startswith("linux"):
        return None
    try:
        urllib.request.urlopen(CPU_INDEX + "/torch/", timeout=3).close()
    except (OSError, ValueError):
        print("PyTorch's index of CPU builds does not answer: pip's default follows, some gigabytes more.")
        return None
    return CPU_INDEX


def add_import_order(python):
    """Let every Python of the environment import triton before TensorFlow: see utils/import_order.py."""
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    folder = Path(subprocess.check_output([str(python), "-c", code], universal_newlines=True).strip())
    shutil.copy(str(ROOT / "utils/import_order.py"), str(folder / "dropout_course_import_order.py"))
    (folder / "dropout_course.pth").write_text("import dropout_course_import_order\n")


REASONS = [
    (
        r"No space left on device|ENOSPC|not enough space",
        "the disk is full: the course needs about 4 GB in {root}.",
    ),
    (
        r"407 Proxy Authentication",
        "the proxy asks for a name and a password: put them into the variable HTTPS_PROXY, as "
        "http://name:password@host:port.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError",
        "the network's certificate is not known here: put the path of your organisation's certificate file "
        "into the variable PIP_CERT.",
    ),
    (
        r"is not a trusted or secure host",
        "pip does not trust the package index, which is not https: give https in PIP_INDEX_URL, or name the "
        "host in PIP_TRUSTED_HOST.",
    ),
    (
        r"HTTP error 40[13]|40[13] Client Error|40[13] (Forbidden|Unauthorized)",
        "the package index refuses: look at PIP_INDEX_URL and at pip's own settings (`pip config list`).",
    ),
    (
        r"HTTP error 5\d\d|5\d\d Server Error|too many 5\d\d error",
        "the package index answers with an error: try again later.",
    ),
    (
        r"NewConnectionError|Failed to (establish|resolve)|name resolution|getaddrinfo|Connection refused"
        r"|Network is unreachable|ConnectTimeout|ReadTimeout|Cannot connect to proxy|ProxyError",
        "no network: the first run has to download packages; connect and try again.",
    ),
    (
        r"Permission denied|Read-only file system",
        "no permission to write in {root}: copy the course to a folder of your own.",
    ),
    (
        r"conflicting dependencies|ResolutionImpossible: for help",
        "the versions asked for do not go together: look at requirements.txt and constraints.txt.",
    ),
    (
        r"No matching distribution found for ([\w.-]+)",
        "the package index has no package {found} for this Python and platform: look at PIP_INDEX_URL.",
    ),
]


def explain(output, venv=VENV):
    """One sentence for the reason why setting up failed, from what the tool printed."""
    # A venv that cannot be written does not say why, so look at the disk as well.
    if shutil.disk_usage(str(ROOT)).free < 50e6:
        output = "No space left on device"
    for pattern, sentence in REASONS:
        found = re.search(pattern, output, re.IGNORECASE)
        if found:
            return sentence.format(root=ROOT, found=found.group(found.lastindex or 0))
    errors = [line.strip() for line in output.splitlines() if "ERROR" in line or "Error" in line]
    reason = errors[0].rstrip(".") if errors else "pip gave no reason"
    log = venv / "install.log"
    where = "; all that pip said is in {}".format(log) if log.exists() else ""
    return "installing failed: {}{}.".format(reason, where)


def explain_os(error, venv=VENV):
    """One sentence for an OSError."""
    if isinstance(error, FileNotFoundError) and error.filename:
        return "{} is missing: take it from the course again (`git checkout -- .`, or its ZIP).".format(
            error.filename
        )
    return explain(str(error), venv)


def can_run(python, code):
    try:
        return not subprocess.run(
            [str(python), "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ).returncode
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
