"""Messages → the bodies that would be posted, envelope included."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from rasa_whatsapp_channel.whatsapp.apis import Api
from rasa_whatsapp_channel.whatsapp.clients import (
    Client,
    CloudClient,
    Dialog360Client,
    OnPremisesClient,
    TurnClient,
)
from rasa_whatsapp_channel.whatsapp.errors import TransportError
from rasa_whatsapp_channel.whatsapp.messages import (
    Media,
    MediaMessage,
    Message,
    Outgoing,
    find_media,
    replace_media,
)
from rasa_whatsapp_channel.whatsapp.transport import Request, Response, StreamedResponse

RECIPIENT: Final = "15551234567"


class _Nowhere:
    """A transport that leads nowhere: bodies are written without it."""

    async def send(self, request: Request) -> Response:
        raise TransportError("a preview sends nothing")

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[StreamedResponse]:
        raise TransportError("a preview sends nothing")
        yield

    async def close(self) -> None:
        pass


_CLIENTS: Final[Mapping[str, Callable[[], Client]]] = {
    "cloud": lambda: CloudClient(_Nowhere(), phone_number_id="", access_token=""),
    "360dialog": lambda: Dialog360Client(_Nowhere(), access_token=""),
    "turn": lambda: TurnClient(_Nowhere(), access_token=""),
    "on_premises": lambda: OnPremisesClient(_Nowhere(), base_url="", username="", password=""),
}


def offline_client(api: Api) -> Client:
    """Return a client of *api* that writes bodies and cannot send them."""
    return _CLIENTS[api.name]()


def write_bodies(messages: Iterable[Outgoing], api: Api) -> list[dict[str, Any]]:
    """Return the bodies for *api*; a file that would be uploaded first stands there by its name."""
    client = offline_client(api)
    return [
        client.body(RECIPIENT, _upload(each.message, api), reply_to=each.reply_to)
        for each in messages
    ]


def _upload(message: Message, api: Api) -> Message:
    fetched = isinstance(message, MediaMessage) and not api.link
    ids = {
        media: Media(id=f"<id of {media.path or media.link}>")
        for media in find_media(message)
        if media.path or (media.link and fetched)
    }
    return replace_media(message, ids)
