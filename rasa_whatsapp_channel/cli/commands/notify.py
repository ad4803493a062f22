"""``rasa-whatsapp notify``: let the bot write first, to one person or to all of a CSV file."""

from __future__ import annotations

import asyncio
import re
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

import click

from rasa_whatsapp_channel.account import AccountState
from rasa_whatsapp_channel.cli.open import StoreLocation, read_settings, store_options
from rasa_whatsapp_channel.cli.options import json_option, slot_option, to_person, yes_option
from rasa_whatsapp_channel.cli.output import print_json, time_of
from rasa_whatsapp_channel.conversation.consent import Consents
from rasa_whatsapp_channel.conversation.identity import Person
from rasa_whatsapp_channel.inbound.notify import category_of
from rasa_whatsapp_channel.notify.notification import (
    MARKETING,
    Notification,
    NotificationError,
    check_key,
    read_notification,
)
from rasa_whatsapp_channel.notify.notifications import Notifications, to_json
from rasa_whatsapp_channel.notify.people import ENCODING, Problem, Recipient, read_people
from rasa_whatsapp_channel.notify.timing import SHARE, spread
from rasa_whatsapp_channel.store.base import Store
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
    async with location.open() as store:
        notifications, key = Notifications(store), check_key(options["key"])
        found = await notifications.find(f"{key}.")
        if record := await notifications.get(key):
            found = {key: record}
        if not found:
            raise NotificationError(f"{key}: there is no notification with this key")
        if options["cancel"]:
            found = {each: await notifications.cancel(each) or found[each] for each in found}
    if record:
        return to_json(key, found[key])
    return {"run": key, "states": Counter(each.overall for each in found.values())}


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
            people, problems, first = self._check()
            if first is None:
                raise NotificationError("there is nobody to write to")
            me = self.options["to_me"]
            if me:
                key = uuid.uuid4().hex
                wish = replace(self.of(me, first.slots), at=None, urgent=True)
                record, _ = await Notifications(store).add(key, wish)
                return to_json(key, record)
            opted_out = await self._opted_out(store, self.of(first.to, first.slots))
            rate = SHARE * settings.max_messages_per_second
            state = AccountState(store.values)
            a_day = await state.messaging_limit(settings.messaging_limit) or None
            offsets = spread(rate, a_day=a_day)
            told = {"run": name, "people": people, "left_out": problems, "opted_out": opted_out}
            *_, last = islice(spread(rate, a_day=a_day), people)
            told["hours"] = round(last / 3600, 1)
            if self.options["dry_run"]:
                wish = self.of(first.to, first.slots)
                return {**told, "would_send": wish.with_slots(wish.body())}
            if not self.options["yes"]:
                click.confirm(f"Write to {people:,} people?", abort=True, err=True)
            states = await self._put(Notifications(store), name, people, offsets)
            return {**told, "states": states}

    def _check(self) -> tuple[int, int, Recipient | None]:
        """Read the whole file, and tell what is wrong before anything goes."""
        people = problems = 0
        first: Recipient | None = None
        for row in self._rows():
            if isinstance(row, Problem):
                problems += 1
                if problems <= SHOWN:
                    click.echo(f"line {row.line}: {row.reason}", err=True)
                continue
            first = first or row
            people += 1
            if people == 1:
                self.of(row.to, row.slots)  # what the response needs, and the file has not
        if problems > SHOWN:
            click.echo(f"… and {problems - SHOWN} more lines", err=True)
        return people, problems, first

    def _rows(self) -> Iterator[Recipient | Problem]:
        with self.options["file"].open(**ENCODING) as lines:
            yield from read_people(lines)

    async def _opted_out(self, store: Store, wish: Notification) -> int:
        """Return how many of the file want no marketing, if it is that."""
        response = wish.response if isinstance(wish.response, Mapping) else {}
        consents, count = Consents(store.values), 0
        if category_of(wish, response) != MARKETING or not await consents.all():
            return 0
        for row in self._rows():
            if isinstance(row, Recipient):
                said = await consents.of(Person.begin(row.to))
                count += said is not None and not said.marketing
        return count

    async def _put(
        self, notifications: Notifications, name: str, people: int, offsets: Iterator[float]
    ) -> Mapping[str, int]:
        """Put all into the store, some together; return how many are in which state."""
        states: Counter[str] = Counter()
        rows = (row for row in self._rows() if isinstance(row, Recipient))

        async def put(row: Recipient, after: float) -> str:
            wish = self.of(row.to, row.slots)
            record, _ = await notifications.add(row.key(name), wish, after=after)
            return record.overall

        bar: Any = click.progressbar(length=people, label="Scheduling", file=sys.stderr)
        with bar:
            while some := list(islice(rows, AT_ONCE)):
                done = await asyncio.gather(*map(put, some, offsets))
                states.update(done)
                bar.update(len(done))
        return states


def _show(told: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    if options["as_json"] or "would_send" in told:
        print_json(told)
        return
    for name, value in told.items():
        if name == "states":
            value = ", ".join(f"{state} {count:,}" for state, count in value.items())
        click.echo(f"{name.replace('_', ' ')}: {time_of(value) if name == 'at' else value}")
