"""Exercises: made from the solutions, and checked three ways: right answer, stub, wrong ideas."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from conftest import skip_or_fail
from utils.selfcheck import SelfCheck, chapters, load_chapter

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
SOLUTIONS = sorted((NOTEBOOKS / "solutions").glob("*.ipynb"))
CHECK = re.compile(r'^result = check\("(\w+)"', re.M)
HIDDEN = "\n### BEGIN HIDDEN TESTS\nassert result.passed, result.message\n### END HIDDEN TESTS"
each_solution = pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
each_chapter = pytest.mark.parametrize("number", chapters())


def chapter(number):
    try:
        return load_chapter(number)
    except ImportError as error:
        skip_or_fail(f"chapter {number}: {error}")


def all_misconceptions():
    """A (chapter, position) for each; where a framework is absent, one entry stands for the chapter."""
    for number in chapters():
        try:
            count = len(load_chapter(number).MISCONCEPTIONS)
        except ImportError:
            count = 1
        for position in range(count):
            yield number, position


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
    assert sorted(names) == sorted(chapter(path.name[:2]).EXERCISES)
    assert 4 <= len(names) + len(explain_cells(path)) <= 8


@each_solution
def test_a_check_fails_in_nbgrader_alone_and_the_stored_answer_is_right(path):
    for cell in check_cells(path):
        name = CHECK.search(cell.source)[1]
        assert cell.source.endswith(HIDDEN) and "### BEGIN SOLUTION" not in cell.source
        assert "".join(output.text for output in cell.outputs) == f"{name}: right.\n"
        assert grading(cell).locked and grading(cell).points > 0


@each_solution
def test_the_models_answers_pass_every_check(path, capsys):
    """Also in this process, where coverage sees the checks; nbval runs the notebook in its kernel."""
    chapter(path.name[:2])
    namespace = {}
    for cell in cells(path):
        if cell.cell_type == "code":
            exec(compile(cell.source, path.name, "exec"), namespace)
    assert capsys.readouterr().out.count(": right.\n") == len(check_cells(path))


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
    chapter(path.name[:2])
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


# --- the wrong ideas ---


@pytest.mark.parametrize(("number", "position"), list(all_misconceptions()))
def test_an_answer_built_on_a_wrong_idea_is_told_why_that_idea_is_wrong(number, position):
    module = chapter(number)
    wrong = module.MISCONCEPTIONS[position]
    answers = wrong.wrong()
    assert module.EXERCISES[wrong.exercise].check(*answers).why == wrong.why
    result = SelfCheck(module.EXERCISES).look(wrong.exercise, answers)
    assert not result.passed
    said = re.sub(r"\s+", " ", result.message)
    assert re.sub(r"\s+", " ", wrong.why) in said
    others = {row.why for row in module.MISCONCEPTIONS} - {wrong.why}
    assert not any(other in said for other in others)


@each_chapter
def test_a_wrong_idea_has_one_answer_that_says_more_than_wrong(number):
    module = chapter(number)
    by_belief = {}
    for row in module.MISCONCEPTIONS:
        assert row.exercise in module.EXERCISES and len(row.why.split()) >= 10
        by_belief.setdefault(row.belief, set()).add(row.why)
    assert all(len(whys) == 1 for whys in by_belief.values())


def test_the_course_answers_many_wrong_ideas():
    assert len({row.belief for number in chapters() for row in chapter(number).MISCONCEPTIONS}) >= 15


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

    for number in chapters():
        chapter(number)
    text = TEACHING.read_text(encoding="utf-8")
    assert with_table(text) == text, "run `python3 course.py exercises`"


def test_the_teachers_links_lead_somewhere():
    page = NOTEBOOKS.parent / "teaching/README.md"
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        assert target.startswith("http") or (page.parent / target.split("#")[0]).exists(), target


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
