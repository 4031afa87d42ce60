"""Fixtures for all tests: no settings from outside, and a studio with the scripted engine."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from glmtts_core.settings import PREFIX, Settings

if TYPE_CHECKING:
    from glmtts_core.engines.kokoro.engine import KokoroEngine
    from glmtts_core.studio.studio import Studio

pytest_plugins = ["tests.frozen_heap", "tests.tiers"]

# how long an example takes says more about the machine than about the code
hypothesis.settings.register_profile("studio", deadline=None)
hypothesis.settings.load_profile("studio")


@pytest.fixture(scope="session", autouse=True)
def signals_reach_the_programs_under_test() -> None:
    """Pass on no deaf ear: what ``nohup`` or a job in the background lets be ignored."""
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            # a program that is started inherits what is ignored, and not what is handled
            signal.signal(number, lambda *_: None)


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no ``GLMTTS_*`` name of the developer's shell, nor hidden GPUs, reach a test."""
    # choosing the CPU empties this name; set first, it is put back after the test
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    for name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder for the built-in voice's model file: one for all tests and their children.

    Who needs the file first puts it together; tests of just that have folders of their own.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        # each worker has a folder of its own in that of the whole run
        folder = folder.parent
    (cache := folder / "model-cache").mkdir(exist_ok=True)
    return cache


@pytest.fixture(scope="session")
def kokoro(model_cache: Path) -> KokoroEngine:
    """The built-in voice, loaded by the first test that speaks with it."""
    from glmtts_core.engines.kokoro.engine import KokoroEngine
    from glmtts_core.memory.ledger import Ledger

    settings = Settings(_env_file=None, device="cpu", threads=1, cache_dir=model_cache)
    return KokoroEngine(settings, Ledger())


@pytest.fixture
def settings(tmp_path: Path, model_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings that compute on one core and write under the test's own folder."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    return Settings(
        _env_file=None,
        device="cpu",
        threads=1,
        output_dir=tmp_path / "outputs",
        cache_dir=model_cache,
        ckpt=tmp_path / "ckpt",
    )


@pytest.fixture
def studio(settings: Settings) -> Iterator[Studio]:
    """A studio with the scripted engine; closed after the test."""
    from glmtts_core.studio.studio import Studio
    from tests.scripted_engine import ScriptedEngine

    with closing(Studio(settings, ScriptedEngine)) as opened:
        yield opened


@pytest.fixture
def tiny_rehearsal(monkeypatch: pytest.MonkeyPatch) -> str:
    """Make the studio's rehearsal a tiny one; return its engine's name."""
    from glmtts_core.engines.glmtts.engine import GlmTtsEngine
    from glmtts_core.engines.glmtts.rehearsal import RehearsalNetworks
    from tests.engines.glmtts.tiny_engine import TINY_SIZE

    def factory(device: str, on_cpu=None):
        parts = RehearsalNetworks(TINY_SIZE)
        return lambda settings, ledger: GlmTtsEngine(settings, ledger, device, parts, on_cpu)

    monkeypatch.setattr("glmtts_core.studio.engine_room.rehearsal_order", factory)
    return RehearsalNetworks.engine_name
