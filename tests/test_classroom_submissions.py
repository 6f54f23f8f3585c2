"""What students hand in: found, read and laid beside what was handed out. No kernel runs here."""

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

pytest.importorskip("nbgrader", reason="nbgrader is not installed: see requirements-classroom.txt")

from teaching import submissions
from teaching.submissions import (
    LARGEST,
    Unmarkable,
    align,
    answers,
    choose,
    find_notebooks,
    prepare,
    read,
    students_of,
)

NAME = "02_tasks"


def graded(cell, name, *, grade, solution, points=1):
    cell.metadata["nbgrader"] = {
        **{"grade_id": name, "grade": grade, "solution": solution, "locked": grade and not solution},
        **{"schema_version": 3, "task": False, "checksum": "0", **({"points": points} if grade else {})},
    }
    return cell


def handed_out():
    """A release: set-up, import, two code tasks with their checks and a free text."""
    cells = [
        new_markdown_cell("# Exercises"),
        new_code_cell("import sys", metadata={"tags": ["setup"]}),
        new_code_cell("import numpy as np"),
        new_markdown_cell("## 1"),
        graded(new_code_cell("a = None"), "a", grade=False, solution=True),
        graded(new_code_cell('result = check("a", a)'), "a-check", grade=True, solution=False),
        new_markdown_cell("## 2"),
        graded(new_code_cell("def b():\n    pass  # your code here"), "b", grade=False, solution=True),
        graded(new_code_cell('result = check("b", b)'), "b-check", grade=True, solution=False),
        new_markdown_cell("## 3"),
        graded(new_markdown_cell("*Your answer here.*"), "why", grade=True, solution=True),
    ]
    for number, cell in enumerate(cells):
        cell.id = f"c{number:03}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


@pytest.fixture
def release():
    return handed_out()


@pytest.fixture
def work():
    """A submission with all tasks answered."""
    notebook = handed_out()
    notebook.cells[4].source, notebook.cells[7].source = "a = 1", "def b():\n    return 2"
    notebook.cells[10].source = "Because."
    return notebook


ANSWERS = {"a": "a = 1", "b": "def b():\n    return 2", "why": "Because."}
WHOLE = ["# Exercises", "import sys", "import numpy as np", "## 1", "a = 1", 'result = check("a", a)', "## 2"]
WHOLE += ["def b():\n    return 2", 'result = check("b", b)', "## 3", "Because."]


def laid(notebook, release, tmp_path):
    """(sources, answered, repairs) after storing, reading and aligning the notebook."""
    path = tmp_path / f"{NAME}.ipynb"
    nbformat.write(notebook, path)
    cells, repairs = read(path)
    made, answered, more = align(cells, release)
    nbformat.validate(made)
    assert made.metadata == release.metadata
    return [cell.source for cell in made.cells], answered, repairs + more


# --- laying it beside the release ---


def test_a_notebook_as_it_should_be_stays_as_it_is(work, release, tmp_path):
    assert laid(work, release, tmp_path) == (WHOLE, 3, [])
    assert laid(release, release, tmp_path)[1:] == (0, [])


@pytest.mark.parametrize("gone", [1, 2, 5, 8])
def test_a_cell_that_is_no_answer_is_put_back_where_it_was(work, release, tmp_path, gone):
    del work.cells[gone]
    name = {1: "setup", 2: "import numpy as np", 5: "a-check", 8: "b-check"}[gone]
    assert laid(work, release, tmp_path) == (WHOLE, 3, [f"put back: {name}"])


def test_an_answer_cell_that_is_gone_comes_back_empty(work, release, tmp_path):
    del work.cells[4]
    sources, answered, repairs = laid(work, release, tmp_path)
    assert sources == [*WHOLE[:4], "a = None", *WHOLE[5:]] and answered == 2
    assert repairs == ["put back: a"]


