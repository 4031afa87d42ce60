"""The text front end equals the reference, and speaks what the reference stumbles over."""

from __future__ import annotations

import pytest

from glmtts_core.engines.glmtts.golden import golden_sentences
from glmtts_core.engines.glmtts.text.frontend import normalize_text, pieces_to_speak
from glmtts_core.engines.glmtts.text.normalize_en import normalize_en
from glmtts_core.engines.glmtts.text.normalize_zh import normalize_zh
from glmtts_core.engines.glmtts.text.split_text import MAX_WEIGHT, split_text, units_of, weight_of

#: Here the reference's normaliser takes the full stop for a unit: "per second econd".
REFERENCE_IS_WRONG = "runs at 25 tokens per second."


@pytest.mark.parametrize("sentence", golden_sentences(), ids=lambda each: each.text[:20])
def test_the_golden_sentences_are_normalised_and_split_alike(sentence):
    normalized = normalize_text(sentence.text)
    if sentence.text.endswith(REFERENCE_IS_WRONG):
        assert normalized.endswith("runs at twenty five tokens per second.")
        return
    assert normalized == sentence.normalized
    assert split_text(normalized) == list(sentence.chunks)


@pytest.mark.parametrize(
    ("text", "normalized"),
    [
        ("第一行\n\n 第二行 ", "第一行。第二行。"),
        ("第一行\\n第二行", "第一行。第二行。"),
        ("one\ntwo", "one. two."),
        ("1. 第一", "一。第一。"),
        ("state-of-the-art", "state of the art."),
        ("真的？", "真的?"),
        ("好，", "好。"),
        ("C#很好", "c很好。"),
        ("行！？！", "行。"),
        ("", "."),
        ("😀", "."),
    ],
)
def test_lines_marks_and_ends(text, normalized):
    assert normalize_text(text) == normalized


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("1.5*10^3个", "一点五乘十的三次方个"),
        ("2.0x-3^2是", "二乘负三的二次方是"),
        ("120000*10^6", "十万二万乘十的六次方"),
        ("105*20^2", "一百零五乘二十的二次方"),
        ("3 - 2 - 1等于零", "三 减 二 减 一等于零"),
        ("行咯！咯吱", "行喽!咯吱"),
        ("额，噢，欸", "呃，哦，诶"),
        ("额外", "额外"),
        ("a*(b) * 三", "a乘b乘三"),
        ("*重点*", "重点"),
        ("【标题】「引」{x}", "标题引x"),
        ("一：二；三、四……", "一，二，三，四。"),
        ("好~~走～", "好。走。"),
        ("m²，∠A≠∠B", "m平方，∠a不等于∠b"),
        ("後來", "后来"),
    ],
)
def test_chinese_rules(text, spoken):
    assert normalize_zh(text) == spoken


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("It's OK", "it' s ok"),
        ("Hello , world!!", "hello, world!"),
        ("(see [this] {x})", "see this x"),
        ("well — yes", "well yes"),
        ("x²", "x²"),
        ("hello，world", "helloworld"),
    ],
)
def test_english_rules(text, spoken):
    assert normalize_en(text) == spoken


def test_a_number_beyond_all_names_is_read_digit_by_digit():
    assert normalize_zh("1" * 17 + "*10^2") == "一" * 17 + "乘十的二次方"
    assert normalize_text("5" * 400).count("five") == 400


def test_a_piece_is_closed_at_the_first_mark_from_weight_30_on():
    assert split_text("一" * 29 + "，" + "二" * 5 + "。") == ["一" * 29 + "，", "二" * 5 + "。"]
    assert split_text("一" * 28 + "，" + "二" * 5 + "。") == ["一" * 28 + "，" + "二" * 5 + "。"]


def test_a_piece_without_marks_is_cut_at_weight_60():
    assert split_text("一" * 130) == ["一" * 60, "一" * 60, "一" * 10]


def test_a_mark_right_after_the_cut_stays_with_what_it_follows():
    heavy = "word" + "一" * 59
    assert split_text("一" * 25 + "二" * 35 + "，" + "三") == ["一" * 25 + "二" * 35 + "，", "三"]
    assert len(split_text(heavy)) == 1


def test_long_english_without_marks_is_cut_between_words_by_its_weight():
    text = " ".join(["uncharacteristically"] * 40)
    pieces = split_text(text)
    assert "".join(pieces) == text
    assert all(0 < weight_of(units_of(piece)) <= MAX_WEIGHT for piece in pieces)
    assert all(piece.strip().startswith("un") for piece in pieces)


def test_a_word_that_is_too_heavy_alone_is_a_piece_of_its_own():
    assert split_text("ba" * 200 + " end") == ["ba" * 200 + " ", "end"]


def test_space_around_the_text_is_no_unit():
    assert split_text("  你好。\n") == ["你好。"]
    assert split_text(" ") == []


@pytest.mark.parametrize(
    ("text", "heaviness"),
    [
        ("你好。", 3),
        ("hello", 2 * 0.7),
        ("hello world", 3 * 0.7),
        ("it's", 1),
        ("42", 2),
        ("xqzzyb", 0.7),  # in no dictionary; the only vowel group is y
        ("brke", 0.7),  # in no dictionary; consonants and one e
        ("snorgle", 0.7),  # a final e is silent
    ],
)
def test_weights(text, heaviness):
    assert weight_of(units_of(text)) == pytest.approx(heaviness)


def test_pieces_are_normalised_once_more_each_in_its_own_language():
    long = (
        "一" * 40 + "，" + "this is a sentence of quite a few words in plain English, is it not, "
    )
    pieces = pieces_to_speak(long)
    assert pieces[0] == "一" * 40 + "。"
    assert pieces[1].startswith("this is a sentence")
    assert pieces[1].endswith(".")


def test_pieces_that_hold_nothing_to_say_are_left_out():
    assert pieces_to_speak("😀") == []
