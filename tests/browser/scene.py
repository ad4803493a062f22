"""A chat with something of everything, to look at and to check."""

from __future__ import annotations

from typing import Any

from support.chromium import Tab
from support.spoken_bot import MAYA, Bot

FORMATTED = (
    "*Two nights at the lake*\n"
    "- a room with a _view_\n- breakfast until ~10~ 11\n"
    "> the code is `LAKE-7`\n"
    "More: https://hotel.example/offers?from=chat"
)
LONG = "The house stands right at the shore, with a garden down to the water. " * 16


MESSAGES = 21  # that `play` makes, refused ones too


HELLO = {"type": "text", "text": {"body": "Hello"}}
TO_MAYA = {"messaging_product": "whatsapp", "to": f"+{MAYA}"}


FAULT = {
    "on": "messages",
    "when": {"share": 0.2},
    "match": {"type": "image"},
    "do": {"code": 131056},
}


# What is cut by the window, or makes something scroll sideways that should not.
TOO_WIDE = """
[...document.querySelectorAll('body *')].filter((node) => {
    if (!node.checkVisibility()) return false;
    if (node.closest('svg, .spoken, .line, .quote-text, .cards')) return false;
    const { left, right, width } = node.getBoundingClientRect();
    const scrolls = ['auto', 'scroll'].includes(getComputedStyle(node).overflowX);
    return width > 0 && (left < -1 || right > innerWidth + 1
        || scrolls && node.scrollWidth > node.clientWidth + 1);
}).map((node) => `${node.tagName} ${node.className}`)
"""


async def play(bot: Bot) -> None:
    """Let Maya and the bot say something of every type."""
    files = {
        name: await bot.uploads(name, mime_type)
        for name, mime_type in (
            ("lake.jpg", "image/jpeg"),
            ("guide.pdf", "application/pdf"),
            ("chime.ogg", "audio/ogg"),
            ("boat.mp4", "video/mp4"),
            ("sun.webp", "image/webp"),
        )
    }
    asked = await writes(bot, {"type": "text", "text": {"body": "Hi! What can I do at the lake?"}})
    said = await bot.says({"type": "text", "text": {"body": FORMATTED}, **_quoting(asked)})
    await reacts(bot, said, "😍")
    await bot.says(
        {"type": "image", "image": {"id": files["lake.jpg"], "caption": "The lake at *six*"}}
    )
    await bot.says({"type": "video", "video": {"id": files["boat.mp4"]}})
    await bot.says({"type": "audio", "audio": {"id": files["chime.ogg"], "voice": True}})
    await bot.says({"type": "audio", "audio": {"id": files["chime.ogg"]}})
    await bot.says(
        {
            "type": "document",
            "document": {"id": files["guide.pdf"], "filename": "Guide to Kiel.pdf"},
        }
    )
    await bot.says({"type": "sticker", "sticker": {"id": files["sun.webp"]}})
    await bot.says({"type": "location", "location": PLACE})
    await bot.says({"type": "contacts", "contacts": [CONTACT]})
    await bot.says({"type": "text", "text": {"body": "שלום! ההזמנה שלך *אושרה* 🎉"}})
    await bot.says({"type": "text", "text": {"body": LONG}})
    await writes(bot, {"type": "text", "text": {"body": "👍🏽"}})
    await bot.says(_interactive("list", "Which town?", _list()))
    await bot.says(_interactive("carousel", "Three boats", _carousel(files["lake.jpg"])))
    link = {"name": "cta_url", "parameters": {"display_text": "See it", "url": "https://a.example"}}
    await bot.says(_interactive("cta_url", "On the web", link))
    await bot.says(_interactive("button", "Book it?", _buttons("Yes", "Later", "x" * 24)))
    buttons = {
        **_interactive("button", "Shall I book the boat for *Saturday*?", _buttons("Yes", "Later"))
    }
    buttons["interactive"]["footer"] = {"text": "Free until Friday"}
    await bot.says(buttons)
    template = {"name": "write_again", "language": {"code": "en_US"}, "components": [WHO]}
    await bot.says({"type": "template", "template": template})
    await writes(bot, ORDER)
    await writes(bot, {"type": "unsupported", "unsupported": {"type": "poll"}})


async def writes(bot: Bot, message: dict[str, Any], person: str = MAYA) -> str:
    """Let a person write *message*; return its id."""
    message_id: str = (await bot.simulates(f"people/{person}/messages", message))["id"]
    return message_id


async def joins(bot: Bot, name: str) -> str:
    """Add a person; return what names them in addresses."""
    key: str = (await bot.simulates("people", {"name": name}))["phone"]
    return key


async def opens(page: Tab, *chats: str) -> None:
    """Open the address of *chats*; an address of who is not in the list yet opens none."""
    for chat in chats:
        await page.shows(f"document.querySelector('[data-chat=\"{chat}\"]')")
    await page.js(f"location.hash = '#/chat/{'/'.join(chats)}'")


async def reacts(bot: Bot, message_id: str, emoji: str, person: str = MAYA) -> None:
    await bot.simulates(f"people/{person}/reaction", {"message_id": message_id, "emoji": emoji})


def _quoting(message_id: str) -> dict[str, Any]:
    return {"context": {"message_id": message_id}}


def _interactive(kind: str, text: str, action: dict[str, Any]) -> dict[str, Any]:
    content = {"type": kind, "body": {"text": text}, "action": action}
    return {"type": "interactive", "interactive": content}


def _buttons(*titles: str) -> dict[str, Any]:
    replies = [{"type": "reply", "reply": {"id": f"/{title}", "title": title}} for title in titles]
    return {"buttons": replies}


def _list() -> dict[str, Any]:
    rows = [
        {"id": f"/{town}", "title": town, "description": f"{minutes} minutes by train"}
        for town, minutes in (("Kiel", 45), ("Plön", 20), ("Eutin", 35))
    ]
    return {"button": "Towns", "sections": [{"title": "At the water", "rows": rows}]}


def _carousel(image: str) -> dict[str, Any]:
    return {
        "cards": [
            {
                "card_index": at,
                "type": "cta_url",
                "header": {"type": "image", "image": {"id": image}},
                "body": {"text": f"*{name}*\nFour seats, one captain"},
                "action": {
                    "name": "cta_url",
                    "parameters": {"display_text": "Book", "url": f"https://boats.example/{at}"},
                },
            }
            for at, name in enumerate(("Anna", "Berta", "Clara"))
        ]
    }


WHO = {"type": "body", "parameters": [{"type": "text", "text": "Maya"}]}
PLACE = {
    "latitude": 54.3233,
    "longitude": 10.1228,
    "name": "Kiel harbour",
    "address": "Bahnhofskai, Kiel",
}
CONTACT = {
    "name": {"formatted_name": "Lena Storm", "first_name": "Lena", "last_name": "Storm"},
    "org": {"company": "Lake Tours", "title": "Captain"},
    "phones": [{"phone": "+49 1555 0100200", "type": "WORK"}],
    "emails": [{"email": "lena@lake.example", "type": "WORK"}],
}
ORDER = {
    "type": "order",
    "order": {
        "catalog_id": "1234567890",
        "product_items": [
            {
                "product_retailer_id": "boat-anna",
                "quantity": 2,
                "item_price": 45.5,
                "currency": "EUR",
            }
        ],
    },
}
