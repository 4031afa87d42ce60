"""JSON over as many lines as it likes: lists, objects with a list, objects in a row."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmtts_core.batch_files import documents, text_file
from glmtts_core.batch_files.lines import BatchInput
from glmtts_core.batch_files.rows import read_batch
from glmtts_core.catalogue import LANGUAGES
from glmtts_core.errors import BatchError

LINES = [
    {"uttid": "a", "text": "今天天气很好。", "speed": 1.2},
    {"uttid": "b", "text": 'a, {b} [c]\n"d"', "meta": {"tags": ["x", {"text": "no"}]}},
    {"uttid": "c", "text": "c"},
]
TEXTS = [line["text"] for line in LINES]


def read(text: str, name: str = "lines.json") -> BatchInput:
    return read_batch(text.encode(), name)


def noted(batch: BatchInput) -> set[str]:
    return {note.key for note in batch.notes}


@pytest.mark.parametrize("indent", [None, 0, 2, "\t"])
@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.txt", ""])
def test_a_list_of_objects_is_read_however_it_is_laid_out(indent, name):
    batch = read(json.dumps(LINES, indent=indent, ensure_ascii=False), name)
    assert batch.format == "json"
    assert [line.text for line in batch.lines] == TEXTS
    assert batch.lines[0].speed == 1.2
    assert batch.problems == ()


@pytest.mark.parametrize("indent", [None, 1])
def test_a_list_of_texts_is_a_text_a_line(indent):
    batch = read(json.dumps(TEXTS, indent=indent))
    assert [line.text for line in batch.lines] == TEXTS


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("entries", [LINES, TEXTS])
def test_an_object_with_one_list_is_that_list(indent, entries):
    whole = {"version": 1, "author": "me", "lines": entries, "end": True}
    batch = read(json.dumps(whole, indent=indent))
    assert [line.text for line in batch.lines] == TEXTS
    told = next(note for note in batch.notes if note.key == "batch.file.beside_list")
    assert "version, author, end" in told.text("en")


def test_an_object_with_a_text_is_a_line_whatever_lists_it_has():
    batch = read(json.dumps({"text": "a", "tags": ["x", "y"]}, indent=1))
    assert [line.text for line in batch.lines] == ["a"]


@pytest.mark.parametrize("between", ["\n", "\n\n", ",\n", ""])
def test_objects_in_a_row_need_no_list_around_them(between):
    batch = read(between.join(json.dumps(line, indent=2) for line in LINES))
    assert [line.text for line in batch.lines] == TEXTS


def test_numbers_are_those_of_the_lines_on_which_entries_begin():
    batch = read(json.dumps(LINES, indent=1))
    text = json.dumps(LINES, indent=1).splitlines()
    assert [line.number for line in batch.lines] == [
        number for number, line in enumerate(text, 1) if line == " {"
    ]
    assert batch.spans[2] == 6


def test_entries_that_share_a_line_are_numbered_themselves_and_that_is_told():
    batch = read(json.dumps([{"text": "a"}, {"txt": "b"}, {"text": "c"}]))
    assert [line.number for line in batch.lines] == [1, 3]
    assert [problem.number for problem in batch.problems] == [2]
    assert "batch.file.entries" in noted(batch)


def test_null_is_an_entry_that_was_left_out():
    batch = read('[{"text": "a"}, null, {"text": "b"}]')
    assert [(line.number, line.text) for line in batch.lines] == [(1, "a"), (3, "b")]


def test_a_comma_behind_the_last_entry_does_no_harm():
    assert [line.text for line in read('[\n{"text": "a"},\n{"text": "b"},\n]').lines] == ["a", "b"]


def test_a_list_that_was_cut_off_is_read_as_far_as_it_goes_and_told():
    whole = json.dumps(LINES, indent=1)
    batch = read(whole[: whole.rindex('"uttid"')])
    assert [line.text for line in batch.lines] == TEXTS[:2]
    assert len(batch.problems) == 1
    assert "batch.file.cut_off" in noted(batch)


@pytest.mark.parametrize(
    "broken",
    [
        '{"text": "b" "speed": 1}',
        '{"text": "b, "speed": 1}',
        '{"text": "b",, "speed": 1}',
        "{'text': 'b'}",
        '{"text": "b", "speed": 1',
        '{"text": "b\n"}',
        '{"text": b}',
        '{"seed": ' + "9" * 5000 + ', "text": "b"}',
        '{"text": ' + "[" * 50_000 + "}",
    ],
)
@pytest.mark.parametrize("between", [",\n", ","])
def test_a_broken_entry_is_set_aside_with_its_place_and_its_neighbours_are_read(broken, between):
    batch = read("[" + between.join(['{"text": "a"}', broken, '{"text": "c"}']) + "]")
    assert [line.text for line in batch.lines] == ["a", "c"]
    assert len(batch.problems) == 1
    for language in LANGUAGES:
        assert batch.problems[0].message.text(language)
    assert len(batch.problems[0].excerpt) <= 200


@pytest.mark.parametrize("entry", ["1", "true", '["a"]', "[]", "1e999"])
def test_an_entry_that_is_no_object_and_no_text_is_set_aside_as_it_is_written(entry):
    batch = read(f'[{{"text": "a"}},\n{entry},\n{{"text": "b"}}]')
    assert [line.text for line in batch.lines] == ["a", "b"]
    (problem,) = batch.problems
    assert problem.number == 2


def test_a_broken_text_in_a_list_of_texts_costs_itself_only():
    batch = read('["a",\n"b,\n"c"]')
    assert [line.text for line in batch.lines] == ["a", "c"]
    assert [problem.number for problem in batch.problems] == [2]


def test_a_name_that_stands_twice_is_seen_in_a_list_too():
    (problem,) = read('[\n{"text": "a", "text": "b"}]').problems
    assert problem.message.key == "batch.line.twice"


def test_bytes_that_are_no_text_cost_their_entry_only():
    batch = read_batch('[\n{"text": "好"},\n{"text": "'.encode() + b'\xff"}]', "a.json")
    assert len(batch.lines) == 1
    (problem,) = batch.problems
    assert problem.number == 3
    problem.excerpt.encode()


def test_a_document_beyond_the_limit_is_to_come_as_lines(monkeypatch):
    monkeypatch.setattr("glmtts_core.batch_files.layouts.MAX_DOCUMENT_BYTES", 2**20)
    with pytest.raises(BatchError, match="JSONL"):
        read(json.dumps(["a" * 2**20, "b"], indent=1))


def test_too_many_entries_are_refused(monkeypatch):
    monkeypatch.setattr(documents, "MAX_LINES", 3)
    with pytest.raises(BatchError, match="3"):
        read(json.dumps(["a"] * 4))


def test_a_list_of_one_line_may_be_longer_than_a_line(monkeypatch):
    monkeypatch.setattr(text_file, "MAX_LINE_BYTES", 1_000)
    assert len(read(json.dumps([{"text": f"{n}"} for n in range(1_000)])).lines) == 1_000


@pytest.mark.parametrize("rubbish", ["{]", '{"a', "\n{", "}{", "x,", '"', "[\n", "{\n\n"])
def test_a_document_of_rubbish_ends_soon(rubbish):
    started_s = time.process_time()
    try:
        batch = read("[" + rubbish * 200_000)
        assert batch.total
    except BatchError as error:
        assert error.text("zh")
    assert time.process_time() - started_s < 30


@given(
    st.lists(st.sampled_from(['{"text": "a"}', "{", "}", "[", "]", ",", '"', "b", "\n", "null"]))
)
def test_every_document_is_read_or_refused(parts):
    try:
        batch = read("[" + "".join(parts))
    except BatchError as error:
        assert error.text("en")
        return
    numbers = [each.number for each in (*batch.lines, *batch.problems)]
    assert len(set(numbers)) == len(numbers)
