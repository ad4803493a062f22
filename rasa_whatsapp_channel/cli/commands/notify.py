"""``rasa-whatsapp notify``: let the bot write first, to one person or to all of a CSV file."""

from __future__ import annotations

import asyncio
import re
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

import click

from rasa_whatsapp_channel.account import AccountState
from rasa_whatsapp_channel.cli.open import StoreLocation, read_settings, store_options
from rasa_whatsapp_channel.cli.options import json_option, slot_option, to_person, yes_option
from rasa_whatsapp_channel.cli.output import print_json
from rasa_whatsapp_channel.compose import compose
from rasa_whatsapp_channel.conversation.consent import Consents
from rasa_whatsapp_channel.conversation.person import Person
from rasa_whatsapp_channel.notify.notification import (
    MARKETING,
    Notification,
    NotificationError,
    check_key,
    read_notification,
)
from rasa_whatsapp_channel.notify.notifications import Notifications, to_json
from rasa_whatsapp_channel.notify.people import ENCODING, Problem, Recipient, read_people
from rasa_whatsapp_channel.notify.timing import SHARE, due_after
from rasa_whatsapp_channel.outbound.due_notifications import category_of
from rasa_whatsapp_channel.unix_time import time_of
from rasa_whatsapp_channel.whatsapp.apis import Api
from rasa_whatsapp_channel.whatsapp.messages.template import CATEGORIES

AT_ONCE: Final = 200  # rows that are put into the store together
SHOWN: Final = 10  # problems


