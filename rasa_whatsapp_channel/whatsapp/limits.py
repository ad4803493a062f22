"""
Limits: the numbers WhatsApp documents for what is sent and received, each with its page and month.

Pages are below https://developers.facebook.com/documentation/business-messaging/whatsapp/ unless a
full address is given; the month is that of the latest copy of the page the number was read in.
Lengths are in characters (code points), sizes in bytes, times in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

KB: Final = 1024
MB: Final = 1024 * 1024

# messages/text-messages (Mar 2026)
TEXT_BODY: Final = 4096

# messages/image-messages, video-messages, document-messages (Mar 2026)
CAPTION: Final = 1024
# messages/document-messages (Mar 2026): no limit is named there; file systems have one
FILENAME: Final = 240

# messages/contacts-messages (Mar 2026)
CONTACTS: Final = 257

# messages/location-messages (Mar 2026)
LATITUDE: Final = 90.0
LONGITUDE: Final = 180.0

# messages/interactive-reply-buttons-messages (Mar 2026)
BUTTONS: Final = 3
BUTTON_TITLE: Final = 20
BUTTON_ID: Final = 256
INTERACTIVE_BODY: Final = 1024
HEADER_TEXT: Final = 60
FOOTER: Final = 60

# messages/interactive-list-messages (Sep 2026)
LIST_BODY: Final = 4096
LIST_BUTTON: Final = 20
LIST_SECTIONS: Final = 10
LIST_ROWS: Final = 10  # over all sections
SECTION_TITLE: Final = 24
ROW_TITLE: Final = 24
ROW_DESCRIPTION: Final = 72
ROW_ID: Final = 200

# messages/interactive-cta-url-messages (Mar 2026)
CTA_DISPLAY_TEXT: Final = 20
# templates/components (Mar 2026), of buttons that open a URL
URL: Final = 2000

# messages/interactive-media-carousel-messages (Mar 2026)
CARDS_MIN: Final = 2
CARDS: Final = 10
CARD_BODY: Final = 160
CARD_BODY_LINE_BREAKS: Final = 2
CARD_BUTTONS: Final = 3
CARD_BUTTON_ID: Final = 20  # the page says so; it may mean 256, as everywhere else

# the client library pywa (Aug 2026) has 20, Meta's OpenAPI 30; the smaller is always taken
FLOW_CTA: Final = 30
FLOW_CTA_SURE: Final = 20

# catalogs/sell-products-and-services/share-products (Mar 2026)
PRODUCT_SECTIONS: Final = 10
PRODUCTS: Final = 30  # over all sections
PRODUCT_RETAILER_ID: Final = 100

# calling/call-button-messages-deep-links (Mar 2026)
VOICE_CALL_PAYLOAD: Final = 512
CALL_TTL: Final = (1, 43_200)  # minutes that a call button works

# groups/groups-messaging (Mar 2026)
PINS: Final = 3  # at the same time
PIN_DAYS: Final = (1, 30)

# direct-send/api-reference, direct-send/configure-message-ttl (Jul 2026)
DIRECT_BUTTONS: Final = 10
DIRECT_URL_BUTTONS: Final = 2  # before the others
DIRECT_TTL: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {"utility": (30, 43_200), "authentication": (30, 900)}
)

# payments/payments-br/orders (Mar 2026)
ORDER_REFERENCE: Final = 35
ORDER_DESCRIPTION: Final = 120
ORDER_OFFSET: Final = 100  # of every amount: it counts hundredths

# templates/components, templates/overview (Mar 2026); the coupon code had 15 before Dec 2025
TEMPLATE_NAME: Final = 512
TEMPLATE_BUTTONS: Final = 10
TEMPLATE_COUPON_CODE: Final = 20
TEMPLATE_BUTTON_TEXT: Final = 25
TEMPLATE_URL: Final = 2000
TEMPLATE_OFFER: Final = 16  # text of a limited time offer
# templates/marketing-templates/limited-time-offer-templates (2026)
TEMPLATE_OFFER_BODY: Final = 600
# templates/marketing-templates/media-card-carousel-templates (Jun 2026)
TEMPLATE_CARD_BUTTONS: Final = 2
# templates/time-to-live (Mar 2026), seconds; -1 is thirty days
TEMPLATE_TTL: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {
        "AUTHENTICATION": (30, 900),
        "UTILITY": (30, 43_200),
        "MARKETING": (43_200, 2_592_000),
    }
)

# the client library pywa (Aug 2026); Meta says it of calls only (Mar 2026)
CALLBACK_DATA: Final = 512

# business-phone-numbers/media (Sep 2026): bytes by kind of message
MEDIA_BYTES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "audio": 16 * MB,
        "document": 100 * MB,
        "image": 5 * MB,
        "sticker": 500 * KB,  # animated; a static one is held to STICKER_STATIC_BYTES
        "video": 16 * MB,
    }
)
STICKER_STATIC_BYTES: Final = 100 * KB
# the client library pywa (Aug 2026)
STICKER_PIXELS: Final = 512  # both sides
# messages/audio-messages (Mar 2026): above it a voice message has a download icon, no play icon
VOICE_PLAY_BYTES: Final = 512 * KB

# business-phone-numbers/media (Sep 2026): MIME types by kind. On-premises documents may have any,
# https://developers.facebook.com/docs/whatsapp/api/media
MEDIA_TYPES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "audio": frozenset({"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"}),
        "document": frozenset(
            {
                "text/plain",
                "application/pdf",
                "application/msword",
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                "application/vnd.ms-excel",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                "application/vnd.ms-powerpoint",
                "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            }
        ),
        "image": frozenset({"image/jpeg", "image/png"}),
        "sticker": frozenset({"image/webp"}),
        "video": frozenset({"video/mp4", "video/3gpp"}),
    }
)

# webhooks/overview (Sep 2026)
WEBHOOK_BYTES: Final = 3 * MB

# business-phone-numbers/media (Sep 2026): a download URL lives this long
MEDIA_URL_LIFE: Final = 300

# messages/send-messages (Sep 2026): the customer service window
WINDOW: Final = 24 * 3600
# typing-indicators (Mar 2026)
TYPING: Final = 25

# conversation-routing (Nov 2026)
THREAD_METADATA: Final = 2000

# about-the-platform (Sep 2026): pair rate
PAIR_INTERVAL: Final = 6.0
PAIR_BURST: Final = 45
# throughput (Sep 2026): 1,000 for numbers that grew, 20 beside the WhatsApp Business app
MESSAGES_PER_SECOND: Final = 80
