"""Entries of the queues as people see them: short keys, hidden numbers, ages in words, a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from types import MappingProxyType
from typing import Any, Final

from rasa_whatsapp_channel.common import DAY
from rasa_whatsapp_channel.store.base import (
    DEBOUNCE,
    INFRASTRUCTURE,
    THROUGHPUT,
    TOKEN,
    WINDOW,
    Body,
    DeadLetterRow,
    State,
    WaitingRow,
)

DEAD_LETTER: Final = "dead letter"
HEADERS: Final = ("QUEUE", "STATE", "KEY", "WHO", "WHAT", "AGE", "ATTEMPTS", "WHY")

# A message id begins with the person's number in base64; its end tells messages apart.
_KEY_END: Final = 16
_PERSON_END: Final = 4
_UNITS: Final = ((DAY, "d"), (3_600, "h"), (60, "min"))


@dataclass(frozen=True)
class Entry:
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
    def waiting(cls, queue: str, entry: WaitingRow, now: float) -> Entry:
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
    def dead_letter(cls, queue: str, entry: DeadLetterRow) -> Entry:
        return cls(
            queue,
            DEAD_LETTER,
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
            shorten(self.key),
            self.conversation if show_numbers else mask(self.conversation),
            self.what,
            age(now - self.put_at),
            str(self.attempts),
            " ".join(self.why.split()),
        )

    def summary(self, *, show_numbers: bool) -> dict[str, Any]:
        """Return it for programs, without its body."""
        return {
            "queue": self.queue,
            "state": self.state,
            "key": self.key,
            "conversation": self.conversation if show_numbers else mask(self.conversation),
            "what": self.what,
            "put_at": _time(self.put_at),
            "died_at": _time(self.died_at),
            "attempts": self.attempts,
            "why": self.why,
        }


def find(entries: Iterable[Entry], key: str) -> list[Entry]:
    """Return the entries that *key* names: as a whole, as `shorten` shows it, or by its end."""
    end = key.lstrip("…")
    found = [entry for entry in entries if entry.key.endswith(end)] if end else []
    return [entry for entry in found if entry.key == key] or found


def shorten(key: str) -> str:
    return key if len(key) <= _KEY_END + 1 else f"…{key[-_KEY_END:]}"


def mask(conversation: str) -> str:
    """Return enough of a number to tell people apart, and too little to call them."""
    lane, colon, person = conversation.rpartition(":")
    if not person:
        return "–"
    return f"{lane}{colon}…{person[-_PERSON_END:]}"


def age(seconds: float) -> str:
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(int(seconds), 0)} s"


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
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
    if entry.state is State.BEHIND:
        words.append("behind another one of the same chat")
    if entry.due_at is not None:
        cause = _CAUSES.get((entry.cause or "").partition(":")[0])
        again = f"again in {age(entry.due_at - now)}"
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
