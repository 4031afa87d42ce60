"""What the C library is told about the heap."""

from __future__ import annotations

import subprocess
import sys

import pytest

from glmtts_core.memory.system import glibc

_HEAPS = """
import ctypes, threading
from glmtts_core.memory import system

def heaps():
    # malloc_info(3) writes a heap element for each arena
    libc = system.glibc()
    libc.fopen.restype = ctypes.c_void_p
    file = libc.fopen(b"/proc/self/fd/1", b"w")
    libc.malloc_info(0, ctypes.c_void_p(file))
    libc.fflush(ctypes.c_void_p(file))

assert system.limit_heap_arenas(2)
libc = system.glibc()
libc.malloc.restype = ctypes.c_void_p
gate = threading.Barrier(9)
threads = [
    threading.Thread(target=lambda: (libc.malloc(1000), gate.wait())) for _ in range(8)
]
for each in threads:
    each.start()
gate.wait()
heaps()
"""


@pytest.mark.process
@pytest.mark.skipif(glibc() is None, reason="without the GNU C library there is nothing to tell")
def test_many_threads_share_the_heaps_that_are_allowed():
    told = subprocess.run(
        [sys.executable, "-c", _HEAPS], capture_output=True, text=True, check=True, timeout=60
    )
    assert 1 <= told.stdout.count("<heap nr=") <= 2
