"""
Pricing: what the status of a delivered message says about its charge.

https://developers.facebook.com/documentation/business-messaging/whatsapp/pricing
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rasa_whatsapp_channel.whatsapp.events import Part
from rasa_whatsapp_channel.whatsapp.json_values import object_of, text_of

#: The type of a message that is charged; every other type is free.
REGULAR: Final = "regular"
#: The type of a reply in the 24-hour window that is not charged.
FREE_REPLY: Final = "free_customer_service"
#: The type of a message in the 72 hours after somebody wrote from an advertisement.
FREE_ENTRY_POINT: Final = "free_entry_point"
TYPES: Final = frozenset({REGULAR, FREE_REPLY, FREE_ENTRY_POINT, "free_group_customer_service"})

#: The category of messages that are no templates.
SERVICE: Final = "service"
CATEGORIES: Final = frozenset(
    {
        *(SERVICE, "utility", "marketing", "marketing_lite"),
        *("authentication", "authentication_international"),
        *("referral_conversion", "general_purpose_ai"),
        *("group_service", "group_utility", "group_marketing"),
    }
)
# Charged per conversation, until July 2025 and by on-premises clients.
_PER_CONVERSATION: Final = ("CBP", "NBP")


@dataclass(frozen=True)
class Pricing:
    """The words of WhatsApp, in the spelling of today."""

    category: str
    type: str

    @property
    def is_allowance(self) -> bool:
        """Whether the message counts towards the free messages of its month."""
        return self.category == SERVICE and self.type in (REGULAR, FREE_REPLY)


def read_pricing(extra: Part) -> Pricing | None:
    """Return the pricing among the parts of a status; None where messages are not charged."""
    part = object_of(extra.get("pricing"))
    category = text_of(part.get("category"))
    if not category or part.get("pricing_model") in _PER_CONVERSATION:
        return None
    # `billable` is to go; older gateways have it alone.
    alone = REGULAR if part.get("billable") is True else FREE_REPLY
    kind = text_of(part.get("type")) or alone
    return Pricing(category.lower().replace("-", "_"), kind.lower())
