"""Where the token may go: hosts of the API and of Meta, however an address is dressed up."""

import pytest

from rasa_whatsapp_channel.whatsapp.clients.requests import (
    is_at_meta,
    is_loopback,
    is_same_origin,
    join,
    origin,
)


@pytest.mark.parametrize(
    ("parts", "url"),
    [
        (("https://h", "v26.0", "106", "messages"), "https://h/v26.0/106/messages"),
        (("https://h/", "", "106"), "https://h/106"),
        (("https://h/a/", "b"), "https://h/a/b"),
        (("https://h", "wamid.HBg=="), "https://h/wamid.HBg%3D%3D"),
        (("https://h", "../../me?x#y"), "https://h/..%2F..%2Fme%3Fx%23y"),
    ],
)
def test_parts_of_an_address_are_joined_and_quoted(parts, url):
    assert join(*parts) == url


@pytest.mark.parametrize(
    "url",
    [
        "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1",
        "https://graph.facebook.com/v26.0/1",
        "https://GRAPH.facebook.com:443",
        "https://scontent.fbcdn.net?x",
    ],
)
def test_metas_hosts_are_known(url):
    assert is_at_meta(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://lookaside.fbsbx.com/x",
        "https://lookaside.fbsbx.com:8443/x",
        "https://fbsbx.com.evil.example/x",
        "https://evilfbsbx.com/x",
        "https://evil.example/lookaside.fbsbx.com",
        "https://evil.example?.fbsbx.com",
        "https://evil.example#.fbsbx.com",
        "https://lookaside.fbsbx.com@evil.example/x",
        "https://user:pass@lookaside.fbsbx.com/x",
        "https://evil.example\\.fbsbx.com/x",
        "https://evil.example%2f.fbsbx.com/x",
        "https://lookaside.fbsbx.com\n.evil.example/x",
        "https://lookaside.fbsbx.com\n",
        "ftp://lookaside.fbsbx.com/x",
        "//lookaside.fbsbx.com/x",
        "lookaside.fbsbx.com",
        "",
    ],
)
def test_what_only_looks_like_meta_is_not(url):
    assert not is_at_meta(url)


@pytest.mark.parametrize(
    ("url", "base_url"),
    [
        ("http://127.0.0.1:8400/media/1", "http://127.0.0.1:8400"),
        ("https://proxy.example/x", "https://proxy.example:443/graph/"),
        ("http://[::1]:8400/media/1", "http://[::1]:8400/"),
        ("http://Proxy.example:80?x", "http://proxy.example"),
    ],
)
def test_the_same_scheme_host_and_port_are_one_origin(url, base_url):
    assert is_same_origin(url, base_url)


@pytest.mark.parametrize(
    ("url", "base_url"),
    [
        ("http://127.0.0.1:8401/media/1", "http://127.0.0.1:8400"),
        ("http://proxy.example/x", "https://proxy.example"),
        ("https://cdn.proxy.example/x", "https://proxy.example"),
        ("nonsense", "nonsense"),
    ],
)
def test_other_schemes_hosts_and_ports_are_other_origins(url, base_url):
    assert not is_same_origin(url, base_url)


def test_an_origin_is_written_in_one_way():
    assert origin("HTTPS://Graph.Facebook.com:443/v26.0") == "https://graph.facebook.com"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8400",
        "http://127.1.2.3/v26.0",
        "https://localhost:9090/v1",
        "http://LOCALHOST",
        "http://[::1]:8400/",
    ],
)
def test_this_machine_is_known(url):
    assert is_loopback(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://graph.facebook.com",
        "http://10.0.0.1:8400",
        "http://0.0.0.0:8400",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://localhost@evil.example",
        "http://127.0.0.1@evil.example",
        "http://evil.example/127.0.0.1",
        "ftp://127.0.0.1",
        "",
    ],
)
def test_nothing_else_is_taken_for_this_machine(url):
    assert not is_loopback(url)
