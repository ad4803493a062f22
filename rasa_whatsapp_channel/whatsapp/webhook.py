"""
Webhook: authenticates a call and reads its body into events. No I/O.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/create-webhook-endpoint
"""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from rasa_whatsapp_channel.whatsapp.envelopes import read_events
from rasa_whatsapp_channel.whatsapp.errors import WebhookRefused
from rasa_whatsapp_channel.whatsapp.events import Event, Unknown
from rasa_whatsapp_channel.whatsapp.json_values import EXCERPT
from rasa_whatsapp_channel.whatsapp.limits import MB, WEBHOOK_BYTES

# A full webhook has 1000 messages, and 120 values are more than any message has but contact cards.
# A million of the smallest values, which 3 MB can hold, take json.loads longer than all else takes.
VALUES: Final = 120_000


@dataclass(frozen=True)
class WebhookAuth:
    """
    How callers of the webhook authenticate: by everything that is set here.

    Any one of several secrets of a kind is enough, so that a secret can be replaced while both are
    in use. With nothing set, every caller is refused unless *allow_unsigned*.
    """

    app_secrets: tuple[str, ...] = field(default=(), repr=False)  # X-Hub-Signature-256
    turn_secrets: tuple[str, ...] = field(default=(), repr=False)  # X-Turn-Hook-Signature
    dialog360_secrets: tuple[str, ...] = field(default=(), repr=False)  # x-360dialog-signature
    username: str | None = field(default=None, repr=False)  # HTTP Basic
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)  # ?token=… in the webhook's URL
    allow_unsigned: bool = False

    def __post_init__(self) -> None:
        for name in ("app_secrets", "turn_secrets", "dialog360_secrets"):
            secrets = getattr(self, name)
            # A string would be one secret per letter, and anybody can sign with an empty secret.
            if isinstance(secrets, str) or not all(secrets):
                raise ValueError(f"{name} must hold secrets, none of them empty")
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password of the webhook go together")
        if self.token == "":
            raise ValueError("the token of the webhook is empty")

    @property
    def is_empty(self) -> bool:
        secrets = self.app_secrets + self.turn_secrets + self.dialog360_secrets
        return not secrets and self.username is None and self.token is None

    @cached_property
    def signatures(self) -> Sequence[tuple[_Signature, tuple[str, ...]]]:
        """Return each signature that is required, with the secrets of which one is enough."""
        known = (
            (_HUB, self.app_secrets),
            (_TURN, self.turn_secrets),
            (_DIALOG360, self.dialog360_secrets),
        )
        return [(signature, secrets) for signature, secrets in known if secrets]


@dataclass(frozen=True)
class _Signature:
    """The format in which one kind of caller writes its HMAC-SHA256."""

    name: str
    form: re.Pattern[str]
    #: the form in words
    looks: str
    #: the signature in the header, without what may differ between callers
    read: Callable[[str], str]
    #: the expected signature
    write: Callable[[bytes], str]
    #: the secret in words
    secret: str


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


_HUB: Final = _Signature(
    "X-Hub-Signature-256",
    re.compile(r"(?i:sha256=[0-9a-f]{64})"),
    "sha256= and 64 hexadecimal digits",
    lambda shown: shown[7:].lower(),
    bytes.hex,
    "the app secret",
)
_TURN: Final = _Signature(
    "X-Turn-Hook-Signature",
    re.compile(r"[0-9A-Za-z+/]{43}="),
    "32 bytes in base64",
    str,
    _base64,
    "the webhook secret",
)
_DIALOG360: Final = _Signature(
    "X-360dialog-Signature",
    re.compile(r"(?i:(?:sha256=)?[0-9a-f]{64})"),  # seen with and without the prefix
    "64 hexadecimal digits",
    lambda shown: shown[-64:].lower(),
    bytes.hex,
    "the webhook secret",
)


def verify_challenge(query: Mapping[str, str], *, verify_token: str) -> str:
    """
    Return the response to WhatsApp's verification request for this webhook.

    Raises `WebhookRefused` saying what is wrong with *query*, without the tokens.
    """
    if not verify_token:
        raise WebhookRefused("no verify token is configured")
    if query.get("hub.mode") != "subscribe":
        raise WebhookRefused("hub.mode is not 'subscribe': this is not a verification request")
    challenge, shown = query.get("hub.challenge"), query.get("hub.verify_token")
    if not challenge:
        raise WebhookRefused("hub.challenge is missing")
    if not shown:
        raise WebhookRefused("hub.verify_token is missing")
    if _equal(shown, verify_token):
        return challenge
    if _equal(shown.strip(), verify_token.strip()):
        raise WebhookRefused("hub.verify_token differs from the configured one only by spaces")
    raise WebhookRefused("hub.verify_token is not the one configured")


