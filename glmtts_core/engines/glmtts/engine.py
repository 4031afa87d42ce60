"""GLM-TTS as an engine: clones the voice of a recording.

Knows nothing about queues, sessions or pages, nor where its weights come from.
"""

from __future__ import annotations

import gc
import hashlib
import logging
from typing import Final

import torch

from glmtts_core.engines.base import (
    JobControl,
    Progress,
    ReferenceAudio,
    SpokenAudio,
    Stage,
    SynthesisRequest,
)
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.engines.capabilities import Capabilities, SampleRate
from glmtts_core.engines.checks import check_request
from glmtts_core.engines.glmtts.device_check import confirm_device
from glmtts_core.engines.glmtts.loading import LoadingReport
from glmtts_core.engines.glmtts.memory_shortage import MemoryShortage, free_bytes, shortage_of
from glmtts_core.engines.glmtts.network_set import (
    MAIN_PARTS,
    VOCODERS,
    NetworkSet,
    NetworkSource,
    OnBytes,
    Part,
)
from glmtts_core.engines.glmtts.networks.language_model import Spoken
from glmtts_core.engines.glmtts.precision import has_fast_bfloat16
from glmtts_core.engines.glmtts.reference_check import check_reference
from glmtts_core.engines.glmtts.sampling import SAMPLING_METHODS, Sampling
from glmtts_core.engines.glmtts.sentence_speaker import PREPARING, SentenceSpeaker, StageClock
from glmtts_core.engines.glmtts.spoken_history import SpokenHistory
from glmtts_core.engines.glmtts.text.spoken_text import sentences_of, transcript_of
from glmtts_core.engines.glmtts.voice_prompt import voice_prompt
from glmtts_core.engines.seeds import new_seed
from glmtts_core.errors import OutOfMemoryError, TextError
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.memory.ledger import Ledger
from glmtts_core.message import Problem
from glmtts_core.settings import Settings

_log = logging.getLogger(__name__)
#: Parts that only a new recording needs.
_PROMPT_PARTS: Final = (Part.SPEECH_TOKENIZER, Part.SPEAKER)
#: Brings the rules of both languages into memory.
_WARM_UP_TEXT: Final = "你好。\nhello"
_GIB: Final = 2**30


