"""Single lines of a file changed in place."""

from __future__ import annotations

import json

import pytest

from glmtts_core.batch.editing import MAX_EDITED_CHARS, editable_lines, with_lines
from glmtts_core.batch.rows import read_batch

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
