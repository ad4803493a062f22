"""The Cloud API as a bot meets it. Bodies are typed in from Meta's pages."""

from __future__ import annotations

import io
from typing import Any

import pytest

# https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
TO = {
    "messaging_product": "whatsapp",
    "recipient_type": "individual",
    "to": "+49 151 12345678",
}
TAKEN: dict[str, dict[str, Any]] = {
    "text": {"type": "text", "text": {"preview_url": True, "body": "See https://shop.example"}},
    "reaction": {"type": "reaction", "reaction": {"message_id": "WRITTEN", "emoji": "👍"}},
    "location": {
        "type": "location",
        "location": {
            "latitude": "37.44216251868683",
            "longitude": "-122.16153582049394",
            "name": "Philz Coffee",
            "address": "101 Forest Ave, Palo Alto, CA 94301",
        },
    },
    "contacts": {
        "type": "contacts",
        "contacts": [
            {
                "name": {"formatted_name": "Barbara J. Johnson", "first_name": "Barbara"},
                "phones": [{"phone": "+16505559999", "type": "HOME", "wa_id": "19175559999"}],
                "emails": [{"email": "bjohnson@luckyshrub.com", "type": "Work"}],
                "org": {"company": "Lucky Shrub", "title": "Lead Counsel"},
                "birthday": "1999-01-23",
            }
        ],
    },
    "buttons": {
        "type": "interactive",
        "interactive": {
            "type": "button",
            "header": {"type": "text", "text": "Your order"},
            "body": {"text": "Confirm?"},
            "footer": {"text": "Lucky Shrub"},
            "action": {
                "buttons": [
                    {"type": "reply", "reply": {"id": "yes", "title": "Yes"}},
                    {"type": "reply", "reply": {"id": "no", "title": "No"}},
                ]
            },
        },
    },
    "list": {
        "type": "interactive",
        "interactive": {
            "type": "list",
            "header": {"type": "text", "text": "Choose Shipping Option"},
            "body": {"text": "Which shipping option do you prefer?"},
            "action": {
                "button": "Shipping Options",
                "sections": [
                    {
                        "title": "I want it ASAP!",
                        "rows": [
                            {"id": "express", "title": "Priority Mail", "description": "1-2 days"}
                        ],
                    },
                    {"title": "I can wait", "rows": [{"id": "ground", "title": "Ground"}]},
                ],
            },
        },
    },
    "cta_url": {
        "type": "interactive",
        "interactive": {
            "type": "cta_url",
            "body": {"text": "Tap the button below."},
            "action": {
                "name": "cta_url",
                "parameters": {"display_text": "See Dates", "url": "https://shop.example/dates"},
            },
        },
    },
    "location request": {
        "type": "interactive",
        "interactive": {
            "type": "location_request_message",
            "body": {"text": "Where are you?"},
            "action": {"name": "send_location"},
        },
    },
    "flow": {
        "type": "interactive",
        "interactive": {
            "type": "flow",
            "body": {"text": "Book an appointment"},
            "action": {
                "name": "flow",
                "parameters": {
                    "flow_message_version": "3",
                    "flow_id": "1",
                    "flow_cta": "Book!",
                    "flow_token": "t",
                },
            },
        },
    },
    "product": {
        "type": "interactive",
        "interactive": {
            "type": "product",
            "action": {"catalog_id": "194836987003835", "product_retailer_id": "di9ozbzfi4"},
        },
    },
    "product list": {
        "type": "interactive",
        "interactive": {
            "type": "product_list",
            "header": {"type": "text", "text": "Our plants"},
            "body": {"text": "Choose"},
            "action": {
                "catalog_id": "194836987003835",
                "sections": [
                    {"title": "Popular", "product_items": [{"product_retailer_id": "di9ozbzfi4"}]}
                ],
            },
        },
    },
    "catalog": {
        "type": "interactive",
        "interactive": {
            "type": "catalog_message",
            "body": {"text": "Hello!"},
            "action": {"name": "catalog_message"},
        },
    },
    "product carousel": {
        "type": "interactive",
        "interactive": {
            "type": "carousel",
            "body": {"text": "Have a look"},
            "action": {
                "cards": [
                    {
                        "card_index": index,
                        "type": "product",
                        "action": {"product_retailer_id": f"p{index}", "catalog_id": "19483"},
                    }
                    for index in (0, 1)
                ]
            },
        },
    },
    "template": {
        "type": "template",
        "template": {
            "name": "order_delivery_update",
            "language": {"code": "en_US"},
            "components": [
                {"type": "body", "parameters": [{"type": "text", "text": "Pablo"}]},
                {
                    "type": "button",
                    "sub_type": "quick_reply",
                    "index": "0",
                    "parameters": [{"type": "payload", "payload": "stop"}],
                },
            ],
        },
    },
}


