"""The speaker model: a vector for a voice, on the CPU, with nothing left behind."""

from __future__ import annotations

import pytest
import torch

from glmtts_core.engines.glmtts.networks.speaker import SpeakerModel
from glmtts_core.errors import CheckpointError, EngineError
from glmtts_core.memory.system import malloc_trim, resident_set_bytes
from tests.engines.glmtts.stand_ins import write_speaker_model

MIB = 2**20


@pytest.fixture
def model(tmp_path) -> SpeakerModel:
    write_speaker_model(tmp_path / "campplus.onnx")
    return SpeakerModel(tmp_path / "campplus.onnx", threads=1)


def noise(seconds: float, seed: int = 1) -> torch.Tensor:
    return torch.randn(int(16_000 * seconds), generator=torch.Generator().manual_seed(seed)) * 0.1


def test_a_voice_is_a_vector_of_192_values(model):
    vector = model.embed(noise(1.0))
    assert (vector.shape, vector.dtype) == ((1, 192), torch.float32)
    assert vector.isfinite().all()


def test_the_same_recording_has_the_same_voice_and_another_has_another(model):
    assert torch.equal(model.embed(noise(1.0)), model.embed(noise(1.0)))
    assert not torch.equal(model.embed(noise(1.0)), model.embed(noise(1.0, seed=2)))


def test_a_long_recording_leaves_no_memory_behind(model):
    model.embed(noise(1.0))
    malloc_trim()
    before = resident_set_bytes()
    model.embed(noise(120.0))
    malloc_trim()
    assert resident_set_bytes() - before < 4 * MIB


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"campplus\.onnx is missing"):
        SpeakerModel(tmp_path / "campplus.onnx", threads=1)


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "campplus.onnx").write_bytes(b"nonsense")
    with pytest.raises(CheckpointError, match=r"campplus\.onnx is damaged"):
        SpeakerModel(tmp_path / "campplus.onnx", threads=1)


def test_a_model_that_gives_another_vector_is_refused(tmp_path):
    write_speaker_model(tmp_path / "campplus.onnx", size=64)
    with pytest.raises(EngineError, match="no usable voice"):
        SpeakerModel(tmp_path / "campplus.onnx", threads=1).embed(noise(1.0))
