"""Refusals: the log of the bot's requests, and in each chat what was refused or not even sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from rasa_whatsapp_channel.simulator import ids
from rasa_whatsapp_channel.simulator.state import Refusal
from rasa_whatsapp_channel.simulator.world import World


def record_request(
    world: World, entry: Mapping[str, Any], rule: str | None, code: int | None
) -> None:
    """Record a request of the bot; *rule* is the one it broke, if WhatsApp refused it."""
    world.requests_seen += 1
    refusal = None if rule is None else _record_refusal(world, entry, rule, code)
    noted = {"id": str(world.requests_seen), **entry, "refusal": refusal}
    world.requests.append(noted)
    world.feed.publish("request", **noted)


def _record_refusal(world: World, entry: Mapping[str, Any], rule: str, code: int | None) -> str:
    """Record a request that WhatsApp refused, in its chat; return the refusal's id."""
    body = entry["body"] if isinstance(entry["body"], Mapping) else {}
    recipient = str(body.get("to") or body.get("recipient") or "")
    parts = str(entry["path"]).partition("?")[0].split("/")
    numbers = (each.phone_number_id for each in world.config.numbers)
    refusal = Refusal(
        id=ids.new_refusal_id(),
        by="whatsapp",
        timestamp=world.clock(),
        rule=rule,
        code=code,
        person=world.key_of(recipient) if recipient else None,
        number=next((each for each in numbers if each in parts), ""),
        request={key: entry[key] for key in ("method", "path", "body")},
        answer=entry["answer"],
    )
    # Browsers request icons from every server; those are not part of a chat.
    _refuse(world, refusal, keep=entry["method"] != "GET")
    return refusal.id


def record_dead_letter(
    world: World,
    recipient: str,
    reason: str,
    *,
    code: int | None = None,
    number: str = "",
    response: str | None = None,
    body: Mapping[str, Any] | None = None,
) -> None:
    """Record a dead letter that the channel reports."""
    refusal = Refusal(
        id=ids.new_refusal_id(),
        by="channel",
        timestamp=world.clock(),
        rule=reason,
        code=code,
        person=world.key_of(recipient),
        number=number,
        request={"method": "POST", "path": "", "body": body} if body else None,
        response=response,
    )
    _refuse(world, refusal, keep=True)


def _refuse(world: World, refusal: Refusal, *, keep: bool) -> None:
    chat = world.state.chat(refusal.person) if refusal.person is not None else []
    # Reactions are shown on other messages.
    shown = [message.id for message in chat if message.type != "reaction"]
    refusal = replace(refusal, after=shown[-1] if shown else None)
    if keep:
        world.state.refusals.append(refusal)
    world.feed.publish("refused", **asdict(refusal))
