"""A class, from the folder to the marks: three students, all right, half right and empty; the command."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from classroom_tasks import function_task, grading, tasks

ROOT = Path(__file__).resolve().parent.parent
SOLUTIONS = ROOT / "notebooks/solutions"
NAME = "02_dropout_from_scratch"
TASKS = [task.name for task in tasks()]
[TEXT] = [task.name for task in tasks() if task.is_text]
# What each student answers: an untouched cell keeps its stub.
STUDENTS = {"all_right": set(TASKS), "half_right": {TASKS[0], TASKS[2]}, "empty": set()}


def submission(release, answered):
    """The released notebook, with the solution's cells for the tasks in `answered`."""
    answers = {
        grading(c).grade_id: c.source for c in nbformat.read(SOLUTIONS / release.name, 4).cells if grading(c)
    }
    notebook = nbformat.read(release, 4)
    for cell in notebook.cells:
        if grading(cell).get("grade_id") in answered:
            cell.source = answers[grading(cell).grade_id]
    return notebook


@pytest.fixture(scope="module")
def classroom(nbgrader, tmp_path_factory):
    """The folder after autograde, export and feedback."""
    from teaching.classroom import main, make_classroom

    folder = make_classroom(tmp_path_factory.mktemp("class") / "room", ["02"])
    release = folder / "release" / NAME / f"{NAME}.ipynb"
    for student, answered in STUDENTS.items():
        place = folder / "submitted" / student / NAME
        place.mkdir(parents=True)
        nbformat.write(submission(release, answered), place / release.name)
    place = folder / "submitted/unreadable" / NAME
    place.mkdir(parents=True)
    (place / release.name).write_text("{")
    assert main([str(folder), "db", "student", "add", "absent"]) == 0
    for words in (("autograde", NAME), ("export",), ("generate_feedback", NAME, "--log-level=WARN")):
        assert main([str(folder), *words]) == 0
    return folder


@pytest.fixture(scope="module")
def points():
    """Points of each task, by name."""
    return {task.name: task.points for task in tasks()}


@pytest.fixture(scope="module")
def grades(classroom):
    """The row of each student in the exported grades.csv."""
    with open(classroom / "grades.csv", newline="") as file:
        return {row["student_id"]: row for row in csv.DictReader(file)}


def test_what_a_class_gets_is_the_exercise_of_the_course(classroom):
    released = nbformat.read(classroom / "release" / NAME / f"{NAME}.ipynb", 4)
    exercise = nbformat.read(SOLUTIONS.parent / "exercises" / f"{NAME}.ipynb", 4)
    assert released.cells == exercise.cells


def test_the_marks_are_the_points_of_what_is_right(grades, points):
    assert set(grades) == {*STUDENTS, "unreadable", "absent"}
    # A person reads the free text: until then it has no points.
    for student, answered in STUDENTS.items():
        row = grades[student]
        assert float(row["score"]) == sum(points[name] for name in answered - {TEXT})
        assert float(row["max_score"]) == sum(points.values())
        assert row["assignment"] == NAME


def test_the_export_tells_an_empty_answer_from_a_file_that_could_not_be_read(grades):
    told = {who: (row["score"], row["status"], row["answered"]) for who, row in grades.items()}
    assert told["empty"] == ("0.0", "marked", f"0 of {len(TASKS)}")
    assert told["half_right"][1:] == ("marked", f"2 of {len(TASKS)}")
    assert told["unreadable"] == ("", "not marked", "")
    assert told["absent"] == ("0.0", "nothing handed in", "")
    assert grades["unreadable"]["notes"].startswith("the file is no JSON")


def test_the_feedback_says_what_the_check_said(classroom):
    page = (classroom / "feedback/half_right" / NAME / f"{NAME}.html").read_text(encoding="utf-8")
    assert f"{TASKS[1]}: no answer yet" in page and f"{TASKS[2]}: right." in page


