"""``rasa-whatsapp queue``: list, retry and delete what waits and dead letters."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import click

from rasa_whatsapp_channel.cli.open import StoreLocation, store_options
from rasa_whatsapp_channel.cli.options import (
    Function,
    json_option,
    show_numbers_option,
    to_person,
    yes_option,
)
from rasa_whatsapp_channel.cli.output import mask, print_json, table
from rasa_whatsapp_channel.conversation.erasure import EVERYTHING, erase_person
from rasa_whatsapp_channel.store.base import (
    ACCOUNT,
    DEBOUNCE,
    INFRASTRUCTURE,
    QUEUES,
    THROUGHPUT,
    TOKEN,
    WINDOW,
    DeadLetterRow,
    ItemState,
    Queue,
    Store,
    WaitingRow,
)
from rasa_whatsapp_channel.unix_time import DAY, time_of
from rasa_whatsapp_channel.wording import counted

_HEADERS: Final = ("QUEUE", "STATE", "KEY", "WHO", "WHAT", "AGE", "ATTEMPTS", "WHY")
# A message id begins with the person's number in base64; its end tells messages apart.
_KEY_END: Final = 16
_UNITS: Final = ((DAY, "d"), (3_600, "h"), (60, "min"))


@dataclass(frozen=True)
class QueueRow:
    """A row of the list. Times are unix seconds."""

    queue: str
    item: WaitingRow | DeadLetterRow
    #: What the item waits for, or why it is a dead letter.
    why: str

    @property
    def key(self) -> str:
        return self.item.key

    @property
    def what(self) -> str:
        """The type of the message or event, without its content."""
        body = self.item.body
        message = body.get("message")
        if isinstance(message, Mapping):
            response = body.get("response")
            return f"{response}: {message.get('type')}" if response else str(message.get("type"))
        return str(body.get("type") or body.get("kind") or "?")

    @property
    def state(self) -> str:
        return "dead letter" if isinstance(self.item, DeadLetterRow) else self.item.state.value

    def conversation(self, *, show_numbers: bool) -> str:
        name = self.item.conversation
        return name if show_numbers else mask(name)

    def cells(self, now: float, *, show_numbers: bool) -> tuple[str, ...]:
        return (
            *(self.queue, self.state, _shorten(self.key)),
            *(self.conversation(show_numbers=show_numbers), self.what),
            *(_age(now - self.item.put_at), str(self.item.attempts), " ".join(self.why.split())),
        )

    def summary(self, *, show_numbers: bool) -> dict[str, Any]:
        """Return the row for JSON output, without its body."""
        died_at = self.item.died_at if isinstance(self.item, DeadLetterRow) else None
        return {
            "queue": self.queue,
            "state": self.state,
            "key": self.key,
            "conversation": self.conversation(show_numbers=show_numbers),
            "what": self.what,
            "put_at": time_of(self.item.put_at),
            "died_at": None if died_at is None else time_of(died_at),
            "attempts": self.item.attempts,
            "why": self.why,
        }


def _shorten(key: str) -> str:
    return key if len(key) <= _KEY_END + 1 else f"…{key[-_KEY_END:]}"


def _age(seconds: float) -> str:
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(int(seconds), 0)} s"


# What an item waits for besides time, by cause.
_CAUSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        WINDOW: "waits for the person to write",
        TOKEN: "waits for a token that is accepted",
        THROUGHPUT: "waits until the number may send again",
        ACCOUNT: "waits until the account may send again",
        "template": "waits until its template can be sent again",
        INFRASTRUCTURE: "waits for what the bot or WhatsApp needs",
        DEBOUNCE: "waits whether more is written",
        "status": "waits until the message before it was delivered",
        "confirmation": "waits whether WhatsApp took it",
    }
)


def _waits_for(item: WaitingRow, now: float) -> str:
    words = []
    if item.state is ItemState.BEHIND:
        words.append("behind another one of the same chat")
    if item.due_at is not None:
        cause = _CAUSES.get((item.cause or "").partition(":")[0])
        again = f"again in {_age(item.due_at - now)}"
        words.append(f"{cause}, at the latest {again}" if cause else again)
    if item.crashes:
        words.append(f"the process ended {item.crashes} times with it")
    if item.last_error:
        words.append(f"last error: {item.last_error}")
    return "; ".join(words)


def _queue_option(function: Function) -> Function:
    return click.option(
        "--queue",
        "name",
        type=click.Choice([*QUEUES, "all"]),
        default="all",
        help="inbox: from WhatsApp to the bot. outbox: from the bot to WhatsApp. "
        "desk: what is done while a person answers.",
    )(function)


@click.group()
def command() -> None:
    """
    What waits, and dead letters with their reason.

    A KEY is what the list shows, or its end. The commands may be used while the bot runs.
    """


@command.command("list")
@_queue_option
@click.option("--limit", type=click.IntRange(1), default=100, help="Per state.")
@json_option
@show_numbers_option
@store_options
def list_command(
    name: str, limit: int, as_json: bool, show_numbers: bool, location: StoreLocation
) -> None:
    """What waits, oldest first; then dead letters, newest first. JSON has the whole keys."""
    rows, more = asyncio.run(_list(location, name, limit))
    if as_json:
        print_json([row.summary(show_numbers=show_numbers) for row in rows])
        return
    if not rows:
        click.echo("Nothing waits, and there are no dead letters.")
        return
    now = time.time()
    click.echo(table(_HEADERS, [row.cells(now, show_numbers=show_numbers) for row in rows]))
    if more:
        click.echo(f"… and {more} more; --limit shows them.")


@command.command()
@click.argument("key")
@store_options
def show(key: str, location: StoreLocation) -> None:
    """One item as JSON, with its content and the person's number."""
    row = asyncio.run(_show(location, key))
    print_json({**row.summary(show_numbers=True), "body": row.item.body})


