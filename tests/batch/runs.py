"""Parts that the tests of running batches share: lines, a file of them, and a run's end."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from glmtts_core.batch.registry import batches_of
from glmtts_core.batch.run import BatchRun
from glmtts_core.batch.states import LineState
from glmtts_core.batch_files.lines import BatchInput, BatchLine, LineProblem, RunDefaults
from glmtts_core.engines.base import JobControl, SpokenAudio
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.settings import Settings
from glmtts_core.speech import SynthesisRequest
from glmtts_core.studio.studio import Studio
from tests.scripted_engine import ScriptedEngine
from tests.waiting import wait_until

DEFAULTS = RunDefaults(voice="alpha")


class MoodyEngine(ScriptedEngine):
    """The scripted engine whose mood depends on the text.

    Attributes:
        moods: by text: called before the text is spoken, with how often it was asked for before.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.moods: dict[str, Callable[[int], None]] = {}

    def synthesize(
        self, request: SynthesisRequest, caches: SessionCaches, control: JobControl
    ) -> SpokenAudio:
        before = sum(each.text == request.text for each in self.requests)
        mood = self.moods.get(request.text)
        if mood is not None:
            self.requests.append(request)
            mood(before)
            self.requests.pop()
        return super().synthesize(request, caches, control)


def lines(*texts: str, **values: Any) -> tuple[BatchLine, ...]:
    """Return lines with these texts, named a, b, c, ... (and then 26, 27, ...)."""
    return tuple(
        BatchLine(number=number, uttid=_name(number), file_stem=_name(number), text=text).changed(
            **values
        )
        for number, text in enumerate(texts, 1)
    )


def _name(number: int) -> str:
    return chr(ord("a") + number - 1) if number <= 26 else str(number)


def batch_of(good: Iterable[BatchLine], problems: Iterable[LineProblem] = ()) -> BatchInput:
    """Return a checked file with these lines."""
    return BatchInput(tuple(good), tuple(problems), "UTF-8", "jsonl")


def raw_of(good: Iterable[BatchLine]) -> bytes:
    """Return the file that such lines come from."""
    told = [{"uttid": line.uttid, "text": line.text} for line in good]
    return "".join(f"{json.dumps(each)}\n" for each in told).encode()


def studio_over(outputs: Path) -> Studio:
    """Return a studio of its own, with the runs in a folder, as after a start of the program."""
    settings = Settings(_env_file=None, device="cpu", output_dir=outputs)
    return Studio(settings, ScriptedEngine)


def make_run(studio: Studio, good: Iterable[BatchLine], **options: Any) -> BatchRun:
    """Make a run of these lines that has not started."""
    good = tuple(good)
    problems = options.pop("problems", ())
    defaults = options.pop("defaults", DEFAULTS)
    name = options.pop("name", "in.jsonl")
    batch = batch_of(good, problems)
    return batches_of(studio).create(name, raw_of(good), batch, defaults, **options)


def finish(run: BatchRun) -> None:
    """Start a run and wait for its end."""
    run.start()
    ended(run)


def ended(run: BatchRun) -> None:
    """Wait for the end of a run."""
    wait_until(lambda: not run.active)


def spoil(database: Path, change: str = "UPDATE run SET state = 'hibernating'") -> None:
    """Change a run's database as another program might."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(change)


def states(run: BatchRun) -> str:
    """Return the lines' states in the input's order, a letter each, as in "ddfq"."""
    return "".join(row.status.state.value[0] for row in run.lines.rows(limit=10_000))


def texts_done(run: BatchRun) -> list[str]:
    """Return the texts of the lines that are done."""
    return [row.line.text for row in run.lines.rows({LineState.DONE}, limit=10_000)]
