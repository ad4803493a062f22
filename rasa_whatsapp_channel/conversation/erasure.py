"""Erasure: deletes what the store has of one person, in every queue and under every name."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from rasa_whatsapp_channel.conversation.consent import anonymize
from rasa_whatsapp_channel.conversation.handoffs import HISTORY, beside
from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.conversation.message_notes import template_conversation
from rasa_whatsapp_channel.store.base import DeadLetterRow, Store, WaitingRow
from rasa_whatsapp_channel.store.text import mention_of

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
    """Delete everything of *person*, a number or a user id. Raises `StoreError`."""
    people = People(store.values)
    conversations = (await people.of(person)).conversations(person)
    names = tuple(dict.fromkeys((person, *conversations, *await people.names_of(person))))
    mentions = [mention_of(name) for name in names]
    items = sent = others = 0
    for queue, key, others_of in (
        (store.outbox, "recipient_id", (template_conversation,)),
        (store.inbox, "to", (partial(beside, HISTORY),)),
        (store.desk, "conversation", ()),
    ):
        waiting = await queue.waiting(EVERYTHING)
        theirs = {row.conversation for row in waiting if row.body.get(key) in names}
        for conversation in theirs.union(names, (of(name) for of in others_of for name in names)):
            items += await queue.erase(conversation)
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


def _mentions(row: WaitingRow | DeadLetterRow, mentions: Sequence[re.Pattern[str]]) -> bool:
    whole = json.dumps([row.key, row.conversation, row.body], ensure_ascii=False, default=str)
    return any(mention.search(whole) for mention in mentions)
