"""What a resident set consists of, as reported by the kernel (Linux) and the C library (glibc).

The kernel tells of any process of ours, the C library only of the process that asks.

ONNX Runtime does not report the size of its arenas. They are in the anonymous part, and not in the
C heap's figures if they were mapped directly.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path

from glmtts_core.memory.system import glibc


@dataclass(frozen=True, slots=True)
class MappingKinds:
    """The resident set by kind of mapping (proc(5)).

    Anonymous and file mappings together are all of it, and so are private and shared ones.

    Attributes:
        anonymous_bytes: heap, stacks and arenas, which belong to no file.
        file_bytes: code, libraries and mapped files, shared memory among them.
        private_bytes: in no other process.
        shared_bytes: in other processes too.
        swapped_bytes: on the disk at the moment; not part of the resident set.
    """

    anonymous_bytes: int
    file_bytes: int
    private_bytes: int
    shared_bytes: int
    swapped_bytes: int


@dataclass(frozen=True, slots=True)
class HeapReading:
    """The C heap over all its arenas (mallinfo2(3)).

    Attributes:
        mapped_bytes: in blocks so large that each has a mapping of its own.
        used_bytes: in use inside the arenas.
        free_bytes: free inside the arenas; `malloc_trim` returns at most this.
    """

    mapped_bytes: int
    used_bytes: int
    free_bytes: int


def mapping_kinds(pid: int) -> MappingKinds | None:
    """Return a process's resident set by kind; None where the kernel does not report it."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return None
    pairs = (line.split(":") for line in lines)
    fields = {name: int(size.split()[0]) * 1024 for name, size in pairs}
    return MappingKinds(
        anonymous_bytes=fields["Anonymous"],
        file_bytes=fields["Rss"] - fields["Anonymous"],
        private_bytes=fields["Private_Clean"] + fields["Private_Dirty"],
        shared_bytes=fields["Shared_Clean"] + fields["Shared_Dirty"],
        swapped_bytes=fields["Swap"],
    )


class _Mallinfo2(ctypes.Structure):
    """``struct mallinfo2`` of glibc 2.33 and later, in its order."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    )


def heap() -> HeapReading | None:
    """Return the figures of this process's C heap; None without glibc 2.33 or later."""
    libc = glibc()
    if libc is None or not hasattr(libc, "mallinfo2"):
        return None
    libc.mallinfo2.restype = _Mallinfo2
    libc.mallinfo2.argtypes = ()
    info = libc.mallinfo2()
    return HeapReading(
        mapped_bytes=int(info.hblkhd), used_bytes=int(info.uordblks), free_bytes=int(info.fordblks)
    )
