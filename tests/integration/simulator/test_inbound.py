"""What the bot gets when a person writes, in both shapes, as Meta's webhook pages print it."""

from __future__ import annotations

import aiohttp
import pytest

MAYA = "4915112345678"
USER_ID = "DE.13491208655302741918"
OGG = b"OggS"


async def value_of(bot, count=1):
    webhooks = await bot.takes(count)
    return webhooks[count - 1].body["entry"][0]["changes"][0]["value"]


async def sends_file(simulator, kind, content, mime_type, filename="file", **fields):
    data = aiohttp.FormData(quote_fields=False)  # names as a browser writes them
    for name, value in {"type": kind, **fields}.items():
        data.add_field(name, value)
    data.add_field("file", content, filename=filename, content_type=mime_type)
    status, message = await simulator.call("POST", f"/simulator/people/{MAYA}/messages", data=data)
    assert status == 200, message
    return message


async def test_a_text_as_the_cloud_delivers_it(simulator, bot):
    written = await simulator.says("hi")

    [webhook] = await bot.takes(1)

    assert webhook.body == {
        "object": "whatsapp_business_account",
        "entry": [
            {
                "id": "102290129340398",
                "changes": [
                    {
                        "field": "messages",
                        "value": {
                            "messaging_product": "whatsapp",
                            "metadata": {
                                "display_phone_number": "15550783881",
                                "phone_number_id": "106540352242922",
                            },
                            "contacts": [
                                {"profile": {"name": "Maya"}, "wa_id": MAYA, "user_id": USER_ID}
                            ],
                            "messages": [
                                {
                                    "from": MAYA,
                                    "from_user_id": USER_ID,
                                    "id": written["id"],
                                    "timestamp": "1750000000",
                                    "type": "text",
                                    "text": {"body": "hi"},
                                }
                            ],
                        },
                    }
                ],
            }
        ],
    }


async def test_a_text_as_an_on_premises_client_delivers_it(start, bot):
    simulator = await start("on_premises")
    written = await simulator.says("hi")

    [webhook] = await bot.takes(1)

    assert webhook.body == {
        "contacts": [{"profile": {"name": "Maya"}, "wa_id": MAYA}],
        "messages": [
            {
                "from": MAYA,
                "id": written["id"],
                "timestamp": "1750000000",
                "type": "text",
                "text": {"body": "hi"},
            }
        ],
    }


async def test_turn_adds_user_ids(start, bot):
    simulator = await start("turn")
    await simulator.says("hi")
    [webhook] = await bot.takes(1)
    assert webhook.body["contacts"][0]["user_id"] == USER_ID
    assert webhook.body["messages"][0]["from_bsuid"] == USER_ID


async def test_somebody_without_a_phone_has_a_user_id_only(simulator, bot):
    user_id = "US.13491208655302741918"
    await simulator.post("/simulator/people", {"name": "Noor", "user_id": user_id})

    await simulator.says("hi", user_id)

    value = await value_of(bot)
    assert value["contacts"] == [{"profile": {"name": "Noor"}, "user_id": user_id}]
    assert value["messages"][0]["from_user_id"] == user_id
    assert "from" not in value["messages"][0]


@pytest.mark.parametrize(
    ("reply", "content"),
    [
        ("button_reply", {"id": "yes", "title": "Yes"}),
        ("list_reply", {"id": "express", "title": "Priority Mail", "description": "1-2 days"}),
    ],
)
async def test_a_tap_names_what_was_tapped_and_where(simulator, bot, reply, content):
    interactive = {"type": reply, reply: content}
    sent = {"messaging_product": "whatsapp", "to": MAYA, "type": "text", "text": {"body": "?"}}
    _, answer = await simulator.cloud(sent)
    message_id = answer["messages"][0]["id"]
    await bot.takes(2)

    written = await simulator.writes(
        {"type": "interactive", "interactive": interactive, "context": {"message_id": message_id}}
    )

    [message] = (await value_of(bot, 3))["messages"]
    assert message["interactive"] == interactive
    assert message["context"] == {"from": "15550783881", "id": message_id}
    assert written["context"] == {"message_id": message_id}


async def test_any_type_is_handed_on_as_written(simulator, bot):
    order = {"catalog_id": "1", "text": "Two please", "product_items": []}
    referral = {"source_type": "ad", "source_id": "7", "headline": "Look"}
    for message in (
        {"type": "location", "location": {"latitude": 48.85, "longitude": 2.35}},
        {"type": "contacts", "contacts": [{"name": {"formatted_name": "Ann"}}]},
        {"type": "button", "button": {"text": "Stop", "payload": "stop"}},
        {"type": "order", "order": order, "referral": referral},
        {"type": "text", "text": {"body": "x"}, "context": {"forwarded": True}},
    ):
        await simulator.writes(message)

    await bot.takes(5)
    location, contacts, button, order_message, forwarded = [
        webhook.body["entry"][0]["changes"][0]["value"]["messages"][0] for webhook in bot.received
    ]
    assert location["location"] == {"latitude": 48.85, "longitude": 2.35}
    assert contacts["contacts"] == [{"name": {"formatted_name": "Ann"}}]
    assert button["button"] == {"text": "Stop", "payload": "stop"}
    assert (order_message["order"], order_message["referral"]) == (order, referral)
    assert forwarded["context"] == {"forwarded": True}


