"""What our resident set is made of, as far as the kernel and the C library tell. Linux and glibc.

ONNX Runtime tells nobody how large its arenas are; they lie in the anonymous part, and beyond what
the C heap counts as used when they were mapped directly.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_ROLLUP: Final = Path("/proc/self/smaps_rollup")


@dataclass(frozen=True, slots=True)
class MappingKinds:
    """The resident set by kind of mapping (proc(5)); ``anonymous`` and ``file`` are all of it.

    Attributes:
        resident_bytes: all of it.
        anonymous_bytes: heap, stacks, arenas: what belongs to no file.
        file_bytes: code, libraries and mapped files, shared memory among them.
        private_bytes: in no other process.
        shared_bytes: in other processes too.
        swapped_bytes: ours, but on the disk at the moment; not part of the resident set.
    """

    resident_bytes: int
    anonymous_bytes: int
    file_bytes: int
    private_bytes: int
    shared_bytes: int
    swapped_bytes: int


@dataclass(frozen=True, slots=True)
class HeapReading:
    """The C heap over all its arenas (mallinfo2(3)).

    Attributes:
        arena_bytes: in arenas, used and free.
        mapped_bytes: in blocks so large that each has a mapping of its own.
        used_bytes: of the arenas, in use.
        free_bytes: of the arenas, free: what `malloc_trim` may hand back, at most.
    """

    arena_bytes: int
    mapped_bytes: int
    used_bytes: int
    free_bytes: int


def mapping_kinds(rollup: Path = _ROLLUP) -> MappingKinds | None:
    """Return the resident set by kind; None where the kernel does not tell."""
    try:
        lines = rollup.read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return None
    fields = {name: int(rest.split()[0]) * 1024 for name, _, rest in map(_split, lines)}
    return MappingKinds(
        resident_bytes=fields["Rss"],
        anonymous_bytes=fields["Anonymous"],
        file_bytes=fields["Rss"] - fields["Anonymous"],
        private_bytes=fields["Private_Clean"] + fields["Private_Dirty"],
        shared_bytes=fields["Shared_Clean"] + fields["Shared_Dirty"],
        swapped_bytes=fields["Swap"],
    )


def _split(line: str) -> tuple[str, str, str]:
    return line.partition(":")


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
    """Return the C heap's own figures; None where the C library is no glibc or an old one."""
    libc = _glibc()
    if libc is None:
        return None
    info = libc.mallinfo2()
    return HeapReading(
        arena_bytes=int(info.arena),
        mapped_bytes=int(info.hblkhd),
        used_bytes=int(info.uordblks),
        free_bytes=int(info.fordblks),
    )


@cache
def _glibc() -> ctypes.CDLL | None:
    try:
        libc = ctypes.CDLL("libc.so.6")
    except OSError:
        return None
    if not hasattr(libc, "mallinfo2"):
        return None
    libc.mallinfo2.restype = _Mallinfo2
    libc.mallinfo2.argtypes = ()
    return libc
