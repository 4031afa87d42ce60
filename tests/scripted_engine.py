"""A deterministic engine for tests: a tone a character, with faults and waits at will."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from glmtts_core.engines.base import (
    CancelToken,
    JobControl,
    Progress,
    SpokenAudio,
    Stage,
    StageTime,
)
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.engines.capabilities import Capabilities, SampleRate, Voice
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.memory.ledger import Ledger, LedgerKind
from glmtts_core.message import Message
from glmtts_core.settings import Settings
from glmtts_core.speech import SynthesisRequest

WEIGHTS_BYTES = 8 * 2**20
PIECES = 3


class ScriptedEngine:
    """Speaks a quiet tone in three pieces.

    Attributes:
        gate: clear it to hold every piece until it is set again.
        loading_gate: clear it to hold the loading until it is set again.
        reached: set whenever a piece waits at the gate or passes it.
        fail_with: raised instead of the second piece.
        fail_loading_with: raised while loading.
        fail_releasing_with: raised while releasing.
        messages: what it says to run slower than it could.
        offloaded: whether its weights wait elsewhere.
        released: the levels of the releases so far.
        spoken: the texts spoken so far.
        requests: what was asked for so far.
        threads: names of the threads on which it was asked to work.
    """

    def __init__(self, settings: Settings, ledger: Ledger, load_bytes: int = 0) -> None:
        self.load_bytes = load_bytes
        self.messages: tuple[Message, ...] = ()
        self.gate = threading.Event()
        self.gate.set()
        self.loading_gate = threading.Event()
        self.loading_gate.set()
        self.reached = threading.Event()
        self.fail_with: Callable[[], BaseException] | None = None
        self.fail_loading_with: Callable[[], BaseException] | None = None
        self.fail_releasing_with: Callable[[], BaseException] | None = None
        self.offloaded = False
        self.released: list[CleanupLevel] = []
        self.spoken: list[str] = []
        self.requests: list[SynthesisRequest] = []
        self.threads: set[str] = set()
        self._ledger = ledger
        self._weights: np.ndarray | None = None

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            engine="Scripted",
            device="cpu",
            voices=(
                Voice("alpha", "kokoro.voice.jf_alpha"),
                Voice("kumo", "kokoro.voice.jm_kumo"),
            ),
            voice_cloning=False,
            sample_rates=(SampleRate(24_000), SampleRate(32_000, resampled=True)),
            speed_range=(0.5, 2.0),
            sampling_methods=(),
            seed=False,
            history=False,
            release_levels=(CleanupLevel.TRIM, CleanupLevel.UNLOAD),
            load_bytes=self.load_bytes,
        )

    @property
    def loaded(self) -> bool:
        return self._weights is not None

    @property
    def ready(self) -> bool:
        return self.loaded and not self.offloaded

    def load(self, control: JobControl) -> None:
        self.threads.add(threading.current_thread().name)
        control.report(Progress(Stage.LOADING, 0.5))
        while not self.loading_gate.wait(0.002):
            control.safe_point()
        if self.fail_loading_with is not None:
            raise self.fail_loading_with()
        self.offloaded = False
        self._weights = np.ones(WEIGHTS_BYTES, np.uint8)
        self._ledger.record(LedgerKind.WEIGHTS, "engine", self._name, WEIGHTS_BYTES)

    def synthesize(
        self, request: SynthesisRequest, caches: SessionCaches, control: JobControl
    ) -> SpokenAudio:
        self.threads.add(threading.current_thread().name)
        self.requests.append(request)
        for piece in range(1, PIECES + 1):
            control.report(Progress(Stage.WAVEFORM, (piece - 1) / PIECES, piece, PIECES))
            self.reached.set()
            while not self.gate.wait(0.002):
                control.safe_point()
            control.safe_point()
            if piece == 2 and self.fail_with is not None:
                raise self.fail_with()
        self.spoken.append(request.text)
        frames = request.sample_rate_hz // 10 * max(1, len(request.text))
        times_s = np.arange(frames) / request.sample_rate_hz
        samples = (0.1 * np.sin(2 * np.pi * 220 * times_s)).astype(np.float32)
        return SpokenAudio(samples, request.sample_rate_hz, (StageTime(Stage.WAVEFORM, 0.01),))

    def release(self, level: CleanupLevel) -> None:
        self.threads.add(threading.current_thread().name)
        self.released.append(level)
        if self.fail_releasing_with is not None:
            raise self.fail_releasing_with()
        if level is CleanupLevel.UNLOAD:
            self._weights = None
            self._ledger.forget(LedgerKind.WEIGHTS, "engine", self._name)
        self.offloaded = level is CleanupLevel.OFFLOAD and self.loaded

    @property
    def _name(self) -> str:
        return self.capabilities.engine


class CloningEngine(ScriptedEngine):
    """The scripted engine with all that an engine can have: cloning, seed, sampling, history."""

    @property
    def capabilities(self) -> Capabilities:
        return replace(
            super().capabilities,
            engine="Cloning",
            voice_cloning=True,
            sampling_methods=("ras", "topk"),
            seed=True,
            history=True,
        )


class VoicelessEngine(CloningEngine):
    """Speaks in nothing but the voice of a recording."""

    @property
    def capabilities(self) -> Capabilities:
        return replace(super().capabilities, engine="Voiceless", voices=())


class NativeEngine(ScriptedEngine):
    """Two voices of each language, and one that is native to neither."""

    @property
    def capabilities(self) -> Capabilities:
        voices = (
            Voice("mei", "kokoro.voice.zf_xiaobei", "zh"),
            Voice("lin", "kokoro.voice.zm_yunxi", "zh"),
            Voice("ann", "kokoro.voice.af_heart", "en"),
            Voice("sam", "kokoro.voice.am_michael", "en"),
            Voice("kumo", "kokoro.voice.jm_kumo"),
        )
        return replace(super().capabilities, engine="Native", voices=voices)

    def synthesize(
        self, request: SynthesisRequest, caches: SessionCaches, control: JobControl
    ) -> SpokenAudio:
        request = self.capabilities.with_voice(request)
        spoken_by = (request.voice, request.second_voice)
        spoken = super().synthesize(request, caches, control)
        return replace(spoken, voices=tuple(voice for voice in spoken_by if voice is not None))


class LoadOnly:
    """The `JobControl` of an engine that is loaded without a studio."""

    cancel = CancelToken()

    def report(self, progress: Progress) -> None: ...

    def safe_point(self) -> None: ...
