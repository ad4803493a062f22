"""
WhatsApp is down while people write: nothing is lost, and the bot does not feel it.

    OUTAGE=120 make test ARGS=tests/acceptance/test_outage.py

keeps it down for two minutes.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import time

import pytest
from support.cloud_api import CloudApi, cloud_api, fails, hangs_up
from support.crowd import Crowd, Written
from support.eventually import eventually
from support.stubs import SECRET, Stubs, stub_servers
from support.verdict import judge

OUTAGE = float(os.environ.get("OUTAGE", "20"))  # seconds
BEFORE = 10.0
USERS = 100
MESSAGES = 6

pytest.importorskip("rasa.core.channels.channel", reason="no Rasa in this environment")


async def test_what_is_written_while_whatsapp_is_down_is_answered_in_order_afterwards(
    tmp_path, forge, figures
):
    async with (
        cloud_api() as platform,
        stub_servers(tmp_path, platform, forge=forge, store="sqlite:///whatsapp.db") as stubs,
    ):
        await stubs.start("only")
        crowd = Crowd(
            lambda: stubs.webhook("only"),
            secret=SECRET,
            random=random.Random(1),
        )
        writing = asyncio.create_task(
            crowd.write(range(USERS), MESSAGES, seconds=BEFORE + OUTAGE + 2)
        )
        await asyncio.sleep(BEFORE)
        down = time.monotonic()
        taken_before = len(platform.accepted)
        await goes_down(platform)
        # The bot answers all of them while WhatsApp is down: no turn waits for it.
        texts = set(crowd.written)
        await eventually(lambda: texts <= saved(stubs))
        up = time.monotonic()
        assert len(platform.accepted) == taken_before
        await comes_back(platform)
        await writing
        await crowd.close()
        written = [Written(user, n + 1) for user in range(USERS) for n in range(MESSAGES)]
        await platform.takes(sum(2 + w.number % 2 for w in written), within=OUTAGE + 120)
        caught_up = time.monotonic() - up
        await eventually(lambda: stubs.is_idle("only"))

    journal = stubs.journal.read()
    verdict = judge(written, platform.accepted, journal, kills=[])
    turns = [(line["at"], line["took"]) for line in journal if line["what"] == "saved"]
    before = [took for at, took in turns if at < down]
    during = [took for at, took in turns if down <= at < up]
    figures(
        f"{len(written)} messages of {USERS} people, {len(during)} of them in "
        f"{up - down:.0f} s without WhatsApp ({len(platform.refused)} failed requests): {verdict}\n"
        f"all answered {caught_up:.0f} s later; turns took (median, longest) "
        f"{in_words(before)} before, {in_words(during)} meanwhile"
    )

    assert verdict.faults == []


async def goes_down(platform: CloudApi) -> None:
    """Fail in all the ways there are, one after the other."""
    platform.trouble = fails(500, 131016, "Service unavailable")
    await asyncio.sleep(OUTAGE / 4)
    platform.trouble = hangs_up
    await asyncio.sleep(OUTAGE / 4)
    await platform.close()
    await asyncio.sleep(OUTAGE / 2)


async def comes_back(platform: CloudApi) -> None:
    platform.trouble = None
    await platform.open()


def saved(stubs: Stubs) -> set[str]:
    """Return the texts whose turns are over."""
    return {line["text"] for line in stubs.journal.read() if line["what"] == "saved"}


def in_words(took: list[float]) -> str:
    return f"{statistics.median(took) * 1000:.0f} and {max(took) * 1000:.0f} ms"
