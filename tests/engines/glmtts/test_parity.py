"""The parity report: every golden vector compared, a rehearsal spoken, nothing private told."""

from __future__ import annotations

import getpass
import math
from pathlib import Path

import pytest
import torch

from glmtts_core.engines.base import Progress
from glmtts_core.engines.glmtts.parity import GoldenCheck, golden_checks
from glmtts_core.engines.glmtts.parity_report import parity_report
from glmtts_core.errors import OutOfMemoryError
from glmtts_core.settings import Settings
from tests.engines.glmtts.tiny_engine import TINY_SIZE

CPU = torch.device("cpu")


def test_every_golden_file_passes_on_this_machine() -> None:
    checks = list(golden_checks(CPU))
    assert not [check for check in checks if not check.passed]
    assert len({check.name for check in checks}) == len(checks) >= 15


@pytest.mark.parametrize(
    ("check", "passed"),
    [
        (GoldenCheck("a", 0.1, 0.2), True),
        (GoldenCheck("a", 0.3, 0.2), False),
        (GoldenCheck("a", 39.0, 40.0, "dB", at_least=True), False),
        (GoldenCheck("a", math.nan, 0.2, error="no such kernel"), False),
        (GoldenCheck("a", math.nan, 0.2, at_least=True), False),
    ],
)
def test_a_check_passes_within_its_limit(check: GoldenCheck, passed: bool) -> None:
    assert check.passed is passed


def test_a_check_that_cannot_run_is_part_of_the_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no kernel image is available\nsecond line")

    monkeypatch.setattr(torch, "stft", fail)
    failed = [check for check in golden_checks(CPU) if not check.passed]
    assert {check.name for check in failed} >= {"vocoder"}
    assert all(check.error == "RuntimeError: no kernel image is available" for check in failed)


def test_the_report_tells_machine_differences_speed_and_memory(tmp_path: Path) -> None:
    heard: list[Progress] = []
    settings = Settings(output_dir=tmp_path, cache_dir=tmp_path)
    report = parity_report(settings, "cpu", size=TINY_SIZE, on_progress=heard.append)
    written = "\n".join(report.lines)
    assert report.passed
    for wanted in ("processor", f"torch {torch.__version__}", "waveform", "RTF", "MiB", "peak"):
        assert wanted in written
    assert heard
    for private in (str(Path.home()), str(Path.cwd()), str(tmp_path), getpass.getuser() + "@"):
        assert private not in written


def test_without_a_rehearsal_only_the_vectors_are_compared(tmp_path: Path) -> None:
    settings = Settings(output_dir=tmp_path, cache_dir=tmp_path)
    report = parity_report(settings, "cpu", rehearse=False)
    assert report.passed
    assert not any("Rehearsal" in line for line in report.lines)


def test_a_rehearsal_that_does_not_fit_leaves_the_rest_of_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glmtts_core.engines.glmtts.engine.free_bytes", lambda device: 0)
    settings = Settings(output_dir=tmp_path, cache_dir=tmp_path)
    report = parity_report(settings, "cpu", size=TINY_SIZE)
    assert not report.passed
    assert any("waveform" in line for line in report.lines)
    needed = OutOfMemoryError("glmtts.out_of_memory", device="cpu", needed="", free="")
    assert report.lines[-1].startswith(f"FAILED  {str(needed)[:10]}")
