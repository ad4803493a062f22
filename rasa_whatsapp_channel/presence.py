"""Presence: which roles some process of the store has, so that a role without one is noticed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final

from rasa_whatsapp_channel.settings.roles import CONSEQUENCES, ROLES, remedy
from rasa_whatsapp_channel.store.base import StoreError, Values

logger = logging.getLogger(__name__)

RENEW: Final = 15.0  # seconds between two notes of a process
LIFE: Final = 60.0  # seconds that a note counts: a process may be busy for a while
LOOKS: Final = 4  # looks without a process, one after each note, until the log says so


class Presence:
    """Notes the *roles* of this process in the store while it runs."""

    def __init__(
        self,
        values: Values,
        roles: Collection[str],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._values = values
        self._roles = roles
        self._sleep = sleep
        self._looks = dict.fromkeys(ROLES, 0)  # in a row that found no process
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="whatsapp presence")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def missing(self) -> Sequence[str]:
        """Return the roles that no process has now. Raises `StoreError`."""
        others = [role for role in ROLES if role not in self._roles]
        return [role for role in others if await self._values.get(_key(role)) is None]

    async def step(self) -> None:
        """Note the roles of this process, and log those that no process has for a while."""
        await self._values.set_many({_key(role): True for role in self._roles}, LIFE)
        missing = await self.missing()
        for role, looks in self._looks.items():
            self._looks[role] = looks + 1 if role in missing else 0
            if self._looks[role] == LOOKS:
                logger.warning(
                    "whatsapp.role_missing: no process %s. %s", CONSEQUENCES[role], remedy(role)
                )
            elif looks >= LOOKS and role not in missing:
                logger.info("whatsapp.role_is_back: a process with the role %s runs", role)

    async def _run(self) -> None:
        while True:
            try:
                await self.step()
            except StoreError as error:
                # Whoever needs the store reports it.
                logger.debug("whatsapp.presence_failed: %s", error)
            await self._sleep(RENEW)


def _key(role: str) -> str:
    return f"role:{role}"
