"""Looks into PyTorch's CUDA allocator in this process, and records the history of its calls.

torch is never imported here: until something else has imported it, there is nothing to show.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from glmtts_core.memory.allocator import imported_cuda
from glmtts_core.memory.allocator_picture import AllocatorPicture, picture_of

#: Calls that the recorded history keeps; some hundred bytes each, and a few thousand a synthesis.
HISTORY_ENTRIES: Final = 100_000


class CudaMemory(Protocol):
    """The part of ``torch.cuda.memory`` that is used here; two of its names begin with ``_``."""

    def memory_snapshot(self) -> Sequence[Mapping[str, Any]]:
        """Every segment of every device."""

    def _snapshot(self) -> Mapping[str, Any]:
        """Segments, settings and the recorded history."""

    def _record_memory_history(self, enabled: str | None, *, max_entries: int) -> None:
        """Record from now on, or stop with None."""


class AllocatorInspector:
    """Looks into torch's allocator on one device; never creates a CUDA context.

    The CPU has no such allocator: its tensors come from the C heap (`process_memory.heap`).

    Args:
        device: "cpu", "cuda" or "cuda:N".
        memory: stands in for ``torch.cuda.memory``.
    """

    def __init__(self, device: str, memory: CudaMemory | None = None) -> None:
        kind, _, index = device.partition(":")
        self._on_cuda = kind == "cuda"
        self._index = int(index or 0)
        self._given = memory

    def picture(self) -> AllocatorPicture | None:
        """Return segments and blocks; None without a CUDA context."""
        memory = self._memory()
        return None if memory is None else picture_of(memory.memory_snapshot(), self._index)

    def full_snapshot(self) -> bytes | None:
        """Return the pickle that PyTorch's viewer (pytorch.org/memory_viz) opens; None likewise."""
        memory = self._memory()
        return None if memory is None else pickle.dumps(memory._snapshot())

    def record_history(self, *, on: bool) -> bool:
        """Start or stop recording the allocator's calls; False without a CUDA context."""
        memory = self._memory()
        if memory is None:
            return False
        memory._record_memory_history("all" if on else None, max_entries=HISTORY_ENTRIES)
        return True

    def _memory(self) -> CudaMemory | None:
        if self._given is not None:
            return self._given
        cuda = imported_cuda() if self._on_cuda else None
        if cuda is None or not cuda.is_initialized():
            return None
        memory: CudaMemory = cuda.memory  # type: ignore[attr-defined]
        return memory
