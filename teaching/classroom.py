"""A class with nbgrader: make the course folder that it works in, and run its commands there.

`python3 course.py classroom FOLDER` makes FOLDER with source/, release/, nbgrader_config.py and
gradebook.db from the solutions. `python3 course.py classroom FOLDER WORD ...` runs `nbgrader WORD ...`
in it. Two words are the course's own: `autograde` marks one submission after the other whatever is in
them, and `lab` opens JupyterLab there, with nbgrader's menus.
"""

import argparse
import ast
import csv
import fnmatch
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from nbgrader.api import MissingEntry
from nbgrader.plugins import ExportPlugin
from nbgrader.preprocessors import ClearHiddenTests
from nbgrader.utils import is_grade, is_solution

from authoring.exercises import CODE_STUB, SOLUTIONS_DIR, TEXT_STUB
from authoring.store import find_notebooks
from utils.data import written_whole
from utils.tables import Table

ROOT = Path(__file__).resolve().parent.parent
CONFIG = '''"""nbgrader's settings for this class; made by `course.py classroom`, yours to change."""

import os
import sys
from pathlib import Path

c = get_config()  # noqa: F821
HERE = Path(__file__).resolve().parent
COURSE = {course!r}  # the folder with course.py: the notebooks import its utils

sys.path.append(COURSE)
from teaching.marking import PREPROCESSORS  # noqa: E402

os.environ["PYTHONPATH"] = COURSE
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

c.CourseDirectory.root = str(HERE)
c.CourseDirectory.course_id = "dropout"
c.Exchange.root = str(HERE / "exchange")  # where students fetch and submit: a folder that all can reach
c.ClearSolutions.code_stub = {{"python": {code_stub!r}}}
c.ClearSolutions.text_stub = {text_stub!r}
c.ExportApp.plugin_class = "teaching.classroom.Marks"

# Marking. A student's code can do all that you can, unless run_with says who runs it: "bwrap" (Linux, the
# package bubblewrap), "sudo -u marker", or any command that a command can be put behind. It may hold
# {{work}}, the folder that the code runs in, {{course}}, {{python}}, {{class}} and {{home}}.
c.RunSubmission.run_with = ""
c.RunSubmission.memory = 4  # gigabytes for one student's kernel (Linux)
c.Execute.timeout = {timeout}  # seconds for one cell
c.Autograde.autograde_preprocessors = PREPROCESSORS
'''
TIMEOUT = 300
PATIENCE = 2 * 3600  # seconds until a worker that says nothing is given up
RECORD = "marking.csv"  # in the classroom: what became of each submission
COLUMNS = (
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "raw_score",
    "late_submission_penalty", "score", "max_score", "status", "answered", "notes",
)  # fmt: skip
JOBS = min(2, os.cpu_count() or 1)
FIELDS = ("assignment", "student_id", "status", "answered", "notes", "file")


# --- making it ---


def make_classroom(folder, numbers=()):
    """Make an nbgrader course in `folder` from the solutions of the given chapters, or of all.

    Raises
    ------
    ValueError
        `folder` exists and is not an empty folder.
    subprocess.CalledProcessError
        nbgrader refused a notebook; what it said has been printed.
    """
    folder = Path(folder).resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} is not empty: name a folder that does not exist yet.")
    for path in find_notebooks(numbers, SOLUTIONS_DIR):
        assignment = folder / "source" / path.stem
        assignment.mkdir(parents=True)
        source = nbformat.read(path, 4)
        for cell in source.cells:
            if is_grade(cell) and not is_solution(cell):
                cell.source = marked(cell, path.stem[:2])
        nbformat.write(source, assignment / path.name)
    (folder / "exchange").mkdir()
    config = CONFIG.format(course=str(ROOT), code_stub=CODE_STUB, text_stub=TEXT_STUB, timeout=TIMEOUT)
    (folder / "nbgrader_config.py").write_text(config, encoding="utf-8")
    nbgrader(folder, "generate_assignment", "--assignment=*", "--log-level=WARN").check_returncode()
    return folder


