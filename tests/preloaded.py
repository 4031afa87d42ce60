"""What the server of `forked` processes imports once; each of them needs some of it."""

from __future__ import annotations

import gc
from importlib import import_module
from typing import Final

_SLOW: Final = (
    "numpy.ma",
    "scipy.signal",
    "torch",
    "streamlit.web.cli",
    "glmtts_core.ui.page",
    "glmtts_core.cli.main",
    "glmtts_core.cli.commands.batch",
    "glmtts_core.cli.commands.say",
    "glmtts_core.cli.batch",
    "glmtts_core.cli.say",
    "glmtts_core.engines.glmtts.engine",
    "glmtts_core.engines.glmtts.reference_check",
    "glmtts_core.engines.kokoro.engine",
    "tests.batch.kill_moments",
    "tests.batch.crash_child",
)

for _name in _SLOW:
    import_module(_name)
# shared with all processes as long as no collection touches it
gc.freeze()
