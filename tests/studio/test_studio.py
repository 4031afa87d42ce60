"""The host behind all pages: loading, queueing, failing, cleaning, closing."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from glmtts_core.engines.base import Stage
from glmtts_core.engines.glmtts.rehearsal import REHEARSAL_VOICE
from glmtts_core.errors import (
    BusyError,
    EngineError,
    GLMTTSError,
    OutOfMemoryError,
    ProcessOutOfMemoryError,
    RequestError,
    SettingsError,
    SynthesisCancelled,
)
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.memory.ledger import LedgerKind
from glmtts_core.memory.monitor import EventKind
from glmtts_core.sessions.result_files import session_folder
from glmtts_core.sessions.session import Session
from glmtts_core.studio.jobs import Job, JobState, Priority
from glmtts_core.studio.shared import close_studio, get_studio, use_studio
from glmtts_core.studio.state import EngineState
from glmtts_core.studio.studio import Studio
from tests.scripted_engine import WEIGHTS_BYTES, CloningEngine, ScriptedEngine
from tests.speaking import ANNA, BERT, CLARA, request
from tests.waiting import BOUND_S, wait_until

TRIM, UNLOAD = CleanupLevel.TRIM, CleanupLevel.UNLOAD
MIB = 2**20


def speak(studio: Studio, session_id: str = ANNA, text: str = "hello") -> Job:
    """Speak a text to its end, whatever end that is."""
    job = studio.submit(session_id, request(text))
    assert job.wait(BOUND_S)
    return job


def held(studio: Studio, session_id: str = ANNA) -> Job:
    """Start a synthesis that waits in the middle of its first piece."""
    studio.engine.gate.clear()
    studio.engine.reached.clear()
    job = studio.submit(session_id, request())
    assert studio.engine.reached.wait(BOUND_S)
    return job


def kept_bytes(studio: Studio, owner: str) -> int:
    return studio.ledger.snapshot().total_bytes(owner=owner)


def events(studio: Studio) -> list[EventKind]:
    return [event.kind for event in studio.monitor.events(60.0)]


# -- loading -----------------------------------------------------------------------------------


def test_opening_the_studio_loads_nothing(studio):
    assert not studio.engine.loaded
    assert studio.state().engine is EngineState.NOT_LOADED


def test_the_first_synthesis_loads_the_engine_and_does_so_in_the_worker(studio):
    speak(studio)
    assert studio.engine.loaded
    assert studio.engine.threads == {"engine-cpu"}


def test_a_job_without_a_request_only_loads(studio):
    job = studio.load(ANNA)
    assert job.wait(BOUND_S)
    assert (job.view().state, job.view().record) == (JobState.DONE, None)
    assert (studio.engine.loaded, studio.engine.spoken) == (True, [])


def test_the_state_follows_the_engine_from_loading_over_speaking_to_idle(studio):
    studio.engine.loading_gate.clear()
    studio.engine.gate.clear()
    job = studio.submit(ANNA, request())
    wait_until(lambda: studio.state().engine is EngineState.LOADING)
    assert job.view().progress.stage is Stage.LOADING
    studio.engine.loading_gate.set()
    wait_until(lambda: studio.state().engine is EngineState.SPEAKING)
    studio.engine.gate.set()
    wait_until(lambda: studio.state().engine is EngineState.IDLE)


def test_an_engine_that_cannot_be_loaded_fails_the_job_and_is_tried_again_by_the_next(studio):
    studio.engine.fail_loading_with = lambda: EngineError("engine.out_of_memory")
    assert speak(studio).view().state is JobState.FAILED
    assert studio.state().engine is EngineState.NOT_LOADED
    studio.engine.fail_loading_with = None
    assert speak(studio).view().state is JobState.DONE


def test_cancelling_while_the_engine_loads_ends_the_job(studio):
    studio.engine.loading_gate.clear()
    job = studio.submit(ANNA, request())
    wait_until(lambda: studio.state().engine is EngineState.LOADING)
    job.cancel()
    assert job.wait(BOUND_S)
    assert job.view().state is JobState.CANCELLED


# -- several engines ---------------------------------------------------------------------------


def test_a_request_is_spoken_by_the_engine_that_it_names(two_engines):
    named = request("by name").changed(engine="Scripted")
    assert two_engines.submit(ANNA, named).wait(BOUND_S)
    assert two_engines.engines.find("Scripted").spoken == ["by name"]
    speak(two_engines, text="by default")
    assert two_engines.engine.spoken == ["by default"]


def test_an_engine_that_needs_the_memory_has_the_other_one_unloaded(two_engines):
    cloning, scripted = (two_engines.engines.find(name) for name in ("Cloning", "Scripted"))
    assert two_engines.load(ANNA, "Scripted").wait(BOUND_S)
    assert two_engines.load(ANNA, "Cloning").wait(BOUND_S)
    assert (cloning.loaded, scripted.loaded) == (True, False)
    assert EventKind.UNLOAD in events(two_engines)
    # the small one asks for no room, so the large one may stay
    assert two_engines.load(ANNA, "Scripted").wait(BOUND_S)
    assert (cloning.loaded, scripted.loaded) == (True, True)


def test_the_state_is_that_of_the_engine_asked_for(two_engines):
    assert two_engines.load(ANNA, "Scripted").wait(BOUND_S)
    assert two_engines.state("Cloning").engine is EngineState.NOT_LOADED
    assert two_engines.state("Scripted").engine is EngineState.IDLE
    assert two_engines.state().engine is EngineState.IDLE


# -- running out of memory ---------------------------------------------------------------------


def test_a_job_that_runs_out_of_memory_is_begun_anew_once_all_that_is_idle_is_gone(two_engines):
    assert two_engines.sessions.lease(BERT)
    speak(two_engines, BERT)
    assert two_engines.load(ANNA, "Scripted").wait(BOUND_S)
    failures = [OutOfMemoryError("engine.out_of_memory")]
    freed_before_retry: list[tuple[int, bool]] = []

    def fail_once() -> BaseException:
        two_engines.engine.fail_with = None
        freed_before_retry.append((kept_bytes(two_engines, BERT), scripted.loaded))
        return failures.pop()

    scripted = two_engines.engines.find("Scripted")
    two_engines.engine.fail_with = fail_once
    job = speak(two_engines)
    assert (job.view().state, job.view().retries) == (JobState.DONE, 1)
    (kept_at_first, loaded_at_first) = freed_before_retry[0]
    assert kept_at_first > 0
    assert loaded_at_first
    assert kept_bytes(two_engines, BERT) == 0
    assert not scripted.loaded
    assert EventKind.OUT_OF_MEMORY in events(two_engines)


def test_without_the_rescue_a_job_that_runs_out_of_memory_fails_at_once(settings):
    with closing(Studio(settings, ScriptedEngine, rescue=False)) as studio:
        studio.engine.fail_with = lambda: OutOfMemoryError("engine.out_of_memory")
        job = studio.submit(ANNA, request())
        assert job.wait(BOUND_S)
        assert (job.view().state, job.view().retries) == (JobState.FAILED, 0)
        assert studio.engine.released == []


@pytest.mark.parametrize(("speaks_on", "retries"), [(False, 1), (True, 0)])
def test_a_job_that_speaks_on_is_not_begun_anew_once_its_history_went_with_the_process(
    settings, speaks_on, retries
):
    def gone() -> BaseException:
        return ProcessOutOfMemoryError("engine.process_out_of_memory", engine="Cloning")

    with closing(Studio(settings, CloningEngine)) as studio:
        studio.engine.fail_with = gone
        job = studio.submit(ANNA, request(history=speaks_on))
        assert job.wait(BOUND_S)
        view = job.view()
    assert (view.state, view.retries) == (JobState.FAILED, retries)


def test_a_job_that_runs_out_of_memory_twice_fails_and_the_next_one_works(studio):
    studio.engine.fail_with = lambda: OutOfMemoryError("engine.out_of_memory")
    view = speak(studio).view()
    assert (view.state, view.retries) == (JobState.FAILED, 1)
    studio.engine.fail_with = None
    assert speak(studio).view().state is JobState.DONE


# -- speaking ----------------------------------------------------------------------------------


def test_a_synthesis_ends_in_the_sessions_history_with_its_cost(studio):
    record = speak(studio, text="你好").view().record
    assert studio.sessions.entry(ANNA).history.list().records == (record,)
    assert (record.text, record.engine) == ("你好", "Scripted")
    assert record.memory_cost.peak_bytes >= record.memory_cost.before_bytes > 0


def test_progress_is_seen_while_the_engine_speaks(studio):
    job = held(studio)
    wait_until(lambda: job.view().progress.stage is Stage.WAVEFORM)
    assert (job.view().progress.piece, job.view().progress.pieces) == (1, 3)


def test_a_result_is_held_ready_for_the_page_and_written_down(studio):
    studio.sessions.lease(ANNA)
    speak(studio, text="hi")
    samples_bytes = 2 * 2_400 * 4
    kept = studio.ledger.snapshot().total_bytes(owner=ANNA, kinds={LedgerKind.RESULTS})
    assert kept == samples_bytes


def test_load_start_and_end_are_marked_on_the_timeline(studio):
    speak(studio)
    assert events(studio) == [
        EventKind.LOAD,
        EventKind.SYNTHESIS_START,
        EventKind.SYNTHESIS_END,
    ]


def test_a_session_has_one_interactive_job_at_a_time(studio):
    held(studio)
    with pytest.raises(BusyError):
        studio.submit(ANNA, request())


def test_a_refused_job_does_not_displace_the_one_that_runs(studio):
    job = held(studio)
    with pytest.raises(BusyError):
        studio.submit(ANNA, request())
    assert studio.sessions.entry(ANNA).job is job


def test_batch_lines_are_no_obstacle_to_an_interactive_job(studio):
    held(studio, BERT)
    lines = [studio.submit(ANNA, request("line"), Priority.BATCH) for _ in range(2)]
    urgent = studio.submit(ANNA, request("urgent"))
    assert [studio.place_of(job) for job in (urgent, *lines)] == [1, 2, 3]


def test_jobs_of_several_sessions_queue_and_see_their_place(studio):
    running = held(studio, ANNA)
    second, third = studio.submit(BERT, request("2")), studio.submit(CLARA, request("3"))
    assert [studio.place_of(job) for job in (running, second, third)] == [0, 1, 2]
    assert studio.state().queued == 2
    studio.engine.gate.set()
    assert third.wait(BOUND_S)
    assert studio.engine.spoken == ["hello", "2", "3"]


def test_cancelling_a_queued_job_ends_it_at_once_and_moves_the_others_up(studio):
    held(studio, ANNA)
    second, third = studio.submit(BERT, request()), studio.submit(CLARA, request())
    second.cancel()
    assert second.view().state is JobState.CANCELLED
    assert studio.place_of(third) == 1


def test_cancelling_a_running_job_ends_it_and_the_next_one_runs(studio):
    running = held(studio, ANNA)
    second = studio.submit(BERT, request())
    running.cancel()
    assert running.wait(BOUND_S)
    assert running.view().state is JobState.CANCELLED
    studio.engine.gate.set()
    assert second.wait(BOUND_S)
    assert second.view().state is JobState.DONE


def test_a_cancelled_job_leaves_no_result(studio):
    job = held(studio)
    job.cancel()
    assert job.wait(BOUND_S)
    assert studio.sessions.entry(ANNA).history.list().records == ()


# -- failing -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (lambda: RequestError("request.no_reference", engine="It"), "cannot clone"),
        (lambda: OutOfMemoryError("engine.out_of_memory"), "not enough free memory"),
        (MemoryError, "not enough free memory"),
        (lambda: RuntimeError("the network broke"), "RuntimeError: the network broke"),
        (lambda: SystemExit("a native library gave up"), "a native library gave up"),
    ],
    ids=["refused", "out of memory", "MemoryError", "unexpected", "not even an Exception"],
)
def test_a_failing_synthesis_says_why_in_one_sentence_and_the_next_one_works(studio, fault, told):
    studio.engine.fail_with = fault
    failed = speak(studio).view()
    assert failed.state is JobState.FAILED
    assert told in failed.error.text("en")
    assert "\n" not in failed.error.text("zh")
    studio.engine.fail_with = None
    assert speak(studio).view().state is JobState.DONE


@pytest.mark.parametrize("fault", [MemoryError, lambda: OutOfMemoryError("engine.out_of_memory")])
def test_running_out_of_memory_is_marked_on_the_timeline(studio, fault):
    studio.engine.fail_with = fault
    speak(studio)
    assert EventKind.OUT_OF_MEMORY in events(studio)


@pytest.mark.parametrize(
    "fault", [lambda: RequestError("request.no_reference", engine="It"), MemoryError, RuntimeError]
)
def test_the_error_of_a_failed_job_keeps_no_traceback(studio, fault):
    studio.engine.fail_with = fault
    error = speak(studio).view().error
    assert (error.__traceback__, error.__cause__, error.__context__) == (None, None, None)


def test_a_failed_synthesis_leaves_no_result_and_its_end_on_the_timeline(studio):
    studio.engine.fail_with = RuntimeError
    speak(studio)
    assert studio.sessions.entry(ANNA).history.list().records == ()
    assert events(studio)[-1] is EventKind.SYNTHESIS_END


# -- cleaning ----------------------------------------------------------------------------------


def keep_voice(studio: Studio, session_id: str, size_bytes: int = 10 * MIB) -> None:
    caches = studio.sessions.entry(session_id).caches
    caches.put(LedgerKind.VOICE_CACHE, "voice", object(), size_bytes)


def test_a_trim_gives_a_report_and_keeps_the_weights(studio):
    speak(studio)
    report = studio.cleanup(TRIM, ANNA).wait(BOUND_S)
    assert report.level is TRIM
    assert (studio.engine.loaded, studio.engine.released) == (True, [TRIM])


def test_a_trim_drops_the_caches_of_the_session_that_asked_and_of_no_other(studio):
    keep_voice(studio, ANNA)
    keep_voice(studio, BERT)
    studio.cleanup(TRIM, ANNA).wait(BOUND_S)
    assert (kept_bytes(studio, ANNA), kept_bytes(studio, BERT)) == (0, 10 * MIB)


def test_a_trim_by_nobody_drops_the_caches_of_all_sessions_without_a_job(studio):
    held(studio, CLARA)
    for session_id in (ANNA, BERT, CLARA):
        keep_voice(studio, session_id)
    studio.cleanup(TRIM, None).wait(BOUND_S)
    kept = [kept_bytes(studio, each) for each in (ANNA, BERT, CLARA)]
    assert kept == [0, 0, 10 * MIB]


def test_a_cleanup_never_drops_a_finished_result(studio):
    record = speak(studio).view().record
    studio.cleanup(UNLOAD, ANNA).wait(BOUND_S)
    history = studio.sessions.entry(ANNA).history
    assert history.list().records == (record,)
    assert history.wav(record.number).startswith(b"RIFF")


def test_the_promise_counts_the_sessions_own_caches_only(studio):
    keep_voice(studio, ANNA)
    keep_voice(studio, BERT, 90 * MIB)
    assert studio.promise(ANNA).bytes == 10 * MIB


def test_a_trim_during_a_job_runs_at_its_safe_point_and_the_job_goes_on(studio):
    job = held(studio)
    assert studio.cleanup(TRIM, ANNA).wait(BOUND_S) is not None
    assert (job.finished, studio.engine.released) == (False, [TRIM])
    studio.engine.gate.set()
    assert job.wait(BOUND_S)
    assert job.view().state is JobState.DONE


def test_an_unload_drops_the_weights_and_the_next_synthesis_loads_them_again(studio):
    speak(studio)
    assert studio.ledger.snapshot().total_bytes(kinds={LedgerKind.WEIGHTS}) == WEIGHTS_BYTES
    studio.cleanup(UNLOAD, ANNA).wait(BOUND_S)
    assert studio.ledger.snapshot().total_bytes(kinds={LedgerKind.WEIGHTS}) == 0
    assert studio.state().engine is EngineState.NOT_LOADED
    assert speak(studio).view().state is JobState.DONE


def test_an_unload_waits_for_the_end_of_ones_own_job(studio):
    job = held(studio)
    unload = studio.cleanup(UNLOAD, ANNA)
    assert unload.wait(0.0) is None
    studio.engine.gate.set()
    assert unload.wait(BOUND_S).level is UNLOAD
    assert (job.view().state, studio.engine.loaded) == (JobState.DONE, False)


def test_an_unload_is_refused_while_jobs_of_others_run_or_wait(studio):
    held(studio, ANNA)
    studio.submit(BERT, request())
    with pytest.raises(BusyError, match="2 job"):
        studio.cleanup(UNLOAD, CLARA)
    with pytest.raises(BusyError, match="1 job"):
        studio.cleanup(UNLOAD, ANNA)


def test_a_forced_unload_lets_the_running_job_end_and_goes_ahead_of_the_waiting_one(studio):
    running, waiting = held(studio, ANNA), studio.submit(BERT, request())
    unload = studio.cleanup(UNLOAD, CLARA, force=True)
    studio.engine.gate.set()
    assert unload.wait(BOUND_S).level is UNLOAD
    assert waiting.wait(BOUND_S)
    assert [job.view().state for job in (running, waiting)] == [JobState.DONE] * 2


def test_an_engine_that_fails_to_let_go_is_told_and_the_worker_lives(studio):
    speak(studio)
    studio.engine.fail_releasing_with = lambda: RuntimeError("the driver is gone")
    with pytest.raises(GLMTTSError, match="the driver is gone"):
        studio.cleanup(TRIM, ANNA).wait(BOUND_S)
    studio.engine.fail_releasing_with = None
    assert speak(studio).view().state is JobState.DONE


def test_a_release_that_fails_at_a_safe_point_does_not_fail_the_job(studio):
    job = held(studio)
    studio.engine.fail_releasing_with = lambda: RuntimeError("the driver is gone")
    with pytest.raises(GLMTTSError):
        studio.cleanup(TRIM, ANNA).wait(BOUND_S)
    studio.engine.gate.set()
    assert job.wait(BOUND_S)
    assert job.view().state is JobState.DONE


def test_there_is_no_advice_where_there_is_nothing_worth_a_click(studio):
    speak(studio)
    studio.cleanup(TRIM, ANNA).wait(BOUND_S)
    assert studio.advice(ANNA) is None


# -- sessions ----------------------------------------------------------------------------------


def test_a_closed_session_gives_its_caches_back_but_not_its_results(studio):
    studio.sessions.lease(ANNA)
    record = speak(studio).view().record
    keep_voice(studio, ANNA)
    studio.end_lease(ANNA)
    wait_until(lambda: kept_bytes(studio, ANNA) == 0)
    assert studio.sessions.entry(ANNA).history.list().records == (record,)


def test_a_session_closed_during_its_job_gives_its_caches_back_when_the_job_ends(studio):
    studio.sessions.lease(ANNA)
    job = held(studio)
    studio.end_lease(ANNA)
    studio.engine.gate.set()
    assert job.wait(BOUND_S)
    wait_until(lambda: kept_bytes(studio, ANNA) == 0)
    assert len(studio.sessions.entry(ANNA).history.list().records) == 1


def test_a_page_that_is_reloaded_during_a_job_finds_the_job(studio):
    studio.sessions.lease(ANNA)
    job = held(studio)
    studio.end_lease(ANNA)
    assert studio.sessions.lease(ANNA)
    # a task that came later has run, so that of the closed page has
    studio.cleanup(TRIM, BERT).wait(BOUND_S)
    assert studio.sessions.entry(ANNA).job is job
    studio.engine.gate.set()
    assert job.wait(BOUND_S)
    assert job.view().state is JobState.DONE


def test_a_session_that_is_open_again_keeps_what_it_caches_afterwards(studio):
    studio.sessions.lease(ANNA)
    studio.end_lease(ANNA)
    studio.sessions.lease(ANNA)
    studio.cleanup(TRIM, BERT).wait(BOUND_S)
    keep_voice(studio, ANNA)
    studio.cleanup(TRIM, BERT).wait(BOUND_S)
    assert kept_bytes(studio, ANNA) == 10 * MIB


def test_sessions_that_were_left_long_ago_are_cleared_at_the_start(settings):
    old = session_folder(settings.output_dir, ANNA)
    old.mkdir(parents=True)
    os.utime(old, (0, 0))
    with closing(Studio(settings, ScriptedEngine)):
        assert not old.exists()


# -- the end -----------------------------------------------------------------------------------


def test_closing_cancels_the_running_job_and_gives_the_weights_back(settings):
    studio = Studio(settings, ScriptedEngine)
    running, waiting = held(studio, ANNA), studio.submit(BERT, request())
    studio.close()
    assert [job.view().state for job in (running, waiting)] == [JobState.CANCELLED] * 2
    assert (studio.engine.loaded, studio.monitor.running) == (False, False)


def test_an_engine_that_fails_to_let_go_does_not_keep_the_threads_running(settings):
    studio = Studio(settings, ScriptedEngine)
    studio.engine.fail_releasing_with = lambda: RuntimeError("the driver is gone")
    studio.close()
    assert not studio.monitor.running


def test_a_closed_studio_takes_no_more_jobs(settings):
    studio = Studio(settings, ScriptedEngine)
    studio.close()
    with pytest.raises(SynthesisCancelled):
        studio.submit(ANNA, request())


def test_a_cleanup_asked_of_a_closed_studio_is_told_so(settings):
    studio = Studio(settings, ScriptedEngine)
    studio.close()
    with pytest.raises(SynthesisCancelled):
        studio.cleanup(TRIM, ANNA).wait(BOUND_S)


# -- the process's own -------------------------------------------------------------------------


@pytest.fixture
def own_settings(tmp_path, monkeypatch):
    """Settings in the environment for a studio that the process opens by itself."""
    monkeypatch.setenv("GLMTTS_OUTPUT_DIR", str(tmp_path))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("GLMTTS_DEVICE", "cpu")
    yield
    close_studio()


@pytest.mark.usefixtures("own_settings")
def test_all_who_ask_at_once_get_the_same_studio():
    with ThreadPoolExecutor(8) as threads:
        given = list(threads.map(lambda _: get_studio(), range(8)))
    assert len(set(map(id, given))) == 1


@pytest.mark.usefixtures("own_settings")
def test_after_closing_a_new_studio_is_opened():
    first = get_studio()
    close_studio()
    close_studio()
    assert get_studio() is not first


@pytest.mark.usefixtures("own_settings")
def test_a_setting_that_cannot_be_used_is_told_until_it_is_corrected(monkeypatch):
    monkeypatch.setenv("GLMTTS_THREADS", "many")
    for _ in range(2):
        with pytest.raises(SettingsError, match="GLMTTS_THREADS"):
            get_studio()
    monkeypatch.setenv("GLMTTS_THREADS", "2")
    assert get_studio().settings.threads == 2


def test_a_studio_made_elsewhere_is_the_processs_own_for_a_while(studio):
    with use_studio(studio):
        assert get_studio() is studio


# -- the rehearsal -------------------------------------------------------------------------------


def test_a_rehearsal_comes_besides_the_engines_and_goes_with_its_memory(studio, tiny_rehearsal):
    studio.rehearse(True).wait(BOUND_S)
    studio.rehearse(True).wait(BOUND_S)
    assert studio.engines.names == ("Scripted", tiny_rehearsal)
    asked = request(engine=tiny_rehearsal, voice=REHEARSAL_VOICE.id)
    job = studio.submit(ANNA, asked)
    assert job.wait(BOUND_S)
    assert job.view().state is JobState.DONE
    assert studio.ledger.snapshot().total_bytes(kinds={LedgerKind.WEIGHTS}) > 0
    studio.rehearse(False).wait(BOUND_S)
    assert studio.engines.names == ("Scripted",)
    assert studio.ledger.snapshot().total_bytes(kinds={LedgerKind.WEIGHTS}) == 0
    with pytest.raises(RequestError, match="no engine called"):
        studio.submit(BERT, asked)


def test_while_jobs_run_or_wait_the_rehearsal_stays_as_it_is(studio, tiny_rehearsal):
    job = held(studio)
    for wanted in (True, False):
        with pytest.raises(BusyError, match="when it is done"):
            studio.rehearse(wanted)
    assert studio.engines.names == ("Scripted",)
    studio.engine.gate.set()
    assert job.wait(BOUND_S)


def test_offloading_waits_for_the_running_job_and_takes_nobodys_text(studio):
    job = held(studio)
    task = studio.cleanup(CleanupLevel.OFFLOAD, ANNA)
    assert task.wait(0.05) is None
    studio.engine.gate.set()
    assert task.wait(BOUND_S).level is CleanupLevel.OFFLOAD
    assert job.view().state is JobState.DONE
    assert CleanupLevel.OFFLOAD in studio.engine.released


def test_what_was_moved_to_main_memory_is_loaded_before_the_next_synthesis(studio):
    speak(studio)
    assert studio.cleanup(CleanupLevel.OFFLOAD, ANNA).wait(BOUND_S)
    assert not studio.engine.ready
    speak(studio)
    assert studio.engine.ready
    assert events(studio).count(EventKind.LOAD) == 2


def test_a_session_that_has_loaded_the_rehearsal_lives_on_without_it(studio, tiny_rehearsal):
    studio.rehearse(True).wait(BOUND_S)
    session = Session(studio, ANNA)
    session.saved_form.keep(engine=tiny_rehearsal)
    session.load()
    wait_until(lambda: studio.state().engine is EngineState.IDLE)
    assert studio.rehearse(False).wait(BOUND_S)
    assert session.load_error is None
    assert session.engine == "Scripted"
    assert EventKind.UNLOAD in events(studio)
