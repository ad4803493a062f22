"""``rasa-whatsapp media kept``: the files that people sent, where the channel stores them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from rasa_whatsapp_channel.cli.open import credentials_option, read_settings
from rasa_whatsapp_channel.cli.options import Function, json_option, to_person, yes_option
from rasa_whatsapp_channel.cli.output import print_json
from rasa_whatsapp_channel.conversation.identity import at_our_number
from rasa_whatsapp_channel.whatsapp.errors import MediaError
from rasa_whatsapp_channel.whatsapp.identity import split_number
from rasa_whatsapp_channel.wording import counted

if TYPE_CHECKING:
    from rasa_whatsapp_channel.media.kept import Kept, KeptFile

_KINDS: Final = ("image", "video", "audio", "document")


@click.group()
def command() -> None:
    """The files that people sent: list, copy, delete them."""


def _filters(function: Function) -> Function:
    options = (
        click.option(
            "--person", type=to_person, metavar="NUMBER", help="Only files this person sent."
        ),
        click.option("--type", "kind", type=click.Choice(_KINDS), help="Only files of this type."),
        click.option(
            "--older-than", type=click.IntRange(0), metavar="DAYS", help="Only older files."
        ),
        credentials_option,
    )
    for option in reversed(options):
        function = option(function)
    return function


@command.command("list")
@_filters
@json_option
def list_command(
    credentials: Path, person: str | None, kind: str | None, older_than: int | None, as_json: bool
) -> None:
    """List the files, oldest first: name, size and MIME type."""
    found = _find(_open(credentials), _chats(person, credentials), kind, older_than)
    if as_json:
        print_json([{"name": e.name, "size": e.size, "mime_type": e.mime_type} for e in found])
        return
    width = max((len(file.name) for file in found), default=0)
    for file in found:
        click.echo(f"{file.name:<{width}}  {file.size:>11,}  {file.mime_type}")
    click.echo(
        f"{counted(len(found), 'file')}, {sum(file.size for file in found):,} bytes.", err=True
    )


@command.command()
@click.argument("name")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@credentials_option
def get(name: str, output: Path | None, force: bool, credentials: Path) -> None:
    """Copy the file NAME, as listed, and print the path of the copy."""
    kept = _open(credentials)
    file = _named(kept, [name])[0]
    target = output or Path(Path(name).name)
    if target.exists() and not force:
        raise click.ClickException(f"{target}: exists already; --force overwrites it")
    try:
        with kept.open(file) as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy)
    except OSError as error:
        raise click.ClickException(f"{target}: cannot be written: {error.strerror}") from error
    click.echo(str(target))


@command.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@yes_option
@_filters
def delete(
    names: Sequence[str],
    yes: bool,
    credentials: Path,
    person: str | None,
    kind: str | None,
    older_than: int | None,
) -> None:
    """
    Delete files by NAME, or all that match the options. This cannot be undone.

    \b
    rasa-whatsapp media kept delete --person 4915112345678
    rasa-whatsapp media kept delete --type video --older-than 30
    """
    chosen = (person, kind, older_than) != (None, None, None)
    if bool(names) == chosen:
        raise click.UsageError("Give names, or at least one of --person, --type, --older-than.")
    kept = _open(credentials)
    chats = _chats(person, credentials)
    found = _named(kept, names) if names else _find(kept, chats, kind, older_than)
    if found and not yes:
        click.confirm(f"Delete {counted(len(found), 'file')} for good?", abort=True)
    for file in found:
        kept.delete(file)
    click.echo(f"{counted(len(found), 'file')} deleted.")


def _open(credentials: Path) -> Kept:
    from rasa_whatsapp_channel.media.kept import open_kept

    return open_kept(read_settings(credentials).media.store, Path())


def _chats(person: str | None, credentials: Path) -> Sequence[str] | None:
    """Return the names of the conversations of *person* with each business number."""
    if person is None:
        return None
    name, _ = split_number(person)
    numbers = tuple(read_settings(credentials).by_number())
    # What was said is among them: the number may not be the bot's any more.
    return person, *(at_our_number(name, each, numbers) for each in numbers)


def _find(
    kept: Kept, chats: Sequence[str] | None, kind: str | None, older_than: int | None
) -> list[KeptFile]:
    from rasa_whatsapp_channel.media.folder import today_here

    before = date.max if older_than is None else today_here() - timedelta(days=older_than)
    return [
        file
        for file in kept.files()
        if (chats is None or any(map(file.is_from, chats)))
        and (kind is None or _kind(file) == kind)
        and file.day < before
    ]


def _named(kept: Kept, names: Sequence[str]) -> list[KeptFile]:
    found = {file.name: file for file in _find(kept, None, None, None)}
    try:
        return [found[name] for name in names]
    except KeyError as error:
        name = error.args[0]
        raise MediaError(f"{name}: is not stored; `media kept list` shows what is") from error


def _kind(file: KeptFile) -> str:
    family = file.mime_type.partition("/")[0]
    return family if family in _KINDS else "document"
