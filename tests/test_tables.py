"""Tables: aligned as text, valid as Markdown."""

import pytest

from utils.tables import Table


def test_text_columns_line_up_and_have_no_trailing_space():
    text = repr(Table(["p", "accuracy"], [[0.5, "0.81"], [0, "a longer value"]]))
    assert text == "p    accuracy\n0.5  0.81\n0    a longer value"


def test_markdown_has_a_header_a_rule_and_one_line_per_row():
    table = Table(["p", "accuracy"], [[0, 0.8], [0.5, 0.81]])
    assert table._repr_markdown_() == "| p | accuracy |\n| --- | --- |\n| 0 | 0.8 |\n| 0.5 | 0.81 |"


def test_a_pipe_or_a_line_break_in_a_value_does_not_break_the_markdown_table():
    lines = Table(["a|b"], [["one\ntwo"]])._repr_markdown_().splitlines()
    assert lines == ["| a\\|b |", "| --- |", "| one<br>two |"]


def test_rows_may_come_from_a_generator():
    assert Table(["n"], ([n] for n in range(3))).rows == [["0"], ["1"], ["2"]]


def test_a_table_without_rows_is_its_header():
    assert repr(Table(["a", "b"], [])) == "a  b"


@pytest.mark.parametrize("row", [[1], [1, 2, 3]])
def test_a_row_of_another_length_is_refused(row):
    with pytest.raises(ValueError, match="rows must have 2 values like the header"):
        Table(["a", "b"], [row])
