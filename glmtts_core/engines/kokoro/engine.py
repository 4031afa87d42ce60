"""The built-in voices: Kokoro-82M on the CPU, for Mandarin, English and both mixed.

Knows nothing about queues, sessions or pages.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from glmtts_core.audio import Samples, resample
from glmtts_core.engines.base import (
    JobControl,
    Progress,
    SpokenAudio,
    Stage,
    StageTime,
)
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.engines.capabilities import Capabilities
from glmtts_core.engines.checks import check_request
from glmtts_core.engines.kokoro.capabilities import CAPABILITIES, SAMPLE_RATE_HZ
from glmtts_core.engines.kokoro.joining import joined, trimmed
from glmtts_core.engines.kokoro.model_file import (
    japanese_voices_path,
    model_path,
    native_voices_path,
)
from glmtts_core.engines.kokoro.network import KokoroNetwork
from glmtts_core.engines.kokoro.phonemes import Phonemizer, Piece
from glmtts_core.engines.kokoro.voices import VOICES
from glmtts_core.errors import EngineError, TextError
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.memory.ledger import Ledger, LedgerKind
from glmtts_core.message import Message
from glmtts_core.settings import Settings
from glmtts_core.speech import SynthesisRequest

_OWNER: Final = "engine"
_WEIGHTS_NAME: Final = "kokoro-82m"
#: Share of a job's progress for the text.
_TEXT_SHARE: Final = 0.03
_WARM_UP_TEXT: Final = "好"


@dataclass(frozen=True, slots=True)
class _Loaded:
    network: KokoroNetwork
    phonemizer: Phonemizer


@dataclass(frozen=True, slots=True)
class _ModelRun:
    """The token numbers of one piece, and the voice that speaks it."""

    tokens: list[int]
    voice: str


class KokoroEngine:
    """The `Engine` of the built-in voice; the same request always gives the same sound.

    Args:
        settings: cache folder, threads and the longest text.
        ledger: records the weights.
    """

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self._settings = settings
        self._ledger = ledger
        self._loaded: _Loaded | None = None

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        return CAPABILITIES

    @property
    def loaded(self) -> bool:
        """Whether the weights are in memory."""
        return self._loaded is not None

    @property
    def ready(self) -> bool:
        """The same as `loaded`: the weights are never offloaded."""
        return self.loaded

    @property
    def messages(self) -> tuple[Message, ...]:
        """None: this engine always runs the same way."""
        return ()

    def load(self, control: JobControl) -> None:
        """Bring weights and language rules into memory, and run once on a single syllable.

        Everything large is loaded here, so that memory grows later only by what syntheses need.

        Raises:
            ModelFileError: the model file cannot be assembled or read.
            OutOfMemoryError: there is not enough memory.
            SynthesisCancelled: the job was cancelled.
        """
        if self._loaded is not None:
            return
        cache_dir, threads = self._settings.cache_dir, self._settings.threads
        control.report(Progress(Stage.LOADING, 0.0))
        model_file = model_path(cache_dir)
        _loading(control, 0.1)
        voices_files = (native_voices_path(), japanese_voices_path())
        network = KokoroNetwork(model_file, voices_files, threads)
        phonemizer = Phonemizer(cache_dir)
        steps: tuple[tuple[Callable[[], None], float], ...] = (
            (phonemizer.load_english, 0.3),
            (phonemizer.load_mandarin, 0.95),
        )
        _loading(control, 0.2)
        for step, fraction in steps:
            step()
            _loading(control, fraction)
        warm_up = phonemizer.tokens(phonemizer.pieces(_WARM_UP_TEXT)[0].phonemes)
        network.speak(warm_up, VOICES[0].id, 1.0, control.cancel)
        network.shrink()
        self._ledger.record(LedgerKind.WEIGHTS, _OWNER, _WEIGHTS_NAME, network.weights_bytes)
        self._loaded = _Loaded(network, phonemizer)
        control.report(Progress(Stage.LOADING, 1.0))

    def synthesize(
        self,
        request: SynthesisRequest,
        caches: SessionCaches,  # noqa: ARG002 - this voice keeps nothing between syntheses
        control: JobControl,
    ) -> SpokenAudio:
        """Speak; loads first if needed.

        A seed is accepted: nothing is drawn at random, so every seed gives the same sound.

        Raises:
            RequestError: an unknown voice, a second voice for no other language, a speed or rate
                out of range, or a reference, history or sampling method, which are not supported.
            TextError: the text is empty, too long, or contains nothing that can be spoken.
            EngineError: the network failed; the next request works again.
            SynthesisCancelled: the job was cancelled.
        """
        check_request(request, CAPABILITIES, self._settings.max_text_chars)
        request = CAPABILITIES.with_voice(request)
        self.load(control)
        if self._loaded is None:
            raise EngineError("kokoro.not_loaded")
        network, phonemizer = self._loaded.network, self._loaded.phonemizer
        started_s = time.monotonic()
        control.report(Progress(Stage.TEXT, 0.0))
        pieces = phonemizer.pieces(
            request.text,
            control.cancel.raise_if_cancelled,
            by_language=request.second_voice is not None,
            default=CAPABILITIES.language_of_figures(request.voice),
        )
        if not pieces:
            raise TextError("text.unspeakable")
        text_done_s = time.monotonic()
        runs = [
            _ModelRun(phonemizer.tokens(piece.phonemes), _voice_of(piece, request))
            for piece in pieces
        ]
        sounds = _spoken(network, runs, request.speed, control)
        samples = _timeline(sounds, pieces, request)
        ended_s = time.monotonic()
        control.report(Progress(Stage.WAVEFORM, 1.0, len(pieces), len(pieces)))
        return SpokenAudio(
            samples,
            request.sample_rate_hz,
            (
                StageTime(Stage.TEXT, text_done_s - started_s),
                StageTime(Stage.WAVEFORM, ended_s - text_done_s),
            ),
            tuple(dict.fromkeys(run.voice for run in runs)),
        )

    def release(self, level: CleanupLevel) -> None:
        """Give the arena's free blocks back; for `UNLOAD` drop the weights."""
        loaded = self._loaded
        if loaded is None:
            return
        if level is CleanupLevel.UNLOAD:
            self._loaded = None
            self._ledger.forget(LedgerKind.WEIGHTS, _OWNER, _WEIGHTS_NAME)
        else:
            loaded.network.shrink()


