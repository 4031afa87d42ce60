"""A file in which a tenth of the lines is bad in many ways, and a device short of memory."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from pathlib import Path

from glmtts_core.batch.registry import batches_of
from glmtts_core.batch.run import BatchRun
from glmtts_core.batch.states import LineState
from glmtts_core.batch_draft.dry_run import dry_run
from glmtts_core.batch_files.references import ReferenceFolder
from glmtts_core.batch_files.rows import read_batch
from glmtts_core.errors import EngineError, OutOfMemoryError
from glmtts_core.studio.studio import Studio
from tests.batch.runs import DEFAULTS, MoodyEngine

_DOOMED, _HUNGRY = "doomed", "hungry"
#: Each makes a bad line out of a number.
_BAD = (
    lambda n: '{"uttid": "x", "text": ',
    lambda n: json.dumps({"uttid": f"u{n}", "txet": "hello"}),
    lambda n: json.dumps({"uttid": f"u{n}", "text": ""}),
    lambda n: json.dumps({"uttid": f"u{n}", "text": "hello", "voice": "nobody"}),
    lambda n: json.dumps({"uttid": f"u{n}", "text": f"{_DOOMED} {n}"}),
    lambda n: json.dumps({"uttid": f"u{n}", "text": "hello", "sample_rate": 1}),
    lambda n: json.dumps({"uttid": f"u{n}", "text": f"{_HUNGRY} {n}"}),
    lambda n: json.dumps({"uttid": f"u{n}", "text": "hello", "prompt_audio": "../secret.wav"}),
    lambda n: "\0\0\0",
)


@dataclass(frozen=True)
class Outcome:
    """What became of the file.

    Attributes:
        good: good lines in it.
        done: of these, lines with a sound.
        bad: bad lines in it.
        explained: of these, lines with a sentence that says what is wrong.
        short: good lines that ran out of memory once.
        retries: second attempts over all lines.
        memory_errors: how often memory ran out in all.
    """

    good: int
    done: int
    bad: int
    explained: int
    short: int
    retries: int
    memory_errors: int


def speak_faulty_file(studio: Studio, count: int, references: Path) -> tuple[BatchRun, Outcome]:
    """Speak a file of ``count`` lines, every tenth bad, every seventh good one short of memory."""
    engine = studio.engine
    assert isinstance(engine, MoodyEngine)
    raw, good_texts = _file(count)
    short = set(good_texts[::7])
    memory_errors: list[str] = []

    def run_out(text: str, *, always: bool) -> None:
        if always or memory_errors.count(text) == 0:
            memory_errors.append(text)
            raise OutOfMemoryError("engine.out_of_memory", requested_bytes=2**30)

    def fail() -> None:
        raise EngineError("engine.unexpected", reason="doomed")

    for number in range(count):
        engine.moods[f"{_DOOMED} {number}"] = lambda before: fail()
        hungry = f"{_HUNGRY} {number}"
        engine.moods[hungry] = lambda before, text=hungry: run_out(text, always=True)
    for text in short:
        engine.moods[text] = lambda before, text=text: run_out(text, always=False)
    folder = ReferenceFolder(references)
    read = read_batch(raw, "in.jsonl")
    checked = dry_run(read, DEFAULTS, folder, engine.capabilities, studio.settings)
    run = batches_of(studio).create("in.jsonl", raw, checked, DEFAULTS)
    run.start()
    run.wait()
    return run, _outcome(run, good_texts, count, len(short), len(memory_errors))


def _file(count: int) -> tuple[bytes, list[str]]:
    bad = itertools.cycle(_BAD)
    written, good = [], []
    for number in range(count):
        if number % 10 == 5:
            written.append(next(bad)(number))
        else:
            good.append(f"line {number}")
            written.append(json.dumps({"uttid": f"u{number}", "text": good[-1]}))
    return "\n".join(written).encode(), good


def _outcome(
    run: BatchRun, good_texts: list[str], count: int, short: int, memory_errors: int
) -> Outcome:
    spoken = {
        row.line.text
        for row in run.lines.rows({LineState.DONE}, limit=count)
        if run.store.audio_path(row.line).is_file()
    }
    failed = run.lines.rows({LineState.FAILED}, limit=count)
    told = [row.status.reason.text("en") for row in failed if row.status.reason is not None]
    told += [problem.message.text("en") for problem in run.lines.problems()]
    return Outcome(
        good=len(good_texts),
        done=len(spoken & set(good_texts)),
        bad=count - len(good_texts),
        explained=len([sentence for sentence in told if len(sentence) > 20]),
        short=short,
        retries=run.view().standing.retries,
        memory_errors=memory_errors,
    )
