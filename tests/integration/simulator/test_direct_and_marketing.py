"""Direct Send, and the endpoint for marketing messages."""

import pytest

NUMBER = "106540352242922"
MAYA = "4915112345678"
TOKEN = {"Authorization": "Bearer simulator-token"}
TO = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": MAYA}
DIRECT = {
    **TO,
    "type": "text",
    "text": {"body": "Your order 12345 left our store."},
    "category": "utility",
    "ttl_seconds": 600,
    "direct_send_config": {"template_name": "order_shipment_update"},
}


def template(name, *components, **beside):
    content = {"name": name, "language": {"code": "en_US"}, "components": [*components]}
    return {**TO, "type": "template", "template": content, **beside}


CODE = {"type": "coupon_code", "coupon_code": "SUN"}
SALE = template(
    "summer_sale",
    {"type": "header", "parameters": [{"type": "text", "text": "Friday"}]},
    {"type": "body", "parameters": [{"type": "text", "text": "20 %"}]},
    {"type": "button", "sub_type": "copy_code", "index": "0", "parameters": [CODE]},
    product_policy="CLOUD_API_FALLBACK",
    message_activity_sharing=True,
)


async def market(simulator, body):
    return await simulator.post(f"/v26.0/{NUMBER}/marketing_messages", body, headers=TOKEN)


async def told(bot):
    """Return the first status that the bot hears."""
    value = (await bot.takes(1))[0].body["entry"][0]["changes"][0]["value"]
    return value["statuses"][0]


async def test_direct_send_reaches_somebody_who_never_wrote(simulator, bot):
    status, answer = await simulator.cloud(DIRECT)

    assert status == 200, answer
    said = await told(bot)
    assert said["pricing"]["category"] == "utility"
    assert said["template_id"].isdecimal()
    (message,) = await simulator.shows(1)
    assert message["status"] == "delivered"
    assert message["content"] == DIRECT["text"]


async def test_direct_send_takes_links_before_replies(simulator):
    buttons = [
        {
            "type": "cta_url",
            "cta_url": {"display_text": "Track", "url": "https://example.com/t/1"},
        },
        {"type": "reply", "reply": {"id": "ok", "title": "Received"}},
    ]
    content = {
        "type": "button",
        "body": {"text": "Your parcel is on its way."},
        "action": {"buttons": buttons},
    }
    body = {**TO, "type": "interactive", "category": "utility", "interactive": content}

    assert (await simulator.cloud(body))[0] == 200
    assert (await simulator.shows(1))[0]["content"] == content


@pytest.mark.parametrize(
    "changes",
    [
        {"category": "marketing"},
        {"category": "service"},  # and a time to live
        {"ttl_seconds": 29},
        {"direct_send_config": {"template_name": "Order 1"}},
    ],
)
async def test_what_direct_send_does_not_take_is_refused_as_there(simulator, changes):
    status, answer = await simulator.cloud({**DIRECT, **changes})

    assert (status, answer["error"]["code"]) == (400, 100)


async def test_a_marketing_message_is_shown_and_billed_as_one(simulator, bot):
    status, answer = await market(simulator, SALE)

    assert status == 200, answer
    assert (await told(bot))["pricing"]["category"] == "marketing_lite"
    (message,) = await simulator.shows(1)
    assert message["filled"]["category"] == "MARKETING_LITE"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (template("hello_world"), 134100),
        ({**TO, "type": "text", "text": {"body": "Hi"}}, 134100),
    ],
)
async def test_other_messages_are_refused_by_that_endpoint(simulator, body, code):
    status, answer = await market(simulator, body)

    assert (status, answer["error"]["code"]) == (400, code)


async def test_its_keys_are_refused_by_the_other_endpoint(simulator):
    status, answer = await simulator.cloud(SALE)

    assert (status, answer["error"]["code"]) == (400, 100)


async def test_a_template_with_a_max_price_goes_by_that_endpoint_only(start, tmp_path):
    (tmp_path / "offer.yml").write_text(
        "name: bid\nlanguage: en_US\ncategory: MARKETING\n"
        "optimization_spec: {bid_amount: 1000}\n"
        "components:\n- {type: BODY, text: Buy}\n",
        encoding="utf-8",
    )
    simulator = await start(templates=tmp_path)

    status, answer = await simulator.cloud(template("bid"))

    assert (status, answer["error"]["code"]) == (400, 131061)
    assert (await market(simulator, template("bid")))[0] == 200
