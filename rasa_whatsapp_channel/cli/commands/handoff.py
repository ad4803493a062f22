"""``rasa-whatsapp handoff``: who owns a conversation; take it from the bot, and give it back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Final

import click

from rasa_whatsapp_channel.cli.open import StoreLocation, open_client, read_handoff, store_options
from rasa_whatsapp_channel.cli.options import json_option, show_numbers_option, to_person
from rasa_whatsapp_channel.cli.output import mask, print_json, table, time_of
from rasa_whatsapp_channel.conversation.handoffs import EpisodeMessage, Handoffs
from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.conversation.owner import Owner, Ownership, Sign
from rasa_whatsapp_channel.outbound.simulator_header import OWNERS, write_owner
from rasa_whatsapp_channel.settings import HandoffSettings
from rasa_whatsapp_channel.settings.parsers import SettingsError

_HEADERS: Final = ("WHO", "OWNER", "SINCE", "BY", "WHY", "UNTIL")
OPERATOR: Final = "operator"


@click.group()
def command() -> None:
    """
    Who answers in a conversation: the bot, or a person.

    The commands may be used while the bot runs. PERSON is a number, a user id, or a conversation.
    """


@command.command("list")
@json_option
@click.option("--all", "everyone", is_flag=True, help="Also conversations the bot has back.")
@show_numbers_option
@store_options
def list_command(
    as_json: bool, everyone: bool, show_numbers: bool, location: StoreLocation
) -> None:
    """The conversations that the bot does not own, the longest first."""
    rows = [
        _row(name if show_numbers else mask(name), owner)
        for name, owner in asyncio.run(_list(location))
        if everyone or owner.owner is not Owner.BOT
    ]
    if as_json:
        print_json(rows)
    elif rows:
        click.echo(table(_HEADERS, [tuple(row.values()) for row in rows]))
    else:
        click.echo("Every conversation is the bot's.")


@command.command("show")
@click.argument("person", type=to_person)
@json_option
@store_options
def show_command(person: str, as_json: bool, location: StoreLocation) -> None:
    """Who owns the conversation of PERSON, and what was said in its last episode."""
    name, owner, messages = asyncio.run(_show(location, person))
    row = _row(name, owner)
    if as_json:
        said = [asdict(message) for message in messages]
        print_json({**row, "messages": said})
        return
    click.echo(table(_HEADERS, [tuple(row.values())]))
    for message in messages:
        told = message.text or f"[{message.type}]"
        unsaid = " (not sent)" if message.speaker == "bot" else ""
        click.echo(f"{time_of(message.at)}  {message.speaker}{unsaid}: {told}")


@command.command("take")
@click.argument("person", type=to_person)
@click.option("--reason", default="", help="Why, for who looks at it later.")
@store_options
def take_command(person: str, reason: str, location: StoreLocation) -> None:
    """Take the conversation of PERSON: the bot says nothing more in it."""
    asyncio.run(_take(location, person, reason))
    click.echo("Taken: the bot is silent in this conversation until it is returned.")


@command.command("return")
@click.argument("person", type=to_person)
@click.option("--reason", default="", help="What was agreed, for who looks at it later.")
@store_options
def return_command(person: str, reason: str, location: StoreLocation) -> None:
    """Give the conversation of PERSON back to the bot."""
    if asyncio.run(_return(location, person, reason)):
        click.echo("Returned: the bot answers what comes from now on.")
    else:
        click.echo("The conversation is the bot's already.")


def _row(name: str, owner: Ownership) -> dict[str, Any]:
    return {
        "who": name,
        "owner": owner.owner.value,
        "since": time_of(owner.since) if owner.since else "–",
        "by": owner.by or "–",
        "why": owner.reason or "–",
        "until": time_of(owner.until) if owner.until else "–",
    }


@asynccontextmanager
async def _open(location: StoreLocation) -> AsyncIterator[tuple[Handoffs, People]]:
    settings = read_handoff(location.credentials)
    async with location.open() as store:
        tell = partial(_tell_simulator, location.credentials, settings)
        yield Handoffs(store, settings, tell_owner=tell), People(store.values)


async def _tell_simulator(
    credentials: Path, settings: HandoffSettings, conversation: str, owner: Ownership
) -> None:
    """Tell a simulator, if the bot speaks to one, who answers in *conversation* now."""
    with suppress(SettingsError):  # these commands do without the rest of the block
        async with open_client(credentials) as client:
            told = write_owner(conversation, owner, settings.return_words)
            await client.post_local(OWNERS, told)


async def _list(location: StoreLocation) -> Sequence[tuple[str, Ownership]]:
    async with _open(location) as (handoffs, _):
        found = await handoffs.all()
        return sorted(found.items(), key=lambda each: each[1].since)


async def _show(
    location: StoreLocation, name: str
) -> tuple[str, Ownership, Sequence[EpisodeMessage]]:
    async with _open(location) as (handoffs, people):
        conversation = await _conversation(people, name)
        owner = await handoffs.of(conversation)
        messages = await handoffs.messages(conversation, owner.episode)
        return conversation, owner, sorted(messages, key=lambda message: message.at)


async def _take(location: StoreLocation, name: str, reason: str) -> None:
    async with _open(location) as (handoffs, people):
        conversation = await _conversation(people, name)
        await handoffs.apply(conversation, Sign.TOOK, by=OPERATOR, reason=reason)


async def _return(location: StoreLocation, name: str, reason: str) -> bool:
    async with _open(location) as (handoffs, people):
        conversation = await _conversation(people, name)
        return await handoffs.give_back(conversation, by=OPERATOR, reason=reason)


async def _conversation(people: People, name: str) -> str:
    return (await people.of(name)).conversations(name)[0]
