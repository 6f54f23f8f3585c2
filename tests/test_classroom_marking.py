"""A class is marked to the end, whatever is in a submission: kernels that die, loops, floods, spies."""

import ast
import csv
import json
import os
import shutil
import socket
import sys
from copy import deepcopy
from pathlib import Path

import nbformat
import pytest
from classroom_tasks import SOLUTION, function_task, is_answer, task_of, tasks

pytest.importorskip("nbgrader", reason="nbgrader is not installed: see requirements-classroom.txt")

NAME = "02_tasks"
TASKS = [task for task in tasks() if "load_" not in task.source]  # those that need no training
FUNCTION = function_task()  # the task in which all the odd things happen
ALL = sum(task.points for task in TASKS if not task.is_text)  # text is marked by hand
REST = ALL - FUNCTION.points
unix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal or limit")


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A classroom with one assignment: the head of the solution of chapter 02 and some of its tasks."""
    from teaching import classroom

    solution = nbformat.read(SOLUTION, 4)
    names = {task.name for task in TASKS}
    solution.cells = [*solution.cells[:3], *(cell for cell in solution.cells[3:] if task_of(cell) in names)]
    folder = tmp_path_factory.mktemp("class")
    (folder / "solutions").mkdir()
    nbformat.write(solution, folder / "solutions" / f"{NAME}.ipynb")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classroom, "SOLUTIONS_DIR", folder / "solutions")
        return classroom.make_classroom(folder / "room")


@pytest.fixture(scope="module")
def answered(room):
    """A function: answered(more) is a submission in which all is right, with more source below FUNCTION."""
    release = nbformat.read(room / "release" / NAME / f"{NAME}.ipynb", 4)
    right = {task.name: task.source for task in TASKS}

    def make(more="", name=FUNCTION.name):
        notebook = deepcopy(release)
        for cell in notebook.cells:
            if is_answer(cell):
                cell.source = right[task_of(cell)] + ("\n" + more if task_of(cell) == name else "")
        return notebook

    def inside(code):
        """The code before each return of FUNCTION's answer."""
        notebook = make()
        [cell] = [cell for cell in notebook.cells if task_of(cell) == FUNCTION.name and is_answer(cell)]
        lines = "".join(f"    {line}\n" for line in code.split("\n"))
        cell.source = cell.source.replace("    return", lines + "    return")
        return notebook

    make.inside = inside
    return make


def hand_in(room, student, notebook, place=f"{NAME}/{NAME}.ipynb"):
    path = room / "submitted" / student / place
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def mark(room, students, *options):
    """{student: row of the export} after marking those that the pattern names."""
    from teaching.classroom import main

    options = ("--student", students, "--force", "--RunSubmission.memory=2", *options)
    assert main([str(room), "autograde", NAME, *options]) == 0
    assert main([str(room), "export"]) == 0
    with open(room / "grades.csv", newline="") as file:
        return {row["student_id"]: row for row in csv.DictReader(file)}


def cells_of(room, student):
    return nbformat.read(room / "autograded" / student / NAME / f"{NAME}.ipynb", 4).cells


# --- the marks stand apart from the student's names ---


def test_names_and_cells_of_the_student_cost_no_points_and_bring_none(room, answered):
    first = TASKS[0].name
    hand_in(room, "n_check", answered("check = 70 > 50", first))
    hand_in(room, "n_deletes", answered("del check, self_check, np\nimport sys\nsys.stdout = None", first))
    hand_in(room, "n_warns", answered.inside("import sys, warnings\nwarnings.warn('x'); sys.displayhook(0)"))
    cheat = answered()
    for cell in cheat.cells:
        if is_answer(cell):
            cell.source = " = ".join([name for task in TASKS for name in task.names] + ["None"])
    cheat.cells[
        2
    ].source += "\nfrom utils.exercises.engine import Result\ncheck = lambda *a: Result(True, 'right')"
    hand_in(room, "n_fake", cheat)
    bare = answered()
    bare.cells = [cell for cell in bare.cells if cell.cell_type == "markdown" or is_answer(cell)]
    hand_in(room, "n_bare", bare)
    place = hand_in(room, "n_shadows", answered()).parent
    for name in ("utils", "teaching", "numpy", "course"):
        (place / f"{name}.py").write_text("raise RuntimeError('mine')")
    rows = mark(room, "n_*")
    points = {student: float(row["score"]) for student, row in rows.items() if student.startswith("n_")}
    assert points == {
        "n_check": ALL, "n_deletes": ALL, "n_warns": ALL, "n_fake": 0, "n_bare": ALL, "n_shadows": ALL,
    }  # fmt: skip
    assert f"put back: setup, import numpy as np, {first}-check" in rows["n_bare"]["notes"]
    assert rows["n_fake"]["answered"] == f"{len(TASKS)} of {len(TASKS)}"


