"""Files that do not come hold up nobody who sends none."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from support.webhooks import texts

PEOPLE = 220
BEN = "491522222222"


def picture(number: int) -> dict[str, Any]:
    phone = f"4915110000{number:03}"
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"},
        "contacts": [{"profile": {"name": "Anna"}, "wa_id": phone}],
        "messages": [
            {
                "from": phone,
                "id": f"wamid.picture{number}",
                "timestamp": str(int(time.time())),
                "type": "image",
                "image": {"id": str(number), "mime_type": "image/jpeg"},
            }
        ],
    }
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "102290129340398", "changes": [{"value": value, "field": "messages"}]}],
    }


async def test_somebody_is_answered_while_the_pictures_of_others_do_not_come(serve, platform):
    server = platform[0]
    server.files = {str(number): (b"JPEG", "image/jpeg") for number in range(PEOPLE)}
    server.files_gate.clear()

    async def answers(message) -> None:
        path = (message.metadata["whatsapp"].get("image") or {}).get("path")
        text = "a picture" if path else message.text
        await message.output_channel.send_response(message.sender_id, {"text": text})

    async with serve(answers) as running:
        await asyncio.gather(*(running.deliver(picture(number)) for number in range(PEOPLE)))
        await server.eventually(lambda: server.hanging >= 50)
        await running.deliver(texts("hello", phone=BEN))
        # Had he waited for a file, somebody would be answered without theirs before him.
        [answer] = await server.sends(1)
        at_once = server.hanging

        server.files_gate.set()
        everybody = await server.sends(PEOPLE + 1)

    assert (answer["to"], answer["text"]["body"]) == (BEN, "hello")
    assert at_once == 50
    assert len({sent["to"] for sent in everybody}) == PEOPLE + 1
    assert [sent["text"]["body"] for sent in everybody].count("a picture") == PEOPLE
