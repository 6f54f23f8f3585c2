"""The exercise notebooks: made from the solutions; their tasks, stubs and model answers; the command."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from conftest import skip_or_fail
from utils.exercises.engine import chapters, exercises

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
SOLUTIONS = sorted((NOTEBOOKS / "solutions").glob("*.ipynb"))
CHECK = re.compile(r'^result = check\("(\w+)"', re.M)
HIDDEN = "\n### BEGIN HIDDEN TESTS\nassert result.passed, result.message\n### END HIDDEN TESTS"
each_solution = pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)


def exercises_of(number):
    try:
        return exercises(number)
    except ImportError as error:
        skip_or_fail(f"chapter {number}: {error}")


def cells(path):
    return nbformat.read(path, 4).cells


def grading(cell):
    return cell.metadata.get("nbgrader", {})


def check_cells(path):
    return [cell for cell in cells(path) if grading(cell).get("grade") and cell.cell_type == "code"]


def explain_cells(path):
    return [cell for cell in cells(path) if grading(cell).get("grade") and cell.cell_type == "markdown"]


# --- the notebooks ---


def test_every_module_of_checks_has_its_solution_and_exercise():
    assert [path.name[:2] for path in SOLUTIONS] == chapters()
    for folder in ("solutions", "exercises"):
        for path in (NOTEBOOKS / folder).iterdir():
            assert (NOTEBOOKS / path.name).exists(), f"{folder}/{path.name} is named after no chapter"


@each_solution
def test_the_exercise_is_what_nbgrader_makes_of_the_solution(path, nbgrader):
    from authoring.exercises import EXERCISES_DIR, make_exercise

    made = make_exercise(nbformat.read(path, 4))
    stored = nbformat.read(EXERCISES_DIR / path.name, 4)
    assert made == stored, "run `python3 course.py exercises`"


@each_solution
def test_a_notebook_has_four_to_eight_tasks_and_each_check_is_used_once(path):
    names = [CHECK.search(cell.source)[1] for cell in check_cells(path)]
    assert sorted(names) == sorted(exercises_of(path.name[:2]))
    assert 4 <= len(names) + len(explain_cells(path)) <= 8


@each_solution
def test_a_check_fails_in_nbgrader_alone_and_the_stored_answer_is_right(path):
    for cell in check_cells(path):
        name = CHECK.search(cell.source)[1]
        assert cell.source.endswith(HIDDEN) and "### BEGIN SOLUTION" not in cell.source
        assert "".join(output.text for output in cell.outputs) == f"{name}: right.\n"
        assert grading(cell).locked and grading(cell).points > 0


@each_solution
def test_an_explain_task_has_a_rubric_before_it_and_its_answer_under_a_fold(path):
    text = [cell.source for cell in cells(path) if cell.cell_type == "markdown"]
    answers = [cell.source for cell in explain_cells(path)]
    assert answers
    for answer in answers:
        assert answer.startswith("<details><summary>Model answer</summary>\n\n")
        assert "**Rubric**" in text[text.index(answer) - 1]
        points = {grading(c).points for c in explain_cells(path) if c.source == answer}
        assert re.search(r"\*\*Rubric\*\* \(1 point each\): (.*)", text[text.index(answer) - 1])[1].count(
            ";"
        ) == (points.pop() - 1)


@each_solution
def test_the_exercise_shows_no_answer_and_every_stub_fails_without_stopping_the_notebook(path):
    exercises_of(path.name[:2])
    exercise = nbformat.read(NOTEBOOKS / "exercises" / path.name, 4)
    for cell in exercise.cells:
        assert not re.search("BEGIN|END SOLUTION|HIDDEN|Model answer", cell.source)
    NotebookClient(  # it raises at the first cell that does
        exercise,
        timeout=300,
        kernel_name="python3",
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(NOTEBOOKS / "exercises")}},
    ).execute()
    checks = [cell for cell in exercise.cells if cell.source.startswith("result = check(")]
    assert len(checks) == len(check_cells(path))
    for cell in checks:
        name = CHECK.search(cell.source)[1]
        assert "".join(output.get("text", "") for output in cell.outputs) == (
            f"{name}: no answer yet. Write it in the cell above, run that cell, then this one.\n"
        )


def test_every_exercise_of_the_book_is_a_task():
    titles = [
        cell.source.splitlines()[0]
        for path in SOLUTIONS
        for cell in cells(path)
        if cell.source.startswith("## ")
    ]
    answered = [int(n) for title in titles for n in re.findall(r"\(D2L exercise (\d)\)", title)]
    assert set(answered) == set(range(1, 9))


def test_every_chapter_but_the_first_has_exercises_and_leads_to_them():
    paths = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))[1:]
    assert chapters() == [path.name[:2] for path in paths]
    for path in paths:
        text = "\n".join(cell.source for cell in cells(path) if cell.cell_type == "markdown")
        assert f"(exercises/{path.name})" in text


# --- the teacher's page, and the command ---


def test_the_teachers_table_is_up_to_date(nbgrader):
    from authoring.exercises import TEACHING, with_table

    text = TEACHING.read_text(encoding="utf-8")
    assert with_table(text) == text, "run `python3 course.py exercises`"


def test_a_page_without_the_markers_is_refused(nbgrader):
    from authoring.exercises import with_table

    with pytest.raises(ValueError, match="needs the line"):
        with_table("# Teaching\n")


def test_the_command_stores_the_solution_and_makes_the_exercise(nbgrader, tmp_path, monkeypatch, capsys):
    from authoring import exercises as make_exercises

    for folder in ("solutions", "exercises"):
        (tmp_path / folder).mkdir()
    (tmp_path / "teaching_page.md").write_text("\n".join(make_exercises.MARKERS))
    cell = nbformat.v4.new_code_cell(
        "def f():\n    ### BEGIN SOLUTION\n    return 7\n    ### END SOLUTION\nf()"
    )
    cell.metadata["nbgrader"] = {
        **{"grade": False, "grade_id": "f", "locked": False, "schema_version": 3, "solution": True},
        "task": False,
    }
    source = tmp_path / "solutions/07_demo.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), source)
    monkeypatch.setattr(make_exercises, "SOLUTIONS_DIR", tmp_path / "solutions")
    monkeypatch.setattr(make_exercises, "EXERCISES_DIR", tmp_path / "exercises")
    monkeypatch.setattr(make_exercises, "TEACHING", tmp_path / "teaching_page.md")
    assert make_exercises.main(["07"]) == 0
    assert cells(source)[0].outputs[0].data["text/plain"] == "7"
    made = cells(tmp_path / "exercises/07_demo.ipynb")[0]
    assert made.source == "def f():\n    pass  # your code here\nf()" and not made.outputs
    assert "p is the keep probability" in (tmp_path / "teaching_page.md").read_text()
    assert make_exercises.main(["08"]) == 1
    assert "no chapter '08'" in capsys.readouterr().err
