"""
A server dies at commits of its store while one notification goes its way, from the request to read.

    COMMITS=all make test ARGS=tests/acceptance/test_notify_crashes.py
"""

from __future__ import annotations

import asyncio
import os
import random
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.commit_kills import MARK
from support.eventually import eventually
from support.every_commit import QUICK, Point
from support.side_by_side import Room
from support.stubs import Forge

SEED = int(os.environ.get("SEED", "1"))
POINTS = [Point(number, when) for number in range(1, 40) for when in ("before", "after")]
COMMITS = len(POINTS) if os.environ.get("COMMITS") == "all" else 16
AT_ONCE = 16  # servers, which mostly wait for the dead to count as dead
KEY = {"Authorization": "Bearer a-token-of-the-shop", "Idempotency-Key": "order-7"}
WISH = {"to": "4915112345678", "response": {"text": "It is here"}}

pytest.importorskip("rasa.core.channels.channel", reason="no Rasa in this environment")


async def state_of(url: str) -> str | None:
    """Ask for the notification, as often as is needed; return its state, None without an answer."""
    with suppress(aiohttp.ClientError, asyncio.TimeoutError):
        async with (
            aiohttp.ClientSession(headers=KEY) as session,
            session.post(url, json=WISH) as answer,
        ):
            told: dict[str, Any] = await answer.json()
            return str(told["state"])
    return None


async def die_at(point: Point, folder: Path, forge: Forge) -> str | None:
    """Return what is wrong after a server died at *point*; None: it came to no such commit."""
    folder.mkdir()
    async with AsyncExitStack() as stack:
        room = Room(folder, forge, stack)
        await room.open(
            servers=(), habits=QUICK, notify_token="a-token-of-the-shop", max_messages_per_second=80
        )
        room.servers = ("anna",)
        room.stubs.launch("anna", killed_at=vars(point))
        room.keep_alive("anna")
        url = room.stubs.webhook("anna").removesuffix("webhook") + "notify"
        states: list[str | None] = []

        async def is_read() -> bool:
            states.append(await state_of(url))
            return states[-1] == "read"

        with suppress(AssertionError):
            await eventually(is_read, within=60)
        if not (folder / MARK).exists():
            return None
        shown = [each.text for each in room.phones.shown]
        ended = states[-1]
        return "" if (ended, shown) == ("read", ["It is here"]) else f"{point}: {ended}, {shown}"


async def test_a_notification_goes_once_and_is_known_as_read_whenever_a_server_dies(
    tmp_path, forge
):
    turns = asyncio.Semaphore(AT_ONCE)

    async def die(point: Point) -> str | None:
        async with turns:
            return await die_at(point, tmp_path / str(point).replace(" ", "-"), forge)

    points = random.Random(SEED).sample(POINTS, COMMITS)
    found = await asyncio.gather(*(die(point) for point in points))

    faults = [fault for fault in found if fault is not None]
    assert faults, "no server died"
    assert list(filter(None, faults)) == []
