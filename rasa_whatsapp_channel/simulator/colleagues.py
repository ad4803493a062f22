"""
Colleagues: what others than the bot write to a person, and how the bot overhears it.

A colleague writes with the WhatsApp Business app on a phone (coexistence): the bot gets an echo.
What another app of Conversation Routing writes comes to the bot on standby.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/smb_message_echoes
https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/standby
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from rasa_whatsapp_channel.simulator import chats, ids, ownership, problems, reports
from rasa_whatsapp_channel.simulator.config import Number
from rasa_whatsapp_channel.simulator.media_library import media_objects
from rasa_whatsapp_channel.simulator.problems import Refused
from rasa_whatsapp_channel.simulator.state import ChatMessage, WhatsAppUser, Writer
from rasa_whatsapp_channel.simulator.world import World
from rasa_whatsapp_channel.whatsapp.apis import CLOUD

CHANGES: Final = ("edit", "revoke")  # types that change an earlier message


def write(
    world: World,
    by: Writer,
    person: WhatsAppUser,
    number: Number,
    kind: str,
    content: Mapping[str, Any],
) -> ChatMessage:
    """Show a message of a colleague or the other app, and let the bot overhear it; may refuse."""
    if by == "app":
        ownership.write_as_app(world, person, number)
    message = ChatMessage(
        id=ids.new_message_id(CLOUD),
        direction="outbound",
        person=person.key,
        timestamp=int(world.clock()),
        type=kind,
        content=content,
        by=by,
        number=number.phone_number_id,
        media={
            str(media["id"]): str(media["id"])
            for _, media in media_objects(kind, content)
            if world.library.find(media.get("id")) is not None
        },
    )
    if kind in CHANGES:
        shown = _change(world, by, person, kind, content)
    else:
        shown = chats.show(world, message)
        chats.change_status(world, message, "delivered")
    if by == "phone" and kind not in CHANGES:
        ownership.derive(world, person, number, "human", by="phone")
    reports.send_overheard(world, person, number, message)
    return world.state.messages.get(shown.id, shown)


def _change(
    world: World, by: Writer, person: WhatsAppUser, kind: str, content: Mapping[str, Any]
) -> ChatMessage:
    """Edit or delete an earlier message of the same writer; raise `Refused`."""
    earlier = world.state.messages.get(str(content.get("original_message_id")))
    if earlier is None or (earlier.by, earlier.person) != (by, person.key):
        raise Refused(problems.INVALID, "original_message_id is no message of this writer.")
    if kind == "revoke":
        return chats.replace_message(world, replace(earlier, revoked=True))
    new = content.get("message")
    if not isinstance(new, Mapping) or new.get("type") != earlier.type or earlier.revoked:
        raise Refused(problems.INVALID, f"An edited message is of the type {earlier.type}.")
    changed = new.get(earlier.type)
    if not isinstance(changed, Mapping):
        raise Refused(problems.INVALID, f"edit.message has no {earlier.type}.")
    return chats.replace_message(
        world, replace(earlier, edited=True, content={**earlier.content, **changed})
    )
