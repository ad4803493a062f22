from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from rasa_whatsapp_channel.compose import compose
from rasa_whatsapp_channel.preview import count_cells, draw
from rasa_whatsapp_channel.whatsapp.apis import CLOUD
from rasa_whatsapp_channel.whatsapp.messages import Outgoing, parse, parse_outgoing

EDGE = "─" * 40


def picture(response: Mapping[str, Any]) -> str:
    messages = compose(response, api=CLOUD).messages
    return "\n".join(line for outgoing in messages for line in draw(outgoing))


def body(body: Mapping[str, Any]) -> str:
    return "\n".join(draw(parse_outgoing(body)))


def interactive(kind: str, action: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "interactive",
        "interactive": {"type": kind, "body": {"text": "Here"}, "action": action},
    }


def test_a_text_stands_in_a_bubble() -> None:
    assert picture({"text": "Welcome 👋\n\n予約 for a table by the window, please"}) == (
        f"╭{EDGE}╮\n"
        "│ Welcome 👋                             │\n"
        "│                                        │\n"
        "│ 予約 for a table by the window, please │\n"
        f"╰{EDGE}╯"
    )


def test_a_picture_has_its_buttons_below() -> None:
    response = {
        "text": "The lake",
        "image": "media/lake.jpg",
        "buttons": [{"title": "More", "payload": "/more"}],
        "metadata": {"whatsapp": {"footer": "Every evening"}},
    }

    assert picture(response) == (
        f"╭{EDGE}╮\n"
        f"│ {'▒' * 38} │\n"
        f"│ {'▒' * 15} image {'▒' * 16} │\n"
        f"│ {'▒' * 38} │\n"
        "│ ‹media/lake.jpg›                       │\n"
        "│ The lake                               │\n"
        "│ Every evening                          │\n"
        f"├{EDGE}┤\n"
        "│                  More                  │\n"
        f"╰{EDGE}╯"
    )


def test_a_list_opens_below_its_bubble() -> None:
    buttons = [{"title": name, "payload": name} for name in ("Terrace", "Library", "Sauna")]
    buttons.append({"title": "Garden", "payload": "g", "description": "with the old apple trees"})

    assert picture({"text": "Which part?", "buttons": buttons}) == (
        f"╭{EDGE}╮\n"
        "│ Which part?                            │\n"
        f"├{EDGE}┤\n"
        "│                ☰ Choose                │\n"
        f"╰{EDGE}╯\n"
        "  ○ Terrace\n"
        "  ○ Library\n"
        "  ○ Sauna\n"
        "  ○ Garden\n"
        "    with the old apple trees"
    )


@pytest.mark.parametrize(
    ("kind", "content", "shown"),
    [
        ("video", {"id": "1", "caption": "The boat"}, ["video", "‹1›", "The boat"]),
        (
            "document",
            {"link": "https://a.example/b.pdf", "filename": "c.pdf"},
            ["📄 c.pdf", "‹https"],
        ),
        ("document", {"path": "media/b.pdf"}, ["📄 b.pdf", "‹media/b.pdf›"]),
        ("audio", {"id": "1", "voice": True}, ["🎤 ▶"]),
        ("audio", {"id": "1"}, ["🎵 ▶"]),
        ("sticker", {"id": "1"}, ["sticker"]),
        (
            "location",
            {"latitude": 1.5, "longitude": 2.5, "name": "A", "address": "B"},
            ["map", "📍 A ‹1.5, 2.5›", "│ B "],
        ),
        (
            "contacts",
            [{"name": {"formatted_name": "Ada", "first_name": "A"}, "phones": [{"phone": "+15"}]}],
            ["👤 Ada", "+15"],
        ),
        ("reaction", {"message_id": "wamid.1", "emoji": "👍"}, ["👍 on wamid.1"]),
        ("reaction", {"message_id": "wamid.1", "emoji": ""}, ["takes a reaction away"]),
        (
            "pin",
            {"type": "pin", "message_id": "wamid.1", "expiration_days": 4},
            ["📌 pins wamid.1 for 4 days"],
        ),
        ("pin", {"type": "unpin", "message_id": "wamid.1"}, ["📌 takes wamid.1 off"]),
        (
            "template",
            {"name": "hello", "language": {"code": "en"}},
            ["template:", '"name": "hello"'],
        ),
    ],
)
def test_every_message_has_a_picture(kind: str, content: Any, shown: list[str]) -> None:
    drawn = body({"type": kind, kind: content})

    for text in shown:
        assert text in drawn


