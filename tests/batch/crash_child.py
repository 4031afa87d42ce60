"""What a process does that carries a run to its end, if it is let."""

from __future__ import annotations

import os
import tempfile
import threading
from multiprocessing.synchronize import Event
from pathlib import Path

from glmtts_core.batch.registry import batches_of
from glmtts_core.batch.run_files import DATABASE_FILE
from glmtts_core.engines.base import JobControl, SpokenAudio
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.settings import Settings
from glmtts_core.speech import SynthesisRequest
from glmtts_core.studio.studio import Studio
from tests.batch.runs import DEFAULTS, batch_of, lines, raw_of
from tests.scripted_engine import ScriptedEngine

#: What a line takes, so that a kill hits all of its stages.
WORK_S = 0.004


class TellingEngine(ScriptedEngine):
    """The scripted engine that takes a moment and writes down what it begins to speak."""

    spoken_path: Path

    def synthesize(
        self, request: SynthesisRequest, caches: SessionCaches, control: JobControl
    ) -> SpokenAudio:
        with self.spoken_path.open("a") as file:
            file.write(f"{request.text}\n")
        threading.Event().wait(WORK_S)
        return super().synthesize(request, caches, control)


def carry_on(folder: Path, count: int, spoken_path: Path, ready: Event) -> None:
    """Carry the run in ``folder`` on; make it where there is none.

    Args:
        folder: of the run.
        count: how many lines it has.
        spoken_path: takes every text that begins to be spoken.
        ready: set before ``folder`` is touched.
    """
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    TellingEngine.spoken_path = spoken_path
    with tempfile.TemporaryDirectory() as scratch:
        settings = Settings(_env_file=None, device="cpu", output_dir=Path(scratch))
        studio = Studio(settings, TellingEngine)
        batches = batches_of(studio)
        ready.set()
        if (folder / DATABASE_FILE).exists():
            run = batches.open(folder)
        else:
            good = lines(*(f"line {number}" for number in range(count)))
            run = batches.create("in.jsonl", raw_of(good), batch_of(good), DEFAULTS, folder=folder)
        run.start()
        run.wait()
        studio.close()
