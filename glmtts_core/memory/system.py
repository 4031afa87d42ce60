"""Memory figures of our process and of the machine, and the call that returns free heap.

Knows nothing about GPUs.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache
from pathlib import Path
from typing import Final

import psutil

_STATM: Final = Path("/proc/self/statm")
_MEMINFO: Final = Path("/proc/meminfo")
_STATUS: Final = Path("/proc/self/status")
_CLEAR_REFS: Final = Path("/proc/self/clear_refs")
#: Written to clear_refs it sets the peak resident set back to the present one (proc(5)).
_RESET_PEAK: Final = "5"


def resident_set_bytes() -> int:
    """Return how much of our process lies in physical memory."""
    try:
        # a seventh of the time that psutil takes for the same number
        pages = int(_STATM.read_bytes().split()[1])
    except FileNotFoundError:
        return int(_own_process().memory_info().rss)
    return pages * _page_size()


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


def reset_peak_resident_set() -> bool:
    """Reset the kernel's peak of our resident set; return False where it has none."""
    try:
        _CLEAR_REFS.write_text(_RESET_PEAK, encoding="ascii")
    except OSError:
        return False
    return True


def peak_resident_set_bytes() -> int | None:
    """Return the highest resident set since `reset_peak_resident_set`; None where unknown."""
    try:
        lines = _STATUS.read_bytes().splitlines()
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


@cache
def _own_process() -> psutil.Process:
    return psutil.Process()
