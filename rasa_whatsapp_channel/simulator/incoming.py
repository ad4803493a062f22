"""Incoming events: what people write and read, and changes of their number or user id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from rasa_whatsapp_channel.simulator import chats, ids, ownership, problems, reports
from rasa_whatsapp_channel.simulator.config import Number
from rasa_whatsapp_channel.simulator.media_library import media_objects
from rasa_whatsapp_channel.simulator.state import RANK, ChatMessage, WhatsAppUser
from rasa_whatsapp_channel.simulator.webhooks import envelopes
from rasa_whatsapp_channel.simulator.webhooks.envelopes import status_error
from rasa_whatsapp_channel.simulator.world import World
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, DIALOG360, ON_PREMISES


@dataclass(frozen=True)
class ChatContext:
    """A person, the bot's number, and in a group the author."""

    person: WhatsAppUser
    number: Number
    author: WhatsAppUser | None = None


@dataclass(frozen=True)
class Arrival:
    """
    A message that a person writes, without the platform's own fields.

    *type* and *content* are as in the webhook; *context* holds the quoted ``message_id`` or what a
    webhook holds there; *extra* are further keys, e.g. ``referral``. A known *id* delivers that
    message once more.
    """

    type: str
    content: Any = None
    context: Mapping[str, Any] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None


def receive(
    world: World,
    person: WhatsAppUser,
    arrivals: Sequence[Arrival],
    *,
    number: Number | None = None,
    author: WhatsAppUser | None = None,
) -> list[ChatMessage]:
    """
    Deliver a person's messages to *number*, by default the first, in one webhook.

    In a group, *person* is the group, and *author* the writer.
    """
    number = number or world.config.number
    chat = ChatContext(person, number, author)
    is_ours = person.group or ownership.note_message(world, person, number) == "bot"
    messages = [_note(world, chat, arrival) for arrival in arrivals]
    if not is_ours:
        for message in messages:
            reports.send_overheard(world, person, number, message)
        _mark_delivered(world, messages)  # to the other app
        return messages
    body = envelopes.messages_webhook(
        messages,
        _sender_as_reported(world, author or person, messages),
        api=world.config.api,
        number=number,
    )
    on_accepted = partial(_mark_delivered, world, messages)
    kind = messages[0].type
    world.webhooks.post("webhooks", person.key, body, kind=kind, on_accepted=on_accepted)
    return messages


def _sender_as_reported(
    world: World, writer: WhatsAppUser, messages: Sequence[ChatMessage]
) -> WhatsAppUser:
    """Return the writer as the webhook names them; a fault may hide the number."""
    reported = world.as_reported(writer)
    if not world.config.api.user_ids or reported.phone is None or messages[0].author is not None:
        return reported
    if not world.has_written(writer, besides=messages):
        return reported  # the bot could not recognize them later
    facts = {"person": writer.key, "type": messages[0].type}
    hit = world.faults.find("webhooks", ("hide_number",), weather="names", **facts)
    return replace(reported, phone=None) if hit is not None else reported


def read(world: World, person: WhatsAppUser, message_id: str | None = None) -> list[ChatMessage]:
    """Mark the bot's messages as read, up to *message_id* if given; return the newly read."""
    if message_id is None:
        chat = [m for m in world.state.chat(person.key) if m.direction == "outbound"]
    else:
        chat = world.state.up_to(message_id)
    unread = [
        m
        for m in chat
        if m.status in RANK and RANK[m.status] < RANK["read"] and m.type != "reaction"
    ]
    for message in unread:
        chats.change_status(world, message, "read")
    if unread:
        reports.send_status(world, person, "read", unread)
    return unread


def set_status(
    world: World, person: WhatsAppUser, message: ChatMessage, status: str, *, code: int
) -> bool:
    """Set the status of the bot's *message* manually, a failure with *code*; False if unchanged."""
    errors: tuple[Mapping[str, Any], ...] = ()
    if status == "failed":
        problem = problems.of_code(code)
        errors = (status_error(problem, world.config.api, "Set to failed in the simulator."),)
    if not chats.change_status(world, message, status, by_hand=True, errors=errors):
        return False
    reports.send_status(world, person, status, [world.state.messages[message.id]])
    return True


