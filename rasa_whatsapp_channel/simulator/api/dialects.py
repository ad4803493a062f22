"""Dialects: which keys a message has in each API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from rasa_whatsapp_channel.whatsapp.apis import CLOUD, DIALOG360, ON_PREMISES, TURN, Api
from rasa_whatsapp_channel.whatsapp.messages.keys import CLOUD_ENVELOPE

_MEDIA: Final = ("id", "link")
_INTERACTIVE: Final = ("type", "header", "body", "footer", "action")
_LOCATION: Final = ("latitude", "longitude", "name", "address")

# https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
_CLOUD_OBJECTS: Final[Mapping[str, tuple[str, ...]]] = {
    "text": ("body", "preview_url"),
    "image": (*_MEDIA, "caption"),
    "video": (*_MEDIA, "caption"),
    "audio": (*_MEDIA, "voice"),
    "document": (*_MEDIA, "caption", "filename"),
    "sticker": _MEDIA,
    "reaction": ("message_id", "emoji"),
    "pin": ("type", "message_id", "expiration_days"),
    "location": _LOCATION,
    "interactive": _INTERACTIVE,
    "template": ("name", "language", "components"),
    "contacts": (),
}
# https://developers.facebook.com/docs/whatsapp/on-premises/reference/messages
_V1_OBJECTS: Final[Mapping[str, tuple[str, ...]]] = {
    "text": ("body",),
    "image": (*_MEDIA, "provider", "caption"),
    "video": (*_MEDIA, "provider", "caption"),
    "audio": (*_MEDIA, "provider"),
    "document": (*_MEDIA, "provider", "caption", "filename"),
    "sticker": (*_MEDIA, "provider"),
    "location": _LOCATION,
    "interactive": _INTERACTIVE,
    "template": ("namespace", "name", "language", "components"),
    "contacts": (),
}


@dataclass(frozen=True)
class Dialect:
    """The format of messages in one API."""

    api: Api
    #: keys beside the message
    envelope: frozenset[str]
    #: keys of each type's object; none for contacts, which are a list
    objects: Mapping[str, tuple[str, ...]]
    #: whether ``messaging_product`` is required
    product: bool
    #: type of a message that names none
    default_type: str | None
    #: whether a template's language needs a policy
    policy: bool


def _cloud(api: Api) -> Dialect:
    return Dialect(
        api=api,
        envelope=frozenset(
            {
                "messaging_product",
                "recipient_type",
                "to",
                "recipient",
                "type",
                "context",
                *CLOUD_ENVELOPE,
            }
        ),
        objects=MappingProxyType(dict(_CLOUD_OBJECTS)),
        product=True,
        default_type=None,
        policy=False,
    )


def _v1(api: Api, *more: str) -> Dialect:
    return Dialect(
        api=api,
        envelope=frozenset({"recipient_type", "to", "type", "preview_url", *more}),
        objects=MappingProxyType(dict(_V1_OBJECTS)),
        product=False,
        default_type="text",
        policy=True,
    )


DIALECTS: Final[Mapping[str, Dialect]] = MappingProxyType(
    {
        CLOUD.name: _cloud(CLOUD),
        DIALOG360.name: _cloud(DIALOG360),
        ON_PREMISES.name: _v1(ON_PREMISES),
        TURN.name: _v1(TURN, "recipient"),
    }
)
