"""The library is written by the chapters: what is stored is what their cells give."""

import nbformat
import pytest

from authoring import library


@pytest.mark.parametrize("chapter", library.MODULES)
def test_a_module_is_what_its_chapter_builds(chapter):
    made = library.make_module(library.read_chapter(chapter), chapter)
    stored = (library.UTILS_DIR / f"{library.MODULES[chapter][0]}.py").read_text(encoding="utf-8")
    assert made == stored, "run `python3 course.py library`"


def notebook(*cells):
    """A notebook of (source, tags) pairs; a source that starts with # is a heading."""
    made = []
    for source, *tags in cells:
        kind = nbformat.v4.new_markdown_cell if source.startswith("# ") else nbformat.v4.new_code_cell
        made.append(kind(source.removeprefix("# "), metadata={"tags": tags}))
    return nbformat.v4.new_notebook(cells=made)


def test_only_exported_cells_go_in_with_their_section_and_the_imports_that_they_use():
    made = library.make_module(
        notebook(
            ("import math\nimport numpy as np\nfrom itertools import pairwise, chain",),
            ("# ## 3. Noise",),
            ("def noise(n):\n    return np.zeros(n), list(pairwise(n))", "export"),
            ("shown = noise([1, 2])",),
        ),
        "02",
    )
    assert "\nimport numpy as np\n" in made and "from itertools import pairwise\n" in made
    assert "math" not in made and "chain" not in made and "shown" not in made
    assert "# --- built in chapter 02, section 3. Noise ---\n\n\ndef noise(n):" in made


def test_code_that_leans_on_a_cell_that_is_not_exported_is_refused():
    cells = ("SIZE = 3",), ("def noise():\n    return [0] * SIZE", "export")
    with pytest.raises(ValueError, match="chapter 02 exports code that uses SIZE, which no exported cell"):
        library.make_module(notebook(*cells), "02")


def test_a_chapter_may_import_what_its_appendix_adds_to_the_module():
    cells = (
        ("from utils.monte_carlo import halve",),
        ("def quarter(x):\n    return halve(halve(x))", "export"),
        ("def halve(x):\n    return x / 2", "export"),
    )
    made = library.make_module(notebook(*cells), "11")
    assert "import" not in made and "def halve(x):" in made
