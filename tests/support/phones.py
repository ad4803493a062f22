"""
The phones of the people who chat with the bot.

A phone shows a text soon after WhatsApp took it, and a file later: it has to be loaded. Texts are
shown in the order in which WhatsApp took them, but a text does not wait for a file. For each
message WhatsApp tells `sent` at once, `delivered` when it is shown, and `read` some time later.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from support.cloud_api import Accepted
from support.eventually import eventually
from support.webhooks import envelope, status

Deliver = Callable[[bytes], Awaitable[None]]
Span = tuple[float, float]  # least and most, in seconds

FILES = frozenset({"image", "video", "audio", "document", "sticker"})
BATCH = 0.05  # seconds of which the statuses go in one webhook
EARLY = 3.0  # longest wait of an answer for a status that is told before it


@dataclass(frozen=True)
class Habits:
    """How the phones and WhatsApp behave. Shares are between 0 and 1."""

    text: Span = (0.3, 0.8)  # from being taken to being shown
    file: Span = (1.0, 2.0)
    sent: Span = (0.0, 0.2)
    read: Span | None = (0.5, 4.0)  # after it was shown; None: nobody reads
    early: float = 0.0  # share of the messages whose first status is told before the answer
    twice: float = 0.0  # share of the statuses that are told twice
    disorder: float = 0.0  # share of the messages whose `sent` comes after `delivered`
    batch: float = BATCH


REAL = Habits()
# For tests of something else: everything is shown at once.
AT_ONCE = Habits(text=(0.0, 0.0), file=(0.0, 0.0), sent=(0.0, 0.0), read=None, batch=0.25)


class Phones:
    """
    *deliver* brings a webhook to the bot, again until it is taken.

    *fails* names the code of messages that WhatsApp takes and then cannot deliver, or 0.
    """

    def __init__(
        self,
        deliver: Deliver,
        *,
        seed: int = 1,
        habits: Habits = REAL,
        fails: Callable[[Accepted], int] = lambda taken: 0,
    ) -> None:
        self.shown: list[Accepted] = []  # in this order; `at` is when
        self.told: list[tuple[float, str, str]] = []  # when, text, status: taken by the bot
        self._deliver = deliver
        self._random = random.Random(seed)
        self._habits = habits
        self._fails = fails
        self._last_text: dict[str, asyncio.Event] = {}  # of each phone; set when it is shown
        self._waiting: list[tuple[Accepted, dict[str, Any]]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def on(self, phone: str) -> list[str]:
        """Return the texts that *phone* shows, from top to bottom."""
        return [message.text for message in self.shown if message.to == phone]

    async def have(self, count: int, *, within: float = 60.0) -> None:
        """Return when *count* messages are shown, each *within* seconds of the one before."""
        for expected in range(min(len(self.shown), count) + 1, count + 1):
            await eventually(
                lambda expected=expected: len(self.shown) >= expected,
                within=within,
                told=lambda: f"only {[message.text for message in self.shown]}",
            )

    async def tell(self, taken: Accepted, name: str) -> None:
        """Tell now that *taken* is *name*, and return when the bot's server has heard it."""
        await self._send([(taken, status_of(taken, name))])

    async def take(self, taken: Accepted) -> None:
        """WhatsApp has *taken* a message; its request is answered when this returns."""
        draw, habits = self._random, self._habits
        is_early = draw.random() < habits.early
        if code := self._fails(taken):
            error = {"code": code, "title": f"failed with {code}"}
            failed = self._tell(taken, status_of(taken, "failed", errors=[error]), is_early)
            await self._begin(failed, is_early)
            return
        now = time.monotonic()
        is_file = taken.body.get("type") in FILES
        shown_at = now + draw.uniform(*(habits.file if is_file else habits.text))
        before, shown = None, asyncio.Event()
        if not is_file:
            before, self._last_text[taken.to] = self._last_text.get(taken.to), shown
        sent_at = now + draw.uniform(*habits.sent)
        if draw.random() < habits.disorder:
            sent_at = shown_at + 0.1
        self._keep(self._show(taken, shown_at, before, shown))
        sent = self._at(sent_at, taken, "sent") if not is_early else self.tell(taken, "sent")
        await self._begin(sent, is_early)

    async def _begin(self, telling: Awaitable[None], is_early: bool) -> None:
        task = self._keep(telling)
        if is_early:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.shield(task), EARLY)

    async def _show(
        self, taken: Accepted, at: float, before: asyncio.Event | None, shown: asyncio.Event
    ) -> None:
        await asyncio.sleep(at - time.monotonic())
        if before is not None:
            await before.wait()
        now = time.monotonic()
        shown.set()
        self.shown.append(replace(taken, at=now))
        self._note(taken, "delivered")
        if self._habits.read is not None:
            await self._at(now + self._random.uniform(*self._habits.read), taken, "read")

    async def _at(self, at: float, taken: Accepted, name: str) -> None:
        await asyncio.sleep(at - time.monotonic())
        self._note(taken, name)

    async def _tell(self, taken: Accepted, content: dict[str, Any], is_early: bool) -> None:
        if not is_early:
            await asyncio.sleep(self._random.uniform(*self._habits.sent))
        await self._send([(taken, content)])

    def _note(self, taken: Accepted, name: str) -> None:
        """Tell *name* with the next webhook."""
        times = 2 if self._random.random() < self._habits.twice else 1
        if not self._waiting:
            self._keep(self._send_soon())
        self._waiting += [(taken, status_of(taken, name))] * times

    async def _send_soon(self) -> None:
        await asyncio.sleep(self._habits.batch)
        batch, self._waiting = self._waiting, []
        await self._send(batch)

    async def _send(self, batch: list[tuple[Accepted, dict[str, Any]]]) -> None:
        await self._deliver(json.dumps(envelope(content for _, content in batch)).encode())
        now = time.monotonic()
        self.told += [
            (now, taken.text, content["statuses"][0]["status"]) for taken, content in batch
        ]

    def _keep(self, work: Awaitable[None]) -> asyncio.Task[None]:
        # The loop keeps only weak references to tasks.
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def status_of(taken: Accepted, name: str, **more: Any) -> dict[str, Any]:
    """Return what a change says of *taken*; Meta repeats what its sender wrote under this name."""
    echoed = "biz_opaque_callback_data"
    if echoed in taken.body:
        more[echoed] = taken.body[echoed]
    return status(taken.id, name, taken.to, **more)
