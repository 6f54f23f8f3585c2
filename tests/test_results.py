"""Stored results are written whole or not at all."""

import pytest

from utils.data import DataFileError
from utils.results import load_results, save_results


def test_what_is_saved_is_loaded(tmp_path):
    save_results("demo", {"accuracy": [0.5, 0.25]}, tmp_path / "new")
    assert load_results("demo", tmp_path / "new") == {"accuracy": [0.5, 0.25]}


def test_a_failed_save_leaves_the_old_file_and_no_litter(tmp_path):
    save_results("demo", {"old": 1}, tmp_path)
    with pytest.raises(TypeError):
        save_results("demo", {"new": object()}, tmp_path)
    (tmp_path / "other.json").mkdir()
    with pytest.raises(OSError):
        save_results("other", {"new": 1}, tmp_path)
    assert load_results("demo", tmp_path) == {"old": 1}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo.json", "other.json"]


@pytest.mark.parametrize("content", [None, "", "{", '{"a": 1'])
def test_a_missing_or_damaged_file_gets_one_sentence(tmp_path, content):
    if content is not None:
        (tmp_path / "demo.json").write_text(content)
    with pytest.raises(DataFileError, match=r"demo.json cannot be read .*git checkout"):
        load_results("demo", tmp_path)