@pytest.mark.parametrize("name", TAKEN)
async def test_every_type_of_message_arrives_in_the_chat(simulator, name):
    written = await simulator.says("hi")
    message = TAKEN[name]
    if name == "reaction":
        message = {**message, "reaction": {"message_id": written["id"], "emoji": "👍"}}

    status, answer = await simulator.cloud({**TO, **message})

    assert status == 200, answer
    assert answer["messaging_product"] == "whatsapp"
    assert answer["contacts"] == [{"input": "+49 151 12345678", "wa_id": "4915112345678"}]
    sent = (await simulator.shows(2))[1]
    assert sent["id"] == answer["messages"][0]["id"]
    assert (sent["direction"], sent["type"]) == ("outbound", message["type"])
    assert sent["content"] == message[message["type"]]
    assert sent["body"] == {**TO, **message}


async def test_a_message_can_quote(simulator):
    written = await simulator.says("What does it cost?")
    text = {"type": "text", "text": {"body": "9 €"}, "context": {"message_id": written["id"]}}

    await simulator.cloud({**TO, **text})

    assert (await simulator.shows(2))[1]["context"] == {"message_id": written["id"]}


async def test_a_reaction_stands_on_its_message_until_it_is_taken_away(simulator):
    written = await simulator.says("Done!")
    reaction = {"message_id": written["id"], "emoji": "🎉"}

    await simulator.cloud({**TO, "type": "reaction", "reaction": reaction})
    await simulator.shows(2)
    assert (await simulator.chat())[0]["reactions"] == {"bot": "🎉"}

    await simulator.cloud({**TO, "type": "reaction", "reaction": {**reaction, "emoji": ""}})
    await simulator.shows(3)
    assert (await simulator.chat())[0]["reactions"] == {}


async def test_a_number_nobody_has_becomes_a_new_person(simulator):
    status, _ = await simulator.cloud(
        {**TO, "to": "16505551234", "type": "text", "text": {"body": "Hello"}}
    )

    assert status == 200
    _, state = await simulator.get("/simulator/state")
    assert [person["phone"] for person in state["people"]] == ["4915112345678", "16505551234"]


async def test_a_person_without_a_phone_is_written_to_by_user_id(simulator):
    user_id = "US.13491208655302741918"
    await simulator.post("/simulator/people", {"name": "Noor", "user_id": user_id})
    body = {"messaging_product": "whatsapp", "recipient": user_id, "type": "text"}

    status, answer = await simulator.cloud({**body, "text": {"body": "Hello"}})

    assert status == 200, answer
    assert answer["contacts"] == [{"input": user_id, "user_id": user_id}]
    assert [m["content"] for m in await simulator.shows(1, user_id)] == [{"body": "Hello"}]


def text_of(length: int) -> dict[str, Any]:
    return {"type": "text", "text": {"body": "x" * length}}


def buttons_of(*titles: str, **more: Any) -> dict[str, Any]:
    buttons = [
        {"type": "reply", "reply": {"id": str(number), "title": title}}
        for number, title in enumerate(titles)
    ]
    body = {"type": "button", "body": {"text": "?"}, "action": {"buttons": buttons}, **more}
    return {"type": "interactive", "interactive": body}


def list_of(rows: int, **more: Any) -> dict[str, Any]:
    section = {"rows": [{"id": str(row), "title": f"Row {row}", **more} for row in range(rows)]}
    action = {"button": "Choose", "sections": [section]}
    return {
        "type": "interactive",
        "interactive": {"type": "list", "body": {"text": "?"}, "action": action},
    }


def sections_of(count: int) -> dict[str, Any]:
    sections = [
        {"title": f"S{number}", "rows": [{"id": str(number), "title": "Row"}]}
        for number in range(count)
    ]
    action = {"button": "Choose", "sections": sections}
    return {
        "type": "interactive",
        "interactive": {"type": "list", "body": {"text": "?"}, "action": action},
    }


