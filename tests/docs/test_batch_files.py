"""Voices, fields, results and examples in the documents are real."""

from __future__ import annotations

import json
import re

import pytest

from glmtts_core.batch.manifest import manifest
from glmtts_core.batch.states import LineRow, LineStatus
from glmtts_core.batch_files.fields import ALIASES
from glmtts_core.batch_files.lines import BatchLine, LineProblem
from glmtts_core.batch_files.rows import read_batch
from glmtts_core.engines.kokoro.voices import VOICES
from glmtts_core.message import Message
from tests.docs.documents import BOTH, CODE, blocks, document, first_cells, section


@BOTH
def test_every_voice_is_named_in_its_order(language):
    rows = re.findall(
        r"^\| \S+ \| (`z.*|`b.*|`j.*) \|$", document(language, "voices"), re.MULTILINE
    )
    assert [name for row in rows for name in CODE.findall(row)] == [voice.id for voice in VOICES]


@BOTH
def test_the_fields_of_a_line_are_all_there_with_their_other_names(language):
    heading = {"en": "Fields", "zh": "字段"}[language]
    table = section(document(language, "batch-files"), heading)
    rows = re.findall(r"^\| (`.*?) \| (.*?) \|", table, re.MULTILINE)
    told = {(name, *CODE.findall(others)) for names, others in rows for name in CODE.findall(names)}
    assert told == set(ALIASES.values())


@BOTH
def test_the_fields_of_the_manifest_are_all_there(language):
    line = BatchLine(number=1, uttid="one", file_stem="one", text="text")
    problem = LineProblem(2, "two", Message("batch.line.no_text", {"names": "text"}), "{}")
    told = manifest([LineRow(0, line, LineStatus())], [problem], "en")
    spoken, aside = (list(json.loads(each)) for each in told)
    heading, last = {"en": ("The results", "has"), "zh": ("结果", "只有")}[language]
    text = section(document(language, "batch-files"), heading)
    assert [name for names in first_cells(text) for name in names] == spoken
    (sentence,) = re.findall(rf"^\S[^|]*?{last} (`.*)$", text, re.MULTILINE)
    assert CODE.findall(sentence) == aside


@BOTH
@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "text"])
def test_every_example_is_read_without_a_problem(language, kind):
    examples = blocks(document(language, "batch-files"), kind)
    assert examples
    for example in examples:
        # as a file with this ending, and pasted
        for name in (f"lines.{kind}", ""):
            read = read_batch(example.encode(), name)
            assert read.problems == ()
            assert len(read.lines) >= 2
