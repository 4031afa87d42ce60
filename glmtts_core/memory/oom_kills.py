"""How often the kernel has ended a process because memory ran out."""

from __future__ import annotations

from pathlib import Path
from typing import Final

#: Of the machine (proc(5)), and of the control group that a container sees as its own.
_FILES: Final = (Path("/proc/vmstat"), Path("/sys/fs/cgroup/memory.events"))
_NAME: Final = "oom_kill"


def oom_kills(files: tuple[Path, ...] = _FILES) -> int | None:
    """Return how many processes the kernel has ended so far; None where it does not count."""
    found = [count for file in files if (count := _count(file)) is not None]
    return sum(found) if found else None


def _count(file: Path) -> int | None:
    try:
        lines = file.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    fields = (line.split() for line in lines)
    return next((int(field[1]) for field in fields if field[0] == _NAME), None)
