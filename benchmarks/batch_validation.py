"""How long 100,000 lines take to be read and checked, and what memory they hold.

    python -m benchmarks.batch_validation [--lines 100000] [--runs 3]

Each run is a process of its own: reading, then the dry run against the built-in voice's
capabilities, one line in ten broken in one of several ways.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.reporting import MIB, Figure, count, print_figures, print_machine
from glmtts_core.batch_draft.dry_run import dry_run
from glmtts_core.batch_files.lines import RunDefaults
from glmtts_core.batch_files.references import ReferenceFolder
from glmtts_core.batch_files.rows import read_batch
from glmtts_core.engines.kokoro.engine import KokoroEngine
from glmtts_core.memory.ledger import Ledger
from glmtts_core.settings import Settings

TEXT = "我最爱吃人参果，你喜欢吃吗？今天天气很好，我们一起去公园散步吧。"
BROKEN = (
    '{"text": "not closed',
    '{"text": "a", "sampel_rate": 1}',
    '{"text": "a", "speed": 99}',
    '{"text": "a", "voice": "nobody"}',
    '{"text": "a", "prompt_speech": "nobody.wav"}',
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=count, default=100_000)
    parser.add_argument("--runs", type=count, default=3)
    parser.add_argument("--child", choices=["jsonl", "csv"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(*_measure(arguments.child, arguments.lines))
        return
    print_machine("pydantic")
    print(f"{arguments.lines} lines, one in ten broken")
    figures = []
    for kind in ("jsonl", "csv"):
        runs = [_run(kind, arguments.lines) for _ in range(arguments.runs)]
        reading, checking, held = zip(*runs, strict=True)
        whole = [first + second for first, second in zip(reading, checking, strict=True)]
        figures += [
            Figure(f"{kind}: reading", reading, "s"),
            Figure(f"{kind}: dry run", checking, "s"),
            Figure(f"{kind}: both", whole, "s", "< 10"),
            Figure(f"{kind}: memory held", held, "MiB"),
        ]
    print_figures(figures)


def _run(kind: str, lines: int) -> tuple[float, float, float]:
    command = [sys.executable, "-m", __spec__.name if __spec__ else __name__]
    command += ["--child", kind, "--lines", str(lines)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    reading_s, checking_s, held_mib = map(float, ran.stdout.split())
    return reading_s, checking_s, held_mib


def _measure(kind: str, count: int) -> tuple[float, float, float]:
    """Return seconds for reading and for checking, and MiB that the checked lines hold."""
    settings = Settings(_env_file=None, device="cpu")
    capabilities = KokoroEngine(settings, Ledger()).capabilities
    defaults = RunDefaults(voice=capabilities.voices[0].id)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"lines.{kind}"
        path.write_text("\n".join(_lines(kind, count)), encoding="utf-8")
        before_bytes = psutil.Process().memory_info().rss
        started_s = time.perf_counter()
        with path.open("rb") as file:
            batch = read_batch(file, path.name)
        read_s = time.perf_counter()
        result = dry_run(batch, defaults, ReferenceFolder(Path(folder)), capabilities, settings)
        checked_s = time.perf_counter()
        held_bytes = psutil.Process().memory_info().rss - before_bytes
    assert len(result.lines) + len(result.problems) == batch.total == count
    assert len(result.problems) == len(range(9, count, 10))
    return read_s - started_s, checked_s - read_s, held_bytes / MIB


def _lines(kind: str, count: int) -> list[str]:
    if kind == "csv":
        rows = [f"utt_{number:06d},{TEXT}{number},1.0" for number in range(count)]
        rows[9::10] = [f"{row},surplus" for row in rows[9::10]]
        return ["uttid,text,speed", *rows]
    return [
        BROKEN[number // 10 % len(BROKEN)]
        if number % 10 == 9
        else json.dumps({"uttid": f"utt_{number:06d}", "syn_text": f"{TEXT}{number}"})
        for number in range(count)
    ]


if __name__ == "__main__":
    main()
