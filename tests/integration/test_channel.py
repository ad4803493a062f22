"""The channel as Rasa serves it: what a webhook is answered, what the bot hears, what is sent."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from types import SimpleNamespace
from urllib.parse import urlsplit

import aiohttp
import pytest
from support.eventually import PATIENCE, eventually

from rasa_whatsapp_channel.simulator.bot import ask_bot

PHONE = "4915112345678"


def text_webhook(*bodies: str, first: int = 1, phone: str = PHONE) -> dict:
    messages = [
        {
            "from": phone,
            "id": f"wamid.in{number}",
            "timestamp": str(int(time.time())),
            "type": "text",
            "text": {"body": body},
        }
        for number, body in enumerate(bodies, first)
    ]
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"},
        "contacts": [{"profile": {"name": "Maya"}, "wa_id": phone}],
        "messages": messages,
    }
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "102290129340398", "changes": [{"value": value, "field": "messages"}]}],
    }


async def echo(message) -> None:
    await message.output_channel.send_response(message.sender_id, {"text": message.text})


TWO_BLOCKS = """
from rasa.core.channels.channel import register
from rasa.shared.exceptions import InvalidConfigException
from rasa_whatsapp_channel import WhatsAppInput
from sanic import Sanic

server = Sanic("rasa")
block = {"phone_number_id": "1", "access_token": "t", "app_secret": "s", "verify_token": "v"}
try:
    register([WhatsAppInput.from_credentials(block)] * 2, server, route="/webhooks/")
except InvalidConfigException as refused:
    print(refused)
