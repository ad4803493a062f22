"""
Downloads: fetches the files of messages before the bot hears them.

A file that does not come keeps no message from the bot: the turn starts without it.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from rasa_whatsapp_channel.errors import ChannelError
from rasa_whatsapp_channel.inbound.handoff import Fetch
from rasa_whatsapp_channel.inbound.metadata import (
    files_in_form,
    media_of,
    media_part,
    with_files,
)
from rasa_whatsapp_channel.inbound.recovery import is_worth_another_fetch
from rasa_whatsapp_channel.media.values import InboundMedia, MediaStore, StoredFile
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.whatsapp.errors import MediaError
from rasa_whatsapp_channel.whatsapp.events import InboundMessage

if sys.version_info >= (3, 11):
    from asyncio import timeout as time_limit
else:
    from async_timeout import timeout as time_limit

logger = logging.getLogger(__name__)

ATTEMPTS: Final = 3
#: Seconds for the file of a message, the wait for a slot included.
TIMEOUT: Final = 30.0


class Downloads:
    """*store* keeps the files, None: nothing is fetched. *slots* bound how many come at once."""

    def __init__(
        self,
        store: MediaStore | None,
        slots: asyncio.Semaphore,
        metrics: Metrics,
        *,
        timeout: float = TIMEOUT,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._slots = slots
        self._metrics = metrics
        self._timeout = timeout
        self._sleep = sleep

    def once(self, sender_id: str) -> Fetch:
        """Return what fetches each file once, also one that does not come: a turn and its desk."""
        found: dict[str, tuple[StoredFile | None, str | None]] = {}

        async def fetch(event: InboundMessage) -> tuple[StoredFile | None, str | None]:
            if event.key not in found:
                found[event.key] = await self.fetch(event, sender_id)
            return found[event.key]

        return fetch

    async def fetch(
        self, event: InboundMessage, sender_id: str
    ) -> tuple[StoredFile | None, str | None]:
        """Return the file of *event*, or why it is not here; None and None where it has none."""
        media = media_of(event)
        if media is None or self._store is None:
            return None, None
        media = replace(media, sender_id=sender_id)
        try:
            async with time_limit(self._timeout), self._slots:
                return await self._try(self._store, media, event)
        except asyncio.TimeoutError:
            problem = f"it did not come within {self._timeout:g} seconds"
            _log(event, problem, "the turn starts without it")
        return None, problem

    async def fetch_form(self, event: InboundMessage, fetch: Fetch) -> InboundMessage:
        """Return *event* with what became of the files of a filled-in form, where it has any."""
        files = files_in_form(event) if self._store else []
        if not files:
            return event
        fetched = await asyncio.gather(*(fetch(each) for _, each in files))
        return with_files(
            event,
            [
                {"field": field, **media_part(each, *result)}
                for (field, each), result in zip(files, fetched, strict=True)
            ],
        )

    async def _try(
        self, store: MediaStore, media: InboundMedia, event: InboundMessage
    ) -> tuple[StoredFile | None, str | None]:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await store.fetch(media), None
            except (MediaError, ChannelError) as error:
                self._metrics.api_error(error)
                if attempt == ATTEMPTS or not is_worth_another_fetch(error):
                    _log(event, str(error), "the turn starts without it")
                    return None, str(error)
                _log(event, str(error), f"attempt {attempt} of {ATTEMPTS}")
                await self._sleep(attempt)
        raise AssertionError("unreachable")


def _log(event: InboundMessage, reason: str, what_now: str) -> None:
    logger.warning(
        "whatsapp.media_not_fetched: %s of %s: %s (%s)", event.type, event.key, reason, what_now
    )
