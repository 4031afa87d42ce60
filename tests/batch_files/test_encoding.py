"""Bytes as text: encodings, marks and line ends as editors and spreadsheets write them."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmtts_core.batch_files import encoding
from glmtts_core.batch_files.encoding import normalised, normalised_bytes
from glmtts_core.batch_files.rows import read_batch
from glmtts_core.batch_files.text_file import detect_encoding
from glmtts_core.errors import BatchError

TEXT = "今天天气很好，“上”。"
WIDE = ["utf-16", "utf-16-le", "utf-16-be"]


def marked(text: str, codec: str) -> bytes:
    return (text if codec == "utf-16" else f"\ufeff{text}").encode(codec)


@pytest.mark.parametrize("codec", WIDE)
def test_unicode_text_of_excel_is_read(codec):
    data = marked(f'text\tvoice\r\n{TEXT}\talpha\r\n"two ""x"""\tkumo\r\n', codec)
    batch = read_batch(data, "Book1.txt")
    assert (batch.encoding, batch.format) == ("UTF-16", "tsv")
    assert [(x.number, x.text, x.voice) for x in batch.lines] == [
        (2, TEXT, "alpha"),
        (3, 'two "x"', "kumo"),
    ]


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("whole", ['{"text": "好"}\n', "text,voice\na,b\n", '["a"]'])
def test_wide_characters_are_seen_without_a_mark(codec, whole):
    batch = read_batch(whole.encode(codec))
    assert (batch.encoding, len(batch.lines)) == ("UTF-16", 1)


def test_half_a_character_costs_its_own_line_only():
    good, lone = '{"text": "a"}\n'.encode("utf-16-le"), b'"\x00\x00\xd8\n\x00'
    batch = read_batch(b"\xff\xfe" + good + lone + good + b"{", "a.jsonl")
    assert [line.number for line in batch.lines] == [1, 3]
    assert [(each.number, each.message.key) for each in batch.problems] == [
        (2, "batch.line.undecodable"),
        (4, "batch.line.undecodable"),
    ]


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.txt"])
def test_lines_may_end_in_every_way(name, end, codec):
    rows = {
        "a.csv": ["text,uttid", f"{TEXT},a", "two,b"],
        "a.jsonl": [f'{{"text": "{TEXT}"}}', '{"text": "two"}'],
        "a.txt": [TEXT, "two"],
    }[name]
    batch = read_batch((end.join(rows) + end).encode(codec), name)
    assert [line.text for line in batch.lines] == [TEXT, "two"]
    assert batch.problems == ()


def test_a_carriage_return_inside_a_value_ends_no_line_where_line_feeds_do():
    assert read_batch(b'text,uttid\n"a\rb",x\n', "a.csv").lines[0].text == "a\rb"


def test_utf32_is_refused_with_what_to_do():
    with pytest.raises(BatchError, match="UTF-8"):
        read_batch("text\na".encode("utf-32"))


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"%PDF-1.7", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])
@pytest.mark.parametrize("name", ["book.xlsx", "book.csv", "book.txt", ""])
def test_a_workbook_or_document_is_refused_with_what_to_do(start, name):
    with pytest.raises(BatchError, match="CSV"):
        read_batch(start + bytes(range(256)), name)


def test_bytes_that_are_no_text_are_not_spoken():
    with pytest.raises(BatchError, match="not text"):
        read_batch(b"ELF\x01\x02\x00\x00\x00 and so on\nmore", "program")


@given(st.text(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be"]))
def test_a_file_is_the_same_after_it_was_normalised_and_back(text, codec):
    data = marked(text, codec) if codec == "utf-16-be" else text.encode(codec)
    try:
        found = detect_encoding(io.BytesIO(data))
    except BatchError:
        return
    form = normalised_bytes(data, found)
    assert found.restored(form) == data
    assert normalised(io.BytesIO(data), found).read() in (form, data[len(found.mark) :])


def test_characters_on_the_border_of_two_blocks_stay_whole(monkeypatch):
    monkeypatch.setattr(encoding, "_BLOCK_BYTES", 3)
    data = '{"text": "😀上😀"}\r{"text": "b"}'.encode("utf-16")
    assert [line.text for line in read_batch(data).lines] == ["😀上😀", "b"]