INSIDE = {
    "text": text_of(4096),
    "three buttons": buttons_of("x" * 20, "b", "c"),
    "ten rows": list_of(10, description="d" * 72),
    "ten sections": sections_of(10),
    "footer": buttons_of("a", footer={"text": "f" * 60}),
}
OUTSIDE = {
    "text": (text_of(4097), 100),
    "four buttons": (buttons_of("a", "b", "c", "d"), 131009),
    "button title": (buttons_of("x" * 21), 131009),
    "equal titles": (buttons_of("a", "a"), 131009),
    "footer": (buttons_of("a", footer={"text": "f" * 61}), 131009),
    "eleven rows": (list_of(11), 131009),
    "row description": (list_of(1, description="d" * 73), 131009),
    "eleven sections": (sections_of(11), 131009),
    "no text": ({"type": "text", "text": {}}, 131008),
    "no object": ({"type": "text"}, 131008),
    "no title": (buttons_of(""), 131009),
    "no action": (
        {"type": "interactive", "interactive": {"type": "button", "body": {"text": "?"}}},
        131008,
    ),
    "no source": ({"type": "image", "image": {"caption": "x"}}, 131008),
    "two sources": (
        {"type": "image", "image": {"id": "1", "link": "https://shop.example/1.jpg"}},
        131009,
    ),
    "a path": ({"type": "image", "image": {"path": "media/1.jpg"}}, 100),
    "a path in a header": (
        buttons_of("a", header={"type": "image", "image": {"path": "media/1.jpg"}}),
        100,
    ),
    "caption of audio": ({"type": "audio", "audio": {"id": "1", "caption": "x"}}, 100),
    "provider": (
        {"type": "image", "image": {"link": "https://x.example/1", "provider": {"name": "p"}}},
        100,
    ),
    "preview_url outside of text": ({**text_of(1), "preview_url": True}, 100),
    "namespace": (
        {
            "type": "template",
            "template": {"namespace": "n", "name": "t", "language": {"code": "en"}},
        },
        100,
    ),
    "unknown type": ({"type": "txt", "txt": {"body": "x"}}, 100),
    "no type": ({"text": {"body": "x"}}, 131008),
    "unknown media": ({"type": "image", "image": {"id": "1037543291543634"}}, 100),
    "latitude": ({"type": "location", "location": {"latitude": 91, "longitude": 0}}, 131009),
    "a text for an object": ({"type": "text", "text": "hi"}, 131009),
    "context as a text": ({**text_of(1), "context": "wamid.x"}, 131009),
    "a reaction that quotes": (
        {
            "type": "reaction",
            "reaction": {"message_id": "wamid.x", "emoji": "👍"},
            "context": {"message_id": "wamid.x"},
        },
        131009,
    ),
    "context without id": ({**text_of(1), "context": {}}, 131008),
    "long callback data": ({**text_of(1), "biz_opaque_callback_data": "x" * 513}, 131009),
}


@pytest.mark.parametrize("name", INSIDE)
async def test_a_body_just_inside_a_limit_is_taken(simulator, name):
    status, answer = await simulator.cloud({**TO, **INSIDE[name]})
    assert status == 200, answer


@pytest.mark.parametrize("name", OUTSIDE)
async def test_a_body_outside_is_refused_with_metas_code_and_our_reason(simulator, name):
    message, code = OUTSIDE[name]

    status, answer = await simulator.cloud({**TO, **message})

    assert (status, answer["error"]["code"]) == (400, code), answer
    assert answer["error"]["type"] == "OAuthException"
    assert answer["error"]["message"].startswith(f"(#{code}) ")
    assert answer["error"]["error_data"]["messaging_product"] == "whatsapp"
    assert answer["error"]["error_data"]["details"]
    assert answer["error"]["fbtrace_id"]
    assert len(answer["simulator"]["rule"]) > 15
    assert await simulator.chat() == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"messaging_product": None}, 131009),
        ({"to": None}, 131008),
        ({"to": "me"}, 131009),
        ({"to": 4915112345678}, 131009),
        ({"to": "15550783881"}, 131021),
        ({"recipient_type": "group"}, 131020),
        ({"recipient_type": "everybody"}, 131009),
        ({"ttl": {}}, 100),
    ],
)
async def test_an_envelope_that_is_wrong_is_refused(simulator, change, code):
    status, answer = await simulator.cloud({**TO, **text_of(1), **change})
    assert (status, answer["error"]["code"]) == (400, code), answer


