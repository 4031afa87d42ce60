"""English words in the phonemes and the token numbers of the model."""

from __future__ import annotations

import threading

import pytest

from glmtts_core.engines.kokoro import english
from glmtts_core.engines.kokoro.english import EnglishReader
from glmtts_core.errors import ModelFileError


@pytest.fixture(scope="module")
def reader() -> EnglishReader:
    return EnglishReader()


def test_words_keep_stress_and_marks(reader):
    assert reader.phonemes(" The river was quiet, and cold. ") == (
        "ðə ɹˈɪvɚ wʌz kwˈaɪət, ænd kˈoʊld."
    )


def test_what_the_model_does_not_know_is_left_out_and_numbers_are_those_of_its_alphabet(reader):
    assert reader.known("ɹˈɪ☂") == "ɹˈɪ"
    assert reader.tokens("ɹˈɪ☂, ") == [123, 156, 102, 3, 16]


@pytest.mark.parametrize("text", ["", " ", "…", "!?"])
def test_no_words_are_no_sounds(reader, text):
    assert not any(char.isalpha() for char in reader.phonemes(text))


def test_several_threads_get_what_one_gets(reader):
    texts = [f"the ship had {word} funnels" for word in ("three", "four", "five", "six")]
    alone = [reader.phonemes(text) for text in texts]
    found: dict[str, str] = {}
    threads = [
        threading.Thread(target=lambda text=text: found.update({text: reader.phonemes(text)}))
        for text in texts
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert [found[text] for text in texts] == alone


def test_a_missing_package_is_told_with_what_to_install(monkeypatch):
    english._alphabet.cache_clear()
    monkeypatch.setattr(english, "_ALPHABET_PACKAGE", "no_such_package")
    with pytest.raises(ModelFileError, match="pip install no_such_package"):
        EnglishReader()