class GlmTtsEngine:
    """Speaks in the voice of a reference recording; the same seed always gives the same sound.

    Args:
        settings: longest text, threads.
        ledger: where weights and workspace are written down.
        device: "cpu" or "cuda:N" as the driver proposes; PyTorch confirms a GPU at the first
            loading.
        parts: where the networks come from.
        on_cpu: why the CPU was proposed although there may be a GPU.
    """

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        device: str,
        parts: NetworkSource,
        on_cpu: Problem | None = None,
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._source = parts
        self._on_cpu = on_cpu
        self._confirmed = False
        self._compute_on(torch.device(device))
        self._vocoder = Part.HIFT

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        on_cuda = self._device.type == "cuda"
        levels = (CleanupLevel.OFFLOAD,) if on_cuda else ()
        return Capabilities(
            engine=self._source.engine_name,
            device=str(self._device),
            voices=self._source.voices,
            voice_cloning=True,
            sample_rates=tuple(SampleRate(hz) for hz in self._source.sample_rates_hz),
            speed_range=None,
            sampling_methods=SAMPLING_METHODS,
            seed=True,
            kv_history=True,
            streaming=False,
            release_levels=(CleanupLevel.TRIM, *levels, CleanupLevel.UNLOAD),
            load_bytes=self._load_bytes,
            random_weights=self._source.random_weights,
            reads_alone=self._settings.text_frontend == "reference",
        )

    def _compute_on(self, device: torch.device) -> None:
        self._device = device
        self._networks = NetworkSet(self._source, device, self._ledger)
        self._known_load_bytes: int | None = None

    def _confirm_device(self) -> None:
        """Have PyTorch try the GPU, once; with GLMTTS_DEVICE=auto the CPU may take its place."""
        if self._confirmed:
            return
        found = confirm_device(self._device, self._settings.device)
        self._confirmed = True
        self._on_cpu = self._on_cpu or found.problem
        # the precisions may be others than they were thought to be
        self._compute_on(found.device)

    @property
    def _load_bytes(self) -> int:
        # the pages ask for it at every tick, and files are looked at for it
        known = self._known_load_bytes
        if known is None:
            known = sum(self._source.size_bytes(part, self._device) for part in MAIN_PARTS)
            self._known_load_bytes = known
        return known

    @property
    def loaded(self) -> bool:
        """Whether language model and flow are in memory; the rest comes when it is needed."""
        return self._networks.held.issuperset(MAIN_PARTS)

    @property
    def ready(self) -> bool:
        """Whether both are where they compute."""
        return self.loaded and not self._networks.offloaded.intersection(MAIN_PARTS)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What runs slower than it could on this machine, and why."""
        problems = [self._on_cpu, self._networks.problem]
        if self._settings.language_model_int8 and self._device.type != "cpu":
            problems.append(Problem("glmtts.int8_for_cpu", {"device": self._device}))
        if self._settings.flow_precision == "mixed" and not has_fast_bfloat16(self._device):
            problems.append(Problem("glmtts.mixed_is_slow", {"device": self._device}))
        return tuple(each for each in problems if each is not None)

    def load(self, control: JobControl) -> None:
        """Bring language model and flow into memory, or back from main memory.

        Raises:
            EngineError: PyTorch cannot use the GPU that was asked for by name.
            CheckpointError: a file is missing, damaged or of another network.
            OutOfMemoryError: there is not enough memory.
            SynthesisCancelled: the stop was asked for.
        """
        if self.ready:
            return
        control.report(Progress(Stage.LOADING, 0.0))
        self._confirm_device()
        if self._settings.threads:
            torch.set_num_threads(self._settings.threads)
        self._source.open()
        whole = self._load_bytes
        if (free := free_bytes(self._device)) < whole:
            raise self._too_large(whole, free)
        try:
            shortage = self._load_main(control, whole)
        except BaseException:
            self._networks.drop_all()
            raise
        if shortage is not None:
            self._let_go(CleanupLevel.UNLOAD)
            raise self._too_large(whole + shortage.wanted_bytes, free_bytes(self._device))
        control.report(Progress(Stage.LOADING, 1.0))

    def synthesize(
        self, request: SynthesisRequest, caches: SessionCaches, control: JobControl
    ) -> SpokenAudio:
        """Speak; loads first where that was not done.

        Raises:
            RequestError: the engine has no such rate, sampling method or voice, or no reference
                was given.
            AudioError: the reference cannot serve as a voice.
            TextError: the text is empty, too long, or holds nothing that can be spoken.
            OutOfMemoryError: there was not enough memory; all that is idle here is released
                and nothing of the request is held, so that it can be tried again.
            EngineError: a network failed; the next request works again.
            SynthesisCancelled: the stop was asked for.
        """
        check_request(request, self.capabilities, self._settings.max_text_chars)
        reference = request.reference or self._source.recording(request.voice)
        check_reference(reference)
        seed = new_seed() if request.seed is None else request.seed
        try:
            outcome = self._attempt(request, reference, seed, caches, control)
            needed = 0 if isinstance(outcome, SpokenAudio) else self._needed_bytes(outcome)
        finally:
            # the networks that took the recording apart are spare, however this has ended
            self._networks.use((*MAIN_PARTS, self._vocoder))
        if isinstance(outcome, MemoryShortage):
            self._let_go(CleanupLevel.TRIM)
            raise self._too_large(needed, free_bytes(self._device))
        return outcome

    def release(self, level: CleanupLevel) -> None:
        """Drop or move what ``level`` covers.

        A trim drops the cache of the language model and the networks that the latest settings do
        not use: speech tokenizer, speaker model, the other rate's vocoder.
        """
        if level is CleanupLevel.UNLOAD:
            self._networks.drop_all()
        elif level is CleanupLevel.OFFLOAD and self._device.type == "cuda":
            self._networks.offload()
        else:
            self._networks.drop_workspace()
            self._networks.drop_spare()

    def _load_main(self, control: JobControl, whole: int) -> MemoryShortage | None:
        try:
            self._networks.use((*MAIN_PARTS, self._vocoder))
            with self._networks.telling(LoadingReport(control, whole).of):
                self._networks.language_model()
                self._networks.flow()
            # the language rules too: what memory grows by later is what syntheses need
            sentences_of(_WARM_UP_TEXT, self._settings.text_frontend)
        except Exception as error:
            if (shortage := shortage_of(error)) is None:
                raise
            return shortage
        return None

    def _attempt(
        self,
        request: SynthesisRequest,
        reference: ReferenceAudio,
        seed: int,
        caches: SessionCaches,
        control: JobControl,
    ) -> SpokenAudio | MemoryShortage:
        """Speak, or tell that memory ran out; no tensor of a failed attempt stays alive."""

        def on_loading(part: Part) -> OnBytes:
            return LoadingReport(control, self._source.size_bytes(part, self._device)).of(part)

        try:
            self.load(control)
            # the networks' convolutions with one algorithm and in full precision, whatever the
            # rest of the process has chosen
            with (
                self._networks.telling(on_loading),
                torch.backends.cudnn.flags(
                    enabled=True, benchmark=False, deterministic=True, allow_tf32=False
                ),
            ):
                return self._spoken(request, reference, seed, caches, control)
        except Exception as error:
            if (shortage := shortage_of(error)) is None:
                raise
            return shortage

    def _spoken(
        self,
        request: SynthesisRequest,
        reference: ReferenceAudio,
        seed: int,
        caches: SessionCaches,
        control: JobControl,
    ) -> SpokenAudio:
        clock = StageClock()
        _enter(Stage.TEXT, clock, control)
        sentences = self._sentences(request.text)
        _enter(Stage.PROMPT, clock, control)
        self._vocoder = VOCODERS[request.sample_rate_hz]
        self._networks.use((*MAIN_PARTS, self._vocoder, *_PROMPT_PARTS))
        voice = voice_prompt(
            reference,
            request.sample_rate_hz,
            caches,
            self._networks,
            control.cancel,
            lambda done: control.report(Progress(Stage.PROMPT, PREPARING * done)),
        )
        self._networks.use((*MAIN_PARTS, self._vocoder))
        speaker = SentenceSpeaker(
            networks=self._networks,
            voice=voice,
            prompt=Spoken(self._transcript(reference), voice.speech),
            seed=seed,
            sampling=Sampling("topk" if request.sampling == "topk" else "ras"),
            sample_rate_hz=request.sample_rate_hz,
            history=self._history(reference, caches) if request.use_history else None,
            control=control,
            clock=clock,
        )
        sound = speaker.speak(sentences)
        clock.stop()
        control.report(Progress(Stage.WAVEFORM, 1.0, len(sentences), len(sentences)))
        return SpokenAudio(sound.numpy(), request.sample_rate_hz, clock.times())

    def _sentences(self, text: str) -> list[tuple[int, ...]]:
        encode = self._source.tokenizer.encode
        sentences = [
            tuple(encode(piece)) for piece in sentences_of(text, self._settings.text_frontend)
        ]
        if not any(sentences):
            raise TextError("text.unspeakable")
        return [each for each in sentences if each]

    def _transcript(self, reference: ReferenceAudio) -> tuple[int, ...]:
        text = transcript_of(reference.transcript, self._settings.text_frontend)
        return tuple(self._source.tokenizer.encode(text)) if text else ()

    def _history(self, reference: ReferenceAudio, caches: SessionCaches) -> SpokenHistory:
        spoken = hashlib.sha256(reference.transcript.encode("utf-8", "surrogatepass")).hexdigest()
        return SpokenHistory(
            caches,
            f"{reference.content_hash} {spoken[:16]}",
            on_device=self._device.type == "cuda",
        )

    def _let_go(self, level: CleanupLevel) -> None:
        """Release what is idle at once; the session's caches stay, they spare a retry work."""
        self.release(level)
        gc.collect()
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
            torch.cuda.empty_cache()

    def _needed_bytes(self, shortage: MemoryShortage) -> int:
        """Return the least that the request would have taken: what is held and what was refused."""
        parts = self._networks.held | self._networks.in_use
        weights = sum(self._source.size_bytes(part, self._device) for part in parts)
        return weights + self._networks.workspace_bytes + shortage.wanted_bytes

    def _too_large(self, needed: int, free: int) -> OutOfMemoryError:
        return OutOfMemoryError(
            "glmtts.out_of_memory",
            device=self._device,
            needed=f"{needed / _GIB:.1f} GiB",
            free=f"{free / _GIB:.1f} GiB",
        )


def _enter(stage: Stage, clock: StageClock, control: JobControl) -> None:
    clock.enter(stage)
    control.report(Progress(stage, 0.0))
    control.safe_point()
