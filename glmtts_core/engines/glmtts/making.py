"""Makes GLM-TTS: with the networks of a checkpoint, or with random ones."""

from __future__ import annotations

from glmtts_core.engines.glmtts.checkpoint.network_loading import CheckpointNetworks
from glmtts_core.engines.glmtts.engine import GlmTtsEngine
from glmtts_core.engines.glmtts.precision import Precisions
from glmtts_core.engines.glmtts.rehearsal import RehearsalNetworks
from glmtts_core.memory.ledger import Ledger
from glmtts_core.message import Message
from glmtts_core.settings import Settings


def with_checkpoint(
    settings: Settings, ledger: Ledger, device: str, on_cpu: Message | None
) -> GlmTtsEngine:
    """Return the engine with the checkpoint that the settings name."""
    networks = CheckpointNetworks(settings.ckpt, settings.threads, Precisions.of(settings))
    return GlmTtsEngine(settings, ledger, device, networks, on_cpu)


def rehearsal(
    settings: Settings, ledger: Ledger, device: str, on_cpu: Message | None
) -> GlmTtsEngine:
    """Return the engine with random weights."""
    networks = RehearsalNetworks(precisions=Precisions.of(settings))
    return GlmTtsEngine(settings, ledger, device, networks, on_cpu)
