"""The networks of GLM-TTS: each loaded when it is first used, counted, moved and dropped alone.

Knows nothing about requests; where the weights come from is a `NetworkSource`'s business.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from typing import Any, Final, Protocol

import torch
from torch import Tensor, nn

from glmtts_core.engines.base import ReferenceAudio
from glmtts_core.engines.capabilities import Voice
from glmtts_core.engines.glmtts.checkpoint.weights import held_bytes
from glmtts_core.engines.glmtts.decoding import SpeechIds
from glmtts_core.engines.glmtts.memory_shortage import free_bytes
from glmtts_core.engines.glmtts.networks.flow import Flow
from glmtts_core.engines.glmtts.networks.hift import Hift
from glmtts_core.engines.glmtts.networks.language_model import LanguageModel, SpeechBounds
from glmtts_core.engines.glmtts.networks.llama import Llama
from glmtts_core.engines.glmtts.networks.speech_tokenizer import SpeechTokenizer
from glmtts_core.errors import OutOfMemoryError
from glmtts_core.memory.ledger import WEIGHT_KINDS, Ledger, LedgerKind, WeightsPart
from glmtts_core.message import Problem

_log = logging.getLogger(__name__)
_WORKSPACE_NAME: Final = "KV cache"

OnBytes = Callable[[int], None]


class Part(StrEnum):
    """The networks, under the names that the ledger has for them."""

    LANGUAGE_MODEL = "language model"
    FLOW = "flow"
    HIFT = "hift"
    VOCOS = "vocos"
    SPEECH_TOKENIZER = "speech tokenizer"
    SPEAKER = "speaker"


#: Called when a network begins to load; what it returns hears of the bytes of each tensor.
OnLoading = Callable[[Part], OnBytes]

#: Under which of the memory chart's layers each is drawn.
_WEIGHTS_PARTS: Final = {
    Part.LANGUAGE_MODEL: WeightsPart.LANGUAGE_MODEL,
    Part.FLOW: WeightsPart.FLOW,
    Part.HIFT: WeightsPart.VOCODER,
    Part.VOCOS: WeightsPart.VOCODER,
    Part.SPEECH_TOKENIZER: WeightsPart.TOKENIZER,
    Part.SPEAKER: WeightsPart.TOKENIZER,
}
#: Every sentence needs these; the other parts depend on sample rate and reference.
MAIN_PARTS: Final = (Part.LANGUAGE_MODEL, Part.FLOW)
#: The vocoder of each sample rate.
VOCODERS: Final = {24_000: Part.HIFT, 32_000: Part.VOCOS}


class TextTokenizer(Protocol):
    """Text in, ids of the language model out."""

    def encode(self, text: str) -> list[int]:
        """Return the ids of ``text``."""


class Speaker(Protocol):
    """The speaker model."""

    weights_bytes: int

    def embed(self, wave: Tensor) -> Tensor:
        """Return the voice (1, 192) of a wave (S,) of 16 kHz."""


class RateVocoder(Protocol):
    """The 32 kHz vocoder."""

    weights_bytes: int

    def decode(self, mel: Tensor) -> Tensor:
        """Return the sound (1, S) of a mel (1, 80, M)."""


class NetworkSource(Protocol):
    """Where networks, ids and texts' tokens come from: a checkpoint or a rehearsal."""

    engine_name: str
    """The engine's name as shown."""

    random_weights: bool
    """Whether nothing was ever learned: a rehearsal."""

    voices: tuple[Voice, ...]
    """Voices that need no recording of the user's."""

    @property
    def sample_rates_hz(self) -> tuple[int, ...]:
        """The rates whose vocoder is there, the preferred one first."""

    def recording(self, voice: str | None) -> ReferenceAudio:
        """Return the recording behind one of `voices`."""

    def open(self) -> None:
        """Read what is small and needed always: sizes, ids, the text tokenizer."""

    @property
    def speech_ids(self) -> SpeechIds:
        """Where speech lies in the vocabulary."""

    @property
    def tokenizer(self) -> TextTokenizer:
        """The text tokenizer."""

    def bounds(self, text_ids: int) -> SpeechBounds:
        """Return how long the speech of a text may be."""

    def size_bytes(self, part: Part, device: torch.device) -> int:
        """Return about what ``part`` takes in memory once loaded, without loading it."""

    def language_model(self, device: torch.device, on_bytes: OnBytes) -> Llama:
        """Load the language model."""

    def flow(self, device: torch.device, on_bytes: OnBytes) -> Flow:
        """Load the flow."""

    def hift(self, device: torch.device, on_bytes: OnBytes) -> Hift:
        """Load the 24 kHz vocoder."""

    def vocos(self, device: torch.device) -> RateVocoder:
        """Load the 32 kHz vocoder, which comes in one piece."""

    def speech_tokenizer(self, device: torch.device, on_bytes: OnBytes) -> SpeechTokenizer:
        """Load the speech tokenizer."""

    def speaker(self) -> Speaker:
        """Load the speaker model, which comes in one piece and runs on the host."""


