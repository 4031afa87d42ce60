"""What is in a checkpoint's folder is told part by part, without loading it."""

from __future__ import annotations

import pytest

from glmtts_core.engines.glmtts.checkpoint.folder import Checkpoint
from glmtts_core.engines.glmtts.checkpoint.inspection import (
    CheckpointReport,
    PartName,
    PartReport,
    inspect_checkpoint,
)


def part(report: CheckpointReport, name: PartName) -> PartReport:
    return next(each for each in report.parts if each.name is name)


def test_a_whole_checkpoint_is_usable_at_both_rates(tiny_checkpoint):
    report = inspect_checkpoint(tiny_checkpoint)
    assert [each.problem for each in report.parts] == [None] * len(PartName)
    assert report.is_usable
    assert report.sample_rates_hz == (24_000, 32_000)


def test_sizes_and_dtypes_are_those_of_the_files(tiny_checkpoint):
    report = inspect_checkpoint(tiny_checkpoint)
    assert part(report, PartName.LANGUAGE_MODEL).dtypes == ("float32",)
    assert part(report, PartName.HIFT).size_bytes == tiny_checkpoint.hift_file.stat().st_size
    files = [file for file in tiny_checkpoint.root.rglob("*") if file.is_file()]
    assert report.size_bytes == sum(file.stat().st_size for file in files)


def test_an_empty_folder_lacks_every_part(tmp_path):
    report = inspect_checkpoint(Checkpoint(tmp_path))
    assert not report.is_usable
    assert report.sample_rates_hz == ()
    assert all("is missing" in str(each.problem) for each in report.parts)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        (PartName.LANGUAGE_MODEL, "llm/model-00001-of-00002.safetensors"),
        (PartName.LANGUAGE_MODEL, "llm/config.json"),
        (PartName.FLOW, "flow/flow.pt"),
        (PartName.FLOW, "flow/config.yaml"),
        (PartName.SPEECH_TOKENIZER, "speech_tokenizer/model.safetensors"),
        (PartName.TEXT_TOKENIZER, "vq32k-phoneme-tokenizer/tokenizer.model"),
        (PartName.SPEAKER_MODEL, "frontend/campplus.onnx"),
    ],
)
def test_a_truncated_file_makes_its_part_and_the_whole_unusable(own_checkpoint, name, file):
    path = own_checkpoint.root / file
    path.write_bytes(path.read_bytes()[:17])
    report = inspect_checkpoint(own_checkpoint)
    assert [each.name for each in report.parts if each.problem] == [name]
    assert path.name in str(part(report, name).problem)
    assert not report.is_usable


@pytest.mark.parametrize(
    ("file", "rates"), [("vocos2d/generator_jit.ckpt", (24_000,)), ("hift/hift.pt", (32_000,))]
)
def test_a_truncated_vocoder_costs_its_rate_only(own_checkpoint, file, rates):
    path = own_checkpoint.root / file
    path.write_bytes(path.read_bytes()[:-100])
    report = inspect_checkpoint(own_checkpoint)
    assert report.sample_rates_hz == rates
    assert report.is_usable


def test_a_weight_file_in_the_archives_place_is_told(own_checkpoint):
    own_checkpoint.vocos_file.write_bytes(own_checkpoint.hift_file.read_bytes())
    problem = part(inspect_checkpoint(own_checkpoint), PartName.VOCOS).problem
    assert "no TorchScript" in str(problem)
