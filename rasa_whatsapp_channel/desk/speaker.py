"""Desk speaker: does what a desk asks for; what it says goes through the outbox like all else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rasa_whatsapp_channel.common import DAY
from rasa_whatsapp_channel.compose.combine import alone
from rasa_whatsapp_channel.conversation.handoffs import (
    DESK,
    EpisodeMessage,
    said_key,
)
from rasa_whatsapp_channel.conversation.owner import Owner, Ownership, Sign
from rasa_whatsapp_channel.conversation.window import is_closed
from rasa_whatsapp_channel.desk.contract import (
    Refused,
    Say,
    digest_of,
    iso,
)
from rasa_whatsapp_channel.desk.parts import DeskParts
from rasa_whatsapp_channel.whatsapp.json_values import object_of, text_of
from rasa_whatsapp_channel.whatsapp.limits import WINDOW

REMEMBERED: Final = 7 * DAY  # a client_id
BY: Final = "desk"


class DeskSpeaker:
    """Does what a desk asks for."""

    def __init__(self, parts: DeskParts) -> None:
        self._parts = parts
        self._handoffs = parts.handoffs
        self._values = parts.store.values

    async def say(self, conversation: str, say: Say) -> Mapping[str, Any]:
        """Write to the person, once for each client id; raises `Refused`."""
        digest = digest_of(conversation, say.client_id)
        record = {"client_id": say.client_id, "conversation": conversation}
        record["said"] = digest_of(repr(say))
        known = await self._values.get(said_key(digest))
        writer = self._parts.writer(f"{DESK}:{digest}", 0)
        said = writer.compose(conversation, say.response())
        if known is None:
            await self._check(conversation, say)
            lost = "; ".join(change.text for change in said.composed.changes if change.lost)
            if lost or not said.composed.messages:
                raise Refused(422, "does_not_fit", lost or "nothing is left of it")
            # Both before it is known, so that a process that died does them again, and no later
            # repetition takes a conversation that was given back.
            await self._handoffs.apply(conversation, Sign.TOOK, by=BY, reason=say.agent)
            await self._note(conversation, say, digest)
            if not await self._values.add(said_key(digest), record, REMEMBERED):
                known = await self._values.get(said_key(digest))
        if known is not None and known != record:
            raise Refused(409, "client_id_used", "this client_id was another message's")
        await writer.put(conversation, [said], alone([said.composed]))
        return {"key": f"{DESK}:{digest}", "client_id": say.client_id}

    async def _note(self, conversation: str, say: Say, digest: str) -> None:
        kinds = [file.kind for file in say.files] or ["template" if say.template else "text"]
        media = {"link": say.files[0].link, "id": say.files[0].id} if say.files else None
        key = f"{DESK}:{digest}"
        message = EpisodeMessage(key, "human", self._parts.clock(), kinds[0], say.text, media)
        await self._handoffs.note(conversation, message)

    async def _check(self, conversation: str, say: Say) -> None:
        owner = await self._handoffs.of(conversation)
        if not say.take and owner.owner is not Owner.HUMAN:
            text = "the conversation is not a person's; `take: true` takes it"
            raise Refused(409, "not_owner", text, **facts_of(owner))
        closes_at = await self._parts.closes_at(conversation)
        wrote_at = None if closes_at is None else closes_at - WINDOW
        if not say.template and is_closed(wrote_at, self._parts.clock()):
            templates = [self._parts.template] if self._parts.template else []
            text = "the person wrote more than 24 hours ago: only a template can be sent"
            raise Refused(409, "window_closed", text, templates=templates)

    async def own(self, conversation: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Change the owner; raises `Refused`."""
        owner = await self._handoffs.of(conversation)
        version = body.get("if")
        if version is not None and str(version) != str(owner.version):
            raise Refused(409, "stale", "the owner changed meanwhile", **facts_of(owner))
        note = text_of(body.get("note")) or text_of(object_of(body.get("agent")).get("name")) or ""
        if body.get("owner") == "human":
            decision = await self._handoffs.apply(
                conversation, Sign.TOOK, by=BY, reason=note, version=owner.version
            )
            if decision.after.owner is not Owner.HUMAN:
                owner = await self._handoffs.of(conversation)
                raise Refused(409, "stale", "the owner changed meanwhile", **facts_of(owner))
            owner = decision.after
        elif body.get("owner") == "bot":
            say = text_of(body.get("say"))
            if say and owner.owner is not Owner.BOT:
                words = Say(f"return:{owner.episode}:{owner.version}", say)
                await self.say(conversation, words)
            await self._handoffs.give_back(conversation, by=BY, reason=note)
            owner = await self._handoffs.of(conversation)
        else:
            raise Refused(422, "does_not_fit", "owner must be human or bot")
        return facts_of(owner)


def facts_of(owner: Ownership) -> dict[str, Any]:
    return {
        "owner": owner.owner.value,
        "version": owner.version,
        "since": iso(owner.since),
        "until": iso(owner.until) if owner.until else None,
        "by": owner.by,
        "episode": owner.episode,
    }
