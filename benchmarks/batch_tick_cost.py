"""Server CPU of a tick of the batch page, and what it sends, while a run of many lines goes on.

    python -m benchmarks.batch_tick_cost [--lines 100 10000] [--seconds 20] [--runs 3]

Starts the real app with the tests' scripted engine, which speaks some hundred lines and then holds
one, so that nothing but the page works while it is measured; some of the lines have failed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import tempfile
import time
from pathlib import Path

from benchmarks.open_page import OpenPage, cpu_during, cpu_s_of, serve_app, start_server
from benchmarks.reporting import Figure, count, print_figures, print_machine

SPOKEN = 50
#: The sidebar ticks first, then the run.
RUN_FRAGMENT = 1


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--lines", type=_lines, nargs="+", default=[100, 10_000], help=f"more than {SPOKEN}"
    )
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--runs", type=count, default=3)
    parser.add_argument("--serve", type=count, help=argparse.SUPPRESS)
    parser.add_argument("--run-file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        _serve(options.serve, options.lines[0], options.run_file)
        return
    print_machine("streamlit", "pandas", "pyarrow")
    figures: list[Figure] = []
    for lines in options.lines:
        with tempfile.TemporaryDirectory() as folder:
            figures += _measure(Path(folder), lines, options.seconds, options.runs)
    print_figures(figures)


def _lines(words: str) -> int:
    lines = count(words)
    if lines <= SPOKEN:
        raise argparse.ArgumentTypeError(f"{lines} is too few: it takes more than {SPOKEN}")
    return lines


def _serve(port: int, lines: int, run_file: Path) -> None:
    """Serve the app with a run of so many lines under way, whose id is written to ``run_file``."""
    from glmtts_core.batch.registry import batches_of
    from glmtts_core.batch_files.lines import RunDefaults
    from glmtts_core.batch_files.rows import read_batch
    from glmtts_core.errors import EngineError
    from glmtts_core.settings import load_settings
    from glmtts_core.studio.shared import use_studio
    from glmtts_core.studio.studio import Studio
    from tests.scripted_engine import ScriptedEngine
    from tests.waiting import wait_until

    text = "".join(
        json.dumps({"text": f"Line {number}, of a length as lines usually have it."}) + "\n"
        for number in range(lines)
    ).encode()
    studio = Studio(load_settings(), ScriptedEngine)
    with use_studio(studio):
        run = batches_of(studio).create(
            "b.jsonl", text, read_batch(text), RunDefaults(voice="alpha")
        )
        engine = studio.engine
        assert isinstance(engine, ScriptedEngine)
        engine.fail_with = lambda: EngineError("kokoro.run_failed", reason="scripted")
        run.start()
        wait_until(lambda: run.view().counts.tried >= SPOKEN // 10)
        engine.fail_with = None
        wait_until(lambda: run.view().counts.tried >= SPOKEN)
        engine.gate.clear()
        run_file.write_text(run.id)
        serve_app(port)


def _measure(folder: Path, lines: int, seconds: float, runs: int) -> list[Figure]:
    run_file = folder / "run"
    environment = {
        **os.environ,
        "GLMTTS_OUTPUT_DIR": str(folder / "outputs"),
        "GLMTTS_DEVICE": "cpu",
    }
    arguments = ("--lines", str(lines), "--run-file", str(run_file))
    server, port = start_server("benchmarks.batch_tick_cost", arguments, environment)
    try:
        run_id = run_file.read_text()
        costs_ms: list[float] = []
        sizes_kb: list[float] = []
        for _ in range(runs):
            idle_s = cpu_during(server.pid, lambda: time.sleep(seconds / 2)) / (seconds / 2)
            ticks, cpu_s, received = asyncio.run(_tick(server.pid, port, run_id, seconds))
            costs_ms.append((cpu_s - idle_s * seconds) / ticks * 1000)
            sizes_kb.append(received / ticks / 1000)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
    return [
        Figure(f"{lines} lines: CPU a tick", costs_ms, "ms", "<= 30"),
        Figure(f"{lines} lines: sent a tick", sizes_kb, "kB"),
    ]


async def _tick(pid: int, port: int, run_id: str, seconds: float) -> tuple[int, float, int]:
    """Tick the run's part of the page; return ticks, CPU seconds and bytes received."""
    page = OpenPage(port, "batch", f"run={run_id}")
    await page.open(fragments=RUN_FRAGMENT + 1)
    # the first ticks still pay for the page's own drawing
    await page.tick(3.0, RUN_FRAGMENT)
    before_s, before_bytes = cpu_s_of(pid), page.received_bytes
    ticks = await page.tick(seconds, RUN_FRAGMENT)
    cpu_s, received = cpu_s_of(pid) - before_s, page.received_bytes - before_bytes
    await page.close()
    return ticks, cpu_s, received


if __name__ == "__main__":
    main()
