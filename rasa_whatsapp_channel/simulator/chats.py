"""Chats: puts messages, reactions and statuses into chats, and tells the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rasa_whatsapp_channel.simulator.media_library import with_urls
from rasa_whatsapp_channel.simulator.state import ChatMessage, StatusStep
from rasa_whatsapp_channel.simulator.world import World


def show(world: World, message: ChatMessage) -> ChatMessage:
    """Add a message to its chat; return it with its first status."""
    first = StatusStep(message.status, message.timestamp)
    message = replace(message, statuses=(first,))
    world.state.add_message(message)
    world.feed.publish("message", message=to_json(world, message))
    return message


def react(world: World, message: ChatMessage) -> bool:
    """Add a reaction to its message; return False if there is none."""
    reaction = message.content
    who = "bot" if message.direction == "outbound" else message.person
    target = world.state.react(reaction["message_id"], who, reaction.get("emoji") or "")
    if target is None:
        return False
    world.feed.publish(
        "reaction",
        message_id=target.id,
        person=target.person,
        reactions=dict(target.reactions),
    )
    return True


def change_status(
    world: World,
    message: ChatMessage,
    status: str,
    *,
    by_hand: bool = False,
    errors: tuple[Mapping[str, Any], ...] = (),
) -> bool:
    """Set the status of a message; return False if it has it already."""
    note = StatusStep(status, int(world.clock()), by_hand)
    if not world.state.set_status(message.id, note, errors):
        return False
    world.feed.publish(
        "status",
        message_id=message.id,
        person=message.person,
        errors=list(errors),
        **note.to_json(),
    )
    return True


def replace_message(world: World, message: ChatMessage) -> ChatMessage:
    """Put *message* into the place of the one with its id."""
    world.state.messages[message.id] = message
    world.feed.publish("message", message=to_json(world, message))
    return message


def to_json(world: World, message: ChatMessage) -> dict[str, Any]:
    """Return a message as JSON for the control API."""
    files = {key: world.library.find(media_id) for key, media_id in message.media.items()}
    stored = {key: file for key, file in files.items() if file is not None}
    return {
        "id": message.id,
        "direction": message.direction,
        "by": message.by,
        "edited": message.edited,
        "revoked": message.revoked,
        "person": message.person,
        "timestamp": message.timestamp,
        "type": message.type,
        "content": with_urls(message.type, message.content, stored),
        "context": {"message_id": message.reply_to} if message.reply_to else None,
        "status": message.status,
        "errors": list(message.errors),
        "reactions": dict(message.reactions),
        "body": message.body,
        "answer": message.answer,
        "number": message.number,
        "author": message.author,
        "filled": message.filled,
        "response": message.response,
        "changes": list(message.changes),
        "pricing": world.billing.pricing_to_json(message),
        "statuses": [note.to_json() for note in message.statuses],
    }
