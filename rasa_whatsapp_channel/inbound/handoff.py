"""
Handoff of the inbox: what the bot does not hear, as a person or another app answers.

It is kept in the episode of the conversation, for which no bot has to run. The timer of an episode
is an item of a queue, so that it survives a restart.
"""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from rasa_whatsapp_channel.conversation.handoffs import EpisodeMessage, Handoffs, Keep, RunningTurn
from rasa_whatsapp_channel.conversation.owner import CLOCK, Owner, Ownership
from rasa_whatsapp_channel.inbound.conversation_events import ConversationEvent
from rasa_whatsapp_channel.inbound.intents import describe
from rasa_whatsapp_channel.inbound.metadata import MEDIA, files_in_form, quoted_id
from rasa_whatsapp_channel.inbound.turn import TrackerEvent, Turn, answers_of, words_of, written
from rasa_whatsapp_channel.media.values import StoredFile
from rasa_whatsapp_channel.settings.inbound import to_line
from rasa_whatsapp_channel.store.base import (
    DONE,
    Clock,
    ItemState,
    Outcome,
    QueueItem,
    Retry,
    StoreError,
)
from rasa_whatsapp_channel.whatsapp.events import (
    Handover,
    InboundMessage,
    Overheard,
    from_body,
    to_body,
)
from rasa_whatsapp_channel.whatsapp.json_values import text_of

# Puts a text into the outbox: turn id, conversation, text; once for each turn id.
Say = Callable[[str, str, str], Awaitable[None]]

# Puts into the outbox what a turn has said that died: turn id, version of the owner.
SayRest = Callable[[str, int], Awaitable[None]]

# Looks after the episode of an owner; returns in how many seconds to do it again.
Watch = Callable[[str, Ownership], Awaitable[float]]

# Returns the file of a message, or why it is not here.
Fetch = Callable[[InboundMessage], Awaitable[tuple[StoredFile | None, str | None]]]

# Has what waits in the inbox of a conversation kept, if it is not the bot's: conversation, key of
# what came in.
AskToKeep = Callable[[str, str], Awaitable[None]]

# Handles the first item of an inbox conversation; see `Consumer.handle_first`.
HandleFirst = Callable[[str], Awaitable[Outcome | ItemState | None]]

# The outcome of an item that only a process which runs the bot can handle.
LEFT_TO_BOT: Final = Retry(0.0, cause="bot", counted=False)
KEEP_AGAIN: Final = 1.0  # seconds, while another process has the item or it waits

CHANGES: Final = ("edit", "revoke")  # of a message that was sent before
MOST_UNANSWERED: Final = 5  # messages that become a turn


