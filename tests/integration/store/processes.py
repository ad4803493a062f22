"""
What `test_sqlite.py` starts as processes of their own.

    processes.py put DATABASE NAME COUNT USERS    puts, and prints each key once it is kept
    processes.py work DATABASE [LISTEN]           claims and ends, prints time, conversation and key
    processes.py hold DATABASE COUNT              claims, prints the keys, and keeps them
    processes.py block DATABASE SECONDS           claims, and blocks its event loop for so long
    processes.py full DATABASE                    puts until no more is allowed on the disk, then on
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time

from rasa_whatsapp_channel.store.base import StoreError
from rasa_whatsapp_channel.store.sqlite import SQLiteStore


def say(*words: object) -> None:
    print(*words, flush=True)  # noqa: T201


async def put(path: str, name: str, count: str, users: str) -> None:
    async with SQLiteStore(path) as store:
        for n in range(int(count)):
            await store.inbox.put(f"{name}-{n:05}", f"{name}-{n % int(users)}", {"n": n})
            say(f"{name}-{n:05}")


async def work(path: str, listen: str = "0.25") -> None:
    async with SQLiteStore(path, listen=float(listen)) as store:
        while True:
            item = await store.inbox.claim()
            if item is None:
                await store.inbox.wait(5)
                continue
            # This clock is shared by all processes of a machine.
            say(time.monotonic_ns(), item.conversation, item.key)
            await store.inbox.done(item)


async def hold(path: str, count: str) -> None:
    async with SQLiteStore(path) as store:
        for _ in range(int(count)):
            item = await store.inbox.claim()
            assert item is not None
            say(item.key)
        await asyncio.sleep(3600)


async def block(path: str, seconds: str) -> None:
    async with SQLiteStore(path) as store:
        item = await store.inbox.claim()
        assert item is not None
        say(item.key)
        time.sleep(float(seconds))  # noqa: ASYNC251 - as a synchronous action does
        await store.inbox.done(item)
        say("done")


async def full(path: str) -> None:
    async with SQLiteStore(path) as store:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
        kept = 0
        try:
            while True:
                await store.inbox.put(f"k{kept}", "user", {"text": "x" * 5000})
                kept += 1
        except StoreError as error:
            say(error)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        await store.inbox.put(f"k{kept}", "user", {})
        say(kept + 1, (await store.inbox.depth()).waiting)


if __name__ == "__main__":
    role, *arguments = sys.argv[1:]
    asyncio.run(
        {"put": put, "work": work, "hold": hold, "block": block, "full": full}[role](*arguments)
    )
