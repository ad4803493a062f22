"""
After a person was forgotten, their number is in no byte of the file, its log, Redis or media.

The person has a chat with each of two business numbers; in the second one a person answers.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest
from redis import Redis
from support.eventually import PATIENCE, eventually
from support.redis_server import RedisServer
from support.webhooks import envelope, status, text

from rasa_whatsapp_channel.outbound import window
from rasa_whatsapp_channel.unix_time import DAY

MAYA = "4915112345678"
TOM = "4917698765432"
USER_ID = "US.13491208655302741918"
SECOND = "206540352242922"
# WhatsApp's ids hold the number, written in base64.
HI = "wamid.HBgNNDkxNTExMjM0NTY3OBUCABIYFDNBQTFCMkMzRDRFNUY2MDcxODI5AA=="
KEPT_DELETE = ["media", "kept", "delete"]
PICTURE = b"\xff\xd8\xff\xe0 a picture of Maya"
TEMPLATE = {"message_template_name": "order", "message_template_language": "en"}
PAUSED = {
    "object": "whatsapp_business_account",
    "entry": [
        {
            "id": "102290129340398",
            "changes": [
                {
                    "field": "message_template_status_update",
                    "value": {"event": "PAUSED", **TEMPLATE},
                }
            ],
        }
    ],
}
SETTINGS = {
    "numbers": [{"phone_number_id": SECOND}],
    "notify_token": "a-token-of-the-shop",
    "handoff": {},
}
LONG = '/order{"for": "' + MAYA + '", "text": "' + "x" * 300 + '"}'


@pytest.fixture(autouse=True)
def short_wait_for_the_window(monkeypatch):
    """A refusal for the closed window is looked at again after 5 s."""
    monkeypatch.setattr(window, "AGAIN", 0.5)


async def bot(message) -> None:
    """Answer with all that makes the store remember somebody."""
    say = message.output_channel.send_response
    to = message.sender_id
    if message.text == "a person":
        await say(to, {"text": "One moment.", "metadata": {"whatsapp": {"handoff": to}}})
        return
    await say(to, {"text": f"You are {to}, +{to}, https://wa.me/{to}"})
    buttons = [{"title": f"Option {n}", "payload": f'/option{{"n": {n}}}'} for n in range(120)]
    await say(to, {"text": "Which one?", "buttons": buttons})  # numbered lines
    await say(to, {"text": "Buy?", "buttons": [{"title": "Buy", "payload": LONG}]})
    # It is paused, so it waits for days in a conversation of its own.
    template = {"name": "order", "language": "en", "body": [f"+{to}"]}
    await say(to, {"custom": {"whatsapp": {"template": template}}})
    await say(to, {"text": "Look", "image": f"https://shop.example/{to}.jpg"})


def change(content):
    return envelope([content])


def to_second(content):
    """Return what the second number is told."""
    webhook = envelope([content])
    webhook["entry"][0]["changes"][0]["value"]["metadata"]["phone_number_id"] = SECOND
    return webhook


def image_of(media_id: str):
    image = text(MAYA, f"wamid.image{media_id}", "")
    image["messages"][0].update(type="image", image={"id": media_id, "mime_type": "image/jpeg"})
    del image["messages"][0]["text"]
    return image


async def schedule(running, to: str) -> None:
    """Let the shop ask for a template, due in a day."""
    template = {"name": "order", "language": "en", "body": [f"+{to}"]}
    wish = {"to": to, "template": template, "at": time.time() + DAY}
    headers = {"Authorization": "Bearer a-token-of-the-shop"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{running.url}/notify", json=wish, headers=headers) as answer,
    ):
        assert answer.status == 202, await answer.text()


async def talk(running, platform) -> None:
    """Let Maya and Tom write, read, and meet everything that can go wrong."""
    await running.deliver(PAUSED)
    message = text(MAYA, HI, f"I am {MAYA}")
    message["contacts"][0]["user_id"] = USER_ID
    message["messages"][0]["from_user_id"] = USER_ID
    await running.deliver(change(message))
    await running.deliver(change(text(TOM, "wamid.tom", "hi")))
    for phone in (MAYA, TOM):
        await running.deliver(to_second(text(phone, f"wamid.second.{phone}", "hi")))
    await platform.sends(16)
    sent = list(platform.sent)
    for number, body in enumerate(sent, 1):
        await running.deliver(change(status(f"wamid.out{number}", "delivered", body["to"])))
    await running.deliver(change(status("wamid.never.sent", "read", MAYA)))
    for media_id in ("20", "30"):
        platform.files[media_id] = (PICTURE, "image/jpeg")
    for phone in (MAYA, TOM):
        await schedule(running, f"{phone}@{SECOND}")
        await running.deliver(to_second(text(phone, f"wamid.asks.{phone}", "a person")))
    await platform.sends(18)
    await running.deliver(to_second(image_of("30")))
    # Not to Maya any more (131026): a dead letter. Closed window (131047): parked until she writes.
    platform.answers += [refusal(131026), refusal(131047), refusal(131047), refusal(131047)]
    await running.deliver(change(image_of("20")))
    await platform.eventually(lambda: not platform.answers)
    # What cannot be understood is kept for a person to see, under nobody's name.
    odd = {"messages": [{"from": MAYA, "id": "wamid.odd", "text": {"body": f"I am {MAYA}"}}]}
    await running.deliver(change(odd))

    async def is_settled() -> bool:
        """Nothing is left but dead letters, five templates that are paused, two for later."""
        health = await running.health()
        queues = health["inbox"], health["outbox"]
        return [(queue["waiting"], queue["dead_letters"]) for queue in queues] == [(2, 1), (5, 1)]

    await eventually(is_settled)


def refusal(code: int) -> tuple[int, dict]:
    message = f"(#{code}) {MAYA} cannot be reached"
    return 400, {"error": {"message": message, "code": code, "fbtrace_id": "AzPQ6DMwnKqyp"}}


def in_files(folder: Path, *needles: str) -> list[str]:
    return [
        f"{needle} in {path.relative_to(folder)}"
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "credentials.yml"
        for needle in needles
        if needle.encode() in path.read_bytes() or needle in path.name
    ]


def rows_of(person: str, file: Path) -> Counter[str]:
    """Return table → number of rows that name *person*."""
    with closing(sqlite3.connect(file)) as db:
        found = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        tables = [name for (name,) in found]
        rows = [(table, row) for table in tables for row in db.execute(f"SELECT * FROM {table}")]
    return Counter(table for table, row in rows if person in str(row))


def in_redis(server: RedisServer, *needles: str) -> dict[str, str]:
    """Return key → what it has, of those that hold one of *needles*."""
    with Redis.from_url(server.url, decode_responses=True) as client:
        texts = {key: f"{key} {read(client, key)}" for key in client.scan_iter()}
    assert texts
    return {key: text for key, text in texts.items() if any(each in text for each in needles)}


def read(client: Redis, key: str):
    match client.type(key):
        case "string":
            return client.get(key)
        case "hash":
            return client.hgetall(key)
        case "list":
            return client.lrange(key, 0, -1)
        case "zset":
            return client.zrange(key, 0, -1, withscores=True)
        case kind:
            raise AssertionError(f"{key} is a {kind}")


async def forget(rasa_whatsapp, known_as: str = MAYA) -> None:
    """One name of a person is enough for the store; files are kept under the conversation's."""
    for command in (["queue", "erase", "--person", known_as], [*KEPT_DELETE, "--person", MAYA]):
        done = await rasa_whatsapp(*command, "--yes")
        assert done.exit_code == 0, done.output


