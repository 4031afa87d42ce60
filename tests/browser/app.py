"""The real program as a child process, started as users start it, on a free port.

Knows nothing about browsers.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from glmtts_core.settings import PREFIX

ROOT: Final = Path(__file__).resolve().parents[2]
#: Seconds in which the program must answer; it takes two on an idle machine.
START_S: Final = 60.0
#: Seconds in which it must have ended after a SIGTERM; promised to users.
STOP_S: Final = 5.0


def wait_for(condition: Callable[[], object], bound_s: float, what: str) -> None:
    """Return as soon as ``condition`` holds; fail with ``what`` when it does not in time."""
    give_up_s = time.monotonic() + bound_s
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < give_up_s, f"{what}: not within {bound_s:.0f} s"
        pause.wait(0.05)


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RunningApp:
    """A started program; `stop` or `kill` it.

    Args:
        folder: where its outputs and its log go; two starts with one folder find each other's
            results.
        cache_dir: where the model file is.
        environment: what the program sees, without any ``GLMTTS_*`` of ours.
        port: None takes a free one.
        settings: further ``GLMTTS_*`` names with their values.
    """

    def __init__(
        self,
        folder: Path,
        cache_dir: Path,
        environment: Mapping[str, str] | None = None,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = folder / "app.log"
        inherited = os.environ if environment is None else environment
        clean = {name: value for name, value in inherited.items() if not name.startswith(PREFIX)}
        ours = {
            "GLMTTS_OUTPUT_DIR": str(folder / "outputs"),
            "GLMTTS_CACHE_DIR": str(cache_dir),
            "GLMTTS_LANGUAGE": "auto",
            # the start script takes the environment that runs the tests
            "GLMTTS_VENV": sys.prefix,
        }
        folder.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["bash", "start_app.sh", "--no-install", "--port", str(self.port)],
                cwd=ROOT,
                env={**clean, **ours, **(settings or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                # a process group of its own: nobody may be left in it at the end
                start_new_session=True,
            )
        wait_for(self._answers, START_S, "the app answers")

    @property
    def log(self) -> str:
        """What the program wrote on standard error."""
        return self._log.read_text(encoding="utf-8")

    @property
    def running(self) -> bool:
        """Whether the program has not ended."""
        return self._process.poll() is None

    def health(self) -> dict[str, Any]:
        """Return what ``GET /healthz`` answers."""
        with urllib.request.urlopen(f"{self.url}/healthz", timeout=10) as response:
            return json.loads(response.read())

    def wait_until_idle(self, bound_s: float = 60.0) -> None:
        """Wait until no job runs or waits."""
        wait_for(self._idle, bound_s, "the engine is idle")

    def stop(self, by: signal.Signals = signal.SIGTERM) -> None:
        """Ask the program to end; it must do so in time and leave nobody behind."""
        self._process.send_signal(by)
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running {STOP_S} s after {by.name}\n{self.log}") from None
        assert not self._group_lives(), f"{by.name} left a process behind"

    def kill(self) -> None:
        """End the program as a crash or the system's out-of-memory killer does."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Stop the program if it still runs."""
        if self.running:
            self.stop()

    def _answers(self) -> bool:
        assert self.running, f"the app ended at once:\n{self.log}"
        try:
            return self.health()["status"] == "ok"
        except (urllib.error.URLError, OSError):
            return False

    def _idle(self) -> bool:
        health = self.health()
        return health["engine"] in ("idle", "not_loaded") and not health["queued"]

    def _group_lives(self) -> bool:
        try:
            os.killpg(self._process.pid, 0)
        except ProcessLookupError:
            return False
        return True
