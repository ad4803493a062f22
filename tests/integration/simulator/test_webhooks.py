"""Webhooks as they leave the simulator: proof, bytes, batches, order, and a second attempt."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

import pytest

MAYA = "4915112345678"
TO = {"messaging_product": "whatsapp", "to": MAYA}


def digest(webhook, secret=b"simulator-secret"):
    """HMAC-SHA256 over the bytes as received, computed here and not by the package."""
    return hmac.new(secret, webhook.raw, hashlib.sha256)


async def test_the_cloud_signs_the_raw_bytes(simulator, bot):
    await simulator.says("Grüße 👋")

    [webhook] = await bot.takes(1)

    signature = webhook.headers["x-hub-signature-256"]
    assert signature == "sha256=" + digest(webhook).hexdigest()
    assert webhook.headers["content-type"] == "application/json"
    assert b"Gr\\u00fc\\u00dfe \\ud83d\\udc4b" in webhook.raw
    assert webhook.raw.isascii()


async def test_a_changed_secret_changes_the_signature(start, bot):
    simulator = await start(app_secret="another")
    await simulator.says("hi")
    [webhook] = await bot.takes(1)
    signature = webhook.headers["x-hub-signature-256"]
    assert signature == "sha256=" + digest(webhook, b"another").hexdigest()


async def test_turn_signs_in_base64(start, bot):
    simulator = await start("turn")
    await simulator.says("hi")
    [webhook] = await bot.takes(1)
    signature = base64.b64encode(digest(webhook).digest()).decode()
    assert webhook.headers["x-turn-hook-signature"] == signature
    assert webhook.headers["x-turn-hook-subscription"] == "whatsapp"


async def test_360dialog_signs_in_a_header_of_its_own(start, bot):
    simulator = await start("360dialog")
    await simulator.says("hi")
    [webhook] = await bot.takes(1)
    assert webhook.headers["x-360dialog-signature"] == "sha256=" + digest(webhook).hexdigest()
    assert "x-hub-signature-256" not in webhook.headers


@pytest.mark.parametrize("api", ["360dialog", "on_premises"])
async def test_a_user_name_and_password_can_be_the_proof(start, bot, api):
    simulator = await start(api, webhook_username="wa", webhook_password="pässword")
    await simulator.says("hi")
    [webhook] = await bot.takes(1)
    pair = base64.b64encode("wa:pässword".encode()).decode()
    assert webhook.headers["authorization"] == f"Basic {pair}"
    assert "token" not in webhook.path


async def test_an_on_premises_client_has_a_token_in_the_address_and_signs_nothing(start, bot):
    simulator = await start("on_premises")
    await simulator.says("hi")
    [webhook] = await bot.takes(1)
    assert webhook.path == "/webhook?token=simulator"
    assert not [name for name in webhook.headers if "signature" in name]


async def test_an_address_that_has_a_token_keeps_it(start, bot):
    simulator = await start("on_premises", webhook=f"{bot.url}?token=mine")
    await simulator.says("hi")
    assert (await bot.takes(1))[0].path == "/webhook?token=mine"


async def test_a_webhook_is_sent_again_until_it_is_taken(simulator, bot):
    bot.statuses = [500, 201, 401]

    written = await simulator.says("hi")

    webhooks = await bot.takes(4)
    assert len({webhook.raw for webhook in webhooks}) == 1
    attempts = await simulator.attempts(4)
    assert [(one["attempt"], one["status"]) for one in attempts] == [
        (1, 500),
        (2, 201),
        (3, 401),
        (4, 200),
    ]
    assert attempts[0]["body"] == webhooks[0].body
    assert [one["retry_after"] for one in attempts] == [0.01, 0.01, 0.01, None]
    assert [(one["id"], one["status"]) for one in await simulator.chat()] == [
        (written["id"], "delivered")
    ]


async def test_pauses_grow(start, bot):
    simulator = await start(retry_pauses=(0.01, 0.02, 0.03))
    bot.statuses = [500] * 4
    await simulator.says("hi")
    attempts = await simulator.attempts(5)
    assert [one["retry_after"] for one in attempts] == [0.01, 0.02, 0.03, 0.03, None]


async def test_turn_takes_a_4xx_for_an_answer(start, bot):
    simulator = await start("turn")
    bot.statuses = [500, 400]
    await simulator.says("lost")
    await bot.takes(2)
    await simulator.says("taken")
    texts = [webhook.body["messages"][0]["text"]["body"] for webhook in await bot.takes(3)]
    assert texts == ["lost", "lost", "taken"]


async def test_a_bot_that_is_not_there_gets_it_later(start):
    simulator = await start(webhook="http://127.0.0.1:1/webhook")
    await simulator.says("hi")
    attempts = await simulator.attempts(2)
    assert attempts[0]["status"] is None
    assert re.search("Connect call failed|Connection refused", attempts[0]["error"])
    assert (await simulator.chat())[0]["status"] == "sent"


async def test_messages_of_one_person_arrive_in_order_also_after_a_failure(simulator, bot):
    bot.statuses = [500, 200, 503]
    for number in range(5):
        await simulator.says(str(number))

    bodies = [
        webhook.body["entry"][0]["changes"][0]["value"]["messages"][0]["text"]["body"]
        for webhook in await bot.takes(7)
    ]
    assert bodies == ["0", "0", "1", "1", "2", "3", "4"]


async def test_a_list_of_messages_is_one_webhook(simulator, bot):
    batch = [{"type": "text", "text": {"body": text}} for text in ("one", "two", "three")]

    written = await simulator.writes(batch)

    [webhook] = await bot.takes(1)
    messages = webhook.body["entry"][0]["changes"][0]["value"]["messages"]
    assert [message["text"]["body"] for message in messages] == ["one", "two", "three"]
    assert [message["id"] for message in messages] == [one["id"] for one in written]


async def test_a_message_can_be_delivered_twice(simulator, bot):
    text = {"type": "text", "text": {"body": "hi"}, "id": "wamid.again"}
    await simulator.writes(text)
    await simulator.writes(text)

    ids = [
        webhook.body["entry"][0]["changes"][0]["value"]["messages"][0]["id"]
        for webhook in await bot.takes(2)
    ]
    assert ids == ["wamid.again"] * 2
    assert len(await simulator.chat()) == 1


async def test_statuses_tell_how_far_a_message_is(simulator, bot):
    text = {"type": "text", "text": {"body": "x"}, "biz_opaque_callback_data": "order-7"}
    _, answer = await simulator.cloud({**TO, **text})
    await bot.takes(2)

    _, read = await simulator.post(f"/simulator/people/{MAYA}/read", {})

    message_id = answer["messages"][0]["id"]
    assert read == {"read": [message_id]}
    values = [w.body["entry"][0]["changes"][0]["value"] for w in await bot.takes(3)]
    assert [value["statuses"][0]["status"] for value in values] == ["sent", "delivered", "read"]
    for value in values:
        [status] = value["statuses"]
        assert status["id"] == message_id
        assert status["recipient_id"] == MAYA
        assert status["recipient_user_id"] == "DE.13491208655302741918"
        assert status["biz_opaque_callback_data"] == "order-7"
        assert status["timestamp"] == "1750000000"
        assert value["contacts"][0]["wa_id"] == MAYA
        assert "messages" not in value


async def test_reading_tells_of_all_unread_messages_in_one_webhook(simulator, bot):
    for text in ("one", "two", "three"):
        await simulator.cloud({**TO, "type": "text", "text": {"body": text}})
    first, second, _ = await simulator.shows(3)
    await bot.takes(6)

    await simulator.post(f"/simulator/people/{MAYA}/read", {"message_id": second["id"]})

    value = (await bot.takes(7))[6].body["entry"][0]["changes"][0]["value"]
    assert [(one["id"], one["status"]) for one in value["statuses"]] == [
        (first["id"], "read"),
        (second["id"], "read"),
    ]
    assert [one["status"] for one in await simulator.chat()] == ["read", "read", "delivered"]


async def test_a_reaction_is_only_ever_sent(simulator, bot):
    written = await simulator.says("hi")
    await bot.takes(1)
    reaction = {"message_id": written["id"], "emoji": "👍"}
    await simulator.cloud({**TO, "type": "reaction", "reaction": reaction})
    await simulator.shows(2)
    await simulator.post(f"/simulator/people/{MAYA}/read", {})
    await simulator.says("again")

    await bot.takes(3)
    statuses = [
        status["status"]
        for webhook in bot.received
        for status in webhook.body["entry"][0]["changes"][0]["value"].get("statuses", [])
    ]
    assert statuses == ["sent"]


async def test_a_reaction_to_nothing_fails_afterwards(simulator, bot):
    reaction = {"message_id": "wamid.unknown", "emoji": "👍"}
    status, _ = await simulator.cloud({**TO, "type": "reaction", "reaction": reaction})

    assert status == 200
    [webhook] = await bot.takes(1)
    [failed] = webhook.body["entry"][0]["changes"][0]["value"]["statuses"]
    assert (failed["status"], failed["errors"][0]["code"]) == ("failed", 131009)


async def test_statuses_of_an_on_premises_client_are_flat(start, bot):
    simulator = await start("on_premises")
    token = await simulator.login()
    body = {"to": MAYA, "type": "text", "text": {"body": "x"}}
    _, answer = await simulator.post("/v1/messages", body, headers=token)

    webhooks = await bot.takes(2)

    assert [webhook.body["statuses"][0]["status"] for webhook in webhooks] == ["sent", "delivered"]
    assert webhooks[0].body == {
        "statuses": [
            {
                "id": answer["messages"][0]["id"],
                "recipient_id": MAYA,
                "status": "sent",
                "timestamp": "1750000000",
                "type": "message",
                "message": {"recipient_id": MAYA},
            }
        ]
    }


async def test_statuses_of_a_person_without_a_phone_name_the_user_id(simulator, bot):
    user_id = "US.13491208655302741918"
    await simulator.post("/simulator/people", {"name": "Noor", "user_id": user_id})
    body = {"messaging_product": "whatsapp", "recipient": user_id, "type": "text"}
    await simulator.cloud({**body, "text": {"body": "x"}})

    value = (await bot.takes(1))[0].body["entry"][0]["changes"][0]["value"]

    assert value["statuses"][0]["recipient_user_id"] == user_id
    assert "recipient_id" not in value["statuses"][0]
    assert "wa_id" not in value["contacts"][0]
