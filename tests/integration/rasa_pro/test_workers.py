"""Several workers of one server, spawned as Rasa Pro does it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import sys
from collections import Counter

import aiohttp
from support.cloud_api import CloudApi, cloud_api
from support.ports import free_port
from support.processes import PROJECT, Process
from support.webhooks import texts

PHONES = [f"49151123450{person:02}" for person in range(20)]
ROUNDS = 60  # of messages, until the second worker has started too
CREDENTIALS = """
rasa_whatsapp_channel.WhatsAppInput:
  base_url: {url}
  phone_number_id: "106540352242922"
  access_token: a-token
  app_secret: ${{APP_SECRET}}
  verify_token: a-verify-token
  mark_read: false
"""


async def test_two_workers_answer_every_message_once(tmp_path):
    async with cloud_api() as platform:
        file = tmp_path / "credentials.yml"
        file.write_text(CREDENTIALS.format(url=platform.url), encoding="utf-8")
        port = free_port()
        server = Process(
            "spawned",
            [sys.executable, "-m", "support.spawned_server", str(port), "2", str(file)],
            folder=tmp_path,
            env={
                "PYTHONPATH": f"{PROJECT}:{PROJECT / 'tests'}",
                "APP_SECRET": "a-secret",
                # Something in Rasa Pro would ask the internet for prices of models.
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            },
        )
        server.start()
        try:
            url = f"http://127.0.0.1:{port}/webhooks/whatsapp"
            await server.ready(f"{url}/")
            rounds = 0
            while len(workers(platform)) < 2 and rounds < ROUNDS:
                rounds += 1
                await asyncio.gather(*(deliver(url, phone, rounds) for phone in PHONES))
                await platform.takes(rounds * len(PHONES), within=30)
                await asyncio.sleep(0.5)
            answers = Counter(answer.to for answer in platform.accepted)
        finally:
            code = server.stop()

    assert answers == dict.fromkeys(PHONES, rounds)
    assert len(workers(platform)) == 2, f"one worker did it all: {server.tail()}"
    assert code == 0


def workers(platform: CloudApi) -> set[str]:
    """Return the process ids of those who answered."""
    return {answer.text.split()[-1] for answer in platform.accepted}


async def deliver(url: str, phone: str, number: int) -> None:
    """Deliver over a connection of its own, so that either worker may get it."""
    body = json.dumps(texts("hi", phone=phone, first=number)).encode()
    signature = hmac.new(b"a-secret", body, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": f"sha256={signature}"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/webhook", data=body, headers=headers) as answer,
    ):
        assert answer.status == 200
