"""The networks in memory: each is loaded at its first use, and counted, moved and dropped alone.

Knows nothing about requests; a `NetworkSource` knows where the weights come from.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import torch
from torch import nn

from glmtts_core.byte_units import GIB
from glmtts_core.engines.glmtts.checkpoint.weights import held_bytes
from glmtts_core.engines.glmtts.memory_shortage import free_bytes
from glmtts_core.engines.glmtts.network_source import (
    MAIN_NETWORKS,
    NetworkName,
    NetworkSource,
    OnBytes,
    OnLoading,
    SpeakerEncoder,
)
from glmtts_core.engines.glmtts.networks.flow import Flow
from glmtts_core.engines.glmtts.networks.hift import Hift
from glmtts_core.engines.glmtts.networks.language_model import LanguageModel
from glmtts_core.engines.glmtts.networks.speech_tokenizer import SpeechTokenizer
from glmtts_core.engines.glmtts.networks.vocos import Vocos2D
from glmtts_core.errors import OutOfMemoryError
from glmtts_core.memory.ledger import WEIGHT_KINDS, Ledger, LedgerKind, WeightsPart
from glmtts_core.message import Message

_WORKSPACE_NAME: Final = "KV cache"

#: The layer of the memory chart that shows each network.
_CHART_LAYERS: Final = {
    NetworkName.LANGUAGE_MODEL: WeightsPart.LANGUAGE_MODEL,
    NetworkName.FLOW: WeightsPart.FLOW,
    NetworkName.HIFT: WeightsPart.VOCODER,
    NetworkName.VOCOS: WeightsPart.VOCODER,
    NetworkName.SPEECH_TOKENIZER: WeightsPart.TOKENIZER,
    NetworkName.SPEAKER: WeightsPart.TOKENIZER,
}


class NetworkSet:
    """The networks in memory; the ledger records every one of them at all times.

    Loading one raises `OutOfMemoryError` at once where there is no room for it.

    Args:
        source: loads them.
        device: where they compute.
        ledger: records them.
    """

    def __init__(self, source: NetworkSource, device: torch.device, ledger: Ledger) -> None:
        self.source = source
        self.device = device
        self._ledger = ledger
        # a checkpoint and a rehearsal may be in memory side by side
        self._owner = source.engine_name
        self._held: dict[NetworkName, Any] = {}
        self._offloaded: set[NetworkName] = set()
        self._in_use: frozenset[NetworkName] = frozenset(MAIN_NETWORKS)
        self._language_model: LanguageModel | None = None
        self._on_loading: OnLoading = _ignore_loading

    @property
    def held(self) -> frozenset[NetworkName]:
        """The networks in memory."""
        return frozenset(self._held)

    @property
    def offloaded(self) -> frozenset[NetworkName]:
        """The networks that were moved to the host."""
        return frozenset(self._offloaded)

    @property
    def in_use(self) -> frozenset[NetworkName]:
        """The networks that the current work needs, in memory or not."""
        return self._in_use

    @property
    def workspace_bytes(self) -> int:
        """Bytes of the language model's cache and decoding state."""
        return 0 if self._language_model is None else self._language_model.workspace_bytes

    @property
    def message(self) -> Message | None:
        """Why decoding is slower than it could be; None where it is not."""
        return None if self._language_model is None else self._language_model.message

    @contextmanager
    def reporting(self, on_loading: OnLoading) -> Iterator[None]:
        """While inside, report every loading to ``on_loading``; its errors stop the loading."""
        before, self._on_loading = self._on_loading, on_loading
        try:
            yield
        finally:
            self._on_loading = before

    def language_model(self) -> LanguageModel:
        """Return the language model; loads it first if needed."""
        load = partial(self.source.language_model, self.device)
        network = self._get(NetworkName.LANGUAGE_MODEL, load)
        if self._language_model is None:
            self._language_model = LanguageModel(network, self.source.speech_ids)
        return self._language_model

    def flow(self) -> Flow:
        """Return the flow; loads it first if needed."""
        flow: Flow = self._get(NetworkName.FLOW, partial(self.source.flow, self.device))
        return flow

    def hift(self) -> Hift:
        """Return the 24 kHz vocoder; loads it first if needed."""
        hift: Hift = self._get(NetworkName.HIFT, partial(self.source.hift, self.device))
        return hift

    def vocos(self) -> Vocos2D:
        """Return the 32 kHz vocoder; loads it first if needed."""
        vocos: Vocos2D = self._get(NetworkName.VOCOS, lambda _: self.source.vocos(self.device))
        return vocos

    def speech_tokenizer(self) -> SpeechTokenizer:
        """Return the speech tokenizer; loads it first if needed."""
        tokenizer: SpeechTokenizer = self._get(
            NetworkName.SPEECH_TOKENIZER, partial(self.source.speech_tokenizer, self.device)
        )
        return tokenizer

    def speaker(self) -> SpeakerEncoder:
        """Return the speaker model; loads it first if needed."""
        speaker: SpeakerEncoder = self._get(NetworkName.SPEAKER, lambda _: self.source.speaker())
        return speaker

    def use(self, networks: Collection[NetworkName]) -> None:
        """Set the networks that the current work needs; the others are spare from now on."""
        self._in_use = frozenset(networks)
        for name in self._held:
            self._record(name)

    def note_workspace(self) -> None:
        """Record what the language model's cache takes now."""
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
        """Drop the networks that are not in use."""
        for name in self.held - self._in_use:
            self._drop(name)

    def drop_all(self) -> None:
        """Drop everything."""
        self._language_model = None
        self.note_workspace()
        for name in self.held:
            self._drop(name)

    def offload(self) -> None:
        """Move what is in use to the host; it comes back from there without reading a file.

        Raises:
            OutOfMemoryError: the host has no room for it; nothing was moved.
        """
        self.drop_workspace()
        self._language_model = None
        self.drop_spare()
        moving = sum(_bytes_of(self._held[name]) for name in self.held - self._offloaded)
        if moving > free_bytes(torch.device("cpu")):
            # nothing else would stop it: the system would end the process instead
            raise OutOfMemoryError("glmtts.no_room_on_host", size=f"{moving / GIB:.1f} GiB")
        for name, network in list(self._held.items()):
            if isinstance(network, nn.Module):
                network.to("cpu")
                self._offloaded.add(name)
                self._record(name)
            elif name is not NetworkName.SPEAKER:
                self._drop(name)

    def _get(self, name: NetworkName, load: Callable[[OnBytes], Any]) -> Any:
        if name not in self._held:
            # on the host nothing else would stop it: the system ends the process instead
            if self.source.size_bytes(name, self.device) > free_bytes(self.device):
                raise OutOfMemoryError("engine.out_of_memory")
            on_bytes = self._on_loading(name)
            on_bytes(0)
            self._held[name] = load(on_bytes)
            self._record(name)
        elif name in self._offloaded:
            self._held[name].to(self.device)
            self._offloaded.discard(name)
            self._record(name)
        return self._held[name]

    def _record(self, name: NetworkName) -> None:
        kind = LedgerKind.WEIGHTS if name in self._in_use else LedgerKind.SPARE_WEIGHTS
        on_host = name is NetworkName.SPEAKER or name in self._offloaded
        self._ledger.record(
            kind,
            self._owner,
            name.value,
            _bytes_of(self._held[name]),
            on_device=self.device.type == "cuda" and not on_host,
            part=_CHART_LAYERS[name],
        )
        for other in WEIGHT_KINDS - {kind}:
            self._ledger.forget(other, self._owner, name.value)

    def _drop(self, name: NetworkName) -> None:
        del self._held[name]
        self._offloaded.discard(name)
        for kind in WEIGHT_KINDS:
            self._ledger.forget(kind, self._owner, name.value)


def _ignore_loading(_name: NetworkName) -> OnBytes:
    return lambda _: None


def _bytes_of(network: Any) -> int:
    size: int = held_bytes(network) if isinstance(network, nn.Module) else network.weights_bytes
    return size
