"""Ids of the sessions that browsers have: given out here, and good only in the browser they are of.

An id is half random and half a keyed hash over that and the browser's cookie, so that nothing needs
to be remembered for each: only the key, which lies in the output folder with the sessions.
"""

from __future__ import annotations

import hmac
import logging
import secrets
import threading
from hashlib import sha256
from pathlib import Path
from typing import Final

from glmtts_core.files import write_whole
from glmtts_core.sessions.result_files import SESSION_ID_PATTERN

#: The cookie that tells browsers apart; its value is a secret between server and browser.
BROWSER_COOKIE: Final = "glmtts_browser"
_FOLDER: Final = "sessions"
_KEY_FILE: Final = "session-key"
_KEY_BYTES: Final = 32
_HALF: Final = 16
_log = logging.getLogger(__name__)


class SessionIds:
    """Gives ids out and knows them again, after a restart too. Thread-safe.

    Args:
        root: the output folder.
    """

    def __init__(self, root: Path) -> None:
        self._path = root / _FOLDER / _KEY_FILE
        self._lock = threading.Lock()
        self._key: bytes | None = None

    def issue(self, browser: str) -> str:
        """Return a new session's id, of 32 hexadecimal digits.

        Args:
            browser: the value of its cookie.
        """
        start = secrets.token_hex(_HALF // 2)
        return start + self._seal(start, browser)

    def issued(self, session_id: str, browser: str) -> bool:
        """Whether `issue` has given ``session_id`` to this very browser."""
        if not SESSION_ID_PATTERN.fullmatch(session_id):
            return False
        start, seal = session_id[:_HALF], session_id[_HALF:]
        return hmac.compare_digest(self._seal(start, browser).encode(), seal.encode())

    def _seal(self, start: str, browser: str) -> str:
        message = f"{start}/{browser}".encode()
        return hmac.new(self._known_key(), message, sha256).hexdigest()[:_HALF]

    def _known_key(self) -> bytes:
        with self._lock:
            if self._key is None:
                self._key = self._read_key()
            return self._key

    def _read_key(self) -> bytes:
        try:
            key = self._path.read_bytes()
        except FileNotFoundError:
            return self._make_key()
        except OSError as error:
            # left alone, so that the sessions are found again as soon as it can be read
            _log.warning("cannot read %s, so no session from before opens: %s", self._path, error)
            return secrets.token_bytes(_KEY_BYTES)
        return key if len(key) == _KEY_BYTES else self._make_key()

    def _make_key(self) -> bytes:
        key = secrets.token_bytes(_KEY_BYTES)
        try:
            write_whole(self._path, key)
        except OSError as error:
            # where no key can be kept, no results can either: nothing is lost with a restart
            _log.warning("cannot keep %s: %s", self._path, error)
        return key
