"""The recording that a command line names, to be cloned."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from glmtts_core.audio import decode
from glmtts_core.cli.options import refuse_without
from glmtts_core.cli.paths import read_file, shown
from glmtts_core.speech import ReferenceAudio


@dataclass(frozen=True, slots=True)
class Recording:
    """A file, and what is said in it."""

    path: Path
    transcript: str

    @classmethod
    def named(cls, path: Path | None, transcript: str | None) -> Recording | None:
        """Return what ``--reference`` and ``--reference-text`` name.

        Raises:
            RequestError: only the transcript is named.
        """
        given = transcript is not None
        refuse_without("--reference", path is not None, "--reference-text", given)
        return None if path is None else cls(path, transcript or "")

    def audio(self, max_s: float) -> ReferenceAudio:
        """Read the file.

        Raises:
            StorageError, AudioError: it cannot be read, or is longer than ``max_s``.
        """
        name = shown(Path(self.path.name))
        audio = decode(read_file(self.path, "cli.no_recording"), name, max_s=max_s)
        return ReferenceAudio(audio.samples, audio.sample_rate_hz, name, self.transcript)
