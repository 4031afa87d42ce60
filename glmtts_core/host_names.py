"""The names in Host and Origin headers: how they are read, and which of them are this server's.

Knows nothing about requests; `access` asks it for each one.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

_HOST: Final = re.compile(r"(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::([0-9]{1,5}))?")
_ORIGIN: Final = re.compile(r"(https?)://(\S+)", re.IGNORECASE)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
#: Listening on one of these is listening on all addresses of the machine.
_ALL_ADDRESSES: Final = frozenset({"0.0.0.0", "::"})


@dataclass(frozen=True, slots=True)
class HostName:
    """A name or IP address (without brackets, lower case), and its port if one was given."""

    name: str
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a page came from."""

    scheme: str
    host: HostName

    def is_of(self, host: HostName) -> bool:
        """Whether a page of this origin asks the very host that it came from.

        A port that is left out is the scheme's own; behind a proxy that ends TLS, only the page's
        scheme tells which.
        """
        default = _DEFAULT_PORTS[self.scheme]
        return self.host.name == host.name and (self.host.port or default) == (host.port or default)


@dataclass(frozen=True, slots=True)
class HostRules:
    """Which hosts a server answers to.

    Attributes:
        listening: the address that it listens on.
        extra: names that the user allows besides; a request for one without a port may be for any.
    """

    listening: str = "127.0.0.1"
    extra: tuple[HostName, ...] = ()

    def allow(self, host: HostName, server: HostName) -> bool:
        """Whether a request for ``host`` may be answered.

        Args:
            host: from the Host header.
            server: the address and port at which the connection has arrived.
        """
        if any(host.name == each.name and each.port in (None, host.port) for each in self.extra):
            return True
        if host.port != server.port:
            return False
        own = {_plain(server.name), self.listening.lower()}
        # a page cannot point an address, unlike a name, to another machine
        return host.name in own or is_loopback_name(host.name)

    def allow_page(self, origin: Origin) -> bool:
        """Whether the user has named where this page is from: as a proxy's name that we are behind.

        Another port is another program's; one that is left out is the scheme's own.
        """
        return any(origin.is_of(each) for each in self.extra)


def parse_host(given: str) -> HostName | None:
    """Read ``name``, ``name:port`` or ``[IPv6]:port``; None for anything else."""
    found = _HOST.fullmatch(given)
    if found is None:
        return None
    name, port = found[1].lower().rstrip("."), None if found[2] is None else int(found[2])
    if port is not None and not 0 < port < 65_536:
        return None
    if name.startswith("["):
        try:
            return HostName(str(ipaddress.IPv6Address(name[1:-1])), port)
        except ValueError:
            return None
    return HostName(name, port) if name else None


def parse_origin(given: str) -> Origin | None:
    """Read ``http://name:port``; None for anything else, such as the ``null`` of a sandbox."""
    found = _ORIGIN.fullmatch(given)
    host = None if found is None else parse_host(found[2])
    return None if found is None or host is None else Origin(found[1].lower(), host)


def parse_host_list(given: str) -> tuple[HostName, ...]:
    """Read hosts separated by commas.

    Raises:
        ValueError: one of them is no host name; the message is the one that is wrong.
    """
    hosts: list[HostName] = []
    for each in filter(None, map(str.strip, given.split(","))):
        host = parse_host(each)
        if host is None or host.name in _ALL_ADDRESSES:
            raise ValueError(each)
        hosts.append(host)
    return tuple(hosts)


def is_loopback_name(name: str) -> bool:
    """Whether ``name`` can only mean this machine: localhost, 127.x.y.z or ::1."""
    return name == "localhost" or is_loopback_address(name)


def is_loopback_address(address: str) -> bool:
    """Whether ``address`` is an IP address of the loopback interface."""
    try:
        return ipaddress.ip_address(_plain(address)).is_loopback
    except ValueError:
        return False


def _plain(address: str) -> str:
    """Return an IPv4 address that a socket for both kinds writes as ::ffff:1.2.3.4 as such."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address.lower()
    return str(getattr(ip, "ipv4_mapped", None) or ip)
