"""Runs the server: ``python -m glmtts_core.ui.serve HOST PORT``, as ``streamlit run`` does.

Importing Streamlit takes a second, and Ctrl+C meanwhile ends it at once, without a traceback.
"""

from __future__ import annotations

import sys

from glmtts_core.ending import die_by_signals

if __name__ == "__main__":
    die_by_signals()
    from streamlit.web.cli import main

    host, port = sys.argv[1:]
    options = ["--server.address", host, "--server.port", port]
    sys.argv = ["streamlit", "run", "streamlit_app.py", *options]
    main()
