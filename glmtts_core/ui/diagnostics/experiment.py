"""Which experiment the diagnostics page shows: the newest, or an earlier one that was chosen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import streamlit as st

from glmtts_core.diagnostics.findings import Findings, load
from glmtts_core.diagnostics.research import listening
from glmtts_core.diagnostics.research.listening import Listening
from glmtts_core.errors import GLMTTSError
from glmtts_core.ui.diagnostics.run import CHOSEN, laboratory
from glmtts_core.ui.page import Page

_NEWEST: Final = ""
_LOADED: Final = "diagnostics_loaded"
#: How the folders' names begin.
_MOMENT: Final = "%Y%m%d-%H%M%S"


@dataclass(frozen=True, slots=True)
class Shown:
    """An experiment and the folder that it lies in."""

    folder: Path
    found: Findings


def choose(page: Page) -> None:
    """Draw the choice among the experiments that are kept, where there are several."""
    folders = [folder.name for folder in reversed(laboratory(page).folders())]
    if len(folders) < 2:
        return
    # the newest has no name here: when a newer one comes, that is shown
    names = [_NEWEST, *folders[1:]]
    if st.session_state.get(CHOSEN) not in names:
        st.session_state[CHOSEN] = _NEWEST
    newest = page.text("diagnostics.newest", moment=_moment(folders[0]))
    st.selectbox(
        page.text("diagnostics.experiment"),
        names,
        format_func=lambda name: _moment(name) if name else newest,
        key=CHOSEN,
        persist_state="session",
        width=320,
    )


def shown(page: Page) -> Shown | None:
    """Return the experiment to show; what cannot be read is said."""
    kept = laboratory(page)
    try:
        newest = kept.folder
        chosen = st.session_state.get(CHOSEN)
        earlier = next((each for each in kept.folders() if each.name == chosen), newest)
        if earlier is not None and earlier != newest:
            return _load(earlier)
        found = kept.findings()
    except GLMTTSError as error:
        st.error(page.message(error))
        return None
    return None if found is None or newest is None else Shown(newest, found)


def kept_listening(page: Page, folder: Path) -> Listening | None:
    """Return the blind test that was finished with an experiment; what cannot be read is said."""
    try:
        return listening.load(folder)
    except GLMTTSError as error:
        st.error(page.message(error))
        return None


def _load(folder: Path) -> Shown:
    """Read an experiment; keep it while it is the one shown."""
    before = st.session_state.get(_LOADED)
    if isinstance(before, Shown) and before.folder == folder:
        return before
    loaded = st.session_state[_LOADED] = Shown(folder, load(folder))
    return loaded


def _moment(name: str) -> str:
    try:
        began = datetime.strptime(name.rpartition("-")[0], _MOMENT)
    except ValueError:
        # somebody has copied or renamed it
        return name
    return f"{began:%Y-%m-%d %H:%M:%S}"
