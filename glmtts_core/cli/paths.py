"""Files that the command line names: shown on one line, read and written with one sentence each."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final

from glmtts_core.errors import StorageError
from glmtts_core.files import write_into

#: Longest path that is shown whole, in characters.
_SHOWN_CHARS: Final = 160
_WAV: Final = ("", ".wav")
#: As a path: the standard output.
STANDARD_OUTPUT: Final = Path("-")


def shown(path: Path) -> str:
    """Return a path as it is shown in a message: on one line, not too long, always valid text."""
    words = str(path).encode("utf-8", "backslashreplace").decode()
    words = "".join(char if char.isprintable() else "�" for char in words)
    if len(words) <= _SHOWN_CHARS:
        return words
    return f"{words[: _SHOWN_CHARS // 2]}…{words[-_SHOWN_CHARS // 2 :]}"


def read_file(path: Path, key: str) -> bytes:
    """Return the bytes of a file.

    Args:
        path: of the file.
        key: of the sentence that says that it cannot be read.

    Raises:
        StorageError: it cannot.
    """
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise StorageError(key, path=shown(path), reason=_reason(error)) from error


def write_file(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all; what was there before stays until then.

    Raises:
        StorageError: it cannot be written.
    """
    try:
        target = path.resolve()
        if target.exists() and not (target.is_file() and os.access(target.parent, os.W_OK)):
            # a device or pipe, or a folder that takes no second file
            target.write_bytes(data)
        else:
            mode = _mode_of(target)
            write_into(target, data)
            target.chmod(mode)
    except (OSError, ValueError) as error:
        raise _unwritable(path, _reason(error)) from error


def refuse_unwritable_wav(path: Path) -> None:
    """Fail before the synthesis, not after it.

    Raises:
        StorageError: ``path`` cannot be written, or asks for anything but WAV by its ending.
    """
    if path == STANDARD_OUTPUT:
        return
    if (ending := _ending(path)) not in _WAV:
        raise StorageError("cli.only_wav", path=shown(path), ending=shown(Path(ending)))
    folder = path.parent
    try:
        # tells of names that are too long, and of those that hold what no name may hold
        there = _exists(path)
    except (OSError, ValueError) as error:
        raise _unwritable(path, _reason(error)) from error
    if not folder.is_dir() or path.is_dir() or not os.access(path if there else folder, os.W_OK):
        raise _unwritable(path, f"{shown(folder)}/")


def refuse_unusable_folder(path: Path) -> None:
    """Fail before anything is read or spoken for a folder that cannot be made.

    Raises:
        StorageError: its name is too long or not allowed, or something else lies there.
    """
    try:
        usable = not _exists(path) or path.is_dir()
    except (OSError, ValueError) as error:
        raise StorageError("cli.no_folder", path=shown(path), reason=_reason(error)) from error
    if not usable:
        reason = os.strerror(errno.ENOTDIR)
        raise StorageError("cli.no_folder", path=shown(path), reason=reason)


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return False
    return True


def _mode_of(path: Path) -> int:
    """Return the permissions that a file has, or that a new one gets."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _ending(path: Path) -> str:
    """Return ".mp3" also for a file that is called nothing else, or with a dot behind."""
    _, dot, ending = path.name.rstrip(".").rpartition(".")
    return f"{dot}{ending}".lower() if dot else ""


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)


def _unwritable(path: Path, reason: str) -> StorageError:
    return StorageError("cli.cannot_write", path=shown(path), reason=reason)
