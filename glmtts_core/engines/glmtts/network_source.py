"""Which networks GLM-TTS has, and what must be able to load them: a checkpoint or a rehearsal.

Knows nothing about which of them are in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final, Protocol

import torch
from torch import Tensor

from glmtts_core.engines.capabilities import Voice
from glmtts_core.engines.glmtts.decoding import SpeechIds
from glmtts_core.engines.glmtts.networks.flow import Flow
from glmtts_core.engines.glmtts.networks.hift import Hift
from glmtts_core.engines.glmtts.networks.language_model import SpeechBounds
from glmtts_core.engines.glmtts.networks.llama import Llama
from glmtts_core.engines.glmtts.networks.speech_tokenizer import SpeechTokenizer
from glmtts_core.engines.glmtts.networks.vocos import Vocos2D
from glmtts_core.speech import ReferenceAudio


class NetworkName(StrEnum):
    """The networks, under the names that the ledger has for them."""

    LANGUAGE_MODEL = "language model"
    FLOW = "flow"
    HIFT = "hift"
    VOCOS = "vocos"
    SPEECH_TOKENIZER = "speech tokenizer"
    SPEAKER = "speaker"


#: Every sentence needs these; the others depend on sample rate and reference.
MAIN_NETWORKS: Final = (NetworkName.LANGUAGE_MODEL, NetworkName.FLOW)
#: The vocoder of each sample rate.
VOCODERS: Final = {24_000: NetworkName.HIFT, 32_000: NetworkName.VOCOS}

#: Receives the bytes of each tensor that was loaded.
OnBytes = Callable[[int], None]
#: Called when a network begins to load; returns what receives the bytes of its tensors.
OnLoading = Callable[[NetworkName], OnBytes]


class SpeakerEncoder(Protocol):
    """The speaker model."""

    weights_bytes: int

    def embed(self, wave: Tensor) -> Tensor:
        """Return the voice (1, 192) of a wave (S,) of 16 kHz."""


class NetworkSource(Protocol):
    """Loads networks, and knows the ids of texts and speech."""

    engine_name: str
    """The engine's name as shown."""

    random_weights: bool
    """Whether the networks are untrained: a rehearsal."""

    voices: tuple[Voice, ...]
    """Voices that need no recording from the user."""

    @property
    def sample_rates_hz(self) -> tuple[int, ...]:
        """The rates whose vocoder is available, the preferred one first."""

    def recording(self, voice: str | None) -> ReferenceAudio:
        """Return the recording behind one of `voices`."""

    def open(self) -> None:
        """Read what is small and always needed: sizes, ids, the text tokenizer."""

    @property
    def speech_ids(self) -> SpeechIds:
        """Where speech lies in the vocabulary."""

    def text_ids(self, text: str) -> list[int]:
        """Return the language model's ids of ``text``."""

    def bounds(self, text_ids: int) -> SpeechBounds:
        """Return how long the speech of a text may be."""

    def size_bytes(self, name: NetworkName, device: torch.device) -> int:
        """Return about how much memory a network takes once loaded, without loading it."""

    def language_model(self, device: torch.device, on_bytes: OnBytes) -> Llama:
        """Load the language model."""

    def flow(self, device: torch.device, on_bytes: OnBytes) -> Flow:
        """Load the flow."""

    def hift(self, device: torch.device, on_bytes: OnBytes) -> Hift:
        """Load the 24 kHz vocoder."""

    def vocos(self, device: torch.device) -> Vocos2D:
        """Load the 32 kHz vocoder, which comes in one piece."""

    def speech_tokenizer(self, device: torch.device, on_bytes: OnBytes) -> SpeechTokenizer:
        """Load the speech tokenizer."""

    def speaker(self) -> SpeakerEncoder:
        """Load the speaker model, which comes in one piece and runs on the host."""
