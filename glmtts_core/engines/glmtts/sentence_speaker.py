"""Speaking the sentences of one request: speech tokens, mel, waveform, each in its stage.

Knows nothing about loading, retrying and texts before they are ids.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import torch
from torch import Tensor

from glmtts_core.engines.base import JobControl, Progress, Stage
from glmtts_core.engines.glmtts.network_set import NetworkSet
from glmtts_core.engines.glmtts.network_source import VOCODERS, NetworkName
from glmtts_core.engines.glmtts.networks.language_model import PromptEntry
from glmtts_core.engines.glmtts.sampling import Sampling
from glmtts_core.engines.glmtts.spoken_history import MAX_SPEECH_TOKENS, SpokenHistory, pruned
from glmtts_core.engines.glmtts.stage_clock import StageClock
from glmtts_core.engines.glmtts.voice_prompt import VoicePrompt
from glmtts_core.errors import EngineError

#: Where each stage begins within its sentence, as a share of it.
_BEGINS: Final = {Stage.SPEECH_TOKENS: 0.0, Stage.MEL: 0.7, Stage.WAVEFORM: 0.95}
#: Share of a request that goes into text and prompt.
PREPARING: Final = 0.05


@dataclass
class SentenceSpeaker:
    """Speaks the sentences of one request.

    Attributes:
        networks: with the main networks loaded.
        voice: of the recording.
        prompt: the recording's text and speech, the first entry of every prompt.
        seed: of every sentence.
        sampling: how speech tokens are drawn.
        sample_rate_hz: of the waveform.
        history: what was spoken before; None where each sentence stands alone.
        control: of the job.
        clock: measures the stages.
    """

    networks: NetworkSet
    voice: VoicePrompt
    prompt: PromptEntry
    seed: int
    sampling: Sampling
    sample_rate_hz: int
    history: SpokenHistory | None
    control: JobControl
    clock: StageClock
    _number: int = 0
    _count: int = 0
    _done_share: float = 0.0
    _share: float = 1.0
    _spoken: list[PromptEntry] = field(default_factory=list)

    def speak(self, sentences: Sequence[tuple[int, ...]]) -> Tensor:
        """Return the sound of all sentences one after another, float32, shape (S,), on the host.

        Raises:
            SynthesisCancelled: the job was cancelled.
            EngineError: a network returned values that are not finite.
        """
        self._count = len(sentences)
        whole = sum(map(len, sentences))
        # the history is extended at the end only, so that a failed request leaves it unchanged
        self._spoken = [] if self.history is None else list(self.history.entries())
        positions = self._positions(sentences)
        sounds = []
        for number, text in enumerate(sentences, start=1):
            self._number, self._share = number, len(text) / whole
            speech = self._speech(text, positions)
            # serves the flow's noise first, then the vocoder's
            noise = torch.Generator(self.networks.device).manual_seed(self.seed)
            sounds.append(self._waveform(self._mel(speech, noise), noise))
            self._done_share += self._share
        if self.history is not None:
            self.history.keep(self._spoken)
        return torch.cat(sounds)

    def _positions(self, sentences: Sequence[tuple[int, ...]]) -> int:
        """Return the cache positions for the longest sentence with its longest possible prompt."""
        model = self.networks.language_model()
        longest = max(map(len, sentences))
        plain = model.positions((self.prompt,), longest)
        if self.history is None:
            return plain
        texts = sum(len(each.text) for each in self._spoken) + sum(map(len, sentences))
        return plain + texts + max(0, MAX_SPEECH_TOKENS - len(self.prompt.speech))

    def _speech(self, text: tuple[int, ...], positions: int) -> tuple[int, ...]:
        self._enter(Stage.SPEECH_TOKENS)
        prompt: tuple[PromptEntry, ...] = (self.prompt,)
        if self.history is not None:
            prompt = pruned((self.prompt, *self._spoken), len(text))
            self._spoken = list(prompt[1:])
        try:
            spoken = self.networks.language_model().speak(
                prompt,
                text,
                seed=self.seed,
                sampling=self.sampling,
                cancel=self.control.cancel,
                bounds=self.networks.source.bounds(len(text)),
                positions=positions,
                keep_prefix=self.history is not None,
                prefix=None if self.history is None else self.history.prefix(),
                on_token=self._report_tokens,
            )
        finally:
            # the cache stays for the next sentence, however this one ends
            self.networks.note_workspace()
        if self.history is not None:
            self._spoken.append(PromptEntry(text, spoken.speech))
            if spoken.prefix is not None:
                self.history.keep_prefix(spoken.prefix)
        return spoken.speech

    @torch.inference_mode()
    def _mel(self, speech: tuple[int, ...], noise: torch.Generator) -> Tensor:
        """Return the log-mel, shape (1, 80, M)."""
        self._enter(Stage.MEL)
        tokens = torch.tensor([speech], dtype=torch.int64, device=self.networks.device)

        def on_step(step: int, steps: int) -> None:
            self.control.cancel.raise_if_cancelled()
            self._report(Stage.MEL, step / steps)

        flow = self.networks.flow()
        return flow.generate(tokens, self.voice.for_flow, noise, on_step)

    @torch.inference_mode()
    def _waveform(self, mel: Tensor, noise: torch.Generator) -> Tensor:
        """Return the sound, shape (S,), on the host."""
        self._enter(Stage.WAVEFORM)
        vocoder = self._vocoder(noise)
        # loading it reported another stage, and not every loading can be cancelled
        self.control.cancel.raise_if_cancelled()
        self._report(Stage.WAVEFORM, 0.0)
        sound = vocoder(mel)
        if not bool(torch.isfinite(sound).all()):
            raise EngineError("glmtts.not_finite")
        return sound[0].float().clamp(-1.0, 1.0).cpu()

    def _vocoder(self, noise: torch.Generator) -> Callable[[Tensor], Tensor]:
        """Return the vocoder of the sample rate; loads it first if needed."""
        if VOCODERS[self.sample_rate_hz] is NetworkName.VOCOS:
            return self.networks.vocos().decode
        hift = self.networks.hift()
        return lambda mel: hift.generate(mel, noise)

    def _enter(self, stage: Stage) -> None:
        self.clock.enter(stage)
        self._report(stage, 0.0)
        self.control.safe_point()

    def _report_tokens(self, tokens: int, most: int) -> None:
        self._report(Stage.SPEECH_TOKENS, tokens / most, tokens, most)

    def _report(self, stage: Stage, done: float, tokens: int = 0, most_tokens: int = 0) -> None:
        begins = _BEGINS[stage]
        later = [each for each in _BEGINS.values() if each > begins]
        within = begins + (min(later, default=1.0) - begins) * done
        fraction = PREPARING + (1.0 - PREPARING) * (self._done_share + self._share * within)
        self.control.report(
            Progress(stage, min(1.0, fraction), self._number, self._count, tokens, most_tokens)
        )
