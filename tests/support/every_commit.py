"""
One conversation, whose server dies at one commit of its store; then another server takes over.

A person sends a picture and a text, the bot answers with a text, a picture, a text, and buttons.
In rough weather WhatsApp refuses the first of them twice, and then takes it without an answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from support.cloud_api import Accepted, CloudApi, Trouble, fails, hangs_up
from support.commit_kills import MARK
from support.crowd import Written
from support.numbered import answers_of
from support.phones import Habits
from support.side_by_side import Room
from support.stubs import Forge
from support.verdict import judge
from support.weather import takes_and

BOT = "illustrated"
QUICK = Habits(text=(0.02, 0.05), file=(0.1, 0.2), sent=(0.0, 0.05), read=(0.05, 0.1), batch=0.01)
WITHIN = 240.0
QUIET = 0.3
# Conversations, which mostly wait for the dead to count as dead. Where more are on a busy machine,
# WhatsApp, which is one process, answers later than a server waits.
AT_ONCE = 12
TOGETHER = "\n\n"  # between answers that go as one message
MOST = 130  # more commits than a conversation has


@dataclass(frozen=True)
class Point:
    number: int  # of a commit, from 1
    when: str  # before, after

    def __str__(self) -> str:
        return f"{self.when} commit {self.number}"


def every_point() -> list[Point]:
    """Return more than are ever reached."""
    return [Point(number, when) for number in range(1, MOST) for when in ("before", "after")]


async def die_at(
    point: Point, folder: Path, forge: Forge, *, is_rough: bool, **credentials: Any
) -> list[str] | None:
    """Return the faults of a conversation whose server dies at *point*; None: it does not."""
    folder = folder / str(point).replace(" ", "-")
    folder.mkdir()
    written = [Written(1, 1, is_picture=True), Written(1, 2)]
    answers_to = answers_of(BOT)
    answers = [answer for each in written for answer in answers_to(each.text)]
    async with AsyncExitStack() as stack:
        room = Room(folder, forge, stack)
        await room.open(servers=(), bot=BOT, habits=QUICK, **credentials)
        room.servers = ("anna",)
        if is_rough:
            room.api.next += rough(room.api)
        room.stubs.launch("anna", killed_at=vars(point))
        crashes = room.keep_alive("anna")
        for each in written:
            await room.write(each)
        await ends(room, len(answers))
        if not (folder / MARK).exists():
            return None
        verdict = judge(
            written,
            apart(room.api.accepted),
            room.stubs.journal.read(),
            kills=[],
            answers_to=answers_to,
            shown=apart(room.phones.shown),
        )
        faults = list(verdict.faults)
        if len(crashes) != 1:
            faults.append(f"{len(crashes)} crashes")
        faults += [f"dead letter: {entry['key']}" for entry in await room.dead_letters()]
        story = " ".join(f"{shown.at:.2f} {shown.text}" for shown in room.phones.shown)
        return [f"{point}: {fault} ({story})" for fault in faults]


def rough(api: CloudApi) -> list[Trouble]:
    return [
        fails(500, 131000, "Something went wrong"),
        fails(400, 131056, "Pair rate limit hit", Retry_After="1"),
        takes_and(api, hangs_up),
    ]


async def ends(room: Room, answers: int) -> None:
    """Return when all is shown and nothing waits, or when it took too long."""
    end = time.monotonic() + WITHIN
    while time.monotonic() < end:
        await asyncio.sleep(0.1)
        if len({shown.text for shown in apart(room.phones.shown)}) < answers:
            continue
        if await room.stubs.is_idle("anna"):
            await asyncio.sleep(QUIET)
            if await room.stubs.is_idle("anna"):
                return


def apart(messages: Iterable[Accepted]) -> list[Accepted]:
    """Return every answer for itself, also those that came in one message."""
    return [replace(each, text=text) for each in messages for text in each.text.split(TOGETHER)]


async def die_at_all(
    points: Iterable[Point], folder: Path, forge: Forge, *, is_rough: bool, **credentials: Any
) -> dict[Point, list[str]]:
    """Return the faults of each of *points* that were reached; *credentials* are the server's."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def die(point: Point) -> list[str] | None:
        async with turns:
            return await die_at(point, folder, forge, is_rough=is_rough, **credentials)

    points = list(points)
    faults = await asyncio.gather(*(die(point) for point in points))
    found = zip(points, faults, strict=True)
    return {point: faults for point, faults in found if faults is not None}
