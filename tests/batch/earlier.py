"""Folders of runs as the versions before databases wrote them, from plain values alone::

    run.json            what the run is, and which version of its input holds
    input.jsonl         the file as it came in
    lines.jsonl         its checked lines, and problems.jsonl, those set aside
    references/         the recordings that lines name
    input-1/            a corrected input: the same four
    journal.jsonl       every change of state
    audio/              the sounds
    lock                held by the process that carried on the run

Knows nothing about how such a folder is read.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

import numpy as np

from glmtts_core.audio import encode_wav

RATE_HZ: Final = 24_000
#: When the journals begin (Unix time), and the seconds between two entries.
BEGIN_S: Final = 1_700_000_000.0
STEP_S: Final = 0.5
HEADER: Final[dict[str, Any]] = {
    "name": "in.jsonl",
    "created_at": "2023-11-14T22:13:20.000001Z",
    "encoding": "UTF-8",
    "input_format": "jsonl",
    "input_version": 0,
    "lines": 0,
    "problems": 0,
    "defaults": {
        "voice": "alpha",
        "second_voice": None,
        "speed": 1.0,
        "sample_rate_hz": RATE_HZ,
        "seed": None,
        "sampling": None,
        "use_history": False,
        "engine": None,
        "reference_name": None,
        "reference_text": "",
    },
    "policy": {"threshold_bytes": 536870912, "every_lines": None, "after_failure": True},
}
#: What a line leaves open.
OPEN: Final[dict[str, Any]] = dict.fromkeys(
    ("voice", "second_voice", "speed", "sample_rate_hz", "seed", "sampling", "use_history")
)
PROBLEM: Final[dict[str, Any]] = {
    "number": 99,
    "uttid": "x",
    "key": "batch.line.no_text",
    "details": {},
    "excerpt": '{"uttid": "x"}',
}
MEMORY: Final[dict[str, Any]] = {
    "line": "resident_set_bytes",
    "before_bytes": 87_580_672,
    "peak_bytes": 88_010_752,
    "after_bytes": 88_010_752,
}
#: A reason for a failure or a pause.
REASON: Final[dict[str, Any]] = {
    "key": "engine.unexpected",
    "details": {"reason": "ValueError: no"},
}
_NAMES: Final = ("number", "uttid", "file_stem")
_HASHED_ALWAYS: Final = (
    "prompt_audio",
    "use_history",
    "seed",
    "sample_rate_hz",
    "sampling",
    "voice",
    "speed",
)


def content_hash(line: dict[str, Any]) -> str:
    """Return the SHA-256 over all that decides how a line sounds."""
    values = {
        name: value
        for name, value in line.items()
        if name not in _NAMES and (value is not None or name in _HASHED_ALWAYS)
    }
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


class EarlierRun:
    """A run whose journal is written call by call; it is ready at first.

    Args:
        folder: of the run; made here.
        texts: of the lines, by name.
        problems: how many lines are set aside.

    Attributes:
        lines: those of the input that holds, by name.
    """

    def __init__(self, folder: Path, texts: dict[str, str], problems: int = 0) -> None:
        self.folder = folder
        self.lines: dict[str, dict[str, Any]] = {}
        self._states: dict[str, str] = {}
        # what each further entry about a line repeats
        self._kept: dict[str, dict[str, Any]] = {}
        self._problems = problems
        self._version = -1
        self._at_s = BEGIN_S
        (folder / "audio").mkdir(parents=True)
        (folder / "lock").touch()
        self.correct(texts)

    def correct(self, texts: dict[str, str]) -> None:
        """Have an input hold: the first, or a corrected one."""
        before, self._version = self.lines, self._version + 1
        numbered = enumerate(texts.items(), 1)
        self.lines = {name: line_of(number, name, text) for number, (name, text) in numbered}
        changed = {name for name, line in self.lines.items() if line != before.get(name)}
        for name in changed:
            self._states[name] = "queued"
            self._kept.pop(name, None)
        self._states = {name: self._states[name] for name in self.lines}
        target = self.folder / f"input-{self._version}" if self._version else self.folder
        (target / "references").mkdir(parents=True)
        raw = [{"uttid": name, "text": text} for name, text in texts.items()]
        (target / "input.jsonl").write_bytes(json_lines(raw))
        (target / "problems.jsonl").write_bytes(json_lines([PROBLEM] * self._problems))
        (target / "lines.jsonl").write_bytes(json_lines(self.lines.values()))
        counts = {"lines": len(texts), "problems": self._problems}
        header = HEADER | {"input_version": self._version} | counts
        (self.folder / "run.json").write_text(json.dumps(header, indent=1))

    # -- the journal -------------------------------------------------------------------------------

    def state(self, word: str, reason: dict[str, Any] | None = None) -> None:
        """The run changes its state."""
        if word == "cancelled":
            self._states.update(
                {name: "skipped" for name, state in self._states.items() if state == "queued"}
            )
        counted = Counter(self._states.values())
        words = ("queued", "running", "done", "failed", "skipped")
        counts = {each: counted[each] for each in words} | {"set_aside": self._problems}
        self._add(run=word, input=self._version, counts=counts, reason=reason)

    def retry_failed(self) -> None:
        """The failed lines wait again."""
        self._add(run="retry_failed", input=self._version)

    def cleanup(self, regained_bytes: int) -> None:
        """The run has cleaned up."""
        self._add(cleanup=regained_bytes, seconds=0.004)

    def running(self, *names: str) -> None:
        """Lines are about to be spoken."""
        for name in names:
            self._line(name, "running")

    def done(self, *names: str) -> None:
        """Lines are spoken, from their beginning."""
        for name in names:
            self.running(name)
            self.write_sound(name)
            audio_s = round(0.1 * len(self.lines[name]["text"]), 4)
            self._line(name, "done", seconds=0.25, audio_s=audio_s, memory=MEMORY)

    def failed(self, name: str) -> None:
        """A line cannot be spoken."""
        self.running(name)
        self._line(name, "failed", memory=MEMORY, reason=REASON)

    def retried(self, name: str) -> None:
        """A line ran out of memory and waits to be spoken once more."""
        self.running(name)
        retries = self._kept.get(name, {}).get("retries", 0) + 1
        self._line(name, "queued", retries=retries, memory=MEMORY)

    def stopped(self, name: str) -> None:
        """A line that was begun, or has lost its sound, waits again."""
        self._line(name, "queued")

    def tear(self) -> None:
        """The last entry was not written whole."""
        with self.journal.open("ab") as file:
            file.write(b'{"at": 1700000009.5, "li')

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self.folder / "journal.jsonl"

    def write_sound(self, name: str) -> None:
        """Write the sound of a line, as long as the scripted engine speaks."""
        samples = np.zeros(RATE_HZ // 10 * len(self.lines[name]["text"]), np.float32)
        (self.folder / "audio" / f"{name}.wav").write_bytes(encode_wav(samples, RATE_HZ))

    def _line(self, name: str, state: str, **values: object) -> None:
        self._states[name] = state
        kept = self._kept.setdefault(name, {})
        kept.update({key: values.pop(key) for key in ("retries", "memory") if key in values})
        reason = values.pop("reason", None)
        told = {"line": name, "hash": content_hash(self.lines[name]), "file": name, "state": state}
        counted = {"retries": kept.get("retries"), "memory": kept.get("memory")}
        self._add(**told, **values, **counted, reason=reason)

    def _add(self, **entry: object) -> None:
        self._at_s += STEP_S
        kept = {name: value for name, value in entry.items() if value is not None}
        line = json.dumps({"at": round(self._at_s, 3), **kept}, ensure_ascii=False)
        with self.journal.open("ab") as file:
            file.write(f"{line}\n".encode())


def line_of(number: int, name: str, text: str) -> dict[str, Any]:
    """Return a checked line that leaves everything open but its text."""
    names = {"number": number, "uttid": name, "file_stem": name}
    recording = {"prompt_text": "", "prompt_audio": None, "recording": None, "settings": None}
    return {**OPEN, **names, "text": text, **recording}


def json_lines(values: Any) -> bytes:
    """Return a file of one JSON value a line."""
    return "".join(f"{json.dumps(each)}\n" for each in values).encode()


def half_done(folder: Path, texts: dict[str, str], done: int) -> EarlierRun:
    """Return a run whose process has died while it spoke a line, after ``done`` lines."""
    run, names = EarlierRun(folder, texts), list(texts)
    run.state("running")
    run.done(*names[:done])
    run.running(names[done])
    return run


def earlier_files(folder: Path) -> dict[str, bytes]:
    """Return what all files hold but the database and the lock, by their paths in the folder."""
    ours = ("run.db", "run.db-wal", "run.db-shm", "lock")
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in ours)
    return {f"{path.relative_to(folder)}": path.read_bytes() for path in files}
