"""Delivering webhooks: in order, again and again until they are taken, every attempt noted."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import aiohttp

from rasa_whatsapp_channel.simulator.clock import Clock
from rasa_whatsapp_channel.simulator.config import Config
from rasa_whatsapp_channel.simulator.feed import Feed
from rasa_whatsapp_channel.simulator.lanes import Lanes
from rasa_whatsapp_channel.simulator.session import LazySession
from rasa_whatsapp_channel.simulator.webhooks.signing import webhook_bytes, webhook_headers
from rasa_whatsapp_channel.whatsapp.apis import TURN

KEPT: Final = 2000  # attempts in the log

Taken = Callable[[], None]


@dataclass(frozen=True)
class Attempt:
    """One POST to the bot; *status* is missing if no answer came, and then *error* says why."""

    body: Mapping[str, Any]
    number: int
    time: float
    seconds: float
    status: int | None = None
    error: str | None = None
    retry_after: float | None = None  # seconds until the next attempt; none after the last one

    def to_json(self) -> dict[str, Any]:
        return {
            "body": self.body,
            "attempt": self.number,
            "time": self.time,
            "status": self.status,
            "error": self.error,
            "seconds": self.seconds,
            "retry_after": self.retry_after,
        }


def pause_after(
    config: Config, *, attempt: int, status: int | None, age: float = 0.0
) -> float | None:
    """
    Return the seconds until the next attempt; None if there is none.

    *attempt* counts from 1, *age* are the seconds since the first one.
    """
    if status == 200 or not config.retry_pauses or age >= config.retry_life:
        return None
    if config.api is TURN and status is not None and 400 <= status < 500:
        return None  # Turn takes a 4xx for an answer, and the message is lost
    return config.retry_pauses[min(attempt, len(config.retry_pauses)) - 1]


class Webhooks:
    def __init__(
        self,
        config: Config,
        session: LazySession,
        feed: Feed,
        *,
        clock: Clock,
    ) -> None:
        self._config = config
        self._session = session
        self._feed = feed
        self._clock = clock
        self._lanes = Lanes()
        self.attempts: deque[Attempt] = deque(maxlen=KEPT)

    def post(self, lane: str, body: Mapping[str, Any], *, taken: Taken | None = None) -> None:
        """Deliver *body* behind all earlier ones of *lane*; call *taken* when the bot has it."""
        self._lanes.put(lane, partial(self._deliver, body, taken))

    async def clear(self) -> None:
        await self._lanes.close()
        self.attempts.clear()

    async def _deliver(self, body: Mapping[str, Any], taken: Taken | None) -> None:
        raw = webhook_bytes(body)
        number, first = 0, self._clock()
        while True:
            number += 1
            attempt = await self._attempt(body, raw, number, first)
            self.attempts.append(attempt)
            self._feed.publish("webhook", **attempt.to_json())
            if attempt.status == 200 and taken is not None:
                taken()
            if attempt.retry_after is None:
                return
            await self._clock.sleep(attempt.retry_after)

    async def _attempt(
        self, body: Mapping[str, Any], raw: bytes, number: int, first: float
    ) -> Attempt:
        started, clock = self._clock(), time.perf_counter()
        status, error = await self._post(raw)
        pause = pause_after(self._config, attempt=number, status=status, age=self._clock() - first)
        return Attempt(
            body=body,
            number=number,
            time=started,
            seconds=round(time.perf_counter() - clock, 6),
            status=status,
            error=error,
            retry_after=pause,
        )

    async def _post(self, raw: bytes) -> tuple[int | None, str | None]:
        limit = aiohttp.ClientTimeout(total=self._config.webhook_timeout)
        headers = webhook_headers(self._config, raw)
        try:
            async with self._session.get().post(
                self._config.webhook_address,
                data=raw,
                headers=headers,
                timeout=limit,
                allow_redirects=False,
            ) as response:
                return response.status, None
        except asyncio.TimeoutError:
            return None, f"no answer within {self._config.webhook_timeout:g} seconds"
        except aiohttp.ClientConnectorError as exc:
            return None, exc.strerror or str(exc)
        except (aiohttp.ClientError, ValueError) as exc:
            return None, str(exc) or type(exc).__name__
