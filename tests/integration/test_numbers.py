"""One bot behind several business numbers."""

from __future__ import annotations

import asyncio
import time

import pytest

FIRST = "106540352242922"
SECOND = "206540352242922"
PHONE = "4915112345678"


def webhook(number: str, message_id: str, *, phone: str | None = PHONE, **part) -> dict:
    message = {
        "id": message_id,
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": "hi"},
        **part,
    }
    contact = {"profile": {"name": "Maya"}, "user_id": "DE.42"}
    if phone:
        message["from"], contact["wa_id"] = phone, phone
    value = {
        "metadata": {"display_phone_number": "1555", "phone_number_id": number},
        "contacts": [contact],
        "messages": [message],
    }
    return {"entry": [{"id": "1", "changes": [{"value": value, "field": "messages"}]}]}


async def echo(message) -> None:
    buttons = [{"title": "Again", "payload": "/again"}]
    output = message.output_channel
    await output.send_text_with_buttons(message.sender_id, message.text, buttons)


@pytest.fixture
def numbers() -> dict:
    return {"numbers": [{"phone_number_id": SECOND, "access_token": "another-token"}]}


async def test_the_answer_leaves_from_the_number_that_was_written_to(serve, platform, numbers):
    async with serve(echo, **numbers) as running:
        await running.deliver(webhook(FIRST, "wamid.1"))
        await running.deliver(webhook(SECOND, "wamid.2"))
        await platform[0].sends(2)

    assert sorted(platform[0].calls) == [
        (FIRST, "Bearer a-token"),
        (SECOND, "Bearer another-token"),
    ]
    assert {body["to"] for body in platform[0].sent} == {PHONE}


async def test_the_chats_of_one_person_with_two_numbers_are_two(serve, platform, numbers):
    async with serve(echo, **numbers) as running:
        await running.deliver(webhook(FIRST, "wamid.1"))
        await running.deliver(webhook(SECOND, "wamid.2"))
        await running.deliver(webhook(SECOND, "wamid.3", phone=None))
        await platform[0].sends(3)

    heard = {said.message_id: said.sender_id for said in running.agent.heard}
    assert heard == {
        "wamid.1": PHONE,
        "wamid.2": f"{PHONE}@{SECOND}",
        "wamid.3": f"{PHONE}@{SECOND}",
    }


async def test_a_button_counts_in_the_chat_it_was_sent_to(serve, platform, numbers):
    tap = {
        "type": "interactive",
        "interactive": {"type": "button_reply", "button_reply": {"id": "/again", "title": "Again"}},
    }
    async with serve(echo, **numbers) as running:
        await running.deliver(webhook(SECOND, "wamid.1"))
        await platform[0].sends(1)
        await running.deliver(webhook(SECOND, "wamid.2", **tap))
        await platform[0].sends(2)
        await running.deliver(webhook(FIRST, "wamid.3", **tap))
        await platform[0].sends(3)

    assert [said.text for said in running.agent.heard] == ["hi", "/again", "Again"]


async def test_a_reminder_leaves_from_the_number_of_its_chat(serve, platform, numbers):
    async with serve(echo, **numbers) as running:
        output = running.channel.get_output_channel()
        await output.send_text_message(f"{PHONE}@{SECOND}", "Your table is ready")
        await platform[0].sends(1)

    assert platform[0].calls == [(SECOND, "Bearer another-token")]


async def test_who_was_written_to_in_another_spelling_answers_in_one_conversation(serve, platform):
    tap = {
        "type": "interactive",
        "interactive": {"type": "button_reply", "button_reply": {"id": "/again", "title": "Again"}},
    }
    async with serve(echo) as running:
        output = running.channel.get_output_channel()
        buttons = [{"title": "Again", "payload": "/again"}]
        await output.send_text_with_buttons("+49 151 12345678", "Your table is ready", buttons)
        await output.send_text_message("default", "To nobody")
        await platform[0].sends(1)
        await running.deliver(webhook(FIRST, "wamid.1", **tap))
        await platform[0].sends(2)
        health = await running.health()

    assert [body["to"] for body in platform[0].sent] == [PHONE, PHONE]
    assert [(said.sender_id, said.text) for said in running.agent.heard] == [(PHONE, "/again")]
    assert health["outbox"]["dead_letters"] == 1


@pytest.mark.parametrize("more", [{}, {"numbers": [{"phone_number_id": SECOND}]}])
async def test_what_another_number_was_told_is_not_for_this_bot(serve, platform, caplog, more):
    async with serve(echo, **more) as running:
        assert await running.deliver(webhook("999", "wamid.1")) == 200
        assert await running.deliver(webhook("999", "wamid.2")) == 200
        health = await running.idle()

    assert running.agent.heard == []
    assert health["inbox"] == {
        "waiting": 0,
        "dead_letters": 0,
        "oldest": None,
        "failing": 0,
        "last_error": None,
    }
    lines = [line for line in caplog.messages if "not_our_number" in line]
    assert [line.split(";")[0] for line in lines] == [
        "whatsapp.not_our_number: what comes for 999 is left alone"
    ]


async def test_what_waits_for_a_number_that_is_gone_is_a_dead_letter(serve, platform, numbers):
    async with serve(echo, **numbers) as running:
        running.agent.ready = False
        await running.deliver(webhook(SECOND, "wamid.1"))
    async with serve(echo, numbers=[{"phone_number_id": "306540352242922"}]) as running:
        while not (health := await running.health())["inbox"]["dead_letters"]:
            await asyncio.sleep(0.01)

    assert health["inbox"]["waiting"] == 0
    assert platform[0].sent == []
