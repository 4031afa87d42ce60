"""From text ids to speech tokens: the language model with its prompt, its bounds and its memory.

Knows nothing about recordings, sentences of a text or sessions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

import torch

from glmtts_core.engines.base import CancelToken
from glmtts_core.engines.glmtts.decoding import Capture, Decoder, SpeechIds, cuda_graph_capture
from glmtts_core.engines.glmtts.networks.kv_cache import KVPrefix
from glmtts_core.engines.glmtts.networks.llama import Llama
from glmtts_core.engines.glmtts.sampling import Sampling
from glmtts_core.errors import TextError
from glmtts_core.message import Message

#: Speech tokens for each text token: at least, at most.
MIN_SPEECH_RATIO: Final = 2
MAX_SPEECH_RATIO: Final = 20
#: Caches come in steps of so many positions, so that one serves many requests.
_CAPACITY_STEP: Final = 256
#: Tokens between two looks at the device for the end; on the CPU there is nothing to wait for.
_LOOK_EVERY_ON_CUDA: Final = 4


@dataclass(frozen=True, slots=True)
class PromptEntry:
    """A text and its speech, as they stand in a prompt.

    Attributes:
        text: its ids.
        speech: its speech tokens, from 0.
    """

    text: tuple[int, ...]
    speech: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SpeechBounds:
    """The fewest and the most speech tokens of a sentence."""

    least: int
    most: int

    @classmethod
    def for_text(cls, ids: int) -> SpeechBounds:
        """Return the bounds of the reference for a text of ``ids`` ids."""
        return cls(MIN_SPEECH_RATIO * ids, MAX_SPEECH_RATIO * ids)


@dataclass(frozen=True)
class SpokenSentence:
    """What the language model made of a sentence.

    Attributes:
        speech: speech tokens from 0, without the end.
        prefix: keys and values of the prompt's texts, where they were to be kept.
    """

    speech: tuple[int, ...]
    prefix: KVPrefix | None = None


class LanguageModel:
    """Speaks one sentence after another in the voice of a prompt.

    Args:
        network: loaded.
        ids: where speech lies in its vocabulary.
        capture: how a decoding step is captured; by default a graph on CUDA, nothing elsewhere.
    """

    def __init__(self, network: Llama, ids: SpeechIds, capture: Capture | None = None) -> None:
        self.network = network
        self._ids = ids
        self._device = network.device
        on_cuda = self._device.type == "cuda"
        self._capture = cuda_graph_capture(self._device) if capture is None and on_cuda else capture
        self._look_every = _LOOK_EVERY_ON_CUDA if on_cuda else 1
        self._decoder: Decoder | None = None
        self._message: Message | None = None

    @property
    def workspace_bytes(self) -> int:
        """Bytes of the cache and the decoding state that stand ready."""
        return 0 if self._decoder is None else self._decoder.nbytes

    @property
    def message(self) -> Message | None:
        """Why decoding ran op by op of late, where a graph was wanted."""
        return self._message

    def drop_workspace(self) -> None:
        """Let cache and decoding state go; the next sentence makes them anew."""
        self._decoder = None

    def positions(self, prompt: Sequence[PromptEntry], text_ids: int) -> int:
        """Return the positions that a sentence may take after this prompt."""
        of_prompt = sum(len(each.text) + len(each.speech) for each in prompt)
        # the last token drawn is never fed back, but the opening of the speech takes its place
        return of_prompt + text_ids + SpeechBounds.for_text(text_ids).most

    @torch.inference_mode()
    def speak(
        self,
        prompt: Sequence[PromptEntry],
        text: tuple[int, ...],
        *,
        seed: int,
        sampling: Sampling,
        cancel: CancelToken,
        bounds: SpeechBounds | None = None,
        positions: int | None = None,
        keep_prefix: bool = False,
        prefix: KVPrefix | None = None,
        on_token: Callable[[int, int], None] = lambda _done, _bound: None,
    ) -> SpokenSentence:
        """Speak ``text``.

        The same arguments give the same tokens, bit for bit, on the same device and build;
        ``prefix`` only saves time.

        Args:
            prompt: what was spoken before, the recording first.
            text: ids of the sentence.
            seed: of all draws.
            sampling: how tokens are drawn.
            cancel: looked at before every token, and before every layer that takes in the prompt.
            bounds: fewest and most tokens; by default those of the reference.
            positions: room to prepare, where later sentences of the request need more.
            keep_prefix: run over the prompt text by text and return their keys and values.
            prefix: those of an earlier sentence; leading texts that are the same are not run over
                again.
            on_token: called with the tokens so far and the most that can come.

        Raises:
            TextError: prompt and sentence together are too long for the network.
            SynthesisCancelled: the stop was asked for.
        """
        bounds = bounds or SpeechBounds.for_text(len(text))
        segments = self._segments(prompt, text, by_text=keep_prefix)
        start = sum(len(each) for each in segments)
        most = min(bounds.most, self.network.config.max_position_embeddings - start)
        if most < max(1, bounds.least):
            raise TextError("glmtts.prompt_too_long", tokens=start)
        decoder = self._decoder_for(max(start + most, positions or 0), sampling)
        hidden = self._prefill(decoder, segments, prefix if keep_prefix else None, cancel)
        decoder.begin(hidden, start, bounds.least, seed)
        drawn = self._decode(decoder, most, cancel, on_token)
        if not keep_prefix:
            return SpokenSentence(drawn)
        texts = segments[:-1]
        kept = decoder.cache.copy_of(sum(len(each) for each in texts))
        return SpokenSentence(drawn, KVPrefix(texts, kept))

    def _segments(
        self, prompt: Sequence[PromptEntry], text: tuple[int, ...], *, by_text: bool
    ) -> tuple[tuple[int, ...], ...]:
        """Return the prompt's ids, cut where a later prompt may go on differently.

        Each segment is one pass over the network, and a pass gives the same bits whether the
        positions before it were just computed or restored.
        """
        first = self._ids.first_audio
        texts = (*(each.text for each in prompt), text)
        speech = (self._ids.begin_audio, *(first + code for each in prompt for code in each.speech))
        if by_text:
            return (*(each for each in texts if each), speech)
        return ((*chain.from_iterable(texts), *speech),)

    def _prefill(
        self,
        decoder: Decoder,
        segments: tuple[tuple[int, ...], ...],
        prefix: KVPrefix | None,
        cancel: CancelToken,
    ) -> torch.Tensor:
        done = start = 0
        if prefix is not None:
            # the last segment always runs: its output is where the speech goes on from
            done = prefix.shared_segments(segments[:-1])
            start = prefix.length(done)
            decoder.cache.restore(prefix.keys_values[:, :, :, :start])
        hidden = None
        for segment in segments[done:]:
            ids = torch.tensor(segment, device=self._device)
            hidden = self.network.prefill(ids, decoder.cache, start, cancel.raise_if_cancelled)
            start += len(segment)
        assert hidden is not None
        return hidden

    def _decode(
        self,
        decoder: Decoder,
        most: int,
        cancel: CancelToken,
        on_token: Callable[[int, int], None],
    ) -> tuple[int, ...]:
        end = self._ids.codes
        for count in range(1, most + 1):
            cancel.raise_if_cancelled()
            if count % self._look_every == 0 or count == most:
                tokens = decoder.tokens()
                if end in tokens[-self._look_every :]:
                    break
                on_token(count, most)
            if count < most:
                decoder.advance()
        tokens = decoder.tokens()
        return tuple(tokens[: tokens.index(end)] if end in tokens else tokens)

    def _decoder_for(self, positions: int, sampling: Sampling) -> Decoder:
        # the size is the request's alone: which kernels run, and so the last bits of their sums,
        # may depend on it
        capacity = -(-positions // _CAPACITY_STEP) * _CAPACITY_STEP
        kept = self._decoder
        if kept is not None and kept.capacity == capacity and kept.sampling == sampling:
            return kept
        # before the new one is made, so that the two are never there together
        del kept
        self._decoder = None
        self._decoder = Decoder(self.network, self._ids, capacity, sampling, self._capture)
        # the next one will hardly fare better, so a trim must not silence it
        self._message = self._decoder.message
        return self._decoder
