"""Account events: log and count each, keep what lasts, end waits, call the author's function."""

from __future__ import annotations

import asyncio
import inspect
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from rasa_whatsapp_channel.account import TEMPLATE, AccountState
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.settings.parsers import Function
from rasa_whatsapp_channel.store.base import ACCOUNT, Queue, template_cause
from rasa_whatsapp_channel.whatsapp.account_events import AccountEvent, Condition, Severity

logger = logging.getLogger(__name__)

TIMEOUT: Final = 60.0  # seconds
# A thread of their own: a function that blocks must not hold up the webhooks.
_THREADS: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="whatsapp-account")


class AccountEvents:
    """*function* is that of the setting ``account_events``; it gets the `AccountEvent`."""

    def __init__(
        self,
        state: AccountState,
        outbox: Queue,
        metrics: Metrics,
        *,
        function: Function | None = None,
    ) -> None:
        self._state = state
        self._outbox = outbox
        self._metrics = metrics
        self._function = function
        self._tasks: set[asyncio.Task[None]] = set()

    async def handle(self, event: AccountEvent) -> None:
        """Raises `StoreError`; the function runs beside it."""
        self._metrics.account_event(event.field, event.event)
        logger.log(
            logging.ERROR
            if event.severity is Severity.ERROR
            else logging.WARNING
            if event.severity is Severity.WARNING
            else logging.INFO,
            "whatsapp.account_event: %s",
            event,
        )
        await self._state.note(event)
        if event.condition is not Condition.NONE:  # what waits is decided about again
            is_template = event.topic == TEMPLATE
            name = event.subject.partition(" ")[0]
            await self._outbox.end_waits(template_cause(name) if is_template else ACCOUNT)
        if self._function is not None:
            task = asyncio.create_task(self._call(self._function, event))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _call(self, function: Function, event: AccountEvent) -> None:
        try:
            await asyncio.wait_for(_run(function, event), TIMEOUT)
        except Exception as error:  # the author's function may raise anything
            logger.warning(
                "whatsapp.account_function_failed: the function of `account_events` did not take "
                "%s %s: %s",
                event.field,
                event.event,
                f"no end within {TIMEOUT:g} seconds"
                if isinstance(error, asyncio.TimeoutError)
                else repr(error),
            )


async def _run(function: Function, event: AccountEvent) -> None:
    if inspect.iscoroutinefunction(function):
        await function(event)
        return
    answer = await asyncio.get_running_loop().run_in_executor(_THREADS, function, event)
    if inspect.isawaitable(answer):
        await answer
