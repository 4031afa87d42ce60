"""How a process has ended, as its job's error says it."""

from __future__ import annotations

import signal

import pytest

from glmtts_core.engines.host import process_end
from glmtts_core.engines.host.process_end import ProcessEnd, end_of
from glmtts_core.errors import EngineProcessError, OutOfMemoryError, ProcessOutOfMemoryError
from glmtts_core.message import Message

KILLED = -signal.SIGKILL


@pytest.mark.parametrize(
    ("end", "key", "words"),
    [
        (ProcessEnd(0), "engine.process_ended", "exit code 0"),
        (ProcessEnd(3), "engine.process_ended", "exit code 3"),
        (ProcessEnd(-signal.SIGSEGV), "engine.process_ended", "SIGSEGV"),
        (ProcessEnd(-signal.SIGABRT), "engine.process_ended", "SIGABRT"),
        (ProcessEnd(-99), "engine.process_ended", "signal 99"),
        (ProcessEnd(KILLED, hung=True), "engine.process_hung", "no longer answered"),
        (ProcessEnd(KILLED, wanted=True), "engine.process_stopped", "was ended"),
        (ProcessEnd(KILLED, wanted=True, hung=True), "engine.process_stopped", "was ended"),
    ],
)
def test_each_end_has_its_sentence(end, key, words):
    error = end.error("Kokoro-82M")
    assert type(error) is EngineProcessError
    assert error.message.key == key
    assert words in error.text("en") and "Kokoro-82M" in error.text("en")
    assert "Kokoro-82M" in error.text("zh")


@pytest.mark.parametrize(
    ("counted", "key"),
    [(True, "engine.process_out_of_memory"), (None, "engine.process_probably_out_of_memory")],
)
def test_the_end_for_want_of_memory_is_an_error_of_memory(counted, key):
    error = ProcessEnd(KILLED, killed_by_others=True, out_of_memory=counted).error("GLM-TTS")
    assert isinstance(error, ProcessOutOfMemoryError)
    assert error.message.key == key
    assert "memory ran out" in error.text("en")


def test_how_it_ended_is_told_in_the_readers_language():
    assert "退出码 3" in ProcessEnd(3).error("GLM-TTS").text("zh")
    assert "信号 SIGSEGV" in ProcessEnd(-signal.SIGSEGV).error("GLM-TTS").text("zh")


def test_an_error_that_spoils_a_process_is_told_with_its_reason():
    reason = Message("engine.unexpected", {"reason": "CUDA error: an illegal memory access"})
    error = ProcessEnd(KILLED, spoilt_by=reason).error("GLM-TTS")
    assert error.message.key == "engine.process_spoilt"
    assert "illegal memory access" in error.text("en")


@pytest.mark.parametrize(
    ("exit_code", "before", "now", "killed", "out_of_memory"),
    [
        (KILLED, 3, 4, False, True),
        (KILLED, 3, 3, False, False),
        (KILLED, None, 4, False, True),
        (KILLED, 3, None, False, True),
        (KILLED, None, None, False, True),
        (KILLED, None, None, True, False),
        (KILLED, 3, 4, True, False),
        (-signal.SIGTERM, 3, 4, False, False),
        (-signal.SIGSEGV, None, None, False, False),
        (0, 3, 4, False, False),
        (137, 3, 4, False, False),
    ],
)
def test_only_a_sigkill_that_the_kernel_counts_is_for_want_of_memory(
    monkeypatch, exit_code, before, now, killed, out_of_memory
):
    monkeypatch.setattr(process_end, "oom_kills", lambda: now)
    end = end_of(
        exit_code,
        wanted=False,
        hung=False,
        spoilt_by=None,
        killed=killed,
        oom_kills_before=before,
    )
    assert isinstance(end.error("Scripted"), OutOfMemoryError) is out_of_memory
