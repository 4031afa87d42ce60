"""Where a batch file comes in: drop zone, paste box, sample files, recordings."""

from __future__ import annotations

import json
from typing import Final

import streamlit as st

from glmtts_core.batch_draft.draft import BatchDraft
from glmtts_core.batch_files.fields import known_names, text_names
from glmtts_core.errors import GLMTTSError
from glmtts_core.sound_files.formats import AUDIO_SUFFIXES
from glmtts_core.ui.batch import settings
from glmtts_core.ui.batch.draft import keep_errors, next_round, steer, upload_key
from glmtts_core.ui.page import Page
from glmtts_core.ui.shared import cloning_notice
from glmtts_core.ui.shared.markdown import plain

_PASTED: Final = "batch_pasted"
_LINE_TYPES: Final = ("jsonl", "ndjson", "json", "csv", "tsv", "txt")
_REFERENCE_TYPES: Final = (*sorted(suffix[1:] for suffix in AUDIO_SUFFIXES), "zip")
#: The largest file that is taken, in MB; a hundred thousand lines have about 30.
_MAX_UPLOAD_MB: Final = 500
#: Names of recordings that are listed before "and more".
_NAMES_SHOWN: Final = 12
#: Lines of the sample files: both languages, with and without the optional fields.
_SAMPLE: Final = (
    {"uttid": "morning-zh", "text": "早上好，今天的会议改到下午三点。"},
    {"uttid": "morning-en", "text": "Good morning. Today we meet at three."},
    {"uttid": "slow-en", "text": "Please speak this line a little slower.", "speed": 0.85},
    {"uttid": "32k-zh", "text": "这一行的采样率是三万二千赫兹。", "sample_rate": 32000},
)


def sample_jsonl() -> str:
    """Return the sample file, one object a line."""
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in _SAMPLE)


def sample_csv() -> str:
    """Return the same lines as a table; with a mark, without which Excel takes it for GBK."""
    columns = ("uttid", "text", "speed", "sample_rate")
    rows = [",".join(columns)]
    rows += [",".join(str(line.get(name, "")) for name in columns) for line in _SAMPLE]
    return "\ufeff" + "\r\n".join(rows) + "\r\n"


def ask_for_file(page: Page, draft: BatchDraft) -> None:
    """Draw the drop zone and the paste box."""
    file_tab, paste_tab = st.tabs([page.text("batch.file_tab"), page.text("batch.paste_tab")])
    with file_tab:
        uploaded = st.file_uploader(
            page.text("batch.upload"),
            type=list(_LINE_TYPES),
            key=upload_key("batch_file"),
            max_upload_size=_MAX_UPLOAD_MB,
        )
        if uploaded is not None:
            _take(draft, uploaded.getvalue(), uploaded.name)
            st.rerun()
    with paste_tab:
        st.text_area(
            page.text("batch.paste"),
            key=_PASTED,
            height=150,
            placeholder=sample_jsonl(),
            persist_state="session",
        )
        st.button(
            page.text("batch.paste_take"),
            key="batch_paste_take",
            on_click=_take_pasted,
            args=(page, draft),
        )


def sample(page: Page) -> None:
    """Draw what a file looks like, to read and to download."""
    st.markdown(f"**{page.text('batch.sample_title')}**")
    st.code(sample_jsonl(), language="json", wrap_lines=True)
    st.caption(page.markdown("batch.fields", text=text_names(), known=known_names()))
    with st.container(horizontal=True):
        _sample_button(page, "JSONL", sample_jsonl(), "glm-tts-sample.jsonl")
        _sample_button(page, "CSV", sample_csv(), "glm-tts-sample.csv")


def _sample_button(page: Page, kind: str, content: str, file_name: str) -> None:
    st.download_button(
        page.markdown("batch.sample", kind=kind),
        content,
        file_name,
        "text/plain",
        key=f"batch_sample_{kind}",
        icon=":material/download:",
        on_click="ignore",
    )


def _take_pasted(page: Page, draft: BatchDraft) -> None:
    pasted = st.session_state[_PASTED]
    if pasted.strip():
        # without an ending, the first line tells the format
        _take(draft, pasted.encode("utf-8", "backslashreplace"), page.text("batch.pasted_name"))


def _take(draft: BatchDraft, data: bytes, name: str) -> None:
    next_round()
    steer(lambda: draft.take(data, name))


def references(page: Page, draft: BatchDraft, *, choose_one: bool) -> None:
    """Draw the recordings: upload, what is there, and the one for all lines that name none."""
    engine = page.session.capabilities.engine
    if not page.session.capabilities.voice_cloning:
        st.caption(page.markdown("batch.references_unused", engine=engine))
        return
    cloning_notice.show(page)
    uploaded = st.file_uploader(
        page.text("batch.references_upload"),
        type=list(_REFERENCE_TYPES),
        accept_multiple_files=True,
        key=upload_key("batch_references"),
        max_upload_size=_MAX_UPLOAD_MB,
    )
    if uploaded:
        errors: list[GLMTTSError] = []
        for file in uploaded:
            try:
                errors += draft.add_reference(file.getvalue(), file.name).refused
            except GLMTTSError as error:
                errors.append(error)
        keep_errors(*errors)
        next_round()
        st.rerun()
    names = draft.references.names()
    if names:
        with st.container(horizontal=True, vertical_alignment="center"):
            more = page.text("batch.references_more") if len(names) > _NAMES_SHOWN else ""
            listed = ", ".join(plain(name) for name in names[:_NAMES_SHOWN])
            st.markdown(f":material/mic: **{len(names)}** · {listed}{more}", width="stretch")
            st.button(
                page.text("batch.references_drop"),
                key="batch_references_drop",
                on_click=draft.drop_references,
                icon=":material/close:",
                type="tertiary",
            )
    if choose_one:
        settings.one_reference(page, names)
