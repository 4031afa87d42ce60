"""Notes in the studio's log that an experiment was made: what, for how long, with what outcome."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glmtts_core.errors import GLMTTSError, SynthesisCancelled
from glmtts_core.message import Message
from glmtts_core.sessions.events import Experiment, ExperimentKind, Outcome
from glmtts_core.studio.background import UNEXPECTED
from glmtts_core.studio.studio import Studio


@contextmanager
def noted(
    studio: Studio, kind: ExperimentKind, engine: str, folder: Path | None = None
) -> Iterator[None]:
    """Note what is done inside, when it ends, however it ends.

    Args:
        studio: keeps the note.
        kind: what is done.
        engine: name of the engine that it is about.
        folder: where the findings are kept, if anywhere.
    """
    started_s, began_s = time.time(), time.monotonic()

    def note(outcome: Outcome, message: Message | None = None) -> None:
        seconds = time.monotonic() - began_s
        studio.note_experiment(
            Experiment(time.time(), kind, engine, started_s, seconds, outcome, message, folder)
        )

    try:
        yield
    except SynthesisCancelled:
        note(Outcome.CANCELLED)
        raise
    except GLMTTSError as error:
        note(Outcome.FAILED, error.message.plain())
        raise
    except BaseException as error:
        note(Outcome.FAILED, Message(UNEXPECTED, {"reason": f"{type(error).__name__}: {error}"}))
        raise
    note(Outcome.DONE)
