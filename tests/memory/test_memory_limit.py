"""A real limit, set in a process of its own: allocations beyond it fail, those within do not."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.process
_CHILD = """
import sys
from glmtts_core.memory.memory_limit import limit_memory

limit_memory("cpu", 64 * 2**20)
kept = bytearray(32 * 2**20)
try:
    bytearray(128 * 2**20)
except MemoryError:
    sys.exit(7)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limit is Linux's own")
def test_beyond_the_headroom_allocations_fail_and_within_they_do_not():
    assert subprocess.run([sys.executable, "-c", _CHILD], check=False).returncode == 7
