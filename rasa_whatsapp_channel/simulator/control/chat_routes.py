"""Chat routes: a person writes, reacts and reads; statuses are set manually."""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from aiohttp import web

from rasa_whatsapp_channel.simulator import chats, ids, incoming, media_checks
from rasa_whatsapp_channel.simulator.api.cloud import download_url, origin_of
from rasa_whatsapp_channel.simulator.api.uploads import Upload, read_form
from rasa_whatsapp_channel.simulator.control.bodies import (
    ControlError,
    find_person,
    load_json,
    read_json,
    read_object,
    seconds_of,
    text_of,
)
from rasa_whatsapp_channel.simulator.incoming import Arrival
from rasa_whatsapp_channel.simulator.media_library import MediaFile
from rasa_whatsapp_channel.simulator.state import ChatMessage, WhatsAppUser, clean_phone
from rasa_whatsapp_channel.simulator.webhooks import envelopes
from rasa_whatsapp_channel.simulator.world import World
from rasa_whatsapp_channel.transcript.pytest_code import dump_test
from rasa_whatsapp_channel.transcript.steps import dump_transcript, record
from rasa_whatsapp_channel.whatsapp import mime
from rasa_whatsapp_channel.whatsapp.apis import ON_PREMISES

_BY_HAND: Final = ("delivered", "read", "played", "failed")


def chat_routes(world: World) -> Iterator[web.RouteDef]:
    routes = ChatRoutes(world)
    person = "/simulator/people/{person}"
    yield web.get(f"{person}/messages", routes.messages)
    yield web.get(f"{person}/transcript", routes.transcript)
    yield web.post(f"{person}/messages", routes.write)
    yield web.post(f"{person}/files", routes.give_file)
    yield web.post(f"{person}/reaction", routes.react)
    yield web.post(f"{person}/read", routes.read)
    yield web.post(f"{person}/status", routes.set_status)


class ChatRoutes:
    def __init__(self, world: World) -> None:
        self._world = world

    async def messages(self, request: web.Request) -> web.Response:
        """Return a person's chat; with `wait`, as soon as there are messages after `after`."""
        person = find_person(self._world, request)
        after = request.query.get("after")
        if after is not None and after not in self._world.state.messages:
            raise ControlError(f"There is no message {after}.", status=404)
        with suppress(asyncio.TimeoutError):
            wait = seconds_of(request.query.get("wait", "0"))
            await asyncio.wait_for(self._something_new(person, after), wait)
        chat = self._world.state.chat(person.key, after=after)
        return web.json_response([chats.to_json(self._world, message) for message in chat])

    async def transcript(self, request: web.Request) -> web.Response:
        """Return the chat as a transcript for `rasa-whatsapp test`, or with `?form=pytest`."""
        person = find_person(self._world, request)
        said = (each for each in self._world.state.chat(person.key) if each.by == "bot")
        chat = [chats.to_json(self._world, message) for message in said]
        transcript = record(chat, name=f"The chat of {person.name}")
        if request.query.get("form") == "pytest":
            return web.Response(text=dump_test(transcript), content_type="text/x-python")
        return web.Response(text=dump_transcript(transcript), content_type="application/yaml")

    async def write(self, request: web.Request) -> web.Response:
        person = find_person(self._world, request)
        if request.content_type == "multipart/form-data":
            fields, upload = await read_form(request)
            arrival = await read_file_arrival(self._world, request, fields, upload)
            return self._receive(person, [arrival], fields, one=True)
        body = await read_json(request)
        many = body if isinstance(body, list) else [body]
        if not many:
            raise ControlError("A list of messages needs at least one.")
        arrivals = [read_arrival(item) for item in many]
        return self._receive(person, arrivals, many[0], one=body is not many)

    async def give_file(self, request: web.Request) -> web.Response:
        """
        Store a photo or document that a person gives in a form of WhatsApp (a flow).

        Return how it is to stand in the form's ``response_json``:
        https://developers.facebook.com/docs/whatsapp/flows/reference/media_upload
        """
        find_person(self._world, request)
        if request.content_type != "multipart/form-data":
            raise ControlError("A file comes as multipart/form-data, in a part named file.")
        upload = _need((await read_form(request))[1])
        file = await _store(self._world, upload, _mime_type(upload))
        return web.json_response(envelopes.media_in_flow(file))

    async def react(self, request: web.Request) -> web.Response:
        """React to a message; short for a message of type reaction."""
        person = find_person(self._world, request)
        body = await read_object(request)
        arrival = read_arrival({"type": "reaction", "reaction": body})
        return self._receive(person, [arrival], body, one=True)

    async def read(self, request: web.Request) -> web.Response:
        person = find_person(self._world, request)
        body = await read_object(request) if request.body_exists else {}
        message_id = text_of(body, "message_id")
        if message_id is not None:
            self._find_message(person, message_id)
        read = incoming.read(self._world, person, message_id)
        return web.json_response({"read": [message.id for message in read]})

    async def set_status(self, request: web.Request) -> web.Response:
        """Set the status of one of the bot's messages manually."""
        person = find_person(self._world, request)
        body = await read_object(request)
        message = self._find_message(person, text_of(body, "message_id") or "")
        status, code = body.get("status"), body.get("code", 131026)
        if status not in _BY_HAND:
            raise ControlError(f"status is one of {', '.join(_BY_HAND)}.")
        if isinstance(code, bool) or not isinstance(code, int):
            raise ControlError("code is a number, such as 131047.")
        if not incoming.set_status(self._world, person, message, status, code=code):
            raise ControlError(f"That message is {message.status} already.", status=409)
        return web.json_response(chats.to_json(self._world, self._world.state.messages[message.id]))

    def _find_message(self, person: WhatsAppUser, message_id: str) -> ChatMessage:
        message = self._world.state.messages.get(message_id)
        is_bots = message is not None and (message.direction, message.by) == ("outbound", "bot")
        if message is None or not is_bots or message.person != person.key:
            raise ControlError(f"The bot has sent no message {message_id} to {person.name}.", 404)
        return message

    def _receive(
        self,
        person: WhatsAppUser,
        arrivals: list[Arrival],
        body: Mapping[str, Any],
        *,
        one: bool,
    ) -> web.Response:
        """*body* names the number, and the author in a group."""
        world = self._world
        if person.phone is None and world.config.api is ON_PREMISES:
            raise ControlError("An on-premises client knows people by their phone number only.")
        number = world.config.find_number(text_of(body, "number"))
        if number is None:
            raise ControlError(f"The bot has no number {body['number']}.", status=404)
        author = self._find_author(person, text_of(body, "author"))
        messages = incoming.receive(world, person, arrivals, number=number, author=author)
        written = [chats.to_json(world, message) for message in messages]
        return web.json_response(written[0] if one else written)

    def _find_author(self, person: WhatsAppUser, key: str | None) -> WhatsAppUser | None:
        if not person.group:
            return None
        key = key if key is not None else next(iter(person.participants), "")
        author = self._world.state.find_person(key) or self._world.state.find_person(
            clean_phone(key)
        )
        if author is None or author.key not in person.participants:
            raise ControlError(f"{key} is not in the group {person.name}.", status=404)
        return author

    async def _something_new(self, person: WhatsAppUser, after: str | None) -> None:
        with self._world.feed.listen() as events:
            while not self._world.state.chat(person.key, after=after):
                if await events.get() is None:
                    return


