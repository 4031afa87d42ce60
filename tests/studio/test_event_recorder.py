"""What the worker writes down of loads, cleanups, evictions, failures and experiments."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TypeVar

from glmtts_core.errors import EngineError, OutOfMemoryError
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.sessions.events import (
    AskedBy,
    Cleanup,
    Eviction,
    EvictionReason,
    Experiment,
    Failure,
    Load,
)
from glmtts_core.sessions.studio_database import StudioDatabase
from glmtts_core.studio import event_recorder
from glmtts_core.studio.jobs import Job, JobState, Priority
from glmtts_core.studio.studio import Studio
from tests.scripted_engine import WEIGHTS_BYTES, ScriptedEngine
from tests.sessions.happenings import experiment
from tests.speaking import ANNA, BERT, request
from tests.waiting import BOUND_S, wait_until

E = TypeVar("E", Load, Cleanup, Eviction, Failure)
TRIM, UNLOAD = CleanupLevel.TRIM, CleanupLevel.UNLOAD


def speak(studio: Studio, session_id: str = ANNA, text: str = "hello") -> Job:
    job = studio.submit(session_id, request(text))
    assert job.wait(BOUND_S)
    return job


def written(studio: Studio, kind: type[E], count: int = 1) -> list[E]:
    """Wait until so many events of a kind are written; return them, the newest first."""
    wait_until(lambda: len(studio.event_log.recent(kind)) >= count)
    return list(studio.event_log.recent(kind))


def last_cleanup(studio: Studio, count: int = 1) -> Cleanup:
    return written(studio, Cleanup, count)[0]


def paid(studio: Studio) -> bool:
    return last_cleanup(studio).next_seconds is not None


def test_a_load_is_written_with_what_it_took(studio):
    speak(studio)
    (load,) = written(studio, Load)
    assert (load.session, load.engine) == (ANNA, "Scripted")
    assert load.seconds >= 0
    assert load.memory.peak.weights_bytes == WEIGHTS_BYTES
    speak(studio)
    assert len(studio.event_log.recent(Load)) == 1


def test_a_cleanup_is_written_as_its_report_says(studio):
    speak(studio)
    report = studio.cleanup(UNLOAD, ANNA, asked_by=AskedBy.PAGE).wait(BOUND_S)
    cleanup = last_cleanup(studio)
    assert (cleanup.session, cleanup.asked_by, cleanup.level) == (ANNA, AskedBy.PAGE, UNLOAD)
    assert cleanup.promised_bytes == report.promised.bytes >= WEIGHTS_BYTES
    assert (cleanup.seconds, cleanup.regained_bytes) == (report.seconds, report.regained_bytes)
    assert cleanup.by_layer == report.by_layer
    assert cleanup.by_layer["weights"] == WEIGHTS_BYTES
    assert (cleanup.next_load_s, cleanup.next_seconds, cleanup.next_growth_bytes) == (None,) * 3


def test_what_nobody_asked_for_says_so(studio):
    studio.cleanup(TRIM, None).wait(BOUND_S)
    cleanup = last_cleanup(studio)
    assert (cleanup.session, cleanup.asked_by) == (None, AskedBy.PROGRAM)


def test_the_next_synthesis_tells_what_the_cleanup_cost(studio):
    speak(studio)
    studio.cleanup(UNLOAD, ANNA).wait(BOUND_S)
    speak(studio)
    wait_until(lambda: paid(studio))
    cleanup, load = last_cleanup(studio), written(studio, Load, 2)[0]
    assert cleanup.next_load_s == load.seconds
    assert cleanup.next_seconds == studio.sessions.entry(ANNA).history.list().records[0].seconds
    assert cleanup.next_growth_bytes is not None
    speak(studio, text="the one after that")
    assert last_cleanup(studio) == cleanup


def test_another_session_does_not_pay_for_a_trim_of_ones_own_caches(studio):
    speak(studio)
    studio.cleanup(TRIM, ANNA).wait(BOUND_S)
    speak(studio, BERT)
    speak(studio, BERT)
    assert not paid(studio)
    speak(studio, ANNA)
    wait_until(lambda: paid(studio))
    assert last_cleanup(studio).next_load_s == 0.0


def test_a_synthesis_that_was_under_way_does_not_pay(studio):
    studio.engine.gate.clear()
    job = studio.submit(ANNA, request())
    assert studio.engine.reached.wait(BOUND_S)
    task = studio.cleanup(TRIM, None)
    task.wait(BOUND_S)
    studio.engine.gate.set()
    assert job.wait(BOUND_S)
    studio.cleanup(TRIM, BERT).wait(BOUND_S)
    before = written(studio, Cleanup, 2)[1]
    assert before.next_seconds is None


def test_a_failure_is_written_with_its_reason_and_what_it_was_about(studio):
    studio.engine.fail_with = lambda: EngineError("kokoro.run_failed", reason="no")
    job = studio.submit(ANNA, request(), priority=Priority.BATCH)
    assert job.wait(BOUND_S)
    (failure,) = written(studio, Failure)
    assert (failure.session, failure.priority, failure.engine) == (
        ANNA,
        Priority.BATCH,
        "Scripted",
    )
    assert failure.message == job.view().error.message
    assert failure.memory is not None


def test_a_cancelled_job_is_no_failure(studio):
    studio.engine.gate.clear()
    job = studio.submit(ANNA, request())
    assert studio.engine.reached.wait(BOUND_S)
    job.cancel()
    assert job.wait(BOUND_S)
    assert job.view().state is JobState.CANCELLED
    studio.engine.gate.set()
    speak(studio)
    assert studio.event_log.recent(Failure) == []


def test_room_made_after_memory_ran_out_is_an_eviction(studio):
    speak(studio, BERT)

    def once() -> BaseException:
        studio.engine.fail_with = None
        return OutOfMemoryError("engine.out_of_memory")

    studio.engine.fail_with = once
    assert speak(studio, ANNA).view().state is JobState.DONE
    (eviction,) = written(studio, Eviction)
    assert (eviction.reason, eviction.session) == (EvictionReason.OUT_OF_MEMORY, ANNA)
    assert (eviction.needed_by, eviction.engines) == ("Scripted", ())


def test_an_engine_that_gives_way_to_another_is_an_eviction(two_engines):
    small = request().changed(engine="Scripted")
    assert two_engines.submit(BERT, small).wait(BOUND_S)
    speak(two_engines)
    (eviction,) = written(two_engines, Eviction)
    assert (eviction.reason, eviction.session) == (EvictionReason.ROOM_FOR_ENGINE, ANNA)
    assert (eviction.needed_by, eviction.engines) == ("Cloning", ("Scripted",))
    assert eviction.by_layer["weights"] == WEIGHTS_BYTES


def test_an_experiment_is_kept_as_noted(studio):
    made = experiment()
    studio.note_experiment(made)
    assert studio.event_log.recent(Experiment) == [made]


def test_no_job_and_no_cleanup_fails_when_nothing_can_be_written(studio, settings, caplog):
    settings.output_dir.mkdir(parents=True, exist_ok=True)
    (settings.output_dir / "studio.db").mkdir()
    assert speak(studio).view().state is JobState.DONE
    assert studio.cleanup(UNLOAD, ANNA).wait(BOUND_S).level is UNLOAD
    wait_until(lambda: caplog.text.count("cannot write down") >= 2)


def test_nobody_waits_for_a_database_that_another_program_holds(studio, settings, monkeypatch):
    monkeypatch.setattr(event_recorder, "_PAUSE_S", 0.2)
    speak(studio)
    written(studio, Load)
    with closing(StudioDatabase(settings.output_dir)) as other, other.transaction():
        began_s = time.monotonic()
        assert studio.cleanup(UNLOAD, ANNA).wait(BOUND_S) is not None
        for _ in range(3):
            line = studio.submit(BERT, request(), Priority.BATCH, keep=lambda *_: None)
            assert line.wait(BOUND_S)
        # who waits for the database waits for 5 s each time
        assert time.monotonic() - began_s < 3.0
    wait_until(lambda: speak(studio) and len(studio.event_log.recent(Load)) == 2)
    assert last_cleanup(studio).level is UNLOAD


def test_a_database_that_is_busy_is_left_alone_for_a_while(studio, settings, monkeypatch):
    speak(studio)
    tries = []
    monkeypatch.setattr(event_recorder, "_PAUSE_S", 3600.0)
    add = studio.event_log.add
    monkeypatch.setattr(studio.event_log, "add", lambda event: tries.append(event) or add(event))
    with closing(StudioDatabase(settings.output_dir)) as other, other.transaction():
        for _ in range(4):
            studio.cleanup(TRIM, ANNA).wait(BOUND_S)
    assert len(tries) == 1


def test_what_is_only_noted_later_is_written_before_the_studio_closes(settings):
    with closing(Studio(settings, ScriptedEngine)) as studio:
        studio.engine.fail_with = lambda: EngineError("kokoro.run_failed", reason="no")
        speak(studio)
    with closing(Studio(settings, ScriptedEngine)) as again:
        assert len(again.event_log.recent(Failure)) == 1


def test_looking_writes_nothing(studio, settings):
    speak(studio)
    written(studio, Load)
    database = StudioDatabase(settings.output_dir)
    before = database.version()
    for _ in range(3):
        studio.state()
        studio.promise(ANNA)
        studio.advice(ANNA)
        studio.sessions.entry(ANNA).history.list()
    assert database.version() == before