def marked(cell, number):
    """The source of a check cell with a hidden part that marks the same answers, whatever `check` is by then.

    What the student sees stays as it is, and becomes a text that nothing runs.
    """
    source = ClearHiddenTests().preprocess_cell(nbformat.from_dict(cell), {}, 0)[0].source.rstrip()
    found = [
        (statement, call)
        for statement in ast.parse(source).body
        for call in ast.walk(statement)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "check"
    ]
    if len(found) != 1 or '"""' in source:
        raise ValueError(f"a check cell needs one call of check and no three quotes, got:\n{source}")
    [(statement, call)] = found
    answers = ", ".join(ast.get_source_segment(source, argument) for argument in call.args)
    lines = source.split("\n")
    first, last = statement.lineno - 1, statement.end_lineno
    return "\n".join(
        [
            *lines[:first],
            "### BEGIN HIDDEN TESTS",
            f'__import__("teaching.points", fromlist=["mark"]).mark("{number}", {answers})',
            '"""What the student sees:',
            "### END HIDDEN TESTS",
            *lines[first:last],
            "### BEGIN HIDDEN TESTS",
            '""" and None',
            "### END HIDDEN TESTS",
            *lines[last:],
        ]
    )


# --- marking a class ---


def autograde(folder, words):
    """Mark an assignment's submissions, one at a time in each worker; print what became of each.

    Raises
    ------
    ValueError
        There is no such assignment, or no kernel starts.
    """
    from teaching.marking import PREPARED, Worker, released
    from teaching.submissions import students_of

    asked, options = parse(words)
    if asked.run_with:
        options = [*options, f"--RunSubmission.run_with={asked.run_with}"]
    worker = Worker(folder, options)
    with worker.gradebook() as book:
        names = sorted(one.name for one in book.assignments)
        listed = {one.id for one in book.students}
    if asked.assignment not in names:
        raise ValueError(f"there is no assignment {asked.assignment}: use one of {', '.join(names)}.")
    released(worker.release(asked.assignment))  # what is wrong here is said once, not a hundred times
    worker.try_kernel()
    submitted = worker.folder / worker.coursedir.submitted_directory
    handed_in, stray = students_of(submitted, asked.assignment, set(names))
    students = sorted(name for name in {*handed_in, *listed} if fnmatch.fnmatchcase(name, asked.student))
    started, record = time.monotonic(), Record(folder)
    results = mark_all(worker, asked, options, students, record)
    shutil.rmtree(worker.folder / PREPARED, ignore_errors=True)
    for path in stray:
        results[f"({path.name})"] = {"outcome": "not marked", "notes": ["it lies in no student's folder"]}
    report(results, time.monotonic() - started)
    return 0 if len(results) >= len(students) else 130


def parse(words):
    """(what is asked, further words for nbgrader) of the words after `autograde`."""
    parser = argparse.ArgumentParser("course.py classroom FOLDER autograde", allow_abbrev=False)
    parser.add_argument("assignment", metavar="ASSIGNMENT")
    parser.add_argument("--student", default="*", help="whose submissions: a name, or a pattern such as a*")
    parser.add_argument("--force", "-f", action="store_true", help="also those marked before")
    parser.add_argument("--jobs", type=int, default=JOBS, help="how many at a time (default %(default)s)")
    parser.add_argument("--run-with", help="what runs the students' code: bwrap, or as 'sudo -u marker'")
    asked, options = parser.parse_known_args([word for word in words if word])
    if asked.jobs < 1:
        parser.error(f"--jobs must be at least 1, got {asked.jobs}")
    return asked, options


def mark_all(teacher, asked, options, students, record):
    """{student: result} of all students, or of those that were marked before Ctrl-C."""
    results, lock, mine, workers = {}, threading.Lock(), threading.local(), []

    def mark(student):
        if not hasattr(mine, "worker"):
            mine.worker = WorkerProcess(teacher.folder, options)
            workers.append(mine.worker)
        known = "" if asked.force else record.file(asked.assignment, student)
        result = mine.worker.ask({"assignment": asked.assignment, "student": student, "known": known})
        with lock:
            if result["outcome"] == "not marked":
                teacher.refuse(asked.assignment, student)
            results[student] = record.keep(asked.assignment, student, result)
            if result["outcome"] != "nothing handed in":
                print(
                    f"[{len(results)}/{len(students)}] {student}: {mark_of(result)} {story(result)}",
                    flush=True,
                )

    pool = ThreadPoolExecutor(asked.jobs)
    try:
        for future in [pool.submit(mark, student) for student in students]:
            future.result()
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here.", file=sys.stderr)
        pool.shutdown(wait=False, cancel_futures=True)
    finally:
        for worker in workers:
            worker.stop()
        pool.shutdown()
    return {student: results[student] for student in students if student in results}