async def test_a_system_message_comes_without_contacts(simulator, bot):
    system = {"type": "user_changed_number", "body": "Maya changed", "wa_id": "4915100000000"}
    await simulator.writes({"type": "system", "system": system})
    value = await value_of(bot)
    assert "contacts" not in value
    assert value["messages"][0]["system"] == system


async def test_what_whatsapp_cannot_hand_on_comes_with_an_error(start, bot):
    for api, kind, code in (
        ("cloud", "unsupported", 131051),
        ("turn", "unsupported", 131051),
        ("on_premises", "unknown", 501),
    ):
        simulator = await start(api)
        bot.received.clear()
        await simulator.writes({"type": "unsupported", "unsupported": {"type": "poll_creation"}})
        [webhook] = await bot.takes(1)
        body = webhook.body
        value = body["entry"][0]["changes"][0]["value"] if api == "cloud" else body
        [message] = value["messages"]
        assert (message["type"], message["errors"][0]["code"]) == (kind, code)


async def test_a_voice_note_is_audio_at_the_cloud_and_voice_on_premises(start, bot):
    simulator = await start()
    shown = await sends_file(simulator, "voice", OGG, "audio/ogg")
    [message] = (await value_of(bot))["messages"]
    assert message["type"] == "audio"
    assert message["audio"]["voice"] is True
    assert message["audio"]["mime_type"] == "audio/ogg; codecs=opus"
    assert (shown["type"], shown["content"]["voice"]) == ("audio", True)

    bot.received.clear()
    simulator = await start("on_premises")
    await sends_file(simulator, "voice", OGG, "audio/ogg")
    await sends_file(simulator, "audio", b"ID3", "audio/mpeg")
    voice, audio = [webhook.body for webhook in await bot.takes(2)]
    assert set(voice) == {"messages"}  # this client names the sender of few types only
    assert voice["messages"][0]["type"] == "voice"
    assert set(voice["messages"][0]["voice"]) == {"id", "mime_type", "sha256"}
    assert audio["messages"][0]["type"] == "audio"


async def test_a_document_keeps_its_name_and_quotes_what_it_answers(simulator, bot):
    asked = await simulator.says("Which one?")
    context = f'{{"message_id": "{asked["id"]}"}}'
    shown = await sends_file(
        simulator, "document", b"%PDF", "application/pdf", "Rechnung Ü.pdf", context=context
    )

    [message] = (await value_of(bot, 2))["messages"]
    assert message["document"]["filename"] == "Rechnung Ü.pdf"
    assert message["context"] == {"from": MAYA, "id": asked["id"]}
    assert shown["content"]["filename"] == "Rechnung Ü.pdf"
    assert shown["content"]["size"] == 4


async def test_a_sticker_says_whether_it_moves(simulator, bot):
    moving = b"RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02"
    await sends_file(simulator, "sticker", moving, "image/webp")
    assert (await value_of(bot))["messages"][0]["sticker"]["animated"] is True


async def test_a_type_nobody_named_is_taken_from_the_file(simulator, bot):
    data = aiohttp.FormData()
    data.add_field("file", b"\xff\xd8", filename="a.jpg", content_type="application/octet-stream")
    _, shown = await simulator.call("POST", f"/simulator/people/{MAYA}/messages", data=data)
    assert (shown["type"], shown["content"]["mime_type"]) == ("image", "image/jpeg")


async def test_a_reaction_of_a_person_stands_on_the_message(simulator, bot):
    sent = {"messaging_product": "whatsapp", "to": MAYA, "type": "text", "text": {"body": "?"}}
    _, answer = await simulator.cloud(sent)
    message_id = answer["messages"][0]["id"]
    await bot.takes(2)

    await simulator.post(
        f"/simulator/people/{MAYA}/reaction", {"message_id": message_id, "emoji": "❤️"}
    )

    [message] = (await value_of(bot, 3))["messages"]
    assert message["reaction"] == {"message_id": message_id, "emoji": "❤️"}
    assert (await simulator.chat())[0]["reactions"] == {MAYA: "❤️"}


async def test_a_file_for_a_form_without_a_file_is_named(simulator):
    without = aiohttp.FormData()
    without.add_field("type", "image", content_type="text/plain")  # which makes it multipart
    for given in ({"json": {}}, {"data": without}):
        status, answer = await simulator.call("POST", f"/simulator/people/{MAYA}/files", **given)
        assert status == 400
        assert "a part named file" in str(answer)
