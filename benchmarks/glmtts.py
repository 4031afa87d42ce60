"""GLM-TTS against a plain float32 implementation: seconds by stage, bandwidth, memory.

    python -m benchmarks.glmtts --size full --random [--runs 3] [--precision | --int8]

Each arm runs in a process of its own, in turns. ``--precision`` instead compares the flow's mixed
precision with float32, ``--int8`` the language model's 8-bit integers with its default. Full size
takes about 9 GB.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any, Final

import torch

from benchmarks.glmtts_arms import (
    SIZES,
    SPEECH_S,
    int8_error,
    mixed_precision_error,
    run_baseline,
    run_int8,
    run_ours,
)
from benchmarks.glmtts_meters import Outcome, Stopwatch
from benchmarks.reporting import MIB, Figure, count, print_figures, print_machine
from glmtts_core.engines.glmtts.precision import (
    DEFAULT_PRECISIONS,
    bfloat16_instructions,
)

ARMS: Final = {"ours": run_ours, "baseline": run_baseline, "int8": run_int8}
STAGES: Final = ("load", "prompt", "language model", "flow", "vocoder")
#: Stages of a request whose voice is known.
REQUEST: Final = ("language model", "flow", "vocoder")
#: How many times as fast as the baseline each is to be, where the processor has bfloat16; and as
#: fast as without, where the language model is 8-bit integers.
TARGETS: Final = {
    "baseline": {"language model": 1.8, "request": 1.8},
    "ours": {"language model": 2.5},
}
#: The same for the flow beside the baseline, by the precision that ours computes in.
FLOW_TARGETS: Final = {"float32": 1.15, "mixed": 2.5}
#: What the whole is to stay under, GiB.
WHOLE_GIB: Final = 16
_GIB: Final = 1024 * MIB
_READ_BYTES: Final = 512 * MIB


def main() -> None:
    """Measure both arms in turns and print what they need."""
    options = _options()
    device = torch.device(options.device)
    if options.child:
        print(json.dumps(_child(options.child, options.size, device)))
        return
    if options.precision:
        _print_precision(options.size, device)
        return
    _print_device(device)
    slow, fast = ("ours", "int8") if options.int8 else ("baseline", "ours")
    rounds: dict[str, list[Outcome]] = {fast: [], slow: []}
    reads: list[float] = []
    for number in range(options.runs):
        reads.append(_in_child("read", options)["bytes_hz"])
        for arm in rounds:
            started_s = time.perf_counter()
            rounds[arm].append(Outcome(**_in_child(arm, options)))
            seconds = time.perf_counter() - started_s
            print(f"round {number + 1}, {arm}: {seconds:.0f} s", file=sys.stderr)
    print_rounds(rounds, reads, slow, fast, device)
    if options.int8:
        error = int8_error(SIZES[options.size], device)
        print("logits:", ", ".join(f"{name} {value:.4g}" for name, value in error.items()))


def print_rounds(
    rounds: dict[str, list[Outcome]],
    reads: list[float],
    slow: str,
    fast: str,
    device: torch.device,
) -> None:
    """Print both arms' figures and their ratios.

    Args:
        rounds: outcomes by arm.
        reads: bytes a second of plain reads of the machine.
        slow: the arm that is the measure.
        fast: the arm that is measured by it.
        device: where they computed.
    """
    for arm in rounds:
        print(f"\n{arm}")
        print_figures(_figures(rounds[arm], reads))
    _print_ratios(rounds, slow, fast, _targets(slow, device))
    _print_whole(rounds[fast], fast)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--size", choices=SIZES, default="tiny")
    parser.add_argument(
        "--random", action="store_true", required=True, help="weights at random: there is no other"
    )
    parser.add_argument("--runs", type=count, default=3)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", action="store_true", help="compare the flow's precisions")
    parser.add_argument("--int8", action="store_true", help="compare 8-bit integers, on the CPU")
    parser.add_argument("--child", choices=[*ARMS, "read"], help=argparse.SUPPRESS)
    return parser.parse_args()


def _in_child(task: str, options: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.glmtts", "--random", "--child", task]
    command += ["--size", options.size, "--device", options.device]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _child(task: str, size: str, device: torch.device) -> dict[str, Any]:
    if task == "read":
        return {"bytes_hz": _plain_read(device)}
    watch = Stopwatch(device)
    with watch.memory:
        ARMS[task](SIZES[size], watch)
    return asdict(watch.outcome)


def _plain_read(device: torch.device) -> float:
    """Return the bytes a second at which the device sums up a large vector, at best."""
    vector = torch.ones(_READ_BYTES // 4, device=device)
    best_s = float("inf")
    for _ in range(8):
        started_s = time.perf_counter()
        float(vector.sum())
        best_s = min(best_s, time.perf_counter() - started_s)
    return _READ_BYTES / best_s


def _print_device(device: torch.device) -> None:
    print_machine("torch")
    if device.type == "cuda":
        print(torch.cuda.get_device_name(device), end=", ")
    else:
        instructions = ", ".join(bfloat16_instructions()) or "none"
        print(f"{torch.backends.cpu.get_cpu_capability()}, bfloat16 instructions: {instructions}")
    dtype = str(DEFAULT_PRECISIONS.language_model_dtype(device)).removeprefix("torch.")
    flow = DEFAULT_PRECISIONS.flow_precision(device)
    print(f"ours: language model in {dtype}, flow in {flow} precision")


def _figures(outcomes: list[Outcome], reads: list[float]) -> list[Figure]:
    rows = [Figure(stage, [each.seconds[stage] for each in outcomes], "s") for stage in STAGES]
    rows += [
        Figure(f"{stage}, all threads", [each.processor_s[stage] for each in outcomes], "s")
        for stage in REQUEST
    ]
    request = [_request_s(each) for each in outcomes]
    return [
        *rows,
        Figure("request", request, "s"),
        Figure("real-time factor", [each / SPEECH_S for each in request], ""),
        Figure("speech tokens", [each.tokens_hz for each in outcomes], "/s"),
        Figure("weights read", [each.read_bytes_hz / 1e9 for each in outcomes], "GB/s"),
        Figure("plain read of the machine", [each / 1e9 for each in reads], "GB/s"),
        Figure("weights", [each.weights_bytes / MIB for each in outcomes], "MiB"),
        *(
            Figure(
                f"peak memory, {stage}",
                [each.stage_peak_bytes[stage] / MIB for each in outcomes],
                "MiB",
            )
            for stage in STAGES
        ),
        Figure("peak memory, the whole", [each.peak_bytes / MIB for each in outcomes], "MiB"),
    ]


def _request_s(outcome: Outcome) -> float:
    return sum(outcome.seconds[stage] for stage in REQUEST)


def _targets(slow: str, device: torch.device) -> dict[str, float]:
    targets: dict[str, float] = dict(TARGETS[slow])
    if slow == "baseline":
        targets["flow"] = FLOW_TARGETS[DEFAULT_PRECISIONS.flow_precision(device)]
    return targets


def _print_ratios(
    rounds: dict[str, list[Outcome]], slow: str, fast: str, targets: dict[str, float]
) -> None:
    print(f"\n{slow} / {fast}, medians")
    figures: dict[str, Callable[[Outcome], float]] = {
        **{stage: partial(_stage_s, stage) for stage in STAGES},
        **{f"{stage}, all threads": partial(_processor_s, stage) for stage in REQUEST},
        "request": _request_s,
    }
    for name, figure in figures.items():
        medians = {arm: statistics.median(map(figure, each)) for arm, each in rounds.items()}
        target = targets.get(name)
        words = f"   (target >= {target})" if target else ""
        print(f"{name:27} {medians[slow] / medians[fast]:6.2f}{words}")
    peaks = {arm: statistics.median(o.peak_bytes for o in each) for arm, each in rounds.items()}
    print(f"{fast} / {slow}, peak memory: {peaks[fast] / peaks[slow]:.2f} (target <= 0.6)")


def _print_whole(outcomes: list[Outcome], arm: str) -> None:
    largest = max(each.peak_bytes for each in outcomes) / _GIB
    verdict = "under" if largest < WHOLE_GIB else "NOT under"
    print(f"{arm}, the whole at its peak: {largest:.2f} GiB, {verdict} {WHOLE_GIB} GiB")


def _stage_s(stage: str, outcome: Outcome) -> float:
    return outcome.seconds[stage]


def _processor_s(stage: str, outcome: Outcome) -> float:
    return outcome.processor_s[stage]


def _print_precision(size: str, device: torch.device) -> None:
    _print_device(device)
    decibel, seconds = mixed_precision_error(SIZES[size], device)
    print(f"mel over the error of mixed precision: {decibel:.1f} dB (target >= 40)")
    for precision, taken_s in seconds.items():
        print(f"flow in {precision:8} {taken_s:8.2f} s")


if __name__ == "__main__":
    main()