def test_an_answer_without_its_mark_is_known_by_its_place(work, release, tmp_path):
    for cell in work.cells:
        cell.metadata, cell.id = {}, f"colab{cell.id}"
    work.cells.insert(4, new_code_cell("helper = 0"))
    work.cells.insert(12, new_markdown_cell("And besides."))
    sources, answered, repairs = laid(work, release, tmp_path)
    assert sources == [*WHOLE[:4], "helper = 0", *WHOLE[4:-1], "Because.\n\nAnd besides."]
    assert answered == 3 and repairs == [f"{name} known by its place" for name in ("a", "b", "why")]


def test_cells_of_their_own_stay_where_they_stand(work, release, tmp_path):
    work.cells.insert(0, new_code_cell("first = 0"))
    work.cells.insert(5, new_code_cell("helper = 0"))
    work.cells.append(new_code_cell("last = 0"))
    sources, _, repairs = laid(work, release, tmp_path)
    assert sources == ["first = 0", *WHOLE[:4], "helper = 0", *WHOLE[4:], "last = 0"] and not repairs


def test_a_changed_import_cell_runs_after_its_original(work, release, tmp_path):
    work.cells[2].source = "import numpy as np\nimport math"
    sources, _, repairs = laid(work, release, tmp_path)
    assert sources == [*WHOLE[:3], "import numpy as np\nimport math", *WHOLE[3:]]
    assert repairs == ["put back: import numpy as np"]


def test_a_changed_check_counts_for_nothing_but_an_answer_in_it_does(work, release, tmp_path):
    work.cells[5].source = 'result = check("a", 1)'
    assert laid(work, release, tmp_path) == (WHOLE, 3, [])
    work.cells[5].source = 'a = 1\nresult = check("a", a)'
    sources, _, repairs = laid(work, release, tmp_path)
    assert sources == [*WHOLE[:5], work.cells[5].source, *WHOLE[5:]] and repairs == ["put back: a-check"]


def test_of_two_cells_of_a_task_the_last_counts_unless_it_is_the_stub(work, release, tmp_path):
    again = nbformat.from_dict(work.cells[4])
    again.id, again.source = "again", "a = 7"
    work.cells.insert(5, again)
    sources, answered, repairs = laid(work, release, tmp_path)
    assert sources == [*WHOLE[:5], "a = 7", *WHOLE[5:]] and answered == 3
    assert repairs == ["2 cells a made one"]
    work.cells[5].source = "a = None"
    assert laid(work, release, tmp_path)[0] == WHOLE
    work.cells[5].source = "a = 1"  # the same twice: harmless
    assert answers(align(read(tmp_path / f"{NAME}.ipynb")[0], release)[0])["a"] == "a = 1"


def test_a_free_text_that_was_split_is_one_again(work, release, tmp_path):
    again = nbformat.from_dict(work.cells[10])
    again.id, again.source = "again", "And so on."
    work.cells.append(again)
    sources, _, repairs = laid(work, release, tmp_path)
    assert sources == [*WHOLE[:-1], "Because.\n\nAnd so on."] and repairs == ["2 cells why made one"]


def test_an_answer_whose_kind_was_changed_is_code_again(work, release, tmp_path):
    work.cells[4] = nbformat.from_dict({**work.cells[4], "cell_type": "markdown"})
    del work.cells[4]["outputs"], work.cells[4]["execution_count"]
    assert laid(work, release, tmp_path) == (WHOLE, 3, ["a is code again"])


def test_cells_that_were_moved_are_in_order_again(work, release, tmp_path):
    work.cells.insert(4, work.cells.pop(5))
    assert laid(work, release, tmp_path) == (WHOLE, 3, ["cells in order again"])


def test_a_picture_in_a_free_text_stays(work, release, tmp_path):
    work.cells[10].attachments = {"a.png": {"image/png": "AAAA"}}
    path = tmp_path / f"{NAME}.ipynb"
    nbformat.write(work, path)
    made, *_ = align(read(path)[0], release)
    assert made.cells[-1].attachments == work.cells[10].attachments


# --- reading ---


def written(tmp_path, content):
    path = tmp_path / f"{NAME}.ipynb"
    path.write_bytes(content)
    return path