@command.command()
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@click.option("--all", "everything", is_flag=True, help="All dead letters.")
@yes_option
@_queue_option
@store_options
def retry(
    keys: Sequence[str],
    everything: bool,
    yes: bool,
    name: str,
    location: StoreLocation,
) -> None:
    """Put dead letters back into their queues."""
    if bool(keys) == everything:
        raise click.UsageError("Name the keys, or say --all.")
    asyncio.run(_retry(location, name, keys, yes=yes))


@command.command("erase")
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@click.option(
    "--person",
    "people",
    type=to_person,
    metavar="NUMBER",
    multiple=True,
    help="Delete everything of one person, of chats with all business numbers: what waits, dead "
    "letters, the record of what was sent.",
)
@yes_option
@store_options
def erase_command(
    keys: Sequence[str],
    people: Sequence[str],
    yes: bool,
    location: StoreLocation,
) -> None:
    """Delete dead letters, or everything of one person. This cannot be undone."""
    if bool(keys) == bool(people):
        raise click.UsageError("Name the keys, or a --person.")
    if keys:
        asyncio.run(_discard(location, keys, yes=yes))
    for person in people:
        asyncio.run(_erase(location, person, yes=yes))


async def _list(location: StoreLocation, name: str, limit: int) -> tuple[list[QueueRow], int]:
    """Return what is shown, and how much is not."""
    async with location.open() as store:
        waiting, dead = await _rows(store, name, limit)
        depths = [await _queue(store, queue).depth() for queue in _names(name)]
    shown = [*waiting, *dead]
    return shown, max(sum(depth.waiting + depth.dead_letters for depth in depths) - len(shown), 0)


async def _show(location: StoreLocation, key: str) -> QueueRow:
    async with location.open() as store:
        waiting, dead = await _rows(store)
        return _one([*waiting, *dead], key)


async def _retry(location: StoreLocation, name: str, keys: Sequence[str], *, yes: bool) -> None:
    async with location.open() as store:
        _, dead = await _rows(store, name)
        # Oldest first, so that each chat keeps its order.
        chosen = [_one(dead, key) for key in keys] or sorted(dead, key=lambda row: row.item.put_at)
        if not keys and chosen and not yes:
            click.confirm(f"Try {counted(len(chosen), 'item')} again?", abort=True)
        done = [row for row in chosen if await _queue(store, row.queue).requeue(row.key)]
    click.echo(f"{counted(len(done), 'item')} put back.")


async def _discard(location: StoreLocation, keys: Sequence[str], *, yes: bool) -> None:
    async with location.open() as store:
        _, dead = await _rows(store)
        chosen = [_one(dead, key) for key in keys]
        if not yes:
            click.confirm(f"Delete {counted(len(chosen), 'item')} for good?", abort=True)
        done = [row for row in chosen if await _queue(store, row.queue).discard(row.key)]
    click.echo(f"{counted(len(done), 'item')} deleted.")


async def _erase(location: StoreLocation, person: str, *, yes: bool) -> None:
    if not yes:
        click.confirm(f"Delete everything of {person} in this store for good?", abort=True)
    async with location.open() as store:
        erased = await erase_person(store, person)
    files = " ".join(
        f"`rasa-whatsapp media kept delete --person {name}`" for name in erased.conversations
    )
    click.echo(
        f"Deleted: {erased.items} in the queues, {erased.sent} in the ledger of what was sent. "
        f"Files this person sent: {files}. "
        "The conversation is in Rasa's tracker store."
    )
    if erased.others:
        click.echo(
            f"Still there: {erased.others} that wait in chats with others and name this person; "
            "do this again when they are gone (`rasa-whatsapp queue list`).",
            err=True,
        )


async def _rows(
    store: Store, name: str = "all", limit: int = EVERYTHING
) -> tuple[list[QueueRow], list[QueueRow]]:
    """Return what waits, and the dead letters, of the queue *name* or of all."""
    now = time.time()
    waiting: list[QueueRow] = []
    dead: list[QueueRow] = []
    for queue in _names(name):
        found = _queue(store, queue)
        waiting += [
            QueueRow(queue, each, _waits_for(each, now)) for each in await found.waiting(limit)
        ]
        dead += [QueueRow(queue, each, each.reason) for each in await found.dead_letters(limit)]
    return waiting, dead


def _names(name: str) -> Sequence[str]:
    return QUEUES if name == "all" else (name,)


def _queue(store: Store, name: str) -> Queue:
    return next(queue for queue in store.queues if queue.name == name)


def _one(rows: Sequence[QueueRow], key: str) -> QueueRow:
    """Return the row that *key* names: the whole key, as the list shows it, or its end."""
    end = key.lstrip("…")
    found = [row for row in rows if end and row.key.endswith(end)]
    found = [row for row in found if row.key == key] or found
    if len(found) == 1:
        return found[0]
    if not found:
        raise click.ClickException(f"{key}: there is no such item; see `rasa-whatsapp queue list`")
    raise click.ClickException(f"{key}: {len(found)} keys end like this; give more of it")
