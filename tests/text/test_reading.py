import json
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from glmtts_core.text.reading import read_text
from glmtts_core.text.script import HAN, LATIN
from tests.many_cases import assert_none

FORMS = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "spoken_forms.jsonl")
    .read_text("utf-8")
    .splitlines()
]
#: Words, figures, signs and marks of many scripts, as they meet in real texts.
PARTS = [
    *(
        "你好",
        "重慶",
        "𠮷",
        "〇",
        "々",
        "hello",
        "Naïve",
        "ﬁne",
        "Đà",
        "ＡＢ",
        "𝐇",
        "x",
        "iPhone15",
    ),
    *(
        "5",
        "12.5",
        "1,299",
        "007",
        "１２",
        "٣",
        "½",
        "①",
        "Ⅷ",
        "²",
        "₂",
        "4G",
        "50㎡",
        "℃",
        "-3",
        "~5",
    ),
    *(
        "¥",
        "$5",
        "5%-8%",
        "2024-10-01",
        "2:30",
        "13900001234",
        "v2.0.1",
        "C++",
        "<b>",
        "**",
        "](a)",
    ),
    *(
        "[laughter]",
        "&amp;",
        "&foo;",
        "https://a.io/b",
        "a@b.cn",
        "Booking.com.",
        "。",
        "，",
        ".",
        "!",
    ),
    *(
        '"',
        "“",
        "’",
        "(",
        "）",
        "…",
        "——",
        "-",
        "/",
        "|",
        "_",
        "~",
        "^",
        "+",
        "=",
        "<",
        "≥",
        "×",
        "°",
    ),
    *(
        " ",
        "\n",
        "\t",
        "\u3000",
        "\u200b",
        "\u00ad",
        "\ufeff",
        "🎉",
        "👨‍👩‍👧",
        "👍🏽",
        "★",
        "→",
        "™",
    ),
    *(
        "こんにちは",
        "Привет",
        "안녕",
        "مرحبا",
        "हिन्दी",
        "ไทย",
        "α",
        "Ω",
        "e\u0301",
        "\u0301",
        "\x00",
    ),
]
MIXTURES = st.lists(
    st.sampled_from(PARTS) | st.characters(exclude_categories=["Cs"]), max_size=14
).map("".join)


def comparable(text):
    """Return ``text`` as the handed lines are compared: what is heard, without marks."""
    return "".join(char for char in unicodedata.normalize("NFKC", text).lower() if char.isalnum())


def meant(text):
    """Return the letters and figures of ``text``."""
    return [char for char in text if unicodedata.category(char)[0] in "LN"]


@pytest.mark.parametrize("kind", sorted({form["kind"] for form in FORMS}))
def test_the_spoken_forms_of_a_kind_come_out_right(kind):
    spoken = {
        form["text"]: (read_text(form["text"], "en").spoken, form["spoken"])
        for form in FORMS
        if form["kind"] == kind
    }
    assert_none(
        f"{text!r} is spoken {said!r}, not {wanted}"
        for text, (said, wanted) in spoken.items()
        if comparable(said) not in map(comparable, wanted)
    )


@settings(max_examples=400, deadline=None)
@given(MIXTURES)
@example("](a)")
@example("50㎡½ﬁ&amp;")
@example("\u0301e\u200b")
def test_the_parts_of_a_reading_cover_the_text_exactly(text):
    reading = read_text(text)
    assert "".join(text[token.start : token.end] for token in reading.tokens) == text
    assert all(token.start < token.end for token in reading.tokens)


@settings(max_examples=400, deadline=None)
@given(MIXTURES)
def test_every_letter_and_figure_is_spoken_or_named_as_left_out(text):
    for token in read_text(text).tokens:
        part = text[token.start : token.end]
        if token.outcome == "mark":
            # a Markdown title or the spelling of a line break has no letter either way
            assert not meant(
                part.replace("\\n", "").replace("\\t", "").replace("[x]", "").replace("[X]", "")
            ), (token, part)
        elif token.outcome == "spoken":
            assert meant(token.said) and not meant(token.said)[0].isspace()
        else:
            assert part.strip()


