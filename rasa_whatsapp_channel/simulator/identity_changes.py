"""Identity changes: a person gets another phone number or user id, reported to the bot."""

from __future__ import annotations

from dataclasses import replace

from rasa_whatsapp_channel.simulator import ids
from rasa_whatsapp_channel.simulator.state import ChatMessage, WhatsAppUser
from rasa_whatsapp_channel.simulator.webhooks import envelopes
from rasa_whatsapp_channel.simulator.world import World
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, DIALOG360, ON_PREMISES


def change(
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
    world.show(message)
    # The message still comes from whom the bot knows.
    body = envelopes.messages_webhook([message], was, api=api, number=number)
    world.webhooks.post("webhooks", changed.key, body, kind="system")
    if user_id is not None and api in (CLOUD, DIALOG360):
        update = envelopes.user_id_webhook(was, becomes, now=now, number=number)
        world.webhooks.post("webhooks", changed.key, update, kind="user_id_update")
    return changed
