"""Overview page and, for ``streamlit run``, the ASGI app that serves pages and HTTP routes."""

import sys

if __name__ == "__main__":
    import streamlit as st

    from glmtts_core.ui.overview import sections
    from glmtts_core.ui.page import open_page

    page = open_page("overview.title")
    sections.live(page)
    sections.first_steps(page)
    sections.last_syntheses(page)
else:
    from glmtts_core.ending import die_by_signals, ending_signals

    # the server has its handlers already, and would obey only when all of this is imported
    put_handlers_back = die_by_signals()

    import signal
    from collections.abc import AsyncIterator
    from contextlib import asynccontextmanager
    from typing import Any

    import streamlit as st
    from starlette.middleware import Middleware

    from glmtts_core.api import routes
    from glmtts_core.api.access import AccessMiddleware
    from glmtts_core.catalogue import text
    from glmtts_core.errors import SettingsError
    from glmtts_core.host_names import HostRules
    from glmtts_core.studio.shared import close_studio, get_studio
    from glmtts_core.ui import page as _page_imports  # noqa: F401 - before the first visitor

    try:
        settings = get_studio().settings
    except SettingsError as error:
        # one sentence, no traceback: it is the user's setting that is at fault
        sys.exit(str(error))

    @asynccontextmanager
    async def lifespan(_: st.App) -> AsyncIterator[dict[str, Any]]:
        """Close the studio with the server: jobs cancelled, memory given back."""
        stop = signal.getsignal(signal.SIGTERM)
        with ending_signals(lambda _: stop(signal.SIGTERM, None) if callable(stop) else None):
            yield {}
            close_studio()
            sys.stderr.write(text("studio.closed", "en") + "\n")

    rules = HostRules(st.get_option("server.address") or "0.0.0.0", settings.allowed_hosts)
    app = st.App(
        __file__,
        routes=routes.routes(get_studio),
        middleware=[Middleware(AccessMiddleware, rules=rules)],
        lifespan=lifespan,
    )
    put_handlers_back()
