"""
Consent: whether a person wants marketing messages.

Nobody is asked, so only what somebody said is known: to WhatsApp, to the bot, to the bot's owner.
It is kept under a hash of each id of the person and outlives their other data: whoever opted out
and was forgotten must not be written to again.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from rasa_whatsapp_channel.conversation.person import Person
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.store.base import Clock, Values
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp.identity import is_taken_over

logger = logging.getLogger(__name__)

LIFE: Final = 3650 * DAY
PREFIX: Final = "consent:"


@dataclass(frozen=True)
class Consent:
    """
    What a person said last. *at* is in unix seconds, *source* says how we know.

    *person* is the name of the conversation, None after the person's data was deleted.
    """

    marketing: bool
    at: float
    source: str
    person: str | None = None


class Consents:
    """Every method raises `StoreError`."""

    def __init__(
        self, values: Values, metrics: Metrics | None = None, *, clock: Clock = time.time
    ) -> None:
        self._values = values
        self._metrics = metrics or Metrics()
        self._clock = clock

    async def of(self, person: Person) -> Consent | None:
        """Return what *person* said last, None for who said nothing."""
        found = [await self._values.get(consent_key(each)) for each in _names(person)]
        return max((Consent(**each) for each in found if each), key=_at, default=None)

    async def note(
        self, person: Person, *, marketing: bool, source: str, at: float | None = None
    ) -> bool:
        """Keep what *person* said; False: something newer is known."""
        before = await self.of(person)
        consent = Consent(marketing, self._clock() if at is None else at, source, person.name)
        if before is not None and before.at > consent.at:
            return False
        keys = map(consent_key, _names(person))
        await self._values.set_many(dict.fromkeys(keys, asdict(consent)), LIFE)
        if before is None or before.marketing is not marketing:
            self._metrics.consent("resume" if marketing else "stop")
            logger.info(
                "whatsapp.consent: a person wants %s; known from: %s",
                "marketing messages again" if marketing else "no marketing messages",
                source,
            )
        return True

    async def all(self) -> Sequence[Consent]:
        """Return what is known of everybody, the newest first."""
        distinct = {Consent(**each): None async for _, each in self._values.find(PREFIX)}
        return sorted(distinct, key=_at, reverse=True)


async def anonymize(values: Values, name: str) -> None:
    """Delete what is known under *name*, except an opt-out, which loses the person's name."""
    key = consent_key(name)
    kept: Any = await values.get(key)
    if kept is not None and not kept["marketing"]:
        await values.set(key, asdict(replace(Consent(**kept), person=None)), LIFE)
    else:
        await values.delete(key)


def consent_key(name: str) -> str:
    return f"{PREFIX}{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def _names(person: Person) -> Sequence[str]:
    """Return the names to keep it under: ids of today, for when the conversation is forgotten."""
    # The former owner of a number said it for themselves.
    phone = None if is_taken_over(person.name) else person.phone
    names = (person.name, *person.others, phone, person.user_id)
    return tuple(dict.fromkeys(filter(None, names)))


def _at(consent: Consent) -> float:
    return consent.at
