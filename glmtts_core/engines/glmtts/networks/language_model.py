"""From text ids to speech tokens: the language model with prompts, length bounds and workspace.

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
#: Cache sizes are rounded up to this many positions, so that one cache serves many requests.
_CAPACITY_STEP: Final = 256
#: Tokens between two checks for the end, each of which waits for the device.
_LOOK_EVERY_ON_CUDA: Final = 4


@dataclass(frozen=True, slots=True)
class PromptEntry:
    """A text and its speech in a prompt.

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
    """The speech of a sentence.

    Attributes:
        speech: speech tokens from 0, without the end.
        prefix: keys and values of the prompt's texts, if asked for.
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
        """Bytes of the cache and the decoding state."""
        return 0 if self._decoder is None else self._decoder.nbytes

    @property
    def message(self) -> Message | None:
        """Why decoding ran op by op although a graph was wanted; None where it did not."""
        return self._message

    def drop_workspace(self) -> None:
        """Drop cache and decoding state; the next sentence allocates them again."""
        self._decoder = None

    def positions(self, prompt: Sequence[PromptEntry], text_ids: int) -> int:
        """Return the cache positions that a sentence may need with this prompt."""
        of_prompt = sum(len(each.text) + len(each.speech) for each in prompt)
        # the last token is never fed back, but the token that opens the speech needs a position
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
            cancel: checked before every token, and before every layer of the prompt's pass.
            bounds: fewest and most tokens; by default those of the reference.
            positions: size of the cache, where later sentences of the request need more.
            keep_prefix: process the prompt text by text and return their keys and values.
            prefix: those of an earlier sentence; equal leading texts are not processed again.
            on_token: receives the number of tokens so far and the largest possible one.

        Raises:
            TextError: prompt and sentence together are too long for the network.
            SynthesisCancelled: the job was cancelled.
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
        """Return the prompt's ids, split where a later prompt may differ.

        Each segment is one pass through the network, and a pass gives the same bits whether the
        positions before it were computed or restored.
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
            # the last segment is always processed: the speech continues from its output
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
        # depends on the request only: the size may change which kernels run, and so the last bits
        capacity = -(-positions // _CAPACITY_STEP) * _CAPACITY_STEP
        kept = self._decoder
        if kept is not None and kept.capacity == capacity and kept.sampling == sampling:
            return kept
        # dropped before the new one is allocated, so that they are never in memory together
        del kept
        self._decoder = None
        self._decoder = Decoder(self.network, self._ids, capacity, sampling, self._capture)
        # kept over a trim: the next decoder would have the same problem
        self._message = self._decoder.message
        return self._decoder