def test_what_was_marked_is_marked_again_only_when_it_changed_or_by_force(classroom, points, capsys):
    from teaching.classroom import autograde

    def told(*words):
        assert autograde(classroom, [NAME, "--student", "empty", *words]) == 0
        return capsys.readouterr().out

    assert "marked before" in told()
    path = classroom / "submitted/empty" / NAME / f"{NAME}.ipynb"
    before = path.read_bytes()
    nbformat.write(submission(path, {TASKS[0]}), path)
    try:
        now = told()
        assert "marked before" not in now and f"{points[TASKS[0]]} of {sum(points.values())}" in now
        assert "marked before" not in told("--force")
    finally:
        path.write_bytes(before)


def test_a_mark_by_hand_survives_marking_again(classroom, points):
    from nbgrader.api import Gradebook

    from teaching.classroom import autograde

    def text(book):
        return book.find_grade(TEXT, NAME, NAME, "all_right")

    url = f"sqlite:///{classroom / 'gradebook.db'}"
    with Gradebook(url, "dropout") as book:
        text(book).manual_score = 2
        book.db.commit()
    assert autograde(classroom, [NAME, "--student", "all_right", "--force"]) == 0
    with Gradebook(url, "dropout") as book:
        assert text(book).manual_score == 2


# --- the hidden part of a check ---


def check_cell(source):
    cell = nbformat.v4.new_code_cell(source)
    cell.metadata["nbgrader"] = {"grade": True, "grade_id": "t-check", "points": 1, "solution": False}
    return cell


HIDDEN = "\n### BEGIN HIDDEN TESTS\nassert result.passed\n### END HIDDEN TESTS"


@pytest.mark.parametrize(
    "seen", ['result = check("t", a, b[0])', 'w = 1\nresult = check(\n    "t", f(a), "x"\n)\nprint(w)']
)
def test_the_hidden_part_marks_the_answers_of_the_visible_check_whatever_check_is(nbgrader, seen):
    from nbgrader.preprocessors import ClearHiddenTests

    from teaching.classroom import marked

    cell = check_cell(seen + HIDDEN)
    cell.source = marked(cell, "02")
    seen_again, _ = ClearHiddenTests().preprocess_cell(nbformat.from_dict(cell), {}, 0)
    assert seen_again.source == seen
    # Run it with a check that would end it, and a mark that says what it got.
    asked = []
    fake = type(sys)("fake")
    fake.mark = lambda *answers: asked.append(answers)
    names = {"check": None, "a": 5, "b": [7], "f": lambda value: -value, "print": lambda value: None}
    exec(cell.source, {**names, "__import__": lambda name, fromlist: fake})
    assert asked == [("02", "t", -5, "x")] if "w" in seen else asked == [("02", "t", 5, 7)]


@pytest.mark.parametrize(
    "seen", ["result = 1", 'check("a", 1)\ncheck("b", 2)', 'result = check("a", """b""")']
)
def test_a_check_cell_that_cannot_be_marked_so_is_refused(nbgrader, seen):
    from teaching.classroom import marked

    with pytest.raises(ValueError, match="needs one call of check"):
        marked(check_cell(seen + HIDDEN), "02")


def test_mark_prints_what_is_right_and_raises_what_is_not(capsys):
    from teaching.points import NotRight, mark

    mark("02", "count", 70, 21**0.5)
    assert capsys.readouterr().out == "count: right.\n"
    for answers, said in (((30, 21**0.5), "not yet"), ((None, None), "no answer yet")):
        with pytest.raises(NotRight, match=f"count: {said}") as caught:
            mark("02", "count", *answers)
        assert caught.value._render_traceback_() == str(caught.value).splitlines()
    with pytest.raises(NotRight, match="code that ends Python"):
        mark("02", function_task().name, *[lambda *answers: sys.exit()] * len(function_task().names))


# --- the command ---


