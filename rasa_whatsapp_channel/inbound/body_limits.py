"""
Limits on webhook bodies that are not verified yet: how much memory, and for how long. No I/O.

A signature can be checked over the whole body only, so a body has to be held before it is known who
sent it, and a caller who opens many connections and leaves each body half sent could fill the
memory. So there is room for a few of the largest in the whole process. A body takes from it what it
has brought; one that is longer than nearly all webhooks are takes all it may become as soon as that
is seen, so that those which find no room are refused before they bring much.

Where there is too little room, bodies are dropped: first those that have been on their way for
long, and among the others the largest. WhatsApp's own are small and come whole, in milliseconds, so
they get through while somebody else fills the room.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rasa_whatsapp_channel.whatsapp.errors import WebhookRefused
from rasa_whatsapp_channel.whatsapp.limits import MB, WEBHOOK_BYTES

UNVERIFIED_BYTES: Final = 16 * MB
# Nearly all webhooks are shorter.
SMALL: Final = 64 * 1024
# From the first byte to the last, however steadily they come. WhatsApp itself waits about as long.
BODY_SECONDS: Final = 10.0
# Younger than that is nobody who stalls.
FRESH: Final = 1.0

_LENGTH: Final = re.compile(r"[0-9]{1,18}")


def read_length(shown: str | None) -> int:
    """
    Read a ``Content-Length``; 0 where there is none, as for a body that comes in chunks.

    Raises `WebhookRefused` for one that no webhook has.
    """
    if shown is None:
        return 0
    if not _LENGTH.fullmatch(shown.strip()):
        raise WebhookRefused("Content-Length is no number", kind="length", status=400)
    if int(shown) > WEBHOOK_BYTES:
        raise too_large()
    return int(shown)


def too_large() -> WebhookRefused:
    return WebhookRefused(
        f"the body is larger than the {WEBHOOK_BYTES // MB} MB that WhatsApp sends",
        kind="too_large",
        status=413,
    )


def too_slow(seconds: float) -> WebhookRefused:
    return WebhookRefused(
        f"the body did not come within {seconds:g} seconds", kind="slow", status=408
    )


def no_room() -> WebhookRefused:
    return WebhookRefused(
        "too many bodies are on their way at the same time, and this one was let go to make room",
        kind="busy",
        status=503,
    )


@dataclass(eq=False)
class Body:
    """One that is on its way: since when, and how much of the room it takes."""

    began: float
    taken: int = 0
    size: int = 0


class UnverifiedBodies:
    """All bodies of a process that are on their way; they take at most *limit* bytes."""

    def __init__(self, limit: int = UNVERIFIED_BYTES) -> None:
        self._limit = limit
        self._bodies: dict[Body, None] = {}  # in the order in which they came
        self.taken = 0

    def begin(self, now: float, length: int = 0) -> tuple[Body, Sequence[Body]]:
        """
        Take up a body that is said to be *length* long, 0 where nothing is said.

        Returns it and those to let go, as `grow` does.
        """
        body = Body(now)
        self._bodies[body] = None
        return body, self._take(body, length if length > SMALL else 0, now)

    def grow(self, body: Body, size: int, now: float) -> Sequence[Body]:
        """
        Count *size* more bytes of *body*. Return those to let go, which are not counted any more.

        *body* itself may be among them. Raises `WebhookRefused` when it is larger than WhatsApp's.
        """
        body.size += size
        if body.size > WEBHOOK_BYTES:
            raise too_large()
        # One in chunks, which says no length, may become the longest there is.
        length = WEBHOOK_BYTES if body.size > max(SMALL, body.taken) else body.size
        return self._take(body, length, now)

    def end(self, body: Body) -> None:
        """Count *body* no longer: it was proven, refused or let go."""
        if body in self._bodies:
            del self._bodies[body]
            self.taken -= body.taken

    def _take(self, body: Body, length: int, now: float) -> Sequence[Body]:
        more = max(length - body.taken, 0)
        body.taken += more
        self.taken += more
        let_go: list[Body] = []
        while self.taken > self._limit:
            # Of two alike the one that came last.
            least = min(reversed(self._bodies), key=lambda other: _right_to_stay(other, now))
            let_go.append(least)
            self.end(least)
        return let_go


def _right_to_stay(body: Body, now: float) -> tuple[bool, int]:
    """Return what is least for the body to let go first."""
    return now - body.began <= FRESH, -body.taken
