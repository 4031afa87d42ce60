"""What a command becomes when it is understood: a task, and what it is run with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glmtts_core.catalogue import Language
    from glmtts_core.engines.available import EngineFactory
    from glmtts_core.settings import Settings


@dataclass(frozen=True, slots=True)
class Invocation:
    """What every command is run with.

    Attributes:
        settings: as they are in force.
        language: of the sentences.
        engine_factories: make the engines; none takes those that are on offer here.
    """

    settings: Settings
    language: Language
    engine_factories: tuple[EngineFactory, ...] = ()


#: Runs a command and returns its exit code.
Task = Callable[[Invocation], int]
