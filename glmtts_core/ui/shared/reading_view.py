"""Under the text: what will be left out, and, folded, what will be heard."""

from __future__ import annotations

import re
from typing import Final

import streamlit as st

from glmtts_core.catalogue import Language
from glmtts_core.engines.kokoro.phonemes import SpokenRun
from glmtts_core.engines.reader import Heard, Reader
from glmtts_core.errors import GLMTTSError
from glmtts_core.escaping import Html, html
from glmtts_core.text.pinyin import with_tone_mark
from glmtts_core.text.script import HAN
from glmtts_core.ui.page import Page

_FOLD: Final = "form_reading"
_IDEOGRAPH: Final = re.compile(f"[{HAN}]")
#: Left-out parts that are named; with more of them it is plain what is meant.
_LEFT_OUT_SHOWN: Final = 12


def show(page: Page, text: str, voice: str | None) -> None:
    """Draw what is left out, and the fold; what is in it is worked out once it is open.

    Args:
        page: where to draw.
        text: as it stands in the form.
        voice: the built-in voice that will speak it.
    """
    can = page.session.capabilities
    try:
        _left_out(page, can.reading(text, voice).left_out)
        fold = st.expander(page.text("read.title"), key=_FOLD, on_change="rerun")
        if fold.open:
            with fold:
                heard(page, text, can.language_of_figures(voice))
    except GLMTTSError as error:
        st.error(page.message(error))


def _left_out(page: Page, found: tuple[str, ...]) -> None:
    if found:
        shown = " ".join(found[:_LEFT_OUT_SHOWN]) + " …" * (len(found) > _LEFT_OUT_SHOWN)
        # as text: a caption would take some of these signs for markdown
        st.html(f'<div class="glm-muted">{html(page.text("read.left_out", parts=shown))}</div>')


def heard(page: Page, text: str, figures: Language) -> None:
    """Draw the words of a text as they will be heard, with their sounds.

    Raises:
        GLMTTSError: a front end failed, or a library returned nothing for a part of the text.
    """
    session = page.session
    if session.capabilities.voice_cloning:
        from glmtts_core.engines.glmtts.text.spoken_text import (
            sentences_of,  # loads its rules: seconds
        )

        pieces = sentences_of(text, session.studio.settings.text_frontend)
        parts = [Html(f"<div>{html(piece)}</div>") for piece in pieces]
    else:
        settings = session.studio.settings
        reader = session.studio.services.get(Reader, lambda: Reader(settings.cache_dir))
        parts = _pieces(reader.read(text, figures))
    if parts:
        st.html(f'<div class="glm-heard">{"".join(parts)}</div>')
    else:
        st.caption(page.markdown("read.nothing"))


def _pieces(found: Heard) -> list[Html]:
    return [
        _mandarin(piece) if piece.language == "zh" else _english(piece) for piece in found.pieces
    ]


def _mandarin(piece: SpokenRun) -> Html:
    """Return the ideographs with their syllables above."""
    syllables = iter(piece.pinyin)
    parts = []
    for char in piece.spoken:
        if _IDEOGRAPH.match(char):
            above = html(with_tone_mark(next(syllables)))
            parts.append(f"<ruby>{html(char)}<rt>{above}</rt></ruby>")
        else:
            parts.append(html(char))
    return Html(f'<div lang="zh">{"".join(parts)}</div>')


def _english(piece: SpokenRun) -> Html:
    """Return the words with their phonemes below."""
    sounds = f'<div class="glm-muted">{html(piece.phonemes)}</div>'
    return Html(f'<div lang="en">{html(piece.spoken)}{sounds}</div>')
