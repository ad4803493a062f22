"""
URIs: turns URLs as people write them into URIs, the only links WhatsApp accepts.

https://www.rfc-editor.org/rfc/rfc3986
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

from yarl import URL

# Invisible characters that editors, chats and spreadsheets leave around a URL.
_AROUND: Final = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f]")
_STRAY: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SAFE: Final = ":/?@!$&'()*+,;=%~-._"  # as RFC 3986 has it; brackets are for hosts only
_PLAIN: Final = rf"[\w{re.escape(_SAFE.replace('%', ''))}]*"
_ENCODED: Final = rf"{_PLAIN}(?:%[0-9A-Fa-f]{{2}}{_PLAIN})*"
_NAME: Final = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_LONGEST_HOST: Final = 253
# Most links: a URI already, with neither user nor port. To take URLs apart takes ten times as
# long, and each link is looked at twice: when it is written, and when its message is checked.
_URI: Final = re.compile(
    rf"https?://(?=[^/?#]{{1,{_LONGEST_HOST}}}(?:[/?#]|\Z)){_NAME.pattern}(?:\.{_NAME.pattern})*"
    rf"(?:[/?]{_ENCODED})?(?:#{_ENCODED})?",
    re.ASCII,
)
_SHOWN: Final = 40


def to_uri(text: str) -> str:
    """
    Return the URL in *text* as a URI: stripped, characters that no URI may contain percent-encoded
    once, and a host beyond ASCII in its ASCII form.

    A valid URI is returned unchanged, since URLs may be signed. Raises `ValueError` with a sentence
    for what is not an http or https URL.
    """
    if _URI.fullmatch(text):
        return text
    address = trim(text)
    if control := _CONTROLS.search(address):
        raise ValueError(f"holds {control[0]!r}, which no address may: {_shown(address)}")
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018  # read for its error
    except ValueError as error:
        raise ValueError(f"is no address: {_shown(address)}: {error}") from None
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"must begin with http:// or https://, not {_shown(address)}")
    start = address[: len(parts.scheme)]  # in its own letters
    netloc = _netloc(address, parts)
    rest = address[len(start) + len("://") + len(parts.netloc) :]
    return f"{start}://{netloc}{_encode(address, rest)}"


def encode_end(text: str) -> str:
    """Return *text*, the end of a URL, with what no URI may contain percent-encoded once."""
    return _encode(text, trim(text))


def trim(text: str) -> str:
    """Return *text* without whitespace and invisible characters around it."""
    while text != (inner := text.strip().strip(_AROUND)):
        text = inner
    return text


def _encode(address: str, rest: str) -> str:
    before, mark, after = _STRAY.sub("%25", rest).partition("#")
    try:
        return quote(before, safe=_SAFE) + mark + quote(after, safe=_SAFE)
    except UnicodeEncodeError:
        raise ValueError(f"holds half a character: {_shown(address)}") from None


def _netloc(address: str, parts: SplitResult) -> str:
    user, at, place = parts.netloc.rpartition("@")
    if place.startswith("["):  # an IPv6 address, which urlsplit has looked at
        host, port = parts.hostname or "", place.partition("]")[2]
        named = f"[{place[1:].partition(']')[0]}]"
    else:
        host, colon, number = place.partition(":")
        port, named = colon + number, _host(address, host)
    if not host or (port and not re.fullmatch(r":\d*", port)):
        raise ValueError(f"names no host: {_shown(address)}")
    return f"{_encode(address, user)}{at}{named}{port}"


def _host(address: str, host: str) -> str:
    """Return *host* in ASCII."""
    ascii_host = host
    if not host.isascii():
        try:
            ascii_host = URL.build(scheme="https", host=host).raw_host or ""
        except (ValueError, UnicodeError):
            raise ValueError(f"names a host that cannot be: {_shown(address)}") from None
    labels = ascii_host.removesuffix(".").split(".")
    if len(ascii_host) > _LONGEST_HOST or not all(map(_NAME.fullmatch, labels)):
        raise ValueError(f"names a host that cannot be: {_shown(address)}")
    return ascii_host


def _shown(address: str) -> str:
    """Return the beginning of *address* for a sentence, without a password."""
    plain = re.sub(r"//[^/@]*@", "//…@", address)
    return repr(plain if len(plain) <= _SHOWN else plain[: _SHOWN - 1] + "…")
