"""Memory figures of processes and of the machine, and the call that returns free heap.

Knows nothing about GPUs.
"""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

import psutil

_MEMINFO: Final = Path("/proc/meminfo")
#: M_ARENA_MAX of glibc's malloc.h.
_ARENA_MAX: Final = -8
#: Written to clear_refs it sets the peak resident set back to the present one (proc(5)).
_RESET_PEAK: Final = "5"


def resident_set_bytes(pid: int | None = None) -> int:
    """Return how much of a process lies in physical memory; 0 where it is gone.

    Args:
        pid: of the process; None for our own.
    """
    try:
        # a seventh of the time that psutil takes for the same number
        pages = int(_proc(pid, "statm").read_bytes().split()[1])
    except OSError:
        return _resident_by_psutil(pid)
    return pages * _page_size()


def proportional_set_bytes(pid: int | None = None) -> int | None:
    """Return a process's share of physical memory: shared pages count by their number of users.

    The kernel walks through all pages for it: 8 ms of CPU for 400 MiB.

    Returns:
        None where the system has no such figure, or the process is gone.
    """
    try:
        lines = _proc(pid, "smaps_rollup").read_bytes().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(b"Pss:")), None)


def host_memory() -> tuple[int, int]:
    """Return the machine's memory as (total, available) bytes."""
    try:
        fields = _MEMINFO.read_bytes().split(None, 9)
    except FileNotFoundError:
        fields = []
    # Linux begins with "MemTotal: n kB", "MemFree: n kB", "MemAvailable: n kB"
    if fields[6:7] == [b"MemAvailable:"]:
        return int(fields[1]) * 1024, int(fields[7]) * 1024
    memory = psutil.virtual_memory()
    return memory.total, memory.available


def reset_peak_resident_set(pid: int | None = None) -> bool:
    """Reset the kernel's peak of a process's resident set; return False where it has none.

    Args:
        pid: of the process; None for our own.
    """
    try:
        _proc(pid, "clear_refs").write_text(_RESET_PEAK, encoding="ascii")
    except OSError:
        return False
    return True


def peak_resident_set_bytes(pid: int | None = None) -> int | None:
    """Return the highest resident set since `reset_peak_resident_set`; None where unknown.

    Args:
        pid: of the process; None for our own.
    """
    try:
        lines = _proc(pid, "status").read_bytes().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith(b"VmHWM:"):
            return int(line.split()[1]) * 1024
    return None


def malloc_trim() -> bool:
    """Return the C heap's free pages to the system; return False without glibc."""
    libc = glibc()
    if libc is None or not hasattr(libc, "malloc_trim"):
        return False
    libc.malloc_trim(0)
    return True


def limit_heap_arenas(count: int) -> bool:
    """Have all threads share ``count`` heaps from now on; return False without glibc.

    For a process of many threads that allocate little: each heap keeps pages of its own. Not told
    to processes that this one starts, unlike ``MALLOC_ARENA_MAX``.
    """
    libc = glibc()
    return libc is not None and hasattr(libc, "mallopt") and bool(libc.mallopt(_ARENA_MAX, count))


@cache
def glibc() -> ctypes.CDLL | None:
    """Return the GNU C library; None where the system has none."""
    try:
        return ctypes.CDLL("libc.so.6")
    except OSError:
        return None


@cache
def _page_size() -> int:
    return os.sysconf("SC_PAGE_SIZE")


def _resident_by_psutil(pid: int | None) -> int:
    with suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0


def _proc(pid: int | None, name: str) -> Path:
    return Path("/proc", "self" if pid is None else str(pid), name)
