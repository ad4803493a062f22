"""
Many people writing at once, and WhatsApp delivering their words as it does.

Webhooks are signed, hold several messages of several people, come twice now and then, and come
again until they are answered with 200. A person writes on once the message before was taken.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
from support.cloud_api import PICTURE_SHA256
from support.numbered import text_of
from support.webhooks import envelope, picture, text

AGAIN = 0.3  # seconds until a webhook comes again; WhatsApp takes longer
TWICE = 0.1  # share of the webhooks that come twice
TIMEOUT = 10.0


@dataclass(frozen=True)
class Written:
    """One message of one person."""

    user: int
    number: int
    order: str = ""  # to the bot, see `numbered`
    is_picture: bool = False  # with the text as its caption

    @property
    def text(self) -> str:
        return text_of(self.user, self.number, self.order)

    @property
    def phone(self) -> str:
        return phone_of(self.user)

    @property
    def id(self) -> str:
        return f"wamid.in.{self.user}.{self.number}"


def phone_of(user: int) -> str:
    return f"49151{user:08}"


class Crowd:
    """
    *where* names the address a webhook is sent to next, e.g. one behind a load balancer.

    *says* returns what a person writes as their n-th message.
    """

    def __init__(
        self,
        where: Callable[[], str],
        *,
        secret: str,
        random: random.Random,
        says: Callable[[int, int], Written] = Written,
    ) -> None:
        self._where = where
        self._secret = secret
        self._random = random
        self._says = says
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT))
        self._repeats: set[asyncio.Task[None]] = set()
        self.deliveries = 0  # answered with 200
        self.refusals = 0
        self.written: dict[str, float] = {}  # text → when WhatsApp got it

    async def close(self) -> None:
        await asyncio.gather(*self._repeats)
        await self._session.close()

    async def write(
        self, users: Sequence[int], messages: int, *, seconds: float, lane: int = 10
    ) -> None:
        """
        Let each of *users* write *messages* messages within *seconds*.

        WhatsApp delivers side by side; what the people of one lane write comes one after the other.
        """
        lanes = [users[start : start + lane] for start in range(0, len(users), lane)]
        await asyncio.gather(*(self._lane(people, messages, seconds) for people in lanes))

    async def _lane(self, users: Sequence[int], messages: int, seconds: float) -> None:
        batches = list(self._batches(users, messages))
        began = time.monotonic()
        for number, batch in enumerate(batches):
            due = began + seconds * (number + self._random.random()) / len(batches)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            webhook = webhook_of(batch)
            self.written.update((written.text, time.monotonic()) for written in batch)
            await self.deliver(webhook)
            if self._random.random() < TWICE:
                self._repeat(webhook)

    def _batches(self, users: Sequence[int], messages: int) -> Iterable[list[Written]]:
        whose = [user for user in users for _ in range(messages)]
        self._random.shuffle(whose)
        numbers = dict.fromkeys(users, 0)
        while whose:
            batch = []
            for _ in range(min(self._random.randint(1, 5), len(whose))):
                user = whose.pop()
                numbers[user] += 1
                batch.append(self._says(user, numbers[user]))
            yield batch

    def _repeat(self, webhook: bytes) -> None:
        task = asyncio.create_task(self.deliver(webhook))
        self._repeats.add(task)
        task.add_done_callback(self._repeats.discard)

    async def deliver(self, webhook: bytes) -> None:
        """Deliver until it is taken."""
        while not await self._is_taken(webhook):
            self.refusals += 1
            await asyncio.sleep(AGAIN * self._random.uniform(0.5, 1.5))
        self.deliveries += 1

    async def _is_taken(self, webhook: bytes) -> bool:
        signature = hmac.new(self._secret.encode(), webhook, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "X-Hub-Signature-256": f"sha256={signature}",
        }
        try:
            async with self._session.post(self._where(), data=webhook, headers=headers) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, asyncio.TimeoutError):
            return False


def webhook_of(batch: Sequence[Written]) -> bytes:
    """Return one webhook with all of *batch*."""
    return json.dumps(envelope(content_of(written) for written in batch)).encode()


def content_of(written: Written) -> dict[str, Any]:
    if written.is_picture:
        media_id = f"90000{written.user:04}{written.number:02}"
        return picture(
            written.phone, written.id, written.text, media_id=media_id, sha256=PICTURE_SHA256
        )
    return text(written.phone, written.id, written.text)
