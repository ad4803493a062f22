"""Health: what a server says of itself on its health page and its metrics page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rasa_whatsapp_channel.account import AccountState, to_json
from rasa_whatsapp_channel.inbound import outages
from rasa_whatsapp_channel.inbound.outages import Outages
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.settings.roles import CONSEQUENCES
from rasa_whatsapp_channel.store.base import ACCOUNT, Clock, Store, StoreError
from rasa_whatsapp_channel.whatsapp.account_events import Severity


class Health:
    """
    *missing* returns the roles that no process has. *paused* returns why each number sends nothing
    now, None where it sends; the number of the settings themselves is None. Each of *gauges*
    updates metrics that are read from the store.
    """

    def __init__(
        self,
        store: Store,
        account: AccountState,
        outages: Outages,
        metrics: Metrics,
        *,
        missing: Callable[[], Awaitable[Sequence[str]]],
        paused: Callable[[], Mapping[str | None, str | None]],
        gauges: Sequence[Callable[[], Awaitable[None]]],
        clock: Clock,
    ) -> None:
        self._store = store
        self._account = account
        self._outages = outages
        self._metrics = metrics
        self._missing = missing
        self._paused = paused
        self._gauges = gauges
        self._clock = clock

    async def page(self) -> Mapping[str, Any]:
        """Return the health page. Raises `StoreError`."""
        away = self._outages.current()
        paused = await self._paused_numbers()
        troubles = await self._account.troubles()
        is_blocked = any(each.severity == Severity.ERROR.value for each in troubles)
        missing = [f"no process {CONSEQUENCES[role]}" for role in await self._missing()]
        status = "account in trouble" if is_blocked else "ok"
        return {
            "status": "degraded" if away or missing else "sending paused" if paused else status,
            **({"missing": missing} if missing else {}),
            **({"away": outages.to_json(away)} if away else {}),
            **({"paused": paused} if paused else {}),
            **({"account": to_json(troubles)} if troubles else {}),
            **{queue.name: asdict(await queue.depth()) for queue in self._store.queues},
        }

    async def metrics_page(self) -> bytes:
        """Return the metrics page, with what is read from the store updated."""
        self._outages.current()  # ends outages that no turn has noted for a while
        try:
            await self._update()
        except StoreError:
            self._metrics.store_failed()
        return self._metrics.page()

    async def _update(self) -> None:
        self._metrics.sending_paused(set((await self._paused_numbers()).values()))
        self._metrics.account_troubles(each.topic for each in await self._account.troubles())
        for update in self._gauges:
            await update()
        for queue in self._store.queues:
            depth = await queue.depth()
            age = self._clock() - depth.oldest if depth.oldest is not None else 0.0
            self._metrics.depth(
                queue.name,
                waiting=depth.waiting,
                dead_letters=depth.dead_letters,
                failing=depth.failing,
                oldest_age=age,
            )

    async def _paused_numbers(self) -> Mapping[str, str]:
        """Return the numbers that send nothing now, and why; the first one is `first`."""
        account = ACCOUNT if await self._account.obstacle() else None
        return {
            number or "first": cause
            for number, paused in self._paused().items()
            if (cause := account or paused)
        }
