"""Whether a sound is whole, judged by its header and size, quickly enough for ten thousand."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Final

from glmtts_core.errors import AudioError
from glmtts_core.files import open_regular
from glmtts_core.sound_files.formats import KINDS

#: Seconds by which a sound may differ from what the database tells, which is rounded.
_ROUNDING_S: Final = 0.001
#: Format code of samples that are not compressed.
_PCM: Final = 1


def is_whole(path: Path, audio_s: float | None) -> bool:
    """Whether a WAV file exists and is whole; ``audio_s``: its noted length, None takes any."""
    try:
        found_s = wav_duration_s(path)
    except (AudioError, OSError):
        return False
    return audio_s is None or abs(found_s - audio_s) <= _ROUNDING_S


def wav_duration_s(path: Path) -> float:
    """Return how long a WAV file is, from its header; its samples are not read.

    Raises:
        AudioError: it is no WAV file of ours, or shorter than its header claims.
        OSError: it is not there or cannot be read.
    """
    with open_regular(path) as file:
        size_bytes = os.fstat(file.fileno()).st_size
        start = file.read(12)
        bytes_per_s = 0
        if start[:4] == b"RIFF" and start[8:] == b"WAVE":
            while len(chunk := file.read(8)) == 8:
                kind, length = struct.unpack("<4sI", chunk)
                if kind == b"data" and bytes_per_s and file.tell() + length <= size_bytes:
                    return float(length / bytes_per_s)
                content = file.tell()
                if kind == b"fmt " and length >= 16:
                    bytes_per_s = _bytes_per_s(file.read(16).ljust(16, b"\0"))
                file.seek(content + length + length % 2)
    raise AudioError("audio.unreadable", name=path.name, kinds=KINDS)


def _bytes_per_s(layout: bytes) -> int:
    """Return the bytes a second of the 16-bit PCM that this program writes; 0 for anything else."""
    code, channels, rate_hz, bytes_per_s, frame_bytes, bits = struct.unpack("<HHIIHH", layout)
    whole = (code, channels, bits) == (_PCM, 1, 16) and frame_bytes == 2
    return int(bytes_per_s) if whole and bytes_per_s == 2 * rate_hz else 0
