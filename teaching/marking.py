"""Marking one submission with nbgrader: its notebook is run, cell by cell, whatever it does.

nbgrader_config.py puts RunSubmission in the place of nbgrader's Execute. `python -m teaching.marking FOLDER`
is one worker: it marks the submissions that standard input names, one a line.
"""

import contextlib
import glob
import hashlib
import json
import os
import queue
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from copy import deepcopy
from pathlib import Path

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbclient.util import ensure_async, run_sync
from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbformat.v4 import new_notebook, new_output
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import AutogradeApp
from nbgrader.apps.api import NbGraderAPI
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    Execute,
    IgnorePattern,
    LimitOutput,
    SaveAutoGrades,
)
from nbgrader.utils import chdir, is_grade
from sqlalchemy.exc import SAWarning
from traitlets import Float, List, Unicode

from teaching.submissions import Unmarkable, choose, find_notebooks, label, prepare

ROOT = Path(__file__).resolve().parent.parent
KERNEL = ROOT / "teaching/kernel.py"
PREPARED = "prepared"  # the folder in the classroom that submissions are repaired in
# Nothing of the network, of the teacher's files, processes and temporary files; the rest can be read.
BUBBLEWRAP = (
    "bwrap --ro-bind / / --dev /dev --proc /proc --tmpfs /tmp --tmpfs /run --tmpfs {home} "
    "--ro-bind {python} {python} --ro-bind {course} {course} --tmpfs {class} --bind {work} {work} "
    "--unshare-all --die-with-parent"
)
# What a kernel needs of the teacher's variables; under `run_with` it gets no other.
VARIABLES = ("PATH", "LANG", "TZ", "TMPDIR", "PYTHONHASHSEED", "TF_", "OMP_", "MKL_", "LC_")


class Kernel(AsyncKernelManager):
    """A kernel that is started by `command`."""

    command = List()

    def format_kernel_cmd(self, extra_arguments=None):
        return self.command


