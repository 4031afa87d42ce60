"""The journal: whole lines or none, whatever happens to the process or the disk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmtts_core.batch.journal import Journal, last_entry, read_journal
from tests.parts import full_disk


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.jsonl"


def add(path, *numbers):
    with Journal(path) as journal:
        for number in numbers:
            journal.add(number=number)


def numbers(path):
    return [entry["number"] for entry in read_journal(path)]


def test_entries_come_back_in_order_with_the_time_that_was_told(path):
    with Journal(path) as journal:
        at_s = journal.add(number=1)
    add(path, 2, 3)
    assert numbers(path) == [1, 2, 3]
    assert next(read_journal(path))["at"] == at_s


def test_no_journal_holds_no_entry(path):
    assert (list(read_journal(path)), last_entry(path)) == ([], None)


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_torn_last_line_counts_as_not_written_and_joins_no_other(path, cut):
    add(path, 1, 2)
    path.write_bytes(path.read_bytes()[:-cut])
    assert numbers(path) == [1]
    assert last_entry(path)["number"] == 1
    add(path, 3)
    assert numbers(path) == [1, 3]


@given(junk=st.binary(max_size=200))
def test_whatever_stands_at_the_end_the_entries_before_and_after_are_read(tmp_path_factory, junk):
    path = tmp_path_factory.mktemp("journal") / "journal.jsonl"
    add(path, 1)
    path.write_bytes(path.read_bytes() + junk)
    add(path, 2)
    found = [entry.get("number") for entry in read_journal(path)]
    assert (found[0], found[-1]) == (1, 2)


def test_a_journal_that_is_one_torn_line_begins_anew(path):
    path.write_bytes(b'{"number": 1' * 2_000)
    add(path, 2)
    assert numbers(path) == [2]


def test_a_full_disk_adds_nothing_and_says_so(path):
    add(path, 1)
    before = path.read_bytes()
    with Journal(path) as journal:
        with full_disk(), pytest.raises(OSError, match="too large"):
            journal.add(number=2)
        assert path.read_bytes() == before
        journal.add(number=3)
    assert numbers(path) == [1, 3]


def test_the_last_entry_is_found_without_reading_all(path):
    add(path, *range(200))
    assert last_entry(path)["number"] == 199


def test_half_a_surrogate_pair_comes_back_as_it_was(path):
    with Journal(path) as journal:
        journal.add(number="\ud800")
    assert numbers(path) == ["\ud800"]
