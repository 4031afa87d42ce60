"""A process that carries a run to its end, if it is let; ``python -m ... FOLDER LINES SPOKEN``.

Makes the run in FOLDER where there is none. Appends every text that it begins to speak to the file
SPOKEN, and says "ready" on its standard output before it touches FOLDER.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from pathlib import Path

from glmtts_core.batch.registry import batches_of
from glmtts_core.batch.store import HEADER_FILE
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


def main() -> None:
    """Carry the run on."""
    folder, count, TellingEngine.spoken_path = (
        Path(sys.argv[1]),
        int(sys.argv[2]),
        Path(sys.argv[3]),
    )
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    with tempfile.TemporaryDirectory() as scratch:
        settings = Settings(_env_file=None, device="cpu", output_dir=Path(scratch))
        studio = Studio(settings, TellingEngine)
        batches = batches_of(studio)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        if (folder / HEADER_FILE).exists():
            run = batches.open(folder)
        else:
            good = lines(*(f"line {number}" for number in range(count)))
            run = batches.create("in.jsonl", raw_of(good), batch_of(good), DEFAULTS, folder=folder)
        run.start()
        run.wait()
        studio.close()


if __name__ == "__main__":
    main()
