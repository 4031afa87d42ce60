"""What goes into the reference's front end: the words as this program reads them, or the text.

Knows nothing about tokens.
"""

from __future__ import annotations

from typing import Literal

from glmtts_core.engines.glmtts.text.frontend import normalize_text, pieces_to_speak
from glmtts_core.text.reading import read_text

#: Who reads numbers and signs: this program's rules, or the reference's front end alone.
Frontend = Literal["studio", "reference"]


def sentences_of(text: str, frontend: Frontend) -> list[str]:
    """Return the pieces of ``text`` that the model speaks in one go.

    Raises:
        ReadingError: a library gave words for a number that cannot be right.
    """
    return pieces_to_speak(_words(text, frontend))


def transcript_of(text: str, frontend: Frontend) -> str:
    """Return a reference's transcript in the writing of the model's prompts; empty stays empty.

    Raises:
        ReadingError: as `sentences_of`.
    """
    words = _words(text.strip(), frontend)
    # the space after the prompt is the reference's
    return normalize_text(words) + " " if words else ""


def _words(text: str, frontend: Frontend) -> str:
    return text if frontend == "reference" else read_text(text).spoken
