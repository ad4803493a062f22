"""
``/simulator``: what the page and tests do as the people, and what they may see.

Errors here are ours, not the platform's: ``{"error": "a sentence"}`` with a fitting HTTP status.
"""

from __future__ import annotations

import asyncio
import json
import mimetypes
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final
from urllib.parse import quote, urlsplit

from aiohttp import WSCloseCode, web

from rasa_whatsapp_channel.simulator import envelopes, files, ids, incoming
from rasa_whatsapp_channel.simulator.answers import Refused
from rasa_whatsapp_channel.simulator.cloud import download_url, origin_of
from rasa_whatsapp_channel.simulator.incoming import Arrival
from rasa_whatsapp_channel.simulator.state import Person
from rasa_whatsapp_channel.simulator.uploads import Upload, read_form
from rasa_whatsapp_channel.simulator.validate import clean_phone
from rasa_whatsapp_channel.simulator.world import World
from rasa_whatsapp_channel.whatsapp.apis import ON_PREMISES

LONGEST_WAIT: Final = 120.0
# A browser shows these without harm; everything else it is told to save.
_SHOWN: Final = ("image/png", "image/jpeg", "image/webp", "image/gif", "application/pdf")
_SHOWN_KINDS: Final = ("audio/", "video/")
_FILE_KINDS: Final = ("image", "video", "audio", "voice", "document", "sticker")
_BARE: Final = ("unsupported", "system", "ephemeral")  # types that may come without an object


def control_routes(world: World) -> Iterator[web.RouteDef]:
    control = Control(world)
    person = "/simulator/people/{person}"
    yield web.get("/simulator/state", control.state)
    yield web.get("/simulator/socket", control.socket)
    yield web.get("/simulator/media/{media_id}", control.media)
    yield web.get("/simulator/webhooks", control.webhooks)
    yield web.get("/simulator/requests", control.requests)
    yield web.post("/simulator/reset", control.reset)
    yield web.post("/simulator/people", control.add_person)
    yield web.get(f"{person}/messages", control.messages)
    yield web.post(f"{person}/messages", control.write)
    yield web.post(f"{person}/reaction", control.react)
    yield web.post(f"{person}/read", control.read)


