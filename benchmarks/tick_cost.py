"""Server CPU of a tick of the sidebar, for 1, 5 and 20 sessions, with engine and PyTorch loaded.

    python -m benchmarks.tick_cost [--sessions 1 5 20] [--seconds 20] [--runs 3]

Starts the real app and speaks the browser's own protocol to it, so that no browser takes part in
the measurement.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.open_page import OpenPage, cpu_during, cpu_s_of, serve_app, start_server
from benchmarks.reporting import Figure, count, print_figures, print_machine

SESSIONS = (1, 5, 20)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=count, nargs="+", default=SESSIONS)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--runs", type=count, default=3)
    parser.add_argument("--serve", type=count, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        _serve(options.serve)
        return
    print_machine("streamlit", "plotly", "torch")
    with tempfile.TemporaryDirectory() as folder:
        server, port = _start(Path(folder))
        try:
            figures = [
                figure
                for sessions in options.sessions
                for figure in _measure(server.pid, port, sessions, options.seconds, options.runs)
            ]
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
    print_figures(figures)


def _start(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    environment = {**os.environ, "GLMTTS_OUTPUT_DIR": str(folder), "GLMTTS_DEVICE": "cpu"}
    return start_server("benchmarks.tick_cost", (), environment)


def _serve(port: int) -> None:
    """Serve the app with its engine loaded, as it is after a first synthesis."""
    from glmtts_core.sessions.session import new_session_id
    from glmtts_core.studio.shared import get_studio

    job = get_studio().load(new_session_id())
    job.wait()
    error = job.view().error
    if error is not None:
        raise SystemExit(str(error))
    serve_app(port)


def _measure(pid: int, port: int, sessions: int, seconds: float, runs: int) -> list[Figure]:
    """Return CPU a tick and ticks a second; the idle server's own use is taken off."""
    costs_ms, rates = [], []
    for _ in range(runs):
        idle_share = cpu_during(pid, lambda: time.sleep(seconds / 2)) / (seconds / 2)
        ticks, cpu_s = asyncio.run(_tick(pid, port, sessions, seconds))
        costs_ms.append((cpu_s - idle_share * seconds) / ticks * 1000)
        rates.append(ticks / seconds / sessions)
    return [
        Figure(f"{sessions} sessions: CPU a tick and session", costs_ms, "ms", "<= 15"),
        Figure(f"{sessions} sessions: ticks a second and session", rates, "/s"),
    ]


async def _tick(pid: int, port: int, sessions: int, seconds: float) -> tuple[int, float]:
    """Keep ``sessions`` pages open and tick for ``seconds``; return ticks and CPU seconds."""
    pages = [OpenPage(port, "synthesis") for _ in range(sessions)]
    for page in pages:
        await page.open()
    # the first ticks still pay for the page's own drawing
    await asyncio.gather(*(page.tick(3.0) for page in pages))
    before_s = cpu_s_of(pid)
    counts = await asyncio.gather(*(page.tick(seconds) for page in pages))
    cpu_s = cpu_s_of(pid) - before_s
    for page in pages:
        await page.close()
    return sum(counts), cpu_s


if __name__ == "__main__":
    main()