LINK = {"name": "cta_url", "parameters": {"display_text": "Open", "url": "https://a.example/"}}
FORM = {"flow_message_version": "3", "flow_id": "1", "flow_cta": "Sign up"}
SECTIONS = [
    {"title": "House", "rows": [{"id": "1", "title": "Terrace"}]},
    {"title": "Garden", "rows": [{"id": "2", "title": "Sauna"}]},
]
REPLY = {"buttons": [{"type": "quick_reply", "quick_reply": {"id": "a", "title": "Mine"}}]}


def cards(*cards: Mapping[str, Any], kind: str = "cta_url") -> dict[str, Any]:
    return {"cards": [{**card, "card_index": n, "type": kind} for n, card in enumerate(cards)]}


def card(name: str, action: Mapping[str, Any]) -> dict[str, Any]:
    header = {"type": "image", "image": {"id": name}}
    return {"header": header, "body": {"text": f"The {name}"}, "action": action}


def product(name: str) -> dict[str, Any]:
    return {"action": {"product_retailer_id": name, "catalog_id": "1"}}


@pytest.mark.parametrize(
    ("kind", "action", "shown"),
    [
        ("cta_url", LINK, ["Here", "↗ Open", "‹https://a.example/›"]),
        ("location_request_message", {"name": "send_location"}, ["📍 Send location"]),
        ("request_contact_info", {"name": "request_contact_info"}, ["👤 Share contact info"]),
        ("voice_call", {"name": "voice_call"}, ["📞 Call now"]),
        (
            "voice_call",
            {"name": "voice_call", "parameters": {"display_text": "Call us"}},
            ["📞 Call us"],
        ),
        ("call_permission_request", {"name": "call_permission_request"}, ["Choose a preference"]),
        (
            "order_details",
            {
                "name": "review_and_pay",
                "parameters": {
                    "reference_id": "order-1",
                    "currency": "BRL",
                    "total_amount": {"value": 101250, "offset": 100},
                    "order": {
                        "items": [
                            {
                                "name": "Cake",
                                "amount": {"value": 50000, "offset": 100},
                                "quantity": 2,
                            }
                        ],
                        "subtotal": {"value": 100000, "offset": 100},
                        "tax": {"value": 1250, "offset": 100},
                    },
                },
            },
            ["2 × Cake: 500.00 BRL", "tax: 12.50 BRL", "total: 1012.50 BRL", "Review and pay"],
        ),
        (
            "order_status",
            {
                "name": "review_order",
                "parameters": {"reference_id": "order-1", "order": {"status": "shipped"}},
            },
            ["📦 order-1: shipped", "Review order"],
        ),
        ("flow", {"name": "flow", "parameters": FORM}, ["Here", "Sign up"]),
        (
            "product",
            {"catalog_id": "1", "product_retailer_id": "lamp"},
            ["interactive product:", '"product_retailer_id": "lamp"'],
        ),
        ("brand_new", {"name": "something"}, ["interactive brand_new:", "something"]),
        (
            "list",
            {"button": "All", "sections": SECTIONS},
            ["☰ All", "  House\n  ○ Terrace\n  Garden\n  ○ Sauna"],
        ),
        (
            "carousel",
            cards(card("lamp", LINK), card("chair", LINK)),
            ["‹lamp›", "The chair", "↗ Open"],
        ),
        ("carousel", cards(card("lamp", REPLY), card("chair", REPLY)), ["The lamp", "Mine"]),
        ("carousel", cards(product("a"), product("b"), kind="product"), ["🛒 a", "🛒 b"]),
    ],
)
def test_what_can_be_tapped_is_shown(
    kind: str, action: Mapping[str, Any], shown: list[str]
) -> None:
    drawn = body(interactive(kind, action))

    for text in shown:
        assert text in drawn


def test_what_is_quoted_stands_above() -> None:
    message = {"type": "text", "text": {"body": "Yes"}, "context": {"message_id": "wamid.1"}}

    assert body(message).splitlines()[1].startswith("│ ┃ an answer to wamid.1 ")


def test_a_text_above_buttons_may_be_the_header() -> None:
    message = interactive("button", {"buttons": [{"reply": {"id": "1", "title": "Yes"}}]})
    message["interactive"]["header"] = {"type": "text", "text": "Offer"}

    assert "Offer" in body(message)


def test_every_line_of_a_bubble_is_as_wide() -> None:
    lines = draw(
        Outgoing(parse({"type": "text", "text": {"body": "👨‍👩‍👧 予約 " * 20 + "x" * 90}}))
    )

    assert {count_cells(line) for line in lines} == {42}
