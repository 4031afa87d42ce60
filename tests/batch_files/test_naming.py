"""Names of lines as names of files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmtts_core.batch_files.naming import Names, safe_stem


@pytest.mark.parametrize("name", ["a1", "utt_0001", "新闻-01", "v1.2"])
def test_a_safe_name_stays_as_it_is(name):
    assert safe_stem(name) == name


def test_a_name_with_the_ending_of_its_file_loses_it():
    assert safe_stem("a1.wav") == "a1"


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "/abs", "..", ".", "a/b", "a\\b", "con", "NUL.txt", "a\x00b", " ", "-rf"],
)
def test_a_dangerous_name_becomes_a_harmless_one(name):
    stem = safe_stem(name)
    assert not set(stem) & set("/\\:\x00 ")
    assert not stem.startswith((".", "-"))
    assert stem.split(".")[0].upper() not in ("CON", "NUL")


def test_names_that_become_alike_stay_apart():
    assert safe_stem("a/b") != safe_stem("a?b")


def test_names_that_differ_in_case_only_get_different_files():
    names = Names()
    first, second = names.take("Anna", 1), names.take("anna", 2)
    assert first == "Anna"
    assert second.casefold() != first.casefold()


@given(st.lists(st.text(max_size=300), max_size=20, unique=True))
def test_every_name_is_safe_and_its_file_is_its_own(uttids):
    names = Names()
    stems = [names.take(uttid, number) for number, uttid in enumerate(uttids, 1)]
    assert len({stem.casefold() for stem in stems}) == len(stems)
    for stem in stems:
        assert 0 < len(stem.encode()) <= 200
        assert not set(stem) & set('/\\:*?"<>|\x00\n')
        assert stem not in (".", "..")