@dataclass(frozen=True)
class InboxHandoff:
    """
    *say* writes to the person in the channel's name, *say_rest* what a turn that died has said.
    *watch* looks after an episode for a desk.

    Every method raises `StoreError`.
    """

    handoffs: Handoffs
    say: Say
    say_rest: SayRest
    clock: Clock
    watch: Watch | None = None

    async def overhear(self, conversation: str, event: ConversationEvent) -> None:
        """
        Let *event* change the owner, if it is a sign.

        Somebody who writes with the WhatsApp app takes the conversation, and gives it back with one
        of the words for that; to change or delete a message is not to write. What comes on standby
        shows that another app has it, and a handover says who does.
        """
        if isinstance(event, Handover):
            await self._hand_over(conversation, event)
        if not isinstance(event, Overheard) or event.what == "status":
            return
        is_app = event.source == "app"
        if is_app and self.handoffs.settings.is_return(words_of(event.type, event.content)):
            await self.handoffs.give_back(conversation, by="app")
        elif event.type not in CHANGES or await self.has_episode(conversation):
            by, wanted = ("app", Owner.HUMAN) if is_app else ("whatsapp", Owner.APP)
            await self.handoffs.apply(conversation, wanted, by=by, at=event.timestamp)

    async def has_episode(self, conversation: str) -> bool:
        """Return whether a person or another app answers, or was asked to."""
        return (await self.owner(conversation)).owner is not Owner.BOT

    async def _hand_over(self, conversation: str, event: Handover) -> None:
        is_ours = event.type == "control_passed"
        if is_ours and event.detail.get("new_owner_role") != "escalation":
            await self.handoffs.give_back(conversation, by="whatsapp", only=Owner.APP)
        elif is_ours or event.type == "control_taken":
            wanted = Owner.WAITING if is_ours else Owner.APP
            reason = text_of(event.detail.get("metadata")) or ""
            await self.handoffs.apply(
                conversation, wanted, by="whatsapp", at=event.timestamp, reason=reason
            )
            await self.say_waiting(conversation)

    async def owner(self, conversation: str) -> Ownership:
        return await self.handoffs.of(conversation)

    async def is_ours(self, conversation: str, version: int) -> bool:
        """Return whether nobody took the conversation since *version*, as far as is known."""
        try:
            return (await self.owner(conversation)).floor <= version
        except StoreError:
            return False  # a tick may be late

    def hears(self, owner: Ownership) -> bool:
        """Return whether the bot gets messages of the person."""
        return owner.may_hear(self.handoffs.settings)

    def returned_by(self, owner: Ownership, event: InboundMessage, put_at: float) -> str:
        """
        Return who gives the conversation back to the bot, as *event* shows; "": nobody does.

        It came to us at *put_at*; WhatsApp's own times are whole seconds.
        """
        if owner.owner is Owner.BOT or (event.timestamp or owner.since) < math.floor(owner.since):
            return ""
        if owner.until <= self.clock():
            return CLOCK
        if owner.owner is Owner.APP:  # WhatsApp sends it only to the owner
            return "whatsapp" if put_at > owner.since else ""
        return "user" if self.handoffs.settings.is_return(written(event)) else ""

    async def ask_again(self, conversation: str, owner: Ownership) -> None:
        """Ask for the person whom an attempt that died asked for: desk and timer may not know."""
        if owner.owner is Owner.WAITING:
            await self.handoffs.apply(conversation, Owner.WAITING, by=owner.by, seen=owner)

    async def say_waiting(self, conversation: str, version: int = 0) -> None:
        """Tell the person, once, that somebody comes, if that was asked for since *version*."""
        if not (text := self.handoffs.settings.text_waiting):
            return
        owner = await self.owner(conversation)
        is_new = owner.owner is Owner.WAITING and owner.version > version
        if is_new and owner.until > self.clock():  # else nobody comes
            await self.say(f"handoff:{owner.episode}:waiting", conversation, text)

    async def say_end(self, conversation: str) -> None:
        """Tell person and desk, once, that the bot has the conversation again, if it has."""
        owner, settings = await self.owner(conversation), self.handoffs.settings
        in_vain = settings.text_nobody if settings.is_open(owner.began) else settings.text_closed
        text = in_vain if owner.was_in_vain else settings.text_return
        if owner.owner is not Owner.BOT or not owner.episode:
            return
        await self.handoffs.report_owner(conversation, owner)
        if text:
            await self.say(f"handoff:{owner.episode}:{owner.version}", conversation, text)

    async def give_back(
        self,
        conversation: str,
        owner: Ownership,
        record: Callable[[TrackerEvent], Awaitable[Outcome]],
        *,
        by: str,
        reason: str = "",
        answers: bool = False,
    ) -> Outcome:
        """
        Let the bot's tracker *record* the episode, then the bot have the conversation.

        *answers*: the bot gets what nobody answered afterwards, in the way of the setting. Whoever
        takes the conversation from *owner* meanwhile keeps it.
        """
        messages = await self.handoffs.messages(conversation, owner.episode)
        told = [each for each in _as_it_stands(messages) if each.speaker != "bot"]
        in_turn = answers and self.handoffs.settings.on_return == "answer"
        turn = _unanswered(messages) if in_turn else ()
        facts = {
            **self._facts(owner, by=by, reason=reason),
            "not_said": [each.text for each in messages if each.speaker == "bot"],
        }
        episode = tuple(each for each in told if not each.heard and each not in turn)
        outcome = await record(
            TrackerEvent(conversation, facts["id"], {"whatsapp": facts}, episode)
        )
        if outcome == DONE:
            await self.handoffs.apply(conversation, Owner.BOT, by=by, reason=reason, seen=owner)
            await self.say_end(conversation)
        return outcome

    async def unanswered(
        self, conversation: str, owner: Ownership
    ) -> Sequence[InboundMessage] | Turn:
        """Return the messages that the bot shall answer now, or the turn in which it asks."""
        on_return = self.handoffs.settings.on_return
        messages = _unanswered(await self.handoffs.messages(conversation, owner.episode))
        if on_return == "silent" or not messages:
            return ()
        if on_return == "answer":
            return [_as_written(message) for message in messages]
        words = "\n".join(message.text or f"[{message.type}]" for message in messages)
        facts = self._facts(owner, by=owner.by, reason=owner.reason)
        text = f"{on_return}{json.dumps({'unanswered': words})}"
        return Turn(text, conversation, f"{facts['id']}:ask", {"whatsapp": facts}, owner.version)

    def _facts(self, owner: Ownership, *, by: str, reason: str) -> dict[str, Any]:
        return {
            "type": "handoff",
            "id": f"handoff:{owner.episode}:{owner.version}:{owner.until}",
            "since": owner.began,
            "until": self.clock(),
            "by": by,
            "reason": reason,
        }

    async def keep_what_waits(self, item: QueueItem, handle_first: HandleFirst) -> Outcome:
        """Work off the inbox of a conversation, up to what is for the bot."""
        conversation = str(item.body["conversation"])
        while not self.hears(await self.owner(conversation)):
            outcome = await handle_first(conversation)
            if outcome is None or outcome == LEFT_TO_BOT:
                return DONE
            if isinstance(outcome, ItemState | Retry):
                return Retry(KEEP_AGAIN, counted=False)
        return DONE

    @contextmanager
    def turn(self, conversation: str, message_id: str, keep: Keep) -> Iterator[None]:
        """Have a person who is asked for in the turn of this message shown it."""
        turns = self.handoffs.turns
        turns[conversation] = RunningTurn(message_id, self.clock(), keep)
        try:
            yield
        finally:
            turns.pop(conversation, None)

    async def keep_unanswered(
        self, conversation: str, events: Sequence[InboundMessage], version: int, fetch: Fetch
    ) -> None:
        """Keep the messages of a turn in which the owner changed: the next one has to see them."""
        if (await self.owner(conversation)).version != version:
            for event in events:
                await self.keep_fetched(conversation, event, fetch, heard=True)

    async def keep_fetched(
        self, conversation: str, event: InboundMessage, fetch: Fetch, *, heard: bool
    ) -> None:
        """Keep a message of the person with its file; those in a form as messages behind it."""
        file, _ = await fetch(event)
        await self.keep(conversation, event, file, heard=heard)
        for _, each in files_in_form(event):
            file, _ = await fetch(each)
            await self.keep(conversation, each, file, heard=True)

    async def keep(
        self,
        conversation: str,
        event: InboundMessage | Overheard,
        file: StoredFile | None = None,
        *,
        heard: bool = False,
    ) -> None:
        """
        Keep a message of the person, or of whoever answers; *heard*: the bot need not answer it.

        Of what was overheard without a *file*, what WhatsApp says of the file is kept.
        """
        message, speaker = as_message(event), "user"
        if isinstance(event, Overheard) and event.what != "message":
            speaker = "human" if event.source == "app" else "app"
        kind, fields = describe(message, file)
        media = event.content if isinstance(event, Overheard) and event.type in MEDIA else None
        if file:
            media = {**asdict(file), "filename": fields.get("filename")}
        text = written(message)
        if event.type in CHANGES:
            text = text_of(fields.get("text")) or ""
        elif event.type not in (*MEDIA, "text"):
            text = text or to_line(kind, {**fields, "answers": answers_of(message) or None})
        kept = EpisodeMessage(
            event.key if event is message else event.id,
            speaker,
            event.timestamp or self.clock(),
            event.type,
            text,
            media,
            event=to_body(message) if event is message and not heard else None,
            heard=heard,
            reply_to=text_of(fields.get("message_id")) or quoted_id(message) or "",
        )
        await self.handoffs.note(conversation, kept)

    async def keep_turn(self, conversation: str, turn: Turn) -> None:
        """Keep what the bot would have heard of something else than a message."""
        kind = str(turn.metadata["whatsapp"]["type"])
        message = EpisodeMessage(turn.message_id, "user", self.clock(), kind, turn.text, heard=True)
        # A desk has no use for what only the bot can read.
        await self.handoffs.note(conversation, message, reports=False)

    async def tick(self, item: QueueItem) -> Outcome:
        """Give the conversation of a timer back when its time is over; look after it until then."""
        conversation, episode = str(item.body["conversation"]), str(item.body["episode"])
        owner = await self.handoffs.of(conversation)
        if owner.owner is Owner.BOT or owner.episode != episode:
            return DONE
        await self.handoffs.enlist(owner)  # a sign of life made it last longer
        if (left := owner.until - self.clock()) > 0:
            again = await self.watch(conversation, owner) if self.watch else left
            return Retry(min(left, again), counted=False)
        await self.handoffs.give_back(conversation, by=CLOCK)
        # It is over when the inbox comes to it; a person may take the conversation before.
        return Retry(60.0, counted=False)


