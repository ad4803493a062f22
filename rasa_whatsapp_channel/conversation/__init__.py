"""
Conversation memory: what is remembered of a person between two messages, for both directions.

    identity            all names of one person → one conversation
    window              when a person wrote last, and what may be sent now
    consent             who wants no marketing messages
    payloads            the commands on buttons that were sent
    numbered_replies    the numbers that were offered instead of buttons
    owner               who answers: the bot, or nobody
    debounce            the latest messages, and which of them became one turn
    message_notes       keys of queue items, and what a later status needs of one
    errors              a turn cannot run now, or was cancelled

Each fact is a class with its key, type and lifetime; `erase` deletes all of one conversation but
an opt-out, which stays without a name.
"""

from __future__ import annotations

from rasa_whatsapp_channel.conversation.consent import anonymize
from rasa_whatsapp_channel.conversation.debounce import latest_key
from rasa_whatsapp_channel.conversation.identity import alias_key, record_key
from rasa_whatsapp_channel.conversation.numbered_replies import offer_key
from rasa_whatsapp_channel.conversation.owner import owner_key
from rasa_whatsapp_channel.conversation.payloads import sent_prefix
from rasa_whatsapp_channel.conversation.window import template_key, wrote_key
from rasa_whatsapp_channel.store.base import Values

KEYS = (wrote_key, template_key, offer_key, alias_key, record_key, latest_key, owner_key)


async def erase(values: Values, conversation: str) -> None:
    """Erase all facts of *conversation*, see above. Raises `StoreError`."""
    for key in KEYS:
        await values.delete(key(conversation))
    await values.erase(sent_prefix(conversation))
    await anonymize(values, conversation)
