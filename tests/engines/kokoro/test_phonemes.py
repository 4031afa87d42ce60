"""Text becomes phonemes in pieces that the model can take, with both languages in one piece."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glmtts_core.engines.kokoro.phonemes import MAX_TOKENS, Phonemizer, expected_tokens
from glmtts_core.errors import SynthesisCancelled

pytestmark = pytest.mark.voice


@pytest.fixture(scope="module")
def phonemizer(model_cache: Path) -> Phonemizer:
    """Both front ends, loaded."""
    loaded = Phonemizer(model_cache)
    loaded.load_english()
    loaded.load_mandarin()
    return loaded


def said(phonemizer: Phonemizer, text: str) -> str:
    return " ".join(piece.phonemes for piece in phonemizer.pieces(text))


def test_loading_is_quiet_and_keeps_its_cache_to_itself(tmp_path: Path, capfd):
    Phonemizer(tmp_path).load_mandarin()
    assert [file.name for file in tmp_path.iterdir()] == ["mandarin.tables"]
    assert capfd.readouterr() == ("", "")


def test_a_mixed_sentence_is_one_piece_with_both_languages(phonemizer):
    (piece,) = phonemizer.pieces("我有3个apple。")
    assert "sa→n" in piece.phonemes  # three, in Mandarin
    assert "ˈæpəl" in piece.phonemes


def test_english_stops_are_aspirated_among_mandarin_only(phonemizer):
    assert "pʰˈaɪ" in said(phonemizer, "我们用Python写。")
    assert "spˈ" in said(phonemizer, "我们用Spark写。")
    assert "ʰ" not in said(phonemizer, "We write it in Python.")


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ("会议在2024年3月5日下午3点半开始。", "会议在二零二四年三月五日下午三点半开始。"),
        ("气温是25.5℃，湿度60%。", "气温是二十五点五摄氏度，湿度百分之六十。"),
        ("It costs $45 in 2015.", "It costs forty five dollars in twenty fifteen."),
        ("我们去銀行。", "我们去银行。"),
        ("ＯＫ，好！", "OK，好！"),
        ("你好🎉世界", "你好 世界"),
        ("10~20人，2024～2026年，-5~3℃", "十到二十人，二零二四到二零二六年，负五到三摄氏度"),
        ("加½杯水。", "加二分之一杯水。"),
        ("Add 1½ cups in the 1990s.", "Add one and a half cups in the nineteen nineties."),
    ],
)
def test_figures_sound_like_the_words_for_them(phonemizer, figures, words):
    assert said(phonemizer, figures) == said(phonemizer, words)


def test_marks_stay_for_the_rhythm(phonemizer):
    assert [char for char in said(phonemizer, "好，好。真的？Yes!") if char in ",.?!"] == [*",.?!"]


def test_a_pause_is_longer_after_a_sentence_than_after_a_comma(phonemizer):
    pieces = phonemizer.pieces(
        "今天天气真的很好" * 3 + "，" + "我们去散步" * 5 + "。" + "好啊" * 20
    )
    pauses_s = {piece.phonemes[-1]: piece.pause_s for piece in pieces[:2]}
    assert pauses_s["."] > pauses_s[","] > 0


def test_short_sentences_are_spoken_together(phonemizer):
    assert len(phonemizer.pieces("你好。再见。好。")) == 1


@pytest.mark.parametrize("text", ["好" * 700, "a" * 700, "hello " * 150, "1" * 300, "好，" * 300])
def test_no_piece_is_too_long_for_the_model(phonemizer, text):
    pieces = phonemizer.pieces(text)
    assert len(pieces) > 1
    assert all(1 <= len(phonemizer.tokens(piece.phonemes)) <= MAX_TOKENS for piece in pieces)


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("今天天气真的很好，我们一起去公园散步吧，然后回家吃饭。", 1.3),
        ("双方庄重签署了关于装饰装潢工程的窗框中长期床上用品合同。", 1.3),
        ("The weather is lovely today, so let us take a walk in the park.", 1.3),
        ("I do not know who you are but I go to the zoo at two.", 1.3),
        ("我们用Kubernetes部署了三个新的服务。", 1.3),
    ],
)
def test_the_expected_tokens_are_about_the_real_ones(phonemizer, text, most):
    real = len(phonemizer.tokens(said(phonemizer, text)))
    assert 0.93 < sum(map(expected_tokens, text)) / real < most


def test_a_chinese_name_cuts_no_english_sentence_short(phonemizer):
    english = (
        "We met again near the old town hall because the only road to the river was closed, "
        "and nobody knew another way home."
    )
    alone = [piece.phonemes for piece in phonemizer.pieces(english)]
    beside = [piece.phonemes for piece in phonemizer.pieces(f"{english} 她叫王小明。")]
    assert len(alone) == 1
    assert beside[0] == alone[0]


@pytest.mark.parametrize("token", ["12345678元", "Kubernetes", "2026-12-31"])
def test_a_long_mandarin_sentence_says_its_tokens_whole(phonemizer, token):
    around = "本次活动得到了社会各界的大力支持和热情参与"
    for cut in range(0, len(around), 3):
        text = around + around[:cut] + token + "用于支持山区学校的建设工作"
        whole = said(phonemizer, token)
        spoken = [piece.phonemes.replace("ʰ", "") for piece in phonemizer.pieces(text)]
        assert any(whole.replace("ʰ", "") in piece for piece in spoken), text


@pytest.mark.parametrize("text", ["", "🎉", "こんにちは", "...", "𠮷"])
def test_without_anything_to_say_there_are_no_pieces(phonemizer, text):
    assert phonemizer.pieces(text) == []


def test_a_stop_between_sentences_goes_through(phonemizer):
    def stop() -> None:
        raise SynthesisCancelled("engine.cancelled")

    with pytest.raises(SynthesisCancelled):
        phonemizer.pieces("你好。", stop)


@settings(max_examples=150)
@given(
    st.text(
        alphabet=st.one_of(
            st.sampled_from("我有年月日个点分之万亿12.,/-:%$a B。"), st.characters()
        ),
        max_size=30,
    )
)
def test_no_text_breaks_the_front_ends(phonemizer, text):
    for piece in phonemizer.pieces(text):
        assert phonemizer.tokens(piece.phonemes)
