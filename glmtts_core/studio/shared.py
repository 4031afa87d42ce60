"""The process's one studio, which pages, HTTP routes and the command line share.

The instance in this module is the program's only mutable global.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from glmtts_core.engines.host.process import ProcessHost
from glmtts_core.settings import load_settings
from glmtts_core.studio.studio import Studio

_lock: Final = threading.Lock()
_studio: Studio | None = None


def get_studio() -> Studio:
    """Return the process's studio, opening it on first use.

    Raises:
        SettingsError: a setting that cannot be used.
    """
    global _studio
    with _lock:
        if _studio is None:
            _studio = Studio(load_settings(), host=ProcessHost)
        return _studio


@contextmanager
def use_studio(studio: Studio) -> Iterator[None]:
    """Make ``studio`` the process's studio while inside: for an engine that was made elsewhere."""
    global _studio
    with _lock:
        before, _studio = _studio, studio
    try:
        yield
    finally:
        with _lock:
            _studio = before


def close_studio() -> None:
    """Close the process's studio, if there is one."""
    global _studio
    with _lock:
        studio, _studio = _studio, None
    if studio is not None:
        studio.close()
