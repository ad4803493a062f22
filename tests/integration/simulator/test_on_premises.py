"""The on-premises API and Turn. Bodies are typed in from Meta's reference."""

from __future__ import annotations

import re
from datetime import datetime, timezone

import aiohttp
import pytest

TO = {"to": "4915112345678", "recipient_type": "individual"}
# simulator:simulator-password
LOGIN = {"Authorization": "Basic c2ltdWxhdG9yOnNpbXVsYXRvci1wYXNzd29yZA=="}
PNG = b"\x89PNG\r\n\x1a\n"
MOVING = b"RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02"
BUTTON = {"type": "reply", "reply": {"id": "1", "title": "Yes"}}


@pytest.fixture
async def simulator(start):
    return await start("on_premises")


@pytest.fixture
async def token(simulator):
    return await simulator.login()


async def test_a_login_gives_a_token_for_a_week(simulator):
    status, answer = await simulator.post("/v1/users/login", headers=LOGIN)

    assert status == 200
    [user] = answer["users"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00:00", user["expires_after"])
    ends = datetime.strptime(user["expires_after"], "%Y-%m-%d %H:%M:%S%z")
    now = datetime.fromtimestamp(simulator.clock.now, timezone.utc)
    assert (ends - now).total_seconds() == 7 * 24 * 3600


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic c2ltdWxhdG9yOndyb25n"},  # simulator:wrong
        {"Authorization": "Basic YWRtaW46c2ltdWxhdG9yLXBhc3N3b3Jk"},  # admin:simulator-password
    ],
)
async def test_a_wrong_login_gets_1005(simulator, headers):
    status, answer = await simulator.post("/v1/users/login", headers=headers)
    assert (status, answer["errors"][0]["code"]) == (401, 1005)
    assert answer["errors"][0]["title"] == "Access denied"


async def test_a_token_ends_and_a_logout_ends_it_at_once(simulator):
    async def health(token):
        return (await simulator.get("/v1/health", headers=token))[0]

    first, second = await simulator.login(), await simulator.login()
    assert await health(first) == 200
    assert (await simulator.post("/v1/users/logout", headers=first))[0] == 200
    assert await health(first) == 401
    assert await health(second) == 200
    simulator.clock.now += 7 * 24 * 3600 + 1
    assert await health(second) == 401


async def test_health(simulator, token):
    _, answer = await simulator.get("/v1/health", headers=token)
    assert answer["health"] == {"gateway_status": "connected"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/messages"),
        ("PUT", "/v1/messages/x"),
        ("POST", "/v1/media"),
        ("GET", "/v1/media/x"),
        ("DELETE", "/v1/media/x"),
        ("GET", "/v1/health"),
    ],
)
async def test_everything_else_needs_the_token(simulator, method, path):
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        status, answer = await simulator.call(method, path, headers=headers)
        assert (status, answer["errors"][0]["code"]) == (401, 1005)


TAKEN = {
    "text": {"type": "text", "preview_url": True, "text": {"body": "See https://shop.example"}},
    "text without type": {"text": {"body": "Hello"}},
    "location": {
        "type": "location",
        "location": {"latitude": 48.85, "longitude": 2.35, "name": "Paris", "address": "1st"},
    },
    "contacts": {
        "type": "contacts",
        "contacts": [{"name": {"formatted_name": "John Smith", "first_name": "John"}}],
    },
    "button": {
        "type": "interactive",
        "interactive": {"type": "button", "body": {"text": "?"}, "action": {"buttons": [BUTTON]}},
    },
    "list": {
        "type": "interactive",
        "interactive": {
            "type": "list",
            "body": {"text": "?"},
            "action": {"button": "Go", "sections": [{"rows": [{"id": "1", "title": "One"}]}]},
        },
    },
    "template": {
        "type": "template",
        "template": {
            "namespace": "88b39973_f0d5_54e1_29cf_e80f1e3da4f2",
            "name": "hello",
            "language": {"policy": "deterministic", "code": "en"},
            "components": [{"type": "body", "parameters": [{"type": "text", "text": "Ann"}]}],
        },
    },
}


@pytest.mark.parametrize("name", TAKEN)
async def test_every_type_of_message_arrives_in_the_chat(simulator, token, name):
    status, answer = await simulator.post("/v1/messages", {**TO, **TAKEN[name]}, headers=token)

    assert status == 200, answer
    assert answer["contacts"] == [{"input": "4915112345678", "wa_id": "4915112345678"}]
    assert answer["meta"]["api_status"] == "stable"
    [shown] = await simulator.shows(1)
    assert shown["id"] == answer["messages"][0]["id"]
    assert shown["content"] == TAKEN[name][shown["type"]]


