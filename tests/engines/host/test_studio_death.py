"""A studio whose engine's process ends: one job fails in one sentence, everything else goes on."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import closing

import psutil
import pytest

from glmtts_core.engines.host import process_end
from glmtts_core.engines.host.process import ProcessHost
from glmtts_core.errors import EngineProcessError, OutOfMemoryError
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.memory.ledger import LedgerKind
from glmtts_core.studio.jobs import Job, JobState, Priority
from glmtts_core.studio.state import EngineState
from glmtts_core.studio.studio import Studio
from tests.engines.host.remote_scripted import HOLD, NAME, ON_LOAD, ON_RELEASE, ORDER, WAITS
from tests.speaking import ANNA, BERT, CLARA, request
from tests.waiting import BOUND_S, wait_until

pytestmark = pytest.mark.process

TRIM, UNLOAD = CleanupLevel.TRIM, CleanupLevel.UNLOAD


@pytest.fixture
def counted(monkeypatch) -> list[int]:
    """The kernel's count of processes ended for want of memory; each reading takes the last."""
    counts = [0]
    for module in (process_end, sys.modules["glmtts_core.engines.host.engine_process"]):
        monkeypatch.setattr(module, "oom_kills", lambda: counts[-1])
    return counts


@pytest.fixture
def opened(settings, counted) -> Iterator[Studio]:
    settings.output_dir.mkdir(exist_ok=True)
    with closing(Studio(settings, ORDER, host=ProcessHost)) as studio:
        yield studio


def speak(studio: Studio, text: str = "hello", session_id: str = ANNA) -> Job:
    job = studio.submit(session_id, request(text))
    assert job.wait(BOUND_S)
    return job


def pid_of(studio: Studio) -> int:
    (pid,) = studio.engines.processes
    return pid


def held(studio: Studio, session_id: str = ANNA) -> Job:
    """Start a job that waits."""
    folder = studio.settings.output_dir
    (folder / HOLD).touch()
    (folder / WAITS).unlink(missing_ok=True)
    job = studio.submit(session_id, request("hold:"))
    wait_until((folder / WAITS).exists)
    return job


def let_go(studio: Studio) -> None:
    (studio.settings.output_dir / HOLD).unlink()


def test_a_job_is_spoken_and_stored_as_with_an_engine_in_this_process(opened):
    view = speak(opened).view()
    assert (view.state, view.error) == (JobState.DONE, None)
    assert view.record is not None and view.record.audio_s > 0
    assert opened.state().engine is EngineState.IDLE


@pytest.mark.parametrize("text", ["kill:SIGKILL", "abort:", "exit:0", "spoil:", "fail:panic"])
def test_a_job_whose_process_ends_fails_in_one_sentence_and_the_next_one_works(opened, text):
    speak(opened)
    view = speak(opened, text).view()
    assert view.state is JobState.FAILED
    assert view.error is not None
    assert view.error.message.key.startswith("engine.")
    assert speak(opened).view().state is JobState.DONE


def test_loading_that_ends_its_process_fails_in_one_sentence_and_is_tried_again(opened):
    script = opened.settings.output_dir / ON_LOAD
    script.write_text("kill:SIGKILL", "utf-8")
    view = speak(opened).view()
    assert isinstance(view.error, EngineProcessError)
    assert opened.state().engine is EngineState.NOT_LOADED
    script.unlink()
    assert speak(opened).view().state is JobState.DONE


def test_a_job_is_begun_again_once_where_memory_was_the_cause(opened, counted):
    job = held(opened)
    counted.append(1)
    let_go(opened)
    os.kill(pid_of(opened), signal.SIGKILL)
    assert job.wait(BOUND_S)
    assert job.view().state is JobState.DONE
    assert job.view().error is None


def test_a_job_whose_memory_runs_out_twice_fails_in_one_sentence(opened, counted, monkeypatch):
    for module in (process_end, sys.modules["glmtts_core.engines.host.engine_process"]):
        monkeypatch.setattr(module, "oom_kills", lambda: None)
    view = speak(opened, "kill:SIGKILL").view()
    assert isinstance(view.error, OutOfMemoryError)
    assert view.error.message.key == "engine.process_probably_out_of_memory"
    assert speak(opened).view().state is JobState.DONE


