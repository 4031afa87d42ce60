"""The available engines: GLM-TTS where its checkpoint is found, the built-in voice always."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from glmtts_core.engines.base import Engine
from glmtts_core.engines.kokoro.engine import KokoroEngine
from glmtts_core.memory.ledger import Ledger
from glmtts_core.message import Message
from glmtts_core.settings import Settings

EngineFactory = Callable[[Settings, Ledger], Engine]


@dataclass(frozen=True, slots=True)
class Offer:
    """The available engines.

    Attributes:
        factories: create the engines, the preferred one first.
        lacking: why GLM-TTS is not among them and what to do; None where it is.
    """

    factories: tuple[EngineFactory, ...]
    lacking: Message | None


def engines_on_offer(settings: Settings, device: str, on_cpu: Message | None = None) -> Offer:
    """Return which engines can be created with ``settings``; reads no weights.

    Args:
        settings: name the checkpoint's folder, or ask for a rehearsal.
        device: "cpu" or "cuda:N", where GLM-TTS would compute.
        on_cpu: why that is the CPU although there may be a GPU.
    """
    lacking = _lacking_torch() if settings.rehearsal else _lacking(settings)
    if lacking is not None:
        return Offer((KokoroEngine,), lacking)
    if settings.rehearsal:
        return Offer((rehearsal_engine(device, on_cpu), KokoroEngine), None)

    def glmtts(settings: Settings, ledger: Ledger) -> Engine:
        from glmtts_core.engines.glmtts.checkpoint.network_loading import CheckpointNetworks
        from glmtts_core.engines.glmtts.engine import GlmTtsEngine  # heavy: it brings PyTorch
        from glmtts_core.engines.glmtts.precision import Precisions

        networks = CheckpointNetworks(settings.ckpt, settings.threads, Precisions.of(settings))
        return GlmTtsEngine(settings, ledger, device, networks, on_cpu)

    return Offer((glmtts, KokoroEngine), None)


def rehearsal_engine(device: str, on_cpu: Message | None = None) -> EngineFactory:
    """Return a factory of GLM-TTS with random weights on ``device`` ("cpu" or "cuda:N").

    ``on_cpu`` says why that is the CPU although there may be a GPU.
    """

    def rehearsal(settings: Settings, ledger: Ledger) -> Engine:
        from glmtts_core.engines.glmtts.engine import GlmTtsEngine  # heavy: it brings PyTorch
        from glmtts_core.engines.glmtts.precision import Precisions
        from glmtts_core.engines.glmtts.rehearsal import RehearsalNetworks

        networks = RehearsalNetworks(precisions=Precisions.of(settings))
        return GlmTtsEngine(settings, ledger, device, networks, on_cpu)

    return rehearsal


def _lacking_torch() -> Message | None:
    """Return why PyTorch cannot be imported; the built-in voice needs no PyTorch."""
    try:
        import torch  # noqa: F401 - heavy; imported to see whether that works
    except Exception as error:  # noqa: BLE001 - a library that does not fit may raise anything
        words = " ".join(str(error).split()) or type(error).__name__
        return Message("engine.no_pytorch", {"reason": words})
    return None


def _lacking(settings: Settings) -> Message | None:
    folder = settings.ckpt
    if not folder.is_dir():
        return Message("engine.get_glmtts", {"folder": folder})
    if (no_torch := _lacking_torch()) is not None:
        return no_torch
    from glmtts_core.engines.glmtts.checkpoint.folder import Checkpoint  # heavy: it brings PyTorch
    from glmtts_core.errors import CheckpointError

    try:
        there = Checkpoint(folder).is_there()
    except CheckpointError as error:
        return error.message
    return None if there else Message("engine.incomplete_glmtts", {"folder": folder})
