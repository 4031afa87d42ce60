"""The voice of a recording as input of the networks: speech tokens, speaker vector, mel.

Each is cached by the recording's content (the mel by sample rate too), so that a second synthesis
needs neither the speech tokenizer nor the speaker model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from glmtts_core.engines.base import CancelToken
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.engines.glmtts.network_set import NetworkSet
from glmtts_core.engines.glmtts.networks.features import (
    ENCODER_HZ,
    log_mel,
    resample,
    whisper_features,
)
from glmtts_core.engines.glmtts.networks.flow import FlowPrompt
from glmtts_core.engines.glmtts.networks.speech_tokenizer import SpeechTokenizer
from glmtts_core.memory.ledger import LedgerKind
from glmtts_core.speech import ReferenceAudio

#: Longest piece that the speech tokenizer takes at once: 30 s.
_PIECE_SAMPLES: Final = 30 * ENCODER_HZ
#: Samples of one speech token; pieces are filled up to a multiple.
_TOKEN_SAMPLES: Final = 640


@dataclass(frozen=True, slots=True)
class VoicePrompt:
    """A voice.

    Attributes:
        tokens: what is said in the recording, as speech tokens, int64, shape (1, P).
        speaker: speaker vector, float32, shape (1, 192).
        mel: log-mel at the sample rate asked for, float32, shape (1, F, 80).
    """

    tokens: Tensor
    speaker: Tensor
    mel: Tensor

    @property
    def speech(self) -> tuple[int, ...]:
        """The speech tokens as numbers."""
        return tuple(self.tokens[0].tolist())

    @property
    def for_flow(self) -> FlowPrompt:
        """What the flow takes."""
        return FlowPrompt(self.tokens, self.mel, self.speaker)


def voice_prompt(
    reference: ReferenceAudio,
    sample_rate_hz: int,
    caches: SessionCaches,
    networks: NetworkSet,
    cancel: CancelToken,
    on_progress: Callable[[float], None] = lambda _: None,
) -> VoicePrompt:
    """Return the voice of ``reference``, from the caches if possible.

    Args:
        reference: checked.
        sample_rate_hz: of the vocoder that will speak.
        caches: of the session.
        networks: loads the speech tokenizer and the speaker model only where they are needed.
        cancel: checked before each of the three is made, and before each layer of the speech
            tokenizer.
        on_progress: receives the fraction that is done, 0 to 1.

    Raises:
        SynthesisCancelled: the job was cancelled.
        CheckpointError, EngineError: one of the two networks cannot be loaded or fails.
    """
    key, device = reference.content_hash, networks.device

    def on_layer(layer: int, layers: int) -> None:
        cancel.raise_if_cancelled()
        on_progress(layer / layers)

    def kept(name: str, make: Callable[[], Tensor]) -> Tensor:
        found = caches.get(LedgerKind.VOICE_CACHE, f"{key} {name}")
        if isinstance(found, Tensor):
            return found
        cancel.raise_if_cancelled()
        made = make().to(device)
        caches.put(
            LedgerKind.VOICE_CACHE,
            f"{key} {name}",
            made,
            made.nbytes,
            on_device=device.type == "cuda",
        )
        return made

    return VoicePrompt(
        tokens=kept(
            "tokens", lambda: _speech_tokens(reference, networks.speech_tokenizer(), on_layer)
        ),
        speaker=kept("speaker", lambda: networks.speaker().embed(_mono(reference, ENCODER_HZ))),
        mel=kept(
            f"mel {sample_rate_hz} Hz",
            lambda: log_mel(_mono(reference, sample_rate_hz), sample_rate_hz),
        ),
    )


def _speech_tokens(
    reference: ReferenceAudio, tokenizer: SpeechTokenizer, on_layer: Callable[[int, int], None]
) -> Tensor:
    """Return int64, shape (1, P); of the first channel alone, as the reference does it."""
    samples = torch.tensor(reference.samples)
    channel = samples if samples.dim() == 1 else samples[:, 0].contiguous()
    wave = resample(channel, reference.sample_rate_hz, ENCODER_HZ)
    pieces = torch.split(wave, _PIECE_SAMPLES)
    features, mask = whisper_features(pieces, tokenizer.config.num_mel_bins, _TOKEN_SAMPLES)
    device = tokenizer.codebook.weight.device
    tokens = tokenizer.tokens(features.to(device), mask.to(device), on_layer)
    return torch.tensor([[token for piece in tokens for token in piece]])


def _mono(reference: ReferenceAudio, sample_rate_hz: int) -> Tensor:
    """Return the mean of the channels at another rate, float32, shape (S,)."""
    samples = torch.tensor(reference.samples)
    mono = samples if samples.dim() == 1 else samples.mean(dim=1)
    return resample(mono, reference.sample_rate_hz, sample_rate_hz)
