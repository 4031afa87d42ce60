"""``cleanup``: asks a running app to give memory back."""

from __future__ import annotations

import http.client
import ipaddress
import json
import sys
import urllib.error
import urllib.request
from typing import Any, Final
from urllib.parse import urlsplit

from glmtts_core.cli.task import Invocation
from glmtts_core.message import Message

#: Seconds to wait for the app's answer; a little over what its route waits for a safe point.
_HTTP_TIMEOUT_S: Final = 40.0


def ask_for_cleanup(address: str, level: str, force: bool, invocation: Invocation) -> int:
    """Print what the app at ``address`` answers; return 0 if it does what is asked, else 1."""
    language, token = invocation.language, invocation.settings.api_token
    headers = {"Content-Type": "application/json", "Accept-Language": language}
    if token is not None:
        headers["Authorization"] = f"Bearer {token.get_secret_value()}"
    url = address.rstrip("/") + "/api/cleanup"
    body = json.dumps({"level": level, "force": force}).encode()
    try:
        # the user's own command line names the address, so any scheme it asks for is its own wish
        request = urllib.request.Request(url, body, headers, method="POST")
        with _opener(url).open(request, timeout=_HTTP_TIMEOUT_S) as response:
            answer = _object(response.read())
    except urllib.error.HTTPError as error:
        print(_refusal(error), file=sys.stderr)
        return 1
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
        print(
            Message("cli.no_app", {"url": address, "reason": _reason(error)}).text(language),
            file=sys.stderr,
        )
        return 1
    print(answer.get("message") or json.dumps(answer, ensure_ascii=False, indent=2))
    return 0


def _opener(url: str) -> urllib.request.OpenerDirector:
    """Return what opens ``url``; a proxy of the environment leads nowhere from this machine to it.

    Raises:
        ValueError: ``url`` is none.
    """
    host = urlsplit(url).hostname or ""
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    proxies = urllib.request.ProxyHandler({} if local else None)
    return urllib.request.build_opener(proxies)


def _reason(error: Exception) -> object:
    """Return why nothing answers, in the system's words or in ours."""
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError | _OtherAnswerError):
        return Message("cli.other_answer")
    cause = getattr(error, "reason", error)
    if isinstance(cause, OSError):
        return cause.strerror or str(cause)
    no_address = isinstance(error, ValueError | http.client.InvalidURL)
    return Message("cli.no_address") if no_address else str(cause)


class _OtherAnswerError(ValueError):
    """The answer is JSON and none of a studio's."""


def _object(body: bytes) -> dict[str, Any]:
    answer = json.loads(body)
    if not isinstance(answer, dict):
        raise _OtherAnswerError
    return answer


def _refusal(error: urllib.error.HTTPError) -> str:
    try:
        return str(_object(error.read())["error"])
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return f"{error.code} {error.reason}"
