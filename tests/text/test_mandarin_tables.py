"""The compact dictionaries say what the packages' own say, and are made anew where they must be."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import jieba
import numpy as np
import pytest
from misaki.zh import ZHG2P
from pypinyin.contrib.tone_convert import to_tone3
from pypinyin.phrases_dict import phrases_dict
from pypinyin.pinyin_dict import pinyin_dict

from glmtts_core.text import ideographs, mandarin_preparing
from glmtts_core.text.mandarin_preparing import FILE_NAME, prepared_tables
from glmtts_core.text.mandarin_tables import MandarinDictionary, MandarinTables, unpacked
from glmtts_core.text.pinyin import MandarinReader

TEXT = "他还得把借来的三本书还给图书馆然后去银行排队办理长期贷款的手续"


@pytest.fixture(scope="module")
def tables(model_cache: Path) -> MandarinTables:
    return prepared_tables(model_cache)


@pytest.fixture(scope="module")
def dictionary(tables: MandarinTables) -> MandarinDictionary:
    return MandarinDictionary(tables)


def same(first: MandarinTables, second: MandarinTables) -> bool:
    names = [each.name for each in fields(MandarinTables)]
    return all(np.array_equal(getattr(first, name), getattr(second, name)) for name in names)


@pytest.fixture
def none_made(monkeypatch):
    """Fail where tables are made."""

    def fail(*_args, **_options):
        raise AssertionError("tables are made")

    monkeypatch.setattr(mandarin_preparing.subprocess, "run", fail)


def test_every_word_has_the_frequency_that_jieba_has(dictionary):
    frequencies, total = jieba.Tokenizer.gen_pfdict(jieba.get_module_res("dict.txt"))
    assert dictionary.all_frequencies == total
    words = list(frequencies)[::5]
    assert [dictionary.frequencies[word] for word in words] == [frequencies[each] for each in words]
    assert all(word in dictionary.frequencies for word in words)


def test_a_word_that_jieba_does_not_have_has_no_frequency(dictionary):
    assert "銀行家家" not in dictionary.frequencies
    assert dictionary.frequencies.get("銀行家家") is None
    assert dictionary.frequencies.get("銀行家家", 7) == 7


def test_text_is_cut_as_jieba_cuts_it(model_cache):
    reader = MandarinReader(model_cache)
    assert [word.text for word in reader.words(TEXT)] == jieba.lcut(TEXT)


def test_every_character_has_its_commonest_reading(dictionary):
    def sound(syllable: str) -> str:
        numbered = to_tone3(syllable, neutral_tone_with_five=True)
        return {"m": "mu", "n": "en", "ng": "en", "hm": "heng", "hng": "heng", "ê": "ei"}.get(
            numbered[:-1], numbered[:-1]
        ) + numbered[-1]

    for code, entry in list(pinyin_dict.items())[::7]:
        assert dictionary.char(chr(code)) == sound(entry.split(",")[0])


@pytest.mark.parametrize("char", ["A", "，", "\U0010ffff", "\0"])
def test_what_is_no_ideograph_has_no_reading(dictionary, char):
    assert dictionary.char(char) is None


def test_every_phrase_has_its_readings(dictionary):
    for phrase, entry in list(phrases_dict.items())[::11]:
        if not 1 < len(phrase) == len(entry) <= 8 or set(phrase) & {*"一不嗯呣哼"}:
            continue
        syllables = [to_tone3(each[0], neutral_tone_with_five=True) for each in entry]
        assert dictionary.longest_phrase(f"他{phrase}", 1) == syllables


def test_one_character_is_no_phrase(dictionary):
    assert dictionary.longest_phrase("他", 0) is None
    assert dictionary.longest_phrase("", 0) is None


def test_every_syllable_sounds_as_misaki_says_it(dictionary, tables):
    for syllable in tables.syllables.tolist()[1:]:
        assert dictionary.sounds(syllable) == ZHG2P.py2ipa(syllable)
    assert dictionary.sounds("xyz1") == ""


def test_the_same_characters_are_known_to_have_a_reading(dictionary):
    codes = range(0x2E00, 0x33500)
    text = "".join(map(chr, codes))
    unknown = {*ideographs.without_reading(text)}
    assert unknown == {char for char in text if dictionary.char(char) is None}


def test_what_was_prepared_is_taken(tmp_path, none_made, tables):
    (tmp_path / FILE_NAME).write_bytes(tables.packed())
    assert same(prepared_tables(tmp_path), tables)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:20],
        lambda data: data[:-1],
        lambda data: data + b"1",
        lambda data: data[:1000] + bytes([data[1000] ^ 1]) + data[1001:],
        lambda data: bytes([data[0] ^ 1]) + data[1:],
    ],
)
def test_damage_is_seen(tables, damage):
    assert unpacked(damage(tables.packed())) is None


def test_tables_of_another_version_are_not_taken(tables, monkeypatch):
    data = tables.packed()
    monkeypatch.setattr("glmtts_core.text.mandarin_tables.version", lambda package: "0.0")
    assert unpacked(data) is None


def test_damaged_tables_are_made_anew(tmp_path, tables):
    (tmp_path / FILE_NAME).write_bytes(b"something else")
    assert same(prepared_tables(tmp_path), tables)
    assert unpacked((tmp_path / FILE_NAME).read_bytes())


def test_without_a_folder_they_are_made_for_this_process(tmp_path, tables):
    (tmp_path / "file").touch()
    assert same(prepared_tables(tmp_path / "file" / "folder"), tables)


@pytest.mark.process
def test_where_no_child_can_run_they_are_made_here(tmp_path, monkeypatch, tables):
    monkeypatch.setattr(mandarin_preparing, "CHILD", ["no such program"])
    assert same(prepared_tables(tmp_path), tables)


@pytest.mark.process
@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import sys; print('first', file=sys.stderr); raise ValueError('no room')", "no room"),
        ("raise SystemExit(7)", "exit status 7"),
    ],
)
def test_why_a_child_has_failed_is_logged(monkeypatch, caplog, program, reason):
    monkeypatch.setattr(mandarin_preparing, "CHILD", [sys.executable, "-c", program])
    assert mandarin_preparing._made_elsewhere() == b""
    assert reason in caplog.text
    assert "first" not in caplog.text


@pytest.mark.process
def test_reading_loads_none_of_the_dictionaries_of_the_packages(model_cache, tables):
    program = (
        "import sys; from pathlib import Path\n"
        "from glmtts_core.text.pinyin import MandarinReader\n"
        f"MandarinReader(Path({str(model_cache)!r})).words({TEXT!r})\n"
        "import jieba; assert not jieba.dt.FREQ\n"
        "assert not {'pypinyin', 'misaki', 'scipy'} & {*sys.modules}"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
