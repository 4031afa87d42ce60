"""Drawing the next speech token: the repetition-aware rule and top-k, as pure tensor functions.

Every draw inverts a cumulative sum at a uniform number that was drawn beforehand. So nothing here
needs a generator or the host, all of it can be captured in a CUDA graph, and the same numbers give
the same tokens. Knows nothing about the network that computes the logits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import torch
from torch import Tensor
from torch.nn import functional

#: Names of the methods, the one of the reference first.
SAMPLING_METHODS: Final = ("ras", "topk")
#: Uniform numbers that one token may take: one for the rule's draw, one for the second draw.
DRAWS_PER_TOKEN: Final = 2


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are drawn; the defaults are those of the reference.

    Attributes:
        method: "ras" (nucleus draw, and a second one from everything where it repeats itself) or
            "topk".
        top_k: the most candidates of a draw.
        top_p: for "ras", the probability mass after which no candidate is added.
        window: for "ras", the number of latest tokens that count as recent.
        tau: for "ras", the share of the window above which a candidate counts as repeated.
    """

    method: Literal["ras", "topk"] = "ras"
    top_k: int = 25
    top_p: float = 0.8
    window: int = 10
    tau: float = 0.1


def uniform_numbers(seed: int, tokens: int) -> Tensor:
    """Return the numbers for a sentence of at most ``tokens``, float64, shape (tokens, 2).

    Drawn on the host, so that they are the same for every device.
    """
    generator = torch.Generator().manual_seed(seed)
    return torch.rand((tokens, DRAWS_PER_TOKEN), dtype=torch.float64, generator=generator)


def nucleus(probabilities: Tensor, top_k: int, top_p: float) -> tuple[Tensor, Tensor]:
    """Return the candidates of the nucleus rule in falling order, without a sync.

    A candidate is kept while the mass before it is below ``top_p``, so the one that crosses the
    limit is kept too. Equal probabilities are in the order of their ids.

    Args:
        probabilities: float32, shape (vocabulary,), summing to one.
        top_k: the most candidates.
        top_p: the limit.

    Returns:
        Ids, int64, and probabilities (zero for dropped candidates), both of shape (candidates,).
    """
    kept, ids = _highest(probabilities, top_k)
    mass_before = functional.pad(kept.cumsum(0)[:-1], (1, 0))
    return ids, torch.where(mass_before < top_p, kept, 0.0)


def draw_token(
    logits: Tensor, recent: Tensor, may_end: Tensor, uniforms: Tensor, sampling: Sampling
) -> Tensor:
    """Draw one token.

    Args:
        logits: float32, shape (vocabulary,); the last entry is the end token.
        recent: the latest tokens of this sentence, int64, shape (window,); -1 where there is none.
        may_end: bool, shape (1,): whether the end token may be drawn.
        uniforms: float64 in [0, 1), shape (2,).
        sampling: the rule.

    Returns:
        int64, shape (1,).
    """
    if sampling.method == "topk":
        return _draw_top_k(logits, may_end, uniforms, sampling.top_k)
    return _draw_ras(logits, recent, may_end, uniforms, sampling)


def _draw_ras(
    logits: Tensor, recent: Tensor, may_end: Tensor, uniforms: Tensor, sampling: Sampling
) -> Tensor:
    end = torch.where(may_end, logits[-1:], -math.inf)
    probabilities = torch.softmax(torch.cat([logits[:-1], end]), dim=0)
    ids, weights = nucleus(probabilities, sampling.top_k, sampling.top_p)
    candidate = ids.index_select(0, _invert(weights.double(), uniforms[:1]))
    repeats = (recent == candidate).sum(0, keepdim=True)
    anything = _invert_long(probabilities.double(), uniforms[1:])
    return torch.where(repeats >= sampling.window * sampling.tau, anything, candidate)


def _draw_top_k(logits: Tensor, may_end: Tensor, uniforms: Tensor, top_k: int) -> Tensor:
    probabilities = torch.softmax(logits, dim=0)
    # one more than asked for: it replaces an end token that is the only candidate but not allowed
    weights, ids = _highest(probabilities, top_k + 1)
    allowed = may_end | (ids != len(logits) - 1)
    within = torch.arange(len(ids), device=ids.device) < top_k
    kept = within & allowed
    kept = torch.where(kept.any(), kept, allowed)
    chosen = _invert(torch.where(kept, weights, 0.0).double(), uniforms[:1])
    return ids.index_select(0, chosen)


def _highest(probabilities: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the highest probabilities and their ids; equal ones in the order of their ids."""
    size = len(probabilities)
    # the bits of non-negative floats have the order of the floats; the id in the lower bits makes
    # the keys unique, so that every device orders equal probabilities alike
    bits = probabilities.view(torch.int32).to(torch.int64) << 32
    keys = bits + torch.arange(size - 1, -1, -1, device=probabilities.device)
    highest = torch.topk(keys, min(count, size)).values
    ids = size - 1 - (highest & 0xFFFFFFFF)
    return probabilities.index_select(0, ids), ids


def _invert(weights: Tensor, uniform: Tensor) -> Tensor:
    """Return the index at which the cumulative weight passes the share ``uniform``, shape (1,)."""
    reached = weights.cumsum(0)
    index = (reached <= uniform * reached[-1:]).sum(0, keepdim=True)
    # rounding at the very end must not lead to an entry without weight
    positions = torch.arange(len(weights), device=weights.device)
    last = torch.where(weights > 0, positions, 0).amax(0, keepdim=True)
    return torch.minimum(index, last)


def _invert_long(weights: Tensor, uniform: Tensor) -> Tensor:
    """Do the same as `_invert` for a long vector: first among rows, then within one.

    Long cumulative sums of one row may differ from run to run on CUDA; short ones do not.
    """
    columns = math.isqrt(len(weights) - 1) + 1
    rows = -(-len(weights) // columns)
    grid = functional.pad(weights, (0, rows * columns - len(weights))).view(rows, columns)
    mass = grid.sum(1)
    reached = mass.cumsum(0)
    wanted = uniform * reached[-1:]
    row = _invert(mass, uniform)
    entries = grid.index_select(0, row)[0]
    rest = wanted - (reached - mass).index_select(0, row)
    share = rest / mass.index_select(0, row)
    return row * columns + _invert(entries, share)
