"""GLM-TTS as an engine: clones the voice of a recording.

Knows nothing about queues, sessions or pages, nor where its weights come from.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable
from typing import Final

import torch

from glmtts_core.byte_units import GIB
from glmtts_core.engines.base import JobControl, Progress, SpokenAudio, Stage
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.engines.capabilities import Capabilities, SampleRate
from glmtts_core.engines.checks import check_request
from glmtts_core.engines.glmtts.device_check import confirm_device
from glmtts_core.engines.glmtts.loading import LoadingReport
from glmtts_core.engines.glmtts.memory_shortage import MemoryShortage, free_bytes, shortage_of
from glmtts_core.engines.glmtts.network_set import NetworkSet
from glmtts_core.engines.glmtts.network_source import (
    MAIN_NETWORKS,
    VOCODERS,
    NetworkName,
    NetworkSource,
    OnBytes,
)
from glmtts_core.engines.glmtts.precision import has_fast_bfloat16
from glmtts_core.engines.glmtts.reference_check import check_reference
from glmtts_core.engines.glmtts.sampling import SAMPLING_METHODS
from glmtts_core.engines.glmtts.synthesis import Synthesis
from glmtts_core.engines.glmtts.text.spoken_text import sentences_of
from glmtts_core.errors import OutOfMemoryError
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.memory.ledger import Ledger
from glmtts_core.message import Message
from glmtts_core.settings import Settings
from glmtts_core.speech import ReferenceAudio, SynthesisRequest, new_seed

#: Loads the text rules of both languages.
_WARM_UP_TEXT: Final = "你好。\nhello"


class GlmTtsEngine:
    """Speaks in the voice of a reference recording; the same seed always gives the same sound.

    Args:
        settings: longest text, threads.
        ledger: records weights and workspace.
        device: "cpu" or "cuda:N" as the driver proposes; PyTorch confirms a GPU at the first
            loading.
        source: loads the networks.
        on_cpu: why the CPU was proposed although there may be a GPU.
    """

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        device: str,
        source: NetworkSource,
        on_cpu: Message | None = None,
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._source = source
        self._on_cpu = on_cpu
        self._confirmed = False
        self._compute_on(torch.device(device))
        self._vocoder = NetworkName.HIFT

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
            history=True,
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
        """Have PyTorch try the GPU, once; with GLMTTS_DEVICE=auto the CPU may replace it."""
        if self._confirmed:
            return
        found = confirm_device(self._device, self._settings.device)
        self._confirmed = True
        self._on_cpu = self._on_cpu or found.message
        # now that PyTorch has opened the device, other precisions may suit it
        self._compute_on(found.device)

    @property
    def _load_bytes(self) -> int:
        # remembered: the pages ask for it at every tick, and it takes looking at files
        if self._known_load_bytes is None:
            self._known_load_bytes = self._size_bytes(MAIN_NETWORKS)
        return self._known_load_bytes

    def _size_bytes(self, networks: Iterable[NetworkName]) -> int:
        """Return about what the networks take in memory once loaded."""
        return sum(self._source.size_bytes(name, self._device) for name in networks)

    @property
    def loaded(self) -> bool:
        """Whether language model and flow are in memory; the rest is loaded on demand."""
        return self._networks.held.issuperset(MAIN_NETWORKS)

    @property
    def ready(self) -> bool:
        """Whether both are on the device where they compute."""
        return self.loaded and not self._networks.offloaded.intersection(MAIN_NETWORKS)

    @property
    def messages(self) -> tuple[Message, ...]:
        """What runs slower than it could on this machine, and why."""
        messages = [self._on_cpu, self._networks.message]
        if self._settings.language_model_int8 and self._device.type != "cpu":
            messages.append(Message("glmtts.int8_for_cpu", {"device": self._device}))
        if self._settings.flow_precision == "mixed" and not has_fast_bfloat16(self._device):
            messages.append(Message("glmtts.mixed_is_slow", {"device": self._device}))
        return tuple(each for each in messages if each is not None)

    def load(self, control: JobControl) -> None:
        """Bring language model and flow into memory, or back from main memory.

        Raises:
            EngineError: PyTorch cannot use the GPU that was asked for by name.
            CheckpointError: a file is missing, damaged or of another network.
            OutOfMemoryError: there is not enough memory.
            SynthesisCancelled: the job was cancelled.
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
        """Speak; loads first if needed.

        Raises:
            RequestError: the engine has no such rate, sampling method or voice, or no reference
                was given.
            AudioError: the reference cannot serve as a voice.
            TextError: the text is empty, too long, or contains nothing that can be spoken.
            OutOfMemoryError: there was not enough memory; idle memory was released and nothing
                of the request is held, so that it can be tried again.
            EngineError: a network failed; the next request works again.
            SynthesisCancelled: the job was cancelled.
        """
        check_request(request, self.capabilities, self._settings.max_text_chars)
        reference = request.reference or self._source.recording(request.voice)
        check_reference(reference)
        seed = new_seed() if request.seed is None else request.seed
        try:
            outcome = self._attempt(request, reference, seed, caches, control)
            needed = 0 if isinstance(outcome, SpokenAudio) else self._needed_bytes(outcome)
        finally:
            # the networks that analysed the recording are spare, however this has ended
            self._networks.use((*MAIN_NETWORKS, self._vocoder))
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
            self._networks.use((*MAIN_NETWORKS, self._vocoder))
            with self._networks.reporting(LoadingReport(control, whole).of):
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
        """Speak, or return that memory ran out; no tensor of a failed attempt stays alive."""

        def on_loading(name: NetworkName) -> OnBytes:
            return LoadingReport(control, self._size_bytes((name,))).of(name)

        frontend = self._settings.text_frontend
        try:
            self.load(control)
            self._vocoder = VOCODERS[request.sample_rate_hz]
            # the networks' convolutions with one algorithm and in full precision, whatever the
            # rest of the process has chosen
            with (
                self._networks.reporting(on_loading),
                torch.backends.cudnn.flags(
                    enabled=True, benchmark=False, deterministic=True, allow_tf32=False
                ),
            ):
                return Synthesis(
                    request, reference, seed, self._networks, frontend, caches, control
                ).run()
        except Exception as error:
            if (shortage := shortage_of(error)) is None:
                raise
            return shortage

    def _let_go(self, level: CleanupLevel) -> None:
        """Release idle memory at once; the session's caches stay and speed up a retry."""
        self.release(level)
        gc.collect()
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
            torch.cuda.empty_cache()

    def _needed_bytes(self, shortage: MemoryShortage) -> int:
        """Return the least that the request needs: what is held and the failed allocation."""
        weights = self._size_bytes(self._networks.held | self._networks.in_use)
        return weights + self._networks.workspace_bytes + shortage.wanted_bytes

    def _too_large(self, needed: int, free: int) -> OutOfMemoryError:
        return OutOfMemoryError(
            "glmtts.out_of_memory",
            device=self._device,
            needed=f"{needed / GIB:.1f} GiB",
            free=f"{free / GIB:.1f} GiB",
        )
