"""A corrected file is uploaded again: only what is missing or changed is spoken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from glmtts_core.audio import encode_wav
from glmtts_core.batch.run import BatchRun
from glmtts_core.batch.states import LineState, RunState
from glmtts_core.batch_files.lines import BatchLine, LineProblem, RunDefaults
from glmtts_core.batch_files.references import ReferenceFolder
from glmtts_core.errors import BatchError, EngineError
from glmtts_core.message import Message
from glmtts_core.studio.studio import Studio
from tests.batch.runs import batch_of, ended, finish, lines, make_run, raw_of, states
from tests.scripted_engine import CloningEngine

PROBLEM = LineProblem(3, "c", Message("batch.line.json", {"position": 1}), "{")


def amend(run: BatchRun, good, problems=(), references: Path | None = None) -> None:
    run.amend(raw_of(good), batch_of(good, problems), references)


def recording(folder: Path, name: str, frequency_hz: float, seconds: int = 1) -> None:
    folder.mkdir(exist_ok=True)
    times_s = np.arange(24_000 * seconds) / 24_000
    tone = (0.1 * np.sin(2 * np.pi * frequency_hz * times_s)).astype(np.float32)
    (folder / name).write_bytes(encode_wav(tone, 24_000))


def test_only_what_was_set_aside_is_spoken_once_it_is_put_right(studio):
    run = make_run(studio, lines("one", "two"), problems=[PROBLEM])
    finish(run)
    amend(run, lines("one", "two", "three"))
    assert (states(run), run.view().state, run.lines.problems()) == ("ddq", RunState.READY, ())
    assert run.view().counts.queued > 0
    finish(run)
    assert studio.engine.spoken == ["one", "two", "three"]


def test_a_changed_line_is_spoken_anew_and_its_old_sound_is_gone_meanwhile(studio):
    run = make_run(studio, lines("one", "two"))
    finish(run)
    amend(run, lines("one", "zwei"))
    assert states(run) == "dq"
    finish(run)
    assert studio.engine.spoken == ["one", "two", "zwei"]


def test_lines_may_change_places(studio):
    run = make_run(studio, lines("one", "two"))
    finish(run)
    one, two = lines("one", "two")
    amend(run, (two.changed(number=1), one.changed(number=2)))
    assert states(run) == "dd"


def test_the_sound_of_a_line_that_left_the_file_leaves_the_folder(studio):
    run = make_run(studio, lines("one", "two"))
    finish(run)
    amend(run, lines("one"))
    assert run.store.audio_names() == {"a.wav"}
    assert states(run) == "d"


def test_a_line_that_is_changed_back_before_it_is_spoken_has_its_sound_still(studio):
    run = make_run(studio, lines("one", "two"))
    finish(run)
    amend(run, lines("one", "zwei"))
    amend(run, lines("one", "two"))
    assert states(run) == "dd"
    amend(run, lines("one", "zwei"))
    finish(run)
    amend(run, lines("one", "two"))
    assert states(run) == "dq"


def test_a_failed_line_stays_failed_unless_it_is_changed(studio):
    studio.engine.fail_with = lambda: EngineError("kokoro.run_failed", reason="scripted")
    run = make_run(studio, lines("one", "two"))
    finish(run)
    amend(run, lines("one", "zwei"))
    assert states(run) == "fq"
    (row,) = run.lines.rows({LineState.FAILED})
    assert row.status.reason.details == {"reason": "scripted"}


def test_a_line_whose_file_has_another_name_now_is_spoken_anew(studio):
    run = make_run(studio, lines("one"))
    finish(run)
    amend(run, (lines("one")[0].changed(file_stem="other"),))
    assert states(run) == "q"


def test_a_run_that_goes_on_takes_no_other_file(studio):
    run = make_run(studio, lines("one"))
    studio.engine.gate.clear()
    run.start()
    with pytest.raises(BatchError):
        amend(run, lines("two"))
    studio.engine.gate.set()
    ended(run)


def test_another_recording_of_the_same_name_has_its_lines_spoken_anew(settings, tmp_path):
    studio = Studio(settings, CloningEngine)
    try:
        folder = tmp_path / "recordings"
        recording(folder, "a.wav", 220)
        recording(folder, "b.wav", 220)
        one, two = lines("one", "two")

        def good() -> tuple[BatchLine, ...]:
            digest = ReferenceFolder(folder).digest
            return (
                one.changed(prompt_audio="a.wav", recording=digest("a.wav")),
                two.changed(prompt_audio="b.wav", recording=digest("b.wav")),
            )

        run = make_run(studio, good(), defaults=RunDefaults(), references=folder)
        finish(run)
        assert states(run) == "dd"
        recording(folder, "b.wav", 330)
        amend(run, good(), references=folder)
        assert states(run) == "dq"
        finish(run)
        assert studio.engine.spoken == ["one", "two", "two"]
        assert run.view().standing.audio_s == pytest.approx(0.6)
    finally:
        studio.close()
