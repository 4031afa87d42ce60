"""The command ``parity`` prints the report and answers by its exit code."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from glmtts_core.cli.main import main


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # the command sets them for its own process
    monkeypatch.setenv("GLMTTS_DEVICE", "cpu")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")


def test_all_equal_is_success(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parity", "--cpu", "--no-rehearsal"]) == 0
    printed = capsys.readouterr().out
    assert "## Golden vectors" in printed
    assert "passed" in printed


def test_a_difference_is_failure_and_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = torch.istft
    monkeypatch.setattr(torch, "istft", lambda *args, **more: right(*args, **more) + 0.01)
    assert main(["parity", "--cpu", "--no-rehearsal"]) == 1
    failed = [each for each in capsys.readouterr().out.splitlines() if each.startswith("FAILED")]
    assert len(failed) == 1
    assert "waveform" in failed[0]
