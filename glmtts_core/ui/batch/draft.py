"""The session's draft of its next run, let go of when the tab closes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from glmtts_core.batch.draft import BatchDraft
from glmtts_core.errors import GLMTTSError
from glmtts_core.sessions.history import session_folder
from glmtts_core.sessions.session import Session
from glmtts_core.ui.page import Page

#: Why the last click or upload did nothing; shown once, where the user looks.
PROBLEMS: Final = "batch_problems"
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


def tell(*problems: GLMTTSError) -> None:
    """Remember why something was not done, in the place of what was told before."""
    st.session_state[PROBLEMS] = list(problems)


def steer(act: Callable[[], None]) -> None:
    """Do what a button says; what is in its way is told on the page."""
    tell()
    try:
        act()
    except GLMTTSError as error:
        tell(error)


def show_problems(page: Page) -> None:
    """Draw what `tell` was told."""
    for problem in st.session_state.get(PROBLEMS, []):
        st.error(page.told(problem))
