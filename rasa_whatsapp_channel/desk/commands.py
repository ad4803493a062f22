"""Desk commands: does what people at a desk ask for; what they say goes through the outbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rasa_whatsapp_channel.common import DAY
from rasa_whatsapp_channel.compose.combine import alone
from rasa_whatsapp_channel.conversation.handoffs import DESK, EpisodeMessage, Handoffs, said_key
from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.conversation.owner import Owner, Ownership, Sign
from rasa_whatsapp_channel.conversation.window import Windows, is_closed
from rasa_whatsapp_channel.desk.contract import Link, Refused, Say, digest_of, envelope, iso
from rasa_whatsapp_channel.outbound.writer import OutboxWriter
from rasa_whatsapp_channel.settings.handoff import HandoffSettings
from rasa_whatsapp_channel.store.base import Clock, Store
from rasa_whatsapp_channel.whatsapp.json_values import object_of, text_of
from rasa_whatsapp_channel.whatsapp.limits import WINDOW

REMEMBERED: Final = 7 * DAY  # a client_id
BY: Final = "desk"


@dataclass(frozen=True)
class DeskCommands:
    """
    *writer* makes the writer of one message; *template* is the one for closed windows, if any.

    *number* is the id of the first number. Every method raises `StoreError`.
    """

    handoffs: Handoffs
    store: Store
    people: People
    writer: Callable[[str, int], OutboxWriter]
    template: Mapping[str, Any] | None
    number: str
    clock: Clock

    @property
    def settings(self) -> HandoffSettings:
        return self.handoffs.settings

    def envelope(self, conversation: str, event: Mapping[str, Any]) -> dict[str, Any]:
        link = Link(self.settings.secrets[0], self.settings.public_url, self.clock())
        return envelope(conversation, event, number=self.number, link=link)

    async def closes_at(self, conversation: str) -> float | None:
        """Return when the 24-hour window closes; None where that is not known."""
        person = await self.people.of(conversation)
        windows = Windows(self.store.values)
        wrote_at = await windows.last_wrote(person.conversations(conversation))
        return None if wrote_at is None else wrote_at + WINDOW

    async def say(
        self, conversation: str, say: Say, *, at_return: bool = False
    ) -> Mapping[str, Any]:
        """
        Write to the person, once for each client id; raises `Refused`.

        Outside the 24-hour window nobody chooses a template for words *at_return*, so they go as
        the bot's would.
        """
        digest = digest_of(conversation, say.client_id)
        key, values = f"{DESK}:{digest}", self.store.values
        record = {"client_id": say.client_id, "conversation": conversation}
        record["said"] = digest_of(repr(say))
        known = await values.get(said_key(digest))
        writer = self.writer(key, 0)
        said = writer.compose(conversation, say.response())
        if known is None:
            if not at_return:
                await self._check(conversation, say)
            lost = "; ".join(change.text for change in said.composed.changes if change.lost)
            if lost or not said.composed.messages:
                raise Refused(422, "does_not_fit", lost or "nothing is left of it")
            # Both before it is known, so that a process that died does them again, and no later
            # repetition takes a conversation that was given back.
            await self.handoffs.apply(conversation, Sign.TOOK, by=BY, reason=say.agent)
            await self.handoffs.note(conversation, self._note_of(say, key), reports=False)
            if not await values.add(said_key(digest), record, REMEMBERED):
                known = await values.get(said_key(digest))
        if known is not None and known != record:
            raise Refused(409, "client_id_used", "this client_id was another message's")
        await writer.put(conversation, [said], alone([said.composed]))
        return {"key": key, "client_id": say.client_id}

    def _note_of(self, say: Say, key: str) -> EpisodeMessage:
        kinds = [file.kind for file in say.files] or ["template" if say.template else "text"]
        media = {"link": say.files[0].link, "id": say.files[0].id} if say.files else None
        return EpisodeMessage(key, "human", self.clock(), kinds[0], say.text, media)

    async def _check(self, conversation: str, say: Say) -> None:
        owner = await self.handoffs.of(conversation)
        if not say.take and owner.owner is not Owner.HUMAN:
            text = "the conversation is not a person's; `take: true` takes it"
            raise Refused(409, "not_owner", text, **facts_of(owner))
        closes_at = await self.closes_at(conversation)
        if not say.template and is_closed(closes_at and closes_at - WINDOW, self.clock()):
            templates = [self.template] if self.template else []
            text = "the person wrote more than 24 hours ago: only a template can be sent"
            raise Refused(409, "window_closed", text, templates=templates)

    async def own(self, conversation: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Change the owner as *body* asks; raises `Refused`."""
        owner, wanted = await self.handoffs.of(conversation), body.get("owner")
        version, say = body.get("if"), text_of(body.get("say"))
        if wanted not in ("human", "bot"):
            raise Refused(422, "does_not_fit", "owner must be human or bot")
        if version is not None and str(version) != str(owner.version):
            raise _stale(owner)
        note = text_of(body.get("note")) or text_of(object_of(body.get("agent")).get("name")) or ""
        if wanted == "bot":
            if say and owner.owner is not Owner.BOT:
                words = Say(f"return:{owner.episode}:{owner.version}", say)
                await self.say(conversation, words, at_return=True)
            await self.handoffs.give_back(conversation, by=BY, reason=note)
        else:
            await self.handoffs.apply(
                conversation, Sign.TOOK, by=BY, reason=note, version=owner.version
            )
        owner = await self.handoffs.of(conversation)
        if wanted == "human" and owner.owner is not Owner.HUMAN:
            raise _stale(owner)
        return facts_of(owner)


def _stale(owner: Ownership) -> Refused:
    return Refused(409, "stale", "the owner changed meanwhile", **facts_of(owner))


def facts_of(owner: Ownership) -> dict[str, Any]:
    return {
        "owner": owner.owner.value,
        "version": owner.version,
        "since": iso(owner.since),
        "until": iso(owner.until) if owner.until else None,
        "by": owner.by,
        "episode": owner.episode,
    }
