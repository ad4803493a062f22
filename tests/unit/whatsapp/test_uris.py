"""Addresses as people write them become URIs, and what is right already stays as it is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_whatsapp_channel.whatsapp.uris import encode_end, to_uri


@pytest.mark.parametrize(
    ("written", "uri"),
    [
        ("https://maps.example.com/São Paulo.png", "https://maps.example.com/S%C3%A3o%20Paulo.png"),
        ("  https://a.example/a.png\n", "https://a.example/a.png"),
        ("\u200bhttps://a.example/a.png\ufeff", "https://a.example/a.png"),
        ("https://a.example/q?name=José&x=a b", "https://a.example/q?name=Jos%C3%A9&x=a%20b"),
        ("https://a.example/a#eins zwei", "https://a.example/a#eins%20zwei"),
        ("https://münchen.example/ä", "https://xn--mnchen-3ya.example/%C3%A4"),
        ("https://例え.テスト/画像.png", "https://xn--r8jz45g.xn--zckzah/%E7%94%BB%E5%83%8F.png"),
        ("https://münchen.example:8443/a", "https://xn--mnchen-3ya.example:8443/a"),
        ("https://a.example/100%", "https://a.example/100%25"),
        ("https://a.example/100% sure", "https://a.example/100%25%20sure"),
        ("https://a.example/a|b\\c", "https://a.example/a%7Cb%5Cc"),
        ("https://a.example/a[1].png", "https://a.example/a%5B1%5D.png"),
        ("https://[2001:db8::1]:8080/a b", "https://[2001:db8::1]:8080/a%20b"),
        ("HTTPS://A.example/a b", "HTTPS://A.example/a%20b"),
    ],
)
def test_what_no_uri_may_hold_is_encoded_once(written, uri):
    assert to_uri(written) == uri
    assert to_uri(uri) == uri


@pytest.mark.parametrize(
    "uri",
    [
        "https://a.example/a%2Fb/c%20d.png",
        "https://a.example/a%2fb?sig=%2B%3d&x=1+2;y=~3",
        "https://bucket.s3.amazonaws.com/k?X-Amz-Credential=A%2F20261129%2Feu%2Fs3&X-Amz-Expires=60",
        "https://b.blob.core.windows.net/c/f.pdf?sv=2024&sig=a%2Bb%2Fc%3D&se=2026-11-29T05%3A00Z",
        "https://a.example/%41%7E/../x/./y",
        "https://user:pa%40ss@a.example/x",
        "https://a.example/(1)/it's/a,b;c=d/@x:y/$5/!*",
        "http://localhost:5005/a.png",
        "https://exa_mple.example./x",
        "https://a.example",
        "https://a.example?",
        "https://a.example/?#",
    ],
)
def test_what_is_right_already_stays_to_the_letter(uri):
    assert to_uri(uri) == uri
    assert to_uri(uri) == uri


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must begin with http:// or https://"),
        ("ftp://a.example/x", "must begin with http:// or https://"),
        ("a.example/x.png", "must begin with http:// or https://"),
        ("javascript:alert(1)", "must begin with http:// or https://"),
        ("https://", "names a host that cannot be"),
        ("https:///x.png", "names a host that cannot be"),
        ("https://a b.example/x", "names a host that cannot be"),
        ("https://-a.example/", "names a host that cannot be"),
        ("https://a..example/", "names a host that cannot be"),
        ("https://" + "a" * 64 + ".example/", "names a host that cannot be"),
        ("https://" + "a." * 200 + "example/", "names a host that cannot be"),
        ("https://{host}/x", "names a host that cannot be"),
        ("https://a%20b.example/", "names a host that cannot be"),
        ("https://xn--ü.example/", "names a host that cannot be"),
        ("https://a.example:port/", "is no address"),
        ("https://a.example:99999/", "is no address"),
        ("http://[", "is no address"),
        ("https://a.example/a\nb", "which no address may"),
        ("https://a.example/a\x00b", "which no address may"),
        ("https://a.example/\ud800", "half a character"),
    ],
)
def test_what_can_be_no_address_is_told_in_a_sentence(text, words):
    with pytest.raises(ValueError, match=words) as caught:
        to_uri(text)

    assert len(str(caught.value)) < 200
    str(caught.value).encode(errors="replace").decode()


def test_a_sentence_about_an_address_holds_no_password():
    with pytest.raises(ValueError, match="no address") as caught:
        to_uri("https://ada:secret@a.example:port/")

    assert "secret" not in str(caught.value)


@given(st.text(max_size=60))
def test_whatever_comes_is_a_uri_or_refused(text):
    for written in (text, f"https://a.example/{text}", f"https://{text}/x"):
        try:
            uri = to_uri(written)
        except ValueError:
            continue
        assert uri.isascii()
        assert " " not in uri
        assert to_uri(uri) == uri


@given(st.from_regex(r"https?://[!-~]*\.?[a-z-]{1,64}[:/?#]?([!-~]|%[0-9A-F]{2})*", fullmatch=True))
def test_a_uri_stays_whether_it_is_taken_apart_or_known_at_sight(text):
    try:
        taken_apart = to_uri(f" {text}")
    except ValueError as error:
        with pytest.raises(ValueError, match=re.escape(str(error))):
            to_uri(text)
    else:
        assert to_uri(text) == taken_apart


def test_the_end_of_an_address_is_encoded_alike():
    assert encode_end("orders/São 1%2F2") == "orders/S%C3%A3o%201%2F2"