def list_of(*rows_of_sections):
    sections = [
        {"title": "S", "rows": [{"id": f"{number}-{row}", "title": "Row"} for row in range(rows)]}
        for number, rows in enumerate(rows_of_sections)
    ]
    action = {"button": "Go", "sections": sections}
    body = {"type": "list", "body": {"text": "?"}, "action": action}
    return {"type": "interactive", "interactive": body}


TEXT = {"type": "text", "text": {"body": "x"}}
REFUSED = {
    "no recipient": ({**TEXT, "to": None}, 400, 1008),
    "no digits": ({**TEXT, "to": "me"}, 400, 1013),
    "a group": ({**TEXT, "recipient_type": "group"}, 400, 1002),
    "oneself": ({**TEXT, "to": "15550783881"}, 400, 1021),
    "long text": ({"type": "text", "text": {"body": "x" * 4097}}, 400, 1001),
    "no text": ({"type": "text", "text": {}}, 400, 1008),
    "no object": ({"type": "text"}, 400, 1008),
    "unknown type": ({"type": "contact", "contact": {}}, 400, 1009),
    "messaging_product": ({**TEXT, "messaging_product": "whatsapp"}, 400, 1010),
    "context": ({**TEXT, "context": {"message_id": "x"}}, 400, 1010),
    "preview_url in text": (
        {"type": "text", "text": {"body": "x", "preview_url": True}},
        400,
        1010,
    ),
    "voice": ({"type": "audio", "audio": {"id": "x", "voice": True}}, 400, 1010),
    "path": ({"type": "image", "image": {"path": "a.png"}}, 400, 1010),
    "reaction": ({"type": "reaction", "reaction": {"message_id": "x", "emoji": "x"}}, 400, 1009),
    "cta_url": (
        {
            "type": "interactive",
            "interactive": {
                "type": "cta_url",
                "body": {"text": "?"},
                "action": {
                    "name": "cta_url",
                    "parameters": {"display_text": "Go", "url": "https://x.example"},
                },
            },
        },
        400,
        1009,
    ),
    "user id": ({**TEXT, "to": None, "recipient": "US.1"}, 400, 1010),
    "id and link": (
        {"type": "image", "image": {"id": "1", "link": "https://x.example/1.png"}},
        400,
        1009,
    ),
    "neither id nor link": ({"type": "image", "image": {"caption": "x"}}, 400, 1008),
    "unknown media": (
        {"type": "image", "image": {"id": "f043afd0-f0ae-4b9c-ab3d-696fb4c8cd68"}},
        404,
        1006,
    ),
    "no policy": (
        {"type": "template", "template": {"name": "hello", "language": {"code": "en"}}},
        400,
        1008,
    ),
    "fallback": (
        {
            "type": "template",
            "template": {"name": "hello", "language": {"policy": "fallback", "code": "en"}},
        },
        400,
        1009,
    ),
    "eleven rows": (list_of(11), 400, 2016),
    "eleven sections": (list_of(*[1] * 11), 400, 2015),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_the_client_refuses_comes_with_its_code_and_our_reason(simulator, token, name):
    body, status, code = REFUSED[name]

    answered, answer = await simulator.post("/v1/messages", {**TO, **body}, headers=token)

    [error] = answer["errors"]
    assert (answered, error["code"]) == (status, code), answer
    assert error["title"]
    assert error["details"]
    assert len(answer["simulator"]["rule"]) > 15
    assert await simulator.chat() == []


async def test_what_is_not_json_is_an_invalid_request(simulator, token):
    headers = {**token, "Content-Type": "application/json"}
    status, answer = await simulator.call("POST", "/v1/messages", data=b"{", headers=headers)
    assert (status, answer["errors"][0]["code"]) == (400, 1025)


async def test_a_file_is_uploaded_raw_fetched_and_deleted(simulator, token):
    headers = {**token, "Content-Type": "image/png"}
    status, answer = await simulator.call("POST", "/v1/media", data=PNG, headers=headers)
    media_id = answer["media"][0]["id"]
    assert status == 200
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", media_id)

    path = f"/v1/media/{media_id}"
    async with simulator.session.get(simulator.url + path, headers=token) as response:
        assert (response.headers["Content-Type"], await response.read()) == ("image/png", PNG)
    body = {**TO, "type": "image", "image": {"id": media_id, "caption": "Look"}}
    assert (await simulator.post("/v1/messages", body, headers=token))[0] == 200
    assert (await simulator.shows(1))[0]["content"]["url"] == f"/simulator/media/{media_id}"

    assert (await simulator.call("DELETE", path, headers=token))[0] == 200
    status, answer = await simulator.get(path, headers=token)
    assert (status, answer["errors"][0]["code"]) == (404, 1006)


async def test_a_form_is_not_a_file(simulator, token):
    data = aiohttp.FormData()
    data.add_field("file", PNG, filename="a.png", content_type="image/png")
    status, answer = await simulator.call("POST", "/v1/media", data=data, headers=token)
    assert (status, answer["errors"][0]["code"]) == (400, 1009)
    status, answer = await simulator.call(
        "POST", "/v1/media", data=b"", headers={**token, "Content-Type": "image/png"}
    )
    assert (status, answer["errors"][0]["code"]) == (400, 1009)


async def test_a_file_has_at_most_a_hundred_megabytes(simulator, token):
    async def content():
        for _ in range(102):
            yield b"x" * 1024 * 1024

    headers = {**token, "Content-Type": "video/mp4"}
    status, answer = await simulator.call("POST", "/v1/media", data=content(), headers=headers)
    assert (status, answer["errors"][0]["code"]) == (400, 1009)


@pytest.mark.parametrize(
    ("kind", "mime_type", "content", "status"),
    [
        ("document", "application/zip", b"PK", "delivered"),  # any type here, unlike the Cloud
        ("audio", "audio/ogg; codecs=opus", b"OggS", "delivered"),
        ("audio", "audio/ogg", b"OggS", "failed"),
        ("image", "image/webp", b"RIFF", "failed"),
        ("sticker", "image/webp", MOVING, "failed"),
    ],
)
async def test_whether_a_file_fits_its_message_is_told_afterwards(
    simulator, bot, token, kind, mime_type, content, status
):
    headers = {**token, "Content-Type": mime_type}
    _, answer = await simulator.call("POST", "/v1/media", data=content, headers=headers)
    body = {**TO, "type": kind, kind: {"id": answer["media"][0]["id"]}}

    answered, _ = await simulator.post("/v1/messages", body, headers=token)

    assert answered == 200
    [shown] = await simulator.shows(1)
    assert shown["status"] == status
    if status == "failed":
        [webhook] = await bot.takes(1)
        [failed] = webhook.body["statuses"]
        assert (failed["status"], failed["errors"][0]["code"]) == ("failed", 1014)


async def test_reading_is_a_put(simulator, token):
    written = await simulator.says("hi")
    path = f"/v1/messages/{written['id']}"

    status, _ = await simulator.call("PUT", path, json={"status": "read"}, headers=token)

    assert status == 200
    assert (await simulator.chat())[0]["status"] == "read"
    status, answer = await simulator.call("PUT", path, json={"status": "seen"}, headers=token)
    assert (status, answer["errors"][0]["code"]) == (400, 1009)
    status, answer = await simulator.call(
        "PUT", "/v1/messages/unknown", json={"status": "read"}, headers=token
    )
    assert (status, answer["errors"][0]["code"]) == (404, 1006)


async def test_turn_takes_its_own_token_and_has_no_login(start):
    simulator = await start("turn")
    bearer = {"Authorization": "Bearer simulator-token"}
    body = {**TO, **TEXT}

    assert (await simulator.post("/v1/messages", body, headers=bearer))[0] == 200
    status, answer = await simulator.post(
        "/v1/messages", body, headers={"Authorization": "Bearer wrong"}
    )
    assert (status, answer["errors"][0]["code"]) == (401, 190)
    assert (await simulator.post("/v1/users/login", headers=LOGIN))[0] != 200


async def test_turn_takes_user_ids_and_uploaded_files_only(start):
    simulator = await start("turn")
    bearer = {"Authorization": "Bearer simulator-token"}
    user_id = "US.13491208655302741918"
    await simulator.post("/simulator/people", {"name": "Noor", "user_id": user_id})

    status, answer = await simulator.post(
        "/v1/messages", {"recipient": user_id, **TEXT}, headers=bearer
    )
    assert (status, answer["contacts"][0]["user_id"]) == (200, user_id)

    link = {"type": "image", "image": {"link": "https://x.example/1.png"}}
    status, answer = await simulator.post("/v1/messages", {**TO, **link}, headers=bearer)
    assert (status, answer["errors"][0]["code"]) == (400, 131009)
    long = {"type": "text", "text": {"body": "x" * 4097}}
    status, answer = await simulator.post("/v1/messages", {**TO, **long}, headers=bearer)
    assert (status, answer["errors"][0]["code"]) == (400, 100)
