"""``rasa-whatsapp send``: one message, without a bot."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

import click

from rasa_whatsapp_channel.cli.clients import open_client
from rasa_whatsapp_channel.cli.credentials import credentials_option
from rasa_whatsapp_channel.cli.person import to_person
from rasa_whatsapp_channel.cli.run import run, sentence
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage, MediaError, WhatsAppError
from rasa_whatsapp_channel.whatsapp.messages import (
    MEDIA_MESSAGES,
    Component,
    Outgoing,
    Parameter,
    Template,
    Text,
    parse_outgoing,
)
from rasa_whatsapp_channel.whatsapp.messages.media import parse_media_message

_CONTENTS: Final = ("text", *MEDIA_MESSAGES, "template", "json")


@click.command()
@click.option(
    "--to",
    type=to_person,
    metavar="NUMBER",
    required=True,
    help="Who gets it, with the country's code.",
)
@click.option("--text")
@click.option("--image", metavar="FILE|LINK|ID")
@click.option("--video", metavar="FILE|LINK|ID")
@click.option("--audio", metavar="FILE|LINK|ID")
@click.option("--document", metavar="FILE|LINK|ID")
@click.option("--sticker", metavar="FILE|LINK|ID")
@click.option("--caption", help="For image, video and document.")
@click.option("--filename", help="For document; that of the file, if not given.")
@click.option("--voice", is_flag=True, help="For audio: a voice message.")
@click.option("--template", metavar="NAME")
@click.option("--language", default="en_US", show_default=True, help="For template.")
@click.option("--param", "params", multiple=True, help="For template: the body's texts in order.")
@click.option("--json", type=click.File(encoding="utf-8"), help="A body of WhatsApp; - for stdin.")
@credentials_option
def command(to: str, credentials: Path, **options: Any) -> None:
    """
    One message: a text, a file, a template, or any body of WhatsApp.

    Prints the message's id. WhatsApp tells the bot's webhook whether it arrives; when the person
    has not written for 24 hours, only a template does.
    """
    outgoing = _outgoing(options)
    click.echo(run(_send(credentials, to, outgoing)))


async def _send(credentials: Path, to: str, outgoing: Outgoing) -> str:
    from rasa_whatsapp_channel.cli.uploads import prepare

    async with open_client(credentials) as client:
        message = await prepare(client, outgoing.message)
        return await client.send(to, message, reply_to=outgoing.reply_to)


def _outgoing(options: Mapping[str, Any]) -> Outgoing:
    given = [name for name in _CONTENTS if options[name] is not None]
    if len(given) != 1:
        names = ", ".join(f"--{name}" for name in _CONTENTS)
        raise click.UsageError(f"Give exactly one of {names}.")
    [kind] = given
    extra = {name: options[name] for name in ("caption", "filename", "voice") if options[name]}
    if extra and kind not in MEDIA_MESSAGES:
        raise click.UsageError(f"--{next(iter(extra))} goes with a file, not with --{kind}.")
    if options["params"] and kind != "template":
        raise click.UsageError("--param goes with --template.")
    try:
        return _build(kind, options, extra)
    except WhatsAppError as error:
        raise click.ClickException(sentence(error)) from error


def _build(kind: str, options: Mapping[str, Any], extra: Mapping[str, Any]) -> Outgoing:
    if kind == "text":
        return Outgoing(Text(options["text"]))
    if kind == "template":
        return Outgoing(_template(options["template"], options["language"], options["params"]))
    if kind == "json":
        return _read_json(options["json"])
    source = read_source(options[kind])
    if kind == "document" and "path" in source:
        extra = {"filename": Path(source["path"]).name, **extra}
    return Outgoing(parse_media_message(kind, {**source, **extra}))


def _template(name: str, language: str, params: Sequence[str]) -> Template:
    body = Component("body", tuple(Parameter("text", param) for param in params))
    return Template(name, language, (body,) if params else ())


def _read_json(file: IO[str]) -> Outgoing:
    try:
        body = json.load(file)
    except (ValueError, RecursionError) as error:
        raise InvalidMessage("--json", f"is not JSON: {error}") from error
    return parse_outgoing(body)


def read_source(value: str) -> dict[str, str]:
    """Return the media object for a link, the path of a file, or an id."""
    if value.startswith(("http://", "https://")):
        return {"link": value}
    if Path(value).is_file():
        return {"path": value}
    if any(mark in value for mark in "./\\"):  # no id has one
        raise MediaError(f"{value}: there is no such file")
    return {"id": value}
