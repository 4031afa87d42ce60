"""What processes that were killed may leave behind: handles, threads, zombies, children, files."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import psutil

_SHARED_MEMORY: Final = Path("/dev/shm")
#: How often, and how many seconds apart, something that is just ending is looked at.
_LOOKS: Final = 200
_PAUSE_S: Final = 0.01


class Traces:
    """Compares this process with what it was when this was made.

    Attributes:
        zombies: the most children seen that had ended and were not waited for.
    """

    def __init__(self) -> None:
        self._handles, self._threads = _handles(), threading.active_count()
        self._files = _shared_files()
        self._killed: set[psutil.Process] = set()
        self._grandchildren: set[psutil.Process] = set()
        self.zombies = 0

    def before_kill(self, pid: int) -> None:
        """Note a process that is about to be killed, and its children."""
        try:
            process = psutil.Process(pid)
            self._killed.add(process)
            self._grandchildren.update(process.children(recursive=True))
        except psutil.NoSuchProcess:
            return

    def look_for_zombies(self) -> None:
        """Count the children that have ended and stay so for longer than a moment."""
        for _ in range(_LOOKS):
            found = sum(map(_is_zombie, psutil.Process().children(recursive=True)))
            if not found:
                return
            time.sleep(_PAUSE_S)
        self.zombies = max(self.zombies, found)

    def print(self) -> None:
        """Print what is left, a row a kind, after what is just ending has had a moment."""
        for _ in range(_LOOKS):
            if not any(self._left().values()):
                break
            time.sleep(_PAUSE_S)
        for name, number in {**self._left(), "zombies": self.zombies}.items():
            print(f"{name:32} {number}   (target 0)")

    def _left(self) -> dict[str, int]:
        return {
            "killed processes that are left": _running(self._killed),
            "their children that are left": _running(self._grandchildren),
            "handles more than before": max(0, _handles() - self._handles),
            "threads more than before": max(0, threading.active_count() - self._threads),
            "new files in shared memory": len(_shared_files() - self._files),
        }


def _running(processes: Iterable[psutil.Process]) -> int:
    return sum(each.is_running() and not _is_zombie(each) for each in processes)


def _is_zombie(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _handles() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names of handles, no files


def _shared_files() -> set[str]:
    if not _SHARED_MEMORY.is_dir():
        return set()
    return {each.name for each in _SHARED_MEMORY.iterdir()}
