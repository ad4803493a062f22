"""Media at the Cloud API and at 360dialog: upload, address, download, deletion, and use."""

from __future__ import annotations

import base64
import hashlib
import io

import aiohttp
import pytest

TOKEN = {"Authorization": "Bearer simulator-token"}
KEY = {"D360-API-KEY": "simulator-token"}
MEDIA = "/v26.0/106540352242922/media"
TO = {"messaging_product": "whatsapp", "to": "4915112345678"}
PNG = b"\x89PNG\r\n\x1a\n" + b"p" * 100
# RIFF, size, WEBP, then the first chunk: VP8X with the bit for animation, or plain VP8
STILL = b"RIFF\x00\x00\x00\x00WEBPVP8 \x00\x00\x00\x00"
MOVING = b"RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02\x00\x00\x00\xff\x01\x00\xff\x01\x00"
MB = 1024 * 1024


def form(content, mime_type, *, product="whatsapp", filename="file"):
    data = aiohttp.FormData()
    if product:
        data.add_field("messaging_product", product)
    data.add_field("type", mime_type or "image/png")
    data.add_field("file", io.BytesIO(content), filename=filename, content_type=mime_type)
    return data


async def upload(simulator, content, mime_type, **more):
    data = form(content, mime_type, **more)
    status, answer = await simulator.call("POST", MEDIA, data=data, headers=TOKEN)
    assert status == 200, answer
    return answer["id"]


@pytest.mark.parametrize(
    ("kind", "mime_type", "content"),
    [
        ("image", "image/png", PNG),
        ("audio", "audio/ogg; codecs=opus", b"OggS"),
        ("video", "video/mp4", b"\x00\x00\x00\x18ftypmp42"),
        ("document", "application/pdf", b"%PDF-1.4"),
        ("sticker", "image/webp", STILL),
    ],
    ids=["image", "audio", "video", "document", "sticker"],
)
async def test_an_uploaded_file_comes_back_and_is_shown(simulator, kind, mime_type, content):
    media_id = await upload(simulator, content, mime_type, filename="menu.bin")
    assert media_id.isdigit()

    _, info = await simulator.get(f"/v26.0/{media_id}", headers=TOKEN)
    assert info["mime_type"] == mime_type
    assert info["file_size"] == len(content)
    assert info["sha256"] == hashlib.sha256(content).hexdigest()
    assert info["id"] == media_id
    assert info["messaging_product"] == "whatsapp"
    async with simulator.session.get(info["url"], headers=TOKEN) as response:
        assert response.headers["Content-Type"] == mime_type
        assert await response.read() == content

    await simulator.cloud({**TO, "type": kind, kind: {"id": media_id}})
    [shown] = await simulator.shows(1)
    assert shown["status"] == "delivered"
    assert shown["content"] == {
        "id": media_id,
        "url": f"/simulator/media/{media_id}",
        "mime_type": mime_type,
        "size": len(content),
        "filename": "menu.bin",
    }


async def test_a_file_in_a_header_and_on_cards_is_shown_too(simulator, host):
    media_id = await upload(simulator, PNG, "image/png")
    link = await host(PNG, "image/png")
    cards = [
        {
            "card_index": index,
            "type": "cta_url",
            "header": {"type": "image", "image": {"link": link}},
            "action": {
                "name": "cta_url",
                "parameters": {"display_text": "Buy", "url": "https://shop.example"},
            },
        }
        for index in (0, 1)
    ]
    button = {"type": "reply", "reply": {"id": "1", "title": "Yes"}}
    for interactive in (
        {
            "type": "button",
            "header": {"type": "image", "image": {"id": media_id}},
            "body": {"text": "?"},
            "action": {"buttons": [button]},
        },
        {"type": "carousel", "body": {"text": "?"}, "action": {"cards": cards}},
    ):
        status, answer = await simulator.cloud(
            {**TO, "type": "interactive", "interactive": interactive}
        )
        assert status == 200, answer

    buttons, carousel = await simulator.shows(2)
    assert buttons["content"]["header"]["image"]["url"] == f"/simulator/media/{media_id}"
    assert buttons["content"]["action"] == {"buttons": [button]}
    for card in carousel["content"]["action"]["cards"]:
        status, content = await simulator.get(card["header"]["image"]["url"])
        assert (status, content) == (200, PNG)


