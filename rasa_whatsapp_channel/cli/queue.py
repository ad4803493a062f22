"""``rasa-whatsapp queue``: what waits, and dead letters with their reason; retry, or forget."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from rasa_whatsapp_channel.cli.entries import HEADERS, Entry, find, table
from rasa_whatsapp_channel.cli.person import to_person
from rasa_whatsapp_channel.cli.run import run
from rasa_whatsapp_channel.cli.stores import Place, store_options
from rasa_whatsapp_channel.conversation import erase
from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.conversation.queue_keys import template_lane
from rasa_whatsapp_channel.store.base import Queue, Store
from rasa_whatsapp_channel.store.mention import mention_of

QUEUES: Final = ("inbox", "outbox")
EVERYTHING: Final = 1_000_000

Function = TypeVar("Function", bound=Callable[..., Any])


def _queue_option(function: Function) -> Function:
    return click.option(
        "--queue",
        "name",
        type=click.Choice([*QUEUES, "all"]),
        default="all",
        show_default=True,
        help="inbox: from WhatsApp to the bot. outbox: from the bot to WhatsApp.",
    )(function)


def _yes_option(function: Function) -> Function:
    return click.option("--yes", "-y", is_flag=True, help="Do not ask.")(function)


@click.group()
def command() -> None:
    """
    What waits, what was a dead letter, and why.

    A KEY is what the list shows, or its end. The commands may be used while the bot runs.
    """


@command.command("list")
@_queue_option
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="Per state.")
@click.option("--json", "as_json", is_flag=True, help="For programs, with whole keys.")
@click.option("--show-numbers", is_flag=True, help="Show phone numbers and user ids.")
@store_options
def list_command(
    name: str, limit: int, as_json: bool, show_numbers: bool, credentials: Path, store: str | None
) -> None:
    """What waits, oldest first; then what was a dead letter, newest first."""
    entries, more = run(_list(Place(credentials, store), name, limit))
    if as_json:
        summaries = [entry.summary(show_numbers=show_numbers) for entry in entries]
        click.echo(json.dumps(summaries, indent=2, ensure_ascii=False))
        return
    if not entries:
        click.echo("Nothing waits, and there are no dead letters.")
        return
    now = time.time()
    click.echo(table(HEADERS, [entry.row(now, show_numbers=show_numbers) for entry in entries]))
    if more:
        click.echo(f"… and {more} more; --limit shows them.")


@command.command()
@click.argument("key")
@store_options
def show(key: str, credentials: Path, store: str | None) -> None:
    """Everything about one entry, as JSON: also what was written, and by whom."""
    entry = run(_show(Place(credentials, store), key))
    whole = {**entry.summary(show_numbers=True), "body": entry.body}
    click.echo(json.dumps(whole, indent=2, ensure_ascii=False, default=str))


@command.command()
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@click.option("--all", "everything", is_flag=True, help="All that was a dead letter.")
@_yes_option
@_queue_option
@store_options
def retry(
    keys: Sequence[str],
    everything: bool,
    yes: bool,
    name: str,
    credentials: Path,
    store: str | None,
) -> None:
    """Put what was a dead letter back into its queue."""
    if bool(keys) == everything:
        raise click.UsageError("Name the keys, or say --all.")
    run(_retry(Place(credentials, store), name, keys, yes=yes))


@command.command()
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@click.option(
    "--person",
    "people",
    type=to_person,
    metavar="NUMBER",
    multiple=True,
    help="Forget all of one person: what waits, what was a dead letter, what was sent.",
)
@_yes_option
@store_options
def purge(
    keys: Sequence[str],
    people: Sequence[str],
    yes: bool,
    credentials: Path,
    store: str | None,
) -> None:
    """Forget what was a dead letter, or everything of one person. There is no way back."""
    if bool(keys) == bool(people):
        raise click.UsageError("Name the keys, or a --person.")
    place = Place(credentials, store)
    if keys:
        run(_discard(place, keys, yes=yes))
    for person in people:
        run(_forget(place, person, yes=yes))


async def _list(place: Place, name: str, limit: int) -> tuple[list[Entry], int]:
    """Return what is shown, and how much is not."""
    async with place.open() as store:
        waiting, dead = await _entries(store, name, limit)
        depths = [await _queue(store, queue).depth() for queue in _names(name)]
    shown = [*waiting, *dead]
    return shown, max(sum(depth.waiting + depth.dead_letters for depth in depths) - len(shown), 0)


async def _show(place: Place, key: str) -> Entry:
    async with place.open() as store:
        waiting, dead = await _entries(store)
        return _one([*waiting, *dead], key)


async def _retry(place: Place, name: str, keys: Sequence[str], *, yes: bool) -> None:
    async with place.open() as store:
        _, dead = await _entries(store, name)
        # Oldest first, so that each chat keeps its order.
        chosen = [_one(dead, key) for key in keys] or sorted(dead, key=lambda entry: entry.put_at)
        if not keys and chosen and not yes:
            click.confirm(f"Try {_count(chosen)} again?", abort=True)
        done = [entry for entry in chosen if await _queue(store, entry.queue).requeue(entry.key)]
    click.echo(f"{_count(done)} put back.")


async def _discard(place: Place, keys: Sequence[str], *, yes: bool) -> None:
    async with place.open() as store:
        _, dead = await _entries(store)
        chosen = [_one(dead, key) for key in keys]
        if not yes:
            click.confirm(f"Forget {_count(chosen)} for ever?", abort=True)
        done = [entry for entry in chosen if await _queue(store, entry.queue).discard(entry.key)]
    click.echo(f"{_count(done)} forgotten.")


async def _forget(place: Place, person: str, *, yes: bool) -> None:
    if not yes:
        click.confirm(f"Forget everything of {person} in this store for ever?", abort=True)
    async with place.open() as store:
        people = People(store.values)
        known = await people.of(person)
        conversations = known.conversations(person)
        names = tuple(dict.fromkeys((person, *conversations, *await people.names_of(person))))
        mentions = [mention_of(name) for name in names]
        entries = sent = 0
        for name in names:
            entries += await store.inbox.purge(name)
            for lane in (name, template_lane(name)):
                entries += await store.outbox.purge(lane)
        waiting, dead = await _entries(store)
        for entry in dead:  # what could not be understood is under no name
            if _mentions(entry, mentions):
                entries += await _queue(store, entry.queue).discard(entry.key)
        others = sum(_mentions(entry, mentions) for entry in waiting)
        for name in names:
            sent += await store.ledger.purge(name)
            await erase(store.values, name)
            await store.erase(name)
    files = " ".join(
        f"`rasa-whatsapp media kept delete --person {name}`" for name in known.conversations(person)
    )
    click.echo(
        f"Forgotten: {entries} in the queues, {sent} in the ledger of what was sent. "
        f"Files this person sent: {files}. "
        "The conversation is in Rasa's tracker store."
    )
    if others:
        click.echo(
            f"Still there: {others} that wait in chats with others and name this person; "
            "do this again when they are gone (`rasa-whatsapp queue list`).",
            err=True,
        )


def _mentions(entry: Entry, mentions: Sequence[re.Pattern[str]]) -> bool:
    whole = json.dumps([entry.key, entry.conversation, entry.body], ensure_ascii=False, default=str)
    return any(mention.search(whole) for mention in mentions)


async def _entries(
    store: Store, name: str = "all", limit: int = EVERYTHING
) -> tuple[list[Entry], list[Entry]]:
    """Return what waits and what was a dead letter in the queue *name*, or in all."""
    now = time.time()
    waiting: list[Entry] = []
    dead: list[Entry] = []
    for queue in _names(name):
        found = _queue(store, queue)
        waiting += [Entry.waiting(queue, entry, now) for entry in await found.waiting(limit)]
        dead += [Entry.dead_letter(queue, entry) for entry in await found.dead_letters(limit)]
    return waiting, dead


def _names(name: str) -> Sequence[str]:
    return QUEUES if name == "all" else (name,)


def _queue(store: Store, name: str) -> Queue:
    return store.inbox if name == "inbox" else store.outbox


def _one(entries: Sequence[Entry], key: str) -> Entry:
    found = find(entries, key)
    if len(found) == 1:
        return found[0]
    if not found:
        raise click.ClickException(f"{key}: there is no such entry; see `rasa-whatsapp queue list`")
    raise click.ClickException(f"{key}: {len(found)} keys end like this; give more of it")


def _count(entries: Sequence[Entry]) -> str:
    return "1 entry" if len(entries) == 1 else f"{len(entries)} entries"
