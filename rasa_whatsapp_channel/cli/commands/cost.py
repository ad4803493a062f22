"""``rasa-whatsapp cost``: what WhatsApp charges, by response, day, country or conversation."""

from __future__ import annotations

import asyncio
import math
import time
from datetime import datetime, timezone, tzinfo
from pathlib import Path
from typing import Any, Final

import click

from rasa_whatsapp_channel.billing.costs import BY, ELSEWHERE, Cost, Costs
from rasa_whatsapp_channel.cli.open import StoreLocation, read_billing, store_options
from rasa_whatsapp_channel.cli.options import json_option, show_numbers_option
from rasa_whatsapp_channel.cli.output import mask, print_json, table
from rasa_whatsapp_channel.settings import BillingSettings
from rasa_whatsapp_channel.store.base import Store
from rasa_whatsapp_channel.whatsapp.rate_card import RateCard, RateCardError, read_rate_card

STEP: Final = 3_600.0  # seconds that are read from the store at once
# Since then WhatsApp charges for messages, in unix seconds; before, it charged for conversations.
BEGAN: Final = datetime(2025, 7, 1, tzinfo=timezone.utc).timestamp()


@click.command(
    epilog="""\b
Examples:
  rasa-whatsapp cost                                 this month, by day
  rasa-whatsapp cost --by response                   which answers cost most
  rasa-whatsapp cost --by country --since 2026-11-15
  rasa-whatsapp cost --by conversation --json
"""
)
@click.option(
    "--by",
    type=click.Choice(sorted(BY)),
    default="day",
    help="What a line is about.",
)
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The first day, in the time zone of the account.  [default: the first of this month]",
)
@json_option
@show_numbers_option
@store_options
def command(
    by: str,
    since: datetime | None,
    as_json: bool,
    show_numbers: bool,
    location: StoreLocation,
) -> None:
    """
    What WhatsApp charges for the messages that were delivered.

    The prices are those of the rate card in `billing: {rate_card: rates.csv}`; without one the
    messages are counted. Charges are kept for `keep_sent_days`.
    """
    asyncio.run(_show(location, by, since, as_json, show_numbers))


async def _show(
    location: StoreLocation, by: str, since: datetime | None, as_json: bool, show_numbers: bool
) -> None:
    billing = read_billing(location.credentials)
    card = read_card(billing, location.credentials.parent)
    start = _start(since, billing.time_zone)
    costs = Costs(by, card=card, free=billing.free_messages, zone=billing.time_zone)
    async with location.open() as store:
        await _collect(store, costs, start)
    is_hidden = by == "conversation" and not show_numbers
    names = {name: mask(name) if is_hidden and name != ELSEWHERE else name for name in costs.rows}
    if as_json:
        print_json(_to_json(costs, card, start, names))
    elif not costs.rows:
        click.echo(f"Nothing was charged since {start:%Y-%m-%d}.")
    else:
        click.echo(_to_table(by, costs, card, names))


def read_card(billing: BillingSettings, folder: Path) -> RateCard | None:
    """Return the rate card that the settings name. Raises `RateCardError`."""
    if billing.rate_card is None:
        return None
    path = folder / billing.rate_card
    try:
        return read_rate_card(path.read_bytes(), billing.currency)
    except OSError as error:
        raise RateCardError(f"billing.rate_card: {path} cannot be read: {error}") from error
    except RateCardError as error:
        raise RateCardError(f"billing.rate_card: {path}: {error}") from error


def _start(since: datetime | None, zone: tzinfo) -> datetime:
    if since is not None:
        return since.replace(tzinfo=zone)
    return datetime.now(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


async def _collect(store: Store, costs: Costs, start: datetime) -> None:
    """Add what was charged since *start*, also by a simulator whose clock is ahead."""
    at, now = max(start.timestamp(), BEGAN), time.time()
    while at < math.inf:
        end = at + STEP if at < now else math.inf
        for message in await store.ledger.charges(at, end):
            costs.add(message)
        at = end


def _ordered(costs: Costs, names: dict[str, str]) -> list[tuple[str, Cost]]:
    """Return the rows, the dearest first; days in their order."""
    rows = sorted(costs.rows.items())
    if costs.by != "day":
        rows.sort(key=lambda row: (row[1].amount, row[1].billed, row[1].messages), reverse=True)
    return [(names[key], cost) for key, cost in rows]


def _to_json(
    costs: Costs, card: RateCard | None, start: datetime, names: dict[str, str]
) -> dict[str, Any]:
    def row(cost: Cost) -> dict[str, Any]:
        priced = {"unpriced": cost.unpriced, "cost": str(cost.amount)} if card else {}
        return {"messages": cost.messages, "billed": cost.billed, **priced}

    return {
        "since": start.isoformat(),
        "currency": card.currency if card else None,
        "total": row(costs.total),
        "rows": [{costs.by: name, **row(cost)} for name, cost in _ordered(costs, names)],
    }


def _to_table(by: str, costs: Costs, card: RateCard | None, names: dict[str, str]) -> str:
    priced = (f"COST ({card.currency})",) if card else ()

    def cells(name: str, cost: Cost) -> tuple[str, ...]:
        amount = (f"{cost.amount:.4f}",) if card else ()
        return (name, *map(str, (cost.messages, cost.messages - cost.billed, cost.billed)), *amount)

    rows = [cells(name, cost) for name, cost in _ordered(costs, names)]
    lines = table(
        (by.upper(), "MESSAGES", "FREE", "BILLED", *priced), [*rows, cells("total", costs.total)]
    )
    if not costs.total.unpriced:
        return lines
    return f"{lines}\n{costs.total.unpriced} billed messages have no rate on the card."
