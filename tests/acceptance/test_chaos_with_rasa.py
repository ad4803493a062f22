"""A real bot on Rasa is killed three times while people write."""

from __future__ import annotations

import asyncio
import random
import time

import pytest
import yaml
from support.cloud_api import cloud_api
from support.crowd import Crowd, Written
from support.phones import Phones
from support.ports import free_port
from support.processes import RasaServer
from support.verdict import Kill, judge

pytestmark = pytest.mark.asyncio(loop_scope="session")

SEED = 1
KILLS = 3
USERS = 6
MESSAGES = 5
LIFE = 2.0  # longest time between an answer of the health page and the next kill, in seconds
START = 15.0  # about what Rasa needs, in seconds; what is written meanwhile comes at once then


async def test_rasa_is_killed_three_times_and_everybody_is_answered_once(worlds, figures):
    async with cloud_api() as platform:
        rasa = serve(worlds["cloud"].folder, platform)
        moments = random.Random(SEED)
        crowd = Crowd(
            lambda: f"{rasa.url}/webhooks/whatsapp/webhook",
            secret="an-app-secret",
            random=moments,
        )
        phones = Phones(crowd.deliver)
        platform.taken = phones.take
        kills = []
        began = time.monotonic()
        try:
            rasa.process.start()
            writing = asyncio.create_task(
                crowd.write(range(USERS), MESSAGES, seconds=KILLS * START, lane=1)
            )
            for _ in range(KILLS):
                await rasa.ready()
                await asyncio.sleep(moments.uniform(0.2, LIFE))
                kills.append(Kill(time.monotonic(), "rasa"))
                rasa.process.kill()
                rasa.process.start()
            await writing
            await phones.have(2 * USERS * MESSAGES, within=180)
            await asyncio.sleep(2)
        finally:
            rasa.process.stop()
            await phones.close()
            await crowd.close()

    written = [Written(user, n + 1) for user in range(USERS) for n in range(MESSAGES)]
    verdict = judge(
        written,
        platform.accepted,
        [],
        kills,
        answers_to=answers_of_the_bot,
        shown=phones.shown,
    )
    figures(
        f"{len(written)} messages of {USERS} people, {KILLS} kills of Rasa: {verdict}\n"
        f"{crowd.refusals} webhooks delivered again; {time.monotonic() - began:.0f} s"
    )
    assert verdict.faults == []
    # A status tells what was on its way, unless it comes more than 20 seconds after the start.
    assert verdict.doubles <= KILLS


def serve(folder, platform) -> RasaServer:
    block = {
        "base_url": platform.url,
        "phone_number_id": platform.number,
        "access_token": "rasa",
        "app_secret": "an-app-secret",
        "verify_token": "a-verify-token",
        "store": "sqlite:///whatsapp-killed.db",
    }
    credentials = yaml.safe_dump({"rasa_whatsapp_channel.WhatsAppInput": block})
    return RasaServer(folder, port=free_port(), name="killed", credentials=credentials)


def answers_of_the_bot(text: str) -> list[str]:
    return [f"{text} a", f"{text} b"]
