"""Reports: the webhooks about what happens to people, messages and the account."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from rasa_whatsapp_channel.simulator.config import Number
from rasa_whatsapp_channel.simulator.state import ChatMessage, WhatsAppUser
from rasa_whatsapp_channel.simulator.webhooks import envelopes
from rasa_whatsapp_channel.simulator.webhooks.envelopes import StatusChange
from rasa_whatsapp_channel.simulator.webhooks.platform_events import event_webhook
from rasa_whatsapp_channel.simulator.world import World


def send_overheard(
    world: World, person: WhatsAppUser, number: Number, message: ChatMessage
) -> None:
    """Let the bot overhear *message*, which is for others or from others."""
    field, value = envelopes.overheard(message, world.as_reported(person), number=number)
    send_event(world, field, value, person=person)


def send_status(
    world: World, person: WhatsAppUser, status: str, messages: Sequence[ChatMessage]
) -> None:
    """Send the status of the bot's *messages* to the bot, in one webhook."""
    messages = [message for message in messages if message.by == "bot"]
    if not messages:
        return
    now = int(world.clock())
    changes = [StatusChange(message, status, now, message.errors) for message in messages]
    number = world.config.find_number(messages[0].number) or world.config.number
    reported = world.as_reported(person)
    body = envelopes.statuses_webhook(changes, reported, api=world.config.api, number=number)
    kind = messages[0].type
    on_accepted = partial(_confirm, world, messages)
    weather = "failures" if status == "failed" else None
    world.webhooks.post(
        "statuses", person.key, body, kind=kind, on_accepted=on_accepted, weather=weather
    )


def send_event(world: World, field: str, value: Any, *, person: WhatsAppUser | None = None) -> None:
    """Send a webhook of *field* to the bot, after all earlier ones of the same person."""
    body = event_webhook(field, value, now=int(world.clock()))
    world.webhooks.post("webhooks", person.key if person else "", body, kind=field)


async def wait_for_status(world: World, message_id: str, *, within: float) -> None:
    """Wait until the bot has accepted a status of this message, at most *within* seconds."""
    event = world.awaited_statuses.setdefault(message_id, asyncio.Event())
    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(event.wait(), within)
    world.awaited_statuses.pop(message_id, None)


def _confirm(world: World, messages: Sequence[ChatMessage]) -> None:
    for message in messages:
        if (event := world.awaited_statuses.get(message.id)) is not None:
            event.set()
