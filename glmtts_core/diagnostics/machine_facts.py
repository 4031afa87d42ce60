"""The facts about the machine that the laboratory's figures depend on; stored with them."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

from glmtts_core.byte_units import GIB
from glmtts_core.diagnostics.environment import system_name
from glmtts_core.studio.studio import Studio

_PACKAGES = ("onnxruntime", "torch", "numpy", "kokoro-onnx")


def machine_facts(studio: Studio) -> dict[str, str]:
    """Return name and value of each fact; no path and no user name among them."""
    reading = studio.monitor.latest()
    facts = {
        "system": system_name(),
        "cores": str(os.cpu_count()),
        "threads": str(studio.settings.threads or "all"),
        "memory": f"{reading.host_total_bytes / GIB:.1f} GiB",
        "python": platform.python_version(),
    }
    facts |= {f"gpu {device.index}": device.name or "unknown" for device in reading.devices}
    return facts | {name: version(name) for name in _PACKAGES}
