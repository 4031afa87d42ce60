"""One line of advice on cleaning up, with its reason, and only where cleaning is worth it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from glmtts_core.byte_units import MIB
from glmtts_core.memory.promises import Promise
from glmtts_core.message import Message

#: Below this a cleanup is not worth a click: a few seconds of audio take as much again.
WORTH_BYTES: Final = 64 * MIB
#: A synthesis has grown the process if it left more than the heap's own breathing behind.
GROWN_BYTES: Final = 4 * MIB
#: So many syntheses in a row that grew are a trend.
TREND: Final = 3
#: A text over this many characters needs buffers larger than usual.
LONG_TEXT_CHARS: Final = 100


@dataclass(frozen=True, slots=True)
class SpokenFacts:
    """What counts about one finished synthesis.

    Attributes:
        at_s: when it ended (`time.monotonic`).
        text_chars: length of its text.
        sample_rate_hz: its rate.
        reference_hash: which recording was cloned; None for a built-in voice.
        growth_bytes: what stayed behind on the main line.
    """

    at_s: float
    text_chars: int
    sample_rate_hz: int
    reference_hash: str | None
    growth_bytes: int


def advise(
    spoken: Sequence[SpokenFacts],
    *,
    loaded_at_s: float | None,
    last_cleanup_s: float | None,
    reclaimable: Promise,
) -> Message | None:
    """Return the most urgent advice, or None.

    Args:
        spoken: the syntheses of one session, oldest first.
        loaded_at_s: when the engine was loaded; None while it is not.
        last_cleanup_s: when memory was last cleaned up.
        reclaimable: what a cleanup would give back now.
    """
    if reclaimable.bytes < WORTH_BYTES:
        return None
    about = "" if reclaimable.exact else "≈ "
    details: dict[str, object] = {"reclaimable": about + _mib(reclaimable.bytes)}
    # a switch counts if the cleanup did not come after it; what was before it may lie further back
    since = last_cleanup_s if last_cleanup_s is not None else float("-inf")
    fresh = [facts for facts in spoken if facts.at_s > since]
    trend = fresh[-TREND:]
    if len(trend) == TREND and all(facts.growth_bytes > GROWN_BYTES for facts in trend):
        grown = sum(facts.growth_bytes for facts in trend)
        return Message("memory.advice.growing", {**details, "growth": _mib(grown), "count": TREND})
    if fresh:
        return _after_synthesis(list(spoken), details)
    if not spoken and loaded_at_s is not None and loaded_at_s > since:
        return Message("memory.advice.first_start", details)
    return None


def _after_synthesis(spoken: Sequence[SpokenFacts], details: dict[str, object]) -> Message | None:
    last = spoken[-1]
    before = spoken[-2] if len(spoken) > 1 else last
    if last.reference_hash != before.reference_hash:
        return Message("memory.advice.reference_switched", details)
    if last.sample_rate_hz != before.sample_rate_hz:
        rates = {"before": before.sample_rate_hz, "after": last.sample_rate_hz}
        return Message("memory.advice.rate_switched", {**details, **rates})
    if last.text_chars > LONG_TEXT_CHARS:
        return Message(
            "memory.advice.long_text",
            {**details, "chars": last.text_chars, "limit": LONG_TEXT_CHARS},
        )
    return None


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / MIB:.0f} MiB"