class RunSubmission(Execute):
    """Runs a notebook in a folder of its own, with a copy of the files beside it.

    A cell that ends the kernel, or cannot be stopped, fails alone: a new kernel runs the cells before it, and
    the cells after it follow. A check cell fails by an error and by nothing else, such as a warning.
    """

    memory = Float(4, help="gigabytes of memory that a student's kernel may use; 0 is no limit").tag(
        config=True
    )
    grace = Float(30, help="seconds in which a kernel that was interrupted must answer").tag(config=True)
    run_with = Unicode("", help="what stands before the command that starts a student's kernel").tag(
        config=True
    )

    def __init__(self, *args, **options):
        own = {"kernel_manager_class": Kernel, "shutdown_kernel": "immediate", "startup_timeout": 300}
        # The kernel has found the course: the cell that does it is not run.
        super().__init__(*args, **{**own, "skip_cells_with_tag": "setup", **options})

    def preprocess(self, nb, resources):
        folder = resources["metadata"]["path"]
        self.work = tempfile.mkdtemp(prefix="class")
        self.lost = {}
        try:
            shutil.copytree(folder, self.work, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.ipynb"))
            if self.run_with:
                os.chmod(self.work, 0o1777)
            resources["metadata"]["path"] = self.work
            nb, resources = super().preprocess(nb, resources)
        finally:
            resources["metadata"]["path"] = folder
            shutil.rmtree(self.work, ignore_errors=True)
        nb.metadata["lost"] = {label(nb.cells[index]): why for index, why in self.lost.items()}
        return nb, resources

    def preprocess_cell(self, cell, resources, index):
        if cell.cell_type != "code":
            return cell, resources
        try:
            super().preprocess_cell(cell, resources, index)
        except Exception as error:  # whatever the notebook makes of us, it costs this cell alone
            self.lose(cell, index, error)
            self.start_again(index)
        else:
            if any(output.get("ename") == "CellTimeoutError" for output in cell.outputs):
                self.lost[index] = f"ran longer than {self.timeout} seconds"
                if not self.answers():
                    self.start_again(index)
        cell.outputs = [presentable(output) for output in cell.outputs]
        if is_grade(cell):
            for output in cell.outputs:
                if output.output_type == "stream":
                    output.name = "stdout"
                elif output.output_type == "execute_result":  # nbgrader takes a number for points
                    output.output_type = "display_data"
                    del output["execution_count"]
        return cell, resources

    def lose(self, cell, index, error):
        """Record that this cell cost the kernel."""
        if isinstance(error, DeadKernelError):
            why = "ended the kernel"
        elif isinstance(error, CellTimeoutError):
            why = "could not be stopped"
        else:
            why = f"cost the kernel: {type(error).__name__}"
        self.lost[index] = why
        text = f"This cell {why}. The cells before it were run again, and the cells after it follow."
        cell.outputs.append(new_output("error", ename="KernelLost", evalue=text, traceback=[text]))

    async def async_answers(self):
        """True if the kernel still runs a cell."""
        asked, end = self.kc.execute("pass"), time.monotonic() + self.grace
        while (left := end - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                reply = await ensure_async(self.kc.shell_channel.get_msg(timeout=left))
                if reply["parent_header"].get("msg_id") == asked:
                    return True
        return False

    answers = run_sync(async_answers)

    def start_again(self, index):
        """A new kernel, in which the cells before `index` have run, except checks and those that fail so."""
        while True:
            self._cleanup_kernel()
            self.km = self.create_kernel_manager()
            self.start_new_kernel()
            self.start_new_kernel_client()
            try:
                for earlier, cell in enumerate(self.nb.cells[:index]):
                    if cell.cell_type == "code" and not is_grade(cell) and earlier not in self.lost:
                        self.execute_cell(deepcopy(cell), earlier)
                        self.nb.cells[earlier] = cell
                return
            except Exception as error:
                self.lose(cell, earlier, error)
                self.nb.cells[earlier] = cell

    def create_kernel_manager(self):
        manager = super().create_kernel_manager()
        manager.command = [*self.prefix(), sys.executable, str(KERNEL)]
        if os.name != "nt":  # sockets in the folder reach into a container without network
            manager.transport, manager.ip = "ipc", str(Path(self.work, "kernel"))
        if self.run_with:  # a signal might not reach it
            manager.kernel_spec.interrupt_mode = "message"
        return manager

    def prefix(self):
        """`run_with` as a list of words, its places filled in."""
        places = {
            "work": self.work,
            "class": os.getcwd(),  # nbgrader's converters run there
            "course": ROOT,
            "python": sys.base_prefix,
            "home": Path.home(),
        }
        words = shlex.split(BUBBLEWRAP if self.run_with == "bwrap" else self.run_with)
        return [word.format_map(places) for word in words]

    async def async_start_new_kernel(self, **options):
        environment = dict(os.environ)
        if self.run_with:
            environment = {name: value for name, value in os.environ.items() if name.startswith(VARIABLES)}
        with open(Path(self.work, "kernel.log"), "ab") as log:
            await super().async_start_new_kernel(
                stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment, **options
            )
        settings = {
            "connection": json.loads(Path(self.km.connection_file).read_text()),
            "memory": int(self.memory * 1e9),
            "work": self.work,
        }
        with contextlib.suppress(BrokenPipeError):  # it is dead: the client says so next
            self.process.stdin.write(json.dumps(settings).encode() + b"\n")
            self.process.stdin.flush()

    start_new_kernel = run_sync(async_start_new_kernel)

    async def async_start_new_kernel_client(self):
        try:
            return await super().async_start_new_kernel_client()
        except Exception:
            said = Path(self.work, "kernel.log").read_text(errors="replace").strip().split("\n")[-1]
            raise RuntimeError(f"the kernel did not start: {said or 'it said nothing'}") from None

    start_new_kernel_client = run_sync(async_start_new_kernel_client)

    @property
    def process(self):
        return self.km.provisioner.process

    async def _async_cleanup_kernel(self):
        process = self.km and self.km.provisioner and self.process
        if process:
            process.stdin.close()  # another user's process ends by this alone
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
        await super()._async_cleanup_kernel()

    _cleanup_kernel = run_sync(_async_cleanup_kernel)

    def handle_comm_msg(self, outs, msg, cell_index):
        """Widgets have nobody to talk to here."""


def presentable(output):
    """`output` with nothing in it that UTF-8 cannot hold."""
    text = json.dumps(output, ensure_ascii=False).encode("utf-8", "replace").decode("utf-8")
    return nbformat.from_dict(json.loads(text))


PREPROCESSORS = [
    RunSubmission,
    IgnorePattern,
    ClearMetadataPreprocessor,
    LimitOutput,
    SaveAutoGrades,
    AssignLatePenalties,
    CheckCellMetadata,
]


# --- a worker ---


class Worker:
    """Marks submissions in the classroom `folder`; `options` are words of nbgrader's autograde."""

    def __init__(self, folder, options=()):
        self.app = AutogradeApp()
        with chdir(str(folder)):  # where it looks for nbgrader_config.py
            self.app.initialize([*options], root=str(folder))
        self.folder, self.coursedir = Path(folder), self.app.coursedir
        if self.coursedir.db_url.startswith("sqlite") and "?" not in self.coursedir.db_url:
            self.coursedir.db_url += "?timeout=120"  # seconds that one worker waits for another

    def try_kernel(self):
        """Start a kernel, as for a submission without cells.

        Raises
        ------
        ValueError
            It does not start.
        """
        with chdir(str(self.folder)), tempfile.TemporaryDirectory() as empty:
            try:
                RunSubmission(parent=self.app).preprocess(new_notebook(), {"metadata": {"path": empty}})
            except (OSError, RuntimeError) as error:
                raise ValueError(str(error)) from None

    def release(self, assignment):
        return self.folder / self.coursedir.release_directory / assignment

    def gradebook(self):
        return Gradebook(self.coursedir.db_url, self.coursedir.course_id)

    def mark(self, assignment, student, known=""):
        """Mark one submission; return what to tell: outcome, answers, points, notes, and the file's hash.

        `known` is the hash of the file that was marked before: it is not marked again.
        """
        submitted = self.folder / self.coursedir.submitted_directory
        with self.gradebook() as book:
            assignments = {one.name for one in book.assignments}
        name, release = released(self.release(assignment))
        try:
            if glob.has_magic(student):
                raise Unmarkable("nbgrader reads the * ? [ in this name as a pattern: rename the folder")
            paths = find_notebooks(submitted, student, assignment, assignments - {assignment})
            if not paths:
                return {"outcome": "nothing handed in"}
            submission = choose(paths, release, name)
        except Unmarkable as reason:
            return {"outcome": "not marked", "notes": [str(reason)]}
        file = hashlib.sha256(submission.path.read_bytes()).hexdigest()[:16]
        result = {"file": file, "answered": f"{submission.answered} of {submission.tasks}"}
        done = self.folder / self.coursedir.autograded_directory / student / assignment / f"{name}.ipynb"
        if file == known and done.exists():
            return {"outcome": "same", **self.points(assignment, student), **result}
        place = self.folder / PREPARED / student
        shutil.rmtree(place, ignore_errors=True)
        try:
            notes = submission.repairs + prepare(
                submission, name, place / assignment, assignments - {assignment}
            )
            told = self.autograde(assignment, student)
        finally:
            shutil.rmtree(place, ignore_errors=True)
        if not told["success"]:
            return {"outcome": "not marked", "notes": [last_line(told)], **result}
        lost = nbformat.read(done, 4).metadata.get("lost", {})
        result["lost"] = [f"{cell.removesuffix('-check')} {why}" for cell, why in lost.items()]
        return {"outcome": "marked", "notes": notes, **self.points(assignment, student), **result}

    def autograde(self, assignment, student):
        """What nbgrader's API says of marking the prepared submission."""
        self.coursedir.submitted_directory, before = PREPARED, self.coursedir.submitted_directory
        try:
            api = NbGraderAPI(self.coursedir, parent=self.app)
            return api.autograde(assignment, student)
        finally:
            self.coursedir.submitted_directory = before

    def refuse(self, assignment, student):
        """What was not marked has nothing in autograded/, and its student is known, so that exports tell."""
        marked = self.folder / self.coursedir.autograded_directory / student / assignment
        shutil.rmtree(marked, ignore_errors=True)
        with self.gradebook() as book:
            book.update_or_create_student(student)

    def points(self, assignment, student):
        try:
            with self.gradebook() as book:
                submission = book.find_submission(assignment, student)
                return {"score": submission.score, "max_score": submission.max_score}
        except MissingEntry:
            return {}


def released(folder):
    """(name, notebook) of the assignment in `folder`.

    Raises
    ------
    ValueError
        It has not exactly one notebook.
    """
    paths = sorted(folder.glob("*.ipynb"))
    if len(paths) != 1:
        raise ValueError(f"{folder} must hold one notebook, got {len(paths)}.")
    return paths[0].stem, nbformat.read(paths[0], 4)


def last_line(told):
    """What nbgrader's API said went wrong, in a line."""
    text = told.get("log", "") + told.get("error", "")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "Error: " in line and not line.startswith("[")]
    return (errors or lines or ["nbgrader gave no reason"])[0][:200]


def limit_memory(size=6_000_000_000):
    """Fail one submission rather than the machine. Kernels may set a limit of their own."""
    with contextlib.suppress(ImportError):  # Windows
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (size, resource.getrlimit(resource.RLIMIT_DATA)[1]))


def main(arguments):
    limit_memory()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warnings.simplefilter("ignore", SAWarning)  # of nbgrader's own
    worker = Worker(arguments[0], arguments[1:])
    for line in sys.stdin:
        try:
            result = worker.mark(**json.loads(line))
        except Exception as error:  # the next one is to be marked
            result = {"outcome": "not marked", "notes": [f"{type(error).__name__}: {error}"[:200]]}
        print(json.dumps(result), file=answers, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
