"""
From which networks the webhook may be called, where that is known. Does no I/O.

Behind a proxy the connection comes from the proxy, and whom it speaks for stands in
``X-Forwarded-For``. Anybody can write that header, so it is believed only as far as the proxies
reach that are named: from the right, up to the first address that is none of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from rasa_whatsapp_channel.whatsapp.errors import WebhookRefused

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


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
            raise WebhookRefused("the caller is in none of allowed_networks", kind="network")

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
    # A socket for both families shows IPv4 callers like that.
    return getattr(address, "ipv4_mapped", None) or address


def _is_in(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)
