"""CPU that the memory monitor takes at 5 Hz: without a GPU, and with two stand-in ones.

    python -m benchmarks.monitor_cost [--seconds 30] [--runs 3]

Each run is a process of its own that does nothing but sample; from its CPU time that of an equal
process without a monitor is taken off. The stand-in driver (tests/nvml_stub.c) answers at once
but reads a file at every call; a real driver's own time comes on top of what is measured here.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.reporting import Figure, count, print_figures, print_machine
from glmtts_core.memory.allocator import allocator_for
from glmtts_core.memory.ledger import Ledger, LedgerKind
from glmtts_core.memory.monitor import MemoryMonitor
from glmtts_core.memory.nvml import Nvml
from glmtts_core.memory.probe import MemoryProbe
from tests.nvml import (
    GIB,
    StubDevice,
    StubProcess,
    build_nvml_stub,
    c_compiler,
    stub_environment,
    write_nvml_state,
)

RATE_HZ = 5.0
READINGS = 300
TARGET_PERCENT = "≤ 0.5"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="length of one run")
    parser.add_argument("--runs", type=count, default=3)
    parser.add_argument("--child", choices=["idle", "cpu", "cuda"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(*_measure(arguments.child, arguments.seconds))
        return
    print_machine("nvidia-ml-py", "psutil")
    print(f"{arguments.seconds:g} s a run at {RATE_HZ:g} Hz")
    with tempfile.TemporaryDirectory() as folder:
        places: dict[str, tuple[str, Mapping[str, str]]] = {"no driver": ("cpu", os.environ)}
        if c_compiler():
            places["two stand-in GPUs"] = ("cuda", _stub(Path(folder)))
        else:
            print("no C compiler: the stand-in GPUs are left out")
        print_figures(_figures(places, arguments.seconds, arguments.runs))


def _figures(
    places: Mapping[str, tuple[str, Mapping[str, str]]], seconds: float, runs: int
) -> list[Figure]:
    idle: list[float] = []
    shares: dict[str, list[float]] = {name: [] for name in places}
    readings: dict[str, list[float]] = {name: [] for name in places}
    for _ in range(runs):
        share, _ = _run("idle", os.environ, seconds)
        idle.append(share)
        for name, (kind, environment) in places.items():
            taken, reading_us = _run(kind, environment, seconds)
            shares[name].append(taken - share)
            readings[name].append(reading_us)
    figures = [Figure("the same process without a monitor", idle, "% of a core")]
    for name in places:
        figures.append(Figure(f"monitor, {name}", shares[name], "% of a core", TARGET_PERCENT))
        figures.append(Figure(f"one reading, {name}", readings[name], "us of CPU", "< 1000"))
    return figures


def _run(kind: str, environment: Mapping[str, str], seconds: float) -> tuple[float, float]:
    command = [sys.executable, "-m", __spec__.name if __spec__ else __name__]
    command += ["--child", kind, "--seconds", str(seconds)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    share, reading_us = map(float, ran.stdout.split())
    return share, reading_us


def _measure(kind: str, seconds: float) -> tuple[float, float]:
    """Return the percent of a core that the process takes, and microseconds for one reading."""
    device = "cuda:0" if kind == "cuda" else "cpu"
    ledger = Ledger()
    for session in range(20):
        ledger.record(LedgerKind.VOICE_CACHE, f"session {session}", "voice", 2**20)
    probe = MemoryProbe(Nvml(), allocator_for(device), ledger, device)
    monitor = MemoryMonitor(probe, rate_hz=RATE_HZ)
    probe.read()
    if kind != "idle":
        monitor.start()
    started_s, started_cpu_s = time.perf_counter(), time.process_time()
    threading.Event().wait(seconds)
    share = (time.process_time() - started_cpu_s) / (time.perf_counter() - started_s)
    monitor.stop()
    started_cpu_s = time.process_time()
    for _ in range(READINGS):
        probe.read()
    return 100 * share, 1e6 * (time.process_time() - started_cpu_s) / READINGS


def _stub(folder: Path) -> dict[str, str]:
    state = folder / "state.txt"
    ours = (StubProcess(GIB),)
    others = tuple(StubProcess(GIB // 8, pid) for pid in range(4_000_000, 4_000_008))
    write_nvml_state(state, [StubDevice(processes=ours + others), StubDevice(processes=others)])
    return stub_environment(build_nvml_stub(folder), state)


if __name__ == "__main__":
    main()
