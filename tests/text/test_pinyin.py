"""Every character of a Mandarin text gets one syllable that the voice can say."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from misaki.zh import ZHG2P
from pypinyin.contrib.tone_convert import to_tone, to_tone3
from pypinyin.phrases_dict import phrases_dict
from pypinyin.pinyin_dict import pinyin_dict

from glmtts_core.text.pinyin import MandarinReader, NoReadingError, Word, with_tone_mark

READABLE = [chr(code) for code in pinyin_dict if 0x4E00 <= code <= 0x9FFF]
#: Characters that rules, words and numerals are about.
COMMON = list("得地着了还长行为都只种重数量调转传相间当不一儿的好中国人大小上下来去说看三天")
HAN = st.text(alphabet=st.sampled_from(READABLE) | st.sampled_from(COMMON), max_size=30)
TEXT = "他还得把借来的三本书还给图书馆然后去银行排队办理长期贷款的手续"


@pytest.fixture(scope="module")
def reader(model_cache) -> MandarinReader:
    return MandarinReader(model_cache)


def read(reader: MandarinReader, text: str) -> list[str]:
    return [syllable for word in reader.words(text) for syllable in word.pinyin]


@given(HAN)
def test_a_character_has_one_syllable_that_the_voice_knows(reader, text):
    words = reader.words(text)
    assert "".join(word.text for word in words) == text
    for word in words:
        assert len(word.pinyin) == len(word.text)
        assert all(ZHG2P.py2ipa(syllable) for syllable in word.pinyin)


def test_the_voice_knows_the_syllable_of_every_character(reader):
    text = "".join(map(chr, pinyin_dict))
    assert reader.unreadable(text) == []
    for start in range(0, len(text), 200):
        syllables = read(reader, text[start : start + 200])
        assert all(ZHG2P.py2ipa(each) and each.isascii() for each in syllables)


def test_the_voice_knows_every_syllable_of_the_phrases(reader):
    words = [word for word, entry in phrases_dict.items() if len(entry) == len(word)][::20]
    syllables = {
        each for word in words if not reader.unreadable(word) for each in read(reader, word)
    }
    assert all(ZHG2P.py2ipa(each) for each in syllables)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("处理", "chu3 li3"),
        ("一个不错的一天", "yi1 ge4 bu4 cuo4 de5 yi1 tian1"),
        ("不对", "bu4 dui4"),
        ("女儿", "nv3 er2"),
        ("略", "lve4"),
        ("花儿", "hua1 er2"),
        ("嗯", "en2"),
    ],
)
def test_tones_are_those_of_the_dictionary(reader, text, expected):
    assert " ".join(read(reader, text)) == expected


def test_words_are_told_apart(reader):
    assert reader.words("中国银行") == [
        Word("中国银行", ("zhong1", "guo2", "yin2", "hang2"))
    ] or reader.words("中国银行")[-1] == Word("银行", ("yin2", "hang2"))


def test_an_empty_text_has_no_words(reader):
    assert reader.words("") == []


@pytest.mark.parametrize("text", ["A", "他说，", "3", "あ", "\U0003134a", " "])
def test_what_has_no_reading_is_named(reader, text):
    with pytest.raises(NoReadingError) as raised:
        reader.words(f"好{text}{text}")
    assert raised.value.chars == reader.unreadable(text)
    assert raised.value.chars == [text[-1]]


def test_a_tone_is_marked_as_pypinyin_marks_it():
    syllables = {
        to_tone3(each, neutral_tone_with_five=True)
        for entry in pinyin_dict.values()
        for each in entry.split(",")
    }
    vowels = {each for each in syllables if re.search("[aeiouv]", each)}
    assert len(vowels) > 1200
    assert {each: with_tone_mark(each) for each in vowels} == {
        each: to_tone(each).replace("v", "ü") for each in vowels
    }


@pytest.mark.serial
def test_a_long_text_takes_no_more_for_a_character_than_a_short_one(reader):
    seconds = {}
    for size in (2_000, 20_000):
        text = (TEXT * (size // len(TEXT) + 1))[:size]
        reader.words(text)
        start = time.thread_time()
        reader.words(text)
        seconds[size] = time.thread_time() - start
    assert seconds[20_000] < 30 * max(seconds[2_000], 0.01)
