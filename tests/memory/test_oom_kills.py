"""How often the kernel has ended a process for want of memory."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from glmtts_core.memory.oom_kills import oom_kills

VMSTAT = "nr_free_pages 12\noom_kill 3\noom_kill_other 9\n"
CGROUP = "low 0\nmax 5\noom 2\noom_kill 4\noom_group_kill 0\n"


@pytest.mark.parametrize(
    ("vmstat", "cgroup", "count"),
    [
        (VMSTAT, CGROUP, 7),
        (VMSTAT, None, 3),
        (None, CGROUP, 4),
        (None, None, None),
        ("nr_free_pages 12\n", None, None),
        ("nr_free_pages 12\n", CGROUP, 4),
        ("", "", None),
        ("oom_kill 0\n", None, 0),
    ],
)
def test_all_counters_that_there_are_are_added(tmp_path, vmstat, cgroup, count):
    files = (tmp_path / "vmstat", tmp_path / "memory.events")
    for file, words in zip(files, (vmstat, cgroup), strict=True):
        if words is not None:
            file.write_text(words, "ascii")
    assert oom_kills(files) == count


def test_what_cannot_be_read_is_not_counted(tmp_path):
    assert oom_kills((tmp_path,)) is None


@pytest.mark.skipif(not Path("/proc/vmstat").exists(), reason="Linux tells")
def test_this_machine_tells():
    assert sys.platform == "linux"
    count = oom_kills()
    assert count is None or count >= 0
