"""``rasa-whatsapp media``: the files WhatsApp stores for a bot."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO

import click

from rasa_whatsapp_channel.cli.commands.media_kept import command as kept
from rasa_whatsapp_channel.cli.open import (
    convert_option,
    credentials_option,
    open_client,
    with_client,
)
from rasa_whatsapp_channel.cli.options import yes_option
from rasa_whatsapp_channel.cli.output import print_json
from rasa_whatsapp_channel.whatsapp.clients.base import Download
from rasa_whatsapp_channel.whatsapp.errors import MediaError


@click.group()
def command() -> None:
    """The files WhatsApp stores for the bot: upload, show, download, delete."""


command.add_command(kept, "kept")


@command.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--as",
    "kind",
    type=click.Choice(["image", "video", "audio", "voice", "document", "sticker"]),
    help="What it will be sent as.  [default: by its content]",
)
@convert_option
@credentials_option
def upload(file: Path, kind: str | None, convert: bool | None, credentials: Path) -> None:
    """
    Upload FILE and print its id, which may be sent any number of times.

    \b
    rasa-whatsapp media upload lake.heic               becomes a JPEG
    rasa-whatsapp media upload song.mp3 --as voice     becomes a voice message
    rasa-whatsapp media upload sun.png --as sticker
    rasa-whatsapp media upload plan.webp --no-convert  as it is, or not at all
    """
    click.echo(asyncio.run(_upload(credentials, file, kind, convert)))


@command.command()
@click.argument("media_id", metavar="ID")
@credentials_option
def get(media_id: str, credentials: Path) -> None:
    """Show what WhatsApp knows of a file, as JSON."""
    info = asdict(with_client(credentials, lambda client: client.media_info(media_id)))
    print_json({key: value for key, value in info.items() if value is not None})


@command.command()
@click.argument("media_id", metavar="ID")
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write.  [default: the id, in this folder]",
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@credentials_option
def download(media_id: str, output: Path | None, force: bool, credentials: Path) -> None:
    """Download a file, also one that a person sent, and print its path."""
    click.echo(asyncio.run(_download(credentials, media_id, output, force=force)))


@command.command()
@click.argument("media_id", metavar="ID")
@yes_option
@credentials_option
def delete(media_id: str, yes: bool, credentials: Path) -> None:
    """Delete a file. A message sent with its id that the phone has not fetched yet loses it."""
    if not yes:
        click.confirm(f"Delete {media_id} at WhatsApp?", abort=True)
    with_client(credentials, lambda client: client.delete_media(media_id))
    click.echo(f"{media_id} is deleted.")


async def _upload(credentials: Path, file: Path, kind: str | None, convert: bool | None) -> str:
    from rasa_whatsapp_channel.cli.uploads import guess_kind, open_account

    async with open_account(credentials, convert=convert) as account:
        converts = account.settings.media.convert if convert is None else convert
        if kind == "voice":
            return await account.uploads.upload(str(file), "audio", voice=True)
        guessed = await asyncio.to_thread(guess_kind, file, convert=converts)
        return await account.uploads.upload(str(file), kind or guessed)


async def _download(credentials: Path, media_id: str, output: Path | None, *, force: bool) -> Path:
    from rasa_whatsapp_channel.media.names import ending

    async with open_client(credentials) as client, client.download(media_id) as opened:
        target = output or Path(_file_name(media_id) + ending(opened.mime_type or ""))
        await _save(opened, target, force=force)
        return target


async def _save(opened: Download, target: Path, *, force: bool) -> None:
    """Write *target* completely or not at all."""
    if not force and await asyncio.to_thread(target.exists):
        raise MediaError(f"{target}: exists already; --force overwrites it")
    partial = target.with_name(f".{target.name}.part")
    try:
        with await asyncio.to_thread(partial.open, "wb") as file:
            await _write(opened, file)
        await asyncio.to_thread(partial.replace, target)
    except OSError as error:
        raise MediaError(f"{target}: cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            await asyncio.to_thread(partial.unlink)


async def _write(opened: Download, file: IO[bytes]) -> None:
    from rasa_whatsapp_channel.cli.uploads import show_progress

    told = show_progress(opened.size or 0, "Downloading")
    async for chunk in opened.chunks:
        await asyncio.to_thread(file.write, chunk)
        told(len(chunk))


def _file_name(media_id: str) -> str:
    return "".join(mark if mark.isalnum() or mark in "-_" else "_" for mark in media_id)