def _loading(control: JobControl, fraction: float) -> None:
    control.report(Progress(Stage.LOADING, fraction))
    control.safe_point()


def _voice_of(piece: Piece, request: SynthesisRequest) -> str:
    """Return the voice of a piece: the second voice speaks the pieces in its own language."""
    second = CAPABILITIES.voice(request.second_voice)
    if second is not None and second.language == piece.language:
        return second.id
    if request.voice is None:
        raise AssertionError("it was filled in")
    return request.voice


def _spoken(
    network: KokoroNetwork, runs: list[_ModelRun], speed: float, control: JobControl
) -> list[Samples]:
    """Run the network over the tokens of each piece; between two, trim or cancel if asked to."""
    whole, done = sum(len(run.tokens) for run in runs), 0
    sounds: list[Samples] = []
    for number, run in enumerate(runs, start=1):
        fraction = _TEXT_SHARE + (1.0 - _TEXT_SHARE) * done / whole
        control.report(Progress(Stage.WAVEFORM, fraction, number, len(runs)))
        control.safe_point()
        sound = network.speak(run.tokens, run.voice, speed, control.cancel)
        sounds.append(trimmed(sound, SAMPLE_RATE_HZ))
        done += len(run.tokens)
    return sounds


def _timeline(sounds: list[Samples], pieces: list[Piece], request: SynthesisRequest) -> Samples:
    """Join the pieces and resample them to the requested rate."""
    pauses_s = [piece.pause_s / request.speed for piece in pieces]
    whole = resample(
        joined(sounds, pauses_s, SAMPLE_RATE_HZ), SAMPLE_RATE_HZ, request.sample_rate_hz
    )
    # a band-limited resampler may overshoot a clipped peak
    return np.clip(whole, -1.0, 1.0)
