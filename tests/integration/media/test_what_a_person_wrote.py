"""
Attacks by what a person can write: a slot with it ends in a response's picture or attachment.

The bot must not read for them what only it can reach. What cannot go is left out, with its reason
in the log, and the bot's next message arrives.
"""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from support.real_files import picture

pytest.importorskip("fsspec")
pytest.importorskip("requests")


@pytest.fixture
async def intranet():
    """A server of the own network that answers as WebHDFS does; `asked` is what for."""
    asked = []
    content = picture("JPEG")

    async def serve(request):
        asked.append(request.path_qs)
        if request.query.get("op", "").upper() == "OPEN":
            return web.Response(body=content)
        checksum = {"algorithm": "MD5", "bytes": "00", "length": 1}
        status = {"type": "FILE", "length": len(content), "pathSuffix": "", "permission": "644"}
        return web.json_response({"FileStatus": status, "FileChecksum": checksum})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", serve)
    async with TestServer(app) as server:
        yield server, asked


async def goes_on(desk, caplog, reason):
    await desk.say({"text": "And on it goes"})
    shown = [message.content.get("body") for message in await desk.shows(1)]
    assert shown == ["And on it goes"]
    assert reason in caplog.text
    assert desk.uploads() == 0


@pytest.mark.parametrize("key", ["image", "attachment"])
@pytest.mark.parametrize(
    "address",
    [
        "webhdfs://127.0.0.1:{port}/secret.jpg",
        "WebHDFS://127.0.0.1:{port}/secret.jpg",
        "webhdfs://127.0.0.1:{port}/menus/../secret.jpg",
        "webhdfs://127.0.0.1:{port}/menus/%2e%2e/secret.jpg",
        "webhdfs://127.0.0.1:{port}/menus/a.jpg::webhdfs://127.0.0.1:{port}/secret.jpg",
    ],
)
async def test_an_address_of_a_store_reaches_nothing_that_the_settings_do_not_name(
    start, caplog, intranet, key, address
):
    server, asked = intranet
    there = address.format(port=server.port)
    named = f"webhdfs://127.0.0.1:{server.port}/menus/"
    sources = {"sources": [named]} if "menus" in address else {}
    desk = await start(media={"private_links": False, **sources})

    await desk.say({key: there if key == "image" else {"type": "image", "link": there}})

    await goes_on(desk, caplog, "is not read" if sources else "lies below none of the addresses")
    assert asked == []


async def test_what_the_settings_name_is_read(start, intranet):
    server, asked = intranet
    named = f"webhdfs://127.0.0.1:{server.port}/menus/"
    desk = await start(media={"private_links": False, "sources": [named]})

    await desk.say({"image": f"{named}today.jpg"})

    [message] = await desk.shows(1)
    assert desk.file_of(message) == picture("JPEG")
    assert {path.partition("?")[0] for path in asked} == {"/webhdfs/v1/menus/today.jpg"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("credentials.yml", "credentials.yml: YAML is never sent"),
        ("endpoints.yml", "endpoints.yml: YAML is never sent"),
        (".env", ".env: a hidden file is never sent"),
        ("whatsapp.db", "whatsapp.db: a database is never sent"),
        ("models/20261129-120000.tar.gz", "20261129-120000.tar.gz: a model is never sent"),
        ("actions/actions.py", "lies outside of the folders that files are sent from: media"),
    ],
)
@pytest.mark.parametrize("whole", [False, True], ids=["", "whole path"])
async def test_a_file_of_the_bot_is_no_document(start, caplog, name, reason, whole):
    desk = await start()
    (desk.root / name).parent.mkdir(parents=True, exist_ok=True)
    (desk.root / name).write_bytes(b"access_token: EAAB")

    await desk.say({"attachment": str(desk.root / name) if whole else {"path": name}})

    await goes_on(desk, caplog, reason)


async def test_what_a_person_sent_goes_back_also_from_outside_of_the_bots_folder(start, tmp_path):
    store = tmp_path / "elsewhere"
    desk = await start(media={"store": str(store)})
    sent = store / "2026-11-29" / "1037543291543634_2bb80d537b1d.jpg"
    sent.parent.mkdir(parents=True)
    sent.write_bytes(picture("JPEG"))

    await desk.say({"image": str(sent)})

    [message] = await desk.shows(1)
    assert desk.file_of(message) == picture("JPEG")
