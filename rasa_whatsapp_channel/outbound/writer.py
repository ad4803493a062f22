"""Outbox writer: composes the responses of a bot and puts their messages into the outbox."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from rasa_whatsapp_channel import instrumentation
from rasa_whatsapp_channel.compose import Change, Composed
from rasa_whatsapp_channel.compose.closed_window import Way, to_direct
from rasa_whatsapp_channel.compose.combine import Combined, Joined, alone, combine
from rasa_whatsapp_channel.compose.composer import Composer
from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.conversation.message_notes import template_conversation
from rasa_whatsapp_channel.conversation.numbered_replies import NumberedReplies
from rasa_whatsapp_channel.conversation.owner import ANY_OWNER
from rasa_whatsapp_channel.conversation.payloads import Payloads
from rasa_whatsapp_channel.conversation.window import Windows, is_closed
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.outbound.message import (
    OutboxMessage,
    call,
    log_change,
    name_of,
    source_of,
)
from rasa_whatsapp_channel.outbound.owner_gate import OwnerGate
from rasa_whatsapp_channel.outbound.simulator_header import write_changes, write_lost
from rasa_whatsapp_channel.outbound.window import WaysOut
from rasa_whatsapp_channel.store.base import Clock, Store
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.identity import to_recipient
from rasa_whatsapp_channel.whatsapp.json_values import excerpt
from rasa_whatsapp_channel.whatsapp.messages import Template

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Said:
    """A response with its name and its source, as far as they are known."""

    name: str | None
    source: str | None
    composed: Composed

    def called(self, key: str) -> str:
        return call(key, name=self.name, source=self.source)


class OutboxWriter:
    """
    Writes the responses of one turn, or of another occasion such as a reminder. What is said in a
    turn comes through a `TurnWriter`.

    In a turn the recipient is the conversation of the turn. Elsewhere the author of the bot wrote
    it: a number in some spelling, a user id, a conversation.

    The keys of the items are (*turn_id*, position), so a turn that is repeated after a crash puts
    no message twice. A message that was joined from several has the position of the last.

    With *notes* each item tells the simulator what was changed to fit; *tell_dead_letter* reports a
    response of which nothing is left. *turn_version* is the version of the conversation's owner
    with which the turn began, `ANY_OWNER` where what is written is not the bot's. *ways* lead out
    of a closed window, with *direct_send* also Direct Send.
    """

    def __init__(
        self,
        store: Store,
        composer: Composer,
        *,
        people: People | None = None,
        turn_id: str | None = None,
        turn_version: int | None = None,
        owner_gate: OwnerGate | None = None,
        metrics: Metrics | None = None,
        notes: bool = False,
        tell_dead_letter: Callable[[Mapping[str, Any]], Awaitable[None]] | None = None,
        ways: WaysOut | None = None,
        direct_send: bool = False,
        clock: Clock = time.time,
    ) -> None:
        self._store = store
        self._composer = composer
        self._people = people or People(store.values, clock=clock)
        self._is_turn = turn_id is not None
        # Nobody wrote who would be answered: a reminder, a notification.
        self._begins = turn_id is None or turn_version == ANY_OWNER
        self._turn_id = turn_id or f"out:{uuid.uuid4().hex}"
        # Not every turn begins with a message of WhatsApp that can be quoted.
        self._reply_to = turn_id if turn_id and turn_id.startswith("wamid.") else None
        #: position of the next message, as if none was joined
        self.position = 0
        #: version of the conversation's owner with which the next message is said
        self.turn_version = turn_version
        self._metrics = metrics or Metrics()
        self._owner_gate = owner_gate or OwnerGate(None, clock=clock)
        self._notes = notes
        self._tell_dead_letter = tell_dead_letter
        self._ways = ways or WaysOut()
        self._direct_send = direct_send
        self._clock = clock

    async def write(self, recipient_id: str, response: Mapping[str, Any]) -> None:
        """
        Compose *response* and put its messages into the outbox. Raises `StoreError` only.

        With an invalid recipient the response becomes a dead letter.
        """
        try:
            recipient_id = await self._conversation_of(recipient_id)
        except InvalidMessage as error:
            await self._refuse(recipient_id, response, error)
            return
        name = name_of(response)
        with instrumentation.span("compose", {instrumentation.RESPONSE: name} if name else None):
            said = self.compose(recipient_id, response)
            await self.put(recipient_id, [said], alone([said.composed]))

    def compose(self, recipient_id: str, response: Mapping[str, Any]) -> Said:
        composed = self._composer.compose(
            response, reply_to=self._reply_to, recipient_id=recipient_id
        )
        return Said(name_of(response), source_of(response), composed)

    async def put_together(
        self, recipient_id: str, said: Sequence[Said], *, skip: Collection[str]
    ) -> None:
        """Put all that was *said* into the outbox as few messages, without what *skip* names."""
        responses = [each.composed for each in said]
        skipped = [place for place, each in enumerate(said) if each.name in skip]
        with instrumentation.span("compose", None):
            combined = combine(
                responses, api=self._composer.api, captions=self._composer.captions, skip=skipped
            )
            await self.put(recipient_id, said, combined)

    async def put(self, recipient_id: str, said: Sequence[Said], combined: Combined) -> None:
        """Put the messages of *combined* into the outbox; a second time this does nothing."""
        keys: list[str] = []
        count = 0
        version = self.turn_version
        if version is None:
            version = await self._owner_gate.version(recipient_id)
        for each, changes in zip(said, combined.changes, strict=True):
            keys.append(self._key(count))
            count += len(each.composed.messages)
            self._log_changes(changes, each.called(keys[-1]))
            await self._keep(recipient_id, each)
        for each in said:  # first, so that a desk hears of all that comes after
            if each.composed.handoff is not None:
                await self._owner_gate.ask(recipient_id, each.composed.handoff)
        for joined in combined.messages:
            of_it = [said[place] for place in joined.responses]
            changed = chain(*(combined.changes[place] for place in joined.responses))
            first = keys[joined.responses[0]]
            entry = self._entry(recipient_id, of_it, joined, changed, first, version)
            key = self._key(joined.last)
            self._log_changes(joined.changes, entry.called(key))
            if await self._owner_gate.withholds(key, entry, recipient_id):
                continue
            conversation, entry = await self._leave_window(recipient_id, key, entry)
            await self._store.outbox.put(key, conversation, entry.body())
            await self._owner_gate.said(key, entry, recipient_id)
        self.position += count

    async def _keep(self, recipient_id: str, said: Said) -> None:
        """Keep what belongs to the messages of a response: payloads and numbers."""
        composed = said.composed
        lost = [change for change in composed.changes if change.lost]
        if lost and not composed.messages and self._tell_dead_letter is not None:
            await self._tell_dead_letter(write_lost(recipient_id, said.name, lost))
        if composed.payloads:
            await Payloads(self._store.values).keep(composed.payloads)
        if composed.messages:
            numbered = NumberedReplies(self._store.values)
            await numbered.offer(recipient_id, self._turn_id, composed.choices)

    async def _conversation_of(self, recipient_id: str) -> str:
        if self._is_turn:
            return recipient_id
        written = to_recipient(recipient_id)
        conversation = await self._people.conversation_of(written)
        if conversation != recipient_id:
            self._log_renamed(is_spelling=written != recipient_id)
        return conversation

    def _log_renamed(self, *, is_spelling: bool) -> None:
        why = "is no name as WhatsApp writes it" if is_spelling else "is another name of somebody"
        logger.warning(
            "whatsapp.recipient_renamed: %s: the recipient %s; the message goes into their "
            "conversation, but Rasa keeps what was said in one of the name it was given: take the "
            "sender_id of the conversation, or a number in digits with its country's code",
            self._key(),
            why,
        )

    async def _refuse(
        self, recipient_id: object, response: Mapping[str, Any], error: InvalidMessage
    ) -> None:
        """Put a response without a valid recipient into the dead letters, for a person to see."""
        name = name_of(response)
        said = call(self._key(), name=name, source=source_of(response))
        logger.error("whatsapp.recipient_refused: %s: %s", said, error)
        self._metrics.dead_letter("outbox")
        body = {"recipient_id": excerpt(recipient_id), "said": excerpt(response)}
        await self._store.outbox.put_dead_letter(self._key(), "", body, f"{said}: {error}")
        self.position += 1

    def _key(self, place: int = 0) -> str:
        return f"{self._turn_id}:{self.position + place}"

    async def _leave_window(
        self, recipient_id: str, key: str, entry: OutboxMessage
    ) -> tuple[str, OutboxMessage]:
        """
        Return the conversation in the outbox, and what is put there.

        The sender does the same while the window is closed, but an earlier message that waits for
        it may delay that. The key lets a template be sent only once.
        """
        if not entry.needs_window:
            is_apart = await self._is_closed(recipient_id, entry)
            return template_conversation(recipient_id) if is_apart else recipient_id, entry
        ways = self._ways
        if not (entry.direct or entry.template or ways.carries_text):
            return recipient_id, entry
        outside = await ways.of(entry)
        if outside.way is Way.WAIT or not await self._is_closed(recipient_id, entry):
            return recipient_id, entry
        if outside.replaces:
            return template_conversation(recipient_id), ways.replacement(entry, key, outside)
        if outside.way is not Way.REENGAGEMENT:
            await ways.put(self._store.outbox, entry, key, outside)
        return recipient_id, entry

    async def _is_closed(self, recipient_id: str, entry: OutboxMessage) -> bool:
        person = await self._people.of(recipient_id)
        names = person.conversations(recipient_id)
        windows, now = Windows(self._store.values), self._clock()
        wrote_at = await windows.last_wrote(names)
        if wrote_at is None and self._begins:
            # An ordinary message would be refused first.
            return not entry.needs_window or await windows.close(names, since=now)
        return is_closed(wrote_at, now)

    def _log_changes(self, changes: Iterable[Change], said: str) -> None:
        for change in changes:
            log_change(replace(change, response=said), self._metrics)

    def _entry(
        self,
        recipient_id: str,
        said: Sequence[Said],
        joined: Joined,
        changes: Iterable[Change],
        key: str,
        version: int,
    ) -> OutboxMessage:
        """Return the item of *joined*, which holds *said*; the first of that is at *key*."""
        entry = OutboxMessage(
            recipient_id,
            joined.outgoing.body(),
            _all(each.name for each in said),
            _all(each.source for each in said),
            write_changes([*changes, *joined.changes]) if self._notes else (),
            turn_version=version,
        )
        template = said[0].composed.template
        if isinstance(joined.outgoing.message, Template):
            return entry
        if template is not None:
            entry = replace(
                entry,
                template=template.body(),
                template_key=f"{key}:template",  # shared by all messages of the response
                is_own=said[0].composed.is_own,
            )
        if self._direct_send:
            entry = replace(entry, direct=_direct_body(said, joined, entry.response))
        return entry


def _direct_body(
    said: Sequence[Said], joined: Joined, response: str | None
) -> Mapping[str, Any] | None:
    composed = said[0].composed
    if joined.count == 1:
        places = [each.message for each in composed.messages]
        return to_direct(composed, response)[places.index(joined.outgoing.message)]
    if any(each.composed.template or not each.composed.direct_send for each in said):
        return None
    return to_direct(replace(composed, messages=(joined.outgoing,)), response)[0]


def _all(names: Iterable[str | None]) -> str | None:
    return ", ".join(dict.fromkeys(filter(None, names))) or None
