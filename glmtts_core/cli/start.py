"""``start``: checks device, host and port, and turns into the server of the pages."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
from typing import Final, NoReturn

from glmtts_core.cli.task import Invocation
from glmtts_core.errors import SettingsError
from glmtts_core.memory.device import choose_device, nvml_for
from glmtts_core.places import INSTALLED, PROGRAM_DIR

_PORTS: Final = range(1, 65536)


def start_server(host: str, port: str, invocation: Invocation) -> NoReturn:
    """Print the address and become the server, so that signals reach it.

    Raises:
        SettingsError: see `check_start`, or ``port`` is no port number.
    """
    if not (port.isascii() and port.isdecimal() and len(port) <= 5 and int(port) in _PORTS):
        raise SettingsError("start.no_port", port=port)
    check_start(invocation.settings.device, host, int(port))
    shown = f"[{host}]" if ":" in host else host
    print(f"GLM-TTS Studio: http://{shown}:{port}", flush=True)
    if not INSTALLED:
        # the command may have been called from another folder than the checkout
        paths = [f"{PROGRAM_DIR}", *filter(None, [os.environ.get("PYTHONPATH")])]
        os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    # a Ctrl+C amid Python's own start would end it in an error; the server takes it a moment later
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    os.execv(sys.executable, [sys.executable, "-m", "glmtts_core.ui.serve", host, port])


def check_start(device: str, host: str, port: int) -> None:
    """Return when the program can be started.

    Raises:
        SettingsError: there is no such ``device``, or nothing can listen at ``host`` and ``port``.
    """
    choose_device(device, nvml_for(device))
    check_address(host, port)


def check_address(host: str, port: int) -> None:
    """Bind ``host`` and ``port`` for a moment, as the server will.

    Raises:
        SettingsError: that fails; the sentence says why and what to choose instead.
    """
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            # what ended a moment ago keeps its port for a minute, but does not listen on it
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            probe.listen(1)
    except (OSError, UnicodeError) as error:
        raise _refusal(host, port, error) from error


def _refusal(host: str, port: int, error: OSError | UnicodeError) -> SettingsError:
    code = getattr(error, "errno", None)
    if code == errno.EADDRINUSE:
        return SettingsError("start.port_busy", port=port)
    if code == errno.EACCES:
        return SettingsError("start.port_denied", port=port)
    if isinstance(error, socket.gaierror | UnicodeError) or code == errno.EADDRNOTAVAIL:
        return SettingsError("start.host_foreign", host=host)
    reason = getattr(error, "strerror", None) or str(error)
    return SettingsError("start.cannot_listen", host=host, port=port, reason=reason)
