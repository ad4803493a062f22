"""
Handoffs: the owner of each conversation, and what was said while it was not the bot.

The owner is changed by compare-and-set, so of two who take a conversation at the same time one is
the first. `owner` decides when.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from rasa_whatsapp_channel.conversation.owner import CLOCK, OTHERS, Owner, Ownership, decide
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.settings.handoff import HandoffSettings
from rasa_whatsapp_channel.store.base import WINDOW, Body, Clock, Store, StoreError
from rasa_whatsapp_channel.unix_time import DAY, time_of

logger = logging.getLogger(__name__)

LIFE: Final = 90 * DAY
PREFIX: Final = "owner:"
MOST: Final = 500  # messages of an episode; older ones are left out
OPEN: Final = "open_episodes"  # none of them names a person
GRACE: Final = 300.0  # seconds after its time in which an episode may be returned
MOST_REASON: Final = 1000  # characters
TIMER: Final = "handoff_timer"
RETURN: Final = "handoff_return"
DESK: Final = "desk"  # an item that tells the desk something; a message of the desk's in the outbox
LOOK: Final = "desk_look"  # an item that asks the desk what it could not tell
MESSAGE_SENT: Final = "message.sent"  # to the person, by somebody who is not at the desk
KEEP: Final = "keep"  # an item that works off an inbox which is not the bot's
HISTORY: Final = "desk_history"  # an item that asks the bot what was said before an episode

# What the desk is told of a message, by its type and by who wrote it.
_CHANGES: Final = {"reaction": "reaction", "edit": "message.edited", "revoke": "message.deleted"}
_SPOKEN: Final = {"user": "message.received", "bot": "message.withheld"}

CancelTurn = Callable[[str], Awaitable[None]]
Keep = Callable[[], Awaitable[None]]
TellOwner = Callable[[str, Ownership], Awaitable[None]]


@dataclass(frozen=True)
class EpisodeMessage:
    """
    One message of an episode.

    *speaker* is ``user``, ``bot``, ``human`` or ``app``; what the bot said was not sent. *at* is
    in unix seconds, *media* where the file lies. *event* is the body of a message that the bot can
    still answer; *heard*: it stands in the bot's tracker. *reply_to* is the id of the message that
    it quotes, changes or reacts to.
    """

    id: str
    speaker: str
    at: float
    type: str
    text: str = ""
    media: Mapping[str, Any] | None = None
    event: Body | None = None
    heard: bool = False
    reply_to: str = ""

    def told(self) -> dict[str, Any]:
        """Return it as a desk is told."""
        told: dict[str, Any] = {"id": self.id, "from": self.speaker, "type": self.type}
        told |= {"time": time_of(self.at), "text": self.text, "media": self.media}
        told |= {"reply_to": self.reply_to, "raw": (self.event or {}).get("content")}
        return {name: value for name, value in told.items() if value}


@dataclass
class RunningTurn:
    """
    A turn that runs in this process: no tracker has it before it ends.

    *keep* adds the messages that it answers to the episode that began in it. *said* are key and
    facts of what the bot has said in it, while nobody waited for a person.
    """

    message_id: str
    began: float
    keep: Keep
    said: list[tuple[str, Body]] = field(default_factory=list)


@dataclass
class Handoffs:
    """
    *cancel_turn* ends the turn that this process runs of a conversation, where Rasa can;
    *tell_owner* gets each new owner. *clock* is that of the store; *turns* are those that run here,
    by conversation. Every method raises `StoreError`.
    """

    store: Store
    settings: HandoffSettings
    metrics: Metrics = field(default_factory=Metrics)
    cancel_turn: CancelTurn | None = None
    tell_owner: TellOwner | None = None
    clock: Clock = time.time
    turns: dict[str, RunningTurn] = field(default_factory=dict)

    async def of(self, conversation: str) -> Ownership:
        return Ownership.from_value(await self.store.values.get(f"{PREFIX}{conversation}"))

    async def all(self) -> Mapping[str, Ownership]:
        """Return conversation → owner, where one has had an owner besides the bot."""
        return {
            key.removeprefix(PREFIX): Ownership.from_value(value)
            async for key, value in self.store.values.find(PREFIX)
        }

    async def show(self) -> None:
        """Show on the metrics page who has the conversations, and for how long somebody waits."""
        now, found = self.clock(), (await self.store.values.get(OPEN) or {}).values()
        episodes = [(owner, since) for owner, since, until in found if now < until + GRACE]
        counts = Counter(owner for owner, _ in episodes)
        waits = [now - since for owner, since in episodes if owner == Owner.WAITING.value]
        self.metrics.owners(
            {owner.value: counts[owner.value] for owner in Owner if owner is not Owner.BOT},
            longest=max(waits, default=0.0),
        )

    async def enlist(self, owner: Ownership) -> None:
        """Keep the list of open episodes, which the metrics are read from and nothing else."""

        def change(kept: Any) -> Any:
            now = self.clock()
            found = {each: of for each, of in (kept or {}).items() if now < of[2] + GRACE}
            found.pop(owner.episode, None)
            if owner.owner is not Owner.BOT:
                found[owner.episode] = [owner.owner.value, owner.since, owner.until]
            return found

        # All episodes change this list at once; a turn must not fail by it, and the timer's next
        # tick does it again.
        with suppress(StoreError):
            await self.store.values.change(OPEN, change, LIFE)

    async def apply(
        self,
        conversation: str,
        wanted: Owner,
        *,
        by: str,
        at: float | None = None,
        reason: str = "",
        seen: Ownership | None = None,
    ) -> Ownership:
        """
        Let the conversation be of the owner *wanted*, and do what follows in the queues.

        *at* is the time of a sign that it is. With *seen* nothing changes unless that is still so.
        """
        now = self.clock()

        def change(kept: Any) -> Any:
            before = Ownership.from_value(kept)
            if seen and not before.is_still(seen, by):
                return None
            after = decide(
                before,
                wanted,
                self.settings,
                by=by,
                at=now if at is None else at,
                now=now,
                reason=reason[:MOST_REASON],
                episode=uuid.uuid4().hex,
            )
            return None if after == before else after.to_value()

        values = await self.store.values.change(f"{PREFIX}{conversation}", change, LIFE)
        before, after = map(Ownership.from_value, values)
        if after.owner is not Owner.BOT:  # at every sign: who came first may have died before
            body = {"kind": TIMER, "conversation": conversation, "episode": after.episode}
            key, place = f"{TIMER}:{after.episode}", beside(TIMER, conversation)
            await self.store.desk.put(key, place, body)
            await self.ask_to_keep(conversation, f"{after.episode}:{after.version}", after)
        if after.owner is not before.owner:
            await self._changed(conversation, before, after)
        elif after.owner is not Owner.BOT:
            await self.report_owner(conversation, after)
        return after

    async def _changed(self, conversation: str, before: Ownership, after: Ownership) -> None:
        self.metrics.owner_changed(after.owner.value, after.by)
        if (before.owner, after.owner) == (Owner.WAITING, Owner.HUMAN):
            self.metrics.person_came(after.since - before.since)
        logger.info(
            "whatsapp.owner_changed: the owner of a conversation is now: %s; who changed it: %s",
            after.owner.value,
            after.by,
        )
        await self.enlist(after)
        await self.report_owner(conversation, after, before.owner)
        if after.owner in OTHERS:
            # What waits for the window would hold up what the person says.
            await self.store.outbox.end_wait(conversation, WINDOW)
            if self.cancel_turn:
                await self.cancel_turn(conversation)
        if self.tell_owner:
            await self.tell_owner(conversation, after)

    async def give_back(
        self, conversation: str, *, by: str, reason: str = "", only: Owner | None = None
    ) -> bool:
        """
        Let the conversation be the bot's again, behind the messages that wait in its inbox.

        With *only* it is given back by that owner. False: it is the bot's already, or another's.
        """
        owner = await self.of(conversation)
        if owner.owner is Owner.BOT or only not in (None, owner.owner):
            return False
        body = {"kind": RETURN, "version": owner.version, "until": owner.until}
        body |= {"by": by, "reason": reason}
        # A clock asks once a minute; who else asks again may have seen that it failed.
        which = owner.until if by == CLOCK else uuid.uuid4().hex
        key = f"{RETURN}:{owner.episode}:{owner.version}:{which}"
        await self.store.inbox.put(key, conversation, body)
        return True

    async def ask_to_keep(
        self, conversation: str, key: str, owner: Ownership | None = None
    ) -> None:
        """Have what waits in the inbox kept, also while no bot runs, if the bot does not get it."""
        owner = owner or await self.of(conversation)
        if not owner.may_hear(self.settings):
            body = {"kind": KEEP, "conversation": conversation}
            await self.store.desk.put(f"{KEEP}:{key}", beside(KEEP, conversation), body)

    async def report(self, conversation: str, kind: str, key: str, facts: Body) -> None:
        """Tell the desk, if there is one: an event of the type *kind*, once for each *key*."""
        if not self.settings.desk:
            return
        body = {"kind": DESK, "conversation": conversation, "type": kind, "at": self.clock()}
        place = beside(DESK, conversation)
        await self.store.desk.put(f"{DESK}:{kind}:{key}", place, {**body, "facts": facts})

    async def report_owner(
        self, conversation: str, owner: Ownership, before: Owner | None = None
    ) -> None:
        """
        Tell the desk once who has the conversation; *before* is unknown after a crash.

        Where the bot asks for a person in a turn, the desk gets what was said before it, then the
        turn.
        """
        kind = "handoff.requested" if owner.owner is Owner.WAITING else "owner.changed"
        if owner.owner is Owner.BOT and owner.was_in_vain:
            kind = "handoff.expired"
        facts = {
            "episode": owner.episode,
            "to": owner.owner.value,
            "by": owner.by,
            "reason": owner.reason,
            "version": owner.version,
            "opens": owner.began == owner.since,
        }
        facts |= {"from": before.value} if before else {}
        turn = self.turns.get(conversation) if owner.owner is Owner.WAITING else None
        if facts["opens"] and self.settings.desk and self.settings.history:
            body: dict[str, Any] = {"kind": HISTORY, "conversation": conversation}
            body |= {"episode": owner.episode}
            body |= {"at": turn.began, "turn": turn.message_id} if turn else {"at": self.clock()}
            place = beside(HISTORY, conversation)
            await self.store.inbox.put(f"{HISTORY}:{owner.episode}", place, body)
        await self.report(conversation, kind, f"{owner.episode}:{owner.version}", facts)
        if turn:
            await turn.keep()
            for key, said in turn.said:
                await self.report(conversation, MESSAGE_SENT, key, said)

    async def report_status(
        self, key: str, status: str, *, code: int = 0, reason: str = ""
    ) -> bool:
        """Tell the desk what became of the outbox item *key*; False: it is none of the desk's."""
        if not key.startswith(f"{DESK}:"):
            return False
        said = await self.store.values.get(said_key(key.split(":")[1]))
        if said is not None:
            facts = {"client_id": said["client_id"], "status": status, "code": code}
            facts["reason"] = reason
            name = f"{key}:{status}"
            await self.report(said["conversation"], "message.status", name, facts)
        return True

    async def note(
        self, conversation: str, message: EpisodeMessage, *, reports: bool = True
    ) -> None:
        """Add *message* to the episode of *conversation*, once; *reports*: the desk is told."""
        key = episode_key(conversation, (await self.of(conversation)).episode)

        def change(kept: Any) -> Any:
            known = [each for each in kept or () if each["id"] == message.id]
            if known and (message.heard or not known[0].get("heard")):
                return None  # else the bot did not get through it after all
            new = {name: value for name, value in asdict(message).items() if value}
            return [*(each for each in kept or () if each not in known), new][-MOST:]

        await self.store.values.change(key, change, LIFE)
        if reports:
            kind = _CHANGES.get(message.type) or _SPOKEN.get(message.speaker, MESSAGE_SENT)
            facts = {"message": message.told(), "name": (message.event or {}).get("profile_name")}
            await self.report(conversation, kind, message.id, facts)

    async def messages(self, conversation: str, episode: str) -> Sequence[EpisodeMessage]:
        """Return what was said in an episode, in the order in which it became known."""
        kept = await self.store.values.get(episode_key(conversation, episode))
        return [EpisodeMessage(**{"at": 0.0, **each}) for each in kept or []]


def episode_key(conversation: str, episode: str) -> str:
    return f"episode:{conversation}:{episode}"


def beside(kind: str, conversation: str) -> str:
    """
    Return the line of items of one *kind* that are about *conversation*.

    They must hold up neither what the person writes nor each other. What is kept for the desk has
    this key, too.
    """
    return f"{kind}:{conversation}"


def said_key(digest: str) -> str:
    """Return where the id is kept that the desk gave to a message."""
    return f"desk_said:{digest}"
