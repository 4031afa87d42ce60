"""The samples of a sound file, read block by block to its real end, and bounded.

Knows nothing about what the samples are for.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np
import numpy.typing as npt
import soundfile

from glmtts_core.errors import AudioError
from glmtts_core.sound_files import ffmpeg
from glmtts_core.sound_files.formats import KINDS, is_opus, packed_kind, with_length

Samples = npt.NDArray[np.float32]

#: Samples (frames times channels) that are decoded at a time: 4 MiB of float32.
_BLOCK_SAMPLES: Final = 2**20
#: libsndfile's way of saying that a header does not tell the length.
_UNKNOWN_FRAMES: Final = 2**62
#: Channels and rates beyond which a file is no recording of a voice but a mistake, or an attack:
#: silence of 8 channels at 192 kHz packs a minute of 350 MiB into 92 kB.
MAX_CHANNELS: Final = 8
MIN_RATE_HZ: Final = 4_000
MAX_RATE_HZ: Final = 192_000


def read_samples(data: bytes, name: str, max_s: float | None, *, mono: bool) -> tuple[Samples, int]:
    """Return the samples of a sound file and their rate; see `audio.decode`.

    Raises:
        AudioError: it is not audio, damaged, too long, of unusable channels or rate, or takes
            ffmpeg, which is not here.
        StorageError: there is no room to unpack it.
    """
    try:
        return _by_libsndfile(data, name, max_s, mono=mono)
    except (soundfile.SoundFileError, ValueError, TypeError) as error:
        packed = None if is_opus(data) and _reads_opus() else packed_kind(data)
        if packed is None:
            raise AudioError("audio.unreadable", name=name, kinds=KINDS) from error
    return _by_ffmpeg(data, packed, name, max_s)


def _reads_opus() -> bool:
    return "OPUS" in soundfile.available_subtypes("OGG")


def mean_of_channels(samples: Samples) -> Samples:
    """Return the mean of the channels, from shape (frames, channels)."""
    mean: Samples = samples.mean(axis=1, dtype=np.float32)
    return mean


class _SoundFile(soundfile.SoundFile):  # type: ignore[misc]
    """A file whose end is found by reading where its header does not tell the length."""

    def seekable(self) -> bool:
        return bool(super().seekable()) and self.frames < _UNKNOWN_FRAMES


def _by_libsndfile(
    data: bytes, name: str, max_s: float | None, *, mono: bool
) -> tuple[Samples, int]:
    with _SoundFile(with_length(data)) as file:
        rate = int(file.samplerate)
        _refuse_unusable(file.channels, rate, name)
        if file.frames < _UNKNOWN_FRAMES:
            _refuse_too_long(file.frames / rate, max_s, name)
        return _read_blocks(file, max_s, name, mono=mono), rate


def _by_ffmpeg(
    data: bytes, packed: tuple[str, str], name: str, max_s: float | None
) -> tuple[Samples, int]:
    """Return the samples, which ffmpeg cuts off a second behind the longest duration."""
    wav = ffmpeg.decoded(data, *packed, name, max_s)
    try:
        samples, rate = _by_libsndfile(wav, name, None, mono=True)
    except (soundfile.SoundFileError, ValueError, TypeError) as error:
        raise AudioError("audio.unreadable", name=name, kinds=KINDS) from error
    if max_s is not None and len(samples) / rate > max_s:
        raise AudioError("audio.longer", name=name, limit=f"{max_s:g}")
    return samples, rate


def _read_blocks(
    file: soundfile.SoundFile, max_s: float | None, name: str, *, mono: bool
) -> Samples:
    """Read to the real end; memory grows with what is there, not with what the header claims."""
    block_frames = max(1, _BLOCK_SAMPLES // file.channels)
    blocks: deque[Samples] = deque()
    frames = 0
    while True:
        block = file.read(min(block_frames, file.frames), dtype="float32", always_2d=True)
        if not len(block):
            break
        blocks.append(mean_of_channels(block) if mono or file.channels == 1 else block)
        frames += len(block)
        _refuse_too_long(frames / file.samplerate, max_s, name)
    return _joined(blocks, frames)


def _joined(blocks: deque[Samples], frames: int) -> Samples:
    """Empty ``blocks`` into one array; each goes as it is copied: nothing is there twice."""
    whole = np.empty((frames, *blocks[0].shape[1:]) if blocks else 0, np.float32)
    start = 0
    while blocks:
        block = blocks.popleft()
        whole[start : start + len(block)] = block
        start += len(block)
    return whole


def _refuse_unusable(channels: int, rate_hz: int, name: str) -> None:
    if channels > MAX_CHANNELS or not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise AudioError(
            "audio.unusable",
            name=name,
            channels=channels,
            rate_hz=rate_hz,
            max_channels=MAX_CHANNELS,
            min_hz=MIN_RATE_HZ,
            max_hz=MAX_RATE_HZ,
        )


def _refuse_too_long(duration_s: float, max_s: float | None, name: str) -> None:
    if max_s is not None and duration_s > max_s:
        raise AudioError(
            "audio.too_long", name=name, seconds=f"{duration_s:.1f}", limit=f"{max_s:g}"
        )
