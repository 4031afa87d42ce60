"""PyTorch's caching allocator, and its twin for machines without CUDA.

Never imports torch: before other code imports it, nothing is allocated.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from glmtts_core.memory.system import malloc_trim


@dataclass(frozen=True, slots=True)
class AllocatorReading:
    """The allocator's figures at one moment, in bytes; None on a device without such figures."""

    allocated_bytes: int | None
    reserved_bytes: int | None
    reclaimable_bytes: int | None


class TensorAllocator(Protocol):
    """A tensor allocator as the rest of the program uses it."""

    def read(self) -> AllocatorReading:
        """Return the three current figures, taken together."""

    def peak_allocated_bytes(self) -> int | None:
        """Highest `allocated_bytes` since `reset_peak`."""

    def device_uuid(self) -> str | None:
        """The device's UUID, None while it is not known."""

    def reset_peak(self) -> None:
        """Reset the peak."""

    def give_back(self) -> None:
        """Return unused memory to the driver and to the system."""


class CudaNamespace(Protocol):
    """The part of ``torch.cuda`` that is used here."""

    def is_initialized(self) -> bool:
        """Whether a CUDA context exists."""

    def memory_stats_as_nested_dict(self, device: int) -> Mapping[str, Any]:
        """The allocator's statistics."""

    def reset_peak_memory_stats(self, device: int) -> None:
        """Reset the peaks."""

    def get_device_properties(self, device: int) -> Any:
        """Name, UUID and more."""

    def device(self, device: int) -> AbstractContextManager[None]:
        """Make ``device`` the current one."""

    def synchronize(self, device: int) -> None:
        """Wait for the device."""

    def empty_cache(self) -> None:
        """Return segments without a live block to the driver."""

    def ipc_collect(self) -> None:
        """Close memory handles that other processes have released."""


class CudaAllocator:
    """torch's caching allocator on one CUDA device; never creates a CUDA context.

    Args:
        index: torch's number of the device.
        cuda: stands in for ``torch.cuda``.
    """

    def __init__(self, index: int, cuda: CudaNamespace | None = None) -> None:
        self._index = index
        self._given = cuda
        self._uuid: str | None = None

    def read(self) -> AllocatorReading:
        """Return the three current figures; all 0 before there is a CUDA context."""
        stats = self._stats()
        reserved = _figure(stats, "reserved_bytes")
        # A segment without a live block is a single free block: neither active nor the free rest
        # of a split one. Blocks that wait for another stream still count as active.
        free = reserved - _figure(stats, "active_bytes") - _figure(stats, "inactive_split_bytes")
        return AllocatorReading(_figure(stats, "allocated_bytes"), reserved, max(0, free))

    def peak_allocated_bytes(self) -> int | None:
        """Highest `allocated_bytes` since `reset_peak`."""
        return _figure(self._stats(), "allocated_bytes", "peak")

    def device_uuid(self) -> str | None:
        """The device's UUID as CUDA writes it, None before there is a CUDA context."""
        cuda = self._initialized()
        if self._uuid is None and cuda is not None:
            uuid = getattr(cuda.get_device_properties(self._index), "uuid", None)
            self._uuid = None if uuid is None else str(uuid)
        return self._uuid

    def reset_peak(self) -> None:
        """Reset the peak."""
        cuda = self._initialized()
        if cuda is not None:
            cuda.reset_peak_memory_stats(self._index)

    def give_back(self) -> None:
        """Return free segments to the driver, then free heap pages to the system.

        Call it after dropping the references: referenced memory stays.
        """
        cuda = self._initialized()
        if cuda is not None:
            with cuda.device(self._index):
                cuda.synchronize(self._index)
                cuda.empty_cache()
                cuda.ipc_collect()
        malloc_trim()

    def _initialized(self) -> CudaNamespace | None:
        cuda = self._given if self._given is not None else imported_cuda()
        return cuda if cuda is not None and cuda.is_initialized() else None

    def _stats(self) -> Mapping[str, Any]:
        cuda = self._initialized()
        return {} if cuda is None else cuda.memory_stats_as_nested_dict(self._index)


class HostAllocator:
    """The counterpart for the CPU: the C heap has no such figures."""

    def read(self) -> AllocatorReading:
        """Return unknown figures."""
        return AllocatorReading(None, None, None)

    def peak_allocated_bytes(self) -> int | None:
        """Not known on the CPU."""
        return None

    def device_uuid(self) -> str | None:
        """The CPU has none."""
        return None

    def reset_peak(self) -> None:
        """Do nothing."""

    def give_back(self) -> None:
        """Return free heap pages to the system."""
        malloc_trim()


def allocator_for(device: str) -> TensorAllocator:
    """Return the allocator of ``device``: "cpu", "cuda" or "cuda:N".

    Raises:
        ValueError: another kind of device.
    """
    kind, _, index = device.partition(":")
    if kind == "cuda":
        return CudaAllocator(int(index or 0))
    if kind == "cpu":
        return HostAllocator()
    raise ValueError(f"no allocator for device {device!r}")


def imported_cuda() -> CudaNamespace | None:
    """Return ``torch.cuda`` if torch is imported already; never imports it."""
    cuda: CudaNamespace | None = getattr(sys.modules.get("torch"), "cuda", None)
    # while another thread imports it, the module exists but is empty
    return cuda if hasattr(cuda, "is_initialized") else None


def _figure(stats: Mapping[str, Any], name: str, when: str = "current") -> int:
    return int(stats[name]["all"][when]) if name in stats else 0
