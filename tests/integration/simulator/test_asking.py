"""Interactive messages that ask for an address, a contact, a call or a payment; reactions."""

import pytest

MAYA = "4915112345678"
TO = {"messaging_product": "whatsapp", "to": MAYA}
BODY = {"body": {"text": "Please"}}


def asking(kind, action, **more):
    content = {"type": kind, **BODY, "action": action, **more}
    return {**TO, "type": "interactive", "interactive": content}


def call(**parameters):
    return {"name": "voice_call", "parameters": parameters}


ADDRESS = {"name": "address_message", "parameters": {"country": "IN"}}
ORDER = {
    "reference_id": "order-1",
    "type": "digital-goods",
    "payment_type": "br",
    "payment_settings": [
        {"type": "payment_link", "payment_link": {"uri": "https://my-payment-link-url"}}
    ],
    "currency": "BRL",
    "total_amount": {"value": 50000, "offset": 100},
    "order": {
        "status": "pending",
        "tax": {"value": 0, "offset": 100, "description": "optional text"},
        "items": [
            {
                "retailer_id": "1234567",
                "name": "Cake",
                "amount": {"value": 50000, "offset": 100},
                "quantity": 1,
            }
        ],
        "subtotal": {"value": 50000, "offset": 100},
    },
}
TAKEN = {
    "an address": asking("address_message", ADDRESS),
    "a contact": asking("request_contact_info", {"name": "request_contact_info"}),
    "a call": asking("voice_call", call(display_text="x" * 20, payload="p" * 512, ttl_minutes=1)),
    "a permission": asking("call_permission_request", {"name": "call_permission_request"}),
    "a place": asking("location_request_message", {"name": "send_location"}),
    "a payment": asking("order_details", {"name": "review_and_pay", "parameters": ORDER}),
    "an order on its way": asking(
        "order_status",
        {
            "name": "review_order",
            "parameters": {"reference_id": "order-1", "order": {"status": "shipped"}},
        },
    ),
}
REFUSED = {
    "an unknown type": (asking("telepathy", {"name": "telepathy"}), 131009),
    "another name": (asking("address_message", {**ADDRESS, "name": "address"}), 131009),
    "no action": (asking("request_contact_info", None), 131008),
    "no country": (asking("address_message", {"name": "address_message"}), 131008),
    "a far country": (
        asking("address_message", {**ADDRESS, "parameters": {"country": "DE"}}),
        131009,
    ),
    "no body": (asking("address_message", ADDRESS, body={}), 131008),
    "a long body": (asking("address_message", ADDRESS, body={"text": "x" * 1025}), 131009),
    "a long label": (asking("voice_call", call(display_text="x" * 21)), 131009),
    "a long payload": (asking("voice_call", call(payload="p" * 513)), 131009),
    "a long life": (asking("voice_call", call(ttl_minutes=43_201)), 131009),
    "amounts that do not add up": (
        asking(
            "order_details",
            {
                "name": "review_and_pay",
                "parameters": {**ORDER, "total_amount": {"value": 49900, "offset": 100}},
            },
        ),
        131009,
    ),
    "a footer": (
        asking(
            "call_permission_request",
            {"name": "call_permission_request"},
            footer={"text": "x"},
        ),
        131009,
    ),
}


@pytest.mark.parametrize("message", TAKEN.values(), ids=TAKEN)
async def test_a_question_reaches_the_person(simulator, message):
    status, answer = await simulator.cloud(message)

    assert status == 200, answer
    assert (await simulator.shows(1))[0]["content"] == message["interactive"]


@pytest.mark.parametrize(("message", "code"), REFUSED.values(), ids=REFUSED)
async def test_a_question_whatsapp_does_not_know_is_refused(simulator, message, code):
    status, answer = await simulator.cloud(message)

    assert (status, answer["error"]["code"]) == (400, code), answer


async def test_a_reaction_is_put_on_and_taken_away(simulator):
    written = await simulator.says("hi")
    for emoji, reactions in (("👍", {"bot": "👍"}), ("", {})):
        reaction = {"message_id": written["id"], "emoji": emoji}
        await simulator.cloud({**TO, "type": "reaction", "reaction": reaction})
        count = 2 if emoji else 3
        assert (await simulator.shows(count))[0]["reactions"] == reactions