def verify(
    auth: WebhookAuth, *, body: bytes, headers: Mapping[str, str], query: Mapping[str, str]
) -> None:
    """Raise `WebhookRefused` unless the caller passes *auth*; *body* is as received."""
    verify_head(auth, headers=headers, query=query)
    verify_body(auth, body=body, headers=headers)


def verify_head(auth: WebhookAuth, *, headers: Mapping[str, str], query: Mapping[str, str]) -> None:
    """
    Raise `WebhookRefused` for a caller that fails *auth* whatever its body is.

    No body is read without login, token, and a header in the form of a signature.
    """
    if not auth.allow_unsigned and auth.is_empty:
        raise WebhookRefused("no authentication is configured", kind="unconfigured")
    for signature, _ in auth.signatures:
        shown = _header(headers, signature.name)
        if not shown:
            raise WebhookRefused(f"{signature.name} is missing", kind="signature")
        if not signature.form.fullmatch(shown):
            raise WebhookRefused(
                f"{signature.name} holds no signature, which is {signature.looks}", kind="signature"
            )
    if auth.username is not None:
        _verify_basic(headers, f"{auth.username}:{auth.password}")
    if auth.token is not None and not _equal(query.get("token") or "", auth.token):
        raise WebhookRefused("?token= in the URL is missing or invalid", kind="token")


def verify_body(auth: WebhookAuth, *, body: bytes, headers: Mapping[str, str]) -> None:
    """Raise `WebhookRefused` unless *body* has every signature that *auth* requires."""
    for signature, secrets in auth.signatures:
        shown = signature.read(_header(headers, signature.name))
        if not any(_equal(shown, signature.write(sign(body, secret))) for secret in secrets):
            raise WebhookRefused(
                f"{signature.name} does not match the body; is {signature.secret} correct?",
                kind="signature",
            )


def sign(body: bytes, secret: str) -> bytes:
    """Return the HMAC-SHA256 that all signatures are written from."""
    return hmac.digest(secret.encode(), body, "sha256")


def read(body: bytes) -> tuple[Event, ...]:
    """Return the events of a verified webhook; a body that cannot be read is one `Unknown`."""
    if len(body) > WEBHOOK_BYTES:
        return (_unreadable(f"larger than {WEBHOOK_BYTES // MB} MB", body),)
    if _is_crowded(body):
        return (_unreadable(f"JSON of more than {VALUES} values", body),)
    try:
        payload = json.loads(body.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return (_unreadable("not UTF-8", body),)
    except RecursionError:
        return (_unreadable("JSON that is nested too deep", body),)
    except ValueError as error:
        return (_unreadable(f"not JSON: {error}", body),)
    if not isinstance(payload, dict):
        return (_unreadable("JSON, but not an object", body),)
    return read_events(payload)


def _is_crowded(body: bytes) -> bool:
    """Return whether *body* holds too many values to read; commas in strings do not count."""
    if body.count(b",") <= VALUES:
        return False
    bare = body.replace(rb"\\", b"").replace(rb"\"", b"")
    if bare.count(b'"') > 4 * VALUES:  # a name and a text for each value
        return True
    return sum(outside.count(b",") for outside in bare.split(b'"')[::2]) > VALUES


def _unreadable(reason: str, body: bytes) -> Unknown:
    return Unknown(reason, body[:EXCERPT].decode("utf-8", "replace"))


def _verify_basic(headers: Mapping[str, str], credentials: str) -> None:
    scheme, _, shown = _header(headers, "Authorization").partition(" ")
    if scheme.lower() != "basic":
        raise WebhookRefused("HTTP Basic credentials are missing", kind="login")
    if not _equal(shown.strip(), _base64(credentials.encode())):
        raise WebhookRefused("the user name or the password is invalid", kind="login")


def _header(headers: Mapping[str, str], name: str) -> str:
    wanted = name.lower()
    shown = headers.get(wanted)  # as a server hands them over
    if shown is None:
        shown = next((value for key, value in headers.items() if key.lower() == wanted), "")
    return shown.strip()


def _equal(shown: str, expected: str) -> bool:
    # Headers may hold lone surrogates, which only bytes can compare.
    return hmac.compare_digest(_bytes(shown), _bytes(expected))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
