"""The decode loop's state and its step: one token in, one token drawn, all on the device.

On CUDA a step is captured once as a graph and replayed; on the CPU, and where capturing fails, it
runs op by op. Knows nothing about prompts and sentences.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from glmtts_core.engines.glmtts.networks.llama import Llama
from glmtts_core.engines.glmtts.sampling import (
    DRAWS_PER_TOKEN,
    Sampling,
    draw_token,
    uniform_numbers,
)
from glmtts_core.message import Message

_log = logging.getLogger(__name__)
#: Captures a step and returns the function that replays it on the same memory.
Capture = Callable[[Callable[[], None]], Callable[[], None]]


@dataclass(frozen=True, slots=True)
class SpeechIds:
    """Where speech lies in the vocabulary, resolved from the tokenizer's files.

    Attributes:
        first_audio: id of speech token 0; the others follow without a gap.
        last_audio: id of the last speech token.
        begin_audio: id that opens the speech of a prompt.
        end_audio: id that ends it.
    """

    first_audio: int
    last_audio: int
    begin_audio: int
    end_audio: int

    @property
    def codes(self) -> int:
        """How many speech tokens there are; the end token follows as one more choice."""
        return self.last_audio - self.first_audio + 1


class Decoder:
    """All memory that decoding a sentence writes to, allocated once and reused.

    A drawn token is a speech code (its id less ``first_audio``), or ``codes`` for the end.

    Args:
        network: the language model.
        ids: where speech lies in the vocabulary.
        capacity: positions for prompt and speech together.
        sampling: how tokens are drawn; part of a captured step.
        capture: captures the step; None runs it op by op.
    """

    def __init__(
        self,
        network: Llama,
        ids: SpeechIds,
        capacity: int,
        sampling: Sampling,
        capture: Capture | None = None,
    ) -> None:
        self.capacity = capacity
        self.sampling = sampling
        self.cache = network.cache(capacity)
        self.message: Message | None = None
        self._network = network
        self._ids = ids
        device = network.device
        self._static = device.type == "cuda" or capture is not None
        self._logits = torch.zeros(ids.codes + 1, dtype=torch.float32, device=device)
        # starts with the empty window before the first token
        self._tokens = torch.full((sampling.window + capacity,), -1, device=device)
        self._uniforms = torch.zeros(
            (capacity, DRAWS_PER_TOKEN), dtype=torch.float64, device=device
        )
        self._step = torch.zeros(1, dtype=torch.int64, device=device)
        self._position = torch.zeros(1, dtype=torch.int64, device=device)
        self._min_tokens = torch.zeros(1, dtype=torch.int64, device=device)
        self._window = torch.arange(sampling.window, device=device)
        self._host_position = 0
        self._host_step = 0
        self._replay = self._captured(capture)

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors that it holds."""
        return self.cache.nbytes + sum(
            each.nbytes
            for each in (
                self._logits,
                self._tokens,
                self._uniforms,
                self._step,
                self._position,
                self._min_tokens,
                self._window,
            )
        )

    def begin(self, hidden: Tensor, position: int, min_tokens: int, seed: int) -> None:
        """Draw the first token after a prompt.

        Args:
            hidden: the prompt's last output, shape (1, hidden).
            position: number of positions of the cache that the prompt fills.
            min_tokens: the speech cannot end before so many.
            seed: of all draws of this sentence.
        """
        self._tokens.fill_(-1)
        self._uniforms.copy_(uniform_numbers(seed, self.capacity))
        self._min_tokens.fill_(min_tokens)
        self._set_place(step=0, position=position)
        self._write_logits(hidden)
        self._draw()

    def advance(self) -> None:
        """Feed the latest token back and draw the next; does not wait for the device."""
        self._replay()
        self._host_position += 1
        self._host_step += 1

    def tokens(self) -> list[int]:
        """Return the tokens drawn so far, including the end; waits for the device."""
        start = self.sampling.window
        drawn: list[int] = self._tokens[start : start + self._host_step + 1].tolist()
        return drawn

    def _captured(self, capture: Capture | None) -> Callable[[], None]:
        if capture is None:
            return self._run_step
        # warming up changes cache and position; `begin` resets both
        self._tokens.zero_()
        try:
            return capture(self._run_step)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            reason = str(error).partition("\n")[0]
            _log.warning("the decoding step runs op by op: %s", reason)
            self.message = Message("glmtts.graph_failed", {"reason": reason})
            return self._run_step

    def _run_step(self) -> None:
        latest = self._tokens.index_select(0, self._step + self.sampling.window)
        # the end token has no code; whatever follows it is discarded
        token = latest.clamp(max=self._ids.codes - 1) + self._ids.first_audio
        length = None if self._static else self._host_position + 1
        hidden = self._network.step(token, self._position, self.cache, length)
        self._write_logits(hidden)
        self._position += 1
        self._step += 1
        self._draw()

    def _write_logits(self, hidden: Tensor) -> None:
        ids, logits = self._ids, self._network.logits
        self._logits[:-1] = logits(hidden, ids.first_audio, ids.last_audio)
        self._logits[-1:] = logits(hidden, ids.end_audio, ids.end_audio)

    def _draw(self) -> None:
        token = draw_token(
            self._logits,
            self._tokens.index_select(0, self._step + self._window),
            self._step >= self._min_tokens,
            self._uniforms.index_select(0, self._step)[0],
            self.sampling,
        )
        self._tokens.index_copy_(0, self._step + self.sampling.window, token)

    def _set_place(self, *, step: int, position: int) -> None:
        self._host_step, self._host_position = step, position
        self._step.fill_(step)
        self._position.fill_(position)


def cuda_graph_capture(device: torch.device) -> Capture:
    """Return a function that captures a step as a graph on ``device`` and returns its replay.

    It raises RuntimeError if something in the step cannot be captured.
    """

    def capture(step: Callable[[], None]) -> Callable[[], None]:
        with torch.cuda.device(device):
            # the first runs choose kernels and allocate workspaces, which a graph must not do
            warm_up = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            warm_up.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(warm_up):
                for _ in range(2):
                    step()
            torch.cuda.current_stream().wait_stream(warm_up)
            graph = torch.cuda.CUDAGraph()
            # other threads may query CUDA meanwhile, for memory figures for instance
            with torch.cuda.graph(graph, capture_error_mode="thread_local"):
                step()
        replay: Callable[[], None] = graph.replay
        return replay

    return capture
