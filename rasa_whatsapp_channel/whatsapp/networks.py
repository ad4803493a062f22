"""
IP networks: who may call the webhook, and which addresses lie on the public internet. No I/O.

Behind a proxy the connection comes from the proxy; the caller is in ``X-Forwarded-For``. Anybody
can write that header, so it is read from the right, up to the first address that is not one of the
trusted proxies.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from rasa_whatsapp_channel.whatsapp.errors import WebhookRefused

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

# https://www.rfc-editor.org/rfc/rfc6762#appendix-G, https://www.rfc-editor.org/rfc/rfc8375, and
# .internal, which ICANN keeps for this
_INNER: Final = (
    *(".local", ".internal", ".intranet", ".private", ".corp", ".home", ".lan", ".localdomain"),
    ".home.arpa",
)
# https://www.rfc-editor.org/rfc/rfc6052: an IPv4 address stands in the last 32 bits
_NAT64: Final = ip_network("64:ff9b::/96")


@dataclass(frozen=True)
class Networks:
    """*allowed* empty: from anywhere."""

    allowed: tuple[Network, ...] = ()
    proxies: tuple[Network, ...] = ()

    def verify(self, peer: str, forwarded_for: str = "") -> None:
        """
        Raise `WebhookRefused` unless the caller is in an allowed network.

        *peer* is the other end of the connection, *forwarded_for* all of ``X-Forwarded-For``.
        """
        if not self.allowed:
            return
        caller = self._caller(peer, forwarded_for)
        if caller is None or not _is_in(caller, self.allowed):
            raise WebhookRefused("the caller is in none of the allowed networks", kind="network")

    def _caller(self, peer: str, forwarded_for: str) -> Address | None:
        caller = _address(peer)
        hops = [hop for hop in forwarded_for.split(",") if hop.strip()]
        while hops and caller is not None and _is_in(caller, self.proxies):
            caller = _address(hops.pop())
        return caller


def read_network(text: str) -> Network:
    """Read ``10.0.0.0/8`` or a single address; raises `ValueError`."""
    return ip_network(text.strip())


def _address(text: str) -> Address | None:
    """Read an address as proxies write it, perhaps with its port; None when it is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # A dual-stack socket shows IPv4 callers like that.
    return getattr(address, "ipv4_mapped", None) or address


def _is_in(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)


def is_public(text: str) -> bool:
    """Return whether the IP address *text*, and any address embedded in it, is public."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return all(part.is_global and not part.is_multicast for part in _with_hidden(address))


def literals_of(host: str) -> list[str]:
    """Return the IP address that *host* is, in any notation; nothing where it is a name."""
    bare = host.rstrip(".")
    try:
        return [str(ip_address(bare.partition("%")[0]))]
    except ValueError:
        pass
    try:  # "127.1", "0x7f000001" and "2130706433" are addresses too
        return [socket.inet_ntoa(socket.inet_aton(bare))]
    except (OSError, UnicodeError):
        return []


def is_local_name(host: str) -> bool:
    """Return whether *host* always means this machine."""
    # https://www.rfc-editor.org/rfc/rfc6761#section-6.3
    name = host.rstrip(".").lower()
    return name == "localhost" or name.endswith(".localhost")


def is_inner_name(host: str) -> bool:
    """Return whether *host* is a name that only a private network resolves."""
    name = host.rstrip(".").lower()
    return is_local_name(name) or "." not in name or name.endswith(_INNER)


def is_inner(host: str) -> bool:
    """Return whether *host*, a name or an address, is plainly not on the public internet."""
    literals = literals_of(host)
    return not all(map(is_public, literals)) if literals else is_inner_name(host)


def _with_hidden(address: Address) -> list[Address]:
    if isinstance(address, IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    hidden: list[Address] = [address]
    if address.sixtofour is not None:
        hidden.append(address.sixtofour)
    if address.teredo is not None:
        hidden += address.teredo
    if address in _NAT64:
        hidden.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return hidden
