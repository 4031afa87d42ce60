"""The sentence for each way in which the driver can refuse to answer."""

from __future__ import annotations

from typing import Final

from glmtts_core.memory.nvml_call import FUNCTION_NOT_FOUND, LIBRARY_NOT_FOUND, Refusal
from glmtts_core.message import Message

#: NVML's return codes (nvml.h, nvmlReturn_t) that get a sentence of their own.
_NOT_SUPPORTED: Final = 3
_LOST: Final = frozenset({15, 16, 28})  # GPU_IS_LOST, RESET_REQUIRED, GPU_NOT_FOUND
#: After these only a new connection can help: as above, UNINITIALIZED and UNKNOWN.
RECONNECT: Final = _LOST | {1, 999}
_DRIVER_KEYS: Final = {
    4: "memory.nvml.no_permission",
    9: "memory.nvml.no_driver",
    LIBRARY_NOT_FOUND: "memory.nvml.no_library",
    18: "memory.nvml.driver_mismatch",
}


def driver_message(refusal: Refusal) -> Message:
    """Return why the driver cannot be asked at all."""
    if refusal.code == FUNCTION_NOT_FOUND:
        details = {"function": refusal.function}
        if refusal.in_package:
            return Message("memory.nvml.package_too_old", details)
        return Message("memory.nvml.driver_too_old", details)
    key = _DRIVER_KEYS.get(refusal.code or 0)
    return Message(key) if key else Message("memory.nvml.failed", {"reason": refusal.reason})


def field_message(refusal: Refusal, field: str, index: int) -> Message:
    """Return why a field of one device is unknown: "memory", "name", "uuid" or "processes"."""
    if refusal.code in _LOST:
        return Message("memory.nvml.device_lost", {"index": index})
    if refusal.code == _NOT_SUPPORTED:
        return not_supported(field, index)
    if refusal.code == FUNCTION_NOT_FOUND:
        details = {"index": index, "function": refusal.function}
        if refusal.in_package:
            return Message("memory.nvml.package_lacks_function", details)
        return Message("memory.nvml.driver_lacks_function", details)
    return Message("memory.nvml.device_failed", {"index": index, "reason": refusal.reason})


def not_supported(field: str, index: int) -> Message:
    """Return that a device does not have ``field``."""
    return Message(f"memory.nvml.{field}_not_supported", {"index": index})