def _note(world: World, chat: ChatContext, arrival: Arrival) -> ChatMessage:
    known = world.state.messages.get(arrival.id or "")
    if known is not None:
        return known
    person, number, author = chat.person, chat.number, chat.author
    context = _full_context(world, chat, arrival.context)
    group = {"group_id": person.user_id} if person.group else {}
    message = ChatMessage(
        id=arrival.id or ids.new_message_id(world.config.api, inbound=True),
        direction="inbound",
        person=person.key,
        timestamp=int(world.clock()),
        type=arrival.type,
        content=arrival.content,
        reply_to=(context or {}).get("id"),
        context=context,
        extra={**group, **arrival.extra},
        number=number.phone_number_id,
        author=author.key if author else None,
        media={
            str(media["id"]): str(media["id"])
            for _, media in media_objects(arrival.type, arrival.content)
            if world.library.find(media.get("id")) is not None
        },
    )
    if arrival.type == "reaction":
        chats.react(world, message)
    if "referral" in arrival.extra:
        world.billing.note_referral(person.key, number.phone_number_id, world.clock())
    world.record_written(person, number)
    return chats.show(world, message)


def _full_context(
    world: World, chat: ChatContext, context: Mapping[str, Any] | None
) -> Mapping[str, Any] | None:
    """Return the context for a webhook: the quoted message with its author."""
    if not context or "message_id" not in context:
        return context or None
    quoted = world.state.messages.get(context["message_id"])
    by_person = quoted is not None and quoted.direction == "inbound"
    writer = (quoted.author if quoted else None) or chat.person.key
    author = writer if by_person else chat.number.display_phone_number
    rest = {key: value for key, value in context.items() if key != "message_id"}
    return {"from": author, "id": context["message_id"], **rest}


def _mark_delivered(world: World, messages: Sequence[ChatMessage]) -> None:
    """Mark messages as delivered: the bot has accepted their webhook."""
    for message in messages:
        chats.change_status(world, message, "delivered")


def change_identity(
    world: World, person: WhatsAppUser, *, phone: str | None = None, user_id: str | None = None
) -> WhatsAppUser:
    """
    Give *person* another phone number, user id, or both; return them as they are now.

    The bot receives a system message, for a user id also ``user_id_update``.
    """
    api, number = world.config.api, world.config.number
    changed = replace(person, phone=phone or person.phone, user_id=user_id or person.user_id)
    world.state.replace_person(person, changed)
    world.feed.publish("moved", was=person.key, person=world.person_to_json(changed))
    kind = "user_changed_number" if phone else "user_changed_user_id"
    was, becomes = world.as_reported(person), world.as_reported(changed)
    old, new = (was.phone, becomes.phone) if phone else (person.user_id, user_id)
    content = {"body": f"User {person.name} changed from {old} to {new}", "type": kind}
    if api is ON_PREMISES:
        content["new_wa_id"] = becomes.phone or ""
    else:
        content["user_id"] = changed.user_id
        content |= {"wa_id": becomes.phone} if becomes.phone else {}
    now = int(world.clock())
    message = ChatMessage(
        id=ids.new_message_id(api, inbound=True),
        direction="inbound",
        person=changed.key,
        timestamp=now,
        type="system",
        content=content,
        number=number.phone_number_id,
    )
    chats.show(world, message)
    # The message still comes from whom the bot knows.
    body = envelopes.messages_webhook([message], was, api=api, number=number)
    world.webhooks.post("webhooks", changed.key, body, kind="system")
    if user_id is not None and api in (CLOUD, DIALOG360):
        update = envelopes.user_id_webhook(was, becomes, now=now, number=number)
        world.webhooks.post("webhooks", changed.key, update, kind="user_id_update")
    return changed