# --- nobody stops the marking ---


@unix
def test_what_ends_hangs_or_floods_a_kernel_costs_its_own_task_alone(room, answered, capfd):
    stubborn = (
        "import time\nwhile True:\n    try:\n        time.sleep(9)\n    except BaseException:\n        pass"
    )
    odd = {
        "k_top": answered("import os; os._exit(1)"),
        "k_inside": answered.inside("import os; os._exit(1)"),
        "k_loop": answered.inside("import time\nwhile True: time.sleep(0.01)"),
        "k_stubborn": answered.inside(stubborn),
        "k_stopped": answered.inside("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)"),
        "k_exit": answered.inside("import sys; sys.exit()"),
        "k_memory": answered.inside("np.ones(10**9)"),
    }
    harmless = {
        "h_output": answered("print('x' * 10**8)"),
        "h_many": answered("for i in range(3_000): display('spam' * 1000)"),
        "h_error": answered("raise ValueError('y' * 10**7)"),
        "h_exit": answered("exit()"),
        "h_text": answered("print('\\ud800')\n'\\ud800'"),
        "h_input": answered("input('Name?')"),
        "h_widgets": answered("import ipywidgets\nout = ipywidgets.Output()\nwith out: print(1)\nout"),
    }
    for student, notebook in {**odd, **harmless}.items():
        hand_in(room, student, notebook)
    mark(room, "h_*")  # with the usual time for a cell, so that a busy machine changes nothing
    assert "7 marked, in" in capfd.readouterr().out
    # Three of them do nothing but wait, so four at a time; a kernel given up too early costs nobody a point.
    rows = mark(room, "k_*", "--jobs", "4", "--Execute.timeout=40", "--RunSubmission.grace=5")
    points = {student: float(row["score"] or -1) for student, row in rows.items() if student[0] in "kh"}
    assert points == {**dict.fromkeys(odd, REST), **dict.fromkeys(harmless, ALL)}
    notes = {student: row["notes"] for student, row in rows.items()}
    assert notes["k_top"] == notes["k_inside"] == f"{FUNCTION.name} ended the kernel"
    assert notes["k_loop"] == f"{FUNCTION.name} ran longer than 40 seconds"
    assert notes["k_stopped"] == f"{FUNCTION.name} could not be stopped"
    table = capfd.readouterr().out
    assert "student" in table and "7 marked, in" in table
    # What a flood leaves is small.
    sizes = {student: len(json.dumps(cells_of(room, student))) for student in harmless}
    assert max(sizes.values()) < 3e6 and sizes["h_output"] < 3e5, sizes


@unix
def test_one_that_ends_the_marking_itself_costs_nobody_else(room, answered):
    hand_in(room, "p1_kills", answered("import os, signal; os.kill(os.getppid(), signal.SIGKILL)"))
    hand_in(room, "p2_right", answered())
    (room / "submitted/p3_broken" / NAME).mkdir(parents=True)
    (room / "submitted/p3_broken" / NAME / f"{NAME}.ipynb").write_text('{"cells": [')
    rows = mark(room, "p*", "--jobs", "1")
    told = {who: (rows[who]["score"], rows[who]["status"]) for who in rows if who[0] == "p"}
    assert told == {
        "p1_kills": ("", "not marked"),
        "p2_right": (str(float(ALL)), "marked"),
        "p3_broken": ("", "not marked"),
    }
    assert rows["p1_kills"]["notes"] == "its code ended the process that marks it (signal 9)"
    assert not (room / "prepared").exists() and not (room / "autograded/p1_kills" / NAME).exists()


