"""The rehearsal's switch: GLM-TTS in its official size before anything is downloaded."""

from __future__ import annotations

from typing import Final

import streamlit as st

from glmtts_core.errors import BusyError, GLMTTSError
from glmtts_core.ui.page import Page
from glmtts_core.ui.shared.quantities import size

_SWITCH: Final = "rehearsal"
_ERROR: Final = "rehearsal_error"
_BEFORE: Final = "rehearsal_engine_before"
#: Seconds that a click waits for PyTorch to come in.
_WAIT_S: Final = 30.0


def show(page: Page) -> None:
    """Draw the switch, and what it has brought."""
    studio = page.session.studio
    st.subheader(page.text("rehearsal.title"), anchor=False)
    # several browsers share the switch: what is in force counts, not what this one clicked
    st.session_state[_SWITCH] = studio.engines.rehearsal is not None
    st.toggle(
        page.text("rehearsal.switch"),
        key=_SWITCH,
        disabled=studio.settings.rehearsal,
        help=page.text("rehearsal.by_setting") if studio.settings.rehearsal else None,
        on_change=_switch,
        args=(page,),
    )
    st.caption(page.text("rehearsal.help"))
    error = st.session_state.get(_ERROR)
    if isinstance(error, GLMTTSError):
        st.error(page.message(error))
    if (engine := studio.engines.rehearsal) is None:
        return
    can = engine.capabilities
    free = studio.monitor.latest().free_bytes(can.device)
    lacking = not engine.loaded and free is not None and free < can.load_bytes
    words = page.markdown(
        "rehearsal.too_large" if lacking else "rehearsal.on",
        engine=can.engine,
        device=can.device,
        size=size(can.load_bytes),
        free="?" if free is None else size(free),
    )
    if lacking:
        st.warning(words)
    else:
        st.info(words)


def _switch(page: Page) -> None:
    session, wanted = page.session, bool(st.session_state[_SWITCH])
    st.session_state[_ERROR] = None
    try:
        if session.studio.rehearse(wanted).wait(_WAIT_S) is None:
            raise BusyError("studio.rehearsal_waits")
    except GLMTTSError as error:
        st.session_state[_ERROR] = error
        return
    rehearsal = session.studio.engines.rehearsal
    if rehearsal is not None:
        st.session_state[_BEFORE] = session.saved_form.form.engine
        session.saved_form.keep(engine=rehearsal.capabilities.engine)
    else:
        session.saved_form.keep(engine=st.session_state.get(_BEFORE))
