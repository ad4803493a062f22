"""Files of this machine → media ids, with the checks a file of the bot gets."""

from __future__ import annotations

from pathlib import Path

import click

from rasa_whatsapp_channel.outbound import files
from rasa_whatsapp_channel.whatsapp import limits, mime
from rasa_whatsapp_channel.whatsapp.apis import Api
from rasa_whatsapp_channel.whatsapp.clients.base import Client
from rasa_whatsapp_channel.whatsapp.errors import MediaError
from rasa_whatsapp_channel.whatsapp.messages import Media, MediaMessage, Message, replace_media
from rasa_whatsapp_channel.whatsapp.transport import File


async def prepare(client: Client, message: Message) -> Message:
    """Return *message* with an id in the place of each path."""
    if isinstance(message, MediaMessage) and message.media.link and not client.api.link:
        raise MediaError(
            f"{message.media.link}: api {client.api.name} takes no links; give a file or an id"
        )
    ids = {
        media: Media(id=await upload(client, Path(media.path), kind))
        for media, kind in files.find_kinds(message)
        if media.path is not None
    }
    return replace_media(message, ids) if ids else message


async def upload(client: Client, path: Path, kind: str | None = None) -> str:
    """Upload the file at *path*; *kind* is the type of message it is for, if that is known."""
    file = read_file(path, kind, client.api)
    click.echo(f"Uploading {path.name} ({file.size:,} bytes, {file.mime_type})", err=True)
    return await client.upload(file)


def read_file(path: Path, kind: str | None, api: Api) -> File:
    """Return the file, checked. Raises `MediaError` for one that WhatsApp would not take."""
    try:
        size = path.stat().st_size
        with path.open("rb") as content:
            head = content.read(mime.HEAD)
    except (OSError, ValueError) as error:
        raise MediaError(f"{path}: cannot be read: {error}") from error
    name = str(path)
    kind = kind or mime.kind_of(files.mime_type_of(head, name, "document"))
    mime_type = files.mime_type_of(head, name, kind)
    files.check_size(name, size, limits.MEDIA_BYTES[kind], kind)
    files.check_type(name, mime_type, kind)
    if kind == "sticker":
        files.check_sticker(name, size, head, api)
    return File(path, files.sent_type(mime_type, kind, api), path.name)
