"""The report for a bug: machine, versions, golden differences, and how fast a rehearsal speaks.

Always in English, and without names of folders or users, because it is attached to public bug
reports.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import torch

from glmtts_core.byte_units import GIB, MIB
from glmtts_core.engines.base import CancelToken, Progress, SpokenAudio
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.engines.glmtts.engine import GlmTtsEngine
from glmtts_core.engines.glmtts.parity import GoldenCheck, golden_checks
from glmtts_core.engines.glmtts.precision import Precisions, bfloat16_instructions
from glmtts_core.engines.glmtts.rehearsal import OFFICIAL_SIZE, RehearsalNetworks, RehearsalSize
from glmtts_core.errors import GLMTTSError
from glmtts_core.memory.ledger import Ledger
from glmtts_core.memory.system import (
    host_memory,
    peak_resident_set_bytes,
    reset_peak_resident_set,
    resident_set_bytes,
)
from glmtts_core.settings import Settings
from glmtts_core.speech import SynthesisRequest

_OWNER: Final = "parity"
_PACKAGES: Final = ("torchaudio", "transformers", "safetensors", "onnxruntime", "wetext")
#: One short sentence: about four seconds of speech.
_TEXT: Final = "今天天气很好，我们去散步吧。"


@dataclass(frozen=True, slots=True)
class ParityReport:
    """The whole report.

    Attributes:
        lines: as they are shown.
        passed: whether every comparison was within its limit and the rehearsal spoke.
    """

    lines: tuple[str, ...]
    passed: bool


class _Alone:
    """The control of a job that only reports progress."""

    def __init__(self, on_progress: Callable[[Progress], None]) -> None:
        self.cancel = CancelToken()
        self.report = on_progress

    def safe_point(self) -> None:
        self.cancel.raise_if_cancelled()


def parity_report(
    settings: Settings,
    device: str,
    *,
    rehearse: bool = True,
    size: RehearsalSize = OFFICIAL_SIZE,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> ParityReport:
    """Compare with the golden vectors, speak a rehearsal, and return the report.

    Args:
        settings: threads and precisions.
        device: "cpu" or "cuda:N".
        rehearse: whether to run the official size, with random weights.
        size: of the rehearsal, official unless a test wants it tiny.
        on_progress: receives the progress of the rehearsal.
    """
    where = torch.device(device)
    if settings.threads:
        torch.set_num_threads(settings.threads)
    checks = list(golden_checks(where))
    machine = _machine(where, Precisions.of(settings))
    lines = ["# GLM-TTS Studio: parity report", "", "## Machine", *machine]
    lines += ["", "## Golden vectors", *(_line(check) for check in checks)]
    passed = all(check.passed for check in checks)
    lines.append(f"all {len(checks)} passed" if passed else "SOME FAILED")
    if rehearse:
        lines += ["", "## Rehearsal (official size, random weights)"]
        try:
            lines += _rehearsal(settings, where, size, on_progress)
        except GLMTTSError as error:
            # the results before it must not be lost
            lines.append(f"FAILED  {error}")
            passed = False
    return ParityReport(tuple(lines), passed)


def _machine(device: torch.device, precisions: Precisions) -> Iterator[str]:
    total, available = host_memory()
    yield f"system      {platform.system()} {platform.release()} {platform.machine()}"
    yield f"processor   {_processor()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads"
    instructions = ", ".join(bfloat16_instructions()) or "none"
    yield f"            {torch.backends.cpu.get_cpu_capability()}, bfloat16: {instructions}"
    yield f"memory      {total / GIB:.1f} GiB, {available / GIB:.1f} GiB free"
    yield f"python      {platform.python_version()}"
    packages = (f"{name} {_version(name)}" for name in _PACKAGES)
    yield f"packages    torch {torch.__version__}, {', '.join(packages)}"
    yield f"device      {_device_name(device)}"
    dtype = str(precisions.language_model_dtype(device)).removeprefix("torch.")
    yield f"precision   language model {dtype}, flow {precisions.flow_precision(device)}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or "unknown")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _device_name(device: torch.device) -> str:
    if device.type != "cuda":
        return str(device)
    found = torch.cuda.get_device_properties(device)
    cudnn = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    return (
        f"{found.name}, {found.total_memory / GIB:.1f} GiB, "
        f"compute capability {found.major}.{found.minor}, "
        f"CUDA {torch.version.cuda}, cuDNN {cudnn}"
    )


def _line(check: GoldenCheck) -> str:
    if check.error:
        return f"FAILED  {check.name:38} {check.error}"
    value = f"{check.value:.2g} {check.unit}".strip()
    limit = f"{'at least' if check.at_least else 'at most'} {check.limit:g}"
    return f"{'ok' if check.passed else 'FAILED':7} {check.name:38} {value:18} ({limit})"


def _rehearsal(
    settings: Settings,
    device: torch.device,
    size: RehearsalSize,
    on_progress: Callable[[Progress], None],
) -> Iterator[str]:
    ledger = Ledger()
    networks = RehearsalNetworks(size, Precisions.of(settings))
    engine = GlmTtsEngine(settings, ledger, str(device), networks)
    _start_peak(device)
    started_s = time.perf_counter()
    engine.load(_Alone(on_progress))
    loaded_s = time.perf_counter() - started_s
    caches = SessionCaches(_OWNER, ledger)
    voice = engine.capabilities.voices[0].id
    request = SynthesisRequest(text=_TEXT, voice=voice, seed=0)
    # the first one brings in what is loaded on demand; the second shows the speed of later ones
    for number in ("first", "next"):
        started_s = time.perf_counter()
        audio = engine.synthesize(request, caches, _Alone(on_progress))
        yield from _speed(number, audio, time.perf_counter() - started_s)
    yield f"loading     {loaded_s:.1f} s"
    for entry in ledger.snapshot().entries:
        yield f"held        {entry.size_bytes / MIB:8.1f} MiB  {entry.kind}: {_plain(entry.name)}"
    yield _peak(device)
    for message in engine.messages:
        yield f"problem     {message.text('en')}"


def _plain(name: str) -> str:
    """Shorten a cache's key, which is a hash."""
    return name if len(name) < 24 else f"{name[:8]}..."


def _speed(name: str, audio: SpokenAudio, seconds: float) -> Iterator[str]:
    factor = seconds / audio.duration_s
    yield f"{name:11} {audio.duration_s:.2f} s of sound in {seconds:.2f} s (RTF {factor:.2f})"
    yield f"            {', '.join(f'{each.stage} {each.seconds:.2f} s' for each in audio.stages)}"


def _start_peak(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    reset_peak_resident_set()


def _peak(device: torch.device) -> str:
    host = peak_resident_set_bytes() or resident_set_bytes()
    line = f"peak        resident set {host / MIB:.0f} MiB"
    if device.type == "cuda":
        allocated = torch.cuda.max_memory_allocated(device) / MIB
        reserved = torch.cuda.max_memory_reserved(device) / MIB
        line += f", GPU {allocated:.0f} MiB allocated, {reserved:.0f} MiB reserved"
    return line
