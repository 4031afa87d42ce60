"""Builds the stand-in NVML library and writes what its devices report.

For the memory tests, and for browser tests that start the whole program with a GPU to see.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

STUB_SOURCE: Final = Path(__file__).with_name("nvml_stub.c")
STATE_VARIABLE: Final = "NVML_STUB_STATE"
MARK_VARIABLE: Final = "NVML_STUB_MARK"
#: Functions that drivers before 2022 do not have.
V3_PROCESSES: Final = (
    "nvmlDeviceGetComputeRunningProcesses_v3",
    "nvmlDeviceGetGraphicsRunningProcesses_v3",
)
CUDA_MARK_VARIABLE: Final = "CUDA_STUB_MARK"
CUDA_STUB_SOURCE: Final = """
#include <stdio.h>
#include <stdlib.h>
__attribute__((constructor)) static void note_loading(void) {
    const char *path = getenv("CUDA_STUB_MARK");
    FILE *file = path ? fopen(path, "w") : 0;
    if (file) fclose(file);
}
"""
GIB: Final = 2**30

NOT_SUPPORTED: Final = 3
NO_PERMISSION: Final = 4
DRIVER_NOT_LOADED: Final = 9
GPU_IS_LOST: Final = 15
DRIVER_MISMATCH: Final = 18
UNKNOWN_ERROR: Final = 999


@dataclass(frozen=True, slots=True)
class StubProcess:
    """A process on a device; pid None is the process that asks, used None is not told."""

    used_bytes: int | None
    pid: int | None = None
    graphics: bool = False


@dataclass(frozen=True, slots=True)
class StubDevice:
    """A device; the codes are what NVML's calls return, 0 is success."""

    name: str = "NVIDIA Test 24G"
    total_bytes: int = 24 * GIB
    used_bytes: int = 6 * GIB
    handle_code: int = 0
    name_code: int = 0
    memory_code: int = 0
    process_code: int = 0
    processes: tuple[StubProcess, ...] = ()


def c_compiler() -> str | None:
    """Return the path of a C compiler, or None."""
    return next((path for name in ("cc", "gcc", "clang") if (path := shutil.which(name))), None)


def build_nvml_stub(
    folder: Path, missing: Sequence[str] = (), *, with_v2_processes: bool = False
) -> Path:
    """Compile the stub as ``folder``/libnvidia-ml.so.1 and return its path.

    Args:
        folder: where it goes.
        missing: functions that this driver does not have.
        with_v2_processes: whether it has the process lists of 2020.

    Raises:
        RuntimeError: there is no C compiler; ask `c_compiler` first.
    """
    compiler = c_compiler()
    if compiler is None:
        raise RuntimeError("no C compiler")
    library = folder / "libnvidia-ml.so.1"
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
    flags += [f"-D{function}=hidden_{function}" for function in missing]
    flags += ["-DWITH_V2_PROCESSES"] if with_v2_processes else []
    subprocess.run([compiler, *flags, "-o", str(library), str(STUB_SOURCE)], check=True)
    return library


def build_cuda_stub(folder: Path) -> Path:
    """Compile ``folder``/libcuda.so.1, which only leaves a mark when it is loaded."""
    compiler = c_compiler()
    if compiler is None:
        raise RuntimeError("no C compiler")
    library = folder / "libcuda.so.1"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-x", "c", "-o", str(library), "-"],
        input=CUDA_STUB_SOURCE,
        text=True,
        check=True,
    )
    return library


def write_nvml_state(
    path: Path, devices: Sequence[StubDevice] = (), init_code: int = 0, lying_devices: int = 0
) -> None:
    """Set what the stub reports from its next call on; replaces the file in one step."""
    lines = [f"init {init_code} {lying_devices}"]
    for index, device in enumerate(devices):
        codes = (device.handle_code, device.name_code, device.memory_code, device.process_code)
        figures = (index, *codes, device.total_bytes, device.used_bytes, device.name)
        lines.append("device " + " ".join(map(str, figures)))
        for process in device.processes:
            kind = "graphics" if process.graphics else "compute"
            used = -1 if process.used_bytes is None else process.used_bytes
            lines.append(f"process {index} {kind} {process.pid or 0} {used}")
    fresh = path.with_name(path.name + ".new")
    fresh.write_text("\n".join(lines) + "\n", encoding="utf-8")
    fresh.replace(path)


def stub_environment(library: Path, state: Path) -> dict[str, str]:
    """Return an environment in which a child process finds the stub and its state file."""
    path = os.environ.get("LD_LIBRARY_PATH")
    folders = [str(library.parent), *([path] if path else [])]
    return {
        **os.environ,
        "LD_LIBRARY_PATH": os.pathsep.join(folders),
        STATE_VARIABLE: str(state),
    }