class WorkerProcess:
    """A process that marks submissions; another one takes its place when a submission has ended it."""

    def __init__(self, folder, options):
        self.folder, self.options, self.process, self.stopped = folder, options, None, False

    def ask(self, job):
        """What the worker says of this job, or that it died."""
        if self.process is None:
            self.start()
        watch = threading.Timer(PATIENCE, self.process.kill)
        watch.start()
        try:
            self.process.stdin.write(json.dumps(job) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        finally:
            watch.cancel()
        if self.stopped:
            raise InterruptedError
        if answer:
            return json.loads(answer)
        code = self.end()
        if code > 0:
            raise ValueError(f"marking stopped with status {code}: see {self.folder / 'marking.log'}.")
        return {
            "outcome": "not marked",
            "notes": [f"its code ended the process that marks it (signal {-code})"],
        }

    def start(self):
        command = [sys.executable, "-m", "teaching.marking", str(self.folder), *self.options]
        self.temporary = tempfile.mkdtemp(prefix="class")
        os.chmod(self.temporary, 0o711)  # for another user, who may run the students' code
        with open(self.folder / "marking.log", "ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env={**environment(), "TMPDIR": self.temporary}, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=log, text=True, encoding="utf-8", start_new_session=True,
            )  # fmt: skip

    def end(self):
        """End the process, with the files that it left; return its exit status."""
        self.process.kill()
        code = self.process.wait()
        shutil.rmtree(self.temporary, ignore_errors=True)
        self.process = None
        return code

    def stop(self):
        self.stopped = True
        if self.process:
            self.end()


class Record:
    """What became of each submission, kept in the classroom's marking.csv."""

    def __init__(self, folder):
        self.path, self.rows = Path(folder) / RECORD, {}
        if self.path.exists():
            with open(self.path, encoding="utf-8", newline="") as file:
                self.rows = {(row["assignment"], row["student_id"]): row for row in csv.DictReader(file)}

    def row(self, assignment, student):
        return self.rows.get((assignment, student), dict.fromkeys(FIELDS, ""))

    def file(self, assignment, student):
        """The hash of the file that was marked, or ""."""
        row = self.row(assignment, student)
        return row["file"] if row["status"] == "marked" else ""

    def keep(self, assignment, student, result):
        """Write down a worker's result, and return it."""
        if result["outcome"] == "same":
            return {**result, "told": self.row(assignment, student)["notes"]}
        self.rows[assignment, student] = {
            "assignment": assignment, "student_id": student, "status": result["outcome"],
            "answered": result.get("answered", ""), "notes": notes(result), "file": result.get("file", ""),
        }  # fmt: skip
        with (
            written_whole(self.path) as temporary,
            open(temporary, "w", encoding="utf-8", newline="") as file,
        ):
            writer = csv.DictWriter(file, FIELDS)
            writer.writeheader()
            writer.writerows(self.rows[key] for key in sorted(self.rows))
        return result


def notes(result):
    """What there is to say of a result besides its outcome, in a line."""
    said = [*result.get("lost", [])]
    if result.get("notes"):
        repaired = "repaired: " if result["outcome"] == "marked" else ""
        said.append(repaired + "; ".join(result["notes"]))
    return "; ".join(said)


def mark_of(result):
    return f"{result['score']:g} of {result['max_score']:g}" if "score" in result else "-"


def story(result):
    outcome = {"same": "marked before"}.get(result["outcome"], result["outcome"])
    more = result.get("told") or notes(result)
    return f"{outcome}{': ' if result['outcome'] == 'not marked' else '; '}{more}" if more else outcome


def report(results, seconds):
    """Print the table of all results and their count."""
    rows = [
        (name, mark_of(result), result.get("answered", "-"), story(result))
        for name, result in results.items()
    ]
    print("\n" + repr(Table(("student", "points", "answered", "what became of it"), rows)))
    outcomes = [result["outcome"] for result in results.values()]
    repaired = sum(bool(result.get("notes")) and result["outcome"] == "marked" for result in results.values())
    parts = [f"{outcomes.count('marked') + outcomes.count('same')} marked"]
    parts += [f"{repaired} of them repaired"] if repaired else []
    parts += [
        f"{outcomes.count(kind)} {kind}" for kind in ("not marked", "nothing handed in") if kind in outcomes
    ]
    print(f"\n{', '.join(parts)}, in {seconds / 60:.1f} minutes. Free text waits for you:")
    print("`course.py classroom FOLDER lab`, then Formgrader in the menu Nbgrader.")


class Marks(ExportPlugin):
    """nbgrader's export, which also says what became of each submission.

    A file that could not be marked has no score. Of an empty answer it says how many tasks were answered.
    """

    def export(self, gradebook):
        record = Record(Path.cwd())
        with open(self.to or "grades.csv", "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            for assignment in gradebook.assignments:
                for student in gradebook.students:
                    wanted = assignment.name in (self.assignment or [assignment.name])
                    if wanted and student.id in (list(map(str, self.student)) or [student.id]):
                        writer.writerow(self.row(gradebook, assignment, student, record))

    def row(self, gradebook, assignment, student, record):
        kept = record.row(assignment.name, student.id)
        try:
            submission = gradebook.find_submission(assignment.name, student.id)
        except MissingEntry:
            submission = None
        status = kept["status"] or ("marked" if submission else "nothing handed in")
        who = (student.id, student.last_name or "", student.first_name or "", student.email or "")
        points = ("", "", "") if status == "not marked" else (0.0, 0.0, 0.0)
        if submission and status != "not marked":
            penalty = submission.late_submission_penalty
            points = (submission.score, penalty or 0.0, max(0.0, submission.score - (penalty or 0.0)))
        times = (assignment.duedate or "", (submission and submission.timestamp) or "")
        return (
            assignment.name,
            *times,
            *who,
            *points,
            assignment.max_score,
            status,
            kept["answered"],
            kept["notes"],
        )


# --- the command ---


def nbgrader(folder, *words):
    """Run `nbgrader WORD ...` in `folder`; return the CompletedProcess."""
    return run(folder, "nbgrader", *words)


def run(folder, module, *words):
    command = [sys.executable, "-m", module, *words]
    return subprocess.run(command, cwd=folder, env=environment(), check=False)


def of_caller(words):
    """The words, with the files of `import FILE` and `--to FILE` where the caller means them."""
    caller = Path(os.environ.get("COURSE_CALLER", Path.cwd()))
    words = [word for text in words for word in (text.split("=", 1) if text.startswith("--to=") else [text])]
    for at, (word, file) in enumerate(itertools.pairwise(words), start=1):
        if word == "--to" or (word == "import" and (caller / file).exists()):
            words[at] = str(caller / file)
    return words


def environment():
    """This process's variables with Jupyter's programs on PATH, and without the settings for learners."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    configs = os.environ.get("JUPYTER_CONFIG_PATH", "").split(os.pathsep)
    configs = os.pathsep.join(config for config in configs if config != str(ROOT / "config"))
    return {**os.environ, "PATH": path, "JUPYTER_CONFIG_PATH": configs}


def main(arguments):
    if not arguments:
        print("classroom needs a folder, such as `python3 course.py classroom ../class`.", file=sys.stderr)
        return 1
    folder, words = Path(arguments[0]), arguments[1:]
    try:
        if words:
            if not (folder / "nbgrader_config.py").exists():
                raise ValueError(f"{folder} is no classroom yet: `python3 course.py classroom {folder}`.")
            folder = folder.resolve()
            if words[0] == "autograde":
                return autograde(folder, words[1:])
            if words[0] == "lab":
                return run(folder, "jupyter", *words).returncode
            return nbgrader(folder, *of_caller(words)).returncode
        folder = make_classroom(folder)
    except (ValueError, OSError, subprocess.CalledProcessError) as error:
        print(f"classroom: {error}", file=sys.stderr)
        return 1
    print(f"{folder}: {len(list((folder / 'release').iterdir()))} assignments in release/")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