def test_encodings_and_line_ends_are_repaired_and_said(work, tmp_path):
    work.cells[10].source = "Weil größer\r\nals."
    text = nbformat.writes(work)
    for encoding, said in (
        ("utf-8", []),
        ("utf-8-sig", ["a byte order mark"]),
        ("utf-16", ["encoding utf-16", "a byte order mark"]),
        ("cp1252", ["encoding Windows-1252"]),
    ):
        cells, repairs = read(written(tmp_path, text.replace("\n", "\r\n").encode(encoding)))
        assert cells[10].source == "Weil größer\nals." and repairs == said, encoding


def test_other_versions_and_kernels_are_read(work, tmp_path):
    work.metadata.kernelspec = {"name": "ir", "language": "R", "display_name": "R"}
    cells, repairs = read(written(tmp_path, nbformat.writes(work).encode()))
    assert repairs == ["kernel for R: run with Python"] and cells[4].source == "a = 1"
    old = nbformat.writes(nbformat.convert(handed_out(), 3), version=3).encode()
    cells, repairs = read(written(tmp_path, old))
    assert repairs == ["an old notebook format"]
    assert [cell.source for cell in cells] == [cell.source for cell in handed_out().cells]
    new = {**json.loads(nbformat.writes(work)), "nbformat": 5, "nbformat_minor": 99}
    assert len(read(written(tmp_path, json.dumps(new).encode()))[0]) == 11


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "the file is empty"),
        (b"\0\0\0\0", "the file is empty"),
        (b'{"cells": [', "no JSON: Expecting value in line 1"),
        (b"PK\x03\x04aaaa", "a ZIP archive"),
        (b"%PDF-1.7", "a PDF"),
        (b"\n<!DOCTYPE html><html>", "a web page"),
        (b'<<<<<<< HEAD\n{"cells": []}\n=======\n{}\n>>>>>>> mine', "both sides of a git merge"),
        (b"[" * 200_000, "nested too deeply"),
        (b"[1, 2]", "it has no cells"),
        (b'{"cells": 7}', "it has no cells"),
        (b'{"worksheets": 7, "nbformat": 3}', "it has no cells"),
    ],
)
def test_a_file_that_is_no_notebook_is_said_to_be_what_it_is(tmp_path, content, why):
    with pytest.raises(Unmarkable, match=why):
        read(written(tmp_path, content))


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(submissions, "LARGEST", 10)
    with pytest.raises(Unmarkable, match="save it without outputs"):
        read(written(tmp_path, b" " * 11))
    assert LARGEST == 100_000_000


def test_what_stands_in_a_cell_may_be_anything(tmp_path):
    odd = [7, None, {}, {"cell_type": "code", "source": ["a\n", 1]}, {"cell_type": "x", "source": 7}]
    odd += [{"cell_type": "code", "source": "\ud800", "metadata": 7, "id": 7, "attachments": []}]
    cells, _ = read(written(tmp_path, json.dumps({"cells": odd, "metadata": 7}).encode()))
    assert [(cell.kind, cell.source) for cell in cells] == [
        ("raw", ""),
        ("code", "a\n1"),
        ("raw", "7"),
        ("code", "?"),
    ]


# --- finding and choosing ---


@pytest.fixture
def room(tmp_path):
    (tmp_path / "submitted").mkdir()
    return tmp_path / "submitted"


