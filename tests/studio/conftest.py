"""What the tests of the studio share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from glmtts_core.memory.ledger import Ledger
from glmtts_core.settings import Settings
from glmtts_core.studio.studio import Studio
from tests.scripted_engine import CloningEngine, ScriptedEngine


@pytest.fixture
def two_engines(settings: Settings) -> Iterator[Studio]:
    """A studio of two engines for which there is room for one."""

    def needs_everything(settings: Settings, ledger: Ledger) -> CloningEngine:
        return CloningEngine(settings, ledger, load_bytes=2**62)

    with closing(Studio(settings, needs_everything, ScriptedEngine)) as opened:
        yield opened
