"""Files that do not come hold up nobody who sends none."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
from pathlib import Path
from typing import Any

from support.webhooks import texts

PEOPLE = 220
BEN = "491522222222"


def webhook(phone: str, message: dict[str, Any]) -> dict[str, Any]:
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"},
        "contacts": [{"profile": {"name": "Anna"}, "wa_id": phone}],
        "messages": [{"from": phone, "timestamp": str(int(time.time())), **message}],
    }
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "102290129340398", "changes": [{"value": value, "field": "messages"}]}],
    }


def picture(number: int) -> dict[str, Any]:
    image = {"id": str(number), "mime_type": "image/jpeg"}
    message = {"id": f"wamid.picture{number}", "type": "image", "image": image}
    return webhook(f"4915110000{number:03}", message)


def form(**answers: Any) -> dict[str, Any]:
    """A form that Ben has filled in."""
    reply = {"name": "flow", "body": "Sent", "response_json": json.dumps(answers)}
    interactive = {"type": "nfm_reply", "nfm_reply": reply}
    return webhook(BEN, {"id": "wamid.form", "type": "interactive", "interactive": interactive})


def in_form(media_id: str | int, name: str, mime_type: str, content: bytes) -> dict[str, Any]:
    """https://developers.facebook.com/docs/whatsapp/flows/reference/media_upload"""
    sha256 = base64.b64encode(hashlib.sha256(content).digest()).decode()
    return {"file_name": name, "mime_type": mime_type, "sha256": sha256, "id": media_id}


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


async def test_the_files_of_a_form_are_fetched_before_the_bot_hears_of_it(serve, platform):
    server = platform[0]
    server.files = {"790": (b"JPEG", "image/jpeg"), "791": (b"%PDF", "application/pdf")}
    heard: list[dict[str, Any]] = []

    async def answers(message) -> None:
        heard.append(message.metadata["whatsapp"]["interactive"]["nfm_reply"])
        await message.output_channel.send_response(message.sender_id, {"text": "Thank you"})

    photo = in_form(790, "IMG_1.jpg", "image/jpeg", b"JPEG")
    lost = in_form("792", "lost.jpg", "image/jpeg", b"gone")
    bill = in_form("791", "../bill.pdf", "application/pdf", b"%PDF")
    async with serve(answers) as running:
        await running.deliver(form(flow_token="t", name="Ben", photos=[photo, lost], bill=[bill]))
        await server.sends(1)

    [reply] = heard
    assert reply["response"]["photos"] == [photo, lost]
    first, second, third = reply["files"]
    assert [each["field"] for each in reply["files"]] == ["photos", "photos", "bill"]
    assert [each["filename"] for each in reply["files"]] == [
        *("IMG_1.jpg", "lost.jpg", "../bill.pdf")
    ]
    assert Path(first["path"]).read_bytes() == b"JPEG"
    assert first["size"] == 4
    assert second["path"] is None
    assert "problem" in second
    assert Path(third["path"]).read_bytes() == b"%PDF"


async def test_a_form_cannot_name_a_file_of_somebody_else(serve, platform):
    """What stands in a form is written by a phone; the hash shows that it had the file."""
    server = platform[0]
    server.files = {"790": (b"a passport", "image/jpeg")}
    heard: list[dict[str, Any]] = []

    async def answers(message) -> None:
        heard.append(message.metadata["whatsapp"]["interactive"]["nfm_reply"])
        await message.output_channel.send_response(message.sender_id, {"text": "Thank you"})

    unknown = {**in_form("790", "a.jpg", "image/jpeg", b"a guess"), "path": "/etc/passwd"}
    without = {key: value for key, value in unknown.items() if key != "sha256"}
    async with serve(answers) as running:
        await running.deliver(form(photos=[unknown, without], files=[{"path": "/etc/passwd"}]))
        await server.sends(1)

    [reply] = heard
    [told] = reply["files"]
    assert told["path"] is None
    assert "problem" in told
