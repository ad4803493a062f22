"""Which API takes which message."""

from __future__ import annotations

from rasa_whatsapp_channel.whatsapp.apis import Api
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages.base import Message, find_media
from rasa_whatsapp_channel.whatsapp.messages.interactive import Interactive, OtherInteractive
from rasa_whatsapp_channel.whatsapp.messages.media import MediaMessage
from rasa_whatsapp_channel.whatsapp.messages.simple import Reaction


def check_support(message: Message, api: Api) -> None:
    """Raise `InvalidMessage` for what *api* does not take."""
    if isinstance(message, Reaction) and not api.reactions:
        raise InvalidMessage("reaction", f"api {api.name} sends no reactions")
    if (
        isinstance(message, Interactive)
        and not isinstance(message, OtherInteractive)
        and message.kind not in api.interactive
    ):
        raise InvalidMessage("interactive.type", f"api {api.name} does not take {message.kind}")
    for media in find_media(message):
        if media.provider is not None and not api.provider:
            raise InvalidMessage(
                f"{message.type}.provider", "stored credentials for links exist only at on_premises"
            )
    if isinstance(message, MediaMessage) and message.media.link is not None and not api.link:
        raise InvalidMessage(
            f"{message.type}.link", f"api {api.name} takes uploaded ids only; give a path instead"
        )


def check_sendable(message: Message, api: Api) -> None:
    """Raise `InvalidMessage` unless *message* can go to *api* as it is, all its files uploaded."""
    check_support(message, api)
    for media in find_media(message):
        if media.path is not None:
            raise InvalidMessage(
                f"{message.type}.path", f"{media.path} must be uploaded first, and sent by its id"
            )