class Wrong(Exception):
    """A request of the page or a test that cannot be done; the text says why."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


@web.middleware
async def explain_errors(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        response: web.StreamResponse = await handler(request)
    except Wrong as error:
        return web.json_response({"error": str(error)}, status=error.status)
    except Refused as error:
        return web.json_response({"error": error.rule}, status=400)
    return response


class Control:
    def __init__(self, world: World) -> None:
        self._world = world

    async def state(self, request: web.Request) -> web.Response:
        world = self._world
        number = world.config.number
        return web.json_response(
            {
                "api": world.config.api.name,
                "webhook": urlsplit(world.config.webhook)._replace(query="").geturl(),
                "number": {
                    "phone_number_id": number.phone_number_id,
                    "display_phone_number": number.display_phone_number,
                    "name": number.name,
                },
                "people": [person.to_json() for person in world.state.people.values()],
                "messages": [world.to_json(m) for m in world.state.messages.values()],
            }
        )

    async def webhooks(self, request: web.Request) -> web.Response:
        attempts = self._world.webhooks.attempts
        return web.json_response([attempt.to_json() for attempt in attempts])

    async def requests(self, request: web.Request) -> web.Response:
        return web.json_response(list(self._world.requests.entries))

    async def reset(self, request: web.Request) -> web.Response:
        await self._world.reset()
        return await self.state(request)

    async def add_person(self, request: web.Request) -> web.Response:
        body = await _read_object(request)
        name = _text(body, "name")
        if name is None:
            raise Wrong("A person needs a name.")
        phone, user_id = clean_phone(_text(body, "phone") or "") or None, _text(body, "user_id")
        if phone is not None and not phone.isdigit():
            raise Wrong("A phone number is written in digits.")
        if phone is None and user_id is not None and self._world.config.api is ON_PREMISES:
            raise Wrong("An on-premises client knows people by their phone number only.")
        for key in (phone, user_id):
            if key is not None and self._world.state.find_person(key) is not None:
                raise Wrong(f"There is somebody with {key} already.", status=409)
        person = self._world.add_person(name, phone=phone, user_id=user_id)
        return web.json_response(person.to_json())

    async def messages(self, request: web.Request) -> web.Response:
        """The chat of one person; with `wait`, as soon as there is something behind `after`."""
        person = self._find_person(request)
        after = request.query.get("after")
        if after is not None and after not in self._world.state.messages:
            raise Wrong(f"There is no message {after}.", status=404)
        with suppress(asyncio.TimeoutError):
            wait = _seconds(request.query.get("wait", "0"))
            await asyncio.wait_for(self._something_new(person, after), wait)
        chat = self._world.state.chat(person.key, after=after)
        return web.json_response([self._world.to_json(message) for message in chat])

    async def write(self, request: web.Request) -> web.Response:
        person = self._find_person(request)
        if request.content_type == "multipart/form-data":
            fields, upload = await read_form(request)
            arrival = await self._file_arrival(request, fields, upload)
            return self._receive(person, [arrival], one=True)
        body = await _read_json(request)
        many = body if isinstance(body, list) else [body]
        if not many:
            raise Wrong("A list of messages needs at least one.")
        return self._receive(person, [_arrival(item) for item in many], one=body is not many)

    async def react(self, request: web.Request) -> web.Response:
        """The same as a message of type reaction, with less to write."""
        person = self._find_person(request)
        body = await _read_object(request)
        arrival = _arrival({"type": "reaction", "reaction": body})
        return self._receive(person, [arrival], one=True)

    async def read(self, request: web.Request) -> web.Response:
        person = self._find_person(request)
        body = await _read_object(request) if request.body_exists else {}
        message_id = _text(body, "message_id")
        if message_id is not None:
            message = self._world.state.messages.get(message_id)
            if message is None or message.direction != "outbound" or message.person != person.key:
                raise Wrong(f"The bot has sent no message {message_id} to {person.name}.", 404)
        read = incoming.read(self._world, person, message_id)
        return web.json_response({"read": [message.id for message in read]})

    async def media(self, request: web.Request) -> web.StreamResponse:
        file = self._world.library.find(request.match_info["media_id"])
        if file is None:
            raise Wrong("There is no such file.", status=404)
        plain = files.essence(file.mime_type)
        shown = plain in _SHOWN or plain.startswith(_SHOWN_KINDS)
        name = f"; filename*=UTF-8''{quote(file.filename, safe='')}" if file.filename else ""
        headers = {
            "Content-Type": file.mime_type,
            "Content-Disposition": ("inline" if shown else "attachment") + name,
            "Cache-Control": "no-store",
        }
        return web.FileResponse(file.path, headers=headers)

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        """Everything that happens, as it happens. Nothing is read from the other side."""
        socket = web.WebSocketResponse(heartbeat=30)
        await socket.prepare(request)
        with self._world.feed.listen() as happenings:
            sending = asyncio.create_task(_send_all(socket, happenings))
            try:
                async for _ in socket:
                    pass
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
        return socket

    def _receive(self, person: Person, arrivals: list[Arrival], *, one: bool) -> web.Response:
        if person.phone is None and self._world.config.api is ON_PREMISES:
            raise Wrong("An on-premises client knows people by their phone number only.")
        messages = incoming.receive(self._world, person, arrivals)
        written = [self._world.to_json(message) for message in messages]
        return web.json_response(written[0] if one else written)

    async def _file_arrival(
        self, request: web.Request, fields: Mapping[str, str], upload: Upload | None
    ) -> Arrival:
        if upload is None:
            raise Wrong("The form needs a part named file, with a filename.")
        mime_type = _mime_type(upload)
        kind = fields.get("type") or files.kind_of(mime_type) or "document"
        if kind not in _FILE_KINDS:
            raise Wrong(f"A file goes as one of {', '.join(_FILE_KINDS)}, not as {kind}.")
        if kind == "voice" and files.essence(mime_type) == "audio/ogg":
            mime_type = "audio/ogg; codecs=opus"  # as the platform names every voice note
        config = self._world.config
        file = await self._world.library.add(
            ids.new_media_id(config.api),
            upload.content,
            mime_type=mime_type,
            filename=upload.filename,
        )
        url = download_url(self._world, file, origin=origin_of(request), api=config.api)
        caption = fields.get("caption")
        content = envelopes.media_content(kind, file, config.api, url=url, caption=caption)
        context = _context(_load_json(fields.get("context") or "null"))
        return Arrival("audio" if kind == "voice" else kind, content, context)

    async def _something_new(self, person: Person, after: str | None) -> None:
        with self._world.feed.listen() as happenings:
            while not self._world.state.chat(person.key, after=after):
                if await happenings.get() is None:
                    return

    def _find_person(self, request: web.Request) -> Person:
        key = request.match_info["person"]
        person = self._world.state.find_person(key) or self._world.state.find_person(
            clean_phone(key)
        )
        if person is None:
            raise Wrong(f"There is nobody with {key}.", status=404)
        return person


async def _send_all(socket: web.WebSocketResponse, happenings: asyncio.Queue[Any]) -> None:
    with suppress(ConnectionError):
        while (happening := await happenings.get()) is not None:
            await socket.send_json(happening)
        await socket.close(code=WSCloseCode.GOING_AWAY)


def _arrival(body: object) -> Arrival:
    if not isinstance(body, Mapping) or not isinstance(body.get("type"), str):
        raise Wrong('A message is an object with a type: {"type": "text", "text": {"body": …}}.')
    kind = body["type"]
    content = body.get(kind)
    if content is None and kind not in _BARE:
        raise Wrong(f"The type says {kind}, and there is no {kind}.")
    if kind == "reaction" and not (
        isinstance(content, Mapping) and isinstance(content.get("message_id"), str)
    ):
        raise Wrong("A reaction needs the message_id it is for.")
    known = ("type", kind, "context", "id")
    extra = {key: value for key, value in body.items() if key not in known}
    return Arrival(kind, content, _context(body.get("context")), extra, id=_text(body, "id"))


def _context(value: object) -> Mapping[str, Any] | None:
    if value is not None and not isinstance(value, Mapping):
        raise Wrong('context is an object: {"message_id": …}.')
    return value


def _mime_type(upload: Upload) -> str:
    if files.essence(upload.mime_type) != "application/octet-stream":
        return upload.mime_type
    guessed, _ = mimetypes.guess_type(upload.filename or "")
    return guessed or upload.mime_type


async def _read_object(request: web.Request) -> Mapping[str, Any]:
    body = await _read_json(request)
    if not isinstance(body, Mapping):
        raise Wrong("The body must be a JSON object.")
    return body


async def _read_json(request: web.Request) -> Any:
    return _load_json(await request.read())


def _load_json(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Wrong("That is not JSON.") from error


def _text(body: Mapping[str, Any], key: str) -> str | None:
    value = body.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Wrong(f"{key} must be a text.")
    return value


def _seconds(text: str) -> float:
    try:
        return min(max(float(text), 0.0), LONGEST_WAIT)
    except ValueError:
        raise Wrong("wait is a number of seconds.") from None
