"""An engine's progress as text."""

from __future__ import annotations

from glmtts_core.catalogue import Language, text
from glmtts_core.engines.base import Progress


def progress_line(progress: Progress, language: Language) -> str:
    """Return stage, network, percentage, sentence and speech tokens in one line, where known."""
    parts = [text(f"stage.{progress.stage.value}", language)]
    if progress.label_key is not None:
        parts.append(text(progress.label_key, language))
    parts.append(f"{progress.fraction:.0%}")
    if progress.pieces > 1 and progress.piece:
        parts.append(text("job.piece", language, piece=progress.piece, pieces=progress.pieces))
    if progress.most_tokens:
        parts.append(
            text("job.tokens", language, tokens=progress.tokens, most=progress.most_tokens)
        )
    return " · ".join(parts)
