"""``rasa-whatsapp templates``: templates as code: the bot's responses and WhatsApp's templates."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from rasa_whatsapp_channel.cli.errors import sentence
from rasa_whatsapp_channel.cli.open import credentials_option, read_settings
from rasa_whatsapp_channel.cli.options import Function, json_option, yes_option
from rasa_whatsapp_channel.cli.output import print_json, table
from rasa_whatsapp_channel.errors import ChannelError
from rasa_whatsapp_channel.templates import Change, Step, Written, check, compare
from rasa_whatsapp_channel.templates.written import NAME, file_of, read_bot, write_file
from rasa_whatsapp_channel.whatsapp import mime
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.transport import File
from rasa_whatsapp_channel.wording import counted

if TYPE_CHECKING:
    from rasa_whatsapp_channel.media.links import Links
    from rasa_whatsapp_channel.whatsapp.clients.templates import TemplatesClient

HEADERS: Final = ("NAME", "LANGUAGE", "CATEGORY", "STATUS", "QUALITY", "FROM", "DETAILS")
SAMPLES: Final = ("image/jpeg", "image/png", "video/mp4", "application/pdf")
_COLOURS: Final = {Step.NONE: "green", Step.WAIT: "yellow"}

bot_option = click.option(
    "--bot",
    "root",
    type=click.Path(exists=True, path_type=Path),
    default=Path(),
    show_default="this folder",
    help=f"The bot's folder, with {NAME} beside its domain.",
)


def account_options(function: Function) -> Function:
    account = click.option(
        "--account", metavar="ID", help="The business account, if the token does not tell."
    )
    return credentials_option(account(function))


@click.group(name="templates")
def command() -> None:
    """
    Templates as code: the responses of the bot that are templates, and templates.yml.

    A response with `whatsapp.template` that names none is the template itself.

    \b
    Examples:
      rasa-whatsapp templates lint              what WhatsApp would refuse, without asking it
      rasa-whatsapp templates push --dry-run    what would be created
      rasa-whatsapp templates push
      rasa-whatsapp templates list --json
      rasa-whatsapp templates diff              exits with status 1 where something differs
      rasa-whatsapp templates pull              into templates.yml
      rasa-whatsapp templates delete old_news --language en
    """


@command.command("list")
@bot_option
@account_options
@json_option
def list_all(root: Path, credentials: Path, account: str | None, as_json: bool) -> None:
    """Show the templates at WhatsApp: status, quality, why they were rejected."""
    found = _ask(credentials, account, lambda client: client.list())
    sources = {each.template.key: each.response or NAME for each in read_bot(root)}
    rows = [
        (
            *each.key,
            each.category,
            each.status,
            each.quality,
            sources.get(each.key, ""),
            each.detail,
        )
        for each in sorted(found, key=lambda each: each.key)
    ]
    if as_json:
        print_json([dict(zip(map(str.lower, HEADERS), row, strict=True)) for row in rows])
    else:
        click.echo(table(HEADERS, rows) if rows else "There are no templates.")


@command.command()
@bot_option
@json_option
def lint(root: Path, as_json: bool) -> None:
    """Check the bot's templates against WhatsApp's rules. Exits with status 1 on any mistake."""
    written = read_bot(root)
    mistakes = _find_mistakes(written)
    if as_json:
        print_json({"templates": len(written), "mistakes": mistakes})
    else:
        _show(mistakes, written)
    if mistakes:
        click.get_current_context().exit(1)


@command.command()
@bot_option
@account_options
@json_option
def diff(root: Path, credentials: Path, account: str | None, as_json: bool) -> None:
    """Show what differs between bot and WhatsApp. Exits with status 1 where something does."""
    written = read_bot(root)
    found = _ask(credentials, account, lambda client: client.list())
    changes = compare(written, found)
    own = {each.template.key for each in written}
    elsewhere = sorted(each.name for each in found if each.key not in own)
    differing = [each for each in changes if each.step is not Step.NONE]
    if as_json:
        print_json({"changes": [*map(_to_json, changes)], "only_at_whatsapp": elsewhere})
    else:
        for change in differing:
            click.echo(_line(change))
            for line in change.difference:
                click.echo(f"    {click.style(line, fg='red' if line[0] == '-' else 'green')}")
        if elsewhere:
            click.echo(f"Only at WhatsApp, `pull` fetches them: {', '.join(elsewhere)}")
        same = len(changes) - len(differing)
        click.echo(f"{counted(same, 'template')} as at WhatsApp, {len(differing)} not.")
    if differing:
        click.get_current_context().exit(1)


@command.command()
@bot_option
@account_options
@click.option("--dry-run", is_flag=True, help="Show what would be done.")
@json_option
def push(root: Path, credentials: Path, account: str | None, dry_run: bool, as_json: bool) -> None:
    """
    Create at WhatsApp what is missing there, and change what it has rejected or paused.

    What is approved keeps its text: another text gets a new name, and the command says what to
    write so that the bot uses it. Checked first, as by `lint`. What is there is left alone.
    """
    written = read_bot(root)
    if mistakes := _find_mistakes(written):
        if not as_json:
            _show(mistakes, written)
        raise click.ClickException("Nothing was sent: put the mistakes right first.")
    done: list[Change] = []

    async def work(client: TemplatesClient) -> str:
        changes = [each for each in compare(written, await client.list()) if each.step != Step.NONE]
        for number, change in enumerate(changes, 1):
            try:
                done.append(change if dry_run else await _send(client, change, root, credentials))
            except ChannelError as error:
                failed = f"{change.needed.name} ({change.needed.language}): {sentence(error)}"
                left = counted(len(changes) - number, "template")
                return f"{failed}\n{left} after it not sent; `push` again goes on there."
            if not as_json:
                click.echo(f"{number}/{len(changes)} {_line(done[-1])}")
        return ""

    failure = _ask(credentials, account, work)
    if as_json:
        print_json({"changes": [*map(_to_json, done)], "failure": failure or None})
    elif not (done or failure):
        click.echo("Everything is at WhatsApp as it is here.")
    if failure:
        raise click.ClickException(failure)


async def _send(client: TemplatesClient, change: Change, root: Path, credentials: Path) -> Change:
    if change.step is Step.WAIT:
        return change
    from rasa_whatsapp_channel.factories import make_links

    links = make_links(read_settings(credentials))
    try:
        files = {each: await _read_sample(links, root, each) for each in change.needed.samples}
    finally:
        await links.close()
    handles = {source: await client.upload(file) for source, file in files.items()}
    needed = change.needed.with_handles(handles)
    if change.step is Step.EDIT and change.found is not None:
        await client.edit(change.found.id, needed)
        return change
    made = await client.create(needed)
    asked, got = change.needed.category, made.category
    moved = "" if asked == got else f"WhatsApp made it {got}, not {asked}"
    return replace(change, needed=made, note="; ".join(filter(None, (moved, change.note))))


async def _read_sample(links: Links, root: Path, source: str) -> File:
    """Return the file at *source*: a path beside the bot, or a link."""
    try:
        if source.startswith(("http://", "https://")):
            async with links.fetch(source) as fetched:
                name, content = fetched.name, fetched.path.read_bytes()
        else:
            name, content = Path(source).name, (root / source).read_bytes()
    except OSError as error:
        raise InvalidMessage("header", f"{source}: {error.strerror}") from error
    kind = mime.from_content(content) or mime.from_extension(name) or "unknown"
    if kind not in SAMPLES:
        raise InvalidMessage("header", f"{source} is {kind}; samples are {', '.join(SAMPLES)}")
    return File(content, kind, name)


@command.command()
@bot_option
@account_options
def pull(root: Path, credentials: Path, account: str | None) -> None:
    """Write the templates at WhatsApp into templates.yml, but for those that responses are."""
    own = {each.template.key for each in read_bot(root) if each.response}
    found = _ask(credentials, account, lambda client: client.list())
    kept = [each for each in found if each.key not in own]
    file_of(root).write_text(write_file(kept), encoding="utf-8")
    rest = f", {len(found) - len(kept)} are responses" if len(found) > len(kept) else ""
    click.echo(f"{file_of(root)}: {counted(len(kept), 'template')}{rest}")


@command.command()
@click.argument("name")
@click.option("--language", metavar="CODE", help="Only this language.  [default: all]")
@yes_option
@account_options
def delete(
    name: str, language: str | None, yes: bool, credentials: Path, account: str | None
) -> None:
    """Delete the template NAME at WhatsApp. A name that was approved is then barred for 30 days."""
    found = _ask(credentials, account, lambda client: client.list())
    mine = [each for each in found if each.name == name and language in (None, each.language)]
    if not mine:
        raise click.ClickException(f"There is no template {name} in {language or 'any language'}.")
    languages = ", ".join(each.language for each in mine)
    if not yes:
        click.confirm(f"Delete {name} ({languages})?", abort=True)
    one = mine[0].id if language else ""
    _ask(credentials, account, lambda client: client.delete(name, one))
    click.echo(f"Deleted: {name} ({languages})")


def _find_mistakes(written: Sequence[Written]) -> list[dict[str, str]]:
    rows = [(each.place, *each.template.key, *flaw) for each, flaw in check(written)]
    keys = ("place", "template", "language", "part", "problem")
    return [dict(zip(keys, row, strict=True)) for row in rows]


def _show(mistakes: Sequence[dict[str, str]], written: Sequence[Written]) -> None:
    for row in mistakes:
        where = f"{row['place']}: {click.style(row['template'], bold=True)}"
        click.echo(f"{where} ({row['language']}): {row['part']} {row['problem']}")
    click.echo(f"{counted(len(mistakes), 'mistake')} in {counted(len(written), 'template')}")


def _ask(
    credentials: Path, account: str | None, work: Callable[[TemplatesClient], Awaitable[Any]]
) -> Any:
    """Return what *work* does with the client of the bot's account."""
    from rasa_whatsapp_channel.factories import make_templates_client, make_transport

    async def ask() -> Any:
        settings = read_settings(credentials)
        transport = make_transport(settings)
        try:
            return await work(make_templates_client(settings, transport, account))
        finally:
            await transport.close()

    return asyncio.run(ask())


def _line(change: Change) -> str:
    step = click.style(change.step.value, fg=_COLOURS.get(change.step, "blue"))
    template = change.needed
    status = f" {template.status}" if template.status else ""
    note = f": {change.note}" if change.note else ""
    return f"{step} {template.name} ({template.language}){status}{note}"


def _to_json(change: Change) -> dict[str, Any]:
    needed, found = change.needed, change.found
    return {
        "step": change.step.value,
        "name": needed.name,
        "language": needed.language,
        "status": needed.status or (found.status if found else ""),
        "place": change.written.place,
        "response": change.written.response,
        "note": change.note,
        "difference": change.difference,
    }
