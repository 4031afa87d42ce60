"""The available engines: GLM-TTS where its checkpoint is found, the built-in voice always.

Importing this brings neither PyTorch nor ONNX Runtime.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from glmtts_core.engines.base import Engine
from glmtts_core.engines.kokoro.capabilities import CAPABILITIES
from glmtts_core.engines.order import EngineOrder
from glmtts_core.memory.ledger import Ledger
from glmtts_core.message import Message
from glmtts_core.settings import Settings

EngineFactory = Callable[[Settings, Ledger], Engine]
#: Returns an order with what was found out about its engine, or why that cannot be made.
Examine = Callable[[Settings, EngineOrder], EngineOrder | Message]

_GLMTTS: Final = "GLM-TTS"
_WITH_CHECKPOINT: Final = "glmtts_core.engines.glmtts.making:with_checkpoint"
BUILT_IN_VOICE: Final = EngineOrder(
    "glmtts_core.engines.kokoro.engine:KokoroEngine", CAPABILITIES.engine, capabilities=CAPABILITIES
)


@dataclass(frozen=True, slots=True)
class Offer:
    """The available engines.

    Attributes:
        factories: create the engines, the preferred one first.
        lacking: why GLM-TTS is not among them and what to do; None where it is.
    """

    factories: tuple[EngineOrder, ...]
    lacking: Message | None


def glmtts_order(device: str, on_cpu: Message | None = None) -> EngineOrder:
    """Return what makes GLM-TTS with the settings' checkpoint on ``device`` ("cpu" or "cuda:N").

    ``on_cpu`` says why that is the CPU although there may be a GPU.
    """
    return EngineOrder(_WITH_CHECKPOINT, _GLMTTS, device, on_cpu)


def rehearsal_order(device: str, on_cpu: Message | None = None) -> EngineOrder:
    """Return what makes GLM-TTS with random weights; see `glmtts_order`."""
    return EngineOrder("glmtts_core.engines.glmtts.making:rehearsal", _GLMTTS, device, on_cpu)


def engines_on_offer(
    settings: Settings, device: str, on_cpu: Message | None, examine: Examine
) -> Offer:
    """Return which engines can be created with ``settings``; reads no weights.

    Args:
        settings: name the checkpoint's folder, or ask for a rehearsal.
        device: "cpu" or "cuda:N", where GLM-TTS would compute.
        on_cpu: why that is the CPU although there may be a GPU.
        examine: finds out whether GLM-TTS can be made.
    """
    if not settings.rehearsal and not settings.ckpt.is_dir():
        # without a folder there is nothing to bring PyTorch in for
        return Offer((BUILT_IN_VOICE,), Message("engine.get_glmtts", {"folder": settings.ckpt}))
    order = (rehearsal_order if settings.rehearsal else glmtts_order)(device, on_cpu)
    found = examine(settings, order)
    if isinstance(found, Message):
        return Offer((BUILT_IN_VOICE,), found)
    return Offer((found, BUILT_IN_VOICE), None)


def why_lacking(settings: Settings, order: EngineOrder) -> Message | None:
    """Return why an engine cannot be made in this process; None where it can.

    Imports PyTorch for GLM-TTS; the built-in voice can always be made.
    """
    if order.device is None:
        return None
    if (lacking := _lacking_torch()) is not None:
        return lacking
    return _lacking_files(settings) if order.factory == _WITH_CHECKPOINT else None


def _lacking_torch() -> Message | None:
    """Return why PyTorch cannot be imported; the built-in voice needs no PyTorch."""
    try:
        import torch  # noqa: F401 - heavy; imported to see whether that works
    except Exception as error:  # noqa: BLE001 - a library that does not fit may raise anything
        words = " ".join(str(error).split()) or type(error).__name__
        return Message("engine.no_pytorch", {"reason": words})
    return None


def _lacking_files(settings: Settings) -> Message | None:
    from glmtts_core.engines.glmtts.checkpoint.folder import Checkpoint  # heavy: it brings PyTorch
    from glmtts_core.errors import CheckpointError

    folder = settings.ckpt
    try:
        there = Checkpoint(folder).is_there()
    except CheckpointError as error:
        return error.message
    return None if there else Message("engine.incomplete_glmtts", {"folder": folder})