_FILE_KINDS: Final = ("image", "video", "audio", "voice", "document", "sticker")
_BARE: Final = ("unsupported", "system", "ephemeral")  # types that may have no object


def read_arrival(body: object) -> Arrival:
    if not isinstance(body, Mapping) or not isinstance(body.get("type"), str):
        raise ControlError(
            'A message is an object with a type: {"type": "text", "text": {"body": …}}.'
        )
    kind = body["type"]
    content = body.get(kind)
    if content is None and kind not in _BARE:
        raise ControlError(f"The type says {kind}, and there is no {kind}.")
    if kind == "reaction" and not (
        isinstance(content, Mapping) and isinstance(content.get("message_id"), str)
    ):
        raise ControlError("A reaction needs the message_id it is for.")
    known = ("type", kind, "context", "id", "number", "author")
    extra = {key: value for key, value in body.items() if key not in known}
    return Arrival(kind, content, _context(body.get("context")), extra, id=text_of(body, "id"))


def _context(value: object) -> Mapping[str, Any] | None:
    if value is not None and not isinstance(value, Mapping):
        raise ControlError('context is an object: {"message_id": …}.')
    return value


async def read_file_arrival(
    world: World, request: web.Request, fields: Mapping[str, str], upload: Upload | None
) -> Arrival:
    upload = _need(upload)
    mime_type = _mime_type(upload)
    kind = fields.get("type") or media_checks.kind_of(mime_type) or "document"
    if kind not in _FILE_KINDS:
        raise ControlError(f"The type of a file is one of {', '.join(_FILE_KINDS)}, not {kind}.")
    if kind == "voice" and mime.base_type(mime_type) == "audio/ogg":
        mime_type = "audio/ogg; codecs=opus"  # the platform's type of every voice message
    file = await _store(world, upload, mime_type)
    api = world.config.api
    url = download_url(world, file, origin=origin_of(request), api=api)
    caption = fields.get("caption")
    content = envelopes.media_content(kind, file, api, url=url, caption=caption)
    context = _context(load_json(fields.get("context") or "null"))
    return Arrival("audio" if kind == "voice" else kind, content, context)


def _need(upload: Upload | None) -> Upload:
    if upload is None:
        raise ControlError("The form needs a part named file, with a filename.")
    return upload


async def _store(world: World, upload: Upload, mime_type: str) -> MediaFile:
    api = world.config.api
    return await world.library.add(
        ids.new_media_id(api),
        upload.content,
        mime_type=mime_type,
        filename=upload.filename,
        life=media_checks.life_of(api, uploaded=False),
    )


def _mime_type(upload: Upload) -> str:
    if mime.base_type(upload.mime_type) != "application/octet-stream":
        return upload.mime_type
    guessed, _ = mimetypes.guess_type(upload.filename or "")
    return guessed or upload.mime_type
