"""Outbox writer: composes the responses of a bot and puts their messages into the outbox."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from rasa_whatsapp_channel import instrumentation
from rasa_whatsapp_channel.compose import Change, Composed, compose
from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.conversation.message_notes import template_lane
from rasa_whatsapp_channel.conversation.numbered_replies import NumberedReplies
from rasa_whatsapp_channel.conversation.payloads import Payloads
from rasa_whatsapp_channel.conversation.window import Windows, is_closed
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.outbound.message import OutboxMessage, call, name_of, source_of
from rasa_whatsapp_channel.outbound.simulator_header import write_changes, write_lost
from rasa_whatsapp_channel.store.base import Clock, Store
from rasa_whatsapp_channel.whatsapp.apis import Api
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.identity import to_recipient
from rasa_whatsapp_channel.whatsapp.json_values import excerpt
from rasa_whatsapp_channel.whatsapp.messages import Template

logger = logging.getLogger(__name__)


class OutboxWriter:
    """
    Writes the responses of one turn, or of another occasion such as a reminder.

    In a turn the recipient is the conversation of the turn. Elsewhere the author of the bot wrote
    it: a number in some spelling, a user id, a conversation.

    The keys of the items are (*turn_id*, position), so a turn that is repeated after a crash puts
    no message twice. With *notes* each item tells the simulator what was changed to fit;
    *tell_dead_letter* reports a response of which nothing is left.
    """

    def __init__(
        self,
        store: Store,
        api: Api,
        *,
        people: People | None = None,
        captions: str = "merge",
        markdown: bool = True,
        unknown_keys: str = "pass",
        turn_id: str | None = None,
        metrics: Metrics | None = None,
        notes: bool = False,
        tell_dead_letter: Callable[[Mapping[str, Any]], Awaitable[None]] | None = None,
        clock: Clock = time.time,
    ) -> None:
        self._store = store
        self._api = api
        self._people = people or People(store.values, clock=clock)
        self._is_turn = turn_id is not None
        self._captions = captions
        self._markdown = markdown
        self._unknown_keys = unknown_keys
        self._turn_id = turn_id or f"out:{uuid.uuid4().hex}"
        # Not every turn begins with a message of WhatsApp that can be quoted.
        self._reply_to = turn_id if turn_id and turn_id.startswith("wamid.") else None
        self._position = 0
        self._metrics = metrics or Metrics()
        self._notes = notes
        self._tell_dead_letter = tell_dead_letter
        self._clock = clock

    async def write(self, recipient_id: str, response: Mapping[str, Any]) -> None:
        """
        Compose *response* and put its messages into the outbox. Raises `StoreError` only.

        With an invalid recipient the response becomes a dead letter.
        """
        name = name_of(response)
        with instrumentation.span("compose", {instrumentation.RESPONSE: name} if name else None):
            await self._write(recipient_id, response)

    async def _write(self, recipient_id: str, response: Mapping[str, Any]) -> None:
        try:
            recipient_id = await self._conversation_of(recipient_id)
        except InvalidMessage as error:
            await self._refuse(recipient_id, response, error)
            return
        composed = compose(
            response,
            api=self._api,
            captions=self._captions,
            markdown=self._markdown,
            reply_to=self._reply_to,
            recipient_id=recipient_id,
            unknown_keys=self._unknown_keys,
        )
        self._log_changes(composed.changes, response)
        lost = [change for change in composed.changes if change.lost]
        if lost and not composed.messages and self._tell_dead_letter is not None:
            await self._tell_dead_letter(write_lost(recipient_id, name_of(response), lost))
        await Payloads(self._store.values).keep(composed.payloads)
        if composed.messages:
            numbered = NumberedReplies(self._store.values)
            await numbered.offer(recipient_id, self._turn_id, composed.choices)
        template_key = f"{self._next_key}:template"
        if composed.template:
            await self._put_template(recipient_id, composed.template, template_key)
        for body in self._bodies(recipient_id, response, composed, template_key):
            await self._store.outbox.put(self._next_key, recipient_id, body)
            self._position += 1

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
            self._next_key,
            why,
        )

    async def _refuse(
        self, recipient_id: object, response: Mapping[str, Any], error: InvalidMessage
    ) -> None:
        """Put a response without a valid recipient into the dead letters, for a person to see."""
        name = name_of(response)
        said = call(self._next_key, name=name, source=source_of(response))
        logger.error("whatsapp.recipient_refused: %s: %s", said, error)
        self._metrics.dead_letter("outbox")
        body = {"recipient_id": excerpt(recipient_id), "said": excerpt(response)}
        await self._store.outbox.put_dead_letter(self._next_key, "", body, f"{said}: {error}")
        self._position += 1

    @property
    def _next_key(self) -> str:
        return f"{self._turn_id}:{self._position}"

    async def _put_template(self, recipient_id: str, template: Template, key: str) -> None:
        """
        Put *template* into the outbox at once if the window is already closed.

        The sender does the same with the first of the messages, but an earlier message that waits
        for the window may delay it. The key lets the template be sent only once.
        """
        person = await self._people.of(recipient_id)
        wrote_at = await Windows(self._store.values).last_wrote(person.conversations(recipient_id))
        if is_closed(wrote_at, self._clock()):
            body = OutboxMessage(recipient_id, template.body(), stands_in=True).body()
            await self._store.outbox.put(key, template_lane(recipient_id), body)

    def _log_changes(self, changes: Iterable[Change], response: Mapping[str, Any]) -> None:
        said = call(self._next_key, name=name_of(response), source=source_of(response))
        for change in changes:
            self._metrics.changed(change.code)
            logger.log(
                logging.ERROR if change.lost else logging.WARNING,
                "whatsapp.changed: %s",
                replace(change, response=said),
            )

    def _bodies(
        self, recipient_id: str, response: Mapping[str, Any], composed: Composed, key: str
    ) -> Iterator[dict[str, Any]]:
        """Yield the bodies of the items."""
        changes = write_changes(composed.changes) if self._notes else ()
        for outgoing in composed.messages:
            entry = OutboxMessage(
                recipient_id,
                outgoing.body(),
                name_of(response),
                source_of(response),
                changes,
            )
            if composed.template and not isinstance(outgoing.message, Template):
                entry = replace(entry, template=composed.template.body(), template_key=key)
            yield entry.body()
