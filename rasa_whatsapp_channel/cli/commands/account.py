"""``rasa-whatsapp account``: the state of the account, from WhatsApp and from the bot's store."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import click

from rasa_whatsapp_channel.cli.open import StoreLocation, read_settings, store_options
from rasa_whatsapp_channel.cli.options import json_option
from rasa_whatsapp_channel.cli.output import print_json, table
from rasa_whatsapp_channel.errors import ChannelError
from rasa_whatsapp_channel.store.base import StoreError

if TYPE_CHECKING:
    from rasa_whatsapp_channel.doctor.account_report import AccountReport
    from rasa_whatsapp_channel.settings import Settings

SOURCES: Final = 2  # WhatsApp and the store
HEADERS: Final = ("SAYS", "WHAT", "STATE", "DETAILS")


@click.command()
@click.option("--account", metavar="ID", help="The business account, if the token does not tell.")
@click.option("--offline", is_flag=True, help="Show only what the bot was told.")
@json_option
@store_options
def command(location: StoreLocation, account: str | None, offline: bool, as_json: bool) -> None:
    """
    The state of the account: what WhatsApp says of it, and what holds messages up.

    WhatsApp (the Cloud API) is asked for the numbers, their quality, limit and health, and for the
    templates that are not approved. The bot's store has what webhooks and errors told and what is
    not over yet: paused templates, restrictions.

    \b
    Examples:
      rasa-whatsapp account
      rasa-whatsapp account --offline --json
    """
    report = asyncio.run(_read(location, account, offline=offline))
    rows = report.rows()
    knows_nothing = len(report.failures) == SOURCES and not rows
    if as_json:
        print_json(report.json())
    elif rows:
        click.echo(table(HEADERS, [row.cells for row in rows]))
    elif not knows_nothing:
        click.echo("Nothing is wrong with the account, as far as it is known.")
    for failure in report.failures:
        click.echo(failure, err=True)
    if knows_nothing:
        click.get_current_context().exit(1)


async def _read(location: StoreLocation, account: str | None, *, offline: bool) -> AccountReport:
    from dataclasses import replace

    from rasa_whatsapp_channel.account import AccountState
    from rasa_whatsapp_channel.doctor.account_report import AccountReport

    report = AccountReport()
    if not offline:
        try:
            settings = read_settings(location.credentials)
            report = await _ask(settings, account)
        except ChannelError as error:
            report = AccountReport(failures=[f"WhatsApp was not asked: {error}"])
    try:
        async with location.open() as store:
            state = AccountState(store.values)
            return replace(report, stored=await state.troubles())
    except StoreError as error:
        if offline:
            raise
        return replace(report, failures=[*report.failures, f"The store was not read: {error}"])


async def _ask(settings: Settings, account: str | None) -> AccountReport:
    from rasa_whatsapp_channel.doctor.collect_remote import collect_account
    from rasa_whatsapp_channel.factories import make_transport

    transport = make_transport(settings)
    try:
        return await collect_account(transport, settings, account)
    finally:
        await transport.close()
