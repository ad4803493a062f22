"""
Identity: maps all ids of a person to one conversation.

A person has a phone number, a business-scoped user id, or both, and may have a parent user id. Any
of them may be missing in the next message, any may change, and WhatsApp may write a number in
another way than it was dialled: 55 11 98765-4321 answers as 55 11 8765-4321. A conversation keeps
the name it began with. Ids that WhatsApp mentions together belong together: in a webhook, in the
answer to a message, in its statuses, and in the notice of a change.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from rasa_whatsapp_channel.conversation.person import Person
from rasa_whatsapp_channel.store.base import Clock, Values
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp.events import InboundMessage, UserIdChanged
from rasa_whatsapp_channel.whatsapp.identity import (
    at_number,
    is_group_id,
    is_taken_over,
    is_user_id,
    read_change,
    split_number,
)

logger = logging.getLogger(__name__)

LIFE: Final = 90 * DAY  # after the person's last message
LEFT: Final = 3650 * DAY  # how long a number that changed hands does not lead to its former owner
REFRESH: Final = 0.5 * DAY  # age of a record after which it is written again to live longer
RECENT: Final = 30.0  # seconds that a person is cached; other processes may learn of changes, too
MOST: Final = 10_000  # cached persons
# How long before the notice of a change the person may have written under the new id.
EARLY: Final = DAY
_IDS: Final = 32  # most ids of one person


@dataclass(frozen=True)
class _Joined:
    """*person*, the *notes* to be stored of them, none if nothing is new, and who is *over* now."""

    person: Person
    notes: Mapping[str, Any] = field(default_factory=dict)
    over: Sequence[str] = ()

    @property
    def life(self) -> float:
        return LEFT if is_taken_over(self.person.name) else LIFE


class People:
    """*sender_id* is the setting of that name: which id names a new conversation."""

    def __init__(
        self, values: Values, *, sender_id: str = "phone", clock: Clock = time.time
    ) -> None:
        self._values = values
        self._sender_id = sender_id
        self._clock = clock
        self._recent: dict[tuple[str, ...], tuple[Person, float]] = {}

    async def sender(self, event: InboundMessage) -> tuple[Person, Mapping[str, Any]]:
        """
        Return the person who wrote *event*, whose name is that of the conversation, for one in a
        group that of the group; and what the caller stores of them for `LIFE`, in one step with
        *event*. Raises `StoreError`.
        """
        preferred = sender_of(event, self._sender_id)
        ids = _given(event.user_id, event.phone, event.parent_user_id)
        if event.group_id or not ids:
            return Person.begin(preferred), {}
        if person := self._remembered(ids):
            return person, {}
        known, record = await self._names(ids, record=preferred)
        found = await self._find(known.values(), record)
        person = _likeliest(found) or Person.begin(preferred, self._clock())
        person = replace(
            person,
            phone=event.phone or person.phone,
            user_id=event.user_id or person.user_id or event.parent_user_id,
            heard=True,
            after=None,
        )
        joined = await self._merge(person, found, ids, known)
        if joined.notes and joined.life == LIFE and not joined.over:
            return joined.person, joined.notes  # remembered once they are stored
        await self._store(joined)
        self._remember(ids, joined.person)
        return joined.person, {}

    async def conversation_of(self, recipient_id: str) -> str:
        """
        Return the conversation for messages to *recipient_id*, any id of a person.

        An unknown person is stored: a notice of another id may come before their first message.
        """
        name, number = split_number(recipient_id)
        if is_group_id(name):
            return recipient_id
        person = self._remembered(("to", name))
        if person is None:
            person = await self._of(name)
            if person is None:
                person = Person.begin(name, self._clock())
                await self._join(person, (), (name,), {})
            self._remember(("to", name), person)
        return at_number(person.name, number) if number else person.name

    async def locate(
        self, phone: str | None, user_id: str | None, parent_user_id: str | None = None
    ) -> str | None:
        """
        Return the conversation of somebody who did not write just now; None without any id.

        An unknown person is stored, as in `conversation_of`. Raises `StoreError`.
        """
        named = _preferred(phone, user_id or parent_user_id, self._sender_id)
        if named is None:
            return None
        conversation = await self.conversation_of(named)
        await self.tie(conversation, user_id, phone, parent_user_id)
        return (await self.of(conversation)).name

    async def of(self, conversation: str) -> Person:
        """Return the person of *conversation*. Raises `StoreError`."""
        name, _ = split_number(conversation)
        return await self._of(name) or Person.begin(name)

    async def names_of(self, conversation: str) -> tuple[str, ...]:
        """Return all ids and names that lead to the person of *conversation* alone."""
        name, _ = split_number(conversation)
        person = await self._of(name) or Person.begin(name)
        names = dict.fromkeys((name, person.name, *person.others, *person.ids))
        owners = {each: await self._of(each) for each in names}
        return tuple(
            each for each, owner in owners.items() if owner is None or owner.name == person.name
        )

    async def tie(
        self, conversation: str, *ids: str | None, known_as: Person | None = None
    ) -> None:
        """
        Record that *ids* also belong to the person of *conversation*. Raises `StoreError`.

        If the person has written under one of them before, that conversation continues. *known_as*
        is the person as read a moment ago: where these are their ids, nothing is read again.
        """
        name, _ = split_number(conversation)
        given = _given(*ids)
        if is_group_id(name) or not given or any(is_group_id(value) for value in given):
            return
        key = ("tie", name, *given)
        if self._remembered(key):
            return
        mine = known_as
        if mine is None or not self._is_settled(mine, name, given):
            mine = await self._of(name) or Person.begin(name, self._clock())
        if self._is_settled(mine, name, given):
            self._remember(key, mine)
            return
        known, _ = await self._names((*given, name))
        # A late notice must not bring back an id that changed hands.
        current = [each for each in (*given, name) if not is_taken_over(known.get(each, ""))]
        found = await self._find(known[each] for each in current if each in known)
        heard = (each for each in found if each.heard)
        person = mine if mine.heard else next(heard, mine)
        news = [each for each in current if each not in person.ids]
        person = replace(
            person,
            phone=person.phone or _first_number(news),
            user_id=person.user_id or _first_user_id(news),
        )
        person = await self._join(person, [mine, *found], current, known)
        self._remember(key, person)

    def _is_settled(self, person: Person, name: str, ids: Sequence[str]) -> bool:
        """Return whether *ids* are those of *person* now, who is stored as *name* for long yet."""
        is_fresh = 0 <= self._clock() - person.kept < REFRESH
        return is_fresh and person.name == name and {*ids} <= {person.phone, person.user_id}

    async def change(self, event: InboundMessage | UserIdChanged) -> str | None:
        """
        Continue a conversation under the new ids of its person. Raises `StoreError`.

        Returns its name; None if neither the old nor the new ids are known. The same notice may
        come several times, in several forms, in any order, and after newer messages.
        """
        change = read_change(event)
        known, _ = await self._names((*change.old, *change.new))
        old, new = [
            await self._find((known[each] for each in ids if each in known), resolve=True)
            for ids in (change.old, change.new)
        ]
        again = [each for each in new if change.old and set(change.old) <= set(each.ids)]
        person = _likeliest(again) or _likeliest(old) or _likeliest(new)
        if person is None:
            return None
        if not change.new or 0 < change.timestamp < person.changed:
            return person.name
        phone = _first_number(change.new)
        told_before = set(change.new) & set(person.ids)
        over = [*change.old]
        if phone and known.get(phone) != person.name:  # and so do its other spellings
            over += person.ids
        if phone:
            await self._leave(person, set(over) - set(change.new), change.timestamp)
        person = replace(
            person,
            # A changed number brings a new user id.
            phone=phone or (person.phone if told_before else None),
            user_id=_first_user_id(change.new) or (person.user_id if told_before else None),
            ids=_union(person.ids, change.old),
            changed=max(float(change.timestamp), person.changed),
        )
        self._recent.clear()
        person = await self._join(person, new, change.new, known, is_move=True)
        return person.name

    async def _join(
        self,
        person: Person,
        found: Iterable[Person],
        ids: Sequence[str],
        known: Mapping[str, str],
        *,
        is_move: bool = False,
    ) -> Person:
        """Store *person* under *ids*, merged with the persons *found* under one of them."""
        joined = await self._merge(person, found, ids, known, is_move=is_move)
        await self._store(joined)
        return joined.person

    async def _merge(
        self,
        person: Person,
        found: Iterable[Person],
        ids: Sequence[str],
        known: Mapping[str, str],
        *,
        is_move: bool = False,
    ) -> _Joined:
        """
        Merge *person*, whose *ids* these are, with the persons *found* under one of them.

        *known* maps the ids to their conversations until now.
        """
        found = list(found)
        before = next((each for each in found if each.name == person.name), None)
        over: list[str] = []
        notes: dict[str, Any] = {}
        for other in found:
            if other.name == person.name or other.name in over:
                continue
            if not self._is_same(person, other, ids, is_move=is_move):
                # Only the ids that WhatsApp mentions together belong to this person now.
                if other.phone in ids:
                    notes[record_key(other.name)] = replace(other, phone=None).to_value()
                continue
            over.append(other.name)
            for value in (*other.ids, other.name):
                if await self._values.get(alias_key(value)) in (other.name, None):
                    notes[alias_key(value)] = person.name
            person = replace(
                person,
                phone=person.phone or other.phone,
                user_id=person.user_id or other.user_id,
                ids=_union(person.ids, other.ids),
                others=_union(person.others, (other.name, *other.others)),
                heard=person.heard or other.heard,
            )
            logger.info("whatsapp.same_person: two conversations are of one person; one goes on")
        now, all_ids = self._clock(), _union(person.ids, ids)
        is_known = all_ids == person.ids and all(known.get(each) == person.name for each in ids)
        if is_known and person == before and 0 <= now - person.kept < REFRESH:
            return _Joined(person)
        person = replace(person, ids=all_ids, kept=now)
        notes |= {alias_key(value): person.name for value in ids}
        notes[record_key(person.name)] = person.to_value()
        return _Joined(person, notes, over)

    async def _store(self, joined: _Joined) -> None:
        await self._values.set_many(joined.notes, joined.life)
        for name in joined.over:
            await self._values.delete(record_key(name))
        if joined.over:
            self._recent.clear()

    def _is_same(self, person: Person, other: Person, ids: Sequence[str], *, is_move: bool) -> bool:
        """
        Return whether *other* is the same person as *person*, and does not only share ids.

        Numbers pass from one owner to the next, user ids do not.
        """
        if is_taken_over(other.name) and other.heard:
            return False
        if other.user_id is None or other.user_id in (person.user_id, *ids):
            return True
        if is_move:  # another person may have had the new number before
            return self._clock() - other.since < EARLY
        return person.user_id is None

    async def _names(
        self, ids: Iterable[str], *, record: str | None = None
    ) -> tuple[dict[str, str], Person | None]:
        """Return known id → conversation, and the person of the conversation *record* if known."""
        keys = {value: alias_key(value) for value in ids}
        also = () if record is None else (record_key(record),)
        found = await self._values.get_many(*keys.values(), *also)
        names = {value: found.get(key) for value, key in keys.items()}
        known = {value: name for value, name in names.items() if isinstance(name, str)}
        return known, Person.from_value(found.get(also[0])) if also else None

    async def _find(
        self, names: Iterable[str], at_hand: Person | None = None, *, resolve: bool = False
    ) -> list[Person]:
        """
        Return the persons of the conversations *names*, each once; *at_hand* was read already.

        With *resolve*, a new owner of a number who has not written yet is its former owner.
        """
        found: dict[str, Person] = {}
        for name in dict.fromkeys(names):
            person = at_hand if at_hand and at_hand.name == name else await self._record(name)
            person = person or Person.begin(name)
            if resolve and person.after is not None:
                person = await self._record(person.after) or person
            found.setdefault(person.name, person)
        return list(found.values())

    async def _of(self, name: str) -> Person | None:
        if person := await self._record(name):
            return person
        known = await self._values.get(alias_key(name))
        if not isinstance(known, str):
            return None
        return await self._record(known) or Person.begin(known)

    async def _record(self, name: str) -> Person | None:
        return Person.from_value(await self._values.get(record_key(name)))

    async def _leave(self, person: Person, numbers: Iterable[str], at: int) -> None:
        """Detach *numbers* from *person*: their next owners get conversations of their own."""
        for number in filter(str.isdecimal, sorted(numbers)):
            if await self._values.get(alias_key(number)) not in (person.name, None):
                continue
            name = f"{number}~{at}"
            next_owner = Person(name, phone=number, ids=(number, name), after=person.name)
            notes = {record_key(name): next_owner.to_value(), alias_key(number): name}
            await self._values.set_many(notes, LEFT)

    def _remembered(self, ids: tuple[str, ...]) -> Person | None:
        person, at = self._recent.get(ids, (None, 0.0))
        return person if person and 0 <= self._clock() - at < RECENT else None

    def _remember(self, ids: tuple[str, ...], person: Person) -> None:
        if len(self._recent) >= MOST:
            self._recent.clear()
        self._recent[ids] = (person, self._clock())


def at_our_number(name: str, number: str | None, numbers: Sequence[str]) -> str:
    """
    Return the conversation of *name* with the business number *number*, one of *numbers*.

    The chats of one person with two numbers of ours are two; those with the first are not marked.
    """
    return at_number(name, number) if number and number in numbers[1:] else name


def alias_key(value: str) -> str:
    """Return the key of the conversation that a phone number or user id belongs to."""
    return f"person:{value}"


def record_key(name: str) -> str:
    """Return the key of the `Person` of the conversation *name*."""
    return f"address:{name}"


def sender_of(event: InboundMessage, sender_id: str = "phone") -> str:
    """
    Return the conversation of *event* by its ids alone: that of a group, or of its sender.

    *sender_id* is the setting of that name: the preferred id (phone, user_id).
    """
    named = _preferred(event.phone, event.user_id or event.parent_user_id, sender_id)
    return event.group_id or named or event.id


def _preferred(phone: str | None, user_id: str | None, sender_id: str) -> str | None:
    return user_id or phone if sender_id == "user_id" else phone or user_id


def _likeliest(found: Sequence[Person]) -> Person | None:
    """Return the conversation that continues: one in which the person wrote, else the first."""
    heard = (person for person in found if person.heard)
    return next(heard, next(iter(found), None))


def _first_number(ids: Iterable[str]) -> str | None:
    return next((value for value in ids if not is_user_id(value)), None)


def _first_user_id(ids: Iterable[str]) -> str | None:
    return next(filter(is_user_id, ids), None)


def _given(*ids: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in ids if value))


def _union(first: Iterable[str], second: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))[-_IDS:]
