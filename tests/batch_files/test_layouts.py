"""What a file is taken for, and that damaged JSON is never taken for bare texts."""

from __future__ import annotations

import pytest

from glmtts_core.batch_files.rows import read_batch
from glmtts_core.catalogue import LANGUAGES
from glmtts_core.errors import BatchError

UNKNOWN_ENDINGS = pytest.mark.parametrize("name", ["", "pasted lines", "story.txt", "list"])


def layout(data: str, name: str = "") -> str:
    return read_batch(data.encode(), name).format


@UNKNOWN_ENDINGS
@pytest.mark.parametrize(
    "lines",
    [
        ["今天天气很好。", "我们去公园。"],
        ["Hello, world.", "How are you; fine?", "a | b"],
        ["Voice, speed and seed.", "More."],
        ["[laughs] Hello.", "[1] a footnote"],
        ["{smile} Hello.", "More {smile}"],
        ['"Hello," she said.', "Bye."],
        ["text: what follows", "is spoken"],
        ["Test", "text"],
        ["one line"],
        ["text"],
    ],
)
def test_bare_lines_are_a_text_each(lines, name):
    batch = read_batch("\n".join(["", *lines, ""]).encode(), name)
    assert batch.format == "txt"
    assert [(line.number, line.text) for line in batch.lines] == list(enumerate(lines, 2))
    assert [note.key for note in batch.notes] == ["batch.file.plain"]


def test_blanks_around_a_bare_line_are_not_part_of_it():
    assert [x.text for x in read_batch("\t  好 \n　two　\n".encode(), "a.txt").lines] == [
        "好",
        "two",
    ]


@UNKNOWN_ENDINGS
@pytest.mark.parametrize(
    "damaged",
    [
        '{"text": "a"\n{"text": "b"',
        '"text": "a"}\n"text": "b"}',
        "{'text': 'a'}\n{'text': 'b'}",
        "hello\n{'text': 'b'}",
        'hello\n{"text": "b"}\nhello',
        '"uttid": "x", "text": "a"',
        "{text: a}\n{text: b}",
        "{\ntext: a\n}",
        '{"text": "a',
        "[{text: a}]",
        '[\n"text": "a"\n]',
        "{",
    ],
)
def test_damaged_json_is_never_spoken(damaged, name):
    batch = read_batch(damaged.encode(), name)
    assert batch.format in ("jsonl", "json")
    assert batch.problems
    assert all("{" not in line.text and ":" not in line.text for line in batch.lines)


def test_a_damaged_first_line_does_not_turn_lines_of_json_into_something_else():
    for first in ('{"text": "a"', "oops", '{"text": "a"} x', "{", ""):
        batch = read_batch(f'{first}\n{{"text": "b"}}\n{{"text": "c"}}'.encode(), "a.txt")
        assert [(line.number, line.text) for line in batch.lines][-2:] == [(2, "b"), (3, "c")]
        assert batch.format == "jsonl"


def test_lines_cut_out_of_a_list_keep_their_commas():
    batch = read_batch(b'{"text": "a"},\n{"text": "b"},\n{"text": "c"}', "a.jsonl")
    assert (batch.format, len(batch.lines), batch.problems) == ("jsonl", 3, ())


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ('{"text": "a"}', "jsonl"),
        ('{"text": "a"}\n{"text": "b"}', "jsonl"),
        ('["a"]\n{"text": "b"}', "jsonl"),
        ('["a", "b"]', "json"),
        ('[\n{"text": "a"}\n]', "json"),
        ('{\n"text": "a"\n}', "json"),
        ("text,voice\na,b", "csv"),
        ("text;voice\na;b", "csv"),
        ("text\tvoice\na\tb", "tsv"),
        ("text\nHello, world", "csv"),
        ("text，voice\n你好，alpha", "csv"),
        ("sep=;\ntext;voice\na;b", "csv"),
    ],
)
@UNKNOWN_ENDINGS
def test_the_first_lines_tell_what_a_file_of_unknown_ending_is(data, expected, name):
    assert layout(data, name) == expected


@pytest.mark.parametrize("name", ["a.json", "a.csv", "a.tsv", "a.txt"])
def test_lines_of_json_are_lines_of_json_whatever_the_file_is_called(name):
    assert layout('{"text": "a"}\n{"text": "b"}', name) == "jsonl"


@pytest.mark.parametrize("name", ["", "a.txt", "a.csv", "a.tsv"])
def test_texts_below_one_column_may_hold_every_separator(name):
    batch = read_batch(b'text\nHello,\tworld; and | more\n"a ""b"""\n', name)
    assert [line.text for line in batch.lines] == ["Hello,\tworld; and | more", 'a "b"']


@UNKNOWN_ENDINGS
@pytest.mark.parametrize("header", ["texd;voice", "uttid,voice", "voice|sentence"])
def test_a_header_without_a_column_for_the_text_is_not_spoken(header, name):
    separator = next(each for each in ";,|" if each in header)
    with pytest.raises(BatchError, match="text"):
        read_batch(f"{header}\na{separator}b\n".encode(), name)


@UNKNOWN_ENDINGS
@pytest.mark.parametrize("separator", ["\t", "|"])
def test_rows_of_a_table_without_a_header_are_not_spoken(separator, name):
    rows = "".join(f"wav/{n}.wav{separator}今天天气很好。\n" for n in range(3))
    with pytest.raises(BatchError, match="first line above: uttid") as refused:
        read_batch(rows.encode(), name)
    assert "2" in refused.value.text("zh")


@pytest.mark.parametrize("rows", ["a\thello\nb\tbye", "a\thello"])
def test_names_with_blanks_between_do_not_make_rows_below_them_texts(rows):
    with pytest.raises(BatchError, match="uttid, a tab, text") as refused:
        read_batch(f"uttid text\n{rows}".encode())
    assert "制表符" in refused.value.text("zh")


@pytest.mark.parametrize("names", ["uttid,text", "uttid, text"])
def test_rows_that_do_not_fit_known_names_above_them_are_not_spoken(names):
    batch = read_batch(f"{names}\na\thello\nb\tbye".encode())
    assert (batch.format, batch.lines, len(batch.problems)) == ("csv", (), 2)


@UNKNOWN_ENDINGS
@pytest.mark.parametrize(
    "lines",
    [
        ["text, as we know it, is hard", "next line"],
        ["text, as we know it, is hard", "to read, for people, at night"],
        ["text，这是第一行。", "第二行"],
        ["text，这是第一行。", "第二行，也是一样。"],
        ["Text, hello world"],
        ["Voice, speed and seed.", "Hello, world."],
    ],
)
def test_a_sentence_that_begins_with_a_columns_name_is_no_header(lines, name):
    batch = read_batch("\n".join(lines).encode(), name)
    assert (batch.format, [line.text for line in batch.lines]) == ("txt", lines)


@UNKNOWN_ENDINGS
@pytest.mark.parametrize(
    "data",
    [
        "text,voice,speed\na",
        "text,\na,",
        "text,note\na,b",
        'id,text\n1,"two\nlines"',
        'id,text\n1,"open\n2,b',
        '"text","my\nnote"\na,b',
    ],
)
def test_a_header_is_one_where_a_row_fits_it_or_all_its_names_are_known(data, name):
    assert layout(data, name) == "csv"


@pytest.mark.parametrize(
    "data",
    ['{"text": "a"}', '["a"]', "text;voice\na;b", "text\tvoice\na\tb", "text\na", "a\nb"],
)
def test_what_a_file_was_taken_for_can_be_told(data):
    taken_for = read_batch(data.encode()).taken_for
    assert all(taken_for.text(language) for language in LANGUAGES)
