"""What a self-check has found: a light for each item, and one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from glmtts_core.catalogue import Language, text
from glmtts_core.message import Message


class Light(StrEnum):
    """How a check came out; the later ones are worse."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class SelfCheckItem(StrEnum):
    """What is checked, in this order."""

    DISK = "disk"
    LOAD = "load"
    SPEAK = "speak"
    SOUND = "sound"
    CLEANUP = "cleanup"
    ROUTES = "routes"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How one check came out.

    Attributes:
        check: what was checked.
        light: the outcome.
        message: what was seen and, where not green, what to do.
        seconds: how long it took.
    """

    check: SelfCheckItem
    light: Light
    message: Message
    seconds: float = 0.0

    def name(self, language: Language) -> str:
        """Return what was checked."""
        return text(f"self_check.{self.check}", language)


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """All results, in the order of the checks."""

    results: tuple[CheckResult, ...]

    @property
    def light(self) -> Light:
        """The worst of all lights."""
        order = list(Light)
        return max((result.light for result in self.results), key=order.index)

    def to_dict(self, language: Language) -> dict[str, Any]:
        """Return plain values for JSON."""
        checks = [
            {
                "check": result.check.value,
                "light": result.light.value,
                "message": result.message.text(language),
                "seconds": round(result.seconds, 3),
            }
            for result in self.results
        ]
        return {"light": self.light.value, "checks": checks}
