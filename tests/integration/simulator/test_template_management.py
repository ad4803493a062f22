"""The management API: templates are created, reviewed, edited and deleted as at Meta."""

from __future__ import annotations

from typing import Any

import pytest
from support.documented_templates import BY_NAME
from support.eventually import eventually

TOKEN = {"Authorization": "Bearer simulator-token"}
OAUTH = {"Authorization": "OAuth simulator-token", "file_offset": "0"}
WABA = "/v26.0/102290129340398/message_templates"
APP = "/v26.0/670843887433847/uploads"
MAYA = "4915112345678"
NEWS = {
    "name": "news",
    "language": "en_US",
    "category": "UTILITY",
    "components": [
        {
            "type": "BODY",
            "text": "Hello {{1}}, there is news about your order.",
            "example": {"body_text": [["Ana"]]},
        }
    ],
}


@pytest.fixture
async def simulator(start, bot):
    return await start(webhook=bot.url)


async def create(simulator, **changes: Any) -> tuple[int, Any]:
    return await simulator.post(WABA, {**NEWS, **changes}, headers=TOKEN)


async def listed(simulator, name: str = "news") -> dict[str, Any] | None:
    _, answer = await simulator.get(f"{WABA}?limit=200", headers=TOKEN)
    return next((each for each in answer["data"] if each["name"] == name), None)


async def has_status(simulator, status: str) -> bool:
    return (await listed(simulator) or {}).get("status") == status


async def send(simulator, *values: str) -> tuple[int, Any]:
    parameters = [{"type": "text", "text": value} for value in values]
    return await simulator.cloud(
        {
            "messaging_product": "whatsapp",
            "to": MAYA,
            "type": "template",
            "template": {
                "name": "news",
                "language": {"code": "en_US"},
                "components": [{"type": "body", "parameters": parameters}],
            },
        }
    )


def body(text: str, *samples: str) -> dict[str, Any]:
    example = {"example": {"body_text": [list(samples)]}} if samples else {}
    return {"components": [{"type": "BODY", "text": text, **example}]}


async def test_a_template_is_reviewed_by_the_clock_and_may_be_sent_then(simulator, bot):
    status, answer = await create(simulator)
    assert (status, answer["status"], answer["category"]) == (200, "PENDING", "UTILITY")
    status, refused = await send(simulator, "Ana")
    assert (status, refused["error"]["code"]) == (404, 132001)

    await simulator.post("/simulator/clock", {"advance": 10})
    await eventually(lambda: has_status(simulator, "APPROVED"))

    status, _ = await send(simulator, "Ana")
    assert status == 200
    change = (await bot.takes(1))[0].body["entry"][0]["changes"][0]
    assert change["field"] == "message_template_status_update"
    assert change["value"]["event"] == "APPROVED"
    assert change["value"]["message_template_id"] == int(answer["id"])


async def test_a_review_may_reject_and_an_edit_begins_another(simulator, bot):
    _, made = await create(simulator, **body("Play in our casino today."))
    await simulator.post("/simulator/clock", {"advance": 10})
    await eventually(lambda: has_status(simulator, "REJECTED"))
    assert (await listed(simulator))["rejected_reason"] == "ABUSIVE_CONTENT"
    change = (await bot.takes(1))[0].body["entry"][0]["changes"][0]
    assert (change["value"]["event"], change["value"]["reason"]) == ("REJECTED", "ABUSIVE_CONTENT")

    status, answer = await simulator.post(
        f"/v26.0/{made['id']}", body("Come to our lake today."), headers=TOKEN
    )

    assert (status, answer) == (200, {"success": True})
    assert await has_status(simulator, "PENDING")
    await simulator.post("/simulator/clock", {"advance": 20})
    await eventually(lambda: has_status(simulator, "APPROVED"))


async def test_advertising_is_marketing_whatever_was_asked_for(simulator):
    _, answer = await create(simulator, **body("Our summer sale begins today."))

    assert answer["category"] == "MARKETING"


