"""The errors that a user may see: each names a sentence of the catalogue and says what to do."""

from __future__ import annotations

from glmtts_core.catalogue import Language
from glmtts_core.message import Message


class GLMTTSError(Exception):
    """An error with a sentence for the user: what is wrong, where, and what to do next.

    Args:
        key: the sentence's key in the catalogue.
        details: values for its placeholders.
    """

    def __init__(self, key: str, **details: object) -> None:
        super().__init__(key)
        self.message = Message(key, details)

    def text(self, language: Language) -> str:
        """Return the sentence in ``language``."""
        return self.message.text(language)

    def __str__(self) -> str:
        return str(self.message)


class SettingsError(GLMTTSError):
    """A setting in the environment or in ``.env`` that cannot be used."""


class AudioError(GLMTTSError):
    """Audio that cannot be read, written or used."""


class TextError(GLMTTSError):
    """Text that cannot be spoken."""


class ReadingError(TextError):
    """A library gave words that cannot be right, or none, for a part of a text."""


class RequestError(GLMTTSError):
    """A synthesis request that the engine cannot fulfil as it stands."""


class NoSuchEngineError(RequestError):
    """A request names an engine that is not, or no longer, on offer."""


class EngineError(GLMTTSError):
    """The engine could not be loaded or failed while speaking."""


class EngineProcessError(EngineError):
    """The engine's own process has ended, or was ended; the next job starts another one."""


class ModelFileError(EngineError):
    """A model file is missing or damaged and could not be put right."""


class CheckpointError(ModelFileError):
    """A file of the GLM-TTS checkpoint is missing, damaged, refused or does not fit the network."""


class OutOfMemoryError(EngineError):
    """The device or the machine has not enough free memory for this request.

    Args:
        key: the sentence's key in the catalogue.
        requested_bytes: size of the one allocation that failed; None where nobody tells.
        details: values for the sentence's placeholders.
    """

    def __init__(self, key: str, *, requested_bytes: int | None = None, **details: object) -> None:
        super().__init__(key, **details)
        self.requested_bytes = requested_bytes


class ProcessOutOfMemoryError(OutOfMemoryError):
    """Memory ran out, and the engine's process with all that it kept went with that."""


class SynthesisCancelled(GLMTTSError):  # noqa: N818 - an outcome, not a fault
    """The user cancelled the job, or the program is closing."""


class BusyError(GLMTTSError):
    """Something else is running that must not be disturbed."""


class DownloadError(GLMTTSError):
    """Something could not be fetched from the network."""


class StorageError(GLMTTSError):
    """A result could not be written to or read from the disk."""


class AccessError(GLMTTSError):
    """A request comes under a name that is not ours, or from somebody else's page."""


class BatchError(GLMTTSError):
    """A batch's file, its references or its run cannot be used as they are."""


class DiagnosticsError(GLMTTSError):
    """A measurement that cannot be taken here, or that failed."""
