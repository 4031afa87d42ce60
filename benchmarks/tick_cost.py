"""Server CPU of a tick of the sidebar, for 1, 5 and 20 sessions, with engine and PyTorch loaded.

Starts the real app and speaks the browser's own protocol to it, so that no browser takes part in
the measurement. Run with ``python -m benchmarks.tick_cost [--seconds S] [--runs N]``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.reporting import Figure, print_figures, print_machine

SESSIONS = (1, 5, 20)
_START_S = 120.0
#: Started in the child: the app with its engine loaded, as it is after a first synthesis.
_SERVER = """
import sys
import streamlit_app
from glmtts_core.session import new_session_id
from glmtts_core.studio import get_studio
job = get_studio().load(new_session_id())
job.wait()
if job.view().error is not None:
    sys.exit(str(job.view().error))
from streamlit.web.cli import main
sys.argv = ["streamlit", "run", "streamlit_app.py", "--server.port", sys.argv[1]]
main()
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    print_machine("streamlit", "plotly", "torch")
    with tempfile.TemporaryDirectory() as folder:
        server, port = _start(Path(folder))
        try:
            figures = [
                figure
                for sessions in SESSIONS
                for figure in _measure(server.pid, port, sessions, options.seconds, options.runs)
            ]
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
    print_figures(figures)


def _start(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "GLMTTS_OUTPUT_DIR": str(folder), "GLMTTS_DEVICE": "cpu"}
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER, str(port)],
        env=environment,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    give_up_s = time.monotonic() + _START_S
    while time.monotonic() < give_up_s:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).close()
        except OSError:
            if server.poll() is not None:
                raise SystemExit("the app did not start") from None
            time.sleep(0.2)
        else:
            return server, port
    server.kill()
    raise SystemExit("the app did not start in time")


def _measure(pid: int, port: int, sessions: int, seconds: float, runs: int) -> list[Figure]:
    """Return CPU a tick and ticks a second; the idle server's own use is taken off."""
    costs_ms, rates = [], []
    for _ in range(runs):
        idle_share = _cpu_during(pid, lambda: time.sleep(seconds / 2)) / (seconds / 2)
        ticks, cpu_s = asyncio.run(_tick(pid, port, sessions, seconds))
        costs_ms.append((cpu_s - idle_share * seconds) / ticks * 1000)
        rates.append(ticks / seconds / sessions)
    return [
        Figure(f"{sessions} sessions: CPU a tick and session", costs_ms, "ms", "<= 15"),
        Figure(f"{sessions} sessions: ticks a second and session", rates, "/s"),
    ]


def _cpu_during(pid: int, wait: object) -> float:
    before_s = _cpu_s(pid)
    wait()
    return _cpu_s(pid) - before_s


def _cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


async def _tick(pid: int, port: int, sessions: int, seconds: float) -> tuple[int, float]:
    """Keep ``sessions`` pages open and tick for ``seconds``; return ticks and CPU seconds."""
    pages = [_Page(port) for _ in range(sessions)]
    for page in pages:
        await page.open()
    # the first ticks still pay for the page's own drawing
    await asyncio.gather(*(page.tick(3.0) for page in pages))
    before_s = _cpu_s(pid)
    counts = await asyncio.gather(*(page.tick(seconds) for page in pages))
    cpu_s = _cpu_s(pid) - before_s
    for page in pages:
        await page.close()
    return sum(counts), cpu_s


class _Page:
    """One open page, as a browser keeps it."""

    def __init__(self, port: int) -> None:
        self._address = f"ws://127.0.0.1:{port}/_stcore/stream"
        self._fragment = ""
        self._interval_s = 0.0
        self._hash = ""
        self._query = ""

    async def open(self) -> None:
        self._socket = await websockets.connect(
            self._address, subprotocols=["streamlit"], max_size=None
        )
        await self._run(BackMsg())
        while not self._fragment:
            await self._read()
        await self._until_finished()

    async def tick(self, seconds: float) -> int:
        """Ask for the fragment every interval, as the browser does; return how many answered."""
        ticks, next_s = 0, time.monotonic()
        end_s = next_s + seconds
        while (next_s := next_s + self._interval_s) <= end_s:
            message = BackMsg()
            message.rerun_script.fragment_id = self._fragment
            message.rerun_script.is_auto_rerun = True
            await self._run(message)
            await self._until_finished()
            ticks += 1
            await asyncio.sleep(max(0.0, next_s - time.monotonic()))
        return ticks

    async def close(self) -> None:
        await self._socket.close()

    async def _run(self, message: BackMsg) -> None:
        message.rerun_script.query_string = self._query
        message.rerun_script.page_script_hash = self._hash
        message.rerun_script.page_name = "synthesis"
        await self._socket.send(message.SerializeToString())

    async def _read(self) -> ForwardMsg:
        message = ForwardMsg.FromString(await asyncio.wait_for(self._socket.recv(), 60))
        kind = message.WhichOneof("type")
        if kind == "auto_rerun" and not self._fragment:
            self._fragment = message.auto_rerun.fragment_id
            self._interval_s = message.auto_rerun.interval
        elif kind == "new_session":
            self._hash = message.new_session.page_script_hash
        elif kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        return message

    async def _until_finished(self) -> None:
        while (await self._read()).WhichOneof("type") != "script_finished":
            pass


if __name__ == "__main__":
    main()