async def test_part_of_a_file_can_be_asked_for(simulator):
    media_id = await upload(simulator, PNG, "image/png")
    _, info = await simulator.get(f"/{media_id}", headers=TOKEN)
    headers = {**TOKEN, "Range": "bytes=1-3"}
    async with simulator.session.get(info["url"], headers=headers) as response:
        assert (response.status, await response.read()) == (206, b"PNG")


async def test_a_download_needs_the_token_a_user_agent_and_a_fresh_address(simulator):
    media_id = await upload(simulator, PNG, "image/png")
    _, info = await simulator.get(f"/{media_id}", headers=TOKEN)

    async def status(url=info["url"], **headers):
        async with simulator.session.get(url, headers=headers) as response:
            return response.status

    bearer = TOKEN["Authorization"]
    assert await status(Authorization=bearer) == 200
    assert await status() == 404
    assert await status(Authorization="Bearer wrong") == 404
    assert await status(Authorization=bearer, **{"User-Agent": ""}) == 404
    assert await status(info["url"][:-1] + "x", Authorization=bearer) == 404
    simulator.clock.now += 299
    assert await status(Authorization=bearer) == 200
    simulator.clock.now += 2
    assert await status(Authorization=bearer) == 404


async def test_a_deleted_file_is_gone_for_the_bot_and_stays_on_the_phone(simulator):
    media_id = await upload(simulator, PNG, "image/png")
    await simulator.cloud({**TO, "type": "image", "image": {"id": media_id}})
    await simulator.shows(1)

    assert (await simulator.call("DELETE", f"/v26.0/{media_id}", headers=TOKEN))[1] == {
        "success": True
    }

    status, answer = await simulator.get(f"/v26.0/{media_id}", headers=TOKEN)
    assert (status, answer["error"]["code"], answer["error"]["error_subcode"]) == (400, 100, 33)
    status, answer = await simulator.cloud({**TO, "type": "image", "image": {"id": media_id}})
    assert (status, answer["error"]["code"]) == (400, 100)
    assert (await simulator.get(f"/simulator/media/{media_id}"))[1] == PNG


@pytest.mark.parametrize(
    ("content", "mime_type", "product", "code"),
    [
        (PNG, None, "whatsapp", 100),  # the part has no type of its own
        (PNG, "image/gif", "whatsapp", 100),
        (PNG, "image/png", None, 100),
        (b"", "image/png", "whatsapp", 100),
        (b"x" * (5 * MB + 1), "image/jpeg", "whatsapp", 131053),
        (STILL + b"x" * 100 * 1024, "image/webp", "whatsapp", 131053),
        (MOVING + b"x" * 500 * 1024, "image/webp", "whatsapp", 131053),
    ],
    ids=["no type", "gif", "no product", "empty", "large", "still sticker", "moving sticker"],
)
async def test_an_upload_is_checked(simulator, content, mime_type, product, code):
    data = form(content, mime_type, product=product)
    status, answer = await simulator.call("POST", MEDIA, data=data, headers=TOKEN)
    assert (status, answer["error"]["code"]) == (400, code), answer


async def test_an_animated_sticker_may_be_larger_than_a_still_one(simulator):
    content = MOVING + b"x" * 400 * 1024
    media_id = await upload(simulator, content, "image/webp")
    await simulator.cloud({**TO, "type": "sticker", "sticker": {"id": media_id}})
    assert (await simulator.shows(1))[0]["status"] == "delivered"


