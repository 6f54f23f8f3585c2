"""What all tests share: kernels that die are noticed, and what this machine lacks is skipped, visibly."""

import importlib.util
import os
import queue
import re
import shutil
import time

import pytest
from hypothesis import settings
from jupyter_client.manager import KernelManager
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell

from utils.frameworks import absence, available

pytest_plugins = ["tests.chapter_choice"]

# Set by .ci/run, where all frameworks and a browser are installed: nothing may be skipped there.
REQUIRE_ALL = os.environ.get("COURSE_REQUIRE_ALL") == "1"
FRAMEWORKS = ("torch", "keras", "tensorflow", "mxnet")
# Notebooks that show one framework in every cell. Elsewhere a tag, such as needs-mxnet, says it of a cell.
ALL_FROM = {"03_keras.ipynb": "tensorflow", "05_gluon.ipynb": "mxnet"}

settings.register_profile("course", deadline=None, derandomize=True, database=None)
settings.load_profile("course")

# Kernels of the tests speak to us encrypted, as those of course.py lab do (config/).
KernelManager.transport_encryption.default_value = "auto"


def get_message_or_notice_death(self, stream, timeout=None, get_message=RunningKernel.get_message):
    """nbval's get_message, which would wait for a kernel that has died until the cell's time is up.

    What a kernel prints may take its time on a busy machine: nbval's 5 seconds for it become 300.
    """
    end = time.monotonic() + max(timeout or 0, 300)
    while True:
        try:
            return get_message(self, stream, timeout=min(5, max(0, end - time.monotonic())))
        except queue.Empty:
            if not self.is_alive():
                raise RuntimeError("the kernel died while it ran this cell") from None
            if time.monotonic() >= end:
                raise


RunningKernel.get_message = get_message_or_notice_death


def skip_or_fail(reason):
    """Skip the test with this reason; where nothing may be skipped, fail it."""
    if REQUIRE_ALL:
        pytest.fail(f"COURSE_REQUIRE_ALL=1 forbids this skip: {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium():
    """Path of the Chromium to test with: $CHROMIUM, or the first one on PATH."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        skip_or_fail("no Chromium found: install it or set CHROMIUM to its path")
    return path


@pytest.fixture(scope="session")
def nbgrader():
    """Skip the test where nbgrader, which only classrooms need, is not installed."""
    if importlib.util.find_spec("nbgrader") is None:
        skip_or_fail("nbgrader is not installed: see requirements-classroom.txt")


@pytest.fixture(scope="session")
def require():
    """A function: require("mxnet") skips the test where that package is absent."""

    def check(*packages):
        for package in packages:
            if not available(package):
                skip_or_fail(absence(package))

    return check


def pytest_report_header():
    """Say what is absent, and what that means for notebooks."""
    absent = [name for name in FRAMEWORKS if not available(name)]
    if absent and REQUIRE_ALL:
        raise pytest.UsageError(f"COURSE_REQUIRE_ALL=1, but {absence(absent[0])}")
    note = "Cells that show it are run, and their outputs are not compared."
    return [f"{absence(name)} {note}" for name in absent]


NUMBER = re.compile(r"[-+]?\d[\d.,]*(e[-+]?\d+)?(\+[a-z]\w*)?")  # 2.13.0+cpu is a version, too
SPACE = re.compile(r"[ \t]+|-{2,}")
PADDING = re.compile(r"(?<=\[) | (?=\])")  # [0.5 1. ] is as wide as [0.51 1.]


def without_digits(text):
    """An output's text with every number, and the space around it, as good as any other."""
    if not isinstance(text, str):
        return text
    return PADDING.sub("", SPACE.sub(" ", NUMBER.sub("#", text)))


def pytest_collection_modifyitems(items):
    """Say which cells are compared, and how.

    A cell whose digits depend on the machine (nbval-ignore-output) is compared without them, and one that
    shows what a net writes (nbval-any-text) is not compared: another rounding, another letter. Where a
    framework is absent, the cells that show it are run, and what they show is not compared.
    """
    for item in items:
        if isinstance(item, IPyNbCell):
            tags = [tag.removeprefix("needs-") for tag in item.cell.metadata.get("tags", [])]
            if "nbval-ignore-output" in tags:
                item.options["check"] = True
                item.sanitize = without_digits
            if "nbval-any-text" in tags:
                item.options["check"] = False
            shown = {*tags, ALL_FROM.get(item.path.name)} & set(FRAMEWORKS)
            if not all(map(available, shown)):
                item.options["check"] = False
            if item.path.parent.name == "solutions" and not available(ALL_FROM.get(item.path.name, "torch")):
                item.add_marker(pytest.mark.skip(reason=absence(ALL_FROM[item.path.name])))