@settings(max_examples=400, deadline=None)
@given(MIXTURES)
def test_what_is_spoken_has_words_and_plain_marks_only(text):
    spoken = read_text(text).spoken
    assert re.fullmatch(
        rf"[{HAN}{LATIN}\s,.!?;:()“”—…'’，。！？；：、（）《》〈〉「」『』【】-]*", spoken
    ), spoken


@settings(max_examples=300, deadline=None)
@given(MIXTURES)
@example("I=你好")
@example("§I")
@example("№IV")
def test_a_reading_read_again_stays_as_it_is(text):
    spoken = read_text(text).spoken
    assert comparable(read_text(spoken).spoken) == comparable(spoken)


@settings(max_examples=300, deadline=None)
@given(
    st.text(
        alphabet=st.characters(
            whitelist_categories=["Lo"], min_codepoint=0x4E00, max_codepoint=0x9FFF
        ),
        max_size=30,
    )
)
def test_an_ideograph_is_never_lost(text):
    reading = read_text(text)
    lost = sum(map(len, (t.said for t in reading.tokens if t.outcome == "left_out")))
    assert (
        len(reading.spoken) + sum(text.count(char) for part in reading.left_out for char in part)
        >= len(text) - lost
    )


@pytest.mark.parametrize(
    ("text", "left_out"),
    [
        ("🎉祝贺🎉", ("🎉",)),
        ("こんにちは世界", ("こんにちは",)),
        (
            '<speak>你好<break time="500ms"/></speak>',
            ("<speak>", '<break time="500ms"/>', "</speak>"),
        ),
        ("请看 [说明](https://example.com/a)", ("https://example.com/a",)),
        ("你好，Привет！", ("Привет",)),
        ("a → b", ("→",)),
        ("价格¥", ("¥",)),
        ("Plain words, 5 of them.", ()),
    ],
)
def test_what_is_left_out_is_named_as_it_was_typed(text, left_out):
    assert read_text(text).left_out == left_out


@pytest.mark.parametrize(
    "text", ["", " ", "\n", "……", "%%%", "。！？", "🎉", "<br/>", "\u200b", "---", "Привет"]
)
def test_a_text_without_words_has_nothing_spoken(text):
    assert read_text(text).spoken == ""


@pytest.mark.parametrize(
    ("text", "default", "spoken"),
    [
        ("12", "zh", "十二"),
        ("12", "en", "twelve"),
        ("12，13", "en", "十二，十三"),
        ("12 apples", "zh", "twelve apples"),
        ("买12个iPhone 15 Pro", "en", "买十二个iPhone fifteen Pro"),
        ("他说 I have 3 cats 然后走了", "zh", "他说 I have three cats 然后走了"),
        ("It costs $5.\n价格是5美元。", "zh", "It costs five dollars.\n价格是五美元。"),
    ],
)
def test_a_figure_is_read_in_the_language_around_it(text, default, spoken):
    assert read_text(text, default).spoken == spoken


def test_a_sentence_that_ends_in_a_domain_is_spoken_to_its_end():
    assert read_text("I work at Booking.com.").spoken == "I work at Booking dot com."


def test_line_breaks_stay():
    assert read_text("你好\n\n世界").spoken == "你好\n世界"


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("一共2000元", "一共两千元"),
        ("20000人", "两万人"),
        ("一共12000人", "一共一万二千人"),
        ("200个", "二百个"),
        ("第2名", "第二名"),
        ("in 10,20 and 30", "in ten, twenty and thirty"),
    ],
)
def test_a_number_is_said_as_people_say_it(text, spoken):
    assert read_text(text, "zh").spoken == spoken
