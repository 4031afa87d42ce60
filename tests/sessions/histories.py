"""Histories of sessions in an output folder, and folders as earlier versions have left them."""

from __future__ import annotations

from pathlib import Path

from glmtts_core.audio import encode_wav
from glmtts_core.sessions.history import SessionHistory
from glmtts_core.sessions.result_files import session_folder
from glmtts_core.sessions.result_record import ResultRecord
from glmtts_core.sessions.studio_database import StudioDatabase
from tests.speaking import ANNA, request, result


def opened(
    root: Path, session_id: str = ANNA, *, max_results: int = 50, max_bytes: int = 2**40
) -> SessionHistory:
    """Return a session's history as a program that has just been started opens it."""
    return SessionHistory(
        StudioDatabase(root), session_id, max_results=max_results, max_bytes=max_bytes
    )


def save(history: SessionHistory, text: str = "hello") -> ResultRecord:
    """Store a result of one second."""
    return history.save(request(text), result(), "Scripted")


def numbers(history: SessionHistory) -> list[int]:
    """Return the numbers of what is listed, in that order."""
    return [record.number for record in history.list().records]


def write_earlier(root: Path, *given: int, session_id: str = ANNA, last: int | None = None) -> Path:
    """Write results as versions without a database did: a sound and a JSON record each."""
    folder = session_folder(root, session_id)
    folder.mkdir(parents=True, exist_ok=True)
    spoken = result()
    wav = encode_wav(spoken.audio.samples, spoken.audio.sample_rate_hz)
    for number in given:
        (folder / f"{number:06d}.wav").write_bytes(wav)
        (folder / f"{number:06d}.json").write_text(earlier_record(number), encoding="utf-8")
    (folder / "last_number").write_text(str(last or max(given, default=0)), encoding="ascii")
    return folder


def earlier_record(number: int, **changes: object) -> str:
    """Return a record as it was written, byte for byte but for the figures."""
    record = ResultRecord.model_validate_json(_RECORD).model_copy(update={"number": number})
    return record.model_copy(update=changes).model_dump_json()


_POINT = (
    '{"resident_set_bytes":314572800,"device_used_bytes":null,"process_used_bytes":null,'
    '"reserved_bytes":null,"allocated_bytes":null,"weights_bytes":83886080,"caches_bytes":1048576}'
)
_RECORD = (
    '{"number":1,"text":"你好","engine":"Scripted","voice":"alpha","sample_rate_hz":24000,'
    '"speed":1.0,"spoken_at":"2026-11-28T20:01:02.123456+08:00","seconds":0.5,"audio_s":1.0,'
    f'"memory":{{"device":"cpu","before":{_POINT},"peak":{_POINT},"after":{_POINT}}},'
    '"seed":7,"rehearsed":false,"second_voice":"kumo","unsaved_reason":""}'
)