def put(notebook, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


@pytest.mark.parametrize(
    "place",
    [
        f"anna/{NAME}/{NAME}.ipynb",
        f"anna/{NAME}/{NAME}/{NAME}.ipynb",
        f"{NAME}/anna/{NAME}.ipynb",
        f"anna/{NAME}.ipynb",
        f"anna/homework/{NAME}.ipynb",
        f"anna/{NAME}/{NAME}.ipynb.txt",
    ],
)
def test_a_notebook_is_found_at_the_wrong_level_too(work, release, room, place):
    put(work, room / place)
    assignments = {NAME, "03_more"}
    assert students_of(room, NAME, assignments) == (["anna"], [])
    [path] = find_notebooks(room, "anna", NAME, assignments - {NAME})
    assert path == room / place and choose([path], release, NAME).answered == 3


def test_what_belongs_to_another_assignment_is_not_taken(work, room):
    put(work, room / f"anna/03_more/{NAME}.ipynb")
    assert find_notebooks(room, "anna", NAME, {"03_more"}) == []


def test_checkpoints_links_and_other_files_are_not_taken(work, room):
    put(work, room / f"anna/{NAME}/.ipynb_checkpoints/{NAME}-checkpoint.ipynb")
    (room / f"anna/{NAME}/essay.pdf").write_text("")
    (room / f"anna/{NAME}/{NAME}.ipynb").symlink_to(room / "anna")
    with pytest.raises(Unmarkable, match=r"no notebook in its folder: essay\.pdf"):
        find_notebooks(room, "anna", NAME, set())


def test_a_notebook_in_nobodys_folder_is_told(work, room):
    put(work, room / "anna.ipynb")
    put(work, room / NAME / f"{NAME}.ipynb")
    assert students_of(room, NAME, {NAME}) == ([], [room / "anna.ipynb", room / NAME / f"{NAME}.ipynb"])


def test_a_renamed_notebook_is_taken_and_another_ones_is_not(work, release, room):
    put(work, room / "mine (1).ipynb")
    chosen = choose([room / "mine (1).ipynb"], release, NAME)
    assert answers(chosen.notebook) == ANSWERS and chosen.repairs == ["the file is called mine (1).ipynb"]
    other = new_notebook(cells=[new_code_cell('check("c", 1)'), new_code_cell('check("d", 1)')])
    put(other, room / f"{NAME}.ipynb")
    with pytest.raises(Unmarkable, match="none of the tasks of 02_tasks is in it"):
        choose([room / f"{NAME}.ipynb"], release, NAME)
    put(new_notebook(), room / f"{NAME}.ipynb")
    with pytest.raises(Unmarkable, match="none of the tasks"):
        choose([room / f"{NAME}.ipynb"], release, NAME)


def test_of_several_notebooks_the_one_that_counts_is_taken_only_if_that_is_clear(work, release, room):
    right, copy, broken = room / f"{NAME}.ipynb", room / "copy.ipynb", room / "broken.ipynb"
    put(release, right)
    put(work, copy)
    broken.write_text("{")
    chosen = choose([right, copy, broken], release, NAME)  # the named one is empty
    assert chosen.path == copy
    assert chosen.repairs == ["the file is called copy.ipynb", f"left aside: {NAME}.ipynb, broken.ipynb"]
    put(work, right)
    assert choose([right, copy], release, NAME).path == right  # both say the same
    work.cells[4].source = "a = 2"
    put(work, copy)
    chosen = choose([right, copy], release, NAME)  # the name tells
    assert answers(chosen.notebook)["a"] == "a = 1" and chosen.repairs == ["left aside: copy.ipynb"]
    with pytest.raises(Unmarkable, match=r"different answers: copy\.ipynb, other\.ipynb"):
        choose([copy, right.rename(room / "other.ipynb")], release, NAME)
    with pytest.raises(Unmarkable, match="no JSON"):
        choose([broken], release, NAME)


def test_files_beside_the_notebook_come_along_but_not_what_stops_nbgrader(work, release, room, tmp_path):
    folder = room / "anna" / NAME
    put(work, folder / f"{NAME}.ipynb")
    (folder / "data").mkdir()
    (folder / "data/mine.csv").write_text("1,2")
    (folder / "link").symlink_to(tmp_path)
    (folder / "timestamp.txt").write_text("yesterday, I think")
    submission = choose([folder / f"{NAME}.ipynb"], release, NAME)
    assert prepare(submission, NAME, tmp_path / "to", set()) == ["timestamp.txt cannot be read"]
    made = sorted(str(path.relative_to(tmp_path / "to")) for path in (tmp_path / "to").rglob("*.*"))
    assert made == [f"{NAME}.ipynb", "data/mine.csv"]
    (folder / "timestamp.txt").write_text("2026-03-01 10:00:00 UTC")
    assert prepare(submission, NAME, tmp_path / "again", set()) == []
    assert (tmp_path / "again/timestamp.txt").exists()
