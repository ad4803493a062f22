"""
Account state: what WhatsApp has reported about the account and is not over yet.

A paused template, a restriction, a failing payment configuration: each lasts from the event that
begins it to the event that ends it. All of them are one value in the store, since there are few.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from rasa_whatsapp_channel.common import DAY
from rasa_whatsapp_channel.store.base import StoreError, Values
from rasa_whatsapp_channel.whatsapp.account_events import (
    AccountEvent,
    Condition,
    Severity,
    template_subject,
)

KEY: Final = "account"
LOCK: Final = "account:lock"
LIFE: Final = 365 * DAY
#: Seconds. An error that says a template cannot be sent is believed for so long: its end is not
#: reported to apps that are not subscribed to template webhooks.
ERROR_LIFE: Final = DAY / 24
LOCK_LIFE: Final = 5.0
LOCK_TRIES: Final = 100
LOCK_PAUSE: Final = 0.05

TEMPLATE: Final = "template"


@dataclass(frozen=True)
class Trouble:
    """
    One thing about the account that lasts.

    *event* is WhatsApp's word, *since* and *until* are unix seconds; *until* is set where the end
    is not reported.
    """

    topic: str
    event: str
    subject: str = ""
    detail: str = ""
    severity: str = Severity.WARNING.value
    since: float = 0.0
    until: float | None = None

    def __str__(self) -> str:
        what = " ".join(filter(None, (self.topic, self.subject, self.event)))
        return f"{what}: {self.detail}" if self.detail else what


class AccountState:
    """Every method raises `StoreError`."""

    def __init__(
        self,
        values: Values,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._values = values
        self._clock = clock
        self._sleep = sleep

    async def note(self, event: AccountEvent) -> None:
        """Keep what *event* begins, forget what it ends."""
        if event.condition is Condition.NONE:
            return
        trouble = Trouble(
            topic=event.topic,
            event=event.event,
            subject=event.subject,
            detail=event.detail,
            severity=event.severity.value,
            since=self._clock() if event.timestamp is None else float(event.timestamp),
        )
        await self._change(trouble, lasts=event.condition is Condition.BEGINS)

    async def note_template(self, name: str, language: str, event: str, detail: str) -> None:
        """Keep that a template could not be sent, as an error says."""
        now = self._clock()
        subject = template_subject(name, language)
        trouble = Trouble(TEMPLATE, event, subject, detail, since=now, until=now + ERROR_LIFE)
        await self._change(trouble, lasts=True)

    async def troubles(self) -> Sequence[Trouble]:
        """Return what lasts now, the oldest first."""
        found = await self._read()
        return sorted(found.values(), key=lambda trouble: trouble.since)

    async def template_trouble(self, name: str, language: str) -> Trouble | None:
        """Return why a template cannot be sent now, None if nothing is known against it."""
        found = await self._read()
        return found.get(_key(TEMPLATE, template_subject(name, language)))

    async def _change(self, trouble: Trouble, *, lasts: bool) -> None:
        await self._lock()
        try:
            found = await self._read()
            key = _key(trouble.topic, trouble.subject)
            if lasts:
                known = found.get(key)
                is_vague = trouble.until is not None and known is not None and known.until is None
                if not is_vague:  # what WhatsApp reported says more than an error
                    found[key] = trouble
            else:
                found.pop(key, None)
            await self._values.set(KEY, {key: asdict(each) for key, each in found.items()}, LIFE)
        finally:
            await self._values.delete(LOCK)

    async def _read(self) -> dict[str, Trouble]:
        kept = await self._values.get(KEY)
        now = self._clock()
        troubles = {key: _trouble(each) for key, each in (kept or {}).items()}
        return {
            key: each for key, each in troubles.items() if each.until is None or each.until > now
        }

    async def _lock(self) -> None:
        """Let one server at a time change the value."""
        for _ in range(LOCK_TRIES):
            if await self._values.add(LOCK, 1, LOCK_LIFE):
                return
            await self._sleep(LOCK_PAUSE)
        raise StoreError("the state of the account is being changed elsewhere, for too long")


def to_json(troubles: Sequence[Trouble]) -> list[dict[str, Any]]:
    """Return what the health page says of *troubles*."""
    return [
        {name: value for name, value in asdict(each).items() if value not in ("", None)}
        for each in troubles
    ]


def _key(topic: str, subject: str) -> str:
    return f"{topic}:{subject}"


def _trouble(kept: Mapping[str, Any]) -> Trouble:
    names = Trouble.__dataclass_fields__
    return Trouble(**{name: value for name, value in kept.items() if name in names})