"""


def test_a_second_block_is_refused_in_words():
    pytest.importorskip("rasa.core.channels.channel", reason="no Rasa in this environment")

    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", TWO_BLOCKS],
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert "Two blocks are for this channel" in told.stdout, told.stderr


async def test_a_text_is_heard_and_answered(serve, platform):
    async with serve(echo) as running:
        assert await running.deliver(text_webhook("Grüße 👋")) == 200

        (sent,) = await platform[0].sends(1)

    assert sent == {
        "messaging_product": "whatsapp",
        "biz_opaque_callback_data": "wamid.in1:0",
        "recipient_type": "individual",
        "to": PHONE,
        "type": "text",
        "text": {"body": "Grüße 👋"},
    }
    (heard,) = running.agent.heard
    assert (heard.sender_id, heard.message_id, heard.input_channel) == (
        PHONE,
        "wamid.in1",
        "whatsapp",
    )
    assert heard.metadata["whatsapp"]["profile_name"] == "Maya"


async def test_a_simulator_hears_which_response_a_message_comes_from_and_what_was_changed(
    serve, platform
):
    titles = ("Yes", "A title of thirty characters")
    buttons = [{"title": title, "payload": f"/{title[0]}"} for title in titles]
    response = {"utter_action": "utter_offer", "text": "Well?", "buttons": buttons}

    async def bot(message) -> None:
        await message.output_channel.send_response(message.sender_id, response)

    async with serve(bot) as running:
        await running.deliver(text_webhook("hi"))
        await platform[0].sends(1)

    [note] = map(json.loads, platform[0].notes)
    assert note["response"] == "utter_offer"
    assert note["changes"][0]["code"] == "WA301"
    assert note["changes"][0]["message"].startswith("2 buttons became a list")
    assert {"code", "message", "before", "after"} == set(note["changes"][0])


async def test_the_answer_to_a_webhook_does_not_wait_for_the_bot(serve, platform):
    finish = asyncio.Event()

    async def slow(message) -> None:
        await finish.wait()
        await echo(message)

    async with serve(slow) as running:
        assert await asyncio.wait_for(running.deliver(text_webhook("hi")), PATIENCE) == 200
        assert platform[0].sent == []
        finish.set()
        await platform[0].sends(1)


async def test_the_bot_does_not_wait_for_whatsapp(serve, platform):
    done = asyncio.Event()
    platform[0].gate.clear()

    async def bot(message) -> None:
        await echo(message)
        done.set()

    async with serve(bot) as running:
        await running.deliver(text_webhook("hi"))
        await asyncio.wait_for(done.wait(), PATIENCE)
        assert platform[0].sent == []
        platform[0].gate.set()
        await platform[0].sends(1)


async def test_a_webhook_delivered_fifty_times_at_once_is_one_turn(serve, platform):
    async with serve(echo) as running:
        webhook = text_webhook("hi")

        statuses = await asyncio.gather(*(running.deliver(webhook) for _ in range(50)))

        assert set(statuses) == {200}
        await platform[0].sends(1)
        await running.idle()
    assert len(platform[0].sent) == len(running.agent.heard) == 1


async def test_messages_of_one_batch_are_heard_one_by_one_in_order(serve, platform):
    texts = [f"message {number}" for number in range(20)]

    async with serve(echo) as running:
        await running.deliver(text_webhook(*texts))
        sent = await platform[0].sends(20)

    assert [message.text for message in running.agent.heard] == texts
    assert [body["text"]["body"] for body in sent] == texts


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Hub-Signature-256": "sha256=" + "0" * 64},
        {"X-Hub-Signature-256": "sha1=abc"},
        {"X-Hub-Signature-256": "sha256=ü".encode().decode("latin-1")},
    ],
)
async def test_without_the_right_signature_a_webhook_is_refused_and_not_kept(serve, headers):
    async with serve(echo) as running:
        assert await running.deliver(text_webhook("hi"), headers=headers) == 401

        health = await running.health()
    assert health["inbox"] == {
        "waiting": 0,
        "dead_letters": 0,
        "oldest": None,
        "failing": 0,
        "last_error": None,
    }


@pytest.mark.parametrize("raw", [b"no json", b"[1, 2]", b"\xff\xfe", b"[" * 200_000, b""])
async def test_a_proven_body_that_is_no_webhook_is_kept_as_a_dead_letter(serve, raw):
    async with serve(echo) as running:
        assert await running.deliver(None, raw=raw) == 200

        health = await running.health()
    assert health["inbox"]["dead_letters"] == 1


async def test_a_body_above_the_cap_is_refused(serve):
    async with serve(echo) as running:
        assert await running.deliver(None, raw=b" " * (3 * 1024 * 1024 + 1)) == 413


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_length_below_zero_stops_nobody(serve, method):
    async with serve(echo) as running:
        address = urlsplit(running.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        sent = (
            f"{method} {address.path}/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n{{}}"
        )
        writer.write(sent.encode())

        line = await asyncio.wait_for(reader.readline(), PATIENCE)
        assert line.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 401 "))
        assert await asyncio.wait_for(running.deliver(text_webhook("hi")), PATIENCE) == 200
        writer.close()


async def test_a_refusal_says_why_in_the_log_line_itself(serve, caplog):
    async with serve(echo) as running:
        await running.deliver(text_webhook("hi"), headers={})
        await running.deliver(text_webhook("hi"), headers={"X-Hub-Signature-256": "sha256=0"})
        await running.deliver(None, raw=b" " * (3 * 1024 * 1024 + 1))

    told = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert told == [
        "whatsapp.refused: X-Hub-Signature-256 is missing",
        "whatsapp.refused: X-Hub-Signature-256 holds no signature, which is sha256= and "
        "64 hexadecimal digits",
        "whatsapp.refused: the body is larger than the 3 MB that WhatsApp sends",
    ]


async def test_the_challenge_is_answered_with_the_right_verify_token_only(serve):
    question = "/webhook?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="

    async with serve(echo) as running:
        assert await running.get(question + "a-verify-token") == (200, "1158201444")
        assert (await running.get(question + "another"))[0] == 401


async def test_the_simulator_reads_the_health_page(serve):
    async with serve(echo) as running, aiohttp.ClientSession() as session:
        page = await running.health()
        answer = await ask_bot(session, f"{running.url}/webhook")

    for queue in ("inbox", "outbox", "desk"):
        del page[queue]["oldest"]
    assert answer == {"answers": True, "health": {**page, "paused": {}, "away": [], "account": []}}


async def test_the_health_page_tells_what_waits(serve, platform):
    platform[0].gate.clear()

    async with serve(echo) as running:
        await running.deliver(text_webhook("hi"))
        await eventually(lambda: platform[0].waiting)
        health = await running.health()
        platform[0].gate.set()

    assert health["status"] == "ok"
    assert health["outbox"]["oldest"] is not None


async def test_while_the_agent_is_not_ready_messages_wait(serve, platform):
    async with serve(echo) as running:
        running.agent.ready = False
        await running.deliver(text_webhook("hi"))
        await asyncio.sleep(0.5)
        assert running.agent.heard == []

        running.agent.ready = True

        await platform[0].sends(1)


async def test_a_bot_that_raises_hears_the_message_again_and_says_nothing_twice(serve, platform):
    async def bot(message) -> None:
        await message.output_channel.send_text_message(message.sender_id, "first")
        if len(running.agent.heard) == 1:
            raise RuntimeError("the action server is down")
        await message.output_channel.send_text_message(message.sender_id, "second")

    async with serve(bot) as running:
        await running.deliver(text_webhook("hi"))
        await platform[0].sends(2)
        await running.idle()

    assert [body["text"]["body"] for body in platform[0].sent] == ["first", "second"]


async def greets(message) -> None:
    for said in ("Hello", "Welcome back"):
        await message.output_channel.send_text_message(message.sender_id, said)
    buttons = [{"title": "Menu", "payload": "/menu"}]
    await message.output_channel.send_buttons(message.sender_id, buttons)


async def test_what_a_bot_says_in_one_turn_is_one_message_where_that_is_set(serve, platform):
    async with serve(greets, combine="turn") as running:
        await running.deliver(text_webhook("hi"))
        [sent] = await platform[0].sends(1)

    assert sent["interactive"]["body"]["text"] == "Hello\n\nWelcome back"
    assert sent["biz_opaque_callback_data"] == "wamid.in1:2"


async def test_what_a_turn_had_said_goes_out_when_it_is_cut_off_by_a_stop(serve, platform):
    async with serve(greets, combine="turn", combine_wait=600) as running:

        async def saves_and_hangs(message) -> None:
            await greets(message)
            running.agent.saved[message.sender_id] = SimpleNamespace(events=[message])
            await asyncio.Event().wait()

        running.agent.bot = saves_and_hangs
        await running.deliver(text_webhook("hi"))
        await platform[0].eventually(lambda: bool(running.agent.saved))
        saved = running.agent.saved

    async with serve(echo, combine="turn") as running:
        running.agent.saved = saved
        await running.deliver(text_webhook("bye", first=2))
        sent = await platform[0].sends(2)

    assert sent[0]["interactive"]["body"]["text"] == "Hello\n\nWelcome back"
    assert sent[1]["text"]["body"] == "bye"
    assert [message.text for message in running.agent.heard] == ["bye"]


async def test_a_failed_send_is_tried_again_and_the_order_holds(serve, platform):
    busy = {"error": {"message": "(#131016) Service unavailable", "code": 131016}}
    platform[0].answers = [(500, busy)]

    async with serve(echo) as running:
        await running.deliver(text_webhook("one", "two"))
        sent = await platform[0].sends(2)

    assert [body["text"]["body"] for body in sent] == ["one", "two"]


async def test_a_refused_message_is_a_dead_letter_and_the_next_one_goes(serve, platform):
    wrong = {"error": {"message": "(#131009) Parameter value is not valid", "code": 131009}}
    platform[0].answers = [(400, wrong)]

    async with serve(echo) as running:
        await running.deliver(text_webhook("one", "two"))
        sent = await platform[0].sends(1)
        health = await running.health()

    assert [body["text"]["body"] for body in sent] == ["two"]
    assert health["outbox"]["dead_letters"] == 1


async def test_what_was_not_sent_when_the_server_stopped_is_sent_by_the_next_one(serve, platform):
    down = {"error": {"message": "(#131016) Service unavailable", "code": 131016}}
    platform[0].answers = [(500, down)] * 3

    async with serve(echo) as running:
        await running.deliver(text_webhook("hi"))
        await platform[0].eventually(lambda: len(platform[0].answers) < 3)
    platform[0].answers.clear()
    async with serve(echo):
        (sent,) = await platform[0].sends(1)

    assert sent["text"]["body"] == "hi"


async def test_the_ticks_turn_blue_and_the_typing_bubble_shows_while_the_bot_thinks(
    serve, platform
):
    finish = asyncio.Event()

    async def slow(message) -> None:
        await finish.wait()
        await echo(message)

    async with serve(slow) as running:
        await running.deliver(text_webhook("hi"))
        await platform[0].eventually(lambda: bool(platform[0].receipts))
        finish.set()
        await platform[0].sends(1)

    assert platform[0].receipts == [
        {
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": "wamid.in1",
            "typing_indicator": {"type": "text"},
        }
    ]


async def test_a_reminder_speaks_without_a_request(serve, platform):
    async with serve(echo) as running:
        output = running.channel.get_output_channel()
        await output.send_text_message(PHONE, "Your table is ready")
        (sent,) = await platform[0].sends(1)

    assert (sent["to"], sent["text"]["body"]) == (PHONE, "Your table is ready")


async def test_every_single_send_method_works_alone_and_in_order(serve, platform):
    async def bot(message) -> None:
        output, to = message.output_channel, message.sender_id
        await output.send_text_message(to, "text")
        await output.send_image_url(to, "https://shop.example/a.jpg")
        await output.send_attachment(to, {"type": "document", "link": "https://shop.example/a.pdf"})
        await output.send_text_with_buttons(to, "choose", [{"title": "Yes", "payload": "/yes"}])
        await output.send_quick_replies(to, "quick", [{"title": "No", "payload": "/no"}])
        await output.send_custom_json(
            to, {"type": "sticker", "sticker": {"link": "https://shop.example/s.webp"}}
        )

    async with serve(bot) as running:
        await running.deliver(text_webhook("hi"))
        sent = await platform[0].sends(6)

    assert [body["type"] for body in sent] == [
        "text",
        "image",
        "document",
        "interactive",
        "interactive",
        "sticker",
    ]


async def test_what_only_rasa_pro_or_single_actions_call_works_too(serve, platform):
    place = {"type": "location", "location": {"latitude": 48.85, "longitude": 2.35}}

    async def bot(message) -> None:
        output, to = message.output_channel, message.sender_id
        await output.send_buttons(to, [{"title": "Yes", "payload": "/yes"}])
        await output.send_text_with_buttons(to, None, [{"title": "No", "payload": "/no"}])
        await output.send_elements(to, iter([{"title": "Tea"}]), utter_action="utter_tea")
        await output.send_custom_json(to, [place, {"messages": [place], "to": to}])

    async with serve(bot) as running:
        await running.deliver(text_webhook("hi"))
        sent = await platform[0].sends(5)

    assert [body["type"] for body in sent] == [
        "interactive",
        "interactive",
        "text",
        "location",
        "location",
    ]
    assert sent[2]["text"] == {"body": "*Tea*"}


async def test_a_status_is_noted_and_is_no_turn(serve, platform):
    status = {
        "id": "wamid.out1",
        "status": "delivered",
        "timestamp": "1749416390",
        "recipient_id": PHONE,
    }
    webhook = text_webhook()
    value = webhook["entry"][0]["changes"][0]["value"]
    del value["messages"]
    value["statuses"] = [status]

    async with serve(echo) as running:
        assert await running.deliver(webhook) == 200
        assert running.agent.heard == []
        assert (await running.health())["inbox"]["dead_letters"] == 0


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"acces_token": "x"}, "unknown key 'acces_token'; did you mean 'access_token'?"),
        ({"store": "mongodb://db"}, "store: not a store this package knows"),
        ({"store": "sqlite:////nowhere/at/all/whatsapp.db"}, "/nowhere/at/all does not exist"),
    ],
)
async def test_a_mistake_in_the_settings_is_rasas_own_configuration_error(serve, settings, told):
    from rasa.shared.exceptions import InvalidConfigException

    with pytest.raises(InvalidConfigException) as caught:
        async with serve(echo, **settings):
            pass

    assert told in str(caught.value)
