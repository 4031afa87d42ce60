"""Command lines in an English shell, in an empty folder, over scripted engines that are kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from glmtts_core.memory.ledger import Ledger
from glmtts_core.settings import Settings
from tests.scripted_engine import ScriptedEngine


class Maker:
    """Makes scripted engines for the command line; those of the last commands are kept."""

    def __init__(self) -> None:
        self.made: list[ScriptedEngine] = []
        self.prepare: Callable[[ScriptedEngine], None] = lambda engine: None

    def __call__(self, settings: Settings, ledger: Ledger) -> ScriptedEngine:
        engine = ScriptedEngine(settings, ledger)
        self.prepare(engine)
        self.made.append(engine)
        return engine

    @property
    def engine(self) -> ScriptedEngine:
        """The first one."""
        return self.made[0]

    @property
    def spoken(self) -> list[str]:
        """What all of them have spoken."""
        return [text for engine in self.made for text in engine.spoken]


@pytest.fixture
def maker() -> Maker:
    """Nothing is made before a command asks for it."""
    return Maker()


@pytest.fixture
def english_shell_in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test works in its own folder, without a GPU, and is spoken to in English."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("GLMTTS_DEVICE", "cpu")
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
