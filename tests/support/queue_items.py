"""Queue items for tests, the three ways to end a claim, and how long a call takes."""

from __future__ import annotations

import asyncio
import time

ANNA, BEN = "491511111111", "491522222222"
HELLO = {"type": "text", "text": {"body": "hello"}}


async def claim_all(queue):
    items = []
    while item := await queue.claim():
        items.append(item)
    return items


async def put_all(queue, *entries):
    for key, conversation in entries:
        assert await queue.put(key, conversation, HELLO)


async def end_item(queue, item, end):
    if end == "done":
        await queue.done(item)
    elif end == "retry later":
        await queue.retry_later(item)
    else:
        await queue.dead_letter(item, "reason")


async def seconds(awaitable):
    start = time.monotonic()
    await awaitable
    return time.monotonic() - start


async def in_steps(steps, doing):
    """Start *doing*, and go on after so many rounds of the event loop."""
    task = asyncio.create_task(doing)
    for _ in range(steps):
        await asyncio.sleep(0)
    return task


async def cancel(tasks):
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
