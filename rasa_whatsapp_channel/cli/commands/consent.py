"""``rasa-whatsapp consent``: who wants no marketing messages; list and set it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import click

from rasa_whatsapp_channel.cli.open import StoreLocation, store_options
from rasa_whatsapp_channel.cli.options import json_option, show_numbers_option, to_person
from rasa_whatsapp_channel.cli.output import mask, print_json, table
from rasa_whatsapp_channel.conversation.consent import Consent, Consents
from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.unix_time import time_of

_HEADERS: Final = ("WHO", "MARKETING", "SINCE", "KNOWN FROM")
SOURCE: Final = "rasa-whatsapp consent set"


@click.group()
def command() -> None:
    """
    Who wants no marketing messages, and who wants them again.

    The commands may be used while the bot runs.
    """


@command.command("list")
@json_option
@show_numbers_option
@store_options
def list_command(as_json: bool, show_numbers: bool, location: StoreLocation) -> None:
    """Everybody who said something about it, the newest first."""
    rows = [
        {
            "person": (each.person or "") if show_numbers else mask(each.person or ""),
            "marketing": "resume" if each.marketing else "stop",
            "since": time_of(each.at),
            "known_from": each.source,
        }
        for each in asyncio.run(_list(location))
    ]
    if as_json:
        print_json(rows)
    elif rows:
        click.echo(table(_HEADERS, [tuple(row.values()) for row in rows]))
    else:
        click.echo("Nobody has said anything about marketing messages.")


@command.command("set")
@click.argument("person", type=to_person)
@click.argument("category", type=click.Choice(["marketing"]))
@click.argument("value", type=click.Choice(["stop", "resume"]))
@store_options
def set_command(person: str, category: str, value: str, location: StoreLocation) -> None:
    """Note what PERSON, a number or a user id, has said elsewhere."""
    asyncio.run(_set(location, person, marketing=value == "resume"))
    click.echo(f"Noted: {category} {value}.")


async def _list(location: StoreLocation) -> Sequence[Consent]:
    async with location.open() as store:
        return await Consents(store.values).all()


async def _set(location: StoreLocation, name: str, *, marketing: bool) -> None:
    async with location.open() as store:
        person = await People(store.values).of(name)
        await Consents(store.values).note(person, marketing=marketing, source=SOURCE)
