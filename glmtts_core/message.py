"""Why a figure is unknown: a sentence of the catalogue with its values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from glmtts_core.catalogue import Language, text


@dataclass(frozen=True, slots=True)
class Problem:
    """The reason for one or more unknown figures.

    Attributes:
        key: the sentence's key in the catalogue.
        details: values for its placeholders.
        device: NVML index of the device concerned; None where it concerns all.
    """

    key: str
    details: Mapping[str, object] = field(default_factory=dict)
    device: int | None = None

    def text(self, language: Language) -> str:
        """Return the sentence in ``language``."""
        return text(self.key, language, **self.details)
