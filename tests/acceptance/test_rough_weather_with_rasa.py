"""
The quickstart bot on a real Rasa in rough weather: nothing is lost, doubled or out of order.

    WEATHER=11 make test ARGS=tests/acceptance/test_rough_weather_with_rasa.py

has another weather.
"""

from __future__ import annotations

import os

import pytest
import yaml
from soak.seen import judge
from soak.weather import Crowd, rough
from support.bot import QUICKSTART
from support.ports import free_port
from support.processes import RasaServer

from rasa_whatsapp_channel.replay.host import simulator
from rasa_whatsapp_channel.replay.simulator_client import SimulatorClient

pytestmark = pytest.mark.asyncio(loop_scope="session")

SEED = int(os.environ.get("WEATHER", "3"))
RESPONSES = yaml.safe_load((QUICKSTART / "domain.yml").read_text(encoding="utf-8"))["responses"]
PEOPLE = 8
# What people write to the quickstart bot, and the responses that its rules name.
ANSWERS = {
    "hello": ["greet", "picture", "guide", "chime", "boat", "sun"],
    "menu": ["menu"],
    "house": ["house"],
    "goodbye": ["goodbye"],
}


async def test_eight_people_hear_all_that_the_quickstart_bot_says(worlds, figures):
    port = free_port()
    block = {
        "base_url": f"http://127.0.0.1:{port}",
        "phone_number_id": "106540352242922",
        "access_token": "simulator-token",
        "app_secret": "simulator-secret",
        "verify_token": "simulator",
        "store": "sqlite:///whatsapp-rough.db",
    }
    credentials = yaml.safe_dump({"rasa_whatsapp_channel.WhatsAppInput": block})
    folder = worlds["cloud"].folder
    rasa = RasaServer(folder, port=free_port(), name="rough", credentials=credentials)
    rasa.process.start()
    try:
        await rasa.ready()
        config = rough(port, f"{rasa.url}/webhooks/whatsapp/webhook", SEED)
        async with simulator(config) as url, SimulatorClient(url) as client:
            crowd = Crowd(client, [list(ANSWERS)] * PEOPLE, asked)
            await crowd.live()
            verdict = judge(await crowd.look(), await client.requests(), await client.webhooks())
    finally:
        rasa.process.stop()

    figures(verdict)
    assert verdict.answers == 9 * PEOPLE
    assert verdict.faults == []


async def asked(text):
    names = [f"utter_{name}" for name in ANSWERS[text]]
    return text, [{**RESPONSES[name][0], "utter_action": name} for name in names]
