"""What the start script checks before it prints an address: settings, device, host and port.

Run as ``python -m glmtts_core.cli.start_check HOST PORT``.
"""

from __future__ import annotations

import errno
import socket
import sys

from glmtts_core.errors import SettingsError
from glmtts_core.memory.device import choose_device, nvml_for
from glmtts_core.settings import load_settings


def check_start(host: str, port: int) -> None:
    """Return when the program can be started as it is set.

    Raises:
        SettingsError: a setting cannot be used, the device is not there, or nothing can listen at
            ``host`` and ``port``.
    """
    wanted = load_settings().device
    choose_device(wanted, nvml_for(wanted))
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
    return SettingsError("start.cannot_listen", host=host, port=port, reason=error)


if __name__ == "__main__":
    try:
        check_start(sys.argv[1], int(sys.argv[2]))
    except SettingsError as refused:
        sys.exit(str(refused))
