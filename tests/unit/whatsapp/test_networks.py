"""Who may call, told by the network."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.whatsapp.errors import WebhookRefused
from rasa_whatsapp_channel.whatsapp.networks import Networks, is_public, read_network

META = "173.252.64.0/18"
PROXY = "10.0.0.0/8"
ONLY_META = Networks((read_network(META), read_network("2a03:2880::/32")), (read_network(PROXY),))


@pytest.mark.parametrize(
    ("peer", "forwarded_for"),
    [
        ("173.252.79.1", ""),
        ("173.252.79.1", "1.2.3.4"),
        ("2a03:2880::5", ""),
        ("::ffff:173.252.79.1", ""),
        ("10.0.0.7", "173.252.79.1"),
        ("10.0.0.7", "173.252.79.1:4711"),
        ("10.0.0.7", "[2a03:2880::5]:443"),
        ("10.0.0.7", "1.2.3.4, 173.252.79.1, 10.1.1.1"),
        ("10.0.0.7", " 173.252.79.1 , "),
    ],
)
def test_a_caller_from_an_allowed_network_may_come_in(peer: str, forwarded_for: str) -> None:
    ONLY_META.verify(peer, forwarded_for)


@pytest.mark.parametrize(
    ("peer", "forwarded_for"),
    [
        ("1.2.3.4", ""),
        ("1.2.3.4", "173.252.79.1"),
        ("10.0.0.7", ""),
        ("10.0.0.7", "1.2.3.4"),
        ("10.0.0.7", "173.252.79.1, 1.2.3.4"),
        ("10.0.0.7", "173.252.79.1, nobody"),
        ("", "173.252.79.1"),
        ("unix:", ""),
    ],
)
def test_nobody_else_may(peer: str, forwarded_for: str) -> None:
    with pytest.raises(WebhookRefused) as refused:
        ONLY_META.verify(peer, forwarded_for)

    assert refused.value.kind == "network"
    assert "1.2.3.4" not in str(refused.value)


def test_with_no_network_named_anybody_may_try() -> None:
    Networks().verify("1.2.3.4", "5.6.7.8")


@pytest.mark.parametrize(
    "text", ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]
)
def test_addresses_of_the_open_internet_are_public(text):
    assert is_public(text)


@pytest.mark.parametrize(
    "text",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0"),
        *("100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00::1"),
        *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:7f00:1::"),
        *("ff02::1", "localhost", ""),
    ],
)
def test_all_others_are_not(text):
    assert not is_public(text)
