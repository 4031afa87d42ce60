"""Rows of a table: separators, headers and quotes as spreadsheets write them."""

from __future__ import annotations

import csv
import io

import pytest

from glmtts_core.batch_files import table_reader
from glmtts_core.batch_files.lines import BatchInput, LineProblem
from glmtts_core.batch_files.rows import read_batch
from glmtts_core.catalogue import LANGUAGES
from glmtts_core.errors import BatchError

TEXT = "今天天气很好。"


def table(*rows: str, name: str = "x.csv") -> BatchInput:
    return read_batch("".join(f"{row}\n" for row in rows).encode(), name)


def only_problem(batch: BatchInput) -> LineProblem:
    (problem,) = batch.problems
    return problem


# -- separators --------------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.txt", ""])
def test_the_header_tells_what_separates_the_columns(name, separator):
    rows = [["uttid", "syn_text", "speed"], ["a", TEXT, "1.5"], ["b", "hello; there", ""]]
    target = io.StringIO()
    csv.writer(target, delimiter=separator).writerows(rows)
    batch = read_batch(target.getvalue().encode(), name)
    assert (batch.format, batch.separator) == ("tsv" if separator == "\t" else "csv", separator)
    assert [(x.uttid, x.text, x.speed, x.number) for x in batch.lines] == [
        ("a", TEXT, 1.5, 2),
        ("b", "hello; there", None, 3),
    ]
    assert batch.problems == ()


@pytest.mark.parametrize("line", ["sep=;", "SEP=;", '"sep=;"', "sep=;;;"])
@pytest.mark.parametrize("name", ["a.csv", "a.txt", ""])
def test_the_separator_that_excel_names_in_the_first_line_is_taken(line, name):
    batch = table(line, "text;voice", "Hello, world;alpha", name=name)
    assert [(x.number, x.text, x.voice) for x in batch.lines] == [(3, "Hello, world", "alpha")]


def test_a_named_separator_may_be_any_sign():
    batch = table("sep=^", "text^voice", "a;b|c^alpha")
    assert [(x.text, x.voice) for x in batch.lines] == [("a;b|c", "alpha")]


def test_a_separator_line_that_does_not_fit_the_header_is_passed_over():
    assert table("sep=;", "text,voice", "a,alpha").lines[0].voice == "alpha"


def test_a_decimal_comma_is_what_excel_writes_beside_semicolons():
    assert table("text;speed", "a;1,25").lines[0].speed == 1.25


def test_what_the_file_was_taken_for_names_the_separator():
    for language in LANGUAGES:
        assert "“;”" in table("text;voice", "a;b").taken_for.text(language)


# -- the header --------------------------------------------------------------------------------


def test_separators_behind_the_last_name_and_value_mean_nothing():
    batch = table("text,voice,,", "a,alpha,,", "b,kumo", "c,alpha,,,,")
    assert [(x.text, x.voice) for x in batch.lines] == [
        ("a", "alpha"),
        ("b", "kumo"),
        ("c", "alpha"),
    ]
    assert (batch.problems, batch.notes) == ((), ())


def test_a_value_behind_the_last_name_is_not_dropped_silently():
    problem = only_problem(table("text,voice,", "Hello, world,alpha"))
    assert problem.message.key == "batch.line.columns"
    assert "3 values, the header names 2" in problem.message.text("en")


def test_the_nameless_first_column_of_a_data_frame_is_ignored_and_told():
    batch = table(",text,voice", "0,a,alpha", "1,b,kumo")
    assert [line.text for line in batch.lines] == ["a", "b"]
    assert "#1 (2)" in batch.notes[0].text("en")


def test_an_unknown_column_is_ignored_and_told_with_the_rows_that_fill_it():
    batch = table("text,speaker", "a,one", "b,", "c,two")
    assert len(batch.lines) == 3
    assert "speaker (2)" in batch.notes[0].text("zh")


def test_a_misspelt_column_is_refused_with_a_suggestion():
    with pytest.raises(BatchError, match="Did you mean sample_rate"):
        table("text,sampel_rate", "a,24000")


def test_a_column_close_to_one_that_is_there_is_no_misspelling():
    assert table("text,test", "a,b").lines[0].text == "a"


def test_the_case_of_a_columns_letters_does_not_matter():
    assert table("Text;Voice", "a;alpha").lines[0].voice == "alpha"