@pytest.mark.parametrize(
    ("changes", "subcode"),
    [
        (body("{{1}}, there is news", "Ana"), 2388299),
        (body("There is news for {{1}}", "Ana"), 2388299),
        (body("news {{1}} {{2}} {{3}} news", "a", "b", "c"), 2388293),
        (body("Hello {{1}}, there is news"), 2388043),
        (body("x" * 1025), 2388040),
        ({"name": "News"}, 2388042),
        ({"name": "write_again", **body("Again")}, 2388024),
        (
            {
                "components": [
                    {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::x"]}},
                    {"type": "BODY", "text": "Look"},
                ]
            },
            2388273,
        ),
        (
            {"components": [*body("Hi")["components"], {"type": "FOOTER", "text": "By {{1}}"}]},
            2388073,
        ),
    ],
)
async def test_what_meta_refuses_at_once_is_refused_with_its_words(simulator, changes, subcode):
    status, answer = await create(simulator, **changes)

    error = answer["error"]
    assert (status, error["code"], error["error_subcode"]) == (400, 100, subcode)
    assert error["error_user_msg"]


async def test_a_sample_is_uploaded_in_two_steps(simulator):
    query = "file_name=a.jpg&file_length=4&file_type=image/jpeg"
    _, session = await simulator.post(f"{APP}?{query}", headers=TOKEN)
    path = f"/v26.0/{session['id']}"
    too_few, _ = await simulator.post(path, headers=OAUTH, data=b"abc")
    bearer, _ = await simulator.post(path, headers={**OAUTH, **TOKEN}, data=b"abcd")
    _, uploaded = await simulator.post(path, headers=OAUTH, data=b"abcd")
    header = {
        "type": "HEADER",
        "format": "IMAGE",
        "example": {"header_handle": [uploaded["h"]]},
    }

    status, _ = await create(simulator, components=[header, *body("Look here")["components"]])

    assert (too_few, bearer, status) == (400, 401, 200)
    sample = (await listed(simulator))["components"][0]["example"]["header_handle"][0]
    assert sample.startswith("https://")


async def test_an_hour_has_a_hundred_new_templates(simulator):
    for number in range(100):
        status, _ = await create(simulator, name=f"news_{number}")
        assert status == 200
    status, answer = await create(simulator, name="one_more")
    assert (status, answer["error"]["code"]) == (400, 80007)

    await simulator.post("/simulator/clock", {"advance": 3_601})

    status, _ = await create(simulator, name="one_more")
    assert status == 200


async def test_a_deleted_template_is_gone_and_told(simulator, bot):
    await create(simulator)
    status, _ = await simulator.call("DELETE", f"{WABA}?name=news", headers=TOKEN)
    assert status == 200
    assert await listed(simulator) is None
    again, _ = await simulator.call("DELETE", f"{WABA}?name=news", headers=TOKEN)
    assert again == 400
    change = (await bot.takes(1))[0].body["entry"][0]["changes"][0]
    assert change["value"]["event"] == "DELETED"


async def test_bad_quality_pauses_a_template_and_both_are_told(simulator, bot):
    status, template = await simulator.post(
        "/simulator/templates/write_again/en_US", {"quality": "RED"}
    )

    assert (status, template["status"]) == (200, "PAUSED")
    assert template["quality_score"] == {"score": "RED"}
    changes = [each.body["entry"][0]["changes"][0] for each in await bot.takes(2)]
    assert {change["field"]: change["value"] for change in changes} == {
        "message_template_quality_update": {
            "previous_quality_score": "UNKNOWN",
            "new_quality_score": "RED",
            "message_template_id": int(template["id"]),
            "message_template_name": "write_again",
            "message_template_language": "en_US",
        },
        "message_template_status_update": {
            "event": "PAUSED",
            "message_template_id": int(template["id"]),
            "message_template_name": "write_again",
            "message_template_language": "en_US",
            "message_template_category": "UTILITY",
            "reason": "NONE",
            "other_info": {
                "title": "FIRST_PAUSE",
                "description": "Paused for 3 hours, as its recent quality is low.",
            },
        },
    }


async def test_no_token_no_templates(simulator):
    status, _ = await simulator.post(WABA, NEWS, headers={"Authorization": "Bearer x"})

    assert status == 401
    assert await listed(simulator) is None


async def test_created_templates_outlive_an_export(simulator):
    await create(simulator)
    _, kept = await simulator.get("/simulator/export")
    await simulator.post("/simulator/reset")
    assert await listed(simulator) is None

    status, _ = await simulator.post("/simulator/import", kept)

    assert status == 200
    assert (await listed(simulator))["status"] == "PENDING"


DIRECT = {
    "messaging_product": "whatsapp",
    "to": MAYA,
    "type": "text",
    "text": {"body": "Your order has left."},
    "category": "utility",
}


async def test_an_account_without_direct_send_is_refused_and_may_get_it(start, bot):
    simulator = await start(webhook=bot.url, direct_send=False)
    status, answer = await simulator.cloud(DIRECT)
    assert (status, answer["error"]["code"]) == (400, 100)
    assert "requires Direct Send, which isn't enabled" in str(answer["error"])

    await simulator.post("/simulator/account", {"direct_send": True})

    status, _ = await simulator.cloud(DIRECT)
    assert status == 200
    wrong, _ = await simulator.post("/simulator/account", {"direct_send": "yes"})
    assert wrong == 400


async def fills(simulator, template: dict[str, Any], *components: dict[str, Any]) -> Any:
    """Create *template*, send it with *components*, and return what the person sees."""
    template = {**template, "language": "en"}
    status, answer = await simulator.post(WABA, template, headers=TOKEN)
    assert status == 200, answer
    await simulator.post(f"/simulator/templates/{template['name']}/en", {"status": "APPROVED"})
    sent = {"name": template["name"], "language": {"code": "en"}, "components": list(components)}
    status, answer = await simulator.cloud(
        {"messaging_product": "whatsapp", "to": MAYA, "type": "template", "template": sent}
    )
    assert status == 200, answer
    return (await simulator.shows(1))[0]["filled"]


async def test_a_code_is_listed_with_a_link_and_sent_twice(simulator):
    template = {
        "name": "login_code",
        "category": "authentication",
        "components": [
            {"type": "body", "add_security_recommendation": True},
            {"type": "footer", "code_expiration_minutes": 5},
            {"type": "buttons", "buttons": [{"type": "otp", "otp_type": "copy_code"}]},
        ],
    }
    code = [{"type": "text", "text": "123456"}]
    filled = await fills(
        simulator,
        template,
        {"type": "body", "parameters": code},
        {"type": "button", "sub_type": "url", "index": "0", "parameters": code},
    )

    assert filled["body"].startswith("*123456* is your verification code.")
    assert filled["footer"] == "This code expires in 5 minutes."
    assert filled["buttons"][0]["url"].endswith("&code=otp123456")
    components = (await listed(simulator, "login_code"))["components"]
    assert components[2]["buttons"][0]["type"] == "URL"


async def test_product_cards_are_more_than_their_template_has(simulator):
    card = {
        "components": [
            {"type": "header", "format": "product"},
            {"type": "buttons", "buttons": [{"type": "spm", "text": "View"}]},
        ]
    }
    template = {
        "name": "product_cards",
        "category": "marketing",
        "components": [
            {"type": "body", "text": "For you"},
            {"type": "carousel", "cards": [card, card]},
        ],
    }
    products = [
        {"type": "product", "product": {"product_retailer_id": name, "catalog_id": "1"}}
        for name in ("vrpj01fvwp", "va2l5ioeat", "sqpjv0mgde")
    ]
    cards = [
        {"card_index": number, "components": [{"type": "header", "parameters": [product]}]}
        for number, product in enumerate(products)
    ]

    filled = await fills(simulator, template, {"type": "carousel", "cards": cards})

    assert [each["header"]["product"]["product_retailer_id"] for each in filled["cards"]] == [
        "vrpj01fvwp",
        "va2l5ioeat",
        "sqpjv0mgde",
    ]


async def test_the_kind_of_a_button_is_written_in_any_case(simulator):
    template = {
        "name": "all_we_have",
        "category": "marketing",
        "components": [
            {"type": "body", "text": "All we have"},
            {"type": "buttons", "buttons": [{"type": "catalog", "text": "View catalog"}]},
        ],
    }
    action = {"type": "action", "action": {"thumbnail_product_retailer_id": "2lc20305pt"}}
    button = {"type": "button", "sub_type": "CATALOG", "index": 0, "parameters": [action]}

    filled = await fills(simulator, template, button)

    assert [each["text"] for each in filled["buttons"]] == ["View catalog"]


def named(kind: str, **values: str) -> dict[str, Any]:
    texts = [
        {"type": "text", "parameter_name": name, "text": value} for name, value in values.items()
    ]
    return {"type": kind, "parameters": texts}


def texts(kind: str, *values: str) -> dict[str, Any]:
    return {"type": kind, "parameters": [{"type": "text", "text": value} for value in values]}


def button(kind: str, index: int | None, *parameters: dict[str, Any]) -> dict[str, Any]:
    place = {} if index is None else {"index": index}
    return {"type": "button", "sub_type": kind, **place, "parameters": list(parameters)}


def action(**values: Any) -> dict[str, Any]:
    return {"type": "action", "action": values}


ITEMS = [{"title": "Bundles", "product_items": [{"product_retailer_id": "2lc20305pt"}]}]
PRODUCT = {"product_retailer_id": "nqryix03ez", "catalog_id": "194836987003835"}
PLACE = {"latitude": "37.442", "longitude": "-122.161", "name": "Philz", "address": "101 Forest"}
SHIPPED = {"reference_id": "order-1", "order": {"status": "shipped", "description": "On its way"}}


@pytest.mark.parametrize(
    ("name", "components"),
    [
        (
            "winter_sale_coupon",
            [
                named("body", coupon_code="WINTER25", discount="30%"),
                button("copy_code", 1, {"type": "coupon_code", "coupon_code": "WINTER25"}),
            ],
        ),
        (
            "intro_catalog_offer",
            [
                texts("body", "100", "400", "3"),
                button("CATALOG", 0, action(thumbnail_product_retailer_id="2lc20305pt")),
            ],
        ),
        (
            "abandoned_cart",
            [
                texts("header", "Pablo"),
                texts("body", "10OFF"),
                button("mpm", 0, action(thumbnail_product_retailer_id="2lc", sections=ITEMS)),
            ],
        ),
        (
            "spm_template_named_params",
            [
                {"type": "header", "parameters": [{"type": "product", "product": PRODUCT}]},
                named("body", code="25OFF", percent="25%"),
            ],
        ),
        ("vip_early_access_call", [named("body", first_name="Pablo")]),
        (
            "order_delivery_update",
            [
                {"type": "header", "parameters": [{"type": "location", "location": PLACE}]},
                named("body", customer_name="Jane", order_number="892104"),
            ],
        ),
        ("call_us", [button("voice_call", None, {"type": "ttl_minutes", "ttl_minutes": 100})]),
        (
            "book_a_table",
            [button("flow", 0, action(flow_token="1", flow_action_data={"guests": 2}))],
        ),
        ("share_your_number", []),
        (
            "your_order_changed",
            [
                {
                    "type": "order_status",
                    "parameters": [{"type": "order_status", "order_status": SHIPPED}],
                }
            ],
        ),
    ],
)
async def test_a_template_of_a_page_is_created_and_sent_as_the_page_says(
    simulator, name, components
):
    filled = await fills(simulator, BY_NAME[name], *components)

    assert filled["category"] == BY_NAME[name]["category"].upper()
    assert "{{" not in str(filled)


async def test_a_button_that_calls_is_found_behind_others(simulator):
    template = {
        "name": "call_us",
        "category": "marketing",
        "components": [
            {"type": "body", "text": "Call us"},
            {
                "type": "buttons",
                "buttons": [
                    {"type": "url", "text": "Support", "url": "https://www.luckyshrub.com"},
                    {"type": "voice_call", "text": "Call now"},
                ],
            },
        ],
    }

    filled = await fills(
        simulator, template, button("voice_call", None, {"type": "payload", "payload": "a"})
    )

    assert [each["text"] for each in filled["buttons"]] == ["Support", "Call now"]


async def test_an_edit_keeps_what_is_beside_the_components(simulator):
    page = {**BY_NAME["your_order_changed"], **body("Play in our casino.")}
    _, made = await simulator.post(WABA, page, headers=TOKEN)
    await simulator.post("/simulator/templates/your_order_changed/en", {"status": "REJECTED"})

    status, _ = await simulator.post(f"/v26.0/{made['id']}", body("It is here."), headers=TOKEN)

    assert status == 200
    assert (await listed(simulator, "your_order_changed"))["sub_category"] == "ORDER_STATUS"
