"""A class, from the folder to the marks: three students, all right, half right and empty."""

import csv
import subprocess
from pathlib import Path

import nbformat
import pytest

SOLUTIONS = Path(__file__).resolve().parent.parent / "notebooks/solutions"
NAME = "02_dropout_from_scratch"
# What each student answers: an untouched cell keeps its stub.
STUDENTS = {
    "all_right": {"count", "moments", "recipe", "apart", "steady", "speed", "skip"},
    "half_right": {"count", "moments", "steady"},
    "empty": set(),
}


def grading(cell):
    return cell.metadata.get("nbgrader", {})


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
    from teaching.classroom import make_classroom
    from teaching.classroom import nbgrader as run

    folder = make_classroom(tmp_path_factory.mktemp("class") / "room", ["02"])
    release = folder / "release" / NAME / f"{NAME}.ipynb"
    for student, answered in STUDENTS.items():
        place = folder / "submitted" / student / NAME
        place.mkdir(parents=True)
        nbformat.write(submission(release, answered), place / release.name)
    for words in (("autograde", NAME), ("export",), ("generate_feedback", NAME)):
        run(folder, *words, "--log-level=WARN").check_returncode()
    return folder


@pytest.fixture(scope="module")
def points():
    """Points of each task that a check gives, by name."""
    cells = nbformat.read(SOLUTIONS / f"{NAME}.ipynb", 4).cells
    return {
        grading(c).grade_id.removesuffix("-check"): grading(c).points
        for c in cells
        if grading(c).get("grade")
    }


def test_what_a_class_gets_is_the_exercise_of_the_course(classroom):
    released = nbformat.read(classroom / "release" / NAME / f"{NAME}.ipynb", 4)
    exercise = nbformat.read(SOLUTIONS.parent / "exercises" / f"{NAME}.ipynb", 4)
    assert released.cells == exercise.cells


def test_the_marks_are_the_points_of_what_is_right(classroom, points):
    with open(classroom / "grades.csv") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert set(rows) == set(STUDENTS)
    # A person reads the free text: until then it has no points.
    for student, answered in STUDENTS.items():
        assert float(rows[student]["score"]) == sum(points[name] for name in answered - {"skip"})
        assert float(rows[student]["max_score"]) == sum(points.values())
        assert rows[student]["assignment"] == NAME


def test_the_feedback_says_what_the_check_said(classroom):
    page = (classroom / "feedback/half_right" / NAME / f"{NAME}.html").read_text(encoding="utf-8")
    assert "recipe: no answer yet" in page and "steady: right." in page


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
    monkeypatch.setattr(classroom, "nbgrader", lambda folder, *words: seen.append(words) or done)
    assert classroom.main([]) == 1 and "needs a folder" in capsys.readouterr().err
    assert classroom.main([str(tmp_path), "autograde", NAME]) == 1
    assert "is no classroom yet" in capsys.readouterr().err and not seen
    (tmp_path / "nbgrader_config.py").write_text("")
    assert classroom.main([str(tmp_path), "autograde", NAME]) == 3
    assert seen == [("autograde", NAME)]


def test_the_command_counts_the_assignments(nbgrader, tmp_path, monkeypatch, capsys):
    from teaching import classroom

    (tmp_path / "release/02").mkdir(parents=True)
    monkeypatch.setattr(classroom, "make_classroom", lambda folder: tmp_path)
    assert classroom.main(["room"]) == 0
    assert "1 assignments in release/" in capsys.readouterr().out
