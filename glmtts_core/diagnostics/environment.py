"""What the program runs on, and a report of it that can be shown to strangers.

No private path, no token and no name of the machine or its user stands in the report.
"""

from __future__ import annotations

import os
import platform
import re
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
from glmtts_core.catalogue import Language, text
from glmtts_core.memory.nvml import DeviceReading
from glmtts_core.message import Message
from glmtts_core.settings import ENV_FILE, PREFIX, Settings
from glmtts_core.studio.studio import Studio

GIB: Final = 2**30
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
_POSIX_PATH: Final = re.compile(r"(?<![\w.~…:/])/(?:[^\s/:,;\"'()]+/)+([^\s/:,;\"'()]+)/?")
_WINDOWS_PATH: Final = re.compile(r"\b[A-Za-z]:\\(?:[^\s\\:,;\"'()]+\\)*([^\s\\:,;\"'()]+)")


class Origin(StrEnum):
    """Where a setting comes from."""

    ENVIRONMENT = "environment"
    ENV_FILE = "env_file"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class SettingInForce:
    """One setting as it stands; a secret's value is never in here."""

    name: str
    value: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Limits:
    """What the process may use; None where nothing limits it or nobody tells.

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
    """Everything that the report tells.

    Attributes:
        versions: of the program, Python and the packages; a package that is not installed is left
            out.
        system: name and release of the operating system, and the processor's kind.
        engine_device: where the engine computes.
        host_total_bytes: memory of the machine.
        driver: version of the NVIDIA driver; None without one.
        devices: the GPUs.
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
    limits: Limits
    settings: tuple[SettingInForce, ...]
    messages: tuple[Message, ...]


def environment(studio: Studio, env_file: Path = ENV_FILE) -> Environment:
    """Look around."""
    reading = studio.monitor.latest()
    driver, no_version = studio.driver_version, studio.driver_version_message
    return Environment(
        versions=_versions(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        engine_device=studio.engines.main_device,
        host_total_bytes=reading.host_total_bytes,
        driver=driver,
        devices=reading.devices,
        limits=limits(),
        settings=settings_in_force(studio.settings, env_file),
        messages=studio.memory_messages + (() if no_version is None else (no_version,)),
    )


def _versions() -> dict[str, str]:
    found = {"glm-tts-studio": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # the report names what is there
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
            origin = Origin.ENVIRONMENT
        elif name in filed:
            origin = Origin.ENV_FILE
        else:
            origin = Origin.DEFAULT
        found.append(SettingInForce(name, _shown(value), origin))
    return tuple(found)


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return "***"
    if isinstance(value, Path):
        return _masked_path(value)
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


# -- the report --------------------------------------------------------------------------------


def report(found: Environment, language: Language) -> str:
    """Return the environment as lines of text that can be copied into a bug report."""
    lines = [f"{name} {number}" for name, number in found.versions.items()]
    lines.append(found.system)
    lines.append(_line("environment.engine", language, device=found.engine_device))
    lines.append(_line("environment.host", language, size=_gib(found.host_total_bytes)))
    if found.driver is not None:
        lines.append(_line("environment.driver", language, version=found.driver))
    for device in found.devices:
        lines.append(
            _line(
                "environment.gpu",
                language,
                index=device.index,
                name=device.name or text("environment.unknown", language),
                total=_gib(device.total_bytes) if device.total_bytes else "?",
            )
        )
    lines += _limit_lines(found.limits, language)
    for setting in found.settings:
        origin = text(f"environment.origin.{setting.origin}", language)
        lines.append(f"{setting.name}={setting.value} ({origin})")
    lines += [message.text(language) for message in found.messages]
    return "\n".join(masked(line) for line in lines) + "\n"


def _limit_lines(found: Limits, language: Language) -> list[str]:
    known = {
        "environment.container": found.container_bytes and _gib(found.container_bytes),
        "environment.address_space": found.address_space_bytes and _gib(found.address_space_bytes),
        "environment.open_files": found.open_files,
        "environment.processors": found.processors,
    }
    return [_line(key, language, limit=value) for key, value in known.items() if value]


def _line(key: str, language: Language, /, **details: object) -> str:
    return text(key, language, **details)


def _gib(size_bytes: int) -> str:
    return f"{size_bytes / GIB:.1f} GiB"


def masked(words: str) -> str:
    """Return ``words`` with every absolute path shortened to its last name."""
    home = str(Path.home())
    if len(home) > 1:
        words = re.sub(re.escape(home) + r"(?=[/\\]|\b)", "~", words)
        words = re.sub(r"~[/\\](?:[^\s/\\:,;\"'()]+[/\\])*([^\s/\\:,;\"'()]+)", r"~/…/\1", words)
    words = _POSIX_PATH.sub(r"/…/\1", words)
    return _WINDOWS_PATH.sub(r"…\\\1", words)


def _masked_path(path: Path) -> str:
    """Return a folder as the report shows it; one that is relative tells nothing private."""
    if not path.is_absolute():
        return str(path)
    under_home = path.is_relative_to(Path.home())
    return f"{'~' if under_home else ''}/…/{path.name}"
