"""Sound that libsndfile does not read, decoded by the program ffmpeg where it is installed.

The file may be an attack: ffmpeg reads it as the one kind that its bytes tell, opens nothing else,
and is bounded in time, memory and output.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path
from tempfile import gettempdir
from typing import Final

from glmtts_core.byte_units import GIB, MIB
from glmtts_core.errors import AudioError, StorageError
from glmtts_core.files import scratch_folder
from glmtts_core.sound_files.formats import KINDS

#: Seconds for one file; an hour of sound takes a few.
_TIMEOUT_S: Final = 60.0
#: Most bytes of 16-bit sound that are taken: an hour and a half at 24 kHz.
_MAX_BYTES: Final = 256 * MIB
#: Longest sound that is taken where nobody says how long it may be: the most a setting allows.
_LONGEST_S: Final = 3_600.0
_MEMORY_BYTES: Final = 4 * GIB
#: Names in the environment that ffmpeg has no need of, or would write files for.
_KEPT_BACK: Final = ("GLMTTS_", "FFREPORT", "AV_LOG")


def decoded(data: bytes, reader: str, kind: str, name: str, max_s: float | None) -> bytes:
    """Return a sound as a mono WAV file, cut off a second beyond the longest that is accepted.

    Args:
        data: the file's bytes.
        reader: ffmpeg's name of its kind, as `formats.packed_kind` tells.
        kind: what people call it.
        name: the file's name, for messages.
        max_s: longest duration that is accepted, in seconds.

    Raises:
        AudioError: ffmpeg is not installed, takes too long, or gives no sound or too much.
        StorageError: there is no room for the file.
    """
    program = shutil.which("ffmpeg")
    if program is None:
        raise AudioError("audio.needs_ffmpeg", name=name, kind=kind)
    longest_s = (_LONGEST_S if max_s is None else max_s) + 1
    try:
        with scratch_folder() as folder:
            file = folder / "sound"
            file.write_bytes(data)
            wav = _run(_command(program, reader, file, longest_s))
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError("storage.write", folder=gettempdir(), reason=reason) from error
    if wav is None:
        raise AudioError("audio.ffmpeg_slow", name=name, limit=f"{_TIMEOUT_S:g}")
    if not wav:
        raise AudioError("audio.unreadable", name=name, kinds=KINDS)
    if len(wav) >= _MAX_BYTES:
        raise AudioError("audio.too_large", name=name, limit=_MAX_BYTES // MIB)
    return wav


def _command(program: str, reader: str, file: Path, longest_s: float) -> list[str]:
    only_this = ["-protocol_whitelist", "file,pipe", "-f", reader, "-i", f"file:{file}"]
    only_sound = ["-map", "0:a:0", "-vn", "-sn", "-dn", "-t", f"{longest_s:g}"]
    as_wav = ["-ac", "1", "-c:a", "pcm_s16le", "-f", "wav", "pipe:1"]
    quiet = ["-nostdin", "-hide_banner", "-loglevel", "quiet", "-threads", "1"]
    return [program, *quiet, *only_this, *only_sound, *as_wav]


def _run(command: list[str]) -> bytes | None:
    """Return what the program writes, at most `_MAX_BYTES`; None where it takes too long."""
    import resource  # of Unix only, and only ffmpeg needs it

    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(_KEPT_BACK)
    }
    late = threading.Event()
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    ) as process:

        def end() -> None:
            # with all that it started, which would hold the pipe open; it may have ended
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

        def end_late() -> None:
            late.set()
            end()

        timer = threading.Timer(_TIMEOUT_S, end_late)
        timer.start()
        try:
            with contextlib.suppress(OSError):
                resource.prlimit(process.pid, resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
            written = process.stdout.read(_MAX_BYTES) if process.stdout is not None else b""
        finally:
            timer.cancel()
            end()
    return None if late.is_set() else written
