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

from rasa_whatsapp_channel.whatsapp.account_events import AccountEvent
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
    #: every part that has no field here
    extra: Part = field(default_factory=dict)


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
    country_code: str | None = None  # of the profile, such as `US`
    identity_key_hash: str | None = None
    phone_number_id: str | None = None  # the business number that was written to; Cloud only
    #: every part of the message that has no field here; those of its contact under `contact`
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
    #: every part that has no field here: `pricing`, `conversation`, `template_id`, `payment`, …
    extra: Part = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The same each time WhatsApp delivers the status; without a number, as lists show it."""
        # A payment may fail twice, and each of its statuses has a time of its own.
        told = f"payment:{self.timestamp}:{self.status}" if self.is_payment else self.status
        return f"{self.message_id}:{told}"

    @property
    def is_payment(self) -> bool:
        """Whether it tells of the payment for an order message, and nothing of its delivery."""
        return self.extra.get("type") == "payment"


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
class Preference:
    """
    A person chose what they want to get (webhook field ``user_preferences``).

    *category* is ``marketing_messages``; *value* is ``stop``, ``resume`` or ``signup``.
    """

    category: str
    value: str
    phone: str | None = None
    user_id: str | None = None
    parent_user_id: str | None = None
    timestamp: int | None = None
    detail: str | None = None
    phone_number_id: str | None = None

    @property
    def key(self) -> str:
        person = self.user_id or self.phone or self.parent_user_id
        return f"preference:{person}:{self.category}:{self.timestamp}"


@dataclass(frozen=True)
class Call:
    """
    A step of a call (webhook field ``calls``).

    *event* is ``connect``, ``terminate``, ``call_recording_available``,
    ``call_transcription_available``, or in lower case the status of a call that we made. *extra*
    holds every part that has no field here.
    """

    id: str
    event: str
    phone: str | None = None
    user_id: str | None = None
    parent_user_id: str | None = None
    profile_name: str | None = None
    #: USER_INITIATED or BUSINESS_INITIATED
    direction: str | None = None
    #: of an ended call, in upper case: COMPLETED or FAILED
    status: str | None = None
    timestamp: int | None = None
    #: seconds; None for a call that nobody picked up
    duration: int | None = None
    errors: tuple[PlatformError, ...] = ()
    phone_number_id: str | None = None
    extra: Part = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.id}:{self.event}"

    @property
    def is_missed(self) -> bool:
        """Whether a person called and nobody picked up."""
        ended = self.event == "terminate" and self.direction != "BUSINESS_INITIATED"
        return ended and not self.duration and "start_time" not in self.extra


@dataclass(frozen=True)
class Overheard:
    """
    Something in a conversation that others take part in; the bot must not answer it.

    *source* is ``standby`` where another responder owns the conversation, ``app`` where somebody
    wrote with the WhatsApp Business app. *what* is ``message`` for one of the person, ``echo`` for
    one to the person, ``status`` for a status of the latter; *type* is the message's type or the
    status, *content* the part of that type.
    """

    source: str
    what: str
    id: str
    type: str
    phone: str | None = None
    user_id: str | None = None
    parent_user_id: str | None = None
    group_id: str | None = None
    timestamp: int | None = None
    content: Any = field(default_factory=dict)
    phone_number_id: str | None = None
    extra: Part = field(default_factory=dict)

    @property
    def key(self) -> str:
        # The same message may come again in field `messages`, and is then to be answered.
        status = f":{self.type}" if self.what == "status" else ""
        return f"{self.source}:{self.id}{status}"


@dataclass(frozen=True)
class Handover:
    """
    The owner of a conversation changed (webhook field ``messaging_handovers``).

    *type* is ``control_passed`` to us, or ``control_taken`` from us. *detail* holds roles,
    `metadata` and `conversation_context` as WhatsApp tells them.
    """

    type: str
    phone: str | None = None
    user_id: str | None = None
    parent_user_id: str | None = None
    timestamp: int | None = None
    detail: Part = field(default_factory=dict)
    phone_number_id: str | None = None

    @property
    def key(self) -> str:
        return f"handover:{self.user_id or self.phone}:{self.type}:{self.timestamp}"


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
class IntentAsked:
    """Somebody asked from outside for a turn of the bot, *turn_id*. Made by us, as the former."""

    key: str
    turn_id: str
    intent: str
    slots: Part = field(default_factory=dict)


@dataclass(frozen=True)
class PlatformNotice:
    """An error of the number, the account or the client itself, not of one message."""

    errors: tuple[PlatformError, ...]
    phone_number_id: str | None = None


@dataclass(frozen=True)
class Unknown:
    """Something authenticated as WhatsApp's that could not be read; *reason* says why."""

    reason: str
    value: Any = None


Event = (
    InboundMessage
    | Status
    | UserIdChanged
    | Preference
    | Call
    | Overheard
    | Handover
    | AccountEvent
    | DeliveryFailed
    | IntentAsked
    | PlatformNotice
    | Unknown
)

_KINDS: Final[Mapping[type[Event], str]] = {
    InboundMessage: "message",
    Status: "status",
    UserIdChanged: "user_id_changed",
    Preference: "preference",
    Call: "call",
    Overheard: "overheard",
    Handover: "handover",
    AccountEvent: "account_event",
    DeliveryFailed: "delivery_failed",
    IntentAsked: "intent_asked",
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
