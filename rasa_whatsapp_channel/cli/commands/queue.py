"""``rasa-whatsapp queue``: list, retry and delete what waits and dead letters."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

import click

from rasa_whatsapp_channel.cli.open import StoreLocation, store_options
from rasa_whatsapp_channel.cli.options import to_person
from rasa_whatsapp_channel.cli.run import run
from rasa_whatsapp_channel.common import DAY
from rasa_whatsapp_channel.conversation import erase
from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.conversation.queue_keys import template_lane
from rasa_whatsapp_channel.store.base import (
    DEBOUNCE,
    INFRASTRUCTURE,
    THROUGHPUT,
    TOKEN,
    WINDOW,
    Body,
    DeadLetterRow,
    ItemState,
    Queue,
    Store,
    WaitingRow,
)
from rasa_whatsapp_channel.store.text import mention_of

_DEAD_LETTER: Final = "dead letter"
_HEADERS: Final = ("QUEUE", "STATE", "KEY", "WHO", "WHAT", "AGE", "ATTEMPTS", "WHY")
# A message id begins with the person's number in base64; its end tells messages apart.
_KEY_END: Final = 16
_PERSON_END: Final = 4
_UNITS: Final = ((DAY, "d"), (3_600, "h"), (60, "min"))


@dataclass(frozen=True)
class Row:
    """One entry of a queue. *why* it waits or is a dead letter, in words; times in unix seconds."""

    queue: str
    state: str
    key: str
    conversation: str
    body: Body
    attempts: int
    put_at: float
    why: str
    died_at: float | None = None

    @classmethod
    def waiting(cls, queue: str, entry: WaitingRow, now: float) -> Row:
        return cls(
            queue,
            entry.state.value,
            entry.key,
            entry.conversation,
            entry.body,
            entry.attempts,
            entry.put_at,
            _waits_for(entry, now),
        )

    @classmethod
    def dead_letter(cls, queue: str, entry: DeadLetterRow) -> Row:
        return cls(
            queue,
            _DEAD_LETTER,
            entry.key,
            entry.conversation,
            entry.body,
            entry.attempts,
            entry.put_at,
            entry.reason,
            entry.died_at,
        )

    @property
    def what(self) -> str:
        """What kind of thing it is; nothing of what it says."""
        message = self.body.get("message")
        if isinstance(message, Mapping):
            response = self.body.get("response")
            return f"{response}: {message.get('type')}" if response else str(message.get("type"))
        return str(self.body.get("type") or self.body.get("kind") or "?")

    def row(self, now: float, *, show_numbers: bool) -> tuple[str, ...]:
        return (
            self.queue,
            self.state,
            _shorten(self.key),
            self.conversation if show_numbers else _mask(self.conversation),
            self.what,
            _age(now - self.put_at),
            str(self.attempts),
            " ".join(self.why.split()),
        )

    def summary(self, *, show_numbers: bool) -> dict[str, Any]:
        """Return it for JSON output, without its body."""
        return {
            "queue": self.queue,
            "state": self.state,
            "key": self.key,
            "conversation": self.conversation if show_numbers else _mask(self.conversation),
            "what": self.what,
            "put_at": _time(self.put_at),
            "died_at": _time(self.died_at),
            "attempts": self.attempts,
            "why": self.why,
        }


def _find(entries: Iterable[Row], key: str) -> list[Row]:
    """Return the entries that *key* names: as a whole, as the list shows it, or by its end."""
    end = key.lstrip("…")
    found = [entry for entry in entries if entry.key.endswith(end)] if end else []
    return [entry for entry in found if entry.key == key] or found


def _shorten(key: str) -> str:
    return key if len(key) <= _KEY_END + 1 else f"…{key[-_KEY_END:]}"


def _mask(conversation: str) -> str:
    """Return enough of a number to tell people apart, and too little to call them."""
    lane, colon, person = conversation.rpartition(":")
    if not person:
        return "–"
    return f"{lane}{colon}…{person[-_PERSON_END:]}"


def _age(seconds: float) -> str:
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(int(seconds), 0)} s"


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return the rows in columns that are as wide as they need to be."""
    widths = [max(map(len, column)) for column in zip(headers, *rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (headers, *rows)
    )
    return "\n".join(lines)


# What a wait is for, where it is more than time.
_CAUSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        WINDOW: "waits for the person to write",
        TOKEN: "waits for a token that is accepted",
        THROUGHPUT: "waits until the number may send again",
        INFRASTRUCTURE: "waits for what the bot or WhatsApp needs",
        DEBOUNCE: "waits whether more is written",
        "status": "waits until the message before it was delivered",
        "confirmation": "waits whether WhatsApp took it",
    }
)


def _waits_for(entry: WaitingRow, now: float) -> str:
    words = []
    if entry.state is ItemState.BEHIND:
        words.append("behind another one of the same chat")
    if entry.due_at is not None:
        cause = _CAUSES.get((entry.cause or "").partition(":")[0])
        again = f"again in {_age(entry.due_at - now)}"
        words.append(f"{cause}, at the latest {again}" if cause else again)
    if entry.crashes:
        words.append(f"the process ended {entry.crashes} times with it")
    if entry.last_error:
        words.append(f"last error: {entry.last_error}")
    return "; ".join(words)


