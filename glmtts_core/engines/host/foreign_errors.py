"""Errors on their way from an engine's process: as names and plain values, never as objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from glmtts_core import errors
from glmtts_core.errors import EngineError, GLMTTSError, OutOfMemoryError
from glmtts_core.message import Message
from glmtts_core.stored import StrictModel

Plain = str | int | float | bool | None
#: The errors that users may see, by name.
_KNOWN: Final[Mapping[str, type[GLMTTSError]]] = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, GLMTTSError)
}


class PlainMessage(StrictModel):
    """A `Message` whose values are plain, or messages again."""

    key: str
    details: dict[str, Plain | PlainMessage]

    @classmethod
    def of(cls, message: Message) -> PlainMessage:
        """Return ``message``; values of other kinds become their text."""
        return cls(key=message.key, details={k: _plain(v) for k, v in message.details.items()})

    def message(self) -> Message:
        """Return what `of` was given."""
        details = {
            name: value.message() if isinstance(value, PlainMessage) else value
            for name, value in self.details.items()
        }
        return Message(self.key, details)


class PlainError(StrictModel):
    """An error that a user may see.

    Attributes:
        kind: name of its class; of the nearest one that all processes know.
        message: its sentence.
        requested_bytes: of an allocation that failed.
    """

    kind: str
    message: PlainMessage
    requested_bytes: int | None = None

    @classmethod
    def of(cls, error: BaseException) -> PlainError:
        """Return ``error`` as it can be sent; one that nobody expected becomes a sentence."""
        if isinstance(error, MemoryError):
            error = OutOfMemoryError("engine.out_of_memory")
        elif not isinstance(error, GLMTTSError):
            reason = f"{type(error).__name__}: {error}"
            error = EngineError("engine.unexpected", reason=reason)
        kind = next(each.__name__ for each in type(error).__mro__ if each.__name__ in _KNOWN)
        requested = error.requested_bytes if isinstance(error, OutOfMemoryError) else None
        return cls(kind=kind, message=PlainMessage.of(error.message), requested_bytes=requested)

    def error(self) -> GLMTTSError:
        """Return an error that says the same."""
        kind, message = _KNOWN.get(self.kind, EngineError), self.message.message()
        if issubclass(kind, OutOfMemoryError):
            requested = self.requested_bytes
            return kind(message.key, requested_bytes=requested, **message.details)
        return kind(message.key, **message.details)


def _plain(value: object) -> Plain | PlainMessage:
    if isinstance(value, GLMTTSError):
        value = value.message
    if isinstance(value, Message):
        return PlainMessage.of(value)
    # numbers of NumPy or PyTorch are no plain ones; an enumeration's text is its value
    return value if type(value) in (str, int, float, bool, type(None)) else str(value)  # type: ignore[return-value]
