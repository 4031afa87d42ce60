"""The 32 kHz vocoder Vocos2D, a TorchScript archive: mel in, sound out.

The archive contains the network's code too; a stand-in with the same interface serves without it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from glmtts_core.engines.glmtts.checkpoint.weight_sources import check_is_there
from glmtts_core.engines.glmtts.checkpoint.weights import fill_random, held_bytes
from glmtts_core.errors import CheckpointError, EngineError

#: Samples of sound for one mel frame.
HOP: Final = 640
#: The archive expects its mel shifted by -ln 2560, the length of the window.
_SHIFT: Final = -7.847762537473608
_STAND_IN_WIDTH: Final = 512


class Vocos2D:
    """The loaded vocoder.

    Attributes:
        weights_bytes: bytes of its parameters and buffers, or of the constants of a frozen
            archive.
    """

    def __init__(self, network: torch.jit.ScriptModule) -> None:
        self._network = network
        self.weights_bytes = held_bytes(network) + _constant_bytes(network)

    def decode(self, mel: Tensor) -> Tensor:
        """Return the sound of ``mel``.

        Args:
            mel: float32, shape (1, 80, M), on the vocoder's device.

        Returns:
            float32, shape (1, S), 32 kHz; S is 640 · M, give or take one frame.

        Raises:
            EngineError: the archive returned something else.
        """
        frames = mel.shape[2]
        # the network cannot speak a single frame
        doubled = mel.expand(-1, -1, 2) if frames == 1 else mel
        # without the optimiser, which would compile for each new length
        with torch.inference_mode(), torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
            sound: Tensor = self._network(doubled.transpose(1, 2) + _SHIFT)
        expected = doubled.shape[2] * HOP
        if sound.dim() != 2 or abs(sound.shape[1] - expected) > HOP:
            raise EngineError(
                "glmtts.vocos_unusable", shape=list(sound.shape), expected=[1, expected]
            )
        return sound[:, :HOP] if frames == 1 else sound


def load_vocos(file: Path, device: torch.device) -> Vocos2D:
    """Load the archive to ``device``.

    Raises:
        CheckpointError: the file is missing, damaged or no TorchScript archive.
    """
    check_is_there(file)
    try:
        network = torch.jit.load(file, map_location=device)  # type: ignore[no-untyped-call]
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        reason = str(error).partition("\n")[0]
        raise CheckpointError("checkpoint.file_damaged", file=file, reason=reason) from error
    return Vocos2D(network.eval())


def _constant_bytes(network: torch.jit.ScriptModule) -> int:
    # the variable keeps the graph alive, which owns the nodes
    graph = network.inlined_graph
    tensors = (
        node.t("value")
        for node in graph.findAllNodes("prim::Constant")  # type: ignore[attr-defined]
        if node.hasAttribute("value") and node.kindOf("value") == "t"
    )
    sizes = {tensor.data_ptr(): tensor.nbytes for tensor in tensors}
    return sum(sizes.values())


class StandInVocos(nn.Module):
    """A network with the interface of the archive, for tests and rehearsals; it makes noise."""

    def __init__(self) -> None:
        super().__init__()
        self.widen = nn.Linear(80, _STAND_IN_WIDTH)
        self.to_sound = nn.Linear(_STAND_IN_WIDTH, HOP)

    def forward(self, mel: Tensor) -> Tensor:
        """Return sound (B, 640 · T) for a shifted mel (B, T, 80)."""
        hidden = functional.gelu(self.widen(mel))
        return torch.tanh(self.to_sound(hidden)).flatten(1)


def scripted_stand_in(device: torch.device, seed: int) -> torch.jit.ScriptModule:
    """Return a stand-in like the official archive: scripted, with random weights."""
    with torch.device("meta"):
        network = StandInVocos()
    fill_random(network, device=device, dtype=torch.float32, seed=seed)
    scripted: torch.jit.ScriptModule = torch.jit.script(network.eval())
    return scripted


def stand_in_vocos(device: torch.device, seed: int) -> Vocos2D:
    """Return the loaded stand-in."""
    return Vocos2D(scripted_stand_in(device, seed))
