"""What a person writes, as the page and tests put it, made an `Arrival`."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from rasa_whatsapp_channel.simulator import ids
from rasa_whatsapp_channel.simulator.api.cloud import download_url, origin_of
from rasa_whatsapp_channel.simulator.api.uploads import Upload
from rasa_whatsapp_channel.simulator.control.bodies import Wrong, load_json, text_of
from rasa_whatsapp_channel.simulator.incoming import Arrival
from rasa_whatsapp_channel.simulator.media import kinds
from rasa_whatsapp_channel.simulator.webhooks import envelopes
from rasa_whatsapp_channel.simulator.world import World

_FILE_KINDS: Final = ("image", "video", "audio", "voice", "document", "sticker")
_BARE: Final = ("unsupported", "system", "ephemeral")  # types that may come without an object


def read_arrival(body: object) -> Arrival:
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
    known = ("type", kind, "context", "id", "number", "author")
    extra = {key: value for key, value in body.items() if key not in known}
    return Arrival(kind, content, _context(body.get("context")), extra, id=text_of(body, "id"))


def _context(value: object) -> Mapping[str, Any] | None:
    if value is not None and not isinstance(value, Mapping):
        raise Wrong('context is an object: {"message_id": …}.')
    return value


async def read_file_arrival(
    world: World, request: web.Request, fields: Mapping[str, str], upload: Upload | None
) -> Arrival:
    if upload is None:
        raise Wrong("The form needs a part named file, with a filename.")
    mime_type = _mime_type(upload)
    kind = fields.get("type") or kinds.kind_of(mime_type) or "document"
    if kind not in _FILE_KINDS:
        raise Wrong(f"A file goes as one of {', '.join(_FILE_KINDS)}, not as {kind}.")
    if kind == "voice" and kinds.essence(mime_type) == "audio/ogg":
        mime_type = "audio/ogg; codecs=opus"  # as the platform names every voice note
    config = world.config
    file = await world.library.add(
        ids.new_media_id(config.api),
        upload.content,
        mime_type=mime_type,
        filename=upload.filename,
        life=kinds.life_of(config.api, uploaded=False),
    )
    url = download_url(world, file, origin=origin_of(request), api=config.api)
    caption = fields.get("caption")
    content = envelopes.media_content(kind, file, config.api, url=url, caption=caption)
    context = _context(load_json(fields.get("context") or "null"))
    return Arrival("audio" if kind == "voice" else kind, content, context)


def _mime_type(upload: Upload) -> str:
    if kinds.essence(upload.mime_type) != "application/octet-stream":
        return upload.mime_type
    guessed, _ = mimetypes.guess_type(upload.filename or "")
    return guessed or upload.mime_type
