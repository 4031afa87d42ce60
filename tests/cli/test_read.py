"""`read` tells what will be heard, as text and as JSON, and loads no voice."""

import io
import json

import pytest

from glmtts_core.cli.main import main

pytestmark = pytest.mark.voice


@pytest.fixture(autouse=True)
def prepared_dictionary(model_cache, monkeypatch):
    monkeypatch.setenv("GLMTTS_CACHE_DIR", str(model_cache))


def read_json(capsys, *arguments):
    assert main(["read", *arguments, "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def give(monkeypatch, data):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_a_text_is_told_with_its_pieces(capsys):
    (told,) = read_json(capsys, "我在Booking.com花了¥1299元🎉")
    assert list(told) == ["text", "spoken", "pieces", "left_out"]
    assert told["text"] == "我在Booking.com花了¥1299元🎉"
    assert told["spoken"] == "我在Booking dot com花了一千二百九十九元"
    assert told["left_out"] == ["🎉"]
    assert [piece["language"] for piece in told["pieces"]] == ["zh", "en", "zh"]
    assert "".join(piece["spoken"] for piece in told["pieces"]) == told["spoken"]
    assert told["pieces"][0]["pinyin"] == ["wo3", "zai4"]
    assert "pinyin" not in told["pieces"][1]
    assert all(piece["phonemes"] for piece in told["pieces"])


def test_each_ideograph_has_a_syllable(capsys):
    (told,) = read_json(capsys, "这儿的花儿，真好看！长得也好。")
    spoken = "".join(char for char in told["spoken"] if char.isalpha())
    syllables = [syllable for piece in told["pieces"] for syllable in piece["pinyin"]]
    assert len(syllables) == len(spoken)
    assert dict(zip(spoken, syllables, strict=True))["儿"][:-1] == "er"
    assert all(syllable[-1] in "12345" for syllable in syllables)


def test_each_line_of_the_standard_input_is_a_text(capsys, monkeypatch):
    give(monkeypatch, "你好\\n世界\n\n5 cats\n".encode())
    told = read_json(capsys)
    assert [each["text"] for each in told] == ["你好\n世界", "", "5 cats"]
    assert told[1]["spoken"] == "" and told[1]["pieces"] == []
    assert told[2]["spoken"] == "five cats"


def test_without_json_words_and_sounds_stand_below_each_other(capsys, monkeypatch):
    monkeypatch.setenv("GLMTTS_LANGUAGE", "en")
    assert main(["read", "你好🎉"]) == 0
    assert capsys.readouterr().out == "你好\n  zh  ni3 hao3\n  Will not be heard: 🎉\n"


def test_a_text_with_nothing_to_hear_says_so(capsys, monkeypatch):
    monkeypatch.setenv("GLMTTS_LANGUAGE", "zh")
    assert main(["read", "……"]) == 0
    assert capsys.readouterr().out == "（没有能读出的内容）\n"


def test_bytes_that_are_no_text_are_refused_in_one_sentence(capsys):
    assert main(["read", "a\udcff"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_line_that_is_no_text_is_told_and_the_others_are_read(capsys, monkeypatch):
    give(monkeypatch, b"5 cats\n\xff\n6 cats\n")
    assert main(["read", "--json"]) == 1
    out, err = capsys.readouterr()
    assert [json.loads(line)["spoken"] for line in out.splitlines()] == ["five cats", "six cats"]
    assert err.startswith(("Line 2: ", "第 2 行："))
