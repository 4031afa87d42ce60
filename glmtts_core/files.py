"""Writing files so that a crash leaves the whole file or none, and clearing old folders.

Who writes a partial file or a scratch folder holds a lock on it, which ends with its process: what
nobody holds any more was left by a process that died.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import fnmatch
import logging
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

_log = logging.getLogger(__name__)
#: What a process that died while writing leaves behind.
PARTIAL_PATTERN: Final = ".????????.part"
#: As above, for files that are named after what they will become.
_NAMED_PARTIAL_PATTERN: Final = "*.????????.part"
_SCRATCH_PREFIX: Final = "glm-tts-scratch-"


def write_whole(path: Path, data: bytes) -> None:
    """Write ``data`` to a temporary name, flush it to the disk and rename it to ``path``.

    The folder is made where there is none, and holds the new name even after a power cut.

    Raises:
        OSError: the folder cannot be written; nothing of ``data`` stays behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_into(path, data)


def write_into(path: Path, data: bytes) -> None:
    """Like `write_whole`, into a folder that must be there: one that was removed is not made anew.

    Raises:
        OSError: the folder is gone or cannot be written; nothing of ``data`` stays behind.
    """
    write_parts_into(path, (data,))


def write_parts_into(path: Path, parts: Iterable[bytes]) -> None:
    """Like `write_into`, part by part; ``path`` gets its new content after the last one.

    Raises:
        OSError: the folder is gone or cannot be written; nothing of ``parts`` stays behind.
    """
    with partial_file(path.parent) as (file, temporary):
        file.writelines(parts)
        file.flush()
        os.fsync(file.fileno())
        temporary.replace(path)
    flush_folder(path.parent)


def open_regular(path: Path) -> BinaryIO:
    """Open a file to be read. A pipe in its place, which might wait for ever, is refused.

    Raises:
        OSError: it is not there, cannot be read, or is no regular file.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return os.fdopen(handle, "rb")
    os.close(handle)
    raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), f"{path}")


def flush_folder(folder: Path) -> None:
    """Have the disk hold the names in ``folder`` as they are now.

    Raises:
        OSError: the folder is gone, or the disk fails.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    except OSError as error:
        # some network and FUSE file systems cannot flush a folder, only files
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def move_new(source: Path, target: Path) -> None:
    """Give a file another name inside its folder, unless a file is called so already.

    Raises:
        FileExistsError: a file is; it stays as it is.
        OSError: the folder cannot be written.
    """
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError as error:
        # some file systems know no second names
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
            raise
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), f"{target}") from error
        source.replace(target)


def discard(path: Path) -> None:
    """Remove a file, a link or a folder with all it holds; what is not there is ignored.

    Raises:
        OSError: it cannot be removed.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def partial_file(folder: Path, prefix: str = "") -> Iterator[tuple[BinaryIO, Path]]:
    """Open a new file of a temporary name; it is gone afterwards, unless it was renamed.

    Args:
        folder: where it is made.
        prefix: begins its name.

    Raises:
        OSError: the folder cannot be written.
    """
    handle, name = _held(lambda: _new_file(folder, prefix), os.O_WRONLY)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file, temporary
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a folder for what nobody needs afterwards; `sweep_scratch` finds it after a crash.

    Raises:
        OSError: the system's folder for temporary files cannot be written.
    """
    handle, name = _held(
        lambda: tempfile.mkdtemp(prefix=_SCRATCH_PREFIX), os.O_RDONLY | os.O_DIRECTORY
    )
    try:
        yield Path(name)
    finally:
        _remove_folder(Path(name))
        os.close(handle)


def sweep_scratch() -> int:
    """Remove this user's scratch folders whose processes have died; return how many."""
    return sum(
        _remove_abandoned(folder, stat.S_IFDIR)
        for folder in Path(tempfile.gettempdir()).glob(f"{_SCRATCH_PREFIX}????????")
    )


def sweep_partial(folders: Iterable[Path]) -> int:
    """Remove partial files whose writers have died, at any depth; return how many.

    Links are not followed, and folders that are not there hold none.
    """
    return sum(
        _remove_abandoned(Path(parent, name), stat.S_IFREG)
        for folder in folders
        for parent, _, names in os.walk(folder)
        for name in fnmatch.filter(names, _NAMED_PARTIAL_PATTERN)
    )


def folders_in(root: Path) -> list[Path]:
    """Return the folders in ``root``; none where it is not there (yet).

    Raises:
        OSError: it cannot be read.
    """
    try:
        with os.scandir(root) as entries:
            return [root / entry.name for entry in entries if _is_folder(entry)]
    except FileNotFoundError:
        return []


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError as error:
        # such as a link that leads to itself: no folder, and no reason to hide the others
        _log.warning("cannot look at %s: %s", entry.path, error)
        return False


def is_file_name(name: str) -> bool:
    """Whether a file or folder inside another one may be called so."""
    try:
        size_bytes = len(os.fsencode(name))
    except UnicodeEncodeError:
        return False
    return Path(name).name == name not in ("", "..") and size_bytes <= 255 and "\0" not in name


def clear_old_folders(folders: Iterable[Path], max_age_days: float) -> int:
    """Remove those in which nothing was added for ``max_age_days``; return how many.

    One that cannot be removed is logged.
    """
    oldest_s = time.time() - max_age_days * 86_400
    cleared = 0
    for folder in folders:
        try:
            if folder.is_dir() and folder.stat().st_mtime < oldest_s:
                shutil.rmtree(folder)
                cleared += 1
        except OSError as error:
            _log.warning("cannot clear the old folder %s: %s", folder, error)
    return cleared


def _held(make: Callable[[], str], flags: int) -> tuple[int, str]:
    """Make a file or folder and lock it; anew where a sweep was quicker than the lock."""
    while True:
        name = make()
        try:
            handle = os.open(name, flags | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        # a file system without locks: nobody takes one to sweep there either
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        if _is_at(name, handle):
            return handle, name
        os.close(handle)


def _is_at(name: str, handle: int) -> bool:
    try:
        return os.path.samestat(Path(name).stat(), os.fstat(handle))
    except FileNotFoundError:
        return False


def _new_file(folder: Path, prefix: str) -> str:
    handle, name = tempfile.mkstemp(".part", f"{prefix}.", folder)
    os.close(handle)
    return name


def _remove_abandoned(path: Path, kind: int) -> bool:
    """Remove a file or folder of this user that nobody has locked; tell whether that was done."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        handle = os.open(path, flags)
    except OSError:
        return False  # gone, a link, or another user's
    try:
        status = os.fstat(handle)
        if stat.S_IFMT(status.st_mode) != kind or status.st_uid != os.getuid():
            return False
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return _remove_folder(path) if kind == stat.S_IFDIR else _remove_file(path)
    except OSError:
        return False  # its writer lives, or nothing can be locked here
    finally:
        os.close(handle)


def _remove_file(path: Path) -> bool:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        _log.warning("cannot remove the partial file %s: %s", path, error)
        return False
    return True


def _remove_folder(path: Path) -> bool:
    try:
        shutil.rmtree(path)
    except OSError as error:
        _log.warning("cannot remove the scratch folder %s: %s", path, error)
        return False
    return True
