"""How ONNX Runtime's arena memory is really given back, and what each way costs.

    python -m benchmarks.onnx_arena [--runs 3] [--lengths 20 40 ...] [--way stopped_run ...]

Each way runs in fresh child processes: runs of growing length, a cleanup, two more runs.
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import onnxruntime
import psutil

from benchmarks.reporting import MIB, Figure, count, print_figures, print_machine
from glmtts_core.engines.kokoro.model_file import japanese_voices_path, model_path
from glmtts_core.memory.system import malloc_trim
from glmtts_core.settings import load_settings

WAYS: Final = {
    "nothing": "the arena as it is, only malloc_trim",
    "stopped_run": "a shrinking run that is told to stop before its first node",
    "tiny_run": "a shrinking run over a single token",
    "every_run": "every run shrinks",
    "no_arena": "a session without arena",
    "no_arena_no_pattern": "a session without arena and memory pattern",
    "reopen": "the session is dropped, and opened by the next synthesis",
}
LENGTHS: Final = (20, 40, 60, 80, 100, 125, 150, 170)
NEXT_LENGTH: Final = 80
SHRINK: Final = ("memory.enable_memory_arena_shrinkage", "cpu:0")


@dataclass
class Outcome:
    """What one child process saw; sizes in MiB, times in seconds."""

    floor: float
    grown: float
    after: float
    speaking_s: float
    cleanup_s: float
    next_s: float
    second_next_s: float


class Child:
    """One process with one way."""

    def __init__(self, way: str, lengths: Sequence[int]) -> None:
        self._way, self._lengths = way, lengths
        with np.load(japanese_voices_path()) as voices:
            self._styles = voices["jf_alpha"]
        self._session: onnxruntime.InferenceSession | None = None

    def _open(self) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.enable_cpu_mem_arena = not self._way.startswith("no_arena")
        options.enable_mem_pattern = self._way != "no_arena_no_pattern"
        model = model_path(load_settings().cache_dir)
        return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

    def _run(self, length: int, *, shrink: bool = False, stop: bool = False) -> float:
        started_s = time.perf_counter()
        self._session = self._session or self._open()
        options = onnxruntime.RunOptions()
        if shrink:
            options.add_run_config_entry(*SHRINK)
        options.terminate = stop
        inputs: dict[str, Any] = {
            "tokens": np.resize(np.arange(43, 100), (1, length)).astype(np.int64),
            "style": self._styles[length - 1],
            "speed": np.ones(1, np.float32),
        }
        try:
            self._session.run(None, inputs, options)
        except onnxruntime.capi.onnxruntime_pybind11_state.Fail:
            if not stop:
                raise
        return time.perf_counter() - started_s

    def _clean(self) -> float:
        started_s = time.perf_counter()
        if self._way in ("stopped_run", "tiny_run"):
            self._run(1, shrink=True, stop=self._way == "stopped_run")
        elif self._way == "reopen":
            self._session = None
        gc.collect()
        malloc_trim()
        return time.perf_counter() - started_s

    def measure(self) -> Outcome:
        """Grow, clean, and go on."""
        every = self._way == "every_run"
        self._run(4, shrink=not self._way.startswith("no_arena"))
        gc.collect()
        malloc_trim()
        floor = resident_mib()
        speaking_s = sum(self._run(length, shrink=every) for length in self._lengths)
        grown = resident_mib()
        cleanup_s = self._clean()
        after = resident_mib()
        following_s = [
            self._run(min(NEXT_LENGTH, self._lengths[-1]), shrink=every) for _ in range(2)
        ]
        return Outcome(floor, grown, after, speaking_s, cleanup_s, *following_s)


def resident_mib() -> float:
    """Return this process's resident set."""
    return float(psutil.Process().memory_info().rss) / MIB


def in_child(way: str, lengths: Sequence[int]) -> Outcome:
    """Measure ``way`` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.onnx_arena", "--child", way]
    command += ["--lengths", *map(str, lengths)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return Outcome(**json.loads(done.stdout))


def main() -> None:
    """Measure every way asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=count, default=3)
    parser.add_argument("--lengths", type=count, nargs="+", default=LENGTHS, help="in tokens")
    parser.add_argument("--way", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--child", choices=WAYS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        print(json.dumps(asdict(Child(asked.child, asked.lengths).measure())))
        return
    print_machine("onnxruntime")
    # ways take turns, so that a busy minute of the machine does not fall on one of them
    rounds = [{way: in_child(way, asked.lengths) for way in asked.way} for _ in range(asked.runs)]
    for way in asked.way:
        print(f"\n{way}: {WAYS[way]}")
        print_figures(figures([each[way] for each in rounds]))


def figures(outcomes: list[Outcome]) -> list[Figure]:
    """Return the rows of one way."""
    back = [
        100 * (each.grown - each.after) / max(each.grown - each.floor, 1.0) for each in outcomes
    ]
    return [
        Figure("resident set after loading", [each.floor for each in outcomes], "MiB"),
        Figure("after these runs", [each.grown for each in outcomes], "MiB"),
        Figure("after the cleanup", [each.after for each in outcomes], "MiB"),
        Figure("growth given back", back, "%", ">= 85"),
        Figure("cleanup", [each.cleanup_s for each in outcomes], "s", "<= 0.3"),
        Figure("these runs", [each.speaking_s for each in outcomes], "s"),
        Figure("next run", [each.next_s for each in outcomes], "s"),
        Figure("the one after", [each.second_next_s for each in outcomes], "s"),
    ]


if __name__ == "__main__":
    main()
