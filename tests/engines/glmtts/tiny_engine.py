"""Parts of the tests of this engine: a job's control, a recording, an engine on tiny networks."""

from __future__ import annotations

import gc
from collections.abc import Callable

import numpy as np
import torch

from glmtts_core.engines.base import CancelToken, Progress, Stage
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.engines.glmtts.decoding import SpeechIds
from glmtts_core.engines.glmtts.engine import GlmTtsEngine
from glmtts_core.engines.glmtts.network_source import NetworkSource
from glmtts_core.engines.glmtts.networks.flow_config import FlowConfig
from glmtts_core.engines.glmtts.networks.hift import HiftConfig
from glmtts_core.engines.glmtts.networks.llama import LlamaConfig
from glmtts_core.engines.glmtts.networks.speech_tokenizer_config import (
    SpeechTokenizerConfig,
)
from glmtts_core.engines.glmtts.rehearsal import OFFICIAL_SIZE, RehearsalSize
from glmtts_core.memory.ledger import Ledger
from glmtts_core.settings import Settings
from glmtts_core.speech import ReferenceAudio, SynthesisRequest

_CODES = 64
TINY_SIZE = RehearsalSize(
    llama=LlamaConfig(
        vocab_size=200,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        rms_norm_eps=1e-5,
    ),
    ids=SpeechIds(first_audio=100, last_audio=100 + _CODES - 1, begin_audio=90, end_audio=91),
    flow=FlowConfig(
        token_channels=16,
        vocabulary=_CODES,
        token_blocks=1,
        width=32,
        blocks=1,
        heads=2,
        head_width=16,
    ),
    hift=HiftConfig(channels=16, pitch_channels=8),
    speech_tokenizer=SpeechTokenizerConfig(
        d_model=16,
        encoder_attention_heads=2,
        encoder_ffn_dim=32,
        num_mel_bins=128,
        max_source_positions=1500,
        pooling_kernel_size=2,
        pooling_position=1,
        quantize_position=1,
        quantize_vocab_size=_CODES,
        quantize_causal_block_size=200,
    ),
)
assert TINY_SIZE != OFFICIAL_SIZE


class Control:
    """A job's control that remembers what it was told.

    Attributes:
        reports: everything reported.
        at_safe_point: called at each safe point.
        on_report: called at each report.
    """

    def __init__(self) -> None:
        self.cancel = CancelToken()
        self.reports: list[Progress] = []
        self.at_safe_point: Callable[[], None] = lambda: None
        self.on_report: Callable[[Progress], None] = lambda _: None

    def report(self, progress: Progress) -> None:
        self.reports.append(progress)
        self.on_report(progress)

    def safe_point(self) -> None:
        self.cancel.raise_if_cancelled()
        self.at_safe_point()
        self.cancel.raise_if_cancelled()

    def stages(self) -> list[Stage]:
        """The stages in order, each once for every time that it began."""
        found = [each.stage for each in self.reports]
        return [
            stage for index, stage in enumerate(found) if index == 0 or stage != found[index - 1]
        ]


class Rig:
    """An engine with its ledger and one session's caches."""

    def __init__(self, settings: Settings, parts: NetworkSource) -> None:
        self.ledger = Ledger()
        self.caches = SessionCaches("anna", self.ledger)
        self.engine = GlmTtsEngine(settings, self.ledger, "cpu", parts)
        self.control = Control()

    def speak(self, request: SynthesisRequest, **changes) -> np.ndarray:
        """Return the sound of ``request`` with ``changes``."""
        asked = request.changed(**changes)
        return self.engine.synthesize(asked, self.caches, self.control).samples


def recording(seconds: float = 3.2, rate_hz: int = 16_000, seed: int = 0, **more) -> ReferenceAudio:
    """Return noise that swells and falls like speech."""
    frames = int(seconds * rate_hz)
    noise = np.random.default_rng(seed).standard_normal(frames)
    swell = np.sin(np.linspace(0, 3 * np.pi * seconds, frames)) ** 2
    samples = (0.1 * noise * swell).astype(np.float32)
    more.setdefault("transcript", "hello hello")
    return ReferenceAudio(samples, rate_hz, "anna.wav", **more)


def request(text: str = "你好。", **more) -> SynthesisRequest:
    """Return a request with a recording and a seed."""
    more.setdefault("reference", recording())
    more.setdefault("seed", 1)
    return SynthesisRequest(text=text, voice=None, **more)


def living_tensor_bytes() -> int:
    """Return the bytes of the storages of all tensors that are alive on the host."""
    gc.collect()
    # by type: asking some lazy objects of libraries for their class makes them warn
    tensors = [each for each in gc.get_objects() if issubclass(type(each), torch.Tensor)]
    storages = {
        each.untyped_storage().data_ptr(): each.untyped_storage().nbytes()
        for each in tensors
        if each.device.type == "cpu"
    }
    return sum(storages.values())
