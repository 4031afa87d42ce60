"""The rehearsal: GLM-TTS in its official size with random weights, without any file.

It shows memory and speed before anything is downloaded; what comes out is noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from glmtts_core.engines.capabilities import Voice
from glmtts_core.engines.glmtts.decoding import SpeechIds
from glmtts_core.engines.glmtts.network_source import VOCODERS, NetworkName, OnBytes
from glmtts_core.engines.glmtts.networks.flow import Flow, random_flow
from glmtts_core.engines.glmtts.networks.flow_config import SPEAKER_VALUES, FlowConfig
from glmtts_core.engines.glmtts.networks.hift import Hift, HiftConfig, random_hift
from glmtts_core.engines.glmtts.networks.language_model import SpeechBounds
from glmtts_core.engines.glmtts.networks.llama import OFFICIAL_LLAMA, Llama, LlamaConfig
from glmtts_core.engines.glmtts.networks.llama_weights import random_llama
from glmtts_core.engines.glmtts.networks.speech_tokenizer import (
    SpeechTokenizer,
    random_speech_tokenizer,
)
from glmtts_core.engines.glmtts.networks.speech_tokenizer_config import (
    OFFICIAL_SPEECH_TOKENIZER,
    SpeechTokenizerConfig,
)
from glmtts_core.engines.glmtts.networks.vocos import StandInVocos, Vocos2D, stand_in_vocos
from glmtts_core.engines.glmtts.precision import DEFAULT_PRECISIONS, Precisions
from glmtts_core.speech import ReferenceAudio

#: The voice that needs no recording.
REHEARSAL_VOICE: Final = Voice("rehearsal", "glmtts.voice.rehearsal")
#: Speech tokens for each stand-in text id: about what Mandarin takes.
_SPEECH_RATIO: Final = 6
_SEED: Final = 0
_RECORDING_S: Final = 3
_RECORDING_HZ: Final = 24_000
_TRANSCRIPT: Final = "这是一段彩排用的声音。"


@dataclass(frozen=True, slots=True)
class RehearsalSize:
    """The sizes of all networks.

    Attributes:
        llama: of the language model.
        ids: where speech lies in its vocabulary.
        flow: of the flow.
        hift: of the 24 kHz vocoder.
        speech_tokenizer: of the speech tokenizer.
    """

    llama: LlamaConfig
    ids: SpeechIds
    flow: FlowConfig
    hift: HiftConfig
    speech_tokenizer: SpeechTokenizerConfig


OFFICIAL_SIZE: Final = RehearsalSize(
    OFFICIAL_LLAMA,
    SpeechIds(first_audio=61_498, last_audio=94_265, begin_audio=59_260, end_audio=59_253),
    FlowConfig(),
    HiftConfig(),
    OFFICIAL_SPEECH_TOKENIZER,
)


class RehearsalNetworks:
    """Random networks, and stand-ins for what otherwise comes from files.

    Args:
        size: of the networks.
        precisions: the wanted ones.
    """

    engine_name = "GLM-TTS (rehearsal)"
    random_weights = True
    voices: tuple[Voice, ...] = (REHEARSAL_VOICE,)

    sample_rates_hz: tuple[int, ...] = tuple(VOCODERS)

    def __init__(
        self, size: RehearsalSize = OFFICIAL_SIZE, precisions: Precisions = DEFAULT_PRECISIONS
    ) -> None:
        self._precisions = precisions
        self._size = size
        self.speech_ids = size.ids

    def recording(self, voice: str | None) -> ReferenceAudio:  # noqa: ARG002 - there is only one
        """Return three seconds of noise that swells and falls like speech."""
        frames = _RECORDING_S * _RECORDING_HZ
        noise = np.random.default_rng(_SEED).standard_normal(frames)
        swell = np.sin(np.linspace(0.0, 8.0 * np.pi, frames)) ** 2
        samples = (0.1 * noise * swell).astype(np.float32)
        return ReferenceAudio(samples, _RECORDING_HZ, "rehearsal", _TRANSCRIPT)

    def open(self) -> None:
        """Do nothing: there are no files."""

    def text_ids(self, text: str) -> list[int]:
        """Return one stand-in id for each character that is no space."""
        ids = self.speech_ids.begin_audio
        return [ord(char) % ids for char in text if not char.isspace()]

    def bounds(self, text_ids: int) -> SpeechBounds:
        """Return a fixed length: a random network would stop anywhere."""
        return SpeechBounds(_SPEECH_RATIO * text_ids, _SPEECH_RATIO * text_ids)

    def size_bytes(self, name: NetworkName, device: torch.device) -> int:
        """Return what a network will take; too much for a flow in mixed precision."""
        with torch.device("meta"):
            match name:
                case NetworkName.LANGUAGE_MODEL:
                    dtype = self._precisions.language_model_dtype(device)
                    return _elements(Llama(self._size.llama)) * dtype.itemsize
                case NetworkName.FLOW:
                    return 4 * _elements(Flow(self._size.flow))
                case NetworkName.HIFT:
                    return 4 * _elements(Hift(self._size.hift))
                case NetworkName.VOCOS:
                    return 4 * _elements(StandInVocos())
                case NetworkName.SPEECH_TOKENIZER:
                    return 4 * _elements(SpeechTokenizer(self._size.speech_tokenizer))
                case NetworkName.SPEAKER:
                    return 0

    def language_model(self, device: torch.device, on_bytes: OnBytes) -> Llama:
        """Make the language model."""
        return random_llama(
            self._size.llama,
            device=device,
            dtype=self._precisions.language_model_dtype(device),
            seed=_SEED,
            on_bytes=on_bytes,
        )

    def flow(self, device: torch.device, on_bytes: OnBytes) -> Flow:
        """Make the flow."""
        return random_flow(
            self._size.flow,
            device=device,
            precision=self._precisions.flow_precision(device),
            seed=_SEED,
            on_bytes=on_bytes,
        )

    def hift(self, device: torch.device, on_bytes: OnBytes) -> Hift:
        """Make the 24 kHz vocoder."""
        return random_hift(self._size.hift, device=device, seed=_SEED, on_bytes=on_bytes)

    def vocos(self, device: torch.device) -> Vocos2D:
        """Make the stand-in of the 32 kHz vocoder."""
        return stand_in_vocos(device, _SEED)

    def speech_tokenizer(self, device: torch.device, on_bytes: OnBytes) -> SpeechTokenizer:
        """Make the speech tokenizer."""
        return random_speech_tokenizer(
            self._size.speech_tokenizer, device=device, seed=_SEED, on_bytes=on_bytes
        )

    def speaker(self) -> RandomSpeaker:
        """Return the stand-in of the speaker model."""
        return RandomSpeaker()


class RandomSpeaker:
    """Returns the same random voice for every recording."""

    weights_bytes = 0

    def embed(self, wave: Tensor) -> Tensor:  # noqa: ARG002 - the interface of a speaker model
        """Return a vector of shape (1, 192)."""
        return torch.randn(1, SPEAKER_VALUES, generator=torch.Generator().manual_seed(_SEED))


def _elements(network: torch.nn.Module) -> int:
    return sum(tensor.numel() for tensor in (*network.parameters(), *network.buffers()))