def write_credentials(folder: Path, store: str) -> None:
    (folder / "credentials.yml").write_text(
        "rasa_whatsapp_channel.WhatsAppInput:\n"
        "  phone_number_id: '106540352242922'\n  access_token: a\n  app_secret: a\n"
        f"  verify_token: a\n  store: {store}\n  media: {{store: received}}\n"
        f"  numbers: [{{phone_number_id: '{SECOND}'}}]\n"
    )


@pytest.mark.parametrize("known_as", [MAYA, USER_ID, f"{MAYA}@{SECOND}"])
async def test_nothing_of_a_person_is_left_in_the_bytes_of_file_log_and_media(
    rasa_whatsapp, serve, platform, tmp_path, known_as
):
    write_credentials(tmp_path, "sqlite:///whatsapp.db")
    async with serve(bot, **SETTINGS) as running:
        await talk(running, platform[0])
        assert in_files(tmp_path, MAYA)
        of_tom = rows_of(TOM, tmp_path / "whatsapp.db")

        await forget(rasa_whatsapp, known_as)

        assert in_files(tmp_path, MAYA, USER_ID, "a picture of Maya") == []
        assert rows_of(TOM, tmp_path / "whatsapp.db") == of_tom
    assert in_files(tmp_path, MAYA, USER_ID, "a picture of Maya") == []


async def test_nothing_of_a_person_is_left_in_redis(
    rasa_whatsapp, serve, platform, tmp_path, redis
):
    write_credentials(tmp_path, redis.url)
    async with serve(bot, store=redis.url, **SETTINGS) as running:
        await talk(running, platform[0])
        assert in_redis(redis, MAYA)
        of_tom = in_redis(redis, TOM)

        await forget(rasa_whatsapp)

        assert in_redis(redis, MAYA, USER_ID) == {}
        assert in_redis(redis, TOM).keys() == of_tom.keys()


async def test_a_log_that_another_program_keeps_is_said(rasa_whatsapp, serve, platform, tmp_path):
    write_credentials(tmp_path, "sqlite:///whatsapp.db")
    async with serve(bot, **SETTINGS) as running:
        await running.deliver(change(text(MAYA, HI, "hi")))
        await platform[0].sends(4)
        reader = sqlite3.connect(tmp_path / "whatsapp.db", isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sqlite_master").fetchone()

        done = await asyncio.wait_for(
            rasa_whatsapp("queue", "erase", "--person", MAYA, "--yes"), PATIENCE
        )

        reader.close()
        assert done.exit_code == 1
        assert "-wal file cannot be emptied" in done.stderr
