"""The right one of several readings: from words, from context, or by default."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from glmtts_core.text import polyphones
from glmtts_core.text.pinyin import MandarinReader
from glmtts_core.text.polyphones import PolyphoneRule, Polyphones, Segments, all_rules
from tests.many_cases import assert_none

LINES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "polyphones.jsonl")
    .read_text("utf-8")
    .splitlines()
]
PUNCTUATION = re.compile(r"[，。！？、；：]+")


@pytest.fixture(scope="module")
def reader(model_cache) -> MandarinReader:
    return MandarinReader(model_cache)


def read(reader: MandarinReader, text: str) -> list[str]:
    """Return a syllable for each character; "" for punctuation."""
    found: list[str] = []
    start = 0
    for mark in [*PUNCTUATION.finditer(text), None]:
        end = mark.start() if mark else len(text)
        found += [each for word in reader.words(text[start:end]) for each in word.pinyin]
        if mark:
            found += [""] * len(mark[0])
            start = mark.end()
    return found


def test_polyphones_are_read_as_their_sentences_ask(reader):
    wrong = []
    for line in LINES:
        places = [match.start() for match in re.finditer(line["char"], line["text"])]
        said = read(reader, line["text"])[places[line["occurrence"]]]
        if said != line["pinyin"]:
            wrong.append(f"{line['char']} in {line['text']} is read {said}, not {line['pinyin']}")
    assert_none(wrong)


def test_the_lines_are_many_and_each_is_there_once():
    keys = Counter((line["text"], line["char"], line["occurrence"]) for line in LINES)
    assert len(keys) == len(LINES) >= 200


def test_every_rule_decides_its_own_example(reader):
    assert_none(
        f"the rule of {rule.char} read {rule.pinyin} does not decide {rule.example}"
        for rule in all_rules()
        if not decides_its_example(reader, rule)
    )


def decides_its_example(reader: MandarinReader, rule: PolyphoneRule) -> bool:
    position = rule.example.index("[")
    text = rule.example.replace("[", "").replace("]", "")
    return (
        text[position] == rule.char
        and rule.fits(text, position)
        and read(reader, text)[position] == rule.pinyin
    )


def test_no_word_stands_under_two_readings_or_twice():
    readings = defaultdict(list)
    for char, pinyin, words in polyphones.word_lines():
        for word in words or [""]:
            readings[char, word].append(pinyin)
    assert {key: found for key, found in readings.items() if len(found) > 1} == {}


def test_every_word_has_its_character_and_a_neighbour():
    wrong = [
        (char, word)
        for char, _, words in polyphones.word_lines()
        for word in words
        if char not in word or len(word) < 2
    ]
    assert wrong == []


def test_a_contradiction_is_refused(tmp_path, monkeypatch):
    words = tmp_path / "words.txt"
    words.write_text("行 hang2 银行\n行 xing2 银行\n", encoding="utf-8")
    monkeypatch.setattr(polyphones, "_WORDS_FILE", words)
    with pytest.raises(ValueError, match="银行"):
        Polyphones()


def test_a_word_is_not_found_across_the_edge_of_another():
    assert not Segments.of(["研究", "生命"]).holds(1, 3)
    assert Segments.of(["研究", "生命"]).holds(0, 4)
    assert Segments.of(["研究生", "命"]).holds(1, 3)
