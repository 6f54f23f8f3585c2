"""Tables: aligned as text, valid as Markdown, and no verdict but the three."""

import pytest

from utils.tables import VERDICTS, Table, verdict_table


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


@pytest.mark.parametrize("verdict", VERDICTS)
def test_the_three_verdicts_are_shown_between_claim_and_measurement(verdict):
    table = verdict_table([("It helps", verdict, "0.81 against 0.80")])
    assert table.header == ["What the page says", "Verdict", "What we measured"]
    assert table.rows == [["It helps", verdict, "0.81 against 0.80"]]


@pytest.mark.parametrize("verdict", ["true", "Holds", ""])
def test_any_other_verdict_is_refused(verdict):
    with pytest.raises(ValueError, match="verdict must be one of holds, does not hold, depends"):
        verdict_table([("It helps", verdict, "0.81")])


def test_the_header_names_the_page_that_made_the_claims():
    table = verdict_table([("It helps", "holds", "0.81")], page="the PyTorch script")
    assert table.header[0] == "What the PyTorch script says"
