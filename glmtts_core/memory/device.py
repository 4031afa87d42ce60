"""Chooses the device; hides CUDA from PyTorch where it must not be used.

Knows nothing about PyTorch: whether it can use the device is found out when an engine loads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from glmtts_core.errors import SettingsError
from glmtts_core.memory.nvml import Nvml, NvmlReading, own_pid, torch_holds_context
from glmtts_core.memory.visible_devices import VARIABLE, visible_devices
from glmtts_core.message import Message

#: NVML's problems on a machine without a GPU.
_NO_GPU: Final = frozenset({"memory.nvml.no_library", "memory.nvml.no_gpu"})


@dataclass(frozen=True, slots=True)
class DeviceChoice:
    """Where GLM-TTS is to compute.

    Attributes:
        device: "cpu" or "cuda:N".
        message: why it is the CPU although there may be a GPU that was not ruled out on purpose;
            else None.
    """

    device: str
    message: Message | None = None


def nvml_for(
    wanted: str,
    pids: Callable[[], Collection[int]] = own_pid,
    holds_context: Callable[[], bool] = torch_holds_context,
) -> Nvml:
    """Return the driver for a ``GLMTTS_DEVICE``; it stays closed where only the CPU is wanted.

    Args:
        wanted: the setting.
        pids: returns the processes whose memory counts as ours.
        holds_context: returns whether one of them has a CUDA context.
    """
    return Nvml(off=wanted == "cpu", pids=pids, holds_context=holds_context)


def choose_device(wanted: str, nvml: Nvml) -> DeviceChoice:
    """Choose "cpu" or "cuda:N" for a ``GLMTTS_DEVICE`` of auto, cpu, cuda or cuda:N.

    Decided by NVML, so that PyTorch (seconds and hundreds of MB) is not imported for it. For the
    CPU, ``CUDA_VISIBLE_DEVICES`` is emptied: PyTorch then never opens a CUDA context.

    Raises:
        SettingsError: a GPU was asked for by name and there is none.
    """
    if wanted == "cpu":
        os.environ[VARIABLE] = ""
        return DeviceChoice("cpu")
    reading, setting = nvml.read(), os.environ.get(VARIABLE)
    visible = visible_devices(setting, [device.uuid for device in reading.devices])
    if wanted == "auto":
        if visible:
            return DeviceChoice("cuda:0")
        os.environ[VARIABLE] = ""
        return DeviceChoice("cpu", _why_none(reading, setting))
    index = int(wanted.partition(":")[2] or 0)
    if index >= len(visible):
        raise _not_there(wanted, reading, setting, len(visible))
    return DeviceChoice(f"cuda:{index}")


def _why_none(reading: NvmlReading, setting: str | None) -> Message | None:
    if reading.devices:
        return Message("glmtts.cpu_gpu_hidden", {"setting": setting or ""})
    if any(message.key in _NO_GPU for message in reading.messages):
        return None
    return Message("glmtts.cpu_no_answer")


def _not_there(
    wanted: str, reading: NvmlReading, setting: str | None, visible: int
) -> SettingsError:
    if not reading.devices:
        reasons = [message.text("en") for message in reading.messages]
        return SettingsError("studio.no_cuda", device=wanted, reason=" ".join(reasons))
    if setting is not None:
        return SettingsError("studio.gpu_hidden", device=wanted, setting=setting, count=visible)
    return SettingsError("studio.no_such_gpu", device=wanted, count=visible)
