"""Reading a batch file: every line accounted for, whatever stands in it."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from glmtts_core.batch_files import text_file
from glmtts_core.batch_files.fields import known_names
from glmtts_core.batch_files.lines import BatchInput, BatchLine, LineProblem
from glmtts_core.batch_files.rows import read_batch
from glmtts_core.catalogue import LANGUAGES
from glmtts_core.errors import BatchError
from glmtts_core.message import Message

TEXT = "今天天气很好。"


def jsonl(*objects: Any) -> bytes:
    return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in objects).encode()


def problem_of(data: bytes, name: str = "lines.jsonl") -> Message:
    (problem,) = read_batch(data, name).problems
    return problem.message


def numbers(batch: BatchInput) -> list[int]:
    return sorted(each.number for each in (*batch.lines, *batch.problems))


# -- fields ------------------------------------------------------------------------------------


def test_a_line_keeps_all_that_it_says():
    whole = {
        "uttid": "a1",
        "text": TEXT,
        "prompt_text": "你好",
        "prompt_audio": "p.wav",
        "use_kv_cache": True,
        "seed": 7,
        "sample_rate": 32000,
        "sampling": "ras",
        "voice": "alpha",
        "speed": 1.2,
    }
    assert read_batch(jsonl(whole)).lines == (
        BatchLine(
            number=1,
            uttid="a1",
            file_stem="a1",
            text=TEXT,
            prompt_text="你好",
            prompt_audio="p.wav",
            history=True,
            seed=7,
            sample_rate_hz=32000,
            sampling="ras",
            voice="alpha",
            speed=1.2,
        ),
    )


@pytest.mark.parametrize("name", ["text", "syn_text", "input_text"])
def test_the_text_goes_by_every_name_found_in_the_field(name):
    assert read_batch(jsonl({name: TEXT})).lines[0].text == TEXT


def test_names_and_references_go_by_their_other_names():
    line = read_batch(jsonl({"output_name": "x", "prompt_speech": "p.wav", "text": "a"})).lines[0]
    assert (line.uttid, line.prompt_audio) == ("x", "p.wav")


def test_a_line_without_a_name_gets_one():
    batch = read_batch(
        jsonl({"text": "a"}, {"uttid": None, "text": "b"}, {"uttid": 7, "text": "c"})
    )
    assert [line.uttid for line in batch.lines] == ["line-0001", "line-0002", "7"]


def test_a_made_up_name_gives_way_to_a_given_one():
    batch = read_batch(jsonl({"uttid": "line-0002", "text": "a"}, {"text": "b"}))
    assert batch.problems == ()
    assert len({line.uttid for line in batch.lines}) == 2


def test_a_misspelt_field_is_an_error_with_a_suggestion():
    problem = problem_of(jsonl({"text": "a", "sampel_rate": 24000}))
    assert "sample_rate" in problem.text("en")
    assert "sample_rate" in problem.text("zh")


def test_unknown_fields_are_named_once_with_the_lines_that_have_them_and_ignored():
    batch = read_batch(
        jsonl(
            {"text": "a", "speaker": 1, "emotion": "happy"},
            {"text": "b", "speaker": 2, "duration": None},
            {"text": "c"},
        )
    )
    assert (len(batch.lines), batch.problems) == (3, ())
    (note,) = batch.notes
    for language in LANGUAGES:
        assert "speaker (2), emotion (1)" in note.text(language)
        assert "prompt_audio" in note.text(language)
        assert "duration" not in note.text(language)


def test_ten_thousand_unknown_fields_are_told_in_one_short_sentence():
    (note,) = read_batch(jsonl({"text": "a"} | {f"x{n}": n for n in range(10_000)})).notes
    assert len(note.text("en")) < 500


def test_a_name_close_to_a_field_that_the_line_has_is_no_misspelling_of_it():
    batch = read_batch(jsonl({"text": "a", "texts": ["b"]}))
    assert [line.text for line in batch.lines] == ["a"]
    assert "texts (1)" in batch.notes[0].text("en")


@pytest.mark.parametrize("name", ["Text", "TEXT", " text "])
def test_the_case_of_a_fields_letters_does_not_matter(name):
    assert read_batch(jsonl({name: TEXT})).lines[0].text == TEXT


def test_a_line_whose_text_goes_by_an_unknown_name_is_told_the_names_there_are():
    problem = problem_of(jsonl({"sentence": "a"}))
    assert "sentence" in problem.text("en")
    assert "syn_text" in problem.text("en")


@pytest.mark.parametrize("text", ["", None])
def test_a_line_without_a_text_is_told_so_before_its_unknown_fields(text):
    problem = problem_of(jsonl({"uttid": "1", "text": text} | {f"x{n}": "bob" for n in range(9)}))
    assert problem.text("en").startswith("There is no text to speak.")
    assert problem.text("zh").startswith("没有要合成的文本。")
    for language in LANGUAGES:
        assert "x0, x1, x2 …" in problem.text(language)


def test_known_names_begin_with_those_that_a_line_needs():
    assert known_names().startswith("text, syn_text, input_text, uttid, output_name, ")


@pytest.mark.parametrize(("number", "shown"), [("NaN", "NaN"), ("-1e400", "-Infinity")])
@pytest.mark.parametrize("field", ["uttid", "speed"])
def test_a_number_that_is_none_is_refused_as_it_was_written(field, number, shown):
    problem = problem_of(f'{{"text": "a", "{field}": {number}}}'.encode())
    for language in LANGUAGES:
        assert shown in problem.text(language)


@pytest.mark.parametrize("speed", ["1,5", " 1,5 "])
def test_a_speed_may_have_a_decimal_comma(speed):
    assert read_batch(jsonl({"text": "a", "speed": speed})).lines[0].speed == 1.5


def test_a_field_under_two_names_is_not_guessed_about():
    problem = problem_of(jsonl({"text": "a", "syn_text": "b"}))
    assert problem.key == "batch.line.twice"


def test_a_key_that_stands_twice_is_seen():
    assert problem_of(b'{"text": "a", "text": "b"}').key == "batch.line.twice"


def test_the_second_of_two_equal_names_is_set_aside_and_told_of_the_first():
    batch = read_batch(jsonl({"uttid": "a", "text": "1"}, {"uttid": "a", "text": "2"}))
    assert [line.text for line in batch.lines] == ["1"]
    (problem,) = batch.problems
    assert (problem.number, problem.uttid) == (2, "a")
    assert problem.message.details["line"] == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", 5),
        ("text", ["a"]),
        ("uttid", {"a": 1}),
        ("uttid", "x" * 201),
        ("uttid", "\ud800"),
        ("prompt_text", 1.5),
        ("prompt_audio", False),
        ("use_kv_cache", "perhaps"),
        ("seed", -1),
        ("seed", "abc"),
        ("seed", 2**32),
        ("seed", 1.5),
        ("sample_rate", 0),
        ("sample_rate", "fast"),
        ("sampling", 3),
        ("voice", []),
        ("speed", "NaN"),
        ("speed", 0),
        ("speed", "quick"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named_with_its_field(field, value):
    problem = problem_of(json.dumps({"text": "a", field: value}).encode())
    for language in LANGUAGES:
        assert problem.text(language)
    option = {"use_kv_cache": "history"}.get(field, field)
    assert option in f"{problem.key} {problem.details}"


def test_details_are_plain_values_that_a_journal_can_hold():
    line = json.dumps({"text": "a", "seed": ["\ud800", {"b": 1}]}).encode()
    (problem,) = read_batch(line, "lines.jsonl").problems
    stored = json.dumps(problem.to_dict(), ensure_ascii=False).encode()
    assert TypeAdapter(LineProblem).validate_json(stored) == problem


@pytest.mark.parametrize(
    "line",
    [
        b'{"text": "a"',
        b"{'text': 'a'}",
        b'{"text": "a",}',
        b'{"text": "a"} {"text": "b"}',
        b'["a"]',
        b'"a"',
        b"null",
        b"12",
        b"[" * 100_000,
        b'{"text": ' * 50_000,
        b'{"seed": ' + b"9" * 5000 + b', "text": "a"}',
        b'{"text": "a\x00b"}',
        b'{"text": "\xff\xfe"}',
        b"{}",
        b'{"text": ""}',
    ],
)
def test_a_broken_line_is_set_aside_and_its_neighbours_are_read(line):
    batch = read_batch(jsonl({"text": "one"}) + line + b"\n" + jsonl({"text": "two"}), "x.jsonl")
    assert [each.text for each in batch.lines] == ["one", "two"]
    assert [each.number for each in batch.problems] == [2]
    assert batch.problems[0].message.text("en") != batch.problems[0].message.text("zh")


# -- lines and encodings -----------------------------------------------------------------------


def test_numbers_are_those_of_the_file_empty_lines_counted():
    batch = read_batch(b'\n  \n{"text": "a"}\r\n\r\n\xe3\x80\x80\n{"text": "b"}')
    assert [line.number for line in batch.lines] == [3, 6]
    assert batch.total == 2


@pytest.mark.parametrize(
    ("codec", "label"),
    [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8 (BOM)"), ("gb18030", "GB18030"), ("gbk", "GB18030")],
)
def test_the_encoding_is_found_out_and_told(codec, label):
    batch = read_batch(json.dumps({"text": TEXT}, ensure_ascii=False).encode(codec))
    assert (batch.encoding, batch.lines[0].text) == (label, TEXT)


def test_one_damaged_line_does_not_turn_utf8_into_something_else():
    good = jsonl({"text": TEXT}, {"text": TEXT})
    batch = read_batch(good + b'{"text": "\xe4\xbb"}\n')
    assert batch.encoding == "UTF-8"
    assert [problem.message.key for problem in batch.problems] == ["batch.line.undecodable"]


def test_a_line_separator_inside_a_text_is_no_line_end():
    assert read_batch(jsonl({"text": "a\u2028b"})).lines[0].text == "a\u2028b"


def test_a_huge_line_costs_no_more_than_the_limit_and_itself(monkeypatch):
    monkeypatch.setattr(text_file, "MAX_LINE_BYTES", 1000)
    huge = b'{"text": "' + b"a" * 300_000 + b'"}\n'
    batch = read_batch(huge + jsonl({"text": "b"}))
    assert [problem.message.key for problem in batch.problems] == ["batch.line.too_long"]
    assert [(line.number, line.text) for line in batch.lines] == [(2, "b")]


def test_a_line_as_long_as_the_limit_is_read(monkeypatch):
    line = jsonl({"text": "b"})
    monkeypatch.setattr(text_file, "MAX_LINE_BYTES", len(line))
    assert len(read_batch(line + line.strip()).lines) == 2


def test_too_many_lines_are_refused(monkeypatch):
    monkeypatch.setattr(text_file, "MAX_LINES", 3)
    with pytest.raises(BatchError, match="3"):
        read_batch(jsonl(*[{"text": "a"}] * 4))


@pytest.mark.parametrize("data", [b"", b"\n \n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
def test_a_file_without_a_line_is_refused(data):
    with pytest.raises(BatchError):
        read_batch(data)


def test_an_open_file_is_read_from_its_start_wherever_it_stands():
    file = io.BytesIO(jsonl({"text": "a"}))
    file.seek(5)
    assert len(read_batch(file).lines) == 1


# -- anything at all ---------------------------------------------------------------------------

_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
_name = st.sampled_from(["text", "syn_text", "uttid", "seed", "speed", "sample_rate", "voice"])
_object = st.dictionaries(_name | st.text(max_size=6), _value, max_size=5)
_json_line = _object.map(lambda each: json.dumps(each).encode())
_broken_line = st.tuples(_json_line, st.integers(0, 80)).map(lambda pair: pair[0][: pair[1]])
_line = st.one_of(
    _json_line,
    _broken_line,
    st.binary(max_size=60).map(lambda raw: raw.replace(b"\n", b"")),
    st.sampled_from([b'{"uttid": "a", "text": "x"}', b'{"text": "\\u0000"}', b"\x00", b""]),
)
_file = st.tuples(st.lists(_line, min_size=1, max_size=12), st.sampled_from([b"\n", b"\r\n"])).map(
    lambda parts: parts[1].join(parts[0])
)


@given(_file, st.sampled_from(["a.jsonl", ""]))
@example(b"\r\x00", "a.jsonl")
def test_every_line_is_accounted_for(data, name):
    try:
        batch = read_batch(data, name)
    except BatchError as error:
        assert error.text("en")
        return
    found = numbers(batch)
    assert len(set(found)) == len(found) == batch.total
    if batch.format == "jsonl" and batch.encoding != "UTF-16":
        start = 3 if batch.encoding == "UTF-8 (BOM)" else 0
        text = data[start:]
        # as old Macs wrote them
        only_returns = b"\n" not in text and b"\r" in text.rstrip(b"\r")
        raw = text.split(b"\r" if only_returns else b"\n")
        codec = "gb18030" if batch.encoding == "GB18030" else "utf-8"
        full = [
            number for number, line in enumerate(raw, 1) if line.decode(codec, "replace").strip()
        ]
        assert found == full
    check_values(batch)


_names = st.sampled_from(["a.jsonl", "a.json", "a.csv", "a.tsv", "a.txt", ""])


@given(st.binary(max_size=300), _names)
def test_random_bytes_are_read_or_refused_but_never_crash(data, name):
    try:
        check_values(read_batch(data, name))
    except BatchError as error:
        assert error.text("zh")


@given(st.lists(_line, max_size=8))
def test_tables_account_for_every_line_too(lines):
    try:
        batch = read_batch(b"uttid,text\n" + b"\n".join(lines), "a.csv")
    except BatchError as error:
        assert error.text("en")
        return
    found = numbers(batch)
    assert len(set(found)) == len(found)
    check_values(batch)


def check_values(batch: BatchInput) -> None:
    """Assert what the runner trusts: unique names and files, values that JSON can hold."""
    assert len({line.uttid for line in batch.lines}) == len(batch.lines)
    assert len({line.file_stem.casefold() for line in batch.lines}) == len(batch.lines)
    for line in batch.lines:
        stored = json.dumps(line.to_dict(), ensure_ascii=False, allow_nan=False).encode()
        assert BatchLine(**json.loads(stored)) == line
        assert line.text
    for problem in batch.problems:
        json.dumps(problem.to_dict(), ensure_ascii=False, allow_nan=False).encode()
        assert all(problem.message.text(language) for language in LANGUAGES)
        assert len(problem.excerpt) <= 200
