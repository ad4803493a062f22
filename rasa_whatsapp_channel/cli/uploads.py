"""The bot's account, opened for sending: files of this machine are converted and uploaded."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from rasa_whatsapp_channel.cli.open import read_settings
from rasa_whatsapp_channel.media import files
from rasa_whatsapp_channel.media.access import FileAccess
from rasa_whatsapp_channel.media.convert.converter import Converter
from rasa_whatsapp_channel.media.uploads import MediaUploads
from rasa_whatsapp_channel.settings import Settings
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.whatsapp import mime
from rasa_whatsapp_channel.whatsapp.clients.base import Client
from rasa_whatsapp_channel.whatsapp.errors import MediaError
from rasa_whatsapp_channel.whatsapp.messages import MediaMessage, Message
from rasa_whatsapp_channel.whatsapp.transport import File


@dataclass(frozen=True)
class BotAccount:
    """The bot's account, opened by a command; uploads show a progress bar."""

    settings: Settings
    client: Client
    uploads: MediaUploads

    async def prepare(self, message: Message) -> Message:
        """Return *message* with an id in the place of each path."""
        if isinstance(message, MediaMessage) and message.media.link and not self.client.api.link:
            raise MediaError(
                f"{message.media.link}: api {self.client.api.name} takes no links; "
                "give a file or an id"
            )
        return await self.uploads.prepare(message)


@asynccontextmanager
async def open_account(
    credentials: Path, *, number: str | None = None, convert: bool | None = None
) -> AsyncIterator[BotAccount]:
    """
    Open the account for *number*, as in `read_settings`.

    *convert* files that WhatsApp would refuse; None: as the setting `media.convert` says.
    """
    from rasa_whatsapp_channel.factories import account, make_client, make_links, make_transport

    settings = read_settings(credentials, number)
    client = make_client(settings, make_transport(settings, watch=show_upload))
    links = make_links(settings)
    with tempfile.TemporaryDirectory(prefix="whatsapp-") as folder:
        converts = settings.media.convert if convert is None else convert
        async with open_store("memory:") as store:  # an id lives as long as the command
            uploads = MediaUploads(
                client,
                store.values,
                root=None,
                account=account(settings),
                links=links,
                access=FileAccess.of(settings.media),
                converter=Converter(Path(folder)) if converts else None,
            )
            try:
                yield BotAccount(settings, client, uploads)
            finally:
                await uploads.close()
                await links.close()
                await client.close()


def show_upload(file: File) -> Callable[[int], None]:
    """Show the progress of *file*: a bar on a terminal, else one line."""
    label = f"Uploading {file.filename} ({file.size:,} bytes, {file.mime_type})"
    return show_progress(file.size, label)


def show_progress(size: int, label: str) -> Callable[[int], None]:
    """Return a function to call with each number of bytes; *size* is 0 where it is not known."""
    bar: Any = click.progressbar(length=size, label=label, file=sys.stderr)
    bar.render_progress()
    left = size

    def told(count: int) -> None:
        nonlocal left
        bar.update(count)
        left -= count
        if count and left == 0:
            bar.render_finish()

    return told


def guess_kind(path: Path, *, convert: bool) -> str:
    """
    Return the best kind to send the file at *path* as, by its content.

    With *convert* it is what the file can become: any picture an image, any sound an audio.
    """
    try:
        with path.open("rb") as file:
            head = file.read(mime.HEAD)
    except OSError as error:
        raise MediaError(f"{path}: cannot be read: {error.strerror}") from error
    mime_type = files.mime_type_of(head, path.name, "document")
    kind = mime.kind_of(mime_type)
    family = mime_type.partition("/")[0]
    drawn = mime_type == "image/svg+xml"  # a program rather than a picture
    if convert and kind == "document" and family in ("image", "audio", "video") and not drawn:
        return family
    return kind
