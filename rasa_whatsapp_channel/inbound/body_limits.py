"""
Limits on webhook bodies that are not verified yet: how much memory, and for how long. No I/O.

A signature covers the whole body, so a body is held in memory before its sender is known, and a
caller that opens many connections and sends half a body on each could fill the memory. So all
unverified bodies of a process share a limit, a few times the largest body. A small body counts with
the bytes that have come; one that is longer than nearly all webhooks counts with its full length as
soon as that is known, so that it is refused early if there is no room for it.

If there is too little room, bodies are dropped: first those that have been coming for long, then
the largest. WhatsApp's own bodies are small and arrive within milliseconds, so they get through
while another caller fills the memory.
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
# A younger body is not stalling yet.
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
        "too many bodies are on their way at the same time, and this one was dropped to make room",
        kind="busy",
        status=503,
    )


@dataclass(eq=False)
class Body:
    """A body that is being read: since when, its bytes so far, and the bytes it counts with."""

    began: float
    taken: int = 0
    size: int = 0


class UnverifiedBodies:
    """All bodies that a process is reading; together they count with at most *limit* bytes."""

    def __init__(self, limit: int = UNVERIFIED_BYTES) -> None:
        self._limit = limit
        self._bodies: dict[Body, None] = {}  # in the order in which they came
        self.taken = 0

    def begin(self, now: float, length: int = 0) -> tuple[Body, Sequence[Body]]:
        """
        Count a new body of *length* bytes, 0 if that is not known.

        Returns it and those to drop, as `grow` does.
        """
        body = Body(now)
        self._bodies[body] = None
        return body, self._take(body, length if length > SMALL else 0, now)

    def grow(self, body: Body, size: int, now: float) -> Sequence[Body]:
        """
        Count *size* more bytes of *body*. Return those to drop, which are not counted any more.

        *body* itself may be among them. Raises `WebhookRefused` when it is larger than WhatsApp's.
        """
        body.size += size
        if body.size > WEBHOOK_BYTES:
            raise too_large()
        # Without a length, as with chunks, it may become as long as a body can be.
        length = WEBHOOK_BYTES if body.size > max(SMALL, body.taken) else body.size
        return self._take(body, length, now)

    def end(self, body: Body) -> None:
        """Count *body* no longer: it was verified, refused or dropped."""
        if body in self._bodies:
            del self._bodies[body]
            self.taken -= body.taken

    def _take(self, body: Body, length: int, now: float) -> Sequence[Body]:
        more = max(length - body.taken, 0)
        body.taken += more
        self.taken += more
        dropped: list[Body] = []
        while self.taken > self._limit:
            # Of two alike the newer one.
            least = min(reversed(self._bodies), key=lambda other: _rank(other, now))
            dropped.append(least)
            self.end(least)
        return dropped


def _rank(body: Body, now: float) -> tuple[bool, int]:
    """Return the rank of *body*; the one with the lowest is dropped first."""
    return now - body.began <= FRESH, -body.taken
