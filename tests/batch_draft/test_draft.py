"""What a session prepares: kept on disk, checked in a thread, always against what holds now."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from glmtts_core.batch_draft.draft import BatchDraft
from glmtts_core.batch_files.lines import RunDefaults
from glmtts_core.errors import BatchError
from glmtts_core.memory.ledger import Ledger
from glmtts_core.settings import Settings
from tests.full_disk import full_disk
from tests.scripted_engine import CloningEngine
from tests.speaking import voice_wav
from tests.waiting import BOUND_S

DEFAULTS = RunDefaults(voice="alpha")
WAV = voice_wav()
LINES = b'{"text": "one"}\nbad\n{"text": "two", "prompt_audio": "anna.wav"}\n'


def draft_in(folder: Path, settings: Settings) -> BatchDraft:
    capabilities = CloningEngine(settings, Ledger()).capabilities
    return BatchDraft(folder / "draft", lambda engine: capabilities, settings)


@pytest.fixture
def draft(tmp_path: Path, settings: Settings) -> Iterator[BatchDraft]:
    opened = draft_in(tmp_path, settings)
    yield opened
    opened.close()


def numbers(draft: BatchDraft, defaults: RunDefaults = DEFAULTS) -> tuple[list[int], list[int]]:
    """Return the numbers of ready lines and of problems, once all is checked."""
    check = draft.check_with(defaults, BOUND_S)
    assert not check.running
    assert check.result is not None, check.error
    ready = [line.number for line in check.result.lines]
    return ready, [problem.number for problem in check.result.problems]


def test_a_file_is_checked_as_soon_as_the_defaults_are_known(draft):
    draft.take(LINES, "a.jsonl")
    assert numbers(draft) == ([1], [2, 3])


def test_without_a_file_there_is_nothing_to_check(draft):
    check = draft.check_with(DEFAULTS, BOUND_S)
    assert (check.running, check.batch, check.error) == (False, None, None)


def test_a_recording_that_comes_later_sets_its_lines_free(draft):
    draft.take(LINES, "a.jsonl")
    assert numbers(draft) == ([1], [2, 3])
    assert draft.add_reference(WAV, "anna.wav").names == ("anna.wav",)
    assert numbers(draft) == ([1, 3], [2])
    draft.drop_references()
    assert numbers(draft) == ([1], [2, 3])


def test_a_zip_gives_all_its_recordings(draft):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("voices/anna.wav", WAV)
    draft.take(LINES, "a.jsonl")
    draft.add_reference(packed.getvalue(), "voices.ZIP")
    assert numbers(draft) == ([1, 3], [2])


def test_a_changed_setting_is_checked_anew(draft):
    draft.take(LINES, "a.jsonl")
    assert numbers(draft)[0] == [1]
    assert numbers(draft, RunDefaults(voice="nobody")) == ([], [1, 2, 3])
    assert numbers(draft)[0] == [1]


def test_a_corrected_line_is_checked_anew(draft):
    draft.take(LINES, "a.jsonl")
    numbers(draft)
    draft.change_lines({2: '{"text": "mended"}'})
    assert numbers(draft) == ([1, 2], [3])
    assert draft.name == "a.jsonl"


def test_what_was_prepared_is_there_after_a_restart(draft, tmp_path, settings):
    draft.take(LINES, "a.jsonl")
    draft.add_reference(WAV, "anna.wav")
    again = draft_in(tmp_path, settings)
    assert again.name == "a.jsonl"
    assert numbers(again) == ([1, 3], [2])
    again.close()


def test_a_draft_that_is_let_go_can_be_taken_up_again(draft):
    draft.take(LINES, "a.jsonl")
    numbers(draft)
    draft.close()
    assert draft.check.batch is None
    assert numbers(draft) == ([1], [2, 3])


def test_dropped_is_dropped_on_the_disk_too(draft, tmp_path, settings):
    draft.take(LINES, "a.jsonl")
    draft.add_reference(WAV, "anna.wav")
    draft.drop()
    assert draft_in(tmp_path, settings).name is None
    assert draft.check_with(DEFAULTS, BOUND_S).batch is None
    assert draft.references.names() == ()


def test_a_file_that_cannot_be_used_says_why(draft):
    draft.take(b"", "a.jsonl")
    error = draft.check_with(DEFAULTS, BOUND_S).error
    assert isinstance(error, BatchError)
    draft.take(LINES, "a.jsonl")
    assert numbers(draft) == ([1], [2, 3])


def test_a_file_that_has_gone_from_the_disk_says_so(draft, tmp_path):
    draft.take(LINES, "a.jsonl")
    (tmp_path / "draft" / "lines").unlink()
    assert isinstance(draft.check_with(DEFAULTS, BOUND_S).error, BatchError)


def test_a_fault_of_the_check_is_said_and_the_next_check_works(tmp_path, settings):
    def capabilities_of(engine):
        if engine == "broken":
            raise ValueError("no")
        return CloningEngine(settings, Ledger()).capabilities

    draft = BatchDraft(tmp_path / "draft", capabilities_of, settings)
    draft.take(LINES, "a.jsonl")
    check = draft.check_with(RunDefaults(voice="alpha", engine="broken"), BOUND_S)
    assert not check.running
    assert "ValueError: no" in check.error.text("en")
    assert numbers(draft) == ([1], [2, 3])
    draft.close()


def test_a_full_disk_is_said_and_the_file_before_stays(draft):
    draft.take(LINES, "a.jsonl")
    with full_disk(), pytest.raises(BatchError):
        draft.take(LINES * 2, "b.jsonl")
    assert (draft.name, draft.data()) == ("a.jsonl", LINES)


def test_a_newer_file_overtakes_the_check_of_an_older_one(draft):
    many = "".join(json.dumps({"text": f"line {number}"}) + "\n" for number in range(20_000))
    draft.take(many.encode(), "many.jsonl")
    draft.check_with(DEFAULTS)
    draft.take(LINES, "a.jsonl")
    assert numbers(draft) == ([1], [2, 3])


def test_a_runs_input_is_taken_with_its_recordings_to_be_corrected(draft, tmp_path, settings):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "anna.wav").write_bytes(WAV)
    draft.take(b'{"text": "something else"}', "other.jsonl")
    draft.amend("batch-1", LINES, "a.jsonl", tmp_path / "run")
    assert (draft.amends, draft.name) == ("batch-1", "a.jsonl")
    assert numbers(draft) == ([1, 3], [2])
    draft.drop_file()
    again = draft_in(tmp_path, settings)
    assert (again.amends, again.name) == ("batch-1", None)
    again.take(LINES, "mended.jsonl")
    assert numbers(again) == ([1, 3], [2])
    assert again.amends == "batch-1"
    again.drop()
    assert draft_in(tmp_path, settings).amends is None
    again.close()
