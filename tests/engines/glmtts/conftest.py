"""A tiny checkpoint in the official layout for all tests of this package."""

from __future__ import annotations

from pathlib import Path

import pytest

from glmtts_core.engines.glmtts.checkpoint.folder import Checkpoint
from tests.engines.glmtts.official_layout import write_checkpoint


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """A whole checkpoint that is shared: read it only."""
    return write_checkpoint(tmp_path_factory.mktemp("tiny") / "ckpt")


@pytest.fixture
def own_checkpoint(tmp_path: Path) -> Checkpoint:
    """A whole checkpoint of the test's own, to be damaged."""
    return write_checkpoint(tmp_path / "ckpt")
