"""
Account state: what WhatsApp has reported about the account and is not over yet.

A paused template, a restriction, a failing payment configuration: each lasts from the event that
begins it to the event that ends it. All of them are one value in the store, since there are few.
The category of each template that was reported is a value of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from rasa_whatsapp_channel.store.base import Values
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp.account_events import (
    AccountEvent,
    Condition,
    Severity,
    Stops,
    messaging_limit,
    template_category,
)
from rasa_whatsapp_channel.whatsapp.errors import PlatformError

DIRECT_SEND_BLOCKED: Final = 139200  # WhatsApp's code

KEY: Final = "account"
LIMIT: Final = "messaging_limit"
LIFE: Final = 365 * DAY
#: Seconds. An error that says a template cannot be sent is believed for so long: its end is not
#: reported to apps that are not subscribed to template webhooks.
ERROR_LIFE: Final = DAY / 24
#: Seconds that a restriction lasts whose end WhatsApp does not say.
RESTRICTION_LIFE: Final = DAY
#: Seconds for which an account without trouble is not read again before each message. What is sent
#: meanwhile in spite of a new one is refused by WhatsApp, and then waits like any other.
CLEAR: Final = 1.0

# Topics of account events, and one of ours.
TEMPLATE: Final = "template"
ACCOUNT: Final = "account"
DIRECT_SEND: Final = "direct_send"


@dataclass(frozen=True)
class Trouble:
    """
    One thing about the account that lasts.

    *event* is WhatsApp's word, *since* and *until* are unix seconds; *until* is set where no event
    reports the end. *stops* is a value of `Stops`; *code* is that of the error that told of it.
    """

    topic: str
    event: str
    subject: str = ""
    detail: str = ""
    severity: str = Severity.WARNING.value
    since: float = 0.0
    until: float | None = None
    stops: str = Stops.NOTHING.value
    code: int = 0

    @property
    def is_about_template(self) -> bool:
        return self.topic == TEMPLATE

    def __str__(self) -> str:
        what = " ".join(filter(None, (self.topic, self.subject, self.event)))
        return f"{what}: {self.detail}" if self.detail else what


class AccountState:
    """
    Every method raises `StoreError`.

    A bot that *has_numbers*, several, cannot tell which of them a restriction names: it stops none.
    """

    def __init__(
        self,
        values: Values,
        *,
        has_numbers: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._values = values
        self._has_numbers = has_numbers
        self._clock = clock
        self._clear_at = 0.0  # when nothing about the account lasted

    async def note(self, event: AccountEvent) -> None:
        """Keep what *event* begins, forget what it ends."""
        if category := template_category(event):
            await self.note_category(event.subject, category)
        if (limit := messaging_limit(event)) is not None:
            await self._values.set(LIMIT, limit, LIFE)
        if event.condition is Condition.NONE:
            return
        now = self._clock()
        until = event.until
        if until is None and event.stops is not Stops.NOTHING and event.topic != ACCOUNT:
            until = now + RESTRICTION_LIFE
        trouble = Trouble(
            topic=event.topic,
            event=event.event,
            subject=event.subject,
            detail=event.detail,
            severity=event.severity.value,
            since=now if event.timestamp is None else float(event.timestamp),
            until=until,
            stops=event.stops.value,
        )
        await self._change(trouble, lasts=event.condition is Condition.BEGINS)

    async def keep(self, trouble: Trouble) -> None:
        """Keep *trouble*, which the channel found out itself, until its end."""
        await self._change(trouble, lasts=True)

    async def end(self, topic: str, subject: str) -> None:
        """Forget a trouble that the channel found out itself."""
        await self._change(Trouble(topic, "", subject), lasts=False)

    async def note_template(self, template: str, event: str, error: PlatformError) -> None:
        """Keep that *template*, as `template_subject` names it, could not be sent."""
        await self._note_error(error, Trouble(TEMPLATE, event, template))

    async def note_direct_send(self, error: PlatformError) -> None:
        """Keep that the account may not use Direct Send, if *error* says that."""
        is_off = error.code == 100 and "direct send" in str(error).lower()
        if is_off or error.code == DIRECT_SEND_BLOCKED:
            stops = Stops.DIRECT_SEND.value
            await self._note_error(error, Trouble(DIRECT_SEND, "REFUSED", stops=stops))

    async def _note_error(self, error: PlatformError, trouble: Trouble) -> None:
        now = self._clock()
        until, detail = now + ERROR_LIFE, str(error)
        told = replace(trouble, detail=detail, since=now, until=until, code=error.code)
        await self._change(told, lasts=True)

    async def may_direct_send(self) -> bool:
        """Return whether nothing is known against Direct Send."""
        found = await self._read()
        return all(each.stops != Stops.DIRECT_SEND.value for each in found.values())

    async def troubles(self) -> Sequence[Trouble]:
        """Return what lasts now, the oldest first."""
        found = await self._read()
        return sorted(found.values(), key=lambda trouble: trouble.since)

    async def obstacle(self, template: str | None = None) -> Trouble | None:
        """
        Return why a message cannot be sent now, None if nothing is known against it.

        What another server noted in the last second may not be known yet. *template* is the one it
        is, as `template_subject` names it.
        """
        if 0 <= self._clock() - self._clear_at < CLEAR:
            return None
        found = await self._read()
        if not found:
            self._clear_at = self._clock()
        stopped = {Stops.MESSAGES.value, *([Stops.TEMPLATES.value] if template else [])}
        for each in found.values():
            if each.stops in stopped and not (each.subject and self._has_numbers):
                return each
        return found.get(_key(TEMPLATE, template)) if template else None

    async def messaging_limit(self, otherwise: int | None = None) -> int | None:
        """Return how many people may be written to in a day, as WhatsApp told last; 0: all."""
        limit = await self._values.get(LIMIT)
        return limit if isinstance(limit, int) else otherwise

    async def note_category(self, template: str, category: str) -> None:
        """Keep the *category* of a template, in WhatsApp's upper case."""
        if await self.category(template) != category:
            await self._values.set(f"category:{template}", category, LIFE)

    async def category(self, template: str) -> str | None:
        category = await self._values.get(f"category:{template}")
        return category if isinstance(category, str) else None

    async def _change(self, trouble: Trouble, *, lasts: bool) -> None:
        """Change the value; where another process did so meanwhile, change what that has left."""

        def change(kept: Any) -> Any:
            found = self._parse(kept)
            key = _key(trouble.topic, trouble.subject)
            if lasts:
                known = found.get(key)
                is_vague = trouble.code and known is not None and not known.code
                if not is_vague:  # what WhatsApp reported says more than an error
                    found[key] = trouble
            else:
                found = {key: each for key, each in found.items() if not _ends(trouble, each)}
            return {key: asdict(each) for key, each in found.items()}

        await self._values.change(KEY, change, LIFE)
        self._clear_at = 0.0

    async def _read(self) -> dict[str, Trouble]:
        return self._parse(await self._values.get(KEY))

    def _parse(self, kept: Mapping[str, Any] | None) -> dict[str, Trouble]:
        now = self._clock()
        troubles = {key: _trouble(each) for key, each in (kept or {}).items()}
        return {
            key: each for key, each in troubles.items() if each.until is None or each.until > now
        }


def to_json(troubles: Sequence[Trouble]) -> list[dict[str, Any]]:
    """Return what the health page says of *troubles*."""
    return [
        {name: value for name, value in asdict(each).items() if value not in ("", None, 0)}
        for each in troubles
    ]


def _ends(event: Trouble, trouble: Trouble) -> bool:
    """Return whether *event* ends *trouble*; a reinstated account has no restrictions either."""
    is_same = trouble.subject == event.subject
    if event.topic == ACCOUNT:
        topic = trouble.topic.partition(" ")[0]
        return topic in (ACCOUNT, "restriction") and (is_same or not event.subject)
    return is_same and trouble.topic == event.topic


def _key(topic: str, subject: str) -> str:
    return f"{topic}:{subject}"


def _trouble(kept: Mapping[str, Any]) -> Trouble:
    names = Trouble.__dataclass_fields__
    return Trouble(**{name: value for name, value in kept.items() if name in names})
