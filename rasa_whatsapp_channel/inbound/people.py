"""
Whose conversation a message belongs to, when WhatsApp tells now the number of a person, now the id.

A person has a phone number, or a business-scoped user id, or both; either may be missing in the
next message, and either may change. A conversation keeps the name it began with: every webhook that
holds both ids ties them together, and news of a change ties the new one to the old.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Final

from rasa_whatsapp_channel.inbound.turn import sender_of
from rasa_whatsapp_channel.store.base import DAY, Clock, Values
from rasa_whatsapp_channel.store.keys import address_key, person_key
from rasa_whatsapp_channel.whatsapp.events import InboundMessage, UserIdChanged
from rasa_whatsapp_channel.whatsapp.identity import is_user_id
from rasa_whatsapp_channel.whatsapp.plain import object_of, text_of

LIFE: Final = 90 * DAY  # since the person wrote last
LEFT: Final = 3650 * DAY  # how long a number that was given up is not taken for its old owner
RECENT: Final = 0.5 * DAY  # how long a name is taken from memory
MOST: Final = 10_000

Ids = tuple[str, ...]


class People:
    """*sender_id*, the setting of that name, says which id names a conversation that begins."""

    def __init__(
        self, values: Values, *, sender_id: str = "phone", clock: Clock = time.time
    ) -> None:
        self._values = values
        self._sender_id = sender_id
        self._clock = clock
        self._recent: dict[Ids, tuple[str, float]] = {}

    async def name(self, event: InboundMessage) -> str:
        """Return the `sender_id` of *event*, a person's or a group's. Raises `StoreError`."""
        preferred = sender_of(event, self._sender_id)
        ids = _given(event.user_id, event.phone)
        if event.group_id or not ids:
            return preferred
        name, at = self._recent.get(ids, ("", 0.0))
        if name and 0 <= self._clock() - at < RECENT:
            return name
        name = await self._known(ids) or preferred
        notes = {person_key(value): name for value in ids}
        if event.phone and event.phone != name:  # WhatsApp wants to be told the number, if known
            notes[address_key(name)] = event.phone
        await self._values.set_many(notes, LIFE)
        if len(self._recent) >= MOST:
            self._recent.clear()
        self._recent[ids] = (name, self._clock())
        return name

    async def change(self, event: InboundMessage | UserIdChanged) -> None:
        """Let a conversation go on under the new ids of its person. Raises `StoreError`."""
        old, new = _ids_of_change(event)
        name = await self._known(old)
        numbers = [value for value in old if not is_user_id(value)]
        left = {number: f"{number}~{event.timestamp or 0}" for number in numbers}
        if name is None or not new or name in left.values():  # heard of before
            return
        self._recent.clear()
        address = next((value for value in new if not is_user_id(value)), new[0])
        notes = {person_key(value): name for value in new}
        await self._values.set_many({**notes, address_key(name): address}, LIFE)
        if not is_user_id(address):
            await self._leave(left)

    async def _known(self, ids: Iterable[str]) -> str | None:
        for value in ids:
            name = await self._values.get(person_key(value))
            if isinstance(name, str):
                return name
        return None

    async def _leave(self, names: Mapping[str, str]) -> None:
        """Numbers are given to other people one day, and those must not land in this chat."""
        for number, name in names.items():
            await self._values.set_many({address_key(name): number, person_key(number): name}, LEFT)


def _ids_of_change(event: InboundMessage | UserIdChanged) -> tuple[Ids, Ids]:
    """Return the ids of before, and those of them that are new."""
    if isinstance(event, UserIdChanged):
        return (event.previous,), _given(event.current, event.phone)
    content = object_of(event.content)
    number = text_of(content.get("wa_id")) or text_of(content.get("new_wa_id"))
    old = _given(event.user_id, event.phone)
    new = _given(text_of(content.get("user_id")), number)
    return old, tuple(value for value in new if value not in old)


def _given(*ids: str | None) -> Ids:
    return tuple(value for value in ids if value)