@click.command()
@click.option("--to", type=to_person, metavar="NUMBER", help="Who gets it.")
@click.option(
    "--csv",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="All people of a file: a column `to`, the others are slots.",
)
@click.option("--response", metavar="NAME", help="A response of the bot's domain.")
@click.option(
    "--intent",
    metavar="NAME",
    help="Instead: an intent, so that the bot answers in a turn of its own.",
)
@slot_option
@click.option("--at", metavar="TIME", help="2026-12-24T09:00, where the person is.  [default: now]")
@click.option("--category", type=click.Choice(CATEGORIES), help="If the response does not say it.")
@click.option("--urgent", is_flag=True, help="In `quiet_hours`, too.")
@click.option("--key", help="The same key never sends twice.  [default: response and time]")
@click.option("--cancel", is_flag=True, help="Cancel what has --key, while it is scheduled.")
@click.option("--to-me", type=to_person, metavar="NUMBER", help="The first of the file, to you.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@yes_option
@json_option
@click.option("--domain", type=click.Path(path_type=Path), help="A file or folder.  [default: .]")
@store_options
def command(location: StoreLocation, **options: Any) -> None:
    """
    Let the bot write first: to one person, or to many.

    The running bot sends it; this command puts it into the bot's store. Done again, it sends
    nothing twice, goes on where it was broken off, and tells how far everything came.

    \b
    rasa-whatsapp notify --to "+49 151 12345678" --response utter_shipped --slot number=4711
    rasa-whatsapp notify --csv people.csv --response utter_news --at 2026-12-24T09:00 --dry-run
    rasa-whatsapp notify --csv people.csv --response utter_news --to-me 4915112345678
    rasa-whatsapp notify --key order-4711                 # how far it came
    rasa-whatsapp notify --key order-4711 --cancel
    """
    file = options["file"]
    if not (options["response"] or options["intent"]):
        if not options["key"]:
            raise click.UsageError("Give --response or --intent, or --key to ask how far it came.")
        _show(asyncio.run(_about(location, options)), options)
        return
    if bool(file) == bool(options["to"]):
        raise click.UsageError("Give either --to or --csv.")
    sending = _Sending(location, options, _wish(options))
    _show(asyncio.run(sending.many() if file else sending.one(options["to"])), options)


def _wish(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of the request, without the person."""
    from rasa_whatsapp_channel.cli.responses import read_unfilled

    wish = {name: options[name] for name in ("at", "category", "urgent", "intent")}
    if options["response"]:
        wish["response"] = read_unfilled(options["domain"] or Path(), options["response"])
    return {**wish, "slots": dict(options["slot"])}


def _run_name(options: Mapping[str, Any]) -> str:
    """Return the key, or one made of what is sent and when."""
    made = "-".join(filter(None, (options["response"] or options["intent"], options["at"])))
    return check_key(options["key"] or re.sub(r"[^A-Za-z0-9._-]", "-", made)[:90])


async def _about(location: StoreLocation, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return how far a notification came, or how many of a run came how far."""
    key, states = check_key(options["key"]), Counter[str]()
    async with location.open() as store:
        # The bot knows whether anybody is told of what is cancelled.
        notifications = Notifications(store, tells=True)
        ask = notifications.cancel if options["cancel"] else notifications.get
        if record := await ask(key):
            return to_json(key, record)
        async for each, found in notifications.find(f"{key}."):
            after = await notifications.cancel(each) if options["cancel"] else None
            states[(after or found).overall] += 1
    if not states:
        raise NotificationError(f"{key}: there is no notification with this key")
    return {"run": key, "states": states}


@dataclass(frozen=True)
class _Sending:
    location: StoreLocation
    options: Mapping[str, Any]
    wish: Mapping[str, Any]

    def of(self, to: str, slots: Mapping[str, Any] | None = None) -> Notification:
        slots = {**self.wish["slots"], **(slots or {})}
        return read_notification({**self.wish, "to": to, "slots": slots}, now=time.time())

    async def one(self, to: str) -> dict[str, Any]:
        wish = self.of(to)
        key = check_key(self.options["key"] or uuid.uuid4().hex)
        if self.options["dry_run"]:
            return {"key": key, "would_send": wish.with_slots(wish.body())}
        async with self.location.open() as store:
            record, _ = await Notifications(store).add(key, wish)
        return to_json(key, record)

    async def many(self) -> dict[str, Any]:
        name = _run_name(self.options)
        settings = read_settings(self.location.credentials)
        async with self.location.open() as store:
            notifications = Notifications(store)
            counts, first = await self._check(Consents(store.values), settings.platform)
            if first is None:
                raise NotificationError("there is nobody to write to")
            if me := self.options["to_me"]:
                key, wish = uuid.uuid4().hex, replace(first, to=me, at=None, urgent=True)
                record, _ = await notifications.add(key, wish)
                return to_json(key, record)
            a_day = await AccountState(store.values).messaging_limit(settings.messaging_limit)
            rate = SHARE * settings.max_messages_per_second
            after = partial(due_after, rate=rate, a_day=a_day or None)
            hours = round(after(counts["people"] - 1) / 3600, 1)
            told = {"run": name, **counts, "hours": hours}
            if self.options["dry_run"]:
                return {**told, "would_send": first.with_slots(first.body())}
            if not self.options["yes"]:
                click.confirm(f"Write to {counts['people']:,} people?", abort=True, err=True)
            return {**told, "states": await self._put(notifications, name, counts["people"], after)}

    async def _check(
        self, consents: Consents, api: Api
    ) -> tuple[Mapping[str, int], Notification | None]:
        """Read the whole file, and tell what is wrong in it; return what the first one gets."""
        counts = {"people": 0, "left_out": 0, "opted_out": 0}
        first, asks = None, False
        for row in self._rows():
            if isinstance(row, Problem):
                counts["left_out"] += 1
                if counts["left_out"] <= SHOWN:
                    click.echo(f"line {row.line}: {row.reason}", err=True)
                continue
            counts["people"] += 1
            if first is None:  # raises for what the response needs, and the file has not
                first = self.of(row.to, row.slots)
                response = first.response if isinstance(first.response, Mapping) else {}
                category = category_of(first, compose(first.with_slots(response), api=api))
                asks = category == MARKETING and bool(await consents.all())
            if asks and (said := await consents.of(Person.begin(row.to))):
                counts["opted_out"] += not said.marketing
        if counts["left_out"] > SHOWN:
            click.echo(f"… and {counts['left_out'] - SHOWN} more lines", err=True)
        return counts, first

    def _rows(self) -> Iterator[Recipient | Problem]:
        with self.options["file"].open(**ENCODING) as lines:
            yield from read_people(lines)

    async def _put(
        self, notifications: Notifications, name: str, people: int, after: Callable[[int], float]
    ) -> Mapping[str, int]:
        """Put all into the store, some together; return how many are in which state."""
        states: Counter[str] = Counter()
        rows = enumerate(row for row in self._rows() if isinstance(row, Recipient))

        async def put(place: int, row: Recipient) -> str:
            wish = self.of(row.to, row.slots)
            record, _ = await notifications.add(row.key(name), wish, after=after(place))
            return record.overall

        bar: Any = click.progressbar(length=people, label="Scheduling", file=sys.stderr)
        with bar:
            while some := list(islice(rows, AT_ONCE)):
                states.update(await asyncio.gather(*(put(*each) for each in some)))
                bar.update(len(some))
        return states


def _show(told: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    if options["as_json"] or "would_send" in told:
        print_json(told)
        return
    for name, value in told.items():
        if name == "states":
            value = ", ".join(f"{state} {count:,}" for state, count in value.items())
        click.echo(f"{name.replace('_', ' ')}: {time_of(value) if name == 'at' else value}")
