"""Resident set over some syntheses of growing length, a cleanup, and one synthesis more.

Each run is a fresh process, because memory that a process once had is never quite forgotten.
Run with ``python -m benchmarks.growth [--runs N] [--texts 8] [--trace]``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.reporting import MIB, Figure, count, print_figures, print_machine

if TYPE_CHECKING:
    from glmtts_core.sessions.session import Session

#: A sentence of each language; the n-th text is n sentences long.
_SENTENCES = (
    "今天天气很好，我们一起去公园散步吧。",
    "The river was quiet, and the boats came home before the rain.",
)
_TEXTS = 8


def main() -> None:
    """Run the experiment in fresh processes and print what it showed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=count, default=5)
    parser.add_argument("--texts", type=count, default=_TEXTS, help="syntheses of a run")
    parser.add_argument("--trace", action="store_true", help="print every synthesis of the runs")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(_experiment(options.texts)))
        return
    print_machine("onnxruntime", "kokoro-onnx", "torch")
    runs = [_child(options.texts) for _ in range(options.runs)]
    if options.trace:
        for run in runs:
            print("resident set after each, MiB:", [round(each) for each in run["after_mib"]])
    print_figures(_figures(runs, options.texts))


def _child(texts: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.growth", "--child"]
    command += ["--texts", str(texts)]
    finished = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    return found


def _experiment(texts: int) -> dict[str, Any]:
    from glmtts_core.memory.cleanup import CleanupLevel
    from glmtts_core.memory.system import resident_set_bytes
    from glmtts_core.sessions.session import Session, new_session_id
    from glmtts_core.settings import Settings
    from glmtts_core.studio.studio import Studio

    with tempfile.TemporaryDirectory() as folder:
        studio = Studio(Settings(_env_file=None, device="cpu", output_dir=Path(folder)))
        session = Session(studio, new_session_id())
        studio.sessions.lease(session.id)
        studio.load(session.id).wait()
        loaded_bytes = resident_set_bytes()
        warm_s = _speak(session, 1)
        after_mib = []
        for length in range(1, texts + 1):
            _speak(session, length)
            after_mib.append(resident_set_bytes() / MIB)
        grown_bytes = resident_set_bytes()
        report = studio.cleanup(CleanupLevel.TRIM, session.id).wait(60)
        assert report is not None
        cleaned_bytes = resident_set_bytes()
        next_s = _speak(session, 1)
        studio.close()
    growth_bytes = grown_bytes - loaded_bytes
    return {
        "loaded_mib": loaded_bytes / MIB,
        "after_mib": after_mib,
        "growth_mib": growth_bytes / MIB,
        "promised_mib": report.promised.bytes / MIB,
        "regained_mib": report.regained_bytes / MIB,
        "ratio": report.regained_bytes / report.promised.bytes,
        "given_back": (grown_bytes - cleaned_bytes) / growth_bytes,
        "cleanup_s": report.seconds,
        "warm_s": warm_s,
        "next_s": next_s,
        "next_ratio": next_s / warm_s,
    }


def _speak(session: Session, sentences: int) -> float:
    from glmtts_core.speech import SynthesisRequest

    text = "".join(_SENTENCES[index % 2] for index in range(sentences))
    job = session.submit(SynthesisRequest(text=text, voice="jf_alpha"))
    job.wait()
    view = job.view()
    if view.error is not None:
        raise view.error
    assert view.record is not None
    return view.record.seconds


def _figures(runs: list[dict[str, Any]], texts: int) -> list[Figure]:
    def values(name: str) -> list[float]:
        return [run[name] for run in runs]

    return [
        Figure("resident set once loaded", values("loaded_mib"), "MiB"),
        Figure(f"growth over {texts} syntheses", values("growth_mib"), "MiB"),
        Figure("promised", values("promised_mib"), "MiB"),
        Figure("regained", values("regained_mib"), "MiB"),
        Figure("regained / promised", values("ratio"), "", "0.8 to 1.2"),
        Figure("share of the growth given back", values("given_back"), "", ">= 0.85"),
        Figure("cleanup", values("cleanup_s"), "s", "<= 0.3"),
        Figure("a short synthesis before", values("warm_s"), "s"),
        Figure("the same after the cleanup", values("next_s"), "s"),
        Figure("after / before", values("next_ratio"), ""),
    ]


if __name__ == "__main__":
    main()
