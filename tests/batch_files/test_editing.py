"""Single lines of a file changed in place."""

from __future__ import annotations

import json

import pytest

from glmtts_core.batch_files.editing import MAX_EDITED_CHARS, editable_lines, with_lines
from glmtts_core.batch_files.rows import read_batch

GOOD = '{"text": "你好"}'


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_corrected_line_takes_its_place_and_nothing_else_changes(codec, end):
    data = end.join([GOOD, '{"text": "坏的', "", GOOD, ""]).encode(codec)
    assert editable_lines(data, {2}) == {2: '{"text": "坏的'}
    mended = with_lines(data, {2: '{"text": "好的"}'})
    assert mended == end.join([GOOD, '{"text": "好的"}', "", GOOD, ""]).encode(codec)
    assert [line.number for line in read_batch(mended).lines] == [1, 2, 4]


def test_an_emptied_line_is_left_out_and_the_others_keep_their_numbers():
    batch = read_batch(with_lines(f"{GOOD}\nbad\n{GOOD}".encode(), {2: ""}))
    assert [line.number for line in batch.lines] == [1, 3]
    assert batch.problems == ()


def test_a_line_end_that_is_pasted_into_a_line_makes_no_second_one():
    batch = read_batch(with_lines(b"bad", {1: '{"text":\n"a"}'}))
    assert [line.text for line in batch.lines] == ["a"]


def test_lines_too_long_for_a_cell_are_left_to_the_file():
    long = json.dumps({"text": "a" * MAX_EDITED_CHARS})
    assert editable_lines(f"{long}\nbad".encode(), {1, 2}) == {2: "bad"}


def test_bytes_that_are_no_text_stay_as_they_are_in_other_lines():
    data = b'{"text": "\xe4\xbd\xa0"}\n{"text": "\xff"}\nbad'
    assert with_lines(data, {3: GOOD}).splitlines()[1] == b'{"text": "\xff"}'


# -- records over several lines ----------------------------------------------------------------


def corrected(data: bytes, name: str, changes: dict[int, str]) -> bytes:
    return with_lines(data, changes, read_batch(data, name))


def editable(data: bytes, name: str, numbers: set[int]) -> dict[int, str]:
    return editable_lines(data, numbers, read_batch(data, name))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("codec", ["utf-8-sig", "gb18030", "utf-16"])
def test_a_row_over_several_lines_is_edited_as_a_whole(codec, end):
    rows = ["text,speed", '"你好', '世界",fast', "b,1"]
    data = end.join(rows).encode(codec)
    assert editable(data, "a.csv", {2, 4}) == {2: '"你好\n世界",fast', 4: "b,1"}
    mended = corrected(data, "a.csv", {2: '"你好\n世界",1.5'})
    assert mended == end.join([rows[0], '"你好', '世界",1.5', rows[3]]).encode(codec)


@pytest.mark.parametrize(
    ("typed", "texts"),
    [
        ('"a b",1', {2: "a b", 5: "c"}),
        ('"a\nb\nc\nd",1', {2: "a\nb\nc d", 5: "c"}),
        ("", {5: "c"}),
    ],
)
def test_a_row_keeps_its_number_of_lines_whatever_is_typed(typed, texts):
    data = b'text,speed\n"a\nb\nc",fast\nc,1\n'
    batch = read_batch(corrected(data, "a.csv", {2: typed}), "a.csv")
    assert {line.number: line.text for line in batch.lines} == texts
    assert batch.problems == ()


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("indent", [None, 2])
def test_an_entry_of_a_list_is_edited_where_it_stands(codec, indent):
    one, two, three = "今天天气很好。", "我们去公园。", "好的，再见。"
    entries = [{"text": one}, {"text": two, "speed": "fast"}, {"text": three}]
    data = json.dumps(entries, indent=indent, ensure_ascii=False).encode(codec)
    (bad,) = read_batch(data, "a.json").problems
    before = editable(data, "a.json", {bad.number})[bad.number]
    assert json.loads(before) == entries[1]
    after = read_batch(corrected(data, "a.json", {bad.number: f'{{"text": "{two}"}}'}), "a.json")
    assert [line.text for line in after.lines] == [one, two, three]
    assert bad.number in [line.number for line in after.lines]
    left_out = read_batch(corrected(data, "a.json", {bad.number: ""}), "a.json")
    assert [line.uttid for line in left_out.lines] == [
        line.uttid for line in after.lines if line.text != two
    ]


def test_several_entries_are_edited_at_once():
    data = b'["a", 1, "c", 2, "e"]'
    batch = read_batch(corrected(data, "a.json", {2: '"b"', 4: '"d"'}), "a.json")
    assert [line.text for line in batch.lines] == list("abcde")


@pytest.mark.parametrize("data", [b"a\rb\rc", "a\nb\nc".encode("utf-16")])
def test_old_line_ends_and_wide_characters_stay(data):
    batch = read_batch(data)
    mended = with_lines(data, {2: "好"}, batch)
    assert [line.text for line in read_batch(mended).lines] == ["a", "好", "c"]
    assert mended[:2] == data[:2]
    assert len(mended) == len(data) + (2 if data.startswith(b"a") else 0)
