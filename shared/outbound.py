"""Decides which addresses our calls may reach: judges a URL, then every address its host has."""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpx

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""All addresses of a host's name. Raises OSError when it has none."""

_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})+")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
_HTTPS_PORT = 443
_FREE_PORTS = range(1_024, 65_536)

_GLOBAL_IPV6 = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")
"""Stands for an IPv4 address, in its last bits, in networks that have none of their own."""
_SPECIAL = tuple(
    ip_network(text)
    for text in (
        # IANA's special-purpose registries in full: what ipaddress knows of them varies by version.
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24"),
        *("192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        *("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3ffe::/16", "3fff::/20"),
        # Azure's platform address answers every virtual machine, although it looks public.
        "168.63.129.16/32",
    )
)


@dataclass(frozen=True)
class OutboundPolicy:
    """Which hosts beyond public https ones may be called.

    `trusted`: hosts (`127.0.0.1`, `mail.internal`) that may be called by http and may have private
    addresses; the demo trusts its own machine. They are compared as written, without case.
    """

    trusted: frozenset[str] = frozenset()

    def trusts(self, host: str) -> bool:
        """Whether an operator vouches for this host."""
        return host.lower() in {name.lower().strip("[]") for name in self.trusted}


class RefusedAddressError(httpx.TransportError):
    """A call that is not made. Its text names the host and the reason, never the path, a possible secret."""

    def __init__(self, host: str, why: str) -> None:
        super().__init__(f"{host[:100]} is not called: {why}")


def check_url(policy: OutboundPolicy, url: httpx.URL) -> None:
    """Judges what can be judged before a name is resolved. Raises RefusedAddressError."""
    host = url.raw_host.decode("ascii").lower()
    if url.userinfo:
        raise RefusedAddressError(host, "its address holds a user or a password")
    if url.scheme not in {"http", "https"}:
        raise RefusedAddressError(host, f"{url.scheme[:20] or 'nothing'} is not https")
    if policy.trusts(host):
        return
    if url.scheme != "https":
        raise RefusedAddressError(host, "only https is allowed")
    port = _HTTPS_PORT if url.port is None else url.port
    if port != _HTTPS_PORT and port not in _FREE_PORTS:
        raise RefusedAddressError(host, f"port {port} is not one of a web server")
    if _literal(host) is None:
        _check_name(host)
    elif (why := why_refused(host)) is not None:
        raise RefusedAddressError(host, why)


def why_refused(address: str) -> str | None:
    """Why an IP address is none of the public internet's; None when it is one."""
    found = ip_address(address)
    if found in _NAT64:
        return why_refused(str(IPv4Address(found.packed[-4:])))
    if isinstance(found, IPv6Address) and (found.scope_id or found not in _GLOBAL_IPV6):
        return f"{found} is not a public address"
    special = any(found in network for network in _SPECIAL)
    if special or not found.is_global or found.is_multicast or found.is_reserved:
        return f"{found} is not a public address"
    return None


async def system_addresses(host: str, port: int) -> Sequence[str]:
    """What the operating system resolves a name to. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


async def checked_addresses(
    policy: OutboundPolicy, host: str, port: int, resolve: Resolver = system_addresses
) -> Sequence[str]:
    """The addresses of a host, asked for once, if all may be called.

    Raises RefusedAddressError, or OSError when the name has no address.
    """
    addresses = (host,) if _literal(host) is not None else await resolve(host, port)
    if not addresses:
        raise OSError("the name has no address")
    if not policy.trusts(host):
        for address in addresses:
            if (why := why_refused(address)) is not None:
                raise RefusedAddressError(host, why)
    return addresses


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _check_name(host: str) -> None:
    """A name with dots whose end is no number: `0x7f.1` and `2130706433` are addresses in disguise."""
    if _NAME.fullmatch(host) is None or _NUMBER.fullmatch(host.rpartition(".")[2]):
        raise RefusedAddressError(host, "it is not the full name of a host")
