"""The session's draft of its next run, let go of when the tab closes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from glmtts_core.batch_draft.draft import BatchDraft
from glmtts_core.errors import GLMTTSError
from glmtts_core.sessions.result_files import session_folder
from glmtts_core.sessions.session import Session
from glmtts_core.ui.page import Page

#: Why the last click or upload did nothing; shown once, where the user looks.
ERRORS: Final = "batch_errors"
_UPLOAD_ROUND: Final = "batch_upload_round"


def draft_of(page: Page) -> BatchDraft:
    """Return the draft of this session, as it was left."""
    return _draft(page.session, page.session.id)


# its lines take up to a hundred megabytes, and session state outlives its tab
@st.cache_resource(scope="session", on_release=BatchDraft.close, show_spinner=False)
def _draft(_session: Session, session_id: str) -> BatchDraft:
    settings = _session.studio.settings
    folder = session_folder(settings.output_dir, session_id) / "batch"
    engines = _session.studio.engines
    return BatchDraft(folder, lambda name: engines.find(name).capabilities, settings)


def upload_key(name: str) -> str:
    """Return the key of an uploader; after `next_round` it is another one, which is empty."""
    return f"{name}_{st.session_state.get(_UPLOAD_ROUND, 0)}"


def next_round() -> None:
    """Empty all uploaders: what they held is taken."""
    st.session_state[_UPLOAD_ROUND] = st.session_state.get(_UPLOAD_ROUND, 0) + 1


def keep_errors(*errors: GLMTTSError) -> None:
    """Keep the errors to be shown, instead of those before."""
    st.session_state[ERRORS] = list(errors)


def steer(act: Callable[[], None]) -> None:
    """Run an action; keep its error to be shown."""
    keep_errors()
    try:
        act()
    except GLMTTSError as error:
        keep_errors(error)


def show_errors(page: Page) -> None:
    """Show the kept errors."""
    for error in st.session_state.get(ERRORS, []):
        st.error(page.message(error))
