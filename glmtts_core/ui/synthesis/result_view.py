"""One result: player, figures, memory cost, waveform and mel spectrogram, download."""

from __future__ import annotations

from typing import Final

import streamlit as st

from glmtts_core.audio import Samples
from glmtts_core.diagnostics.quality import assess
from glmtts_core.errors import GLMTTSError
from glmtts_core.escaping import Html, html
from glmtts_core.memory.cost import MemoryCost
from glmtts_core.message import Message
from glmtts_core.sessions.result_record import ResultRecord
from glmtts_core.ui.page import Page
from glmtts_core.ui.shared import charts
from glmtts_core.ui.shared.markdown import plain
from glmtts_core.ui.shared.quantities import change, seconds, size

#: Number of the result that the user wants to hear again; None shows the newest.
SELECTED: Final = "selected_result"


def newest(page: Page) -> None:
    """Draw the chosen result, by default the newest; without any, say what to do first."""
    records = page.session.history.list().records
    if not records:
        if page.session.job is None:
            st.caption(page.text("result.none"))
        return
    chosen = st.session_state.get(SELECTED)
    record = next((each for each in records if each.number == chosen), records[0])
    _result(page, record)


def _result(page: Page, record: ResultRecord) -> None:
    try:
        wav = page.session.history.wav(record.number)
        samples = page.session.samples(record)
    except GLMTTSError as error:
        st.warning(page.message(error))
        return
    with st.container(border=True):
        st.markdown(f"**#{record.number:d}** {plain(record.text)}")
        # the bytes of the file: a numpy array would be played at full loudness
        st.audio(wav)
        if record.rehearsed:
            st.caption(page.text("result.rehearsal"))
        else:
            _trouble(page, samples, record.sample_rate_hz)
        if record.unsaved_reason:
            unsaved = Message("result.unsaved", {"reason": record.unsaved_reason})
            st.warning(page.message(unsaved))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.html(_facts(page, record), width="stretch")
            st.download_button(
                page.text("result.download"),
                wav,
                record.file_name,
                "audio/wav",
                key=f"download_{record.number}",
                icon=":material/download:",
                on_click="ignore",
            )
        wave_column, mel_column = st.columns(2)
        wave_column.plotly_chart(
            charts.waveform(samples, record.sample_rate_hz, page.text("result.waveform")),
            key=f"waveform_{record.number}",
            config={"displayModeBar": False},
            alt=page.text("result.waveform"),
        )
        mel_column.plotly_chart(
            charts.mel_spectrogram(samples, record.sample_rate_hz, page.text("result.mel")),
            key=f"mel_{record.number}",
            config={"displayModeBar": False},
            alt=page.text("result.mel"),
        )


def _trouble(page: Page, samples: Samples, sample_rate_hz: int) -> None:
    """Warn where the result sounds as it does when memory runs short."""
    symptoms = assess(samples, sample_rate_hz, pitch=False).memory_symptoms
    if symptoms:
        finding = symptoms[0].message.text(page.language)
        st.warning(page.markdown("quality.memory_trouble", finding=finding))


def cost_line(page: Page, cost: MemoryCost) -> str:
    """Return before → peak → after and the growth in one line."""
    return page.text(
        "result.cost",
        before=size(cost.before_bytes),
        peak=size(cost.peak_bytes),
        after=size(cost.after_bytes),
        growth=change(cost.growth_bytes),
    )


def _facts(page: Page, record: ResultRecord) -> Html:
    facts = page.text(
        "result.facts",
        audio=seconds(record.audio_s),
        seconds=seconds(record.seconds),
        rtf=f"{record.rtf:.2f}",
        rate=f"{record.sample_rate_hz // 1000} kHz",
    )
    voices = " + ".join(voice for voice in (record.voice, record.second_voice) if voice)
    if voices:
        facts += " · " + page.text("result.voice", voice=voices)
    if record.seed is not None:
        facts += " · " + page.text("result.seed", seed=record.seed)
    cost = cost_line(page, record.memory_cost)
    return Html(f'<div class="glm-facts">{html(facts)}<br>{html(cost)}</div>')
