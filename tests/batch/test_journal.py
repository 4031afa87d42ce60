"""The journal: whole lines or none, whatever happens to the process or the disk."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmtts_core.batch.journal import Journal, journal_lines, last_journal_line
from glmtts_core.errors import StorageError
from tests.full_disk import full_disk


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.jsonl"


def add(path, *numbers):
    with Journal(path) as journal:
        for number in numbers:
            journal.add(number=number)


def numbers(path):
    return [json.loads(line)["number"] for _, line in journal_lines(path)]


def last_number(path):
    return json.loads(last_journal_line(path))["number"]


def test_entries_come_back_in_order_with_the_time_that_was_told(path):
    with Journal(path) as journal:
        at_s = journal.add(number=1)
    add(path, 2, 3)
    assert numbers(path) == [1, 2, 3]
    assert json.loads(next(journal_lines(path))[1])["at"] == at_s


def test_no_journal_holds_no_entry(path):
    assert (list(journal_lines(path)), last_journal_line(path)) == ([], None)


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_torn_last_line_counts_as_not_written_and_joins_no_other(path, cut):
    add(path, 1, 2)
    path.write_bytes(path.read_bytes()[:-cut])
    assert numbers(path) == [1]
    assert last_number(path) == 1
    add(path, 3)
    assert numbers(path) == [1, 3]


@given(junk=st.binary(max_size=200))
def test_whatever_stands_at_the_end_the_lines_before_and_after_are_whole(tmp_path_factory, junk):
    path = tmp_path_factory.mktemp("journal") / "journal.jsonl"
    add(path, 1)
    first = path.read_bytes()
    path.write_bytes(first + junk)
    add(path, 2)
    found = [line for _, line in journal_lines(path)]
    assert found[0] == first
    assert json.loads(found[-1])["number"] == last_number(path) == 2


@pytest.mark.parametrize("length", [10, 4_095, 4_096, 9_000])
def test_the_last_line_is_found_however_long_it_is(path, length):
    with Journal(path) as journal:
        journal.add(number=1, text="x" * length)
        journal.add(number=2, text="x" * length)
    assert last_number(path) == 2


def _remove(path):
    path.unlink()


def _replace(path):
    path.unlink()
    path.write_bytes(b"")


def _empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("touch", [_remove, _replace, _empty])
def test_a_journal_that_someone_touches_meanwhile_takes_no_entry_more(path, touch):
    with Journal(path) as journal:
        journal.add(number=1)
        touch(path)
        with pytest.raises(StorageError, match="removed or changed"):
            journal.add(number=2)
    assert not path.exists() or path.read_bytes() == b""


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
    assert last_number(path) == 199


def test_half_a_surrogate_pair_comes_back_as_it_was(path):
    with Journal(path) as journal:
        journal.add(number="\ud800")
    assert numbers(path) == ["\ud800"]
