"""The text tokenizer: byte pairs, added tokens with their strip flags, where speech lies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from glmtts_core.engines.glmtts.text.tokenizer import TextTokenizer
from glmtts_core.errors import CheckpointError
from tests.engines.glmtts.official_layout import ADDED, CODES, FIRST_AUDIO, write_text_tokenizer

HELLO, W, NI = 256 + 3, 256 + 4, 256 + 6


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_text_tokenizer(tmp_path / "tokenizer")
    return tmp_path / "tokenizer"


def change(folder: Path, token: str, **changes: object) -> None:
    """Change one added token in the configuration."""
    file = folder / "tokenizer_config.json"
    config = json.loads(file.read_text())
    added = config["added_tokens_decoder"]
    number = next(each for each, entry in added.items() if entry["content"] == token)
    added[str(changes.pop("id", number))] = {**added.pop(number), **changes}
    file.write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", []),
        ("hello", [HELLO]),
        ("hello world", [HELLO, W, *b"orld"]),
        ("你好", [NI, *"好".encode()]),
        ("1234", [*b"1234"]),
        ("it's ", [*b"it's "]),
        ("a\n\n b", [*b"a\n\n b"]),
    ],
)
def test_text_becomes_byte_pairs_and_nothing_else(folder, text, ids):
    assert TextTokenizer(folder).encode(text) == ids


def test_added_tokens_stand_for_themselves_the_longest_first(folder):
    encode = TextTokenizer(folder).encode
    assert encode("人<|SH|><|EN1|>好") == [*"人".encode(), 273, 274, *"好".encode()]
    assert encode("<|EN11|>") == [275]


def test_space_around_an_added_token_is_kept_unless_it_takes_it(folder):
    assert TextTokenizer(folder).encode("a <|SH|> b") == [*b"a ", 273, *b" b"]
    change(folder, "<|SH|>", lstrip=True)
    assert TextTokenizer(folder).encode("a <|SH|> b") == [*b"a", 273, *b" b"]
    change(folder, "<|SH|>", lstrip=False, rstrip=True)
    assert TextTokenizer(folder).encode("a <|SH|> b") == [*b"a ", 273, *b"b"]
    assert TextTokenizer(folder).encode("<|SH|>  <|SH|>") == [273, 273]


def test_where_speech_lies_is_read_from_the_files(folder):
    ids = TextTokenizer(folder).speech_ids(CODES)
    assert (ids.first_audio, ids.last_audio) == (FIRST_AUDIO, FIRST_AUDIO + CODES - 1)
    assert ids.begin_audio == ADDED["<|begin_of_audio|>"]
    assert ids.end_audio == ADDED["<|user|>"]


def test_a_special_token_that_is_not_one_token_is_told(folder):
    change(folder, "<|begin_of_audio|>", content="<|something|>")
    with pytest.raises(CheckpointError, match=r"<\|begin_of_audio\|> is not one token"):
        TextTokenizer(folder).speech_ids(CODES)


def test_a_special_token_among_the_text_is_told(folder):
    change(folder, "<|user|>", id=5)
    with pytest.raises(CheckpointError, match=r"<\|user\|> is not one token"):
        TextTokenizer(folder).speech_ids(CODES)


def test_speech_tokens_with_a_gap_are_told(folder):
    change(folder, f"<|audio_{CODES - 1}|>", id=999)
    with pytest.raises(CheckpointError, match="128 speech tokens do not follow one another"):
        TextTokenizer(folder).speech_ids(CODES)


@pytest.mark.parametrize("name", ["tokenizer.model", "tokenizer_config.json"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=f"{name} is missing"):
        TextTokenizer(folder)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tokenizer.model", "not base64 at all\n"),
        ("tokenizer.model", "aGVsbG8= 0\n"),
        ("tokenizer.model", ""),
        ("tokenizer_config.json", "{"),
        ("tokenizer_config.json", "[]"),
        ("tokenizer_config.json", '{"added_tokens_decoder": {"1": {}}}'),
        ("tokenizer_config.json", '{"added_tokens_decoder": {"one": {"content": "x"}}}'),
    ],
)
def test_a_damaged_file_is_named(folder, name, content):
    (folder / name).write_text(content)
    with pytest.raises(CheckpointError, match=f"{name} is damaged"):
        TextTokenizer(folder)


def test_the_code_that_comes_with_the_tokenizer_is_not_run(folder):
    trap = folder / "ran"
    code = f"open({str(trap)!r}, 'w')"
    (folder / "tokenization_chatglm.py").write_text(code)
    TextTokenizer(folder).encode("hello")
    assert not trap.exists()