def _time(at: float | None) -> str | None:
    if at is None:
        return None
    return datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="seconds")


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
@click.option("--json", "as_json", is_flag=True, help="Output JSON, with whole keys.")
@click.option("--show-numbers", is_flag=True, help="Show phone numbers and user ids.")
@store_options
def list_command(
    name: str, limit: int, as_json: bool, show_numbers: bool, credentials: Path, store: str | None
) -> None:
    """What waits, oldest first; then what was a dead letter, newest first."""
    entries, more = run(_list(StoreLocation(credentials, store), name, limit))
    if as_json:
        summaries = [entry.summary(show_numbers=show_numbers) for entry in entries]
        click.echo(json.dumps(summaries, indent=2, ensure_ascii=False))
        return
    if not entries:
        click.echo("Nothing waits, and there are no dead letters.")
        return
    now = time.time()
    click.echo(_table(_HEADERS, [entry.row(now, show_numbers=show_numbers) for entry in entries]))
    if more:
        click.echo(f"… and {more} more; --limit shows them.")


@command.command()
@click.argument("key")
@store_options
def show(key: str, credentials: Path, store: str | None) -> None:
    """Everything about one entry, as JSON: also what was written, and by whom."""
    entry = run(_show(StoreLocation(credentials, store), key))
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
    run(_retry(StoreLocation(credentials, store), name, keys, yes=yes))


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
    location = StoreLocation(credentials, store)
    if keys:
        run(_discard(location, keys, yes=yes))
    for person in people:
        run(_forget(location, person, yes=yes))


async def _list(location: StoreLocation, name: str, limit: int) -> tuple[list[Row], int]:
    """Return what is shown, and how much is not."""
    async with location.open() as store:
        waiting, dead = await _entries(store, name, limit)
        depths = [await _queue(store, queue).depth() for queue in _names(name)]
    shown = [*waiting, *dead]
    return shown, max(sum(depth.waiting + depth.dead_letters for depth in depths) - len(shown), 0)


async def _show(location: StoreLocation, key: str) -> Row:
    async with location.open() as store:
        waiting, dead = await _entries(store)
        return _one([*waiting, *dead], key)


async def _retry(location: StoreLocation, name: str, keys: Sequence[str], *, yes: bool) -> None:
    async with location.open() as store:
        _, dead = await _entries(store, name)
        # Oldest first, so that each chat keeps its order.
        chosen = [_one(dead, key) for key in keys] or sorted(dead, key=lambda entry: entry.put_at)
        if not keys and chosen and not yes:
            click.confirm(f"Try {_count(chosen)} again?", abort=True)
        done = [entry for entry in chosen if await _queue(store, entry.queue).requeue(entry.key)]
    click.echo(f"{_count(done)} put back.")


async def _discard(location: StoreLocation, keys: Sequence[str], *, yes: bool) -> None:
    async with location.open() as store:
        _, dead = await _entries(store)
        chosen = [_one(dead, key) for key in keys]
        if not yes:
            click.confirm(f"Forget {_count(chosen)} for ever?", abort=True)
        done = [entry for entry in chosen if await _queue(store, entry.queue).discard(entry.key)]
    click.echo(f"{_count(done)} forgotten.")


async def _forget(location: StoreLocation, person: str, *, yes: bool) -> None:
    if not yes:
        click.confirm(f"Forget everything of {person} in this store for ever?", abort=True)
    async with location.open() as store:
        people = People(store.values)
        known = await people.of(person)
        conversations = known.conversations(person)
        names = tuple(dict.fromkeys((person, *conversations, *await people.names_of(person))))
        mentions = [mention_of(name) for name in names]
        entries = sent = 0
        for name in names:
            entries += await store.inbox.erase(name)
            for lane in (name, template_lane(name)):
                entries += await store.outbox.erase(lane)
        waiting, dead = await _entries(store)
        for entry in dead:  # what could not be understood is under no name
            if _mentions(entry, mentions):
                entries += await _queue(store, entry.queue).discard(entry.key)
        others = sum(_mentions(entry, mentions) for entry in waiting)
        for name in names:
            sent += await store.ledger.erase(name)
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


def _mentions(entry: Row, mentions: Sequence[re.Pattern[str]]) -> bool:
    whole = json.dumps([entry.key, entry.conversation, entry.body], ensure_ascii=False, default=str)
    return any(mention.search(whole) for mention in mentions)


async def _entries(
    store: Store, name: str = "all", limit: int = EVERYTHING
) -> tuple[list[Row], list[Row]]:
    """Return what waits and what was a dead letter in the queue *name*, or in all."""
    now = time.time()
    waiting: list[Row] = []
    dead: list[Row] = []
    for queue in _names(name):
        found = _queue(store, queue)
        waiting += [Row.waiting(queue, entry, now) for entry in await found.waiting(limit)]
        dead += [Row.dead_letter(queue, entry) for entry in await found.dead_letters(limit)]
    return waiting, dead


def _names(name: str) -> Sequence[str]:
    return QUEUES if name == "all" else (name,)


def _queue(store: Store, name: str) -> Queue:
    return store.inbox if name == "inbox" else store.outbox


def _one(entries: Sequence[Row], key: str) -> Row:
    found = _find(entries, key)
    if len(found) == 1:
        return found[0]
    if not found:
        raise click.ClickException(f"{key}: there is no such entry; see `rasa-whatsapp queue list`")
    raise click.ClickException(f"{key}: {len(found)} keys end like this; give more of it")


def _count(entries: Sequence[Row]) -> str:
    return "1 entry" if len(entries) == 1 else f"{len(entries)} entries"
