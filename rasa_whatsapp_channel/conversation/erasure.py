"""Erasure: deletes what the store has of one person, in every queue and under every name."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rasa_whatsapp_channel.conversation.consent import anonymize
from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.store.base import DeadLetterRow, Store, WaitingRow
from rasa_whatsapp_channel.store.text import mention_of
from rasa_whatsapp_channel.whatsapp.identity import split_number

EVERYTHING: Final = 1_000_000  # items of a queue


@dataclass(frozen=True)
class Erased:
    """How much of a person was deleted, and what is left of them elsewhere."""

    #: items of all queues
    items: int
    #: entries in the ledger of what was sent
    sent: int
    #: items that wait in chats with others, and name the person
    others: int
    #: the names of the person's conversations
    conversations: Sequence[str]


async def erase_person(store: Store, person: str) -> Erased:
    """
    Delete everything of *person*, a number, a user id or a conversation, also of their chats with
    the other business numbers. Raises `StoreError`.
    """
    person, _ = split_number(person)
    people = People(store.values)
    conversations = (await people.of(person)).conversations(person)
    names = tuple(dict.fromkeys((person, *conversations, *await people.names_of(person))))
    mentions = [mention_of(name) for name in names]
    items = sent = others = 0
    for queue in store.queues:
        lines = {row.conversation: _person_of(row) for row in await queue.waiting(EVERYTHING)}
        lines |= {line: _person_of_line(line) for line in await queue.holds()}
        for line, whose in lines.items():
            if whose in names:
                items += await queue.erase(line)
        for dead in await queue.dead_letters(EVERYTHING):
            if _mentions(dead, mentions):  # what could not be parsed belongs to no conversation
                items += await queue.discard(dead.key)
        left = await queue.waiting(EVERYTHING)
        others += sum(_mentions(row, mentions) for row in left)
    for name in names:
        sent += await store.ledger.erase(name)
        await anonymize(store.values, name)
    for name in names:  # when every opt-out has lost the name of the person
        await store.erase(name)
    return Erased(items, sent, others, conversations)


def _person_of(row: WaitingRow) -> str:
    """Return whom an item is for, whatever the business number; notifications have own lines."""
    to = row.body.get("to")
    return split_number(to)[0] if isinstance(to, str) else _person_of_line(row.conversation)


def _person_of_line(line: str) -> str:
    """Return whom a line of items is for: its name ends with their conversation."""
    return split_number(line.rpartition(":")[2])[0]


def _mentions(row: WaitingRow | DeadLetterRow, mentions: Sequence[re.Pattern[str]]) -> bool:
    whole = json.dumps([row.key, row.conversation, row.body], ensure_ascii=False, default=str)
    return any(mention.search(whole) for mention in mentions)