@pytest.mark.parametrize(
    ("header", "said"),
    [("texd,uttid", "text"), ("uttid,voice", "syn_text"), ('"text', "text"), ("a,b", "text")],
)
def test_a_table_needs_a_header_that_can_be_understood(header, said):
    with pytest.raises(BatchError, match=said):
        table(header, "x,y")


@pytest.mark.parametrize("name", ["x.csv", "x.txt", ""])
def test_a_name_in_the_header_may_run_over_lines(name):
    batch = table('"uttid","text","my', 'note"', "a,hello,n", "b,bye,", name=name)
    assert [(x.number, x.uttid, x.text) for x in batch.lines] == [
        (3, "a", "hello"),
        (4, "b", "bye"),
    ]
    assert "my note (1)" in batch.notes[0].text("en")


@pytest.mark.parametrize("separator", [",", ";", "|", "\t"])
def test_a_blank_behind_the_separator_does_not_hide_a_quote(separator):
    names, value = f'uttid{separator} "text"', f'a{separator} "say{separator} ""now"""'
    assert table(names, value).lines[0].text == f'say{separator} "now"'


def test_a_blank_that_separates_is_no_blank_behind_a_separator():
    assert table("sep= ", "uttid voice text", "a  hello").lines[0].text == "hello"


def test_a_header_of_separators_only_is_told():
    with pytest.raises(BatchError, match="first row"):
        table(",,", "a,b,c")


# -- rows --------------------------------------------------------------------------------------


def test_a_quoted_value_may_hold_separators_and_line_ends():
    batch = table('text,uttid\n"a, ""b""\nc",one\nd,two')
    assert [(x.number, x.uttid, x.text) for x in batch.lines] == [
        (2, "one", 'a, "b"\nc'),
        (4, "two", "d"),
    ]
    assert batch.spans == {2: 3}


def test_a_quoted_value_may_run_over_hundreds_of_lines():
    chapter = "\n".join(f"line {number}" for number in range(500))
    batch = table("text;voice", f'"{chapter}";alpha', "next;kumo;surplus")
    assert [(x.number, x.text) for x in batch.lines] == [(2, chapter)]
    assert only_problem(batch).number == 502


def test_blank_lines_inside_a_quoted_value_are_part_of_it():
    batch = table("text,uttid", "", '"one', "", "  ", 'two",a', "", "b,b")
    assert [(x.number, x.text) for x in batch.lines] == [(3, "one\n\n  \ntwo"), (8, "b")]
    assert batch.spans == {3: 6}


def test_a_quote_left_open_costs_its_own_line_only():
    batch = read_batch(b'text\n"open\nb\nc\n' + b"d\n" * 60, "x.csv")
    assert [(problem.number, problem.message.key) for problem in batch.problems] == [
        (2, "batch.line.open_quote")
    ]
    assert len(batch.lines) == 62


def test_a_quote_left_open_does_not_swallow_a_long_file():
    rows = ["row"] * (table_reader._MAX_ROW_LINES + 10)
    batch = table("text", '"open', *rows)
    assert only_problem(batch).message.key == "batch.line.open_quote"
    assert len(batch.lines) == len(rows)


def test_a_line_that_cannot_be_read_inside_a_quoted_value_costs_its_row():
    data = 'text,uttid\n"好\n'.encode() + b"\xff\n" + 'end",one\n好,two\n'.encode()
    batch = read_batch(data, "x.csv")
    assert (only_problem(batch).number, only_problem(batch).message.key) == (
        2,
        "batch.line.undecodable",
    )
    assert [(line.number, line.uttid) for line in batch.lines] == [(5, "two")]


def test_a_row_with_too_many_values_is_set_aside_with_all_its_lines():
    batch = table("text,uttid", "hello, world,a", '"one\ntwo",b,c', "b,c")
    assert [(each.number, each.message.key) for each in batch.problems] == [
        (2, "batch.line.columns"),
        (3, "batch.line.columns"),
    ]
    assert [line.uttid for line in batch.lines] == ["c"]


def test_a_value_beyond_all_bounds_is_set_aside():
    batch = table("text,voice", f"{'a' * 200_000},alpha", "b,alpha")
    assert only_problem(batch).message.key == "batch.line.value_huge"
    assert [line.text for line in batch.lines] == ["b"]


def test_rows_of_nothing_but_separators_are_empty():
    assert table("text,uttid", ",", "a,b").total == 1