async def test_a_form_without_a_file_or_none_at_all_is_refused(simulator):
    for data in ({"messaging_product": "whatsapp"}, b"no form"):
        status, answer = await simulator.call("POST", MEDIA, data=data, headers=TOKEN)
        assert (status, answer["error"]["code"]) == (400, 100)
    broken = {**TOKEN, "Content-Type": "multipart/form-data; boundary=x"}
    status, answer = await simulator.call("POST", MEDIA, data=b"--y\r\n", headers=broken)
    assert (status, answer["error"]["code"]) == (400, 100)


async def test_media_needs_the_token(simulator):
    status, answer = await simulator.call("POST", MEDIA, data=form(PNG, "image/png"))
    assert (status, answer["error"]["code"]) == (401, 190)
    for method in ("GET", "DELETE"):
        status, answer = await simulator.call(method, "/v26.0/1")
        assert (status, answer["error"]["code"]) == (401, 190)


async def test_a_picture_cannot_go_as_a_document_and_fails_afterwards(simulator, bot):
    media_id = await upload(simulator, PNG, "image/png")

    status, answer = await simulator.cloud({**TO, "type": "document", "document": {"id": media_id}})

    assert status == 200, answer
    [shown] = await simulator.shows(1)
    assert (shown["status"], shown["errors"][0]["code"]) == ("failed", 131053)
    [webhook] = await bot.takes(1)
    [failed] = webhook.body["entry"][0]["changes"][0]["value"]["statuses"]
    assert (failed["status"], failed["errors"][0]["code"]) == ("failed", 131053)


async def test_360dialog_hands_metas_addresses_on(start):
    simulator = await start("360dialog")
    data = form(PNG, "image/png")
    _, answer = await simulator.call("POST", "/media", data=data, headers=KEY)
    _, info = await simulator.get(f"/{answer['id']}", headers=KEY)

    # docs.360dialog.com: Meta's host is to be replaced by 360dialog's, the path stays
    assert info["url"].startswith("https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=")
    path = info["url"].removeprefix("https://lookaside.fbsbx.com")
    assert (await simulator.get(path, headers=KEY))[1] == PNG
    assert (await simulator.call("DELETE", f"/{answer['id']}", headers=KEY))[1] == {"success": True}
    status, answer = await simulator.get(f"/{answer['id']}", headers={"D360-API-KEY": "wrong"})
    assert (status, answer["meta"]["http_code"]) == (401, 401)


async def test_a_file_a_person_sends_can_be_fetched_like_any_other(simulator, bot):
    data = aiohttp.FormData()
    data.add_field("type", "image")
    data.add_field("caption", "My dog")
    data.add_field("file", PNG, filename="dog.png", content_type="image/png")
    await simulator.call("POST", "/simulator/people/4915112345678/messages", data=data)

    [webhook] = await bot.takes(1)
    [message] = webhook.body["entry"][0]["changes"][0]["value"]["messages"]
    image = message["image"]
    assert message["type"] == "image"
    assert (image["mime_type"], image["caption"]) == ("image/png", "My dog")
    assert image["sha256"] == base64.b64encode(hashlib.sha256(PNG).digest()).decode()
    async with simulator.session.get(image["url"], headers=TOKEN) as response:
        assert await response.read() == PNG
    _, info = await simulator.get(f"/v26.0/{image['id']}", headers=TOKEN)
    assert info["file_size"] == len(PNG)


async def test_a_download_can_be_taken_up_in_the_middle(simulator):
    content = bytes(range(256)) * 100
    form = aiohttp.FormData({"messaging_product": "whatsapp", "type": "text/plain"})
    form.add_field("file", content, filename="a.txt", content_type="text/plain")
    token = {"Authorization": "Bearer simulator-token"}
    _, uploaded = await simulator.call(
        "POST", "/v26.0/106540352242922/media", data=form, headers=token
    )
    assert uploaded["id"].isdigit()
    _, media = await simulator.get(f"/v26.0/{uploaded['id']}", headers=token)

    headers = {**token, "Range": "bytes=1000-"}
    async with simulator.session.get(media["url"], headers=headers) as response:
        assert response.status == 206
        assert response.headers["Content-Range"] == f"bytes 1000-{len(content) - 1}/{len(content)}"
        assert await response.read() == content[1000:]
