"""Which session a browser's tab belongs to: found by its address and the browser's cookie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import streamlit as st

from glmtts_core.sessions.ids import BROWSER_COOKIE
from glmtts_core.sessions.session import Session, take_lease
from glmtts_core.studio.studio import Studio

#: Name of the session's handle in the session state; pages and tools find it there.
HANDLE_KEY: Final = "model"
#: Name of the session's id in the address, so that a reload finds its results again.
ID_PARAMETER: Final = "s"


@dataclass(frozen=True, eq=False)
class _Lease:
    """A browser's claim to a session; itself the holder that the studio knows."""

    studio: Studio
    session_id: str


def handle(studio: Studio) -> Session | None:
    """Return this browser session's handle, opening or leasing it again where needed.

    None where another tab has taken the session over; `take_back` gets it again.
    """
    session = st.session_state.get(HANDLE_KEY)
    if isinstance(session, Session) and session.studio is studio:
        if not still_there(session):
            return None
    else:
        wanted = st.query_params.get(ID_PARAMETER, "")
        known = studio.session_ids.issued(wanted, _browser())
        session = Session(studio, wanted if known else _new_id(studio))
    # a tab that was duplicated gets a session of its own
    while not take_lease(studio, session.id, _lease(studio, session.id)):
        session = Session(studio, _new_id(studio))
    st.session_state[HANDLE_KEY] = session
    if st.query_params.get(ID_PARAMETER) != session.id:
        st.query_params[ID_PARAMETER] = session.id
    return session


def _new_id(studio: Studio) -> str:
    return studio.session_ids.issue(_browser())


def _browser() -> str:
    # empty in tests without a server only: over the network, the middleware sees to the cookie
    return st.context.cookies.to_dict().get(BROWSER_COOKIE, "")


def parameters(session: Session) -> dict[str, str]:
    """Return what every link to another page carries, so that the session goes along."""
    return {ID_PARAMETER: session.id}


def still_there(session: Session) -> bool:
    """Show the studio that this page is open; called at every tick.

    False where another tab has the session: this one was silent for so long (a browser slows the
    timers of a hidden tab) that it was taken for closed.
    """
    return session.studio.sessions.lease(session.id, _lease(session.studio, session.id))


def take_back(studio: Studio) -> None:
    """Get the session again that another tab has taken over."""
    session = st.session_state[HANDLE_KEY]
    studio.sessions.lease(session.id, _lease(studio, session.id), force=True)


def _end(lease: _Lease) -> None:
    # runs on the event loop when the tab closes: the studio hands the work to its worker
    lease.studio.end_lease(lease.session_id, lease)


# the lease is taken outside of this: a page that goes away meanwhile would never give it back
@st.cache_resource(scope="session", on_release=_end, show_spinner=False)
def _lease(_studio: Studio, session_id: str) -> _Lease:
    return _Lease(_studio, session_id)
