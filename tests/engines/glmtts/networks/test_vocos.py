"""The 32 kHz vocoder: an archive with the official interface, checked on the way in and out."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from glmtts_core.engines.glmtts.networks.vocos import (
    HOP,
    Vocos2D,
    load_vocos,
    scripted_stand_in,
    stand_in_vocos,
)
from glmtts_core.errors import CheckpointError, EngineError
from tests.engines.glmtts.stand_ins import write_vocos

CPU = torch.device("cpu")


class FirstBand(nn.Module):
    """Sounds the first band as it comes; with a hop of its own."""

    def __init__(self, hop: int) -> None:
        super().__init__()
        self.hop = hop

    def forward(self, mel: Tensor) -> Tensor:
        return mel[:, :, 0].repeat_interleave(self.hop, dim=1)


def scripted(hop: int) -> Vocos2D:
    return Vocos2D(torch.jit.script(FirstBand(hop)))


def mel(frames: int) -> Tensor:
    return torch.randn(1, 80, frames, generator=torch.Generator().manual_seed(1))


def test_the_archive_speaks_640_samples_a_frame(tmp_path):
    write_vocos(tmp_path / "generator_jit.ckpt")
    vocos = load_vocos(tmp_path / "generator_jit.ckpt", CPU)
    assert vocos.decode(mel(10)).shape == (1, 10 * HOP)


def test_the_archive_that_was_written_speaks_like_the_stand_in(tmp_path):
    write_vocos(tmp_path / "generator_jit.ckpt", seed=3)
    vocos = load_vocos(tmp_path / "generator_jit.ckpt", CPU)
    assert torch.equal(vocos.decode(mel(5)), stand_in_vocos(CPU, seed=3).decode(mel(5)))


def test_the_mel_comes_shifted_by_the_windows_logarithm():
    given = mel(3)
    heard = scripted(HOP).decode(given)[0, ::HOP]
    torch.testing.assert_close(heard, given[0, 0] - math.log(2560))


def test_a_single_frame_is_spoken_twice_and_cut():
    given = mel(1)
    sound = scripted(HOP).decode(given)
    assert sound.shape == (1, HOP)
    torch.testing.assert_close(sound, (given[:, 0] - math.log(2560)).expand(1, HOP))


def test_its_bytes_are_those_of_its_tensors():
    weights = 80 * 512 + 512 + 512 * HOP + HOP
    assert stand_in_vocos(CPU, seed=1).weights_bytes == 4 * weights


def test_a_frozen_archive_counts_the_constants_that_its_weights_became(tmp_path):
    file = tmp_path / "generator_jit.ckpt"
    torch.jit.freeze(scripted_stand_in(CPU, seed=1)).save(file)
    frozen = load_vocos(file, CPU)
    assert frozen.weights_bytes == stand_in_vocos(CPU, seed=1).weights_bytes
    torch.testing.assert_close(frozen.decode(mel(4)), stand_in_vocos(CPU, seed=1).decode(mel(4)))


def test_another_length_is_refused():
    with pytest.raises(EngineError, match=r"returned \[1, 1000\] instead of \[1, 6400\]"):
        scripted(100).decode(mel(10))


def test_a_missing_archive_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"generator_jit\.ckpt is missing"):
        load_vocos(tmp_path / "generator_jit.ckpt", CPU)


def test_a_truncated_archive_is_named(tmp_path):
    file = tmp_path / "generator_jit.ckpt"
    write_vocos(file)
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(CheckpointError, match=r"generator_jit\.ckpt is damaged"):
        load_vocos(file, CPU)


def test_a_plain_weight_file_is_no_archive(tmp_path):
    file = tmp_path / "generator_jit.ckpt"
    torch.save({"weight": torch.ones(3)}, file)
    with pytest.raises(CheckpointError, match=r"generator_jit\.ckpt is damaged"):
        load_vocos(file, CPU)