def test_a_folder_with_something_in_it_is_refused(nbgrader, tmp_path, capsys):
    from teaching.classroom import main

    (tmp_path / "thesis.txt").write_text("mine")
    assert main([str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert said == f"classroom: {tmp_path} is not empty: name a folder that does not exist yet.\n"
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    assert main([str(tmp_path / "thesis.txt")]) == 1


def test_words_go_to_nbgrader_in_a_classroom_only(nbgrader, tmp_path, monkeypatch, capsys):
    from teaching import classroom

    seen = []
    done = subprocess.CompletedProcess([], 3)
    monkeypatch.setattr(classroom, "run", lambda folder, *words: seen.append((folder, *words)) or done)
    assert classroom.main([]) == 1 and "needs a folder" in capsys.readouterr().err
    assert classroom.main([str(tmp_path), "collect", NAME]) == 1
    assert "is no classroom yet" in capsys.readouterr().err and not seen
    (tmp_path / "nbgrader_config.py").write_text("")
    assert classroom.main([str(tmp_path), "collect", NAME]) == 3
    assert classroom.main([str(tmp_path), "lab", "--no-browser"]) == 3
    assert seen == [(tmp_path, "nbgrader", "collect", NAME), (tmp_path, "jupyter", "lab", "--no-browser")]


def test_files_that_are_named_are_those_of_the_callers_folder(nbgrader, tmp_path, monkeypatch):
    from teaching.classroom import of_caller

    monkeypatch.setenv("COURSE_CALLER", str(tmp_path))
    (tmp_path / "here.csv").write_text("id\nanna\n")
    here, grades = str(tmp_path / "here.csv"), str(tmp_path / "my.csv")
    assert of_caller(["db", "student", "import", "here.csv"]) == ["db", "student", "import", here]
    assert of_caller(["db", "student", "import", "elsewhere.csv"])[-1] == "elsewhere.csv"
    assert of_caller(["export", "--to", "my.csv"]) == of_caller(["export", "--to=my.csv"])
    assert of_caller(["export", "--to=my.csv"]) == ["export", "--to", grades]


def test_an_assignment_that_is_not_there_is_named_with_those_that_are(classroom, capsys):
    from teaching.classroom import main

    assert main([str(classroom), "autograde", "03_keras"]) == 1
    assert capsys.readouterr().err == f"classroom: there is no assignment 03_keras: use one of {NAME}.\n"


def test_a_kernel_that_does_not_start_costs_nobody_a_mark(classroom, capsys):
    from teaching.classroom import main

    before = (classroom / "marking.csv").read_text()
    assert main([str(classroom), "autograde", NAME, "--force", "--run-with", "no-such-command -x"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("classroom: ") and "no-such-command" in said and said.count("\n") == 1
    assert (classroom / "marking.csv").read_text() == before
    assert (classroom / "autograded/all_right" / NAME / f"{NAME}.ipynb").exists()


def test_the_command_counts_the_assignments(nbgrader, tmp_path, monkeypatch, capsys):
    from teaching import classroom

    (tmp_path / "release/02").mkdir(parents=True)
    monkeypatch.setattr(classroom, "make_classroom", lambda folder: tmp_path)
    assert classroom.main(["room"]) == 0
    assert "1 assignments in release/" in capsys.readouterr().out


# --- nbgrader's menus ---

ENABLED = """
import json
from jupyter_core.paths import jupyter_config_path, jupyter_path
from jupyter_server.extension.config import ExtensionConfigManager
from jupyterlab_server.config import get_page_config
page = get_page_config(jupyter_path("labextensions"))
server = ExtensionConfigManager(read_config_path=jupyter_config_path()).get_jpserver_extensions()
print(json.dumps([page["disabledExtensions"], [name for name, on in server.items() if on]]))
"""


def test_a_learner_sees_nothing_of_nbgrader_and_who_marks_sees_it(nbgrader, monkeypatch):
    import course
    from teaching.classroom import environment

    def extensions(variables):
        said = subprocess.run(
            [sys.executable, "-c", ENABLED], env=variables, capture_output=True, text=True, check=True
        )
        disabled, servers = json.loads(said.stdout)
        return "@jupyter/nbgrader" in disabled, sorted(name for name in servers if "nbgrader" in name)

    learner = course.clean_environment(sys.executable)
    assert extensions(learner) == (True, [])
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", learner["JUPYTER_CONFIG_PATH"])
    disabled, servers = extensions(environment())
    assert not disabled and "nbgrader.server_extensions.formgrader" in servers
    installed = Path(sys.prefix, "etc/jupyter/jupyter_server_config.d/nbgrader.json")
    ours = json.loads((ROOT / "config/jupyter_server_config.d/nbgrader.json").read_text())
    assert ours["ServerApp"]["jpserver_extensions"].keys() == (
        json.loads(installed.read_text())["ServerApp"]["jpserver_extensions"].keys()
    ), os.fspath(installed)
