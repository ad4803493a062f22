"""
Events: one frozen value for each thing a webhook can report, read from both envelopes.

Cloud and 360dialog send ``entry[] × changes[] × value``, on-premises and Turn one flat object.
Everything in a webhook becomes an event. What this package does not know, or cannot read, becomes
`Unknown` with its reason; nothing raises, because one odd event must not block the others.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from rasa_whatsapp_channel.whatsapp.errors import PlatformError

Part = Mapping[str, Any]


@dataclass(frozen=True)
class Context:
    """The context of a message: the message it quotes, whether it was forwarded, or a product."""

    message_id: str | None = None
    sender: str | None = None
    forwarded: bool = False
    frequently_forwarded: bool = False
    referred_product: Part | None = None


@dataclass(frozen=True)
class InboundMessage:
    """
    A message of a user.

    A recorded voice note has the type ``voice`` in both envelopes, and a message that WhatsApp does
    not deliver to an API the type ``unsupported``.
    """

    id: str
    type: str
    #: at least one of the next four is set in a message that can be answered
    phone: str | None = None
    user_id: str | None = None  # business-scoped user id
    parent_user_id: str | None = None
    group_id: str | None = None
    timestamp: int | None = None  # unix seconds
    #: the part named like *type* (a list for contacts), empty where absent or unreadable
    content: Any = field(default_factory=dict)
    context: Context | None = None
    referral: Part | None = None
    errors: tuple[PlatformError, ...] = ()
    profile_name: str | None = None
    username: str | None = None
    phone_number_id: str | None = None  # the business number that was written to; Cloud only
    #: every part of the message that has no field here
    extra: Part = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The same each time WhatsApp delivers the message, in whatever batch."""
        return self.id


@dataclass(frozen=True)
class Status:
    """
    The status of a message that was sent.

    *status*: sent, delivered, read, played, failed; on-premises also deleted, warning; or newer.
    """

    message_id: str
    status: str
    timestamp: int | None = None
    recipient_id: str | None = None
    recipient_user_id: str | None = None
    recipient_parent_user_id: str | None = None
    errors: tuple[PlatformError, ...] = ()
    callback_data: str | None = None
    phone_number_id: str | None = None

    @property
    def key(self) -> str:
        recipient = self.recipient_id or self.recipient_user_id or ""
        return f"{self.message_id}:{self.status}:{recipient}"


@dataclass(frozen=True)
class UserIdChanged:
    """A user has a new business-scoped user id (webhook field ``user_id_update``)."""

    previous: str
    current: str
    phone: str | None = None
    timestamp: int | None = None
    previous_parent: str | None = None
    current_parent: str | None = None

    @property
    def key(self) -> str:
        return f"{self.previous}:{self.current}"


@dataclass(frozen=True)
class DeliveryFailed:
    """
    A message we sent is a dead letter. Made by us, not read from a webhook.

    *code* and *title* are WhatsApp's, 0 and empty where it has none; *response* is the name of what
    was sent, if known.
    """

    key: str
    recipient_id: str
    code: int
    reason: str
    response: str | None = None
    title: str = ""


@dataclass(frozen=True)
class PlatformNotice:
    """An error of the number, the account or the client itself, not of one message."""

    errors: tuple[PlatformError, ...]
    phone_number_id: str | None = None


@dataclass(frozen=True)
class Unknown:
    """
    Something authenticated as WhatsApp's that could not be read; *reason* says why.

    *ignorable* marks documented webhook fields without messages of users.
    """

    reason: str
    value: Any = None
    ignorable: bool = False


Event = InboundMessage | Status | UserIdChanged | DeliveryFailed | PlatformNotice | Unknown

_KINDS: Final[Mapping[type[Event], str]] = {
    InboundMessage: "message",
    Status: "status",
    UserIdChanged: "user_id_changed",
    DeliveryFailed: "delivery_failed",
    PlatformNotice: "platform_notice",
    Unknown: "unknown",
}
_CLASSES: Final = {name: kind for kind, name in _KINDS.items()}


def to_body(event: Event) -> dict[str, Any]:
    """Return *event* as JSON for a store; `from_body` is its inverse."""
    body = {"kind": _KINDS[type(event)], **vars(event)}
    for name in ("errors", "context"):
        if body.get(name):
            body[name] = _to_plain(body[name])
    return body


def from_body(body: Mapping[str, Any]) -> Event:
    """Return the event that *body* was made from; `Unknown` for what is none."""
    try:
        return _from_body(body)
    except (AttributeError, KeyError, TypeError) as error:
        return Unknown(f"not an event that was stored: {error!r}", dict(body))


def _to_plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_to_plain(item) for item in value]
    return dict(vars(value))


def _from_body(body: Mapping[str, Any]) -> Event:
    kind = _CLASSES[body["kind"]]
    fields = _fields(kind, body)
    if "errors" in fields:
        fields["errors"] = tuple(
            PlatformError(**_fields(PlatformError, error)) for error in fields["errors"]
        )
    if fields.get("context") is not None:
        fields["context"] = Context(**_fields(Context, fields["context"]))
    return kind(**fields)


def _fields(kind: type, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that *kind* has a field for; a newer version may have stored more."""
    return {name: body[name] for name in _names(kind) if name in body}


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))
