"""``rasa-whatsapp handoff``: who owns a conversation; take it from the bot, and give it back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from functools import wraps
from typing import Any, Final

import click

from rasa_whatsapp_channel.cli.open import StoreLocation, open_client, read_handoff, store_options
from rasa_whatsapp_channel.cli.options import json_option, show_numbers_option, to_person
from rasa_whatsapp_channel.cli.output import mask, print_json, table
from rasa_whatsapp_channel.conversation.handoffs import Handoffs
from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.conversation.owner import Owner, Ownership
from rasa_whatsapp_channel.outbound.simulator_header import OWNERS, write_owner
from rasa_whatsapp_channel.settings.parsers import SettingsError
from rasa_whatsapp_channel.unix_time import time_of

_COLUMNS: Final = ("WHO", "OWNER", "SINCE", "BY", "REASON", "UNTIL")
OPERATOR: Final = "operator"


def _runs(command: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @wraps(command)
    def run(**given: Any) -> None:
        asyncio.run(command(**given))

    return run


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
@_runs
async def list_command(
    as_json: bool, everyone: bool, show_numbers: bool, location: StoreLocation
) -> None:
    """The conversations that the bot does not own, the longest first."""
    async with _open(location) as (handoffs, _):
        found = sorted((await handoffs.all()).items(), key=lambda each: each[1].since)
    rows = [
        {"who": name if show_numbers else mask(name), **owner.told()}
        for name, owner in found
        if everyone or owner.owner is not Owner.BOT
    ]
    if as_json:
        print_json(rows)
    elif rows:
        click.echo(_table(rows))
    else:
        click.echo("Every conversation is the bot's.")


@command.command("show")
@click.argument("person", type=to_person)
@json_option
@store_options
@_runs
async def show_command(person: str, as_json: bool, location: StoreLocation) -> None:
    """Who owns the conversation of PERSON, and what was said in its last episode."""
    async with _open(location, person) as (handoffs, conversation):
        owner = await handoffs.of(conversation)
        messages = await handoffs.messages(conversation, owner.episode)
    row, said = {"who": conversation, **owner.told()}, sorted(messages, key=lambda each: each.at)
    if as_json:
        print_json({**row, "messages": list(map(asdict, said))})
        return
    click.echo(_table([row]))
    for message in said:
        told = message.text or f"[{message.type}]"
        unsaid = " (not sent)" if message.speaker == "bot" else ""
        click.echo(f"{time_of(message.at)}  {message.speaker}{unsaid}: {told}")


@command.command("take")
@click.argument("person", type=to_person)
@click.option("--reason", default="", help="Why, for who looks at it later.")
@store_options
@_runs
async def take_command(person: str, reason: str, location: StoreLocation) -> None:
    """Take the conversation of PERSON: the bot says nothing more in it."""
    async with _open(location, person) as (handoffs, conversation):
        await handoffs.apply(conversation, Owner.HUMAN, by=OPERATOR, reason=reason)
    click.echo("Taken: the bot is silent in this conversation until it is returned.")


@command.command("return")
@click.argument("person", type=to_person)
@click.option("--reason", default="", help="What was agreed, for who looks at it later.")
@store_options
@_runs
async def return_command(person: str, reason: str, location: StoreLocation) -> None:
    """Give the conversation of PERSON back to the bot."""
    async with _open(location, person) as (handoffs, conversation):
        is_new = await handoffs.give_back(conversation, by=OPERATOR, reason=reason)
    if is_new:
        click.echo("Returned: the bot answers what comes from now on.")
    else:
        click.echo("The conversation is the bot's already.")


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    return table(_COLUMNS, [[row[name.lower()] or "–" for name in _COLUMNS] for row in rows])


@asynccontextmanager
async def _open(location: StoreLocation, person: str = "") -> AsyncIterator[tuple[Handoffs, str]]:
    """Open the handoffs, and find the conversation of *person*, if one is named."""
    settings = read_handoff(location.credentials)

    async def tell_simulator(conversation: str, owner: Ownership) -> None:
        with suppress(SettingsError):  # these commands do without the rest of the block
            async with open_client(location.credentials) as client:
                told = write_owner(conversation, owner, settings.return_words)
                await client.post_local(OWNERS, told)

    async with location.open() as store:
        known = await People(store.values).of(person) if person else None
        conversation = known.conversations(person)[0] if known else ""
        yield Handoffs(store, settings, tell_owner=tell_simulator), conversation
