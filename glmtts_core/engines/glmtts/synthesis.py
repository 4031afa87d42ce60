"""One request of GLM-TTS: from its text and recording to sound.

Knows nothing about checking requests, loading the main networks and running out of memory.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

from glmtts_core.engines.base import JobControl, Progress, SpokenAudio, Stage
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.engines.glmtts.network_set import NetworkSet
from glmtts_core.engines.glmtts.network_source import MAIN_NETWORKS, VOCODERS, NetworkName
from glmtts_core.engines.glmtts.networks.language_model import PromptEntry
from glmtts_core.engines.glmtts.sampling import Sampling
from glmtts_core.engines.glmtts.sentence_speaker import PREPARING, SentenceSpeaker
from glmtts_core.engines.glmtts.spoken_history import SpokenHistory
from glmtts_core.engines.glmtts.stage_clock import StageClock
from glmtts_core.engines.glmtts.text.spoken_text import Frontend, sentences_of, transcript_of
from glmtts_core.engines.glmtts.voice_prompt import VoicePrompt, voice_prompt
from glmtts_core.errors import TextError
from glmtts_core.speech import ReferenceAudio, SynthesisRequest

#: Networks that only a new recording needs.
_PROMPT_NETWORKS: Final = (NetworkName.SPEECH_TOKENIZER, NetworkName.SPEAKER)


@dataclass
class Synthesis:
    """Speaks one request.

    Attributes:
        request: checked.
        reference: the recording to clone, checked.
        seed: of all draws.
        networks: with the main networks loaded.
        frontend: who reads numbers and signs.
        caches: of the session.
        control: of the job.
    """

    request: SynthesisRequest
    reference: ReferenceAudio
    seed: int
    networks: NetworkSet
    frontend: Frontend
    caches: SessionCaches
    control: JobControl
    _clock: StageClock = field(default_factory=StageClock)

    def run(self) -> SpokenAudio:
        """Return the sound.

        Raises:
            TextError: nothing of the text can be spoken, or it is too long for the network.
            EngineError: a network failed.
            SynthesisCancelled: the job was cancelled.
        """
        self._enter(Stage.TEXT)
        sentences = self._sentences()
        self._enter(Stage.PROMPT)
        voice = self._voice()
        speaker = SentenceSpeaker(
            networks=self.networks,
            voice=voice,
            prompt=PromptEntry(self._transcript_ids(), voice.speech),
            seed=self.seed,
            sampling=Sampling("topk" if self.request.sampling == "topk" else "ras"),
            sample_rate_hz=self.request.sample_rate_hz,
            history=self._history() if self.request.history else None,
            control=self.control,
            clock=self._clock,
        )
        sound = speaker.speak(sentences)
        self._clock.stop()
        count = len(sentences)
        self.control.report(Progress(Stage.WAVEFORM, 1.0, count, count))
        return SpokenAudio(sound.numpy(), self.request.sample_rate_hz, self._clock.times())

    def _enter(self, stage: Stage) -> None:
        self._clock.enter(stage)
        self.control.report(Progress(stage, 0.0))
        self.control.safe_point()

    def _sentences(self) -> list[tuple[int, ...]]:
        """Return the ids of each sentence."""
        texts = sentences_of(self.request.text, self.frontend)
        sentences = [tuple(self.networks.source.text_ids(text)) for text in texts]
        if not any(sentences):
            raise TextError("text.unspeakable")
        return [each for each in sentences if each]

    def _voice(self) -> VoicePrompt:
        needed = (*MAIN_NETWORKS, VOCODERS[self.request.sample_rate_hz])
        self.networks.use((*needed, *_PROMPT_NETWORKS))
        voice = voice_prompt(
            self.reference,
            self.request.sample_rate_hz,
            self.caches,
            self.networks,
            self.control.cancel,
            lambda done: self.control.report(Progress(Stage.PROMPT, PREPARING * done)),
        )
        self.networks.use(needed)
        return voice

    def _transcript_ids(self) -> tuple[int, ...]:
        text = transcript_of(self.reference.transcript, self.frontend)
        return tuple(self.networks.source.text_ids(text)) if text else ()

    def _history(self) -> SpokenHistory:
        transcript = self.reference.transcript.encode("utf-8", "surrogatepass")
        digest = hashlib.sha256(transcript).hexdigest()
        return SpokenHistory(
            self.caches,
            f"{self.reference.content_hash} {digest[:16]}",
            on_device=self.networks.device.type == "cuda",
        )
