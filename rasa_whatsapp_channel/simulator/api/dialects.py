"""
Which keys each API knows where, typed in from its pages and independent of the clients.

What a message may say in them is checked by `whatsapp.messages`; see `validate`.
"""

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
    """
    How one API wants a message written.

    *envelope* are the keys beside the message, *objects* the keys of each type's object (none for
    contacts, which are a list). *product*: must ``messaging_product`` be there? *default_type* is
    the type of a message that names none.
    """

    api: Api
    envelope: frozenset[str]
    objects: Mapping[str, tuple[str, ...]]
    product: bool
    default_type: str | None
    policy: bool  # must a template's language name its policy?


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
