"""A sentence for the user: its key in the catalogue and the values for its placeholders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from glmtts_core.catalogue import Language, text


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence of the catalogue with its values, in whatever language it is shown.

    Attributes:
        key: the sentence's key in the catalogue.
        details: values for its placeholders; a message among them is shown in the same language.
    """

    key: str
    details: Mapping[str, object] = field(default_factory=dict, hash=False)

    def text(self, language: Language) -> str:
        """Return the sentence in ``language``."""
        return text(self.key, language, **self.values(language))

    def values(self, language: Language) -> dict[str, object]:
        """Return the values for the placeholders in ``language``."""
        return {
            name: value.text(language) if isinstance(value, Message) else value
            for name, value in self.details.items()
        }

    def plain(self) -> Message:
        """Return the same message with values that JSON can hold."""
        return Message(
            self.key,
            {
                name: value if isinstance(value, str | int | float) else str(value)
                for name, value in self.details.items()
            },
        )

    def __str__(self) -> str:
        return self.text("en")
