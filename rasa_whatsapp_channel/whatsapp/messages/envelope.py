"""
Envelope: the keys beside a message that change how it is sent, and which messages they go with.

Direct Send sends a text or buttons outside of the 24-hour window, without a template of one's own:
https://developers.facebook.com/documentation/business-messaging/whatsapp/direct-send/api-reference
Marketing messages are templates that go to an endpoint of their own:
https://developers.facebook.com/documentation/business-messaging/whatsapp/marketing-messages
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import checks
from rasa_whatsapp_channel.whatsapp.messages.base import Message

DIRECT: Final = ("category", "ttl_seconds", "direct_send_config")
MARKETING: Final = ("product_policy", "message_activity_sharing")
POLICIES: Final = ("CLOUD_API_FALLBACK", "STRICT")
_CATEGORIES: Final = (*limits.DIRECT_TTL, "service")
_DIRECT_TYPES: Final = ("text", "cta_url", "button", "voice_call")
_TEMPLATE_NAME: Final = re.compile(r"[a-z0-9_]+")


def envelope_of(message: Message) -> Mapping[str, Any]:
    """Return the keys beside *message* that are written in its body."""
    return {str(extra.path[0]): extra.value for extra in message.extras if len(extra.path) == 1}


def is_direct(envelope: Mapping[str, Any]) -> bool:
    """Return whether a body with these keys is sent as Direct Send."""
    return str(envelope.get("category")).lower() in limits.DIRECT_TTL


def is_marketing(message: Message) -> bool:
    """Return whether *message* goes to the endpoint for marketing messages."""
    return any(key in MARKETING for key in envelope_of(message))


def check_envelope(message: Message) -> None:
    """Raise `InvalidMessage` where a key beside *message* does not go with it."""
    envelope = envelope_of(message)
    kind = str(getattr(message, "kind", message.type))
    _check_direct(envelope, kind)
    for key in MARKETING:
        if key in envelope and kind != "template":
            raise InvalidMessage(key, f"goes with templates only, not with {kind}")
    if "product_policy" in envelope:
        checks.check_text("product_policy", envelope["product_policy"])
    if "message_activity_sharing" in envelope:
        checks.check_flag("message_activity_sharing", envelope["message_activity_sharing"])


def _check_direct(envelope: Mapping[str, Any], kind: str) -> None:
    given = envelope.get("category")
    if given is not None and str(given).lower() not in _CATEGORIES:
        raise InvalidMessage("category", f"must be one of {', '.join(_CATEGORIES)}")
    if not is_direct(envelope):
        for key in DIRECT:
            if key != "category" and key in envelope:
                raise InvalidMessage(key, "goes only with category: utility or authentication")
        return
    category = str(given).lower()
    if kind not in _DIRECT_TYPES:
        raise InvalidMessage("category", f"{category} takes {', '.join(_DIRECT_TYPES)}, not {kind}")
    if "ttl_seconds" in envelope:
        checks.check_whole("ttl_seconds", envelope["ttl_seconds"], *limits.DIRECT_TTL[category])
    if "direct_send_config" in envelope:
        config = checks.mapping("direct_send_config", envelope["direct_send_config"])
        field = "direct_send_config.template_name"
        name = checks.check_text(field, config.get("template_name"), limits.TEMPLATE_NAME)
        if category != "utility":
            raise InvalidMessage(field, "goes only with category: utility")
        if not _TEMPLATE_NAME.fullmatch(name):
            raise InvalidMessage(field, "takes a-z, 0-9 and _ only")