class NetworkSet:
    """The parts that are in memory; the ledger has every one of them at all times.

    What loads one raises `OutOfMemoryError` before it begins where there is no room for it.

    Args:
        source: loads them.
        device: where they compute.
        ledger: where they are written down.
    """

    def __init__(self, source: NetworkSource, device: torch.device, ledger: Ledger) -> None:
        self.source = source
        self.device = device
        self._ledger = ledger
        # a checkpoint and a rehearsal may be in memory side by side
        self._owner = source.engine_name
        self._held: dict[Part, Any] = {}
        self._offloaded: set[Part] = set()
        self._in_use: frozenset[Part] = frozenset(MAIN_PARTS)
        self._language_model: LanguageModel | None = None
        self._on_loading: OnLoading = _unheard

    @property
    def held(self) -> frozenset[Part]:
        """The parts in memory."""
        return frozenset(self._held)

    @property
    def offloaded(self) -> frozenset[Part]:
        """The parts that wait on the host to be moved back."""
        return frozenset(self._offloaded)

    @property
    def in_use(self) -> frozenset[Part]:
        """The parts that the work at hand needs, in memory or not."""
        return self._in_use

    @property
    def workspace_bytes(self) -> int:
        """Bytes of the language model's cache and decoding state."""
        return 0 if self._language_model is None else self._language_model.workspace_bytes

    @property
    def problem(self) -> Problem | None:
        """Why decoding is slower than it could be, where it is."""
        return None if self._language_model is None else self._language_model.problem

    @contextmanager
    def telling(self, on_loading: OnLoading) -> Iterator[None]:
        """Tell ``on_loading`` of what is loaded while inside; what it raises stops the loading."""
        before, self._on_loading = self._on_loading, on_loading
        try:
            yield
        finally:
            self._on_loading = before

    def language_model(self) -> LanguageModel:
        """Return the language model, loading it first where need be."""
        network = self._get(Part.LANGUAGE_MODEL, partial(self.source.language_model, self.device))
        if self._language_model is None:
            self._language_model = LanguageModel(network, self.source.speech_ids)
        return self._language_model

    def flow(self) -> Flow:
        """Return the flow, loading it first where need be."""
        flow: Flow = self._get(Part.FLOW, partial(self.source.flow, self.device))
        return flow

    def hift(self) -> Hift:
        """Return the 24 kHz vocoder, loading it first where need be."""
        hift: Hift = self._get(Part.HIFT, partial(self.source.hift, self.device))
        return hift

    def vocos(self) -> RateVocoder:
        """Return the 32 kHz vocoder, loading it first where need be."""
        vocos: RateVocoder = self._get(Part.VOCOS, lambda _: self.source.vocos(self.device))
        return vocos

    def speech_tokenizer(self) -> SpeechTokenizer:
        """Return the speech tokenizer, loading it first where need be."""
        tokenizer: SpeechTokenizer = self._get(
            Part.SPEECH_TOKENIZER, partial(self.source.speech_tokenizer, self.device)
        )
        return tokenizer

    def speaker(self) -> Speaker:
        """Return the speaker model, loading it first where need be."""
        speaker: Speaker = self._get(Part.SPEAKER, lambda _: self.source.speaker())
        return speaker

    def use(self, parts: Collection[Part]) -> None:
        """Say which parts the work at hand needs; the others count as spare."""
        self._in_use = frozenset(parts)
        for part in self._held:
            self._record(part)

    def note_workspace(self) -> None:
        """Write down what the language model's cache takes now."""
        size, on_device = self.workspace_bytes, self.device.type == "cuda"
        if size:
            self._ledger.record(
                LedgerKind.WORKSPACE, self._owner, _WORKSPACE_NAME, size, on_device=on_device
            )
        else:
            self._ledger.forget(LedgerKind.WORKSPACE, self._owner, _WORKSPACE_NAME)

    def drop_workspace(self) -> None:
        """Drop the language model's cache."""
        if self._language_model is not None:
            self._language_model.drop_workspace()
        self.note_workspace()

    def drop_spare(self) -> None:
        """Drop the parts that are not in use."""
        for part in self.held - self._in_use:
            self._drop(part)

    def drop_all(self) -> None:
        """Drop everything."""
        self._language_model = None
        self.note_workspace()
        for part in self.held:
            self._drop(part)

    def offload(self) -> None:
        """Move what is in use to the host, from where it comes back without reading a file.

        Raises:
            OutOfMemoryError: the host has no room for it; nothing was moved.
        """
        self.drop_workspace()
        self._language_model = None
        self.drop_spare()
        moving = sum(_bytes_of(self._held[part]) for part in self.held - self._offloaded)
        if moving > free_bytes(torch.device("cpu")):
            # nothing else would stop it: the system would end the process instead
            raise OutOfMemoryError("glmtts.no_room_on_host", size=f"{moving / 2**30:.1f} GiB")
        for part, network in list(self._held.items()):
            if isinstance(network, nn.Module):
                network.to("cpu")
                self._offloaded.add(part)
                self._record(part)
            elif part is not Part.SPEAKER:
                self._drop(part)

    def _get(self, part: Part, load: Callable[[OnBytes], Any]) -> Any:
        if part not in self._held:
            # on the host nothing else would stop it: the system ends the process instead
            if self.source.size_bytes(part, self.device) > free_bytes(self.device):
                raise OutOfMemoryError("engine.out_of_memory")
            on_bytes = self._on_loading(part)
            on_bytes(0)
            self._held[part] = load(on_bytes)
            self._record(part)
        elif part in self._offloaded:
            self._held[part].to(self.device)
            self._offloaded.discard(part)
            self._record(part)
        return self._held[part]

    def _record(self, part: Part) -> None:
        kind = LedgerKind.WEIGHTS if part in self._in_use else LedgerKind.SPARE_WEIGHTS
        on_host = part is Part.SPEAKER or part in self._offloaded
        self._ledger.record(
            kind,
            self._owner,
            part.value,
            _bytes_of(self._held[part]),
            on_device=self.device.type == "cuda" and not on_host,
            part=_WEIGHTS_PARTS[part],
        )
        for other in WEIGHT_KINDS - {kind}:
            self._ledger.forget(other, self._owner, part.value)

    def _drop(self, part: Part) -> None:
        del self._held[part]
        self._offloaded.discard(part)
        for kind in WEIGHT_KINDS:
            self._ledger.forget(kind, self._owner, part.value)


def _unheard(_part: Part) -> OnBytes:
    return lambda _: None


def _bytes_of(network: Any) -> int:
    size: int = held_bytes(network) if isinstance(network, nn.Module) else network.weights_bytes
    return size
