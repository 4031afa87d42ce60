"""Shortening paths in texts that strangers may read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_POSIX_PATH: Final = re.compile(r"(?<![\w.~…:/])/(?:[^\s/:,;\"'()]+/)+([^\s/:,;\"'()]+)/?")
_WINDOWS_PATH: Final = re.compile(r"\b[A-Za-z]:\\(?:[^\s\\:,;\"'()]+\\)*([^\s\\:,;\"'()]+)")


def masked(words: str) -> str:
    """Return ``words`` with every absolute path shortened to its last name."""
    home = str(Path.home())
    if len(home) > 1:
        words = re.sub(re.escape(home) + r"(?=[/\\]|\b)", "~", words)
        words = re.sub(r"~[/\\](?:[^\s/\\:,;\"'()]+[/\\])*([^\s/\\:,;\"'()]+)", r"~/…/\1", words)
    words = _POSIX_PATH.sub(r"/…/\1", words)
    return _WINDOWS_PATH.sub(r"…\\\1", words)


def masked_path(path: Path) -> str:
    """Return ``path`` shortened to its last name; a relative one is nothing private and stays."""
    if not path.is_absolute():
        return str(path)
    under_home = path.is_relative_to(Path.home())
    return f"{'~' if under_home else ''}/…/{path.name}"
