"""Which addresses lie on the open internet. No I/O."""

from __future__ import annotations

import ipaddress
import socket
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# https://www.rfc-editor.org/rfc/rfc6762#appendix-G, https://www.rfc-editor.org/rfc/rfc8375, and
# .internal, which ICANN keeps for this
_INNER: Final = (
    *(".local", ".internal", ".intranet", ".private", ".corp", ".home", ".lan", ".localdomain"),
    ".home.arpa",
)
# https://www.rfc-editor.org/rfc/rfc6052: an IPv4 address stands in the last 32 bits
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


def is_public(text: str) -> bool:
    """Tell whether anybody can reach the IP address *text*, also one that hides in another."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return all(part.is_global and not part.is_multicast for part in _with_hidden(address))


def literals_of(host: str) -> list[str]:
    """Return the IP address that *host* is, in any way of writing one; none where it is a name."""
    bare = host.rstrip(".")
    try:
        return [str(ipaddress.ip_address(bare.partition("%")[0]))]
    except ValueError:
        pass
    try:  # "127.1", "0x7f000001" and "2130706433" are addresses too
        return [socket.inet_ntoa(socket.inet_aton(bare))]
    except (OSError, UnicodeError):
        return []


def is_local_name(host: str) -> bool:
    """Tell whether *host* always means the machine itself."""
    # https://www.rfc-editor.org/rfc/rfc6761#section-6.3
    name = host.rstrip(".").lower()
    return name == "localhost" or name.endswith(".localhost")


def is_inner_name(host: str) -> bool:
    """Tell whether *host* is a name that only a network of one's own knows."""
    name = host.rstrip(".").lower()
    return is_local_name(name) or "." not in name or name.endswith(_INNER)


def _with_hidden(address: Address) -> list[Address]:
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    hidden: list[Address] = [address]
    if address.sixtofour is not None:
        hidden.append(address.sixtofour)
    if address.teredo is not None:
        hidden += address.teredo
    if address in _NAT64:
        hidden.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return hidden
