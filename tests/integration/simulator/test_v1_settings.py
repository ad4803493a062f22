"""Providers and sticker packs, in the shapes of the on-premises reference."""

from __future__ import annotations

import base64

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

PROVIDERS = "/v1/settings/application/media/providers"
BEARER = {"name": "shop", "type": "www", "config": {"bearer": "a-token"}}
BASIC = {"name": "files", "type": "www", "config": {"basic": {"username": "u", "password": "p"}}}
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


@pytest.fixture
async def client(start):
    return await start("on_premises")


@pytest.fixture
async def token(client):
    return await client.login()


async def test_providers_are_added_replaced_listed_and_deleted(client, token):
    again = {**BEARER, "config": {"bearer": "another"}}

    assert (await client.post(PROVIDERS, [BEARER, BASIC], headers=token))[0] == 200
    assert (await client.post(PROVIDERS, [again], headers=token))[0] == 200
    _, listed = await client.get(PROVIDERS, headers=token)
    assert listed["settings"]["application"]["media"]["providers"] == [again, BASIC]
    assert (await client.call("DELETE", f"{PROVIDERS}/shop", headers=token))[0] == 200
    assert (await client.call("DELETE", f"{PROVIDERS}/shop", headers=token))[0] == 404


@pytest.mark.parametrize(
    "body",
    [
        BEARER,
        [{**BEARER, "type": "ftp"}],
        [{**BEARER, "name": "a shop"}],
        [{**BEARER, "config": {"bearer": {"token": "t"}}}],
        [{**BEARER, "config": {**BEARER["config"], **BASIC["config"]}}],
    ],
)
async def test_other_shapes_are_refused(client, token, body):
    status, answer = await client.post(PROVIDERS, body, headers=token)

    assert (status, answer["errors"][0]["code"]) == (400, 1009)


async def test_settings_need_the_token_and_an_on_premises_client(client, start):
    turn = await start("turn")

    assert (await client.get(PROVIDERS))[0] == 401
    assert (await turn.get(PROVIDERS, headers={"Authorization": "Bearer simulator-token"}))[
        0
    ] != 200


@pytest.mark.parametrize(
    ("provider", "login"),
    [(BEARER, "Bearer a-token"), (BASIC, "Basic " + base64.b64encode(b"u:p").decode())],
)
async def test_a_link_is_fetched_with_the_login_of_its_provider(client, token, provider, login):
    seen = []

    async def serve(request):
        seen.append(request.headers.get("Authorization"))
        return web.Response(body=PNG, content_type="image/png")

    app = web.Application()
    app.router.add_get("/a.png", serve)
    async with TestServer(app) as server:
        link = str(server.make_url("/a.png"))
        image = {"link": link, "provider": {"name": provider["name"]}}
        body = {"to": "4915112345678", "type": "image", "image": image}
        await client.post("/v1/messages", body, headers=token)
        [failed] = await client.shows(1)
        await client.post(PROVIDERS, [provider], headers=token)
        await client.post("/v1/messages", body, headers=token)
        [_, shown] = await client.shows(2)

    assert (failed["status"], shown["status"], seen) == ("failed", "delivered", [login])


async def test_sticker_packs_are_made_filled_and_taken_away(client, token):
    headers = {**token, "Content-Type": "image/webp"}
    _, uploaded = await client.call("POST", "/v1/media", data=b"RIFF....WEBP", headers=headers)
    sticker = {"image_data_id": uploaded["media"][0]["id"], "emojis": ["\N{SLICE OF PIZZA}"]}

    status, made = await client.post(
        "/v1/stickerpacks", {"publisher": "Us", "name": "Pizza"}, headers=token
    )
    pack = f"/v1/stickerpacks/{made['stickerpacks'][0]['id']}"

    assert status == 201
    assert (await client.post(f"{pack}/stickers", sticker, headers=token))[0] == 201
    changed = {"name": "Pasta"}
    assert (await client.call("PATCH", pack, json=changed, headers=token))[0] == 200
    _, found = await client.get(pack, headers=token)
    assert found["stickerpacks"][0]["name"] == "Pasta"
    _, stickers = await client.get(f"{pack}/stickers", headers=token)
    assert stickers["stickers"] == [{"index": 0, **sticker}]
    assert (await client.get(f"{pack}/stickers/0", headers=token))[1]["stickers"] == [
        {"index": 0, **sticker}
    ]
    assert (await client.call("PATCH", f"{pack}/stickers/0", json=sticker, headers=token))[0] == 200
    assert (await client.call("DELETE", f"{pack}/stickers/0", headers=token))[0] == 200
    assert (await client.get(f"{pack}/stickers/0", headers=token))[0] == 404
    _, own = await client.get("/v1/stickerpacks?namespace=third_party", headers=token)
    assert len(own["stickerpacks"]) == 1
    assert (await client.get("/v1/stickerpacks", headers=token))[1]["stickerpacks"] == []
    assert (await client.call("DELETE", pack, headers=token))[0] == 200
    assert (await client.get(pack, headers=token))[0] == 404


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/v1/stickerpacks", {"name": "Pizza"}, 1008),
        ("/v1/stickerpacks", {"publisher": "Us", "name": "Pizza", "size": 3}, 1010),
        ("/v1/stickerpacks", [], 1009),
        ("/v1/stickerpacks/none/stickers", {"image_data_id": "none"}, 1006),
    ],
)
async def test_a_pack_of_another_shape_is_refused(client, token, path, body, code):
    _, answer = await client.post(path, body, headers=token)

    assert answer["errors"][0]["code"] == code
