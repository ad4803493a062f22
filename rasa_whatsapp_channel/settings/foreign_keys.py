"""
Foreign keys: what other connectors call their channel and their keys, and what to write here.

People come from maharanasarkar/whatsapp-connector-rasa (copied files, two generations),
praekeltfoundation/turn-rasa-connector, Rasa's own twilio and facebook channels, or clients of
other frameworks, and bring the block they had.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rasa_whatsapp_channel.whatsapp.apis import GRAPH_VERSION

CHANNEL: Final = "rasa_whatsapp_channel.WhatsAppInput"
_PACKAGE: Final = CHANNEL.partition(".")[0]
# Rasa imports what the key names before any code of this package runs.
CHANNELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "whatsapp": "Rasa has no channel of this name; ours is named by its class",
        _PACKAGE: "this is the package, Rasa wants a class of it",
        f"{_PACKAGE}.WhatsAppOutput": "this is the output channel; Rasa wants the input channel",
        "turn_rasa_connector.turn.TurnInput": "this is another connector for Turn; "
        "here it is `api: turn`",
        "360dialog": "this is an API, which stands in the block as `api: 360dialog`",
        "turn": "this is an API, which stands in the block as `api: turn`",
    }
)

_ACCESS: Final = "write `access_token: ${WHATSAPP_ACCESS_TOKEN}`"
_NUMBER: Final = 'write `phone_number_id: "106540352242922"`, the id of the number, in quotes'
_APP: Final = "write `app_secret: ${WHATSAPP_APP_SECRET}`"
_VERIFY: Final = "write `verify_token: ${WHATSAPP_VERIFY_TOKEN}`"
_VERSION: Final = f"write `api_version: {GRAPH_VERSION}`, or leave it out"
_ACCOUNT: Final = "leave it out, the channel does not need the account's id"
_TWILIO: Final = (
    "that is Twilio's, and this channel speaks to WhatsApp without Twilio: leave it out, and write "
    "`phone_number_id`, `access_token`, `app_secret` and `verify_token` from Meta's dashboard"
)

# key of another connector → the way out
KEYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "account_sid": _TWILIO,
        "twilio_number": _TWILIO,
        "auth_token": _ACCESS,
        "token": _ACCESS,
        "whatsapp_token": _ACCESS,
        "page-access-token": _ACCESS,
        "api_key": f"{_ACCESS}; under the name api_key Rasa Pro replaces no ${{VARIABLES}}",
        "d360_api_key": _ACCESS,
        "phone_id": _NUMBER,
        "phone_number": _NUMBER,
        "number_id": _NUMBER,
        "business_phone_number_id": _NUMBER,
        "secret": _APP,
        "fb_secret": _APP,
        "verify": _VERIFY,
        "fb_verify": _VERIFY,
        "verification_token": _VERIFY,
        "webhook_verify_token": _VERIFY,
        "graph_api_version": _VERSION,
        "graph_version": _VERSION,
        "version": _VERSION,
        "url": "write `base_url: https://…`, or leave it out for the API's own address",
        "hmac_secret": "write `webhook_secret: ${WHATSAPP_WEBHOOK_SECRET}`",
        "postgresql_url": "leave it out: `store` remembers which messages were handled",
        "http_retries": "leave it out: what fails is sent again by itself, see "
        "docs/delivery-guarantees.md",
        "debug_mode": "leave it out: an error of the bot makes the message a dead letter, see "
        "`rasa-whatsapp queue`",
        "waba_id": _ACCOUNT,
        "business_account_id": _ACCOUNT,
        "whatsapp_business_account_id": _ACCOUNT,
        "app_id": "leave it out, the channel does not need the app's id",
    }
)


def replacement_of(key: str) -> str | None:
    """Return what to write instead of *key*, None where no other connector has it."""
    return KEYS.get(key) or KEYS.get(key.lower().replace("-", "_"))


def mistaken_channel(name: str) -> str | None:
    """Return what is wrong with *name*, a key of credentials.yml that means this channel."""
    if name == CHANNEL:
        return None
    if name in CHANNELS:
        return CHANNELS[name]
    if difflib.SequenceMatcher(None, name.lower(), CHANNEL.lower()).ratio() > 0.9:
        return "the class path is misspelt"
    if name.startswith(f"{_PACKAGE}."):
        return "the class lies at the top of the package, and what is below may move"
    if "whatsapp" in name.lower() or "heyoo" in name.lower():
        return "this is the class of another connector, such as a file copied beside the bot"
    return None
