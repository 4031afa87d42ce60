"""The app as a child process, and pages of it held open by its own protocol, without a browser."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence

import psutil
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.typing import Subprotocol

_START_S = 120.0


def start_server(
    module: str, arguments: Sequence[str], environment: Mapping[str, str]
) -> tuple[subprocess.Popen[bytes], int]:
    """Start ``module`` with ``--serve PORT``, which serves the app; return process and port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", module, "--serve", str(port), *arguments],
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


def serve_app(port: int) -> None:
    """Serve the app on the loopback address until the process is told to end."""
    from streamlit.web.cli import main

    sys.argv = ["streamlit", "run", "streamlit_app.py"]
    sys.argv += ["--server.address", "127.0.0.1", "--server.port", str(port)]
    main()


def cpu_during(pid: int, wait: Callable[[], object]) -> float:
    """Return the CPU seconds that a process takes while ``wait`` waits."""
    before_s = cpu_s_of(pid)
    wait()
    return cpu_s_of(pid) - before_s


def cpu_s_of(pid: int) -> float:
    """Return the CPU seconds that a process has taken so far."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


class OpenPage:
    """One open page, as a browser keeps it.

    Attributes:
        received_bytes: what the server has sent so far.
    """

    def __init__(self, port: int, name: str, query: str = "") -> None:
        self.received_bytes = 0
        self._address = f"ws://127.0.0.1:{port}/_stcore/stream"
        self._name = name
        self._fragments: list[tuple[str, float]] = []
        self._hash = ""
        self._query = query

    async def open(self, fragments: int = 1) -> None:
        """Open the page and wait until it is drawn, with so many fragments that tick."""
        self._socket = await websockets.connect(
            self._address, subprotocols=[Subprotocol("streamlit")], max_size=None
        )
        await self._run(BackMsg())
        while len(self._fragments) < fragments:
            await self._read()
        await self._until_finished()

    async def tick(self, seconds: float, fragment: int = 0) -> int:
        """Ask for a fragment every interval, as the browser does; return how many answered."""
        fragment_id, interval_s = self._fragments[fragment]
        ticks, next_s = 0, time.monotonic()
        end_s = next_s + seconds
        while (next_s := next_s + interval_s) <= end_s:
            message = BackMsg()
            message.rerun_script.fragment_id = fragment_id
            message.rerun_script.is_auto_rerun = True
            await self._run(message)
            await self._until_finished()
            ticks += 1
            await asyncio.sleep(max(0.0, next_s - time.monotonic()))
        return ticks

    async def close(self) -> None:
        """Close the page."""
        await self._socket.close()

    async def _run(self, message: BackMsg) -> None:
        message.rerun_script.query_string = self._query
        message.rerun_script.page_script_hash = self._hash
        message.rerun_script.page_name = self._name
        await self._socket.send(message.SerializeToString())

    async def _read(self) -> ForwardMsg:
        data = await asyncio.wait_for(self._socket.recv(), 60)
        self.received_bytes += len(data)
        message: ForwardMsg = ForwardMsg.FromString(data)
        kind = message.WhichOneof("type")
        if kind == "auto_rerun":
            told = (message.auto_rerun.fragment_id, message.auto_rerun.interval)
            if told not in self._fragments:
                self._fragments.append(told)
        elif kind == "new_session":
            self._hash = message.new_session.page_script_hash
        elif kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        return message

    async def _until_finished(self) -> None:
        while (await self._read()).WhichOneof("type") != "script_finished":
            pass
