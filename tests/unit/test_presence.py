"""Which roles some process has, and what is said when none has one."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from rasa_whatsapp_channel.presence import LIFE, LOOKS, Presence
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import Values


@dataclass
class Clock:
    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def values(clock: Clock) -> AsyncIterator[Values]:
    async with open_store("memory:", clock=clock) as store:
        yield store.values


async def test_what_another_process_does_is_not_missing(values):
    bot, server = Presence(values, ["bot"]), Presence(values, ["door", "sender"])
    assert await bot.missing() == ["door", "sender"]

    await server.step()

    assert await bot.missing() == []
    assert await server.missing() == ["bot"]


async def test_a_process_that_ended_is_missing_after_a_while(values, clock):
    await Presence(values, ["bot"]).step()
    server = Presence(values, ["door", "sender"])
    clock.now += LIFE - 1
    assert await server.missing() == []
    clock.now += 2

    assert await server.missing() == ["bot"]


async def test_the_log_says_once_what_is_missing_and_once_that_it_is_back(values, clock, caplog):
    caplog.set_level(logging.INFO, "rasa_whatsapp_channel")
    bot, server = Presence(values, ["bot"]), Presence(values, ["door", "sender"])
    for _ in range(LOOKS - 1):
        await server.step()
    assert caplog.messages == []  # Rasa takes its time to start

    for _ in range(5):
        await server.step()
    assert caplog.messages == [
        "whatsapp.role_missing: no process runs the bot, so what comes in waits. Start Rasa, and "
        "see that `roles` in the channel's block has `bot`"
    ]

    caplog.clear()
    await bot.step()
    for _ in range(3):
        await server.step()
    assert caplog.messages == ["whatsapp.role_is_back: a process with the role bot runs"]
