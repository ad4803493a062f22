"""A call to a bot: it is ended at once, the caller gets a text, and the bot may hear of it."""

from __future__ import annotations

import time
from typing import Any

from support.webhooks import NUMBER

PHONE = "4915112345678"


def step(event: str, **parts: Any) -> dict[str, Any]:
    call = {
        "id": "wacid.ABGG",
        "from": PHONE,
        "to": "15550783881",
        "event": event,
        "timestamp": str(int(time.time())),
        "direction": "USER_INITIATED",
        **parts,
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": NUMBER},
        "contacts": [{"profile": {"name": "Maya"}, "wa_id": PHONE}],
        "calls": [call],
    }
    return {"entry": [{"id": "1", "changes": [{"field": "calls", "value": value}]}]}


async def silent(message: Any) -> None:
    return


async def test_a_call_is_ended_and_answered_once_with_a_text(serve, platform):
    calls = {"answer": "reject", "text": "We cannot take calls."}
    rings = step("connect", session={"sdp_type": "offer", "sdp": "v=0"})

    async with serve(silent, calls=calls) as running:
        assert await running.deliver(rings) == 200
        assert await running.deliver(rings) == 200  # as WhatsApp does where an answer is late

        (sent,) = await platform[0].sends(1)
        await platform[0].eventually(lambda: len(platform[0].call_actions) == 2)

    assert platform[0].call_actions[0] == {
        "messaging_product": "whatsapp",
        "call_id": "wacid.ABGG",
        "action": "reject",
    }
    assert (sent["to"], sent["text"]) == (PHONE, {"body": "We cannot take calls."})
    assert len(platform[0].sent) == 1


async def test_the_bot_hears_of_a_missed_call_where_the_settings_say_so(serve, platform):
    async def answer(message: Any) -> None:
        await message.output_channel.send_response(message.sender_id, {"text": message.text})

    async with serve(answer, inbound={"call": "turn"}) as running:
        assert await running.deliver(step("terminate", status="FAILED")) == 200

        (sent,) = await platform[0].sends(1)

    assert sent["text"]["body"] == '/whatsapp_call{"call_id": "wacid.ABGG"}'
    assert platform[0].call_actions == []
