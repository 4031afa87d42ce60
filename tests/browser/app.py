"""The program as a child process on a free port: as users start it, or over the scripted engine.

Knows nothing about browsers.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Final

import psutil

from glmtts_core.settings import PREFIX
from tests.browser.scripted_app import HOLD_VARIABLE

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
    """Return a port of 127.0.0.1 on which nothing listens.

    It is none of those that the system gives to outgoing connections, and drawn at random: no test
    that runs beside this one takes it before the program does.
    """
    while True:
        port = random.SystemRandom().randrange(10_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


#: What an engine's own process runs.
_ENGINE: Final = "glmtts_core.engines.host.child"


class RunningApp:
    """The program as users start it; `stop` or `kill` it.

    Args:
        folder: where its outputs and its log go; two starts with one folder find each other's
            results.
        cache_dir: where the model file is.
        environment: what the program sees, without any ``GLMTTS_*`` of ours.
        port: None takes a free one.
        settings: further ``GLMTTS_*`` names with their values.
    """

    _COMMAND: ClassVar[tuple[str, ...]] = ("bash", "start_app.sh", "--no-install", "--port")

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
            "GLMTTS_THREADS": "1",
            # the start script takes the environment that runs the tests
            "GLMTTS_VENV": sys.prefix,
        }
        folder.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._COMMAND, str(self.port)],
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

    @property
    def engine_pids(self) -> list[int]:
        """The engines' own processes."""
        started = psutil.Process(self._process.pid).children(recursive=True)
        return [each.pid for each in started if _ENGINE in each.cmdline()]

    def health(self) -> dict[str, Any]:
        """Return what ``GET /healthz`` answers."""
        with urllib.request.urlopen(f"{self.url}/healthz", timeout=10) as response:
            return json.loads(response.read())

    @property
    def idle(self) -> bool:
        """Whether no job runs or waits."""
        health = self.health()
        return health["engine"] in ("idle", "not_loaded") and not health["queued"]

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

    def _group_lives(self) -> bool:
        try:
            os.killpg(self._process.pid, 0)
        except ProcessLookupError:
            return False
        return True


class ScriptedApp(RunningApp):
    """The same program over the scripted engine, which speaks at once or holds a text."""

    _COMMAND: ClassVar[tuple[str, ...]] = (
        sys.executable,
        "-m",
        "tests.browser.scripted_app",
        "127.0.0.1",
    )

    def __init__(
        self,
        folder: Path,
        cache_dir: Path,
        environment: Mapping[str, str] | None = None,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._hold = folder / "hold.txt"
        hold = {HOLD_VARIABLE: str(self._hold)}
        super().__init__(folder, cache_dir, environment, port, {**(settings or {}), **hold})

    @contextmanager
    def holding(self, words: str = "") -> Iterator[None]:
        """While inside, let no text with these words come to its end."""
        fresh = self._hold.with_suffix(".new")
        fresh.write_text(words, encoding="utf-8")
        fresh.replace(self._hold)
        try:
            yield
        finally:
            self._hold.unlink()
