"""Marketing gate: which messages are marketing, and who has opted out of them."""

from __future__ import annotations

from typing import Final

from rasa_whatsapp_channel.account import AccountState
from rasa_whatsapp_channel.conversation.consent import Consents
from rasa_whatsapp_channel.conversation.person import Person
from rasa_whatsapp_channel.outbound.message import OutboxMessage
from rasa_whatsapp_channel.whatsapp.account_events import MARKETING
from rasa_whatsapp_channel.whatsapp.events import Status
from rasa_whatsapp_channel.whatsapp.json_values import object_of, text_of
from rasa_whatsapp_channel.whatsapp.messages.envelope import MARKETING as ENDPOINT_KEYS
from rasa_whatsapp_channel.whatsapp.messages.template import CATEGORIES

OPTED_OUT: Final = 131050  # WhatsApp's own code for a person who stopped marketing messages
TITLE: Final = "User has stopped marketing messages"
WITHHELD: Final = "the person wants no marketing messages; known from: {}"


class Marketing:
    """
    A template is marketing if its response or WhatsApp says so. One of which nothing is known is
    sent: WhatsApp then refuses it, if it is one. Every method raises `StoreError`.
    """

    def __init__(self, consents: Consents, account: AccountState) -> None:
        self._consents = consents
        self._account = account

    async def opted_out(self, person: Person) -> str | None:
        """Return why *person* gets no marketing; None: it may be sent."""
        consent = await self._consents.of(person)
        return None if consent is None or consent.marketing else WITHHELD.format(consent.source)

    async def why_withheld(self, entry: OutboxMessage, person: Person) -> str | None:
        """Return why *person* does not get *entry*; None: it may be sent."""
        template = entry.template_subject
        reason = await self.opted_out(person) if template is not None else None
        if template is None or reason is None:
            return None
        written = text_of(object_of(entry.message.get("template")).get("category")) or ""
        is_marketing = any(key in entry.message for key in ENDPOINT_KEYS)
        if is_marketing or MARKETING in (written.upper(), await self._account.category(template)):
            return reason
        return None

    async def note_refusal(self, entry: OutboxMessage, person: Person) -> None:
        """Note what error `OPTED_OUT` says of the person and of the template."""
        await self._consents.note(person, marketing=False, source=f"WhatsApp's error {OPTED_OUT}")
        if entry.template_subject is not None:
            await self._account.note_category(entry.template_subject, MARKETING)

    async def note_category(self, entry: OutboxMessage, category: str) -> None:
        """Note the *category* that WhatsApp charged a message for, if it is a template."""
        if entry.template_subject is not None:
            await self._account.note_category(entry.template_subject, category.upper())


def charged_category(status: Status) -> str | None:
    """Return the category of templates that *status* tells the price of, if it does."""
    charged = text_of(object_of(status.extra.get("pricing")).get("category")) or ""
    category = charged.lower().removesuffix("_lite")  # for the endpoint of marketing messages
    return category if category in CATEGORIES else None
