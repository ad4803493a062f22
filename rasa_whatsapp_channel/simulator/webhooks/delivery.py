"""Webhook delivery: in order, with retries until accepted; every attempt is logged."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

import aiohttp

from rasa_whatsapp_channel.simulator.clock import MovableClock
from rasa_whatsapp_channel.simulator.config import Config
from rasa_whatsapp_channel.simulator.faults import ON_WEBHOOKS, Faults
from rasa_whatsapp_channel.simulator.feed import Feed
from rasa_whatsapp_channel.simulator.keyed_tasks import KeyedTasks
from rasa_whatsapp_channel.simulator.webhooks.envelopes import webhook_bytes, webhook_headers
from rasa_whatsapp_channel.simulator.webhooks.log import Attempt, Webhook, WebhookLog
from rasa_whatsapp_channel.simulator.webhooks.webhook_faults import (
    Accepted,
    QueuedWebhook,
    WebhookFaults,
)
from rasa_whatsapp_channel.whatsapp.apis import TURN

ANSWER: Final = 2000  # logged characters of the bot's response
_INVALID: Final = "invalid"  # secret of an invalid signature


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
        return None  # Turn does not retry after a 4xx
    return config.retry_pauses[min(attempt, len(config.retry_pauses)) - 1]


class Webhooks:
    def __init__(
        self,
        config: Config,
        session: Callable[[], aiohttp.ClientSession],
        feed: Feed,
        faults: Faults,
        *,
        clock: MovableClock,
    ) -> None:
        self._config = config
        self._session = session
        self._feed = feed
        self._faults = faults
        self._clock = clock
        self._queues = KeyedTasks()
        self._webhook_faults = WebhookFaults(self._send)
        self.log = WebhookLog()

    def post(
        self,
        place: str,
        person: str,
        body: Mapping[str, Any],
        *,
        kind: str | None = None,
        on_accepted: Accepted | None = None,
        weather: str | None = None,
    ) -> None:
        """
        Deliver *body* after all earlier ones of this person; call *on_accepted* after.

        *place* is ``webhooks`` for incoming messages and ``statuses`` for the rest, each delivered
        independently: a bot may wait for a status before it answers. *kind* is the message's type,
        *weather* the weather's name of the place.
        """
        hit = self._faults.find(place, ON_WEBHOOKS, weather=weather, person=person, type=kind)
        fault = hit.do if hit is not None else None
        if fault == ("lose", True):
            self._note(Attempt(self.make(body), 0, self._clock(), 0.0, error="lost by a fault"))
            return
        self._webhook_faults.put(
            place, QueuedWebhook(f"{place}/{person}", body, on_accepted), fault
        )

    def make(self, body: Any, *, sign: bool = True) -> Webhook:
        """Return *body* as a webhook, with an invalid signature unless *sign*."""
        config = self._config
        if not sign:
            config = replace(
                config,
                app_secret=_INVALID,
                webhook_secret=_INVALID,
                webhook_token=_INVALID,
                webhook_password=config.webhook_password and _INVALID,
            )
        raw = webhook_bytes(body)
        return Webhook(
            id=uuid.uuid4().hex,
            body=body,
            raw=raw,
            headers=webhook_headers(config, raw),
            url=config.webhook_address,
        )

    async def deliver_once(self, webhook: Webhook) -> Attempt:
        """Deliver a webhook immediately, independent of the order."""
        number = 1 + sum(each.webhook.id == webhook.id for each in self.log.attempts)
        attempt = await self._attempt(webhook, number)
        self._note(attempt)
        return attempt

    async def clear(self) -> None:
        self._webhook_faults.clear()
        await self._queues.close()
        self.log.clear()

    def _send(self, queued: QueuedWebhook) -> None:
        self._queues.put(queued.key, partial(self._deliver, queued))

    async def _deliver(self, queued: QueuedWebhook) -> None:
        await self._clock.sleep(queued.delay)
        webhook = self.make(queued.body)
        number, first = 0, self._clock()
        while True:
            number += 1
            attempt = await self._attempt(webhook, number)
            age = self._clock() - first
            pause = pause_after(self._config, attempt=number, status=attempt.status, age=age)
            self._note(replace(attempt, retry_after=pause))
            if attempt.status == 200 and queued.on_accepted is not None:
                queued.on_accepted()
            if pause is None:
                return
            await self._clock.sleep(pause)

    def _note(self, attempt: Attempt) -> None:
        self.log.add(attempt)
        self._feed.publish("webhook", **attempt.to_json())

    async def _attempt(self, webhook: Webhook, number: int) -> Attempt:
        started, clock = self._clock(), time.perf_counter()
        status, answer, error = await self._post(webhook)
        return Attempt(
            webhook=webhook,
            number=number,
            time=started,
            seconds=round(time.perf_counter() - clock, 6),
            status=status,
            answer=answer,
            error=error,
        )

    async def _post(self, webhook: Webhook) -> tuple[int | None, str | None, str | None]:
        limit = aiohttp.ClientTimeout(total=self._config.webhook_timeout)
        try:
            async with self._session().post(
                webhook.url,
                data=webhook.raw,
                headers=webhook.headers,
                timeout=limit,
                allow_redirects=False,
            ) as response:
                start = await response.content.read(4 * ANSWER)
                return response.status, start.decode(errors="replace")[:ANSWER], None
        except asyncio.TimeoutError:
            return None, None, f"no answer within {self._config.webhook_timeout:g} seconds"
        except aiohttp.ClientConnectorError as exc:
            return None, None, exc.strerror or str(exc)
        except (aiohttp.ClientError, ValueError) as exc:
            return None, None, str(exc) or type(exc).__name__