def test_the_jobs_of_other_sessions_go_on(opened):
    job = held(opened)
    others = [opened.submit(each, request("hello")) for each in (BERT, CLARA)]
    results = []
    lines = [
        opened.submit(BERT, request(f"line {n}"), Priority.BATCH, keep=results.append)
        for n in range(5)
    ]
    os.kill(pid_of(opened), signal.SIGKILL)
    for each in (job, *others, *lines):
        assert each.wait(BOUND_S)
    assert isinstance(job.view().error, EngineProcessError)
    assert all(each.view().state is JobState.DONE for each in (*others, *lines))
    assert len(results) == 5


def test_what_sessions_kept_is_gone_with_the_process_and_their_results_are_not(opened):
    opened.sessions.lease(ANNA)
    speak(opened, "keep:red")
    record = speak(opened).view().record
    assert record is not None
    assert opened.ledger.snapshot().total_bytes(kinds={LedgerKind.VOICE_CACHE}) == 1000
    os.kill(pid_of(opened), signal.SIGKILL)
    wait_until(lambda: not opened.engines.processes)
    kinds = {each.kind for each in opened.ledger.snapshot().entries}
    assert kinds == {LedgerKind.RESULTS}
    view = speak(opened, "kept:").view()
    assert "(None)" in str(view.error)


def test_the_state_and_the_memory_follow_the_end_of_an_idle_process(opened):
    speak(opened)
    assert NAME in [each.name for each in opened.monitor.sample_now().engines]
    os.kill(pid_of(opened), signal.SIGKILL)
    wait_until(lambda: opened.state().engine is EngineState.NOT_LOADED)
    assert opened.monitor.sample_now().engines == ()


@pytest.mark.parametrize("level", [TRIM, UNLOAD])
def test_a_cleanup_of_a_process_that_has_ended_does_no_harm(opened, level):
    speak(opened)
    os.kill(pid_of(opened), signal.SIGKILL)
    wait_until(lambda: not opened.engines.processes)
    assert opened.cleanup(level, ANNA).wait(BOUND_S) is not None
    assert speak(opened).view().state is JobState.DONE


def test_a_cleanup_whose_process_ends_says_so_and_the_next_one_works(opened):
    speak(opened)
    script = opened.settings.output_dir / ON_RELEASE
    script.write_text("kill:SIGKILL", "utf-8")
    with pytest.raises(EngineProcessError):
        opened.cleanup(TRIM, ANNA).wait(BOUND_S)
    script.unlink()
    assert opened.cleanup(TRIM, ANNA).wait(BOUND_S) is not None
    assert speak(opened).view().state is JobState.DONE


def test_unloading_gives_back_what_was_promised(opened):
    speak(opened)
    report = opened.cleanup(UNLOAD, ANNA).wait(BOUND_S)
    assert report is not None and report.promised.exact
    assert report.regained_bytes == pytest.approx(report.promised.bytes, rel=0.1)
    assert opened.engines.processes == {}


def test_a_cleanup_at_a_safe_point_of_a_running_job(opened):
    job = held(opened)
    assert opened.cleanup(TRIM, BERT).wait(BOUND_S) is not None
    let_go(opened)
    assert job.wait(BOUND_S)
    assert job.view().state is JobState.DONE


def test_a_job_can_be_cancelled_while_its_engine_computes(opened):
    (opened.settings.output_dir / WAITS).unlink(missing_ok=True)
    job = opened.submit(ANNA, request("native:"))
    wait_until((opened.settings.output_dir / WAITS).exists)
    pid = pid_of(opened)
    job.cancel()
    assert job.wait(BOUND_S)
    assert job.view().state is JobState.CANCELLED
    assert speak(opened).view().state is JobState.DONE
    assert pid_of(opened) == pid


@pytest.mark.parametrize("text", ["hold:", "deaf:"])
def test_closing_a_studio_ends_the_process_whatever_it_does(settings, counted, text):
    settings.output_dir.mkdir(exist_ok=True)
    (settings.output_dir / HOLD).touch()
    studio = Studio(settings, ORDER, host=ProcessHost)
    job = studio.submit(ANNA, request(text))
    wait_until((settings.output_dir / WAITS).exists)
    pid = pid_of(studio)
    studio.close()
    assert not psutil.pid_exists(pid)
    assert job.wait(BOUND_S)
    wait_until(lambda: not psutil.Process().children())
