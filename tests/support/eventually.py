"""Waiting, and measuring a wait, where a busy machine may make everything slow."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

PATIENCE = 60.0  # seconds
LOOK = 0.01  # seconds between two looks
TICK = 0.05  # seconds

T = TypeVar("T")


async def eventually(
    fact: Callable[[], Any],
    *,
    within: float = PATIENCE,
    told: Callable[[], object] = lambda: "it did not happen in time",
) -> Any:
    """
    Return what *fact* returns, as soon as that is true; a coroutine is awaited.

    If it never is, the test fails with what *told* returns then.
    """
    end = time.monotonic() + within
    while True:
        found = fact()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return found
        assert time.monotonic() < end, told()
        await asyncio.sleep(LOOK)


async def timed(doing: Awaitable[T]) -> tuple[T, float]:
    """
    Return what *doing* returns, and the seconds it has waited in this event loop.

    Seconds in which a busy machine kept this process from running do not count.
    """
    waited = 0.0

    async def tick() -> None:
        nonlocal waited
        while True:
            await asyncio.sleep(TICK)
            waited += TICK

    ticking = asyncio.create_task(tick())
    try:
        return await doing, waited
    finally:
        ticking.cancel()
