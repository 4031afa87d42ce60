"""The handle of one browser session: what a page may ask, and what it gets."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from glmtts_core.audio import encode_wav
from glmtts_core.errors import AudioError, BusyError, StorageError
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.memory.ledger import LedgerKind
from glmtts_core.sessions.result_files import SESSION_ID_PATTERN
from glmtts_core.sessions.session import Session, new_session_id, take_lease
from glmtts_core.studio.jobs import JobState
from tests.full_disk import full_disk
from tests.speaking import ANNA, BERT, request
from tests.waiting import BOUND_S, wait_until


@pytest.fixture
def session(studio) -> Session:
    assert take_lease(studio, ANNA)
    return Session(studio, ANNA)


def speak(session: Session, text: str = "hello"):
    """Speak a text and return its record."""
    job = session.submit(request(text))
    assert job.wait(BOUND_S)
    return job.view().record


def held(session: Session):
    """Start a synthesis that waits in the middle of its first piece."""
    session.studio.engine.gate.clear()
    session.studio.engine.reached.clear()
    job = session.submit(request())
    assert session.studio.engine.reached.wait(BOUND_S)
    return job


# -- ids and leases ----------------------------------------------------------------------------


def test_ids_fit_the_pattern_and_never_come_twice():
    ids = {new_session_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(SESSION_ID_PATTERN.fullmatch(each) for each in ids)


def test_a_session_that_another_browser_has_open_is_not_leased(session, studio):
    assert not take_lease(studio, session.id)


def test_a_reloaded_page_gets_its_session_as_soon_as_the_old_page_lets_go(session, studio):
    old_page = threading.Timer(0.05, studio.end_lease, [session.id])
    old_page.start()
    assert take_lease(studio, session.id)
    old_page.join()


# -- speaking ----------------------------------------------------------------------------------


def test_a_new_session_has_neither_job_nor_results(session):
    assert (session.job, session.history.list().records) == (None, ())


def test_a_synthesis_ends_in_the_sessions_history(session):
    record = speak(session)
    assert session.history.list().records == (record,)
    assert session.job.view().state is JobState.DONE


def test_two_sessions_see_neither_each_others_jobs_nor_results(session, studio):
    speak(session)
    other = Session(studio, BERT)
    assert (other.job, other.history.list().records) == (None, ())


def test_cancelling_ends_the_sessions_job(session):
    job = held(session)
    session.cancel()
    assert job.wait(BOUND_S)
    assert job.view().state is JobState.CANCELLED


def test_cancelling_where_nothing_runs_is_no_error(session):
    session.cancel()


def test_loading_ahead_of_the_first_use_speaks_nothing(session):
    session.load()
    wait_until(lambda: session.studio.engine.loaded)
    assert (session.studio.engine.loaded, session.studio.engine.spoken) == (True, [])


def test_a_synthesis_queues_behind_the_loading_that_was_asked_for(session):
    session.studio.engine.loading_gate.clear()
    session.load()
    job = session.submit(request())
    session.studio.engine.loading_gate.set()
    assert job.wait(BOUND_S)
    assert job.view().state is JobState.DONE


def test_why_loading_failed_is_told_until_it_works(session):
    engine = session.studio.engine
    engine.fail_loading_with = lambda: RuntimeError("no such file")
    session.load()
    wait_until(lambda: session.load_error is not None)
    assert "no such file" in session.load_error.text("en")
    engine.fail_loading_with = None
    session.load()
    wait_until(lambda: engine.loaded)
    assert session.load_error is None


def test_asking_to_load_while_a_job_is_under_way_leaves_the_job(session):
    job = held(session)
    session.load()
    assert session.job is job


# -- results -----------------------------------------------------------------------------------


def test_samples_are_the_same_from_memory_and_from_the_file(session):
    record = speak(session)
    from_memory = session.samples(record)
    session.clean(CleanupLevel.TRIM)
    # the file has 16 bits
    np.testing.assert_allclose(session.samples(record), from_memory, atol=1 / 32768)


def test_samples_that_were_read_from_the_file_are_written_down_as_kept(session, studio):
    record = speak(session)
    session.clean(CleanupLevel.TRIM)
    session.samples(record)
    kept = studio.ledger.snapshot().total_bytes(owner=ANNA, kinds={LedgerKind.RESULTS})
    assert kept == session.samples(record).nbytes


def test_samples_of_a_result_that_the_disk_refused_are_there_after_a_cleanup(session):
    with full_disk():
        record = speak(session)
    session.clean(CleanupLevel.TRIM)
    assert len(session.samples(record)) == len("hello") * 2_400


def test_a_deleted_result_leaves_neither_disk_nor_memory_behind(session, studio):
    record = speak(session)
    session.delete(record.number)
    assert session.history.list().records == ()
    assert studio.ledger.snapshot().total_bytes(owner=ANNA) == 0
    with pytest.raises(StorageError):
        session.samples(record)


# -- the reference recording -------------------------------------------------------------------


def wav(seconds: float, channels: int = 1) -> bytes:
    return encode_wav(np.full((int(16_000 * seconds), channels), 0.1, np.float32), 16_000)


def test_without_an_upload_there_is_no_reference(session):
    assert session.reference() is None


def test_an_uploaded_recording_comes_with_its_transcript(session):
    session.saved_form.keep_reference(wav(0.5), "anna.wav")
    session.saved_form.keep(reference_transcript="hello there")
    reference = session.reference()
    assert (reference.name, reference.transcript) == ("anna.wav", "hello there")
    assert (len(reference.samples), reference.sample_rate_hz) == (8_000, 16_000)


def test_a_recording_that_cannot_be_read_is_named(session):
    session.saved_form.keep_reference(b"not audio at all", "notes.txt")
    with pytest.raises(AudioError, match=r"notes\.txt"):
        session.reference()


def test_a_recording_longer_than_the_setting_is_refused(session, studio):
    session.saved_form.keep_reference(wav(studio.settings.max_reference_s + 1), "long.wav")
    with pytest.raises(AudioError, match="at most 60 s"):
        session.reference()


# -- memory ------------------------------------------------------------------------------------


def test_the_promise_is_what_the_studio_promises_this_session(session, studio):
    caches = studio.sessions.entry(ANNA).caches
    caches.put(LedgerKind.VOICE_CACHE, "voice", object(), 7 * 2**20)
    assert session.promise() == studio.promise(ANNA)
    assert session.promise().bytes == 7 * 2**20


def test_a_cleanup_while_nothing_runs_reports_at_once(session):
    speak(session)
    session.clean(CleanupLevel.TRIM)
    assert session.cleanup_report.level is CleanupLevel.TRIM
    assert (session.cleanup_pending, session.cleanup_error) == (False, None)


def test_a_cleanup_that_must_wait_is_pending_until_it_has_run(session):
    job = held(session)
    session.clean(CleanupLevel.UNLOAD)
    assert (session.cleanup_pending, session.cleanup_report) == (True, None)
    session.studio.engine.gate.set()
    assert job.wait(BOUND_S)
    session.poll_cleanup(BOUND_S)
    assert not session.cleanup_pending
    assert session.cleanup_report.level is CleanupLevel.UNLOAD


def test_a_refused_cleanup_leaves_its_sentence_and_nothing_pending(session, studio):
    held(session)
    other = Session(studio, BERT)
    other.clean(CleanupLevel.UNLOAD)
    assert isinstance(other.cleanup_error, BusyError)
    assert (other.cleanup_pending, other.cleanup_report) == (False, None)


def test_a_cleanup_that_breaks_leaves_its_sentence_and_nothing_pending(session, studio):
    studio.engine.fail_releasing_with = lambda: RuntimeError("the driver is gone")
    session.clean(CleanupLevel.TRIM)
    assert "the driver is gone" in str(session.cleanup_error)
    assert not session.cleanup_pending


def test_the_next_cleanup_replaces_the_last_ones_outcome(session, studio):
    studio.engine.fail_releasing_with = lambda: RuntimeError("the driver is gone")
    session.clean(CleanupLevel.TRIM)
    studio.engine.fail_releasing_with = None
    session.clean(CleanupLevel.TRIM)
    assert session.cleanup_error is None
    assert session.cleanup_report is not None


def test_polling_where_no_cleanup_was_asked_for_changes_nothing(session):
    session.poll_cleanup(BOUND_S)
    assert (session.cleanup_report, session.cleanup_error) == (None, None)


def test_after_a_closed_page_the_memory_of_its_results_is_given_back(session, studio):
    record = speak(session)
    session.samples(record)
    studio.end_lease(session.id)
    wait_until(lambda: studio.ledger.snapshot().total_bytes(owner=ANNA) == 0)
    assert session.history.list().records == (record,)