def test_a_submission_that_is_found_elsewhere_is_marked_and_a_stray_one_told(room, answered, capsys):
    hand_in(room, "w+ 1 é", answered(), f"{NAME}/{NAME}/mine (2).ipynb")
    hand_in(room, "w[1]", answered())
    nbformat.write(answered(), room / "submitted/nobody.ipynb")
    rows = mark(room, "w*")
    assert float(rows["w+ 1 é"]["score"]) == ALL
    assert rows["w+ 1 é"]["notes"] == "repaired: the file is called mine (2).ipynb"
    said = capsys.readouterr().out
    assert "rename the folder" in rows["w[1]"]["notes"]
    assert "(nobody.ipynb)" in said and "it lies in no student's folder" in said


# --- what a student's code can reach ---

SPY = """
import os, pathlib, signal, socket
ROOM, PORT = {room!r}, {port}
def attempt(do):
    try:
        do()
    except OSError:
        return "stopped"
    return "done"
print("SPY", {{
    "reads the grade book": attempt(lambda: pathlib.Path(ROOM, "gradebook.db").read_bytes()),
    "writes into the classroom": attempt(lambda: pathlib.Path(ROOM, "spy.txt").write_text("")),
    "writes into the course": attempt(lambda: open({course!r}, "r+").close()),
    "opens a socket": attempt(lambda: socket.create_connection(("127.0.0.1", PORT), 5).close()),
    "reaches the marking process": attempt(lambda: os.kill({pid}, 0)),
    "writes into its own folder": attempt(lambda: pathlib.Path("mine.txt").write_text("")),
}})
"""


EVERYTHING = {
    "reads the grade book", "writes into the classroom", "writes into the course", "opens a socket",
    "reaches the marking process", "writes into its own folder",
}  # fmt: skip


def mark_with_a_spy(room, answered, spy, students, *options):
    """(what the student called `spy` reaches, all rows) after marking those that the pattern names."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = SPY.format(room=str(room), course=str(SOLUTION), port=port, pid=os.getpid())
        hand_in(room, spy, answered(code))
        rows = mark(room, students, *options)
    [output] = [
        output.text
        for cell in cells_of(room, spy)
        for output in cell.get("outputs", [])
        if output.get("text", "").startswith("SPY")
    ]
    reached = {what for what, how in ast.literal_eval(output[4:]).items() if how == "done"}
    written = room / "spy.txt"  # in the container there is a place for it, which nobody sees
    if not written.exists():
        reached.discard("writes into the classroom")
    written.unlink(missing_ok=True)
    assert float(rows[spy]["score"]) == ALL
    assert not Path(sys.prefix, "mine.txt").exists() and not Path("mine.txt").exists()
    return reached, rows


def test_without_a_container_a_spy_reaches_everything(room, answered):
    reached, _ = mark_with_a_spy(room, answered, "spy", "spy")
    assert reached == EVERYTHING


@unix
@pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed")
def test_in_a_container_a_spy_reaches_its_folder_and_what_hangs_or_dies_costs_its_task(room, answered):
    hand_in(room, "b_loop", answered.inside("import time\nwhile True: time.sleep(0.01)"))
    hand_in(room, "b_kills", answered("import os, signal; os.kill(os.getppid(), signal.SIGKILL)"))
    hand_in(room, "b_dies", answered.inside("import os; os._exit(1)"))
    options = ("--run-with", "bwrap", "--Execute.timeout=40")
    reached, rows = mark_with_a_spy(room, answered, "b_spy", "b_*", *options)
    assert reached == {"writes into its own folder"}
    points = {student: float(rows[student]["score"] or -1) for student in ("b_loop", "b_kills", "b_dies")}
    assert points["b_loop"] == points["b_dies"] == REST
    assert points["b_kills"] >= REST
