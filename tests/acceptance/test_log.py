"""What Rasa's own log shows of the channel, with a model that scikit-learn is part of."""

from __future__ import annotations

import asyncio
import time

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")


def lines_with(words, world):
    log = world.rasa.process.log.read_text(errors="replace")
    return [line for line in log.splitlines() if words in line]


async def test_rasas_log_says_once_what_the_channel_works_with(world):
    end = time.monotonic() + 60
    while not (lines := lines_with("whatsapp.started", world)) and time.monotonic() < end:
        await asyncio.sleep(0.1)

    (line,) = lines
    level, name = line.split()[2:4]
    assert (level, name) == ("INFO", "rasa_whatsapp_channel.channel")
    assert f"whatsapp.started: {world.api}, " in line
    assert world.simulator.url in line
    assert "webhook /webhooks/whatsapp/webhook (" in line


async def test_a_response_that_cannot_go_is_named_in_rasas_log(world, maya):
    await maya.says("both together please")
    await maya.gets(1)

    assert lines_with("- whatsapp.changed: utter_twice: ", world)