def as_message(event: InboundMessage | Overheard) -> InboundMessage:
    if isinstance(event, InboundMessage):
        return event
    return InboundMessage(
        event.id, event.type, event.phone, timestamp=event.timestamp, content=event.content
    )


def _as_it_stands(messages: Sequence[EpisodeMessage]) -> Iterator[EpisodeMessage]:
    """Yield *messages* in order, with their last words, without those that were deleted."""
    changes = {each.reply_to: each for each in messages if each.type in CHANGES}
    ids = {each.id for each in messages}
    # WhatsApp's times have seconds; within one, what became known first came first.
    for message in sorted(messages, key=lambda message: math.floor(message.at)):
        change = changes.get(message.id)
        if message.type in CHANGES and message.reply_to in ids:
            continue
        if change is None:
            yield message
        elif change.type == "edit":
            yield replace(message, text=change.text)


def _unanswered(messages: Sequence[EpisodeMessage]) -> Sequence[EpisodeMessage]:
    """Return the person's last messages, at most five, since anybody else wrote to them."""
    told = list(_as_it_stands(messages))
    others = [place for place, each in enumerate(told) if each.speaker in ("human", "app")]
    after = others[-1] + 1 if others else 0
    return [each for each in told[after:] if each.event][-MOST_UNANSWERED:]


def _as_written(message: EpisodeMessage) -> InboundMessage:
    event = from_body(message.event or {})
    assert isinstance(event, InboundMessage)
    if event.type == "text":  # it may have been edited
        return replace(event, content={**event.content, "body": message.text})
    return event