async def test_messaging_product_and_a_user_id_nobody_has(simulator):
    _, missing = await simulator.cloud({"to": "4915112345678", **text_of(1)})
    assert missing["error"]["code"] == 131008
    for user_id in ("US.1", "+4915112345678"):
        body = {"messaging_product": "whatsapp", "recipient": user_id, **text_of(1)}
        _, unknown = await simulator.cloud(body)
        assert unknown["error"]["code"] == 131009


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'"x"', b"[" * 100_000, b"\xff"])
async def test_what_is_not_a_json_object_is_refused(simulator, raw):
    headers = {"Authorization": "Bearer simulator-token", "Content-Type": "application/json"}
    status, answer = await simulator.call(
        "POST", "/v26.0/106540352242922/messages", data=raw, headers=headers
    )
    assert (status, answer["error"]["code"]) == (400, 100)


async def test_a_body_of_another_type_or_above_a_megabyte_is_refused(simulator):
    path, token = "/106540352242922/messages", {"Authorization": "Bearer simulator-token"}
    status, answer = await simulator.call("POST", path, data={"to": "1"}, headers=token)
    assert (status, answer["error"]["code"]) == (400, 100)
    assert "application/json" in answer["simulator"]["rule"]

    large = io.BytesIO(b'{"x": "' + b"y" * 1024 * 1024 + b'"}')
    headers = {**token, "Content-Type": "application/json"}
    status, answer = await simulator.call("POST", path, data=large, headers=headers)
    assert (status, answer["error"]["code"]) == (400, 100)


async def test_a_request_without_the_token_gets_190(simulator):
    body = {**TO, **text_of(1)}
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "simulator-token"}):
        status, answer = await simulator.post("/106540352242922/messages", body, headers=headers)

        assert (status, answer["error"]["code"]) == (401, 190)
        assert answer["error"]["type"] == "OAuthException"


async def test_another_number_is_an_object_that_does_not_exist(simulator):
    headers = {"Authorization": "Bearer simulator-token"}
    status, answer = await simulator.post("/v26.0/1/messages", {}, headers=headers)

    error = answer["error"]
    assert (status, error["code"], error["error_subcode"]) == (400, 100, 33)


async def test_an_unknown_address_says_which_there_are(simulator):
    status, answer = await simulator.post("/v26.0/me/messages", {})
    assert (status, answer["error"]["code"]) == (400, 100)
    assert "/v26.0/<phone_number_id>/messages" in answer["simulator"]["rule"]


async def test_explanations_can_be_switched_off(start):
    simulator = await start(explanations=False)
    _, answer = await simulator.cloud({**TO, **text_of(5000)})
    assert set(answer) == {"error"}


async def test_marking_as_read_turns_earlier_ticks_blue_too(simulator):
    first, second, third = [await simulator.says(text) for text in ("one", "two", "three")]
    body = {"messaging_product": "whatsapp", "status": "read", "message_id": second["id"]}

    status, answer = await simulator.cloud(body)

    assert (status, answer) == (200, {"success": True})
    statuses = {message["id"]: message["status"] for message in await simulator.chat()}
    assert statuses[first["id"]] == statuses[second["id"]] == "read"
    assert statuses[third["id"]] != "read"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"message_id": "wamid.unknown"}, 131009),
        ({"message_id": None}, 131008),
        ({"status": "delivered"}, 131009),
        ({"typing_indicator": {"type": "voice"}}, 131009),
        ({"to": "4915112345678"}, 100),
    ],
)
async def test_marking_as_read_is_checked(simulator, change, code):
    written = await simulator.says("hi")
    body = {"messaging_product": "whatsapp", "status": "read", "message_id": written["id"]}

    status, answer = await simulator.cloud({**body, **change})

    assert (status, answer["error"]["code"]) == (400, code)


async def test_360dialog_has_the_cloud_bodies_at_its_own_address_with_its_own_key(start):
    simulator = await start("360dialog")
    body = {**TO, **text_of(1)}

    status, answer = await simulator.post("/messages", body, headers={"D360-API-KEY": "wrong"})
    assert (status, answer["meta"]["http_code"]) == (401, 401)
    assert answer["meta"]["success"] is False

    key = {"D360-API-KEY": "simulator-token"}
    status, answer = await simulator.post("/messages", body, headers=key)
    assert status == 200
    assert answer["messages"][0]["id"].startswith("wamid.")
