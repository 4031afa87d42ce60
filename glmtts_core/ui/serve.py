"""Runs the server: ``python -m glmtts_core.ui.serve HOST PORT``, as ``streamlit run`` does.

What takes seconds to import is imported first, and Ctrl+C meanwhile ends it at once, without a
traceback. The server would only note a signal, and obey when everything is imported.
"""

from __future__ import annotations

import signal
import sys
from importlib import import_module
from typing import Final

from glmtts_core.ending import die_by_signals
from glmtts_core.memory.system import limit_heap_arenas
from glmtts_core.places import APP_DIR

_SLOW: Final = (
    "glmtts_core.api.routes",
    "glmtts_core.ui.page",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
)

#: Heaps that the threads share; see mallopt(3).
_HEAPS: Final = 2

if __name__ == "__main__":
    die_by_signals()
    # the command start holds it back
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    # a page is drawn by whatever thread is free: 202 MiB after visits to all pages become 196
    limit_heap_arenas(_HEAPS)
    for name in _SLOW:
        import_module(name)
    from streamlit.web.cli import main

    host, port = sys.argv[1:]
    options = ["--server.address", host, "--server.port", port]
    sys.argv = ["streamlit", "run", f"{APP_DIR / 'streamlit_app.py'}", *options]
    main()
