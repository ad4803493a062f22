"""What is written into a bot's files, for each API."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rasa_whatsapp_channel.settings import CHANNEL

# api → key, what stands behind it, a comment
_KEYS: Final[Mapping[str, tuple[tuple[str, str, str], ...]]] = MappingProxyType(
    {
        "cloud": (
            (
                "phone_number_id",
                "${WHATSAPP_PHONE_NUMBER_ID}",
                "the id of the number, not the number",
            ),
            ("access_token", "${WHATSAPP_ACCESS_TOKEN}", "of a system user, so that it never ends"),
            ("app_secret", "${WHATSAPP_APP_SECRET}", "App settings → Basic"),
            ("verify_token", "${WHATSAPP_VERIFY_TOKEN}", "any word; Meta asks for it"),
        ),
        "360dialog": (
            ("access_token", "${WHATSAPP_ACCESS_TOKEN}", "the API key"),
            ("webhook_token", "${WHATSAPP_WEBHOOK_TOKEN}", "the webhook ends in ?token=…"),
        ),
        "turn": (
            ("access_token", "${WHATSAPP_ACCESS_TOKEN}", "Settings → API & Webhooks"),
            ("webhook_secret", "${WHATSAPP_WEBHOOK_SECRET}", "the webhook's HMAC secret"),
        ),
        "on_premises": (
            ("base_url", "${WHATSAPP_BASE_URL}", "such as https://whatsapp.internal:9090"),
            ("username", "${WHATSAPP_USERNAME}", ""),
            ("password", "${WHATSAPP_PASSWORD}", ""),
            ("webhook_token", "${WHATSAPP_WEBHOOK_TOKEN}", "the webhook ends in ?token=…"),
        ),
    }
)

EXAMPLES: Final = """\
# Responses to copy into your domain. Rasa does not read this file.
# What each becomes: rasa-whatsapp preview whatsapp-examples.yml utter_offer
responses:
  utter_offer:                      # a picture with a text and two buttons, in one message
  - text: "Our offer for *today*"
    image: "https://shop.example/offer.jpg"
    buttons:
    - {title: "Buy", payload: "/buy"}
    - {title: "Later", payload: "/later"}

  utter_menu:                       # more than three buttons become a list
  - text: "What would you like to see?"
    buttons:
    - {title: "Rooms", payload: "/rooms", description: "Prices and pictures"}
    - {title: "Breakfast", payload: "/breakfast"}
    - {title: "The lake", payload: "/lake"}
    - {title: "The way to us", payload: "/way"}

  utter_invoice:                    # a document; path begins in the bot's folder
  - text: "Your invoice"
    attachment: {type: document, link: "https://shop.example/i.pdf", filename: "invoice.pdf"}

  utter_place:                      # any message of WhatsApp, in WhatsApp's own words
  - custom:
      type: location
      location: {latitude: 48.85, longitude: 2.35, name: "Paris"}

  utter_shipped:                    # outside of the 24-hour window the template goes instead
  - text: "Your order is on its way"
    metadata:
      whatsapp:
        template: {name: order_shipped, language: en_US, body: ["tomorrow"]}

  utter_thank_for_image:            # what a rule or a flow may say to /whatsapp_image
  - text: "Thank you for the picture!"
"""


def block(api: str) -> str:
    keys = _KEYS[api]
    pairs = [(f"  {key}: {value}", comment) for key, value, comment in keys]
    width = max(len(line) for line, _ in pairs)
    lines = [f"{line:<{width}}  # {comment}" if comment else line for line, comment in pairs]
    return "\n".join([f"{CHANNEL}:", f"  api: {api}", *lines]) + "\n"


def variables(api: str) -> dict[str, str]:
    """Return the variables of the block, with what they are for."""
    return {value.strip("${}"): comment or key for key, value, comment in _KEYS[api]}
