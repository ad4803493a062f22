"""The package's own clients, settings and webhook check against the simulator, for every API."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlsplit

import pytest

from rasa_whatsapp_channel.factories import make_client, make_webhook_auth
from rasa_whatsapp_channel.settings import Settings
from rasa_whatsapp_channel.simulator.config import Config, credentials_block
from rasa_whatsapp_channel.whatsapp import webhook
from rasa_whatsapp_channel.whatsapp.apis import APIS
from rasa_whatsapp_channel.whatsapp.error_codes import Verdict
from rasa_whatsapp_channel.whatsapp.errors import APIError
from rasa_whatsapp_channel.whatsapp.events import InboundMessage, Status
from rasa_whatsapp_channel.whatsapp.messages import (
    Button,
    Document,
    Image,
    ListMessage,
    Location,
    Media,
    ReplyButtons,
    Row,
    Section,
    Template,
    Text,
)
from rasa_whatsapp_channel.whatsapp.transport import File

MAYA = "4915112345678"
PNG = b"\x89PNG\r\n\x1a\n" + b"p" * 100
EVERY_API = pytest.mark.parametrize("api", APIS)


def settings_for(api, simulator, **changes):
    """The printed block, read as the channel reads it."""
    block = credentials_block(Config(api=APIS[api]), simulator.url)
    lines = [line.strip().partition(": ") for line in block.splitlines()[1:]]
    keys = {key: json.loads(value) for key, _, value in lines}
    return Settings.from_credentials({**keys, **changes}, environ={})


@asynccontextmanager
async def client_of(settings):
    client = make_client(settings)
    try:
        yield client
    finally:
        await client.close()


@EVERY_API
async def test_messages_of_the_client_are_taken(start, api):
    simulator = await start(api)
    messages = [
        Text("See https://shop.example", preview_url=True),
        Location(48.85, 2.35, name="Paris", address="1st"),
        ReplyButtons("?", buttons=(Button("yes", "Yes"), Button("no", "No"))),
        ListMessage("?", button="Go", sections=(Section((Row("1", "One"),)),)),
        Template("hello", "en_US", namespace="n"),
    ]

    async with client_of(settings_for(api, simulator)) as client:
        ids = [(await client.send(MAYA, message)).message_id for message in messages]

    shown = await simulator.shows(len(messages))
    assert [one["id"] for one in shown] == ids
    assert [one["status"] for one in shown] == ["delivered"] * len(messages)


@EVERY_API
async def test_a_file_of_the_client_is_uploaded_sent_downloaded_and_deleted(start, api):
    simulator = await start(api)
    async with client_of(settings_for(api, simulator)) as client:
        media_id = await client.upload(File(PNG, "image/png", "a.png"))
        await client.send(MAYA, Image(Media(id=media_id), caption="Look"))
        await client.send(MAYA, Document(Media(id=media_id), filename="a.png"))
        async with client.download(media_id) as download:
            assert b"".join([chunk async for chunk in download.chunks]) == PNG
        await client.delete_media(media_id)
        with pytest.raises(APIError) as gone:
            async with client.download(media_id):
                pass
        assert gone.value.verdict.is_final

    image, document = await simulator.shows(2)
    assert (await simulator.get(image["content"]["url"]))[1] == PNG
    # Documents are any file for an on-premises client, and eight types elsewhere.
    assert document["status"] == ("delivered" if "premises" in api or api == "turn" else "failed")


@EVERY_API
async def test_reading_by_the_client_turns_ticks_blue_where_the_api_can(start, api):
    simulator = await start(api)
    written = await simulator.says("hi")
    async with client_of(settings_for(api, simulator)) as client:
        await client.mark_read(written["id"], typing=APIS[api].typing)
    [shown] = await simulator.chat()
    assert (shown["status"] == "read") is APIS[api].mark_read


@pytest.mark.parametrize(
    ("api", "change"),
    [
        ("cloud", {"access_token": "wrong"}),
        ("360dialog", {"access_token": "wrong"}),
        ("turn", {"access_token": "wrong"}),
        ("on_premises", {"password": "wrong"}),
    ],
)
async def test_a_wrong_secret_says_so_to_the_client(start, api, change):
    simulator = await start(api)
    async with client_of(settings_for(api, simulator, **change)) as client:
        with pytest.raises(APIError) as refused:
            await client.send(MAYA, Text("x"))
    assert refused.value.status == 401
    assert refused.value.verdict is Verdict.REFRESH_TOKEN


@EVERY_API
async def test_webhooks_are_proven_and_read(start, bot, api):
    simulator = await start(api)
    settings = settings_for(api, simulator)
    written = await simulator.says("Grüße")
    async with client_of(settings) as client:
        message_id = (await client.send(MAYA, Text("x"))).message_id

    events = []
    for received in await bot.takes(3):
        query = dict(parse_qsl(urlsplit(received.path).query))
        webhook.verify(
            make_webhook_auth(settings), body=received.raw, headers=received.headers, query=query
        )
        events += webhook.read(received.raw)

    [message] = [event for event in events if isinstance(event, InboundMessage)]
    assert (message.id, message.phone, message.profile_name) == (written["id"], MAYA, "Maya")
    assert message.content == {"body": "Grüße"}
    statuses = [event for event in events if isinstance(event, Status)]
    assert [(one.message_id, one.status) for one in statuses] == [
        (message_id, "sent"),
        (message_id, "delivered"),
    ]
