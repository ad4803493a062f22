"""What may happen on the way (8): found out when a message is prepared, or from WhatsApp."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rasa_whatsapp_channel.compose.changes.rule import Rule, lost

SENDING: Final[Mapping[str, Rule]] = {
    "WA801": lost(
        "a file cannot be sent; what was said with it goes without it",
        "the {kind} is left out, because it cannot be sent; {rest}: {reason}",
        before="{kind}",
    ),
    "WA802": Rule(
        "a file cannot be sent; its link, which anybody can open, goes in its place",
        "the {kind} cannot be sent, so its link stands in the text: {reason}",
        before="{kind}",
        after="link",
    ),
    "WA803": Rule(
        "a carousel became single messages, because a file of its cards cannot be sent",
        "the carousel became {count} messages, one after another, because a file of its cards "
        "cannot be sent, and each card needs one: {reason}",
        before="carousel",
        after="{count} messages",
    ),
}
