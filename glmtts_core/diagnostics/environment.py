"""What the program runs on: versions, machine, limits and settings.

Contains no private path, no token and no name of the machine or its user.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import psutil
from dotenv import dotenv_values
from pydantic import SecretStr

from glmtts_core import __version__
from glmtts_core.diagnostics.masking import masked_path
from glmtts_core.memory.nvml import DeviceReading
from glmtts_core.memory.resident_sets import ProcessUse
from glmtts_core.message import Message
from glmtts_core.settings import ENV_FILE, PREFIX, Settings
from glmtts_core.studio.studio import Studio

#: What the report names beside Python and the system.
PACKAGES: Final = (
    "torch",
    "torchaudio",
    "transformers",
    "onnxruntime",
    "kokoro-onnx",
    "streamlit",
    "numpy",
    "scipy",
    "soxr",
    "soundfile",
    "nvidia-ml-py",
)
#: Files of the control groups, version 2 and 1, that limit a container's memory.
_CGROUP_FILES: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
#: Control groups of version 1 write a number near 2^63 where nothing is limited.
_NO_LIMIT_BYTES: Final = 2**60


class SettingOrigin(StrEnum):
    """Where a setting comes from."""

    ENVIRONMENT = "environment"
    ENV_FILE = "env_file"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class SettingInForce:
    """One setting and its value; a secret's value is replaced by ``***``."""

    name: str
    value: str
    origin: SettingOrigin


@dataclass(frozen=True, slots=True)
class Limits:
    """What the process may use; None if it is unlimited or the limit is unknown.

    Attributes:
        container_bytes: memory of the control group.
        address_space_bytes: the process's own limit (RLIMIT_AS).
        open_files: how many files it may hold open.
        processors: on how many it may run.
    """

    container_bytes: int | None
    address_space_bytes: int | None
    open_files: int | None
    processors: int | None


@dataclass(frozen=True, slots=True)
class Environment:
    """What the program runs on.

    Attributes:
        versions: of the program, Python and the packages; a package that is not installed is left
            out.
        system: name and release of the operating system, and the processor's kind.
        engine_device: where the engine computes.
        host_total_bytes: memory of the machine.
        driver: version of the NVIDIA driver; None without one.
        devices: the GPUs.
        engines: the engines' own processes.
        pages_bytes: memory of the process that serves the pages, where engines have their own.
        limits: what the process may use.
        settings: the settings in force.
        messages: why figures are unknown.
    """

    versions: Mapping[str, str]
    system: str
    engine_device: str
    host_total_bytes: int
    driver: str | None
    devices: tuple[DeviceReading, ...]
    engines: tuple[ProcessUse, ...]
    pages_bytes: int | None
    limits: Limits
    settings: tuple[SettingInForce, ...]
    messages: tuple[Message, ...]


def environment(studio: Studio, env_file: Path = ENV_FILE) -> Environment:
    """Return what the program runs on."""
    reading = studio.monitor.latest()
    driver, no_version = studio.driver_version, studio.driver_version_message
    return Environment(
        versions=_versions(),
        system=system_name(),
        engine_device=studio.engines.main_device,
        host_total_bytes=reading.host_total_bytes,
        driver=driver,
        devices=reading.devices,
        engines=reading.engines,
        pages_bytes=reading.pages_bytes,
        limits=limits(),
        settings=settings_in_force(studio.settings, env_file),
        messages=studio.memory_messages + (() if no_version is None else (no_version,)),
    )


def system_name() -> str:
    """Return the operating system, its release and the kind of processor."""
    return f"{platform.system()} {platform.release()} {platform.machine()}"


def _versions() -> dict[str, str]:
    found = {"glm-tts-studio": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # only installed packages are named
    return found


def settings_in_force(settings: Settings, env_file: Path) -> tuple[SettingInForce, ...]:
    """Return every setting with its value and where it comes from.

    Args:
        settings: as they are in force.
        env_file: the file that was read beside the environment.
    """
    given = {name.upper() for name, value in os.environ.items() if value}
    in_file = dotenv_values(env_file) if env_file.is_file() else {}
    filed = {name.upper() for name, value in in_file.items() if value}
    found = []
    for field in type(settings).model_fields:
        name = PREFIX + field.upper()
        value = getattr(settings, field)
        if name in given:
            origin = SettingOrigin.ENVIRONMENT
        elif name in filed:
            origin = SettingOrigin.ENV_FILE
        else:
            origin = SettingOrigin.DEFAULT
        found.append(SettingInForce(name, _shown(value), origin))
    return tuple(found)


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return "***"
    if isinstance(value, Path):
        return masked_path(value)
    return "" if value is None else str(value)


def limits() -> Limits:
    """Return what limits the process."""
    process = psutil.Process()
    address_space = open_files = None
    if hasattr(process, "rlimit"):
        address_space = _limited(process.rlimit(psutil.RLIMIT_AS)[0])
        open_files = _limited(process.rlimit(psutil.RLIMIT_NOFILE)[0])
    allowed = process.cpu_affinity() if hasattr(process, "cpu_affinity") else None
    return Limits(
        container_bytes=_container_bytes(),
        address_space_bytes=address_space,
        open_files=open_files,
        processors=len(allowed) if allowed else os.cpu_count(),
    )


def _limited(value: int) -> int | None:
    return value if 0 <= value < _NO_LIMIT_BYTES else None


def _container_bytes() -> int | None:
    for path in _CGROUP_FILES:
        try:
            words = path.read_text(encoding="ascii").strip()
        except OSError:
            continue  # the other version of control groups, or none
        return _limited(int(words)) if words.isdecimal() else None
    return None
